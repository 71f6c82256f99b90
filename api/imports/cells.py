"""Cells as values: a text, a date, a telephone number, or a fault that says what would be right."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import date
from typing import Final

from api.imports.reading import Broken, Cell, Formula
from cases import id_number, reachable
from cases.import_fault import RowFault

_DATE: Final = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")
_PACKED: Final = re.compile(r"(\d{4})(\d{2})(\d{2})")
_EXACT: Final = 10**15
"""Beyond so many a spreadsheet's number has lost its last digits."""


class Line:
    """One row by field. What is wrong with a cell gathers in `faults`; a faulty cell reads as None."""

    def __init__(self, row: int, cells: list[Cell], places: Mapping[str, int]) -> None:
        self.row = row
        self.faults: list[RowFault] = []
        self._cells = cells
        self._places = places

    def _cell(self, field: str) -> Cell:
        place = self._places.get(field)
        cell = self._cells[place] if place is not None and place < len(self._cells) else None
        if isinstance(cell, Formula):
            self.wrong(field, "formula")
            return None
        if isinstance(cell, Broken):
            self.wrong(field, "error_value")
            return None
        return cell

    def wrong(self, field: str, code: str, **facts: str) -> None:
        self.faults.append(RowFault(self.row, field, code, facts))

    def faulty(self, field: str) -> bool:
        return any(one.name == field for one in self.faults)

    def text(self, field: str, longest: int = 200) -> str | None:
        """A text, or a number as it was typed; spaces around it don't count."""
        cell = self._cell(field)
        if cell is None:
            return None
        if isinstance(cell, int | float) and not isinstance(cell, bool) and abs(cell) >= _EXACT:
            self.wrong(field, "number_as_number")
            return None
        said = str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)
        said = unicodedata.normalize("NFC", said.replace("\u3000", " ").replace("\u00a0", " ")).strip()
        if any(unicodedata.category(one) in {"Cc", "Cf", "Cs"} for one in said):
            self.wrong(field, "control_characters")
            return None
        if len(said) > longest:
            self.wrong(field, "too_long", limit=str(longest))
            return None
        return said or None

    def needed(self, field: str, wanted: str, longest: int = 200) -> str:
        """A text that has to be there; empty, with its fault, where it isn't."""
        said = self.text(field, longest)
        if said is None and not self.faulty(field):
            self.wrong(field, "missing", wanted=wanted)
        return said or ""

    def day(self, field: str, earliest: date, latest: date) -> date | None:
        """A date, as a date or written in any of the usual ways."""
        cell = self._cell(field)
        if cell is None:
            return None
        found = cell if isinstance(cell, date) else _day(self.text(field) or "")
        if found is None:
            if not self.faulty(field):
                self.wrong(field, "not_a_date")
            return None
        if not earliest <= found <= latest:
            self.wrong(field, "date_out_of_range", earliest=earliest.isoformat(), latest=latest.isoformat())
            return None
        return found

    def phone(self, field: str) -> str | None:
        """A telephone number without its spaces."""
        said = self.text(field, 40)
        if said is None:
            return None
        found = reachable.phone(said)
        if found is None:
            self.wrong(field, "phone_form")
        return found

    def email(self, field: str) -> str | None:
        said = self.text(field, 254)
        if said is not None and reachable.email(said) is None:
            self.wrong(field, "email_form")
            return None
        return said

    def id_number(self, field: str, born: date | None) -> str | None:
        """An ID number whose check digit fits (GB 11643), and whose birthday is the one beside it."""
        said = self.text(field, 40)
        if said is None:
            return None
        number = id_number.plain(said)
        fault = id_number.fault(number, born)
        if fault is not None:
            self.wrong(field, fault)
            return None
        return number


def _day(said: str) -> date | None:
    plain = unicodedata.normalize("NFKC", said).strip().removesuffix(" 00:00:00")
    found = _DATE.fullmatch(plain) or _PACKED.fullmatch(plain)
    if found is None:
        return None
    try:
        return date(*(int(part) for part in found.groups()))
    except ValueError:
        return None
