"""What a reader may do with a case now, and why not the rest: the engine's own questions, asked without the lock.

Right, law and state are asked exactly as `engine.fire` asks them; forms and guards only when the trigger is pulled.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cases import engine, ledger
from cases.refusal import Refusal
from cases.track import FOLLOWS, TIME

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from cases.casefile import CaseFile, Record
    from cases.directory import Actor
    from cases.office import Session
    from cases.track import Move


@dataclass(frozen=True, slots=True)
class Possible:
    """One trigger, and the refusal with which it would be answered now; None where it may be pulled."""

    kind: str
    move: Move
    refusal: Refusal | None


def moves(session: Session, file: CaseFile, record: Record, actor: Actor, now: datetime) -> list[Possible]:
    """The triggers of a track that people pull, in their declared order. Changes nothing, asks no question twice."""
    declared = session.office.tracks[record.kind]
    return _asked(session, file, record.no, record.kind, (one for one in declared.moves if not one.opens), actor, now)


def openings(session: Session, file: CaseFile, actor: Actor, now: datetime) -> list[Possible]:
    """The triggers that open a track of this case."""
    found: list[Possible] = []
    for declared in session.office.tracks.values():
        found += _asked(
            session, file, declared.kind, declared.kind, (one for one in declared.moves if one.opens), actor, now
        )
    return found


def _asked(
    session: Session,
    file: CaseFile,
    track: int | str,
    kind: str,
    moves: Iterable[Move],
    actor: Actor,
    now: datetime,
) -> list[Possible]:
    sitting = ledger.seat(session, file, now, actor)
    found: list[Possible] = []
    for move in moves:
        if move.by in (TIME, FOLLOWS):
            continue
        try:
            engine.admit(sitting, track, move.name, actor)
        except Refusal as refusal:
            found.append(Possible(kind, move, refusal))
        else:
            found.append(Possible(kind, move, None))
    return found
