"""Reading a case as a whole: its row, its tracks, its clocks, the organisations called to it.

With the lock for the ledger, without it for `cases.queries`. Reads after the lock are statements of their own:
under READ COMMITTED a statement that waited for the lock would still see the other tables as they were before.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
import psycopg

from cases.casefile import CASE, Called, CaseFile, Record
from cases.office import Session

_CASE = """
SELECT c.id, c.number, c.student_id, c.school_id, c.district_id, c.city_id, c.concern, c.level, c.state, c.policy,
       c.created_at, c.closed_at, c.version, c.events, c.head, c.last_at, c.wake_at, c.whistler_id, c.whistler_role,
       c.facts::text, c.merged_into, s.mentor_member_id, s.community_id, s.forgotten_at IS NOT NULL,
       c.aside_count > 0
  FROM cases c JOIN student s ON s.id = c.student_id
"""
# One case is asked for by `=`, never by ANY: for an array the server would plan the statement anew each time.
_ONE = {int: " WHERE c.id = %s", str: " WHERE c.number = %s"}
_SEVERAL = {int: " WHERE c.id = ANY(%s)", str: " WHERE c.number = ANY(%s)"}
_LOCKED = " ORDER BY c.number FOR UPDATE OF c"
DUE = (
    _CASE
    + """ WHERE c.wake_at <= %s AND (c.aside_until IS NULL OR c.aside_until <= %s)
  ORDER BY c.wake_at LIMIT %s FOR UPDATE OF c SKIP LOCKED"""
)
UNLOCKED = _CASE + " WHERE c.id = ANY(%s)"
UNLOCKED_BY_NUMBER = _CASE + " WHERE c.number = ANY(%s)"
_CLOCKS = """
       (SELECT json_agg(json_build_array(case_id, clocks))::text
          FROM (SELECT case_id,
                       json_agg(json_build_array(no, track_no, name, organisation_id, face) ORDER BY no) AS clocks
                  FROM clock WHERE {which} GROUP BY case_id) of_case)
"""
_PARTS = """
SELECT (SELECT json_agg(json_build_array(case_id, no, kind, state, organisation_id, parent_no, about_no, opened_at,
                                         alarm_at, alarm_move, facts) ORDER BY case_id, no)::text
          FROM track WHERE {which}),
       (SELECT json_agg(json_build_array(case_id, organisation_id, kind, since, until))::text
          FROM called WHERE {which}),
       (SELECT version FROM directory_version),
"""
_OF_ONE = {
    int: (_PARTS + _CLOCKS).format(which="case_id = %(cases)s"),
    str: (_PARTS + _CLOCKS).format(which="case_id = (SELECT id FROM cases WHERE number = %(cases)s)"),
}
_OF_SEVERAL = {
    int: (_PARTS + _CLOCKS).format(which="case_id = ANY(%(cases)s)"),
    str: (_PARTS + _CLOCKS).format(which="case_id IN (SELECT id FROM cases WHERE number = ANY(%(cases)s))"),
}
# Of a case that time wakes mostly one clock is looked at; the others come as a text that nobody reads.
_OF_DUE = (_PARTS + " NULL").format(which="case_id = ANY(%(cases)s)")
_CLOCKS_OF_DUE = """
SELECT case_id, json_agg(folded ORDER BY no) FILTER (WHERE due)::text, json_agg(folded) FILTER (WHERE NOT due)::text,
       count(*) FILTER (WHERE NOT due), min(wake_at) FILTER (WHERE NOT due)
  FROM (SELECT case_id, no, wake_at, coalesce(wake_at <= %(now)s, false) AS due,
               json_build_array(no, track_no, name, organisation_id, face) AS folded
          FROM clock WHERE case_id = ANY(%(cases)s)) one
 GROUP BY case_id
"""


def driver(session: Session) -> psycopg.Connection[tuple[Any, ...]]:
    """The driver's own connection inside the session's transaction: the hot path spends nothing on the way."""
    raw: psycopg.Connection[tuple[Any, ...]] | None = session.connection.connection.driver_connection
    if raw is None:
        message = "the session's connection is closed"
        raise RuntimeError(message)
    return raw


def one_by_one(session: Session, keys: list[int] | list[str], *, lock: bool) -> list[CaseFile]:
    """Read the cases of these ids, or of these numbers, in the order of their numbers; with `lock` under it.

    The begin of the transaction, the lock and what belongs to the case make one round trip: the server works them
    off in their order, and what comes after the lock sees what its last holder has written.
    """
    raw = driver(session)
    kind: type[int | str] = str if isinstance(keys[0], str) else int
    alone = len(keys) == 1
    wanted: object = keys[0] if alone else keys
    head = _CASE + (_ONE if alone else _SEVERAL)[kind] + (_LOCKED if lock else "")
    with raw.pipeline():
        found = raw.execute(head, (wanted,), prepare=True)
        rest = raw.execute((_OF_ONE if alone else _OF_SEVERAL)[kind], {"cases": wanted}, prepare=True)
        rows, parts = found.fetchall(), rest.fetchone()
    return list(_files(session, rows, parts).values())


def due(session: Session, now: datetime, most: int) -> list[CaseFile]:
    """Lock up to `most` cases whose time has come by `now`, earliest first, passing over those that others hold."""
    raw = driver(session)
    found = raw.execute(DUE, (now, now, most), prepare=True).fetchall()
    if not found:
        return []
    asked = {"cases": [row[0] for row in found], "now": now}
    with raw.pipeline():
        rest = raw.execute(_OF_DUE, asked, prepare=True)
        clocks = raw.execute(_CLOCKS_OF_DUE, asked, prepare=True)
        parts, folded = rest.fetchone(), clocks.fetchall()
    # Outside the pipeline: whoever isn't known yet is asked for, and inside it no other statement gets its answer.
    files = _files(session, found, parts)
    for number, awake, asleep, count, wakes in folded:
        laid = files[number].clocks
        if awake:
            laid.lay(orjson.loads(awake))
        if asleep:
            laid.lay_aside(asleep, count, _utc(wakes) if wakes is not None else None)
    return list(files.values())


def _files(session: Session, found: list[Any], parts: Any) -> dict[int, CaseFile]:  # noqa: ANN401 - a driver's row
    tracks, called, version, clocks = parts
    session.office.refresh(int(version or 0))
    files = {row[0]: _file(session, row) for row in found}
    _fill(files, *(orjson.loads(part) if part else () for part in (tracks, clocks, called)))
    return files


def _file(session: Session, row: Sequence[Any]) -> CaseFile:
    created = _utc(row[10])
    record = Record(CASE, "case", row[8], None, created, facts=orjson.loads(row[19]))
    return CaseFile(
        id=row[0],
        number=row[1],
        student=row[2],
        school=row[3],
        district=row[4],
        city=row[5],
        concern=row[6],
        level=row[7],
        policy=row[9],
        created=created,
        closed=_utc(row[11]) if row[11] else None,
        version=row[12],
        events=row[13],
        head=bytes(row[14]),
        last_at=_utc(row[15]),
        wake=_utc(row[16]) if row[16] else None,
        whistler=row[17],
        whistler_role=row[18],
        merged_into=row[20],
        mentor=row[21],
        community=row[22],
        forgotten=row[23],
        aside=row[24],
        hospital=session.office.directory.organisation(session.connection, row[3]).hospital_id,
        record=record,
    )


def _fill(
    files: dict[int, CaseFile],
    tracks: Iterable[Sequence[Any]],
    clocks: Iterable[Sequence[Any]],
    called: Iterable[Sequence[Any]],
) -> None:
    for row in tracks:
        files[row[0]].tracks[row[1]] = Record(
            no=row[1],
            kind=row[2],
            state=row[3],
            organisation=row[4],
            parent=row[5],
            about=row[6],
            opened=_read(row[7]),
            alarm=_read(row[8]) if row[8] else None,
            alarm_move=row[9],
            facts=row[10],
        )
    for number, laid in clocks:
        files[number].clocks.lay(laid)
    for row in called:
        until = _read(row[4]) if row[4] else None
        files[row[0]].called[row[1]] = Called(row[1], row[2], _read(row[3]), until)


_read = datetime.fromisoformat


def _utc(value: datetime) -> datetime:
    return value.astimezone(UTC)
