"""The second factor (RFC 6238): its secret, its QR code, and which time step a code belongs to."""

from __future__ import annotations

import hmac
import secrets
from datetime import UTC, datetime
from typing import Final

import pyotp
import segno

STEP: Final = 30
ISSUER: Final = "吹哨报到"
_AROUND: Final = (0, -1, 1)
"""Telephones go wrong by half a minute."""
_ALPHABET: Final = "ABCDEFGHJKMNPQRSTVWXYZ23456789"
RECOVERY_CODES: Final = 8


def draw() -> str:
    """A new secret, 160 bits, as applications are given it."""
    return pyotp.random_base32(32)


def address(secret: str, login: str) -> str:
    """What the QR code says: `otpauth://…`."""
    return pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name=ISSUER)


def picture(secret: str, login: str) -> str:
    """The QR code as a `data:` address, drawn here and by nobody else's service."""
    return str(segno.make(address(secret, login), error="m").svg_data_uri(scale=5, border=3, light="#fff"))


def step_of(secret: str, code: str, now: datetime) -> int | None:
    """The time step whose code it is, the present one or one beside it; None for any other code."""
    given = "".join(code.split())
    if not given.isascii() or not given.isdigit() or len(given) != 6:
        return None
    at, generator = int(now.astimezone(UTC).timestamp()) // STEP, pyotp.TOTP(secret)
    found = None
    for offset in _AROUND:
        # All of them are compared, whichever fits: time tells nothing.
        if hmac.compare_digest(generator.generate_otp(at + offset), given) and found is None:
            found = at + offset
    return found


def draw_code(groups: int = 3) -> str:
    """Something to be read out or written down: `K7QF-29XW-HM4T`, 30 signs without those that look alike."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(4)) for _ in range(groups))


def typed(code: str) -> str:
    """A drawn code as it is compared, however it was typed."""
    return "".join(sign for sign in code.upper() if sign in _ALPHABET)
