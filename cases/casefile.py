"""The case in memory: one case with its tracks and clocks, as the ledger hands it over under its lock."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from cases.faces import face_from_json
from policies.clocks import Face, Signal

CASE = 0
"""The number under which the case itself stands among its tracks."""


@dataclass(slots=True)
class Record:
    """One track of a case. `facts` are what its guards need to know, never personal data.

    `alarm` is the instant (UTC) at which time pulls the move named `alarm_move`.
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


class Clock:
    """One clock of a case: whose it is, and its face (policies.clocks).

    A case has many clocks and a move touches few of them: a face that was read is unfolded when it is looked at.
    `wake` is when its next rung falls, `stopped` whether it was met or cancelled, `held` whether it is paused,
    `new` that it has no row yet.
    """

    __slots__ = ("_face", "_folded", "dirty", "held", "name", "new", "no", "stopped", "track", "wake")

    def __init__(self, no: int, track: int, name: str, face: Face | None, *, dirty: bool = False) -> None:
        self.no = no
        self.track = track
        self.name = name
        self.dirty = dirty
        self._face = face
        self._folded: Mapping[str, Any] = {}
        self.wake: datetime | None = face.wake if face is not None else None
        self.stopped = face is not None and face.stopped
        self.held = face is not None and face.paused is not None
        self.new = True

    @classmethod
    def folded(cls, no: int, track: int, name: str, face: Mapping[str, Any]) -> Self:
        """A clock as its row holds it; when it wakes and whether it stopped are known without unfolding it."""
        clock = cls(no, track, name, None)
        clock._folded = face
        wake = face.get("wake")
        clock.wake = datetime.fromisoformat(wake) if wake is not None else None
        clock.stopped = "met" in face or "cancelled" in face
        clock.held = "paused" in face
        clock.new = False
        return clock

    @property
    def face(self) -> Face:
        """What the clock shows."""
        if self._face is None:
            self._face = face_from_json(self._folded)
        return self._face

    @face.setter
    def face(self, face: Face) -> None:
        self._face = face
        self.wake = face.wake
        self.stopped = face.stopped
        self.held = face.paused is not None


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
    clocks: dict[int, Clock] = field(default_factory=dict)
    called: dict[int, Called] = field(default_factory=dict)
    closed: datetime | None = None
    merged_into: int | None = None
    community: int | None = None
    mentor: int | None = None
    hospital: int | None = None
    forgotten: bool = False
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
