"""The working days of an installation: tables are added in editions, and every limit that runs follows them.

What has stopped stays as it was reckoned, and each event says by which edition; so a history can be reckoned again
whatever was loaded since, by the State Council in the middle of a year too (2020: the prolonged Spring Festival).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import Connection, func, insert, or_, select, text

from cases import ledger, registrar
from cases.faces import face_from_json
from cases.library import PACKAGE
from cases.office import Session
from cases.records import calendar_table, case, clock
from policies import hands
from policies.calendar import brought, packaged_until, parse_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cases.clockwork import Clock
    from cases.office import Office
    from cases.store import Store

_DAY = timedelta(days=1)
_FAR = datetime(9000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Kept:
    """One table as it is kept."""

    edition: int
    name: str
    source: str
    brought: bool


def load(connection: Connection, source: str, name: str, at: datetime) -> int:
    """Add a table as a new edition, and return the year that it is of. The same once more adds nothing.

    Raises CalendarFault with every fault of the table.
    """
    year = parse_table(source, name).year
    newest = {one.name: one for one in _kept(connection) if not one.brought}
    if name not in newest or newest[name].source != source:
        _add(connection, [(name, source)], at, brought=False)
    return year


def settle(connection: Connection, at: datetime) -> set[int]:
    """Write down which working days this release brings, and return the years that another release had otherwise.

    A year for which a table was loaded here stays the installation's own.
    """
    kept = _kept(connection)
    held = {one.name: one.source for one in kept if one.brought}
    bringing = {**brought(), PACKAGE: str(packaged_until())}
    if not held:
        _add(connection, list(bringing.items()), at, brought=True, edition=0)
        return set()
    own = {parse_table(one.source, one.name).year for one in kept if not one.brought}
    news = {
        name: source
        for name, source in bringing.items()
        if held.get(name) != source and (name == PACKAGE or parse_table(source, name).year not in own)
    }
    if int(held[PACKAGE]) >= int(bringing[PACKAGE]):
        news.pop(PACKAGE, None)
    if not news:
        return set()
    _add(connection, list(news.items()), at, brought=True)
    years = {parse_table(source, name).year for name, source in news.items() if name != PACKAGE}
    return years | set(range(int(held[PACKAGE]) + 1, int(news.get(PACKAGE, held[PACKAGE])) + 1))


def follow(store: Store, office: Office, years: set[int], at: datetime) -> int:
    """Reckon every running limit anew that those years can touch; how many moved. Each case by itself, repeatable."""
    moved = 0
    for number in list(_touched(store, office, years)):
        with store.begin() as connection:
            moved += _reckon(Session(connection, office), number, at)
    return moved


def _reckon(session: Session, number: int, at: datetime) -> int:
    sitting = ledger.take(session, number, None, at)
    other = [one for one in sitting.case.clocks.values() if _differs(session.office, sitting.case.policy, one, at)]
    if not other:
        return 0
    sitting.begin_group()
    record = sitting.case.record
    happened = sitting.happen(record, "case.calendar_loaded", "recompute", record.state)
    happened.target = record.state
    before = [one.face.due for one in other]
    for one in other:
        sitting.signal(happened, one, "recompute")
    ledger.put(session, [sitting])
    return sum(due != one.face.due for due, one in zip(before, other, strict=True))


def _differs(office: Office, policy: str, one: Clock, at: datetime) -> bool:
    return not one.stopped and hands.recompute(office.book_of(policy), one.face, at) != one.face


def _touched(store: Store, office: Office, years: set[int]) -> Iterator[int]:
    """The cases with a running limit that is reckoned otherwise now; read without locks, so each is asked again."""
    if not years:
        return
    first, last = datetime(min(years), 1, 1, tzinfo=UTC) - _DAY, datetime(max(years) + 1, 1, 1, tzinfo=UTC) + _DAY
    reaches = func.greatest(clock.c.due_at, func.coalesce(clock.c.wake_at, clock.c.due_at)) >= first
    query = (
        select(clock.c.case_id, case.c.policy, clock.c.face)
        .join(case, case.c.id == clock.c.case_id)
        .where(clock.c.stopped_at.is_(None), clock.c.started_at < last, or_(clock.c.provisional, reaches))
        .order_by(clock.c.case_id)
    )
    seen = None
    with store.read() as connection:
        for row in connection.execution_options(yield_per=2000).execute(query):
            if row.case_id == seen:
                continue
            face = face_from_json(row.face)
            if hands.recompute(office.book_of(row.policy), face, _FAR) != face:
                seen = row.case_id
                yield row.case_id


def _kept(connection: Connection) -> list[_Kept]:
    """All of them, by edition. Whoever adds one waits for whoever is at it: an edition never grows."""
    connection.execute(text("LOCK TABLE calendar_table IN SHARE ROW EXCLUSIVE MODE"))
    columns = calendar_table.c.edition, calendar_table.c.name, calendar_table.c.source, calendar_table.c.brought
    return [_Kept(*row) for row in connection.execute(select(*columns).order_by(calendar_table.c.edition))]


def _add(
    connection: Connection, tables: list[tuple[str, str]], at: datetime, *, brought: bool, edition: int | None = None
) -> None:
    if edition is None:
        newest = connection.scalar(select(func.max(calendar_table.c.edition)))
        edition = 1 if newest is None else newest + 1
    rows = [
        {"edition": edition, "name": name, "source": source, "stored_at": at, "brought": brought}
        for name, source in tables
    ]
    connection.execute(insert(calendar_table), rows)
    # Every process asks for this version with each case, and then reads its books anew.
    registrar.touch(connection)
