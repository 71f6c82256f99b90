"""What the answers to a screening add up to. A screening is never a diagnosis (Mental Health Law art. 23)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from policies.parts import Scale


class ScaleFault(ValueError):
    """Answers that don't fit their scale: `items` are the faulty ones by their numbers.

    `code` is `missing` (not answered), `unknown` (no item of this scale) or `out_of_range`.
    """

    def __init__(self, code: str, items: tuple[str, ...], scale: Scale) -> None:
        super().__init__(f"{scale.code}: {code}: {', '.join(items)}")
        self.code = code
        self.items = items
        self.scale = scale


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
    wanted = [str(number) for number in range(1, scale.items_count + 1)]
    lowest, highest = scale.answers
    wrong = {
        "unknown": tuple(one for one in items if one not in wanted),
        "missing": tuple(one for one in wanted if one not in items),
        "out_of_range": tuple(one for one, answer in items.items() if not lowest <= answer <= highest),
    }
    for fault, found in wrong.items():
        if found:
            raise ScaleFault(fault, found, scale)
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
