"""Writes the plan of a sample city into the database: streamed, in memory that doesn't grow, resumable.

Each step is one transaction that is either whole or not there: the offices of the city, those of a district,
the people of a school, two thousand of its students. What is there is known by its code or roster number, so
a load that was stopped, by kill -9 too, goes on where it was. Rows go in by COPY past `cases.registrar` and
`cases.posts`; a test holds the plan to the rules that those would have asked.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Final, Protocol

from psycopg.errors import LockNotAvailable
from sqlalchemy import Connection, and_, func, insert, select, text, update

from cases import vault
from cases.enrolment import place_of
from cases.key_index import KeyIndex
from cases.people import organisation, post, sample_city, student
from cases.registrar import touch
from cases.samples import columns
from cases.samples.city import TERM, PlannedSchool, PlannedStudent, SampleCity
from cases.samples.city_fault import CityFault
from cases.samples.gazetteer import District
from cases.samples.offices import PlannedMember, PlannedOrganisation
from cases.store import Store
from cases.vault import DataKey, MasterKey
from policies.book import load as load_policy
from policies.book import versions

if TYPE_CHECKING:
    from policies.parts import Retention

SLICE: Final = 2_000
"""How many students one transaction writes, and how many are held in memory."""


class Keys(Protocol):
    """What is needed of the key store."""

    index: KeyIndex

    def create_many(self, student_ids: list[int], /) -> Mapping[int, DataKey]:
        """A new key for each of these students."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """How far a load is: what stands in the database by now, and the place it is at."""

    organisations: int = 0
    members: int = 0
    students: int = 0
    place: str = ""


@dataclass(frozen=True, slots=True)
class _Present:
    """What a school has already."""

    id: int
    students: int


def load(
    store: Store,
    keystore: Keys,
    master: MasterKey,
    plan: SampleCity,
    progress: Callable[[Loaded], None] = lambda _: None,
    *,
    resume: bool = True,
) -> Loaded:
    """Write the city, or what is missing of it; `progress` hears of each step once it is committed.

    Raises CityFault: not_the_sample or another_city when other records are here, begun when something of this
    city is and `resume` is off, loading while another process loads. Raises StoreFault; what was committed
    before stays and a second call goes on from there.
    """
    with _alone(store):
        with store.begin() as connection:
            _claim(connection, plan, resume=resume)
        state = Loaded()
        for state in _steps(store, keystore, master, plan):
            progress(state)
        with store.begin() as connection:
            # The planner believes a freshly filled table to be empty.
            connection.execute(text("ANALYZE organisation, member, post, student"))
            connection.execute(update(sample_city).values(finished_at=func.clock_timestamp()))
        return replace(state, place="")


def present(connection: Connection) -> tuple[Mapping[str, object], bool] | None:
    """The facts of the sample city that is here and whether it is complete, or None."""
    row = connection.execute(select(sample_city.c.plan, sample_city.c.finished_at)).one_or_none()
    return None if row is None else (row.plan, row.finished_at is not None)


@contextmanager
def _alone(store: Store) -> Iterator[None]:
    # The server lifts a session's lock when its owner is gone, however it went; that may take it a moment.
    with store.administered() as connection:
        try:
            connection.execute("SET lock_timeout = '1s'")
            connection.execute("SELECT pg_advisory_lock(hashtextextended('sample city', 0))")
        except LockNotAvailable:
            raise CityFault("loading") from None
        try:
            yield
        finally:
            # Closing doesn't wait for the server: the next load would find its own predecessor at work.
            connection.execute("SELECT pg_advisory_unlock(hashtextextended('sample city', 0))")


def _claim(connection: Connection, plan: SampleCity, *, resume: bool) -> None:
    here = present(connection)
    if here is None:
        if connection.scalar(select(organisation.c.id).limit(1)) is not None:
            raise CityFault("not_the_sample")
        connection.execute(insert(sample_city).values(plan=plan.facts()))
    elif here[0] != plan.facts():
        raise CityFault("another_city", found=_told(here[0]), wanted=_told(plan.facts()))
    elif not resume:
        raise CityFault("begun")


def _told(facts: Mapping[str, object]) -> str:
    return ", ".join(
        f"{name} {'、'.join(map(str, value)) if isinstance(value, list) else value}"
        for name, value in sorted(facts.items())
    )


def _steps(store: Store, keystore: Keys, master: MasterKey, plan: SampleCity) -> Iterator[Loaded]:
    """Every step of the plan, done now or before, in the plan's order."""
    state = _offices(store, list(plan.city_offices()), Loaded())
    yield state
    for district in plan.planned_districts():
        state = _offices(store, list(plan.district_offices(district)), state)
        yield state
        with store.read() as connection:
            codes, schools = _district(connection, district)
        for school in plan.planned_schools(district):
            own = school.organisation
            here = schools.get(own.code)
            if here is None:
                with store.begin() as connection:
                    here = _Present(_staff(connection, school, codes), 0)
            state = Loaded(state.organisations + 1, state.members + len(own.members) + 1, state.students, own.name)
            yield state
            for written in _pupils(store, keystore, master, plan, school, here, codes):
                state = replace(state, students=state.students + written)
                yield state


def _offices(store: Store, planned: list[PlannedOrganisation], before: Loaded) -> Loaded:
    """The city's or one district's offices, all or none; the first of them is the desk."""
    desk = planned[0]
    with store.begin() as connection:
        there = connection.scalar(select(organisation.c.id).where(organisation.c.code == desk.code))
        if there is None:
            above = () if desk.parent is None else (desk.parent,)
            ids = _ids_of(connection, above)
            fresh = columns.draw(connection, "organisation", len(planned))
            ids.update(zip((one.code for one in planned), fresh, strict=True))
            city = ids[desk.parent or desk.code]
            columns.organisations(connection, [(one, city) for one in planned], ids)
            people = [(member, one.code, None) for one in planned for member in one.members]
            _appoint(connection, people, ids)
            touch(connection)
    members = sum(len(one.members) for one in planned)
    return Loaded(before.organisations + len(planned), before.members + members, before.students, desk.name)


def _staff(connection: Connection, school: PlannedSchool, codes: Mapping[str, int]) -> int:
    """A school, its people and its station; the school's id."""
    own = school.organisation
    (number,) = columns.draw(connection, "organisation", 1)
    ids = {**codes, own.code: number}
    city = connection.execute(
        select(organisation.c.city_id).where(organisation.c.id == codes[own.district or ""])
    ).scalar_one()
    columns.organisations(connection, [(own, city)], ids)
    people: list[tuple[PlannedMember, str, int | None]] = [(one, own.code, None) for one in own.members]
    people.append((school.codirector, school.street.code, number))
    members = _appoint(connection, people, ids)
    roles = [one.role for one, _, _ in people]
    directors = members[roles.index("principal")], members[roles.index("codirector")]
    columns.station(connection, number, directors)
    touch(connection)
    return number


def _appoint(
    connection: Connection,
    people: Sequence[tuple[PlannedMember, str, int | None]],
    ids: Mapping[str, int],
) -> list[int]:
    """Enter members with the code of the organisation of their post, and a codirector's school; their ids."""
    numbers = columns.draw(connection, "member", len(people))
    columns.members(
        connection,
        (
            (number, ids[one.home or code], one.name, one.phone)
            for number, (one, code, _) in zip(numbers, people, strict=True)
        ),
    )
    columns.posts(
        connection,
        (
            (number, one.role, ids[code], school, TERM)
            for number, (one, code, school) in zip(numbers, people, strict=True)
        ),
    )
    return numbers


def _pupils(
    store: Store,
    keystore: Keys,
    master: MasterKey,
    plan: SampleCity,
    school: PlannedSchool,
    here: _Present,
    codes: Mapping[str, int],
) -> Iterator[int]:
    """The students that a school lacks, a slice a transaction; how many stand there more after each."""
    if here.students:
        yield here.students
    if here.students >= school.students:
        return
    with store.read() as connection:
        mentors = _mentors(connection, here.id)
    rules = load_policy(versions()[-1]).retention
    missing = plan.planned_students(school, skip=here.students)
    while some := list(islice(missing, SLICE)):
        with store.begin() as connection:
            numbers = columns.draw(connection, "student", len(some))
            # Keys first: one without a student harms nobody, a student without one can't be opened.
            keys = keystore.create_many(numbers)
            keystore.index.put(
                (
                    number,
                    vault.index_of(master, "name", one.name),
                    vault.index_of(master, "id_number", one.id_number),
                )
                for number, one in zip(numbers, some, strict=True)
            )
            columns.students(
                connection,
                (
                    (
                        number,
                        here.id,
                        mentors[one.mentor],
                        codes[one.community],
                        *_sealed(one, number, keys[number], rules),
                    )
                    for number, one in zip(numbers, some, strict=True)
                ),
            )
        yield len(some)


def _sealed(one: PlannedStudent, number: int, key: DataKey, rules: Retention) -> columns.Sealed:
    payload = json.dumps(one.identity(), ensure_ascii=False, separators=(",", ":")).encode()
    return (
        vault.seal(key, place_of(number), "identity", payload).blob,
        rules.keep_until(one.born),
        one.roster_no,
    )


def _ids_of(connection: Connection, codes: tuple[str, ...]) -> dict[str, int]:
    rows = connection.execute(select(organisation.c.code, organisation.c.id).where(organisation.c.code.in_(codes)))
    return {row.code: row.id for row in rows}


def _district(connection: Connection, district: District) -> tuple[dict[str, int], dict[str, _Present]]:
    """The ids of a district's offices by code, and what is there of each of its schools."""
    desk = organisation.alias("desk")
    here = and_(desk.c.code == district.code, organisation.c.district_id == desk.c.id)
    offices = select(organisation.c.code, organisation.c.id).join(desk, here)
    schools = (
        select(organisation.c.code, organisation.c.id, func.count(student.c.roster_no).label("students"))
        .join(desk, here)
        .outerjoin(student, student.c.school_id == organisation.c.id)
        .where(organisation.c.kind == "school")
        .group_by(organisation.c.code, organisation.c.id)
    )
    return (
        {row.code: row.id for row in connection.execute(offices.where(organisation.c.kind != "school"))},
        {row.code: _Present(row.id, row.students) for row in connection.execute(schools)},
    )


def _mentors(connection: Connection, school_id: int) -> list[int]:
    """The school's mentors in the order in which they were planned."""
    held = and_(post.c.organisation_id == school_id, post.c.role == "mentor", post.c.since == TERM)
    return list(connection.scalars(select(post.c.member_id).where(held).order_by(post.c.member_id)))
