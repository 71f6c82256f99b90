"""The states of a referral in FHIR's words, and back: Task and ServiceRequest status, business status, priority.

Task.status follows Gravity's closed loop (accepted until the service has begun, then in-progress); the business status
says what has happened meanwhile, in BSeR's codes beside our own. Everything here is a table.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

BSER: Final = "http://hl7.org/fhir/us/bser/CodeSystem/TaskBusinessStatusCS"
TASK_CODES: Final = "http://hl7.org/fhir/CodeSystem/task-code"

TASK: Final[Mapping[str, str]] = {
    "proposed": "draft",
    "consent_refused": "on-hold",
    "requested": "requested",
    "accepted": "accepted",
    "scheduled": "accepted",
    "no_show": "accepted",
    "in_treatment": "in-progress",
    "admission_refused": "on-hold",
    "declined": "rejected",
    "completed": "completed",
    "cancelled": "cancelled",
}
REQUEST: Final[Mapping[str, str]] = {
    "proposed": "draft",
    "consent_refused": "on-hold",
    "requested": "active",
    "accepted": "active",
    "scheduled": "active",
    "no_show": "active",
    "in_treatment": "active",
    "admission_refused": "on-hold",
    "declined": "active",
    "completed": "completed",
    "cancelled": "revoked",
}
BUSINESS: Final[Mapping[str, tuple[str, str]]] = {
    "requested": ("2.0", "Service Request Created"),
    "accepted": ("3.0", "Service Request Accepted"),
    "declined": ("4.0", "Service Request Declined"),
    "scheduled": ("5.1.1", "Service Request Event Scheduled"),
    "no_show": ("5.1.2", "Scheduled Service Request Event Unattended"),
    "in_treatment": ("5.1.4", "Service Request Event Completed"),
    "cancelled": ("6.0", "Service Request Fulfillment Cancelled"),
    "completed": ("7.0", "Service Request Fulfillment Completed"),
}
"""BSeR's code and display; states that BSeR has no word for have our own code alone."""
CANCELLATION: Final = ("5.2", "Service Request Cancellation Requested")
PRIORITY: Final[Mapping[str, str]] = {"red": "stat", "orange": "asap", "yellow": "urgent", "blue": "routine"}

TASK_STATUSES: Final = frozenset(
    {"draft", "requested", "received", "accepted", "rejected", "ready", "cancelled", "in-progress", "on-hold",
     "failed", "completed", "entered-in-error"}
)  # fmt: skip

OUTPUTS: Final[Mapping[str, Mapping[str, str]]] = {
    "schedule": {"scheduled-at": "at", "scheduled-where": "where"},
    "record_visit": {"seen-at": "seen_at", "visit-mode": "mode"},
    "update_treatment": {
        "treatment-status": "status",
        "next-visit": "next_visit",
        "advice-for-school": "advice_for_school",
        "clinical-note": "clinical_note",
    },
    "refuse_admission": {"signed-refusal": "signed_refusal", "watch-plan": "watch_plan"},
    "complete": {"summary": "summary", "opinion": "opinion", "conditions": "conditions"},
    "decline": {"proposed-hospital": "proposed"},
}
"""What a hospital says with a trigger: the code of a Task.output, and the field of the trigger's form."""
MOMENTS: Final = frozenset({"scheduled-at", "seen-at"})
SEVERAL: Final = frozenset({"signed-refusal"})
ORGANISATIONS: Final = frozenset({"proposed-hospital"})

OF_STATE: Final[Mapping[str, str]] = {
    "accepted": "accept",
    "declined": "decline",
    "scheduled": "schedule",
    "no_show": "record_no_show",
    "in_treatment": "record_visit",
    "admission_refused": "refuse_admission",
    "completed": "complete",
    "cancelled": "confirm_cancellation",
}
"""The trigger that a new business status asks for."""
OF_STATUS: Final[Mapping[str, str]] = {
    "accepted": "accept",
    "rejected": "decline",
    "in-progress": "record_visit",
    "on-hold": "refuse_admission",
    "completed": "complete",
    "cancelled": "confirm_cancellation",
}
"""The trigger that a new status asks for, where the business status is left alone."""


def states(table: Mapping[str, str], wanted: Iterable[str]) -> list[str]:
    """The states that a table maps to one of these words."""
    sought = set(wanted)
    return [state for state, word in table.items() if word in sought]


def business(state: str) -> str:
    """Our own code of a state: `no-show`."""
    return state.replace("_", "-")


def state_of(code: str) -> str | None:
    """The state that a business status names, by our own code or by BSeR's; None for a word of neither."""
    for state in TASK:
        if code == business(state) or code == BUSINESS.get(state, ("",))[0]:
            return state
    return None
