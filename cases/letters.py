"""From message rows to what is sent: numbers, levels, the declared names of clocks, limits, a link. Nothing else.

Everything that could say more stays behind: whose assignment it is, which event it was, what an item of a bulletin
names. A reader signs in to learn it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Column, Connection, select

from cases.outbox import delivered_message
from cases.records import case, message
from cases.track import Track
from notifiers.message import OWING, PLAIN, Entry, Message, Owed

MOST_LINES: Final = 20
"""Cases that one outside message lists; the inbox has them all."""


@dataclass(frozen=True, slots=True)
class Note:
    """One message row with the number of its case; none for what belongs to no single case."""

    id: int
    kind: str
    level: str
    items: Sequence[Mapping[str, Any]]
    number: str | None
    read: bool


def notes(connection: Connection, delivery_id: int) -> list[Note]:
    """The messages of one delivery, oldest first."""
    columns: list[Column[Any]] = [message.c[name] for name in ("id", "kind", "level", "items", "read_at")]
    found = connection.execute(
        select(*columns, case.c.number)
        .select_from(delivered_message)
        .join(message, message.c.id == delivered_message.c.message_id)
        .outerjoin(case, case.c.id == message.c.case_id)
        .where(delivered_message.c.delivery_id == delivery_id)
        .order_by(message.c.id)
    )
    return [Note(row.id, row.kind, row.level, row.items, row.number, row.read_at is not None) for row in found]


def composed(written: Sequence[Note], tracks: Mapping[str, Track], link: str) -> Message:
    """One message for these notes; several are joined. `link` is the public address of the installation."""
    if len(written) > 1:
        entries = tuple(entry for one in written for entry in _message(one, tracks, link).entries)
        return Message("joined", entries[:MOST_LINES], f"{link}/inbox", {"messages": len(written)})
    return _message(written[0], tracks, link)


def _message(note: Note, tracks: Mapping[str, Track], link: str) -> Message:
    if note.number is None:
        return _round(note, tracks, link)
    owed = _owed(note.items, tracks)
    kind = note.kind if note.kind in OWING and owed else "told"
    there = f"{link}/cases/{note.number}"
    return Message(kind, (Entry(note.number, note.level, kind, owed if kind in OWING else (), there),), there)


def _round(note: Note, tracks: Mapping[str, Track], link: str) -> Message:
    """A morning's digest lists what is overdue and due; any other round is only announced."""
    there = f"{link}/inbox"
    if note.kind != "digest":
        return Message(note.kind if note.kind in PLAIN else "notice", (), there, level=note.level)
    counts: dict[str, int] = dict.fromkeys(("overdue", "due_today", "opened"), 0)
    entries: list[Entry] = []
    for item in note.items:
        part = str(item.get("part"))
        if part not in counts:
            continue
        counts[part] += int(item.get("count", 0))
        for line in item.get("lines", ()) if part != "opened" else ():
            kind = "breached" if part == "overdue" else "reminded"
            number = str(line["case"])
            entries.append(Entry(number, line["level"], kind, _owed((line,), tracks), f"{link}/cases/{number}"))
    return Message("digest", tuple(entries[:MOST_LINES]), there, counts, level=note.level)


def _owed(items: Iterable[Mapping[str, Any]], tracks: Mapping[str, Track]) -> tuple[Owed, ...]:
    """What is owed among the items, the most pressing first; an event that is only told of is none of it."""
    found: dict[Owed, None] = {}
    for item in items:
        declared = tracks.get(str(item.get("kind")))
        clock = declared.clock_kinds.get(str(item.get("clock"))) if declared else None
        if clock is not None:
            found[Owed(clock.label, datetime.fromisoformat(str(item["due"])))] = None
    return tuple(sorted(found, key=lambda one: one.until))
