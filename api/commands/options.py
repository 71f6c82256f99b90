"""The options that every command of `whistle` has."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer


class Language(StrEnum):
    """The languages that the command line speaks."""

    ZH_CN = "zh_CN"
    EN = "en"

    def says(self, zh: str, en: str) -> str:
        """The text in this language."""
        return zh if self is Language.ZH_CN else en


AsJson = Annotated[bool, typer.Option("--json", help="以 JSON 输出。 Print JSON.")]
Spoken = Annotated[
    Language,
    typer.Option("--language", envvar="WHISTLE_LANGUAGE", help="输出语言。 The language to answer in."),
]
