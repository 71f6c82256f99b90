"""The list behind a figure: the very facts that the statistics count, case by case, as far as the reader sees them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Date as Day
from sqlalchemy import cast, literal, select

from cases import listing, statistics, tallies
from cases.cursors import Page, paged
from cases.indicators import BY_CODE, facts
from cases.people import organisation
from cases.records import case as cases
from cases.refusal import FieldFault, Refusal
from cases.tally_tables import TOGETHER

if TYPE_CHECKING:
    from cases.directory import Actor
    from cases.office import Session
    from cases.statistics import Wanted

PARTS: Final = ("all", "yes", "no")
BREACHES: Final = "breaches"
"""Not an indicator: the limits that the heat map counts."""


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
        raise Refusal("not_permitted")
    indicator = BY_CODE.get(code)
    zone = session.office.book_of(session.office.current).tz
    since, until = tallies.bounds(wanted.first, wanted.last, zone)
    own = {"city": cases.c.city_id, "district": cases.c.district_id, "school": cases.c.school_id}[place.kind]
    columns = [cases.c[name] for name in ("id", "school_id", "district_id", "city_id")]
    chosen = select(*columns, cast(literal(wanted.first), Day).label("month")).where(
        listing.seen(session, actor, now), own == place.id,
        cases.c.created_at >= since, cases.c.created_at < until, cases.c.facts.has_key("unfolded"),
    ).subquery("chosen")  # fmt: skip
    fact = facts(indicator.measure if indicator else "breach", chosen, now, str(zone)).subquery("fact")
    school, whom = organisation.alias("school_place"), organisation.alias("whose_place")
    query: Any = (
        select(fact.c.tie.label("id"), fact.c.case_id.label("key"), cases.c.number, cases.c.level, cases.c.policy,
               school.c.name.label("school"), whom.c.name.label("organisation"), fact.c.track_no, fact.c.hit,
               fact.c.value)
        .select_from(fact)
        .join(cases, cases.c.id == fact.c.case_id)
        .join(school, school.c.id == cases.c.school_id)
        .join(whom, whom.c.id == fact.c.organisation_id)
    )  # fmt: skip
    if wanted.organisation is not None and wanted.organisation != TOGETHER:
        query = query.where(fact.c.organisation_id == wanted.organisation)
    if part != "all":
        query = query.where(fact.c.hit == (1 if part == "yes" else 0))
    if hour is not None:
        query = query.where(fact.c.value == hour)
    rows, after = paged(session.connection, query, "-number", fact.c.case_id, fact.c.tie, cursor, most)
    return Page(tuple(_behind(row) for row in rows), after)


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
