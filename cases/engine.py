"""The one function that changes a case.

`fire`: known → lawful → allowed → state → form → guards → conflict → effects → clocks → event → messages. A
refusal changes nothing: whoever opened the transaction rolls it back. Time's own moves come in through
`cases.wake`, which uses the same pieces.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cases import access, evidence, intake, ledger, moves, wake
from cases.casefile import CASE, CaseFile, Record
from cases.desk import REMEMBERED_WORKERS, CaseDesk
from cases.directory import Actor
from cases.forms import NUMBER
from cases.office import Session
from cases.refusal import Refusal
from cases.sitting import Sitting
from cases.track import FOLLOWS, TIME, Move, Track

ALWAYS_OPEN = frozenset({"access"})
"""Break-glass alone may be opened on a case that the actor can't know of."""
_DIGITS = 5
"""A track's number is a smallint."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """A trigger that may be pulled as far as right and state go, and for which organisation."""

    desk: CaseDesk
    declared: Track
    move: Move
    organisation: int


@dataclass(frozen=True, slots=True)
class Fired:
    """What a trigger did: the case as it is now, the track it moved, and the numbers of its events."""

    case: CaseFile
    track: Record
    events: tuple[int, ...]


def fire(
    session: Session,
    case: int | str | None,
    track: int | str,
    trigger: str,
    actor: Actor,
    form: Mapping[str, Any] | None,
    now: datetime,
    *,
    version: int | None = None,
) -> Fired:
    """Move one track by one trigger and record it. Refuses with Refusal; writes, never commits.

    `case` is an id, a number, or None where `submit`, `whistle` or `save_draft` opens one. `track` is the number of
    a track (0 is the case), or the kind to be opened. `now` is an aware instant; `version` is what the actor had on
    the screen, refused as `conflict` when somebody has moved the case since.
    """
    if case is None:
        sitting = intake.begin(session, trigger, actor, form, now)
    else:
        into = form.get("into") if trigger == "merge" and form else None
        # Locked before the form is checked; what is no number names no case, and the form will say so.
        also = into if isinstance(into, str) and NUMBER.fullmatch(into) else None
        sitting = ledger.take(session, case, actor, now, also=also)
        wake.catch_up(sitting)
    sitting.begin_group()
    admitted = admit(sitting, track, trigger, actor, form)
    desk, move, record = admitted.desk, admitted.move, admitted.desk.record
    desk.form = move.form.checked(form, sitting.book.tz)
    attached = evidence.referred(sitting, move.form, desk.form)
    again = desk.role in _keys(desk, move)
    for guard in () if again else move.guards:
        refusal = guard(desk)
        if refusal is not None:
            raise refusal
    if version is not None and sitting.case.version != version:
        raise Refusal("conflict")
    if case is None or (record.no == CASE and "student" in desk.form):
        intake.enrol(sitting, desk.form.get("student"), desk.role, draft=trigger == "save_draft")
    first = sitting.case.events + 1
    if _turned(desk, move):
        sitting.case.version += 1
        moves.make(desk, admitted.declared, move, admitted.organisation)
        _worked(sitting, actor)
        moves.follow_through(sitting)
        wake.catch_up(sitting, begin=False)
    ledger.put(session, [sitting] if sitting.other is None else [sitting, sitting.other])
    if attached:
        evidence.mark(session.connection, attached, first)
    return Fired(sitting.case, record, tuple(range(first, sitting.case.events + 1)))


def admit(
    sitting: Sitting, track: int | str, trigger: str, actor: Actor, form: Mapping[str, Any] | None = None
) -> Admitted:
    """Ask whether a trigger is known, lawful, allowed and possible in this state; refuse with the first that fails.

    Changes nothing; form, guards and conflict are still to be asked.
    """
    declared, record, move = _found(sitting, track, trigger, actor)
    desk = moves.desk_for(sitting, record, move, actor=actor)
    _lawful(desk, move, actor)
    organisation = _permitted(desk, move, actor, form)
    _state(desk, declared, move)
    return Admitted(desk, declared, move, organisation)


def _found(sitting: Sitting, track: int | str, trigger: str, actor: Actor) -> tuple[Track, Record, Move]:
    """The track and the move, where the actor may know of the case at all; else `not_found`."""
    record: Record | None = sitting.case.record if sitting.case.new else None
    tracks = sitting.session.office.tracks
    opening = isinstance(track, str) and track in tracks and track != "case"
    exempt = record is not None or (opening and track in ALWAYS_OPEN)
    if not exempt and access.sees(actor, sitting.case, sitting.book, sitting.now).nothing:
        raise Refusal("not_found")
    if opening:
        declared = tracks[str(track)]
        record = Record(0, declared.kind, declared.initial, None, sitting.now, dirty=True, new=True)
    else:
        number = CASE if track == "case" else _no_of(track)
        record = record or sitting.case.track(number)
        if record is None:
            raise Refusal("not_found")
        declared = tracks[record.kind]
    move = declared.by_name.get(trigger)
    if move is None or move.opens != opening or move.by in (TIME, FOLLOWS):
        raise Refusal("not_found")
    return declared, record, move


def _no_of(track: int | str) -> int:
    """The number of a track however it is written; -1, which no track has, for whatever is none."""
    return int(track) if str(track).isdecimal() and len(str(track)) <= _DIGITS else -1


def _lawful(desk: CaseDesk, move: Move, actor: Actor) -> None:
    """Refuse `unlawful`, with the article, where the law reserves the trigger for other kinds of organisation."""
    reserved = desk.book.reserved.get(f"{desk.record.kind}.{move.name}")
    if reserved is not None and not any(post.kind in reserved.kinds for post in actor.posts):
        article = (reserved.article.zh_CN, reserved.article.en)
        raise Refusal("unlawful", article=article, who_can=tuple(sorted(reserved.kinds)))


def _permitted(desk: CaseDesk, move: Move, actor: Actor, form: Mapping[str, Any] | None) -> int:
    """Find the post by which the actor may pull the move and note its role; refuse `not_permitted` without one.

    An opening move about another track asks `@assignee` of that track: an extension is asked for by whoever owes.
    """
    record = desk.record
    about = form.get("about") if form and move.opens else None
    if isinstance(about, int) and about in desk.case.tracks:
        record = desk.case.tracks[about]
    for pattern, post in access.standing(actor, move.by, desk.case, record):
        desk.role = pattern.role
        if move.only is None or move.only(desk):
            return post.organisation_id
    if desk.case.new:
        intake.refuse_stranger(desk, move, form)
    raise Refusal("not_permitted", who_can=tuple(str(one) for one in move.by))


def _state(desk: CaseDesk, declared: Track, move: Move) -> None:
    """Refuse `wrong_state`, or the row's own code, where the track or its case isn't where the move begins."""
    state = desk.record.state
    case_states = move.needs_case or declared.while_case
    if declared.kind != "case" and desk.case.state not in case_states:
        raise Refusal("wrong_state", state=desk.case.state, kind="case")
    if not move.opens and state not in (move.source or ()):
        raise Refusal(move.wrong_state.get(state, "wrong_state"), state=state, kind=declared.kind)


def _keys(desk: CaseDesk, move: Move) -> Mapping[str, int]:
    """Who has turned which key of a two-key move; turning the same one again changes nothing and is not refused."""
    turned: Mapping[str, int] = desk.record.facts.get("keys", {}).get(move.name, {}) if move.keys else {}
    return turned


def _turned(desk: CaseDesk, move: Move) -> bool:
    """Turn a key of a two-key move. False when the same key was turned already: nothing changes then."""
    if not move.keys:
        return True
    if desk.role in _keys(desk, move):
        return False
    keys = desk.record.facts.setdefault("keys", {}).setdefault(move.name, {})
    member = desk.actor.member_id if desk.actor else None
    if member in keys.values():
        raise Refusal("needs_second_person", who_can=tuple(str(one) for one in move.by))
    keys[desk.role] = member
    desk.record.dirty = True
    return True


def _worked(sitting: Sitting, actor: Actor) -> None:
    workers = sitting.case.record.facts.setdefault("workers", [])
    if actor.member_id not in workers and len(workers) < REMEMBERED_WORKERS:
        workers.append(actor.member_id)
