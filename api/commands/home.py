"""Where this installation's files lie, for commands that must work before, or without, its database."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from api.settings import Settings
    from cases.key_copies import KeyStoreCopies
    from cases.vault import MasterKey


def home_of(settings: Settings) -> Path:
    """The home that is set, or the usual one; whether it is there or not."""
    from cases import embedded

    return settings.home or embedded.default_home()


def key_path(settings: Settings) -> Path:
    """Where the master key lies."""
    from cases.vault import key_file

    return settings.master_key_file or key_file(home_of(settings))


def copies_of(settings: Settings) -> KeyStoreCopies:
    """The folder of the key store's copies, which forgetting has to reach."""
    from cases.key_copies import KeyStoreCopies

    given = settings.key_copies
    return KeyStoreCopies.of(home_of(settings)) if given is None else KeyStoreCopies(given)


def master_of(settings: Settings) -> MasterKey:
    """The master key as it is; none is ever drawn. Raises VaultFault."""
    from cases.vault import MasterKey, MasterKeyMissing

    given = settings.master_key_file
    if given is None:
        return MasterKey.load(home_of(settings))
    if not given.is_file() or not os.access(given, os.R_OK):
        raise MasterKeyMissing(path=str(given))
    return MasterKey.load(given.parent, given.read_text("ascii", errors="replace"))
