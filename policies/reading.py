"""From YAML text to a plain tree that remembers its lines. Nothing is ever constructed but plain values."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final, NoReturn

import yaml

from policies.faults import Fault, PolicyFaults, Where, path_text, shown
from policies.vocabulary import Words

Plain = str | int | float | bool | date | None | tuple["Plain", ...] | dict[str, "Plain"]

MOST_BYTES: Final = 1_000_000
"""Forty times the size of a real policy; a larger file isn't one."""
_DEEPEST: Final = 20
_PREFIX: Final = "tag:yaml.org,2002:"
# The parser written in C takes a tenth of the time; every wheel of PyYAML has it, a bare build may not.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_SCALARS = yaml.SafeLoader("")


@dataclass(slots=True)
class Reading:
    """A file as read: its tree, the line of every field, which are empty, and the faults found so far."""

    file: str
    tree: Plain = None
    lines: dict[Where, int] = field(default_factory=dict)
    empty: list[Where] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    def line(self, where: Where) -> int:
        """The line of a field, or of the nearest thing around it that is there."""
        while where and where not in self.lines:
            where = where[:-1]
        return self.lines.get(where, 1)

    def fault(self, where: Where, why: Words, right: Words) -> None:
        """Note a fault at a field; the same one is noted once."""
        found = Fault(self.file, self.line(where), path_text(where), why, right)
        if found not in self.faults:
            self.faults.append(found)


def read(text: str, file: str) -> Reading:
    """Read YAML. Raises PolicyFaults when it isn't YAML at all; lesser faults stand in the Reading.

    Anchors, tags and repeated keys are refused: a policy says each thing once and in plain sight. Words like
    `15:30` stay text, keys are text as written, sequences become tuples.
    """
    reading = Reading(file)
    if len(text.encode("utf-8", "surrogatepass")) > MOST_BYTES:
        _refuse(
            file,
            1,
            Words("文件太大，不像一份规则", "the file is too large to be a policy"),
            Words("应小于 1 MB", "less than 1 MB"),
        )
    try:
        _depth(text, file)
        root = yaml.compose(text, Loader=_LOADER)
    except yaml.YAMLError as fault:
        mark = getattr(fault, "problem_mark", None) or getattr(fault, "context_mark", None)
        reason = shown(getattr(fault, "problem", None) or getattr(fault, "reason", None) or "unreadable")
        _refuse(
            file,
            mark.line + 1 if mark else 1,
            Words(f"不是有效的 YAML（{reason}）", f"not valid YAML ({reason})"),
            Words("请检查缩进、冒号、引号和括号", "check indentation, colons, quotes and brackets"),
        )
    except (RecursionError, ValueError):
        _refuse(
            file,
            1,
            Words("不是有效的 YAML", "not valid YAML"),
            Words("请检查是否有控制字符", "check for control characters"),
        )
    if root is None:
        _refuse(
            file,
            1,
            Words("文件是空的", "the file is empty"),
            Words("从 nanjing-2026.1.yaml 复制一份开始", "start from a copy of nanjing-2026.1.yaml"),
        )
    reading.tree = _Walk(reading).plain(root, ())
    return reading


def _depth(text: str, file: str) -> None:
    """Refuse what is nested beyond reason: the composer is written in C and would end the process instead."""
    deep = 0
    for event in yaml.parse(text, Loader=_LOADER):
        if isinstance(event, yaml.CollectionStartEvent):
            deep += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            deep -= 1
        if deep > _DEEPEST:
            why = Words("层级太深", "nested too deep")
            line = event.start_mark.line + 1 if event.start_mark is not None else 1
            _refuse(file, line, why, Words(f"不超过 {_DEEPEST} 层", f"at most {_DEEPEST} levels"))


def digest_of(tree: Plain) -> str:
    """SHA-256 over what the file says, in hexadecimal; comments, layout and order of fields don't count."""
    said = json.dumps(tree, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str)
    return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()


def _refuse(file: str, line: int, why: Words, right: Words) -> NoReturn:
    raise PolicyFaults([Fault(file, line, "", why, right)])


@dataclass(slots=True)
class _Walk:
    """One pass over the nodes; it goes on after a fault, so that all are named."""

    reading: Reading
    seen: set[int] = field(default_factory=set)

    def plain(self, node: yaml.Node, where: Where) -> Plain:
        self.reading.lines.setdefault(where, node.start_mark.line + 1)
        if id(node) in self.seen:
            # A policy of anchors could blow up to any size; and nobody sees at the place what it says.
            self.reading.fault(
                where,
                Words("不支持 YAML 引用（* 和 &）", "YAML anchors (* and &) aren't read here"),
                Words("把内容写在这里", "write it out in this place"),
            )
            return None
        self.seen.add(id(node))
        if isinstance(node, yaml.MappingNode) and node.tag == _PREFIX + "map":
            return self._mapping(node, where)
        if isinstance(node, yaml.SequenceNode) and node.tag == _PREFIX + "seq":
            return tuple(self.plain(item, (*where, place)) for place, item in enumerate(node.value))
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, where)
        return self._odd(node, where)

    def _mapping(self, node: yaml.MappingNode, where: Where) -> Plain:
        found: dict[str, Plain] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self.reading.fault(
                    where,
                    Words("字段名应是文字", "the name of a field is text"),
                    Words("写成 名称: 值", "write name: value"),
                )
                continue
            name = str(key.value)
            here = (*where, name)
            if name in found:
                first = self.reading.line(here)
                self.reading.lines[here] = key.start_mark.line + 1
                self.reading.fault(
                    here,
                    Words(f"重复：第 {first} 行已有", f"written twice: it stands in line {first}"),
                    Words("只保留一个", "keep one of them"),
                )
                continue
            self.reading.lines[here] = key.start_mark.line + 1
            found[name] = self.plain(value, here)
        return found

    def _scalar(self, node: yaml.ScalarNode, where: Where) -> Plain:
        tag, text = node.tag.removeprefix(_PREFIX), str(node.value)
        if tag == "str":
            return text
        try:
            if tag == "null":
                self.reading.empty.append(where)
                return None
            if tag == "bool":
                return bool(_SCALARS.construct_yaml_bool(node))
            if tag == "int":
                # 15:30 is a time of day to everyone but YAML 1.1, which reads 930; 012 is twelve, not ten.
                return int(text) if text.lstrip("+-").isdecimal() else text
            if tag == "float":
                return text if ":" in text else float(text.replace("_", ""))
            if tag == "timestamp":
                day = _SCALARS.construct_yaml_timestamp(node)
                return text if isinstance(day, datetime) else day
        except ValueError:
            if tag == "timestamp":
                self.reading.fault(
                    where,
                    Words(f"没有 {shown(text)} 这一天", f"there is no {shown(text)}"),
                    Words("写成真实的日期，例如 2026-01-01", "write a real day, such as 2026-01-01"),
                )
                return date.min
            return text
        return self._odd(node, where)

    def _odd(self, node: yaml.Node, where: Where) -> Plain:
        said = shown(node.tag)
        self.reading.fault(
            where,
            Words(f"不支持的 YAML 标记 {said}", f"the YAML tag {said} isn't read here"),
            Words("只写文字、数字、日期、列表和字段", "write text, numbers, dates, lists and fields only"),
        )
        return None
