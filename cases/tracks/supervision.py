"""督办: an order about one assignment, opened by the ladder or by a supervisor, answered by the lead."""

from __future__ import annotations

from cases.track import FOLLOWS, ClockKind, Desk, FieldFault, Move, Refusal, State, Track, fields, from_today, who

OPEN = ("issued", "answered", "interviewed")
ENDED_ASSIGNMENTS = frozenset({"done", "reassigned", "cancelled"})


def _about_a_running_assignment(desk: Desk) -> Refusal | None:
    about = desk.case.track(desk.form["about"])
    if about is None or about.kind != "assignment":
        return Refusal("invalid", faults=(FieldFault("about", "not_an_assignment"),))
    if about.state in ENDED_ASSIGNMENTS:
        return Refusal("invalid", faults=(FieldFault("about", "ended"),))
    return None


def _one_order_at_a_time(desk: Desk) -> Refusal | None:
    standing = (one for one in desk.case.of_kind("supervision") if one.about == desk.form["about"])
    if any(one.state in OPEN for one in standing):
        return Refusal("already_open")
    return None


def _issued(desk: Desk) -> None:
    """The order belongs to the organisation whose assignment it is about; its lead owes the answer."""
    if desk.record.about is None:
        desk.record.about = desk.form["about"]
    about = desk.case.track(desk.record.about)
    if about is not None:
        desk.record.organisation = about.organisation
    desk.start(desk.record, "supervision_answer")


def _interviewed(desk: Desk) -> None:
    """A talk takes the place of an answer that is still awaited; one that is overdue stays missed."""
    clock = desk.case.clock(desk.record.no, "supervision_answer")
    if clock is not None and not clock.face.breached:
        desk.cancel(desk.record, "supervision_answer")


TRACK = Track(
    kind="supervision",
    label=("督办", "supervision order"),
    belongs_to="organisation",
    holds_open=False,
    while_case=("open", "awaiting_evaluation", "closed"),
    initial="issued",
    opened_event="issued",
    when_opened=_issued,
    states={
        "issued": State(("已下达", "issued")),
        "answered": State(("已答复", "answered")),
        "interviewed": State(("约谈", "interviewed")),
        "accepted": State(("已认可", "accepted"), end=True),
        "lapsed": State(("已失效", "lapsed"), end=True),
    },
    clocks=(ClockKind("supervision_answer", ("督办答复", "the answer to the order"), ("lead@assignee",)),),
    moves=(
        Move(
            name="issue",
            event="issued",
            label=("下达督办", "issue a supervision order"),
            source=None,
            target="issued",
            by=who("supervisor@jurisdiction"),
            form=fields("about, demand"),
            guards=(_about_a_running_assignment, _one_order_at_a_time),
        ),
        Move(
            name="answer",
            event="answered",
            label=("答复督办", "answer"),
            source=("issued",),
            target="answered",
            # The lead of a school is its principal, of a hospital its liaison.
            by=who("lead, principal, liaison@assignee"),
            form=fields("answer, new_date?"),
            guards=(from_today("new_date"),),
            meets=("supervision_answer",),
        ),
        Move(
            name="accept",
            event="accepted",
            label=("认可答复", "accept"),
            source=("answered", "interviewed"),
            target="accepted",
            by=who("supervisor@jurisdiction"),
            form=fields("note?"),
        ),
        Move(
            name="reject",
            event="rejected",
            label=("不予认可", "reject"),
            source=("answered",),
            target="issued",
            by=who("supervisor@jurisdiction"),
            form=fields("note?"),
            starts=("supervision_answer",),
        ),
        Move(
            name="interview",
            event="interviewed",
            label=("约谈", "interview"),
            source=("issued",),
            target="interviewed",
            by=who("supervisor@jurisdiction"),
            form=fields("note?"),
            then=_interviewed,
        ),
        Move(
            name="lapse",
            event="lapsed",
            label=("失效", "lapse"),
            source=OPEN,
            target="lapsed",
            by=FOLLOWS,
        ),
    ),
)
