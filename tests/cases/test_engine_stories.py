"""Dated stories of one case each: limits that move, guards that hold, what follows and what is cancelled."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from cases.casefile import CaseFile, Record
from cases.installation import Installation
from cases.office import Session
from cases.posts import appoint
from cases.records import event
from cases.refusal import Refusal
from cases.store import Store
from policies.calendar import CalendarFault
from policies.clocks import Face
from tests.cases import invariants
from tests.cases.test_access import close, work
from tests.town import SINCE, START, STUDENT, Town, book, minutes, town

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ACK, REPORT, FEEDBACK = "acknowledge", "report_in", "feedback"


@dataclass
class Story:
    """One case, told by who does what how long after the whistle."""

    city: Town
    case: int

    def does(self, who: str, track: int | str, trigger: str, after: timedelta, **form: object) -> None:
        self.city.run_until(START + after)
        self.city.fire(who, self.case, track, trigger, form, START + after)

    def refuses(self, who: str, track: int | str, trigger: str, after: timedelta, **form: object) -> str:
        self.city.run_until(START + after)
        return self.city.refusal(who, self.case, track, trigger, form, START + after)

    def file(self) -> CaseFile:
        with self.city.store.read() as connection:
            return invariants.file_of(Session(connection, self.city.office), self.case)

    def clock(self, track: int, name: str) -> Face:
        found = self.file().clock(track, name)
        assert found is not None, name
        return found.face

    def due(self, track: int, name: str) -> timedelta:
        """How long after the whistle a clock is due."""
        return self.clock(track, name).due - START

    def state(self, track: int = 0) -> str:
        found = self.file().track(track)
        assert found is not None
        return found.state

    def kind(self, kind: str) -> list[Record]:
        return self.file().of_kind(kind)

    def events(self) -> list[str]:
        with self.city.store.read() as connection:
            mine = select(event.c.name).where(event.c.case_id == self.case)
            return list(connection.scalars(mine.order_by(event.c.seq)))

    def check(self) -> None:
        """Nothing is broken in the end."""
        with self.city.store.read() as connection:
            assert invariants.broken(Session(connection, self.city.office), self.case) == []

    def feeds_back(self, who: str, track: int, after: timedelta) -> None:
        self.does(who, track, "give_feedback", after, measures="visited", outcome="solved")


@pytest.fixture
def city(store: Store) -> Iterator[Town]:
    with town(store) as built:
        yield built


def a_story(city: Town, level: str = "red", concern: str = "harmful_home", **more: Any) -> Story:  # noqa: ANN401
    return Story(city, city.whistle(level=level, concern=concern, **more).case.id)


def on_scene(after: timedelta) -> dict[str, Any]:
    return {"at": (START + after).isoformat(), "where": "home", "mode": "on_site", "people": ["李"]}


def local(day: date, hour: int) -> datetime:
    return datetime(day.year, day.month, day.day, hour - 8, tzinfo=UTC)


# ------------------------------------------------------------------------------------------------------ assignment


def test_an_acknowledgement_taken_back_leaves_the_clock_as_if_it_had_not_been(city: Town) -> None:
    story = a_story(city)
    story.does("officer@street", 1, ACK, minutes(8))
    story.does("officer@street", 1, "undo_acknowledge", minutes(13))
    assert story.state(1) == "summoned"
    assert story.due(1, ACK) == minutes(15)
    story.city.run_until(START + minutes(16))
    assert story.events().count("assignment.acknowledge.reminded") == 3
    assert story.events().count("assignment.acknowledge.breached") == 3
    story.check()


def test_after_five_minutes_an_acknowledgement_stands(city: Town) -> None:
    story = a_story(city)
    story.does("officer@street", 1, ACK, minutes(3))
    late = minutes(8) + timedelta(microseconds=1)
    assert story.refuses("officer@street", 1, "undo_acknowledge", late) == "too_late"
    assert story.refuses("lead@street", 1, "undo_acknowledge", minutes(4)) == "not_permitted"
    story.does("officer@street", 1, "undo_acknowledge", minutes(8))


def test_while_it_is_disputed_an_assignments_time_stands_still(city: Town) -> None:
    story = a_story(city, "orange")
    proposed = city.places["street#2"].id
    story.does("lead@street", 1, "decline", HOUR, reason="not our street", proposed=proposed)
    assert story.state(1) == "disputed"
    story.city.run_until(START + 3 * HOUR)
    assert not [name for name in story.events() if name == "assignment.acknowledge.breached"][2:]
    story.does("coordinator@district", 1, "uphold", 4 * HOUR, reason="it is yours")
    assert story.due(1, ACK) == 5 * HOUR
    assert story.due(1, REPORT) == 27 * HOUR
    decline = {"reason": "still not", "proposed": proposed}
    assert story.refuses("lead@street", 1, "decline", 4 * HOUR, **decline) == "already_declined"
    story.does("officer@street", 1, ACK, 5 * HOUR)
    assert story.clock(1, ACK).state == "met"
    story.check()


def test_a_decline_comes_within_two_hours_or_the_acknowledge_limit(city: Town) -> None:
    orange, yellow = a_story(city, "orange"), Story(city, _yellow(city))
    form = {"reason": "not ours", "proposed": city.places["street#2"].id}
    late = 2 * HOUR + timedelta(microseconds=1)
    assert orange.refuses("lead@street", 1, "decline", late, **form) == "too_late"
    # Four working hours from 08:20 end at 15:00, past the two hours.
    assert yellow.due(1, ACK) == timedelta(hours=6, minutes=40)
    yellow.does("lead@street", 1, "decline", timedelta(hours=6, minutes=40), **form)
    red = a_story(city)
    assert red.refuses("lead@street", 1, "decline", 7 * HOUR, **form) == "red_cannot_decline"


def _yellow(city: Town) -> int:
    form = {"concern": "harmful_home", "level": "yellow", "summary": "seen", "student": STUDENT}
    return city.fire("principal@school", None, 0, "submit", form).case.id


def test_a_reassigned_assignment_hands_on_its_part_and_ends_its_orders(city: Town) -> None:
    story = a_story(city)
    story.city.run_until(START + minutes(30))
    assert [one.state for one in story.kind("supervision") if one.about == 1] == ["issued"]
    to = city.places["street#2"].id
    already = {"to": city.places["police"].id, "reason": "r"}
    assert story.refuses("coordinator@district", 1, "reassign", minutes(31), **already) == "invalid"
    story.does("coordinator@district", 1, "reassign", minutes(31), to=to, reason="their flat is across the river")
    new = story.kind("assignment")[-1]
    assert (story.state(1), new.organisation, new.facts["part"], new.state) == ("reassigned", to, "lead", "summoned")
    assert [one.state for one in story.kind("supervision") if one.about == 1] == ["lapsed"]
    assert story.due(new.no, ACK) == minutes(46)
    story.check()


def test_each_send_back_gives_half_the_time_and_the_third_goes_to_the_coordinator(city: Town) -> None:
    story = a_story(city, "orange")
    story.does("officer@street", 1, REPORT, HOUR, **on_scene(HOUR))
    assert story.clock(1, FEEDBACK).due == local(date(2026, 3, 20), 18)  # three working days
    story.feeds_back("officer@street", 1, 2 * HOUR)
    for after in (3 * HOUR, 5 * HOUR):
        story.does("counselor@school", 1, "send_back", after, reason="nobody was asked")
        assert story.clock(1, FEEDBACK).due == local(date(2026, 3, 19), 18)  # half of three is two
        story.feeds_back("officer@street", 1, after + HOUR)
    refused = story.refuses("principal@school", 1, "send_back", 7 * HOUR, reason="still not")
    assert refused == "sent_back_twice"
    story.does("coordinator@district", 1, "settle_dispute", 7 * HOUR, reason="enough is done")
    assert story.state(1) == "done"
    story.check()


# ------------------------------------------------------------------------------------------------------- extension


def asking(extra: object = 3) -> dict[str, Any]:
    return {"about": 1, "reason": "the family is away", "extra": extra}


def test_a_granted_extension_moves_the_feedback_limit_once(city: Town) -> None:
    story = a_story(city, "orange")
    assert story.refuses("officer@street", "extension", "request", HOUR, **asking(4)) == "too_long"
    assert story.refuses("officer@street", "extension", "request", HOUR, **asking("3h")) == "invalid"
    assert story.refuses("officer@police", "extension", "request", HOUR, **asking()) == "not_permitted"
    story.does("officer@street", "extension", "request", HOUR, **asking())
    number = story.kind("extension")[0].no
    assert story.refuses("lead@street", "extension", "request", HOUR, **asking()) == "already_extended"
    story.does("coordinator@district", number, "grant", 2 * HOUR)
    assert story.clock(1, FEEDBACK).due == local(date(2026, 3, 25), 18)  # six working days
    assert story.refuses("officer@street", "extension", "request", DAY, **asking()) == "already_extended"
    story.check()


def test_an_extension_is_asked_for_before_the_limit_and_lapses_with_its_assignment(city: Town) -> None:
    story = a_story(city)
    late = 2 * HOUR + timedelta(seconds=1)
    story.does("officer@police", "extension", "request", HOUR, about=2, reason="r", extra=1)
    assert story.refuses("officer@street", "extension", "request", late, about=1, reason="r", extra=1) == "too_late"
    number = story.kind("extension")[0].no
    assert story.refuses("coordinator@district", number, "grant", late) == "too_late"
    story.does("coordinator@district", 2, "reassign", late, to=city.places["justice"].id, reason="r")
    assert story.state(number) == "lapsed"
    story.check()


# ---------------------------------------------------------------------------------------------------------- regrade


def test_a_regrade_sets_every_unmet_clock_anew_from_its_own_start(city: Town) -> None:
    story = a_story(city)
    story.does("officer@street", 1, ACK, minutes(10))
    story.does("supervisor@district", 0, "regrade", minutes(20), level="orange", reason="calmer than it looked")
    assert story.clock(1, ACK).state == "met"
    assert story.clock(2, ACK).state == "running"  # 15 minutes were missed, two hours aren't
    assert story.due(2, ACK) == 2 * HOUR
    assert story.due(1, REPORT) == 24 * HOUR
    assert story.clock(0, "safe_plan").state == "cancelled"
    before = len(story.events())
    story.does("coordinator@district", 0, "regrade", 3 * HOUR, level="red", reason="it got worse")
    fallen = story.events()[before:]
    # What is past under the red limits fires at once, and in its order.
    report_in = [name for name in fallen if name.startswith("assignment.report_in")]
    assert report_in[:3] == ["assignment.report_in.reminded"] * 3
    assert story.clock(1, REPORT).state == story.clock(1, FEEDBACK).state == "missed"
    assert story.due(0, "safe_plan") == 27 * HOUR
    story.check()


# ------------------------------------------------------------------------------------------------- settling, rework


def test_the_settling_clock_stands_still_while_only_other_tracks_are_at_work(city: Town) -> None:
    story = a_story(city)
    story.does("counselor@school", "leave", "begin", HOUR, from_day="2026-03-17", grounds="illness")
    work(city, story.case, START + 2 * HOUR)
    assert story.clock(0, "settle").state == "paused"
    leave = story.kind("leave")[0].no
    justice = {"organisation": city.places["justice"].id, "part": "support", "reason": "legal aid"}
    story.does("counselor@school", 0, "summon", 50 * HOUR, **justice)
    assert story.clock(0, "settle").state == "running"
    assert story.due(0, "settle") == 7 * DAY + 48 * HOUR
    story.does("counselor@school", leave, "end", 51 * HOUR, reason="back")
    assert story.state() == "open"
    story.check()


def test_a_low_score_sends_an_assignment_back_once(city: Town) -> None:
    story = a_story(city)
    work(city, story.case, START + HOUR)
    assert story.state() == "awaiting_evaluation"
    street, police = city.places["street"].id, city.places["police"].id
    assert story.refuses("counselor@school", 0, "evaluate", 2 * HOUR, scores={police: {"score": 3}}) == "invalid"
    scores = {street: {"score": 2, "comment": "nobody looked"}, police: {"score": 5}}
    story.does("counselor@school", 0, "evaluate", 2 * HOUR, scores=scores)
    assert (story.state(), story.state(1), story.state(2)) == ("open", "on_scene", "done")
    assert story.due(1, FEEDBACK) == 4 * HOUR
    story.feeds_back("officer@street", 1, 3 * HOUR)
    story.does("counselor@school", 1, "accept_feedback", 3 * HOUR)
    assert story.state() == "awaiting_evaluation"
    close_it = {"outcome": "resolved", "summary": "safe"}
    assert story.refuses("coordinator@district", 0, "close", 3 * HOUR, **close_it) == "needs_evaluation"
    story.does("counselor@school", 0, "evaluate", 4 * HOUR, scores={street: {"score": 1}})
    assert story.state() == "awaiting_evaluation"
    assert story.refuses("principal@school", 0, "close", 5 * HOUR, **close_it) == "not_permitted"
    story.does("coordinator@district", 0, "close", 5 * HOUR, **close_it)
    assert story.file().closed == START + 5 * HOUR
    story.check()


def test_whoever_alone_worked_on_a_case_does_not_close_it(city: Town) -> None:
    alone = city.members["principal@school"]
    with city.store.begin() as connection:
        appoint(connection, alone, "counselor", city.places["school"], since=SINCE)
        for place, role in (("street", "officer"), ("civil_affairs", "officer")):
            appoint(connection, alone, role, city.places[place], since=SINCE)
    form = {"concern": "left_behind", "level": "blue", "summary": "alone at home", "student": STUDENT}
    story = Story(city, city.fire("principal@school", None, 0, "submit", form).case.id)
    for track in (1, 2):
        story.does("principal@school", track, REPORT, HOUR, **on_scene(HOUR))
        story.feeds_back("principal@school", track, HOUR)
        story.does("principal@school", track, "accept_feedback", HOUR)
    story.does("principal@school", 0, "evaluate", HOUR, scores={city.places["street"].id: {"score": 5}})
    close_it = {"outcome": "resolved", "summary": "safe"}
    assert story.refuses("principal@school", 0, "close", HOUR, **close_it) == "needs_second_person"
    story.check()


@pytest.mark.parametrize("nobody", ["school", "district", "city"])
def test_a_summons_goes_where_somebody_can_answer_it(city: Town, nobody: str) -> None:
    story = a_story(city)
    there = city.places[nobody].id
    more = {"organisation": there, "part": "support", "reason": "more hands"}
    assert story.refuses("coordinator@district", 0, "summon", HOUR, **more) == "invalid"
    assert story.refuses("coordinator@district", 1, "reassign", HOUR, to=there, reason="not theirs") == "invalid"
    assert [one.organisation for one in story.kind("assignment")].count(there) == 0


def test_a_reopened_case_summons_its_lead_anew_and_wants_a_new_safe_plan(city: Town) -> None:
    story = a_story(city)
    close(city, story.case, work(city, story.case, START + HOUR))
    assert story.state() == "closed"
    story.does("supervisor@district", 0, "reopen", 3 * DAY, reason="new bruises")
    lead = story.kind("assignment")[-1]
    assert (lead.state, lead.facts["part"], lead.organisation) == ("summoned", "lead", city.places["street"].id)
    assert story.due(0, "safe_plan") == 4 * DAY
    assert story.due(0, "settle") == 10 * DAY
    story.check()


def test_after_a_reopening_a_low_score_sends_back_the_new_lead_alone(city: Town) -> None:
    story = a_story(city)
    close(city, story.case, work(city, story.case, START + HOUR))
    story.does("counselor@school", 0, "reopen", 2 * HOUR, reason="new bruises")
    lead = story.kind("assignment")[-1].no
    story.does("coordinator@district", lead, "reassign", 2 * HOUR, to=city.places["street#2"].id, reason="moved")
    lead = story.kind("assignment")[-1].no
    story.does("officer@street#2", lead, REPORT, 3 * HOUR, **on_scene(3 * HOUR))
    story.feeds_back("officer@street#2", lead, 3 * HOUR)
    story.does("counselor@school", lead, "accept_feedback", 3 * HOUR)
    story.does("counselor@school", 0, "record_safe_plan", 3 * HOUR, plan="stays with her aunt")
    assert story.state() == "awaiting_evaluation"
    low = {city.places[name].id: {"score": 1} for name in ("street", "street#2", "police")}
    story.does("counselor@school", 0, "evaluate", 4 * HOUR, scores=low)
    at_work = {one.no for one in story.kind("assignment") if one.state == "on_scene"}
    assert at_work == {lead, 2}
    story.check()


# ------------------------------------------------------------------------------------------------ withdraw and merge


def test_a_case_is_withdrawn_until_somebody_reports_in_and_its_report_lives_on(city: Town) -> None:
    story = a_story(city, statutory=["injury"])
    report = story.kind("mandatory_report")[0].no
    street = story.kind("assignment")[0].no
    story.does("officer@street", street, ACK, minutes(5))
    story.does("counselor@school", 0, "withdraw", minutes(10), reason="a mistake")
    assert story.state() == "withdrawn"
    assert {one.state for one in story.kind("assignment")} == {"cancelled"}
    assert (story.state(report), story.clock(report, "call_police").state) == ("due", "running")
    unstopped = [one.name for one in story.file().clocks.values() if not one.face.stopped]
    assert unstopped == ["call_police"]
    police = city.places["police"].id
    at = (START + minutes(20)).isoformat()
    story.does("principal@school", report, "file", minutes(20), to=police, at=at, channel="110")
    assert story.state(report) == "filed"
    story.check()
    other = a_story(city)
    other.does("officer@police", 2, REPORT, minutes(25), **on_scene(minutes(25)))
    refused = other.refuses("counselor@school", 0, "withdraw", minutes(26), reason="a mistake")
    assert refused == "already_reported_in"


def test_two_cases_of_one_student_become_one(city: Town) -> None:
    story, into = a_story(city, statutory=["injury"]), a_story(city)
    stranger = a_story(city, student={**STUDENT, "name": "小安"})
    merge = ("coordinator@district", 0, "merge", minutes(10))

    def fault(number: str) -> tuple[str, ...]:
        with pytest.raises(Refusal) as refused:
            city.fire("coordinator@district", story.case, 0, "merge", {"into": number, "reason": "r"}, START)
        return refused.value.code, *(f"{one.name}: {one.code}" for one in refused.value.faults)

    assert fault(stranger.file().number) == ("not_same_student",)
    assert fault(story.file().number) == fault("WH-2026-999999") == ("invalid", "into: no_such_case")
    story.does(*merge, into=into.file().number, reason="the same bruises")
    assert (story.state(), story.file().merged_into) == ("merged", into.case)
    assert {one.state for one in story.kind("assignment")} == {"cancelled"}
    assert [one.state for one in story.kind("mandatory_report")] == ["due"]
    assert into.events()[-1] == "case.absorbed"
    late = a_story(city)
    assert late.refuses(*merge, into=story.file().number, reason="r") == "invalid"
    story.check()
    into.check()


# ------------------------------------------------------------------------------------------------------- calendars

TABLE_2027 = """\
year: 2027
source: {zh_CN: 测试用表, en: a table for this test}
holidays:
  - name: {zh_CN: 元旦, en: New Year's Day}
    off: [2027-01-01..2027-01-06]
"""
DECEMBER = datetime(2026, 12, 24, 2, tzinfo=UTC)


def test_a_new_calendar_moves_provisional_limits_and_leaves_every_history_whole(city: Town, tmp_path: Path) -> None:
    installation = Installation(city.store, city.office.keystore, city.office.master)
    city.office.book_of = installation.book
    form = {"concern": "harmful_home", "level": "blue", "summary": "seen", "student": STUDENT}
    story = Story(city, city.fire("principal@school", None, 0, "submit", form, DECEMBER).case.id)
    met = Story(city, city.fire("principal@school", None, 0, "submit", form, DECEMBER).case.id)
    there = {"at": DECEMBER.isoformat(), "where": "home", "mode": "on_site", "people": ["李"]}
    city.fire("officer@street", met.case, 1, REPORT, there, DECEMBER)
    feedback = {"measures": "visited", "outcome": "solved"}
    city.fire("officer@street", met.case, 1, "give_feedback", feedback, DECEMBER)
    assert story.clock(1, FEEDBACK).provisional
    before = story.clock(1, FEEDBACK).due
    path = tmp_path / "cn-2027.yaml"
    path.write_text(TABLE_2027, "utf-8")
    moved = installation.load_calendar(path, DECEMBER + DAY)
    assert moved >= 3
    face = story.clock(1, FEEDBACK)
    assert not face.provisional
    assert face.due > before
    assert "case.calendar_loaded" in story.events()
    story.check()
    met.check()
    assert installation.load_calendar(path, DECEMBER + 2 * DAY) == 0


def test_a_process_that_was_running_reckons_with_the_new_calendar_too(city: Town, tmp_path: Path) -> None:
    keystore, master = city.office.keystore, city.office.master
    running = Installation(city.store, keystore, master)
    city.office = running.office(book().version)
    form = {"concern": "harmful_home", "level": "blue", "summary": "seen", "student": STUDENT}
    first = Story(city, city.fire("principal@school", None, 0, "submit", form, DECEMBER).case.id)
    assert first.clock(1, FEEDBACK).provisional
    path = tmp_path / "cn-2027.yaml"
    path.write_text(TABLE_2027, "utf-8")
    Installation(city.store, keystore, master).load_calendar(path, DECEMBER + DAY)
    second = Story(city, city.fire("principal@school", None, 0, "submit", form, DECEMBER + DAY).case.id)
    assert not second.clock(1, FEEDBACK).provisional


def test_a_faulty_calendar_changes_nothing(city: Town, tmp_path: Path) -> None:
    installation = Installation(city.store, city.office.keystore, city.office.master)
    path = tmp_path / "cn-2027.yaml"
    path.write_text(TABLE_2027.replace("2027-01-06", "2027-13-06"), "utf-8")
    with pytest.raises(CalendarFault):
        installation.load_calendar(path, DECEMBER)
    assert installation.book(book().version).calendars.tables == book().calendars.tables
