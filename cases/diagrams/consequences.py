"""What a move's consequence says to its desk, read from its code: which clocks it may start, meet or pause.

A declaration names most of this (`starts`, `meets`), but a condition ("a red case also owes a safe plan") can only
stand in code. Reading the code keeps the pictures true without a second list that could grow old.
"""

from __future__ import annotations

import dis
from collections.abc import Callable, Iterator
from functools import cache
from types import FunctionType
from typing import Any, NamedTuple

from cases.track import Move, Track

_VERBS = frozenset({"start", "meet", "cancel", "pause", "resume", "open", "follow", "clock"})
_STATEMENT_ENDS = ("POP_TOP", "STORE_", "RETURN_", "FOR_ITER", "POP_JUMP")


class Saying(NamedTuple):
    """One order to the desk: its verb and the name that it is about (a clock, a kind of track, a trigger)."""

    verb: str
    name: str


@cache
def sayings(consequence: Callable[..., Any] | None) -> frozenset[Saying]:
    """Every order that the consequence may give, in whatever branch, functions of its own module included."""
    if not isinstance(consequence, FunctionType):
        return frozenset()
    return frozenset(_heard(consequence, set()))


def _heard(function: FunctionType, known: set[FunctionType]) -> Iterator[Saying]:
    known.add(function)
    verb: str | None = None
    for step in dis.get_instructions(function):
        if step.opname in {"LOAD_ATTR", "LOAD_METHOD"} and step.argval in _VERBS:
            verb = step.argval
        elif (called := _own(function, step)) is not None:
            if called not in known:
                yield from _heard(called, known)
        elif verb and isinstance(step.argval, str) and step.opcode in dis.hasconst:
            yield Saying(verb, step.argval)
            verb = None
        elif step.opname.startswith(_STATEMENT_ENDS):
            verb = None


@cache
def words_of(choice: Callable[..., Any] | None) -> frozenset[str]:
    """Every text that a function names, functions of its own module included: the states that it may choose."""
    return frozenset(_texts(choice, set())) if isinstance(choice, FunctionType) else frozenset()


def _texts(function: FunctionType, known: set[FunctionType]) -> Iterator[str]:
    known.add(function)
    for step in dis.get_instructions(function):
        if isinstance(step.argval, str) and step.opcode in dis.hasconst:
            yield step.argval
        elif (called := _own(function, step)) is not None and called not in known:
            yield from _texts(called, known)


def _own(function: FunctionType, step: dis.Instruction) -> FunctionType | None:
    """The function of the same module that this step mentions, if it does."""
    called = function.__globals__.get(str(step.argval)) if step.opname == "LOAD_GLOBAL" else None
    return called if isinstance(called, FunctionType) and called.__module__ == function.__module__ else None


def started(track: Track, move: Move | None) -> frozenset[str]:
    """The clocks that the move may start; `move` None is the opening of the track."""
    declared, then = (track.starts, track.when_opened) if move is None else (move.starts, move.then)
    return frozenset({*declared, *_named(track, then, "start")})


def restarted(track: Track, move: Move) -> frozenset[str]:
    """The clocks that the move starts though they may be running: those whose face it doesn't look at first."""
    return started(track, move) - frozenset(_named(track, move.then, "clock"))


def met(track: Track, move: Move) -> frozenset[str]:
    """The clocks that run no longer after the move: it, or the one from which it follows, meets or cancels them."""
    before = (one for one in track.moves if Saying("follow", move.name) in sayings(one.then))
    found: set[str] = set()
    for one in (move, *before):
        found |= {*one.meets, *one.cancels, *_named(track, one.then, "meet", "cancel")}
    return frozenset(found)


def opened(move: Move) -> tuple[str, ...]:
    """The kinds of tracks that the move may open."""
    return tuple(sorted({one.name for one in sayings(move.then) if one.verb == "open"}))


def _named(track: Track, consequence: Callable[..., Any] | None, *verbs: str) -> Iterator[str]:
    return (one.name for one in sayings(consequence) if one.verb in verbs and one.name in track.clock_kinds)
