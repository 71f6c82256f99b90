"""The limit to hold against: the same rows, written by the bare driver, one statement each, one commit."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import dict_row

_LOCK = "SELECT state, version FROM cases WHERE id = %s FOR UPDATE"


@dataclass(frozen=True, slots=True)
class Written:
    """What one trigger changed of one case: the rows as they were written."""

    case: dict[str, Any]
    tracks: list[dict[str, Any]]
    clocks: list[dict[str, Any]]
    new_clocks: list[dict[str, Any]]
    events: list[dict[str, Any]]
    messages: list[dict[str, Any]]

    @property
    def statements(self) -> int:
        """How many statements the raw transaction needs: the lock, then one for each row."""
        changed = (self.tracks, self.clocks, self.new_clocks, self.events, self.messages)
        return 2 + sum(map(len, changed))


def capture(connection: psycopg.Connection[Any], case: int, move: Callable[[], object]) -> Written:
    """Make a move and see which rows of its case it wrote."""
    before = _rows(connection, case)
    move()
    after = _rows(connection, case)

    def changed(table: str, key: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        old = {row[key]: row for row in before[table]}
        touched = [row for row in after[table] if row[key] in old and row != old[row[key]]]
        return touched, [row for row in after[table] if row[key] not in old]

    tracks, _ = changed("track", "no")
    clocks, new_clocks = changed("clock", "no")
    _, events = changed("event", "seq")
    _, messages = changed("message", "id")
    return Written(after["cases"][0], tracks, clocks, new_clocks, events, messages)


def _rows(connection: psycopg.Connection[Any], case: int) -> dict[str, list[dict[str, Any]]]:
    found = {}
    for table in ("cases", "track", "clock", "event", "message"):
        key = "id" if table == "cases" else "case_id"
        with connection.cursor(row_factory=dict_row) as cursor:
            cursor.execute(f"SELECT * FROM {table} WHERE {key} = %s", (case,))  # noqa: S608 - constants
            found[table] = cursor.fetchall()
    return found


def write(connection: psycopg.Connection[Any], case: int, rows: Written) -> None:
    """Write the same rows for another case, as a careful program without an engine would."""
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, (case,))
        cursor.fetchone()
        row = rows.case
        cursor.execute(
            "UPDATE cases SET state = %s, version = %s, events = %s, head = %s, last_at = %s, wake_at = %s, facts = %s"
            " WHERE id = %s AND version = %s",
            (
                row["state"],
                row["version"],
                row["events"],
                row["head"],
                row["last_at"],
                row["wake_at"],
                json.dumps(row["facts"]),
                case,
                row["version"] - 1,
            ),
        )
        if cursor.rowcount != 1:
            raise RuntimeError("somebody moved it first")
        for row in rows.tracks:
            cursor.execute(
                "UPDATE track SET state = %s, facts = %s WHERE case_id = %s AND no = %s",
                (row["state"], json.dumps(row["facts"]), case, row["no"]),
            )
        for row in rows.clocks:
            cursor.execute(
                "UPDATE clock SET state = %s, wake_at = %s, stopped_at = %s, rung = %s, face = %s"
                " WHERE case_id = %s AND no = %s",
                (
                    row["state"],
                    row["wake_at"],
                    row["stopped_at"],
                    row["rung"],
                    json.dumps(row["face"]),
                    case,
                    row["no"],
                ),
            )
        for table, written in (
            ("clock", rows.new_clocks),
            ("event", rows.events),
            ("message", rows.messages),
        ):
            for row in written:
                _insert(cursor, table, case, row)
    connection.commit()


def _insert(cursor: psycopg.Cursor[Any], table: str, case: int, row: dict[str, Any]) -> None:
    columns = [name for name in row if name not in {"case_id", "id"}]
    values = [json.dumps(row[name]) if isinstance(row[name], dict | list) else row[name] for name in columns]
    marks = ", ".join(["%s"] * (len(columns) + 1))
    cursor.execute(
        f"INSERT INTO {table} (case_id, {', '.join(columns)}) VALUES ({marks})",  # noqa: S608 - constants
        (case, *values),
    )
