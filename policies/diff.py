"""Two policy versions → what changed between them, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import chain
from typing import TYPE_CHECKING, Final, Literal

from policies.faults import Where, path_text
from policies.limits import Limit, LimitFault, SameDay, parse_limit
from policies.reading import Plain, read
from policies.vocabulary import LEVELS, Words

if TYPE_CHECKING:
    from policies.book import Book

Kind = Literal["added", "removed", "changed"]

_NONE: Final = Words("不设", "none")
_SECTIONS: Final[Mapping[str, Words]] = {
    "version": Words("版本", "version"),
    "title": Words("标题", "title"),
    "effective_from": Words("生效日", "in force from"),
    "effective_until": Words("失效日", "in force until"),
    "timezone": Words("时区", "time zone"),
    "sources": Words("依据", "source"),
    "levels": Words("等级", "level"),
    "concerns": Words("事由", "concern"),
    "limits": Words("时限", "limit"),
    "given": Words("另行给定的时限", "clock with a given due time"),
    "pauses": Words("暂停", "pause"),
    "ladder": Words("梯级", "rung"),
    "working_hours": Words("工作时间", "working hours"),
    "calendars": Words("日历表", "calendar table"),
    "rhythm": Words("随访节奏", "rhythm of check-ins"),
    "leave": Words("休学", "leave"),
    "sight": Words("可见范围", "sight"),
    "windows": Words("期限与次数", "window"),
    "programmes": Words("指导项目", "programme"),
    "statutory": Words("法定报告情形", "statutory trigger"),
    "scales": Words("量表", "scale"),
    "reserved": Words("法定专属动作", "reserved trigger"),
    "sealing": Words("加密", "sealing"),
    "retention": Words("保存期限", "retention"),
}


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. `field` is its path in the file; `before` and `after` are None where nothing stood."""

    kind: Kind
    section: str
    field: str
    before: Words | None
    after: Words | None
    text: Words

    def as_dict(self) -> dict[str, object]:
        """Plain facts, for `--json`."""
        return {
            "kind": self.kind,
            "section": self.section,
            "field": self.field,
            "before": self.before._asdict() if self.before is not None else None,
            "after": self.after._asdict() if self.after is not None else None,
            "text": self.text._asdict(),
        }


def diff(before: Book, after: Book) -> tuple[Change, ...]:
    """Every difference between two versions, in the order of the file; empty only when they say the same.

    The version's own name isn't a change. Where only the writing differs (a limit written once for every
    level, or four times), there is one change that says so.
    """
    was, becomes = (read(book.source_text, book.version).tree for book in (before, after))
    old, new = _flat(was), _flat(becomes)
    titles = _titles(new) | _titles(old)
    found = [
        _change(where, old.get(where), new.get(where), titles)
        for where in _in_order(old, new)
        if old.get(where) != new.get(where) and not _told_otherwise(where)
    ]
    found = [*_whole(found, old, new, titles), *_orders(was, becomes, titles)]
    order = list(_SECTIONS)
    found = sorted((*found, *_limits(before, after)), key=lambda one: order.index(one.section))
    if not found and before.digest != after.digest:
        said = Words("写法不同，含义相同", "written differently, with the same meaning")
        return (Change("changed", "version", "", None, None, said),)
    return tuple(found)


def _told_otherwise(where: Where) -> bool:
    return where == ("version",) or (where[0] == "limits" and len(where) > 2 and where[2] in {"every_level", "levels"})


Flat = dict[Where, Plain]


def _flat(tree: Plain, where: Where = ()) -> Flat:
    """Every single value by its path; entries of lists by their own name, so that order doesn't count."""
    if isinstance(tree, dict):
        inner: Iterator[tuple[str | int, Plain]] = iter(tree.items())
    elif isinstance(tree, tuple) and any(isinstance(one, dict) for one in tree):
        inner = ((_own_name(one, place), one) for place, one in enumerate(tree))
    else:
        return {where: tree}
    found: Flat = {}
    for name, value in inner:
        found |= _flat(value, (*where, name))
    return found


def _own_name(entry: Plain, place: int) -> str | int:
    if not isinstance(entry, dict):
        return place
    for name in ("code", "name", "table"):
        if isinstance(entry.get(name), str):
            return str(entry[name])
    who = entry.get("who")
    if isinstance(who, tuple):
        return f"{', '.join(map(str, who))} ({entry.get('when', 'always')})"
    return place


def _in_order(old: Flat, new: Flat) -> Iterator[Where]:
    return iter(dict.fromkeys(chain(old, new)))


def _titles(flat: Flat) -> dict[Where, Words]:
    """What people call the entries that have a label."""
    found: dict[Where, Words] = {}
    for where, value in flat.items():
        if len(where) == 4 and where[2:] == ("label", "zh_CN"):
            english = flat.get((*where[:3], "en"))
            found[where[:2]] = Words(str(value), str(english))
    return found


def _change(where: Where, old: Plain, new: Plain, titles: Mapping[Where, Words]) -> Change:
    before, after = (None if one is None else _said(one) for one in (old, new))
    kind: Kind = "added" if before is None else "removed" if after is None else "changed"
    name = _name(where, titles)
    return Change(kind, str(where[0]), path_text(where), before, after, _sentence(name, before, after))


def _name(where: Where, titles: Mapping[Where, Words]) -> Words:
    section = _SECTIONS[str(where[0])]
    if len(where) == 1:
        return section
    called = titles.get(where[:2])
    entry = Words(f"“{called.zh_CN}”", f'"{called.en}"') if called else Words(str(where[1]), str(where[1]))
    rest = path_text(where[2:])
    return Words(
        f"{section.zh_CN} {entry.zh_CN}{' · ' + rest if rest else ''}",
        f"{section.en} {entry.en}{', ' + rest if rest else ''}",
    )


def _sentence(name: Words, before: Words | None, after: Words | None) -> Words:
    if before is None and after is not None:
        return Words(f"{name.zh_CN}：新增 {after.zh_CN}", f"{name.en}: new, {after.en}")
    if after is None and before is not None:
        return Words(f"{name.zh_CN}：删去（原为 {before.zh_CN}）", f"{name.en}: gone (it was {before.en})")
    old, new = before or _NONE, after or _NONE
    return Words(f"{name.zh_CN}：{old.zh_CN} → {new.zh_CN}", f"{name.en}: {old.en} → {new.en}")


def _said(value: Plain) -> Words:
    if isinstance(value, bool):
        return Words("是", "yes") if value else Words("否", "no")
    if isinstance(value, tuple):
        inner = [_said(one) for one in value]
        if not inner:
            return Words("（空）", "(nothing)")
        return Words("、".join(one.zh_CN for one in inner), ", ".join(one.en for one in inner))
    if isinstance(value, str):
        try:
            return _limit_said(parse_limit(value))
        except LimitFault:
            pass
    text = value.isoformat() if isinstance(value, date) else str(value)
    return Words(text, text)


def _limit_said(limit: Limit | SameDay | None) -> Words:
    return _NONE if limit is None else Words(limit.in_words("zh_CN"), limit.in_words("en"))


def _whole(found: list[Change], old: Flat, new: Flat, titles: Mapping[Where, Words]) -> list[Change]:
    """Entries that came or went are told as one change each, not field by field."""
    here, there = ({where[:2] for where in flat if len(where) > 2} for flat in (old, new))
    told: list[Change] = []
    for entries, kind, zh, en in (
        (sorted(here - there, key=str), "removed", "删去", "gone"),
        (sorted(there - here, key=str), "added", "新增", "new"),
    ):
        for where in entries:
            name = _name(where, titles)
            before, after = (name, None) if kind == "removed" else (None, name)
            text = Words(f"{zh}：{name.zh_CN}", f"{en}: {name.en}")
            told.append(
                Change(
                    "removed" if kind == "removed" else "added",
                    str(where[0]),
                    path_text(where),
                    before,
                    after,
                    text,
                )
            )
    gone = {change.field for change in told}
    return told + [one for one in found if not any(one.field.startswith(f"{entry}.") for entry in gone)]


def _orders(old: Plain, new: Plain, titles: Mapping[Where, Words]) -> Iterator[Change]:
    """Lists with the same entries in another order: of two bands of a triage the first one counts."""
    before, after = _names(old, ()), _names(new, ())
    for where, names in before.items():
        others = after.get(where, ())
        if names != others and sorted(names) == sorted(others):
            name = _name(where, titles)
            what = Words(f"{name.zh_CN}（次序）", f"{name.en} (order)")
            was, becomes = _said(names), _said(others)
            text = _sentence(what, was, becomes)
            yield Change("changed", str(where[0]), path_text(where), was, becomes, text)


def _names(tree: Plain, where: Where) -> dict[Where, tuple[str, ...]]:
    """For every list of entries: their own names, in order."""
    found: dict[Where, tuple[str, ...]] = {}
    if isinstance(tree, dict):
        for name, value in tree.items():
            found |= _names(value, (*where, name))
    elif isinstance(tree, tuple) and any(isinstance(one, dict) for one in tree):
        found[where] = tuple(str(_own_name(one, place)) for place, one in enumerate(tree))
    return found


def _limits(before: Book, after: Book) -> Iterator[Change]:
    for name in before.limits:
        label = after.limit_label(name)
        for level in LEVELS:
            old, new = before.limit(name, level), after.limit(name, level)
            if old == new:
                continue
            colour = after.levels[level].label
            what = Words(f"时限 “{label.zh_CN}”（{colour.zh_CN}）", f'limit "{label.en}" ({colour.en})')
            was, becomes = _limit_said(old), _limit_said(new)
            yield Change(
                "changed",
                "limits",
                f"limits.{name}.levels.{level}",
                was,
                becomes,
                _sentence(what, was, becomes),
            )
