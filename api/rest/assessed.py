"""The indicators of `/statistics`, as the pages show them: the same figures, the same kept back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Final

from fastapi import Query

from api.asked import Reader
from api.rest import answers
from cases import statistics
from cases.figures import Figure, all_times
from cases.indicators import INDICATORS
from cases.office import Session

Month = Annotated[str | None, Query(pattern=r"^20[2-9]\d-(0[1-9]|1[0-2])$")]


def assessed(
    session: Session,
    reader: Reader,
    place: int | None,
    organisation: int | None,
    month_from: str | None,
    month_to: str | None,
) -> answers.Assessed | None:
    """The figures of the reader's own place or of one under it; None for whoever oversees nothing.

    The last twelve months where none are asked for, thirty-six at most. Refuses `not_found` for another's place.
    """
    book = session.office.book_of(session.office.current)
    # The filter of the list takes any number: of one that is nobody's there is nothing to count.
    unknown = organisation is not None and not statistics.known(session, organisation)
    if unknown or not statistics.places(reader.actor, book):
        return None
    today = reader.now.astimezone(book.tz).date()
    first, last = statistics.period(_first(month_from), _first(month_to), today)
    wanted = statistics.Wanted(first, last, place, organisation)
    told = statistics.tell(session, reader.actor, wanted)
    times = all_times(told.sums)
    return answers.Assessed(
        place=told.place.id,
        name=told.place.name,
        month_from=_said(wanted.first),
        month_to=_said(wanted.last),
        counted=told.counted,
        figures=_figures(told.whole),
        months=[answers.MonthFigures(month=_said(month), figures=_figures(shown)) for month, shown in told.months],
        below=[
            answers.PlaceFigures(id=one.number, name=one.name, kind=one.kind, figures=_figures(one.figures))
            for one in told.below
        ],
        times=[
            answers.TimesLine(code=code, of=one.of, median=one.median, third=one.third, ninth=one.ninth, few=one.few)
            for code, one in times.items()
        ],
    )


_DIGITS: Final = 4


def _figures(told: Mapping[str, Figure]) -> list[answers.FigureLine]:
    found = []
    for one in INDICATORS:
        figure = told[one.code]
        value = None if figure.value is None else round(figure.value, _DIGITS)
        found.append(answers.FigureLine(code=one.code, value=value, of=figure.of, few=figure.few, aside=figure.aside))
    return found


def _first(month: str | None) -> date | None:
    return None if month is None else date.fromisoformat(f"{month}-01")


def _said(month: date) -> str:
    return f"{month:%Y-%m}"
