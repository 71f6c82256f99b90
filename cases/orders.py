"""督办 orders as those who oversee read them: about whom, by when, what was said. Reading is logged."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import select, tuple_

from cases import access, chain, ledger, loading, noting, vault
from cases.records import event
from cases.vault import Unreadable

if TYPE_CHECKING:
    from sqlalchemy import RowMapping

    from cases.casefile import CaseFile
    from cases.directory import Actor
    from cases.listing import TrackLine
    from cases.office import Session

_SAYING: Final = ("issue", "answer", "reject", "interview", "accept")


@dataclass(frozen=True, slots=True)
class Said:
    """One thing that was said about an order: which trigger, when, and its text (empty where it doesn't open)."""

    trigger: str
    at: datetime
    text: str
    new_date: str


def files_of(session: Session, lines: Sequence[TrackLine]) -> Mapping[str, CaseFile]:
    """The cases of these orders, by number."""
    numbers = sorted({one.number for one in lines})
    return {one.number: one for one in loading.one_by_one(session, numbers, lock=False)} if numbers else {}


def said(
    session: Session, files: Mapping[str, CaseFile], lines: Sequence[TrackLine], actor: Actor, now: datetime
) -> dict[tuple[str, int], list[Said]]:
    """What was demanded and answered, by case and track, oldest first; of cases whose narrative the reader sees.

    Each case whose words are opened here is written into the access log once.
    """
    seen = {number: one for number, one in files.items() if _open_to(session, one, actor, now)}
    wanted = {(seen[one.number].id, one.no): one.number for one in lines if one.number in seen}
    if not wanted:
        return {}
    columns = (event.c.case_id, event.c.track_no, event.c.seq, event.c.at, event.c.trigger, event.c.open,
               event.c.narrative, event.c.commitments)  # fmt: skip
    query = select(*columns).where(tuple_(event.c.case_id, event.c.track_no).in_(wanted))
    query = query.where(event.c.kind == "supervision", event.c.trigger.in_(_SAYING)).order_by(event.c.seq)
    rows = session.connection.execute(query).mappings().all()
    keys = session.office.keystore.many(sorted({one.student for one in seen.values()}))
    found: dict[tuple[str, int], list[Said]] = {}
    opened: set[int] = set()
    for row in rows:
        number = wanted[row["case_id"], row["track_no"]]
        text = _text(row, keys.get(seen[number].student))
        if row["narrative"] is not None:
            opened.add(row["case_id"])
        new_date = str(row["open"].get("new_date") or "")
        found.setdefault((number, row["track_no"]), []).append(Said(row["trigger"], row["at"], text, new_date))
    looked = [one for one in seen.values() if one.id in opened]
    noting.note_looks(session, looked, actor, ["narrative"], "supervision orders", now)
    return found


def _open_to(session: Session, file: CaseFile, actor: Actor, now: datetime) -> bool:
    return access.sees(actor, file, session.office.book_of(file.policy), now).narrative == "yes"


def _text(row: RowMapping, key: vault.DataKey | None) -> str:
    if row["narrative"] is None or key is None:
        return ""
    recorded = chain.commitment_to("narrative", row["commitments"])
    try:
        place = ledger.place(row["case_id"], row["seq"])
        written: dict[str, Any] = json.loads(vault.open(key, place, "narrative", row["narrative"], recorded))
    except Unreadable:
        return ""
    return str(next((written[name] for name in ("demand", "answer", "note") if written.get(name)), ""))
