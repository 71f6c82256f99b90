"""When a student is expected at the hospital, from what the hospital wrote last. Only open columns are read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select, tuple_

from cases.records import event

if TYPE_CHECKING:
    from cases.agenda import Item
    from cases.office import Session


@dataclass(frozen=True, slots=True)
class Appointment:
    """When a referral's student is expected next, and whether that is the first appointment or a later visit."""

    at: str
    first: bool


def appointments(session: Session, items: Iterable[Item]) -> dict[tuple[int, int], Appointment]:
    """The next appointment of each referral among these, by case and track, as it was written: one query."""
    wanted = [(one.case_id, one.track) for one in items if one.kind == "referral"]
    if not wanted:
        return {}
    query = (
        select(event.c.case_id, event.c.track_no, event.c.name, event.c.open)
        .where(tuple_(event.c.case_id, event.c.track_no).in_(wanted))
        .where(event.c.name.in_(("referral.scheduled", "referral.no_show_recorded", "referral.treatment_updated")))
        .order_by(event.c.seq)
    )
    found: dict[tuple[int, int], Appointment] = {}
    for row in session.connection.execute(query):
        key, said = (row.case_id, row.track_no), row.open
        if row.name == "referral.scheduled":
            found[key] = Appointment(said["at"], first=True)
        elif said.get("next_visit"):
            found[key] = Appointment(said["next_visit"], first=False)
        else:
            found.pop(key, None)
    return found
