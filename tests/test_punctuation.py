"""Chinese is punctuated as Chinese is: no half-width mark stands between Chinese characters that people read."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.texts import catalogue

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("api", "cases", "notifiers", "policies", "workflows")
PATTERNS = {"api/imports/cells.py"}
"""What is written there are patterns that look for what people type, not texts."""
HAN = "\u4e00-\u9fff"
# A placeholder stands for a word; on one side at least a Chinese character has to stand.
HALF = re.compile(rf"(?<=[{HAN}])[,;:?!()](?=[{HAN}{{“（])|(?<=[}}”）)])[,;:?!(](?=[{HAN}])|[{HAN}]\(|\)[{HAN}]")


def constants(path: Path) -> Iterator[tuple[int, str]]:
    """Every string of a module; of one with placeholders, what stands around them."""
    tree = ast.parse(path.read_text("utf-8"))
    inside = {id(one) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for one in ast.walk(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts = (str(one.value) if isinstance(one, ast.Constant) else "{}" for one in node.values)
            yield node.lineno, "".join(parts)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inside:
            yield node.lineno, node.value


def strings(value: Any) -> Iterator[str]:  # noqa: ANN401 - whatever YAML holds
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from strings(one)
    elif isinstance(value, list):
        for one in value:
            yield from strings(one)


def half_width(where: str, text: str) -> list[str]:
    """Each place of a text in which a half-width mark touches Chinese."""
    plain = re.sub(r"`[^`]*`|[a-z]+://[^\s。，；、）]*", "", text)
    return [f"{where}: …{plain[max(0, one.start() - 12) : one.end() + 12]}…" for one in HALF.finditer(plain)]


@pytest.mark.parametrize("package", PACKAGES)
def test_no_sentence_in_the_code_has_half_width_marks(package: str) -> None:
    found: list[str] = []
    for path in sorted((ROOT / package).rglob("*.py")):
        name = str(path.relative_to(ROOT))
        if name not in PATTERNS and "migrations" not in path.parts:
            for line, text in constants(path):
                found += half_width(f"{name}:{line}", text)
    assert not found, "\n".join(found)


def test_no_page_and_no_message_has_half_width_marks() -> None:
    found: list[str] = []
    for message in catalogue("zh_CN"):
        for text in [message.string] if isinstance(message.string, str) else message.string or ():
            found += half_width(str(message.id)[:40], text)
    for path in sorted((ROOT / "notifiers" / "templates").rglob("*.*")) + sorted(
        (ROOT / "api" / "templates").rglob("*.html")
    ):
        found += half_width(str(path.relative_to(ROOT)), path.read_text("utf-8"))
    assert not found, "\n".join(found)


def test_no_policy_calendar_or_story_has_half_width_marks() -> None:
    found: list[str] = []
    for folder in ("policies/library", "policies/calendars", "cases/samples"):
        for path in sorted((ROOT / folder).rglob("*.yaml")):
            for text in strings(yaml.safe_load(path.read_text("utf-8"))):
                found += half_width(str(path.relative_to(ROOT)), text)
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "text", ["首次登录,或忘了口令", "值班的结束时间({end})不晚于", "没有这个单位:{what}", "请先报到,再反馈"]
)
def test_the_rule_finds_what_it_is_there_for(text: str) -> None:
    assert half_width("here", text)


@pytest.mark.parametrize("text", ["名称: 值", "晨报, on working days", "端口 8000", "周一 09:00 开会", "“- at:”开头"])
def test_the_rule_leaves_alone_what_is_no_chinese_punctuation(text: str) -> None:
    assert not half_width("here", text)
