"""The log: one JSON object a line, each with the request or the run that it belongs to, none about a person.

What may be written is listed, not what may not. Of our own packages a line carries the sentence as it stands in the
source, never what was put into it; facts come as `extra`, by name from `FACTS`, and only numbers, instants and codes.
Of other packages (whose sentences hold addresses and subjects) it carries who spoke, how gravely, and from which line.
Of an exception it carries the kind and the place, never its text, which may quote a row.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Final

from cases.belonging import belongs_to

FACTS: Final = frozenset({
    "aside", "bytes", "case", "cases", "code", "delivery", "fault", "fired", "found", "incident", "lag_seconds", "lane",
    "method", "milliseconds", "port", "round", "route", "rows", "since", "status", "tries", "why",
})  # fmt: skip
"""The names of what a line may carry besides its sentence."""

_OURS: Final = frozenset({"api", "cases", "notifiers", "policies", "workflows"})
# A code, a route, a case's number, an instant; no blank, no @, no letter beyond ASCII, and not a number alone.
_CODE: Final = re.compile(r"(?:[A-Za-z/{][A-Za-z0-9_./:{}-]{0,79}|\d{4}-\d\d-\d\dT[0-9:.+Z-]{1,30})", re.ASCII)
_LARGEST: Final = 10**10
"""From here on a whole number may be somebody's telephone or ID number."""
_HERE: Final = Path(__file__).resolve().parents[1]


class JsonLines(logging.Formatter):
    """Writes a record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "from": record.name,
        }
        mark = belongs_to()
        if mark is not None:
            line[mark[0]] = mark[1]
        if record.name.partition(".")[0] in _OURS:
            line["said"] = str(record.msg)
            line |= {name: _fact(value) for name, value in vars(record).items() if name in FACTS}
        else:
            line["line"] = f"{record.module}:{record.lineno}"
        if record.exc_info and record.exc_info[0] is not None:
            line["raised"] = record.exc_info[0].__name__
            line["through"] = [_place(frame) for frame in traceback.extract_tb(record.exc_info[2])][-8:]
        return json.dumps(line, ensure_ascii=False)


def set_up(stream: IO[str] | None = None, level: int = logging.INFO) -> logging.Handler:
    """Send the log of the whole process to `stream` (standard error) as JSON lines, and nowhere else."""
    writer = logging.StreamHandler(stream or sys.stderr)
    writer.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [writer]
    root.setLevel(level)
    return writer


def _fact(value: object) -> object:
    """The value if it is one that can't be about a person, else `…`."""
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        return value if abs(value) < _LARGEST else "…"
    if isinstance(value, datetime):
        return value.isoformat()
    return value if isinstance(value, str) and _CODE.fullmatch(value) else "…"


def _place(frame: traceback.FrameSummary) -> str:
    path = Path(frame.filename)
    shown = path.relative_to(_HERE) if path.is_relative_to(_HERE) else Path(path.name)
    return f"{shown}:{frame.lineno}"
