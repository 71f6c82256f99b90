"""What a faulty policy file is told: every fault at once, each in its line, and what would be right."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policies.book import load, load_text
from policies.faults import PolicyFaults
from policies.reading import read
from policies.shelf import LIBRARY

NAME: Final = "nanjing-2026.1"
TEXT: Final = (LIBRARY / f"{NAME}.yaml").read_text(encoding="utf-8")
EDITS: Final[dict[str, dict[str, str]]] = yaml.load(
    (Path(__file__).parent / "faulty_edits.yaml").read_text(encoding="utf-8"), yaml.CSafeLoader
)
WORDS: Final = (
    "", "x", "0",
    "{}", "[]", "~", "yes", "*a", "- ", ": ", "\t", "2026-99-99", "99999999999d", "!!x", "%", "'", "\\",
)  # fmt: skip


def faults_of(text: str, file: str = "edited.yaml") -> PolicyFaults:
    with pytest.raises(PolicyFaults) as refused:
        load_text(text, file)
    return refused.value


def edited(old: str, new: str) -> str:
    assert old in TEXT, f"the policy no longer says {old!r}"
    return TEXT.replace(old, new, 1)


def line_of(text: str, said: str) -> int:
    return text[: text.index(said)].count("\n") + 1


@pytest.mark.parametrize("edit", EDITS)
def test_a_fault_names_its_line_and_says_what_would_be_right(edit: str) -> None:
    wanted = EDITS[edit]
    text = edited(wanted["old"], wanted["new"])
    told = faults_of(text).faults
    fitting = [fault for fault in told if wanted["en"] in fault.text("en")]
    assert fitting, [fault.text("en") for fault in told]
    assert wanted["zh_CN"] in fitting[0].text("zh_CN")
    assert fitting[0].line == line_of(text, wanted["at"])
    assert fitting[0].text("en").startswith(f"edited.yaml:{fitting[0].line}: ")


def test_all_faults_are_told_at_once_in_the_order_of_the_lines() -> None:
    text = TEXT
    for edit in (
        "a limit that is none",
        "two leads",
        "rungs out of order",
        "an unknown algorithm",
        "an impossible date",
    ):
        text = text.replace(EDITS[edit]["old"], EDITS[edit]["new"], 1)
    told = faults_of(text).faults
    assert [fault.field for fault in told] == [
        "effective_from",
        "concerns.bullying.lead",
        "limits.assignment.acknowledge.levels.red",
        "ladder[1].percent",
        "sealing.algorithm",
    ]
    assert [fault.line for fault in told] == sorted(fault.line for fault in told)


@pytest.mark.parametrize(
    ("text", "english"),
    [
        ("", "the file is empty"),
        ("version: [", "not valid YAML"),
        ("version: a\n---\nversion: b", "not valid YAML"),
        ("version: \0", "not valid YAML"),
        ("- a\n- list", "a list stands here"),
        ("just words", 'the text "just words" stands here'),
        ("[" * 100_000, "nested too deep"),
        ("a: " + "[" * 40 + "]" * 40, "nested too deep"),
        ("? [a, b]\n: c", "the name of a field is text"),
        ("a: &a [x]\nb: [*a, *a]", "anchors"),
        ("x" * 1_000_001, "too large"),
    ],
    ids=lambda said: said[:20].encode("unicode_escape").decode(),
)
def test_what_is_no_policy_at_all_gets_one_clear_message(text: str, english: str) -> None:
    assert any(english in fault.text("en") for fault in faults_of(text).faults)


def test_a_file_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    latin = tmp_path / "latin.yaml"
    latin.write_bytes("version: 南京".encode("gb18030"))
    for path, said in (
        (tmp_path, "can't be opened"),
        (tmp_path / "gone.yaml", "can't be opened"),
        (latin, "UTF-8"),
    ):
        with pytest.raises(PolicyFaults, match=said):
            load(path)
    with pytest.raises(PolicyFaults, match=r"there is no policy nanjing-2026\.9.*did you mean nanjing-2026\.1"):
        load("nanjing-2026.9")


def test_a_faulty_calendar_table_beside_the_policy_is_told_with_its_own_line(tmp_path: Path) -> None:
    (tmp_path / "own-2027.yaml").write_text(
        "year: 2027\nsource: {zh_CN: 市, en: city}\nholidays: soon\n", encoding="utf-8"
    )
    policy = tmp_path / "suzhou-2026.1.yaml"
    text = edited(f"version: {NAME}", "version: suzhou-2026.1").replace(
        "{table: cn-2026, year: 2026", "{table: own-2027, year: 2027"
    )
    policy.write_text(text, encoding="utf-8")
    with pytest.raises(PolicyFaults) as refused:
        load(policy)
    assert [(fault.file, fault.line) for fault in refused.value.faults] == [("own-2027.yaml", 3)]


class TestTrialEdits:
    """Whatever is done to the good file: it stays a policy, or its faults are told; never anything else."""

    @settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(place=st.integers(0, 10_000), word=st.sampled_from(WORDS))
    def test_a_changed_line_never_falls_through(self, place: int, word: str) -> None:
        lines = TEXT.splitlines()
        at = place % len(lines)
        before, colon, _ = lines[at].partition(": ")
        lines[at] = f"{before}{colon}{word}"
        assert_policy_or_faults("\n".join(lines))

    @settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(place=st.integers(0, 10_000), other=st.integers(0, 10_000))
    def test_two_swapped_lines_never_fall_through(self, place: int, other: int) -> None:
        lines = TEXT.splitlines()
        one, two = place % len(lines), other % len(lines)
        lines[one], lines[two] = lines[two], lines[one]
        assert_policy_or_faults("\n".join(lines))

    @settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(choice=st.integers(0, 100_000))
    def test_a_lost_field_is_missed(self, choice: int) -> None:
        tree = _thawed(read(TEXT, NAME).tree)
        holders = list(_holders(tree))
        where, holder, name = holders[choice % len(holders)]
        del holder[name]
        told = assert_policy_or_faults(_dumped(tree))
        assert told or name in MAY_BE_LEFT_OUT or where in OPEN_SECTIONS, f"{where}.{name} was not missed"

    @settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(choice=st.integers(0, 100_000), odd=st.sampled_from([None, 3.5, [], {}, [["x"]], {"x": "y"}, -1]))
    def test_a_value_of_another_type_is_refused(self, choice: int, odd: object) -> None:
        tree = _thawed(read(TEXT, NAME).tree)
        holders = list(_holders(tree))
        where, holder, name = holders[choice % len(holders)]
        was = holder[name]
        holder[name] = odd
        told = assert_policy_or_faults(_dumped(tree))
        emptied = odd is not None and not odd and type(odd) is type(was) and name in MAY_BE_EMPTY
        assert told or emptied, f"{where}.{name} was taken as {odd!r}"


MAY_BE_LEFT_OUT: Final = {"note", "notes", "bulletin", "supervises", "when", "alarm"}
MAY_BE_EMPTY: Final = {"support", "opens", "hospital", "attendance", "calendars", "notes"}
"""Lists and groups without which a policy still says everything."""
OPEN_SECTIONS: Final = {"concerns", "notes", "alarm.items"}


def assert_policy_or_faults(text: str) -> bool:
    """True when faults were told; each of them complete."""
    try:
        load_text(text, "edited.yaml")
    except PolicyFaults as refused:
        told = refused.faults
    else:
        return False
    assert told, "refused without a fault"
    for fault in told:
        assert 1 <= fault.line <= text.count("\n") + 2
        assert all((*fault.why, *fault.right))
        assert "\n" not in fault.text("zh_CN") + fault.text("en")
    return True


def _dumped(tree: object) -> str:
    # The dumper written in C: hundreds of policies are written here.
    return str(yaml.dump(tree, Dumper=yaml.CSafeDumper, allow_unicode=True))


def _thawed(tree: object) -> object:
    if isinstance(tree, dict):
        return {name: _thawed(value) for name, value in tree.items()}
    return [_thawed(one) for one in tree] if isinstance(tree, tuple) else tree


def _holders(tree: object, where: str = "") -> list[tuple[str, dict[str, object], str]]:
    """Every field of every group: the section or group that it stands in, the group itself, its name."""
    found: list[tuple[str, dict[str, object], str]] = []
    if isinstance(tree, dict):
        for name, value in tree.items():
            found.append((where, tree, name))
            inner = f"alarm.{name}" if where == "alarm" else name
            found += _holders(value, inner)
    elif isinstance(tree, list):
        for one in tree:
            found += _holders(one, "")
    return found
