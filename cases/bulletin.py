"""通报, once a month: what reached the rung of the ladder that enters the bulletin. Numbers, levels, organisations,
clocks; no person, and no word of what a case is about.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import BigInteger, Connection, RowMapping, and_, func, or_, select, text

from cases import notices
from cases.people import organisation
from cases.records import case, clock, event, policy_version

if TYPE_CHECKING:
    from cases.store import Store
    from policies.book import Book

_READERS: Final = {"city": ("supervisor",), "district": ("supervisor",)}
_A_DAY: Final = timedelta(days=1)
_OWED_BY: Final = event.c.open["owed_by"].astext.cast(BigInteger)
_OVERRUN: Final = event.c.signals[0]["clock"].as_integer()
"""Rungs that fell before `owed_by` was written: of them the clock says whose it is, or was last."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One limit that was overrun far enough to be published; `organisation` owed it when that rung fell."""

    case: str
    level: str
    organisation: str
    district: str
    clock: str
    due: datetime
    at: datetime


def month_before(day: date) -> date:
    """The first day of the month before that day's."""
    return date(day.year - (day.month == 1), (day.month - 2) % 12 + 1, 1)


def entries(
    connection: Connection, book_of: Callable[[str], Book], month: date, *, places: set[int] | None = None
) -> list[Entry]:
    """What entered the bulletin in that month (local time of each case's policy), by instant and number.

    `places` keeps to the cases of these districts or cities.
    """
    stored = connection.scalars(select(policy_version.c.name)).all()
    rungs = {one.name for name in stored for one in book_of(name).ladder if one.bulletin}
    found = [
        (row, book_of(row["policy"]))
        for row in connection.execute(_bulletined(month, rungs, places)).mappings()
        if places is None or {row["district_id"], row["city_id"]} & places
    ]
    return [
        _entry(row)
        for row, book in found
        if _enters(book, row["trigger"]) and row["at"].astimezone(book.tz).date().replace(day=1) == month
    ]


def send(store: Store, book_of: Callable[[str], Book], month: date, now: datetime) -> int:
    """Write each supervisor the month's bulletin of their district or city; answers how many messages were new."""
    to: dict[int, tuple[str, list[Mapping[str, Any]]]] = {}
    with store.begin() as connection:
        for place, members in notices.holders(connection, _READERS, now.date()).items():
            listed = entries(connection, book_of, month, places={place})
            if listed:
                lines = [{**asdict(one), "due": one.due.isoformat(), "at": one.at.isoformat()} for one in listed]
                for one in members:
                    to[one] = (notices.gravest(each.level for each in listed), [{"month": f"{month:%Y-%m}"}, *lines])
        return notices.post_once(connection, f"bulletin:{month:%Y-%m}", "bulletin", to, now)


def _enters(book: Book, trigger: str) -> bool:
    rung = trigger.rpartition(".")[2]
    return any(one.name == rung and one.bulletin for one in book.ladder)


def _entry(row: RowMapping) -> Entry:
    return Entry(
        case=row["number"],
        level=row["level"],
        organisation=row["organisation"],
        district=row["district"],
        clock=f"{row['kind']}.{row['trigger'].partition('.')[0]}",
        due=datetime.fromisoformat(row["open"]["due"]),
        at=row["at"].astimezone(UTC),
    )


def _bulletined(month: date, rungs: set[str], places: set[int] | None) -> Any:  # noqa: ANN401 - a select of many columns
    """Rungs that fell around the month; a day on either side, because each policy has its own time zone.

    `rungs` are those that any stored policy publishes; without one, all of them.
    """
    owing, district = organisation.alias(), organisation.alias()
    following = date(month.year + (month.month == 12), month.month % 12 + 1, 1)
    first, end = (datetime.combine(day, time(0), UTC) for day in (month, following))
    query = (
        select(
            case.c.number, case.c.level, case.c.policy, case.c.district_id, case.c.city_id, event.c.at, event.c.kind,
            event.c.trigger, event.c.open, owing.c.name.label("organisation"), district.c.name.label("district"),
        )
        .select_from(event)
        .join(case, case.c.id == event.c.case_id)
        .join(district, district.c.id == case.c.district_id)
        .outerjoin(clock, and_(clock.c.case_id == event.c.case_id, clock.c.no == _OVERRUN))
        .join(owing, owing.c.id == func.coalesce(_OWED_BY, clock.c.organisation_id, case.c.school_id))
        # In these words, as the index of the rungs has it: a parameter would hide that it is the same.
        .where(event.c.actor_id.is_(None), event.c.trigger.contains("."), text("event.open ? 'percent'"))
        .where(event.c.at >= first - _A_DAY, event.c.at < end + _A_DAY)
        .order_by(event.c.at, case.c.number, event.c.seq)
    )  # fmt: skip
    if rungs:
        query = query.where(func.split_part(event.c.trigger, ".", 2).in_(rungs))
    if places is not None:
        query = query.where(or_(case.c.district_id.in_(places), case.c.city_id.in_(places)))
    return query
