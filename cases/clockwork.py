"""The clocks of a case in memory: each with its face, and all of them by their numbers."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Self

import orjson

from cases.faces import face_from_json
from policies.clocks import Face


class Clock:
    """One clock of a case: which track's it is, who owes it, and its face (policies.clocks).

    A case has many clocks and a move touches few of them: a face that was read is unfolded when it is looked at.
    `organisation` is the one that owes it, or owed it last: `cases.ledger` writes it from the declared owners.
    `wake` is when its next rung falls, `stopped` whether it was met or cancelled, `held` whether it is paused,
    `new` that it has no row yet.
    """

    __slots__ = ("_face", "_folded", "dirty", "held", "name", "new", "no", "organisation", "stopped", "track", "wake")

    def __init__(self, no: int, track: int, name: str, face: Face | None, *, dirty: bool = False) -> None:
        self.no = no
        self.track = track
        self.name = name
        self.dirty = dirty
        self.organisation: int | None = None
        self._face = face
        self._folded: Mapping[str, Any] = {}
        self.wake: datetime | None = face.wake if face is not None else None
        self.stopped = face is not None and face.stopped
        self.held = face is not None and face.paused is not None
        self.new = True

    @classmethod
    def folded(cls, no: int, track: int, name: str, organisation: int | None, face: Mapping[str, Any]) -> Self:
        """A clock as its row holds it; when it wakes and whether it stopped are known without unfolding it."""
        clock = cls(no, track, name, None)
        clock._folded = face
        clock.organisation = organisation
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


class Clocks:
    """The clocks of a case by their numbers, in the order in which they started.

    A sweep wakes thousands of cases for one clock each: those whose time has come are at hand, the others lie folded
    as the database gave them, and are unfolded when somebody asks for more than what is due.
    """

    __slots__ = ("_at_hand", "_count", "_rest", "_rest_wakes")

    def __init__(self) -> None:
        self._at_hand: dict[int, Clock] = {}
        self._count = 0
        self._rest: str | None = None
        self._rest_wakes: datetime | None = None

    def lay(self, rows: Sequence[Sequence[Any]]) -> None:
        """Take in clocks as they were read: number, track, name, organisation, face."""
        for no, track, name, organisation, face in rows:
            self._at_hand[no] = Clock.folded(no, track, name, organisation, face)
        self._count += len(rows)

    def lay_aside(self, rest: str, count: int, wakes: datetime | None) -> None:
        """Take in the JSON of others, how many they are and when the first of them wakes, without unfolding them."""
        self._rest, self._rest_wakes = rest, wakes
        self._count += count

    def at_hand(self) -> Collection[Clock]:
        """Those that somebody has looked at; nothing has happened to any other."""
        return self._at_hand.values()

    def awake(self, at: datetime) -> Collection[Clock]:
        """At least those that have something to do by that instant."""
        if self._rest_wakes is not None and self._rest_wakes <= at:
            self._unfold()
        return self._at_hand.values()

    @property
    def wake(self) -> datetime | None:
        """The earliest instant at which any of them has something to do."""
        earliest = self._rest_wakes
        for clock in self._at_hand.values():
            if clock.wake is not None and (earliest is None or clock.wake < earliest):
                earliest = clock.wake
        return earliest

    def of_new(self, track: int) -> Collection[Clock]:
        """The clocks of a track that was opened since the case was taken: none of them can lie folded."""
        return [clock for clock in self._at_hand.values() if clock.track == track]

    def values(self) -> Collection[Clock]:
        """All of them."""
        self._unfold()
        return self._at_hand.values()

    def keys(self) -> Collection[int]:
        """The numbers of all of them."""
        self._unfold()
        return self._at_hand.keys()

    def get(self, no: int) -> Clock | None:
        """The clock of that number, or None."""
        if no not in self._at_hand:
            self._unfold()
        return self._at_hand.get(no)

    def __getitem__(self, no: int) -> Clock:
        clock = self.get(no)
        if clock is None:
            raise KeyError(no)
        return clock

    def __setitem__(self, no: int, clock: Clock) -> None:
        if no not in self._at_hand:
            self._count += 1
        self._at_hand[no] = clock

    def __iter__(self) -> Iterator[int]:
        return iter(self.keys())

    def __len__(self) -> int:
        return self._count

    def _unfold(self) -> None:
        if self._rest is None:
            return
        rest, self._rest, self._rest_wakes = self._rest, None, None
        rows = orjson.loads(rest)
        self._count -= len(rows)
        self.lay(rows)
        # The newest clock of a name has the highest number: whoever looks for it goes through them in order.
        self._at_hand = dict(sorted(self._at_hand.items()))
