"""The sentences of the pages: gathered from templates and code, brought into the catalogues. `python -m tests.texts`.

A new sentence comes into both catalogues, empty in Chinese; English is its own source. One that is no longer used is
taken out. Nothing is ever guessed, so nothing is ever fuzzy.
"""

from __future__ import annotations

from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from api.pages.texts import catalogue_file

ROOT = Path(__file__).resolve().parents[1]
METHODS = [("pages/**.py", "python"), ("templates/**.html", "jinja2"), ("pages/*.py", "python")]
KEYWORDS = {
    "_": None, "gettext": None, "ngettext": (1, 2), "gettext_noop": None, "say": None, "Place": (2,),
}  # fmt: skip


def gathered() -> dict[str | tuple[str, str], list[tuple[str, int]]]:
    """Every sentence with the places where it stands; a plural as a pair."""
    found: dict[str | tuple[str, str], list[tuple[str, int]]] = {}
    options = {"templates/**.html": {"trimmed": "false", "newstyle_gettext": "true"}}
    for file, line, message, _, _ in extract_from_dir(ROOT / "api", METHODS, options, KEYWORDS):
        key = message if isinstance(message, str) else (message[0], message[1])
        found.setdefault(key, []).append((f"api/{file}", line))
    return found


def catalogue(language: str) -> Catalog:
    """The catalogue of a language as it lies in the repository."""
    path = catalogue_file(language)
    if not path.exists():
        return Catalog(locale=language, domain="pages", fuzzy=False, header_comment="")
    with path.open("rb") as file:
        return read_po(file, locale=language, domain="pages")


def update(language: str) -> None:
    """Bring one catalogue up to what is used."""
    standing = catalogue(language)
    fresh = Catalog(locale=language, domain="pages", fuzzy=False, header_comment="# The pages.", project="whistle")
    for message, places in sorted(gathered().items(), key=str):
        known = standing.get(message if isinstance(message, str) else message[0])
        text = known.string if known is not None else ""
        if language == "en":
            text = message
        fresh.add(message, text, sorted({(file, 0) for file, _ in places}))
    path = catalogue_file(language)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        write_po(file, fresh, include_lineno=False, omit_header=True, sort_output=True, width=120)


if __name__ == "__main__":
    for one in ("zh_CN", "en"):
        update(one)
