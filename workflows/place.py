"""Where a flow is at work: the premises that this process was given, or, in a worker, those the environment names."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, cast

from workflows.faults import OrchestratorFault

if TYPE_CHECKING:
    from cases.rounds import Premises
    from cases.vault import Algorithm

_lock = Lock()
_here: Premises | None = None
_open = ExitStack()


def settle(premises: Premises | None) -> None:
    """From now on the flows of this process are at work there; None: they ask the environment again."""
    global _here  # noqa: PLW0603 - Prefect calls a flow with what its deployment says, and nothing else
    with _lock:
        _here = premises


def here() -> Premises:
    """The premises of this process. Raises OrchestratorFault not_told in a worker that wasn't told where they are."""
    global _here  # noqa: PLW0603 - as above
    with _lock:
        if _here is None:
            # A worker's process runs one flow and ends, and its connections with it.
            _here = opened(os.environ, _open)
        return _here


def leave() -> None:
    """Close what the environment had opened."""
    settle(None)
    _open.close()


def opened(environ: Mapping[str, str], until: ExitStack) -> Premises:
    """The premises that these settings name, open until the stack is closed: for workers on other machines.

    WHISTLE_DATABASE_URL, WHISTLE_KEYSTORE_URL (or `whistle_keys` beside it), WHISTLE_MASTER_KEY_FILE,
    WHISTLE_HOME for the key of the seals, WHISTLE_SEALS, WHISTLE_KEY_COPIES, WHISTLE_BACKUPS, WHISTLE_POLICY. Raises
    StoreFault and VaultFault.
    """
    from cases import shelf as shelves
    from cases.installation import Installation
    from cases.key_copies import KeyStoreCopies
    from cases.keystore import KeyStore
    from cases.rounds import Premises
    from cases.store import Store
    from cases.vault import MasterKey, MasterKeyMissing
    from policies.book import load, versions

    url, home = told(environ, "WHISTLE_DATABASE_URL"), Path(told(environ, "WHISTLE_HOME"))
    key = environ.get("WHISTLE_MASTER_KEY_FILE")
    if key and not Path(key).is_file():
        raise MasterKeyMissing(path=key)
    master = MasterKey.load(home, Path(key).read_text("ascii", errors="replace") if key else None)
    store = until.enter_context(Store(url))
    keys = environ.get("WHISTLE_KEYSTORE_URL")
    wrapped = until.enter_context(Store(keys) if keys else store.at("whistle_keys"))
    store.require_migrated()
    book = load(environ.get("WHISTLE_POLICY") or versions()[-1])
    copies = environ.get("WHISTLE_KEY_COPIES")
    keystore = KeyStore(
        wrapped,
        master,
        cast("Algorithm", book.algorithm),
        copies=KeyStoreCopies(Path(copies)) if copies else KeyStoreCopies.of(home),
    )
    keystore.verify()
    folder = Path(environ.get("WHISTLE_SEALS") or home / "seals")
    shelf = shelves.opened(environ.get("WHISTLE_FILES") or None, home)
    backups = Path(environ["WHISTLE_BACKUPS"]) if environ.get("WHISTLE_BACKUPS") else None
    kept = Installation(store, keystore, master, shelf)
    return Premises(kept, home, folder, backups=backups, clock=lambda: datetime.now(UTC))


def told(environ: Mapping[str, str], name: str) -> str:
    """A setting that a worker can't do without. Raises OrchestratorFault not_told."""
    if not environ.get(name):
        raise OrchestratorFault("not_told", name=name)
    return environ[name]
