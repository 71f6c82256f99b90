"""Faults of a scenario file: all of them at once, each with its file, line, field, why, and what would be
right.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from policies.faults import Fault


class ScenarioFaults(Exception):
    """A scenario that can't be played, with every fault found in it, in the order of the file's lines."""

    exit_code: ClassVar[int] = 2

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults: tuple[Fault, ...] = tuple(sorted(faults, key=lambda one: (one.file, one.line, one.field)))
        super().__init__(self.text("en"))

    def text(self, language: str = "en") -> str:
        """One fault a line."""
        return "\n".join(fault.text(language) for fault in self.faults)

    def as_dict(self) -> dict[str, object]:
        """Plain facts, for `--json`."""
        return {"faults": [fault.as_dict() for fault in self.faults]}
