"""The catalogues: every sentence of the pages in both languages, read from `api/locale` when first needed."""

from __future__ import annotations

from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Final

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations

FOLDER: Final = Path(__file__).parents[1] / "locale"
DOMAIN: Final = "pages"


def catalogue_file(language: str) -> Path:
    """Where the catalogue of a language lies: a `.po` file that a translator edits, and nothing is compiled."""
    return FOLDER / language / "LC_MESSAGES" / f"{DOMAIN}.po"


@cache
def texts(language: str) -> Translations:
    """The catalogue of `zh_CN` or `en`."""
    with catalogue_file(language).open("rb") as file:
        catalogue = read_po(file, locale=language, domain=DOMAIN)
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return Translations(compiled, DOMAIN)


def said(language: str, text: str) -> str:
    """One sentence, for a view that has no template."""
    return str(texts(language).gettext(text))
