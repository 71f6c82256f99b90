"""A whistle: still being written, or blown where somebody is missing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from sqlalchemy import select

from cases import dossier, queries
from cases.office import Session
from cases.people import organisation
from cases.posts import enlist
from cases.records import event, message
from cases.refusal import Refusal
from cases.registrar import found, touch
from cases.store import Store
from tests.town import SINCE, START, STUDENT, WHISTLE, Town, town


@pytest.fixture
def place(store: Store) -> Iterator[Town]:
    with town(store) as built:
        yield built


def test_a_draft_with_a_name_alone_is_kept_and_calls_nobody(place: Town) -> None:
    drafted = place.fire("mentor@school", None, 0, "save_draft", {"student": STUDENT})
    assert (drafted.case.state, drafted.case.tracks, list(drafted.case.clocks), drafted.case.called) == (
        "draft",
        {},
        [],
        {},
    )
    again = place.fire("mentor@school", drafted.case.number, 0, "save_draft", {"concern": "dropout", "level": "yellow"})
    assert (again.case.concern, again.case.level) == ("dropout", "yellow")
    submitted = place.fire(
        "mentor@school", drafted.case.number, 0, "submit", {**WHISTLE, "concern": "dropout", "level": "yellow"}
    )
    assert submitted.case.state == "awaiting_signoff"
    assert submitted.case.student == drafted.case.student


def test_a_draft_can_become_a_whistle_at_once(place: Town) -> None:
    drafted = place.fire("counselor@school", None, 0, "save_draft", {"student": STUDENT, "summary": "bruises"})
    whistled = place.fire("counselor@school", drafted.case.number, 0, "whistle", WHISTLE)
    assert (whistled.case.state, whistled.case.level) == ("open", "red")


def test_a_draft_without_a_student_is_refused(place: Town) -> None:
    assert place.refusal("counselor@school", None, 0, "save_draft", {"concern": "dropout"}) == "invalid"


@pytest.mark.parametrize("trigger", ["whistle", "save_draft"])
def test_a_known_id_number_opens_and_changes_nothing_of_another_school(place: Town, trigger: str) -> None:
    with place.store.begin() as connection:
        other = found(connection, "T-school#2", "school", "示例二小", place.places["street"])
        place.members["counselor@school#2"] = enlist(connection, other, "另校", ["counselor"], since=SINCE).id
    number = "320102201611021235"
    known = {**STUDENT, "id_number": number, "address": "示例路 1 号", "guardians": ["家长"]}
    theirs = place.whistle(student=known).case
    guessed = {"name": "小明", "born": STUDENT["born"], "id_number": number}
    mine = place.fire("counselor@school#2", None, 0, trigger, {**WHISTLE, "student": guessed}).case

    def identity(who: str, case: str) -> Mapping[str, Any]:
        with place.store.begin() as connection:
            session = Session(connection, place.office)
            return queries.open_section(session, case, place.actor(who), "identity", "test", START)[0]

    assert identity("counselor@school#2", mine.number) == guessed
    assert identity("counselor@school", theirs.number) == known
    # The next whistle of each school finds its own.
    assert place.whistle(student=known).case.student == theirs.student
    again = place.fire("counselor@school#2", None, 0, "whistle", {**WHISTLE, "student": guessed})
    assert again.case.student == mine.student


def test_a_draft_does_not_exist_for_others(place: Town) -> None:
    drafted = place.fire("counselor@school", None, 0, "save_draft", {"student": STUDENT})
    assert place.refusal("officer@street", drafted.case.number, 0, "save_draft", {}) == "not_found"


def test_a_track_that_is_no_number_and_no_kind_is_not_found(place: Town) -> None:
    number = place.whistle().case.number
    assert place.refusal("counselor@school", number, "nonsense", "acknowledge") == "not_found"
    assert place.refusal("counselor@school", number, 99, "acknowledge") == "not_found"


def test_a_gap_in_the_directory_does_not_stop_a_red_whistle(place: Town) -> None:
    with place.store.begin() as connection:
        connection.execute(organisation.update().where(organisation.c.kind == "police").values(active=False))
        touch(connection)
    whistled = place.whistle()
    called = {one.organisation for one in whistled.case.of_kind("assignment")}
    assert called == {place.places["street"].id, place.places["womens_federation"].id}
    with place.store.read() as connection:
        told = select(message.c["items"]).where(message.c.member_id == place.members["coordinator@district"])
        said = connection.scalars(select(event.c.open).where(event.c.seq == 1)).one()
        assert any(item.get("event") == "case.whistled" for item in connection.scalars(told).one())
    assert said["nobody_responsible"] == ["police"]


def test_whoever_is_there_leads_where_the_lead_is_missing(place: Town) -> None:
    with place.store.begin() as connection:
        connection.execute(organisation.update().where(organisation.c.kind == "education_bureau").values(active=False))
        touch(connection)
    whistled = place.whistle(concern="bullying")
    parts = {one.organisation: one.facts["part"] for one in whistled.case.of_kind("assignment")}
    assert parts == {place.places["police"].id: "lead"}


def test_what_was_merged_is_read_by_whoever_sees_the_case_it_went_into(place: Town) -> None:
    first = place.whistle()
    second = place.whistle()
    newcomer = place.places["street#2"].id
    form = {"organisation": newcomer, "part": "support", "reason": "the family has moved"}
    place.fire("coordinator@district", second.case.number, 0, "summon", form)
    officer = place.actor("officer@street#2")
    with place.store.read() as connection, pytest.raises(Refusal):
        queries.look(Session(connection, place.office), first.case.number, officer, START)
    into = {"into": second.case.number, "reason": "the same bruises"}
    place.fire("coordinator@district", first.case.number, 0, "merge", into)
    with place.store.read() as connection:
        session = Session(connection, place.office)
        file, sight = queries.look(session, first.case.number, officer, START)
        assert (file.state, sight.narrative, sight.clinical) == ("merged", "yes", "no")
        assert queries.history(session, file, officer)[0].name == "case.whistled"


# ------------------------------------------------------------------------------- whose words change whose records

KNOWN = {
    **STUDENT,
    "id_number": "320102201611021235",
    "guardians": ["母亲 王芳 13900000000"],
    "address": "长江路1号",
}


def identity(place: Town, who: str, number: str) -> dict[str, Any]:
    """What that member is told of the student of a case."""
    with place.store.begin() as connection:
        session = Session(connection, place.office)
        return queries.open_section(session, number, place.actor(who), "identity", "test", START)[0]


def test_a_draft_shows_its_writer_what_they_typed_and_not_what_the_school_knows(place: Town) -> None:
    place.fire("counselor@school", None, 0, "whistle", {**WHISTLE, "student": KNOWN})
    drafted = place.fire("mentor@school", None, 0, "save_draft", {"student": STUDENT})
    assert identity(place, "mentor@school", drafted.case.number) == STUDENT


def test_a_draft_that_comes_to_mean_another_student_changes_nobody(place: Town) -> None:
    whistled = place.fire("counselor@school", None, 0, "whistle", {**WHISTLE, "student": KNOWN})
    drafted = place.fire("mentor@school", None, 0, "save_draft", {"student": STUDENT})
    for other in ({"name": "张冒名"}, {"born": "2015-05-05"}, {"id_number": "320102201611024567"}):
        form = {"student": {**STUDENT, **other}}
        assert place.refusal("mentor@school", drafted.case.number, 0, "save_draft", form) == "invalid"
    place.fire("mentor@school", drafted.case.number, 0, "save_draft", {"student": {**STUDENT, "address": "别处"}})
    assert identity(place, "counselor@school", whistled.case.number) == KNOWN


def test_an_id_number_of_somebody_else_is_no_way_into_their_records(place: Town) -> None:
    whistled = place.fire("counselor@school", None, 0, "whistle", {**WHISTLE, "student": KNOWN})
    form = {**WHISTLE, "student": {**KNOWN, "name": "王错号"}}
    assert place.refusal("counselor@school", None, 0, "whistle", form) == "invalid"
    assert place.refusal("counselor@school", None, 0, "save_draft", {"student": form["student"]}) == "invalid"
    assert identity(place, "counselor@school", whistled.case.number) == KNOWN


def test_a_field_that_was_emptied_in_a_draft_is_gone_and_a_whistle_adds_to_what_is_known(place: Town) -> None:
    first = place.fire("counselor@school", None, 0, "save_draft", {"student": KNOWN})
    without = {name: value for name, value in KNOWN.items() if name != "id_number"}
    place.fire("counselor@school", first.case.number, 0, "save_draft", {"student": without})
    place.fire("counselor@school", first.case.number, 0, "whistle", {**WHISTLE, "student": without})
    assert identity(place, "counselor@school", first.case.number) == without
    second = place.fire("counselor@school", None, 0, "whistle", {**WHISTLE, "student": {**STUDENT, "address": "新居"}})
    assert second.case.student == first.case.student
    assert identity(place, "counselor@school", first.case.number) == {**without, "address": "新居"}


def test_what_was_taken_out_of_a_draft_is_read_by_nobody_but_its_writer(place: Town) -> None:
    drafted = place.fire("counselor@school", None, 0, "save_draft", {"student": STUDENT, "summary": "father did it"})
    place.fire("counselor@school", drafted.case.number, 0, "whistle", {**WHISTLE, "summary": "bruises"})

    def read(who: str) -> set[str]:
        with place.store.begin() as connection:
            session = Session(connection, place.office)
            found = queries.open_section(session, drafted.case.number, place.actor(who), "narrative", "test", START)
            file, sight = queries.look(session, drafted.case.number, place.actor(who), START)
            told = dossier.told(session, file, sight, place.actor(who), START, "test")
        said = {one.said["summary"] for one in told if "summary" in one.said}
        assert said == {one["summary"] for one in found if "summary" in one}
        return said

    assert read("officer@street") == read("principal@school") == {"bruises"}
    assert read("counselor@school") == {"father did it", "bruises"}
