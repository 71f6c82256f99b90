"""The embedded PostgreSQL: started when it is needed, shared by whoever comes, ended by the last to leave.

The wheel gives the programs; starting and stopping is done here, because the wheel's own starter opens
parent folders to the world, shares one lock file between all users of a machine, and forgets servers after a
kill.

Whoever uses a server holds a shared lock on a file beside its data, which the kernel lifts however that
process ends. The one lock to start and stop under is another file. Both lie in `home`.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from cases import postgres_server
from cases.postgres_user import ServerUser, server_user
from cases.store import Store
from cases.store_fault import StoreFault, first_line

DATABASES: Final = ("whistle", "whistle_keys")
"""What a home holds: the cases, and apart from them the key store, which no back-up of the cases includes."""

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
        url = postgres_server.address(home)
        if url is None:
            postgres_server.initialise(home, user, durable=durable)
            postgres_server.launch(home, user, durable=durable)
            url = postgres_server.address(home)
        if url is None:
            raise StoreFault("no_server", why=postgres_server.last_words(home))
        _ensure_databases(url)
        if home not in _leases:
            _leases[home] = _share(home)
    return f"{url.replace('postgresql:', 'postgresql+psycopg:', 1)}"


def running(home: Path) -> bool:
    """Whether the server of this home answers, whoever started it."""
    return postgres_server.address(home.expanduser().resolve()) is not None


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
        return postgres_server.halt(home)


def leave(home: Path) -> bool:
    """Give up our share; end the server if nobody else uses it, by a share or with a foreign program.

    Answers whether it was ended. A child process that was only handed the URL has no share of its own.
    """
    home = home.expanduser().resolve()
    if home not in _leases:
        return False
    with _exclusive(home):
        _release(home)
        return not _used_by_others(home) and postgres_server.halt(home)


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
    url = postgres_server.address(home)
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


def _ensure_databases(url: str) -> None:
    store = Store(url)
    with store.administered("postgres") as connection:
        present = {name for (name,) in connection.execute("SELECT datname FROM pg_database")}
    for name in DATABASES:
        if name not in present:
            store.create_database(name)
