"""Lists brought in: who may, what is wrong with a list, how far it is. Organisations, members, a school's students.

A list is looked through as a whole before anything of it is written. Then it is written a batch a transaction, and how
far it is goes with each: whoever is killed in between is followed by the next from there on, and rows that are on
record already are recognised, so that nothing comes twice.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, cast

from psycopg.errors import LockNotAvailable
from sqlalchemy import Connection, Row, insert, select, update

from cases import import_members, import_organisations, import_students, vault
from cases.directory import version_of
from cases.files import shelf_of
from cases.import_fault import ImportFault, RowFault
from cases.import_rows import Kind, import_job
from cases.office import Office, Session
from cases.people import organisation
from cases.placing import Reach
from cases.post_log import By
from cases.refusal import FieldFault, Refusal

if TYPE_CHECKING:
    from cases.store import Store
    from cases.who import Actor

BATCH: Final = 500
_SLICE: Final = 2_000
_WAYS: Final[Mapping[Kind, Any]] = {
    "organisations": import_organisations,
    "members": import_members,
    "students": import_students,
}

SILENT: Final = timedelta(minutes=2)
"""A batch takes seconds: an import that nothing was heard of for so long has nobody at it any more."""

Told = Callable[[int, int], None]
"""Told how many rows are done, and how many there are."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What a list would do, or what is wrong with it, by row. Nothing was written."""

    rows: int
    faults: tuple[RowFault, ...]
    added: int
    changed: int
    same: int
    skipped: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Job:
    """How far an import is. `skipped` are rows of students who were forgotten."""

    id: int
    kind: Kind
    state: str
    school: int | None
    member: int | None
    rows: int
    done: int
    added: int
    changed: int
    same: int
    skipped: int
    begun: datetime
    heard: datetime
    ended: datetime | None


_OF_ROSTERS: Final = frozenset({"admin", "counselor"})


def schools_of(connection: Connection, actor: Actor) -> list[tuple[str, str]]:
    """The schools whose students this actor may bring in, by code and name."""
    mine = _schools(actor)
    if not mine:
        return []
    query = select(organisation.c.code, organisation.c.name).where(organisation.c.id.in_(mine))
    return [(row.code, row.name) for row in connection.execute(query.order_by(organisation.c.name))]


def _schools(actor: Actor) -> set[int]:
    return {one.organisation_id for one in actor.posts if one.kind == "school" and one.role in _OF_ROSTERS}


def reach_of(connection: Connection, actor: Actor, kind: Kind, school: str | None = None) -> Reach:
    """What this actor may bring in: an admin what they administer, a school's admin or counselor its students.

    Refuses `not_permitted`, and `invalid` where a roster names no school that the actor is of.
    """
    if kind == "students":
        if school is None:
            raise Refusal("invalid", faults=(FieldFault("school", "missing"),))
        mine = _schools(actor)
        if not mine:
            raise Refusal("not_permitted", who_can=("admin@school", "counselor@school"))
        query = select(organisation.c.id).where(organisation.c.code == school, organisation.c.id.in_(mine))
        number = connection.scalar(query)
        if number is None:
            raise Refusal("invalid", faults=(FieldFault("school", "no_organisation"),))
        return Reach(frozenset({int(number)}), int(number))
    reach = Reach.of(actor)
    if not reach.organisations:
        raise Refusal("not_permitted", who_can=("admin",))
    return reach


def school_of(connection: Connection, code: str) -> Reach:
    """The reach of whoever has the machine itself, for the roster of that school. Refuses `invalid`."""
    here = select(organisation.c.id).where(organisation.c.code == code, organisation.c.kind == "school")
    number = connection.scalar(here)
    if number is None:
        raise Refusal("invalid", faults=(FieldFault("school", "no_organisation"),))
    return Reach(None, int(number))


def check(
    session: Session,
    kind: Kind,
    rows: Sequence[Any],
    reach: Reach,
    doubtful: Sequence[Any] = (),
    known: Sequence[RowFault] = (),
) -> Checked:
    """Look through a whole list; every faulty cell is named. Changes nothing.

    `doubtful` are rows of which some cell is faulty already (`known`): their other cells are looked through all the
    same, so that nobody corrects a list once for each kind of fault.
    """
    way = _WAYS[kind]
    faults: list[RowFault] = list(way.across(rows))
    whole = [*rows, *doubtful]
    bad = {(one.row, one.name) for one in known}
    for start in range(0, len(doubtful), _SLICE):
        more = way.sort_out(session, doubtful[start : start + _SLICE], reach, whole).faults
        faults += [one for one in more if (one.row, one.name) not in bad]
    added = changed = same = 0
    skipped: list[int] = []
    for start in range(0, len(rows), _SLICE):
        found = way.sort_out(session, rows[start : start + _SLICE], reach, whole)
        faults += found.faults
        added, changed, same = added + len(found.added), changed + len(found.changed), same + found.same
        skipped += [one.row for one in found.skipped]
    faults.sort(key=lambda one: one.row)
    once = {(one.row, one.name, one.code): one for one in faults}
    return Checked(len(rows), tuple(once.values()), added, changed, same, tuple(skipped))


def digest_of(office: Office, kind: Kind, content: bytes, school: int | None) -> bytes:
    """What a file is recognised by when it comes again."""
    return hmac.digest(office.master.index, f"import\0{kind}\0{school}\0".encode() + content, "sha256")


def begin(
    connection: Connection,
    kind: Kind,
    reach: Reach,
    digest: bytes,
    rows: int,
    now: datetime,
    *,
    member: int | None = None,
    address: bytes | None = None,
    wrapped: bytes | None = None,
) -> Job:
    """The job of a list that was looked through: the one that the same file began and didn't end, else a new one."""
    mine = import_job.c.member_id.is_not_distinct_from(member)
    again = select(import_job).where(import_job.c.digest == digest, import_job.c.state != "done", mine)
    there = connection.execute(again.order_by(import_job.c.id.desc()).limit(1).with_for_update()).one_or_none()
    if there is not None and there.rows == rows:
        if address is not None:
            kept = update(import_job).where(import_job.c.id == there.id)
            connection.execute(kept.values(address=address, wrapped=wrapped))
        return _job(there)
    values = {
        "kind": kind,
        "organisation_id": reach.school,
        "member_id": member,
        "digest": digest,
        "state": "checked",
        "rows": rows,
        "begun_at": now,
        "heard_at": now,
        "address": address,
        "wrapped": wrapped,
    }
    return _job(connection.execute(insert(import_job).values(values).returning(*import_job.c)).one())


def run(
    store: Store,
    office: Office,
    job: int,
    rows: Sequence[Any],
    reach: Reach,
    clock: Callable[[], datetime],
    told: Told = lambda _done, _of: None,
) -> Job:
    """Write what is left of a list, a batch a transaction, and answer the job as it stands at the end.

    Raises ImportFault importing while another process writes the same kind, changed where a row doesn't hold any more.
    Safe to repeat after whatever ended it.
    """
    with store.read() as connection:
        kind = read(connection, job).kind
    way = _WAYS[kind]
    order = way.ordered(rows)
    with _alone(store, f"{kind} {reach.school}"):
        with store.read() as connection:
            done = read(connection, job).done
        told(done, len(order))
        while done < len(order):
            batch = order[done : done + BATCH]
            with store.begin() as connection:
                office.refresh(version_of(connection))
                _write(Session(connection, office), job, way, batch, rows, reach, clock())
            done += len(batch)
            told(done, len(order))
        with store.begin() as connection:
            ended = update(import_job).where(import_job.c.id == job, import_job.c.state != "done")
            connection.execute(ended.values(state="done", ended_at=clock(), address=None, wrapped=None))
            return read(connection, job)


def _write(
    session: Session,
    job: int,
    way: Any,  # noqa: ANN401 - one of the three modules
    batch: Sequence[Any],
    rows: Sequence[Any],
    reach: Reach,
    now: datetime,
) -> None:
    way.hold(session, batch)
    found = way.sort_out(session, batch, reach, rows)
    if found.faults:
        raise ImportFault("changed", row=str(found.faults[0].row))
    today = now.astimezone(session.office.book_of(session.office.current).tz).date()
    found.known["by"] = By(reach.member, now)
    way.write(session, found, reach, today)
    column = import_job.c
    counted = {
        "state": "running",
        "done": column.done + len(batch),
        "added": column.added + len(found.added),
        "changed": column.changed + len(found.changed),
        "same": column.same + found.same,
        "skipped": column.skipped + len(found.skipped),
        "heard_at": now,
    }
    session.connection.execute(update(import_job).where(column.id == job).values(counted))


def start(connection: Connection, job: int, now: datetime) -> None:
    """Its owner wants it written: from now on whoever dies at it is followed by another (`left_lying`)."""
    wanted = update(import_job).where(import_job.c.id == job, import_job.c.state != "done")
    connection.execute(wanted.values(state="running", heard_at=now))


def put_back(connection: Connection, job: int, now: datetime) -> None:
    """It can't go on by itself: it waits for its owner to start it again, or to bring a better list."""
    mine = update(import_job).where(import_job.c.id == job, import_job.c.state == "running")
    connection.execute(mine.values(state="checked", heard_at=now))


def left_lying(connection: Connection, now: datetime) -> list[Job]:
    """Started imports that nobody is at any more, their files kept; the oldest first."""
    silent = import_job.c.heard_at < now - SILENT
    kept = import_job.c.address.is_not(None) & import_job.c.member_id.is_not(None)
    query = select(import_job).where(import_job.c.state == "running", silent, kept).order_by(import_job.c.id)
    return [_job(row) for row in connection.execute(query)]


def read(connection: Connection, job: int, member: int | None = None) -> Job:
    """How far a job is; with `member` only one of theirs. Refuses `not_found`."""
    return _job(_row(connection, job, member))


def mine(connection: Connection, member: int, most: int = 50) -> list[Job]:
    """A member's imports, newest first."""
    query = select(import_job).where(import_job.c.member_id == member).order_by(import_job.c.id.desc()).limit(most)
    return [_job(row) for row in connection.execute(query)]


# ------------------------------------------------------------- a file that waits to be brought in


def lay(office: Office, content: bytes) -> tuple[bytes, bytes]:
    """Lay an uploaded file on the shelf, sealed under a key of its own: address and wrapped key for its job.

    The key lies in the row and the content doesn't: no back-up of the cases holds both. Raises ShelfFault.
    """
    address = os.urandom(32)
    key = vault.DataKey.generate(cast("vault.Algorithm", office.book_of(office.current).algorithm))
    place = _place(address)
    shelf_of(office).put(address, vault.seal(key, place, "identity", content).blob)
    return address, office.master.wrap(key, place)


def waiting(connection: Connection, office: Office, job: int, member: int) -> bytes:
    """The file of a job. Refuses `not_found`; raises ImportFault gone where it was cleared away."""
    row = _row(connection, job, member)
    content = None if row.address is None else shelf_of(office).take(row.address)
    if content is None:
        raise ImportFault("gone")
    key = office.master.unwrap(row.wrapped, _place(row.address))
    return vault.open(key, _place(row.address), "identity", content)


def _place(address: bytes) -> str:
    return f"import|{address.hex()}"


def _row(connection: Connection, job: int, member: int | None) -> Row[Any]:
    query = select(import_job).where(import_job.c.id == job)
    if member is not None:
        query = query.where(import_job.c.member_id == member)
    row = connection.execute(query).one_or_none()
    if row is None:
        raise Refusal("not_found")
    return row


def _job(row: Row[Any]) -> Job:
    return Job(
        id=row.id,
        kind=row.kind,
        state=row.state,
        school=row.organisation_id,
        member=row.member_id,
        rows=row.rows,
        done=row.done,
        added=row.added,
        changed=row.changed,
        same=row.same,
        skipped=row.skipped,
        begun=row.begun_at,
        heard=row.heard_at,
        ended=row.ended_at,
    )


@contextmanager
def _alone(store: Store, what: str) -> Iterator[None]:
    # The server lifts a session's lock when its owner is gone, however it went; that may take it a moment.
    with store.administered() as connection:
        try:
            connection.execute("SET lock_timeout = '1s'")
            connection.execute("SELECT pg_advisory_lock(hashtextextended('import ' || %s, 0))", (what,))
        except LockNotAvailable:
            raise ImportFault("importing") from None
        try:
            yield
        finally:
            connection.execute("SELECT pg_advisory_unlock(hashtextextended('import ' || %s, 0))", (what,))
