"""One PostgreSQL server and its data folder: made, started, asked, ended.

Takes no lock: `cases.embedded` sees to it that one process at a time starts or ends a server.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Final
from urllib.parse import quote

import psycopg

from cases.postgres_user import ServerUser, programs, server_user
from cases.store_fault import StoreFault

_SETTINGS: Final = {
    "listen_addresses": "",
    "max_connections": "200",
    "shared_buffers": "256MB",
    # A page that is changed first after a checkpoint goes into the log as a whole: the fewer checkpoints the better.
    "checkpoint_timeout": "15min",
    "max_wal_size": "2GB",
    "synchronous_commit": "on",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # A failed statement would carry a student's name into a log that nobody seals.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_checkpoints": "off",
}
# Room for "/.s.PGSQL.5432.lock" within the 104 bytes that macOS grants a socket's path.
_LONGEST_SOCKET_FOLDER: Final = 84
_START_SECONDS: Final = 60
_ORPHAN_SECONDS: Final = 15


def address(home: Path) -> str | None:
    """The server's URL as its own data folder tells it, or None if it doesn't answer."""
    try:
        lines = (home / "pg" / "postmaster.pid").read_text().splitlines()
        url = f"postgresql://postgres@/whistle?host={quote(lines[4], safe='')}&port={lines[3]}"
    except (OSError, IndexError):
        return None
    # A pid file outlives its server; only an answer proves that there is one.
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            psycopg.connect(url, dbname="postgres", connect_timeout=5).close()
        except psycopg.OperationalError as error:
            if "starting up" not in str(error) or time.monotonic() > deadline:
                return None
            time.sleep(0.05)
        else:
            return url


def initialise(home: Path, user: ServerUser, *, durable: bool) -> None:
    """Make the data folder `home/pg`, of mode 0700, unless there is one. Raises StoreFault no_server."""
    data = home / "pg"
    if (data / "PG_VERSION").exists():
        return
    data.mkdir(mode=0o700, exist_ok=True)
    if user.drop:
        os.chown(data, user.uid, user.gid)
    # The built-in C.UTF-8 sorts alike on every machine, whatever locales that has.
    _run(
        home, user, "initdb", "--pgdata", str(data), "--username=postgres", "--auth-local=trust",
        "--auth-host=reject", "--encoding=UTF8", "--locale=C", "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8", "--no-instructions", *([] if durable else ["--no-sync"]),
    )  # fmt: skip


def launch(home: Path, user: ServerUser, *, durable: bool) -> None:
    """Start the server and wait until it answers. Raises StoreFault no_server, foreign_home."""
    data, folder = home / "pg", _socket_folder(home, user)
    settings = _SETTINGS | {"unix_socket_directories": str(folder), "unix_socket_permissions": "0700"}
    if not durable:
        settings |= {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
    options = " ".join(f"-c {name}='{value}'" for name, value in settings.items())
    log = data / "server.log"
    deadline = time.monotonic() + _ORPHAN_SECONDS
    while True:
        _forget_the_dead(data, folder)
        try:
            _run(
                home, user, "pg_ctl", "--pgdata", str(data), "--log", str(log), "--silent", "--wait",
                f"--timeout={_START_SECONDS}", "--options", options, "start",
            )  # fmt: skip
        except StoreFault as fault:
            # A killed server and its children let go of their files and memory within a moment.
            passing = any(sign in fault.facts["why"] for sign in ("shared memory block", "lock file"))
            if not passing or time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return


def halt(home: Path) -> bool:
    """End the server, rolling back what is open; answers whether one was running."""
    if not (home / "pg" / "postmaster.pid").exists():
        return False
    user = server_user()
    was_running = address(home) is not None
    for mode in ("fast", "immediate"):
        with suppress(StoreFault):
            _run(
                home,
                user,
                "pg_ctl",
                "--pgdata",
                str(home / "pg"),
                "--silent",
                "--wait",
                "--mode",
                mode,
                "stop",
            )
            break
    return was_running


def _socket_folder(home: Path, user: ServerUser) -> Path:
    """A folder that only the server's user (and root) can enter: whoever can enter it is trusted."""
    folder = home / "pg"
    if len(str(folder).encode()) <= _LONGEST_SOCKET_FOLDER and "'" not in str(folder) and '"' not in str(folder):
        return folder
    digest = hashlib.sha256(str(home).encode()).hexdigest()[:12]
    folder = Path("/tmp") / f"whistle-{user.uid}-{digest}"  # noqa: S108  checked below: ours alone, or refused
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
        if user.drop:
            os.chown(folder, user.uid, user.gid)
    entry = folder.lstat()
    if folder.is_symlink() or entry.st_uid != user.uid or entry.st_mode & 0o077:
        raise StoreFault("foreign_home", where=str(folder))
    return folder


def _forget_the_dead(data: Path, folder: Path) -> None:
    # After a crash the kernel may have given the number to somebody else, or keep the dead server's entry
    # until its parent asks for it; PostgreSQL takes either for a running server and refuses to start.
    for claim in (data / "postmaster.pid", folder / ".s.PGSQL.5432.lock"):
        with suppress(OSError, IndexError, ValueError):
            if not _is_postgres(int(claim.read_text().split(maxsplit=1)[0])):
                claim.unlink()


def _is_postgres(pid: int) -> bool:
    process = Path("/proc", str(pid), "stat")
    if Path("/proc/self/stat").exists():
        # "4711 (postgres) S …", where Z is one that ended and was not yet asked for.
        name, _, rest = process.read_text().partition(")") if process.exists() else ("", "", " Z")
        return "postgres" in name and not rest.startswith(" Z")
    command = ["/bin/ps", "-o", "stat=,comm=", "-p", str(pid)]
    said = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    return "postgres" in said and not said.startswith("Z")


def _run(home: Path, user: ServerUser, program: str, *arguments: str) -> None:
    command = [str(programs(user, home) / program), *arguments]
    # The server would keep our pipes open as its own, so what it says goes to a file.
    with tempfile.TemporaryFile() as said:
        ended = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            check=False,
            cwd="/",
            env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
            user=user.uid if user.drop else None,
            group=user.gid if user.drop else None,
            extra_groups=[] if user.drop else None,
        )
        said.seek(0)
        words = said.read().decode(errors="replace").strip().splitlines()
    if ended.returncode != 0:
        raise StoreFault("no_server", why=last_words(home) or (words[-1] if words else program))


def last_words(home: Path) -> str:
    """Why the server gave up, in its own English words; empty if it said nothing."""
    with suppress(OSError):
        for line in reversed((home / "pg" / "server.log").read_text(errors="replace").splitlines()[-20:]):
            if "FATAL" in line or "PANIC" in line:
                return line.split("FATAL:")[-1].split("PANIC:")[-1].strip()
    return ""
