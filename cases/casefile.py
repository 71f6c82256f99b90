"""The case in memory: one case with its tracks and clocks, as the ledger hands it over under its lock."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cases.clockwork import Clock, Clocks
from policies.clocks import Signal

CASE = 0
"""The number under which the case itself stands among its tracks."""


@dataclass(slots=True)
class Record:
    """One track of a case. `facts` are what its guards need to know, never personal data.

    `alarm` is the instant (UTC) at which time pulls the move named `alarm_move`. `new` is one that was opened since
    the case was taken.
    """

    no: int
    kind: str
    state: str
    organisation: int | None
    opened: datetime
    parent: int | None = None
    about: int | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    alarm: datetime | None = None
    alarm_move: str | None = None
    dirty: bool = False
    new: bool = False


@dataclass(slots=True)
class Called:
    """An organisation called to the case, since when, and until when it keeps sight (None: as long as the case)."""

    organisation: int
    kind: str
    since: datetime
    until: datetime | None = None
    dirty: bool = False


@dataclass(slots=True)
class Occurrence:
    """One event to be appended: what moved, who moved it, what was said, and what it did to the clocks."""

    seq: int
    at: datetime
    track: int
    kind: str
    name: str
    trigger: str
    source: str | None
    target: str | None
    organisation: int | None
    actor: int | None = None
    role: str | None = None
    actor_organisation: int | None = None
    cause: int | None = None
    confidential: bool = False
    open: dict[str, Any] = field(default_factory=dict)
    sealed: dict[str, dict[str, Any]] = field(default_factory=dict)
    signals: list[Signal] = field(default_factory=list)


@dataclass(slots=True)
class CaseFile:
    """A case under its lock. Only the engine changes it, only the ledger writes it."""

    id: int
    number: str
    student: int
    school: int
    district: int
    city: int
    concern: str
    level: str
    policy: str
    created: datetime
    version: int
    events: int
    head: bytes
    last_at: datetime
    wake: datetime | None
    whistler: int | None
    whistler_role: str | None
    record: Record
    tracks: dict[int, Record] = field(default_factory=dict)
    clocks: Clocks = field(default_factory=Clocks)
    called: dict[int, Called] = field(default_factory=dict)
    closed: datetime | None = None
    merged_into: int | None = None
    community: int | None = None
    mentor: int | None = None
    hospital: int | None = None
    forgotten: bool = False
    aside: bool = False
    new: bool = False

    @property
    def state(self) -> str:
        """The state of the case itself."""
        return self.record.state

    def track(self, no: int) -> Record | None:
        """The track of that number; 0 is the case itself."""
        return self.record if no == CASE else self.tracks.get(no)

    def all_records(self) -> Iterator[Record]:
        """The case itself, then its tracks in the order in which they were opened."""
        yield self.record
        yield from self.tracks.values()

    def of_kind(self, kind: str) -> list[Record]:
        """The tracks of one kind, in the order in which they were opened."""
        return [record for record in self.tracks.values() if record.kind == kind]

    def clock(self, track: int, name: str) -> Clock | None:
        """The newest clock of that name on that track, or None."""
        found = None
        for clock in self.clocks.values():
            if clock.track == track and clock.name == name:
                found = clock
        return found
