"""How wide a text will be, and how it is broken: no font is at hand where a diagram is drawn."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from math import fsum
from typing import Literal

FONTS = (
    "'Noto Sans SC', 'Noto Sans CJK SC', 'Source Han Sans SC', 'PingFang SC', 'Microsoft YaHei', 'Hiragino Sans GB', "
    "system-ui, sans-serif"
)
CODE_FONTS = "ui-monospace, 'SF Mono', Consolas, 'Noto Sans Mono', 'DejaVu Sans Mono', monospace"
NARROW = frozenset("iljtfr.,:;'|()[]I! ")
SIGN_WIDTH = 15.0

Sign = Literal["clock", "pause", "follows", "stays", "none"]
Style = Literal["title", "name", "code", "small", "move", "now"]
SIZES: dict[Style, float] = {"title": 15.0, "name": 20.0, "code": 10.5, "small": 11.5, "move": 12.5, "now": 11.5}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of lettering, perhaps behind a little drawn sign."""

    text: str
    style: Style
    sign: Sign = "none"

    @property
    def width(self) -> float:
        """In pixels, rather too wide than too narrow: the reader's font isn't known."""
        size = SIZES[self.style]
        em = 0.62 * len(self.text) if self.style == "code" else fsum(map(_em, self.text))
        bold = 1.06 if self.style in {"title", "name"} else 1.0
        return em * size * bold + (SIGN_WIDTH if self.sign != "none" else 0)

    @property
    def height(self) -> float:
        """In pixels, the space above the next line included."""
        return SIZES[self.style] * 1.42


def _em(sign: str) -> float:
    if unicodedata.east_asian_width(sign) in {"W", "F"}:
        return 1.0
    if sign in NARROW:
        return 0.33
    return 0.70 if sign.isupper() or sign in "mwMW@%" else 0.57


def broken(words: Iterable[str], style: Style, sign: Sign, *, language: str, most: float = 165.0) -> list[Line]:
    """Names one after the other, on as many lines as they need; no name is torn."""
    comma = "、" if language == "zh_CN" else ", "
    lines: list[str] = []
    for word in words:
        longer = f"{lines[-1]}{comma}{word}" if lines else word
        if lines and Line(longer, style, sign).width <= most:
            lines[-1] = longer
        else:
            if lines:
                lines[-1] += comma.rstrip()
            lines.append(word)
    return [Line(text, style, sign if number == 0 else "none") for number, text in enumerate(lines)]
