"""What a page keeps back because a table elsewhere does: else one click on a cell would tell what the table didn't.

A place is one line of the table of the place above it, an organisation one of its place's, a month one of its year's.
What is kept back there to protect a neighbour stays so on the page of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, select

from cases.figures import ASIDE, Figure, Sums, figures, kept_back
from cases.indicators import INDICATORS
from cases.people import organisation
from cases.tally_tables import TOGETHER, tally

if TYPE_CHECKING:
    from cases.who import Organisation

Codes = frozenset[str]


@dataclass(frozen=True, slots=True)
class Aside:
    """The codes that a line keeps back for its neighbours' sake: over the whole period, and month by month."""

    whole: Codes = frozenset()
    months: Mapping[date, Codes] = field(default_factory=dict)


NONE: Final = Aside()


def among_neighbours(
    connection: Connection, place: Organisation, above: Organisation | None, about: int | None, within: Iterable[Any]
) -> Aside:
    """What the line of `about` in its place, or of the place in the one `above`, keeps back. One query, or none."""
    if about is None and above is None:
        return NONE
    who = tally.c.place_id if about is None else tally.c.organisation_id
    query = select(who, tally.c.month, tally.c.measure, tally.c.counted, tally.c.hits)
    query = query.join(organisation, organisation.c.id == who).where(*within)
    query = query.order_by(organisation.c.kind, organisation.c.name)
    if about is not None:
        query = query.where(tally.c.place_id == place.id, tally.c.organisation_id != TOGETHER)
    elif above is not None:
        link = organisation.c.city_id if above.kind == "city" else organisation.c.district_id
        query = query.where(organisation.c.kind == place.kind, link == above.id, tally.c.organisation_id == TOGETHER)
    whole: dict[int, dict[str, Sums]] = {}
    monthly: dict[date, dict[int, dict[str, Sums]]] = {}
    for number, month, measure, counted, hits in connection.execute(query):
        for sums in (whole, monthly.setdefault(month, {})):
            sums.setdefault(number, {}).setdefault(measure, Sums()).add(counted, hits)
    own = about if about is not None else place.id
    return Aside(_aside(whole, own), {month: _aside(sums, own) for month, sums in monthly.items()})


def _aside(lines: Mapping[int, Mapping[str, Sums]], own: int) -> Codes:
    if own not in lines:
        return frozenset()
    told = kept_back([figures(sums, 0) for sums in lines.values()])
    mine = told[list(lines).index(own)]
    return frozenset(code for code, figure in mine.items() if figure.aside)


def year_by_year(months: Sequence[tuple[date, dict[str, Figure]]]) -> dict[date, dict[str, Figure]]:
    """The same months, each kept back as in its whole year: whatever part of the year is shown, a cell is the same."""
    found: dict[date, dict[str, Figure]] = {}
    for _, several in groupby(months, lambda one: one[0].year):
        year = list(several)
        shown = kept_back([told for _, told in year])
        found |= {month: told for (month, _), told in zip(year, shown, strict=True)}
    return found


def without(told: Mapping[str, Figure], codes: Codes) -> dict[str, Figure]:
    """The same figures, those of these codes kept back."""
    return {code: ASIDE if code in codes and one.of is not None else one for code, one in told.items()}


def given_away(months: Iterable[Mapping[str, Figure]]) -> Codes:
    """The codes of which a single month is kept back: their sum, less the months that are told, would tell it."""
    rows = list(months)
    return frozenset(one.code for one in INDICATORS if sum(row[one.code].kept for row in rows) == 1)
