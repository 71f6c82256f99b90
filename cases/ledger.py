"""The only writer of cases: lock, hand over, append, enqueue.

A case is taken under `FOR UPDATE` of its own row and handed over with its tracks, clocks and called organisations;
putting it back writes set-wise, one statement for any number of cases.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

import orjson

from cases import chain, incidents, owing, rows, vault
from cases.casefile import CaseFile
from cases.directory import Actor
from cases.loading import driver, due, one_by_one
from cases.office import Session
from cases.refusal import Refusal
from cases.sitting import Sitting

_NEW_CASE = """
INSERT INTO cases (id, number, student_id, school_id, district_id, city_id, concern, level, state, policy, created_at,
                   version, events, head, last_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 0, 0, %s, %s)
"""

_TRACK_COLUMNS = """case_id, no, kind, state, organisation_id, parent_no, about_no, opened_at, ended_at, alarm_at,
  alarm_move, facts"""
_CLOCK_COLUMNS = """case_id, no, track_no, name, state, organisation_id, started_at, due_at, wake_at, stopped_at, rung,
  provisional, face"""
_EVENT_COLUMNS = """case_id, seq, at, track_no, kind, name, trigger, source, target, organisation_id, actor_id, role,
  actor_organisation_id, cause, confidential, open, signals, identity, narrative, clinical, commitments, digest"""

_CASES = """UPDATE cases c SET concern = r.concern, level = r.level, state = r.state, policy = r.policy,
         closed_at = r.closed_at, version = r.version, events = r.events, head = r.head, last_at = r.last_at,
         wake_at = r.wake_at, whistler_id = r.whistler_id, whistler_role = r.whistler_role, facts = r.facts,
         merged_into = r.merged_into, aside_until = NULL, aside_count = 0
    FROM json_populate_recordset(NULL::cases, %s::json) r WHERE c.id = r.id"""
# What time alone does to most cases: a rung changes nothing else of the case's own row.
_WOKEN = """UPDATE cases c SET version = r.version, events = r.events, head = r.head, last_at = r.last_at,
         wake_at = r.wake_at, aside_until = NULL, aside_count = 0
    FROM json_to_recordset(%s::json) AS r (id bigint, version integer, events integer, head bytea, last_at timestamptz,
                                           wake_at timestamptz) WHERE c.id = r.id"""
_TRACKS = f"""INSERT INTO track ({_TRACK_COLUMNS})
  SELECT {_TRACK_COLUMNS} FROM json_populate_recordset(NULL::track, %s::json)
  ON CONFLICT (case_id, no) DO UPDATE SET state = excluded.state, organisation_id = excluded.organisation_id,
         parent_no = excluded.parent_no, ended_at = excluded.ended_at, alarm_at = excluded.alarm_at,
         alarm_move = excluded.alarm_move, facts = excluded.facts"""  # noqa: S608 - this module's own columns
_CLOCKS = """UPDATE clock c SET state = r.state, organisation_id = r.organisation_id, due_at = r.due_at,
         wake_at = r.wake_at, stopped_at = r.stopped_at, rung = r.rung, provisional = r.provisional, face = r.face
    FROM json_populate_recordset(NULL::clock, %s::json) r WHERE c.case_id = r.case_id AND c.no = r.no"""
_NEW_CLOCKS = f"""INSERT INTO clock ({_CLOCK_COLUMNS})
  SELECT {_CLOCK_COLUMNS} FROM json_populate_recordset(NULL::clock, %s::json)"""  # noqa: S608
_CALLED = """INSERT INTO called (case_id, organisation_id, kind, since, until)
  SELECT case_id, organisation_id, kind, since, until FROM json_populate_recordset(NULL::called, %s::json)
  ON CONFLICT (case_id, organisation_id) DO UPDATE SET until = excluded.until"""
_EVENTS = f"""INSERT INTO event ({_EVENT_COLUMNS})
  SELECT {_EVENT_COLUMNS} FROM json_populate_recordset(NULL::event, %s::json)"""  # noqa: S608
# What several people are told alike comes once, with all of their numbers.
_MESSAGES = """INSERT INTO message (case_id, seq, member_id, at, kind, level, items)
  SELECT r.case_id, r.seq, told.member_id, r.at, r.kind, r.level, r.items
    FROM json_to_recordset(%s::json) AS r (case_id bigint, seq integer, members bigint[], at timestamptz, kind text,
                                           level text, items json) CROSS JOIN unnest(r.members) AS told (member_id)"""
_PARTS = (_CASES, _WOKEN, _TRACKS, _CLOCKS, _NEW_CLOCKS, _CALLED, _EVENTS, _MESSAGES)


@cache
def _statement(present: tuple[bool, ...]) -> str:
    """One statement that writes those parts that have rows; an empty part would cost as much as a full."""
    parts = [part for part, here in zip(_PARTS, present, strict=True) if here]
    return "WITH " + ", ".join(f"part_{n} AS ({part})" for n, part in enumerate(parts)) + " SELECT 1"


def take(session: Session, case: int | str, actor: Actor | None, now: datetime, *, also: str | None = None) -> Sitting:
    """Lock a case (by id or number) and hand it over; refuses `not_found` when there is none.

    `also` is the number of a second case to be locked with it, in the order of their numbers; it comes along as
    `sitting.other`, or not at all when it doesn't exist.
    """
    if also is not None and isinstance(case, int):
        known = driver(session).execute("SELECT number FROM cases WHERE id = %s", (case,)).fetchone()
        if known is None:
            raise Refusal("not_found")
        return take(session, str(known[0]), actor, now, also=also)
    if isinstance(case, str):
        files = one_by_one(session, [case] if also is None else [case, also], lock=True)
        wanted = next((one for one in files if one.number == case), None)
    else:
        files = one_by_one(session, [case], lock=True)
        wanted = files[0] if files else None
    if wanted is None:
        raise Refusal("not_found")
    sitting = seat(session, wanted, now, actor)
    second = next((one for one in files if one is not wanted), None)
    if second is not None:
        sitting.other = seat(session, second, now, actor)
    return sitting


def take_due(session: Session, now: datetime, most: int) -> list[Sitting]:
    """Lock up to `most` cases whose time has come, earliest first, passing over those that others hold."""
    files = due(session, now, most)
    directory = session.office.directory
    wanted = {one.organisation for file in files for one in file.tracks.values() if one.organisation is not None}
    wanted |= {number for file in files for number in (file.school, file.district, file.city)}
    wanted |= {number for file in files for number in file.called}
    if wanted:
        directory.prefetch(session.connection, wanted, now)
    return [seat(session, file, now, None) for file in files]


def seat(session: Session, file: CaseFile, now: datetime, actor: Actor | None) -> Sitting:
    """Open a sitting over a case that is locked."""
    return Sitting(session, file, session.office.book_of(file.policy), now, actor)


def enter(session: Session, file: CaseFile) -> None:
    """Write the row of a new case, so that everything else can refer to it."""
    driver(session).execute(
        _NEW_CASE,
        (
            file.id,
            file.number,
            file.student,
            file.school,
            file.district,
            file.city,
            file.concern,
            file.level,
            file.state,
            file.policy,
            file.created,
            chain.START,
            file.created,
        ),
    )


def put(session: Session, sittings: Sequence[Sitting]) -> None:
    """Write everything that happened at these sittings: one statement, whatever their number.

    One more where a case had been set aside and goes through again: its incident is over.
    """
    written: tuple[list[dict[str, Any]], ...] = ([], [], [], [], [], [], [], [])
    cases, woken, tracks, clocks, new_clocks, called, events, messages = written
    _end_incidents(session, sittings)
    for sitting in sittings:
        if not sitting.occurrences:
            continue
        file = sitting.case
        _attribute(session, file)
        _chain(session, sitting, events)
        file.last_at = sitting.now
        file.wake = _wake(file)
        if all("." in one.trigger for one in sitting.occurrences):
            woken.append(rows.woken_row(file))
        else:
            cases.append(rows.case_row(file))
        declared = session.office.tracks
        for record in file.tracks.values():
            if record.dirty:
                ended = sitting.now if record.state in declared[record.kind].ends else None
                tracks.append(rows.track_row(file, record, ended))
                record.dirty = record.new = False
        for clock in file.clocks.at_hand():
            if clock.dirty:
                (new_clocks if clock.new else clocks).append(rows.clock_row(file, clock))
                clock.dirty = clock.new = False
        for one in file.called.values():
            if one.dirty:
                called.append(rows.called_row(file, one))
                one.dirty = False
        messages.extend(rows.message_rows(file, sitting.letters.values()))
        sitting.occurrences.clear()
        sitting.letters.clear()
    if events:
        filled = [one for one in written if one]
        driver(session).execute(_statement(tuple(map(bool, written))), [_dumped(one) for one in filled], prepare=True)


def _attribute(session: Session, file: CaseFile) -> None:
    """Write down who owes each clock: the first organisation that its declaration names.

    Asked anew where a move may have changed it, of a clock that runs; one that has stopped stays whose it was, and
    so does one that nobody at the case owes any more.
    """
    declared = session.office.tracks
    moved = any(one.dirty for one in file.called.values())
    moved = moved or any(one.dirty and not one.new for one in file.tracks.values())
    for clock in file.clocks.values() if moved else file.clocks.at_hand():
        if not clock.new and (clock.stopped or not moved):
            continue
        record = file.track(clock.track)
        if record is None:
            continue
        owners = declared[record.kind].clock_kinds[clock.name].owners(file, record)
        found = owing.first(owners, file, record)
        if found is not None and found != clock.organisation:
            clock.organisation = found
            clock.dirty = True


def _end_incidents(session: Session, sittings: Sequence[Sitting]) -> None:
    back = [one for one in sittings if one.case.aside and one.occurrences]
    if back:
        incidents.recovered(session.connection, {one.case.id for one in back}, back[0].now)
    for one in back:
        one.case.aside = False


def _chain(session: Session, sitting: Sitting, events: list[dict[str, Any]]) -> None:
    """Seal what was said, tie every event to the one before it, and make the rows."""
    file = sitting.case
    key = None
    secret = session.office.master.chain
    for happened in sitting.occurrences:
        row = rows.event_row(file.id, happened)
        commitments: dict[str, bytes] = {}
        blobs: dict[str, str] = {}
        for section, said in happened.sealed.items():
            if key is None:
                key = session.office.keystore.of(file.student)
            sealed = vault.seal(key, place(file.id, happened.seq), _section(section), _packed(said))
            commitments[section] = sealed.commitment
            blobs[section] = "\\x" + sealed.blob.hex()
        committed = chain.commitments_of(commitments)
        file.head = chain.link(secret, file.head, chain.canonical(rows.header(file.number, row)), committed)
        row["commitments"] = "\\x" + committed.hex()
        row["digest"] = "\\x" + file.head.hex()
        row.update(blobs)
        events.append({name: value for name, value in row.items() if value is not None})


def place(case_id: int, seq: int) -> str:
    """The place that an event's sections are sealed to."""
    return f"event|{case_id}|{seq}"


def _section(name: str) -> vault.Section:
    for one in vault.SECTIONS:
        if one == name:
            return one
    raise ValueError(name)


def _packed(said: dict[str, Any]) -> bytes:
    return orjson.dumps(said)


def _dumped(written: list[dict[str, Any]]) -> str:
    return orjson.dumps(written).decode()


def _wake(file: CaseFile) -> datetime | None:
    """The earliest instant at which any clock or alarm of the case has something to do."""
    wake = file.clocks.wake
    for record in file.tracks.values():
        if record.alarm is not None and (wake is None or record.alarm < wake):
            wake = record.alarm
    return wake
