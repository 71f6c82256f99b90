"""How a member is reached: one rule for telephone and mail, whether they come in by a page, a list or an interface."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

PHONE: Final = re.compile(r"\+?\d[\d\- ]{3,18}\d")
EMAIL: Final = re.compile(r"[^@\s]{1,64}@[A-Za-z0-9.-]{1,190}\.[A-Za-z0-9-]{2,63}")


def phone(written: str) -> str | None:
    """The number without its blanks; None for what is none."""
    plain = unicodedata.normalize("NFKC", written).strip()
    return plain.replace(" ", "") if PHONE.fullmatch(plain) else None


def email(written: str) -> str | None:
    """The address; None for what is none."""
    plain = written.strip()
    return plain if EMAIL.fullmatch(plain) else None
