"""`whistle serve` as a process over a test town's databases: started, killed, started again."""

from __future__ import annotations

import base64
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx

from cases.vault import write_secret
from tests.town import Town

COMMAND = [sys.executable, "-c", "from api.cli import main; main()", "serve"]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def surroundings(city: Town, secret: bytes, home: Path, port: int) -> dict[str, str]:
    """An environment in which the command finds the town."""
    home.mkdir(parents=True, exist_ok=True)
    key = home / "master.key"
    if not key.exists():
        write_secret(key, [base64.b64encode(secret)])
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("WHISTLE_", "PREFECT_"))}
    return {
        **kept,
        "WHISTLE_DATABASE_URL": city.store.url.replace("postgresql+psycopg", "postgresql"),
        "WHISTLE_KEYSTORE_URL": city.office.keystore._store.url.replace("postgresql+psycopg", "postgresql"),
        "WHISTLE_MASTER_KEY_FILE": str(key),
        "WHISTLE_HOME": str(home),
        "WHISTLE_PORT": str(port),
        "WHISTLE_SWEEP_EVERY": "1h",
        "LANG": "en_GB.UTF-8",
    }


class Web:
    """The web service of a town, on a port of its own."""

    def __init__(self, environ: Mapping[str, str], out: Path) -> None:
        self.environ = dict(environ)
        self.address = f"http://127.0.0.1:{environ['WHISTLE_PORT']}"
        self.out = out
        self.process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        with self.out.open("ab") as said:
            return subprocess.Popen(COMMAND, env=self.environ, stdout=said, stderr=subprocess.STDOUT)

    def wait_ready(self, seconds: float = 180) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until and self.process.poll() is None:
            try:
                if httpx.get(f"{self.address}/health/ready", timeout=2).status_code == 200:
                    return
            except httpx.HTTPError:
                time.sleep(0.1)
        raise AssertionError(self.out.read_text())

    def kill(self) -> None:
        """As `kill -9`."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def again(self) -> None:
        self.process = self._start()
        self.wait_ready()

    def stop(self) -> int:
        """As a service manager asks it to; its exit code."""
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(120)


@contextmanager
def serving(city: Town, secret: bytes, place: Path) -> Iterator[Web]:
    """The web service over a town."""
    web = Web(surroundings(city, secret, place / "home", free_port()), place / "said")
    try:
        web.wait_ready()
        yield web
    finally:
        if web.process.poll() is None:
            web.stop()
