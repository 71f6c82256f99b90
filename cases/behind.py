"""The list behind a figure: the very facts that the statistics count, case by case, as far as the reader sees them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import BigInteger, ColumnElement, FromClause, Integer, Select, cast, func, literal, select, text, true
from sqlalchemy import Date as Day
from sqlalchemy.dialects.postgresql import ARRAY

from cases import listing, statistics, tallies
from cases.cursors import Page, paged
from cases.indicators import BY_CODE, facts
from cases.people import organisation
from cases.records import case as cases
from cases.refusal import FieldFault, Refusal
from cases.tally_tables import TOGETHER, tally

if TYPE_CHECKING:
    from collections.abc import Sequence
    from zoneinfo import ZoneInfo

    from sqlalchemy import Connection

    from cases.directory import Actor
    from cases.office import Session
    from cases.statistics import Wanted
    from cases.tallies import Part
    from cases.who import Organisation

PARTS: Final = ("all", "yes", "no")
BREACHES: Final = "breaches"
"""Not an indicator: the limits that the heat map counts."""


# A page is soon full if one goes through the cases in their order and looks each up by its key; the planner would
# rather gather them all and sort them. Where they are few they may well be gathered.
_BY_KEYS: Final = text(
    "SELECT set_config('enable_sort', :gathered, true), set_config('enable_bitmapscan', :gathered, true),"
    " set_config('enable_hashjoin', :on, true), set_config('enable_mergejoin', :on, true)"
)


@dataclass(frozen=True, slots=True)
class Behind:
    """One fact of a figure: its case, whose it is, whether it was so, and the minutes or points where it has some."""

    number: str
    level: str
    policy: str
    school: str
    organisation: str
    track: int
    hit: bool
    value: int | None


def behind(
    session: Session,
    actor: Actor,
    now: datetime,
    code: str,
    wanted: Wanted,
    *,
    part: str = "all",
    hour: int | None = None,
    cursor: str | None = None,
    most: int = 50,
) -> Page[Behind]:
    """One page of the facts of that indicator, the newest case first. `hour` is one of the week, for breaches.

    Refuses `not_permitted` to an auditor, who sees no case, `not_found` for a place that isn't under the reader and
    `invalid` for an unknown indicator.
    """
    if (code not in BY_CODE and code != BREACHES) or part not in PARTS:
        raise Refusal("invalid", faults=(FieldFault("of", "not_a_choice"),))
    place, listed = statistics.whose(session, actor, wanted.place)
    if not listed:
        raise Refusal("not_permitted", who_can=tuple(one for one in statistics.WHO_CAN if "auditor" not in one))
    indicator = BY_CODE.get(code)
    measure = indicator.measure if indicator is not None else "breach"
    hour = hour if indicator is None else None
    parts = None if place.kind == "school" else _few(session.connection, place, measure, wanted, part, hour)
    if parts is not None and not parts:
        return Page((), None)
    zone = session.office.book_of(session.office.current).tz
    chosen = _chosen(place, wanted, zone, listing.seen(session, actor, now), parts)
    fact = facts(measure, chosen, now, str(zone)).subquery("fact")
    query = _listed(fact)
    if wanted.organisation is not None:
        query = query.where(fact.c.organisation_id == wanted.organisation)
    if part != "all":
        query = query.where(fact.c.hit == (1 if part == "yes" else 0))
    if hour is not None:
        query = query.where(fact.c.value == hour)
    several = place.kind != "school" and parts is None
    session.connection.execute(_BY_KEYS, {"on": "off", "gathered": "off" if several else "on"})
    rows, after = paged(session.connection, query, "-number", fact.c.case_id, fact.c.tie, cursor, most)
    session.connection.execute(_BY_KEYS, {"on": "on", "gathered": "on"})
    return Page(tuple(_behind(row) for row in rows), after)


def _chosen(
    place: Organisation, wanted: Wanted, zone: ZoneInfo, seen: ColumnElement[bool], parts: Sequence[Part] | None
) -> FromClause:
    """The cases of that place and those months that the reader sees; only those of `parts` where they are given."""
    since, until = tallies.bounds(wanted.first, wanted.last, zone)
    own = {"city": cases.c.city_id, "district": cases.c.district_id, "school": cases.c.school_id}[place.kind]
    columns = [cases.c[name] for name in ("id", "school_id", "district_id", "city_id")]
    query = select(*columns, cast(literal(wanted.first), Day).label("month")).where(seen, own == place.id)
    query = query.where(cases.c.created_at >= since, cases.c.created_at < until, cases.c.facts.has_key("unfolded"))
    if parts is not None:
        # Bounds as plain values: behind its row-level security an index takes no function that might tell something.
        ranges = [(school, *tallies.bounds(month, month, zone)) for school, month in parts]
        kinds = (BigInteger(), cases.c.created_at.type, cases.c.created_at.type)
        lists = [literal([one[at] for one in ranges], ARRAY(kind)) for at, kind in enumerate(kinds)]
        names = ("school", "since", "until")
        only = select(*(func.unnest(one).label(name) for one, name in zip(lists, names, strict=True))).subquery()
        within = (cases.c.created_at >= only.c.since, cases.c.created_at < only.c.until)
        # With an offset it is done for one school's month after the other, by the index that there is for it.
        each = query.where(cases.c.school_id == only.c.school, *within).offset(0).lateral("each")
        return select(*each.c).select_from(only).join(each, true()).subquery("chosen")
    return query.subquery("chosen")


def _listed(fact: FromClause) -> Select[Any]:
    school, whom = organisation.alias("school_place"), organisation.alias("whose_place")
    return (
        select(fact.c.tie.label("id"), fact.c.case_id.label("key"), cases.c.number, cases.c.level, cases.c.policy,
               school.c.name.label("school"), whom.c.name.label("organisation"), fact.c.track_no, fact.c.hit,
               fact.c.value)
        .select_from(fact)
        .join(cases, cases.c.id == fact.c.case_id)
        .join(school, school.c.id == cases.c.school_id)
        .join(whom, whom.c.id == fact.c.organisation_id)
    )  # fmt: skip


FEW: Final = 650
"""Up to so many it is quicker to look where the tallies say they are than to go through all cases."""


def _few(
    connection: Connection, place: Organisation, measure: str, wanted: Wanted, part: str, hour: int | None
) -> Sequence[Part] | None:
    """The schools' months in which such facts were counted, where they are few; None where they are many."""
    whose = wanted.organisation or TOGETHER
    if place.kind == "city" and whose != TOGETHER:
        return None
    counted, hits = tally.c.counted, tally.c.hits
    count: ColumnElement[int] = {"all": counted, "yes": hits, "no": counted - hits}[part]
    if hour is not None:
        count = func.coalesce(cast(tally.c.spread[str(hour)].astext, Integer), 0)
    own = (tally.c.measure == measure, tally.c.month >= wanted.first, tally.c.month <= wanted.last)
    together = select(func.coalesce(func.sum(count), 0)).where(*own, tally.c.place_id == place.id)
    if (connection.scalar(together.where(tally.c.organisation_id == whose)) or 0) > FEW:
        return None
    districts = select(organisation.c.id).where(organisation.c.kind == "district", organisation.c.city_id == place.id)
    query = select(tally.c.place_id, tally.c.month).distinct().where(*own, count > 0)
    query = query.where(
        tally.c.district_id == place.id if place.kind == "district" else tally.c.district_id.in_(districts)
    )
    if whose != TOGETHER:
        query = query.where(tally.c.organisation_id == whose)
    return [(row.place_id, row.month) for row in connection.execute(query)]


def _behind(row: Any) -> Behind:  # noqa: ANN401 - a row
    return Behind(
        number=row["number"],
        level=row["level"],
        policy=row["policy"],
        school=row["school"],
        organisation=row["organisation"],
        track=row["track_no"],
        hit=bool(row["hit"]),
        value=row["value"],
    )
