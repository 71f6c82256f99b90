"""What a look through a list found, as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from api.imports.lists import CellFault, Listed
    from cases.imports import Checked

MOST: Final = 1_000
"""So many faults are listed; `fault_count` says how many there are."""


def checked_as_dict(
    found: Listed, checked: Checked, faults: list[CellFault], language: str, most: int | None = None
) -> dict[str, Any]:
    """Faults by row and column, with what would be right; or how much is new, changed and as it is."""
    place = 0 if language == "zh_CN" else 1
    return {
        "kind": found.kind,
        "state": "faulty" if faults else "checked",
        "sheet": found.sheet,
        "rows": len(found.rows) + len({one.row for one in found.faults}),
        "added": checked.added,
        "changed": checked.changed,
        "same": checked.same,
        "skipped": len(checked.skipped),
        "ignored": found.ignored,
        "fault_count": len(faults),
        "faults": [
            {
                "sheet": one.sheet,
                "row": one.row,
                "column": one.column,
                "heading": one.heading,
                "code": one.code,
                "message": one.said[place],
            }
            for one in faults[:most]
        ],
    }
