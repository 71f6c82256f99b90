"""What can't be so is asked for again: a birthday of no student, an ID number of nobody, a day to come."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from cases.refusal import Refusal
from cases.store import Store
from tests.town import START, STUDENT, WHISTLE, Town, town

MONTH_AHEAD = START.date() + timedelta(days=30)


@pytest.fixture(scope="module")
def place(server: Store) -> Iterator[Town]:
    with server.scratch() as store, town(store) as built:
        yield built


def faults(place: Town, who: str, case: int | None, track: str | int, trigger: str, form: dict[str, Any]) -> Any:  # noqa: ANN401
    with pytest.raises(Refusal) as refused:
        place.fire(who, case, track, trigger, form)
    assert refused.value.code == "invalid"
    return [(one.name, one.code, dict(one.facts)) for one in refused.value.faults]


def whistled(place: Town, **student: object) -> Any:  # noqa: ANN401
    form = {**WHISTLE, "student": {"name": "小新", "born": "2016-11-02", **student}}
    return faults(place, "counselor@school", None, 0, "whistle", form)


@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("32010620161102001", "id_number_form"),
        ("32010620161102001Y", "id_number_form"),
        ("320106201611020010", "id_number_check"),
        ("320106201101010013", "id_number_born"),
    ],
)
def test_an_id_number_that_cannot_be_hers_is_refused(place: Town, number: str, code: str) -> None:
    assert whistled(place, id_number=number) == [("student.id_number", code, {})]


@pytest.mark.parametrize("number", ["320106201611020019", "320106 20161102 0019"])
def test_however_it_is_written_it_is_kept_in_one_form(place: Town, number: str) -> None:
    first = place.whistle(student={"name": "小新", "born": "2016-11-02", "id_number": "320106201611020019"})
    again = place.whistle(student={"name": "小新", "born": "2016-11-02", "id_number": number})
    assert again.case.student == first.case.student


@pytest.mark.parametrize("born", ["1999-03-17", "2024-06-01"])
def test_nobody_is_a_student_at_twenty_six_nor_at_one(place: Town, born: str) -> None:
    assert whistled(place, born=born) == [("student.born", "not_a_students_age", {"youngest": "2", "oldest": "25"})]


@pytest.mark.parametrize("born", ["2000-03-18", "2024-03-17"])
def test_from_the_nursery_to_the_last_year_everybody_is(place: Town, born: str) -> None:
    assert place.whistle(student={"name": "小新", "born": born}).case.state == "open"


def test_a_screening_of_tomorrow_has_not_been_held(place: Town) -> None:
    case = place.whistle(student=STUDENT).case.id
    form = {"scale": "c_ssrs", "version": "2009", "items": {str(one): 0 for one in range(1, 7)}}
    tomorrow = {**form, "day": (START.date() + timedelta(days=1)).isoformat()}
    assert faults(place, "counselor@school", case, 0, "record_screening", tomorrow) == [("day", "in_the_future", {})]
    place.fire("counselor@school", case, 0, "record_screening", {**form, "day": START.date().isoformat()})


def test_each_item_that_was_not_answered_is_named(place: Town) -> None:
    case = place.whistle(student=STUDENT).case.id
    form = {"scale": "phq_9", "version": "2009", "day": START.date().isoformat()}
    some = {str(one): 0 for one in range(1, 8)}
    assert faults(place, "counselor@school", case, 0, "record_screening", {**form, "items": some}) == [
        ("items.8", "missing", {}),
        ("items.9", "missing", {}),
    ]
    beyond = {**some, "8": 4, "9": 0}
    assert faults(place, "counselor@school", case, 0, "record_screening", {**form, "items": beyond}) == [
        ("items.8", "out_of_range", {"from": "0", "to": "3"})
    ]


def test_a_return_is_recorded_a_month_ahead_and_no_earlier(place: Town) -> None:
    form = {**WHISTLE, "concern": "mental_illness", "level": "yellow"}
    case = place.fire("counselor@school", None, 0, "submit", form).case.id
    place.fire("principal@school", case, 0, "sign_off")
    fired = place.fire("counselor@school", case, "return_to_school", "apply", {"application": "下周一返校。"})
    track = max(fired.case.tracks)
    place.fire("liaison@hospital", case, track, "hospital_sign", {"opinion": "fit"})
    plan = {"attendance": [50], "mentor": "班主任", "watch_points": "睡眠"}
    place.fire("principal@school", case, track, "school_sign", {"assessment": "已准备好。", "plan": plan})
    late = {"day": (MONTH_AHEAD + timedelta(days=1)).isoformat()}
    assert faults(place, "counselor@school", case, track, "record_return", late) == [
        ("day", "too_large", {"le": MONTH_AHEAD.isoformat()})
    ]
    planned = place.fire("counselor@school", case, track, "record_return", {"day": MONTH_AHEAD.isoformat()})
    assert planned.case.tracks[track].state == "tracking"


def test_whoever_reports_in_too_early_is_told_when_they_were_called(place: Town) -> None:
    case = place.whistle(student=STUDENT).case
    street = next(one for one in case.of_kind("assignment") if one.organisation == place.places["street"].id)
    form = {"at": "2026-03-17T08:10", "where": "学校", "mode": "on_site", "people": ["街道工作人员"]}
    assert faults(place, "officer@street", case.id, street.no, "report_in", form) == [
        ("at", "before_the_summons", {"since": "2026-03-17 08:20"})
    ]
