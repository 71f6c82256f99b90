"""Rows of the sample city by binary COPY: which columns, in which order, of which type."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Final

import psycopg
from psycopg import sql
from sqlalchemy import Connection, text

from cases.samples.offices import PlannedOrganisation

Sealed = tuple[bytes, date, str]
"""Identity, name index, ID index, keep_until, roster number."""

_ORGANISATION: Final = {
    "id": "int8",
    "code": "text",
    "kind": "text",
    "name": "text",
    "parent_id": "int8",
    "district_id": "int8",
    "city_id": "int8",
    "street_id": "int8",
    "hospital_id": "int8",
    "community_id": "int8",
}
_MEMBER: Final = {"id": "int8", "organisation_id": "int8", "name": "text", "phone": "text"}
_POST: Final = {
    "member_id": "int8",
    "role": "text",
    "organisation_id": "int8",
    "school_id": "int8",
    "since": "date",
}
_STATION: Final = {"school_id": "int8", "principal_member_id": "int8", "codirector_member_id": "int8"}
_STUDENT: Final = {
    "id": "int8",
    "school_id": "int8",
    "mentor_member_id": "int8",
    "community_id": "int8",
    "identity": "bytea",
    "keep_until": "date",
    "roster_no": "text",
}


def draw(connection: Connection, table: str, count: int) -> list[int]:
    """So many fresh ids of a table, ascending; never given out again, whether they are used or not."""
    query = text("SELECT nextval(pg_get_serial_sequence(:table, 'id')) FROM generate_series(1, :count)")
    return [int(number) for number in connection.scalars(query, {"table": table, "count": count})]


def organisations(
    connection: Connection, planned: Iterable[tuple[PlannedOrganisation, int]], ids: Mapping[str, int]
) -> None:
    """Organisations, each with its city's id; `ids` holds those of all codes that they name."""

    def linked(code: str | None) -> int | None:
        return None if code is None else ids[code]

    _copy(
        connection,
        "organisation",
        _ORGANISATION,
        (
            (
                ids[one.code],
                one.code,
                one.kind,
                one.name,
                linked(one.parent),
                linked(one.district),
                city,
                linked(one.street),
                linked(one.hospital),
                linked(one.community),
            )
            for one, city in planned
        ),
    )


def members(connection: Connection, rows: Iterable[tuple[int, int, str, str]]) -> None:
    """Members: id, organisation, name, telephone."""
    _copy(connection, "member", _MEMBER, rows)


def posts(connection: Connection, rows: Iterable[tuple[int, str, int, int | None, date]]) -> None:
    """Posts: member, role, organisation, a codirector's school, first day."""
    _copy(connection, "post", _POST, rows)


def station(connection: Connection, school: int, directors: tuple[int, int]) -> None:
    """A school's station: its principal and its codirector."""
    _copy(connection, "station", _STATION, [(school, *directors)])


def students(connection: Connection, rows: Iterable[tuple[int, int, int, int, bytes, date, str]]) -> None:
    """Students: id, school, mentor, community, and what `Sealed` names."""
    _copy(connection, "student", _STUDENT, rows)


def _copy(connection: Connection, table: str, columns: Mapping[str, str], rows: Iterable[Sequence[object]]) -> None:
    driver = connection.connection.driver_connection
    if not isinstance(driver, psycopg.Connection):  # pragma: no cover - the store knows no other driver
        raise TypeError(type(driver).__name__)
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT binary)").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        copy.set_types(list(columns.values()))
        for row in rows:
            copy.write_row(row)
