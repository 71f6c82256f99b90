"""A small chart of the check-ins, drawn on the server: no script, no colour alone, the figures in a table beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from api.pages import words
from api.pages.frame import Page

WIDTH: Final = 640
HEIGHT: Final = 210
_LEFT, _RIGHT, _TOP, _FOOT = 46, 30, 14, 38
_LINES: Final = (("attendance", 0, 100, "l1", "d1"), ("mood", 1, 5, "l2", "d2"), ("sleep", 1, 5, "l3", "d3"))
_QUARTERS: Final = (0.0, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True, slots=True)
class Line:
    """One line: its name, look, path, and a mark at each point (circle, square, triangle: not by colour alone)."""

    label: str
    look: str
    dot: str
    path: str
    marks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """The lines, the weeks under them, and the same figures as rows of a table.

    `grid` are heights with what they mean on the left (per cent) and on the right (1 to 5).
    """

    lines: tuple[Line, ...]
    weeks: tuple[tuple[float, int], ...]
    grid: tuple[tuple[float, str, str], ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]
    heads: tuple[str, ...]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = _LEFT
    right: int = WIDTH - _RIGHT
    foot: int = HEIGHT - _FOOT


def chart(page: Page, filed: Sequence[tuple[int, Mapping[str, Any]]]) -> Chart | None:
    """The chart of these rounds (week and what was filed), in the order of their weeks; None without any."""
    if not filed:
        return None
    last = max(week for week, _ in filed)
    shown = [one for one in _LINES if any(one[0] in said for _, said in filed)]
    fives = any(most == 5 for _, _, most, _, _ in shown)
    lines = []
    for name, least, most, look, dot in shown:
        points = [(_across(week, last), _up(said[name], least, most)) for week, said in filed if name in said]
        path = " ".join(f"{'M' if place == 0 else 'L'}{x:.1f} {y:.1f}" for place, (x, y) in enumerate(points))
        lines.append(Line(page.word(words.FIELDS[name]), look, dot, path, tuple(_mark(dot, x, y) for x, y in points)))
    rows = tuple((week, tuple(str(said.get(name, "–")) for name, *_ in shown)) for week, said in filed)
    return Chart(
        tuple(lines),
        tuple((_across(week, last), week) for week, _ in filed),
        tuple((_up(part, 0, 1), f"{part:.0%}", f"{1 + 4 * part:.0f}" if fives else "") for part in _QUARTERS),
        rows,
        tuple(page.word(words.FIELDS[name]) for name, *_ in shown),
    )


def _across(week: int, last: int) -> float:
    return round(_LEFT + 14 + (WIDTH - _LEFT - _RIGHT - 28) * ((week - 1) / max(last - 1, 1)), 1)


def _up(value: float, least: float, most: float) -> float:
    high = HEIGHT - _TOP - _FOOT
    return round(_TOP + high * (1 - (value - least) / (most - least)), 1)


def _mark(dot: str, x: float, y: float) -> str:
    """A circle, a square or a triangle around a point, as a path."""
    if dot == "d1":
        return f"M{x - 4} {y}a4 4 0 1 0 8 0a4 4 0 1 0 -8 0"
    if dot == "d2":
        return f"M{x - 4} {y - 4}h8v8h-8z"
    return f"M{x} {y - 5}l5 9h-10z"
