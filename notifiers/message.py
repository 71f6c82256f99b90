"""What is sent, before it has words: numbers, levels, what is owed and until when, and a link.

There is no field that could hold a name, a school or a fact of a case; that is the whole protection.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

Label = tuple[str, str]
"""The same words in zh_CN and in en."""

LANGUAGES: Final = ("zh_CN", "en")
OWING: Final = ("owes", "reminded", "warned", "breached", "escalated", "bulletined")
"""Kinds that name something owed in one case: a clock's start, and the rungs of the ladder."""
PLAIN: Final = ("bulletin", "stalled", "seal_broken", "notice", "test")
"""Kinds that only say that there is something to read."""
KINDS: Final = ("told", *OWING, "joined", "digest", *PLAIN)
"""Every kind: what the engine posts, several at once, the rounds, and the trial of a channel."""
CALLED: Final[Mapping[str, Label]] = {
    "told": ("新情况", "news"),
    "owes": ("待办", "yours to do"),
    "reminded": ("提醒", "reminder"),
    "warned": ("将到期", "nearly due"),
    "breached": ("催办", "overdue"),
    "escalated": ("督办", "escalated"),
    "bulletined": ("通报", "in the bulletin"),
}
"""What a kind is called where several are listed."""
LEVELS: Final[Mapping[str, Label]] = {
    "red": ("红色", "red"),
    "orange": ("橙色", "orange"),
    "yellow": ("黄色", "yellow"),
    "blue": ("蓝色", "blue"),
}


@dataclass(frozen=True, slots=True)
class Owed:
    """One thing that somebody owes: the clock's declared name, never what it is about. `until` is aware."""

    what: Label
    until: datetime


@dataclass(frozen=True, slots=True)
class Entry:
    """One case in a message: its number, its level, the kind of the message, what is owed, where to look."""

    number: str
    level: str
    kind: str
    owed: tuple[Owed, ...]
    link: str


@dataclass(frozen=True, slots=True)
class Message:
    """One message to one person. `counts` are numbers by the names that the templates know."""

    kind: str
    entries: tuple[Entry, ...]
    link: str
    counts: Mapping[str, int] = field(default_factory=dict)
    level: str = "blue"

    @property
    def urgent(self) -> bool:
        """Whether any of it is red."""
        return self.level == "red" or any(entry.level == "red" for entry in self.entries)


@dataclass(frozen=True, slots=True)
class Rendered:
    """A message in one person's language, ready for any channel.

    `brief` is one line for channels that have no more room. `key` is the idempotency key: it stays the same
    however often the message is sent by one channel.
    """

    key: str
    kind: str
    subject: str
    text: str
    html: str
    brief: str
    urgent: bool = False
    language: str = "zh_CN"
