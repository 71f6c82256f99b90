"""What the charts of the statistics are drawn from: figures and names, no markup. The script only draws."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from api.pages.frame import Page
from api.pages.measured import SHORT, TIMES, month_name
from cases import figures as shown
from cases.figures import Figure
from cases.indicators import BY_CODE, TIMED
from cases.statistics import Line, Told

_TREND: Final = ("acknowledge", "report_in", "feedback", "settle")
_MOST: Final = 20
"""So many bars at most; the table has all."""


def months(page: Page, told: Told) -> str:
    """The four on-time rates, month by month. One month alone makes no line."""
    if len(told.months) < 2:
        return ""
    series = [
        {"name": page.say(SHORT[code]), "values": [_value(code, one[code]) for _, one in told.months]}
        for code in _TREND
    ]
    labels = [month_name(month) for month, _ in told.months]
    return _written("lines", labels, series, unit="%")


def below(page: Page, lines: Sequence[Line], code: str) -> str:
    """One indicator across districts or organisations, the highest first."""
    found = [(one.name, value) for one in lines if (value := _value(code, one.figures[code])) is not None]
    found.sort(key=lambda one: -one[1])
    unit = "%" if BY_CODE[code].kind == "rate" else ""
    series = [{"name": page.say(SHORT[code]), "values": [value for _, value in found[:_MOST]]}]
    return _written("bars", [name for name, _ in found[:_MOST]], series, unit=unit)


def times(page: Page, told: Told) -> str:
    """Median and ninth decile of each limit, in minutes, on a logarithmic axis."""
    found = [(TIMES[code], one) for code in TIMED if (one := shown.all_times(told.sums)[code]).median is not None]
    series = [
        {"name": page.say("Median"), "values": [_minutes(one.median) for _, one in found]},
        {"name": page.say("90 in 100 within"), "values": [_minutes(one.ninth) for _, one in found]},
    ]
    return _written(
        "log", [page.say(name) for name, _ in found], series, units=[page.say("min"), page.say("h"), page.say("d")]
    )


def week(page: Page, told: Told) -> str:
    """How many limits were overrun, by weekday and hour: [hour, day, count], few as none."""
    cells = shown.week(told.sums)
    values = [
        [hour, day, -1 if one.few else one.of]
        for day, row in enumerate(cells)
        for hour, one in enumerate(row)
        if one.few or one.of
    ]
    name = page.say("Limits that were overrun")
    return _written("week", days(page), [{"name": name, "values": values}], unit="", few=page.say("fewer than five"))


def days(page: Page) -> list[str]:
    """The days of the week, Monday first."""
    return [page.say("Mon"), page.say("Tue"), page.say("Wed"), page.say("Thu"), page.say("Fri"), page.say("Sat"),
            page.say("Sun")]  # fmt: skip


def _value(code: str, figure: Figure) -> float | None:
    """As the table writes it."""
    return None if figure.value is None else round(figure.value, 1 if BY_CODE[code].kind != "score" else 2)


def _minutes(minutes: int | None) -> int | None:
    """A logarithmic axis knows no zero."""
    return None if minutes is None else max(minutes, 1)


def _written(kind: str, labels: Sequence[str], series: Sequence[dict[str, Any]], **more: str | list[str]) -> str:
    """As JSON, empty where there is nothing to draw."""
    if not labels or not any(value is not None for one in series for value in one["values"]):
        return ""
    return json.dumps({"kind": kind, "labels": labels, "series": series, **more}, ensure_ascii=False)
