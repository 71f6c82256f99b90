"""What the parts of a policy must say together: no gap, no second lead, nothing that a law forbids.

The checks look at the plain tree, not at the typed shape, so that they find their faults even where another
part of the file is faulty. Whatever has the wrong type they leave to the shape.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from policies.faults import Where, one_of, path_text, shown
from policies.reading import Plain, Reading
from policies.scale_checks import check_scales
from policies.time_checks import check_times
from policies.tree import all_there, at, entries, group, no_doubles, number, text, texts
from policies.vocabulary import LAWFUL, LEVELS, STATUTORY, Words


def check_rules(reading: Reading) -> None:
    """Note every fault between the parts of a file in its reading."""
    for check in (
        _bases, _levels, _concerns, check_times, _sight, _programmes, _statutory, check_scales, _reserved,
    ):  # fmt: skip
        check(reading)


def _bases(reading: Reading) -> None:
    known = tuple(group(at(reading.tree, "sources")))
    for where, name in _named_bases(reading.tree, ()):
        if name not in known:
            reading.fault(
                where,
                Words(f"sources 中没有“{shown(name)}”", f'there is no "{shown(name)}" in sources'),
                one_of(known, name),
            )


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
    all_there(reading, ("levels",), section, LEVELS, Words("等级", "level"))
    ranks = [(level, rank) for level in LEVELS if (rank := number(section.get(level), "rank")) is not None]
    for (graver, high), (level, low) in pairwise(ranks):
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
            reading.fault(
                (*where, "support"),
                Words(f"{shown(lead)} 已是主办，不能又是协办", f"{shown(lead)} leads already"),
                Words("从 support 中去掉它", "leave it out of support"),
            )
        no_doubles(reading, (*where, "support"), support)
        no_doubles(reading, (*where, "opens"), texts(one, "opens"))


def _sight(reading: Reading) -> None:
    seen: dict[tuple[str, str], Where] = {}
    for where, one in entries(reading.tree, "sight"):
        when = text(one, "when") or "always"
        for place, who in enumerate(texts(one, "who")):
            if (who, when) in seen:
                reading.fault(
                    (*where, "who", place),
                    Words(
                        f"{shown(who)} 已在 {path_text(seen[who, when])} 中",
                        f"{shown(who)} stands in {path_text(seen[who, when])} already",
                    ),
                    Words("每个对象在同一情形下只写一次", "name each once for an occasion"),
                )
            seen[who, when] = where


def _programmes(reading: Reading) -> None:
    seen: dict[str, Where] = {}
    for where, one in entries(reading.tree, "programmes"):
        label = one.get("label")
        for said in (text(one, "code"), text(label, "zh_CN"), text(label, "en")):
            if said is not None and seen.get(said, where) != where:
                reading.fault(
                    where,
                    Words(f"“{shown(said)}”重复", f'"{shown(said)}" stands twice'),
                    Words("每个项目的代码和名称各不相同", "give each programme a code and names of its own"),
                )
            if said is not None:
                seen.setdefault(said, where)


def _statutory(reading: Reading) -> None:
    codes: list[str] = []
    for where, one in entries(reading.tree, "statutory"):
        code, item = text(one, "code"), number(one, "item")
        if code in codes:
            reading.fault(
                (*where, "code"),
                Words(f"{shown(code)} 重复", f"{shown(code)} stands twice"),
                Words("每种情形只写一次", "each once"),
            )
        elif code in STATUTORY and item is not None and item != STATUTORY.index(code) + 1:
            reading.fault(
                (*where, "item"),
                Words(f"{code} 不是第 {item} 项", f"{code} isn't item {item}"),
                Words(f"写 {STATUTORY.index(code) + 1}", f"write {STATUTORY.index(code) + 1}"),
            )
        codes += [code] if code is not None else []
    all_there(reading, ("statutory",), codes, STATUTORY, Words("法定报告情形", "statutory trigger"))


def _reserved(reading: Reading) -> None:
    section = group(at(reading.tree, "reserved"))
    all_there(reading, ("reserved",), section, LAWFUL, Words("法定专属动作", "trigger that a law reserves"))
    for where, one in entries(reading.tree, "reserved"):
        lawful = LAWFUL.get(str(where[-1]), ())
        kinds = texts(one, "kinds")
        no_doubles(reading, (*where, "kinds"), kinds)
        for place, kind in enumerate(kinds):
            if lawful and kind not in lawful:
                reading.fault(
                    (*where, "kinds", place),
                    Words(f"法律没有把这件事交给 {shown(kind)}", f"no law lets {shown(kind)} do this"),
                    one_of(lawful, kind),
                )
