"""When each round was last finished, and by whom: what the dead-man switch and `whistle doctor` look at.

A round is something done at regular times (`cases.rounds`). A row says that it ended well; a round that fails
leaves the row of the one before, which grows old, and that is what is noticed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Literal

from sqlalchemy import CheckConstraint, Column, Connection, DateTime, Integer, Table, Text, select
from sqlalchemy.dialects.postgresql import JSONB, insert

from cases.metadata import metadata

if TYPE_CHECKING:
    from cases.store import Store

Door = Literal["orchestrator", "standby", "person"]
DOORS: Final[tuple[Door, ...]] = ("orchestrator", "standby", "person")
"""Who set a round going: Prefect, the standby while Prefect is away, somebody at a terminal."""

heartbeat = Table(
    "heartbeat",
    metadata,
    Column("round", Text, primary_key=True),
    Column("door", Text, primary_key=True),
    Column("finished_at", DateTime(timezone=True), nullable=False),
    # When the one before it had finished: by that somebody's timer is told from somebody's hand.
    Column("before_at", DateTime(timezone=True)),
    Column("took_ms", Integer, nullable=False),
    # What it did, in numbers and names of organisations; never a person.
    Column("done", JSONB, nullable=False),
    CheckConstraint(f"door IN {DOORS}", name="door"),
)


@dataclass(frozen=True, slots=True)
class Beat:
    """The newest finished run of a round through one door, and when the one before it had finished, if any."""

    round: str
    door: str
    finished_at: datetime
    before: datetime | None
    took: timedelta
    done: Mapping[str, Any]


def beat(store: Store, name: str, door: Door, at: datetime, took: timedelta, done: Mapping[str, Any]) -> None:
    """Write down that a round has finished; an older row of the same round and door gives way, a newer one stays."""
    row = {
        "round": name,
        "door": door,
        "finished_at": at,
        "took_ms": round(took.total_seconds() * 1000),
        "done": dict(done),
    }
    statement = insert(heartbeat).values(row)
    newer = statement.on_conflict_do_update(
        index_elements=["round", "door"],
        set_={name: statement.excluded[name] for name in ("finished_at", "took_ms", "done")}
        | {"before_at": heartbeat.c.finished_at},
        where=heartbeat.c.finished_at <= statement.excluded.finished_at,
    )
    with store.begin() as connection:
        connection.execute(newer)


def beats(connection: Connection) -> list[Beat]:
    """Every round's newest finish, by name and door."""
    found = connection.execute(select(heartbeat).order_by(heartbeat.c.round, heartbeat.c.door))
    return [
        Beat(
            row.round,
            row.door,
            row.finished_at.astimezone(UTC),
            row.before_at.astimezone(UTC) if row.before_at is not None else None,
            timedelta(milliseconds=row.took_ms),
            row.done,
        )
        for row in found
    ]


def newest(connection: Connection) -> dict[str, Beat]:
    """Each round's newest finish, through whichever door."""
    # The later one of a round overwrites the earlier.
    return {one.round: one for one in sorted(beats(connection), key=lambda one: one.finished_at)}


def last(connection: Connection, name: str, *doors: Door) -> Beat | None:
    """The newest finish of a round, through any of these doors; through any at all where none is named."""
    asked = [one for one in beats(connection) if one.round == name and one.door in (doors or DOORS)]
    return max(asked, key=lambda one: one.finished_at, default=None)
