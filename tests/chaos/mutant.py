"""What a planted bug is made of."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mutant:
    """One bug: what it is called, the file, the text that is there once, what stands there instead, who must notice."""

    what: str
    file: str
    old: str
    new: str
    noticed_by: str
