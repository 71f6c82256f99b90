"""The stage: time moves from step to step through the real sweep, steps go through the real engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select, text, update

from cases import engine, intake, ledger, wake
from cases.casefile import CASE, CaseFile
from cases.office import Office, Session
from cases.people import student
from cases.records import incident, metadata
from cases.refusal import CODES, Refusal
from cases.scenario.act import CaseName
from cases.scenario.address import Address, Person, Place
from cases.scenario.cast import Cast
from cases.scenario.expect import Observer, same
from cases.scenario.expected import Expect
from cases.scenario.finding import track_at
from cases.scenario.papers import attach
from cases.scenario.pen import When
from cases.scenario.report import Check, Moment, Outcome, Refused
from cases.scenario.script import Script, Step
from cases.scenario.timeline import Chronicle, Narrator, Span
from cases.store import Store
from policies.book import Book
from policies.vocabulary import Words

_NOWHERE = 32_767
"""The number of a track that no case has: the engine itself says that there is none."""
_BEFORE = datetime.min.replace(tzinfo=UTC)
_NO_MOVE = Words("照做", "accepted")


class Stuck(RuntimeError):
    """Time can't move on: the sweep set a case of the story aside. The words say why."""

    def __init__(self, why: Words) -> None:
        self.why = why
        super().__init__(why.en)


@dataclass(slots=True)
class Stage:
    """One play in its own database. `cases` are the ids of the story's cases, in the order of opening."""

    store: Store
    office: Office
    cast: Cast
    script: Script
    outcome: Outcome
    cases: list[int] = field(default_factory=list)
    files: dict[int, CaseFile] = field(default_factory=dict)
    chronicle: Chronicle = field(default_factory=Chronicle)
    whole: Span = field(default_factory=Span)
    now: datetime = _BEFORE
    screens: tuple[Mapping[int, int], Mapping[int, int]] = ({}, {})
    """The versions of the cases before the previous step, and before this one."""

    def play(self) -> None:
        """Go through all steps and the end; the outcome gathers what happened."""
        self.now = self._instant(When(local=self.script.start))
        try:
            for step in self.script.steps:
                self._step(step)
        except Stuck as stuck:
            failed = Check(1, "sweep", Words("时间照常推进", "time moves on"), stuck.why, ok=False)
            self.outcome.moments.append(Moment("time", self._narrator.local(self.now), checks=[failed]))
            return
        if self.script.final is not None:
            moment = Moment("end", self._narrator.local(self.now))
            self._look(moment, self.script.final, 1, self.whole)
            self.outcome.moments.append(moment)

    @property
    def _book(self) -> Book:
        return self.office.book_of(self.office.current)

    @property
    def _narrator(self) -> Narrator:
        return Narrator(self.cast, self.office.tracks, self._book)

    def _instant(self, when: When) -> datetime:
        if when.local is not None:
            return when.local.replace(tzinfo=self._book.tz).astimezone(UTC)
        start = self.script.start.replace(tzinfo=self._book.tz).astimezone(UTC)
        return start if when.offset is None else start + when.offset

    # ------------------------------------------------------------------ one step

    def _step(self, step: Step) -> None:
        self.screens = (self.screens[1], {number: file.version for number, file in self.files.items()})
        waking = self._advance(self._instant(step.at))
        self._tell_time(waking)
        moment = Moment("look" if step.do is None else "step", self._narrator.local(self.now), step.number, step.line)
        moment.case = step.case
        acting = Span()
        if step.do is not None and step.by is not None:
            self._act(step, step.do, step.by, moment)
            acting = self._read_on()
            self._describe(moment, acting)
        if step.expect is not None:
            self._look(moment, step.expect, step.case, waking.then(acting))
        self.outcome.steps += 1
        self.outcome.moments.append(moment)

    def _advance(self, to: datetime) -> Span:
        """From waking to waking, each at its own instant, until nothing is due by `to`; what happened on
        the way.
        """
        passed = Span()
        while True:
            at = min((file.wake for file in self.files.values() if file.wake is not None), default=None)
            if at is None or at > to:
                break
            self.now = max(self.now, at)
            swept = wake.sweep(self.store, self.office, at)
            if swept.aside or not swept.cases:
                raise Stuck(self._incident())
            passed = passed.then(self._read_on())
        self.now = to
        return passed

    def _read_on(self) -> Span:
        """Read back what was written since the last time, and with it the cases as the ledger hands them
        over.
        """
        with self.store.begin() as connection:
            fresh = self.chronicle.more(connection)
            if fresh.events:
                session = Session(connection, self.office)
                self.files = {number: ledger.take(session, number, None, self.now).case for number in self.cases}
        self.whole = self.whole.then(fresh)
        self.outcome.events += len(fresh.events)
        self.outcome.messages += len(fresh.messages)
        return fresh

    def _incident(self) -> Words:
        with self.store.read() as connection:
            why = connection.scalar(select(incident.c.why).order_by(incident.c.id.desc()).limit(1))
        said = why or "nothing woke"
        return Words(f"唤醒时出错：{said}", f"the waking failed: {said}")

    def _act(self, step: Step, do: Address, by: Person, moment: Moment) -> None:
        narrator = self._narrator
        moment.by, moment.do = narrator.who(by), str(do)
        move = self.office.tracks[do.kind or "case"].by_name[do.part or ""]
        moment.label = Words(*move.label)
        unchanged = self._fingerprint() if step.refused else None
        refusal = self._fire(step, do, by)
        if refusal is not None:
            moment.refused = _refused(refusal)
            self.outcome.refusals += 1
        wanted = Words(f"拒绝 {step.refused}", f"refused: {step.refused}") if step.refused else _NO_MOVE
        found = _NO_MOVE if refusal is None else Words(f"拒绝 {refusal.code}", f"refused: {refusal.code}")
        if step.refused or refusal is not None:
            told = found if moment.refused is None else _with_fields(found, moment.refused)
            moment.checks.append(Check(step.line, f"do {do}", wanted, told, wanted == found))
        if unchanged is not None and refusal is not None:
            touched = sorted(name for name, print_ in self._fingerprint().items() if unchanged.get(name) != print_)
            nothing = Words("什么都没有改变", "nothing changed")
            what = Words(f"改变了：{'、'.join(touched)}", f"changed: {', '.join(touched)}") if touched else nothing
            moment.checks.append(Check(step.line, f"refused {do}", nothing, what, not touched))

    def _fire(self, step: Step, do: Address, by: Person) -> Refusal | None:
        """Pull the trigger in a transaction of its own, which a refusal rolls back."""
        try:
            with self.store.begin() as connection:
                session = Session(connection, self.office)
                actor = self.office.directory.actor(connection, self.cast.people[by], self.now)
                number = self.cases[step.case - 1] if step.case <= len(self.cases) else None
                file = None if number is None else self.files[number]
                form = {name: self._resolved(one, file) for name, one in (step.form or {}).items()}
                if number is not None and not step.refused:
                    move = self.office.tracks[do.kind or "case"].by_name[do.part or ""]
                    form = attach(session, number, actor, move.form, form, self.now)
                track = self._track(do, file)
                seen = self.screens[0].get(number or 0, 0) if step.stale else None
                fired = engine.fire(session, number, track, do.part or "", actor, form, self.now, version=seen)
                if number is None and self.script.mentor is not None:
                    # Each student has a mentor in the school's records [plan 9]; the file says who it is.
                    minded = update(student).where(student.c.id == fired.case.student)
                    connection.execute(minded.values(mentor_member_id=self.cast.people[self.script.mentor]))
        except Refusal as refusal:
            return refusal
        if number is None:
            self.cases.append(fired.case.id)
        return None

    def _track(self, do: Address, file: CaseFile | None) -> int | str:
        kind = do.kind or "case"
        if self.office.tracks[kind].by_name[do.part or ""].opens:
            return kind
        record = None if file is None else track_at(self.cast, file, do)
        if record is None:
            return CASE if kind == "case" and do.part in intake.OPENING else _NOWHERE
        return record.no

    def _resolved(self, value: Any, file: CaseFile | None) -> Any:  # noqa: ANN401 - a form's values
        """Stage names as the ids that the engine knows."""
        if isinstance(value, Place):
            return self.cast.places[value]
        if isinstance(value, Address):
            record = None if file is None else track_at(self.cast, file, value)
            if record is None:
                raise Refusal("not_found")
            return record.no
        if isinstance(value, CaseName):
            if value.number > len(self.cases):
                return f"WH-{self.now.year}-999999999"
            return self.files[self.cases[value.number - 1]].number
        if isinstance(value, Mapping):
            return {self._resolved(key, file): self._resolved(one, file) for key, one in value.items()}
        if isinstance(value, list | tuple):
            return [self._resolved(one, file) for one in value]
        return value

    # --------------------------------------------------------- looking at it

    def _tell_time(self, span: Span) -> None:
        """What time did by itself since the last step, instant by instant."""
        for instant in span.instants():
            moment = Moment("time", self._narrator.local(instant))
            self._describe(moment, span.at(instant))
            self.outcome.moments.append(moment)

    def _describe(self, moment: Moment, span: Span) -> None:
        narrator = self._narrator
        moment.happened = narrator.happened(self.files, span)
        moment.started = narrator.started(self.files, span)
        moment.told = narrator.told(span.messages)

    def _look(self, moment: Moment, expect: Expect, number: int, span: Span) -> None:
        seen = None if number > len(self.cases) else self.files[self.cases[number - 1]]
        with self.store.read() as connection:
            observer = Observer(connection, self.office, self.cast, self.files, seen, span, self.now)
            moment.checks.extend(observer.checks(expect))

    def _fingerprint(self) -> dict[str, str]:
        """The content of every table, so that a refused step can be shown to have changed nothing."""
        parts = " UNION ALL ".join(
            f"SELECT '{name}', md5(string_agg(md5(t::text), '' ORDER BY md5(t::text))) FROM {name} t"  # noqa: S608
            for name in sorted(metadata.tables)
        )
        with self.store.read() as connection:
            return {name: str(digest) for name, digest in connection.execute(text(parts))}


def _refused(refusal: Refusal) -> Refused:
    article = refusal.article
    return Refused(
        code=refusal.code,
        text=Words(*CODES[refusal.code]) if refusal.code in CODES else same(refusal.code),
        who_can=tuple(refusal.who_can),
        article=None if article is None else Words(*article),
        fields=tuple(f"{fault.name}: {fault.code}" for fault in refusal.faults),
    )


def _with_fields(found: Words, refused: Refused) -> Words:
    if not refused.fields:
        return found
    said = ", ".join(refused.fields)
    return Words(f"{found.zh_CN}（{said}）", f"{found.en} ({said})")
