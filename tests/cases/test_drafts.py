"""A whistle that is still being written."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cases.store import Store
from tests.town import STUDENT, WHISTLE, Town, town


@pytest.fixture
def place(store: Store) -> Iterator[Town]:
    with town(store) as built:
        yield built


def test_a_draft_with_a_name_alone_is_kept_and_calls_nobody(place: Town) -> None:
    drafted = place.fire("mentor@school", None, 0, "save_draft", {"student": STUDENT})
    assert (drafted.case.state, drafted.case.tracks, drafted.case.clocks, drafted.case.called) == ("draft", {}, {}, {})
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


def test_a_draft_does_not_exist_for_others(place: Town) -> None:
    drafted = place.fire("counselor@school", None, 0, "save_draft", {"student": STUDENT})
    assert place.refusal("officer@street", drafted.case.number, 0, "save_draft", {}) == "not_found"


def test_a_track_that_is_no_number_and_no_kind_is_not_found(place: Town) -> None:
    number = place.whistle().case.number
    assert place.refusal("counselor@school", number, "nonsense", "acknowledge") == "not_found"
    assert place.refusal("counselor@school", number, 99, "acknowledge") == "not_found"
