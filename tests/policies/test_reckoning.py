"""`why` answers with the steps behind a due, in the reader's language, each with what it rests on."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from policies.clocks import Face, extend, meet, pause, resume, start
from policies.limits import Limit
from policies.reckoning import reckon
from tests.policies.small_book import BOOK, local


def face(name: str, level: str, at: str) -> Face:
    found = start(BOOK, name, level, local(at))
    assert found is not None
    return found


def test_the_spring_festival_is_explained_with_its_source() -> None:
    reckoning = reckon(BOOK, face("report_in", "blue", "2026-02-13T16:40"), "zh_CN")
    zh, en = reckoning.text("zh_CN").splitlines(), reckoning.text("en").splitlines()
    assert [step.kind for step in reckoning.steps] == [
        "start",
        "limit",
        "make_up",
        "holiday",
        "counted",
        "due",
    ]
    assert zh[0] == "自 2026-02-13（周五）16:40 起计时。"
    assert "5 个工作日" in zh[1]
    assert "DOMAIN report_in blue" in zh[1]
    assert zh[2].startswith("2026-02-14 调休上班（春节），计入。")
    assert zh[3].startswith("2026-02-15 至 2026-02-23 春节放假，不计。")
    assert "国务院办公厅关于2026年部分节假日安排的通知" in zh[3]
    assert zh[4] == "计入的工作日：02-14、02-24、02-25、02-26、02-27。"
    assert zh[5].startswith("期限：2026-02-27（周五）18:00。")
    assert "State Council notice" in en[3]
    assert en[5].startswith("Due at Fri 2026-02-27 18:00")


def test_time_around_the_clock_knows_no_holidays() -> None:
    reckoning = reckon(BOOK, face("report_in", "orange", "2026-02-13T16:40"), "en")
    assert [step.kind for step in reckoning.steps] == ["start", "limit", "due"]
    assert "24 hours, around the clock" in reckoning.text()


@pytest.mark.parametrize(
    ("name", "level", "begin", "end", "zh", "en"),
    [
        ("report_in", "blue", "2026-03-18T10:00", "2026-03-20T10:00", "顺延 2 个工作日", "by 2 working days"),
        ("acknowledge", "yellow", "2026-03-17T10:00", "2026-03-17T14:30", "2 小时 30 分", "2 h 30 min of"),
        ("report_in", "orange", "2026-03-17T10:00", "2026-03-18T10:00", "顺延 24 小时", "by 24 h"),
        ("acknowledge", "red", "2026-03-17T10:00", "2026-03-18T10:00", "期限不变", "doesn't move"),
    ],
)
def test_a_pause_says_what_it_moved(name: str, level: str, begin: str, end: str, zh: str, en: str) -> None:
    held = resume(BOOK, pause(face(name, level, "2026-03-17T08:20"), local(begin)), local(end))
    reckoning = reckon(BOOK, held)
    assert zh in reckoning.text("zh_CN")
    assert en in reckoning.text("en")


def test_halving_extension_and_an_open_pause_are_steps() -> None:
    half = start(BOOK, "feedback", "yellow", local("2026-03-17T08:20"), half=True)
    assert half is not None
    held = pause(extend(BOOK, half, Limit.parse("1wd")), local("2026-03-18T08:20"))
    reckoning = reckon(BOOK, held, "en")
    assert [step.kind for step in reckoning.steps] == [
        "start", "limit", "half", "extension", "counted", "paused", "due"]  # fmt: skip
    assert "Halved, rounded up: 3 working days." in reckoning.text()
    assert "Extended by 1 working day." in reckoning.text()


def test_a_provisional_due_says_so() -> None:
    reckoning = reckon(BOOK, face("report_in", "blue", "2026-12-30T10:00"))
    assert reckoning.provisional
    assert "尚未公布放假安排" in reckoning.text("zh_CN")
    assert "provisional" in reckoning.text("en")
    assert "New Year's Day" in reckoning.text("en")


def test_a_due_that_was_given_and_a_limit_of_its_own_say_where_they_come_from() -> None:
    at = local("2026-03-17T08:00")
    review = start(BOOK, "review", "blue", at, given=local("2026-03-19T18:00"))
    action = start(BOOK, "action", "blue", at, limit=Limit.parse("3d"))
    assert review is not None
    assert action is not None
    assert "set outright: Thu 2026-03-19 18:00" in reckon(BOOK, review).text("en")
    assert "本项自带的时限" in reckon(BOOK, action).text("zh_CN")


def test_how_it_ended_is_the_last_line() -> None:
    asked = face("acknowledge", "red", "2026-03-17T08:20")
    assert "Met in time at Tue 2026-03-17 08:30" in reckon(BOOK, meet(asked, local("2026-03-17T08:30"))).text("en")
    late = meet(asked, asked.due + timedelta(minutes=4))
    assert reckon(BOOK, late).text("zh_CN").endswith("逾期，2026-03-17（周二）08:39 才完成。")


def test_the_same_reckoning_comes_as_plain_values() -> None:
    plain = reckon(BOOK, face("report_in", "blue", "2026-02-13T16:40"), "en").as_dict()
    assert json.loads(json.dumps(plain)) == plain
    assert plain["due"] == "2026-02-27T10:00:00+00:00"
    steps = plain["steps"]
    assert isinstance(steps, list)
    holiday = next(step for step in steps if step["kind"] == "holiday")
    assert holiday["from"] == "2026-02-14T16:00:00+00:00"
    assert holiday["to"] == "2026-02-23T16:00:00+00:00"
    assert "State Council" in holiday["basis"]
