"""How a scenario names places, people, tracks and clocks (SCENARIOS.md, addresses)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_PLACE: Final = re.compile(
    r"(?P<kind>[a-z_]+)(?:#(?P<number>[1-9][0-9]?))?(?:@district(?:#(?P<district>[1-9][0-9]?))?)?"
)
_ADDRESS: Final = re.compile(
    r"(?:(?P<kind>[a-z_]+)(?:\((?P<place>[^()]*)\))?(?:#(?P<number>[1-9][0-9]?))?)(?:\.(?P<part>[a-z_.]+))?"
)


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """An organisation of the cast: the nth of its kind in the nth district, both counted from 1."""

    kind: str
    number: int = 1
    district: int = 1

    def __str__(self) -> str:
        if self.kind == "district":
            return "district" if self.district == 1 else f"district#{self.district}"
        own = self.kind if self.number == 1 else f"{self.kind}#{self.number}"
        return own if self.district == 1 else f"{own}@district#{self.district}"


@dataclass(frozen=True, slots=True, order=True)
class Person:
    """A member of the cast, by the role held at a place."""

    role: str
    place: Place

    def __str__(self) -> str:
        return f"{self.role}@{self.place}"


@dataclass(frozen=True, slots=True)
class Address:
    """A track, and what is meant of it: a trigger, a clock or an event. `kind` None: whatever has no track
    before it.

    `place` narrows to the tracks that belong to that organisation, `number` counts in the order of opening,
    from 1.
    """

    kind: str | None
    place: Place | None
    number: int | None
    part: str | None

    def __str__(self) -> str:
        track = "" if self.kind is None else self.kind
        track += "" if self.place is None else f"({self.place})"
        track += "" if self.number is None else f"#{self.number}"
        return ".".join(filter(None, (track, self.part)))


def place(text: str) -> Place | None:
    """Read `street`, `street#2`, `district#2`, `school@district#2`; None for anything else."""
    found = _PLACE.fullmatch(text)
    if found is None:
        return None
    kind, number, district = found["kind"], int(found["number"] or 1), int(found["district"] or 1)
    if kind == "district":
        # `district#2` is the second district itself, not a second one inside the first.
        return Place("district", 1, max(number, district))
    return Place(kind, number, district)


def person(text: str) -> Person | None:
    """Read `officer@street#2`; None for anything else."""
    role, _, where = text.partition("@")
    found = place(where)
    return None if found is None or not role else Person(role, found)


def address(text: str) -> Address | None:
    """Read `assignment(street)#2.acknowledge`, `referral`, `settle`; None for anything else.

    A single word is read as a kind; whoever knows better (`triggered`, `timed`) takes it for the part.
    """
    found = _ADDRESS.fullmatch(text)
    if found is None:
        return None
    where = None if found["place"] is None else place(found["place"])
    if found["place"] is not None and where is None:
        return None
    number = None if found["number"] is None else int(found["number"])
    return Address(found["kind"], where, number, found["part"])


def of_part(text: str) -> Address | None:
    """Read an address that ends in a trigger, clock or event; a single word is one of the case itself."""
    found = address(text)
    if found is None or found.part is not None:
        return found
    if found.place is not None or found.number is not None:
        return None
    return Address(None, None, None, found.kind)
