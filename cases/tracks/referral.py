"""绿色转诊: the green channel from the school to its designated hospital [plan 11]."""

from __future__ import annotations

from datetime import datetime

from cases.track import (
    FOLLOWS,
    ClockKind,
    Desk,
    FieldFault,
    Move,
    Record,
    Refusal,
    State,
    Track,
    by_now,
    conditions_said,
    fields,
    from_today,
    since_opened,
    who,
)

ACTIVE = (
    "proposed",
    "requested",
    "accepted",
    "scheduled",
    "in_treatment",
    "no_show",
    "consent_refused",
    "admission_refused",
    "declined",
)
AT_SCHOOL = frozenset({"proposed", "consent_refused", "declined"})
"""The states in which the next step is the school's, not the hospital's."""
REVOCABLE = ("proposed", "consent_refused", "requested")
CONFIRMED = ("accepted", "scheduled", "no_show", "declined")
OPINIONS = ("fit", "fit_with_conditions", "not_yet", "no_leave_taken")
_OVER = {
    "referral": frozenset({"completed", "cancelled"}),
    "return_to_school": frozenset({"stable", "relapsed", "cancelled"}),
    "assignment": frozenset({"done", "reassigned", "cancelled"}),
}
"""The states in which a hospital has nothing left to do."""
STREET_TO_COME = frozenset({"summoned", "acknowledged", "disputed"})
"""The street's visit is still to come, with its limit running."""
GUIDANCE_ENDED = frozenset({"completed", "complied", "custody_review", "cancelled"})
SCHOOL = "counselor, deputy@school"


def _opened(desk: Desk) -> None:
    """A concern and a counselor propose; after a relapse the hospital may be asked at once."""
    if desk.record.state == "requested":
        _requested(desk)
    else:
        desk.start(desk.record, "consent")


def _requested(desk: Desk) -> None:
    """The hospital is called and owes an answer; first contact counts from the first request only."""
    record = desk.record
    if record.organisation is not None:
        desk.call(record.organisation)
    desk.start(record, "hospital_answer")
    contact = desk.case.clock(record.no, "first_contact")
    if contact is None:
        desk.start(record, "first_contact")
    elif contact.face.cancelled is not None:
        # It was put aside with the case while no hospital had the referral; it goes on from its own start.
        desk.reopen_clock(record, "first_contact")


def _is_hospital(desk: Desk, name: str) -> Refusal | None:
    number = desk.form.get(name)
    if number is not None and desk.organisation(number).kind != "hospital":
        return Refusal("invalid", faults=(FieldFault(name, "not_a_hospital"),))
    return None


def _hospital_fits(desk: Desk) -> Refusal | None:
    return _is_hospital(desk, "hospital")


def _proposed_fits(desk: Desk) -> Refusal | None:
    return _is_hospital(desk, "proposed")


def _another_hospital(desk: Desk) -> Refusal | None:
    if desk.form["hospital"] == desk.record.organisation:
        return Refusal("invalid", faults=(FieldFault("hospital", "called_already"),))
    return None


def _consented(desk: Desk) -> None:
    """The consent stands for the case: a later relapse needs none of its own."""
    desk.case.record.facts["consent"] = True
    desk.case.record.dirty = True
    _requested(desk)


def _refused(desk: Desk) -> None:
    """The family is offered guidance, unless some is under way; a consent given earlier stands no longer."""
    if desk.case.record.facts.pop("consent", None):
        desk.case.record.dirty = True
    if all(one.state in GUIDANCE_ENDED for one in desk.case.of_kind("guidance")):
        desk.open("guidance")


def _not_red(desk: Desk) -> Refusal | None:
    """Only danger to life goes over the guardian's head (Mental Health Law art. 28)."""
    return None if desk.case.level == "red" else Refusal("not_red", level=desk.case.level)


def _overridden(desk: Desk) -> None:
    """The override asks the hospital; it is no consent, and the supervisor reviews it."""
    desk.record.facts["override"] = "unreviewed"
    _requested(desk)


def _no_override(desk: Desk) -> Refusal | None:
    if desk.record.facts.get("override") != "unreviewed":
        return Refusal("wrong_state", state=desk.record.state, kind=desk.record.kind)
    return None


def _override_reviewed(desk: Desk) -> None:
    desk.record.facts["override"] = "proper" if desk.form["proper"] else "improper"


def _red(desk: Desk) -> Refusal | None:
    """On danger no hospital may turn the student away (Mental Health Law art. 28)."""
    return Refusal("red_cannot_decline") if desk.case.level == "red" else None


def _redirected(desk: Desk) -> None:
    """The hospital that declined loses sight, unless it has other work here; the new one has a limit of its own."""
    record = desk.record
    if record.organisation is not None and not _has_other_work(desk, record.organisation):
        desk.release(record.organisation)
    record.organisation = desk.form["hospital"]
    record.facts.pop("cancellation_requested", None)
    _requested(desk)


def _appointed(desk: Desk) -> None:
    desk.record.facts["appointed"] = desk.form["at"].isoformat()


def _expected_by_now(desk: Desk) -> Refusal | None:
    """Nobody has failed to come before the hour at which they were expected."""
    appointed = desk.record.facts.get("appointed")
    if appointed is not None and desk.now < datetime.fromisoformat(appointed):
        return Refusal("too_early")
    return None


def _has_other_work(desk: Desk, organisation: int) -> bool:
    """Whether another track of the case that hasn't ended is this organisation's: a return that it still tracks."""
    others = (one for kind in _OVER for one in desk.case.of_kind(kind) if one.no != desk.record.no)
    return any(one.organisation == organisation and one.state not in _OVER[one.kind] for one in others)


def _street(desk: Desk) -> Record | None:
    """The newest assignment that a street had in this case and didn't hand on."""
    for one in reversed(desk.case.of_kind("assignment")):
        if one.organisation is None or one.state in {"reassigned", "cancelled"}:
            continue
        if desk.organisation(one.organisation).kind == "street":
            return one
    return None


def _admission_refused(desk: Desk) -> None:
    """The child stays at home: the street visits, and the school weighs the mandatory report.

    The guardian must watch over a child that may not be admitted against their will (Mental Health Law
    arts. 30 and 31).
    """
    standing = _street(desk)
    if standing is not None and standing.state in STREET_TO_COME:
        desk.tell("officer@street", "lead@street")
        return
    street = desk.nearest("street").id if standing is None else standing.organisation
    desk.open("assignment", organisation=street, facts={"part": "support", "why": "admission_refused"})


def _completed(desk: Desk) -> None:
    """The hospital's opinion is its key to the student's return."""
    record, opinion = desk.record, desk.form["opinion"]
    record.facts["opinion"] = opinion
    if opinion != "no_leave_taken":
        facts = {"hospital_opinion": opinion, "referral": record.no}
        desk.open("return_to_school", organisation=record.organisation, facts=facts)


def _cancellation_requested(desk: Desk) -> None:
    """Before a hospital has accepted, nobody else has to agree."""
    if desk.record.state in REVOCABLE:
        desk.follow(desk.record, "cancel")
    else:
        desk.record.facts["cancellation_requested"] = True


def _nothing_to_confirm(desk: Desk) -> Refusal | None:
    if not desk.record.facts.get("cancellation_requested"):
        return Refusal("wrong_state", who_can=("counselor@school",), state=desk.record.state, kind="referral")
    return None


def _reminded(desk: Desk) -> None:
    """Whoever holds up the next step, and their lead."""
    if desk.record.state in AT_SCHOOL:
        desk.tell("counselor@school", "principal@school")
    else:
        desk.tell("liaison@hospital")


TRACK = Track(
    kind="referral",
    label=("绿色转诊", "referral"),
    belongs_to="hospital",
    initial="proposed",
    opened_event="proposed",
    when_opened=_opened,
    dormant=("declined",),
    states={
        "proposed": State(("待监护人同意", "awaiting the guardian's consent")),
        "requested": State(("已转介", "requested")),
        "accepted": State(("已接诊", "accepted")),
        "scheduled": State(("已预约", "scheduled")),
        "in_treatment": State(("治疗中", "in treatment")),
        "completed": State(("治疗结束", "treatment completed"), end=True),
        "no_show": State(("未到诊", "no show")),
        "consent_refused": State(("监护人拒绝", "consent refused")),
        "admission_refused": State(("监护人拒绝住院", "admission refused")),
        "declined": State(("医院退回", "declined by the hospital")),
        "cancelled": State(("已取消", "cancelled"), end=True),
    },
    clocks=(
        ClockKind("consent", ("监护人答复", "guardian's answer"), ("counselor@school",)),
        ClockKind("hospital_answer", ("医院答复", "hospital's answer"), ("liaison@hospital",)),
        ClockKind("first_contact", ("首次接诊", "first contact"), ("liaison@hospital",)),
        ClockKind("safety_review", ("紧急转诊复核", "review of the urgent referral"), ("supervisor@district",)),
    ),
    moves=(
        Move(
            name="propose",
            event="proposed",
            label=("提出转诊", "propose a referral"),
            source=None,
            target="proposed",
            by=who(SCHOOL),
            form=fields("hospital?, reason, screening?, purpose?", screening="text:clinical"),
            guards=(_hospital_fits,),
        ),
        Move(
            name="give_consent",
            event="consent_given",
            label=("监护人同意", "record the consent"),
            source=("proposed", "consent_refused"),
            target="requested",
            by=who(SCHOOL),
            form=fields("guardian, signed_at, form"),
            guards=(by_now("signed_at"),),
            meets=("consent",),
            then=_consented,
        ),
        Move(
            name="refuse_consent",
            event="consent_refused",
            label=("监护人拒绝", "record the refusal"),
            source=("proposed",),
            target="consent_refused",
            by=who(SCHOOL),
            form=fields("reason"),
            meets=("consent",),
            then=_refused,
        ),
        Move(
            name="override_for_safety",
            event="overridden_for_safety",
            label=("紧急转诊（未经监护人同意）", "refer urgently, without the guardian's consent"),
            source=("proposed", "consent_refused"),
            target="requested",
            by=who("principal@school"),
            form=fields("legal_basis, danger"),
            guards=(_not_red,),
            meets=("consent",),
            starts=("safety_review",),
            tells=("liaison@hospital", "supervisor@district"),
            then=_overridden,
        ),
        Move(
            name="review_override",
            event="override_reviewed",
            label=("复核紧急转诊", "review the urgent referral"),
            source=ACTIVE,
            by=who("supervisor@jurisdiction"),
            form=fields("proper, note?"),
            guards=(_no_override,),
            meets=("safety_review",),
            then=_override_reviewed,
            # A referral that was declined holds no case open; what was done over the guardian's head is
            # reviewed all the same.
            needs_case=("open", "awaiting_evaluation"),
        ),
        Move(
            name="accept",
            event="accepted",
            label=("接诊", "accept"),
            source=("requested",),
            target="accepted",
            by=who("liaison@hospital"),
            meets=("hospital_answer",),
        ),
        Move(
            name="decline",
            event="declined",
            label=("退回", "decline"),
            source=("requested",),
            target="declined",
            by=who("liaison@hospital"),
            form=fields("reason, proposed?"),
            guards=(_red, _proposed_fits),
            meets=("hospital_answer",),
        ),
        Move(
            name="redirect",
            event="redirected",
            label=("改转医院", "redirect"),
            source=("declined",),
            target="requested",
            by=who("counselor, deputy@school; coordinator@jurisdiction"),
            form=fields("hospital"),
            guards=(_hospital_fits, _another_hospital),
            then=_redirected,
        ),
        Move(
            name="schedule",
            event="scheduled",
            label=("预约", "schedule"),
            source=("accepted", "scheduled", "no_show"),
            target="scheduled",
            by=who("liaison@hospital"),
            form=fields("at, where"),
            guards=(since_opened("at"),),
            then=_appointed,
        ),
        Move(
            name="record_no_show",
            event="no_show_recorded",
            label=("记录未到诊", "record a no-show"),
            source=("scheduled",),
            target="no_show",
            by=who("liaison@hospital"),
            guards=(_expected_by_now,),
        ),
        Move(
            name="record_visit",
            event="visit_recorded",
            label=("记录就诊", "record the visit"),
            source=("accepted", "scheduled", "no_show"),
            target="in_treatment",
            by=who("liaison@hospital"),
            form=fields("seen_at, mode", mode=("outpatient", "inpatient")),
            guards=(by_now("seen_at"),),
            meets=("first_contact",),
        ),
        Move(
            name="update_treatment",
            event="treatment_updated",
            label=("更新治疗情况", "update the treatment"),
            source=("in_treatment",),
            by=who("liaison@hospital"),
            form=fields("status, next_visit?, advice_for_school?, clinical_note?"),
            guards=(from_today("next_visit"),),
        ),
        Move(
            name="refuse_admission",
            event="admission_refused",
            label=("监护人拒绝住院", "record the refused admission"),
            source=("accepted", "scheduled", "in_treatment"),
            target="admission_refused",
            by=who("liaison@hospital"),
            form=fields("signed_refusal, watch_plan"),
            # Whoever was refused admission was seen: without this the clock could never be met any more.
            meets=("first_contact",),
            tells=("principal@school", "coordinator@district"),
            then=_admission_refused,
        ),
        Move(
            name="resume",
            event="resumed",
            label=("恢复治疗", "resume the treatment"),
            source=("admission_refused",),
            target="in_treatment",
            by=who("liaison@hospital"),
        ),
        Move(
            name="complete",
            event="completed",
            label=("治疗结束", "complete"),
            source=("in_treatment", "admission_refused"),
            target="completed",
            by=who("liaison@hospital"),
            form=fields(
                "summary, opinion, conditions?, evidence?",
                summary="text:clinical",
                opinion=OPINIONS,
                evidence="evidence:clinical",
            ),
            guards=(conditions_said,),
            then=_completed,
        ),
        Move(
            name="request_cancellation",
            event="cancellation_requested",
            label=("申请取消转诊", "request the cancellation"),
            source=(*REVOCABLE, *CONFIRMED),
            by=who(SCHOOL),
            form=fields("reason"),
            then=_cancellation_requested,
        ),
        Move(
            name="confirm_cancellation",
            event="cancellation_confirmed",
            label=("确认取消", "confirm the cancellation"),
            source=CONFIRMED,
            target="cancelled",
            by=who("liaison@hospital; coordinator@jurisdiction"),
            guards=(_nothing_to_confirm,),
        ),
        Move(
            name="remind",
            event="reminded",
            label=("催办", "remind"),
            source=ACTIVE,
            by=who("coordinator, supervisor@jurisdiction"),
            form=fields("note?"),
            then=_reminded,
        ),
        Move(
            name="cancel",
            event="cancelled",
            label=("取消", "cancel"),
            source=ACTIVE,
            target="cancelled",
            by=FOLLOWS,
        ),
    ),
)
