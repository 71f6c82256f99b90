"""Does what a step expects hold? Every answer says what was found instead."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from cases import access, queries
from cases.casefile import CaseFile
from cases.office import Office, Session
from cases.scenario.address import Address, Person
from cases.scenario.audit import audit
from cases.scenario.cast import Cast
from cases.scenario.expected import ABSENT, Expect, Wanted
from cases.scenario.finding import clock_at, track_at
from cases.scenario.report import Check
from cases.scenario.timeline import Span
from policies.vocabulary import Words

_NONE = Words("没有", "none")
_NO_CASE = Words("还没有个案", "there is no case yet")


def same(text: object) -> Words:
    """A name of the contract, which both languages share."""
    return Words(str(text), str(text))


@dataclass(frozen=True, slots=True)
class Observer:
    """What can be seen at one instant: the case as it was read back, and what happened since the last
    step.
    """

    connection: Connection
    office: Office
    cast: Cast
    files: Mapping[int, CaseFile]
    case: CaseFile | None
    span: Span
    now: datetime

    def checks(self, expect: Expect) -> Iterator[Check]:
        """Every expectation, held or not."""
        if expect.case is not None:
            found = same(self.case.state) if self.case else _NO_CASE
            yield _check(expect.case.line, "case", same(expect.case.value), found)
        for track in expect.tracks:
            yield self._of_case(track.line, f"tracks {track.of}", same(track.value), self._state(track.of))
        for clock in expect.clocks:
            yield self._of_case(clock.line, f"clocks {clock.of}", same(clock.value), self._clock(clock.of))
        for due in expect.due:
            yield self._of_case(due.line, f"due {due.of}", same(f"{due.value:%Y-%m-%dT%H:%M}"), self._due(due.of))
        for member in expect.notified:
            yield self._notified(member)
        if expect.events:
            yield from self._events(expect.events)
        for seen in expect.sees:
            yield self._sees(seen)
        for named in expect.filer:
            yield self._filer(named)
        if expect.audit is not None:
            yield self._audit(expect.audit.line)

    def _of_case(self, line: int, what: str, expected: Words, found: Callable[[], Words]) -> Check:
        return _check(line, what, expected, _NO_CASE if self.case is None else found())

    def _state(self, address: Address) -> Callable[[], Words]:
        def found() -> Words:
            record = track_at(self.cast, self._file, address)
            return same(ABSENT) if record is None else same(record.state)

        return found

    def _clock(self, address: Address) -> Callable[[], Words]:
        def found() -> Words:
            clock = clock_at(self.cast, self._file, address)
            if clock is None:
                return same(ABSENT)
            return same(clock.face.state)

        return found

    def _due(self, address: Address) -> Callable[[], Words]:
        def found() -> Words:
            clock = clock_at(self.cast, self._file, address)
            if clock is None:
                return Words("没有这个时钟", "there is no such clock")
            zone = self.office.book_of(self._file.policy).tz
            return same(f"{clock.face.due.astimezone(zone):%Y-%m-%dT%H:%M}")

        return found

    @property
    def _file(self) -> CaseFile:
        if self.case is None:
            raise LookupError("there is no case to look at")
        return self.case

    def _notified(self, wanted: Wanted[Person, bool]) -> Check:
        told = {row.member_id for row in self.span.messages}
        got = self.cast.people[wanted.of] in told
        yes, no = Words("收到消息", "told"), Words("没有收到消息", "not told")
        found = yes if got else no
        if not got and wanted.value:
            names = sorted(str(one) for number in told for one in self.cast.posts(number)[:1])
            found = Words(f"收到的是：{'、'.join(names) or '无人'}", f"told were: {', '.join(names) or 'nobody'}")
        what = "notified" if wanted.value else "not_notified"
        return Check(wanted.line, f"{what} {wanted.of}", yes if wanted.value else no, found, got == wanted.value)

    def _events(self, wanted: tuple[Wanted[Address, None], ...]) -> Iterator[Check]:
        """In this order, others may stand between: each is looked for behind the one before it."""
        behind = 0
        happened = [row for row in self.span.events if self.case is not None and row.case_id == self.case.id]
        for one in wanted:
            place = next((n for n in range(behind, len(happened)) if self._is(happened[n], one.of)), None)
            found = Words("发生了", "it happened")
            if place is None:
                names = ", ".join(row.name for row in happened[behind:])
                found = Words(f"这之后只有：{names or '无'}", f"from there on only: {names or 'nothing'}")
            else:
                behind = place + 1
            yield Check(one.line, f"events {one.of}", Words("发生", "to happen"), found, place is not None)

    def _is(self, row: object, address: Address) -> bool:
        kind = address.kind or "case"
        if getattr(row, "kind", None) != kind or address.part is None:
            return False
        name, trigger, number = (
            getattr(row, "name", ""),
            getattr(row, "trigger", ""),
            getattr(row, "track_no", 0),
        )
        if address.part not in {name.removeprefix(f"{kind}."), trigger}:
            return False
        if address.place is None and address.number is None:
            return True
        record = track_at(self.cast, self._file, address)
        return record is not None and record.no == number

    def _sees(self, wanted: Wanted[Person, tuple[tuple[str, bool], ...]]) -> Check:
        expected = ", ".join(f"{section}: {_yes(seen)}" for section, seen in wanted.value)
        if self.case is None:
            return _check(wanted.line, f"sees {wanted.of}", same(expected), _NO_CASE)
        actor = self.office.directory.actor(self.connection, self.cast.people[wanted.of], self.now)
        sight = access.sees(actor, self.case, self.office.book_of(self.case.policy), self.now)
        found = ", ".join(f"{section}: {_yes(sight.of(section) == 'yes')}" for section, _ in wanted.value)
        return _check(wanted.line, f"sees {wanted.of}", same(expected), same(found))

    def _filer(self, wanted: Wanted[Person, bool]) -> Check:
        """Asked of the history as pages show it: an outsider has none."""
        what, expected = f"filer {wanted.of}", same(_yes(wanted.value))
        if self.case is None:
            return _check(wanted.line, what, expected, _NO_CASE)
        actor = self.office.directory.actor(self.connection, self.cast.people[wanted.of], self.now)
        sight = access.sees(actor, self.case, self.office.book_of(self.case.policy), self.now)
        history = [] if sight.nothing else queries.history(Session(self.connection, self.office), self.case, actor)
        filed = [one for one in history if one.name == "mandatory_report.filed"]
        return _check(wanted.line, what, expected, same(_yes(bool(filed) and filed[-1].actor is not None)))

    def _audit(self, line: int) -> Check:
        wrong = [one for file in self.files.values() for one in audit(self.connection, self.office, file)]
        verified = same("verified")
        if not wrong:
            return _check(line, "audit", verified, verified)
        return _check(line, "audit", verified, Words("；".join(w.zh_CN for w in wrong), "; ".join(w.en for w in wrong)))


def _yes(seen: bool) -> str:  # noqa: FBT001 - a word for a truth
    return "yes" if seen else "no"


def _check(line: int, what: str, expected: Words, found: Words) -> Check:
    return Check(line, what, expected, found, expected == found)
