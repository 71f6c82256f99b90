"""A list out of a file: the rows that `cases.imports` takes, and every cell that is wrong, where it is found again."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from api.imports import columns
from api.imports.cells import Line
from api.imports.reading import read
from cases.import_fault import RowFault
from cases.import_rows import Kind, MemberRow, OrganisationRow, StudentRow
from cases.people import KINDS, ROLES

EARLIEST: Final = date(1990, 1, 1)
_SPLIT: Final = re.compile(r"[,，、;；/\s]+")


@dataclass(frozen=True, slots=True)
class CellFault:
    """A faulty cell as its reader finds it: sheet, row, column by letter and heading, what, and what would be right."""

    sheet: str
    row: int
    column: str
    heading: str
    code: str
    said: tuple[str, str]

    def text(self, language: str) -> str:
        """One line in `zh_CN` or `en`."""
        if language == "zh_CN":
            return f"{self.sheet} 第 {self.row} 行 {self.column} 列（{self.heading}）：{self.said[0]}"
        return f"{self.sheet}, row {self.row}, column {self.column} ({self.heading}): {self.said[1]}"


@dataclass(frozen=True, slots=True)
class Listed:
    """What a file holds: rows without a fault of their own, the faults of the others, headings nothing is read from.

    `doubtful` are those others as far as they could be read: what else is wrong with them can still be found.
    """

    kind: Kind
    sheet: str
    rows: list[Any]
    doubtful: list[Any]
    faults: list[RowFault]
    ignored: list[str]
    places: Mapping[str, int]
    headings: Mapping[str, str]

    def found(self, faults: Iterable[RowFault]) -> list[CellFault]:
        """Faults of rows as cells of this file, by row and column."""
        cells = [self._cell(one) for one in faults]
        return sorted(cells, key=lambda one: (one.row, len(one.column), one.column))

    def _cell(self, fault: RowFault) -> CellFault:
        place = self.places.get(fault.name)
        heading = self.headings.get(fault.name) or _heading(self.kind, fault.name)
        said = fault.text("zh_CN"), fault.text("en")
        return CellFault(self.sheet, fault.row, "–" if place is None else letters(place), heading, fault.code, said)


def listed(kind: Kind, content: bytes, today: date) -> Listed:
    """Read a file as a list of that kind. Raises TableFault where it is no such table; cells' faults are returned."""
    grid = read(content)
    first, headings = grid.rows[0]
    places, ignored = columns.places(kind, first, headings)
    rows, doubtful, faults = [], [], []
    for number, cells in grid.rows[1:]:
        line = Line(number, cells, places)
        row = _READERS[kind](line, today)
        if line.faults:
            faults += line.faults
            if not any(line.faulty(field) for field in _RECOGNISED_BY[kind]):
                doubtful.append(row)
        else:
            rows.append(row)
    shown = {field: str(headings[place]).strip()[:40] for field, place in places.items()}
    return Listed(kind, grid.sheet, rows, doubtful, faults, ignored, places, shown)


_RECOGNISED_BY: Final[Mapping[Kind, tuple[str, ...]]] = {
    "organisations": ("code", "kind"),
    "members": (),
    "students": ("roster_no", "name", "born"),
}
"""Without these nothing can be said of the other cells of a row."""


def letters(place: int) -> str:
    """The name of a column, counted from 0, as spreadsheets have it."""
    name, place = "", place + 1
    while place:
        place, rest = divmod(place - 1, 26)
        name = chr(65 + rest) + name
    return name


def _heading(kind: Kind, field: str) -> str:
    return next((f"{one.zh} {one.en}" for one in columns.COLUMNS[kind] if one.field == field), field)


def _organisation(line: Line, _: date) -> OrganisationRow:
    kind = columns.kind_of(line.needed("kind", columns.known_kinds()))
    if kind and kind not in KINDS:
        line.wrong("kind", "not_one_of", known=columns.known_kinds())
    return OrganisationRow(
        row=line.row,
        code=line.needed("code", columns.example("organisations", "code"), 60),
        kind=kind,
        name=line.needed("name", columns.example("organisations", "name"), 120),
        parent=line.text("parent"),
        street=line.text("street"),
        hospital=line.text("hospital"),
        community=line.text("community"),
    )


def _member(line: Line, today: date) -> MemberRow:
    written = [one for one in _SPLIT.split(line.needed("roles", columns.known_roles())) if one]
    roles = tuple(dict.fromkeys(columns.role_of(one) for one in written))
    if any(one not in ROLES for one in roles):
        line.wrong("roles", "not_one_of", known=columns.known_roles())
    return MemberRow(
        row=line.row,
        organisation=line.needed("organisation", columns.example("members", "organisation")),
        name=line.needed("name", columns.example("members", "name"), 80),
        roles=roles,
        phone=line.phone("phone"),
        email=line.email("email"),
        language=line.text("language", 10),
        school=line.text("school"),
        since=line.day("since", EARLIEST, today.replace(day=28, year=today.year + 2)),
    )


def _student(line: Line, today: date) -> StudentRow:
    born = line.day("born", EARLIEST, today)
    if born is None and not line.faulty("born"):
        line.wrong("born", "missing", wanted=columns.example("students", "born"))
    identity: dict[str, Any] = {
        "grade": _grade(line),
        "class": line.text("class", 40),
        "id_number": line.id_number("id_number", born),
        "guardians": _guardians(line),
        "address": line.text("address"),
    }
    return StudentRow(
        row=line.row,
        roster_no=line.needed("roster_no", columns.example("students", "roster_no"), 60),
        name=line.needed("name", columns.example("students", "name"), 80),
        born=born or EARLIEST,
        identity={name: value for name, value in identity.items() if value is not None},
        community=line.text("community"),
        mentor=line.text("mentor", 80),
    )


def _grade(line: Line) -> int | str | None:
    said = line.text("grade", 40)
    if said is None or not said.isascii() or not said.isdigit():
        return said
    if int(said) > 13:
        line.wrong("grade", "grade_form")
        return None
    return int(said)


def _guardians(line: Line) -> list[dict[str, str]] | None:
    found = []
    for first in ("guardian", "guardian2"):
        parts = {
            "name": line.text(first, 80),
            "relation": line.text(f"{first}_relation", 40),
            "phone": line.phone(f"{first}_phone"),
        }
        given = {name: value for name, value in parts.items() if value is not None}
        if given and "name" not in given and not line.faulty(first):
            line.wrong(first, "missing", wanted=columns.example("students", "guardian"))
        if given:
            found.append(given)
    return found or None


_READERS: Final[Mapping[Kind, Callable[[Line, date], Any]]] = {
    "organisations": _organisation,
    "members": _member,
    "students": _student,
}
