"""What can be wrong with a table as a file, before anybody looks at its cells; said in both languages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final

_TEXTS: Final[Mapping[str, tuple[str, str]]] = {
    "unread": ("读不了 {path}：{why}。", "{path} can't be read: {why}."),
    "not_a_table": (
        "这不是 xlsx 或 csv 文件。请在表格软件里另存为 xlsx。",
        "This is neither xlsx nor csv. Save it as xlsx in the spreadsheet program.",
    ),
    "old_or_locked": (
        "这是旧格式（xls）或加了密码的表格。请去掉密码，另存为 xlsx。",
        "This is the old format (xls), or locked by a password. Unlock it and save it as xlsx.",
    ),
    "damaged": (
        "表格文件不完整或已损坏，打不开。请另存一次。",
        "The table is cut short or damaged. Save it once more.",
    ),
    "too_large": (
        "表格太大（{found}），最多 {limit}。请拆成几份。",
        "The table is too large ({found}; {limit} at most). Split it into several.",
    ),
    "wrong_encoding": (
        "认不出文字的编码。请另存为“CSV UTF-8”或 xlsx。",
        "Its encoding isn't known. Save it as “CSV UTF-8” or as xlsx.",
    ),
    "empty": ("表格里没有内容。", "There is nothing in the table."),
    "no_headings": (
        "第 {row} 行应当是表头，缺少：{missing}。可以用 whistle import template {kind} 得到空表。",
        "Row {row} should hold the headings; missing: {missing}. `whistle import template {kind}` writes an empty one.",
    ),
    "heading_twice": ("表头“{heading}”出现了两次。", "The heading “{heading}” is there twice."),
}


class TableFault(Exception):
    """A file isn't a table that can be brought in; nothing was changed."""

    exit_code: ClassVar[int] = 2

    def __init__(self, code: str, /, **facts: str) -> None:
        self.code = code
        self.facts = facts
        super().__init__(self.text("en"))

    def text(self, language: str) -> str:
        """A sentence or two in `zh_CN` or `en`."""
        return _TEXTS[self.code][0 if language == "zh_CN" else 1].format_map(self.facts)
