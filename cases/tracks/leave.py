"""因病休学: the student is away because of illness, and somebody stays in touch [plan 11]."""

from __future__ import annotations

from cases.track import FOLLOWS, ClockKind, Desk, Move, Refusal, State, Track, by_now, fields, who


def _away_already(desk: Desk) -> Refusal | None:
    away = any(one.state == "on_leave" for one in desk.case.of_kind("leave"))
    return Refusal("already_open") if away else None


def _contacted(desk: Desk) -> None:
    """The next contact is due anew from this one, counted from when it was recorded."""
    desk.start(desk.record, "contact")


TRACK = Track(
    kind="leave",
    label=("因病休学", "leave"),
    initial="on_leave",
    opened_event="begun",
    starts=("contact",),
    states={
        "on_leave": State(("休学中", "on leave")),
        "ended": State(("已结束", "ended"), end=True),
        "cancelled": State(("已取消", "cancelled"), end=True),
    },
    clocks=(ClockKind("contact", ("联系学生", "contact"), ("counselor@school",)),),
    moves=(
        Move(
            name="begin",
            event="begun",
            label=("开始休学", "begin the leave"),
            source=None,
            target="on_leave",
            by=who("counselor@school"),
            form=fields("from_day, grounds, certificate?"),
            guards=(_away_already,),
        ),
        Move(
            name="record_contact",
            event="contact_recorded",
            label=("记录联系", "record a contact"),
            source=("on_leave",),
            by=who("counselor, mentor, deputy@school; liaison@hospital; officer@community"),
            form=fields("day, how, study?, recovery?, note?", how=("visit", "phone", "video")),
            guards=(by_now("day"),),
            meets=("contact",),
            then=_contacted,
        ),
        Move(
            name="end",
            event="ended",
            label=("结束休学", "end the leave"),
            source=("on_leave",),
            target="ended",
            by=who("counselor@school"),
            form=fields("reason"),
        ),
        Move(
            name="cancel",
            event="cancelled",
            label=("取消", "cancel"),
            source=("on_leave",),
            target="cancelled",
            by=FOLLOWS,
        ),
    ),
)
