"""The embedded PostgreSQL: started when it is needed, shared by whoever comes, ended by the last to leave.

The wheel gives the programs; starting and stopping is done here, because the wheel's own starter opens
parent folders to the world, shares one lock file between all users of a machine, and forgets servers after a
kill.

Whoever uses a server holds a shared lock on a file beside its data, which the kernel lifts however that
process ends. The one lock to start and stop under is another file. Both lie in `home`.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final
from urllib.parse import quote

import psycopg

from cases.postgres_user import ServerUser, programs, server_user
from cases.store import Store
from cases.store_fault import StoreFault, first_line

DATABASES: Final = ("whistle", "whistle_keys")
"""What a home holds: the cases, and apart from them the key store, which no back-up of the cases includes."""

_SETTINGS: Final = {
    "listen_addresses": "",
    "max_connections": "200",
    "shared_buffers": "256MB",
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

_leases: dict[Path, int] = {}


def default_home() -> Path:
    """Where the data lie unless WHISTLE_HOME says otherwise: /var/lib/whistle for root, else XDG's place."""
    if os.geteuid() == 0:
        return Path("/var/lib/whistle")
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "whistle"


def start(home: Path, *, durable: bool = True) -> str:
    """Start the server of this home, or find it running, and answer the URL of its database `whistle`.

    Makes its databases if they are missing. Holds a share in the server until `leave` or the end of the
    process. `durable=False` gives up fsync, for tests, where only processes are killed and never the machine.
    Raises StoreFault: foreign_home, closed_home, no_server.
    """
    home = home.expanduser().resolve()
    user = server_user()
    _prepare(home, user)
    with _exclusive(home):
        url = _url(home)
        if url is None:
            _initialise(home, user, durable=durable)
            _launch(home, user, durable=durable)
            url = _url(home)
        if url is None:
            raise StoreFault("no_server", why=_last_words(home))
        _ensure_databases(url)
        if home not in _leases:
            _leases[home] = _share(home)
    return f"{url.replace('postgresql:', 'postgresql+psycopg:', 1)}"


def running(home: Path) -> bool:
    """Whether the server of this home answers, whoever started it."""
    return _url(home.expanduser().resolve()) is not None


def stop(home: Path) -> bool:
    """End the server of this home, whoever uses it; the open transactions of others are rolled back.

    False if none was running. Asks the data folder and not a remembered process, so it also ends a server
    whose owner was killed.
    """
    home = home.expanduser().resolve()
    if not home.is_dir():
        return False
    with _exclusive(home):
        _release(home)
        return _halt(home)


def leave(home: Path) -> bool:
    """Give up our share; end the server if nobody else uses it, by a share or with a foreign program.

    Answers whether it was ended. A child process that was only handed the URL has no share of its own.
    """
    home = home.expanduser().resolve()
    if home not in _leases:
        return False
    with _exclusive(home):
        _release(home)
        return not _used_by_others(home) and _halt(home)


@contextmanager
def served(home: Path, *, durable: bool = True) -> Iterator[str]:
    """The URL of this home's server for as long as the block lasts; the last to leave ends it."""
    url = start(home, durable=durable)
    try:
        yield url
    finally:
        leave(home)


def _prepare(home: Path, user: ServerUser) -> None:
    try:
        if not home.exists():
            # Others may pass through root's home to nothing they can read: the data folder itself is 0700.
            home.mkdir(parents=True, mode=0o711 if user.drop else 0o700)
        if not home.is_dir():
            raise StoreFault("no_folder", where=str(home))
        if home.stat().st_uid != os.geteuid() or not os.access(home, os.W_OK | os.X_OK):
            raise StoreFault("foreign_home", where=str(home))
    except PermissionError:
        raise StoreFault("foreign_home", where=str(home)) from None
    except OSError as error:
        raise StoreFault("no_server", why=first_line(error)) from error
    if not user.can_enter(home):
        raise StoreFault("closed_home", where=str(home), why=user.name)


@contextmanager
def _exclusive(home: Path) -> Iterator[None]:
    try:
        lock = os.open(home / "server.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except PermissionError:
        raise StoreFault("foreign_home", where=str(home)) from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _share(home: Path) -> int:
    lease = os.open(home / "server.users", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(lease, fcntl.LOCK_SH)
    return lease


def _release(home: Path) -> None:
    lease = _leases.pop(home, None)
    if lease is not None:
        os.close(lease)


def _used_by_others(home: Path) -> bool:
    probe = os.open(home / "server.users", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(probe, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(probe)
    url = _url(home)
    if url is None:
        return False
    # Our own programs are known by their shares; this finds a person who looks at the tables with psql.
    others = (
        "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' "
        "AND pid <> pg_backend_pid() AND application_name <> 'whistle'"
    )
    with Store(url).administered("postgres") as connection:
        row = connection.execute(others).fetchone()
    return row is not None and row[0] > 0


def _url(home: Path) -> str | None:
    """The server's URL as its own data folder tells it, or None if it doesn't answer."""
    try:
        lines = (home / "pg" / "postmaster.pid").read_text().splitlines()
        url = f"postgresql://postgres@/{DATABASES[0]}?host={quote(lines[4], safe='')}&port={lines[3]}"
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


def _initialise(home: Path, user: ServerUser, *, durable: bool) -> None:
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


def _launch(home: Path, user: ServerUser, *, durable: bool) -> None:
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


def _socket_folder(home: Path, user: ServerUser) -> Path:
    """A folder that only the server's user (and root) can enter: whoever can enter it is trusted."""
    folder = home / "pg"
    if (
        len(str(folder).encode()) <= _LONGEST_SOCKET_FOLDER
        and "'" not in str(folder)
        and '"' not in str(folder)
    ):
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


def _halt(home: Path) -> bool:
    if not (home / "pg" / "postmaster.pid").exists():
        return False
    user = server_user()
    was_running = _url(home) is not None
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


def _ensure_databases(url: str) -> None:
    store = Store(url)
    with store.administered("postgres") as connection:
        present = {name for (name,) in connection.execute("SELECT datname FROM pg_database")}
    for name in DATABASES:
        if name not in present:
            store.create_database(name)


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
        raise StoreFault("no_server", why=_last_words(home) or (words[-1] if words else program))


def _last_words(home: Path) -> str:
    with suppress(OSError):
        for line in reversed((home / "pg" / "server.log").read_text(errors="replace").splitlines()[-20:]):
            if "FATAL" in line or "PANIC" in line:
                return line.split("FATAL:")[-1].split("PANIC:")[-1].strip()
    return ""
