"""What a reader may do about a case now, and what its present state still forbids: for pages and buttons.

Asked of the engine itself (`engine.admit`), so that a button never promises what a trigger then refuses for right or
state; the rest of the form's rules are asked when it is sent.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cases import engine
from cases.casefile import CASE, CaseFile, Record
from cases.desk import CaseDesk
from cases.directory import Actor
from cases.office import Session
from cases.refusal import Refusal
from cases.sitting import Sitting
from cases.track import FOLLOWS, TIME, Move, Track
from cases.tracks.access import TRACK as GLASS

HIDDEN = frozenset({"not_found", "not_permitted", "unlawful"})
"""With these a button is absent: whoever may never do it needn't know that it can be done."""


@dataclass(frozen=True, slots=True)
class Offer:
    """One trigger that the reader may pull, or could in another state (`refusal` says what stands against it).

    `track` is the number or, for one that opens a track, the kind: as in an address. `about` is the track that an
    opening one is about.
    """

    track: str
    declared: Track
    move: Move
    record: Record
    about: int | None = None
    refusal: Refusal | None = None

    @property
    def free(self) -> bool:
        """Whether it may be pulled now."""
        return self.refusal is None


def offers(session: Session, case: CaseFile, actor: Actor, now: datetime) -> list[Offer]:
    """Every trigger of this case that the reader has a right to, in the order of the declarations.

    Costs no query beside the directory's. Those of a track that has ended are left out.
    """
    sitting = Sitting(session, case, session.office.book_of(case.policy), now, actor)
    return [*_standing(sitting, actor), *_opening(sitting, actor)]


def offer_of(
    session: Session, case: CaseFile, actor: Actor, now: datetime, track: str, trigger: str, about: int | None = None
) -> Offer:
    """One of them by its address. Refuses as `engine.admit` does where the reader has no right to it."""
    sitting = Sitting(session, case, session.office.book_of(case.policy), now, actor)
    form = {"about": about} if about is not None else None
    try:
        admitted = engine.admit(sitting, track, trigger, actor, form)
    except Refusal as refusal:
        if refusal.code in HIDDEN:
            raise
        return _refused(sitting, track, trigger, about, refusal)
    record, refused = admitted.desk.record, _foreseen(admitted.desk, admitted.move, form or {})
    return Offer(track, admitted.declared, admitted.move, record, about, refused)


def opens_a_case(session: Session, actor: Actor) -> frozenset[str]:
    """Which triggers by which this member may begin a case: `whistle`, `submit`, `save_draft`."""
    moves = session.office.tracks["case"].by_name
    return frozenset(
        name
        for name in ("save_draft", "submit", "whistle")
        if any(one.role == post.role for one in moves[name].by for post in actor.posts)
    )


def may_break_glass(roles: Collection[str]) -> bool:
    """Whether one of these roles opens what its holder doesn't see; of which case is asked when it is opened."""
    return any(one.role in roles for one in GLASS.by_name["open"].by)


def _standing(sitting: Sitting, actor: Actor) -> Iterator[Offer]:
    for record in sitting.case.all_records():
        declared = sitting.declaration(record)
        for move in declared.moves:
            if move.opens or not _pulled_by_people(move) or not _worth_saying(declared, record, move):
                continue
            found = _asked(sitting, actor, str(record.no), record, declared, move, None)
            if found is not None:
                yield found


def _opening(sitting: Sitting, actor: Actor) -> Iterator[Offer]:
    for kind, declared in sitting.session.office.tracks.items():
        for move in declared.moves:
            if not move.opens or not _pulled_by_people(move):
                continue
            nobody = Record(CASE, kind, declared.initial, None, sitting.now)
            for about in _abouts(sitting, move):
                found = _asked(sitting, actor, kind, nobody, declared, move, about)
                if found is not None:
                    yield found


def _abouts(sitting: Sitting, move: Move) -> list[int | None]:
    """The assignments that an extension or an order may be about; one None for all that are about nothing."""
    if not any(field.name == "about" for field in move.form.fields):
        return [None]
    ends = sitting.session.office.tracks["assignment"].ends
    return [one.no for one in sitting.case.of_kind("assignment") if one.state not in ends]


def _asked(
    sitting: Sitting, actor: Actor, track: str, record: Record, declared: Track, move: Move, about: int | None
) -> Offer | None:
    form = {"about": about} if about is not None else None
    try:
        admitted = engine.admit(sitting, track, move.name, actor, form)
    except Refusal as refusal:
        return None if refusal.code in HIDDEN else Offer(track, declared, move, record, about, refusal)
    return Offer(track, declared, move, record, about, _foreseen(admitted.desk, move, form or {}))


def _foreseen(desk: CaseDesk, move: Move, form: dict[str, Any]) -> Refusal | None:
    """What a guard would refuse whatever is written in the form; None where that isn't known yet."""
    desk.form = form
    for guard in move.guards:
        try:
            refusal = guard(desk)
        except (KeyError, AttributeError, TypeError):
            # It asks about what nobody has written yet; what the next one asks may be known.
            continue
        if refusal is not None:
            known = refusal.code != "invalid" or all(one.name in form for one in refusal.faults)
            return refusal if known else None
    return None


def _refused(sitting: Sitting, track: str, trigger: str, about: int | None, refusal: Refusal) -> Offer:
    tracks = sitting.session.office.tracks
    if track in tracks and track != "case":
        declared = tracks[track]
        record = Record(CASE, track, declared.initial, None, sitting.now)
    else:
        found = sitting.case.track(CASE if track == "case" else int(track))
        if found is None:
            raise refusal
        record, declared = found, tracks[found.kind]
    return Offer(track, declared, declared.by_name[trigger], record, about, refusal)


def _pulled_by_people(move: Move) -> bool:
    return move.by not in (TIME, FOLLOWS)


def _worth_saying(declared: Track, record: Record, move: Move) -> bool:
    """Nothing is said of what a track that has ended no longer allows, nor of beginning a case that has begun."""
    if record.state in (move.source or ()):
        return True
    return record.state not in declared.ends and "draft" not in (move.source or ())
