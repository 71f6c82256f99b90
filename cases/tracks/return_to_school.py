"""返校复学: hospital and school decide together, then track together [plan 11]."""

from __future__ import annotations

from datetime import time, timedelta

from cases.track import FOLLOWS, ClockKind, Desk, FieldFault, Move, Refusal, State, Track, conditions_said, fields, who

ACTIVE = ("assessing", "planned", "tracking", "deferred", "appealed")
OPINIONS = ("fit", "fit_with_conditions", "not_yet")
FAVOURABLE = frozenset({"fit", "fit_with_conditions"})
SIDES = {"principal": "school", "liaison": "hospital"}
KEYS = {"school": "school_signed", "hospital": "hospital_opinion"}
"""The fact in which each side's key stands."""
REVIEW_AT = time(18)
A_YEAR = timedelta(days=366)
A_MONTH = timedelta(days=30)
"""So far ahead may a return be recorded: it is agreed by then, and whatever comes later isn't sure."""


def _opened(desk: Desk) -> None:
    """Applied for, it belongs to the newest referral's hospital; without one, to the school's designated one.

    Either way that hospital holds a key, so it is called before the assessment's clock tells it so.
    """
    record = desk.record
    if "application" in desk.form:
        asked = [one.organisation for one in desk.case.of_kind("referral")]
        record.organisation = asked[-1] if asked else record.organisation
    if record.organisation is not None:
        desk.call(record.organisation)
    desk.start(record, "assess")


def _after_hospital(desk: Desk) -> str:
    favourable = desk.form["opinion"] in FAVOURABLE
    return "planned" if favourable and desk.record.facts.get("school_signed") else "assessing"


def _after_school(desk: Desk) -> str:
    return "planned" if desk.record.facts.get("hospital_opinion") in FAVOURABLE else "assessing"


def _hospital_signed(desk: Desk) -> None:
    desk.record.facts["hospital_opinion"] = desk.form["opinion"]
    _met_if_planned(desk)


def _school_signed(desk: Desk) -> None:
    desk.record.facts["school_signed"] = True
    _met_if_planned(desk)


def _met_if_planned(desk: Desk) -> None:
    if desk.record.state == "planned":
        desk.meet(desk.record, "assess")


def _review_ahead(desk: Desk) -> Refusal | None:
    """A deferral is reviewed at 18:00 of a day to come, within the year that a leave lasts at most."""
    day, latest = desk.form["review_on"], desk.today() + A_YEAR
    if day > latest:
        return Refusal("invalid", faults=(FieldFault("review_on", "too_large", {"le": latest.isoformat()}),))
    if day < desk.today() or desk.local(day, REVIEW_AT) <= desk.now:
        return Refusal("invalid", faults=(FieldFault("review_on", "in_the_past"),))
    return None


def _deferred(desk: Desk) -> None:
    """Whoever defers takes their own key back: they have to sign again."""
    if desk.role in SIDES:
        desk.record.facts.pop(KEYS[SIDES[desk.role]], None)
    desk.start(desk.record, "review", given=desk.local(desk.form["review_on"], REVIEW_AT))


def _ruled(desk: Desk) -> None:
    """An appeal that is upheld stands for both keys; otherwise the assessment's time goes on."""
    if desk.record.state == "planned":
        desk.meet(desk.record, "assess")
    else:
        desk.resume(desk.record, "assess")


def _return_near(desk: Desk) -> Refusal | None:
    """A day of the past year or of the coming month: the check-ins are laid from it, and the leave ends at once."""
    day, today = desk.form["day"], desk.today()
    if day < today - A_YEAR:
        fault = FieldFault("day", "too_small", {"ge": (today - A_YEAR).isoformat()})
        return Refusal("invalid", faults=(fault,))
    if day > today + A_MONTH:
        fault = FieldFault("day", "too_large", {"le": (today + A_MONTH).isoformat()})
        return Refusal("invalid", faults=(fault,))
    return None


def _returned(desk: Desk) -> None:
    """The policy's rhythm of check-ins is laid from the day of return, and the leave ends."""
    rhythm = desk.book.rhythm
    for number, week in enumerate(sorted({*rhythm.school, *rhythm.hospital}), start=1):
        opens_on = desk.form["day"] + timedelta(weeks=week)
        needs = [side for side in ("school", "hospital") if week in getattr(rhythm, side)]
        facts = {
            "round": number,
            "week": week,
            "opens_on": opens_on.isoformat(),
            "needs": needs,
            "filed": [],
        }
        check_in = desk.open("check_in", parent=desk.record.no, facts=facts)
        desk.alarm(check_in, desk.local(opens_on), "open")
    for leave in desk.case.of_kind("leave"):
        desk.follow(leave, "end")


def _cancel_check_ins(desk: Desk, *states: str) -> None:
    for one in desk.case.of_kind("check_in"):
        if one.parent == desk.record.no and one.state in states:
            desk.follow(one, "cancel")


def _relapsed(desk: Desk) -> None:
    """Back to the same hospital, at once while the consent stands; the level is orange at least."""
    _cancel_check_ins(desk, "planned", "open")
    if desk.case.level in {"yellow", "blue"}:
        desk.regrade("orange")
        desk.note("open", level="orange")
    desk.open(
        "referral",
        organisation=desk.record.organisation,
        state="requested" if desk.case.record.facts.get("consent") else "proposed",
        facts={"linked": desk.record.no},
    )


def _check_ins_missing(desk: Desk) -> Refusal | None:
    missing = sum(
        one.parent == desk.record.no and one.state in {"open", "missed"} for one in desk.case.of_kind("check_in")
    )
    return Refusal("check_ins_missing", count=str(missing)) if missing else None


def _stable(desk: Desk) -> None:
    _cancel_check_ins(desk, "planned")


def _cancelled(desk: Desk) -> None:
    _cancel_check_ins(desk, "planned", "open", "missed")


def _reminded(desk: Desk) -> None:
    """Both sides hold a key; once the plan stands the counselor has the next step."""
    desk.tell("principal@school", "liaison@hospital")
    if desk.record.state in {"planned", "tracking"}:
        desk.tell("counselor@school")


TRACK = Track(
    kind="return_to_school",
    label=("返校复学", "return to school"),
    belongs_to="hospital",
    initial="assessing",
    opened_event="applied",
    when_opened=_opened,
    states={
        "assessing": State(("复学评估", "being assessed")),
        "planned": State(("方案已定", "plan agreed")),
        "tracking": State(("联合跟踪", "joint tracking")),
        "stable": State(("已稳定", "stable"), end=True),
        "deferred": State(("暂缓", "deferred")),
        "appealed": State(("申诉中", "under appeal")),
        "relapsed": State(("复发", "relapsed"), end=True),
        "cancelled": State(("已取消", "cancelled"), end=True),
    },
    clocks=(
        ClockKind("assess", ("复学评估", "assessment"), ("principal@school", "liaison@hospital")),
        ClockKind("review", ("暂缓复核", "review of the deferral"), ("principal@school", "liaison@hospital")),
        ClockKind("ruling", ("申诉裁定", "ruling"), ("supervisor@district",)),
    ),
    moves=(
        Move(
            name="apply",
            event="applied",
            label=("申请复学", "apply for return"),
            source=None,
            target="assessing",
            by=who("counselor@school"),
            form=fields("application"),
        ),
        Move(
            name="hospital_sign",
            event="hospital_signed",
            label=("医院签署", "sign for the hospital"),
            source=("assessing",),
            target=("assessing", "planned"),
            choose=_after_hospital,
            by=who("liaison@hospital"),
            form=fields("opinion, conditions?, evidence?", opinion=OPINIONS, evidence="evidence:clinical"),
            guards=(conditions_said,),
            then=_hospital_signed,
        ),
        Move(
            name="school_sign",
            event="school_signed",
            label=("学校签署", "sign for the school"),
            source=("assessing",),
            target=("assessing", "planned"),
            choose=_after_school,
            by=who("principal@school"),
            form=fields("assessment, plan, evidence?", plan="plan"),
            then=_school_signed,
        ),
        Move(
            name="defer",
            event="deferred",
            label=("暂缓复学", "defer"),
            source=("assessing",),
            target="deferred",
            by=who("principal@school; liaison@hospital"),
            form=fields("reason, review_on"),
            guards=(_review_ahead,),
            pauses=("assess",),
            tells=("officer@community", "counselor@school"),
            then=_deferred,
        ),
        Move(
            name="resume",
            event="resumed",
            label=("恢复评估", "resume"),
            source=("deferred",),
            target="assessing",
            by=who("principal@school; liaison@hospital"),
            meets=("review",),
            resumes=("assess",),
        ),
        Move(
            name="appeal",
            event="appealed",
            label=("申诉", "appeal"),
            source=("assessing", "deferred"),
            target="appealed",
            by=who("counselor@school; officer@community"),
            form=fields("grounds"),
            pauses=("assess",),
            cancels=("review",),
            starts=("ruling",),
            tells=("supervisor@district",),
        ),
        Move(
            name="rule",
            event="ruled",
            label=("裁定申诉", "rule"),
            source=("appealed",),
            target=("assessing", "planned"),
            choose=lambda desk: str(desk.form["ruling"]),
            by=who("supervisor@jurisdiction"),
            form=fields("ruling, reason", ruling=("assessing", "planned")),
            meets=("ruling",),
            then=_ruled,
        ),
        Move(
            name="record_return",
            event="returned",
            label=("记录返校", "record the return"),
            source=("planned",),
            target="tracking",
            by=who("counselor@school"),
            form=fields("day"),
            guards=(_return_near,),
            then=_returned,
        ),
        Move(
            name="relapse",
            event="relapsed",
            label=("复发", "relapse"),
            source=("tracking",),
            target="relapsed",
            by=who("counselor@school; liaison@hospital"),
            form=fields("signs"),
            tells=("principal@school", "liaison@hospital", "coordinator@district"),
            then=_relapsed,
        ),
        Move(
            name="declare_stable",
            event="declared_stable",
            label=("确认稳定", "declare stable"),
            source=("tracking",),
            target="stable",
            by=who("counselor@school; liaison@hospital"),
            keys=("counselor", "liaison"),
            guards=(_check_ins_missing,),
            then=_stable,
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
            then=_cancelled,
        ),
    ),
)
