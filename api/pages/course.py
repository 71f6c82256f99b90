"""The order of a day: in which order the triggers of a track come, and how far a referral is for its hospital."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from cases.offers import Offer

ORDER: Final[Mapping[str, Sequence[str]]] = {
    "assignment": (
        "acknowledge", "report_in", "record_progress", "give_feedback", "accept_feedback", "send_back",
        "request", "decline", "undo_acknowledge", "uphold", "reassign", "settle_dispute", "remind", "issue",
    ),
    "referral": (
        "give_consent", "refuse_consent", "override_for_safety", "accept", "schedule", "record_visit",
        "record_no_show", "update_treatment", "complete", "refuse_admission", "resume", "decline",
        "confirm_cancellation", "redirect", "request_cancellation", "remind",
    ),
    "return_to_school": (
        "school_sign", "hospital_sign", "record_return", "declare_stable", "relapse", "defer", "resume", "appeal",
    ),
    "check_in": ("file_school", "file_hospital", "record_interview"),
    "case": ("sign_off", "send_back", "record_safe_plan", "record_screening", "record_interview", "evaluate", "close"),
}  # fmt: skip
"""By kind of track; a trigger that isn't named comes after those that are."""

CONFIRMED: Final = frozenset({"accept_feedback", "confirm_cancellation", "declare_stable", "evaluate", "close"})
"""What can't be taken back is looked at before it is done, even where nothing has to be written."""

VISIT: Final[Mapping[str, int]] = {
    "requested": 0, "accepted": 1, "scheduled": 2, "no_show": 1, "in_treatment": 3, "admission_refused": 3,
    "completed": 5,
}  # fmt: skip
"""How many steps of a hospital's day lie behind a referral in that state."""
STEPS: Final = ("accepted", "scheduled", "visit_recorded", "treatment_updated", "completed")
"""The events that are those steps."""


def is_quick(offer: Offer) -> bool:
    """Whether one tap does it."""
    return not offer.move.form.fields and offer.move.name not in CONFIRMED


def in_order(offers: Iterable[Offer]) -> list[Offer]:
    """As the day goes."""
    return sorted(offers, key=_place)


def _place(offer: Offer) -> int:
    kind = offer.declared.kind if offer.about is None else "assignment"
    named = ORDER.get(kind, ())
    return named.index(offer.move.name) if offer.move.name in named else len(named)
