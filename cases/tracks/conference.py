"""会商: a joint consultation, from the call to the minutes. Whoever called it carries it to its end."""

from __future__ import annotations

from cases.track import FOLLOWS, Desk, FieldFault, Move, Refusal, State, Track, fields, since_opened, who

CALLERS = who("coordinator, supervisor@jurisdiction; principal@school; lead@assignee")


def _unknown(desk: Desk, number: int) -> bool:
    try:
        desk.organisation(number)
    except Refusal:
        return True
    return False


def _invited_exist(desk: Desk) -> Refusal | None:
    if any(_unknown(desk, number) for number in desk.form["invited"]):
        return Refusal("invalid", faults=(FieldFault("invited", "no_organisation"),))
    return None


def _called(desk: Desk) -> None:
    """Inviting an organisation tells it; it doesn't call it to the case and opens no section to it."""
    desk.record.facts["called_by"] = desk.actor.member_id if desk.actor else None
    invited = dict.fromkeys(desk.form["invited"])
    desk.record.facts["invited"] = list(invited)
    desk.tell(*(f"lead@organisation:{number}" for number in invited))


def _by_whoever_called(desk: Desk) -> bool:
    return desk.actor is not None and desk.record.facts.get("called_by") == desk.actor.member_id


def _assignees_exist(desk: Desk) -> Refusal | None:
    faults = tuple(
        FieldFault(f"items.{place}.organisation", "no_organisation")
        for place, item in enumerate(desk.form["items"])
        if _unknown(desk, item.organisation)
    )
    return Refusal("invalid", faults=faults) if faults else None


def _minuted(desk: Desk) -> None:
    """Each item becomes its organisation's own duty; what is to be done stays sealed in these minutes."""
    for number, item in enumerate(desk.form["items"], start=1):
        facts = {"item": number, "limit": str(item.limit)}
        desk.open("action_item", organisation=item.organisation, parent=desk.record.no, facts=facts)


def _before_it_is_held(desk: Desk) -> Refusal | None:
    """Nobody cancels a meeting that took place; the case's own withdrawal or merging asks no guard."""
    if desk.record.state == "held":
        return Refusal("wrong_state", state="held")
    return None


TRACK = Track(
    kind="conference",
    label=("会商", "conference"),
    initial="called",
    opened_event="called",
    states={
        "called": State(("已召集", "called")),
        "scheduled": State(("已排期", "scheduled")),
        "held": State(("已召开", "held")),
        "minuted": State(("已形成纪要", "minuted"), end=True),
        "cancelled": State(("已取消", "cancelled"), end=True),
    },
    moves=(
        Move(
            name="call",
            event="called",
            label=("召集会商", "call a conference"),
            source=None,
            target="called",
            by=CALLERS,
            form=fields("topic, invited", invited="organisations"),
            guards=(_invited_exist,),
            then=_called,
        ),
        Move(
            name="schedule",
            event="scheduled",
            label=("确定时间地点", "schedule"),
            # A meeting that can't take place as planned is scheduled again.
            source=("called", "scheduled"),
            target="scheduled",
            by=CALLERS,
            only=_by_whoever_called,
            form=fields("at, where"),
            guards=(since_opened("at"),),
        ),
        Move(
            name="hold",
            event="held",
            label=("召开", "hold"),
            source=("scheduled",),
            target="held",
            by=CALLERS,
            only=_by_whoever_called,
            form=fields("present"),
        ),
        Move(
            name="minute",
            event="minuted",
            label=("形成纪要", "write the minutes"),
            source=("held",),
            target="minuted",
            by=CALLERS,
            only=_by_whoever_called,
            form=fields("minutes, items"),
            guards=(_assignees_exist,),
            then=_minuted,
        ),
        Move(
            name="cancel",
            event="cancelled",
            label=("取消会商", "cancel"),
            source=("called", "scheduled", "held"),
            target="cancelled",
            by=(*CALLERS, *FOLLOWS),
            only=_by_whoever_called,
            form=fields("reason"),
            guards=(_before_it_is_held,),
        ),
    ),
)
