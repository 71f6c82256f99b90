"""个案: the case itself, from the whistle to its closing."""

from __future__ import annotations

from cases.track import (
    FOLLOWS,
    CaseFile,
    ClockKind,
    Desk,
    FieldFault,
    Form,
    Move,
    Record,
    Refusal,
    ScaleFault,
    State,
    Track,
    cannot_answer,
    fields,
    scored,
    who,
)

LEVELS = ("red", "orange", "yellow", "blue")
CONCERNS = (
    "family_failure",
    "harmful_home",
    "duty_refused",
    "left_behind",
    "migrant",
    "internet_addiction",
    "mental_illness",
    "bullying",
    "school_safety",
    "dropout",
)
CLOSING = ("resolved", "transferred_to_long_term_care", "moved_away", "unfounded")
ENDED_ASSIGNMENTS = frozenset({"done", "reassigned", "cancelled"})


def whistle_form(levels: tuple[str, ...], *, draft: bool = False) -> Form:
    """The whistle's fields; in a draft every one of them may still be missing."""
    mark = "?" if draft else ""
    return fields(
        f"concern{mark}, level{mark}, summary{mark}, student{mark}, statutory?, evidence?, school?",
        concern=CONCERNS,
        level=levels,
        statutory="statutory",
    )


def _needs_signoff(desk: Desk) -> Refusal | None:
    if desk.role != "coordinator" and desk.form["level"] in {"yellow", "blue"}:
        return Refusal("needs_signoff", who_can=("principal@school",))
    return None


def _born_by_now(desk: Desk) -> Refusal | None:
    student = desk.form.get("student")
    if student is not None and student.born > desk.today():
        return Refusal("invalid", faults=(FieldFault("student.born", "in_the_future"),))
    return None


def _describe(desk: Desk) -> None:
    """What the whistle says about the case, and the mandatory report that a ticked trigger opens at once."""
    desk.case.concern = desk.form["concern"]
    desk.case.level = desk.form["level"]
    ticked = set(desk.form.get("statutory", ()))
    reported = {
        code
        for report in desk.case.of_kind("mandatory_report")
        if report.state != "not_required"
        for code in report.facts["statutory"]
    }
    if ticked - reported:
        raised_by = desk.actor.member_id if desk.actor else None
        desk.open("mandatory_report", facts={"statutory": sorted(ticked), "raised_by": raised_by})


def _drafted(desk: Desk) -> None:
    """What the draft says already; the rest is asked when it is submitted."""
    desk.case.concern = desk.form.get("concern", desk.case.concern)
    desk.case.level = desk.form.get("level", desk.case.level)


def _submitted(desk: Desk) -> None:
    _describe(desk)
    if desk.role == "principal":
        enter_open(desk)
    else:
        desk.start(desk.record, "sign_off")


def _whistled(desk: Desk) -> None:
    _describe(desk)
    if desk.role == "counselor":
        desk.record.facts["owes_sign_off"] = True
        desk.start(desk.record, "sign_off")
    enter_open(desk)


def enter_open(desk: Desk) -> None:
    """The case is being worked on: its clocks start and, the first time, the policy calls whom the concern needs."""
    desk.start(desk.record, "settle")
    if desk.case.level == "red" and "safe_plan" not in desk.record.facts:
        desk.start(desk.record, "safe_plan")
    if desk.record.facts.get("unfolded"):
        return
    desk.record.facts["unfolded"] = True
    concern = desk.book.concerns[desk.case.concern]
    missing = _call_up(desk, (concern.lead, *concern.support))
    for kind in concern.opens:
        if kind == "referral" and desk.responsible("hospital") is None:
            missing.append("hospital")
        else:
            desk.open(kind)
    if missing:
        # A gap in the directory must not stop a whistle: the coordinator hears of it and summons by hand.
        desk.note("open", nobody_responsible=missing)
        desk.tell("coordinator@district")


def _call_up(desk: Desk, kinds: tuple[str, ...]) -> list[str]:
    """Summon whoever is responsible, the first of them to lead; the kinds that nobody is responsible for.

    Where there is nobody at all the directory's own fault says so: such a case would have no lead.
    """
    found = [(kind, desk.responsible(kind)) for kind in kinds]
    called = [organisation for _, organisation in found if organisation is not None] or [desk.nearest(kinds[0])]
    for organisation in called:
        part = "lead" if organisation is called[0] else "support"
        desk.open("assignment", organisation=organisation.id, facts={"part": part})
    return [kind for kind, organisation in found if organisation is None]


def _signed(desk: Desk) -> None:
    desk.record.facts.pop("owes_sign_off", None)
    if not desk.record.facts.get("unfolded"):
        enter_open(desk)


def _owes_sign_off(desk: Desk) -> Refusal | None:
    if desk.record.state != "awaiting_signoff" and not desk.record.facts.get("owes_sign_off"):
        return Refusal("wrong_state", state=desk.record.state)
    return None


def _regrade(desk: Desk) -> None:
    level = desk.form["level"]
    desk.regrade(level)
    if level == "red" and "safe_plan" not in desk.record.facts:
        desk.start(desk.record, "safe_plan")


def _summon(desk: Desk) -> None:
    desk.open("assignment", organisation=desk.form["organisation"], facts={"part": "support"})


def _summonable(desk: Desk) -> Refusal | None:
    return cannot_answer(desk, "organisation")


def _summoned_already(desk: Desk) -> Refusal | None:
    number = desk.form["organisation"]
    standing = (one for one in desk.case.of_kind("assignment") if one.organisation == number)
    if any(one.state not in ENDED_ASSIGNMENTS for one in standing):
        return Refusal("already_open")
    return None


def _plan_recorded(desk: Desk) -> None:
    desk.record.facts["safe_plan"] = True


def _screened(desk: Desk) -> None:
    result = scored(desk.form["scale"], desk.form["items"], desk.book)
    desk.note("clinical", result=result.as_dict())
    if not result.interview:
        return
    # One that is under way isn't begun again: the second alarm must not move the first one's limit.
    standing = desk.case.clock(desk.record.no, "interview")
    if standing is None or standing.face.stopped:
        desk.start(desk.record, "interview")


def _items_fit(desk: Desk) -> Refusal | None:
    try:
        scored(desk.form["scale"], desk.form["items"], desk.book)
    except ScaleFault as fault:
        return Refusal("invalid", faults=(FieldFault("items", "wrong_form", {"why": str(fault)}),))
    return None


def _may_evaluate(desk: Desk) -> bool:
    """The school's counselor; a mentor or the coordinator where the whistle was theirs."""
    return desk.role == "counselor" or (desk.actor is not None and desk.actor.member_id == desk.case.whistler)


def scorable(case: CaseFile) -> tuple[set[int], set[int]]:
    """The organisations that may be scored, and those that must be (the leads that finished)."""
    finished = [one for one in case.of_kind("assignment") if one.state == "done"]
    treated = {one.organisation for one in case.of_kind("referral") if one.state == "completed"}
    may = {one.organisation for one in finished} | treated
    must = {one.organisation for one in finished if one.facts.get("part") == "lead"}
    return {number for number in may if number}, {number for number in must if number}


def _scores_fit(desk: Desk) -> Refusal | None:
    may, must = scorable(desk.case)
    given = set(desk.form["scores"])
    faults = [FieldFault(f"scores.{number}", "not_scorable") for number in sorted(given - may)]
    faults += [FieldFault(f"scores.{number}", "missing") for number in sorted(must - given)]
    return Refusal("invalid", faults=tuple(faults)) if faults else None


def _sent_back(desk: Desk) -> list[Record]:
    """What a low score sends back: the organisation's newest assignment, once.

    Of the leads only the newest: one from before a reopening is history, and a case has one lead at work.
    """
    done = [one for one in desk.case.of_kind("assignment") if one.state == "done"]
    newest = {one.organisation: one for one in done}
    lead = next((one for one in reversed(done) if one.facts.get("part") == "lead"), None)
    scores = desk.form["scores"]
    return [
        one
        for one in newest.values()
        if one.organisation in scores
        and scores[one.organisation].score <= 2
        and not one.facts.get("reworked")
        and (one is lead or one.facts.get("part") != "lead")
    ]


def _evaluated(desk: Desk) -> None:
    desk.record.facts["evaluated"] = True
    # The comments are sealed; how many points an organisation got is what it is assessed by.
    desk.note("open", points={number: one.score for number, one in desk.form["scores"].items()})
    again = _sent_back(desk)
    for one in again:
        one.facts["reworked"] = True
        desk.follow(one, "rework")
    if again:
        desk.record.facts.pop("evaluated")
        desk.follow(desk.record, "return_for_rework")


def _not_evaluated(desk: Desk) -> Refusal | None:
    return None if desk.record.facts.get("evaluated") else Refusal("needs_evaluation", who_can=("counselor@school",))


def _worked_alone(desk: Desk) -> Refusal | None:
    if desk.actor is not None and desk.workers() <= {desk.actor.member_id}:
        return Refusal("needs_second_person", who_can=("principal@school", "coordinator@jurisdiction"))
    return None


def _may_close(desk: Desk) -> bool:
    """Yellow and blue: the principal. Red and orange: the district's coordinator.

    The coordinator is also the second person for a case on which one member did everything: without that, a very
    small school's case could never be closed.
    """
    if desk.role == "coordinator":
        return desk.case.level in {"red", "orange"} or len(desk.workers()) == 1
    return desk.case.level in {"yellow", "blue"}


def _reported_in(desk: Desk) -> Refusal | None:
    if any(one.facts.get("reported_in") for one in desk.case.of_kind("assignment")):
        return Refusal("already_reported_in")
    return None


def _consent_ends(desk: Desk) -> None:
    """A guardian's consent stands until it is withdrawn or the case closes."""
    desk.record.facts.pop("consent", None)


def _cancel_tracks(desk: Desk) -> None:
    """Cancel whatever still runs, never a mandatory report: nothing may block it (Minors Protection Law art. 11)."""
    _consent_ends(desk)
    for one in list(desk.case.tracks.values()):
        if one.kind not in {"mandatory_report", "access"}:
            desk.follow(one, "cancel")


def _reopened(desk: Desk) -> None:
    for fact in ("evaluated", "safe_plan"):
        desk.record.facts.pop(fact, None)
    enter_open(desk)
    lead = next(one for one in desk.case.of_kind("assignment") if one.facts.get("part") == "lead")
    for one in desk.case.of_kind("assignment"):
        if one.facts.get("part") == "lead" and one.state != "cancelled":
            lead = one
    desk.open("assignment", organisation=lead.organisation, facts={"part": "lead"})


def _mergeable(desk: Desk) -> Refusal | None:
    """Another case of the same student, in sight and still at work."""
    other = desk.other
    if other is None or other.number == desk.case.number:
        code = "no_such_case"
    elif other.student != desk.case.student:
        return Refusal("not_same_student")
    elif other.state not in {"open", "awaiting_signoff", "awaiting_evaluation"}:
        code = "has_ended"
    else:
        return None
    return Refusal("invalid", faults=(FieldFault("into", code),))


def _merged(desk: Desk) -> None:
    _cancel_tracks(desk)
    desk.merge()


def settled(case: CaseFile, active: tuple[Record, ...]) -> bool:
    """Whether the case settles by itself: every assignment ended, nothing else at work, red with its safe plan."""
    if case.state != "open" or active:
        return False
    return case.level != "red" or bool(case.record.facts.get("safe_plan"))


TRACK = Track(
    kind="case",
    label=("个案", "case"),
    initial="draft",
    states={
        "draft": State(("草稿", "draft")),
        "awaiting_signoff": State(("待校内签发", "awaiting sign-off")),
        "open": State(("处置中", "open")),
        "awaiting_evaluation": State(("待评价", "awaiting evaluation")),
        "closed": State(("已结案", "closed"), end=True),
        "withdrawn": State(("已撤哨", "withdrawn"), end=True),
        "merged": State(("已并案", "merged"), end=True),
    },
    clocks=(
        ClockKind("sign_off", ("校内签发", "sign-off"), ("principal@school",)),
        ClockKind("safe_plan", ("安全计划", "safe plan"), ("officer@street", "counselor@school")),
        ClockKind("settle", ("办结", "settling"), ("principal@school", "coordinator@district")),
        ClockKind("evaluation", ("评价", "evaluation"), ("counselor@school",)),
        ClockKind("interview", ("访谈", "interview"), ("counselor@school",)),
    ),
    moves=(
        Move(
            name="save_draft",
            event="drafted",
            label=("存草稿", "save the draft"),
            source=("draft",),
            by=who("counselor, mentor, principal@school"),
            form=whistle_form(LEVELS, draft=True),
            guards=(_born_by_now,),
            then=_drafted,
        ),
        Move(
            name="submit",
            event="submitted",
            label=("提交", "submit"),
            source=("draft",),
            target=("awaiting_signoff", "open"),
            choose=lambda desk: "open" if desk.role == "principal" else "awaiting_signoff",
            # The principal first: whoever holds another post too needs nobody's sign-off.
            by=who("principal, counselor, mentor@school"),
            form=whistle_form(("yellow", "blue")),
            guards=(_born_by_now,),
            then=_submitted,
        ),
        Move(
            name="whistle",
            event="whistled",
            label=("吹哨", "whistle"),
            source=("draft",),
            target="open",
            by=who("principal, counselor@school; coordinator@jurisdiction"),
            form=whistle_form(LEVELS),
            guards=(_born_by_now, _needs_signoff),
            then=_whistled,
        ),
        Move(
            name="sign_off",
            event="signed_off",
            label=("签发", "sign off"),
            source=("awaiting_signoff", "open", "awaiting_evaluation"),
            target=("open", "awaiting_evaluation"),
            choose=lambda desk: "open" if desk.record.state == "awaiting_signoff" else desk.record.state,
            by=who("principal@school"),
            form=fields("note?"),
            guards=(_owes_sign_off,),
            meets=("sign_off",),
            then=_signed,
        ),
        Move(
            name="send_back",
            event="sent_back",
            label=("退回修改", "send back"),
            source=("awaiting_signoff",),
            target="draft",
            by=who("principal@school"),
            form=fields("reason"),
            cancels=("sign_off",),
        ),
        Move(
            name="regrade",
            event="regraded",
            label=("调整等级", "regrade"),
            source=("open",),
            by=who("coordinator, supervisor@jurisdiction"),
            form=fields("level, reason", level=LEVELS),
            then=_regrade,
        ),
        Move(
            name="summon",
            event="summoned_more",
            label=("增派单位", "summon"),
            source=("open",),
            by=who("coordinator@jurisdiction; counselor, principal@school"),
            form=fields("organisation, part, reason", part=("support",)),
            guards=(_summonable, _summoned_already),
            then=_summon,
        ),
        Move(
            name="record_safe_plan",
            event="safe_plan_recorded",
            label=("记录安全计划", "record the safe plan"),
            source=("open",),
            by=who("officer, lead@assignee; counselor@school"),
            form=fields("plan"),
            meets=("safe_plan",),
            then=_plan_recorded,
        ),
        Move(
            name="record_screening",
            event="screened",
            label=("记录筛查", "record a screening"),
            source=("open",),
            by=who("counselor, deputy@school"),
            form=fields("scale, version, items, day", scale=("phq_9", "gad_7", "c_ssrs"), items="answers:clinical"),
            guards=(_items_fit,),
            then=_screened,
        ),
        Move(
            name="record_interview",
            event="interviewed",
            label=("记录访谈", "record the interview"),
            # An interview that is still owed when the last assignment ends is owed all the same.
            source=("open", "awaiting_evaluation"),
            by=who("counselor, deputy@school"),
            form=fields("result", result="text:clinical"),
            meets=("interview",),
        ),
        Move(
            name="settle",
            event="settled",
            label=("办结", "settle"),
            source=("open",),
            target="awaiting_evaluation",
            by=FOLLOWS,
            meets=("settle",),
            starts=("evaluation",),
        ),
        Move(
            name="evaluate",
            event="evaluated",
            label=("评价", "evaluate"),
            source=("awaiting_evaluation",),
            by=who("counselor, mentor@school; coordinator@jurisdiction"),
            only=_may_evaluate,
            form=fields("scores, family_satisfied?"),
            guards=(_scores_fit,),
            meets=("evaluation",),
            then=_evaluated,
        ),
        Move(
            name="return_for_rework",
            event="returned_for_rework",
            label=("返工", "return for rework"),
            source=("awaiting_evaluation",),
            target="open",
            by=FOLLOWS,
            then=enter_open,
        ),
        Move(
            name="close",
            event="closed",
            label=("结案", "close"),
            source=("awaiting_evaluation",),
            target="closed",
            by=who("principal@school; coordinator@jurisdiction"),
            only=_may_close,
            form=fields("outcome, summary", outcome=CLOSING),
            guards=(_not_evaluated, _worked_alone),
            then=_consent_ends,
        ),
        Move(
            name="reopen",
            event="reopened",
            label=("重启", "reopen"),
            source=("closed",),
            target="open",
            by=who("counselor, principal@school; supervisor@jurisdiction"),
            form=fields("reason"),
            then=_reopened,
        ),
        Move(
            name="withdraw",
            event="withdrawn",
            label=("撤哨", "withdraw"),
            source=("draft", "awaiting_signoff", "open"),
            target="withdrawn",
            by=who("counselor, principal@school"),
            form=fields("reason"),
            guards=(_reported_in,),
            then=_cancel_tracks,
        ),
        Move(
            name="merge",
            event="merged",
            label=("并案", "merge"),
            source=("open",),
            target="merged",
            by=who("coordinator@jurisdiction"),
            form=fields("into, reason"),
            guards=(_mergeable,),
            then=_merged,
        ),
    ),
)
