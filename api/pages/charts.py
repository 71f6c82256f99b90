"""A small chart of the check-ins, drawn on the server: no script, no colour alone, the figures in a table beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from api.pages import words
from api.pages.frame import Page

WIDTH: Final = 600
HEIGHT: Final = 180
_LEFT, _RIGHT, _TOP, _FOOT = 34, 10, 10, 24
_LINES: Final = (("attendance", 100, "l1", "d1"), ("mood", 5, "l2", "d2"), ("sleep", 5, "l3", "d3"))


@dataclass(frozen=True, slots=True)
class Line:
    """One line: its name, look, path, and its points."""

    label: str
    look: str
    dot: str
    path: str
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """The lines, the weeks under them, and the same figures as rows of a table."""

    lines: tuple[Line, ...]
    weeks: tuple[tuple[float, int], ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]
    heads: tuple[str, ...]
    width: int = WIDTH
    height: int = HEIGHT


def chart(page: Page, filed: Sequence[tuple[int, Mapping[str, Any]]]) -> Chart | None:
    """The chart of these rounds (week and what was filed), in the order of their weeks; None without any."""
    if not filed:
        return None
    last = max(week for week, _ in filed)
    shown = [one for one in _LINES if any(one[0] in said for _, said in filed)]
    lines = tuple(
        _line(page.word(words.FIELDS[name]), look, dot, _points(filed, name, most, last))
        for name, most, look, dot in shown
    )
    rows = tuple((week, tuple(str(said.get(name, "–")) for name, *_ in shown)) for week, said in filed)
    return Chart(
        lines,
        tuple((_across(week, last), week) for week, _ in filed),
        rows,
        tuple(page.word(words.FIELDS[name]) for name, *_ in shown),
    )


def _line(label: str, look: str, dot: str, points: tuple[tuple[float, float], ...]) -> Line:
    path = " ".join(f"{'M' if place == 0 else 'L'}{x:.1f} {y:.1f}" for place, (x, y) in enumerate(points))
    return Line(label, look, dot, path, points)


def _points(
    filed: Sequence[tuple[int, Mapping[str, Any]]], name: str, most: int, last: int
) -> tuple[tuple[float, float], ...]:
    high = HEIGHT - _TOP - _FOOT
    return tuple((_across(week, last), _TOP + high * (1 - said[name] / most)) for week, said in filed if name in said)


def _across(week: int, last: int) -> float:
    return _LEFT + (WIDTH - _LEFT - _RIGHT) * (week / max(last, 1))
