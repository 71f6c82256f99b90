"""Which tables this version needs, and bringing a database there. Alembic's files lie in `migrations/`."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, text

from cases.second_layer import look
from cases.store_fault import StoreFault

if TYPE_CHECKING:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    from cases.store import Store

_FOLDER: Final = Path(__file__).parent / "migrations"
# Any number that nobody else locks: two who migrate at once wait for each other.
_LOCK: Final = 0x77_68_69_73_74_6C_65


def wanted() -> str | None:
    """The newest migration of this version; None while there is none."""
    return _scripts().get_current_head()


def known() -> set[str]:
    """Every revision that this version can bring to its own."""
    return {script.revision for script in _scripts().walk_revisions()}


def bring(connection: Connection, revision: str) -> None:
    """Apply what is missing up to that revision, `head` for the newest, in the caller's transaction."""
    from alembic import command

    command.upgrade(_config(connection), revision)


def found(store: Store) -> str | None:
    """The migration that a database stands at, None if it is empty. Raises StoreFault too_new."""
    with store.read() as connection:
        return _found(connection, store.where)


def require(store: Store) -> None:
    """Raises StoreFault not_migrated or too_new unless the database stands exactly at this version."""
    has, needs = found(store), wanted()
    if has != needs:
        raise StoreFault("not_migrated", where=store.where, found=has or "–", wanted=needs or "–")


def upgrade(store: Store) -> None:
    """Apply what is missing, of the second layer too, in one transaction, without a limit of time."""
    with store.begin() as connection:
        connection.execute(text("SELECT set_config('statement_timeout', '0', true)"))
        connection.execute(text("SELECT set_config('lock_timeout', '0', true)"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        if _found(connection, store.where) != wanted():
            bring(connection, "head")
        if not look(connection).whole:
            # A server that didn't let us make the roles may let us now, and a table may have come since.
            for one in _scripts().get_revision("0018").module.LAID:
                connection.execute(text(one))


def draft(store: Store, message: str, revision: str) -> Path:
    """Write a migration from what the declared tables have and the database hasn't; for developers.

    The file is a draft: it is read and mended by a person before it is committed.
    """
    from alembic import command

    with store.begin() as connection:
        script = command.revision(_config(connection), message=message, rev_id=revision, autogenerate=True)
    if script is None or isinstance(script, list):
        raise StoreFault("no_server", why="one migration at a time")
    return Path(script.path)


def differences(store: Store) -> list[object]:
    """What the declared tables and the database disagree about, as Alembic sees it; empty is well."""
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    from cases.records import metadata

    with store.read() as connection:
        return list(compare_metadata(MigrationContext.configure(connection), metadata))


def fingerprint() -> str:
    """Changes with any migration's text, so that a cached template is never older than the files."""
    digest = hashlib.sha256()
    for path in sorted((_FOLDER / "versions").glob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def _found(connection: Connection, where: str) -> str | None:
    from alembic.migration import MigrationContext

    revision = MigrationContext.configure(connection).get_current_revision()
    if revision is not None and revision not in known():
        raise StoreFault("too_new", where=where, found=revision)
    return revision


def _scripts() -> ScriptDirectory:
    from alembic.script import ScriptDirectory

    return ScriptDirectory.from_config(_config())


def _config(connection: Connection | None = None) -> Config:
    from alembic.config import Config

    attributes: Mapping[str, object] = {} if connection is None else {"connection": connection}
    config = Config(attributes=dict(attributes))
    # The option is interpolated, and a folder's name may hold a percent sign.
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
