"""A case as its reader reads it: the timeline with what was said, as far as this reader sees it. Reading is logged."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import RowMapping, func, select

from cases import access, chain, ledger, noting, queries, vault
from cases.casefile import CaseFile
from cases.directory import Actor
from cases.office import Session
from cases.people import member
from cases.records import event
from cases.vault import Unreadable

SECTIONS: Final[tuple[vault.Section, ...]] = ("narrative", "clinical")
WHISTLED: Final = ("case.whistled", "case.submitted")
"""The events by which a whistle is sent."""


@dataclass(frozen=True, slots=True)
class Told:
    """One event: what moved, who moved it (None for time, and where it is confidential), and what was said.

    `open` are codes and instants, `said` the sealed sections that this reader sees, `withheld` those that stay shut,
    `unreadable` whether one that should open doesn't (a student who was forgotten).
    """

    seq: int
    at: datetime
    track: int
    kind: str
    name: str
    trigger: str
    source: str | None
    target: str | None
    organisation: int | None
    actor: int | None
    actor_organisation: int | None
    role: str | None
    cause: int | None
    open: Mapping[str, Any]
    said: Mapping[str, Any] = field(default_factory=dict)
    withheld: tuple[str, ...] = ()
    unreadable: bool = False


def told(session: Session, file: CaseFile, sight: access.Sight, actor: Actor, now: datetime, what: str) -> list[Told]:
    """The whole timeline, oldest first. Each sealed section that is opened is written into the access log once.

    What a draft said before it was sent is its writer's alone: what was taken out again was never whistled.

    `file` and `sight` are those of `queries.look`; `what` says in which room it was read.
    """
    rows = session.connection.execute(select(event).where(event.c.case_id == file.id).order_by(event.c.seq)).mappings()
    found = rows.all()
    opened = [one for one in SECTIONS if sight.of(one) == "yes" and any(row[one] is not None for row in found)]
    noting.note_looks(session, [file], actor, opened, what, now)
    key = session.office.keystore.many([file.student]).get(file.student) if opened else None
    return [_told(row, file, actor, [] if _of_another(row, file, actor) else opened, key) for row in found]


def _of_another(row: RowMapping, file: CaseFile, actor: Actor) -> bool:
    """Whether an event is a draft that somebody else wrote, of a whistle that has been sent."""
    return bool(row["name"] == queries.DRAFTED and row["actor_id"] != actor.member_id and file.state != "draft")


def identity(session: Session, file: CaseFile) -> dict[str, Any]:
    """The student's identity, opened; of a draft only what was typed into it, whatever the school's records know.

    The caller has asked for the right, and has noted the look. Raises `vault.Unreadable` for a student who was
    forgotten.
    """
    return queries.identity(session, file, session.office.keystore.of(file.student))


def names(session: Session, members: Collection[int]) -> dict[int, str]:
    """What these members are called, whoever has left among them."""
    if not members:
        return {}
    found = session.connection.execute(select(member.c.id, member.c.name).where(member.c.id.in_(members)))
    return {row.id: row.name for row in found}


def whistled_at(session: Session, cases: Collection[int]) -> dict[int, datetime]:
    """When each of these cases was whistled: last sent, whenever its draft was begun. One query."""
    if not cases:
        return {}
    query = (
        select(event.c.case_id, func.max(event.c.at).label("at"))
        .where(event.c.case_id.in_(cases), event.c.name.in_(WHISTLED))
        .group_by(event.c.case_id)
    )
    return {row.case_id: row.at for row in session.connection.execute(query)}


def phones(session: Session, members: Collection[int]) -> dict[int, str]:
    """The numbers under which these members are reached, of those who have given one."""
    if not members:
        return {}
    query = select(member.c.id, member.c.phone).where(member.c.id.in_(members), member.c.phone.is_not(None))
    return {row.id: row.phone for row in session.connection.execute(query)}


def _told(
    row: RowMapping, file: CaseFile, actor: Actor, opened: list[vault.Section], key: vault.DataKey | None
) -> Told:
    hidden = row["confidential"] and not access.sees_filer(actor, file, row["actor_id"])
    said: dict[str, Any] = {}
    unreadable = False
    for section in opened:
        blob = row[section]
        if blob is None:
            continue
        try:
            said |= _opened(row, file, section, key)
        except Unreadable:
            unreadable = True
    shut = tuple(one for one in SECTIONS if row[one] is not None and one not in opened)
    return Told(
        seq=row["seq"],
        at=row["at"],
        track=row["track_no"],
        kind=row["kind"],
        name=row["name"],
        trigger=row["trigger"],
        source=row["source"],
        target=row["target"],
        organisation=row["organisation_id"],
        actor=None if hidden else row["actor_id"],
        actor_organisation=None if hidden else row["actor_organisation_id"],
        role=None if hidden else row["role"],
        cause=row["cause"],
        open=row["open"],
        said=said,
        withheld=shut,
        unreadable=unreadable,
    )


def _opened(row: RowMapping, file: CaseFile, section: vault.Section, key: vault.DataKey | None) -> dict[str, Any]:
    place = ledger.place(file.id, row["seq"])
    if key is None:
        raise Unreadable(place=place, section=section, why="erased")
    recorded = chain.commitment_to(section, row["commitments"])
    written: dict[str, Any] = json.loads(vault.open(key, place, section, row[section], recorded))
    return written
