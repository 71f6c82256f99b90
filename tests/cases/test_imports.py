"""Lists brought in: once, whoever is killed in between; twice without a change; and never beyond one's reach."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from cases import forgetting, imports, vault
from cases.import_fault import ImportFault
from cases.import_rows import Kind, MemberRow, OrganisationRow, StudentRow
from cases.imports import Checked, Job
from cases.office import Session
from cases.people import member, organisation, post, station, student
from cases.placing import Reach
from cases.refusal import Refusal
from cases.store import Store
from tests.town import START, Town, town

ALL = Reach()


@pytest.fixture
def city(store: Store) -> Iterator[Town]:
    with town(store) as built:
        yield built


def checked(city: Town, kind: Kind, rows: Sequence[Any], reach: Reach = ALL) -> Checked:
    with city.store.read() as connection:
        return imports.check(Session(connection, city.office), kind, rows, reach)


def codes(found: Checked) -> list[tuple[int, str, str]]:
    return [(one.row, one.name, one.code) for one in found.faults]


def bring_in(city: Town, kind: Kind, rows: Sequence[Any], reach: Reach = ALL, content: bytes = b"x") -> Job:
    assert codes(checked(city, kind, rows, reach)) == []
    digest = imports.digest_of(city.office, kind, content, reach.school)
    with city.store.begin() as connection:
        job = imports.begin(connection, kind, reach, digest, len(rows), START)
    return imports.run(city.store, city.office, job.id, rows, reach, lambda: START)


def counts(job: Job) -> tuple[int, int, int, int]:
    return job.added, job.changed, job.same, job.skipped


def roster(city: Town) -> Reach:
    return Reach(None, city.places["school"].id)


def pupils(count: int, first: int = 1) -> list[StudentRow]:
    return [
        StudentRow(
            number + 1, f"r{number}", f"学生{number}", date(2015, number % 12 + 1, 3), {"grade": 3, "class": "3-1"}
        )
        for number in range(first, first + count)
    ]


def version(city: Town) -> int:
    from cases.directory import version_of

    with city.store.read() as connection:
        return version_of(connection)


# ---------------------------------------------------------------------------- organisations


def test_organisations_come_parents_first_whatever_their_order(city: Town) -> None:
    rows = [
        OrganisationRow(2, "N-school", "school", "新示例学校", "N-street", hospital="T-hospital", community="N-comm"),
        OrganisationRow(3, "N-comm", "community", "新示例社区", "新示例街道"),
        OrganisationRow(4, "N-street", "street", "新示例街道", "T-district"),
    ]
    assert counts(bring_in(city, "organisations", rows)) == (3, 0, 0, 0)
    with city.store.read() as connection:
        row = connection.execute(select(organisation).where(organisation.c.code == "N-school")).one()
        street = connection.scalar(select(organisation.c.id).where(organisation.c.code == "N-street"))
    assert (row.district_id, row.street_id, row.hospital_id) == (
        city.places["district"].id,
        street,
        city.places["hospital"].id,
    )
    before = version(city)
    assert counts(bring_in(city, "organisations", rows)) == (0, 0, 3, 0)
    assert version(city) == before
    moved = [replace(rows[2], name="改名街道", parent="T-district#2"), *rows[:1], replace(rows[1], parent="N-street")]
    assert counts(bring_in(city, "organisations", moved)) == (0, 1, 2, 0)
    with city.store.read() as connection:
        row = connection.execute(select(organisation).where(organisation.c.code == "N-school")).one()
    assert row.district_id == city.places["district#2"].id


def test_every_fault_of_an_organisation_is_named(city: Town) -> None:
    rows = [
        OrganisationRow(2, "A", "street", "甲街道"),
        OrganisationRow(3, "B", "park", "乙", "T-district"),
        OrganisationRow(4, "C", "street", "丙", "nowhere"),
        OrganisationRow(5, "T-police", "street", "丁", "T-district"),
        OrganisationRow(6, "E", "police", "戊", "T-district", street="T-district", hospital="T-hospital"),
        OrganisationRow(7, "F", "school", "己", "T-street", hospital="T-police", community="F"),
        OrganisationRow(8, "F", "school", "庚", "T-street"),
        OrganisationRow(9, "G", "police", "辛", "H"),
        OrganisationRow(10, "H", "police", "壬", "G"),
        OrganisationRow(11, "T-district", "district", "示例district", "T-street"),
    ]
    assert codes(checked(city, "organisations", rows)) == [
        (2, "parent", "needs_parent"),
        (3, "kind", "not_one_of"),
        (4, "parent", "no_such_place"),
        (5, "kind", "kind_differs"),
        (6, "street", "wrong_kind"), (6, "hospital", "only_schools"),
        (7, "hospital", "wrong_kind"), (7, "community", "wrong_kind"),
        (8, "code", "twice"),
        (9, "parent", "loop"),
        (10, "parent", "loop"),
        (11, "parent", "loop"),
    ]  # fmt: skip
    with city.store.read() as connection:
        assert connection.scalar(select(func.count()).where(organisation.c.code.in_(list("ABCEFGH")))) == 0


def test_an_admin_reaches_what_is_below_and_nothing_else(city: Town) -> None:
    with city.store.read() as connection:
        admin = city.office.directory.actor(connection, city.members["admin@district"], START)
        reach = imports.reach_of(connection, admin, "organisations")
        officer = city.office.directory.actor(connection, city.members["officer@street"], START)
        with pytest.raises(Refusal, match="not_permitted"):
            imports.reach_of(connection, officer, "members")
        with pytest.raises(Refusal, match="not_permitted"):
            imports.reach_of(connection, admin, "students", "T-school")
        counselor = city.office.directory.actor(connection, city.members["counselor@school"], START)
        assert imports.reach_of(connection, counselor, "students", "T-school").school == city.places["school"].id
        with pytest.raises(Refusal, match="invalid"):
            imports.reach_of(connection, counselor, "students", "T-street")
    rows = [
        OrganisationRow(2, "A", "street", "甲", "T-district#2"),
        OrganisationRow(3, "T-district#2", "district", "改名", None),
        OrganisationRow(4, "B", "street", "乙", "T-district"),
        OrganisationRow(5, "D", "city", "丁", None),
        OrganisationRow(6, "T-street", "street", "示例street", "T-district#2"),
    ]
    assert codes(checked(city, "organisations", rows, reach)) == [
        (2, "parent", "out_of_reach"),
        (3, "code", "out_of_reach"),
        (5, "parent", "out_of_reach"),
        (6, "parent", "out_of_reach"),
    ]
    people = [MemberRow(2, "T-city", "某人", ("admin",)), MemberRow(3, "T-street", "某人", ("officer",))]
    assert codes(checked(city, "members", people, reach)) == [(2, "organisation", "out_of_reach")]


# ---------------------------------------------------------------------------------- members


def test_members_come_once_with_their_posts(city: Town) -> None:
    rows = [
        MemberRow(2, "T-street", "王示例", ("officer", "lead"), "13800000001", "a@example.cn"),
        MemberRow(3, "示例police", "李示例", ("officer",)),
    ]
    assert counts(bring_in(city, "members", rows)) == (2, 0, 0, 0)
    before = version(city)
    assert counts(bring_in(city, "members", rows)) == (0, 0, 2, 0)
    assert version(city) == before
    changed = [replace(rows[0], phone="13800000009"), replace(rows[1], roles=("officer", "lead"))]
    assert counts(bring_in(city, "members", changed)) == (0, 2, 0, 0)
    with city.store.read() as connection:
        number = connection.scalar(select(member.c.id).where(member.c.name == "李示例"))
        held = connection.scalars(select(post.c.role).where(post.c.member_id == number)).all()
        assert sorted(held) == ["lead", "officer"]
        assert connection.scalar(select(func.count()).where(member.c.name == "王示例")) == 1
        assert connection.scalar(select(post.c.since).where(post.c.member_id == number).limit(1)) == date(2026, 3, 17)


def test_namesakes_are_told_apart_by_telephone(city: Town) -> None:
    two = [
        MemberRow(2, "T-street", "王伟", ("officer",), "13800000001"),
        MemberRow(3, "T-street", "王伟", ("lead",), "13800000002"),
    ]
    assert counts(bring_in(city, "members", two)) == (2, 0, 0, 0)
    assert counts(bring_in(city, "members", two)) == (0, 0, 2, 0)
    assert codes(checked(city, "members", [MemberRow(2, "T-street", "王伟", ("officer",))])) == [
        (2, "phone", "several_members")
    ]
    twice = [two[0], replace(two[0], row=9)]
    assert (9, "name", "twice") in codes(checked(city, "members", twice))


def test_every_fault_of_a_member_is_named(city: Town) -> None:
    rows = [
        MemberRow(2, "nowhere", "甲", ("officer",)),
        MemberRow(3, "T-street", "乙", ("liaison",)),
        MemberRow(4, "T-school", "丙", ("principal",)),
        MemberRow(5, "T-street", "丁", ("codirector",)),
        MemberRow(6, "T-street", "戊", ("codirector",), school="T-school"),
        MemberRow(7, "T-street#2", "己", ("codirector",), school="T-school"),
        MemberRow(8, "T-street", "庚", ("officer",), school="T-school"),
        MemberRow(9, "T-street", "辛", ("officer",), language="fr"),
        MemberRow(10, "nowhere", "壬", ("officer",), language="fr", school="nowhere"),
    ]
    found = checked(city, "members", rows)
    assert sorted(codes(found)) == [
        (2, "organisation", "no_such_place"),
        (3, "roles", "role_elsewhere"),
        (4, "roles", "post_taken"),
        (5, "school", "needs_school"),
        (6, "roles", "post_taken"),
        (7, "roles", "twice"),
        (7, "school", "wrong_link"),
        (8, "school", "no_school_here"),
        (9, "language", "not_one_of"),
        (10, "language", "not_one_of"),
        (10, "organisation", "no_such_place"),
        (10, "school", "no_such_place"),
    ]
    for one in found.faults:
        assert one.text("zh_CN")
        assert one.text("en")


def test_a_school_with_both_directors_has_its_station(city: Town) -> None:
    school = [OrganisationRow(2, "N-school", "school", "新示例学校", "T-street", hospital="T-hospital")]
    bring_in(city, "organisations", school)
    rows = [
        MemberRow(2, "N-school", "校长", ("principal",)),
        MemberRow(3, "T-street", "街道主任", ("codirector",), school="N-school"),
    ]
    bring_in(city, "members", rows)
    with city.store.read() as connection:
        assert connection.scalar(select(func.count()).select_from(station)) == 1


# --------------------------------------------------------------------------------- students


def test_a_roster_is_sealed_at_once_and_comes_once(city: Town) -> None:
    rows = pupils(30)
    rows[0] = replace(rows[0], mentor="mentor@school", community="T-community", identity={"address": "CANARY"})
    assert counts(bring_in(city, "students", rows, roster(city))) == (30, 0, 0, 0)
    assert counts(bring_in(city, "students", rows, roster(city))) == (0, 0, 30, 0)
    with city.store.read() as connection:
        found = connection.execute(select(student).where(student.c.roster_no == "r1")).one()
        everything = str(connection.execute(select(student)).all())
    assert found.mentor_member_id == city.members["mentor@school"]
    assert found.community_id == city.places["community"].id
    assert found.keep_until == date(2036, 12, 31)
    assert "学生" not in everything
    assert "CANARY" not in everything
    key = city.office.keystore.of(found.id)
    opened = vault.open(key, f"student|{found.id}", "identity", found.identity).decode()
    assert '"address":"CANARY"' in opened
    by_name = city.office.keystore.index.by_name(vault.index_of(city.office.master, "name", "学生1"))
    assert by_name == [found.id]
    changed = [replace(rows[1], identity={"grade": 4}), *rows[2:]]
    assert counts(bring_in(city, "students", changed, roster(city), b"y")) == (0, 1, 28, 0)


def test_a_student_whom_a_whistle_enrolled_is_that_student(city: Town) -> None:
    city.whistle(student={"name": "小怡", "born": "2016-11-02", "id_number": "990099201611020070"})
    city.whistle(student={"name": "小明", "born": "2015-05-05"})
    rows = [
        StudentRow(2, "a", "小怡", date(2016, 11, 2), {"id_number": "990099201611020070", "grade": 3}),
        StudentRow(3, "b", "小明", date(2015, 5, 5), {"grade": 4}),
        StudentRow(4, "c", "小明", date(2014, 5, 5)),
    ]
    assert counts(bring_in(city, "students", rows, roster(city))) == (1, 2, 0, 0)
    with city.store.read() as connection:
        assert connection.scalar(select(func.count()).select_from(student)) == 3
    # And the next whistle finds the one of the roster.
    fired = city.whistle(student={"name": "小明", "born": "2014-05-05"})
    with city.store.read() as connection:
        assert connection.scalar(select(student.c.roster_no).where(student.c.id == fired.case.student)) == "c"


def test_every_fault_of_a_roster_is_named(city: Town) -> None:
    bring_in(city, "students", pupils(2), roster(city))
    rows = [
        StudentRow(2, "r1", "别人", date(2014, 1, 1)),
        StudentRow(3, "n1", "甲", date(2015, 1, 1), mentor="nobody"),
        StudentRow(4, "n2", "乙", date(2015, 1, 1), community="T-street"),
        StudentRow(5, "n2", "丙", date(2015, 1, 1), {"id_number": "990099201501010073"}),
        StudentRow(6, "n3", "丁", date(2015, 1, 1), {"id_number": "990099201501010073"}, community="nowhere"),
    ]
    assert codes(checked(city, "students", rows, roster(city))) == [
        (2, "roster_no", "someone_else"),
        (3, "mentor", "no_such_mentor"),
        (4, "community", "wrong_kind"),
        (5, "roster_no", "twice"),
        (6, "id_number", "twice"),
        (6, "community", "no_such_place"),
    ]


def test_a_student_who_was_forgotten_is_passed_over(city: Town) -> None:
    bring_in(city, "students", pupils(3), roster(city))
    with city.store.read() as connection:
        number = connection.scalar(select(student.c.id).where(student.c.roster_no == "r2"))
    assert number is not None
    forgetting.forget(city.store, city.office, number, START, why="retention.case")
    assert counts(bring_in(city, "students", pupils(3), roster(city), b"again")) == (0, 0, 2, 1)
    with city.store.read() as connection:
        assert connection.scalar(select(student.c.identity).where(student.c.id == number)) is None


# ------------------------------------------------------------------------------ killed, at once

KILLED = """
import os, signal, sys
from base64 import b64decode
from datetime import date
from cases import imports
from cases.installation import Installation
from cases.keystore import KeyStore
from cases.store import Store
from cases.vault import MasterKey
from tests.cases.test_imports import START, Reach, pupils

imports.BATCH = 100
store, keys = Store(sys.argv[1]), Store(sys.argv[2])
master = MasterKey(b64decode(sys.argv[3]))
office = Installation(store, KeyStore(keys, master), master).office("nanjing-2026.1")
def told(done, of):
    if done >= int(sys.argv[6]):
        os.kill(os.getpid(), signal.SIGKILL)
imports.run(store, office, int(sys.argv[4]), pupils(1000), Reach(None, int(sys.argv[5])), lambda: START, told)
"""


def test_killed_in_the_middle_and_run_again_it_is_complete_without_doubles(city: Town, tmp_path: Path) -> None:
    import base64

    from cases.keystore import KeyStore
    from cases.vault import MasterKey

    secret = bytes(range(32))
    reach, rows = roster(city), pupils(1000)
    city.store.create_database(f"more_{city.store.name}")
    try:
        with city.store.at(f"more_{city.store.name}") as keys:
            master = MasterKey(secret)
            city.office.master, city.office.keystore = master, KeyStore(keys, master)
            city.office.keystore.prepare()
            with city.store.begin() as connection:
                job = imports.begin(connection, "students", reach, b"d" * 32, len(rows), START)
            script = tmp_path / "killed.py"
            script.write_text(textwrap.dedent(KILLED))
            for stop in (200, 700):
                given = [city.store.url, keys.url, base64.b64encode(secret).decode(), str(job.id), str(reach.school)]
                root = Path(__file__).parents[2]
                ended = subprocess.run(
                    [sys.executable, script, *given, str(stop)], cwd=root, env={"PYTHONPATH": str(root)}, check=False
                )
                assert ended.returncode == -signal.SIGKILL
                with city.store.read() as connection:
                    assert imports.read(connection, job.id).done == stop
                    assert connection.scalar(select(func.count()).select_from(student)) == stop
            done = imports.run(city.store, city.office, job.id, rows, reach, lambda: START)
            assert (done.state, done.done, counts(done)) == ("done", 1000, (1000, 0, 0, 0))
            with city.store.read() as connection:
                assert connection.scalar(select(func.count(func.distinct(student.c.roster_no)))) == 1000
                assert connection.scalar(select(func.count()).select_from(student)) == 1000
    finally:
        city.store.drop_database(f"more_{city.store.name}")


def test_two_at_once_write_one_after_the_other(city: Town) -> None:
    reach, rows = roster(city), pupils(3)
    with city.store.begin() as connection:
        job = imports.begin(connection, "students", reach, b"d" * 32, 3, START)
        # The same file again is the same job.
        assert imports.begin(connection, "students", reach, b"d" * 32, 3, START).id == job.id
    with imports._alone(city.store, f"students {reach.school}"), pytest.raises(ImportFault, match="Another process"):
        imports.run(city.store, city.office, job.id, rows, reach, lambda: START)
    assert imports.run(city.store, city.office, job.id, rows, reach, lambda: START).added == 3


def test_a_row_that_no_longer_holds_stops_it_and_says_which(city: Town) -> None:
    rows = [OrganisationRow(2, "A", "street", "甲", "T-district"), OrganisationRow(3, "B", "street", "乙", "gone")]
    with city.store.begin() as connection:
        job = imports.begin(connection, "organisations", Reach(), b"d" * 32, 2, START)
    with pytest.raises(ImportFault) as caught:
        imports.run(city.store, city.office, job.id, rows, Reach(), lambda: START)
    assert (caught.value.code, caught.value.facts["row"]) == ("changed", "3")
    with city.store.read() as connection:
        assert connection.scalar(select(func.count()).where(organisation.c.code == "A")) == 0
