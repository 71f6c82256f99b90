"""The desk of one move: what its guards may ask and its consequences may order (`cases.track.Desk`)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cases import access, telling
from cases.casefile import Called, CaseFile, Occurrence, Record
from cases.directory_fault import DirectoryFault
from cases.refusal import FieldFault, Refusal
from cases.sitting import plain

if TYPE_CHECKING:
    from cases.directory import Actor, Organisation
    from cases.forms import Section
    from cases.sitting import Sitting
    from cases.track import Move
    from policies.book import Book
    from policies.limits import Limit, SameDay

REMEMBERED_WORKERS = 2
"""Two are enough to know that nobody worked alone."""


class CaseDesk:
    """One move of one track at one sitting. `occurrence` is None until the move is really made."""

    __slots__ = ("_open", "_pull", "actor", "form", "move", "occurrence", "record", "role", "sitting")

    def __init__(
        self,
        sitting: Sitting,
        record: Record,
        move: Move | None,
        *,
        actor: Actor | None,
        role: str | None,
        form: dict[str, Any],
        pull: Any,  # noqa: ANN401 - the engine's own functions; it imports this module
        open_track: Any,  # noqa: ANN401
    ) -> None:
        self.sitting = sitting
        self.record = record
        self.move = move
        self.actor = actor
        self.role = role
        self.form = form
        self.occurrence: Occurrence | None = None
        self._pull = pull
        self._open = open_track

    # ------------------------------------------------------------- what is

    @property
    def case(self) -> CaseFile:
        """The case under its lock."""
        return self.sitting.case

    @property
    def book(self) -> Book:
        """The policy version that the case runs under."""
        return self.sitting.book

    @property
    def now(self) -> dt.datetime:
        """The instant of this move, UTC."""
        return self.sitting.now

    @property
    def other(self) -> CaseFile | None:
        """The case that this one is to be merged into, where the actor may see it."""
        other = self.sitting.other
        if other is None or self.actor is None:
            return None
        hidden = access.sees(self.actor, other.case, other.book, self.now).nothing
        return None if hidden else other.case

    def merge(self) -> None:
        """Let this case point at the other one, and write into the other's history that it was absorbed."""
        other = self.sitting.other
        if other is None:
            return
        self.case.merged_into = other.case.id
        other.begin_group()
        other.case.version += 1
        absorbed = other.happen(other.case.record, "case.absorbed", "absorb", other.case.state)
        absorbed.target = other.case.state
        absorbed.open = {"from": self.case.number}

    def organisation(self, number: int) -> Organisation:
        """The organisation of that id; refuses `invalid` when there is none."""
        session = self.sitting.session
        try:
            return session.office.directory.organisation(session.connection, number)
        except DirectoryFault:
            name = next((name for name, value in self.form.items() if value == number), "organisation")
            raise Refusal("invalid", faults=(FieldFault(name, "no_organisation"),)) from None

    def nearest(self, kind: str) -> Organisation:
        """The organisation of that kind that is responsible for the case's school."""
        session = self.sitting.session
        return session.office.directory.nearest(session.connection, self.case.school, kind)

    def responsible(self, kind: str) -> Organisation | None:
        """As `nearest`; None where nobody of that kind is responsible."""
        try:
            return self.nearest(kind)
        except DirectoryFault:
            return None

    def local(self, day: dt.date, at: dt.time = dt.time(0)) -> dt.datetime:
        """That local time of that day as an instant (UTC)."""
        return dt.datetime.combine(day, at, self.book.tz).astimezone(dt.UTC)

    def today(self) -> dt.date:
        """The local day of `now`."""
        return self.now.astimezone(self.book.tz).date()

    def in_holidays(self, day: dt.date) -> bool:
        """Whether that day lies in the school holidays."""
        return self.book.calendars.of("school").in_school_holidays(day)

    def workers(self) -> frozenset[int]:
        """The members who have ever acted in this case (two at most are remembered)."""
        return frozenset(self.case.record.facts.get("workers", ()))

    def sees(self) -> bool:
        """Whether the actor sees anything of the case already."""
        return self.actor is not None and not access.sees(self.actor, self.case, self.book, self.now).nothing

    # ---------------------------------------------------- what follows from it

    def open(
        self,
        kind: str,
        *,
        organisation: int | None = None,
        about: int | None = None,
        parent: int | None = None,
        facts: Mapping[str, Any] | None = None,
        state: str | None = None,
    ) -> Record:
        """Open a track of that kind in the same move."""
        record: Record = self._open(
            self,
            kind,
            organisation=organisation,
            about=about,
            parent=parent,
            facts=dict(facts or {}),
            state=state,
        )
        return record

    def follow(self, record: Record, trigger: str, **facts: Any) -> None:  # noqa: ANN401
        """Pull a trigger that follows from this move; a track that has ended is left alone."""
        self._pull(self, record, trigger, facts)

    def note(self, section: Section, **facts: Any) -> None:  # noqa: ANN401
        """Write more into the event, in that section."""
        occurrence = self._happening
        target = occurrence.open if section == "open" else occurrence.sealed.setdefault(section, {})
        target.update({name: plain(value) for name, value in facts.items()})

    def start(
        self,
        record: Record,
        clock: str,
        *,
        given: dt.datetime | None = None,
        limit: Limit | SameDay | None = None,
        rule: str | None = None,
        half: bool = False,
    ) -> None:
        """Start a clock now and tell whoever owes it."""
        started = self.sitting.start_clock(
            self._happening, record, clock, given=given, limit=limit, rule=rule, half=half
        )
        if started is not None:
            telling.tell_owners(self.sitting, record, started)

    def meet(self, record: Record, clock: str) -> None:
        """Stop a clock: what it asked for has been done."""
        self._signal(record, clock, "meet")

    def cancel(self, record: Record, clock: str) -> None:
        """Stop a clock: what it asked for isn't asked any more."""
        self._signal(record, clock, "cancel")

    def pause(self, record: Record, clock: str) -> None:
        """Hold a clock; its time doesn't run."""
        for one in self.sitting.open_clocks(record, clock):
            if not one.held:
                self.sitting.signal(self._happening, one, "pause")

    def resume(self, record: Record, clock: str) -> None:
        """Let a held clock run on; its limit moves by what the pause covered."""
        for one in self.sitting.open_clocks(record, clock):
            if one.held:
                self.sitting.signal(self._happening, one, "resume")

    def extend(self, record: Record, clock: str, extra: Limit) -> None:
        """Move a clock's limit by `extra`, counted as the limit is."""
        for one in self.sitting.open_clocks(record, clock):
            self.sitting.signal(self._happening, one, "extend", extra=extra)

    def reopen_clock(self, record: Record, clock: str) -> None:
        """Let a clock that was met by mistake go on from its own start."""
        self.sitting.reopen_clock(self._happening, record, clock)

    def regrade(self, level: str) -> None:
        """Give the case that level; every unmet clock is set anew from its own start."""
        if level == self.case.level:
            return
        self.case.level = level
        for clock in list(self.case.clocks.values()):
            if not clock.stopped:
                self.sitting.signal(self._happening, clock, "regrade", level=level)

    def call(self, organisation: int) -> None:
        """Call an organisation to the case. One that had lost its sight sees it again."""
        standing = self.case.called.get(organisation)
        if standing is None:
            kind = self.organisation(organisation).kind
            self.case.called[organisation] = Called(organisation, kind, self.now, dirty=True)
        elif standing.until is not None:
            standing.until = None
            standing.dirty = True

    def release(self, organisation: int) -> None:
        """Take a redirected organisation's sight away at once."""
        standing = self.case.called.get(organisation)
        if standing is not None and standing.until is None:
            standing.until = self.now
            standing.dirty = True

    def tell(self, *whom: str) -> None:
        """Tell them that this move has happened."""
        occurrence = self._happening
        item = {
            "track": self.record.no,
            "kind": self.record.kind,
            "organisation": self.record.organisation,
            "event": occurrence.name,
        }
        telling.tell(self.sitting, self.record, whom, item)

    def alarm(self, record: Record, at: dt.datetime | None, move: str | None = None) -> None:
        """Let time pull `move` of that track at that instant; None takes the alarm off."""
        record.alarm, record.alarm_move = at, move if at is not None else None
        record.dirty = True

    def _signal(self, record: Record, clock: str, op: str) -> None:
        for one in self.sitting.open_clocks(record, clock):
            self.sitting.signal(self._happening, one, op)

    @property
    def _happening(self) -> Occurrence:
        if self.occurrence is None:
            message = f"a guard of {self.record.kind} ordered a consequence"
            raise TypeError(message)
        return self.occurrence
