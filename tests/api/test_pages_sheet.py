"""What a case page shows: why the whistle was blown, what comes next and for whom, how far it is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from cases.store import Store
from tests.api.door import Door, door_at


@pytest.fixture(scope="module")
def door(server: Store) -> Iterator[Door]:
    """One for all of them: each whistles about a student of its own."""
    with door_at(server) as opened:
        yield opened


def whistled(door: Door, name: str, **what: Any) -> str:  # noqa: ANN401
    number: str = door.town.whistle(at=door.now, student={"name": name, "born": "2014-05-06"}, **what).case.number
    return number


def shown(door: Door, who: str, number: str, language: str = "zh_CN") -> str:
    page: str = door.client(who, language).get(f"/cases/{number}").text
    return page


def next_of(page: str) -> str:
    """The text of the panel of the next step."""
    panel = re.search(r'<section class="panel next".*?</section>', page, re.DOTALL)
    assert panel is not None
    return re.sub(r"\s+", " ", re.sub(r"<.*?>", " ", panel[0]))


def steps_of(page: str) -> list[tuple[str, str, str]]:
    """Standing, label and time of each step."""
    row = re.search(r'<ol class="stepper".*?</ol>', page, re.DOTALL)
    assert row is not None
    found = re.findall(r'<li class="(.*?)".*?<b>(.*?)(?:<span.*?)?</b><small>(.*?)</small>', row[0], re.DOTALL)
    return [(standing, label, when) for standing, label, when in found]


def of_kind(door: Door, number: str, kind: str) -> int:
    """The newest track of a kind."""
    page = door.town.fire("counselor@school", number, "mandatory_report", "raise",
                          {"statutory": ["injury"], "facts": "f"}, door.now)  # fmt: skip
    return max(one.no for one in page.case.of_kind(kind))


def referred(door: Door, name: str) -> tuple[str, int]:
    """A child in the hospital's treatment: the case, and the referral."""
    town, now = door.town, door.now
    who, student = "principal@school", {"name": name, "born": "2014-05-06"}
    case = town.whistle(at=now, who=who, concern="mental_illness", level="orange", student=student).case
    no = case.of_kind("referral")[0].no
    consent = {"guardian": "母亲", "signed_at": now, "form": ["校档案室"]}
    town.fire("counselor@school", case.number, no, "give_consent", consent, now)
    town.fire("liaison@hospital", case.number, no, "accept", {}, now)
    return case.number, no


def test_what_happened_stands_beside_the_next_step_as_far_as_the_reader_may_know(door: Door) -> None:
    number = whistled(door, "小因", summary="左前臂有新近划痕。")
    for who in ("officer@street", "counselor@school"):
        above = shown(door, who, number).partition('aria-labelledby="tl"')[0]
        assert "左前臂有新近划痕。" in above, who
    client = door.client("officer@street")
    link = re.search(rf'<a href="(/cases/{number}/tracks/1/acknowledge)">吹哨事由', client.get("/?group=answer").text)
    assert link is not None, "one tap from the card, without taking it on"
    assert "左前臂有新近划痕。" in client.get(link[1]).text


def test_a_hospital_reads_why_it_was_asked_and_accepts_beside_it(door: Door) -> None:
    number = whistled(door, "小荐")
    asked = {"reason": "自述彻夜难眠", "purpose": "评估与用药", "screening": "PHQ-9 19 分"}
    opened = door.town.fire("counselor@school", number, "referral", "propose", asked, door.now)
    no = max(one.no for one in opened.case.of_kind("referral"))
    consent = {"guardian": "母亲", "signed_at": door.now, "form": ["校档案室"]}
    door.town.fire("counselor@school", number, no, "give_consent", consent, door.now)
    above = shown(door, "liaison", number).partition('aria-labelledby="tl"')[0]
    form = door.client("liaison").get(f"/cases/{number}/tracks/{no}/accept").text
    for said in asked.values():
        assert said in above
        assert said in form
    assert "自述彻夜难眠" not in shown(door, "officer@street", number).partition('aria-labelledby="tl"')[0]


def test_a_hospital_in_treatment_is_told_to_go_on_with_it(door: Door) -> None:
    number, no = referred(door, "小疗")
    door.town.fire(
        "liaison@hospital", number, no, "record_visit", {"seen_at": door.now, "mode": "outpatient"}, door.now
    )
    page = shown(door, "liaison", number)
    assert f"/tracks/{no}/update_treatment" in page.partition('class="panel next"')[2].partition("</section>")[0]
    assert next(label for standing, label, _ in steps_of(page) if standing == "now") == "治疗", "begun isn't done"


def test_an_appointment_is_said_at_the_visit_that_is_to_come(door: Door) -> None:
    number, no = referred(door, "小约")
    at = door.now + timedelta(days=2)
    door.town.fire("liaison@hospital", number, no, "schedule", {"at": at, "where": "门诊"}, door.now)
    by_label = {label: (standing, when) for standing, label, when in steps_of(shown(door, "liaison", number))}
    assert by_label["就诊"] == ("now", "约在 03-19 08:20")
    assert by_label["预约"] == ("done", "08:20"), "made today"


def test_each_role_is_named_with_its_own_organisation(door: Door) -> None:
    number, no = referred(door, "小名")
    door.town.fire("liaison@hospital", number, no, "record_visit", {"seen_at": door.now, "mode": "inpatient"}, door.now)
    done = door.town.fire("liaison@hospital", number, no, "complete", {"summary": "s", "opinion": "not_yet"}, door.now)
    assert done.case.of_kind("return_to_school")
    assert "示例school 校长；示例hospital 医院联络人" in next_of(shown(door, "principal", number))


def test_whoever_has_turned_their_key_is_told_whom_it_waits_for(door: Door) -> None:
    number, no = referred(door, "小钥")
    town, now = door.town, door.now
    town.fire("liaison@hospital", number, no, "record_visit", {"seen_at": now, "mode": "inpatient"}, now)
    town.fire("liaison@hospital", number, no, "complete", {"summary": "s", "opinion": "fit"}, now)
    said = next_of(shown(door, "liaison", number))
    assert "医院已签署，等待学校。" in said
    assert "示例school 校长" in said
    assert "医院签署" not in said
    assert "学校签署" in next_of(shown(door, "principal", number))


def test_after_the_return_the_next_round_is_named_with_its_day(door: Door) -> None:
    number, no = referred(door, "小返")
    town, now = door.town, door.now
    town.fire("liaison@hospital", number, no, "record_visit", {"seen_at": now, "mode": "inpatient"}, now)
    done = town.fire("liaison@hospital", number, no, "complete", {"summary": "s", "opinion": "fit"}, now)
    back = done.case.of_kind("return_to_school")[0].no
    plan = {"attendance": [50, 100], "mentor": "m", "watch_points": "w"}
    town.fire("principal@school", number, back, "school_sign", {"assessment": "a", "plan": plan}, now)
    assert "记录返校" in next_of(shown(door, "counselor", number)), "nobody is given a limit for it, and it waits"
    town.fire("counselor@school", number, back, "record_return", {"day": "2026-03-17"}, now)
    assert "第 1 周随访于 03-24 开始" in next_of(shown(door, "liaison", number))


def test_a_guardian_who_refuses_the_admission_prompts_the_mandatory_report(door: Door) -> None:
    number, no = referred(door, "小拒")
    form = {"signed_refusal": ["签字件"], "watch_plan": "家中看护"}
    door.town.fire("liaison@hospital", number, no, "refuse_admission", form, door.now)
    asked = "监护人拒绝住院：请评估是否须强制报告。"
    assert f"/cases/{number}/mandatory_report/raise" in shown(door, "counselor", number).partition(asked)[2][:120]
    of_kind(door, number, "mandatory_report")
    assert asked not in shown(door, "counselor", number), "one is at work"


def test_the_call_is_owed_by_the_whistler_too_and_named_so(door: Door) -> None:
    number = whistled(door, "小警", statutory=["injury"])
    for who in ("principal", "counselor"):
        assert "示例school 校长；counselor@school" in next_of(shown(door, who, number)), who


def test_the_whistle_is_dated_by_its_sending_not_by_its_draft(door: Door) -> None:
    draft = {"student": {"name": "小稿", "born": "2014-05-06"}}
    number = door.town.fire("counselor@school", None, 0, "save_draft", draft, door.now).case.number
    assert "草稿" in door.client("counselor").get("/?group=reply").text
    assert "继续填写草稿" in next_of(shown(door, "counselor", number))
    door.wait(hours=3)
    whole = {**draft, "concern": "harmful_home", "level": "red", "summary": "s"}
    door.town.fire("counselor@school", number, 0, "whistle", whole, door.now)
    page = shown(door, "counselor", number)
    assert "2026-03-17 11:20" in page.partition("吹哨时间")[2][:200]
    assert steps_of(page)[0] == ("done", "吹哨", "11:20")
    card = door.client("officer@street").get("/?group=answer").text.partition(f'id="i-{number}')[2]
    assert "吹哨人 counselor@school 11:20" in card.partition("</li>")[0]


def test_a_draft_that_was_sent_back_says_so_on_its_card(door: Door) -> None:
    submitted = {"concern": "left_behind", "level": "yellow", "summary": "s",
                 "student": {"name": "小退", "born": "2014-05-07"}}  # fmt: skip
    number = door.town.fire("counselor@school", None, 0, "submit", submitted, door.now).case.number
    said = next_of(shown(door, "counselor", number))
    assert "校长" in said
    assert "其他单位" not in said, "it waits for the school's own principal"
    door.town.fire("principal@school", number, 0, "send_back", {"reason": "写明时间"}, door.now)
    card = door.client("counselor").get("/?group=reply").text.partition(f'id="i-{number}')[2]
    assert "已退回" in card.partition("</li>")[0]


def test_a_withdrawn_case_ends_there_with_nothing_to_come(door: Door) -> None:
    number = whistled(door, "小撤")
    door.town.fire("counselor@school", number, 0, "withdraw", {"reason": "误报"}, door.now)
    steps = steps_of(shown(door, "counselor", number))
    assert steps[-1][:2] == ("done", "已撤哨")
    assert {one[0] for one in steps} == {"done"}
    assert "当前没有需要办理的事项。" in next_of(shown(door, "officer@street", number))


def test_a_supporting_organisation_sees_its_own_progress(door: Door) -> None:
    number = whistled(door, "小协")
    door.town.fire("officer@street", number, 1, "acknowledge", {}, door.now)
    label = {one[1]: one[0] for one in steps_of(shown(door, "officer@police", number))}
    assert label["签收"] == "now", "the lead's tap isn't theirs"


def test_the_list_is_filtered_by_level_and_says_whose_feedback_is_to_be_accepted(door: Door) -> None:
    number = whistled(door, "小别", level="orange")
    town, now = door.town, door.now
    town.fire("officer@street", number, 1, "report_in",
              {"at": now, "where": "校门", "mode": "on_site", "people": ["一"]}, now)  # fmt: skip
    town.fire("officer@street", number, 1, "give_feedback", {"measures": "m", "outcome": "solved"}, now)
    client = door.client("counselor")
    page = client.get("/?group=report&level=orange").text
    card = page.partition(f'id="i-{number}')[2].partition("</li>")[0]
    assert "示例street" in card
    assert "验收" in card or "认可" in card
    assert not re.findall(r'data-level="red"', page.partition('id="list"')[2].partition("</ul>")[0])
    assert 'href="/?group=report"' in page, "back to every level"
