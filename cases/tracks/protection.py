"""人身安全保护令: applied for by those whom the law names, answered by the court, at most six months.

Anti-Domestic-Violence Law arts. 23, 28, 30: the school can't apply. The track belongs to the court it was
made to.
"""

from __future__ import annotations

import calendar
from datetime import date, timedelta

from cases.track import FOLLOWS, TIME, ClockKind, Desk, FieldFault, Move, Refusal, State, Track, fields, who


def _to_a_court(desk: Desk) -> Refusal | None:
    court = desk.form.get("court")
    if court is not None and desk.organisation(court).kind != "court":
        return Refusal("invalid", faults=(FieldFault("court", "wrong_kind", {"kind": "court"}),))
    return None


def _applied(desk: Desk) -> None:
    court = desk.form.get("court") or desk.nearest("court").id
    desk.record.organisation = court
    desk.call(court)
    # 72 hours, 24 if urgent (art. 28).
    rule = "protection.court_answer_urgent" if desk.form.get("urgent") else None
    desk.start(desk.record, "court_answer", rule=rule)


def _the_court_asked(desk: Desk) -> bool:
    """Another court may have been called to the case; it answers for its own business only."""
    return desk.actor is not None and any(post.organisation_id == desk.record.organisation for post in desk.actor.posts)


def months_after(day: date, months: int) -> date:
    """The same day so many calendar months later; the month's last day where it has no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def _at_most_six_months(desk: Desk) -> Refusal | None:
    until, today = desk.form["until"], desk.today()
    latest = months_after(today, desk.book.windows.protection_max_months)
    if until < today:
        return Refusal("invalid", faults=(FieldFault("until", "in_the_past"),))
    if until > latest:
        return Refusal("invalid", faults=(FieldFault("until", "too_large", {"le": latest.isoformat()}),))
    return None


def _issued(desk: Desk) -> None:
    """The order holds through its last day: time ends it at the midnight after."""
    desk.record.facts["until"] = desk.form["until"].isoformat()
    desk.alarm(desk.record, desk.local(desk.form["until"] + timedelta(days=1)), "expire")


TRACK = Track(
    kind="protection",
    label=("人身安全保护令", "protection order"),
    belongs_to="organisation",
    initial="applied",
    opened_event="applied",
    states={
        "applied": State(("已申请", "applied for")),
        "issued": State(("已签发", "issued")),
        "rejected": State(("已驳回", "rejected"), end=True),
        "expired": State(("已到期", "expired"), end=True),
        "breached": State(("被违反", "breached"), end=True),
        "cancelled": State(("已取消", "cancelled"), end=True),
    },
    clocks=(ClockKind("court_answer", ("法院答复", "the court's answer"), ("officer@assignee", "lead@assignee")),),
    moves=(
        Move(
            name="apply",
            event="applied",
            label=("申请保护令", "apply for a protection order"),
            source=None,
            target="applied",
            by=who("officer@police; officer@womens_federation; officer@community"),
            form=fields("grounds, urgent?, court?"),
            guards=(_to_a_court,),
            then=_applied,
        ),
        Move(
            name="issue",
            event="issued",
            label=("签发保护令", "issue the order"),
            source=("applied",),
            target="issued",
            by=who("officer@court"),
            only=_the_court_asked,
            form=fields("number, until"),
            guards=(_at_most_six_months,),
            meets=("court_answer",),
            then=_issued,
        ),
        Move(
            name="reject",
            event="rejected",
            label=("驳回申请", "reject the application"),
            source=("applied",),
            target="rejected",
            by=who("officer@court"),
            only=_the_court_asked,
            form=fields("reason"),
            meets=("court_answer",),
        ),
        Move(
            name="record_breach",
            event="breach_recorded",
            label=("记录违反", "record a breach"),
            source=("issued",),
            target="breached",
            by=who("officer@police; officer@community"),
            form=fields("facts"),
        ),
        Move(
            name="expire",
            event="expired",
            label=("到期", "expire"),
            source=("issued",),
            target="expired",
            by=TIME,
        ),
        Move(
            name="cancel",
            event="cancelled",
            label=("取消", "cancel"),
            source=("applied", "issued"),
            target="cancelled",
            by=FOLLOWS,
        ),
    ),
)
