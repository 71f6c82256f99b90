"""Moves made: events, states, clocks and consequences. What the engine does once nothing speaks against it.

The state of a track changes here alone, through the machine of its declaration; nothing here asks for rights.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cases.casefile import CASE, Record
from cases.closing import settled
from cases.desk import CaseDesk
from cases.directory import Actor
from cases.sitting import Sitting, write_form
from cases.track import Move, Track


def desk_for(
    sitting: Sitting,
    record: Record,
    move: Move | None = None,
    *,
    actor: Actor | None = None,
    role: str | None = None,
    form: dict[str, Any] | None = None,
) -> CaseDesk:
    """A desk for one move of one track."""
    return CaseDesk(sitting, record, move, actor=actor, role=role, form=form or {}, pull=pull, open_track=open_track)


def make(desk: CaseDesk, declared: Track, move: Move, post_organisation: int | None) -> None:
    """Make a move that nothing speaks against: event, state, clocks, consequences, people told, in this order."""
    sitting, record = desk.sitting, desk.record
    if move.opens:
        record.no = len(sitting.case.tracks) + 1
        record.opened = sitting.now
        sitting.case.tracks[record.no] = record
        about = desk.form.get("about")
        if isinstance(about, int):
            record.about = about
        if declared.belongs_to == "hospital":
            record.organisation = desk.form.get("hospital") or desk.nearest("hospital").id
    desk.occurrence = sitting.happen(
        record,
        f"{record.kind}.{move.event}",
        move.name,
        None if move.opens else record.state,
        actor=desk.actor,
        role=desk.role,
        actor_organisation=post_organisation,
        confidential=move.confidential,
    )
    write_form(desk.occurrence, move, desk.form)
    complete = not move.keys or set(move.keys) <= set(record.facts["keys"][move.name])
    if move.opens:
        _opening(desk, declared)
    _effects(desk, declared, move, complete=complete)


def _opening(desk: CaseDesk, declared: Track) -> None:
    """What follows whenever a track of that kind opens, by people or by a reaction."""
    for name in declared.starts:
        desk.start(desk.record, name)
    if declared.when_opened is not None:
        declared.when_opened(desk)
    if declared.tells:
        desk.tell(*declared.tells)


def _effects(desk: CaseDesk, declared: Track, move: Move, *, complete: bool = True) -> None:
    record = desk.record
    record.dirty = True
    if complete and not move.opens:
        _change_state(desk, declared, move)
    if complete:
        for name in move.meets:
            desk.meet(record, name)
        for name in move.cancels:
            desk.cancel(record, name)
        for name in move.pauses:
            desk.pause(record, name)
        for name in move.resumes:
            desk.resume(record, name)
        for name in move.starts:
            desk.start(record, name)
        if move.then is not None:
            move.then(desk)
    if move.tells:
        desk.tell(*move.tells)
    if desk.occurrence is not None:
        desk.occurrence.target = record.state
        desk.occurrence.organisation = record.organisation
    if record.state in declared.ends:
        _end(desk, declared)


def _change_state(desk: CaseDesk, declared: Track, move: Move) -> None:
    """The only place where a track changes its state, through the machine of its declaration."""
    if not move.targets:
        return
    target = move.choose(desk) if move.choose is not None else move.targets[0]
    declared.machine.events[move.name].trigger(desk.record, target=target)
    if desk.record.no == CASE:
        desk.case.closed = desk.now if target in declared.ends else None


def _end(desk: CaseDesk, declared: Track) -> None:
    """A track has ended: its clocks stop, its alarm is off, whoever leans on it hears of it."""
    for clock in desk.sitting.open_clocks(desk.record):
        desk.cancel(desk.record, clock.name)
    if desk.record.alarm is not None:
        desk.alarm(desk.record, None)
    if declared.when_ended is not None:
        declared.when_ended(desk)
    if desk.record.no == CASE:
        _still(desk)


def _still(desk: CaseDesk) -> None:
    """The case has ended: what can't move any more owes nothing any more (a complete check-in's interview)."""
    tracks = desk.sitting.session.office.tracks
    for record in desk.case.tracks.values():
        if desk.case.state not in tracks[record.kind].while_case:
            for clock in desk.sitting.open_clocks(record):
                desk.cancel(record, clock.name)
            if record.alarm is not None:
                desk.alarm(record, None)


def open_track(
    parent_desk: CaseDesk,
    kind: str,
    *,
    organisation: int | None,
    about: int | None,
    parent: int | None,
    facts: dict[str, Any],
    state: str | None,
) -> Record:
    """Open a track as a consequence of another move: an event of its own, caused by that move's."""
    sitting = parent_desk.sitting
    declared = sitting.session.office.tracks[kind]
    if declared.belongs_to == "hospital" and organisation is None:
        organisation = parent_desk.nearest("hospital").id
    record = Record(
        no=len(sitting.case.tracks) + 1,
        kind=kind,
        state=state or declared.initial,
        organisation=organisation,
        opened=sitting.now,
        parent=parent,
        about=about,
        facts=facts,
        dirty=True,
        new=True,
    )
    sitting.case.tracks[record.no] = record
    desk = desk_for(sitting, record, actor=parent_desk.actor, role=parent_desk.role)
    desk.occurrence = sitting.happen(
        record, f"{kind}.{declared.opened_event or record.state}", "open", None, cause=_cause(parent_desk)
    )
    desk.occurrence.target = record.state
    _opening(desk, declared)
    desk.occurrence.target = record.state
    desk.occurrence.organisation = record.organisation
    return record


def pull(parent_desk: CaseDesk, record: Record, trigger: str, form: Mapping[str, Any]) -> None:
    """Make a move that follows from another, or that time makes; where it doesn't apply, nothing happens."""
    sitting = parent_desk.sitting
    declared = sitting.declaration(record)
    move = declared.by_name.get(trigger)
    if move is None or record.state not in (move.source or ()):
        return
    desk = desk_for(sitting, record, move, actor=parent_desk.actor, role=parent_desk.role, form=dict(form))
    desk.occurrence = sitting.happen(
        record, f"{record.kind}.{move.event}", trigger, record.state, cause=_cause(parent_desk)
    )
    write_form(desk.occurrence, move, {**form})
    _effects(desk, declared, move)


def _cause(desk: CaseDesk) -> int | None:
    return desk.occurrence.seq if desk.occurrence is not None else None


def follow_through(sitting: Sitting) -> None:
    """What the whole case does after a move: its settling clock is held or runs on, and it settles by itself."""
    case = sitting.case
    if case.state != "open":
        return
    active = tuple(_at_work(sitting))
    desk = desk_for(sitting, case.record)
    desk.occurrence = sitting.occurrences[-1]
    if settled(case, active):
        pull(desk, case.record, "settle", {})
    elif active and all(one.kind != "assignment" for one in active):
        desk.pause(case.record, "settle")
    else:
        desk.resume(case.record, "settle")


def _at_work(sitting: Sitting) -> Iterator[Record]:
    """The tracks that hold the case open."""
    tracks = sitting.session.office.tracks
    for record in sitting.case.tracks.values():
        declared = tracks[record.kind]
        if declared.holds_open and declared.active(record.state):
            yield record
