"""联合随访: one round of joint tracking, with the school's part and the hospital's [plan 11]."""

from __future__ import annotations

from itertools import takewhile

from cases.track import (
    FOLLOWS,
    TIME,
    CaseFile,
    ClockKind,
    Desk,
    Field,
    Move,
    Record,
    Refusal,
    State,
    Track,
    fields,
    who,
)

RISKS = ("none", "some", "acute")
# Whether a child takes its medicine is for counselor and hospital alone; on the risk everybody must act.
ADHERENCE = Field("adherence", "choice", section="clinical", choices=("full", "partial", "none"))


def missing(record: Record) -> list[str]:
    """The sides that this round asks and that haven't filed, the school first."""
    return [side for side in record.facts["needs"] if side not in record.facts["filed"]]


def _owed_by(_case: CaseFile, record: Record) -> tuple[str, ...]:
    """The sides still missing; in the school holidays the community stands in for the school."""
    school = "officer@community" if record.facts.get("school_part") == "community" else "counselor@school"
    by_side = {"school": school, "hospital": "liaison@hospital"}
    return tuple(by_side[side] for side in missing(record))


def _opened(desk: Desk) -> None:
    """Who files the school's part is settled when the round opens, not when the holidays begin or end."""
    desk.record.facts["school_part"] = "community" if desk.in_holidays(desk.today()) else "school"
    desk.start(desk.record, "check_in")


def _school_may_file(desk: Desk) -> bool:
    """The school always; the community while the school is on holiday, and where this round was handed to it."""
    handed = desk.record.facts.get("school_part") == "community"
    return desk.role != "officer" or handed or desk.in_holidays(desk.today())


def _filed_once(side: str, desk: Desk) -> Refusal | None:
    if side in desk.record.facts["filed"]:
        return Refusal("wrong_state", state=desk.record.state, kind=desk.record.kind)
    return None


def _after(side: str, desk: Desk) -> str:
    """Complete with the last part that the round asks for; until then it stays as it is."""
    return desk.record.state if [one for one in missing(desk.record) if one != side] else "complete"


def _filed(side: str, desk: Desk) -> None:
    """A late part still completes the round, which stays marked late; risk is told to whom it concerns."""
    record, risk = desk.record, desk.form["risk"]
    record.facts["filed"] = [*record.facts["filed"], side]
    if "missing" in record.facts:
        record.facts["missing"] = missing(record)
        record.facts["late"] = True
    said = record.facts.get("risk", {})
    record.facts["risk"] = {**said, side: risk}
    if record.state == "complete":
        desk.meet(record, "check_in")
    if risk == "acute":
        desk.tell("principal@school", "liaison@hospital", "coordinator@district")
        _start_interview(desk)
    first_word = risk == "some" and "some" not in said.values()
    if first_word and _rounds_of_risk(desk) >= desk.book.windows.rounds_of_some_risk:
        desk.tell("coordinator@district")


def _start_interview(desk: Desk) -> None:
    """One that is under way isn't begun again: the second alarm must not move the first one's limit."""
    clock = desk.case.clock(desk.record.no, "interview")
    if clock is None or clock.face.met is not None or clock.face.cancelled is not None:
        desk.start(desk.record, "interview")


def _rounds_of_risk(desk: Desk) -> int:
    """How many filed rounds in a row saw some risk, this one among them; unfiled ones are passed over."""
    own = desk.record.facts["round"]
    filed = [
        one
        for one in desk.case.of_kind("check_in")
        if one.parent == desk.record.parent and one.facts["filed"] and one.no != desk.record.no
    ]
    by_round = sorted(filed, key=lambda one: int(one.facts["round"]))
    earlier = [one for one in reversed(by_round) if one.facts["round"] < own]
    later = [one for one in by_round if one.facts["round"] > own]
    return 1 + sum(1 for row in (earlier, later) for _ in takewhile(_saw_some_risk, row))


def _saw_some_risk(record: Record) -> bool:
    return "some" in record.facts["risk"].values()


def _missed(desk: Desk) -> None:
    desk.record.facts["missing"] = missing(desk.record)


TRACK = Track(
    kind="check_in",
    label=("联合随访", "check-in"),
    holds_open=False,
    initial="planned",
    opened_event="planned",
    states={
        "planned": State(("已计划", "planned")),
        "open": State(("待填报", "to be filed")),
        "missed": State(("逾期未报", "missed")),
        # No end: an interview after an acute risk goes on when both parts are in.
        "complete": State(("已完成", "complete")),
        "cancelled": State(("已取消", "cancelled"), end=True),
    },
    clocks=(
        ClockKind("check_in", ("随访填报", "filing"), _owed_by, on_breach="miss"),
        ClockKind("interview", ("访谈", "interview"), ("counselor@school",)),
    ),
    moves=(
        Move(
            name="open",
            event="opened",
            label=("开始随访", "open"),
            source=("planned",),
            target="open",
            by=TIME,
            then=_opened,
        ),
        Move(
            name="file_school",
            event="school_filed",
            label=("填报学校部分", "file the school's part"),
            source=("open", "missed"),
            target=("open", "missed", "complete"),
            choose=lambda desk: _after("school", desk),
            by=who("counselor, deputy, mentor@school; officer@community"),
            only=_school_may_file,
            form=fields("attendance, mood, sleep, peers, risk, note?", risk=RISKS),
            guards=(lambda desk: _filed_once("school", desk),),
            then=lambda desk: _filed("school", desk),
        ),
        Move(
            name="file_hospital",
            event="hospital_filed",
            label=("填报医院部分", "file the hospital's part"),
            source=("open", "missed"),
            target=("open", "missed", "complete"),
            choose=lambda desk: _after("hospital", desk),
            by=who("liaison@hospital"),
            form=fields(
                "attended_review?, adherence, risk, advice?, clinical_note?",
                attended_review="yesno:clinical",
                adherence=ADHERENCE,
                risk=RISKS,
            ),
            guards=(lambda desk: _filed_once("hospital", desk),),
            then=lambda desk: _filed("hospital", desk),
        ),
        Move(
            name="miss",
            event="missed",
            label=("逾期", "miss"),
            source=("open",),
            target="missed",
            by=TIME,
            then=_missed,
        ),
        Move(
            name="record_interview",
            event="interviewed",
            label=("记录访谈", "record the interview"),
            source=("open", "missed", "complete"),
            by=who("counselor, deputy@school; liaison@hospital"),
            form=fields("result", result="text:clinical"),
            meets=("interview",),
            # The last round's interview may still be owed when everything else is settled.
            needs_case=("open", "awaiting_evaluation"),
        ),
        Move(
            name="cancel",
            event="cancelled",
            label=("取消", "cancel"),
            source=("planned", "open", "missed"),
            target="cancelled",
            by=FOLLOWS,
        ),
    ),
)
