"""A fault with a code, facts, and for each code a sentence in both languages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar


class SpokenFault(Exception):
    """Something isn't as it was asked for. `facts` fill the sentence; what they may hold is said by each kind."""

    exit_code: ClassVar[int] = 2
    texts: ClassVar[Mapping[str, tuple[str, str]]]
    """By code, the sentence in zh_CN and en."""

    def __init__(self, code: str, /, **facts: str) -> None:
        self.code = code
        self.facts = facts
        super().__init__(self.text("en"))

    def text(self, language: str) -> str:
        """The message in `zh_CN` or `en`; any other language is answered in English."""
        chinese, english = self.texts[self.code]
        return (chinese if language == "zh_CN" else english).format_map(self.facts)
