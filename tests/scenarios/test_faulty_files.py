"""A faulty file is refused whole: file, line, field and why, everything at once, exit code 2, nothing
played.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from api.cli import run
from cases.play import ScenarioFaults, read_script
from cases.store import Store
from tests.scenarios.stories import STORY, doing, expecting, spoiled, written

SPOILED = [
    ("steps:", "stages:", 4, "stages", "no field"),
    ("start: 2026-02-13T16:30", "start: 2026-02-30T16:30", 3, "start", "there is no 2026-02-30T16:30"),
    ("start: 2026-02-13T16:30", "start: 2026-02-13", 3, "start", "no date with a time"),
    ("start: 2026-02-13T16:30", "start: 2026-02-31", 3, "start", "there is no 2026-02-31"),
    ("policy: nanjing-2026.1", "policy: nanjing-2026.7", 2, "policy", "no policy version"),
    ("- at: +0m", "- at: +0x", 5, "steps[0].at", "no length of time"),
    ("- at: +10m", "- at: 2026-02-13T16:29", 14, "steps[1].at", "before the one above"),
    ("by: principal@school", "by: headmaster@school", 15, "steps[1].by", "no role"),
    ("by: principal@school", "by: principal@street", 15, "steps[1].by", "a street has no principal"),
    ("by: principal@school", "by: principal@scool", 15, "steps[1].by", "no organisation"),
    ("by: principal@school", "by: officer@street#8", 15, "steps[1].by", "aren't that many"),
    ("by: principal@school", "by: supervisor@district#13", 15, "steps[1].by", "aren't that many"),
    ("    by: principal@school\n", "", 14, "steps[1]", "by is missing"),
    ("do: sign_off", "do: signoff", 16, "steps[1].do", "no trigger"),
    ("do: sign_off", "do: assignement(street).acknowledge", 16, "steps[1].do", "no track"),
    ("do: sign_off", "do: protection(street).apply", 16, "steps[1].do", "opens a new track"),
    ("do: sign_off", "do: [sign_off]", 16, "steps[1].do", "no address"),
    ("summary:", "sumary:", 11, "steps[0].with.sumary", "no field"),
    ("case: open}", "case: opened}", 17, "steps[1].expect.case", "no state of a case"),
    ("case: open}", "clock: {settle: running}}", 17, "steps[1].expect.clock", "no field"),
    ("case: open}", "clocks: {setle: running}}", 17, "steps[1].expect.clocks.setle", "no clock"),
    ("case: open}", "clocks: {settle: ticking}}", 17, "steps[1].expect.clocks.settle", "no state of a clock"),
    (
        "case: open}",
        "tracks: {referral: sent}}",
        17,
        "steps[1].expect.tracks.referral",
        "no state of referral",
    ),
    ("case: open}", "due: {settle: tomorrow}}", 17, "steps[1].expect.due.settle", "no date with a time"),
    ("case: open}", "events: [settle.breeched]}", 17, "steps[1].expect.events[0]", "no event"),
    ("case: open}", "notified: [street]}", 17, "steps[1].expect.notified[0]", "names no member"),
    (
        "case: open}",
        "sees: {officer@street: all}}",
        17,
        "steps[1].expect.sees.officer@street",
        "three sections",
    ),
    ("case: open}", "filer: {officer@police: perhaps}}", 17, "steps[1].expect.filer.officer@police", "yes or no"),
    ("case: open}", "filer: {police: yes}}", 17, "steps[1].expect.filer.police", "names no member"),
    ("do: sign_off", "do: sign_off\n    stale: very", 17, "steps[1].stale", "yes or no"),
    ("    by: principal@school\n    do: sign_off", "    stale: yes", 15, "steps[1].stale", "without do"),
    ("case: open}", "audit: fine}", 17, "steps[1].expect.audit", "no outcome"),
    ("case: open}", "case: open, case: open}", 17, "steps[1].expect.case", "written twice"),
]


@pytest.mark.parametrize(("old", "new", "line", "field", "why"), SPOILED)
def test_a_fault_is_named_with_line_field_and_reason(
    old: str,
    new: str,
    line: int,
    field: str,
    why: str,
    tmp_path: Path,
    beside: Store,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = spoiled(tmp_path, [(old, new)])
    assert run(["play", str(path), "--json"]) == 2
    faults = json.loads(capsys.readouterr().out)["faults"]
    found = [(one["file"], one["line"], one["field"]) for one in faults]
    assert ("story.yaml", line, field) in found
    said = next(one for one in faults if one["field"] == field)
    assert why in said["why"]["en"]
    assert said["why"]["zh_CN"]
    assert said["right"]["zh_CN"]


def test_all_faults_of_all_files_are_told_at_once(
    tmp_path: Path, beside: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    one = written(
        tmp_path, STORY.replace("do: sign_off", "do: sign").replace("level: blue", "colour: blue"), "one.yaml"
    )
    other = written(tmp_path, STORY.replace("start:", "begin:"), "other.yaml")
    assert run(["play", str(one), str(other)]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    lines = said.err.splitlines()
    assert [line.split(": ")[0] for line in lines] == [
        "one.yaml:10",
        "one.yaml:16",
        "other.yaml:1",
        "other.yaml:3",
    ]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "the file is empty"),
        (b"# nothing\n", "isn't|empty|no scenario"),
        (b"steps: [", "not valid YAML"),
        (b"\xff\xfe", "UTF-8"),
        (b"just a text", "fields belong here"),
        (b"a: &a [*a]", "anchors"),
        (b"x" * 1_000_001, "too large"),
    ],
)
def test_what_is_no_scenario_at_all_is_said_so(content: bytes, why: str, tmp_path: Path) -> None:
    path = tmp_path / "story.yaml"
    path.write_bytes(content)
    with pytest.raises(ScenarioFaults, match=why):
        read_script(path)


def test_a_missing_file_is_said_in_the_reader_s_language(beside: Store, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["play", "nowhere.yaml", "--language", "zh_CN"]) == 2
    assert "没有这个文件" in capsys.readouterr().err


def test_a_track_that_is_not_there_is_a_refusal_and_no_fault(tmp_path: Path) -> None:
    path = doing(tmp_path, "by: liaison@hospital", "do: referral#4.accept", "refused: not_found")
    assert read_script(path).steps[-1].refused == "not_found"


def test_a_form_that_means_to_be_refused_may_be_wrong(tmp_path: Path) -> None:
    wrong = "with: {at: yesterday, wher: the school}"
    step = ("by: officer@street", "do: assignment(street).report_in", wrong)
    with pytest.raises(ScenarioFaults, match="wher"):
        read_script(doing(tmp_path, *step))
    assert read_script(doing(tmp_path, *step, "refused: invalid")).steps


def test_a_look_without_anything_to_see_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(ScenarioFaults, match="does nothing"):
        read_script(written(tmp_path, STORY + "  - at: +11m\n"))


def test_a_step_beyond_the_calendar_is_a_fault_or_told_plainly(tmp_path: Path) -> None:
    with pytest.raises(ScenarioFaults, match="no length of time"):
        read_script(expecting(tmp_path, "case: open", at="+99999999d"))
