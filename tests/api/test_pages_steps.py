"""What stands around a step's form: the limit that it meets, what it answers to, what it warns of, and what follows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from cases.store import Store
from tests.api.door import Door, door_at
from tests.api.pages_forms import follow, form_on, send


@pytest.fixture(scope="module")
def door(server: Store) -> Iterator[Door]:
    """One for all of them: each whistles about a student of its own."""
    with door_at(server) as opened:
        yield opened


def whistled(door: Door, name: str, **what: Any) -> str:  # noqa: ANN401
    number: str = door.town.whistle(at=door.now, student={"name": name, "born": "2014-05-06"}, **what).case.number
    return number


def form(door: Door, who: str, number: str, path: str) -> Any:  # noqa: ANN401
    return door.client(who).get(f"/cases/{number}/{path}")


def arrived(door: Door, number: str, track: int, who: str) -> None:
    there = {"at": door.now, "where": "校门", "mode": "on_site", "people": ["一人"]}
    door.town.fire(who, number, track, "report_in", there, door.now)


def head_of(page: Any) -> str:  # noqa: ANN401
    """What stands above the form's own panel."""
    return re.sub(r"<.*?>", " ", page.text.partition('id="main"')[2].partition("<form")[0])


def test_a_form_shows_the_limit_that_it_meets_and_no_other(door: Door) -> None:
    number = whistled(door, "小时")
    assert "报到 " in head_of(form(door, "officer@street", number, "tracks/1/report_in"))
    assert "剩余" not in head_of(form(door, "officer@street", number, "tracks/1/decline")).partition("此前的情况")[0]
    assert "安全计划" in head_of(form(door, "counselor", number, "tracks/0/record_safe_plan")), "not what is due first"
    assert (
        "签发" not in head_of(form(door, "counselor", number, "tracks/0/record_safe_plan")).partition("此前的情况")[0]
    )


def test_the_court_decides_beside_the_application_and_may_reject_from_its_list(door: Door) -> None:
    number = whistled(door, "小护")
    grounds = {"grounds": "多次殴打", "court": door.town.places["court"].id}
    opened = door.town.fire("officer@police", number, "protection", "apply", grounds, door.now)
    no = max(one.no for one in opened.case.of_kind("protection"))
    for trigger in ("issue", "reject"):
        assert "多次殴打" in head_of(form(door, "officer@court", number, f"tracks/{no}/{trigger}"))
    page = door.client("officer@court").get("/").text
    assert f"/cases/{number}/tracks/{no}/reject" in page
    assert "待答复" in page
    assert "待签收" not in page, "a group with nothing in it isn't shown"


def test_the_womens_federation_criticises_beside_what_was_evaded(door: Door) -> None:
    number = whistled(door, "小诫")
    offered = door.town.fire("counselor@school", number, "guidance", "offer", {"programme": "21天双陪伴"}, door.now)
    no = max(one.no for one in offered.case.of_kind("guidance"))
    door.town.fire("counselor@school", number, no, "record_evasion", {"facts": "三次约访未到"}, door.now)
    assert "三次约访未到" in head_of(form(door, "principal", number, f"tracks/{no}/criticise"))
    page = door.client("counselor").get(f"/cases/{number}").text
    card = page.partition(f'id="track-{no}"')[0].rpartition("<li")[2]
    assert "t-warning" in card, "a refusal isn't shown as well done"


def test_an_order_says_its_number_and_the_limit_that_was_missed(door: Door) -> None:
    number = whistled(door, "小督")
    later = door.now + timedelta(days=3)
    door.town.run_until(later)
    door.now = later
    page = door.client("lead@street").get("/?group=order").text
    no = int(re.findall(rf"/cases/{number}/tracks/(\d+)/answer", page)[0])
    said = head_of(form(door, "lead@street", number, f"tracks/{no}/answer"))
    assert f"{number}-{no}" in said
    assert "逾期的时限" in said
    asked = form(door, "officer@street", number, "extension/request?about=1")
    assert asked.status_code == 409, "past its limit nothing can be moved"
    case = door.client("officer@street").get(f"/cases/{number}").text
    assert "extension/request?about=1" not in case
    assert "t-danger" in case


def test_the_level_beside_a_form_is_the_present_one(door: Door) -> None:
    number = whistled(door, "小级")
    door.town.fire("coordinator@district", number, 0, "regrade", {"level": "orange", "reason": "r"}, door.now)
    said = head_of(form(door, "officer@street", number, "tracks/1/report_in"))
    assert "红色" not in said
    assert "橙色" in said


def test_what_can_be_left_out_is_chosen_by_nobody_beforehand(door: Door) -> None:
    number = whistled(door, "小选", level="orange", concern="mental_illness")
    case = door.town.fire("counselor@school", number, 0, "record_screening", screening(), door.now).case
    no = case.of_kind("referral")[0].no
    consent = {"guardian": "母亲", "signed_at": door.now, "form": ["校档案室"]}
    door.town.fire("counselor@school", number, no, "give_consent", consent, door.now)
    page = form(door, "liaison", number, f"tracks/{no}/decline")
    assert form_on(page)[1].get("proposed", [""]) == [""]
    assert "示例hospital<" not in page.text.partition('id="f-proposed"')[2].partition("</fieldset>")[0]


def screening() -> dict[str, Any]:
    return {"scale": "gad_7", "version": "1", "items": dict.fromkeys("1234567", 0), "day": "2026-03-17"}


def test_a_score_left_out_beside_a_comment_is_asked_for_and_the_comment_stays(door: Door) -> None:
    town = door.town
    what = {
        "concern": "left_behind",
        "level": "yellow",
        "summary": "s",
        "student": {"name": "小评", "born": "2014-05-06"},
    }
    number = town.fire("principal@school", None, 0, "submit", what, door.now).case.number
    for track, who in ((1, "officer@street"), (2, "officer@civil_affairs")):
        arrived(door, number, track, who)
        town.fire(who, number, track, "give_feedback", {"measures": "m", "outcome": "solved"}, door.now)
        town.fire("counselor@school", number, track, "accept_feedback", {}, door.now)
    client = door.client("counselor")
    page = client.get(f"/cases/{number}/tracks/0/evaluate")
    assert "（主办）" in page.text
    assert "评 1 分或 2 分，个案将退回该单位返工。" in page.text
    street = town.places["street"].id
    told = send(client, page, {f"scores.{street}.comment": "来得很快"})
    assert told.status_code == 422
    assert "来得很快" in told.text


def test_an_empty_fortnight_before_a_filled_one_is_refused(door: Door) -> None:
    town, now = door.town, door.now
    number = whistled(door, "小案", concern="mental_illness")
    case = town.fire("counselor@school", number, 0, "record_screening", screening(), now).case
    no = case.of_kind("referral")[0].no
    consent = {"guardian": "母亲", "signed_at": now, "form": ["校档案室"]}
    town.fire("counselor@school", number, no, "give_consent", consent, now)
    town.fire("liaison@hospital", number, no, "accept", {}, now)
    town.fire("liaison@hospital", number, no, "record_visit", {"seen_at": now, "mode": "inpatient"}, now)
    done = town.fire("liaison@hospital", number, no, "complete", {"summary": "s", "opinion": "fit"}, now)
    back = done.case.of_kind("return_to_school")[0].no
    client = door.client("principal")
    page = client.get(f"/cases/{number}/tracks/{back}/school_sign")
    said = {"assessment": "a", "plan.mentor": "m", "plan.watch_points": "w"}
    told = send(client, page, {**said, "plan.attendance": ["50", "", "100", "", ""]})
    assert told.status_code == 422
    assert form_on(told)[1]["plan.attendance"][:3] == ["50", "", "100"], "each stays where it was typed"
    assert send(client, told, {**said, "plan.attendance": ["50", "75", "100", "", ""]}).status_code == 303
    town.fire("counselor@school", number, back, "record_return", {"day": "2026-03-20"}, now)
    timeline = door.client("counselor").get(f"/cases/{number}").text
    assert "已排定第 1、2、3、4、6、8、10、12、16、20、24 周随访" in timeline
    assert timeline.count("第 1 周随访") < 3, "one entry for all of them"


def test_what_was_done_reads_as_done_and_says_what_comes_next(door: Door) -> None:
    number = whistled(door, "小毕", concern="mental_illness")
    case = door.town.fire("counselor@school", number, 0, "record_screening", screening(), door.now).case
    no = case.of_kind("referral")[0].no
    consent = {"guardian": "母亲", "signed_at": door.now, "form": ["校档案室"]}
    door.town.fire("counselor@school", number, no, "give_consent", consent, door.now)
    liaison = door.client("liaison")
    page = follow(liaison, send(liaison, liaison.get("/"), action=f"/cases/{number}/tracks/{no}/accept"))
    banner = page.text.partition('class="undo"')[2].partition("</div>")[0]
    assert "已接诊" in banner
    assert f"/cases/{number}/tracks/{no}/schedule" in banner
    officer = door.client("officer@street")
    officer_page = officer.get("/?group=answer")
    assert f"/cases/{number}/tracks/1/report_in" in officer_page.text, "beside the acknowledging"
    page = follow(officer, send(officer, officer_page, action=f"/cases/{number}/tracks/1/acknowledge"))
    assert "已签收" in page.text.partition('class="undo"')[2].partition("</div>")[0]
    page = follow(officer, send(officer, page, action="/undo_acknowledge"))
    assert "已撤销" in page.text.partition('class="undo"')[2].partition("</div>")[0]


def test_an_appointment_that_stands_is_moved_and_never_proposed_for_now(door: Door) -> None:
    number = whistled(door, "小改", concern="mental_illness")
    case = door.town.fire("counselor@school", number, 0, "record_screening", screening(), door.now).case
    no = case.of_kind("referral")[0].no
    consent = {"guardian": "母亲", "signed_at": door.now, "form": ["校档案室"]}
    door.town.fire("counselor@school", number, no, "give_consent", consent, door.now)
    door.town.fire("liaison@hospital", number, no, "accept", {}, door.now)
    assert form_on(form(door, "liaison", number, f"tracks/{no}/schedule"))[1]["at"] == [""]
    at = door.now + timedelta(days=1)
    door.town.fire("liaison@hospital", number, no, "schedule", {"at": at, "where": "门诊"}, door.now)
    assert "<h1>改约</h1>" in form(door, "liaison", number, f"tracks/{no}/schedule").text


def test_a_person_stands_once_among_those_who_looked_and_diagrams_speak_no_code(door: Door) -> None:
    number = whistled(door, "小看")
    client = door.client("officer@street")
    client.get(f"/cases/{number}/tracks/1/report_in")
    client.get(f"/cases/{number}")
    looks = client.get(f"/cases/{number}").text.partition('id="lo"')[2]
    assert looks.count("<tr><td>officer@street") == 1
    assert "summoned" not in client.get(f"/cases/{number}/tracks/1/diagram.svg").text.partition("<text")[2]
    page = client.get(f"/cases/{number}/tracks/1").text
    assert f"/cases/{number}/clocks/" in page
    assert "经过" in page


def test_whoever_asks_for_more_time_is_read_with_the_unit_and_whose_work_it_is(door: Door) -> None:
    number = whistled(door, "小延", level="orange")
    asked = {"about": 1, "reason": "r", "extra": 1}
    door.town.fire("officer@street", number, "extension", "request", asked, door.now)
    told = door.client("coordinator@district").get(f"/cases/{number}").text.partition('id="tl"')[2]
    said = re.search(r"延长多少</dt><dd>(.*?)</dd>", told)
    assert said is not None
    assert not said[1].isdigit()
    whose = re.search(r"为哪项派单申请</dt><dd>(.*?)</dd>", told)
    assert whose is not None
    assert whose[1] == "示例street"


def test_withdrawing_says_what_follows(door: Door) -> None:
    number = whistled(door, "小回")
    assert "撤哨不能撤回" in head_of(form(door, "counselor", number, "tracks/0/withdraw"))
