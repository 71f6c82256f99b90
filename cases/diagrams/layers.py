"""Which row each state and each label stands in. Labels are nodes of their own, so no line can cross a word.

The steps are Sugiyama's (1981): break the circles, lay rows, add a bend where a line passes a row. There are at most a
dozen states, so the circles are broken exactly, over all subsets, not by a rule of thumb.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

BACKWARD, OUT_OF_ORDER, UNLED = 10, 1, 1000
"""What a line against the reading direction costs, a pair of states drawn the other way round than declared, and a
state to which no line leads from above."""


@dataclass(frozen=True, slots=True)
class Link:
    """A label with the states whose lines meet in it, and the state to which it leads. `weight` 0 bends most."""

    label: str
    sources: tuple[str, ...]
    target: str
    weight: int = 2


@dataclass(slots=True)
class Layers:
    """Nodes by row, and the lines from row to the next. `bends` are the nodes that only carry a line past a row."""

    rows: list[list[str]]
    lines: list[tuple[str, str]]
    chains: dict[tuple[str, str], list[str]]
    bends: set[str] = field(default_factory=set)


def is_label(node: str) -> bool:
    """Whether the node is a label; a state's name never has this sign."""
    return "#" in node and ">" not in node


def layers(states: Sequence[str], links: Sequence[Link]) -> Layers:
    """Lay states and labels in rows, the first state on top. The same links give the same rows."""
    place = {state: index for index, state in enumerate(_order(states, links))}
    split = _split(links, place)
    ranks = _ranks(states, split, place)
    _place_labels(split, ranks)
    return _with_bends(split, ranks)


def _order(states: Sequence[str], links: Sequence[Link]) -> list[str]:
    """The order of the states in which the fewest lines go backwards; the first declared one stays first."""
    index = {state: number for number, state in enumerate(states)}
    weight = [[0] * len(states) for _ in states]
    for link in links:
        for source in link.sources:
            weight[index[source]][index[link.target]] += link.weight * BACKWARD
    best: dict[int, tuple[int, int]] = {1: (0, 0)}
    for chosen in range(1, 1 << len(states), 2):
        cost, _ = best[chosen]
        for following in range(len(states)):
            if chosen >> following & 1:
                continue
            earlier = [one for one in range(len(states)) if chosen >> one & 1]
            later = [one for one in range(following) if not chosen >> one & 1]
            step = sum(weight[following][one] for one in earlier) + OUT_OF_ORDER * len(later)
            step += 0 if any(weight[one][following] for one in earlier) else UNLED
            grown = chosen | 1 << following
            if grown not in best or cost + step < best[grown][0]:
                best[grown] = (cost + step, following)
    order: list[int] = []
    chosen = (1 << len(states)) - 1
    while chosen != 1:
        following = best[chosen][1]
        order.append(following)
        chosen ^= 1 << following
    return [states[one] for one in (0, *reversed(order))]


def _split(links: Sequence[Link], place: Mapping[str, int]) -> list[Link]:
    """A label that is reached from above and from below stands once on either side of its target."""
    found: list[Link] = []
    for link in links:
        above = tuple(one for one in link.sources if place[one] < place[link.target])
        below = tuple(one for one in link.sources if place[one] > place[link.target])
        found.extend(Link(link.label, part, link.target, link.weight) for part in (above, below) if part)
        if not link.sources:
            found.append(link)
    return [Link(f"{link.label}#{number}", link.sources, link.target, link.weight) for number, link in enumerate(found)]


def _ranks(states: Sequence[str], links: Sequence[Link], place: Mapping[str, int]) -> dict[str, int]:
    """States in even rows, as near to their neighbours as the order allows."""
    spans = [
        (min(one, link.target, key=place.__getitem__), max(one, link.target, key=place.__getitem__), link.weight)
        for link in links
        for one in link.sources
    ]
    ordered = sorted(states, key=place.__getitem__)
    ranks = dict.fromkeys(ordered, 0)
    for state in ordered:
        ranks[state] = max((ranks[upper] + 2 for upper, lower, _ in spans if lower == state), default=0)
    deepest = max(ranks.values())
    for state in states:
        if not any(state in {upper, lower} for upper, lower, _ in spans):
            ranks[state] = deepest
    for _ in states:
        for state in reversed(ordered):
            uppers = [(ranks[upper] + 2, weight) for upper, lower, weight in spans if lower == state]
            lowers = [(ranks[lower] - 2, weight) for upper, lower, weight in spans if upper == state]
            if uppers and lowers:
                low, high = max(uppers)[0], min(lowers)[0]
                pull = sum(weight for _, weight in lowers) - sum(weight for _, weight in uppers)
                ranks[state] = high if pull > 0 else low
            elif lowers and ranks[state] > 0:
                ranks[state] = min(lowers)[0]
    return ranks


def _place_labels(links: Sequence[Link], ranks: dict[str, int]) -> None:
    """Each label between its states, in the row that has the fewest labels yet, near where the move begins."""
    load: dict[int, int] = {}
    for link in sorted(links, key=lambda one: len(_room(one, ranks))):
        room = _room(link, ranks)
        row = min(room, key=lambda one: (load.get(one, 0), room.index(one)))
        load[row] = load.get(row, 0) + 1
        ranks[link.label] = row


def _room(link: Link, ranks: Mapping[str, int]) -> list[int]:
    """The rows in which a label may stand, the nearest to its sources first."""
    target = ranks[link.target]
    if not link.sources:
        return [target - 1]
    rows = [ranks[one] for one in link.sources]
    if min(rows) > target:
        return list(range(min(rows) - 1, target, -2))
    return list(range(max(rows) + 1, target, 2))


def _with_bends(links: Sequence[Link], ranks: Mapping[str, int]) -> Layers:
    top = min(ranks.values())
    rows: list[list[str]] = [[] for _ in range(max(ranks.values()) - top + 1)]
    for node, rank in ranks.items():
        rows[rank - top].append(node)
    laid = Layers(rows, [], {})
    ends = [(source, link.label) for link in links for source in link.sources]
    for begin, end in (*ends, *((link.label, link.target) for link in links)):
        step = 1 if ranks[end] > ranks[begin] else -1
        chain = [begin]
        for rank in range(ranks[begin] + step, ranks[end], step):
            bend = f"{begin}>{end}@{rank}"
            laid.bends.add(bend)
            rows[rank - top].append(bend)
            chain.append(bend)
        chain.append(end)
        laid.chains[begin, end] = chain
        laid.lines.extend((one, other) if step > 0 else (other, one) for one, other in pairwise(chain))
    return laid
