"""The closed lists that a policy may speak of. They are the engine's contract (TRACKS.md): a policy sets what
happens and by when; it can't invent a state machine, a clock or a kind of organisation.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from types import MappingProxyType
from typing import Final, NamedTuple


class Words(NamedTuple):
    """The same text in both languages."""

    zh_CN: str  # noqa: N815 - the name of a locale
    en: str

    def in_language(self, language: str) -> str:
        """zh_CN for any Chinese locale, English for every other."""
        return self.zh_CN if language.lower().startswith("zh") else self.en


LANGUAGES: Final = ("zh_CN", "en")
LEVELS: Final = ("red", "orange", "yellow", "blue")
"""Gravest first."""
BASIS_KINDS: Final[Mapping[str, Words]] = MappingProxyType(
    {
        "law": Words("法律", "law"),
        "plan": Words("行动计划", "plan"),
        "practice": Words("惯例", "practice"),
        "default": Words("默认", "default"),
    }
)

KINDS: Final = (
    "city", "district", "education_bureau", "street", "community", "school", "hospital", "police",
    "procuratorate", "court", "civil_affairs", "womens_federation", "health_commission", "youth_league",
    "care_committee", "disabled_federation", "cyberspace", "justice", "social_work", "guidance_center",
)  # fmt: skip
RESPONDING: Final = tuple(kind for kind in KINDS if kind not in {"city", "district", "school"})
"""Who can be summoned: the desks rule on a case, the school whistles."""
ROLES: Final = (
    "counselor", "principal", "mentor", "deputy", "codirector", "officer", "lead", "liaison", "coordinator",
    "supervisor", "auditor", "admin",
)  # fmt: skip
RUNGS: Final = ("reminded", "warned", "breached", "escalated", "bulletined")
"""What a rung of the ladder can be called, lowest first: each is a kind of message, with words of its own."""
OPENABLE: Final = ("referral", "guidance")
"""The tracks that need no form to open, so a concern can open them."""

CLOCKS: Final = (
    "case.sign_off", "case.safe_plan", "case.settle", "case.evaluation", "case.interview",
    "assignment.acknowledge", "assignment.report_in", "assignment.feedback", "assignment.ruling",
    "return_to_school.ruling", "return_to_school.assess", "check_in.check_in", "check_in.interview",
    "mandatory_report.call_police", "mandatory_report.register", "mandatory_report.police_answer",
    "referral.consent", "referral.hospital_answer", "referral.first_contact", "referral.safety_review",
    "protection.court_answer", "protection.court_answer_urgent", "supervision.supervision_answer",
    "access.access_review", "extension.extension_ruling", "leave.contact",
)  # fmt: skip
"""Every limit that a policy must give. `court_answer_urgent` is that of an urgent `court_answer`."""
GIVEN_CLOCKS: Final = ("return_to_school.review", "action_item.action")
"""Clocks whose due time is given by whoever starts them."""
PAUSING: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "assignment.acknowledge": ("disputed",),
        "assignment.report_in": ("disputed",),
        "assignment.feedback": ("disputed",),
        "case.settle": ("only_other_tracks",),
        "return_to_school.assess": ("deferred", "appealed"),
    }
)
"""The clocks that can pause, and in which states."""

SEATS: Final = ("school", "called", "community", "street", "hospital", "jurisdiction", "access", "anywhere")
"""Where someone stands towards a case, after the `@` of a rule of sight."""
OCCASIONS: Final = ("always", "own_student", "called", "street_called", "access_open")
"""When a rule of sight holds."""
ANYONE: Final = "anyone"

STATUTORY: Final = (
    "genital_injury", "sexual_assault_under_14", "pregnancy_from_assault", "injury", "self_harm", "abandoned",
    "missing_or_trafficked", "organised_begging", "other_serious_harm",
)  # fmt: skip
"""The nine triggers of the 2020 Opinion, art. 4, in its order."""
SCALES: Final = ("phq_9", "gad_7", "c_ssrs")
ALGORITHMS: Final = ("aes-256-gcm", "sm4-gcm")

LAWFUL: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "guidance.admonish": ("police", "procuratorate", "court"),
        "guidance.order": ("court",),
        "guidance.supervise_guardian": ("procuratorate",),
        "guidance.warn_of_violence": ("police",),
        "protection.apply": ("police", "womens_federation", "community"),
    }
)
"""The triggers that a law reserves, and the most that a policy may allow."""


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant."""
    found = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return found[0] if found else None
