"""What the answers to a screening add up to. A screening is never a diagnosis (Mental Health Law art. 23)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from policies.parts import Scale


class ScaleFault(ValueError):
    """Answers that don't fit their scale; the text says what would be right."""


class Scales(Protocol):
    """What a screening needs of the policy."""

    @property
    def scales(self) -> Mapping[str, Scale]:
        """The scales by their codes."""
        ...


@dataclass(frozen=True, slots=True)
class Screening:
    """A total and its published band; `interview` when an answer alarms (PHQ-9 item 9, a high C-SSRS)."""

    scale: str
    score: int
    band: str
    interview: bool

    def as_dict(self) -> dict[str, str | int | bool]:
        """For the clinical section of the event."""
        return {"scale": self.scale, "score": self.score, "band": self.band, "interview": self.interview}


def scored(code: str, items: Mapping[str, int], book: Scales) -> Screening:
    """Add the answers up; items are named by their number, from "1".

    Raises ScaleFault when one is missing, unknown or out of range.
    """
    scale = book.scales[code]
    if set(items) != {str(number) for number in range(1, scale.items_count + 1)}:
        message = f"{code} has the items 1 to {scale.items_count}, each answered once"
        raise ScaleFault(message)
    lowest, highest = scale.answers
    if any(not lowest <= answer <= highest for answer in items.values()):
        message = f"each item of {code} is answered by {lowest} to {highest}"
        raise ScaleFault(message)
    score = sum(items.values())
    alarmed = any(items[item] >= least for item, least in scale.alarm.items())
    return Screening(code, score, _band(scale, items, score), alarmed)


def _band(scale: Scale, items: Mapping[str, int], score: int) -> str:
    for triage in scale.triage:
        if any(items[item] for item in triage.any_of):
            return triage.code
    for band in scale.bands:
        if band.lowest <= score <= band.highest:
            return band.code
    return "none"
