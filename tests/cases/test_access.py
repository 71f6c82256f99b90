"""Who sees what of a case: the table of the contract, and lists that show exactly whom `sees` lets in."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, text

from cases import access, queries
from cases.directory import Actor
from cases.office import Session
from cases.posts import enlist
from cases.records import access_log
from cases.records import case as cases_table
from cases.refusal import Refusal
from cases.registrar import found
from cases.store import Store
from tests.cases import invariants
from tests.town import SINCE, START, STUDENT, Town, book, minutes, town

DAY = timedelta(days=1)
NOTHING, NO_CLINICAL, ALL = ("no", "no", "no"), ("yes", "yes", "no"), ("yes", "yes", "yes")
SCORE = {"measures": "visited", "outcome": "solved"}


@pytest.fixture
def city(store: Store) -> Iterator[Town]:
    with town(store) as built:
        yield built


def sight(city: Town, case_id: int, member: str | Actor, at: datetime) -> tuple[str, str, str]:
    """Identity, narrative, clinical, as `sees` grants them."""
    with city.store.read() as connection:
        actor = (
            member if isinstance(member, Actor) else city.office.directory.actor(connection, city.members[member], at)
        )
        file = invariants.file_of(Session(connection, city.office), case_id)
        seen = access.sees(actor, file, book(), at)
        return seen.identity, seen.narrative, seen.clinical


def everybodys_sight(city: Town, case_id: int, at: datetime) -> dict[str, tuple[str, str, str]]:
    """Whoever sees anything, with what they see."""
    found = {name: sight(city, case_id, name, at) for name in city.members}
    return {name: seen for name, seen in found.items() if seen != NOTHING}


def work(city: Town, case_id: int, at: datetime) -> datetime:
    """Let every assignment of a case be done, and the safe plan be recorded; when that was."""
    with city.store.read() as connection:
        file = invariants.file_of(Session(connection, city.office), case_id)
    names = {one.id: name for name, one in city.places.items()}
    city.fire("counselor@school", case_id, 0, "record_safe_plan", {"plan": "stays with her aunt"}, at)
    for one in file.of_kind("assignment"):
        officer = f"officer@{names[one.organisation or 0]}"
        form = {"at": at.isoformat(), "where": "home", "mode": "on_site", "people": ["李"]}
        city.fire(officer, case_id, one.no, "report_in", form, at)
        city.fire(officer, case_id, one.no, "give_feedback", SCORE, at)
        city.fire("counselor@school", case_id, one.no, "accept_feedback", None, at)
    return at


def close(city: Town, case_id: int, at: datetime) -> None:
    """Evaluate and close a red case that is settled."""
    scores = {city.places["street"].id: {"score": 5}}
    city.fire("counselor@school", case_id, 0, "evaluate", {"scores": scores}, at)
    form = {"outcome": "resolved", "summary": "safe"}
    city.fire("coordinator@district", case_id, 0, "close", form, at)


# ------------------------------------------------------------------------------------ the table of the contract

SCHOOL_AND_DESK = {
    "counselor@school": ALL,
    "deputy@school": ALL,
    "principal@school": NO_CLINICAL,
    "coordinator@district": NO_CLINICAL,
    "coordinator@city": NO_CLINICAL,
    "supervisor@district": ("masked", "yes", "no"),
    "supervisor@city": ("masked", "yes", "no"),
}
CALLED = {
    f"{role}@{place}": NO_CLINICAL
    for place in ("street", "community", "police", "womens_federation")
    for role in ("officer", "lead")
} | {"codirector@street": NO_CLINICAL}


def test_before_anybody_is_called_only_school_and_district_see_a_case(city: Town) -> None:
    draft = city.fire("counselor@school", None, 0, "save_draft", {"student": STUDENT}).case.id
    assert everybodys_sight(city, draft, START) == SCHOOL_AND_DESK


def test_a_summons_lets_in_the_called_the_community_and_the_codirector_and_nobody_else(city: Town) -> None:
    case = city.whistle().case.id
    assert everybodys_sight(city, case, START) == SCHOOL_AND_DESK | CALLED


def test_only_the_hospitals_liaison_sees_the_clinical_section_and_only_once_it_is_called(city: Town) -> None:
    case = city.whistle(concern="mental_illness").case.id
    assert not [name for name in everybodys_sight(city, case, START) if name.endswith("@hospital")]
    consent = {"guardian": "王芳", "signed_at": START.isoformat(), "form": ["consent.jpg"]}
    city.fire("counselor@school", case, 2, "give_consent", consent)
    seen = everybodys_sight(city, case, START)
    assert {name: seen[name] for name in seen if "hospital" in name} == {
        "liaison@hospital": ALL,
        "officer@hospital": NO_CLINICAL,
        "lead@hospital": NO_CLINICAL,
    }


def test_a_hospital_that_the_case_was_redirected_from_sees_nothing_any_more(city: Town) -> None:
    case = city.whistle(concern="mental_illness", level="orange").case.id
    consent = {"guardian": "王芳", "signed_at": START.isoformat(), "form": ["consent.jpg"]}
    city.fire("counselor@school", case, 2, "give_consent", consent)
    city.fire("liaison@hospital", case, 2, "decline", {"reason": "full"})
    assert sight(city, case, "liaison@hospital", START) == ALL
    city.fire("counselor@school", case, 2, "redirect", {"hospital": city.places["hospital#2"].id})
    assert sight(city, case, "liaison@hospital", START) == NOTHING
    assert sight(city, case, "liaison@hospital#2", START) == ALL


def test_a_mentor_sees_the_student_they_mind_and_the_case_they_whistled_for(city: Town) -> None:
    case = city.whistle().case.id
    assert sight(city, case, "mentor@school", START) == NOTHING
    mine = city.whistle(who="counselor@school", student={**STUDENT, "name": "小安"}).case
    with city.store.begin() as connection:
        connection.execute(
            text("UPDATE student SET mentor_member_id = :mentor WHERE id = :id"),
            {"mentor": city.members["mentor@school"], "id": mine.student},
        )
    assert sight(city, mine.id, "mentor@school", START) == NO_CLINICAL
    form = {"concern": "dropout", "level": "yellow", "summary": "absent", "student": {**STUDENT, "name": "小乐"}}
    whistled = city.fire("mentor@school", None, 0, "submit", form).case.id
    assert sight(city, whistled, "mentor@school", START) == NO_CLINICAL


@pytest.mark.parametrize(
    ("after", "seen"), [(timedelta(0), True), (30 * DAY, True), (30 * DAY + timedelta(microseconds=1), False)]
)
def test_the_called_keep_sight_for_thirty_days_after_closing(city: Town, after: timedelta, *, seen: bool) -> None:
    case = city.whistle().case.id
    closed = START + minutes(20)
    close(city, case, work(city, case, closed))
    expected = SCHOOL_AND_DESK | CALLED if seen else SCHOOL_AND_DESK
    assert everybodys_sight(city, case, closed + after) == expected


def test_a_reopened_case_is_seen_again_by_those_who_were_called(city: Town) -> None:
    case = city.whistle().case.id
    close(city, case, work(city, case, START + minutes(20)))
    later = START + 60 * DAY
    assert sight(city, case, "officer@police", later) == NOTHING
    city.fire("counselor@school", case, 0, "reopen", {"reason": "new bruises"}, later)
    assert sight(city, case, "officer@police", later) == NO_CLINICAL


def test_break_glass_opens_identity_and_narrative_for_four_hours(city: Town) -> None:
    case = city.whistle().case.id
    assert sight(city, case, "officer@court", START) == NOTHING
    city.fire("officer@court", case, "access", "open", {"reason": "a hearing tonight"})
    assert sight(city, case, "officer@court", START) == NO_CLINICAL
    assert sight(city, case, "lead@court", START) == NOTHING
    city.run_until(START + timedelta(hours=4))
    assert sight(city, case, "officer@court", START + timedelta(hours=4)) == NOTHING


# ------------------------------------------------------------------------------------------------- lists and reading


def situations(city: Town) -> list[datetime]:
    """Cases in every situation that sight depends on; the instants at which to look."""
    day = START + minutes(20)
    city.whistle()
    city.fire("counselor@school", None, 0, "save_draft", {"student": STUDENT})
    minded = city.whistle().case
    for one in ("小安", "小乐"):
        form = {"concern": "dropout", "level": "yellow", "summary": "absent", "student": {**STUDENT, "name": one}}
        minded = city.fire("mentor@school", None, 0, "submit", form).case
    with city.store.begin() as connection:
        minder = {"mentor": city.members["mentor@school"], "id": minded.student}
        connection.execute(text("UPDATE student SET mentor_member_id = :mentor WHERE id = :id"), minder)
    city.fire("counselor@school", minded.id, 0, "withdraw", {"reason": "a mistake"}, day)
    closed = city.whistle().case.id
    close(city, closed, work(city, closed, day))
    into = city.whistle().case.number
    merged = city.whistle().case.id
    city.fire("coordinator@district", merged, 0, "merge", {"into": into, "reason": "the same"}, day)
    redirected = city.whistle(concern="mental_illness", level="orange").case.id
    consent = {"guardian": "王芳", "signed_at": START.isoformat(), "form": ["consent.jpg"]}
    city.fire("counselor@school", redirected, 2, "give_consent", consent)
    city.fire("liaison@hospital", redirected, 2, "decline", {"reason": "full"})
    city.fire("counselor@school", redirected, 2, "redirect", {"hospital": city.places["hospital#2"].id})
    city.fire("officer@court", redirected, "access", "open", {"reason": "tonight"}, START)
    city.fire("supervisor@district#2", closed, "access", "open", {"reason": "tonight"}, day)
    with city.store.begin() as connection:
        street, community = city.places["street"], city.places["community"]
        other = found(connection, "T-school#2", "school", "示例二小", street, community=community)
        strange = found(connection, "T-school#3", "school", "示例三小", city.places["district#2"])
        city.places |= {"school#2": other, "school#3": strange}
        for place, roles in ((other, ("counselor", "principal")), (strange, ("counselor",))):
            for role in roles:
                name = f"{role}@{'school#2' if place is other else 'school#3'}"
                city.members[name] = enlist(connection, place, name, [role], since=SINCE).id
        city.members["codirector@street of school#2"] = enlist(
            connection, city.places["street"], "another", ["codirector"], since=SINCE, school=other
        ).id
    for who in ("counselor@school#2", "counselor@school#3"):
        city.fire(who, None, 0, "save_draft", {"student": STUDENT})
    city.whistle(who="counselor@school#2", concern="school_safety")
    return [START, day, *(day + after for after in (29 * DAY, 30 * DAY, 30 * DAY + minutes(1), 31 * DAY))]


def test_a_list_holds_exactly_the_cases_that_its_reader_sees(city: Town) -> None:
    compared = shown = 0
    for at in situations(city):
        city.run_until(at)
        with city.store.read() as connection:
            session = Session(connection, city.office)
            ids = list(connection.scalars(select(cases_table.c.id)))
            files = {number: invariants.file_of(session, number) for number in ids}
            for name, number in city.members.items():
                actor = city.office.directory.actor(connection, number, at)
                listed = set(connection.scalars(select(cases_table.c.id).where(access.visible(actor, book(), at))))
                seen = {one for one in ids if not access.sees(actor, files[one], book(), at).nothing}
                assert listed == seen, (name, at)
                compared += len(ids)
                shown += len(seen)
    assert compared > 3_000
    assert 0.05 < shown / compared < 0.9


def test_everybody_opens_the_sections_that_are_theirs_and_no_others(city: Town) -> None:
    case = city.whistle(concern="mental_illness").case.id
    answers = {"scale": "phq_9", "version": "1", "items": {str(one): 2 for one in range(1, 10)}, "day": "2026-03-17"}
    city.fire("counselor@school", case, 0, "record_screening", answers)
    assert invariants.seen_through(city, case, list(city.members), START) == []


def test_whoever_opens_a_section_stands_in_the_access_log(city: Town) -> None:
    case = city.whistle()
    city.fire("officer@court", case.case.id, "access", "open", {"reason": "a hearing tonight"})
    with city.store.begin() as connection:
        session = Session(connection, city.office)
        actor = city.office.directory.actor(connection, city.members["officer@court"], START)
        opened = queries.open_section(session, case.case.number, actor, "identity", "page", START)
        assert opened[0]["name"] == STUDENT["name"]
        with pytest.raises(Refusal, match="not_permitted"):
            queries.open_section(session, case.case.number, actor, "clinical", "page", START)
    with city.store.read() as connection:
        logged = connection.execute(select(access_log)).mappings().one()
    assert (logged["member_id"], logged["section"], logged["what"]) == (actor.member_id, "identity", "page")
    assert logged["track_no"] == 4


def test_who_filed_a_mandatory_report_is_named_to_police_supervisor_and_the_filer_alone(city: Town) -> None:
    case = city.whistle(statutory=["injury"]).case
    report = case.of_kind("mandatory_report")[0].no
    form = {"to": city.places["police"].id, "at": START.isoformat(), "channel": "110"}
    city.fire("counselor@school", case.id, report, "file", form)
    named = set()
    with city.store.read() as connection:
        session = Session(connection, city.office)
        for name, number in city.members.items():
            actor = city.office.directory.actor(connection, number, START)
            file = invariants.file_of(session, case.id)
            if access.sees(actor, file, book(), START).nothing:
                continue
            filed = next(one for one in queries.history(session, file, actor) if one.trigger == "file")
            assert (filed.actor is None) == (filed.role is None)
            if filed.actor is not None:
                named.add(name)
    assert named == {
        "counselor@school",
        "officer@police",
        "lead@police",
        "supervisor@district",
        "supervisor@city",
    }
