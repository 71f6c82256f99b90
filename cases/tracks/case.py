"""个案: the case itself, from the whistle to its closing."""

from __future__ import annotations

from cases.closing import (
    CLOSING,
    cancel_tracks,
    consent_ends,
    evaluated,
    may_close,
    may_evaluate,
    mergeable,
    merged,
    not_evaluated,
    put_aside,
    reopened,
    reported_in,
    scores_fit,
    worked_alone,
)
from cases.opening import (
    LEVELS,
    born_by_now,
    drafted,
    enter_open,
    known_concern,
    may_draft,
    needs_signoff,
    owes_sign_off,
    regrade,
    signed,
    submitted,
    summon,
    summonable,
    summoned_already,
    whistle_form,
    whistled,
)
from cases.track import (
    FOLLOWS,
    ClockKind,
    Desk,
    FieldFault,
    Move,
    Refusal,
    ScaleFault,
    State,
    Track,
    by_now,
    fields,
    scored,
    who,
)


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
    """Each item of the scale is answered once and by what may be answered; a fault says which isn't."""
    try:
        scored(desk.form["scale"], desk.form["items"], desk.book)
    except ScaleFault as fault:
        lowest, highest = fault.scale.answers
        facts = {"from": str(lowest), "to": str(highest)} if fault.code == "out_of_range" else {}
        return Refusal("invalid", faults=tuple(FieldFault(f"items.{one}", fault.code, facts) for one in fault.items))
    return None


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
            by=who("counselor, mentor, principal@school; coordinator@jurisdiction"),
            only=may_draft,
            form=whistle_form(LEVELS, draft=True),
            guards=(known_concern, born_by_now),
            then=drafted,
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
            guards=(known_concern, born_by_now),
            then=submitted,
        ),
        Move(
            name="whistle",
            event="whistled",
            label=("吹哨", "whistle"),
            source=("draft",),
            target="open",
            by=who("principal, counselor@school; coordinator@jurisdiction"),
            form=whistle_form(LEVELS),
            guards=(known_concern, born_by_now, needs_signoff),
            then=whistled,
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
            guards=(owes_sign_off,),
            meets=("sign_off",),
            then=signed,
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
            then=regrade,
        ),
        Move(
            name="summon",
            event="summoned_more",
            label=("增派单位", "summon"),
            source=("open",),
            by=who("coordinator@jurisdiction; counselor, principal@school"),
            form=fields("organisation, part, reason", part=("support",)),
            guards=(summonable, summoned_already),
            then=summon,
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
            guards=(_items_fit, by_now("day")),
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
            then=put_aside,
        ),
        Move(
            name="evaluate",
            event="evaluated",
            label=("评价", "evaluate"),
            source=("awaiting_evaluation",),
            by=who("counselor, mentor@school; coordinator@jurisdiction"),
            only=may_evaluate,
            form=fields("scores, family_satisfied?"),
            guards=(scores_fit,),
            meets=("evaluation",),
            then=evaluated,
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
            only=may_close,
            form=fields("outcome, summary", outcome=CLOSING),
            guards=(not_evaluated, worked_alone),
            then=consent_ends,
        ),
        Move(
            name="reopen",
            event="reopened",
            label=("重新启动个案", "reopen the case"),
            source=("closed",),
            target="open",
            by=who("counselor, principal@school; supervisor@jurisdiction"),
            form=fields("reason"),
            then=reopened,
        ),
        Move(
            name="withdraw",
            event="withdrawn",
            label=("撤哨", "withdraw"),
            source=("draft", "awaiting_signoff", "open"),
            target="withdrawn",
            by=who("counselor, principal@school"),
            form=fields("reason"),
            guards=(reported_in,),
            then=cancel_tracks,
        ),
        Move(
            name="merge",
            event="merged",
            label=("并案", "merge"),
            source=("open",),
            target="merged",
            by=who("coordinator@jurisdiction"),
            form=fields("into, reason"),
            guards=(mergeable,),
            then=merged,
        ),
    ),
)
