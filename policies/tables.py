"""Calendar tables: one YAML file a year, read strictly; every fault is named at once with its line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import NoReturn

import yaml

from policies.festivals import FIRST_YEAR, LAST_YEAR, Break, Mark
from policies.limits import Words

_SPAN = re.compile(r"(\d{4}-\d{2}-\d{2})(?:\s*\.\.\s*(\d{4}-\d{2}-\d{2}))?")
_SATURDAY = 5
#: A hundred times the size of a real table; a larger file isn't one.
_MOST_BYTES = 200_000

Node = yaml.nodes.Node


@dataclass(frozen=True, slots=True)
class TableFault:
    """One fault in a table: where, and in both languages what would be right."""

    file: str
    line: int
    field: str
    text: Words

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.field}: {self.text['en']}"


class CalendarFault(ValueError):
    """A calendar that can't be used as asked. `text` in both languages; `faults` when a table is to blame."""

    def __init__(self, zh: str, en: str, faults: tuple[TableFault, ...] = ()) -> None:
        super().__init__(en)
        self.text: Words = {"zh_CN": zh, "en": en}
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Table:
    """A year as published: days off, make-up workdays, those of kinds of organisation, school holidays."""

    year: int
    source: Words
    marks: tuple[Mark, ...]
    kinds: Mapping[str, tuple[Mark, ...]]
    breaks: tuple[Break, ...]
    file: str


def read_table(path: Path) -> Table:
    """Read a table file. Raises CalendarFault with every fault in it; also when it can't be opened."""
    try:
        if path.stat().st_size > _MOST_BYTES:
            _refuse(
                path.name,
                1,
                "",
                "文件太大，不像一张放假安排表。",
                "The file is too large to be a calendar table.",
            )
        text = path.read_text(encoding="utf-8")
    except OSError as fault:
        reason = fault.strerror or type(fault).__name__
        _refuse(path.name, 1, "", f"无法打开：{reason}。请检查路径和权限。", f"It can't be opened: {reason}.")
    except UnicodeDecodeError:
        _refuse(path.name, 1, "", "请以 UTF-8 编码保存此文件。", "Save the file in UTF-8.")
    return parse_table(text, path.name)


def parse_table(text: str, file: str) -> Table:
    """Read a table's text; `file` is the name that faults carry. Raises CalendarFault with every fault."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError, ValueError) as fault:
        mark = getattr(fault, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        _refuse(
            file,
            line,
            "",
            "不是有效的 YAML，请检查缩进、冒号和括号。",
            "This isn't valid YAML: check indentation, colons and brackets.",
        )
    reading = _Reading(file)
    table = reading.table(root)
    if reading.faults or table is None:
        raise _collected(tuple(sorted(reading.faults, key=lambda fault: fault.line)))
    return table


def _refuse(file: str, line: int, where: str, zh: str, en: str) -> NoReturn:
    raise _collected((TableFault(file, line, where or "-", {"zh_CN": zh, "en": en}),))


def _collected(faults: tuple[TableFault, ...]) -> CalendarFault:
    zh = "\n".join(f"{f.file} 第 {f.line} 行，{f.field}：{f.text['zh_CN']}" for f in faults)
    en = "\n".join(f"{f.file}, line {f.line}, {f.field}: {f.text['en']}" for f in faults)
    return CalendarFault(zh, en, faults)


@dataclass(slots=True)
class _Reading:
    """One pass over the nodes of a table; it goes on after a fault, so that all are named."""

    file: str
    faults: list[TableFault] = field(default_factory=list)

    def fault(self, node: Node | None, where: str, zh: str, en: str) -> None:
        line = node.start_mark.line + 1 if node is not None else 1
        self.faults.append(TableFault(self.file, line, where or "-", {"zh_CN": zh, "en": en}))

    def mapping(
        self, node: Node | None, where: str, needed: tuple[str, ...], allowed: tuple[str, ...] | None
    ) -> dict[str, Node]:
        """The fields of a mapping; unknown, doubled, missing ones are faults. `allowed` None allows any."""
        if not isinstance(node, yaml.MappingNode):
            names = "、".join(needed or allowed or ("…",))
            self.fault(
                node,
                where,
                f"这里应是“字段: 值”的形式（{names}）。",
                f"This should be a mapping with {names.replace('、', ', ')}.",
            )
            return {}
        found: dict[str, Node] = {}
        for key, value in node.value:
            name = str(key.value) if isinstance(key, yaml.ScalarNode) else "?"
            if allowed is not None and name not in allowed:
                known = ", ".join(allowed)
                self.fault(
                    key,
                    _at(where, name),
                    f"没有这个字段。可用的字段：{known}。",
                    f"There is no such field. Known are: {known}.",
                )
            elif name in found:
                self.fault(key, _at(where, name), "此字段重复，请只保留一个。", "It stands twice: keep one.")
            found[name] = value
        for name in needed:
            if name not in found:
                self.fault(node, _at(where, name), "缺少此字段。", "This field is missing.")
        return found

    def items(self, node: Node | None, where: str) -> list[Node]:
        if node is None:
            return []
        if not isinstance(node, yaml.SequenceNode):
            self.fault(node, where, "这里应是列表：[…]。", "This should be a list: […].")
            return []
        return list(node.value)

    def words(self, node: Node | None, where: str) -> Words:
        fields = self.mapping(node, where, ("zh_CN", "en"), ("zh_CN", "en"))
        said: Words = {}
        for language, value in fields.items():
            if not isinstance(value, yaml.ScalarNode) or not value.value.strip():
                self.fault(value, _at(where, language), "请填写文字。", "Write some text here.")
            else:
                said[language] = value.value.strip()
        return said

    def days(self, node: Node | None, where: str) -> list[tuple[date, Node]]:
        found: list[tuple[date, Node]] = []
        for i, item in enumerate(self.items(node, where)):
            span = self.span(item, f"{where}[{i}]")
            if span is not None:
                length = (span[1] - span[0]).days + 1
                found += [(span[0] + timedelta(days=n), item) for n in range(length)]
        return found

    def span(self, node: Node, where: str) -> tuple[date, date] | None:
        written = str(node.value) if isinstance(node, yaml.ScalarNode) else ""
        match = _SPAN.fullmatch(written.strip())
        try:
            first = date.fromisoformat(match[1]) if match else None
            last = date.fromisoformat(match[2]) if match and match[2] else first
        except ValueError:
            first = last = None
        if first is None or last is None or not 0 <= (last - first).days <= 92:
            self.fault(
                node,
                where,
                f"“{written}”不是日期。请写 2026-01-01 或 2026-01-01..2026-01-03（先早后晚）。",
                f'"{written}" isn\'t a day. Write 2026-01-01, or 2026-01-01..2026-01-03, the earlier first.',
            )
            return None
        return first, last

    def table(self, root: Node | None) -> Table | None:
        top = self.mapping(
            root,
            "",
            ("year", "source", "holidays"),
            ("year", "source", "holidays", "organisations", "school"),
        )
        year = self.year(top.get("year"))
        source = self.words(top["source"], "source") if "source" in top else {}
        marks: dict[date, Mark] = {}
        for i, node in enumerate(self.items(top.get("holidays"), "holidays")):
            where = f"holidays[{i}]"
            fields = self.mapping(node, where, ("name", "off"), ("name", "off", "workdays"))
            name = self.words(fields["name"], f"{where}.name") if "name" in fields else {}
            self.mark(marks, fields, where, year, name, source)
        kinds: dict[str, tuple[Mark, ...]] = {}
        own = top.get("organisations")
        for kind, node in (self.mapping(own, "organisations", (), None) if own is not None else {}).items():
            where = f"organisations.{kind}"
            fields = self.mapping(node, where, (), ("off", "workdays", "source"))
            reason = self.words(fields["source"], f"{where}.source") if "source" in fields else source
            there: dict[date, Mark] = {}
            self.mark(there, fields, where, year, {"zh_CN": "本单位安排", "en": "own arrangement"}, reason)
            kinds[kind] = tuple(there.values())
        breaks = self.breaks(top["school"]) if "school" in top else ()
        if year is None:
            return None
        return Table(year, source, tuple(marks.values()), kinds, breaks, self.file)

    def year(self, node: Node | None) -> int | None:
        if node is None:
            return None
        written = str(node.value) if isinstance(node, yaml.ScalarNode) else ""
        if re.fullmatch(r"\d{4}", written) and FIRST_YEAR <= int(written) <= LAST_YEAR:
            return int(written)
        self.fault(
            node,
            "year",
            f"“{written}”不是年份。请写 {FIRST_YEAR} 至 {LAST_YEAR} 之间的整数。",
            f'"{written}" isn\'t a year: write one from {FIRST_YEAR} to {LAST_YEAR}.',
        )
        return None

    def mark(
        self,
        marks: dict[date, Mark],
        fields: Mapping[str, Node],
        where: str,
        year: int | None,
        name: Words,
        source: Words,
    ) -> None:
        for key in ("off", "workdays"):
            place = f"{where}.{key}"
            for day, node in self.days(fields.get(key), place):
                # A holiday may begin in the last days of December or end in the first of January.
                if year is not None and not date(year, 1, 1) - timedelta(9) <= day <= date(year, 12, 31) + timedelta(9):
                    self.fault(node, place, f"{day} 不属于 {year} 年。", f"{day} doesn't belong to {year}.")
                elif day in marks:
                    self.fault(node, place, f"{day} 已在表中出现过。", f"{day} stands in the table already.")
                elif key == "workdays" and where.startswith("holidays") and day.weekday() < _SATURDAY:
                    self.fault(
                        node,
                        place,
                        f"{day} 本来就是工作日；调休上班日应是周六或周日。",
                        f"{day} is a weekday; a make-up workday is a Saturday or a Sunday.",
                    )
                else:
                    marks[day] = Mark(day, works=key == "workdays", name=name, source=source)

    def breaks(self, node: Node) -> tuple[Break, ...]:
        fields = self.mapping(node, "school", ("source", "holidays"), ("source", "holidays"))
        source = self.words(fields["source"], "school.source") if "source" in fields else {}
        found: list[Break] = []
        for i, item in enumerate(self.items(fields.get("holidays"), "school.holidays")):
            where = f"school.holidays[{i}]"
            parts = self.mapping(item, where, ("name", "from", "to"), ("name", "from", "to"))
            name = self.words(parts["name"], f"{where}.name") if "name" in parts else {}
            ends = [self.span(parts[key], f"{where}.{key}") for key in ("from", "to") if key in parts]
            first, last = ends if len(ends) == 2 else (None, None)
            if first and last and first[0] > last[1]:
                self.fault(item, where, "结束日早于开始日。", "It ends before it begins.")
            elif first and last:
                found.append(Break(first[0], last[1], name, source))
        found.sort(key=lambda one: one.first)
        if any(a.last >= b.first for a, b in pairwise(found)):
            self.fault(node, "school.holidays", "假期互相重叠。", "Two of the holidays overlap.")
        return tuple(found)


def _at(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name
