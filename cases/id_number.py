"""The ID number (GB 11643): seventeen digits of place, birthday and serial, and a check digit."""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from typing import Final

_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS: Final = "10X98765432"
_WRITTEN: Final = re.compile(r"[0-9]{17}[0-9X]")


def plain(said: str) -> str:
    """As it is kept and compared: in ASCII, with a capital X and without blanks."""
    return "".join(unicodedata.normalize("NFKC", said).upper().split())


def check_digit(digits: str) -> str:
    """What the eighteenth place has to be after these seventeen."""
    return _CHECKS[sum(int(digit) * weight for digit, weight in zip(digits, _WEIGHTS, strict=True)) % 11]


def fault(number: str, born: date | None) -> str | None:
    """What is wrong with a plain number: `id_number_form`, `…_check` or `…_born`; None where it is right."""
    if not _WRITTEN.fullmatch(number):
        return "id_number_form"
    if number[-1] != check_digit(number[:17]):
        return "id_number_check"
    if born is not None and number[6:14] != f"{born:%Y%m%d}":
        return "id_number_born"
    return None
