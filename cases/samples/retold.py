"""A played scenario told anew in the sample district: around another school, about another child, ending when asked.

Everything goes through the real engine at the instants of the story, moved as a whole; what time does in between falls
at its own instants.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, select, update

from cases import engine, ledger, wake
from cases.casefile import CASE
from cases.directory_fault import DirectoryFault
from cases.office import Office, Session
from cases.people import member as members
from cases.people import organisation, post, student
from cases.refusal import Refusal
from cases.samples.contract_words import in_chinese
from cases.samples.demo_words import said_of
from cases.scenario.act import CaseName
from cases.scenario.address import Address, Person, Place
from cases.scenario.cast import Cast
from cases.scenario.finding import track_at

if TYPE_CHECKING:
    from cases.casefile import CaseFile
    from cases.scenario.script import Script, Step

_MOMENT: Final = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2})?")


class Neighbourhood:
    """Who is responsible around each school of a district, and who holds which post there; read once."""

    def __init__(self, connection: Connection, office: Office, schools: list[int]) -> None:
        self._connection = connection
        self._office = office
        self.schools = schools
        found = connection.execute(
            select(post.c.organisation_id, post.c.role, post.c.school_id, post.c.member_id)
            .join(members, members.c.id == post.c.member_id)
            .where(members.c.active, post.c.until.is_(None))
            .order_by(post.c.member_id)
        )
        self._holders: dict[tuple[int, str, int | None], int] = {}
        for place, role, school, number in found:
            self._holders.setdefault((place, role, school), number)
        district = office.directory.organisation(connection, schools[0]).district_id
        self._others: dict[str, list[int]] = {}
        near = select(organisation.c.kind, organisation.c.id).where(organisation.c.district_id == district)
        for kind, number in connection.execute(near.order_by(organisation.c.id)):
            self._others.setdefault(kind, []).append(number)

    def place(self, school: int, wanted: Place) -> int | None:
        """The organisation that stands for one of a story's; None where the district has no such second one."""
        if wanted.district > 1:
            return None
        if wanted.kind == "school":
            first = self.schools.index(school)
            return self.schools[(first + wanted.number - 1) % len(self.schools)]
        try:
            nearest = self._office.directory.nearest(self._connection, school, wanted.kind).id
        except DirectoryFault:
            return None
        if wanted.number == 1:
            return nearest
        others = [one for one in self._others.get(wanted.kind, ()) if one != nearest]
        return others[wanted.number - 2] if len(others) > wanted.number - 2 else None

    def holder(self, role: str, place: int, school: int) -> int | None:
        """Whoever has held that post longest."""
        return self._holders.get((place, role, school if role == "codirector" else None))


@dataclass(frozen=True, slots=True)
class Telling:
    """How a story is told this time: up to which of its acts, moved by how much, at which school, about whom.

    `child` stands in for the story's; without one it is told as it was played, in its own words (in Chinese).
    """

    script: Script
    acts: int
    moved: timedelta
    school: int
    child: Mapping[str, Any] | None = None
    mentor: int | None = None
    community: int | None = None


def acts_of(script: Script) -> list[Step]:
    """The steps in which somebody does something that is allowed."""
    return [one for one in script.steps if one.do is not None and one.by is not None and one.refused is None]


def instant_of(script: Script, step: Step, zone: Any) -> datetime:  # noqa: ANN401 - a time zone
    """When a step happens in the story itself."""
    if step.at.local is not None:
        return step.at.local.replace(tzinfo=zone).astimezone(UTC)
    start = script.start.replace(tzinfo=zone).astimezone(UTC)
    return start + (step.at.offset or timedelta(0))


@dataclass(slots=True)
class Retold:
    """One telling, through the engine and inside the caller's transaction. `refused` are acts that weren't possible."""

    session: Session
    around: Neighbourhood
    telling: Telling
    now: datetime
    cases: list[int] = field(default_factory=list)
    files: dict[int, CaseFile] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    _cast: Cast = field(default_factory=Cast)
    # A day that is named is as many days from the step as in the story, whatever hour it is moved to.
    _days: timedelta = timedelta(0)

    def tell(self) -> None:
        """All of it, and then what time has done to it until `now`."""
        script = self.telling.script
        zone = self.session.office.book_of(self.session.office.current).tz
        self._fill_cast()
        for step in acts_of(script)[: self.telling.acts]:
            told = instant_of(script, step, zone)
            at = min(told + self.telling.moved, self.now)
            self._days = timedelta(days=(at.astimezone(zone).date() - told.astimezone(zone).date()).days)
            self._pass(at)
            try:
                self._act(step, at)
            except Refusal as refusal:
                self.refused.append(f"{script.file} {step.number} {step.do}: {refusal.code} {refusal.facts}")
        self._pass(self.now)

    def _fill_cast(self) -> None:
        script, school = self.telling.script, self.telling.school
        for wanted in {*script.places, *(one.place for one in script.people)}:
            number = self.around.place(school, wanted)
            if wanted == Place("community"):
                # The one in which the child lives, which needn't be the school's.
                number = self.telling.community or number
            if number is not None:
                self._cast.places[wanted] = number
        for person in script.people:
            place = self._cast.places.get(person.place)
            own = self._cast.places.get(Place("school", person.place.number)) or school
            number = None if place is None else self.around.holder(person.role, place, own)
            if person.role == "mentor" and person.place.kind == "school" and person.place.number == 1:
                number = self.telling.mentor or number
            if number is not None:
                self._cast.people[person] = number

    def _pass(self, until: datetime) -> None:
        """Whatever falls due by then, case by case and each at its own instant."""
        for number in self.cases:
            while (at := self.files[number].wake) is not None and at <= until:
                sitting = ledger.take(self.session, number, None, at)
                wake.catch_up(sitting)
                ledger.put(self.session, [sitting])
                self.files[number] = sitting.case

    def _act(self, step: Step, at: datetime) -> None:
        session, do = self.session, step.do
        who = None if step.by is None else self._cast.people.get(step.by)
        if do is None or who is None:
            raise Refusal("not_found")
        actor = session.office.directory.actor(session.connection, who, at)
        number = self.cases[step.case - 1] if step.case <= len(self.cases) else None
        file = None if number is None else self.files[number]
        form = self._form(step, f"{do.kind or 'case'}.{do.part}", file)
        fired = engine.fire(session, number, self._track(do, file), do.part or "", actor, form, at)
        if number is None:
            number = fired.case.id
            self.cases.append(number)
            self._mind(fired.case)
        self.files[number] = fired.case
        if do.part == "merge":
            # The other one has moved too.
            self.files = {one: ledger.take(session, one, None, at).case for one in self.cases}

    def _mind(self, case: CaseFile) -> None:
        """Each student has a mentor in the school's records [plan 9]; the story says that somebody is."""
        mentor = self._cast.people.get(Person("mentor", Place("school")))
        if mentor is not None:
            unminded = update(student).where(student.c.id == case.student, student.c.mentor_member_id.is_(None))
            self.session.connection.execute(unminded.values(mentor_member_id=mentor))

    def _track(self, do: Address, file: CaseFile | None) -> int | str:
        kind = do.kind or "case"
        if self.session.office.tracks[kind].by_name[do.part or ""].opens:
            return kind
        if file is None:
            return CASE
        record = track_at(self._cast, file, do)
        if record is None:
            raise Refusal("not_found")
        return record.no

    def _form(self, step: Step, trigger: str, file: CaseFile | None) -> dict[str, Any]:
        """What is filled in: the story's values in this district, and in the words of this telling."""
        given = {name: self._value(name, one, file) for name, one in (step.form or {}).items()}
        if self.telling.child is None:
            return given
        return {name: said_of(trigger, name, one, given, step.number) for name, one in given.items()}

    def _value(self, name: str, value: Any, file: CaseFile | None) -> Any:  # noqa: ANN401 - a form's values
        if name == "student" and isinstance(value, Mapping):
            return dict(self.telling.child or value)
        plain = in_chinese(self.telling.script.file, self._plain(value, file))
        if name == "until" and isinstance(plain, date):
            # Half a year is some days longer or shorter, depending on where it begins.
            plain -= timedelta(days=5)
        return plain

    def _plain(self, value: Any, file: CaseFile | None) -> Any:  # noqa: ANN401 - a form's values
        """Stage names as numbers, and days moved with the story."""
        if isinstance(value, Place):
            return self._cast.places.get(value, 0)
        if isinstance(value, Address):
            record = None if file is None else track_at(self._cast, file, value)
            if record is None:
                raise Refusal("not_found")
            return record.no
        if isinstance(value, CaseName):
            return self.files[self.cases[value.number - 1]].number if value.number <= len(self.cases) else ""
        if isinstance(value, Mapping):
            return {self._plain(key, file): self._plain(one, file) for key, one in value.items()}
        if isinstance(value, list | tuple):
            return [self._plain(one, file) for one in value]
        if isinstance(value, date):
            return value + self._days
        if isinstance(value, str) and _MOMENT.fullmatch(value):
            return (datetime.fromisoformat(value) + self.telling.moved).isoformat(timespec="minutes")
        return value
