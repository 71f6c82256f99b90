"""Together the shipped scenarios touch the whole contract: every track and state, trigger, clock and refusal code.

What a file claims is held to be true by `test_samples`; here the claims are gathered without playing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import cases.samples
from cases.play import read_script
from cases.refusal import CODES
from cases.scenario.address import Address
from cases.scenario.expected import Expect
from cases.scenario.script import Script
from cases.track import FOLLOWS, TIME, Move, discover
from policies.ladder import DEFAULT_LADDER

SAMPLES = sorted((Path(cases.samples.__file__).parent / "scenarios").glob("*.yaml"))

UNTOUCHED = {
    "leave.contact met": "a contact meets its clock and starts the next one in the same move, and an address means"
    " the newest; that it was met in time shows in the next one's limit",
}
"""What no scenario can show, and why."""


@dataclass(slots=True)
class Touched:
    """What the stories show: triggers pulled and accepted, events, states, clocks and their states, codes."""

    pulled: set[tuple[str, str]] = field(default_factory=set)
    happened: set[tuple[str, str]] = field(default_factory=set)
    states: set[tuple[str, str]] = field(default_factory=set)
    clocks: set[tuple[str, str, str]] = field(default_factory=set)
    rungs: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)

    def read(self, script: Script) -> None:
        """Gather what one story claims."""
        for step in script.steps:
            if step.do is not None and step.refused is None:
                self.pulled.add(_named(step.do))
            if step.refused is not None:
                self.refused.add(step.refused)
        for expect in _expectations(script):
            self._expected(expect)

    def _expected(self, expect: Expect) -> None:
        if expect.case is not None:
            self.states.add(("case", expect.case.value))
        self.states |= {(one.of.kind or "case", one.value) for one in expect.tracks}
        self.clocks |= {(*_named(one.of), one.value) for one in expect.clocks}
        self.clocks |= {(*_named(one.of), "due") for one in expect.due}
        for event in expect.events:
            kind, name = _named(event.of)
            self.happened.add((kind, name))
            if "." in name:
                self.rungs.add(name.rpartition(".")[2])


def _named(address: Address) -> tuple[str, str]:
    return address.kind or "case", address.part or ""


def _expectations(script: Script) -> Iterator[Expect]:
    yield from (step.expect for step in script.steps if step.expect is not None)
    if script.final is not None:
        yield script.final


def touched() -> Touched:
    """Everything that all shipped scenarios show together."""
    found = Touched()
    for path in SAMPLES:
        found.read(read_script(path))
    return found


def _shown(found: Touched, kind: str, move: Move) -> bool:
    """A trigger is pulled and accepted; what follows or what time does stands among the events that are asked for."""
    if move.by in {TIME, FOLLOWS}:
        return bool({(kind, move.name), (kind, move.event)} & found.happened)
    return (kind, move.name) in found.pulled


def _missing(all_of: set[str], found: set[str]) -> list[str]:
    return sorted(all_of - found - UNTOUCHED.keys())


def test_every_trigger_is_accepted_in_some_story() -> None:
    found = touched()
    moves = {(kind, move.name): move for kind, track in discover().items() for move in track.moves}
    shown = {f"{kind}.{name}" for (kind, name), move in moves.items() if _shown(found, kind, move)}
    assert _missing({f"{kind}.{name}" for kind, name in moves}, shown) == []


def test_every_state_is_reached_in_some_story() -> None:
    states = {f"{kind}: {state}" for kind, track in discover().items() for state in track.states}
    assert _missing(states, {f"{kind}: {state}" for kind, state in touched().states}) == []


def test_every_clock_runs_is_met_and_is_missed_in_some_story() -> None:
    clocks = {(kind, clock.name) for kind, track in discover().items() for clock in track.clocks}
    wanted = {f"{kind}.{name} {what}" for kind, name in clocks for what in ("due", "met", "missed")}
    assert _missing(wanted, {f"{kind}.{name} {what}" for kind, name, what in touched().clocks}) == []


def test_every_rung_falls_in_some_story() -> None:
    assert _missing({rung.name for rung in DEFAULT_LADDER}, touched().rungs) == []


def test_every_refusal_code_is_given_in_some_story() -> None:
    assert _missing(set(CODES), touched().refused) == []


def test_nothing_that_a_story_shows_is_excused() -> None:
    found = touched()
    shown = {f"{kind}.{name}" for kind, name in found.pulled | found.happened} | found.refused
    shown |= {f"{kind}: {state}" for kind, state in found.states}
    shown |= {f"{kind}.{name} {what}" for kind, name, what in found.clocks}
    assert sorted(UNTOUCHED.keys() & shown) == []
