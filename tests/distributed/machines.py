"""Several machines on this one: PostgreSQL, Redis, Prefect's servers behind a proxy, workers, each its own process.

Everything is set up with the commands and the settings of docs/how-to/production, of which only addresses change.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.distributed.papers import command_of, commands_of, here, settings_of
from tests.distributed.proxy import Proxy

PACKAGES = ("postgresql", "redis-server")
_DEBIAN = Path("/usr/lib/postgresql")


def needed() -> None:
    """What Debian has to bring: installed by root where it is missing, else one line and the end of the run."""
    missing = [
        name for name, there in zip(PACKAGES, (postgres_bin(), shutil.which("redis-server")), strict=True) if not there
    ]
    if missing and os.geteuid() == 0 and shutil.which("apt-get"):
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in (["apt-get", "update", "-qq"], ["apt-get", "install", "-y", "-qq", *missing]):
            subprocess.run(command, env=quiet, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        missing = [] if postgres_bin() and shutil.which("redis-server") else missing
    if missing:
        pytest.exit(
            f"make distributed needs {' and '.join(missing)}: apt-get install {' '.join(missing)}", returncode=2
        )


def postgres_bin() -> Path | None:
    """The newest PostgreSQL of the system's packages."""
    found = sorted(_DEBIAN.glob("*/bin/postgres"), key=lambda one: int(one.parts[-3]))
    return found[-1].parent if found else None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(holds: Callable[[], object], seconds: float = 60, what: str = "it") -> None:
    """Wait for something that happens by itself."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"{what} never came"
        time.sleep(0.05)


@dataclass
class Process:
    """One process of ours, with all that it starts, and what it said."""

    name: str
    command: list[str]
    environ: Mapping[str, str]
    log: Path
    user: str | None = None
    child: subprocess.Popen[bytes] | None = None

    def start(self) -> Process:
        with self.log.open("ab") as said:
            self.child = subprocess.Popen(
                self.command, env=dict(self.environ), stdout=said, stderr=said, cwd="/", user=self.user,
                start_new_session=True,
            )  # fmt: skip
        return self

    @property
    def running(self) -> bool:
        return self.child is not None and self.child.poll() is None

    def kill(self) -> None:
        """As a machine that loses its power: it and everything it had started."""
        assert self.child is not None
        with suppress(ProcessLookupError):
            os.killpg(self.child.pid, signal.SIGKILL)
        self.child.wait()

    def stop(self, seconds: float = 30, with_signal: int = signal.SIGTERM) -> int | None:
        """Ask it to end; kill what doesn't."""
        if self.child is None:
            return None
        if self.running:
            self.child.send_signal(with_signal)
        with suppress(subprocess.TimeoutExpired):
            self.child.wait(seconds)
        self.kill()
        return self.child.returncode

    def cpu_seconds(self) -> float:
        """Processor time so far, its ended children's included."""
        assert self.child is not None
        fields = Path("/proc", str(self.child.pid), "stat").read_text().rpartition(")")[2].split()
        return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")

    def said(self) -> str:
        return self.log.read_text(errors="replace")


@dataclass
class Machines:
    """The whole set: who runs, and where everything is."""

    folder: Path
    postgres: Process
    redis: Process
    proxy: Proxy
    prefect: dict[str, str]
    whistle: dict[str, str]
    until: ExitStack
    servers: list[Process] = field(default_factory=list)
    services: Process | None = None

    @property
    def api(self) -> str:
        return self.whistle["PREFECT_API_URL"]

    def process(self, name: str, command: list[str], environ: Mapping[str, str]) -> Process:
        """Start something that is stopped with the rest."""
        made = Process(name, command, environ, self.folder / f"{name}.log").start()
        self.until.callback(made.stop)
        return made

    def server(self) -> Process:
        """One more web server of Prefect's behind the proxy, ready."""
        port = free_port()
        made = self.process(f"prefect-{port}", command_of("whistle-prefect@.service", str(port)), self.prefect)
        until(lambda: ready(port) or not made.running, 90, "a web server")
        assert made.running, made.said()[-2000:]
        self.servers.append(made)
        self.proxy.ports.append(port)
        return made

    def enable_services(self) -> None:
        """What Prefect does by itself: it schedules, and clears away."""
        self.services = self.process("services", command_of("whistle-prefect-services.service"), self.prefect)

    def worker(self, number: str) -> Process:
        """A worker as its unit starts it."""
        return self.process(f"worker-{number}", command_of("whistle-worker@.service", number), self.whistle)

    def web(self, port: str) -> Process:
        """A web service as its unit starts it, on a port that is free here."""
        return self.process(
            f"serve-{port}", command_of("whistle-serve@.service"), {**self.whistle, "WHISTLE_PORT": str(free_port())}
        )

    def run(self, line: str, environ: Mapping[str, str], code: int = 0) -> str:
        """A documented command to its end; what it said."""
        ended = subprocess.run(
            here(shlex.split(line)),
            env=dict(environ),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            cwd="/",
        )
        assert ended.returncode == code, ended.stdout + ended.stderr
        assert "Traceback" not in ended.stderr
        return ended.stdout + ended.stderr

    def ask(self, path: str, body: object = None) -> Any:  # noqa: ANN401 - Prefect's answer
        """One question to Prefect's API, through the proxy."""
        given = None if body is None else json.dumps(body).encode()
        asked = urllib.request.Request(f"{self.api}{path}", given, {"Content-Type": "application/json"})  # noqa: S310
        with urllib.request.urlopen(asked, timeout=10) as answer:  # noqa: S310 - our own on loopback
            return json.load(answer)

    def flow_runs(self, *states: str) -> list[dict[str, Any]]:
        """Every run in one of these states."""
        found: list[dict[str, Any]] = []
        wanted = {"flow_runs": {"state": {"type": {"any_": states}}}, "limit": 200, "sort": "EXPECTED_START_TIME_ASC"}
        while True:
            page = self.ask("/flow_runs/filter", {**wanted, "offset": len(found)})
            found += page
            if len(page) < 200:
                return found


def ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/ready", timeout=5) as answer:
            return bool(answer.status == 200)
    except (OSError, ValueError):
        return False


def _bare() -> dict[str, str]:
    """This process's environment as a fresh machine would have it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "WHISTLE_"))}
    return {**kept, "WHISTLE_LANGUAGE": "en", "PYTHONWARNINGS": "ignore"}


def told(page: str, addresses: Mapping[str, str]) -> dict[str, str]:
    """The settings of a page with the addresses of these machines; an address that the page hasn't is an error."""
    said = settings_of(page)
    assert addresses.keys() <= said.keys()
    assert not {name for name, value in {**said, **addresses}.items() if "…" in value}
    return {**_bare(), **said, **addresses}


@contextmanager
def machines() -> Iterator[Machines]:
    """PostgreSQL, Redis and the proxy, with a database for the cases, for the keys and for Prefect."""
    needed()
    folder = Path(tempfile.mkdtemp(prefix="whistle-machines-"))
    folder.chmod(0o755)
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        base, postgres = _postgres(folder, stack)
        redis_port = free_port()
        redis = _redis(folder, redis_port)
        stack.callback(redis.stop)
        proxy = stack.enter_context(Proxy.started())
        home = folder / "home"
        redis_at = f"redis://127.0.0.1:{redis_port}"
        prefect = told(
            "prefect.env",
            {
                "PREFECT_SERVER_DATABASE_CONNECTION_URL": base.replace("postgresql://", "postgresql+asyncpg://")
                .replace("whistle:", "prefect:") + "/prefect",
                "PREFECT_REDIS_MESSAGING_URL": f"{redis_at}/0",
                "PREFECT_SERVER_DOCKET_URL": f"{redis_at}/1",
            },
        )  # fmt: skip
        whistle = told(
            "whistle.env",
            {
                "WHISTLE_DATABASE_URL": f"{base}/whistle",
                "WHISTLE_KEYSTORE_URL": f"{base}/whistle_keys",
                "WHISTLE_MASTER_KEY_FILE": str(folder / "master.key"),
                "WHISTLE_HOME": str(home),
                "WHISTLE_SEALS": str(folder / "seals"),
                "WHISTLE_BACKUPS": str(folder / "backups"),
                "WHISTLE_FILES": str(home / "files"),
                "WHISTLE_KEY_COPIES": str(home / "keys" / "copies"),
                "PREFECT_API_URL": f"http://127.0.0.1:{proxy.port}/api",
            },
        )
        prefect["PREFECT_HOME"] = str(folder / "prefect")
        yield Machines(folder, postgres, redis, proxy, prefect, whistle, stack)


def _postgres(folder: Path, stack: ExitStack) -> tuple[str, Process]:
    """A server of the system's package, of our own making: not the system's service, not its port."""
    programs = postgres_bin()
    assert programs is not None
    user = "postgres" if os.geteuid() == 0 else None
    place = folder / "postgres"
    place.mkdir(mode=0o700)
    if user:
        shutil.chown(place, user)
    port = free_port()
    secret = place / "secret"
    secret.write_text("postgres\n")
    if user:
        shutil.chown(secret, user)
    initdb = [str(programs / "initdb"), "-D", str(place / "db"), "-U", "postgres", "-A", "scram-sha-256"]
    initdb += ["--encoding=UTF8", "--locale=C.UTF-8", f"--pwfile={secret}"]
    subprocess.run(initdb, user=user, check=True, cwd="/", capture_output=True)
    given = [f"-c{one}" for one in ("listen_addresses=127.0.0.1", f"port={port}", f"unix_socket_directories={place}")]
    command = [str(programs / "postgres"), "-D", str(place / "db"), *given]
    server = Process("postgres", command, _bare(), folder / "postgres.log", user).start()
    stack.callback(server.stop, 30, signal.SIGINT)
    admin = {**_bare(), "PGPASSWORD": "postgres"}
    psql = ["psql", "-qX", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(port), "-U", "postgres"]
    asked = [*psql, "-c", "SELECT 1"]
    until(lambda: subprocess.run(asked, env=admin, capture_output=True, check=False).returncode == 0, 30, "PostgreSQL")
    for line in commands_of("production/databases.md", "sql"):
        subprocess.run([*psql, "-c", line.replace("…", "secret")], env=admin, check=True, capture_output=True)
    return f"postgresql://whistle:secret@127.0.0.1:{port}", server


def _redis(folder: Path, port: int) -> Process:
    """As compose.yaml starts it: what it was told outlives it."""
    place = folder / "redis"
    place.mkdir()
    command = ["redis-server", "--bind", "127.0.0.1", "--port", str(port), "--dir", str(place), "--appendonly", "yes"]
    return Process("redis", command, _bare(), folder / "redis.log").start()
