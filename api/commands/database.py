"""The installation's database, as its settings name it: a server's, or the embedded one for as long as it
is used.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from api.settings import Settings
    from cases.installation import Installation
    from cases.rounds import Premises
    from cases.store import Store
    from cases.vault import Algorithm, MasterKey


@contextmanager
def installation(*, fresh: bool = False) -> Iterator[Installation]:
    """This installation with its key store, for commands that move or check cases.

    With `fresh` an empty database is set up first: tables, master key, key store. Without it a database whose
    tables aren't there or aren't this version's is refused (StoreFault not_migrated). Raises VaultFault for a
    missing or wrong master key, and PolicyFaults for a policy that was changed under its version.
    """
    from datetime import UTC, datetime

    from api.commands.home import copies_of
    from api.settings import Settings
    from cases import embedded, schema
    from cases import shelf as shelves
    from cases.installation import Installation
    from cases.keystore import KeyStore
    from cases.store import Store
    from policies.book import load

    settings = Settings.read(os.environ)
    with opened() as store:
        # Only an empty database gets a new master key: to one that has lost its key a new one is of no use.
        empty = schema.found(store) is None
        if fresh:
            store.migrate()
        else:
            store.require_migrated()
        home = settings.home or embedded.default_home()
        master = _master(home, settings.master_key_file, fresh=fresh and empty)
        book = load(settings.policy)
        url = settings.keystore_url
        with store.at("whistle_keys") if url is None else Store(url.get_secret_value()) as keys:
            keystore = KeyStore(keys, master, cast("Algorithm", book.algorithm), copies=copies_of(settings))
            keystore.prepare() if fresh else keystore.verify()
            kept = Installation(store, keystore, master, shelves.opened(settings.files, home))
            if fresh:
                # What somebody has activated stays so, unless the settings name another version.
                named = bool(os.environ.get("WHISTLE_POLICY"))
                kept.keep(book, datetime.now(UTC), activate=named or kept.chosen() is None)
                kept.settle_calendars(datetime.now(UTC))
            yield kept


def _master(home: Path, given: Path | None, *, fresh: bool) -> MasterKey:
    from cases.vault import MasterKey, MasterKeyMissing

    if given is not None:
        if not given.is_file():
            raise MasterKeyMissing(path=str(given))
        return MasterKey.load(home, given.read_text("ascii", errors="replace"))
    try:
        return MasterKey.load(home)
    except MasterKeyMissing:
        if not fresh:
            raise
        return MasterKey.create(home)


@contextmanager
def opened() -> Iterator[Store]:
    """The database of this installation. Raises SettingsFault and StoreFault."""
    from api.settings import Settings
    from cases import embedded

    settings = Settings.read(os.environ)
    if settings.database_url is not None:
        yield from _store(settings, settings.database_url.get_secret_value())
        return
    with embedded.served(settings.home or embedded.default_home()) as url:
        yield from _store(settings, url)


def _store(settings: Settings, url: str) -> Iterator[Store]:
    from cases.store import Store

    with Store(url, lock_timeout=settings.lock_timeout, statement_timeout=settings.statement_timeout) as store:
        yield store


def bare_premises(kept: Installation) -> Premises:
    """The same without what delivers: faulty settings of channels hold up no sweep."""
    from api.settings import Settings
    from cases import embedded
    from cases.rounds import Premises

    settings = Settings.read(os.environ)
    home = settings.home or embedded.default_home()
    return Premises(kept, home, settings.seals or home / "seals", backups=settings.backups)


def premises(kept: Installation) -> Premises:
    """Where this installation's rounds are made: its home, the folder of its seals, what delivers its messages.

    Raises ChannelFault and TemplateFault for settings of channels that can't work.
    """
    from api.delivery import round_of, webhooks_of
    from api.settings import Settings

    made = bare_premises(kept)
    settings = Settings.read(os.environ)
    office = made.office()
    made.deliver = round_of(settings, office.book_of(office.current).tz)
    made.webhooks = webhooks_of(settings)
    return made
