"""派单: one organisation's own duty inside a case, from the summons to its end."""

from __future__ import annotations

from datetime import datetime

from cases.track import (
    FOLLOWS,
    ClockKind,
    Desk,
    FieldFault,
    Move,
    Refusal,
    State,
    Track,
    by_now,
    cannot_answer,
    fields,
    since_opened,
    who,
)

OPEN = ("summoned", "acknowledged", "on_scene", "fed_back", "disputed")
CLOCKS = ("acknowledge", "report_in", "feedback")
RESPONDERS = "officer, lead@assignee"


def _summoned(desk: Desk) -> None:
    """Calling a street brings in the community of the student's address."""
    number = desk.record.organisation
    if number is None:  # an assignment always belongs to one; the declaration says so
        return
    desk.call(number)
    if desk.organisation(number).kind == "street":
        nearby = desk.responsible("community")
        community = desk.case.community or (nearby.id if nearby is not None else None)
        if community is not None:
            desk.call(community)


def _acknowledged(desk: Desk) -> None:
    desk.record.facts["acknowledged_by"] = desk.actor.member_id if desk.actor else None
    desk.record.facts["acknowledged_at"] = desk.now.isoformat()


def _by_whoever_acknowledged(desk: Desk) -> bool:
    return desk.actor is not None and desk.record.facts.get("acknowledged_by") == desk.actor.member_id


def _undo_window(desk: Desk) -> Refusal | None:
    since = desk.now - datetime.fromisoformat(desk.record.facts["acknowledged_at"])
    if since > desk.book.windows.undo_acknowledge:
        return Refusal("too_late", by=str(since - desk.book.windows.undo_acknowledge))
    return None


def _undone(desk: Desk) -> None:
    """The acknowledge clock goes on from its own start; the one that was met stays in the history."""
    desk.reopen_clock(desk.record, "acknowledge")
    desk.record.facts.pop("acknowledged_by")


def _reported_in(desk: Desk) -> None:
    desk.record.facts["reported_in"] = True
    desk.meet(desk.record, "acknowledge")


def _sent_back_twice(desk: Desk) -> Refusal | None:
    if desk.record.facts.get("sent_back", 0) >= desk.book.windows.send_backs:
        return Refusal("sent_back_twice", who_can=("coordinator@jurisdiction",))
    return None


def _sent_back(desk: Desk) -> None:
    desk.record.facts["sent_back"] = desk.record.facts.get("sent_back", 0) + 1
    desk.start(desk.record, "feedback", half=True)


def _settled_dispute(desk: Desk) -> None:
    if desk.record.state == "on_scene":
        desk.start(desk.record, "feedback", half=True)


def _red(desk: Desk) -> Refusal | None:
    return Refusal("red_cannot_decline") if desk.case.level == "red" else None


def _upheld(desk: Desk) -> Refusal | None:
    return Refusal("already_declined") if desk.record.facts.get("upheld") else None


def _decline_window(desk: Desk) -> Refusal | None:
    latest = desk.record.opened + desk.book.windows.decline
    clock = desk.case.clock(desk.record.no, "acknowledge")
    if clock is not None:
        latest = max(latest, clock.face.due)
    if desk.now > latest:
        return Refusal("too_late", by=str(desk.now - latest))
    return None


def _proposed_exists(desk: Desk) -> Refusal | None:
    desk.organisation(desk.form["proposed"])
    return None


def _was_upheld(desk: Desk) -> None:
    desk.record.facts["upheld"] = True


def _reassignable(desk: Desk) -> Refusal | None:
    """Another organisation, and one that has no assignment at work in this case."""
    target = desk.form["to"]
    if target == desk.record.organisation or any(
        one.organisation == target and one.state in OPEN for one in desk.case.of_kind("assignment")
    ):
        return Refusal("invalid", faults=(FieldFault("to", "called_already"),))
    return cannot_answer(desk, "to")


def end_dependents(desk: Desk) -> None:
    """Orders and extensions about an assignment end with it."""
    for one in list(desk.case.tracks.values()):
        if one.about == desk.record.no and one.kind in {"supervision", "extension"}:
            desk.follow(one, "lapse")


def _ended(desk: Desk) -> None:
    """An extension is about work that is still to be done: it lapses however its assignment ended."""
    for one in desk.case.of_kind("extension"):
        if one.about == desk.record.no:
            desk.follow(one, "lapse")


def _reassigned(desk: Desk) -> None:
    end_dependents(desk)
    facts = {"part": desk.record.facts.get("part", "support"), "from": desk.record.no}
    desk.open("assignment", organisation=desk.form["to"], facts=facts)


TRACK = Track(
    kind="assignment",
    label=("派单", "assignment"),
    belongs_to="organisation",
    initial="summoned",
    opened_event="summoned",
    starts=CLOCKS,
    when_opened=_summoned,
    when_ended=_ended,
    states={
        "summoned": State(("待签收", "to be acknowledged")),
        "acknowledged": State(("已签收", "acknowledged")),
        "on_scene": State(("已报到", "on the scene")),
        "fed_back": State(("已反馈", "feedback given")),
        "disputed": State(("争议裁定", "disputed")),
        "done": State(("已办结", "done"), end=True),
        "reassigned": State(("已改派", "reassigned"), end=True),
        "cancelled": State(("已取消", "cancelled"), end=True),
    },
    clocks=(
        ClockKind("acknowledge", ("签收", "acknowledging"), ("officer@assignee", "lead@assignee")),
        ClockKind("report_in", ("报到", "reporting in"), ("officer@assignee", "lead@assignee")),
        ClockKind("feedback", ("反馈", "feedback"), ("officer@assignee", "lead@assignee")),
        ClockKind("ruling", ("退单裁定", "ruling"), ("coordinator@district",)),
    ),
    moves=(
        Move(
            name="acknowledge",
            event="acknowledged",
            label=("签收", "acknowledge"),
            source=("summoned",),
            target="acknowledged",
            by=who("officer, lead, codirector@assignee"),
            meets=("acknowledge",),
            then=_acknowledged,
        ),
        Move(
            name="report_in",
            event="reported_in",
            label=("报到", "report in"),
            source=("summoned", "acknowledged"),
            target="on_scene",
            by=who(RESPONDERS),
            form=fields("at, where, mode, people, note?, evidence?", mode=("on_site", "phone", "video")),
            guards=(by_now("at"), since_opened("at", "before_the_summons")),
            meets=("report_in",),
            then=_reported_in,
        ),
        Move(
            name="undo_acknowledge",
            event="acknowledge_undone",
            label=("撤销签收", "undo acknowledging"),
            source=("acknowledged",),
            target="summoned",
            by=who("officer, lead, codirector@assignee"),
            only=_by_whoever_acknowledged,
            guards=(_undo_window,),
            then=_undone,
        ),
        Move(
            name="remind",
            event="reminded",
            label=("催办", "remind"),
            source=("summoned", "acknowledged", "on_scene"),
            by=who("coordinator, supervisor@jurisdiction"),
            form=fields("note?"),
            tells=("officer@assignee", "lead@assignee"),
        ),
        Move(
            name="record_progress",
            event="progress_recorded",
            label=("记录进展", "record progress"),
            source=("acknowledged", "on_scene"),
            by=who(RESPONDERS),
            form=fields("note, evidence?"),
        ),
        Move(
            name="give_feedback",
            event="feedback_given",
            label=("反馈", "give feedback"),
            source=("on_scene",),
            target="fed_back",
            by=who(RESPONDERS),
            form=fields("measures, outcome, next_steps?, evidence?", outcome=("solved", "partly", "unsolved")),
            wrong_state=dict.fromkeys(("summoned", "acknowledged", "disputed"), "needs_report_in"),
            meets=("feedback",),
        ),
        Move(
            name="accept_feedback",
            event="feedback_accepted",
            label=("认可反馈", "accept the feedback"),
            source=("fed_back",),
            target="done",
            by=who("counselor, principal@school"),
        ),
        Move(
            name="send_back",
            event="sent_back",
            label=("退回补办", "send back"),
            source=("fed_back",),
            target="on_scene",
            by=who("counselor, principal@school"),
            form=fields("reason"),
            guards=(_sent_back_twice,),
            then=_sent_back,
        ),
        Move(
            name="settle_dispute",
            event="dispute_settled",
            label=("裁定反馈", "settle the dispute"),
            source=("fed_back",),
            target=("done", "on_scene"),
            choose=lambda desk: str(desk.form.get("ruling", "done")),
            by=who("coordinator@jurisdiction"),
            form=fields("reason, ruling?", ruling=("done", "on_scene")),
            then=_settled_dispute,
        ),
        Move(
            name="decline",
            event="declined",
            label=("退单", "decline"),
            source=("summoned",),
            target="disputed",
            by=who("lead@assignee"),
            form=fields("reason, proposed"),
            guards=(_red, _upheld, _decline_window, _proposed_exists),
            pauses=CLOCKS,
            starts=("ruling",),
            tells=("coordinator@district",),
        ),
        Move(
            name="uphold",
            event="upheld",
            label=("维持派单", "uphold"),
            source=("disputed",),
            target="summoned",
            by=who("coordinator@jurisdiction"),
            form=fields("reason"),
            resumes=CLOCKS,
            meets=("ruling",),
            then=_was_upheld,
        ),
        Move(
            name="reassign",
            event="reassigned",
            label=("改派", "reassign"),
            source=("disputed", "summoned", "acknowledged"),
            target="reassigned",
            by=who("coordinator@jurisdiction"),
            form=fields("to, reason"),
            guards=(_reassignable,),
            meets=("ruling",),
            then=_reassigned,
        ),
        Move(
            name="rework",
            event="reworked",
            label=("返工", "rework"),
            source=("done",),
            target="on_scene",
            by=FOLLOWS,
            starts=("feedback",),
        ),
        Move(
            name="cancel",
            event="cancelled",
            label=("取消", "cancel"),
            source=(*OPEN, "done"),
            target="cancelled",
            by=FOLLOWS,
            then=end_dependents,
        ),
    ),
)
