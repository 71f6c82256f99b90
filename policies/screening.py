"""The published bands of the screening scales. A screening is never a diagnosis (Mental Health Law art. 23)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

ITEMS: Mapping[str, tuple[int, int]] = {"phq_9": (9, 3), "gad_7": (7, 3), "c_ssrs": (6, 1)}
"""How many items a scale has, and the highest answer to one. An item is named by its number, from 1."""

SELF_HARM_ITEM = "9"
"""PHQ-9 item 9: thoughts of being better off dead or of self-harm."""
HIGH_RISK_ITEMS = ("4", "5", "6")
"""C-SSRS: intent, intent with a plan, or behaviour within three months."""


class ScaleFault(ValueError):
    """Answers that don't fit their scale; the text says what would be right."""


class Banded(Protocol):
    """What a screening needs of the policy: the bands of each scale, by the lowest score of a band."""

    @property
    def scales(self) -> Mapping[str, Mapping[int, str]]:
        """`{"phq_9": {0: "minimal", 5: "mild", …}}`; scales of yes and no have none."""
        ...


@dataclass(frozen=True, slots=True)
class Screening:
    """What the answers add up to."""

    scale: str
    score: int
    band: str
    interview: bool

    def as_dict(self) -> dict[str, str | int | bool]:
        """For the clinical section of the event."""
        return {"scale": self.scale, "score": self.score, "band": self.band, "interview": self.interview}


def scored(scale: str, items: Mapping[str, int], book: Banded) -> Screening:
    """Add the answers up. Raises ScaleFault when one is missing, unknown or out of range."""
    count, highest = ITEMS[scale]
    wanted = {str(number) for number in range(1, count + 1)}
    if set(items) != wanted:
        message = f"{scale} has the items 1 to {count}, each answered once"
        raise ScaleFault(message)
    if any(not 0 <= answer <= highest for answer in items.values()):
        message = f"each item of {scale} is answered by 0 to {highest}"
        raise ScaleFault(message)
    if scale == "c_ssrs":
        high = any(items[item] for item in HIGH_RISK_ITEMS)
        band = "high" if high else "moderate" if items["3"] else "low" if any(items.values()) else "none"
        return Screening(scale, sum(items.values()), band, high)
    score = sum(items.values())
    bands = book.scales[scale]
    band = bands[max(lowest for lowest in bands if lowest <= score)]
    return Screening(scale, score, band, scale == "phq_9" and items[SELF_HARM_ITEM] >= 1)
