"""Many cases from one: a case that the real engine has made is copied row by row inside the database."""

from __future__ import annotations

from sqlalchemy import Connection, text

_STUDENTS = """
INSERT INTO student (id, school_id, mentor_member_id, community_id)
SELECT :first_student + n, school_id, mentor_member_id, community_id
  FROM student, generate_series(0, :count - 1) n WHERE id = (SELECT student_id FROM cases WHERE id = :pattern)
"""
_CASES = """
INSERT INTO cases (id, number, student_id, school_id, district_id, city_id, concern, level, state, policy, created_at,
                   closed_at, version, events, head, last_at, wake_at, whistler_id, whistler_role, facts)
SELECT :first + n, 'WH-2026-' || (:first + n), :first_student + n, school_id, district_id, city_id, concern, level,
       state, policy, created_at, closed_at, version, events, head, last_at, wake_at, whistler_id, whistler_role, facts
  FROM cases, generate_series(0, :count - 1) n WHERE id = :pattern
"""
_OTHERS = {
    "track": "no, kind, state, organisation_id, parent_no, about_no, opened_at, ended_at, alarm_at, alarm_move, facts",
    "clock": "no, track_no, name, state, organisation_id, started_at, due_at, wake_at, stopped_at, rung, provisional,"
    " face",
    "called": "organisation_id, kind, since, until",
    "event": "seq, at, track_no, kind, name, trigger, source, target, organisation_id, actor_id, role,"
    " actor_organisation_id, cause, confidential, open, signals, identity, narrative, clinical, commitments, digest",
}


def clone(connection: Connection, pattern: int, *, first: int, first_student: int, count: int) -> None:
    """Copy the case `pattern` `count` times under the ids from `first` on, each with a student of its own.

    The copied history keeps the pattern's digests: it doesn't verify, and nothing here asks it to.
    """
    values = {"pattern": pattern, "first": first, "first_student": first_student, "count": count}
    connection.execute(text(_STUDENTS), values)
    connection.execute(text(_CASES), values)
    for table, columns in _OTHERS.items():
        connection.execute(
            text(
                f"INSERT INTO {table} (case_id, {columns}) SELECT :first + n, {columns}"  # noqa: S608 - constants
                f" FROM {table}, generate_series(0, :count - 1) n WHERE case_id = :pattern"
            ),
            {"pattern": pattern, "first": first, "count": count},
        )
