"""Figures in words: what each indicator is called, what it means, how it is written, and the list that it links to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final
from urllib.parse import urlencode

from api.pages.frame import Page
from cases.figures import Figure, Times
from cases.indicators import BY_CODE, INDICATORS, TIMED
from cases.statistics import Wanted


def _(text: str) -> str:
    """Mark a sentence for the catalogue; it is said when it is shown."""
    return text


SHORT: Final[Mapping[str, str]] = {
    "whistles": _("Whistles per 1,000"),
    "acknowledge": _("Acknowledged in time"),
    "report_in": _("Reported in in time"),
    "feedback": _("Feedback in time"),
    "settle": _("Settled in time"),
    "response": _("Response rate"),
    "resolution": _("Resolution rate"),
    "score": _("Whistlers’ score"),
    "family": _("Families satisfied"),
    "orders": _("Orders per 100"),
    "first_contact": _("First contact in time"),
    "returned": _("Back within 90 days"),
    "relapsed": _("Relapsed within 90 days"),
    "check_ins": _("Check-ins complete"),
}
MEANT: Final[Mapping[str, str]] = {
    "whistles": _("Whistles that called others, for every 1,000 students of the place. Neither too many nor too few."),
    "acknowledge": _("Of the assignments whose limit for acknowledging was met or overrun: those that met it."),
    "report_in": _("Of the assignments whose limit for reporting in was met or overrun: those that met it."),
    "feedback": _("Of the feedback that was owed, after it was sent back too: what came within its limit."),
    "settle": _("Of the cases that were settled or overran their limit: those that were settled within it."),
    "response": _("Of the assignments that count for reporting in: those to which somebody came at all, late or not."),
    "resolution": _("Of the assignments whose feedback was accepted: those that the feedback calls solved."),
    "score": _("The mean of the points, 1 to 5, that whistlers gave in the newest evaluation of each case."),
    "family": _("Of the evaluations that say whether the family was satisfied (they need not): those in which it was."),
    "orders": _("Supervision orders for every 100 assignments."),
    "first_contact": _("Of the referrals whose first contact was due: those that the hospital saw in time."),
    "returned": _("Of the students whose return began to be assessed 90 or more days ago: those back within 90 days."),
    "relapsed": _("Of the students who came back 90 or more days ago: those who relapsed within 90 days."),
    "check_ins": _("Of the joint check-ins that were due: those that every side has filed, late ones too."),
}
TIMES: Final[Mapping[str, str]] = {
    "acknowledge": _("Acknowledging"),
    "report_in": _("Reporting in"),
    "feedback": _("Feedback"),
    "settle": _("Settling"),
    "first_contact": _("First contact"),
}


@dataclass(frozen=True, slots=True)
class Cell:
    """One figure as it is written, with how many it rests on and where its list is; empty where there is none."""

    text: str
    of: str = ""
    href: str = ""
    few: bool = False
    aside: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table: a month, a district, an organisation."""

    name: str
    href: str
    kind: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes figures for one reader. `wanted` is what the page shows; without `listed` no figure has a list."""

    page: Page
    wanted: Wanted
    listed: bool

    def cells(self, told: Mapping[str, Figure], wanted: Wanted | None = None) -> tuple[Cell, ...]:
        """Every indicator of one line."""
        return tuple(self.cell(one.code, told[one.code], wanted) for one in INDICATORS)

    def cell(self, code: str, figure: Figure, wanted: Wanted | None = None) -> Cell:
        """One figure."""
        if figure.kept:
            return Cell(FEW if figure.few else self.page.say(KEPT), few=figure.few, aside=figure.aside)
        if figure.of is None:
            return Cell(NONE)
        said = "" if figure.value is None else self.said(code, figure.value)
        href = list_address(code, wanted or self.wanted) if self.listed else ""
        return Cell(said or NONE, self.page.tongue.number(figure.of), href)

    def said(self, code: str, value: float) -> str:
        """`97.3%`, `4.21`, `1.35`."""
        kind = BY_CODE[code].kind
        return f"{value:.1f}%" if kind == "rate" else f"{value:,.2f}" if kind != "per_hundred" else f"{value:,.1f}"

    def length(self, minutes: int | None) -> str:
        """How long something took, in its two greatest units."""
        return NONE if minutes is None else self.page.tongue.span(timedelta(minutes=minutes))

    def times(self, told: Mapping[str, Times]) -> list[tuple[str, str, tuple[str, ...]]]:
        """Each limit with how many were met, and median, third quartile and ninth decile."""
        found = []
        for code in TIMED:
            one = told[code]
            lengths = tuple(FEW if one.few else self.length(each) for each in (one.median, one.third, one.ninth))
            count = FEW if one.few else self.page.tongue.number(one.of or 0)
            found.append((self.page.say(TIMES[code]), count, lengths))
        return found


FEW: Final = "<5"
KEPT: Final = _("not shown")
"""It may well be many: only a neighbour was fewer than five."""
NONE: Final = "–"


def month_name(month: date) -> str:
    """`2026-03`, as addresses and both languages have it."""
    return f"{month:%Y-%m}"


def address(wanted: Wanted, **more: object) -> str:
    """The query of a page of statistics; what is empty is left out."""
    parts = {
        "from": month_name(wanted.first),
        "to": month_name(wanted.last),
        "place": wanted.place,
        "organisation": wanted.organisation,
        **more,
    }
    return urlencode({name: value for name, value in parts.items() if value not in (None, "")})


def list_address(code: str, wanted: Wanted, **more: object) -> str:
    """Where the cases behind a figure are listed."""
    return f"/statistics/cases?{address(wanted, of=code, **more)}"
