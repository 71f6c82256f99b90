"""Whose a limit is: the organisation that its declaration names, on the board, in the digest and in the bulletin."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from importlib import import_module
from pathlib import Path

import pytest
from sqlalchemy import text

from cases import bulletin, rounds
from cases.board import Board
from cases.board_lines import Filters
from cases.installation import Installation
from cases.office import Session
from cases.rounds import Premises
from cases.store import Store
from tests.cases.test_rounds import letters, numbered, returned
from tests.town import START, WHISTLE, Town, minutes, town

DAY = timedelta(days=1)


@pytest.fixture
def city(store: Store) -> Iterator[Town]:
    with town(store) as built:
        yield built


@pytest.fixture
def premises(city: Town, tmp_path: Path) -> Premises:
    kept = Installation(city.store, city.office.keystore, city.office.master)
    return Premises(kept, tmp_path / "home", tmp_path / "elsewhere", _office=city.office)


def morning(city: Town, premises: Premises, at: datetime) -> dict[str, set[tuple[str, str]]]:
    """What each member is told at that morning: part and limit, or part and what was opened."""
    city.run_until(at)
    rounds.go(premises, "digest", "person", at)
    return {
        who: {
            (part, f"{one['kind']}.{one['clock']}" if "clock" in one else one["kind"])
            for part, item in told.items()
            for one in item["lines"]  # type: ignore[attr-defined]
        }
        for who, told in letters(city, "digest").items()
    }


def whose(city: Town) -> dict[str, set[str]]:
    """By kind and limit, the organisations whose the clocks are by their rows."""
    query = """SELECT coalesce(t.kind, 'case') || '.' || k.name AS clock, o.name FROM clock k
      LEFT JOIN track t ON t.case_id = k.case_id AND t.no = k.track_no
      JOIN organisation o ON o.id = k.organisation_id"""
    found: dict[str, set[str]] = {}
    with city.store.read() as connection:
        for row in connection.execute(text(query)):
            found.setdefault(row.clock, set()).add(row.name.removeprefix("示例"))
    return found


def on_the_board(city: Town, at: datetime) -> dict[str, str]:
    with city.store.read() as connection:
        actor = city.office.directory.actor(connection, city.members["supervisor@district"], at)
        rows = Board(Session(connection, city.office), actor, at, Filters(tile="overdue")).rows(None, 100).items
    return {f"{one.kind}.{one.clock}": one.whose_name.removeprefix("示例") for one in rows}


def entered(city: Town, month: date) -> dict[str, str]:
    with city.store.read() as connection:
        found = bulletin.entries(connection, city.office.book_of, month)
    return {one.clock: one.organisation.removeprefix("示例") for one in found}


WEDNESDAY = datetime(2026, 3, 18, 0, 30, tzinfo=UTC)
FRIDAY = datetime(2026, 3, 20, 0, 30, tzinfo=UTC)


def test_a_guardians_answer_is_the_schools_and_the_hospital_hears_of_no_referral_before_it(
    city: Town, premises: Premises
) -> None:
    case = city.whistle(START - DAY, concern="mental_illness", level="orange").case
    told = morning(city, premises, WEDNESDAY)
    assert ("overdue", "referral.consent") in told["principal@school"]
    assert "liaison@hospital" not in told
    consent = {"guardian": "mother", "signed_at": WEDNESDAY.isoformat(), "form": "consent.pdf"}
    city.fire(
        "counselor@school",
        case.id,
        numbered(city, case.id, "referral"),
        "give_consent",
        consent,
        WEDNESDAY + minutes(1),
    )
    told = morning(city, premises, WEDNESDAY + DAY)
    assert ("opened", "referral") in told["liaison@hospital"]


def test_a_ruling_is_the_districts_on_the_board_in_the_bulletin_and_for_no_street(
    city: Town, premises: Premises
) -> None:
    case = city.whistle(level="orange").case
    form = {"reason": "not our street", "proposed": city.places["street#2"].id}
    city.fire("lead@street", case.id, 1, "decline", form, START + minutes(5))
    told = morning(city, premises, FRIDAY)
    assert ("overdue", "assignment.ruling") in told["supervisor@district"]
    assert "assignment.ruling" not in {limit for _, limit in told["lead@street"]}
    assert on_the_board(city, FRIDAY)["assignment.ruling"] == "district"
    assert entered(city, date(2026, 3, 1))["assignment.ruling"] == "district"


def test_the_answer_of_the_police_is_the_polices_that_the_report_went_to(city: Town, premises: Premises) -> None:
    case = city.whistle(statutory=["injury"]).case
    filed = {"to": city.places["police"].id, "at": START.isoformat(), "channel": "110"}
    city.fire(
        "counselor@school", case.id, numbered(city, case.id, "mandatory_report"), "file", filed, START + minutes(1)
    )
    registered = {"authority": "education bureau", "at": START.isoformat()}
    report = numbered(city, case.id, "mandatory_report")
    city.fire("principal@school", case.id, report, "register", registered, START + minutes(2))
    at = START + 9 * DAY
    told = morning(city, premises, datetime(2026, 3, 26, 0, 30, tzinfo=UTC))
    assert ("overdue", "mandatory_report.police_answer") in told["lead@police"]
    assert "mandatory_report.police_answer" not in {limit for _, limit in told["principal@school"]}
    assert on_the_board(city, at)["mandatory_report.police_answer"] == "police"
    assert entered(city, date(2026, 3, 1))["mandatory_report.police_answer"] == "police"


def test_in_the_holidays_the_community_is_reminded_of_the_schools_part(city: Town, premises: Premises) -> None:
    returned(city, "2026-07-01")
    told = morning(city, premises, datetime(2026, 7, 17, 0, 30, tzinfo=UTC))
    assert "check_in.check_in" in {limit for _, limit in told["lead@community"]}
    assert "check_in.check_in" not in {limit for _, limit in told.get("principal@school", set())}


def test_a_round_is_the_hospitals_once_the_schools_part_is_in(city: Town, premises: Premises) -> None:
    case_id, _ = returned(city, "2026-03-17")
    opens = datetime(2026, 3, 31, 1, 0, tzinfo=UTC)
    city.run_until(opens)
    form = {"attendance": 50, "mood": 3, "sleep": 3, "peers": 3, "risk": "none"}
    city.fire("counselor@school", case_id, numbered(city, case_id, "check_in", 2), "file_school", form, opens)
    assert whose(city)["check_in.check_in"] == {"school", "hospital"}
    told = morning(city, premises, datetime(2026, 4, 3, 0, 30, tzinfo=UTC))
    assert "check_in.check_in" in {limit for _, limit in told["liaison@hospital"]}


def test_what_was_published_stays_with_whom_it_was_published_of(city: Town, premises: Premises) -> None:
    case = city.whistle(concern="mental_illness", level="orange").case
    consent = {"guardian": "mother", "signed_at": START.isoformat(), "form": "consent.pdf"}
    city.fire("counselor@school", case.id, numbered(city, case.id, "referral"), "give_consent", consent, START)
    at = START + 7 * DAY
    city.run_until(at)
    assert entered(city, date(2026, 3, 1))["referral.first_contact"] == "hospital"
    city.fire("liaison@hospital", case.id, numbered(city, case.id, "referral"), "decline", {"reason": "full"}, at)
    other = {"hospital": city.places["hospital#2"].id}
    city.fire("counselor@school", case.id, numbered(city, case.id, "referral"), "redirect", other, at + minutes(1))
    assert on_the_board(city, at + minutes(2))["referral.first_contact"] == "hospital#2"
    assert entered(city, date(2026, 3, 1))["referral.first_contact"] == "hospital"


def test_the_migration_writes_for_old_clocks_what_the_engine_writes_for_new_ones(city: Town) -> None:
    ill = city.whistle(concern="mental_illness", level="orange").case
    consent = {"guardian": "mother", "signed_at": START.isoformat(), "form": "consent.pdf"}
    city.fire("counselor@school", ill.id, numbered(city, ill.id, "referral"), "give_consent", consent, START)
    hurt = city.whistle(level="orange", statutory=["injury"]).case
    filed = {"to": city.places["police"].id, "at": START.isoformat(), "channel": "110"}
    city.fire(
        "counselor@school", hurt.id, numbered(city, hurt.id, "mandatory_report"), "file", filed, START + minutes(1)
    )
    form = {"reason": "not our street", "proposed": city.places["street#2"].id}
    street = numbered(city, hurt.id, "assignment")
    city.fire("lead@street", hurt.id, street, "decline", form, START + minutes(5))
    city.whistle()
    city.fire("officer@court", hurt.id, "access", "open", {"reason": "urgent"}, START + minutes(6))
    returned(city, "2026-03-17")
    city.run_until(START + 15 * DAY)
    written = whose(city)
    assert {"district", "school", "police", "street", "hospital"} <= {
        one for names in written.values() for one in names
    }
    migration = import_module("cases.migrations.versions.0016_whose_a_clock_is")
    with city.store.begin() as connection:
        connection.execute(
            text("""UPDATE clock SET organisation_id = (SELECT t.organisation_id FROM track t
          WHERE t.case_id = clock.case_id AND t.no = clock.track_no)""")
        )
    assert whose(city) != written
    with city.store.begin() as connection:
        connection.exec_driver_sql(migration.OWED)
    assert whose(city) == written


# --------------------------------------------------------------------------------------------------- newly opened


def test_a_case_is_new_on_the_day_of_its_sign_off_not_of_its_draft(city: Town, premises: Premises) -> None:
    form = {**WHISTLE, "level": "yellow"}
    case = city.fire("counselor@school", None, 0, "submit", form, START).case
    told = morning(city, premises, WEDNESDAY)
    assert ("opened", "case") not in told.get("supervisor@district", set())
    city.fire("principal@school", case.id, 0, "sign_off", None, WEDNESDAY + minutes(60))
    told = morning(city, premises, WEDNESDAY + DAY)
    assert ("opened", "case") in told["supervisor@district"]
    assert ("opened", "case") in told["principal@school"]
    assert ("opened", "assignment") in told["lead@street"]


def test_what_was_withdrawn_before_the_morning_is_not_new(city: Town, premises: Premises) -> None:
    case = city.whistle(START + minutes(60), level="orange").case
    city.fire("principal@school", case.id, 0, "withdraw", {"reason": "a mistake"}, START + minutes(65))
    told = morning(city, premises, WEDNESDAY)
    assert "supervisor@district" not in told
