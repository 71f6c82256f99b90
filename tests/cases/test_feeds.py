"""A member's calendar: limits and meetings behind a secret link, and nothing about anybody."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event as happens
from sqlalchemy import select, update

from cases import ledger
from cases.feeds import Dated, calendar, open_feed, opened_at, read, revoke
from cases.office import Session
from cases.outbox import feed
from cases.people import member
from cases.posts import end_post, enlist
from cases.refusal import Refusal
from cases.store import Store
from tests.town import START, Town, minutes, town

LINK = "https://whistle.example"
DUTY = "officer@street"


@pytest.fixture
def place(store: Store) -> Iterator[Town]:
    with town(store) as built:
        yield built


def linked(place: Town, who: str) -> str:
    with place.store.begin() as connection:
        return open_feed(connection, place.members[who], START)


def unfolded(text: str) -> list[str]:
    return text.replace("\r\n ", "").split("\r\n")


def values(text: str, name: str) -> list[str]:
    return [line.partition(":")[2] for line in unfolded(text) if line.partition(":")[0] == name]


def test_what_a_member_owes_stands_in_their_calendar_until_it_is_done(place: Town) -> None:
    number = place.whistle().case.number
    secret = linked(place, DUTY)
    text = read(place.store, place.office, secret, START, LINK)
    assert f"签收 · {number} · 红色" in values(text, "SUMMARY")
    assert "20260317T003500Z" in values(text, "DTEND")
    assert set(values(text, "URL")) == {f"{LINK}/cases/{number}"}
    place.fire(DUTY, number, _lead(place, number), "acknowledge")
    assert f"签收 · {number} · 红色" not in values(read(place.store, place.office, secret, START, LINK), "SUMMARY")


def test_a_post_changes_hands_with_the_limits_that_already_run(place: Town) -> None:
    number = place.whistle().case.number
    before = linked(place, DUTY)
    acknowledging = f"签收 · {number} · 红色"
    street = place.places["street"]
    with place.store.begin() as connection:
        successor = enlist(connection, street, "the successor", ["officer"], since=START.date())
        place.members["successor"] = successor.id
    after = linked(place, "successor")
    assert acknowledging in values(read(place.store, place.office, after, START + minutes(1), LINK), "SUMMARY")
    with place.store.begin() as connection:
        held = place.actor(DUTY).posts[0]
        end_post(connection, place.members[DUTY], held, START.date())
    later = START + timedelta(days=1)
    assert values(read(place.store, place.office, before, later, LINK), "SUMMARY") == []
    assert acknowledging in values(read(place.store, place.office, after, later, LINK), "SUMMARY")


def test_what_waits_without_a_limit_has_no_place_in_a_calendar(place: Town) -> None:
    student = {"name": "小怡", "born": "2016-11-02"}
    place.fire("counselor@school", None, 0, "save_draft", {"student": student})
    assert values(read(place.store, place.office, linked(place, "counselor@school"), START, LINK), "SUMMARY") == []


def test_a_calendar_costs_four_queries_however_much_stands_in_it(place: Town) -> None:
    for name in "甲乙丙":
        place.whistle(student={"name": f"小{name}", "born": "2015-01-02", "grade": 4})
    secret = linked(place, DUTY)
    read(place.store, place.office, secret, START, LINK)
    asked: list[str] = []
    listen = lambda *given: asked.append(given[2])  # noqa: E731 - gathered and counted at once
    happens.listen(place.store._engine, "before_cursor_execute", listen)
    text = read(place.store, place.office, secret, START, LINK)
    happens.remove(place.store._engine, "before_cursor_execute", listen)
    assert len(set(values(text, "URL"))) == 3
    # The directory's version, the link's owner, the limits, the meetings.
    assert len(asked) == 4


def _lead(place: Town, number: str) -> int:
    with place.store.begin() as connection:
        sitting = ledger.take(Session(connection, place.office), number, None, START)
        return next(one.no for one in sitting.case.of_kind("assignment") if one.facts["part"] == "lead")


def test_a_meeting_is_in_the_calendars_of_whoever_called_it_and_of_those_invited(place: Town) -> None:
    number = place.whistle(level="orange").case.number
    police = place.places["police"].id
    called = place.fire(
        "coordinator@district",
        number,
        "conference",
        "call",
        {"topic": "金丝雀", "invited": [police]},
        START + minutes(1),
    )
    track = max(called.case.tracks)
    at = START + timedelta(days=1)
    place.fire("coordinator@district", number, track, "schedule", {"at": at, "where": "金丝雀楼"}, START + minutes(2))
    for who, there in (("coordinator@district", True), ("lead@police", True), ("lead@womens_federation", False)):
        text = read(place.store, place.office, linked(place, who), START, LINK)
        assert (f"会商 · {number} · 橙色" in values(text, "SUMMARY")) == there
        assert "金丝雀" not in text
    assert "20260318T002000Z" in values(
        read(place.store, place.office, linked(place, "lead@police"), START, LINK), "DTSTART"
    )


def test_nothing_personal_stands_in_a_calendar(place: Town) -> None:
    place.whistle(student={"name": "金丝雀小怡", "born": "2016-11-02", "grade": 3}, summary="金丝雀瘀伤")
    text = read(place.store, place.office, linked(place, DUTY), START, LINK)
    assert values(text, "SUMMARY")
    assert not [word for word in ("金丝雀", "示例", "officer@") if word in text]


def test_a_new_link_ends_the_old_one_and_a_revoked_one_shows_nothing(place: Town) -> None:
    first, second = linked(place, DUTY), linked(place, DUTY)
    for secret in (first, "guess", ""):
        with pytest.raises(Refusal, match="not_found"):
            read(place.store, place.office, secret, START, LINK)
    assert read(place.store, place.office, second, START, LINK).startswith("BEGIN:VCALENDAR")
    with place.store.begin() as connection:
        assert opened_at(connection, place.members[DUTY]) == START
        assert revoke(connection, place.members[DUTY], START)
        assert not revoke(connection, place.members[DUTY], START)
        assert second.encode() not in b"".join(connection.scalars(select(feed.c.digest)))
    with pytest.raises(Refusal, match="not_found"):
        read(place.store, place.office, second, START, LINK)


def test_whoever_left_has_no_calendar_and_languages_are_respected(place: Town) -> None:
    number = place.whistle().case.number
    secret = linked(place, DUTY)
    mine = member.c.id == place.members[DUTY]
    with place.store.begin() as connection:
        connection.execute(update(member).where(mine).values(language="en"))
    assert f"acknowledging · {number} · red" in values(read(place.store, place.office, secret, START, LINK), "SUMMARY")
    with place.store.begin() as connection:
        connection.execute(update(member).where(mine).values(active=False))
    with pytest.raises(Refusal, match="not_found"):
        read(place.store, place.office, secret, START, LINK)


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=200))
def test_long_lines_are_folded_by_bytes_and_read_back_whole(what: str) -> None:
    at = datetime(2026, 3, 17, tzinfo=UTC)
    text = calendar([Dated("n", "NJ-1", "red", (what, what), at, at)], "zh_CN", at, LINK)
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    (summary,) = values(text, "SUMMARY")
    for mark in (";", ","):
        summary = summary.replace(f"\\{mark}", mark)
    assert summary.replace("\\\\", "\\").startswith(f"{what} · NJ-1")
