"""The pictures say what the declarations say, are current, and can be read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.cli import run
from cases.diagrams import chart, mermaid, pages, svg_of
from cases.track import FOLLOWS, TIME, ClockKind, Move, State, Track, discover, who
from policies.vocabulary import LANGUAGES

DOCS = Path(__file__).resolve().parents[2] / "docs"
SVG = "{http://www.w3.org/2000/svg}"
TRACKS = list(discover().values())
KINDS = [track.kind for track in TRACKS]

RUNS = {
    "case": {
        "sign_off": "awaiting_signoff open awaiting_evaluation",
        "safe_plan": "open",
        "settle": "open",
        "evaluation": "awaiting_evaluation",
        "interview": "open awaiting_evaluation",
    },
    "assignment": {
        "acknowledge": "summoned disputed",
        "report_in": "summoned acknowledged disputed",
        "feedback": "summoned acknowledged on_scene disputed",
        "ruling": "disputed",
    },
    "mandatory_report": {"call_police": "due", "register": "filed", "police_answer": "filed"},
    "referral": {
        "consent": "proposed",
        "hospital_answer": "requested",
        "first_contact": "requested accepted scheduled no_show declined",
        "safety_review": "requested accepted scheduled in_treatment no_show admission_refused declined",
    },
    "return_to_school": {"assess": "assessing deferred appealed", "review": "deferred", "ruling": "appealed"},
    "check_in": {"check_in": "open missed", "interview": "open missed complete"},
    "leave": {"contact": "on_leave"},
    "protection": {"court_answer": "applied"},
    "supervision": {"supervision_answer": "issued"},
    "access": {"access_review": "expired"},
    "extension": {"extension_ruling": "requested"},
    "action_item": {"action": "assigned"},
    "conference": {},
    "guidance": {},
}
"""When each clock runs, as TRACKS.md says it, entered by hand."""


def test_the_pages_in_the_docs_are_those_that_the_declarations_give() -> None:
    made = pages()
    stale = [name for name, text in made.items() if not (DOCS / name).is_file() or (DOCS / name).read_text() != text]
    assert not stale, "Run `whistle diagram --docs docs` and commit what it writes."
    lying = {str(path.relative_to(DOCS)) for path in (DOCS / "tracks").iterdir()}
    assert lying == {name for name in made if name.startswith("tracks/")}


@pytest.mark.parametrize("track", TRACKS, ids=KINDS)
def test_each_state_shows_the_clocks_that_may_run_in_it(track: Track) -> None:
    shown = chart(track).clocks
    found = {clock: {state for state in track.states if clock in shown[state]} for clock in track.clock_kinds}
    assert found == {clock: set(states.split()) for clock, states in RUNS[track.kind].items()}


def test_a_dispute_holds_the_clocks_of_the_assignment() -> None:
    assert chart(discover()["assignment"]).paused["disputed"] == ("acknowledge", "report_in", "feedback")


def test_a_late_sign_off_is_not_drawn_as_a_way_out_of_open() -> None:
    ways = {(edge.sources[0], edge.target) for edge in chart(discover()["case"]).pairs}
    assert ("awaiting_signoff", "open") in ways
    assert ("open", "awaiting_evaluation") in ways
    named = {move.name for edge in chart(discover()["case"]).pairs if edge.sources == ("open",) for move in edge.moves}
    assert "sign_off" not in named


@pytest.mark.parametrize("track", TRACKS, ids=KINDS)
def test_every_way_of_the_machine_is_drawn_and_no_other(track: Track) -> None:
    drawn = {(move.name, edge.sources[0], edge.target) for edge in chart(track).pairs for move in edge.moves}
    possible = {
        (event.name, one.source, one.dest)
        for event in track.machine.events.values()
        for ways in event.transitions.values()
        for one in ways
    }
    assert drawn <= possible
    single = {(m.name, s, m.targets[0]) for m in track.moves if len(m.targets) == 1 for s in m.source or ()}
    assert {way for way in single if way[1] != way[2]} <= drawn
    several = {m.name for m in track.moves if len(m.targets) > 1}
    assert several <= {name for name, _, _ in drawn}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("track", TRACKS, ids=KINDS)
def test_mermaid_names_every_state_move_and_clock(track: Track, language: str) -> None:
    text = mermaid(chart(track), language)
    which = LANGUAGES.index(language)
    for name, state in track.states.items():
        assert f'state "{state.label[which]}" as {name}\n' in text
    labels = [move.label for move in track.moves] + [clock.label for clock in track.clocks]
    assert all(label[which] in text for label in labels)
    assert all(f"{end} --> [*]\n" in text for end in track.ends)


def test_mermaid_marks_time_what_follows_and_the_present_state() -> None:
    text = mermaid(chart(discover()["protection"]), "en", "issued")
    assert "issued --> expired: ⏰ expire\n" in text
    assert "issued --> cancelled: ↳ cancel\n" in text
    assert text.endswith("    class issued now\n")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("track", TRACKS, ids=KINDS)
def test_the_drawing_is_whole_quiet_and_named_for_those_who_cannot_see_it(track: Track, language: str) -> None:
    text = svg_of(chart(track), language)
    root = ET.fromstring(text)  # noqa: S314 - our own text
    assert root.get("role") == "img"
    assert [root.find(f"{SVG}{name}") is not None for name in ("title", "desc")] == [True, True]
    outside = re.compile(r"<script|<image|<foreignObject|@import|url\((?!#)|href|https?://(?!www\.w3\.org/2000/svg)")
    assert not outside.search(text)
    written = " ".join("".join(one.itertext()) for one in root.iter(f"{SVG}text"))
    which = LANGUAGES.index(language)
    for label in [state.label for state in track.states.values()] + [move.label for move in track.moves]:
        assert all(word.strip() in written for word in label[which].split(", "))


def test_the_present_state_is_marked_and_said() -> None:
    text = svg_of(chart(discover()["assignment"]), "en", "on_scene")
    assert text.count('class="state now"') == 1
    assert "Now: on the scene." in text
    assert 'class="state now"' not in svg_of(chart(discover()["assignment"]), "en")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("track", TRACKS, ids=KINDS)
def test_no_line_crosses_a_word_and_no_box_covers_another(track: Track, language: str) -> None:
    _readable(svg_of(chart(track), language))


NAMES = [f"state_{number}" for number in range(9)]


@st.composite
def machines(draw: st.DrawFn) -> Track:
    """Any machine of two to nine states: circles, ends that are left again, states that nothing leads to."""
    names = NAMES[: draw(st.integers(2, 9))]
    states = {name: State((f"状态{name[-1]}", name), end=draw(st.booleans()) and name != names[0]) for name in names}
    moves = tuple(
        Move(
            name=f"move_{number}",
            event=f"moved_{number}",
            label=(f"动作{number}" * draw(st.integers(1, 4)), f"move number {number}"),
            source=tuple(draw(st.sets(st.sampled_from(names), min_size=1))),
            target=draw(st.none() | st.sampled_from(names)),
            by=draw(st.sampled_from([TIME, FOLLOWS, who("counselor@school")])),
            starts=draw(st.sampled_from([(), ("waiting",)])),
        )
        for number in range(draw(st.integers(1, 12)))
    )
    clocks = (ClockKind("waiting", ("等待", "waiting"), ("counselor@school",)),)
    return Track(kind="made", label=("样例", "made"), states=states, initial=names[0], moves=moves, clocks=clocks)


@settings(max_examples=60, deadline=None)
@given(machines())
def test_any_machine_can_be_drawn_so_that_it_can_be_read(track: Track) -> None:
    text = svg_of(chart(track), "zh_CN")
    _readable(text)
    assert text == svg_of(chart(track), "zh_CN")
    assert mermaid(chart(track), "en").startswith("stateDiagram-v2\n")


def _readable(text: str) -> None:
    """Frames stand apart and on the sheet, and every line keeps out of each frame but for its own two ends."""
    root = ET.fromstring(text)  # noqa: S314 - our own text
    width, height = (float(root.attrib[name]) for name in ("width", "height"))
    frames = [
        tuple(float(one.attrib[name]) for name in ("x", "y", "width", "height"))
        for one in root.iter(f"{SVG}rect")
        if one.get("class", "inner") != "inner"
    ]
    for number, (left, top, wide, high) in enumerate(frames):
        assert left >= 0
        assert top >= 0
        assert left + wide <= width
        assert top + high <= height
        for other_left, other_top, other_wide, other_high in frames[number + 1 :]:
            apart = left + wide <= other_left or other_left + other_wide <= left
            assert apart or top + high <= other_top or other_top + other_high <= top
    for path in root.iter(f"{SVG}path"):
        if "C" in path.attrib["d"] and path.get("stroke-width") == "1.4":
            for x, y in _points(path.attrib["d"]):
                assert not any(
                    left + 0.5 < x < left + wide - 0.5 and top + 0.5 < y < top + high - 0.5
                    for left, top, wide, high in frames
                ), (x, y)


def _points(route: str) -> Iterator[tuple[float, float]]:
    """Points along a route, close together."""
    at = (0.0, 0.0)
    for command, numbers in re.findall(r"([MVC])([-0-9. ]+)", route):
        values = [float(one) for one in numbers.split()]
        if command == "M":
            at = (values[0], values[1])
        elif command == "V":
            yield from ((at[0], at[1] + (values[0] - at[1]) * step / 20) for step in range(21))
            at = (at[0], values[0])
        else:
            corners = [at, (values[0], values[1]), (values[2], values[3]), (values[4], values[5])]
            yield from (_on_curve(corners, step / 20) for step in range(21))
            at = corners[3]


def _on_curve(corners: list[tuple[float, float]], part: float) -> tuple[float, float]:
    shares = ((1 - part) ** 3, 3 * (1 - part) ** 2 * part, 3 * (1 - part) * part**2, part**3)
    x, y = (sum(share * corner[axis] for share, corner in zip(shares, corners, strict=True)) for axis in (0, 1))
    return x, y


def test_the_command_prints_every_track_and_writes_the_drawings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["diagram", "--language", "en", "--svg", str(tmp_path / "new")]) == 0
    printed = capsys.readouterr().out
    assert printed.count("stateDiagram-v2") == len(TRACKS)
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == sorted(f"{kind}.en.svg" for kind in KINDS)
    assert run(["diagram", "assignment", "--state", "on_scene", "--language", "zh_CN"]) == 0
    assert capsys.readouterr().out == mermaid(chart(discover()["assignment"]), "zh_CN", "on_scene")


@pytest.mark.parametrize(
    ("arguments", "zh", "en"),
    [
        (
            ["asignment"],
            "没有“asignment”这种事项。是否想用 assignment？",
            'There is no track "asignment". Did you mean',
        ),
        (
            ["case", "--state", "opn"],
            "case 没有“opn”这个状态。是否想用 open？",
            'case has no state "opn". Did you mean',
        ),
        (["--state", "open"], "--state 要和一种事项一起用", "--state goes with one track"),
    ],
)
def test_a_wrong_name_is_one_clear_sentence_and_exit_code_2(
    arguments: list[str], zh: str, en: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for language, sentence in (("zh_CN", zh), ("en", en)):
        assert run(["diagram", *arguments, "--language", language]) == 2
        said = capsys.readouterr()
        assert said.out == ""
        assert said.err.startswith(sentence)
        assert said.err.count("\n") == 1


def test_a_folder_that_cannot_be_written_is_said_and_exit_code_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "taken").write_text("a file, not a folder")
    assert run(["diagram", "case", "--svg", str(tmp_path / "taken"), "--language", "en"]) == 2
    assert "can't be written" in capsys.readouterr().err
