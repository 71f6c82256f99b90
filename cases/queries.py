"""The only reader: cases as their readers may see them, their history, their chain. Opening a section is logged."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, func, literal, or_, select

from cases import access, chain, enrolment, ledger, loading, noting, rows, vault
from cases.casefile import CaseFile
from cases.directory import Actor
from cases.office import Session
from cases.people import student
from cases.records import case, event
from cases.refusal import Refusal
from policies.clocks import Signal

_SEALED = ("identity", "narrative", "clinical")

DRAFTED: Final = "case.drafted"
"""What is said before a whistle is sent; once it is, that is its writer's alone."""


@dataclass(frozen=True, slots=True)
class Happened:
    """One event as it may be shown: its open columns, without who pulled it where that is confidential."""

    seq: int
    at: datetime
    track: int
    kind: str
    name: str
    trigger: str
    target: str | None
    organisation: int | None
    actor: int | None
    role: str | None
    open: Mapping[str, Any]
    sections: tuple[str, ...]


def look(session: Session, number: str | int, actor: Actor, now: datetime) -> tuple[CaseFile, access.Sight]:
    """The case as it is, without its lock, and what the actor sees of it. Refuses `not_found` to outsiders.

    Where only a break-glass lets them see it, the session owes the access log a line for it.
    """
    keys: list[int] | list[str] = [number] if isinstance(number, int) else [str(number)]
    files = loading.one_by_one(session, keys, lock=False)
    if not files:
        raise Refusal("not_found")
    file, target = files[0], None
    sight = access.sees(actor, file, session.office.book_of(file.policy), now)
    if file.merged_into is not None:
        # What was merged is read from the case that it went into, by whoever sees that one.
        target = loading.one_by_one(session, [file.merged_into], lock=False)[0]
        sight = sight.widened(access.sees(actor, target, session.office.book_of(target.policy), now))
    if sight.nothing:
        raise Refusal("not_found")
    noting.note_glass(session, file, target, actor, sight, now)
    return file, sight


def history(
    session: Session, file: CaseFile, actor: Actor, *, after: int = 0, most: int | None = None
) -> list[Happened]:
    """The timeline for this reader. Whoever filed a mandatory report is named to police, supervisor and filer alone.

    `after` is the number of the last event that was read, `most` how many are wanted.
    """
    # Without the sealed columns: what isn't shown isn't read either, and a reader of lists may not.
    columns = [column for column in event.c if column.name not in _SEALED]
    query = select(*columns).where(event.c.case_id == file.id, event.c.seq > after).order_by(event.c.seq)
    found = session.connection.execute(query.limit(most)).mappings()
    return [_shown(row, file, actor) for row in found]


def _shown(row: RowMapping, file: CaseFile, actor: Actor) -> Happened:
    hidden = row["confidential"] and not access.sees_filer(actor, file, row["actor_id"])
    return Happened(
        seq=row["seq"],
        at=row["at"],
        track=row["track_no"],
        kind=row["kind"],
        name=row["name"],
        trigger=row["trigger"],
        target=row["target"],
        organisation=row["organisation_id"],
        actor=None if hidden else row["actor_id"],
        role=None if hidden else row["role"],
        open=row["open"],
        sections=tuple(name for name in _SEALED if chain.commitment_to(name, bytes(row["commitments"]))),
    )


def returned(session: Session, drafts: Collection[int]) -> frozenset[int]:
    """Those of these drafts that were sent back to be changed; why stands sealed in their history."""
    if not drafts:
        return frozenset()
    back = select(event.c.case_id).where(event.c.case_id.in_(drafts), event.c.name == "case.sent_back")
    return frozenset(session.connection.scalars(back))


def open_section(
    session: Session, number: str | int, actor: Actor, section: vault.Section, what: str, now: datetime
) -> list[dict[str, Any]]:
    """Open one section of a case for an actor who may see it, and write into the access log that it was opened.

    One entry for each event that has it, with its `seq`, but for what others wrote into a draft. Of identity the
    student's own comes first, without one (of a draft only what was typed into it), and then whoever else was named
    (who signed a consent). Refuses `not_found` to outsiders and `not_permitted` where the
    actor sees the case but not this section. Raises `vault.Unreadable` for a student who was forgotten.
    """
    file, sight = look(session, number, actor, now)
    if sight.of(section) != "yes":
        raise Refusal("not_permitted")
    noting.note_looks(session, [file], actor, [section], what, now)
    key = session.office.keystore.of(file.student)
    opened: list[dict[str, Any]] = []
    if section == "identity":
        opened.append(identity(session, file, key))
    column = event.c[section]
    found = session.connection.execute(
        select(event.c.seq, event.c.at, column, event.c.commitments)
        .where(event.c.case_id == file.id, column.is_not(None))
        .where(or_(event.c.name != DRAFTED, event.c.actor_id == actor.member_id, literal(file.state == "draft")))
        .order_by(event.c.seq)
    )
    for row in found:
        recorded = chain.commitment_to(section, row.commitments)
        written = vault.open(key, ledger.place(file.id, row.seq), section, row[2], recorded)
        opened.append({"seq": row.seq, "at": row.at, **json.loads(written)})
    return opened


def identity(session: Session, file: CaseFile, key: vault.DataKey) -> dict[str, Any]:
    """The student's identity; of a draft what was typed into it. The caller has asked for the right."""
    if file.state == "draft":
        return drafted(session, file, key)
    blob = session.connection.scalar(select(student.c.identity).where(student.c.id == file.student))
    written: dict[str, Any] = json.loads(vault.open(key, enrolment.place_of(file.student), "identity", blob))
    return written


def drafted(session: Session, file: CaseFile, key: vault.DataKey) -> dict[str, Any]:
    """What the newest draft, or the whistle that was sent back, says of the student, whatever the records know."""
    mine = select(event.c.seq, event.c.identity, event.c.commitments).where(event.c.case_id == file.id)
    newest = mine.where(event.c.identity.is_not(None)).order_by(event.c.seq.desc()).limit(1)
    row = session.connection.execute(newest).one()
    recorded = chain.commitment_to("identity", row.commitments)
    written = json.loads(vault.open(key, ledger.place(file.id, row.seq), "identity", row.identity, recorded))
    said: dict[str, Any] = written["student"]
    return said


def chain_rows(connection: Connection, case_id: int, number: str) -> Iterator[chain.ChainRow]:
    """The history of a case as its chain sees it, read back from the rows."""
    columns = [event.c[name] for name in (*rows.CHAINED, "commitments", "digest")]
    found = connection.execute(select(*columns).where(event.c.case_id == case_id).order_by(event.c.seq))
    for row in found.mappings():
        written = {**row, "at": row["at"].astimezone(UTC)}
        header = chain.canonical(rows.header(number, written))
        yield chain.ChainRow(row["seq"], header, bytes(row["commitments"]), bytes(row["digest"]))


def signals(connection: Connection, case_id: int) -> Iterator[Signal]:
    """What a case's history did to its clocks, in order."""
    found = connection.execute(select(event.c.signals).where(event.c.case_id == case_id).order_by(event.c.seq))
    for (written,) in found:
        yield from (Signal.from_dict(one) for one in written)


def states(connection: Connection, case_id: int) -> dict[int, str]:
    """The state in which a case's history leaves each of its tracks, by number."""
    newest = (
        select(event.c.track_no, event.c.target)
        .where(event.c.case_id == case_id)
        .distinct(event.c.track_no)
        .order_by(event.c.track_no, event.c.seq.desc())
    )
    return {row.track_no: row.target for row in connection.execute(newest)}


def heads(connection: Connection) -> Iterator[tuple[str, int, bytes]]:
    """Every case's number with the newest link of its chain, by number: what a seal is made of."""
    found = connection.execute(select(case.c.number, case.c.events, case.c.head).order_by(case.c.number))
    for number, seq, head in found:
        yield number, seq, bytes(head)


def next_wake(connection: Connection) -> datetime | None:
    """The earliest instant at which time has something to do anywhere."""
    # A case that was set aside wakes when its rest is over.
    at = func.greatest(case.c.wake_at, func.coalesce(case.c.aside_until, case.c.wake_at))
    found: datetime | None = connection.scalar(select(func.min(at)).where(case.c.wake_at.is_not(None)))
    return found


def number_of(connection: Connection, case_id: int) -> str | None:
    """The number of the case of that id."""
    found: str | None = connection.scalar(select(case.c.number).where(case.c.id == case_id))
    return found


def numbered(connection: Connection, numbers: list[str] | None) -> list[tuple[str, int]]:
    """Number and id of these cases, or of all, by number."""
    wanted = select(case.c.number, case.c.id).order_by(case.c.number)
    if numbers:
        wanted = wanted.where(case.c.number.in_(numbers))
    return [(number, case_id) for number, case_id in connection.execute(wanted)]
