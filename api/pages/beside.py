"""What a form answers to: the feedback that is to be accepted, the demand that is answered, the last round's figures.

Shown above the form, so that nobody signs what they would have to look up first. Reading it is a look, and logged.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from api.pages.frame import Page
from api.pages.telling import Entry, Teller
from cases import dossier
from cases.access import Sight
from cases.casefile import CASE, CaseFile
from cases.dossier import Told
from cases.offers import Offer
from cases.office import Session

IN_THIS_ROOM: Final = "form"
_WHISTLE: Final = ("case.whistled", "case.submitted")
_OPINION: Final = ("referral.completed", "return_to_school.hospital_signed", "return_to_school.applied")

BESIDE: Final[Mapping[str, tuple[str, ...]]] = {
    "case.sign_off": _WHISTLE,
    "case.send_back": _WHISTLE,
    "case.record_safe_plan": _WHISTLE,
    "case.record_interview": ("case.screened",),
    "case.evaluate": ("assignment.feedback_given", "referral.completed"),
    "case.close": ("case.evaluated", "assignment.feedback_given"),
    "assignment.report_in": _WHISTLE,
    "assignment.decline": _WHISTLE,
    "assignment.give_feedback": ("assignment.sent_back", "assignment.reported_in"),
    "assignment.accept_feedback": ("assignment.feedback_given",),
    "assignment.send_back": ("assignment.feedback_given",),
    "assignment.settle_dispute": ("assignment.feedback_given", "assignment.sent_back"),
    "assignment.uphold": ("assignment.declined",),
    "assignment.reassign": ("assignment.declined",),
    "extension.grant": ("extension.requested",),
    "extension.refuse": ("extension.requested",),
    "supervision.answer": ("supervision.issued", "supervision.rejected"),
    "supervision.accept": ("supervision.issued", "supervision.answered"),
    "supervision.reject": ("supervision.issued", "supervision.answered"),
    "referral.give_consent": ("referral.proposed",),
    "referral.override_for_safety": ("referral.consent_refused",),
    "referral.review_override": ("referral.overridden_for_safety",),
    "referral.decline": ("referral.proposed",),
    "referral.redirect": ("referral.declined",),
    "referral.schedule": ("referral.scheduled", "referral.no_show_recorded"),
    "referral.record_visit": ("referral.scheduled",),
    "referral.update_treatment": ("referral.treatment_updated",),
    "referral.complete": ("referral.treatment_updated",),
    "referral.confirm_cancellation": ("referral.cancellation_requested",),
    "return_to_school.hospital_sign": (*_OPINION, "return_to_school.school_signed"),
    "return_to_school.school_sign": _OPINION,
    "return_to_school.defer": (*_OPINION, "return_to_school.school_signed"),
    "return_to_school.rule": ("return_to_school.appealed", "return_to_school.deferred"),
    "return_to_school.record_return": ("return_to_school.school_signed", "return_to_school.hospital_signed"),
    "return_to_school.declare_stable": ("check_in.school_filed", "check_in.hospital_filed"),
    "check_in.file_school": ("check_in.school_filed",),
    "check_in.file_hospital": ("check_in.school_filed", "check_in.hospital_filed"),
    "check_in.record_interview": ("check_in.school_filed", "check_in.hospital_filed"),
    "action_item.finish": ("conference.minuted",),
    "action_item.drop": ("conference.minuted",),
    "access.review": ("access.opened",),
}
"""By `kind.trigger`: the events of which the newest is shown."""
_EVERY: Final = frozenset({"case.evaluate", "case.close"})
"""Here each organisation's own is shown, not the newest of all."""
_OWN: Final = frozenset({"assignment", "extension", "supervision", "referral", "access"})
"""Of these kinds only what was said of the same track counts; of the others the newest anywhere in the case."""


def beside(page: Page, session: Session, file: CaseFile, sight: Sight, offer: Offer) -> list[Entry]:
    """What was said that this form answers to, oldest first; as far as this reader may read it."""
    key = f"{offer.declared.kind}.{offer.move.name}"
    wanted = BESIDE.get(key, ())
    if not wanted or not offer.free:
        return []
    history = dossier.told(session, file, sight, page.reader.actor, page.reader.now, IN_THIS_ROOM)
    chosen: dict[tuple[str, int], Told] = {}
    for one in history:
        if one.name in wanted and _belongs(offer, one):
            chosen[one.name, one.track if key in _EVERY else CASE] = one
    found = sorted(chosen.values(), key=lambda one: one.seq)
    named = dossier.names(session, {one.actor for one in found if one.actor is not None})
    teller = Teller(page, session, session.office.book_of(file.policy), named)
    return [teller.entry(one) for one in found]


def _belongs(offer: Offer, one: Told) -> bool:
    return one.kind not in _OWN or one.kind != offer.declared.kind or one.track == offer.record.no
