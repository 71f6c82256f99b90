"""Counting for the statistics: the figures of each school's cases of one month, summed up for district and city.

A case counts in the month in which it was whistled, as it stands now. So whatever happens to it concerns one school
and one month, and these are counted afresh as a whole: nothing is added up that could drift. `refresh` looks at what
has happened since the last time, and now and then at everything, which also finds what was replayed or brought back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import CTE, BigInteger, Connection, Date, column, func, select, text, union_all
from sqlalchemy.dialects.postgresql import insert

from cases import tally_sums
from cases.indicators import FOLLOWED, MEASURES, TIMED, Facts, facts, timed
from cases.tally_tables import tally, tally_round

if TYPE_CHECKING:
    from cases.store import Store

WHOLE_EVERY: Final = timedelta(hours=1)
OVERLAP: Final = timedelta(minutes=10)
"""An event bears the instant at which its transaction began: whoever looks back looks further than the last time."""
AT_ONCE: Final = 60
"""Schools' months in one transaction."""
_LOCK: Final = 0x77_68_69_73_74_6C_66
_OTHERS: Final = tuple(one for one in MEASURES if one not in TIMED)

Part = tuple[int, date]
"""A school and the first day of a month."""


@dataclass(frozen=True, slots=True)
class Counted:
    """How many schools' months were counted anew; `whole` when everything was looked through; `busy`: others do."""

    parts: int = 0
    whole: bool = False
    busy: bool = False


def refresh(store: Store, zone: ZoneInfo, now: datetime, *, whole: bool = False) -> Counted:
    """Bring the tallies up to what has happened by `now`. Safe at any time and beside others.

    `whole` compares every school's month with what was counted, which is done once an hour in any case.
    """
    with store.begin() as connection:
        last = connection.execute(select(tally_round)).mappings().one_or_none()
        found: set[Part] = set()
        if whole or last is None or now - last["whole_at"] >= WHOLE_EVERY or now < last["counted_at"]:
            whole = True
            connection.execute(tally_sums.HEADS)
            found |= _parts(connection, tally_sums.CHANGED, zone)
        else:
            found |= _parts(connection, tally_sums.LATELY, zone, since=last["counted_at"] - OVERLAP)
        if last is not None:
            ripe = {"since": last["counted_at"] - FOLLOWED, "until": now - FOLLOWED}
            found |= _parts(connection, tally_sums.RIPE, zone, **ripe)
    ordered = sorted(found, key=lambda one: (one[1], one[0]))
    for start in range(0, len(ordered), AT_ONCE):
        with store.begin() as connection:
            if not connection.scalar(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": _LOCK}):
                return Counted(start, whole, busy=True)
            count(connection, ordered[start : start + AT_ONCE], zone, now)
    with store.begin() as connection:
        row = {"counted_at": now, "whole_at": now if whole or last is None else last["whole_at"]}
        done = insert(tally_round).values(row)
        connection.execute(done.on_conflict_do_update(index_elements=["one"], set_=row))
    return Counted(len(ordered), whole)


def count(connection: Connection, parts: Sequence[Part], zone: ZoneInfo, now: datetime) -> None:
    """Count these schools' months afresh, and sum up the districts and cities above them."""
    given = {"schools": [school for school, _ in parts], "months": [month for _, month in parts], "zone": str(zone)}
    # What is remembered is read before the facts: what happens in between is found the next time.
    connection.execute(tally_sums.REMEMBER, given)
    above = _above(connection, given)
    connection.execute(tally_sums.CLEAR, given)
    # Every join is by a key, whatever the planner believes about the length of a list of cases.
    connection.execute(_BY_KEYS, {"on": "off"})
    connection.execute(_insertion(now, str(zone)), given)
    connection.execute(_BY_KEYS, {"on": "on"})
    connection.execute(tally_sums.OF_SCHOOLS, given)
    above |= _above(connection, given)
    for place, level in ((0, tally_sums.OF_DISTRICTS), (1, tally_sums.OF_CITIES)):
        places = sorted({(one[place], one[2]) for one in above})
        wanted = {"places": [one for one, _ in places], "months": [month for _, month in places]}
        for statement in level:
            connection.execute(statement, wanted)


_BY_KEYS: Final = text("SELECT set_config('enable_hashjoin', :on, true), set_config('enable_mergejoin', :on, true)")
CHOSEN: Final = """
SELECT c.id, c.school_id, c.district_id, c.city_id, part.month
  FROM unnest(CAST(:schools AS bigint[]), CAST(:months AS date[])) AS part (school, month)
  JOIN cases c ON c.school_id = part.school
   AND c.created_at >= CAST(part.month AS timestamp) AT TIME ZONE :zone
   AND c.created_at < (part.month + interval '1 month') AT TIME ZONE :zone
 WHERE jsonb_exists(c.facts, 'unfolded')
"""
"""The cases that were whistled in these schools' months. One counts from when it first called others.

A draft, and a whistle that was withdrawn before its sign-off, called nobody.
"""


def chosen() -> CTE:
    """The same as columns that facts can be asked of; `schools`, `months` and `zone` are given with the statement."""
    ids = (column(name, BigInteger()) for name in ("id", "school_id", "district_id", "city_id"))
    return text(CHOSEN).columns(*ids, column("month", Date())).cte("chosen")


def every_fact(now: datetime, zone: str) -> list[Facts]:
    """All facts of the chosen cases, as the tallies hold them."""
    cases = chosen()
    return [timed(cases, now, zone), *(facts(one, cases, now, zone, rounded=True) for one in _OTHERS)]


def _insertion(now: datetime, zone: str) -> Any:  # noqa: ANN401 - an insert from a select
    """Sum up the facts and write them: first how often each value occurs, then what belongs to one row."""
    every = union_all(*every_fact(now, zone)).subquery("fact")
    key = [every.c[name] for name in ("school_id", "organisation_id", "month", "measure", "district_id", "city_id")]
    often = func.count().label("often")
    values = select(*key, every.c.value, often, func.sum(every.c.hit).label("hits")).group_by(*key, every.c.value)
    held = values.subquery("held")
    keys = [held.c[one.name] for one in key]
    spread = func.jsonb_object_agg(held.c.value, held.c.often).filter(held.c.value.is_not(None))
    sums = select(*keys, func.sum(held.c.often), func.sum(held.c.hits), spread).group_by(*keys)
    names = ["place_id", *(one.name for one in key[1:]), "counted", "hits", "spread"]
    return tally.insert().from_select(names, sums)


def _parts(connection: Connection, query: Any, zone: ZoneInfo, **given: datetime) -> set[Part]:  # noqa: ANN401
    return {(row.school_id, row.month) for row in connection.execute(query, {"zone": str(zone), **given})}


def _above(connection: Connection, given: dict[str, Any]) -> set[tuple[int, int, date]]:
    """The districts and cities whose sums hold something of these schools' months."""
    return {(row.district_id, row.city_id, row.month) for row in connection.execute(tally_sums.ABOVE, given)}


def following(month: date) -> date:
    """The first day of the next month."""
    return date(month.year + (month.month == 12), month.month % 12 + 1, 1)


def bounds(first: date, last: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """From the first instant of one month up to, not including, the end of another."""
    since, until = (datetime.combine(day, time(0), zone).astimezone(UTC) for day in (first, following(last)))
    return since, until
