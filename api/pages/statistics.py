"""统计: the indicators for district and school assessment, by month, district and organisation, with their lists."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any, Final

from fastapi import APIRouter
from starlette.responses import Response

from api.given import number_of
from api.pages import plotted, words
from api.pages.board import attachment
from api.pages.frame import Framed, Page
from api.pages.measured import FEW, KEPT, MEANT, NONE, SHORT, Row, Writer, address, list_address, month_name
from api.pages.parts import level_word
from api.tables import Cell, Sheet, to_workbook
from cases import behind, statistics
from cases.figures import Figure, all_times, week
from cases.indicators import BY_CODE, INDICATORS
from cases.office import Session
from cases.statistics import Told, Wanted

router = APIRouter(include_in_schema=False)
ON_A_PAGE: Final = 50
_KIND_OF_XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@router.get("/statistics")
def shown(page: Framed) -> Response:
    """The figures of one place. The last twelve months where none are asked for."""
    wanted = wanted_of(page)
    with page.reading() as session:
        told = statistics.tell(session, page.reader.actor, wanted)
        wanted = replace(wanted, place=told.place.id)
        writer = Writer(page, wanted, told.listed)
        by = page.request.query_params.get("by", "")
        by = by if by in BY_CODE else "report_in"
        kinds = sorted({one.kind for one in told.below})
        kind = page.request.query_params.get("kind", "")
        kind = kind if kind in kinds else ""
        lines = [one for one in told.below if not kind or one.kind == kind]
        below = [_row(writer, wanted, told, one) for one in lines]
        facts: dict[str, Any] = {
            "told": told,
            "wanted": wanted,
            "here": f"/statistics?{address(wanted)}",
            "xlsx": f"/statistics.xlsx?{address(wanted)}",
            "from_month": month_name(wanted.first),
            "to_month": month_name(wanted.last),
            "today": month_name(_today(page)),
            "places": statistics.choices(session, page.reader.actor, told.place),
            "up": _up(session, page, told, wanted),
            "heads": [(one.code, page.say(SHORT[one.code]), page.say(MEANT[one.code])) for one in INDICATORS],
            "whole": list(zip(INDICATORS, writer.cells(told.whole), strict=True)),
            "months": _months(writer, wanted, told),
            "below": below,
            "times": writer.times(all_times(told.sums)),
            "medians": [writer.length(one.times.median) if not one.times.few else FEW for one in lines],
            "week": _week(writer, wanted, told),
            "by": by,
            "kind": kind,
            "kinds": [(one, page.word(words.KINDS[one])) for one in kinds] if len(kinds) > 1 else [],
            "narrowed": lambda **more: f"/statistics?{address(wanted, **{'by': by, 'kind': kind, **more})}",
            "charts": {
                "months": plotted.months(page, told),
                "below": plotted.below(page, lines, by),
                "times": plotted.times(page, told),
                "week": plotted.week(page, told),
            },
        }
        return page.show("statistics.html", session, **facts)


@router.get("/statistics/cases")
def listed(page: Framed) -> Response:
    """The cases behind one figure, the newest first."""
    query = page.request.query_params
    wanted = wanted_of(page)
    code, part = query.get("of", ""), query.get("part", "all")
    hour = number_of(query.get("hour", ""))
    with page.reading() as session:
        found = behind.behind(
            session, page.reader.actor, page.reader.now, code, wanted,
            part=part, hour=hour, cursor=query.get("after") or None, most=ON_A_PAGE,
        )  # fmt: skip
        place, _ = statistics.whose(session, page.reader.actor, wanted.place)
        writer = Writer(page, wanted, listed=True)
        about = statistics.named(session, wanted.organisation) if wanted.organisation is not None else ""
        facts: dict[str, Any] = {
            "code": code,
            "title": page.say(SHORT[code]) if code in SHORT else page.say("Limits that were overrun"),
            "meant": page.say(MEANT[code]) if code in MEANT else "",
            "place": place.name,
            "about": about,
            "period": _period(wanted),
            "rows": [(one, level_word(page, session.office.book_of(one.policy), one.level), _value(writer, code, one))
                     for one in found.items],
            "parts": [(one, label, list_address(code, wanted, part=one, hour=query.get("hour", "")))
                      for one, label in _parts(page, code)],
            "part": part,
            "more": f"{list_address(code, wanted, part=part, hour=query.get('hour', ''))}&after={found.next}"
                    if found.next else "",
            "back": f"/statistics?{address(wanted)}",
        }  # fmt: skip
        return page.show("statistics_cases.html", session, **facts)


@router.get("/statistics.xlsx")
def taken_home(page: Framed) -> Response:
    """The same tables, a sheet each; what is kept back on the page is kept back here too."""
    wanted = wanted_of(page)
    with page.reading() as session:
        told = statistics.tell(session, page.reader.actor, wanted)
    writer = Writer(page, wanted, listed=False)
    heads = [page.say(SHORT[one.code]) for one in INDICATORS]
    of = page.say("of how many")
    doubled = [each for head in heads for each in (head, f"{head}: {of}")]
    widths = (28, *(16 for _ in doubled))
    together = [("", page.say("Together"), told.whole)]
    months = [("", month_name(month), figures) for month, figures in told.months]
    below = [(page.word(words.KINDS[one.kind]), one.name, one.figures) for one in told.below]
    sheets = [
        Sheet(page.say("Together and by month"), [page.say("Month"), *doubled],
              [[name, *_plain(page, figures)] for _, name, figures in [*together, *months]], widths),
        Sheet(_below_title(page, told), [page.say("Name"), page.say("Kind"), *doubled],
              [[name, kind, *_plain(page, figures)] for kind, name, figures in below], (28, 14, *widths[1:])),
        Sheet(page.say("How long it took"), [page.say("Step"), *_time_heads(page)],
              [[name, count, *three] for name, count, three in writer.times(all_times(told.sums))], (20, *(16,) * 4)),
        Sheet(page.say("Overrun by weekday and hour"), [page.say("Day"), *(f"{hour:02}" for hour in range(24))],
              [[day, *(FEW if one.few else one.of or 0 for one in row)]
               for day, row in zip(plotted.days(page), week(told.sums), strict=True)], (8, *(5,) * 24)),
        Sheet(page.say("What the figures mean"), [page.say("Figure"), page.say("Meaning")],
              [[page.say(SHORT[one.code]), page.say(MEANT[one.code])] for one in INDICATORS], (28, 120)),
    ]  # fmt: skip
    called = page.say("statistics")
    name = f"{called}-{month_name(wanted.first)}-{month_name(wanted.last)}.xlsx"
    return attachment(to_workbook(sheets), name, _KIND_OF_XLSX)


def wanted_of(page: Page) -> Wanted:
    """What the address asks for; what it says that can't be is as if it weren't said."""
    query = page.request.query_params
    first, last = statistics.period(_month(query.get("from", "")), _month(query.get("to", "")), _today(page))
    return Wanted(first, last, number_of(query.get("place", "")), number_of(query.get("organisation", "")))


def _today(page: Page) -> date:
    return page.reader.now.astimezone(page.tongue.zone).date().replace(day=1)


def _month(text: str) -> date | None:
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError:
        return None


def _period(wanted: Wanted) -> str:
    first, last = month_name(wanted.first), month_name(wanted.last)
    return first if first == last else f"{first} – {last}"


def _up(session: Session, page: Page, told: Told, wanted: Wanted) -> tuple[str, str] | None:
    """From an organisation back to the place, from a place to the one above where the reader has it too."""
    if told.about is not None:
        return told.place.name, f"/statistics?{address(replace(wanted, organisation=None))}"
    above = told.place.district_id if told.place.kind == "school" else told.place.city_id
    if above is None or above == told.place.id or not statistics.overseen(session, page.reader.actor, above):
        return None
    return statistics.named(session, above), f"/statistics?{address(replace(wanted, place=above))}"


def _row(writer: Writer, wanted: Wanted, told: Told, line: statistics.Line) -> Row:
    """A district leads to its own page, an organisation to what concerns it in this place."""
    city = told.place.kind == "city"
    narrowed = replace(wanted, place=line.number) if city else replace(wanted, organisation=line.number)
    cells = writer.cells(line.figures, narrowed)
    return Row(line.name, f"/statistics?{address(narrowed)}", writer.page.word(words.KINDS[line.kind]), cells)


def _months(writer: Writer, wanted: Wanted, told: Told) -> list[Row]:
    rows = []
    for month, figures in told.months:
        narrowed = replace(wanted, first=month, last=month)
        cells = writer.cells(figures, narrowed)
        rows.append(Row(month_name(month), f"/statistics?{address(narrowed)}", "", cells))
    return rows


def _week(writer: Writer, wanted: Wanted, told: Told) -> list[tuple[str, list[tuple[str, str]]]]:
    """Each day with its hours: the count, and its list."""
    found = []
    for day, (name, cells) in enumerate(zip(plotted.days(writer.page), week(told.sums), strict=True)):
        row = []
        for hour, one in enumerate(cells):
            href = ""
            if writer.listed and one.of:
                href = list_address(behind.BREACHES, wanted, hour=day * 24 + hour)
            row.append((FEW if one.few else str(one.of or NONE), href))
        found.append((name, row))
    return found


def _parts(page: Page, code: str) -> list[tuple[str, str]]:
    """What a list can be narrowed to; of whistles and breaches there is only one kind."""
    if code in {"whistles", behind.BREACHES}:
        return []
    yes, no = {
        "score": (page.say("4 or 5 points"), page.say("3 points or fewer")),
        "orders": (page.say("Orders"), page.say("Assignments")),
        "response": (page.say("Somebody came"), page.say("Nobody came")),
        "resolution": (page.say("Solved"), page.say("In part or not")),
        "family": (page.say("Satisfied"), page.say("Not satisfied")),
        "returned": (page.say("Back in time"), page.say("Not back in time")),
        "relapsed": (page.say("Relapsed"), page.say("No relapse")),
        "check_ins": (page.say("Complete"), page.say("Not complete")),
    }.get(code, (page.say("In time"), page.say("Late")))
    return [("all", page.say("All")), ("yes", yes), ("no", no)]


def _value(writer: Writer, code: str, one: behind.Behind) -> tuple[str, str]:
    """Whether it was so, and how long or how much."""
    page = writer.page
    said = "" if code in {"whistles", behind.BREACHES} else dict(_parts(page, code))["yes" if one.hit else "no"]
    if one.value is None:
        return said, ""
    if code == "score":
        return "", f"{one.value} / 5"
    if code == behind.BREACHES:
        return "", f"{plotted.days(page)[one.value // 24]} {one.value % 24:02}:00"
    return said, writer.length(one.value)


def _plain(page: Page, figures: dict[str, Figure] | Any) -> list[Cell]:  # noqa: ANN401
    """Numbers as a spreadsheet reckons with them."""
    found: list[Cell] = []
    for one in INDICATORS:
        figure = figures[one.code]
        value = round(figure.value, 2) if figure.value is not None else None
        kept = FEW if figure.few else page.say(KEPT)
        found += [kept, kept] if figure.kept else [value, figure.of]
    return found


def _time_heads(page: Page) -> list[str]:
    return [page.say("Count"), page.say("Median"), page.say("75 in 100 within"), page.say("90 in 100 within")]


def _below_title(page: Page, told: Told) -> str:
    return page.say("By district") if told.place.kind == "city" else page.say("By organisation")
