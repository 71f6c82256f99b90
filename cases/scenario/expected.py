"""What a step expects, as read from the file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Generic, TypeVar

from cases.scenario.address import Address, Person
from cases.scenario.pen import Pen
from policies.faults import Where, one_of, shown
from policies.ladder import DEFAULT_LADDER
from policies.reading import Plain
from policies.vocabulary import Words

T = TypeVar("T")
S = TypeVar("S")

SECTIONS: Final = ("identity", "narrative", "clinical")
CLOCK_STATES: Final = ("running", "paused", "met", "missed", "cancelled")
NOTHING: Final = "nothing"
ABSENT: Final = "none"
"""In place of a track's state: there is no such track."""
_KNOWN: Final = ("case", "tracks", "clocks", "due", "notified", "not_notified", "events", "sees", "filer", "audit")


@dataclass(frozen=True, slots=True)
class Wanted(Generic[S, T]):
    """One thing that is expected: of what, which value, in which line."""

    line: int
    of: S
    value: T


@dataclass(frozen=True, slots=True)
class Expect:
    """Everything that one step, or the end, expects; empty where it says nothing."""

    case: Wanted[None, str] | None = None
    tracks: tuple[Wanted[Address, str], ...] = ()
    clocks: tuple[Wanted[Address, str], ...] = ()
    due: tuple[Wanted[Address, datetime], ...] = ()
    notified: tuple[Wanted[Person, bool], ...] = ()
    events: tuple[Wanted[Address, None], ...] = ()
    sees: tuple[Wanted[Person, tuple[tuple[str, bool], ...]], ...] = ()
    filer: tuple[Wanted[Person, bool], ...] = ()
    audit: Wanted[None, str] | None = None


def read_expect(pen: Pen, value: Plain, where: Where) -> Expect:
    """Read `expect` or `finally`; what is faulty is noted and left out."""
    given = pen.mapping(value, where, _KNOWN)
    at = {name: (*where, name) for name in given}
    case = audit = None
    if "case" in given:
        state = pen.word(given["case"], at["case"], tuple(pen.tracks["case"].states), "个案状态", "state of a case")
        case = None if state is None else Wanted(pen.line(at["case"]), None, state)
    if "audit" in given:
        word = pen.word(given["audit"], at["audit"], ("verified",), "核验结果", "outcome of an audit")
        audit = None if word is None else Wanted(pen.line(at["audit"]), None, word)
    told = [
        Wanted(pen.line(here), member, name == "notified")
        for name in ("notified", "not_notified")
        if name in given
        for here, one in pen.items(given[name], at[name])
        if (member := pen.person(one, here)) is not None
    ]
    return Expect(
        case=case,
        tracks=_tracks(pen, given.get("tracks"), (*where, "tracks")),
        clocks=_clocks(pen, given.get("clocks"), (*where, "clocks")),
        due=_due(pen, given.get("due"), (*where, "due")),
        notified=tuple(told),
        events=_events(pen, given.get("events"), (*where, "events")),
        sees=_sees(pen, given.get("sees"), (*where, "sees")),
        filer=_filer(pen, given.get("filer"), (*where, "filer")),
        audit=audit,
    )


def _tracks(pen: Pen, value: Plain, where: Where) -> tuple[Wanted[Address, str], ...]:
    found = []
    for name, said in _fields(pen, value, where):
        here = (*where, name)
        track = pen.track(name, here)
        if track is None or track.kind is None:
            continue
        state = pen.word(said, here, (*pen.tracks[track.kind].states, ABSENT), "状态", f"state of {track.kind}")
        if state is not None:
            found.append(Wanted(pen.line(here), track, state))
    return tuple(found)


def _clocks(pen: Pen, value: Plain, where: Where) -> tuple[Wanted[Address, str], ...]:
    found = []
    for name, said in _fields(pen, value, where):
        here = (*where, name)
        clock = _clock(pen, name, here)
        state = pen.word(said, here, (*CLOCK_STATES, ABSENT), "时钟状态", "state of a clock")
        if clock is not None and state is not None:
            found.append(Wanted(pen.line(here), clock, state))
    return tuple(found)


def _due(pen: Pen, value: Plain, where: Where) -> tuple[Wanted[Address, datetime], ...]:
    found = []
    for name, said in _fields(pen, value, where):
        here = (*where, name)
        clock, moment = _clock(pen, name, here), pen.moment(said, here)
        if clock is not None and moment is not None:
            found.append(Wanted(pen.line(here), clock, moment))
    return tuple(found)


def _clock(pen: Pen, name: str, where: Where) -> Address | None:
    found = pen.part(name, where)
    if found is None:
        return None
    known = pen.tracks[found.kind or "case"].clock_kinds
    if found.part not in known:
        kind = found.kind or "case"
        why = Words(f"{kind} 没有时钟“{shown(found.part)}”", f'{kind} has no clock "{shown(found.part)}"')
        pen.fault(where, why, one_of(tuple(known), found.part) if known else Words("它没有时钟", "it has no clocks"))
        return None
    return found


def _events(pen: Pen, value: Plain, where: Where) -> tuple[Wanted[Address, None], ...]:
    found = []
    for here, one in pen.items(value, where):
        event = pen.part(one, here)
        if event is None or event.part is None:
            continue
        known = _event_names(pen, event.kind or "case")
        if event.part in known:
            found.append(Wanted(pen.line(here), event, None))
            continue
        kind = event.kind or "case"
        why = Words(f"{kind} 没有事件“{shown(event.part)}”", f'{kind} has no event "{shown(event.part)}"')
        pen.fault(here, why, one_of(known, event.part))
    return tuple(found)


def _event_names(pen: Pen, kind: str) -> tuple[str, ...]:
    track = pen.tracks[kind]
    opened = {track.opened_event or track.initial, *track.states}
    named = {move.event for move in track.moves} | {move.name for move in track.moves}
    rungs = {f"{clock.name}.{rung.name}" for clock in track.clocks for rung in DEFAULT_LADDER}
    # What the case that another was merged into hears of it; no move of its own.
    return tuple(sorted(opened | named | rungs | ({"absorbed"} if kind == "case" else set())))


def _sees(pen: Pen, value: Plain, where: Where) -> tuple[Wanted[Person, tuple[tuple[str, bool], ...]], ...]:
    found = []
    for name, said in _fields(pen, value, where):
        here = (*where, name)
        member = pen.person(name, here)
        sections = _sections(pen, said, here)
        if member is not None and sections is not None:
            found.append(Wanted(pen.line(here), member, sections))
    return tuple(found)


def _sections(pen: Pen, said: Plain, where: Where) -> tuple[tuple[str, bool], ...] | None:
    """The sections and whether each is seen; `nothing` is all three unseen."""
    if said == NOTHING:
        return tuple((section, False) for section in SECTIONS)
    if not isinstance(said, dict):
        right = Words("写 nothing，或 {identity: yes, narrative: yes, clinical: no}",
                      "write nothing, or {identity: yes, narrative: yes, clinical: no}")  # fmt: skip
        pen.fault(where, Words("这里应是三个部分", "the three sections belong here"), right)
        return None
    found = []
    for section, seen in pen.mapping(said, where, SECTIONS).items():
        if isinstance(seen, bool):
            found.append((section, seen))
        else:
            _no_truth(pen, (*where, section))
    return tuple(found)


def _filer(pen: Pen, value: Plain, where: Where) -> tuple[Wanted[Person, bool], ...]:
    """Who is told, and who isn't, by whom the newest mandatory report was filed."""
    found = []
    for name, said in _fields(pen, value, where):
        here = (*where, name)
        member = pen.person(name, here)
        if not isinstance(said, bool):
            _no_truth(pen, here)
        elif member is not None:
            found.append(Wanted(pen.line(here), member, said))
    return tuple(found)


def _no_truth(pen: Pen, where: Where) -> None:
    pen.fault(where, Words("这里应是 yes 或 no", "yes or no belongs here"), Words("yes 或 no", "yes or no"))


def _fields(pen: Pen, value: Plain, where: Where) -> list[tuple[str, Plain]]:
    return [] if value is None else list(pen.mapping(value, where).items())
