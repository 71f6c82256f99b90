"""How far a case is, in steps: along the reader's own assignment or the lead's, for a hospital its referral."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from api.pages.course import STEPS, VISIT
from api.pages.sheet import Sheet
from cases.casefile import CASE, Record
from cases.dossier import WHISTLED

Standing = Literal["done", "now", "todo"]
_STEPS: Final = ("whistled", "signed_off", "acknowledged", "reported_in", "feedback_given", "evaluated", "closed")
_BEHIND: Final[Mapping[str, tuple[str, ...]]] = {
    "acknowledge_undone": ("acknowledged",), "sent_back": ("feedback_given",), "reworked": ("feedback_given",),
    "returned_for_rework": ("evaluated",), "reopened": ("evaluated", "closed"),
}  # fmt: skip
"""What an event takes back."""
_STEP_CLOCKS: Final[Mapping[str, str]] = {
    "signed_off": "sign_off", "acknowledged": "acknowledge", "reported_in": "report_in",
    "feedback_given": "feedback", "evaluated": "evaluation",
}  # fmt: skip
_BROKEN_OFF: Final = frozenset({"withdrawn", "merged"})


@dataclass(frozen=True, slots=True)
class Step:
    """One step: what, when or by when, and whether it is done."""

    label: str
    when: str
    standing: Standing


def steps(sheet: Sheet) -> list[Step]:
    """From the whistle to the closing."""
    referral = _treated(sheet)
    if referral is not None:
        return _visit(sheet, referral)
    tongue = sheet.page.tongue
    along = _along(sheet)
    done = _done(sheet, along)
    if sheet.case.state in _BROKEN_OFF:
        return _broken_off(sheet, done)
    signing = "signed_off" in done or sheet.case.state == "awaiting_signoff" or _owes_sign_off(sheet)
    names = [one for one in _STEPS if one != "signed_off" or signing]
    # What came later stands for what was skipped: a report in acknowledges too.
    last = max((names.index(one) for one in names if one in done and one != "signed_off"), default=-1)
    found: list[Step] = []
    current = False
    for place, name in enumerate(names):
        label = sheet.page.say(_STEP_TEXTS[name])
        at = done.get(name)
        if at is not None or (place < last and name != "signed_off"):
            found.append(Step(label, tongue.moment(at) if at is not None else "", "done"))
            continue
        if name == "evaluated" and not current and sheet.case.state == "open":
            found.append(Step(_at_work(sheet), "", "now"))
            current = True
        # A sign-off that is owed after the fact holds nothing up: the next step is another one.
        beside = name == "signed_off" and sheet.case.state != "awaiting_signoff"
        standing: Standing = "todo" if current or beside else "now"
        current = current or not beside
        due = _due(sheet, along, name)
        when = sheet.page.say("by %(time)s") % {"time": tongue.moment(due)} if due is not None else "—"
        found.append(Step(label, when, standing))
    return found


def _at_work(sheet: Sheet) -> str:
    """What keeps a case from its evaluation when the assignment that is shown has fed back."""
    tracks = sheet.session.office.tracks
    for record in reversed(list(sheet.case.tracks.values())):
        declared = tracks[record.kind]
        if declared.holds_open and declared.active(record.state) and record.kind != "assignment":
            return sheet.page.word(declared.states[record.state].label)
    return sheet.page.word(tracks["case"].states[sheet.case.state].label)


def _broken_off(sheet: Sheet, done: Mapping[str, datetime]) -> list[Step]:
    """A case that was withdrawn or merged: what had been done, and how it ended; nothing is to come."""
    tongue, state = sheet.page.tongue, sheet.case.state
    found = [Step(sheet.page.say(_STEP_TEXTS[one]), tongue.moment(done[one]), "done") for one in _STEPS if one in done]
    ended = next((one.at for one in reversed(sheet.history) if one.name == f"case.{state}"), None)
    label = sheet.page.word(sheet.session.office.tracks["case"].states[state].label)
    return [*found, Step(label, tongue.moment(ended) if ended is not None else "", "done")]


def _treated(sheet: Sheet) -> Record | None:
    """The newest referral of a reader who has nothing but a hospital's posts."""
    if not sheet.page.roles <= {"liaison"}:
        return None
    mine = [one for one in sheet.case.of_kind("referral") if one.organisation in sheet.places]
    return mine[-1] if mine and mine[-1].state in VISIT else None


def _visit(sheet: Sheet, referral: Record) -> list[Step]:
    """An appointment says when it was made; for when it is stands at the visit that is to come."""
    page, tongue = sheet.page, sheet.page.tongue
    done = {one.name.partition(".")[2]: one for one in sheet.history if one.track == referral.no}
    behind = VISIT[referral.state]
    found = []
    for place, name in enumerate(STEPS):
        told = done.get(name)
        when = "—"
        if told is not None and place < behind:
            seen = told.open.get("seen_at") or told.said.get("seen_at")
            when = tongue.moment(datetime.fromisoformat(seen) if seen else told.at)
        elif name == "visit_recorded" and referral.state == "scheduled" and "scheduled" in done:
            booked = tongue.moment(datetime.fromisoformat(done["scheduled"].open["at"]))
            when = page.say("booked for %(time)s") % {"time": booked}
        standing: Standing = "done" if place < behind else "now" if place == behind else "todo"
        found.append(Step(page.say(_VISIT_TEXTS[name]), when, standing))
    return found


def _along(sheet: Sheet) -> Record | None:
    """The reader's own assignment where they have one, else the lead's."""
    standing = [one for one in sheet.case.of_kind("assignment") if one.state not in {"reassigned", "cancelled"}]
    own = [one for one in standing if one.organisation in sheet.places]
    leads = [one for one in standing if one.facts.get("part") == "lead"]
    return next(reversed(own or leads), None)


def _owes_sign_off(sheet: Sheet) -> bool:
    return bool(sheet.case.record.facts.get("owes_sign_off"))


def _done(sheet: Sheet, along: Record | None) -> dict[str, datetime]:
    """When each step was done. A whistle counts from when it was sent, not from when its draft was begun."""
    done: dict[str, datetime] = {}
    for one in sheet.history:
        event = one.name.partition(".")[2]
        if one.track != CASE and (along is None or one.track != along.no):
            continue
        for undone in _BEHIND.get(event, ()):
            done.pop(undone, None)
        if one.name == "case.sent_back":
            done.pop("whistled", None)
        if one.name in WHISTLED:
            done["whistled"] = one.at
        elif event in _STEPS:
            done[event] = one.at
    return done


def _due(sheet: Sheet, along: Record | None, name: str) -> datetime | None:
    clock_name = _STEP_CLOCKS.get(name)
    if clock_name is None:
        return None
    track = CASE if name in {"signed_off", "evaluated"} else along.no if along is not None else None
    clock = sheet.case.clock(track, clock_name) if track is not None else None
    return clock.face.due if clock is not None and not clock.stopped else None


def gettext_noop(text: str) -> str:
    """Mark a text for the catalogue; it is said where it is shown."""
    return text


_STEP_TEXTS: Final[Mapping[str, str]] = {
    "whistled": gettext_noop("Whistle"),
    "signed_off": gettext_noop("Sign-off"),
    "acknowledged": gettext_noop("Acknowledged"),
    "reported_in": gettext_noop("Reported in"),
    "feedback_given": gettext_noop("Feedback"),
    "evaluated": gettext_noop("Evaluation"),
    "closed": gettext_noop("Closed"),
}

_VISIT_TEXTS: Final[Mapping[str, str]] = {
    "accepted": gettext_noop("Accepted"),
    "scheduled": gettext_noop("Appointment"),
    "visit_recorded": gettext_noop("Seen"),
    "treatment_updated": gettext_noop("Treatment"),
    "completed": gettext_noop("Completed"),
}
