"""The installation's database, as its settings name it: a server's, or the embedded one for as long as it
is used.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from api.settings import Settings
    from cases.store import Store


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
