"""Where two rules meet: told as short stories, each of which once went wrong."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from cases import access, listing
from cases.listing import Filters
from cases.office import Session
from cases.records import case as cases
from cases.records import message
from cases.store import Store
from policies.book import load_text
from tests.cases.test_access import close, work
from tests.cases.test_engine_stories import DAY, HOUR, Story, a_story, city, on_scene
from tests.town import START, STUDENT, Town, book, minutes, town

assert city is not None  # the fixture of those stories

CONSENT = {"guardian": "王芳", "signed_at": START.isoformat(), "form": ["consent.jpg"]}
REASON = {"reason": "needed"}


def told(city: Town, who: str) -> int:
    with city.store.read() as connection:
        mine = select(message.c.id).where(message.c.member_id == city.members[who])
        return len(connection.scalars(mine).all())


def numbers(city: Town, who: str, at: Any) -> set[str]:  # noqa: ANN401 - an instant
    """What a list shows."""
    with city.store.read() as connection:
        page = listing.lines(Session(connection, city.office), city.actor(who, at), at, Filters())
    return {one.number for one in page.items}


def sees(city: Town, story: Story, who: str, at: Any) -> bool:  # noqa: ANN401
    """What the rule says; the list has to say the same."""
    file, actor = story.file(), city.actor(who, at)
    seen = not access.sees(actor, file, city.office.book_of(file.policy), at).nothing
    assert (file.number in numbers(city, who, at)) == seen
    return seen


def a_referral(city: Town, **more: Any) -> tuple[Story, int]:  # noqa: ANN401
    story = a_story(city, concern="mental_illness", **more)
    number = story.kind("referral")[0].no
    story.does("counselor@school", number, "give_consent", minutes(5), **CONSENT)
    return story, number


# ------------------------------------------------------------------------------------------------------------ levels


def test_a_regrade_to_the_level_it_has_leaves_the_safe_plan_as_late_as_it_is(city: Town) -> None:
    story = a_story(city)
    story.does("coordinator@district", 0, "regrade", 25 * HOUR, level="red", reason="still in danger")
    clock = story.clock(0, "safe_plan")
    assert (clock.state, clock.due - START) == ("missed", DAY)
    story.check()


# ----------------------------------------------------------------------------------------------------------- access


def test_broken_glass_is_whole_again_after_its_hours_where_nobody_sweeps(city: Town) -> None:
    story = a_story(city)
    who = "officer@court"
    city.fire(who, story.case, "access", "open", REASON, START + minutes(1))
    assert sees(city, story, who, START + 4 * HOUR)
    assert not sees(city, story, who, START + 4 * HOUR + minutes(1))


def test_whoever_is_called_after_the_closing_sees_the_case_for_the_window_from_then(city: Town) -> None:
    story = a_story(city, concern="left_behind")
    close(city, story.case, work(city, story.case, START + minutes(10)))
    late = timedelta(days=40)
    story.does("counselor@school", "mandatory_report", "raise", late, statutory=["injury"], facts="new bruises")
    report = story.kind("mandatory_report")[0].no
    at = (START + late).isoformat()
    police = city.places["police"].id
    story.does("counselor@school", report, "file", late, to=police, at=at, channel="110")
    assert not sees(city, story, "officer@street", START + late)
    assert sees(city, story, "officer@police", START + late + DAY)
    story.does("principal@school", report, "register", late + HOUR, authority="教育局", at=at)
    story.does("officer@police", report, "record_answer", late + DAY, accepted="no_case", at=at)
    assert story.state(report) == "answered"
    assert not sees(city, story, "officer@police", START + late + timedelta(days=31))
    story.check()


def test_the_streets_director_at_the_station_raises_a_report_for_their_own_school(city: Town) -> None:
    story = a_story(city)
    story.does("codirector@street", "mandatory_report", "raise", HOUR, statutory=["injury"], facts="bruises")
    assert len(story.kind("mandatory_report")) == 1


# ---------------------------------------------------------------------------------------------------------- referral


def test_a_hospital_that_declines_a_second_referral_still_tracks_the_first_ones_student(city: Town) -> None:
    story, first = a_referral(city, level="orange")
    day = START + HOUR
    story.does("liaison@hospital", first, "accept", HOUR)
    story.does("liaison@hospital", first, "record_visit", HOUR, seen_at=day.isoformat(), mode="outpatient")
    story.does("liaison@hospital", first, "complete", 2 * HOUR, summary="better", opinion="fit")
    story.does("counselor@school", "referral", "propose", 3 * HOUR, reason="again")
    second = story.kind("referral")[1].no
    if story.state(second) == "proposed":
        story.does("counselor@school", second, "give_consent", 3 * HOUR, **CONSENT)
    story.does("liaison@hospital", second, "decline", 4 * HOUR, reason="full")
    other = city.places["hospital#2"].id
    story.does("counselor@school", second, "redirect", 5 * HOUR, hospital=other)
    assert sees(city, story, "liaison@hospital", START + 6 * HOUR)
    assert sees(city, story, "liaison@hospital#2", START + 6 * HOUR)
    story.check()


def test_a_declined_referrals_clock_ends_with_the_case_and_goes_on_where_it_is_redirected(city: Town) -> None:
    story, referral = a_referral(city, level="orange")
    story.does("liaison@hospital", referral, "decline", HOUR, reason="full")
    story.does("officer@street", 1, "report_in", 2 * HOUR, **on_scene(2 * HOUR))
    story.feeds_back("officer@street", 1, 3 * HOUR)
    story.does("counselor@school", 1, "accept_feedback", 4 * HOUR)
    assert story.state() == "awaiting_evaluation"
    assert story.clock(referral, "first_contact").state == "cancelled"
    scores = {city.places["street"].id: {"score": 1, "comment": "too short"}}
    story.does("counselor@school", 0, "evaluate", 5 * HOUR, scores=scores)
    assert story.state() == "open"
    story.does("counselor@school", referral, "redirect", 6 * HOUR, hospital=city.places["hospital#2"].id)
    clock = story.clock(referral, "first_contact")
    assert (clock.state, clock.due - START) == ("running", 3 * DAY + minutes(5))
    story.check()


def test_where_the_street_has_been_there_already_a_refused_admission_summons_it_anew(city: Town) -> None:
    story, referral = a_referral(city)
    story.does("liaison@hospital", referral, "accept", HOUR)
    refused = {"signed_refusal": ["refusal.pdf"], "watch_plan": "two adults by turns"}
    story.does("officer@street", 1, "report_in", HOUR, **on_scene(HOUR))
    story.does("liaison@hospital", referral, "refuse_admission", 2 * HOUR, **refused)
    visits = [one for one in story.kind("assignment") if one.organisation == city.places["street"].id]
    assert [one.state for one in visits] == ["on_scene", "summoned"]
    assert story.clock(visits[1].no, "report_in").due == START + 2 * HOUR + minutes(30)
    story.check()


def test_nothing_is_recorded_before_it_can_have_been(city: Town) -> None:
    story, referral = a_referral(city, level="orange")
    story.does("liaison@hospital", referral, "accept", HOUR)
    early = {"at": (START - DAY).isoformat(), "where": "room 3"}
    assert story.refuses("liaison@hospital", referral, "schedule", HOUR, **early) == "invalid"
    story.does("liaison@hospital", referral, "schedule", HOUR, at=(START + 5 * HOUR).isoformat(), where="room 3")
    assert story.refuses("liaison@hospital", referral, "record_no_show", 2 * HOUR) == "too_early"
    story.does("liaison@hospital", referral, "record_no_show", 6 * HOUR)
    seen = (START + 6 * HOUR).isoformat()
    story.does("liaison@hospital", referral, "record_visit", 6 * HOUR, seen_at=seen, mode="outpatient")
    past = (START - DAY).date().isoformat()
    assert (
        story.refuses("liaison@hospital", referral, "update_treatment", 7 * HOUR, status="ok", next_visit=past)
        == "invalid"
    )
    fit = {"summary": "better", "opinion": "fit_with_conditions"}
    assert story.refuses("liaison@hospital", referral, "complete", 8 * HOUR, **fit) == "invalid"
    story.does("liaison@hospital", referral, "complete", 8 * HOUR, **fit, conditions="no sports for a month")


# ------------------------------------------------------------------------------------------------- who is told, keys


def test_a_desk_is_told_of_what_a_conference_gave_it_to_do(city: Town) -> None:
    story = a_story(city)
    asked = [city.places["district"].id, city.places["police"].id]
    story.does("lead@street", "conference", "call", HOUR, topic="who does what", invited=asked)
    assert told(city, "coordinator@district") > 0
    number = story.kind("conference")[0].no
    when = {"at": (START + 2 * HOUR).isoformat(), "where": "the school"}
    story.does("lead@street", number, "schedule", HOUR, **when)
    story.does("lead@street", number, "hold", 3 * HOUR, present=["李"])
    before = told(city, "coordinator@district")
    item = {"organisation": city.places["district"].id, "what": "a place at the centre", "limit": "3wd"}
    story.does("lead@street", number, "minute", 4 * HOUR, minutes="agreed", items=[item])
    assert told(city, "coordinator@district") == before + 1


def test_feedback_before_anybody_was_there_is_told_so_while_it_is_disputed_too(city: Town) -> None:
    story = a_story(city, level="orange")
    proposed = city.places["police"].id
    story.does("lead@street", 1, "decline", minutes(5), reason="not ours", proposed=proposed)
    form = {"measures": "none yet", "outcome": "unsolved"}
    assert story.refuses("officer@street", 1, "give_feedback", minutes(6), **form) == "needs_report_in"


# ------------------------------------------------------------------------------------------------------------ policy


def with_policy(city: Town, old: str, new: str) -> None:
    text = book().source_text
    assert old in text
    changed = load_text(text.replace(old, new), "changed.yaml")
    city.office.book_of = {changed.version: replace(changed, calendars=book().calendars)}.__getitem__


@pytest.mark.parametrize("trigger", ["whistle", "save_draft"])
def test_a_concern_that_the_policy_dropped_is_no_choice_any_more(store: Store, trigger: str) -> None:
    with town(store) as built:
        with_policy(built, "  dropout:\n", "  truancy:\n")
        form = {"concern": "dropout", "level": "red", "summary": "absent", "student": STUDENT}
        assert built.refusal("counselor@school", None, 0, trigger, form, START) == "invalid"


def test_a_concern_that_a_district_adds_calls_whom_it_says(store: Store) -> None:
    with town(store) as built:
        with_policy(built, "  dropout:\n", "  truancy:\n")
        story = Story(built, built.whistle(concern="truancy").case.id)
        kinds = {
            name for name, one in built.places.items() for two in story.kind("assignment") if one.id == two.organisation
        }
        assert kinds == {"street", "education_bureau"}
        with built.store.read() as connection:
            assert connection.scalar(select(cases.c.concern)) == "truancy"
