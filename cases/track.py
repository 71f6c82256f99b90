"""How a state machine is declared, and where the declared ones are found.

A track is pure data plus small guards and consequences; it decides nothing by itself. Guards answer with a
reason (`Refusal`) or None; consequences are spoken to a `Desk`, which the engine provides. Files in
`cases.tracks` import from here only.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from functools import cache, cached_property
from typing import Any, Literal, Protocol

from transitions import Machine

from cases.casefile import CASE, Called, CaseFile, Record
from cases.clockwork import Clock
from cases.directory import Actor, Organisation
from cases.forms import Field, Form, Plan, Score, Section, Student, fields
from cases.plausible import by_now, conditions_said, from_today, since_opened
from cases.refusal import FieldFault, Refusal
from policies.book import Book
from policies.limits import Limit, SameDay, Unit
from policies.screening import ScaleFault, scored

__all__ = [
    "CASE",
    "END",
    "FOLLOWS",
    "TIME",
    "Actor",
    "Called",
    "CaseFile",
    "Clock",
    "ClockKind",
    "Desk",
    "Field",
    "FieldFault",
    "Form",
    "Limit",
    "Move",
    "Plan",
    "Record",
    "Refusal",
    "SameDay",
    "ScaleFault",
    "Score",
    "State",
    "Student",
    "Track",
    "Unit",
    "Who",
    "by_now",
    "cannot_answer",
    "conditions_said",
    "discover",
    "fields",
    "from_today",
    "scored",
    "since_opened",
    "who",
]

Label = tuple[str, str]
"""zh_CN, en."""


class Desk(Protocol):
    """What a guard may ask and a consequence may order. One desk serves one move of one track."""

    form: dict[str, Any]

    @property
    def case(self) -> CaseFile:
        """The case under its lock."""

    @property
    def record(self) -> Record:
        """The track that moves."""

    @property
    def book(self) -> Book:
        """The policy version that the case runs under."""

    @property
    def now(self) -> datetime:
        """The instant of this move, UTC."""

    @property
    def actor(self) -> Actor | None:
        """Who pulls it; None for time."""

    @property
    def role(self) -> str | None:
        """The role by which the actor may pull it."""

    @property
    def other(self) -> CaseFile | None:
        """The case that this one is to be merged into, under its lock too; None when the actor can't see one."""

    def merge(self) -> None:
        """Let this case point at the other one, and write into the other's history that it was absorbed."""

    def organisation(self, number: int) -> Organisation:
        """The organisation of that id; refuses `invalid` when there is none."""

    def responsible(self, kind: str) -> Organisation | None:
        """As `nearest`; None where nobody of that kind is responsible."""

    def nearest(self, kind: str) -> Organisation:
        """The organisation of that kind that is responsible for the case's school."""

    def open(
        self,
        kind: str,
        *,
        organisation: int | None = None,
        about: int | None = None,
        parent: int | None = None,
        facts: Mapping[str, Any] | None = None,
        state: str | None = None,
    ) -> Record:
        """Open a track of that kind in the same move, in its first state (or `state`); its own opening follows."""

    def follow(self, record: Record, trigger: str, **facts: Any) -> None:  # noqa: ANN401 - a form's values
        """Pull a trigger that follows from this move (`by=FOLLOWS`)."""

    def start(
        self,
        record: Record,
        clock: str,
        *,
        given: datetime | None = None,
        limit: Limit | SameDay | None = None,
        rule: str | None = None,
        half: bool = False,
    ) -> None:
        """Start a clock now, cancelling a running one of that name; `rule` names another limit of the book."""

    def meet(self, record: Record, clock: str) -> None: ...
    def cancel(self, record: Record, clock: str) -> None: ...
    def pause(self, record: Record, clock: str) -> None: ...
    def resume(self, record: Record, clock: str) -> None: ...
    def reopen_clock(self, record: Record, clock: str) -> None:
        """Let a clock that was met by mistake go on from its own start."""

    def extend(self, record: Record, clock: str, extra: Limit) -> None:
        """Move a clock's limit by `extra`, counted as the limit is."""

    def regrade(self, level: str) -> None:
        """Give the case that level; every unmet clock is set anew from its own start."""

    def call(self, organisation: int) -> None:
        """Call an organisation to the case: it now sees it, and may act where its role allows."""

    def release(self, organisation: int) -> None:
        """Take a redirected organisation's sight away at once."""

    def note(self, section: Section, **facts: Any) -> None:  # noqa: ANN401 - JSON values
        """Write more into the event, in that section."""

    def sees(self) -> bool:
        """Whether the actor sees anything of the case already."""

    def tell(self, *whom: str) -> None:
        """Tell them (`role@relation`, `member:ID`) that this move has happened."""

    def alarm(self, record: Record, at: datetime | None, move: str | None = None) -> None:
        """Let time pull `move` of that track at that instant; None takes the alarm off."""

    def local(self, day: date, at: time = time(0)) -> datetime:
        """That local time of that day as an instant (UTC)."""

    def today(self) -> date:
        """The local day of `now`."""

    def in_holidays(self, day: date) -> bool:
        """Whether that day lies in the school holidays."""

    def workers(self) -> frozenset[int]:
        """The members who have ever acted in this case (two at most are remembered)."""


@dataclass(frozen=True, slots=True)
class Who:
    """A role inside a relation: `counselor@school`. The relation is asked by `cases.access`."""

    role: str
    relation: str

    def __str__(self) -> str:
        return f"{self.role}@{self.relation}"


_SUMMONS_NOBODY = frozenset({"city", "district", "school"})


def cannot_answer(desk: Desk, name: str) -> Refusal | None:
    """Refuse `invalid` a summons to a school or a desk: nobody there could acknowledge it (TRACKS.md, Who)."""
    if desk.organisation(desk.form[name]).kind in _SUMMONS_NOBODY:
        return Refusal("invalid", faults=(FieldFault(name, "answers_no_summons"),))
    return None


def who(text: str) -> tuple[Who, ...]:
    """Read `"counselor, principal@school; officer@community"`: roles by comma, relations by semicolon."""
    found: list[Who] = []
    for group in text.split(";"):
        roles, _, relation = group.strip().partition("@")
        found.extend(Who(role.strip(), relation.strip()) for role in roles.split(","))
    return tuple(found)


TIME: tuple[Who, ...] = (Who("time", "none"),)
"""Pulled by time alone."""
FOLLOWS: tuple[Who, ...] = (Who("engine", "none"),)
"""Follows from another move; nobody pulls it."""

END: Literal["end"] = "end"

Guard = Callable[[Desk], Refusal | None]
Consequence = Callable[[Desk], None]


@dataclass(frozen=True, slots=True)
class State:
    """One state: its labels, and whether the track ends in it."""

    label: Label
    end: bool = False


NO_FIELDS = Form()
"""The form of a trigger that carries nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One row of the contract. Closed unless opened: without `by` there is no move.

    `source` None opens the track. `target` None stays; several targets need `choose`. `keys` are the roles of a
    two-key move: the state changes, and `then` is spoken, when each has turned theirs. `only` narrows `by` (whoever
    called, whoever acknowledged). `wrong_state` gives the row's own code for a state.
    `confidential` hides who pulled it (Anti-Domestic-Violence Law art. 14). `needs_case` overrides the states of
    the case in which the track moves.
    """

    name: str
    event: str
    label: Label
    by: tuple[Who, ...]
    source: tuple[str, ...] | None = ()
    target: str | tuple[str, ...] | None = None
    form: Form = NO_FIELDS
    guards: tuple[Guard, ...] = ()
    wrong_state: Mapping[str, str] = field(default_factory=dict)
    only: Callable[[Desk], bool] | None = None
    choose: Callable[[Desk], str] | None = None
    starts: tuple[str, ...] = ()
    meets: tuple[str, ...] = ()
    cancels: tuple[str, ...] = ()
    pauses: tuple[str, ...] = ()
    resumes: tuple[str, ...] = ()
    tells: tuple[str, ...] = ()
    then: Consequence | None = None
    keys: tuple[str, ...] = ()
    confidential: bool = False
    needs_case: tuple[str, ...] | None = None

    @property
    def opens(self) -> bool:
        """Whether this move opens its track."""
        return self.source is None

    @property
    def targets(self) -> tuple[str, ...]:
        """Every state into which this move may lead; empty when the state stays."""
        if self.target is None:
            return ()
        return (self.target,) if isinstance(self.target, str) else self.target


@dataclass(frozen=True, slots=True)
class ClockKind:
    """A clock that a track may run. `owed_by`: whoever is told when it starts and by its first rung.

    Recipients are `role@relation` or `member:ID`; a function gives them where they depend on the track.
    """

    name: str
    label: Label
    owed_by: tuple[str, ...] | Callable[[CaseFile, Record], tuple[str, ...]]
    level_only: tuple[str, ...] = ()
    on_breach: str | None = None

    def owners(self, case: CaseFile, record: Record) -> tuple[str, ...]:
        """Who owes this clock of this track."""
        return self.owed_by if isinstance(self.owed_by, tuple) else self.owed_by(case, record)


@dataclass(frozen=True, kw_only=True)
class Track:
    """One kind of track: states, moves, clocks. Everything else follows from this declaration.

    `belongs_to` says whose it is: an `organisation`, the `hospital`, or none. `holds_open`: while it is active the
    case is not settled. `while_case`: the states of the case in which people may move it.
    """

    kind: str
    label: Label
    states: Mapping[str, State]
    initial: str
    moves: tuple[Move, ...]
    clocks: tuple[ClockKind, ...] = ()
    belongs_to: Literal["organisation", "hospital", "none"] = "none"
    holds_open: bool = True
    while_case: tuple[str, ...] = ("open",)
    opened_event: str | None = None
    when_opened: Consequence | None = None
    starts: tuple[str, ...] = ()
    tells: tuple[str, ...] = ()
    dormant: tuple[str, ...] = ()
    when_ended: Consequence | None = None

    @cached_property
    def by_name(self) -> dict[str, Move]:
        """The moves by their names."""
        return {move.name: move for move in self.moves}

    @cached_property
    def clock_kinds(self) -> dict[str, ClockKind]:
        """The clocks by their names."""
        return {clock.name: clock for clock in self.clocks}

    @cached_property
    def ends(self) -> frozenset[str]:
        """The states in which the track has ended."""
        return frozenset(name for name, state in self.states.items() if state.end)

    def active(self, state: str) -> bool:
        """Whether a track in that state is still at work, so that its case isn't settled."""
        return state not in self.ends and state not in self.dormant

    @cached_property
    def machine(self) -> Machine:
        """The one machine of this kind. It holds no models: a record is passed at each trigger."""
        machine = Machine(
            model=None,
            states=list(self.states),
            initial=None,
            auto_transitions=False,
            send_event=True,
        )
        for move in self.moves:
            for target in move.targets:
                machine.add_transition(move.name, list(move.source or ()), target, conditions=[_leads_to(target)])
        return machine


def _leads_to(target: str) -> Callable[[Any], bool]:
    """With several targets, only the chosen one's transition fires."""

    def chosen(event: Any) -> bool:  # noqa: ANN401 - transitions' own EventData
        return bool(event.kwargs["target"] == target)

    return chosen


@cache
def discover() -> Mapping[str, Track]:
    """Every declared track by its kind, the case first; read from `cases.tracks`, one file a kind."""
    import cases.tracks

    found: dict[str, Track] = {}
    for module in pkgutil.iter_modules(cases.tracks.__path__):
        declared = importlib.import_module(f"cases.tracks.{module.name}").TRACK
        found[declared.kind] = declared
    return dict(sorted(found.items(), key=lambda item: (item[0] != "case", item[0])))
