"""The small notations of a policy file: words of closed lists, limits, lengths, spans, role@place, shares.

Each is checked where it is written and explains itself in both languages.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import time
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from policies import vocabulary
from policies.faults import one_of, shown
from policies.ladder import TELLABLE
from policies.limits import Limit, LimitFault, SameDay, parse_limit
from policies.vocabulary import Words

_LIMIT = r"^(none|[0-9]{1,9}\s*(m|h|wh|wd|d)|([01][0-9]|2[0-3]):[0-5][0-9]\s*\|\s*[0-9]{1,9}\s*[mhd])$"
_LENGTH = r"^[0-9]{1,9}\s*[mhd]$"
_SPAN = r"^([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9]$"


def told(why: Words, right: Words) -> PydanticCustomError:
    """A fault that a validator explains in both languages itself."""
    return PydanticCustomError("told", "{en}", {"en": why.en, "why": why, "right": right})


@dataclass(frozen=True, slots=True)
class Known:
    """A word of a closed list."""

    zh: str
    en: str
    words: tuple[str, ...]

    def __get_pydantic_core_schema__(self, source: object, handler: object) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self._read)

    def __get_pydantic_json_schema__(self, schema: object, handler: object) -> dict[str, Any]:
        return {"type": "string", "enum": list(self.words)}

    def _read(self, said: object) -> str:
        if isinstance(said, str) and said in self.words:
            return said
        if isinstance(said, dict | tuple):
            why = Words(f"这里只能写一个{self.zh}", f"exactly one {self.en} belongs here")
        elif said is None:
            why = Words(f"缺少{self.zh}", f"the {self.en} is missing")
        else:
            why = Words(f"没有“{shown(said)}”这样的{self.zh}", f'there is no {self.en} "{shown(said)}"')
        raise told(why, one_of(self.words, said))


@dataclass(frozen=True, slots=True)
class Written:
    """Text in a small notation of its own, read when the file is loaded; it stays text in the shape."""

    zh: str
    en: str
    read: Callable[[str], object]
    right: Words
    pattern: str

    def __get_pydantic_core_schema__(self, source: object, handler: object) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self._read)

    def __get_pydantic_json_schema__(self, schema: object, handler: object) -> dict[str, Any]:
        return {"type": "string", "pattern": self.pattern}

    def _read(self, said: object) -> str:
        right = self.right
        if isinstance(said, str):
            try:
                self.read(said)
            except LimitFault as fault:
                if re.match(self.pattern, said):  # The notation is right, the figure isn't.
                    right = Words(fault.text["zh_CN"], fault.text["en"])
            except ValueError:
                pass
            else:
                return said
        raise told(Words(f"“{shown(said)}”不是{self.zh}", f'"{shown(said)}" is not {self.en}'), right)


def read_limit(text: str) -> Limit | SameDay | None:
    """`none` is None: the level has no such clock. Raises LimitFault."""
    return None if text == "none" else parse_limit(text)


def read_span(text: str) -> tuple[time, time]:
    """`09:00-12:00`. Raises ValueError unless it ends after it begins."""
    opens, dash, closes = text.partition("-")
    span = time.fromisoformat(opens), time.fromisoformat(closes)
    if not dash or not re.match(_SPAN, text) or span[0] >= span[1]:
        raise ValueError(text)
    return span


def read_who(text: str) -> tuple[str, str]:
    """`counselor@school` → role and seat. Raises ValueError for words that TRACKS.md doesn't know."""
    role, _, seat = text.partition("@")
    if role not in (*vocabulary.ROLES, vocabulary.ANYONE) or seat not in vocabulary.SEATS:
        raise ValueError(text)
    return role, seat


def _read_share(text: str) -> None:
    part, _, whole = text.partition("/")
    if not (part.isdecimal() and whole.isdecimal() and 0 < int(part) < int(whole)):
        raise ValueError(text)


def _read_length(text: str) -> None:
    if Limit.parse(text).working:
        raise ValueError(text)


def _read_zone(text: str) -> None:
    from zoneinfo import ZoneInfo

    try:
        ZoneInfo(text)
    except (KeyError, OSError):
        raise ValueError(text) from None


Kind = Annotated[str, Known("组织类别", "kind of organisation", vocabulary.KINDS)]
Responder = Annotated[str, Known("可派单的组织类别", "kind of organisation that can be called", vocabulary.RESPONDING)]
Openable = Annotated[str, Known("可自动开启的事项", "track that a concern can open", vocabulary.OPENABLE)]
Level = Annotated[str, Known("等级", "level", vocabulary.LEVELS)]
ClockName = Annotated[str, Known("时限名称", "limit", vocabulary.CLOCKS)]
GivenName = Annotated[str, Known("另行给定的时限", "clock with a given due time", vocabulary.GIVEN_CLOCKS)]
PausingName = Annotated[str, Known("可暂停的时限", "clock that can pause", tuple(vocabulary.PAUSING))]
Occasion = Annotated[str, Known("适用情形", "occasion", vocabulary.OCCASIONS)]
Told = Annotated[str, Known("通知对象", "addressee", TELLABLE)]
Trigger = Annotated[str, Known("法定专属动作", "trigger that a law reserves", tuple(vocabulary.LAWFUL))]
StatutoryCode = Annotated[str, Known("法定报告情形", "statutory trigger", vocabulary.STATUTORY)]
ScaleName = Annotated[str, Known("量表", "scale", vocabulary.SCALES)]
Algorithm = Annotated[str, Known("加密算法", "sealing algorithm", vocabulary.ALGORITHMS)]
BasisKind = Annotated[str, Known("依据类别", "kind of basis", tuple(vocabulary.BASIS_KINDS))]
LimitText = Annotated[str, Written("时限", "a limit", read_limit, Words(
    "写成 15m（分钟）、2h（小时）、4wh（工作小时）、3wd（工作日）、7d（天）、18:00|4h（当日）或 none（不设）",
    "write 15m (minutes), 2h (hours), 4wh (working hours), 3wd (working days), 7d (days), "
    "18:00|4h (the same day) or none"), _LIMIT)]  # fmt: skip
Length = Annotated[str, Written("时长", "a length of time", _read_length, Words(
    "写成 5m、2h 或 30d", "write 5m, 2h or 30d"), _LENGTH)]  # fmt: skip
Span = Annotated[str, Written("时段", "a span of hours", read_span, Words(
    '写成 "09:00-12:00"，先早后晚', 'write "09:00-12:00", the earlier first'), _SPAN)]  # fmt: skip
Who = Annotated[str, Written("“角色@位置”", "role@place", read_who, Words(
    f"角色：{', '.join(vocabulary.ROLES)}, anyone；位置：{', '.join(vocabulary.SEATS)}",
    f"roles: {', '.join(vocabulary.ROLES)}, anyone; places: {', '.join(vocabulary.SEATS)}"),
    r"^[a-z_]+@[a-z_]+$")]  # fmt: skip
Share = Annotated[str, Written("比例", "a share", _read_share, Words(
    "写成 1/3", "write 1/3"), r"^[0-9]+/[0-9]+$")]  # fmt: skip
ZoneName = Annotated[str, Written("时区", "a time zone", _read_zone, Words(
    "写成 Asia/Shanghai", "write Asia/Shanghai"), r"^[A-Za-z0-9_+/-]+$")]  # fmt: skip
Code = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,59}$")]
TableName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,59}$")]
Said = Annotated[str, StringConstraints(min_length=1, max_length=600, pattern=r"\S")]
Sees = Literal[True, False]
Percent = Annotated[int, Field(ge=0, le=100)]
Year = Annotated[int, Field(ge=2004, le=2060)]
Count = Annotated[int, Field(ge=1, le=1000)]
