"""Where in its row each node stands: first the order with the fewest crossings, then the place with the least bends.

Sums are exact (`fsum`): Python 3.12 adds floats otherwise than 3.11, and a picture must not depend on that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import fsum, inf
from random import Random
from typing import NamedTuple

from cases.diagrams.layers import Layers, is_label

GAP, NARROW_GAP = 30.0, 15.0
"""Between two boxes or labels; beside a line that only passes. In pixels."""
STARTS, SWEEPS, SETTLING = 24, 14, 60


class Pull(NamedTuple):
    """How strongly one node draws another over itself."""

    node: str
    weight: float


def arrange(laid: Layers, widths: Mapping[str, float]) -> dict[str, float]:
    """The middle of every node, in pixels from the left edge. Reorders the rows of `laid`."""
    neighbours = _neighbours(laid)
    laid.rows[:] = _ordered(laid, neighbours)
    pulls = {node: [Pull(one, _stiffness(laid, node, one)) for one in near] for node, near in neighbours.items()}
    middles: dict[str, float] = {}
    for row in laid.rows:
        at = 0.0
        for node in row:
            middles[node] = at + widths[node] / 2
            at += widths[node] + GAP
    for turn in range(SETTLING):
        for row in laid.rows if turn % 2 == 0 else reversed(laid.rows):
            _settle(row, pulls, middles, widths, laid.bends)
    _straighten(laid, middles, widths)
    left = min(middles[node] - widths[node] / 2 for node in middles)
    return {node: middle - left for node, middle in middles.items()}


def _neighbours(laid: Layers) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {node: [] for row in laid.rows for node in row}
    for upper, lower in laid.lines:
        found[upper].append(lower)
        found[lower].append(upper)
    return found


def _stiffness(laid: Layers, one: str, other: str) -> float:
    """Long lines are kept straight first: a bend in them is seen from afar (Gansner et al. 1993)."""
    return (1.0, 3.0, 8.0)[(one in laid.bends) + (other in laid.bends)]


def _ordered(laid: Layers, neighbours: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """Sweeps by the mean of the neighbours from several fixed starts; the best row order of all is kept."""
    dice = Random(2026)  # noqa: S311 - a fixed seed: the same declaration is drawn the same way every time
    best, fewest = [list(row) for row in laid.rows], _crossings(laid.rows, laid.lines)
    for start in range(STARTS):
        rows = [list(row) for row in laid.rows]
        if start:
            for row in rows:
                dice.shuffle(row)
        for sweep in range(SWEEPS):
            _sweep(rows, neighbours, downwards=sweep % 2 == 0)
            _swap(rows, neighbours)
            found = _crossings(rows, laid.lines)
            if found < fewest:
                best, fewest = [list(row) for row in rows], found
    return best


def _sweep(rows: list[list[str]], neighbours: Mapping[str, Sequence[str]], *, downwards: bool) -> None:
    sequence = range(1, len(rows)) if downwards else range(len(rows) - 2, -1, -1)
    for number in sequence:
        fixed = {node: index for index, node in enumerate(rows[number - 1 if downwards else number + 1])}
        mean: dict[str, float] = {}
        for index, node in enumerate(rows[number]):
            near = [fixed[one] for one in neighbours[node] if one in fixed]
            mean[node] = sum(near) / len(near) if near else float(index)
        rows[number].sort(key=mean.__getitem__)


def _swap(rows: list[list[str]], neighbours: Mapping[str, Sequence[str]]) -> None:
    """Exchange two that stand side by side wherever that uncrosses more lines than it crosses."""
    at = {node: index for row in rows for index, node in enumerate(row)}
    for number, row in enumerate(rows):
        beside = {node for other in (number - 1, number + 1) if 0 <= other < len(rows) for node in rows[other]}
        rank = {node: other for other in (number - 1, number + 1) if 0 <= other < len(rows) for node in rows[other]}
        for index in range(len(row) - 1):
            one, two = row[index], row[index + 1]
            gain = 0
            for near in (node for node in neighbours[one] if node in beside):
                for far in (node for node in neighbours[two] if node in beside and rank[node] == rank[near]):
                    gain += (at[near] > at[far]) - (at[near] < at[far])
            if gain > 0:
                row[index], row[index + 1] = two, one
                at[one], at[two] = index + 1, index


def _crossings(rows: Sequence[Sequence[str]], lines: Sequence[tuple[str, str]]) -> int:
    at = {node: (number, index) for number, row in enumerate(rows) for index, node in enumerate(row)}
    by_row: dict[int, list[tuple[int, int]]] = {}
    for upper, lower in lines:
        by_row.setdefault(at[upper][0], []).append((at[upper][1], at[lower][1]))
    return sum(
        (a - c) * (b - d) < 0
        for pairs in by_row.values()
        for index, (a, b) in enumerate(pairs)
        for c, d in pairs[index + 1 :]
    )


def _settle(
    row: Sequence[str],
    pulls: Mapping[str, Sequence[Pull]],
    middles: dict[str, float],
    widths: Mapping[str, float],
    bends: set[str],
) -> None:
    """Move one row as near as possible to where its lines draw it, keeping order and distance.

    Exact for one row: pool adjacent violators, the least squares under an order.
    """
    shifts = [0.0]
    for one, two in pairwise(row):
        shifts.append(shifts[-1] + _distance(one, two, widths, bends))
    wishes = []
    for node, shift in zip(row, shifts, strict=True):
        weight = fsum(pull.weight for pull in pulls[node])
        drawn = fsum(middles[pull.node] * pull.weight for pull in pulls[node])
        wishes.append((drawn / weight - shift, weight) if weight else (middles[node] - shift, 0.01))
    for node, value, shift in zip(row, _rising(wishes), shifts, strict=True):
        middles[node] = value + shift


def _distance(one: str, two: str, widths: Mapping[str, float], bends: set[str]) -> float:
    """How far apart the middles of two that stand side by side must be."""
    return (widths[one] + widths[two]) / 2 + (NARROW_GAP if one in bends or two in bends else GAP)


def _rising(wishes: Sequence[tuple[float, float]]) -> list[float]:
    """The values that never fall and are nearest to the wishes, each by its weight."""
    pools: list[tuple[float, float, int]] = []
    for value, weight in wishes:
        pool = (value, weight, 1)
        while pools and pools[-1][0] > pool[0]:
            before, mass, count = pools.pop()
            together = mass + pool[1]
            pool = ((before * mass + pool[0] * pool[1]) / together, together, count + pool[2])
        pools.append(pool)
    return [value for value, _, count in pools for _ in range(count)]


def spread(wishes: Sequence[float], low: float, high: float, step: float) -> list[float]:
    """Places between `low` and `high`, at least `step` apart, in the given order, as near to the wishes as can be."""
    if len(wishes) > 1:
        step = min(step, (high - low) / (len(wishes) - 1))
    rising = _rising([(wish - index * step, 1.0) for index, wish in enumerate(wishes)])
    furthest = high - (len(wishes) - 1) * step
    return [min(max(value, low), furthest) + index * step for index, value in enumerate(rising)]


def _straighten(laid: Layers, middles: dict[str, float], widths: Mapping[str, float]) -> None:
    """Draw the bends of a line one under the other, as far as their neighbours leave them room."""
    beside: dict[str, tuple[str | None, str | None]] = {}
    for row in laid.rows:
        for index, node in enumerate(row):
            before = row[index - 1] if index else None
            beside[node] = (before, row[index + 1] if index + 1 < len(row) else None)

    def room(node: str) -> tuple[float, float]:
        before, after = beside[node]
        low = middles[before] + _distance(before, node, widths, laid.bends) if before else -inf
        high = middles[after] - _distance(node, after, widths, laid.bends) if after else inf
        return low, high

    def level(run: Sequence[str]) -> None:
        rooms = [room(node) for node in run]
        low, high = max(one for one, _ in rooms), min(one for _, one in rooms)
        if low <= high:
            wish = sorted(middles[node] for node in run)[len(run) // 2]
            middles.update(dict.fromkeys(run, min(max(wish, low), high)))
        elif len(run) > 1:
            level(run[: len(run) // 2])
            level(run[len(run) // 2 :])

    for _ in range(3):
        for chain in laid.chains.values():
            # A label may be part of the straight line that ends in it; a state's box is too heavy to follow.
            run = [node for node in chain if node in laid.bends or is_label(node)]
            if len(run) > 1:
                level(run)
