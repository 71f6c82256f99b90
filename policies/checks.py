"""What the parts of a policy must say together: no gap, no second lead, rungs in order, nothing that a law forbids.

The checks look at the plain tree, not at the typed shape, so that they find their faults even where another part of
the file is faulty. Whatever has the wrong type they leave to the shape.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Final

from policies.calendar import CalendarFault, Hours
from policies.faults import Where, one_of, path_text, shown
from policies.limits import Limit, LimitFault, Unit
from policies.reading import Plain, Reading
from policies.scale_checks import check_scales
from policies.schema import read_limit, read_span
from policies.tree import at, entries, group, number, text, texts
from policies.vocabulary import CLOCKS, GIVEN_CLOCKS, LAWFUL, LEVELS, PAUSING, STATUTORY, Words
from policies.workdays import day_spans


def check_rules(reading: Reading) -> None:
    """Note every fault between the parts of a file in its reading."""
    for check in (_bases, _levels, _concerns, _limits, _pauses, _ladder, _hours_of_work, _tables, _rhythm, _sight,
                  _programmes, _statutory, check_scales, _reserved, _legal_bounds, _term):  # fmt: skip
        check(reading)


def _bases(reading: Reading) -> None:
    known = tuple(group(at(reading.tree, "sources")))
    for where, name in _named_bases(reading.tree, ()):
        if name not in known:
            reading.fault(where, Words(f"sources 中没有“{shown(name)}”", f'there is no "{shown(name)}" in sources'),
                          one_of(known, name))  # fmt: skip


def _named_bases(tree: Plain, where: Where) -> Iterator[tuple[Where, str]]:
    if isinstance(tree, dict):
        for name, value in tree.items():
            if name == "basis" and isinstance(value, str):
                yield (*where, name), value
            else:
                yield from _named_bases(value, (*where, name))
    elif isinstance(tree, tuple):
        for place, value in enumerate(tree):
            yield from _named_bases(value, (*where, place))


def _levels(reading: Reading) -> None:
    section = group(at(reading.tree, "levels"))
    _all_there(reading, ("levels",), section, LEVELS, Words("等级", "level"))
    ranks = [(level, rank) for level in LEVELS if (rank := number(section.get(level), "rank")) is not None]
    for (graver, high), (level, low) in zip(ranks, ranks[1:], strict=False):
        if low >= high:
            reading.fault(
                ("levels", level, "rank"),
                Words(f"{level} 的序位不低于 {graver}", f"{level} doesn't rank below {graver}"),
                Words("red 4，orange 3，yellow 2，blue 1", "red 4, orange 3, yellow 2, blue 1"),
            )


def _concerns(reading: Reading) -> None:
    for where, one in entries(reading.tree, "concerns"):
        lead, support = text(one, "lead"), texts(one, "support")
        if lead is not None and lead in support:
            reading.fault((*where, "support"), Words(f"{shown(lead)} 已是主办，不能又是协办", f"{shown(lead)} leads already"),
                          Words("从 support 中去掉它", "leave it out of support"))  # fmt: skip
        _no_doubles(reading, (*where, "support"), support)
        _no_doubles(reading, (*where, "opens"), texts(one, "opens"))


def _limits(reading: Reading) -> None:
    section = group(at(reading.tree, "limits"))
    _all_there(reading, ("limits",), section, CLOCKS, Words("时限", "limit"))
    _all_there(reading, ("given",), group(at(reading.tree, "given")), GIVEN_CLOCKS, Words("条目", "entry"))
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
                Words(f"补上 {level}: 时限；确实不设则写 {level}: none", f"add {level}: and a limit, or {level}: none where it has none"),
            )  # fmt: skip


def _pauses(reading: Reading) -> None:
    for where, one in entries(reading.tree, "pauses"):
        known = PAUSING.get(str(where[-1]), ())
        for place, state in enumerate(texts(one, "while")):
            if known and state not in known:
                reading.fault((*where, "while", place), Words(f"这个时限不会在 {shown(state)} 时暂停", f"this clock can't pause while {shown(state)}"),
                              one_of(known, state))  # fmt: skip


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
                reading.fault((*where, "name"), Words("100% 的一级不叫 breached", "the rung at 100 % isn't called breached"),
                              Words("写 name: breached", "write name: breached"))  # fmt: skip
        if name is not None and name in seen:
            reading.fault((*where, "name"), Words(f"已有名为 {shown(name)} 的一级", f"there is a rung {shown(name)} already"),
                          Words("每级的名称不同", "give each rung a name of its own"))  # fmt: skip
        seen.add(name or "")
        _no_doubles(reading, (*where, "tells"), texts(one, "tells"))
    if percents and 100 not in percents:
        reading.fault(("ladder",), Words("没有 100% 的一级", "no rung stands at 100 %"),
                      Words("补上 percent: 100, name: breached", "add percent: 100, name: breached"))  # fmt: skip


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
            reading.fault(("working_hours", "spans"), Words("工作时段重叠或次序颠倒", "the spans overlap, or don't rise"),
                          Words(fault.text["zh_CN"], fault.text["en"]))  # fmt: skip


def _tables(reading: Reading) -> None:
    years: dict[int, str] = {}
    for where, one in entries(reading.tree, "calendars"):
        year, table = number(one, "year"), text(one, "table") or "?"
        if year is None:
            continue
        if year in years:
            reading.fault((*where, "year"), Words(f"{year} 年已有日历表 {shown(years[year])}", f"{year} has the table {shown(years[year])} already"),
                          Words("每年只用一张表", "one table for each year"))  # fmt: skip
        years[year] = table


def _rhythm(reading: Reading) -> None:
    rhythm = at(reading.tree, "rhythm")
    for side in ("school", "hospital"):
        weeks = _numbers(rhythm, side)
        if any(late <= early for early, late in zip(weeks, weeks[1:], strict=False)):
            reading.fault(("rhythm", side), Words("周次没有从小到大，或有重复", "the weeks don't rise, or one stands twice"),
                          Words("从小到大，每周一次", "rising, each week once"))  # fmt: skip
    alone = [week for week in _numbers(rhythm, "hospital") if week not in _numbers(rhythm, "school")]
    if alone and _numbers(rhythm, "school"):
        weeks = ", ".join(map(str, alone))
        reading.fault(("rhythm", "hospital"), Words(f"第 {weeks} 周没有学校的随访", f"the school has no round in week {weeks}"),
                      Words("医院只参加学校已有的周次", "the hospital joins rounds of the school"))  # fmt: skip
    last = 0
    for place, one in enumerate(_tuple(at(rhythm, "attendance"))):
        weeks = _numbers(one, "weeks")
        if len(weeks) == 2:
            if not last < weeks[0] <= weeks[1]:
                reading.fault(("rhythm", "attendance", place, "weeks"), Words("周次重叠或颠倒", "the weeks overlap, or don't rise"),
                              Words(f"从第 {last + 1} 周起，先早后晚", f"from week {last + 1} on, the earlier first"))  # fmt: skip
            last = max(last, weeks[1])


def _sight(reading: Reading) -> None:
    seen: dict[tuple[str, str], Where] = {}
    for where, one in entries(reading.tree, "sight"):
        when = text(one, "when") or "always"
        for place, who in enumerate(texts(one, "who")):
            if (who, when) in seen:
                reading.fault((*where, "who", place), Words(f"{shown(who)} 已在 {path_text(seen[who, when])} 中", f"{shown(who)} stands in {path_text(seen[who, when])} already"),
                              Words("每个对象在同一情形下只写一次", "name each once for an occasion"))  # fmt: skip
            seen[who, when] = where


def _programmes(reading: Reading) -> None:
    seen: dict[str, Where] = {}
    for where, one in entries(reading.tree, "programmes"):
        label = one.get("label")
        for said in (text(one, "code"), text(label, "zh_CN"), text(label, "en")):
            if said is not None and seen.get(said, where) != where:
                reading.fault(where, Words(f"“{shown(said)}”重复", f'"{shown(said)}" stands twice'),
                              Words("每个项目的代码和名称各不相同", "give each programme a code and names of its own"))  # fmt: skip
            if said is not None:
                seen.setdefault(said, where)


def _statutory(reading: Reading) -> None:
    codes: list[str] = []
    for where, one in entries(reading.tree, "statutory"):
        code, item = text(one, "code"), number(one, "item")
        if code in codes:
            reading.fault((*where, "code"), Words(f"{shown(code)} 重复", f"{shown(code)} stands twice"),
                          Words("每种情形只写一次", "each once"))  # fmt: skip
        elif code in STATUTORY and item is not None and item != STATUTORY.index(code) + 1:
            reading.fault((*where, "item"), Words(f"{code} 不是第 {item} 项", f"{code} isn't item {item}"),
                          Words(f"写 {STATUTORY.index(code) + 1}", f"write {STATUTORY.index(code) + 1}"))  # fmt: skip
        codes += [code] if code is not None else []
    _all_there(reading, ("statutory",), codes, STATUTORY, Words("法定报告情形", "statutory trigger"))


def _reserved(reading: Reading) -> None:
    section = group(at(reading.tree, "reserved"))
    _all_there(reading, ("reserved",), section, LAWFUL, Words("法定专属动作", "trigger that a law reserves"))
    for where, one in entries(reading.tree, "reserved"):
        lawful = LAWFUL.get(str(where[-1]), ())
        kinds = texts(one, "kinds")
        _no_doubles(reading, (*where, "kinds"), kinds)
        for place, kind in enumerate(kinds):
            if lawful and kind not in lawful:
                reading.fault((*where, "kinds", place), Words(f"法律没有把这件事交给 {shown(kind)}", f"no law lets {shown(kind)} do this"),
                              one_of(lawful, kind))  # fmt: skip


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


def _legal_bounds(reading: Reading) -> None:
    for name, most, right in _AT_MOST:
        for where, written in _written_limits(reading.tree, name):
            if isinstance(written, str) and (_days(written) or 0) > most:
                reading.fault(
                    where,
                    Words(
                        f"{shown(written)} 超过法定时限", f"{shown(written)} is longer than the law allows"
                    ),
                    right,
                )
    months = number(at(at(reading.tree, "windows"), "protection_max_months"), "value")
    if months is not None and not 1 <= months <= 6:
        reading.fault(("windows", "protection_max_months", "value"), Words(f"{months} 个月不合法", f"{months} months aren't lawful"),
                      Words("保护令有效期至多 6 个月", "a protection order lasts 6 months at most"))  # fmt: skip
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
    """A limit's length in days, where it has one without a calendar; a working day may well take longer than a day,
    so a limit in working time is never within a law's hours.
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
        reading.fault(("effective_until",), Words(f"早于生效日 {first}", f"it is before effective_from, {first}"),
                      Words("写更晚的日期，或去掉这一行", "write a later day, or leave it out"))  # fmt: skip


def _all_there(
    reading: Reading, where: Where, there: Iterable[str], needed: Iterable[str], what: Words
) -> None:
    present = set(there)
    for name in needed:
        if name not in present:
            reading.fault(where, Words(f"缺少{what.zh_CN} {name}", f"the {what.en} {name} is missing"),
                          Words(f"补上 {name}", f"add {name}"))  # fmt: skip


def _no_doubles(reading: Reading, where: Where, words: tuple[str, ...]) -> None:
    for place, word in enumerate(words):
        if word in words[:place]:
            reading.fault((*where, place), Words(f"{shown(word)} 重复", f"{shown(word)} stands twice"),
                          Words("只写一次", "write it once"))  # fmt: skip


def _numbers(tree: Plain, name: str) -> tuple[int, ...]:
    return tuple(one for one in _tuple(at(tree, name)) if isinstance(one, int) and not isinstance(one, bool))


def _tuple(tree: Plain) -> tuple[Plain, ...]:
    return tree if isinstance(tree, tuple) else ()
