"""What a play asks is really asked: each expectation can fail, and then says what was found instead."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from api.cli import run
from cases.play import play
from cases.store import Store
from tests.scenarios.stories import STORY, doing, expecting, written

FAILING = [
    ("case: awaiting_evaluation", "awaiting_evaluation", "open"),
    ("tracks: {assignment(street): acknowledged}", "acknowledged", "summoned"),
    ("tracks: {assignment(street#2): summoned}", "summoned", "none"),
    ('tracks: {"assignment#3": summoned}', "summoned", "none"),
    ("tracks: {assignment(street): none}", "none", "summoned"),
    ("clocks: {settle: paused}", "paused", "running"),
    ("clocks: {sign_off: missed}", "missed", "met"),
    ("clocks: {safe_plan: running}", "running", "none"),
    ("due: {assignment(street).acknowledge: 2026-02-14T17:59}", "2026-02-14T17:59", "2026-02-14T18:00"),
    ("due: {safe_plan: 2026-02-14T17:59}", "2026-02-14T17:59", "there is no such clock"),
    ("notified: [officer@street]", "told", "told were: nobody"),
    ("events: [signed_off]", "to happen", "from there on only: nothing"),
    ("sees: {officer@street: nothing}", "identity: no", "identity: yes"),
    ("sees: {officer@street#2: {identity: yes}}", "identity: yes", "identity: no"),
    ("sees: {supervisor@district: {identity: yes, narrative: yes}}", "identity: yes", "identity: no"),
]


@pytest.mark.parametrize(("line", "expected", "found"), FAILING)
def test_a_failing_expectation_says_what_was_found(
    line: str, expected: str, found: str, tmp_path: Path, server: Store
) -> None:
    outcome = play(expecting(tmp_path, line), server)
    (failed,) = outcome.failed
    assert failed.line == 20
    assert expected in failed.expected.en
    assert found in failed.found.en


HOLDING = [
    ("tracks: {assignment(street): summoned, assignment(civil_affairs): summoned, referral: none}", "+11m"),
    ("clocks: {assignment(street).acknowledge: running}", "2026-02-14T18:00"),
    ("clocks: {assignment(street).acknowledge: missed}", "2026-02-14T18:01"),
    ("events: [assignment(street).acknowledge.reminded, assignment(street).acknowledge.breached]", "+3d"),
    ("events: [assignment#2.acknowledge.warned]", "+3d"),
    ("events: [assignment(civil_affairs).acknowledge.bulletined, settle.reminded]", "+20d"),
    ("notified: [officer@street, lead@street, coordinator@district]", "+3d"),
    ("not_notified: [officer@street#2, supervisor@city, deputy@school]", "+3d"),
    (
        "sees: {admin@school: nothing, counselor@school: {clinical: yes}, coordinator@district#2: nothing}",
        "+3d",
    ),
    ("audit: verified", "+30d"),
]


@pytest.mark.parametrize(("line", "at"), HOLDING)
def test_an_expectation_that_holds(line: str, at: str, tmp_path: Path, server: Store) -> None:
    outcome = play(expecting(tmp_path, line, at=at), server)
    assert outcome.failed == ()
    assert outcome.checked > 2


def test_events_are_asked_for_in_their_order(tmp_path: Path, server: Store) -> None:
    backwards = "events: [assignment(street).acknowledge.breached, assignment(street).acknowledge.reminded]"
    (failed,) = play(expecting(tmp_path, backwards, at="+3d"), server).failed
    assert failed.what == "events assignment(street).acknowledge.reminded"


def test_since_the_previous_step_means_just_that(tmp_path: Path, server: Store) -> None:
    text = STORY + (
        "  - at: 2026-02-14T18:01\n    expect: {notified: [lead@street]}\n"
        "  - at: 2026-02-14T18:02\n    expect: {notified: [lead@street]}\n"
    )
    (failed,) = play(written(tmp_path, text), server).failed
    assert failed.line == 21


def test_the_end_looks_back_over_the_whole_story(tmp_path: Path, server: Store) -> None:
    text = STORY + (
        "  - at: +30d\n    expect: {case: open}\n"
        "finally:\n  events: [submitted, signed_off, assignment(street).acknowledge.breached]\n"
        "  notified: [principal@school]\n  audit: verified\n"
    )
    assert play(written(tmp_path, text), server).failed == ()


def test_an_unexpected_refusal_names_its_code_and_fields(tmp_path: Path, server: Store) -> None:
    path = doing(tmp_path, "by: officer@street", "do: assignment(street).report_in", "with: {mode: on_site}")
    (failed,) = play(path, server).failed
    assert failed.expected.en == "accepted"
    assert failed.found.en.startswith("refused: invalid")
    assert "where: missing" in failed.found.en


def test_a_refusal_that_does_not_come_fails_the_play(tmp_path: Path, server: Store) -> None:
    path = doing(tmp_path, "by: officer@street", "do: assignment(street).acknowledge", "refused: not_permitted")
    (failed,) = play(path, server).failed
    assert (failed.expected.en, failed.found.en) == ("refused: not_permitted", "accepted")


def test_another_refusal_than_the_expected_one_fails_the_play(tmp_path: Path, server: Store) -> None:
    path = doing(tmp_path, "by: officer@police", "do: assignment(street).acknowledge", "refused: wrong_state")
    (failed,) = play(path, server).failed
    assert (failed.expected.en, failed.found.en) == ("refused: wrong_state", "refused: not_found")


def test_a_screen_from_before_the_previous_step_is_stale_only_if_that_step_moved_the_case(
    tmp_path: Path, server: Store
) -> None:
    def stale(step: str) -> Path:
        look = "  - at: +12m\n    expect: {case: open}\n" if step == "look" else ""
        acting = "  - at: +13m\n    by: coordinator@district\n    do: regrade\n    stale: yes\n"
        return written(tmp_path, STORY + look + acting + "    with: {level: yellow, reason: colder}\n")

    assert play(stale("look"), server).failed == ()
    (failed,) = play(stale("none"), server).failed
    assert failed.found.en == "refused: conflict"


def test_who_may_read_by_whom_a_report_was_filed_can_fail_both_ways(tmp_path: Path, server: Store) -> None:
    filed = (
        "  - at: +11m\n    by: counselor@school\n    do: mandatory_report.raise\n"
        "    with: {statutory: injury, facts: bruises}\n"
        "  - at: +12m\n    by: counselor@school\n    do: mandatory_report.file\n"
        '    with: {to: police, at: 2026-02-13T16:41, channel: "110"}\n'
        "    expect: {filer: {counselor@school: no, principal@school: yes, officer@police: yes, officer@court: no}}\n"
    )
    failed = play(written(tmp_path, STORY + filed), server).failed
    assert [(one.what, one.found.en) for one in failed] == [
        ("filer counselor@school", "yes"),
        ("filer principal@school", "no"),
    ]


def test_a_failing_play_ends_with_one_and_names_file_and_line(
    tmp_path: Path, beside: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    path = expecting(tmp_path, "case: closed")
    assert run(["play", str(path), "--quiet"]) == 1
    said = capsys.readouterr().out
    assert "story.yaml:20" in said
    assert "expected closed, found open" in said


def test_json_carries_the_same_as_data(tmp_path: Path, beside: Store, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["play", str(expecting(tmp_path, "case: closed")), "--json"]) == 1
    (outcome,) = json.loads(capsys.readouterr().out)
    assert outcome["ok"] is False
    assert outcome["policy"] == "nanjing-2026.1"
    assert [(one["line"], one["what"], one["found"]["en"]) for one in outcome["failed"]] == [(20, "case", "open")]
    submitted = outcome["moments"][0]
    assert submitted["at"] == "2026-02-13T16:30:00+08:00"
    assert submitted["by"]["post"] == "counselor@school"
    assert submitted["happened"][0]["name"] == "case.submitted"
    assert submitted["told"][0]["who"]["post"] == "principal@school"


def test_the_timeline_is_told_in_both_languages(
    tmp_path: Path, beside: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(expecting(tmp_path, "case: open", at="+2d"))
    assert run(["play", path]) == 0
    english = capsys.readouterr().out
    assert run(["play", path, "--language", "zh_CN"]) == 0
    chinese = capsys.readouterr().out
    assert "acknowledging: breached" in english
    assert "签收：逾期催办" in chinese
    assert "\x1b[" not in english  # no colours into a pipe
