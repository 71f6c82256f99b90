"""会商事项: what one organisation took on in a conference, until it is done or dropped."""

from __future__ import annotations

from cases.track import FOLLOWS, ClockKind, Desk, Limit, Move, State, Track, fields, who

DOERS = "officer, lead, principal, counselor, liaison, coordinator@assignee"
# The item belongs to whoever took it on, the conference was called by somebody else: the lead of any
# organisation called to the case, for one. Who it was, `only` asks.
RESPONDING = (
    "education_bureau",
    "street",
    "community",
    "hospital",
    "police",
    "procuratorate",
    "court",
    "civil_affairs",
    "womens_federation",
    "health_commission",
    "youth_league",
    "care_committee",
    "disabled_federation",
    "cyberspace",
    "justice",
    "social_work",
    "guidance_center",
)
CALLERS = who(
    "; ".join(("coordinator, supervisor@jurisdiction", "principal@school", *(f"lead@{kind}" for kind in RESPONDING)))
)


def _assigned(desk: Desk) -> None:
    """An act addressed to an organisation calls it to the case, or it could never say that it is done."""
    number = desk.record.organisation
    if number is not None and number not in {desk.case.school, desk.case.district, desk.case.city}:
        desk.call(number)
    desk.start(desk.record, "action", limit=Limit.parse(desk.record.facts["limit"]))


def _by_whoever_called_the_conference(desk: Desk) -> bool:
    if desk.actor is None or desk.record.parent is None:
        return False
    conference = desk.case.track(desk.record.parent)
    return conference is not None and conference.facts.get("called_by") == desk.actor.member_id


TRACK = Track(
    kind="action_item",
    label=("会商事项", "action item"),
    belongs_to="organisation",
    holds_open=False,
    while_case=("open", "awaiting_evaluation", "closed"),
    initial="assigned",
    opened_event="assigned",
    when_opened=_assigned,
    states={
        "assigned": State(("已交办", "assigned")),
        "done": State(("已完成", "done"), end=True),
        "dropped": State(("已撤销", "dropped"), end=True),
    },
    clocks=(ClockKind("action", ("办理", "the action"), ("officer@assignee", "lead@assignee")),),
    moves=(
        Move(
            name="finish",
            event="finished",
            label=("完成", "finish"),
            source=("assigned",),
            target="done",
            by=who(DOERS),
            form=fields("result"),
            meets=("action",),
        ),
        Move(
            name="drop",
            event="dropped",
            label=("撤销", "drop"),
            source=("assigned",),
            target="dropped",
            by=CALLERS,
            only=_by_whoever_called_the_conference,
            form=fields("reason"),
            cancels=("action",),
        ),
        Move(
            name="cancel",
            event="cancelled",
            label=("取消", "cancel"),
            source=("assigned",),
            target="dropped",
            by=FOLLOWS,
        ),
    ),
)
