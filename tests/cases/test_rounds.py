"""The regular rounds: what is told in the morning, which check-in is missing, what is sealed and what forgotten."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text

from cases import dispatch, heartbeat, retention, rounds, sealing, seals, standby, tracking
from cases.incidents import end, listed
from cases.installation import Installation
from cases.office import Session
from cases.people import student
from cases.records import incident, message
from cases.retention import NothingListed
from cases.rounds import Premises
from cases.sealing import SealUnwritten
from cases.store import Store
from tests.cases.test_access import close, work
from tests.town import START, WHISTLE, Town, minutes, town

DAY = timedelta(days=1)
EVERY = timedelta(seconds=15)
HALF_PAST_EIGHT = datetime(2026, 3, 18, 0, 30, tzinfo=UTC)
"""Wednesday, 18 March 2026, 08:30 in Nanjing."""


@pytest.fixture
def city(store: Store) -> Iterator[Town]:
    with town(store) as built:
        yield built


@pytest.fixture
def premises(city: Town, tmp_path: Path) -> Premises:
    kept = Installation(city.store, city.office.keystore, city.office.master)
    return Premises(kept, tmp_path / "home", tmp_path / "elsewhere", _office=city.office)


def letters(city: Town, kind: str) -> dict[str, dict[str, dict[str, object]]]:
    """The items of every message of that kind, by member and part."""
    names = {number: name for name, number in city.members.items()}
    with city.store.read() as connection:
        found = connection.execute(select(message).where(message.c.kind == kind)).mappings().all()
    return {names[row["member_id"]]: {one.get("part", "all"): one for one in row["items"]} for row in found}


def incidents(city: Town, kind: str) -> int:
    with city.store.read() as connection:
        return len(connection.execute(select(incident.c.id).where(incident.c.kind == kind)).all())


# ------------------------------------------------------------------------------------------------------ the digest


def test_the_morning_tells_each_lead_what_is_owed_and_the_supervisor_everything(city: Town, premises: Premises) -> None:
    number = city.whistle(START + minutes(60)).case.number
    city.run_until(HALF_PAST_EIGHT)
    rounds.go(premises, "digest", "person", HALF_PAST_EIGHT)
    told = letters(city, "digest")
    assert {"lead@street", "lead@police", "principal@school", "supervisor@district", "supervisor@city"} <= set(told)
    assert "officer@street" not in told
    assert "lead@hospital" not in told
    owed = told["lead@street"]["overdue"]["lines"]
    assert isinstance(owed, list)
    assert {(one["case"], one["kind"], one["clock"]) for one in owed} >= {(number, "assignment", "report_in")}
    everything = told["supervisor@district"]["overdue"]["count"]
    assert isinstance(everything, int)
    assert everything > len(owed)
    assert "opened" in told["lead@street"]


def test_a_digest_carries_nothing_that_was_said_and_nobody(city: Town, premises: Premises) -> None:
    city.whistle(summary="canary-narrative", student={"name": "金丝雀", "born": "2016-11-02", "grade": 3})
    city.run_until(HALF_PAST_EIGHT)
    rounds.go(premises, "digest", "person", HALF_PAST_EIGHT)
    with city.store.read() as connection:
        written = " ".join(str(row) for row in connection.execute(text("SELECT items FROM message")))
    assert "overdue" in written
    assert "canary" not in written
    assert "金丝雀" not in written


def test_a_digest_comes_once_a_day_however_often_the_round_is_made(city: Town, premises: Premises) -> None:
    city.whistle()
    city.run_until(HALF_PAST_EIGHT)
    first = rounds.go(premises, "digest", "person", HALF_PAST_EIGHT)["messages"]
    assert first > 0
    assert rounds.go(premises, "digest", "orchestrator", HALF_PAST_EIGHT + minutes(5))["messages"] == 0
    assert rounds.go(premises, "digest", "orchestrator", HALF_PAST_EIGHT + DAY)["messages"] > 0


def test_no_digest_on_a_day_off_and_one_on_a_make_up_saturday(city: Town, premises: Premises) -> None:
    city.whistle()
    saturday = datetime(2026, 3, 21, 0, 30, tzinfo=UTC)
    assert rounds.go(premises, "digest", "person", saturday)["messages"] == 0
    make_up = datetime(2026, 5, 9, 0, 30, tzinfo=UTC)
    assert rounds.go(premises, "digest", "person", make_up)["messages"] > 0


def test_what_was_opened_over_the_weekend_is_new_on_monday(city: Town, premises: Premises) -> None:
    saturday = datetime(2026, 3, 21, 2, 0, tzinfo=UTC)
    number = city.whistle(saturday).case.number
    rounds.go(premises, "digest", "person", datetime(2026, 3, 23, 0, 30, tzinfo=UTC))
    opened = letters(city, "digest")["supervisor@district"]["opened"]["lines"]
    assert isinstance(opened, list)
    assert number in {one["case"] for one in opened}


# ------------------------------------------------------------------------------------------------ joint tracking


def returned(city: Town, day: str) -> tuple[int, str]:
    """A student who goes back to school on that day; the case's id and number."""
    at = datetime.fromisoformat(f"{day}T00:00:00+00:00")
    form = {**WHISTLE, "concern": "mental_illness", "level": "yellow"}
    case = city.fire("counselor@school", None, 0, "submit", form, at).case
    city.fire("principal@school", case.id, 0, "sign_off", None, at)
    city.fire("counselor@school", case.id, "return_to_school", "apply", {"application": "letter.pdf"}, at)
    track = numbered(city, case.id, "return_to_school")
    city.fire("liaison@hospital", case.id, track, "hospital_sign", {"opinion": "fit"}, at)
    sign = {"assessment": "ready", "plan": {"attendance": [50], "mentor": "form teacher", "watch_points": "sleep"}}
    city.fire("principal@school", case.id, track, "school_sign", sign, at)
    city.fire("counselor@school", case.id, track, "record_return", {"day": day}, at)
    return case.id, case.number


def numbered(city: Town, case_id: int, kind: str, which: int = 1) -> int:
    """The number of a case's first (or `which`) track of that kind."""
    found = "SELECT no FROM track WHERE case_id = :case AND kind = :kind ORDER BY no OFFSET :skip LIMIT 1"
    with city.store.read() as connection:
        given = {"case": case_id, "kind": kind, "skip": which - 1}
        return int(connection.scalar(text(found), given) or 0)


def sheet(city: Town, at: datetime) -> tracking.Sheet:
    with city.store.read() as connection:
        return tracking.sheets(connection, city.office.book_of, at, district="T-district")[0]


def test_the_sheet_names_the_side_that_is_missing(city: Town, premises: Premises) -> None:
    case_id, number = returned(city, "2026-03-17")
    second = datetime(2026, 3, 31, 1, 0, tzinfo=UTC)
    city.run_until(second)
    rounds.go(premises, "joint_tracking", "person", second)
    by_round = {one.round: one for one in sheet(city, second).owing}
    assert by_round[1].state == "missed"
    assert by_round[1].missing == ("school",)
    assert by_round[2].state == "open"
    assert by_round[2].missing == ("school", "hospital")
    assert by_round[2].number == number
    form = {"adherence": "full", "risk": "none"}
    city.fire("liaison@hospital", case_id, numbered(city, case_id, "check_in", 2), "file_hospital", form, second)
    assert {one.round: one.missing for one in sheet(city, second).owing}[2] == ("school",)


def test_in_the_holidays_the_community_has_the_school_s_part(city: Town, premises: Premises) -> None:
    returned(city, "2026-07-01")
    holidays = datetime(2026, 7, 15, 1, 0, tzinfo=UTC)
    rounds.go(premises, "joint_tracking", "person", holidays)
    assert {one.school_part for one in sheet(city, holidays).owing if one.round == 2} == {"community"}


def files(city: Town, case_id: int, number: int, risk: str, at: datetime) -> None:
    """The school's part of that round, with that risk."""
    form = {"attendance": 50, "mood": 2, "sleep": 2, "peers": 2, "risk": risk}
    city.fire("counselor@school", case_id, numbered(city, case_id, "check_in", number), "file_school", form, at)


def on_the_desk(city: Town, at: datetime) -> int:
    """How many regrades the district's coordinator is asked to consider."""
    with city.store.read() as connection:
        coordinator = city.office.directory.actor(connection, city.members["coordinator@district"], at)
        return len(dispatch.waiting(Session(connection, city.office), coordinator, at, ("regrade",), 20))


def test_two_rounds_of_risk_prompt_a_regrade_until_there_is_one(city: Town, premises: Premises) -> None:
    case_id, _ = returned(city, "2026-03-17")
    first, second, third = (datetime(2026, 3, 24, 1, 0, tzinfo=UTC) + week * 7 * DAY for week in range(3))
    rounds.go(premises, "joint_tracking", "person", first)
    files(city, case_id, 1, "some", first)
    assert (sheet(city, first).regrades, on_the_desk(city, first)) == (0, 0)
    rounds.go(premises, "joint_tracking", "person", second)
    files(city, case_id, 2, "some", second)
    form = {"adherence": "full", "risk": "none"}
    city.fire("liaison@hospital", case_id, numbered(city, case_id, "check_in", 2), "file_hospital", form, second)
    # Both rounds are complete: what they said counts all the same.
    assert sheet(city, second).owing == ()
    assert (sheet(city, second).regrades, on_the_desk(city, second)) == (1, 1)
    city.fire("coordinator@district", case_id, 0, "regrade", {"level": "orange", "reason": "two rounds"}, second + DAY)
    assert (sheet(city, second + DAY).regrades, on_the_desk(city, second + DAY)) == (0, 0)
    rounds.go(premises, "joint_tracking", "person", third)
    files(city, case_id, 3, "some", third)
    assert (sheet(city, third).regrades, on_the_desk(city, third)) == (1, 1)


def test_an_acute_risk_is_no_round_of_some_risk(city: Town, premises: Premises) -> None:
    case_id, _ = returned(city, "2026-03-17")
    at = datetime(2026, 3, 17, 1, 0, tzinfo=UTC)
    for number, risk in ((1, "some"), (2, "acute")):
        at += 7 * DAY
        rounds.go(premises, "joint_tracking", "person", at)
        files(city, case_id, number, risk, at)
    assert (sheet(city, at).regrades, on_the_desk(city, at)) == (0, 0)


def test_the_table_says_whose_part_of_which_round_is_missing_since_when(city: Town, premises: Premises) -> None:
    _, number = returned(city, "2026-07-01")
    at = datetime(2026, 7, 15, 1, 0, tzinfo=UTC)
    rounds.go(premises, "joint_tracking", "person", at)
    found = [
        (one["case"], one["week"], one["missing"], one["since"]) for one in rounds.missing(premises, at, "T-district")
    ]
    assert (number, 2, "community, hospital", "2026-07-15") in found


def test_the_round_answers_with_counts_and_no_case(city: Town, premises: Premises) -> None:
    _, number = returned(city, "2026-03-17")
    done = rounds.go(premises, "joint_tracking", "person", datetime(2026, 3, 24, 1, 0, tzinfo=UTC))
    assert [(one["code"], one["tracked"], one["open"]) for one in done["districts"]] == [("T-district", 1, 1)]
    assert number not in str(done)


# -------------------------------------------------------------------------------------------------- the bulletin


def test_the_bulletin_lists_what_was_overrun_twice_in_that_month(city: Town, premises: Premises) -> None:
    number = city.whistle().case.number
    city.run_until(START + 2 * DAY)
    april = datetime(2026, 4, 1, 1, 0, tzinfo=UTC)
    done = rounds.go(premises, "bulletin", "person", april)
    assert done["month"] == "2026-03"
    assert done["entries"] > 0
    told = letters(city, "bulletin")
    assert set(told) == {"supervisor@district", "supervisor@city"}
    with city.store.read() as connection:
        items = connection.scalar(select(message.c["items"]).where(message.c.kind == "bulletin").limit(1)) or []
    assert {one["case"] for one in items[1:]} == {number}
    assert "assignment.report_in" in {one["clock"] for one in items[1:]}
    assert rounds.go(premises, "bulletin", "person", april + DAY)["messages"] == 0
    assert rounds.go(premises, "bulletin", "person", april, month=date(2026, 4, 1))["entries"] == 0


# ------------------------------------------------------------------------------------------------------ the seals


def test_each_seal_names_the_one_before_and_fits_the_histories(city: Town, premises: Premises) -> None:
    case_id = city.whistle().case.id
    first = rounds.go(premises, "seal", "person", START + minutes(5))
    city.fire("officer@street", case_id, numbered(city, case_id, "assignment"), "acknowledge", None, START + minutes(6))
    second = rounds.go(premises, "seal", "person", START + minutes(65), thorough=True)
    assert (first["broken"], second["broken"]) == ([], [])
    read = [seals.read(one.read_bytes()) for one in sorted(premises.seals.iterdir())]
    assert seals.verify_series(read).ok
    assert read[1].previous == read[0].digest


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE event SET digest = decode(repeat('00', 32), 'hex') WHERE seq = 1",
        "UPDATE cases SET events = events - 1",
        "UPDATE cases SET head = decode(repeat('00', 32), 'hex')",
    ],
)
def test_a_history_that_fits_no_more_is_found_and_told_once(city: Town, premises: Premises, tampering: str) -> None:
    city.whistle()
    rounds.go(premises, "seal", "person", START + minutes(5))
    with city.store.begin() as connection:
        connection.execute(text(tampering))
    for hour in (1, 2):
        done = rounds.go(premises, "seal", "person", START + minutes(60 * hour), thorough=True)
        assert done["broken"]
    assert incidents(city, "seal_broken") == 1
    assert set(letters(city, "seal_broken")) == {"supervisor@city"}


def test_a_second_history_that_is_cut_later_is_told_though_the_first_is_still_being_looked_into(
    city: Town, premises: Premises
) -> None:
    first, second = (city.whistle(START + minutes(n)).case for n in (0, 1))
    rounds.go(premises, "seal", "person", START + minutes(5))
    for hour, cut in ((1, first), (2, second), (3, None)):
        with city.store.begin() as connection:
            cutting = text("UPDATE cases SET head = decode(repeat('00', 32), 'hex') WHERE id = :id")
            connection.execute(cutting, {"id": cut.id if cut else None})
        rounds.go(premises, "seal", "person", START + minutes(60 * hour), thorough=True)
    with city.store.read() as connection:
        found = connection.scalars(select(incident.c.why).order_by(incident.c.id)).all()
        told = connection.scalars(select(message.c.id).where(message.c.kind == "seal_broken")).all()
    assert [{line.partition(":")[0] for line in why.splitlines()} for why in found] == [{first.number}, {second.number}]
    assert len(told) == 2


def test_what_a_person_has_looked_into_isnt_told_each_night_and_the_next_thing_is(
    city: Town, premises: Premises
) -> None:
    case = city.whistle().case
    rounds.go(premises, "seal", "person", START + minutes(5))

    def spoil(seq: int, hour: int) -> int:
        with city.store.begin() as connection:
            changing = text(
                "UPDATE event SET digest = decode(repeat('00', 32), 'hex') WHERE seq = :seq AND case_id = :id"
            )
            connection.execute(changing, {"seq": seq, "id": case.id})
        assert rounds.go(premises, "seal", "person", START + minutes(60 * hour), thorough=True)["broken"]
        with city.store.begin() as connection:
            for one in listed(connection):
                end(connection, one.number, "周敏", "restored from the back-up", START + minutes(60 * hour))
        return incidents(city, "seal_broken")

    assert [spoil(2, 1), spoil(2, 2), spoil(1, 3)] == [1, 1, 2]


def test_a_full_disk_leaves_no_half_seal(city: Town, premises: Premises, monkeypatch: pytest.MonkeyPatch) -> None:
    rounds.go(premises, "seal", "person", START)

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SealUnwritten) as told:
        rounds.go(premises, "seal", "person", START + minutes(60))
    assert str(premises.seals) in told.value.text["zh_CN"]
    assert [one.name for one in premises.seals.iterdir()] == [seals.file_name(START)]
    assert sealing.newest(premises.seals) == premises.seals / seals.file_name(START)


# ------------------------------------------------------------------------------------------------------ retention


def aged(city: Town, keep_until: date) -> None:
    with city.store.begin() as connection:
        connection.execute(student.update().values(keep_until=keep_until))


def test_nobody_is_forgotten_who_was_not_listed_a_week_before(city: Town, premises: Premises) -> None:
    opened = city.whistle().case
    close(city, opened.id, work(city, opened.id, START + minutes(20)))
    aged(city, date(2030, 12, 31))
    over = datetime(2032, 1, 1, 1, 0, tzinfo=UTC)
    with pytest.raises(NothingListed):
        rounds.go(premises, "retention", "person", over, apply=True)
    assert rounds.go(premises, "retention", "person", over)["cases"] == [opened.number]
    with pytest.raises(NothingListed):
        rounds.go(premises, "retention", "person", over + 6 * DAY, apply=True)
    done = rounds.go(premises, "retention", "person", over + 8 * DAY, apply=True)
    assert (done["forgotten"], done["cases"]) == (1, [opened.number])
    assert rounds.go(premises, "retention", "person", over + 9 * DAY, apply=True)["forgotten"] == 0
    with city.store.read() as connection:
        certificate = text("SELECT open->>'why' FROM event WHERE name = 'case.forgotten'")
        assert connection.scalar(certificate) == retention.WHY


def test_a_term_is_the_later_of_age_and_closing_and_an_open_case_has_none(city: Town) -> None:
    opened = city.whistle().case
    aged(city, date(2026, 12, 31))
    with city.store.read() as connection:
        assert retention.due(connection, city.office.book_of, date(2060, 1, 1)) == []
    close(city, opened.id, work(city, opened.id, START + minutes(20)))
    for keep_until, day, over in (
        (date(2026, 12, 31), date(2031, 3, 16), False),
        (date(2026, 12, 31), date(2031, 3, 17), True),
        (date(2037, 12, 31), date(2037, 12, 31), False),
        (date(2037, 12, 31), date(2038, 1, 1), True),
    ):
        aged(city, keep_until)
        with city.store.read() as connection:
            assert bool(retention.due(connection, city.office.book_of, day)) is over


# ----------------------------------------------------------------------------------- heartbeat and dead-man switch


def test_a_round_that_fails_leaves_the_heartbeat_of_the_one_before(city: Town, premises: Premises) -> None:
    rounds.go(premises, "sweep", "person", START)
    with pytest.raises(NothingListed):
        rounds.go(premises, "retention", "person", START, apply=True)
    with city.store.read() as connection:
        assert [(one.round, one.door, one.finished_at) for one in heartbeat.beats(connection)] == [
            ("sweep", "person", START)
        ]
        assert heartbeat.last(connection, "sweep", "orchestrator") is None


def test_an_older_beat_never_hides_a_newer_one(city: Town) -> None:
    for at in (START + EVERY, START):
        heartbeat.beat(city.store, "sweep", "orchestrator", at, timedelta(0), {})
    with city.store.read() as connection:
        newest = heartbeat.last(connection, "sweep")
    assert newest is not None
    assert newest.finished_at == START + EVERY


def test_three_silent_intervals_are_one_incident_told_once_and_end_with_the_next_sweep(
    city: Town, premises: Premises
) -> None:
    rounds.go(premises, "sweep", "orchestrator", START)
    looks = [standby.look(city.store, START + n * EVERY, EVERY, START) for n in range(8)]
    assert [one.standby for one in looks] == [False] * 4 + [True] * 4
    assert [one.began for one in looks] == [False] * 4 + [True] + [False] * 3
    rounds.go(premises, "sweep", "standby", START + 8 * EVERY)
    assert standby.look(city.store, START + 8 * EVERY, EVERY, START).standby
    with city.store.read() as connection:
        assert standby.stopped_since(connection) == START + 4 * EVERY
    rounds.go(premises, "sweep", "orchestrator", START + 9 * EVERY)
    back = standby.look(city.store, START + 9 * EVERY, EVERY, START)
    assert (back.standby, back.ended) == (False, True)
    assert set(letters(city, "stalled")) == {"supervisor@city", "admin@city"}
    assert incidents(city, "sweep_stopped") == 1
    with city.store.read() as connection:
        assert standby.stopped_since(connection) is None


def test_a_timer_that_sweeps_is_as_good_as_the_orchestrator(city: Town, premises: Premises) -> None:
    rounds.go(premises, "sweep", "orchestrator", START)
    assert standby.look(city.store, START + 4 * EVERY, EVERY, START).began
    for n in range(5, 12):
        rounds.go(premises, "sweep", "person", START + n * EVERY)
    back = standby.look(city.store, START + 12 * EVERY, EVERY, START)
    assert (back.standby, back.ended) == (False, True)
    # The timer stops: the standby takes over as it would for the orchestrator.
    assert standby.look(city.store, START + 15 * EVERY, EVERY, START).began


def test_one_sweep_by_hand_ends_no_outage_and_nobody_is_told_twice(city: Town, premises: Premises) -> None:
    rounds.go(premises, "sweep", "orchestrator", START)
    assert standby.look(city.store, START + 4 * EVERY, EVERY, START).began
    rounds.go(premises, "sweep", "person", START + 9 * EVERY)
    by_hand = standby.look(city.store, START + 10 * EVERY, EVERY, START)
    assert (by_hand.standby, by_hand.ended) == (False, False)
    later = standby.look(city.store, START + 14 * EVERY, EVERY, START)
    assert (later.standby, later.began) == (True, False)
    assert incidents(city, "sweep_stopped") == 1


def test_a_second_outage_is_told_anew(city: Town, premises: Premises) -> None:
    for outage in (0, 100):
        rounds.go(premises, "sweep", "orchestrator", START + outage * EVERY)
        standby.look(city.store, START + outage * EVERY, EVERY, START)
        assert standby.look(city.store, START + (outage + 5) * EVERY, EVERY, START).began
    assert incidents(city, "sweep_stopped") == 2


def test_whoever_begins_to_watch_gives_the_orchestrator_its_three_intervals(city: Town, premises: Premises) -> None:
    rounds.go(premises, "sweep", "orchestrator", START)
    morning = START + DAY
    assert not standby.look(city.store, morning, EVERY, morning).standby
    assert standby.look(city.store, morning + 4 * EVERY, EVERY, morning).began
