"""The history of a case as a chain: every event is tied to the one before it by an HMAC.

A link covers the event's header (who, what, when, from which state to which) and the commitments of its
sealed sections, never the sections themselves: a section can be erased and the chain still verifies. What a
chain can't show by itself, a tail cut off or everything rewritten by someone who holds the key, the exported
seals show (`cases.seals`).
"""

from __future__ import annotations

import hmac
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, Final, NamedTuple
from uuid import UUID

import orjson

from cases.vault import SECTIONS

START: Final = bytes(32)
"""What the first event of every case is tied to; its header names the case."""

_COMMITTED: Final = 33
"""A section's number and its commitment."""
_LENGTHS: Final = struct.Struct(">II")
_LARGEST: Final = 10**15
_LEAVES: Final = frozenset({str, int, bool, type(None), datetime})


@dataclass(frozen=True, slots=True)
class ChainRow:
    """One event as the chain sees it. `digest` is what was stored, `header` is made anew from the row."""

    seq: int
    header: bytes
    commitments: bytes
    digest: bytes


class Head(NamedTuple):
    """The newest link of a chain: its sequence number and digest."""

    seq: int
    digest: bytes


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check of one chain found.

    `broken_at` is the sequence number of the first event that doesn't fit; `why` is `order` (missing,
    doubled, swapped or renumbered), `case` (an event of another case), `changed` (its content or its
    forerunner isn't what was linked), or `cut` (ends before the head that was known). `head` is the last
    good link, None when not even the first is.
    """

    ok: bool
    broken_at: int | None = None
    why: str | None = None
    head: Head | None = None


def link(key: bytes, previous: bytes, header: bytes, commitments: bytes) -> bytes:
    """The digest of an event: HMAC-SHA256 over the digest before it, its header and its commitments."""
    lengths = _LENGTHS.pack(len(header), len(commitments))
    return hmac.digest(key, previous + lengths + header + commitments, "sha256")


def commitments_of(sections: Mapping[str, bytes]) -> bytes:
    """The commitments of an event's sealed sections, in fixed order, each behind its section's number."""
    if not sections:
        return b""
    if len(sections) != sum(name in sections for name in SECTIONS):
        raise ValueError(f"not all of {sorted(sections)} are sections")
    return b"".join(bytes((n,)) + sections[name] for n, name in enumerate(SECTIONS, 1) if name in sections)


def commitment_to(section: str, commitments: bytes) -> bytes | None:
    """The one commitment among an event's that is to this section; None when the event has no such section."""
    wanted = SECTIONS.index(section) + 1
    for at in range(0, len(commitments), _COMMITTED):
        if commitments[at] == wanted:
            return bytes(commitments[at + 1 : at + _COMMITTED])
    return None


def canonical(mapping: Mapping[str, Any]) -> bytes:
    """One byte string for one mapping: sorted keys, no spaces, UTF-8, instants in UTC to the microsecond.

    It survives storage: `canonical(json.loads(canonical(m))) == canonical(m)`, through jsonb too. Therefore
    it raises ValueError on what wouldn't: keys that aren't text, NaN and infinities, floats of 10¹⁵ and more
    or minus zero, instants without a time zone, text with NUL or half a surrogate pair, whole numbers beyond 64 bits.
    """
    _check(mapping)
    try:
        written = orjson.dumps(mapping, default=_plain, option=_CANONICAL)
    except orjson.JSONEncodeError as fault:
        # What our own `_plain` refuses comes wrapped; its words say more than the encoder's.
        why = str(fault.__cause__ or "half a surrogate pair, or a whole number of more than 64 bits")
        raise ValueError(f"this can't be stored: {why}") from None
    # Either a NUL or, behind a second backslash, somebody's text about one.
    if b"\\u0000" in written and b"\\u0000" in written.replace(b"\\\\", b""):
        raise ValueError("text with NUL can't be stored")
    return written


def _check(value: object) -> None:
    # Asked of an exact type first: asking an abstract one costs as much as the rest.
    if type(value) is dict or isinstance(value, Mapping):
        for name, inner in value.items():
            if type(name) is not str:
                raise ValueError(f"{name!r} is no key: only text is")
            if type(inner) not in _LEAVES:
                _check(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            if type(inner) not in _LEAVES:
                _check(inner)
    elif isinstance(value, float) and (not abs(value) < _LARGEST or str(value) == "-0.0"):
        raise ValueError(f"{value} doesn't survive storage")


def _instant(at: datetime) -> str:
    if at.tzinfo is None:
        raise ValueError("an instant without a time zone has no place in a history")
    return (at if at.tzinfo is UTC else at.astimezone(UTC)).isoformat(timespec="microseconds")


def _plain(value: object) -> object:
    """What JSON doesn't know. `json` asks for everything that isn't text, a number, a list or a dict."""
    if isinstance(value, datetime):
        return _instant(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, (UUID, Decimal)):
        return str(value)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, bytes):
        return value.hex()
    raise ValueError(f"a {type(value).__name__} can't stand in a history")


_CANONICAL: Final = orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_SUBCLASS


def verify(key: bytes, events: Iterable[ChainRow], head: Head | None = None) -> Verdict:
    """Follow one case's chain from its first event, in the order given; stops at the first fault.

    `head` is the newest link known from elsewhere (the case row, a seal): a chain that ends before it was
    cut. Needs the chain key, not the students' keys: forgotten sections don't matter.
    """
    seq, digest, case = 0, START, None
    for row in events:
        why = _fault(key, seq + 1, digest, case, row)
        if why is None and head is not None and head.seq == row.seq and head.digest != row.digest:
            why = "changed"
        if why is not None:
            return Verdict(ok=False, broken_at=seq + 1, why=why, head=Head(seq, digest) if seq else None)
        seq, digest, case = row.seq, row.digest, _named(row.header)[0]
    reached = Head(seq, digest) if seq else None
    if head is not None and head.seq > seq:
        return Verdict(ok=False, broken_at=seq + 1, why="cut", head=reached)
    return Verdict(ok=True, head=reached)


def _fault(key: bytes, expected: int, previous: bytes, case: object, row: ChainRow) -> str | None:
    named = _named(row.header)
    if row.seq != expected or named[1] != expected:
        return "order"
    if case is not None and named[0] != case:
        return "case"
    if not hmac.compare_digest(link(key, previous, row.header, row.commitments), row.digest):
        return "changed"
    return None


def _named(header: bytes) -> tuple[object, object]:
    """The case and sequence number that a header itself names; nothing when it isn't a header at all."""
    try:
        read = orjson.loads(header)
        return read["case"], read["seq"]
    except (ValueError, KeyError, TypeError):
        return None, None
