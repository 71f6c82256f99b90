"""A city of 100,000 cases for the door: patterns that the real engine has made, copied into three hundred schools.

Nine of ten are over, the rest at work, some of those late. Each copy has a student of its own with a sealed name,
and the people of its own school and street; its sections keep the pattern's seals and don't open. Whoever reads or
writes a case reads and writes one of `Big.hot`, which the engine has made for that school itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from sqlalchemy import Connection, text

from cases import vault
from cases.enrolment import place_of
from cases.people import KINDS
from cases.posts import enlist
from cases.registrar import found
from cases.samples import columns
from cases.who import Organisation
from tests.town import SINCE, STUDENT, Town, roles_of

DISTRICTS, STREETS, SCHOOLS = 12, 8, 25
OPEN_SHARE = 10
"""One case of so many is at work: of a year's, those of the last month."""
FIRST = 1_000_000
"""Ids of copies begin here, of cases and of students."""
_OWN = frozenset({"city", "district", "street", "community", "school"})
_SCORE = {"measures": "two home visits", "outcome": "solved"}
_SCHOOLS_SQL = "(CAST(:slot AS int) + n) % :slots"


@dataclass(slots=True)
class Slot:
    """One school with everybody who would be called to its cases: organisations and members as in `tests.town`."""

    places: dict[str, Organisation] = field(default_factory=dict)
    members: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Big:
    """The city: its schools, and for each of the first of them the numbers of cases made for it by the engine."""

    town: Town
    slots: list[Slot]
    hot: dict[int, list[str]] = field(default_factory=dict)


def build(town: Town, now: datetime, *, cases: int, hot: int) -> Iterator[str | Big]:
    """Found the places, make patterns, copy them, make cases for `hot` schools; says what it did, then the city."""
    slots = _places(town)
    yield f"{len(slots)} schools in {DISTRICTS} districts"
    over, running = list(_over(town, now)), list(_running(town, now))
    with town.store.begin() as connection:
        connection.execute(text("SELECT set_config('statement_timeout', '0', true)"))
        # What is copied was told long ago: no trigger lays it out for delivery again.
        connection.execute(text("SELECT set_config('session_replication_role', 'replica', true)"))
        _mappings(connection, slots)
        _students(connection, town, slots, cases)
        done = 0
        share = {one: cases // OPEN_SHARE // len(running) for one in running}
        share |= {one: (cases - sum(share.values())) // len(over) for one in over}
        share[over[0]] += cases - sum(share.values())
        for pattern, count in share.items():
            _copies(connection, pattern, done, count, len(slots), shifted=pattern in over)
            done += count
    with town.store.administered() as connection:
        connection.execute("VACUUM ANALYZE")
    yield f"{done:,} cases, of {len(over)} patterns that are over and {len(running)} at work"
    big = Big(town, slots)
    for number, slot in enumerate(slots[:hot]):
        big.hot[number] = list(_hot(town, slot, number, now))
    yield big


# ------------------------------------------------------------------------------------------------ places and people


def _places(town: Town) -> list[Slot]:
    slots = [Slot({name: one for name, one in town.places.items() if "#" not in name}, dict(town.members))]
    with town.store.begin() as connection:
        for number in range(1, DISTRICTS + 1):
            slots += _district(connection, town.places["city"], number)
    slots[0].places["city"] = town.places["city"]
    return slots


def _district(connection: Connection, city: Organisation, number: int) -> list[Slot]:
    common = Slot()

    def place(into: Slot, name: str, code: str, above: Organisation, **links: Organisation) -> Organisation:
        made = found(connection, code, name, f"{name} {code}", above, **links)
        into.places[name] = made
        for role in roles_of(name):
            into.members[f"{role}@{name}"] = enlist(connection, made, f"{role} {code}", [role], since=SINCE).id
        return made

    common.places["city"] = city
    district = place(common, "district", f"D{number}", city)
    for kind in KINDS:
        if kind not in _OWN:
            place(common, kind, f"D{number}-{kind}", district)
    slots = []
    for near in range(STREETS):
        here = Slot(dict(common.places), dict(common.members))
        street = place(here, "street", f"D{number}-S{near}", district)
        community = place(here, "community", f"D{number}-C{near}", street)
        for one in range(near, SCHOOLS, STREETS):
            slot = Slot(dict(here.places), dict(here.members))
            links = {"hospital": common.places["hospital"], "community": community}
            place(slot, "school", f"D{number}-X{one}", street, **links)
            slots.append(slot)
    return slots


# --------------------------------------------------------------------------------------------------------- patterns


def _over(town: Town, now: datetime) -> Iterator[int]:
    """Cases from the first whistle to the end, closed or withdrawn long ago."""
    begun = now - timedelta(days=30)
    for number, (level, concern) in enumerate((("red", "harmful_home"), ("orange", "left_behind"))):
        case = _whistled(town, begun, level, concern, number)
        at = begun + timedelta(minutes=10)
        town.fire("counselor@school", case, 0, "record_safe_plan", {"plan": "stays with her aunt"}, at)
        scores = {}
        for place, no in _assignments(town, case):
            form = {"at": at.isoformat(), "where": "home", "mode": "on_site", "people": ["李"]}
            town.fire(f"officer@{place}", case, no, "report_in", form, at)
            for day in range(2):
                note = {"note": f"visit {day}: spoke with the grandmother and the neighbours"}
                town.fire(f"officer@{place}", case, no, "record_progress", note, at)
            town.fire(f"officer@{place}", case, no, "give_feedback", _SCORE, at)
            town.fire("counselor@school", case, no, "accept_feedback", None, at)
            scores[town.places[place].id] = {"score": 5}
        if level == "red":
            town.fire("principal@school", case, 0, "sign_off", None, at)
        town.fire("counselor@school", case, 0, "evaluate", {"scores": scores}, at)
        done = {"outcome": "resolved", "summary": "safe"}
        town.fire("coordinator@district", case, 0, "close", done, at)
        yield case
    case = _whistled(town, begun, "orange", "left_behind", 9)
    town.fire("counselor@school", case, 0, "withdraw", {"reason": "a misunderstanding"}, begun + timedelta(minutes=5))
    yield case


def _running(town: Town, now: datetime) -> Iterator[int]:
    """Cases of the last day; of ten one is long overdue, and one or two have a rung in each of the coming minutes."""
    for number in range(40):
        late, soon = number % 10 == 0, number % 10 in {3, 6}
        begun = now - (timedelta(minutes=58.5 - number / 10) if soon else timedelta(minutes=100 + 37 * number))
        red = number % 3 == 0 and not soon
        level, concern = ("red", "harmful_home") if red else ("orange", "left_behind")
        case = _whistled(town, begun, level, concern, 20 + number)
        town.fire("principal@school", case, 0, "sign_off", None, begun + timedelta(minutes=1))
        for place, no in _assignments(town, case):
            if (late or soon) and place == "street":
                continue
            at = begun + timedelta(minutes=4)
            form = {"at": at.isoformat(), "where": "home", "mode": "on_site", "people": ["李"]}
            town.fire(f"officer@{place}", case, no, "report_in", form, at)
            town.fire(f"officer@{place}", case, no, "record_progress", {"note": "a first talk"}, at)
        yield case
    town.run_until(now)


def _hot(town: Town, slot: Slot, number: int, now: datetime) -> Iterator[str]:
    """Two cases of that school's own, both at work with its street."""
    own = Town(town.store, town.office, slot.places, slot.members)
    for turn in range(2):
        begun = now - timedelta(minutes=3 + turn)
        case = _whistled(own, begun, "orange", "left_behind", 1000 + number * 2 + turn)
        for place, no in _assignments(own, case):
            at = begun + timedelta(minutes=1)
            form = {"at": at.isoformat(), "where": "home", "mode": "on_site", "people": ["李"]}
            own.fire(f"officer@{place}", case, no, "report_in", form, at)
        with town.store.read() as connection:
            yield str(connection.scalar(text("SELECT number FROM cases WHERE id = :id"), {"id": case}))


def _whistled(town: Town, at: datetime, level: str, concern: str, number: int) -> int:
    student = {**STUDENT, "name": f"小示例{number}"}
    return town.whistle(at, level=level, concern=concern, student=student).case.id


def _assignments(town: Town, case: int) -> list[tuple[str, int]]:
    names = {one.id: name for name, one in town.places.items()}
    query = text("SELECT organisation_id, no FROM track WHERE case_id = :id AND kind = 'assignment' ORDER BY no")
    with town.store.read() as connection:
        return [(names[row[0]], row[1]) for row in connection.execute(query, {"id": case})]


# ----------------------------------------------------------------------------------------------------------- copies


def _mappings(connection: Connection, slots: list[Slot]) -> None:
    """What each organisation and member of the pattern's school becomes in another."""
    for table in ("slot_place", "slot_member"):
        connection.execute(text(f"CREATE TEMP TABLE {table} (slot int, was bigint, is_now bigint) ON COMMIT DROP"))
    first = slots[0]
    places = [(number, first.places[name].id, one.id) for number, slot in enumerate(slots)
              for name, one in slot.places.items()]  # fmt: skip
    members = [(number, first.members[name], one) for number, slot in enumerate(slots)
               for name, one in slot.members.items() if name in first.members]  # fmt: skip
    for table, rows in (("slot_place", places), ("slot_member", members)):
        given = [dict(zip(("slot", "was", "is_now"), row, strict=True)) for row in rows]
        connection.execute(text(f"INSERT INTO {table} VALUES (:slot, :was, :is_now)"), given)  # noqa: S608 - ours
        connection.execute(text(f"CREATE INDEX ON {table} (slot, was)"))
        connection.execute(text(f"ANALYZE {table}"))


def _students(connection: Connection, town: Town, slots: list[Slot], count: int) -> None:
    """One student for each copy, with a name that opens."""
    keystore = town.office.keystore
    for block in range(0, count, 5_000):
        numbers = range(FIRST + block, FIRST + min(block + 5_000, count))
        keys = keystore.create_many(numbers)
        columns.students(connection, (
            (number, slot.places["school"].id, slot.members["mentor@school"], slot.places["community"].id,
             _sealed(number, keys[number]), date(2040, 1, 1), f"r{number}")
            for number, slot in ((one, slots[(one - FIRST) % len(slots)]) for one in numbers)
        ))  # fmt: skip


def _sealed(number: int, key: vault.DataKey) -> bytes:
    written = {"name": f"小示{number % 1000}", "born": "2016-11-02", "grade": 3}
    return vault.seal(key, place_of(number), "identity", json.dumps(written).encode()).blob


_OF = "LEFT JOIN slot_{of} {name} ON {name}.slot = {slot} AND {name}.was = p.{column}"
_TABLES = {
    "track": "no kind state organisation_id parent_no about_no opened_at ended_at alarm_at alarm_move facts",
    "clock": "no track_no name state organisation_id started_at due_at wake_at stopped_at rung provisional face",
    "called": "organisation_id kind since until",
    "event": "seq at track_no kind name trigger source target organisation_id actor_id role actor_organisation_id"
    " cause confidential open signals identity narrative clinical commitments digest",
    "message": "seq member_id at kind level items read_at",
}
_PLACES = frozenset({"organisation_id", "actor_organisation_id", "school_id", "district_id", "city_id"})
_MEMBERS = frozenset({"actor_id", "member_id", "whistler_id"})
_INSTANTS = frozenset({"created_at", "closed_at", "last_at", "opened_at", "ended_at", "started_at", "due_at",
                       "stopped_at", "since", "until", "at"})  # fmt: skip
_CASE = ("school_id district_id city_id concern level state policy created_at closed_at version events head last_at"
         " wake_at whistler_id whistler_role facts")  # fmt: skip


def _copies(connection: Connection, pattern: int, done: int, count: int, slots: int, *, shifted: bool) -> None:
    """The pattern `count` times, in one school after the other; `shifted` over the ten months before it, in order.

    History is written as it happens: what happened together lies together.
    """
    values = {"pattern": pattern, "first": FIRST + done, "slot": done % slots, "slots": slots, "count": count}
    later = " - (:count - n) * (430000.0 / :count) * interval '1 minute'" if shifted else ""
    picked, joined = _picked(_CASE.split(), later)
    connection.execute(text(
        f"INSERT INTO cases (id, number, student_id, {_CASE.replace(' ', ', ')})"  # noqa: S608 - constants
        f" SELECT :first + n, 'WH-2026-' || (:first + n), :first + n, {picked}"
        f" FROM cases p CROSS JOIN generate_series(0, :count - 1) n {joined} WHERE p.id = :pattern"
    ), values)  # fmt: skip
    for table, names in _TABLES.items():
        picked, joined = _picked(names.split(), later)
        connection.execute(text(
            f"INSERT INTO {table} (case_id, {names.replace(' ', ', ')}) SELECT :first + n, {picked}"  # noqa: S608
            f" FROM {table} p CROSS JOIN generate_series(0, :count - 1) n {joined} WHERE p.case_id = :pattern"
        ), values)  # fmt: skip


def _picked(names: list[str], later: str) -> tuple[str, str]:
    """The columns of a copy, and the joins that bring its organisations and members."""
    parts, joins = [], []
    for column in names:
        if column in _PLACES | _MEMBERS:
            of = "place" if column in _PLACES else "member"
            joins.append(_OF.format(of=of, name=f"of_{column}", slot=_SCHOOLS_SQL, column=column))
            parts.append(f"coalesce(of_{column}.is_now, p.{column})")
        else:
            parts.append(f"p.{column}{later if column in _INSTANTS else ''}")
    return ", ".join(parts), " ".join(joins)
