"""The documentation can be relied on: its links lead somewhere, its commands exist, its examples work."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from api.cli import COMMANDS
from cases.play import play
from cases.store import Store
from cases.track import discover
from policies.book import load_text, versions
from policies.shelf import find
from policies.tables import parse_table

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]
LINK = re.compile(r"\]\(([^)\s]+)\)")
HOST = re.compile(r"pypi|npmjs|registry\.|mirror|index-url|simple/|://\d|localhost", re.IGNORECASE)
MACHINE_PATH = re.compile(r"(?<![\w.~*])/(?:work|home|root|tmp|Users|mnt)/")


def _anchors(page: Path) -> set[str]:
    """The headings of a page as the usual renderers of Markdown name them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_link_leads_to_something_in_the_project(page: Path) -> None:
    for link in LINK.findall(page.read_text()):
        if re.match(r"https?://", link):
            continue
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), link
        if anchor:
            assert anchor.lower() in _anchors(target), link


def test_every_page_can_be_reached_from_the_index() -> None:
    index = (ROOT / "docs" / "README.md").resolve()
    seen, waiting = {index}, [index]
    while waiting:
        page = waiting.pop()
        for link in LINK.findall(page.read_text()):
            target = (page.parent / link.partition("#")[0]).resolve()
            if target.suffix == ".md" and target.is_file() and target not in seen:
                seen.add(target)
                waiting.append(target)
    assert {page for page in PAGES if "docs" in page.parts} <= seen


@pytest.mark.parametrize("page", [*PAGES, *sorted((ROOT / "docs").rglob("*.svg"))], ids=lambda page: page.name)
def test_nothing_names_a_registry_or_somebodys_machine(page: Path) -> None:
    text = page.read_text()
    assert not HOST.search(re.sub(r"\bPyPI\b", "", text))
    assert not MACHINE_PATH.search(text)


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_command_that_is_named_is_one_of_whistles(page: Path) -> None:
    named = re.findall(r"(?:^|`)whistle ([a-z]+)", page.read_text(), re.MULTILINE)
    assert set(named) <= set(COMMANDS)


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_target_of_make_that_is_named_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"(?:^|`)make ([a-z]+)", page.read_text(), re.MULTILINE)) <= targets


def test_both_readmes_tell_the_same() -> None:
    shapes = []
    for name in ("README.md", "README.zh-CN.md"):
        text = (ROOT / name).read_text()
        links = [link for link in LINK.findall(text) if not link.startswith("README")]
        alike = {link.replace("zh_CN", "en") for link in links}
        commands = re.findall(r"^(?:make|whistle) [^#\n]*", text, re.MULTILINE)
        shapes.append((alike, [one.strip() for one in commands], len(re.findall(r"^## ", text, re.MULTILINE))))
    assert shapes[0] == shapes[1]


def test_the_readmes_count_the_state_machines_rightly() -> None:
    assert f"[{len(discover())} state machines]" in (ROOT / "README.md").read_text()
    assert f"[{len(discover())} 个状态机]" in (ROOT / "README.zh-CN.md").read_text()


def _example(page: str) -> str:
    found = re.search(r"^```yaml\n(.*?)^```", (ROOT / "docs/how-to" / page).read_text(), re.DOTALL | re.MULTILINE)
    assert found is not None
    return found[1]


def test_the_example_scenario_plays_to_its_end(store: Store, tmp_path: Path) -> None:
    story = tmp_path / "quiet-boy.yaml"
    story.write_text(_example("write-a-scenario.md"))
    outcome = play(story, store)
    assert outcome.ok, outcome.failed
    assert (outcome.steps, outcome.refusals) == (4, 1)


def test_the_example_calendar_is_a_sound_table() -> None:
    assert parse_table(_example("load-a-calendar.md"), "cn-2027.yaml").year == 2027


def test_the_example_of_a_changed_limit_makes_a_sound_policy() -> None:
    source = find(versions()[0]).read_text()
    changed = re.search(r"levels: .*", _example("change-a-limit.md"))
    assert changed is not None
    before = re.search(r"(?<=\n  assignment\.report_in:\n)(.*\n)    levels: .*", source)
    assert before is not None
    text = source.replace(before[0], f"{before[1]}    {changed[0]}").replace(
        "version: nanjing-2026.1", "version: xuanwu-2026.1"
    )
    book = load_text(text, "xuanwu-2026.1.yaml")
    assert str(book.limits["assignment.report_in"].by_level["red"]) == "30m"


@pytest.mark.parametrize("language", ["zh_CN", "en"])
def test_the_picture_of_the_readme_says_what_it_shows_and_loads_nothing(language: str) -> None:
    text = (ROOT / f"docs/pictures/nobody-answers.{language}.svg").read_text()
    root = ET.fromstring(text)  # noqa: S314 - our own file
    assert [child.tag.rpartition("}")[2] for child in root][:2] == ["title", "desc"]
    assert not re.search(r"<script|<image|@import|href", text)
