"""Tables for people to take home: xlsx and csv in which no cell ever runs.

A spreadsheet takes a cell that begins with `=`, `+`, `-`, `@` or a tab for a formula, whoever wrote it. In xlsx every
text is written as text, and marked as such for whoever edits it; in csv, which has no types, such a text gets an
apostrophe in front.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from openpyxl import Workbook

Cell = str | int | float | bool | date | datetime | None

_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", "|", "%")
_LONGEST: Final = 32_767
"""What a cell of xlsx holds."""


def safe(value: str) -> str:
    """A text that no spreadsheet takes for a formula, for a file without types."""
    shown = _visible(value)
    if shown.lstrip(" \u00a0\u3000\ufeff\u200b").startswith(_STARTS) or shown.startswith(("\t", "\r", "\n")):
        shown = f"'{shown}"
    return shown[:_LONGEST]


def _visible(value: str) -> str:
    """Without control characters, which no spreadsheet opens."""
    return "".join(one for one in value if one in "\t\r\n" or unicodedata.category(one) not in {"Cc", "Cs"})


def to_csv(headings: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """UTF-8 with the mark that Excel asks for, every text quoted."""
    written = io.StringIO(newline="")
    writer = csv.writer(written, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\r\n")
    writer.writerow([safe(one) for one in headings])
    for row in rows:
        writer.writerow([_written(one) for one in row])
    return b"\xef\xbb\xbf" + written.getvalue().encode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet of a workbook. A title keeps 31 characters, without those that Excel doesn't take."""

    title: str
    headings: Sequence[str]
    rows: Iterable[Sequence[Cell]]
    widths: Sequence[int] = ()


def to_xlsx(
    headings: Sequence[str], rows: Iterable[Sequence[Cell]], title: str = "1", widths: Sequence[int] = ()
) -> bytes:
    """One sheet, its headings held in place. Texts are texts: a formula in them isn't one."""
    return to_workbook([Sheet(title, headings, rows, widths)])


def to_workbook(sheets: Iterable[Sheet]) -> bytes:
    """Several sheets, in their order."""
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    for one in sheets:
        _fill(book, one)
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


def _fill(book: Workbook, wanted: Sheet) -> None:
    from openpyxl.cell.cell import Cell as SheetCell
    from openpyxl.cell.cell import WriteOnlyCell
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    sheet = book.create_sheet(re.sub(r"[\\/*?:\[\]]", " ", _visible(wanted.title))[:31] or "1")
    sheet.freeze_panes = "A2"
    for place, width in enumerate(wanted.widths, 1):
        sheet.column_dimensions[get_column_letter(place)].width = width

    def cell(value: Cell, *, bold: bool = False) -> SheetCell:
        made = WriteOnlyCell(sheet)
        if isinstance(value, str):
            # The type first: by its own guess a text with a sign in front would become a formula.
            made.value = _visible(value)[:_LONGEST]
            made.data_type = "s"
            made.number_format = "@"
            made.quotePrefix = True
        else:
            made.value = value.replace(tzinfo=None) if isinstance(value, datetime) else value
        if bold:
            made.font = Font(bold=True)
        return made

    sheet.append([cell(one, bold=True) for one in wanted.headings])
    lines = 1
    for row in wanted.rows:
        sheet.append([cell(one) for one in row])
        lines += 1
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(wanted.headings))}{lines}"


def _written(value: Cell) -> str | int | float:
    if value is None:
        return ""
    if isinstance(value, str):
        return safe(value)
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    return value
