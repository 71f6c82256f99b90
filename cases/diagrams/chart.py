"""What a picture of a track shows: states with their clocks, and moves gathered by where they come from and go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from cases.diagrams.consequences import met, restarted, started, words_of
from cases.track import FOLLOWS, TIME, Move, Track

Puller = Literal["people", "time", "engine"]
FEWEST_FOR_EVERYWHERE = 3
"""From so many states on, a move that is possible in every state at work is said once instead of drawn each time."""


@dataclass(frozen=True, slots=True)
class Edge:
    """The moves that lead from these states to that one. Without sources: from every state at work, and `also`."""

    sources: tuple[str, ...]
    target: str
    moves: tuple[Move, ...]
    also: tuple[str, ...] = ()

    @property
    def puller(self) -> Puller:
        """Who pulls: people as soon as people can."""
        pullers = {puller(move) for move in self.moves}
        return next((one for one in ("people", "time", "engine") if one in pullers), "people")


@dataclass(frozen=True, slots=True)
class Chart:
    """One track, ready to be drawn. Names only: a renderer asks the track for the labels in its language."""

    track: Track
    opening: Edge
    pairs: tuple[Edge, ...]
    joined: tuple[Edge, ...]
    stays: dict[str, tuple[Move, ...]]
    stays_everywhere: tuple[Move, ...]
    clocks: dict[str, tuple[str, ...]]
    paused: dict[str, tuple[str, ...]]


def puller(move: Move) -> Puller:
    """Who pulls a move: people, time alone, or the engine because it follows from another move."""
    if move.by == TIME:
        return "time"
    return "engine" if move.by == FOLLOWS else "people"


def chart(track: Track) -> Chart:
    """Read the declaration of one track. The same declaration gives the same chart."""
    everywhere = tuple(move for move in track.moves if not move.opens and not move.targets and _anywhere(track, move))
    stays = {
        state: tuple(move for move in track.moves if move not in everywhere and state in leads(move, state))
        for state in track.states
    }
    openers = tuple(move for move in track.moves if move.opens)
    clocks = _clocks(track)
    paused = _paused(track, clocks)
    return Chart(
        track=track,
        opening=Edge((), track.initial, openers),
        pairs=_pairs(track),
        joined=_joined(track),
        stays=stays,
        stays_everywhere=everywhere,
        clocks=clocks,
        paused=paused,
    )


def leads(move: Move, source: str) -> tuple[str, ...]:
    """Where the move may lead from that state; the state itself where it may stay.

    Of several targets each must be one that its choice can name: a text in its code, or what the form offers. And
    one that leaves the other states as they are (a late sign-off) doesn't lead from one of them to another.
    """
    sources = move.source or ()
    if source not in sources:
        return ()
    if len(move.targets) < 2:
        return move.targets or (source,)
    offered = {choice for field in move.form.fields for choice in field.choices} | words_of(move.choose)
    onward = tuple(
        state for state in move.targets if state in offered and not (source in move.targets and state in sources)
    )
    stays = (source,) if source in move.targets else ()
    return (*stays, *(state for state in onward if state != source))


def _at_work(track: Track) -> set[str]:
    return set(track.states) - track.ends


def _anywhere(track: Track, move: Move) -> bool:
    at_work = _at_work(track)
    return len(at_work) >= FEWEST_FOR_EVERYWHERE and at_work <= set(move.source or ())


def _pairs(track: Track) -> tuple[Edge, ...]:
    """One edge for each pair of states, with every move that leads along it."""
    found: dict[tuple[str, str], list[Move]] = {}
    for move in track.moves:
        for source in move.source or ():
            for target in leads(move, source):
                if source != target:
                    found.setdefault((source, target), []).append(move)
    return tuple(Edge((source,), target, tuple(moves)) for (source, target), moves in found.items())


def _joined(track: Track) -> tuple[Edge, ...]:
    """One edge for each set of sources: five lines that mean the same move meet in one label."""
    found: dict[tuple[tuple[str, ...], str, tuple[str, ...]], list[Move]] = {}
    for move in track.moves:
        for target in move.targets:
            sources = tuple(one for one in track.states if one != target and target in leads(move, one))
            also: tuple[str, ...] = ()
            if sources and _anywhere(track, move):
                also = tuple(state for state in sources if state in track.ends)
                sources = ()
            elif not sources:
                continue
            found.setdefault((sources, target, also), []).append(move)
    return tuple(Edge(sources, target, tuple(moves), also) for (sources, target, also), moves in found.items())


def _clocks(track: Track) -> dict[str, tuple[str, ...]]:
    """Which clocks may run in which state: started on a way there, not met since, and still to be met from there."""
    running: dict[str, set[str]] = {state: set() for state in track.states}
    for move in track.moves:
        for clock in started(track, move):
            for state in _where_it_starts(track, move, clock):
                running[state].add(clock)
    # A track may be opened further on (a relapse asks the hospital at once); there run the clocks that moves start.
    openings = {track.initial, *(words_of(track.when_opened) & set(track.states))}
    for clock in started(track, None):
        usual = {state for state in openings if clock in running[state] or _met_from(track, clock, state)}
        for state in usual or openings:
            running[state].add(clock)
    changed = True
    while changed:
        changed = False
        for move in track.moves:
            over = met(track, move)
            for source in move.source or ():
                for target in set(leads(move, source)) - {source}:
                    carried = running[source] - over - running[target]
                    changed = changed or bool(carried)
                    running[target] |= carried
    return {
        state: tuple(
            clock.name
            for clock in track.clocks
            if clock.name in running[state] and _to_be_met(track, clock.name, state)
        )
        for state in track.states
    }


def _where_it_starts(track: Track, move: Move, clock: str) -> tuple[str, ...]:
    """Into whichever state the move leads; of several, those from which the clock can be met at once, if any."""
    targets = move.targets or ((track.initial,) if move.opens else move.source or ())
    direct = tuple(state for state in targets if _met_from(track, clock, state))
    return direct if len(targets) > 1 and direct else targets


def _met_from(track: Track, clock: str, state: str) -> bool:
    return any(state in (move.source or ()) and clock in met(track, move) for move in track.moves)


def _to_be_met(track: Track, clock: str, state: str) -> bool:
    """Whether a way leads from that state to a move that meets the clock, before it would start anew."""
    if state in track.ends:
        return False
    known, open_ends = {state}, [state]
    while open_ends:
        here = open_ends.pop()
        if _met_from(track, clock, here):
            return True
        for move in track.moves:
            if clock in restarted(track, move):
                continue
            fresh = set(leads(move, here)) - known - track.ends
            known |= fresh
            open_ends.extend(fresh)
    return False


def _paused(track: Track, clocks: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """Which of a state's clocks stand still in it: those that a move into it pauses."""
    found: dict[str, set[str]] = {}
    for move in track.moves:
        for target in move.targets:
            found.setdefault(target, set()).update(move.pauses)
    return {
        state: tuple(clock for clock in running if clock in found.get(state, ())) for state, running in clocks.items()
    }
