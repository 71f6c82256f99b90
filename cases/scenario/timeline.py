"""What happened since a mark, read back from the database: events, clocks that started, who was told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, or_, select

from cases.casefile import CaseFile
from cases.records import event, message
from cases.scenario.address import Person
from cases.scenario.cast import Cast
from cases.scenario.finding import address_of, clock_address
from cases.scenario.report import Happening, Started, Told, Who
from cases.track import Track
from policies.book import Book
from policies.vocabulary import Words

_EVENT = (
    event.c.case_id, event.c.seq, event.c.at, event.c.track_no, event.c.kind, event.c.name, event.c.trigger,
    event.c.source, event.c.target, event.c.organisation_id, event.c.signals,
)  # fmt: skip


_OPENED = Words("开启", "opened")
_ABSORBED = Words("并入另一个案", "took over another case")


@dataclass(frozen=True, slots=True)
class Span:
    """What happened in a stretch of time, as it was read back."""

    events: tuple[Row[Any], ...] = ()
    messages: tuple[Row[Any], ...] = ()

    def instants(self) -> tuple[datetime, ...]:
        """The instants at which something happened, in order."""
        return tuple(sorted({one.at for one in self.events}))

    def at(self, instant: datetime) -> Span:
        """What happened at that instant."""
        events = tuple(one for one in self.events if one.at == instant)
        return Span(events, tuple(one for one in self.messages if one.at == instant))

    def then(self, later: Span) -> Span:
        """Both stretches, one after the other."""
        return Span(self.events + later.events, self.messages + later.messages)


@dataclass(slots=True)
class Chronicle:
    """Reads the histories and the inboxes on from where it stopped the last time."""

    seen: dict[int, int] = field(default_factory=dict)
    message: int = 0

    def more(self, connection: Connection) -> Span:
        """Everything that has been written since."""
        fresh = [and_(event.c.case_id == number, event.c.seq > seq) for number, seq in self.seen.items()]
        unseen = or_(*fresh, event.c.case_id.not_in(list(self.seen)))
        events = connection.execute(
            select(*_EVENT).where(unseen).order_by(event.c.at, event.c.case_id, event.c.seq)
        ).all()
        columns = (message.c.id, message.c.case_id, message.c.member_id, message.c.kind, message.c.at)
        newer = select(*columns).where(message.c.id > self.message).order_by(message.c.id)
        messages = connection.execute(newer).all()
        for row in events:
            self.seen[row.case_id] = max(row.seq, self.seen.get(row.case_id, 0))
        self.message = max((row.id for row in messages), default=self.message)
        return Span(tuple(events), tuple(messages))


@dataclass(frozen=True, slots=True)
class Narrator:
    """Puts rows into words."""

    cast: Cast
    tracks: Mapping[str, Track]
    book: Book

    def who(self, person: Person) -> Who:
        """A post of the cast."""
        return Who(str(person), person.role, self.cast.name_of.get(self.cast.places[person.place], ""))

    def happened(self, files: Mapping[int, CaseFile], span: Span) -> list[Happening]:
        """The events of a span."""
        return [self._event(files[row.case_id], row) for row in span.events]

    def started(self, files: Mapping[int, CaseFile], span: Span) -> list[Started]:
        """The clocks that started in a span and still stand, with their present due."""
        found = []
        for row in span.events:
            file = files[row.case_id]
            for signal in row.signals:
                clock = file.clocks.get(signal["clock"])
                if signal["op"] != "start" or clock is None or clock.face.stopped:
                    continue
                kind = self.tracks[getattr(file.track(clock.track), "kind", "case")].clock_kinds[clock.name]
                found.append(
                    Started(clock_address(self.cast, file, clock), Words(*kind.label), self.local(clock.face.due))
                )
        return found

    def told(self, rows: Iterable[Row[Any]]) -> list[Told]:
        """Who was told, each once with each kind."""
        found = {}
        for row in rows:
            for person in self.cast.posts(row.member_id)[:1]:
                found[person, row.kind] = Told(self.who(person), row.kind)
        return list(found.values())

    def local(self, instant: datetime) -> datetime:
        """An instant as the policy's local time."""
        return instant.astimezone(self.book.tz)

    def _event(self, file: CaseFile, row: Row[Any]) -> Happening:
        declared = self.tracks[row.kind]
        record = file.track(row.track_no)
        clock, _, rung = row.trigger.partition(".")
        state = declared.states.get(row.target)
        if rung:
            clock_label, rung_text = declared.clock_kinds[clock].label, self.book.rungs.get(rung)
            rung_label = rung_text.label if rung_text else Words(rung, rung)
            text = Words(f"{clock_label[0]}：{rung_label.zh_CN}", f"{clock_label[1]}: {rung_label.en}")
        elif row.trigger in declared.by_name:
            text = Words(*declared.by_name[row.trigger].label)
        else:
            text = _OPENED if row.trigger == "open" else _ABSORBED
        return Happening(
            seq=row.seq,
            name=row.name,
            address="case" if record is None else address_of(self.cast, file, record),
            track=Words(*declared.label),
            organisation=self.cast.name_of.get(row.organisation_id),
            text=text,
            rung=rung or None,
            state=Words(*state.label) if state and not rung and row.target != row.source else None,
        )
