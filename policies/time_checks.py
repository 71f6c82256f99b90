"""What a policy must say about time: no level without a limit, rungs in order, nothing that overlaps,
no limit longer than a law allows.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import pairwise
from typing import Final

from policies.calendar import CalendarFault, Hours
from policies.faults import Where, one_of, shown
from policies.limits import Limit, LimitFault, Unit
from policies.notation import read_limit, read_span
from policies.reading import Plain, Reading
from policies.tree import all_there, at, entries, group, items, no_doubles, number, numbers, text, texts
from policies.vocabulary import CLOCKS, GIVEN_CLOCKS, LEVELS, PAUSING, RUNGS, Words
from policies.workdays import day_spans

_DAYS: Final = {Unit.MINUTES: 1 / 1440, Unit.HOURS: 1 / 24, Unit.DAYS: 1.0}
_AT_MOST: Final = (
    # Anti-Domestic-Violence Law art. 28: 72 hours, 24 in urgent cases.
    ("protection.court_answer", 3.0, Words("法律规定至多 72h", "the law says 72h at most")),
    ("protection.court_answer_urgent", 1.0, Words("法律规定至多 24h", "the law says 24h at most")),
)
_AT_LEAST: Final = (
    (
        ("retention", "processing_records", "years"),
        3,
        Words("法律规定至少 3 年", "the law says 3 years at least"),
    ),
    (("retention", "logs", "months"), 6, Words("法律规定至少 6 个月", "the law says 6 months at least")),
    (
        ("retention", "medical_records", "years"),
        30,
        Words("法律规定至少 30 年", "the law says 30 years at least"),
    ),
)


def check_times(reading: Reading) -> None:
    """Note every fault about time in the reading."""
    for check in (_limits, _pauses, _ladder, _hours_of_work, _tables, _rhythm, _legal_bounds, _term):
        check(reading)


def _limits(reading: Reading) -> None:
    section = group(at(reading.tree, "limits"))
    all_there(reading, ("limits",), section, CLOCKS, Words("时限", "limit"))
    all_there(reading, ("given",), group(at(reading.tree, "given")), GIVEN_CLOCKS, Words("条目", "entry"))
    for where, one in entries(reading.tree, "limits"):
        if ("every_level" in one) == ("levels" in one):
            reading.fault(
                where,
                Words("every_level 和 levels 应恰有一个", "it needs exactly one of every_level and levels"),
                Words(
                    "所有等级相同用 every_level，否则用 levels",
                    "every_level where all are the same, else levels",
                ),
            )
        by_level = one.get("levels")
        if isinstance(by_level, dict):
            _gaps(reading, (*where, "levels"), by_level)


def _gaps(reading: Reading, where: Where, by_level: dict[str, Plain]) -> None:
    for level in LEVELS:
        if level not in by_level:
            reading.fault(
                where,
                Words(f"等级 {level} 没有时限", f"the level {level} has no limit"),
                Words(
                    f"补上 {level}: 时限；确实不设则写 {level}: none",
                    f"add {level}: and a limit, or {level}: none where it has none",
                ),
            )


def _pauses(reading: Reading) -> None:
    """The engine's moves pause the clocks; a policy that said otherwise would only mislead its readers."""
    section = group(at(reading.tree, "pauses"))
    all_there(reading, ("pauses",), section, PAUSING, Words("暂停条目", "pause"))
    for where, one in entries(reading.tree, "pauses"):
        known = PAUSING.get(str(where[-1]), ())
        states = texts(one, "while")
        for place, state in enumerate(states):
            if known and state not in known:
                reading.fault(
                    (*where, "while", place),
                    Words(
                        f"这个时限不会在 {shown(state)} 时暂停",
                        f"this clock can't pause while {shown(state)}",
                    ),
                    one_of(known, state),
                )
        all_there(reading, (*where, "while"), states, known, Words("状态", "state"))
        no_doubles(reading, (*where, "while"), states)


def _ladder(reading: Reading) -> None:
    last = 0
    seen: set[str] = set()
    percents: list[int] = []
    for where, one in entries(reading.tree, "ladder"):
        percent, name = number(one, "percent"), text(one, "name")
        if percent is not None:
            if percent <= last:
                reading.fault(
                    (*where, "percent"),
                    Words(f"{percent}% 没有排在 {last}% 之后", f"{percent} % doesn't come after {last} %"),
                    Words("百分比从小到大，互不相同", "percentages rise, each once"),
                )
            last = max(last, percent)
            percents.append(percent)
            if percent == 100 and name is not None and name != "breached":
                reading.fault(
                    (*where, "name"),
                    Words("100% 的梯级不叫 breached", "the rung at 100 % isn't called breached"),
                    Words("写 name: breached", "write name: breached"),
                )
        if name is not None and name in seen:
            reading.fault(
                (*where, "name"),
                Words(f"已有名为 {shown(name)} 的梯级", f"there is a rung {shown(name)} already"),
                Words("各梯级的名称不同", "give each rung a name of its own"),
            )
        elif name is not None and name not in RUNGS:
            reading.fault(
                (*where, "name"),
                Words(f"没有名为 {shown(name)} 的梯级", f"there is no rung called {shown(name)}"),
                one_of(RUNGS, name),
            )
        seen.add(name or "")
        no_doubles(reading, (*where, "tells"), texts(one, "tells"))
    if percents and 100 not in percents:
        reading.fault(
            ("ladder",),
            Words("没有 100% 的梯级", "no rung stands at 100 %"),
            Words("补上 percent: 100, name: breached", "add percent: 100, name: breached"),
        )


def _hours_of_work(reading: Reading) -> None:
    spans: list[Hours] = []
    for span in texts(at(reading.tree, "working_hours"), "spans"):
        try:
            spans.append((read_span(span),))
        except ValueError:
            return  # The shape names it.
    try:
        day_spans(tuple(one for span in spans for one in span))
    except CalendarFault as fault:
        if spans:
            reading.fault(
                ("working_hours", "spans"),
                Words("工作时段重叠或次序颠倒", "the spans overlap, or don't rise"),
                Words(fault.text["zh_CN"], fault.text["en"]),
            )


def _tables(reading: Reading) -> None:
    years: dict[int, str] = {}
    for where, one in entries(reading.tree, "calendars"):
        year, table = number(one, "year"), text(one, "table") or "?"
        if year is None:
            continue
        if year in years:
            reading.fault(
                (*where, "year"),
                Words(
                    f"{year} 年已有日历表 {shown(years[year])}",
                    f"{year} has the table {shown(years[year])} already",
                ),
                Words("每年只用一张表", "one table for each year"),
            )
        years[year] = table


def _rhythm(reading: Reading) -> None:
    rhythm = at(reading.tree, "rhythm")
    for side in ("school", "hospital"):
        weeks = numbers(rhythm, side)
        if any(late <= early for early, late in pairwise(weeks)):
            reading.fault(
                ("rhythm", side),
                Words("周次没有从小到大，或有重复", "the weeks don't rise, or one stands twice"),
                Words("从小到大，每周一次", "rising, each week once"),
            )
    alone = [week for week in numbers(rhythm, "hospital") if week not in numbers(rhythm, "school")]
    if alone and numbers(rhythm, "school"):
        those = ", ".join(map(str, alone))
        reading.fault(
            ("rhythm", "hospital"),
            Words(f"第 {those} 周没有学校的随访", f"the school has no round in week {those}"),
            Words("医院只参加学校已有的周次", "the hospital joins rounds of the school"),
        )
    last = 0
    for place, one in enumerate(items(rhythm, "attendance")):
        weeks = numbers(one, "weeks")
        if len(weeks) == 2:
            if not last < weeks[0] <= weeks[1]:
                reading.fault(
                    ("rhythm", "attendance", place, "weeks"),
                    Words("周次重叠或颠倒", "the weeks overlap, or don't rise"),
                    Words(f"从第 {last + 1} 周起，先早后晚", f"from week {last + 1} on, the earlier first"),
                )
            last = max(last, weeks[1])


def _legal_bounds(reading: Reading) -> None:
    for name, most, right in _AT_MOST:
        for where, written in _written_limits(reading.tree, name):
            if isinstance(written, str) and (_days(written) or 0) > most:
                reading.fault(
                    where,
                    Words(f"{shown(written)} 超过法定时限", f"{shown(written)} is longer than the law allows"),
                    right,
                )
    months = number(at(at(reading.tree, "windows"), "protection_max_months"), "value")
    if months is not None and not 1 <= months <= 6:
        reading.fault(
            ("windows", "protection_max_months", "value"),
            Words(f"{months} 个月不合法", f"{months} months aren't lawful"),
            Words("保护令有效期至多 6 个月", "a protection order lasts 6 months at most"),
        )
    for where, least, right in _AT_LEAST:
        years = number(at(at(reading.tree, str(where[0])), str(where[1])), str(where[2]))
        if years is not None and years < least:
            reading.fault(where, Words(f"{years} 太短", f"{years} is too short"), right)


def _written_limits(tree: Plain, name: str) -> Iterator[tuple[Where, Plain]]:
    entry = group(at(at(tree, "limits"), name))
    yield ("limits", name, "every_level"), entry.get("every_level")
    for level, written in group(entry.get("levels")).items():
        yield ("limits", name, "levels", level), written


def _days(written: str) -> float | None:
    """A limit's length in days; None where it can't be read.

    A working day may take longer than a day, so a limit in working time is never within a law's hours.
    """
    try:
        limit = read_limit(written)
    except LimitFault:
        return None
    if not isinstance(limit, Limit):
        return None
    return limit.amount * _DAYS[limit.unit] if limit.unit in _DAYS else float("inf")


def _term(reading: Reading) -> None:
    first, last = at(reading.tree, "effective_from"), at(reading.tree, "effective_until")
    if isinstance(first, date) and isinstance(last, date) and last < first:
        reading.fault(
            ("effective_until",),
            Words(f"早于生效日 {first}", f"it is before effective_from, {first}"),
            Words("写更晚的日期，或去掉这一行", "write a later day, or leave it out"),
        )
