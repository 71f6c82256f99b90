"""强制报告: the legal duty to report harm to a minor to the police at once.

Law on the Protection of Minors art. 11. Nothing may block it: it moves in every state of the case, and no
withdrawal or merging cancels it.
"""

from __future__ import annotations

from datetime import datetime

from cases.track import (
    CaseFile,
    ClockKind,
    Desk,
    FieldFault,
    Move,
    Record,
    Refusal,
    State,
    Track,
    by_now,
    fields,
    who,
)

EVERY_STATE = ("draft", "awaiting_signoff", "open", "awaiting_evaluation", "closed", "withdrawn", "merged")
PARTICIPANTS = (
    "counselor, principal, mentor, deputy@school; officer, lead, codirector@assignee; officer@community; "
    "liaison@hospital; coordinator, supervisor@jurisdiction"
)


def _owe_the_call(_case: CaseFile, record: Record) -> tuple[str, ...]:
    """Reporting is everybody's own duty: whoever raised it owes the call beside the principal (art. 11)."""
    raised_by = record.facts.get("raised_by")
    return ("principal@school",) if raised_by is None else ("principal@school", f"member:{raised_by}")


def _opened(desk: Desk) -> None:
    """Who raised it is written down before the clock starts: they owe the call, and are told so."""
    if "statutory" in desk.form:
        desk.record.facts["statutory"] = sorted(set(desk.form["statutory"]))
        desk.record.facts["raised_by"] = desk.actor.member_id if desk.actor else None
    desk.start(desk.record, "call_police")


def _after_the_filing(desk: Desk) -> Refusal | None:
    """The police answer what was filed, to the minute as people write it."""
    filed = desk.record.facts.get("filed_at")
    if filed is not None and desk.form["at"].replace(second=59, microsecond=999_999) < datetime.fromisoformat(filed):
        return Refusal("invalid", faults=(FieldFault("at", "before_it_began"),))
    return None


def _to_the_police(desk: Desk) -> Refusal | None:
    if desk.organisation(desk.form["to"]).kind != "police":
        return Refusal("invalid", faults=(FieldFault("to", "wrong_kind", {"kind": "police"}),))
    return None


def _owe_the_answer(_case: CaseFile, record: Record) -> tuple[str, ...]:
    """The police that the report went to; others may have been called to the case for something else."""
    return (f"officer@organisation:{record.facts['to']}", f"lead@organisation:{record.facts['to']}")


def _filed(desk: Desk) -> None:
    desk.call(desk.form["to"])
    desk.record.facts["to"] = desk.form["to"]
    desk.record.facts["filed_at"] = desk.form["at"].isoformat()
    desk.start(desk.record, "police_answer")


def _registered(desk: Desk) -> None:
    desk.record.facts["registered"] = True


def _answered(desk: Desk) -> None:
    desk.record.facts["accepted"] = desk.form["accepted"]


TRACK = Track(
    kind="mandatory_report",
    label=("强制报告", "mandatory report"),
    initial="due",
    opened_event="raised",
    when_opened=_opened,
    while_case=EVERY_STATE,
    states={
        "due": State(("待报告", "to be filed")),
        "filed": State(("已报告", "filed")),
        "answered": State(("已答复", "answered"), end=True),
        "not_required": State(("无需报告", "not required"), end=True),
    },
    clocks=(
        ClockKind("call_police", ("报警", "calling the police"), _owe_the_call),
        ClockKind("register", ("书面报主管部门", "the written record"), ("principal@school",)),
        ClockKind("police_answer", ("公安答复", "the answer of the police"), _owe_the_answer),
    ),
    moves=(
        Move(
            name="raise",
            event="raised",
            label=("提出强制报告", "raise a mandatory report"),
            source=None,
            target="due",
            by=who(PARTICIPANTS),
            form=fields("statutory, facts", statutory="statutory"),
        ),
        Move(
            name="file",
            event="filed",
            label=("报告公安机关", "file the report"),
            source=("due",),
            target="filed",
            by=who("counselor, principal, mentor@school; liaison@hospital; officer, lead@assignee"),
            form=fields("to, at, channel, receipt?", channel=("110", "in_person"), receipt="line"),
            guards=(_to_the_police, by_now("at")),
            confidential=True,
            meets=("call_police",),
            starts=("register",),
            then=_filed,
        ),
        Move(
            name="register",
            event="registered",
            label=("书面报主管部门", "register the written record"),
            source=("filed",),
            target=("filed", "answered"),
            choose=lambda desk: "answered" if desk.record.facts.get("accepted") else "filed",
            by=who("principal@school; lead@assignee"),
            form=fields("authority, at", authority="line"),
            guards=(by_now("at"),),
            meets=("register",),
            then=_registered,
        ),
        Move(
            name="record_answer",
            event="answer_recorded",
            label=("记录公安答复", "record the answer of the police"),
            source=("filed",),
            target=("filed", "answered"),
            choose=lambda desk: "answered" if desk.record.facts.get("registered") else "filed",
            by=who("officer@police; principal@school"),
            form=fields("accepted, at, note?", accepted=("administrative", "criminal", "no_case")),
            guards=(by_now("at"), _after_the_filing),
            meets=("police_answer",),
            then=_answered,
        ),
        Move(
            name="find_not_required",
            event="found_not_required",
            label=("认定无需报告", "find that it isn't required"),
            source=("due",),
            target="not_required",
            by=who("principal@school; supervisor@jurisdiction"),
            keys=("principal", "supervisor"),
            form=fields("reason, statutory", statutory="statutory"),
            # Met by the second key alone: until it turns, the duty to call stands.
            meets=("call_police",),
        ),
    ),
)
