"""What comes in from outside, before anybody looks at what it says: the texts and the numbers that can be kept.

PostgreSQL keeps no NUL in a text and no number beyond its column. So each door asks here first: the envelope about
addresses and the charset, the readers of bodies and forms about what they have read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Final
from urllib.parse import parse_qsl

from fastapi import Path, Query
from fastapi.exceptions import RequestValidationError
from python_multipart.multipart import parse_options_header

PRINTED: Final = r"^[^\x00-\x1f\x7f]*[^\x00-\x1f\x7f\s][^\x00-\x1f\x7f]*$"
"""The pattern of one line that somebody reads: no control characters, and not of blanks alone."""
LINE: Final = r"^[^\x00-\x1f\x7f]+$"
"""The same where blanks may be all there is, as in a password."""

# JavaScript and JSON readers round beyond it; every column of an id holds far more.
_IDS: Final = 2**53
_DIGITS: Final = 15
_BIGINT: Final = 2**63
_CHARSETS: Final = frozenset({"utf-8", "utf8", "us-ascii"})

Id = Annotated[int, Path(gt=0, lt=_IDS)]
Count = Annotated[int, Query(ge=0, lt=_IDS)]
TrackNo = Annotated[int, Path(ge=0, lt=2**15, description="事项序号 · the number of the track; 0 is the case itself")]


def number_of(written: str) -> int | None:
    """An id or a count as an address or a form writes it; None for whatever can be none."""
    return int(written) if written.isascii() and written.isdigit() and len(written) <= _DIGITS else None


def keepable_query(query: bytes) -> None:
    """Raises RequestValidationError naming the parameters in which a NUL stands."""
    if b"%00" in query or b"\x00" in query:
        said = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
        raise _faulty("query", [(name,) for name, value in said if "\x00" in name + value])


def keepable_fields(fields: Iterable[tuple[str, Any]]) -> None:
    """Raises RequestValidationError naming the fields of a form in which a NUL stands. Files are asked elsewhere."""
    found = [(name,) for name, value in fields if "\x00" in name or (isinstance(value, str) and "\x00" in value)]
    if found:
        raise _faulty("body", found)


def keepable_json(body: object) -> None:
    """Raises RequestValidationError naming each place of a JSON body in which a NUL or too large a number stands."""
    found = list(_unkeepable(body))
    if found:
        raise _faulty("body", found)


def readable(content_type: str | None) -> bool:
    """Whether a body says that it is in a charset that we read.

    Python knows codecs that are no charsets (`punycode`, `undefined`), and would try them.
    """
    if content_type is None:
        return True
    _, options = parse_options_header(content_type)
    said = [value for name, value in options.items() if name.lower() == b"charset"]
    return all(one.decode("latin-1").strip().lower() in _CHARSETS for one in said)


def _unkeepable(body: object) -> Iterator[tuple[str | int, ...]]:
    # By hand, not by recursion: a body may be nested deeper than Python calls.
    left: list[tuple[tuple[str | int, ...], object]] = [((), body)]
    while left:
        at, value = left.pop()
        if isinstance(value, dict):
            for name, inner in value.items():
                if "\x00" in name:
                    yield (*at, name)
                left.append(((*at, name), inner))
        elif isinstance(value, list):
            left.extend(((*at, place), inner) for place, inner in enumerate(value))
        elif (isinstance(value, str) and "\x00" in value) or (
            isinstance(value, int) and not -_BIGINT <= value < _BIGINT
        ):
            yield at


def _faulty(where: str, found: Iterable[tuple[str | int, ...]]) -> RequestValidationError:
    # What is told of a name that has a NUL in it is told without it.
    places = [tuple(one.replace("\x00", "") if isinstance(one, str) else one for one in path) for path in found]
    return RequestValidationError([{"type": "unkeepable", "loc": (where, *path), "msg": ""} for path in places])
