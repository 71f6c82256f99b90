"""Passwords: argon2id (RFC 9106, second recommendation), and what makes one too weak.

Whoever tries an unknown name waits as long as with a known one: a hash of nothing is verified for them.
"""

from __future__ import annotations

import secrets
import threading
import unicodedata
from functools import cache
from itertools import pairwise
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from api.signin.faults import SignInFault

SHORTEST: Final = 10
LONGEST: Final = 256

# 64 MiB each: so many at once and no more, however many ask.
_ROOM: Final = threading.BoundedSemaphore(4)
_COMMON: Final = frozenset({
    "1234567890", "0123456789", "9876543210", "0987654321", "12345678910", "1234567891", "123456789a", "a123456789",
    "qwertyuiop", "1qaz2wsx3edc", "password123", "password1234", "passw0rd123", "admin12345", "administrator",
    "woaini1314", "woaini520", "woaini1314520", "5201314520", "iloveyou123", "qwerty1234", "1q2w3e4r5t", "q1w2e3r4t5",
    "abc1234567", "abcd123456", "a1234567890", "123456789qq", "qq123456789", "asdfghjkl;", "zhongguo123", "nanjing123",
    "nanjing2024", "nanjing2025", "nanjing2026", "xuesheng123", "laoshi12345", "wang123456", "zhang123456",
})  # fmt: skip


@cache
def _hasher() -> PasswordHasher:
    return PasswordHasher(time_cost=3, memory_cost=64 * 1024, parallelism=4)


@cache
def _dummy() -> str:
    with _ROOM:
        return _hasher().hash(secrets.token_urlsafe(16))


def warm() -> None:
    """Draw the hash of nothing now, so that the first unknown name doesn't wait longer than the next."""
    _dummy()


def hashed(password: str) -> str:
    with _ROOM:
        return _hasher().hash(_plain(password))


def verified(stored: str | None, password: str) -> bool:
    """Whether it is the password; as slow without one stored as with one."""
    # What is longer was never taken for a password; it costs no more than the longest that was.
    given = _plain(password)[:LONGEST]
    try:
        with _ROOM:
            _hasher().verify(stored or _dummy(), given)
            return stored is not None
    except (VerificationError, InvalidHashError):
        return False


def outdated(stored: str) -> bool:
    """Whether a hash was made under other parameters than today's."""
    return _hasher().check_needs_rehash(stored)


def check(password: str, login: str) -> None:
    """Raises SignInFault weak_password with the reason."""
    plain = _plain(password)
    lower = plain.casefold()
    if len(plain) < SHORTEST:
        raise _weak(f"至少要 {SHORTEST} 个字符", f"it needs at least {SHORTEST} characters")
    if len(plain) > LONGEST:
        raise _weak(f"最多 {LONGEST} 个字符", f"it may have {LONGEST} characters at most")
    if any(unicodedata.category(sign) == "Cc" for sign in plain):
        raise _weak("不能有控制字符", "it has control characters")
    if len(set(lower)) < 5:
        raise _weak("不同的字符太少", "it has too few different characters")
    if (len(login) > 3 and login in lower) or lower in _COMMON or _runs(lower):
        raise _weak("太容易猜到", "it is too easy to guess")


def _runs(text: str) -> bool:
    """Whether it goes up or down one by one from its first sign to its last."""
    steps = {ord(after) - ord(before) for before, after in pairwise(text)}
    return steps <= {1} or steps <= {-1}


def _weak(zh: str, en: str) -> SignInFault:
    return SignInFault("weak_password", why_zh=zh, why_en=en)


def _plain(password: str) -> str:
    return unicodedata.normalize("NFKC", password)
