"""What a member has to do, by time left: for each kind of people, from one case as it goes on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pytest

from cases import agenda
from cases.agenda import Item
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
    assert lines(built, "principal@school") == [("case", "sign_off", "sign_off", "answer")]
    assert lines(built, "coordinator@district") == []
    number = todo(built, "principal@school")[0].number
    built.fire("principal@school", number, 0, "sign_off", {}, START + minutes(3))
    assert ("case", "settle", "", "work") in lines(built, "coordinator@district", START + minutes(4))
    assert lines(built, "coordinator@district#2", START + minutes(4)) == []


def test_a_draft_waits_for_whoever_began_it(built: Town) -> None:
    built.fire("counselor@school", None, 0, "save_draft", {"student": {"name": "小怡", "born": "2016-11-02"}})
    assert lines(built, "counselor@school") == [("case", None, "save_draft", "answer")]
    assert lines(built, "principal@school") == []


def test_it_costs_two_queries(built: Town) -> None:
    built.whistle()
    with built.store.read() as connection:
        from sqlalchemy import event

        asked: list[str] = []
        event.listen(connection, "before_cursor_execute", lambda *given: asked.append(given[2]))
        actor = built.actor("officer@street")
        agenda.owed(Session(connection, built.office), actor, START)
    assert len(asked) == 2
