"""The sample city: planned the same each time, loaded once, stopped anywhere and gone on with."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from cases import vault
from cases.directory import Directory, Organisation, version_of
from cases.enrolment import place_of
from cases.keystore import KeyStore
from cases.people import KINDS, ROLES, member, organisation, post, student
from cases.people import station as stations
from cases.posts import check_post
from cases.registrar import found
from cases.samples.city import TERM, PlannedStudent, SampleCity, shares, small
from cases.samples.city_fault import CityFault
from cases.samples.gazetteer import gazetteer
from cases.samples.load import Loaded, load, present
from cases.samples.offices import PlannedOrganisation
from cases.store import Store

MASTER = vault.MasterKey(bytes(range(32)))
NOW = datetime(2026, 3, 16, 1, 0, tzinfo=UTC)
TINY = small(schools=2, students=30)


@pytest.fixture
def keystore(server: Store) -> Iterator[KeyStore]:
    with server.scratch() as place:
        keys = KeyStore(place, MASTER)
        keys.prepare()
        yield keys


def refused(code: str) -> pytest.RaisesExc[CityFault]:
    return pytest.RaisesExc(CityFault, check=lambda fault: fault.code == code)


def everything(plan: SampleCity) -> Iterator[PlannedOrganisation]:
    yield from plan.city_offices()
    for district in plan.planned_districts():
        yield from plan.district_offices(district)
        for school in plan.planned_schools(district):
            yield school.organisation


# --- the plan


def test_the_hundred_and_one_streets_stand_in_their_twelve_districts() -> None:
    streets = {district.name: len(district.streets) for district in gazetteer().districts}
    # Pukou has nine by its codes and Luhe twelve; seven of these are Jiangbei's.
    assert streets == {
        "玄武区": 7,
        "秦淮区": 12,
        "建邺区": 6,
        "鼓楼区": 13,
        "浦口区": 5,
        "栖霞区": 9,
        "雨花台区": 7,
        "江宁区": 10,
        "六合区": 9,
        "溧水区": 8,
        "高淳区": 8,
        "江北新区": 7,
    }
    codes = [street.code for district in gazetteer().districts for street in district.streets]
    assert len(set(codes)) == 101
    assert all(re.fullmatch(r"3201\d{2}[0-3]\d{2}", code) for code in codes)


def test_jiangbei_has_the_seven_streets_under_its_direct_administration() -> None:
    jiangbei = gazetteer().districts[-1]
    names = {street.name.removesuffix("街道") for street in jiangbei.streets}
    assert names == {"顶山", "沿江", "泰山", "盘城", "葛塘", "长芦", "大厂"}


def test_the_whole_city_has_exactly_the_schools_and_students_asked_for() -> None:
    plan = SampleCity()
    schools = [school for district in plan.planned_districts() for school in plan.planned_schools(district)]
    assert len(schools) == 700
    assert sum(school.students for school in schools) == 850_000
    assert len({school.organisation.name for school in schools}) == 700


@given(total=st.integers(0, 10**9), weights=st.lists(st.integers(1, 1000), min_size=1, max_size=50))
def test_shares_add_up_and_differ_from_the_exact_ones_by_less_than_one(total: int, weights: list[int]) -> None:
    parts = shares(total, weights)
    assert sum(parts) == total
    whole = sum(weights)
    assert all(abs(part * whole - total * weight) < whole for part, weight in zip(parts, weights, strict=True))


def test_a_small_city_has_every_kind_of_organisation_and_every_role() -> None:
    kinds: Counter[str] = Counter()
    roles: set[str] = set()
    plan = small()
    for one in everything(plan):
        kinds[one.kind] += 1
        roles.update(person.role for person in one.members)
    schools = list(plan.planned_schools(plan.planned_districts()[0]))
    roles.update(school.codirector.role for school in schools)
    assert set(kinds) == set(KINDS)
    assert roles == set(ROLES)
    # "#2" of a scenario is another one of that kind in the same district.
    assert min(kinds[kind] for kind in ("street", "community", "police", "hospital", "school")) >= 2


def test_every_planned_post_is_one_that_the_directory_allows() -> None:
    plan = small()
    by_code = {
        one.code: Organisation(number, one.code, one.kind, one.name, None, None, None, None, None, None)
        for number, one in enumerate(everything(plan))
    }
    for one in everything(plan):
        for person in one.members:
            check_post(person.role, by_code[one.code], None)
        links = {"street": one.street, "hospital": one.hospital, "community": one.community}
        assert all(by_code[code].kind == kind for kind, code in links.items() if code is not None)
    for school in plan.planned_schools(plan.planned_districts()[0]):
        check_post("codirector", by_code[school.street.code], by_code[school.organisation.code])


def test_parents_are_planned_before_their_children_and_no_code_twice() -> None:
    seen: set[str] = set()
    for one in everything(SampleCity(schools=40, students=0)):
        assert one.parent is None or one.parent in seen
        assert one.code not in seen
        seen.add(one.code)


def test_the_same_plan_is_the_same_city_and_another_seed_another() -> None:
    def people(seed: int) -> list[str]:
        plan = SampleCity(schools=3, students=90, seed=seed, districts=("建邺区",))
        (district,) = plan.planned_districts()
        return [one.name for school in plan.planned_schools(district) for one in plan.planned_students(school)]

    assert people(1) == people(1)
    assert people(1) != people(2)


def test_a_student_is_as_old_as_the_grade_says_and_nobody_real() -> None:
    plan = SampleCity(schools=20, students=2_000, districts=("鼓楼区",))
    (district,) = plan.planned_districts()
    for school in plan.planned_schools(district):
        students = list(plan.planned_students(school))
        assert [one.grade for one in students] == sorted(one.grade for one in students)
        for one in students:
            turned_six = date(TERM.year - one.grade + 1, 9, 1)
            assert date(turned_six.year - 7, 9, 1) <= one.born < date(turned_six.year - 6, 9, 1)
            # No region 99 and no number 100… is ever given out.
            assert re.fullmatch(r"990000\d{11}[\dX]", one.id_number)
            assert one.guardians[0]["phone"].startswith("100")
            assert one.mentor in range(school.mentors)


def test_students_can_be_planned_from_the_middle_on() -> None:
    (district,) = TINY.planned_districts()
    school = next(TINY.planned_schools(district))
    assert list(TINY.planned_students(school, skip=4)) == list(TINY.planned_students(school))[4:]


@pytest.mark.parametrize(
    ("code", "sizes"),
    [
        ("no_schools", {"schools": 0}),
        ("too_many_schools", {"schools": 10**9}),
        ("students", {"students": -1}),
        ("no_district", {"districts": ("亚特兰蒂斯区",)}),
        ("twice", {"districts": ("玄武区", "玄武区")}),
    ],
)
def test_an_impossible_city_is_refused_in_both_languages(code: str, sizes: dict[str, object]) -> None:
    with refused(code) as told:
        SampleCity(**sizes)  # type: ignore[arg-type]
    assert told.value.exit_code == 2
    assert told.value.text("zh_CN") != told.value.text("en")


# --- the load


def test_what_is_loaded_is_what_was_planned(store: Store, keystore: KeyStore) -> None:
    heard: list[Loaded] = []
    done = load(store, keystore, MASTER, TINY, heard.append)
    planned = list(everything(TINY))
    assert (done.organisations, done.students) == (len(planned), 30)
    assert [one.students for one in heard] == sorted(one.students for one in heard)
    with store.read() as connection:
        for table, count in ((organisation, done.organisations), (member, done.members), (student, 30)):
            assert connection.scalar(select(func.count()).select_from(table)) == count
        assert connection.scalar(select(func.count()).select_from(post)) == done.members
        assert connection.scalar(select(func.count()).select_from(stations)) == 2
        assert present(connection) == (TINY.facts(), True)


def test_in_a_loaded_city_every_office_of_a_school_is_found_with_its_people(store: Store, keystore: KeyStore) -> None:
    load(store, keystore, MASTER, TINY)
    with store.read() as connection:
        directory = Directory(version_of(connection))
        school = directory.by_code(connection, "320102-school-0001")
        for kind in KINDS:
            place = directory.nearest(connection, school.id, kind)
            lead = {
                "school": "principal",
                "hospital": "liaison",
                "district": "supervisor",
                "city": "supervisor",
            }
            assert directory.holders(connection, place.id, (lead.get(kind, "lead"),), NOW), kind
        station = directory.station(connection, school.id)
        assert station is not None
        codirector = directory.actor(connection, station.codirector_member_id, NOW)
        assert (codirector.organisation_id, codirector.posts[0].school_id) == (school.street_id, school.id)
        (deputy,) = directory.holders(connection, school.id, ("deputy",), NOW)
        assert deputy.organisation_id == school.hospital_id


def test_a_student_is_found_by_name_and_opened_with_the_students_own_key_alone(
    store: Store, keystore: KeyStore
) -> None:
    load(store, keystore, MASTER, TINY)
    (district,) = TINY.planned_districts()
    planned = next(TINY.planned_students(next(TINY.planned_schools(district))))
    with store.read() as connection:
        (number,) = keystore.index.by_id_number(vault.index_of(MASTER, "id_number", planned.id_number))
        row = connection.execute(select(student).where(student.c.id == number)).one()
        whole = " ".join(repr(one) for one in connection.execute(select(student)).all())
    opened = vault.open(keystore.of(row.id), place_of(row.id), "identity", row.identity)
    assert json.loads(opened) == planned.identity()
    assert number in keystore.index.by_name(vault.index_of(MASTER, "name", planned.name))
    assert planned.id_number not in whole
    with pytest.raises(vault.Unreadable):
        vault.open(keystore.of(row.id + 1), place_of(row.id), "identity", row.identity)


def test_loading_again_changes_nothing(store: Store, keystore: KeyStore) -> None:
    first = load(store, keystore, MASTER, TINY)
    with store.read() as connection:
        before = version_of(connection), connection.scalar(select(func.max(student.c.id)))
    assert load(store, keystore, MASTER, TINY) == first
    with store.read() as connection:
        assert (version_of(connection), connection.scalar(select(func.max(student.c.id)))) == before


def test_a_load_stopped_at_any_step_goes_on_to_the_same_city(store: Store, keystore: KeyStore) -> None:
    class Stopped(Exception):
        pass

    def stop(_: Loaded) -> None:
        raise Stopped

    steps = 0
    for steps in range(1, 20):
        heard: list[Loaded] = []

        def note(state: Loaded, heard: list[Loaded] = heard, steps: int = steps) -> None:
            heard.append(state)
            if len(heard) == steps:
                stop(state)

        try:
            done = load(store, keystore, MASTER, TINY, note)
            break
        except Stopped:
            with store.read() as connection:
                assert present(connection) == (TINY.facts(), False)
    else:
        pytest.fail("the load never came to its end")
    assert steps > 5
    with store.read() as connection:
        assert connection.scalar(select(func.count()).select_from(student)) == done.students == 30
        numbers = connection.scalars(select(student.c.roster_no).order_by(student.c.school_id, student.c.id))
        assert sorted(numbers) == sorted(one.roster_no for one in _all_students())


def _all_students() -> Iterator[PlannedStudent]:
    for district in TINY.planned_districts():
        for school in TINY.planned_schools(district):
            yield from TINY.planned_students(school)


_KILLED = """
import os, signal, sys
from cases.keystore import KeyStore
from cases.samples.load import load
from cases.store import Store
from tests.cases.test_city import MASTER, TINY

def die(state):
    if state.students:
        os.kill(os.getpid(), signal.SIGKILL)

load(Store(sys.argv[1]), KeyStore(Store(sys.argv[2]), MASTER), MASTER, TINY, die)
"""


def test_a_killed_load_lets_the_next_one_go_on(store: Store, server: Store) -> None:
    with server.scratch() as place:
        keystore = KeyStore(place, MASTER)
        keystore.prepare()
        killed = subprocess.run(
            [sys.executable, "-c", _KILLED, store.url, place.url], check=False, env={**os.environ}, timeout=60
        )
        assert killed.returncode == -signal.SIGKILL
        with store.read() as connection:
            assert 0 < (connection.scalar(select(func.count()).select_from(student)) or 0) < 30
        assert load(store, keystore, MASTER, TINY).students == 30
        with store.read() as connection:
            assert connection.scalar(select(func.count()).select_from(student)) == 30


def test_samples_are_never_mixed_with_real_records_nor_with_another_sample(store: Store, keystore: KeyStore) -> None:
    with refused("not_the_sample"):
        with store.begin() as connection:
            found(connection, "real", "city", "南京市")
        load(store, keystore, MASTER, TINY)
    with store.read() as connection:
        assert present(connection) is None
        assert connection.scalar(select(func.count()).select_from(organisation)) == 1


def test_another_size_or_no_resume_is_refused_once_a_city_is_here(store: Store, keystore: KeyStore) -> None:
    load(store, keystore, MASTER, small(schools=1, students=0))
    with refused("another_city"):
        load(store, keystore, MASTER, TINY)
    with refused("begun"):
        load(store, keystore, MASTER, small(schools=1, students=0), resume=False)


def test_two_loads_at_once_are_one_too_many(store: Store, keystore: KeyStore) -> None:
    heard: list[Loaded] = []

    def second(state: Loaded) -> None:
        heard.append(state)
        if len(heard) == 2:
            with refused("loading"):
                load(store, keystore, MASTER, TINY)

    assert load(store, keystore, MASTER, TINY, second).students == 30


def test_only_a_slice_of_the_students_is_ever_planned_ahead() -> None:
    plan = SampleCity(schools=1, students=1_000_000, districts=("玄武区",))
    (district,) = plan.planned_districts()
    school = next(plan.planned_schools(district))
    assert [one.roster_no for one in islice(plan.planned_students(school), 2)] == ["000001", "000002"]
