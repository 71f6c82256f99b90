"""Faults of a policy file: all of them at once, each with its file, line, field, why and what is right."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from policies.vocabulary import Words, nearest

Where = tuple[str | int, ...]
"""A path into a file: the keys and the places (from 0) that lead to a field."""

_SHOWN: Final = 60


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. `line` counts from 1; `field` reads like `levels.red.rank` or `ladder[2].percent`."""

    file: str
    line: int
    field: str
    why: Words
    right: Words

    def text(self, language: str = "en") -> str:
        """`file:line: field: why → right`, on one line."""
        why, right = self.why.in_language(language), self.right.in_language(language)
        field = f"{self.field}: " if self.field else ""
        return f"{self.file}:{self.line}: {field}{why} → {right}"

    def as_dict(self) -> dict[str, object]:
        """Plain facts, for `--json`."""
        return {
            "file": self.file,
            "line": self.line,
            "field": self.field,
            "why": self.why._asdict(),
            "right": self.right._asdict(),
        }


class PolicyFaults(Exception):
    """A policy that can't be used, with every fault found in it, in the order of the file's lines."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults: tuple[Fault, ...] = tuple(sorted(faults, key=lambda one: (one.file, one.line, one.field)))
        super().__init__("\n".join(fault.text("en") for fault in self.faults))

    def text(self, language: str = "en") -> str:
        """One fault a line."""
        return "\n".join(fault.text(language) for fault in self.faults)


def path_text(where: Where) -> str:
    """`("ladder", 2, "percent")` → `ladder[2].percent`."""
    text = ""
    for step in where:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def shown(value: object) -> str:
    """What was written, short enough for a line."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = " ".join(str(value).split())
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def one_of(known: Sequence[str], said: object = None) -> Words:
    """What would be right where only some words are known; the one that was probably meant first."""
    meant = nearest(said, known) if isinstance(said, str) else None
    words = ", ".join(known)
    if meant is not None:
        return Words(f"是否想写 {meant}？可用的有：{words}", f"did you mean {meant}? known: {words}")
    return Words(f"可用的有：{words}", f"one of: {words}")
