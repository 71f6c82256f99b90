"""Forms that somebody has typed and not sent yet: kept for a short while, for the same member alone.

They lie in the key store's database, sealed by the master key and bound to member and address: no back-up of the cases
ever has them, so forgetting a student keeps its promise. Three days later, a week-end and a bit, they are gone.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from cases import credentials
from cases.key_tables import unsent
from cases.vault import Unreadable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cases.store import Store
    from cases.vault import Algorithm, MasterKey

KEPT: Final = timedelta(days=3)
MOST: Final = 20
"""So many forms of one member; a further one ends the oldest."""
LONGEST: Final = 256 * 1024
"""Bytes of one form; what is longer isn't kept."""


@dataclass(frozen=True, slots=True)
class Unsent:
    """What was typed by field, the key and the version of its form, and when it was kept."""

    texts: Mapping[str, list[str]]
    key: str
    version: int | None
    events: int
    files: bool
    at: datetime


class UnsentForms:
    """The forms of all members. Each call is a transaction of its own."""

    def __init__(self, store: Store, master: MasterKey, algorithm: Algorithm) -> None:
        self._store, self._master, self._algorithm = store, master, algorithm

    def keep(self, member: int, address: str, form: Unsent) -> bool:
        """Keep a form, in the place of what was kept of the same one; whether it was kept."""
        written = {
            "texts": dict(form.texts), "key": form.key, "version": form.version, "events": form.events,
            "files": form.files,
        }  # fmt: skip
        packed = json.dumps(written, ensure_ascii=False).encode()
        if len(packed) > LONGEST:
            return False
        sealed = credentials.seal(self._master, self._algorithm, _place(member, address), packed)
        row = {"member_id": member, "address": address, "at": form.at, "sealed": sealed}
        statement = insert(unsent).values(row)
        changed = {"at": statement.excluded.at, "sealed": statement.excluded.sealed}
        newest = select(unsent.c.address).where(unsent.c.member_id == member).order_by(unsent.c.at.desc()).limit(MOST)
        with self._store.begin() as connection:
            connection.execute(statement.on_conflict_do_update(index_elements=["member_id", "address"], set_=changed))
            connection.execute(delete(unsent).where(unsent.c.member_id == member, unsent.c.address.not_in(newest)))
        return True

    def of(self, member: int, address: str, now: datetime) -> Unsent | None:
        """What this member typed there and hasn't sent; None where there is nothing, or its time is over."""
        query = select(unsent.c.sealed, unsent.c.at).where(
            unsent.c.member_id == member, unsent.c.address == address, unsent.c.at > now - KEPT
        )
        with self._store.read() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            return None
        try:
            packed = credentials.unseal(self._master, _place(member, address), row.sealed)
        except Unreadable:
            return None
        return Unsent(**json.loads(packed), at=row.at.astimezone(UTC))

    def drop(self, member: int, address: str) -> None:
        """It was sent, or given up."""
        with self._store.begin() as connection:
            connection.execute(delete(unsent).where(unsent.c.member_id == member, unsent.c.address == address))

    def clear(self, now: datetime) -> int:
        """Drop those whose time is over; how many."""
        with self._store.begin() as connection:
            return connection.execute(delete(unsent).where(unsent.c.at <= now - KEPT)).rowcount


def _place(member: int, address: str) -> str:
    return f"unsent|{member}|{address}"
