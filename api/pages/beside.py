"""What a form answers to: the feedback that is to be accepted, the demand that is answered, the last round's figures.

Shown above the form, so that nobody signs what they would have to look up first. Reading it is a look, and logged.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
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
    "assignment.acknowledge": _WHISTLE,
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
    "referral.accept": (*_WHISTLE, "referral.proposed"),
    "referral.decline": (*_WHISTLE, "referral.proposed"),
    "referral.redirect": ("referral.declined",),
    "referral.schedule": ("referral.scheduled", "referral.no_show_recorded"),
    "referral.record_visit": ("referral.scheduled",),
    "referral.update_treatment": ("referral.treatment_updated",),
    "referral.complete": ("referral.treatment_updated",),
    "referral.confirm_cancellation": ("referral.cancellation_requested",),
    "protection.issue": ("protection.applied",),
    "protection.reject": ("protection.applied",),
    "protection.record_breach": ("protection.issued",),
    "mandatory_report.file": (*_WHISTLE, "mandatory_report.raised"),
    "mandatory_report.register": ("mandatory_report.raised", "mandatory_report.filed"),
    "mandatory_report.record_answer": (*_WHISTLE, "mandatory_report.raised", "mandatory_report.filed"),
    "mandatory_report.find_not_required": (*_WHISTLE, "mandatory_report.raised"),
    "guidance.engage": ("guidance.offered", "guidance.evasion_recorded"),
    "guidance.record_session": ("guidance.offered", "guidance.session_recorded"),
    "guidance.complete": ("guidance.session_recorded",),
    "guidance.record_evasion": ("guidance.offered", "guidance.session_recorded"),
    "guidance.criticise": ("guidance.evasion_recorded",),
    "guidance.refer_to_police": ("guidance.evasion_recorded", "guidance.criticised"),
    "guidance.admonish": ("guidance.evasion_recorded", "guidance.criticised", "guidance.referred_to_police"),
    "guidance.order": ("guidance.evasion_recorded", "guidance.referred_to_police", "guidance.admonished"),
    "guidance.supervise_guardian": ("guidance.evasion_recorded", "guidance.criticised", "guidance.admonished"),
    "guidance.warn_of_violence": ("guidance.evasion_recorded", "guidance.check_recorded"),
    "guidance.record_compliance": ("guidance.ordered",),
    "guidance.record_defiance": ("guidance.ordered",),
    "guidance.propose_custody_review": ("guidance.ordered", "guidance.defiance_recorded"),
    "conference.schedule": ("conference.called",),
    "conference.hold": ("conference.called", "conference.scheduled"),
    "conference.minute": ("conference.called", "conference.held"),
    "conference.cancel": ("conference.called",),
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
_OWN: Final = frozenset(
    {"assignment", "extension", "supervision", "referral", "access", "protection", "mandatory_report", "guidance"}
    | {"conference"}
)
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
    teller = Teller(page, session, session.office.book_of(file.policy), named, file=file)
    return [teller.entry(_as_it_is_now(one)) for one in found]


def _as_it_is_now(one: Told) -> Told:
    """A whistle without the level that it had: the head of the form says the present one."""
    if one.name not in _WHISTLE:
        return one
    return replace(one, open={name: value for name, value in one.open.items() if name != "level"})


def ordered(page: Page, session: Session, file: CaseFile, offer: Offer) -> list[tuple[str, str]]:
    """Of an order its number, whose assignment it is about, and the limit for which the ladder gave it."""
    record = offer.record
    about = file.track(record.about) if record.about is not None else None
    if offer.declared.kind != "supervision" or offer.move.opens or about is None:
        return []
    found = [(page.say("Number of the order"), f"{file.number}-{record.no}")]
    if about.organisation is not None:
        place = session.office.directory.organisation(session.connection, about.organisation)
        found.append((page.say("About the assignment of"), place.name))
    name = record.facts.get("by_ladder")
    kind = session.office.tracks[about.kind].clock_kinds.get(name) if name else None
    clock = file.clock(about.no, name) if name else None
    if kind is not None and clock is not None:
        due = page.say("due %(time)s") % {"time": page.tongue.moment(clock.face.due)}
        found.append((page.say("The limit that was missed"), f"{page.word(kind.label)} · {due}"))
    return found


def _belongs(offer: Offer, one: Told) -> bool:
    return one.kind not in _OWN or one.kind != offer.declared.kind or one.track == offer.record.no
