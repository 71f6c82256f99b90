"""The policy versions as this installation has them: the stored text, with the calendar tables that it was given."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from cases.records import calendar_table, policy_version
from policies.book import load, load_text
from policies.calendar import parse_table

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from policies.book import Book

PACKAGE: Final = "chinesecalendar"
"""The entry of an edition that says until which year the package's own tables hold."""


def read(connection: Connection, name: str) -> Book:
    """The book of a version as it was stored, or from the library's file where nothing is stored under that name.

    Raises PolicyFaults.
    """
    source: str | None = connection.scalar(select(policy_version.c.source).where(policy_version.c.name == name))
    return with_calendars(connection, load(name) if source is None else load_text(source, f"{name}.yaml"))


def with_calendars(connection: Connection, book: Book) -> Book:
    """A book that knows the working days of this installation, edition by edition. Raises CalendarFault."""
    calendars = book.calendars
    columns = calendar_table.c.edition, calendar_table.c.name, calendar_table.c.source, calendar_table.c.brought
    # What was loaded here wins over what came with the software in the same edition.
    order = calendar_table.c.edition, calendar_table.c.brought.desc(), calendar_table.c.name
    rows = list(connection.execute(select(*columns).order_by(*order)))
    if any(row.name == PACKAGE for row in rows):
        # What came with the release of that day stands in the first edition, and no later release changes it.
        calendars = calendars.bare()
    for edition, group in groupby(rows, lambda row: row.edition):
        tables, until = [], None
        for row in group:
            if row.name == PACKAGE:
                until = int(row.source)
            else:
                tables.append(parse_table(row.source, row.name))
        calendars = calendars.given(edition, tables, until)
    return replace(book, calendars=calendars) if rows else book


def activated(connection: Connection) -> str | None:
    """The version that was activated last; None before any was."""
    newest = select(policy_version.c.name).where(policy_version.c.active_at.is_not(None))
    found: str | None = connection.scalar(newest.order_by(policy_version.c.active_at.desc()).limit(1))
    return found
