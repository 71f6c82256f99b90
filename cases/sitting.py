"""A sitting: one case under its lock, and everything that one transaction is about to write about it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from pydantic import BaseModel

from cases.casefile import CaseFile, Occurrence, Record
from cases.clockwork import Clock
from cases.directory import Actor
from cases.office import Session
from cases.track import Move, Track
from policies import hands
from policies.book import Book
from policies.clocks import Face, Op, Signal, step
from policies.limits import Limit, SameDay

KIND_RANK: Mapping[str, int] = {
    "told": 1,
    "owes": 2,
    "reminded": 3,
    "warned": 4,
    "breached": 5,
    "escalated": 6,
    "bulletined": 7,
}
"""Which kind of message wins when one move has several for a person; the rungs are the highest, in their order."""


@dataclass(slots=True)
class Letter:
    """One message for one person: the highest kind that concerns them, and every item of this move."""

    member: int
    kind: str
    seq: int
    at: dt.datetime
    level: str
    items: list[dict[str, Any]] = field(default_factory=list)


@dataclass(slots=True)
class Sitting:
    """The case, the book it runs under, the instant, and what has happened in this transaction so far.

    `now` never lies before the newest event: a clock that was set back must not bend a history.
    """

    session: Session
    case: CaseFile
    book: Book
    now: dt.datetime
    actor: Actor | None = None
    occurrences: list[Occurrence] = field(default_factory=list)
    letters: dict[tuple[int, int], Letter] = field(default_factory=dict)
    group: int = 0
    other: Sitting | None = None

    def __post_init__(self) -> None:
        self.now = max(self.now, self.case.last_at)

    def declaration(self, record: Record) -> Track:
        """The declared kind of a track."""
        return self.session.office.tracks[record.kind]

    def begin_group(self) -> None:
        """From here on people are told anew: one move, or one waking, tells a person once."""
        self.group = self.case.events + 1

    def happen(
        self,
        record: Record,
        name: str,
        trigger: str,
        source: str | None,
        *,
        actor: Actor | None = None,
        role: str | None = None,
        actor_organisation: int | None = None,
        cause: int | None = None,
        confidential: bool = False,
    ) -> Occurrence:
        """Append an event; its target is filled in when the move is done."""
        self.case.events += 1
        occurrence = Occurrence(
            seq=self.case.events,
            at=self.now,
            track=record.no,
            kind=record.kind,
            name=name,
            trigger=trigger,
            source=source,
            target=None,
            organisation=record.organisation,
            actor=actor.member_id if actor else None,
            role=role,
            actor_organisation=actor_organisation,
            cause=cause,
            confidential=confidential,
        )
        self.occurrences.append(occurrence)
        return occurrence

    def post(self, member: int, kind: str, item: dict[str, Any]) -> None:
        """Tell a person once for each group: the kind rises to the highest, the items gather."""
        key = (self.group, member)
        letter = self.letters.get(key)
        if letter is None:
            self.letters[key] = Letter(member, kind, self.group, self.now, self.case.level, [item])
            return
        if KIND_RANK[kind] > KIND_RANK[letter.kind]:
            letter.kind = kind
        if item not in letter.items:
            letter.items.append(item)

    # ---------------------------------------------------------------- clocks

    def open_clocks(self, record: Record, name: str | None = None) -> list[Clock]:
        """The clocks of a track that haven't stopped, all or those of one name."""
        return [
            clock
            for clock in (self.case.clocks.of_new(record.no) if record.new else self.case.clocks.values())
            if clock.track == record.no and (name is None or clock.name == name) and not clock.stopped
        ]

    def start_clock(
        self,
        occurrence: Occurrence,
        record: Record,
        name: str,
        *,
        given: dt.datetime | None = None,
        limit: Limit | SameDay | None = None,
        rule: str | None = None,
        half: bool = False,
    ) -> Clock | None:
        """Start a clock now; one of that name that still runs is cancelled. None when the level has no such clock."""
        for running in self.open_clocks(record, name):
            self.signal(occurrence, running, "cancel")
        full = rule or f"{record.kind}.{name}"
        face = hands.start(
            self.book,
            full,
            self.case.level,
            self.now,
            calendar=self._calendar_of(record),
            given=given,
            limit=limit,
            half=half,
        )
        if face is None:
            return None
        clock = Clock(len(self.case.clocks) + 1, record.no, name, face, dirty=True)
        self.case.clocks[clock.no] = clock
        occurrence.signals.append(
            Signal(
                "start",
                clock.no,
                self.now,
                name=full,
                level=self.case.level,
                calendar=face.calendar,
                given=given,
                limit=limit,
                half=half,
                edition=self.book.calendars.edition,
            )
        )
        return clock

    def signal(self, occurrence: Occurrence, clock: Clock, op: str, **more: Any) -> None:  # noqa: ANN401
        """Do something to one clock and write it into the event, so that the history replays into its face."""
        signal = Signal(cast("Op", op), clock.no, self.now, edition=self.book.calendars.edition, **more)
        face = step(self.book, {clock.no: clock.face}, signal)
        if face is not None and face is not clock.face:
            clock.face = face
            clock.dirty = True
        occurrence.signals.append(signal)

    def reopen_clock(self, occurrence: Occurrence, record: Record, name: str) -> None:
        """Let a clock that was met by mistake go on from its own start; the met one stays in the history.

        The new clock has the old one's start, pauses and fired rungs, so that no rung falls twice.
        """
        old = self.case.clock(record.no, name)
        if old is None:
            return
        face, no, by = old.face, len(self.case.clocks) + 1, self.book.calendars.edition
        own = face.limit if face.own else None
        again = [Signal("start", no, face.started, name=face.name, level=face.level, calendar=face.calendar,
                        given=face.given, limit=own, half=face.half, edition=by)]  # fmt: skip
        for since, until in face.pauses:
            again += [Signal("pause", no, since), Signal("resume", no, until, edition=by)]
        again += [Signal("rung", no, self.now, edition=by) for _ in range(face.rung)]
        faces: dict[int, Face] = {}
        for signal in again:
            step(self.book, faces, signal)
        occurrence.signals.extend(again)
        self.case.clocks[no] = Clock(no, record.no, name, faces[no], dirty=True)

    def _calendar_of(self, record: Record) -> str | None:
        if record.organisation is None:
            return None
        directory = self.session.office.directory
        return directory.organisation(self.session.connection, record.organisation).kind


def write_form(occurrence: Occurrence, move: Move, form: Mapping[str, Any]) -> None:
    """Divide what was said over the sections of the event, by the sections of its fields."""
    by_name = {one.name.rstrip("_"): one for one in move.form.fields}
    for name, value in form.items():
        declared = by_name.get(name)
        section = declared.section if declared is not None else "narrative"
        target = occurrence.open if section == "open" else occurrence.sealed.setdefault(section, {})
        target[name] = plain(value)


def plain(value: object) -> Any:  # noqa: ANN401 - JSON is what it is
    """A value as JSON holds it: instants in UTC, dates, limits and sub-forms as text and mappings."""
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat()
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, BaseModel):
        return {key: plain(one) for key, one in value.model_dump(exclude_none=True, by_alias=True).items()}
    if isinstance(value, Limit | SameDay):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return value
