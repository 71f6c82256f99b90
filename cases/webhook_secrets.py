"""The secrets that webhooks are signed with (Standard Webhooks): drawn, kept sealed, spoken once.

A secret lies under a key of its own, which the master key wraps; both are bound to the number of the subscription.
"""

from __future__ import annotations

import base64
import os
from typing import TYPE_CHECKING, Final

from cases.vault import DataKey

if TYPE_CHECKING:
    from cases.vault import MasterKey

PREFIX: Final = "whsec_"
_LENGTH: Final = 32
_WRAPPED: Final = 70
_NONCE: Final = 12


def drawn() -> bytes:
    """A new secret."""
    return os.urandom(_LENGTH)


def sealed(master: MasterKey, number: int, secret: bytes) -> bytes:
    """A secret for its row: a key of its own, wrapped by the master key, and what that key encrypts."""
    key, place, nonce = DataKey.generate(), _place(number), os.urandom(_NONCE)
    return master.wrap(key, place) + nonce + key.encrypt(nonce, secret, place.encode())


def unsealed(master: MasterKey, number: int, blob: bytes) -> bytes:
    """The secret of that subscription. Raises vault.Unreadable under another master key or from another row."""
    place = _place(number)
    key = master.unwrap(blob[:_WRAPPED], place)
    return key.decrypt(blob[_WRAPPED : _WRAPPED + _NONCE], blob[_WRAPPED + _NONCE :], place.encode())


def spoken(secret: bytes) -> str:
    """The secret as a receiver is given it."""
    return PREFIX + base64.b64encode(secret).decode()


def _place(number: int) -> str:
    return f"subscription|{number}"
