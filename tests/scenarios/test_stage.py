"""The stage: a database and a cast of its own, other policies, several cases, an audit that can find something."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from api.cli import run
from cases.office import Session
from cases.people import KINDS
from cases.play import play, policy_of, read_script, staged
from cases.scenario.address import Address, Person, Place, address, person, place
from cases.scenario.audit import audit
from cases.scenario.report import Outcome
from cases.scenario.stage import Stage
from cases.store import Store
from policies.book import load
from tests.scenarios.stories import STORY, doing, expecting, written


def test_a_play_writes_nothing_into_the_installation_s_own_database(tmp_path: Path, server: Store) -> None:
    tables = text("SELECT relname, n_tup_ins FROM pg_stat_user_tables ORDER BY relname")
    with server.read() as connection:
        before = connection.execute(tables).all()
    assert play(written(tmp_path), server).ok
    with server.read() as connection:
        assert connection.execute(tables).all() == before


def test_another_policy_moves_the_limits(tmp_path: Path, beside: Store, capsys: pytest.CaptureFixture[str]) -> None:
    story = expecting(tmp_path, "due: {sign_off: 2026-02-14T18:00}")
    shipped = load("nanjing-2026.1").source_text
    marked = shipped.index("sign_off:")
    changed = shipped[:marked] + shipped[marked:].replace("blue: 1wd", "blue: 3wd", 1)
    assert changed != shipped
    other = written(tmp_path, changed.replace("nanjing-2026.1", "nanjing-2026.9"), "nanjing-2026.9.yaml")
    assert run(["play", str(story), "--quiet"]) == 0
    assert run(["play", str(story), "--quiet", "--policy", str(other)]) == 1
    assert "expected 2026-02-14T18:00, found 2026-02-25T18:00" in capsys.readouterr().out


def test_a_faulty_policy_is_told_like_a_faulty_file(
    tmp_path: Path, beside: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    other = written(tmp_path, "version: x\n", "other.yaml")
    assert run(["play", str(written(tmp_path)), "--policy", str(other)]) == 2
    assert "other.yaml:" in capsys.readouterr().err


def test_one_of_every_kind_stands_on_the_stage_and_a_second_only_where_named(tmp_path: Path, store: Store) -> None:
    script = read_script(doing(tmp_path, "by: officer@street#2", "do: sign_off", "refused: not_found"))
    staged(store, policy_of(script), script)
    with store.read() as connection:
        kinds = list(connection.execute(text("SELECT kind FROM organisation ORDER BY id")).scalars())
        links = connection.execute(
            text(
                "SELECT street.kind, community.street_id = street.id, hospital.kind FROM organisation school "
                "JOIN organisation street ON street.id = school.street_id "
                "JOIN organisation community ON community.id = school.community_id "
                "JOIN organisation hospital ON hospital.id = school.hospital_id WHERE school.kind = 'school'"
            )
        ).all()
    assert sorted(kinds) == sorted([*KINDS, "street"])
    assert [tuple(row) for row in links] == [("street", True, "hospital")]


def test_a_school_of_another_district_is_another_world(tmp_path: Path, server: Store) -> None:
    child = "student: {name: 小明, born: 2014-01-01}, school: school@district#2"
    step = (
        "by: coordinator@district#2",
        "do: whistle",
        f"with: {{concern: left_behind, level: red, summary: alone, {child}}}",
        "case: 2",
        "expect:",
        "  tracks: {assignment(street@district#2): summoned}",
        "  sees: {coordinator@district: nothing, coordinator@district#2: {identity: yes}}",
    )
    assert play(doing(tmp_path, *step), server).failed == ()


def test_two_cases_of_one_student_are_merged(tmp_path: Path, server: Store) -> None:
    second = STORY.split("steps:\n", 1)[1].replace("+0m", "+20m").replace("+10m", "+30m")
    second = second.replace("    do:", "    case: 2\n    do:")
    merge = (
        "  - at: +40m\n    by: coordinator@district\n    do: merge\n    with: {into: 2, reason: doubled}\n"
        "    expect: {case: merged, tracks: {assignment(street): cancelled}}\n"
        "  - at: +41m\n    case: 2\n    expect: {case: open}\n"
        "finally: {case: merged, audit: verified}\n"
    )
    assert play(written(tmp_path, STORY + second + merge), server).failed == ()


def test_a_mentor_of_the_student_sees_the_case_and_one_of_another_does_not(tmp_path: Path, server: Store) -> None:
    look = "sees: {mentor@school: {identity: yes, narrative: yes, clinical: no}}"
    without = expecting(tmp_path, look)
    assert len(play(without, server).failed) == 1
    minded = written(tmp_path, "mentor: mentor@school\n" + without.read_text("utf-8"))
    assert play(minded, server).failed == ()


def test_two_posts_can_be_one_person_s(tmp_path: Path, server: Store) -> None:
    spoken = "one_person: [[principal@school, officer@street]]\n"
    path = doing(tmp_path, "by: principal@school", "do: assignment(street).acknowledge")
    assert len(play(path, server).failed) == 1
    assert play(written(tmp_path, spoken + path.read_text("utf-8")), server).failed == ()


@pytest.mark.parametrize(
    ("tampering", "said"),
    [
        ("UPDATE event SET open = '{\"x\": 1}' WHERE seq = 1", "the chain breaks at event 1"),
        ("DELETE FROM event WHERE seq = (SELECT max(seq) FROM event)", "the chain breaks"),
        ("UPDATE track SET state = 'done' WHERE kind = 'assignment'", "stands in done"),
        ("UPDATE clock SET due_at = due_at + interval '1 day' WHERE name = 'settle'", "disagree"),
        ("UPDATE clock SET face = face::jsonb - 'limit' WHERE name = 'settle'", "replays as"),
    ],
)
def test_the_audit_finds_what_was_tampered_with(tampering: str, said: str, tmp_path: Path, store: Store) -> None:
    script = read_script(expecting(tmp_path, "audit: verified", at="+2d"))
    office, cast = staged(store, policy_of(script), script)
    stage = Stage(store, office, cast, script, Outcome("story.yaml", "", ""))
    stage.play()
    assert stage.outcome.failed == ()
    with store.begin() as connection:
        connection.execute(text(tampering))
    with store.begin() as connection:
        from cases import ledger

        file = ledger.take(Session(connection, office), stage.cases[0], None, stage.now).case
        assert any(said in one.en for one in audit(connection, office, file))


def test_why_lays_a_limit_of_a_played_case_open(
    tmp_path: Path,
    store: Store,
    beside: Store,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("WHISTLE_DATABASE_URL", store.url)
    script = read_script(written(tmp_path))
    office, cast = staged(store, policy_of(script), script)
    stage = Stage(store, office, cast, script, Outcome("story.yaml", "", ""))
    stage.play()
    number = stage.files[stage.cases[0]].number
    assert run(["why", number, "assignment(street).report_in"]) == 0
    said = capsys.readouterr().out
    assert "5 working days" in said
    assert "2026-02-27 18:00" in said
    assert run(["why", number, "assignment(street).nap"]) == 2
    assert "assignment(street).report_in" in capsys.readouterr().err
    assert run(["why", "WH-1999-000001", "settle", "--language", "zh_CN"]) == 2
    assert "没有个案" in capsys.readouterr().err


places = st.builds(
    Place,
    st.sampled_from([kind for kind in KINDS if kind != "district"]),
    st.integers(1, 99),
    st.integers(1, 99),
)
parts = st.none() | st.sampled_from(["acknowledge", "report_in", "acknowledge.breached"])


@given(places)
def test_a_place_reads_as_it_is_written(one: Place) -> None:
    assert place(str(one)) == one
    assert person(f"officer@{one}") == Person("officer", one)


@given(
    st.builds(
        Address,
        st.sampled_from(["assignment", "referral"]),
        st.none() | places,
        st.none() | st.integers(1, 99),
        parts,
    )
)
def test_an_address_reads_as_it_is_written(one: Address) -> None:
    assert address(str(one)) == one
