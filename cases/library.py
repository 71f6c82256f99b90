"""The policy versions as this installation has them: the stored text, with the calendar tables that it was given."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import select

from cases.records import calendar_table, policy_version
from policies.book import load, load_text

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from policies.book import Book


def read(connection: Connection, name: str) -> Book:
    """The book of a version as it was stored, or from the library's file where nothing is stored under that name.

    Raises PolicyFaults.
    """
    source: str | None = connection.scalar(select(policy_version.c.source).where(policy_version.c.name == name))
    return with_calendars(connection, load(name) if source is None else load_text(source, f"{name}.yaml"))


def with_calendars(connection: Connection, book: Book) -> Book:
    """A book that knows the working days which this installation was given besides. Raises CalendarFault."""
    calendars = book.calendars
    tables = list(connection.execute(select(calendar_table.c.source, calendar_table.c.name)))
    for text, file in tables:
        calendars = calendars.with_text(text, file)
    return replace(book, calendars=calendars) if tables else book


def activated(connection: Connection) -> str | None:
    """The version that was activated last; None before any was."""
    newest = select(policy_version.c.name).where(policy_version.c.active_at.is_not(None))
    found: str | None = connection.scalar(newest.order_by(policy_version.c.active_at.desc()).limit(1))
    return found
