"""A case over HTTP: opened, read by sections, moved by its triggers; who is let, who is told what is missing."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func, select

from cases.forgetting import forget
from cases.records import access_log
from tests.api.door import Door
from tests.api.rest.cast import a_busy_case, events_of, tracks_of
from tests.town import STUDENT, WHISTLE

CASES = "/api/v1/cases"
REPORT = {"at": "2026-03-17T08:24:00+08:00", "where": "the school gate", "mode": "on_site", "people": ["李雷"]}


def whistled(door: Door, **form: Any) -> str:  # noqa: ANN401 - a form's values
    """A whistle over HTTP; the number of its case."""
    answer = door.client("counselor@school").post(CASES, json={"trigger": "whistle", **WHISTLE, **form})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["number"])


def test_a_whistle_is_answered_by_a_street_that_acknowledges_reports_in_and_feeds_back(door: Door) -> None:
    number = whistled(door)
    street = door.client("officer@street")
    mine = street.get("/api/v1/assignments", params={"state": "summoned"}).json()["items"]
    assert {one["number"] for one in mine} == {number}
    door.wait(minutes=5)
    at = f"{CASES}/{number}/assignment/1"
    assert street.post(f"{at}/acknowledge").json()["track_state"] == "acknowledged"
    assert street.post(f"{at}/report_in", json=REPORT).json()["track_state"] == "on_scene"
    said = street.post(f"{at}/give_feedback", json={"measures": "visited", "outcome": "solved"})
    assert (said.status_code, said.json()["track_state"]) == (200, "fed_back")
    accepted = door.client("principal@school").post(f"{CASES}/{number}/tracks/1/accept_feedback")
    assert accepted.json()["track_state"] == "done"
    events = street.get(f"{CASES}/{number}/timeline", params={"limit": 100}).json()["items"]
    assert [one["name"] for one in events if one["track"] == 1] == [
        "assignment.summoned",
        "assignment.acknowledged",
        "assignment.reported_in",
        "assignment.feedback_given",
        "assignment.feedback_accepted",
    ]


def test_a_new_case_says_where_it_is_and_which_version_it_has(door: Door) -> None:
    answer = door.client("counselor@school").post(CASES, json={"trigger": "whistle", **WHISTLE})
    at = answer.headers["location"]
    read = door.client("counselor@school").get(at)
    assert read.headers["etag"] == answer.headers["etag"] == '"1"'
    assert read.json()["number"] == answer.json()["number"]


def test_an_outsider_is_told_of_no_case_whatever_they_ask(door: Door) -> None:
    number = whistled(door)
    outsider = door.client("officer@street#2", "en")
    for address in ("", "/tracks", "/tracks/1", "/clocks", "/clocks/1/why", "/timeline",
                    "/sections/identity?purpose=curious", "/sections/clinical?purpose=curious"):  # fmt: skip
        there, nowhere = (outsider.get(f"{CASES}/{one}{address}") for one in (number, "WH-2026-999999"))
        assert there.status_code == nowhere.status_code == 404
        assert there.json()["detail"] == nowhere.json()["detail"]
    for trigger in ("assignment/1/acknowledge", "case/withdraw", "conference/call", "tracks/1/acknowledge"):
        there, nowhere = (outsider.post(f"{CASES}/{one}/{trigger}", json={}) for one in (number, "WH-2026-999999"))
        assert there.status_code == nowhere.status_code == 404


def test_a_section_is_opened_for_a_purpose_and_the_school_and_the_auditor_see_who_did(door: Door) -> None:
    number = whistled(door)
    opened = door.client("officer@police").get(
        f"{CASES}/{number}/sections/identity", params={"purpose": "visiting the family"}
    )
    student, *in_events = opened.json()["entries"]
    assert student == {"name": "小怡", "born": "2016-11-02", "grade": 3}
    assert [(one["seq"], one["student"]) for one in in_events] == [(1, student)], "as the whistle itself said it"
    narrative = door.client("officer@police").get(
        f"{CASES}/{number}/sections/narrative", params={"purpose": "the visit"}
    )
    assert narrative.json()["entries"][0]["summary"] == WHISTLE["summary"]
    for reader in ("principal@school", "auditor@district", "auditor@city"):
        looks = door.client(reader).get("/api/v1/audit", params={"number": number}).json()["items"]
        assert [(one["name"], one["section"], one["what"]) for one in looks] == [
            ("officer@police", "narrative", "the visit"),
            ("officer@police", "identity", "visiting the family"),
        ]
    assert door.client("auditor@district#2").get("/api/v1/audit").json()["items"] == []
    assert door.client("auditor@district#2").get("/api/v1/audit", params={"number": number}).status_code == 404
    assert door.client("officer@street").get("/api/v1/audit").status_code == 403


@pytest.mark.parametrize(
    ("who", "section"),
    [("supervisor@district", "identity"), ("officer@police", "clinical"), ("principal@school", "clinical")],
)
def test_whoever_sees_the_case_but_not_the_section_is_refused_and_nothing_is_logged(
    door: Door, who: str, section: str
) -> None:
    number = whistled(door)
    answer = door.client(who).get(f"{CASES}/{number}/sections/{section}", params={"purpose": "curious"})
    assert answer.status_code == 403
    with door.town.store.read() as connection:
        assert connection.scalar(select(func.count()).select_from(access_log)) == 0


def test_a_supervisor_sees_level_school_and_grade_in_place_of_a_name(door: Door) -> None:
    number = whistled(door)
    seen = door.client("supervisor@district").get(f"{CASES}/{number}")
    shown = seen.json()
    assert (shown["level"], shown["school_name"], shown["grade"]) == ("red", "示例school", "3")
    assert shown["sight"] == {"identity": "masked", "narrative": "yes", "clinical": "no"}
    assert "小怡" not in seen.text


def test_a_track_says_what_its_reader_may_do_now_and_who_could_do_the_rest(door: Door) -> None:
    number = whistled(door)

    def offered(who: str) -> dict[str, Any]:
        track = door.client(who, "en").get(f"{tracks_of(number)}/1").json()
        return {one["trigger"]: one for one in track["triggers"]}

    street = offered("lead@street")
    assert {name for name, one in street.items() if one["may"]} == {"acknowledge", "report_in", "decline"}
    assert street["give_feedback"]["refusal"] == "needs_report_in"
    assert street["give_feedback"]["why"] == "report in before giving feedback"
    assert street["remind"]["who_can"] == ["coordinator@jurisdiction", "supervisor@jurisdiction"]
    assert {name for name, one in offered("supervisor@district").items() if one["may"]} == {"remind"}
    openings = door.client("supervisor@district").get(tracks_of(number)).json()["openings"]
    may = {f"{one['kind']}.{one['trigger']}" for one in openings if one["may"]}
    assert may == {"conference.call", "mandatory_report.raise", "supervision.issue"}


def test_what_a_track_offers_is_what_its_address_then_does(door: Door) -> None:
    """Every trigger that is said to be possible is not refused for right or state; every other is, with that code."""
    number = a_busy_case(door)
    for who in ("counselor@school", "lead@street", "liaison@hospital", "coordinator@district"):
        client = door.client(who)
        page = client.get(tracks_of(number)).json()
        offered = [one for track in page["items"] for one in track["triggers"]] + page["openings"]
        for one in offered:
            # A field that no form has: refused after right and state, so that nothing moves meanwhile.
            refused = client.post(one["href"], json={"no_such_field": 1, "about": 1})
            code = refused.json()["code"]
            assert code == ("invalid" if one["may"] else one["refusal"]), (who, one)


def test_a_clock_says_why_it_is_due_then_in_the_readers_language(door: Door) -> None:
    number = whistled(door)
    clocks = door.client("lead@street").get(f"{CASES}/{number}/clocks").json()["items"]
    acknowledge = next(one for one in clocks if one["track"] == 1 and one["name"] == "acknowledge")
    assert (acknowledge["state"], acknowledge["due"]) == ("running", "2026-03-17T00:35:00Z")
    english = door.client("lead@street", "en").get(acknowledge["href"]).json()
    assert english["due"] == acknowledge["due"]
    assert english["steps"][1]["what"].startswith("Limit: 15 minutes")
    chinese = door.client("lead@street").get(acknowledge["href"]).json()
    assert chinese["steps"][1]["what"].startswith("时限：15 分钟")


def test_whoever_filed_a_mandatory_report_is_named_to_police_supervisor_and_filer_alone(door: Door) -> None:
    number = a_busy_case(door)
    for who, named in (
        ("counselor@school", True), ("officer@police", True), ("supervisor@district", True),
        ("principal@school", False), ("officer@street", False), ("coordinator@district", False),
    ):  # fmt: skip
        client = door.client(who)
        events = client.get(f"{CASES}/{number}/timeline", params={"limit": 100}).json()["items"]
        filed = next(one for one in events if one["name"] == "mandatory_report.filed")
        shown = ("counselor@school", "counselor") if named else (None, None)
        assert (filed["actor_name"], filed["role"]) == shown, who
        assert (filed["actor"] is not None) is named


def test_a_trigger_under_another_kinds_address_is_not_found_and_moves_nothing(door: Door) -> None:
    number = a_busy_case(door)
    liaison = door.client("liaison@hospital")
    kinds = {one["kind"]: one["no"] for one in liaison.get(tracks_of(number)).json()["items"]}
    before = events_of(door)
    assert liaison.post(f"{CASES}/{number}/supervision/{kinds['referral']}/accept").status_code == 404
    assert events_of(door) == before
    assert liaison.post(f"{CASES}/{number}/referral/{kinds['referral']}/accept").status_code == 200


def test_a_refusal_says_in_the_readers_language_what_is_missing_and_who_could_do_it(door: Door) -> None:
    number = whistled(door)
    for language, title in (
        ("zh_CN", "您在这个个案里没有这项权限"),
        ("en", "You have no right to do this in this case"),
    ):
        answer = door.client("counselor@school", language).post(f"{CASES}/{number}/assignment/1/acknowledge")
        assert (answer.status_code, answer.json()["code"]) == (403, "not_permitted")
        assert answer.json()["title"] == title
        assert answer.json()["who_can"] == ["officer@assignee", "lead@assignee", "codirector@assignee"]
        assert answer.headers["content-language"] == language.replace("_", "-")


def test_a_student_who_was_forgotten_is_gone_for_good(door: Door) -> None:
    town = door.town
    fired = town.whistle(level="orange", concern="left_behind", student={**STUDENT, "name": "小示例九"})
    town.fire("principal@school", fired.case.number, 0, "withdraw", {"reason": "a mistake"}, door.now)
    forget(town.store, town.office, fired.case.student, door.now, why="retention")
    answer = door.client("counselor@school").get(
        f"/api/v1/cases/{fired.case.number}/sections/identity", params={"purpose": "to call the family"}
    )
    assert (answer.status_code, answer.json()["code"]) == (410, "forgotten")
