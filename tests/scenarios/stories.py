"""A small story to spoil in one place at a time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

STORY = """\
scenario: A small story
policy: nanjing-2026.1
start: 2026-02-13T16:30
steps:
  - at: +0m
    by: counselor@school
    do: submit
    with:
      concern: left_behind
      level: blue
      summary: Comes without breakfast.
      student: {name: 小林, born: 2014-05-20, grade: 5}
    expect: {case: awaiting_signoff}
  - at: +10m
    by: principal@school
    do: sign_off
    expect: {case: open}
"""
"""The case is open from 16:40 on; its street has until 18:00 of the next day, a make-up workday."""


def written(folder: Path, text: str = STORY, name: str = "story.yaml") -> Path:
    """A scenario file of that text."""
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def expecting(folder: Path, *lines: str, at: str = "+11m") -> Path:
    """The small story, and a last look at what the lines expect."""
    return written(folder, STORY + f"  - at: {at}\n    expect:\n" + "".join(f"      {line}\n" for line in lines))


def doing(folder: Path, *lines: str) -> Path:
    """The small story, and one more step of those lines, at 16:41."""
    return written(folder, STORY + "  - at: +11m\n" + "".join(f"    {line}\n" for line in lines))


def spoiled(folder: Path, changes: Sequence[tuple[str, str]]) -> Path:
    """The small story with some of its text put another way."""
    text = STORY
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return written(folder, text)
