"""What a member has to do, by time left: for each kind of people, from one case as it goes on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from cases import agenda
from cases.agenda import URGENT, Item
from cases.office import Session
from cases.store import Store
from tests.town import START, Town, minutes, town


@pytest.fixture
def built(store: Store) -> Iterator[Town]:
    with town(store) as made:
        yield made


def todo(built: Town, who: str, at: datetime = START) -> list[Item]:
    with built.store.read() as connection:
        session = Session(connection, built.office)
        return agenda.owed(session, built.actor(who, at), at)


def lines(built: Town, who: str, at: datetime = START) -> list[tuple[str, str | None, str, str]]:
    return [(one.kind, one.clock, one.trigger, one.group) for one in todo(built, who, at)]


def test_the_street_has_one_line_for_its_summons_and_the_safe_plan_behind_it(built: Town) -> None:
    built.whistle()
    assert lines(built, "officer@street") == [
        ("assignment", "acknowledge", "acknowledge", "answer"),
        ("case", "safe_plan", "record_safe_plan", "work"),
    ]


def test_whoever_was_not_called_owes_nothing(built: Town) -> None:
    built.whistle()
    for who in ("officer@street#2", "liaison@hospital", "officer@court", "mentor@school", "auditor@district"):
        assert lines(built, who) == [], who


def test_a_summons_moves_on_through_the_groups(built: Town) -> None:
    case = built.whistle().case.number
    street = next(one.track for one in todo(built, "officer@street") if one.kind == "assignment")
    built.fire("officer@street", case, street, "acknowledge", {}, START + minutes(1))
    assert ("assignment", "report_in", "report_in", "work") in lines(built, "officer@street", START + minutes(2))
    form = {"at": START + minutes(3), "where": "the school", "mode": "on_site", "people": ["one"]}
    built.fire("officer@street", case, street, "report_in", form, START + minutes(4))
    assert ("assignment", "feedback", "give_feedback", "report") in lines(built, "officer@street", START + minutes(5))
    said = {"measures": "talked", "outcome": "solved"}
    built.fire("officer@street", case, street, "give_feedback", said, START + minutes(6))
    assert "assignment" not in {one[0] for one in lines(built, "officer@street", START + minutes(7))}
    assert ("assignment", None, "accept_feedback", "report") in lines(built, "counselor@school", START + minutes(7))


def test_what_is_due_first_comes_first(built: Town) -> None:
    built.whistle(level="orange")
    built.whistle(at=START + minutes(1), student={"name": "小新", "born": "2015-01-02"})
    found = todo(built, "officer@street", START + minutes(2))
    dues = [one.due for one in found if one.due is not None]
    assert dues == sorted(dues)
    assert len({one.number for one in found}) == 2


def test_the_principal_signs_and_the_coordinator_of_the_district_sees_the_settling(built: Town) -> None:
    built.fire("counselor@school", None, 0, "submit", {
        "concern": "harmful_home", "level": "yellow", "summary": "s", "student": {"name": "小怡", "born": "2016-11-02"},
    })  # fmt: skip
    assert lines(built, "principal@school") == [("case", "sign_off", "sign_off", "reply")]
    assert lines(built, "coordinator@district") == []
    number = todo(built, "principal@school")[0].number
    built.fire("principal@school", number, 0, "sign_off", {}, START + minutes(3))
    assert ("case", "settle", "", "work") in lines(built, "coordinator@district", START + minutes(4))
    assert lines(built, "coordinator@district#2", START + minutes(4)) == []


def test_a_draft_waits_for_whoever_began_it(built: Town) -> None:
    built.fire("counselor@school", None, 0, "save_draft", {"student": {"name": "小怡", "born": "2016-11-02"}})
    assert lines(built, "counselor@school") == [("case", None, "save_draft", "reply")]
    assert lines(built, "principal@school") == []


def test_what_is_long_overdue_stands_behind_what_can_still_be_done_and_orders_are_a_group_of_their_own(
    built: Town,
) -> None:
    built.whistle()
    later = START + timedelta(days=107)
    built.run_until(later)
    fresh = built.whistle(at=later, student={"name": "小新", "born": "2015-01-02"}).case.number
    found = todo(built, "lead@street", later + timedelta(minutes=22))
    assert (found[0].number, found[0].clock, found[0].rank) == (fresh, "acknowledge", URGENT), "seven minutes late"
    assert {one.group for one in found if one.clock == "supervision_answer"} == {"order"}
    assert [one.rank for one in found] == sorted(one.rank for one in found)


def test_nobody_is_asked_to_declare_stable_while_rounds_are_to_come(built: Town) -> None:
    number, back = returned(built)
    assert "declare_stable" not in {one.trigger for one in todo(built, "counselor@school", back)}
    # Past the last round, with every one of them filed by both sides.
    at = back
    for week in (1, 2, 3, 4, 6, 8, 10, 12, 16, 20, 24):
        at = back + timedelta(weeks=week, hours=5)
        built.run_until(at)
        file_round(built, number, at)
    assert "declare_stable" in {one.trigger for one in todo(built, "liaison@hospital", at)}
    back_no = next(one.track for one in todo(built, "liaison@hospital", at) if one.trigger == "declare_stable")
    built.fire("liaison@hospital", number, back_no, "declare_stable", {}, at)
    assert "declare_stable" not in {one.trigger for one in todo(built, "liaison@hospital", at)}, "its key is turned"
    assert "declare_stable" in {one.trigger for one in todo(built, "counselor@school", at)}


def test_whoever_has_signed_the_return_owes_nothing_more_of_it(built: Town) -> None:
    number, no = discharged(built)
    at = START + minutes(9)
    assert "assess" not in {one.clock for one in todo(built, "liaison@hospital", at)}, "the opinion was its key"
    assert "assess" in {one.clock for one in todo(built, "principal@school", at)}
    assert no
    assert number


def discharged(built: Town) -> tuple[str, int]:
    """A referral that ended with a favourable opinion: the case and its return."""
    number = built.whistle(concern="mental_illness").case.number
    opened = built.fire("counselor@school", number, 0, "record_safe_plan", {"plan": "p"}, START + minutes(1)).case
    no = opened.of_kind("referral")[0].no
    at = START + minutes(2)
    consent = {"guardian": "m", "signed_at": at, "form": ["f"]}
    built.fire("counselor@school", number, no, "give_consent", consent, at)
    built.fire("liaison@hospital", number, no, "accept", {}, at)
    built.fire("liaison@hospital", number, no, "record_visit", {"seen_at": at, "mode": "inpatient"}, at)
    done = built.fire("liaison@hospital", number, no, "complete", {"summary": "s", "opinion": "fit"}, at)
    return number, done.case.of_kind("return_to_school")[0].no


def returned(built: Town) -> tuple[str, datetime]:
    """The same, signed by the school too and recorded: the case and the instant."""
    number, no = discharged(built)
    at = START + minutes(3)
    plan = {"attendance": [50, 100], "mentor": "m", "watch_points": "w"}
    built.fire("principal@school", number, no, "school_sign", {"assessment": "a", "plan": plan}, at)
    built.fire("counselor@school", number, no, "record_return", {"day": "2026-03-17"}, at)
    return number, at


def file_round(built: Town, number: str, at: datetime) -> None:
    """File whatever is asked of the round that is open."""
    school = {"attendance": 90, "mood": 4, "sleep": 4, "peers": 4, "risk": "none"}
    hospital = {"adherence": "full", "risk": "none"}
    for who, trigger, form in (
        ("counselor@school", "file_school", school), ("officer@community", "file_school", school),
        ("liaison@hospital", "file_hospital", hospital),
    ):  # fmt: skip
        for one in todo(built, who, at):
            if one.number == number and one.clock == "check_in":
                built.fire(who, number, one.track, trigger, form, at)


def test_it_costs_two_queries(built: Town) -> None:
    built.whistle()
    with built.store.read() as connection:
        from sqlalchemy import event

        asked: list[str] = []
        event.listen(connection, "before_cursor_execute", lambda *given: asked.append(given[2]))
        actor = built.actor("officer@street")
        agenda.owed(Session(connection, built.office), actor, START)
    assert len(asked) == 2
