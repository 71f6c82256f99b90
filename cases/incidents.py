"""Incidents: what somebody has to look into, one row each from the day it is found until it is over.

Some end by themselves, with what had caused them (`cases.standby`, `cases.archive`, a case that goes through again);
the others stay until a person has looked and says what became of it. Who that was, when and why is kept.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Connection, select, update

from cases.records import case, incident
from cases.spoken import SpokenFault

ASIDE: Final = "case_set_aside"
SEAL_BROKEN: Final = "seal_broken"
GRAVE: Final = frozenset({SEAL_BROKEN, "sweep_stopped"})
"""While one of these is open the installation isn't well."""
MOST: Final = 200

_TEXTS: Final[dict[str, tuple[str, str]]] = {
    "no_incident": (
        "没有编号为 {number} 的事件；whistle incident list 列出未了结的。",
        "There is no incident {number}; `whistle incident list` shows those that are open.",
    ),
    "ended_already": (
        "事件 {number} 已于 {at} 了结，没有改动。",
        "Incident {number} was ended at {at} already; nothing was changed.",
    ),
    "no_why": (
        "请写明处理结果，以备日后查考。",
        "Say what became of it: that is what others will read later.",
    ),
}


class IncidentFault(SpokenFault):
    """An incident can't be ended; nothing was changed."""

    texts = _TEXTS


@dataclass(frozen=True, slots=True)
class Incident:
    """One incident. `case` is a case's number; `ended_by` is None where it ended by itself, or is open."""

    number: int
    at: datetime
    kind: str
    case: str | None
    why: str
    ended_at: datetime | None = None
    ended_by: str | None = None
    ended_why: str | None = None

    def as_dict(self) -> dict[str, Any]:
        return {
            "number": self.number,
            "at": self.at.isoformat(),
            "kind": self.kind,
            "case": self.case,
            "why": self.why,
            "ended_at": self.ended_at.isoformat() if self.ended_at is not None else None,
            "ended_by": self.ended_by,
            "ended_why": self.ended_why,
        }


def listed(connection: Connection, *, ended: bool = False, most: int = MOST) -> list[Incident]:
    """The newest first: those that are open, with `ended` the others too."""
    columns = [incident.c[one] for one in ("id", "at", "kind", "why", "ended_at", "ended_by", "ended_why")]
    query = select(*columns, case.c.number).join_from(incident, case, incident.c.case_id == case.c.id, isouter=True)
    if not ended:
        query = query.where(incident.c.ended_at.is_(None))
    return [
        Incident(
            row.id,
            row.at.astimezone(UTC),
            row.kind,
            row.number,
            row.why,
            row.ended_at.astimezone(UTC) if row.ended_at is not None else None,
            row.ended_by,
            row.ended_why,
        )
        for row in connection.execute(query.order_by(incident.c.id.desc()).limit(most))
    ]


def end(connection: Connection, number: int, who: str, why: str, now: datetime) -> None:
    """A person has seen to it. Raises IncidentFault no_why, no_incident, ended_already."""
    if not why.strip():
        raise IncidentFault("no_why")
    found = connection.execute(select(incident.c.ended_at).where(incident.c.id == number).with_for_update()).first()
    if found is None:
        raise IncidentFault("no_incident", number=str(number))
    if found.ended_at is not None:
        raise IncidentFault("ended_already", number=str(number), at=f"{found.ended_at.astimezone(UTC):%Y-%m-%d %H:%MZ}")
    ended = {"ended_at": now, "ended_by": who, "ended_why": why.strip()}
    connection.execute(update(incident).where(incident.c.id == number).values(ended))


def recovered(connection: Connection, cases: Collection[int], now: datetime) -> None:
    """These cases went through: that they had been set aside is over."""
    those = (incident.c.kind == ASIDE, incident.c.ended_at.is_(None), incident.c.case_id.in_(cases))
    connection.execute(update(incident).where(*those).values(ended_at=now))
