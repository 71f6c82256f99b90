"""A table out of a file: xlsx or csv, as somebody's office wrote it. Nothing in it is calculated, unpacked or followed.

What is in a cell comes as it was typed: a number as a number, a date as a date. Rows carry the number that the
spreadsheet shows, so that a fault can be found again.
"""

from __future__ import annotations

import csv
import io
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from api.imports.table_fault import TableFault

Value = str | int | float | bool | date | None

ROWS: Final = 100_000
COLUMNS: Final = 60
LARGEST: Final = 20_000_000
UNPACKED: Final = 200_000_000
"""What the parts of an xlsx may come to together: a city's list has some 40 MB."""
_PARTS: Final = 1_000
_TEXT: Final = 32_767


@dataclass(frozen=True, slots=True)
class Formula:
    """A cell that holds a formula, whatever it comes to."""


@dataclass(frozen=True, slots=True)
class Broken:
    """A cell that holds the error of a formula, such as #REF!."""


Cell = Value | Formula | Broken


@dataclass(frozen=True, slots=True)
class Grid:
    """The first sheet that holds anything: its rows with their numbers, empty ones left out."""

    sheet: str
    rows: list[tuple[int, list[Cell]]]


def read(content: bytes) -> Grid:
    """The table in a file. Raises TableFault: not_a_table, old_or_locked, damaged, too_large, wrong_encoding, empty."""
    if len(content) > LARGEST:
        raise TableFault("too_large", found=f"{len(content) // 1_000_000} MB", limit=f"{LARGEST // 1_000_000} MB")
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        raise TableFault("old_or_locked")
    grid = _xlsx(content) if content.startswith(b"PK\x03\x04") else Grid("CSV", list(_numbered(_csv(content))))
    if not grid.rows:
        raise TableFault("empty")
    return grid


def _numbered(rows: Iterable[list[Cell]]) -> Iterator[tuple[int, list[Cell]]]:
    count = 0
    for number, row in enumerate(rows, 1):
        if len(row) > COLUMNS and any(cell not in {None, ""} for cell in row[COLUMNS:]):
            raise TableFault("too_large", found=f"{len(row)} columns", limit=f"{COLUMNS}")
        if all(cell is None or cell == "" for cell in row):
            continue
        count += 1
        if count > ROWS + 1:
            raise TableFault("too_large", found=f"> {ROWS} rows", limit=f"{ROWS}")
        yield number, row[:COLUMNS]


# ------------------------------------------------------------------------------------- xlsx


def _xlsx(content: bytes) -> Grid:
    import warnings
    from xml.etree.ElementTree import ParseError

    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    _bounded(content)
    try:
        with warnings.catch_warnings():
            # Of data validations and the like, which we don't need.
            warnings.simplefilter("ignore")
            book = load_workbook(io.BytesIO(content), read_only=True, data_only=False, keep_links=False)
            try:
                for sheet in book.worksheets:
                    # What a sheet says of its own size needn't be true.
                    sheet.reset_dimensions()
                    rows = list(_numbered(_cells(row) for row in sheet.iter_rows(max_row=ROWS * 2)))
                    if rows:
                        return Grid(sheet.title, rows)
            finally:
                book.close()
    except (
        zipfile.BadZipFile,
        zlib.error,
        ParseError,
        InvalidFileException,
        KeyError,
        ValueError,
        TypeError,
        IndexError,
    ):
        raise TableFault("damaged") from None
    except (OSError, EOFError, AttributeError, RuntimeError, NotImplementedError, OverflowError, SyntaxError):
        # openpyxl trips over a broken part wherever it happens to need it.
        raise TableFault("damaged") from None
    return Grid("", [])


def _bounded(content: bytes) -> None:
    """By the directory of the archive, which bounds what is unpacked from it, before anything is."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
            names = {one.filename for one in parts}
            if "[Content_Types].xml" not in names or not any(name.startswith("xl/") for name in names):
                raise TableFault("not_a_table")
            if any(one.flag_bits & 1 for one in parts):
                raise TableFault("old_or_locked")
            size = sum(one.file_size for one in parts)
            if len(parts) > _PARTS or size > UNPACKED:
                raise TableFault("too_large", found=f"{size // 1_000_000} MB", limit=f"{UNPACKED // 1_000_000} MB")
            for one in parts:
                if one.filename.endswith((".xml", ".rels")):
                    with archive.open(one) as part:
                        if b"<!DOCTYPE" in part.read(4096).replace(b"\0", b"").upper():
                            raise TableFault("damaged")
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, NotImplementedError, RuntimeError):
        raise TableFault("damaged") from None


def _cells(row: Iterable[Any]) -> list[Cell]:
    return [_cell(one) for one in row]


def _cell(one: Any) -> Cell:  # noqa: ANN401 - openpyxl's own cells
    value, kind = one.value, one.data_type
    if kind == "f":
        return Formula()
    if kind == "e":
        return Broken()
    if isinstance(value, datetime):
        return value.date()
    if value is None or isinstance(value, str | bool | int | float | date):
        return value[:_TEXT] if isinstance(value, str) else value
    return str(value)[:_TEXT]


# -------------------------------------------------------------------------------------- csv


def _csv(content: bytes) -> Iterator[list[Cell]]:
    if b"\0" in content[:4096] and not content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise TableFault("not_a_table")
    text = decoded(content)
    head = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=head.count)
    if head.count(delimiter) == 0 and head.lstrip()[:1] in {"<", "{", "[", "%"}:
        raise TableFault("not_a_table")
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True):
            yield [_typed(cell) for cell in row]
    except csv.Error:
        raise TableFault("damaged") from None


def _typed(cell: str) -> Cell:
    """A text of a csv; what a spreadsheet would calculate is a formula here too."""
    shown = cell.strip()
    if shown.startswith("="):
        # Excel keeps a long number whole this way: ="0123".
        if shown.startswith('="') and shown.endswith('"') and '"' not in shown[2:-1]:
            return shown[2:-1]
        return Formula()
    return shown or None


def decoded(content: bytes) -> str:
    """The text of a csv: by its mark, else UTF-8, else GB18030. Raises TableFault wrong_encoding."""
    marked = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
    mark = next((name for start, name in marked.items() if content.startswith(start)), None)
    for encoding in (mark,) if mark else ("utf-8", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        # Bytes of another encoding often make some sense as GB18030, but not a sense that anybody types.
        if any(0xE000 <= ord(one) <= 0xF8FF or one == "\ufffd" for one in text[:20_000]):
            break
        return text
    raise TableFault("wrong_encoding")
