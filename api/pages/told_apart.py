"""What tells the cards of the work list apart: whose track, which week, which appointment, whom a card waits for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Final

from api.pages.frame import Page
from api.pages.spoken import Tongue
from cases.agenda import URGENT, Item
from cases.appointments import Appointment
from cases.casefile import CASE, CaseFile, Record
from cases.office import Session

_OF_THE_DAY: Final = URGENT - 1
"""Before everything else in a hospital's list: whoever comes today, and whoever should have come."""
_FEW: Final = 3


def badge(page: Page, session: Session, item: Item, file: CaseFile) -> str:
    """What is owed, in a word or two; of a draft whether it was sent back."""
    declared = session.office.tracks[item.kind]
    if item.kind == "case" and item.state == "draft":
        # Only a whistle that was handed in has ever had the clock of its sign-off.
        return page.say("Draft") if file.clock(CASE, "sign_off") is None else page.say("Sent back")
    if item.clock:
        return page.caption(declared.clock_kinds[item.clock].label)
    move = declared.by_name.get(item.trigger)
    return page.caption(move.label) if move is not None else page.word(declared.states[item.state].label)


def called(page: Page, session: Session, item: Item, file: CaseFile) -> str:
    """The track: its kind, the week of a check-in, the organisation of an assignment that isn't the reader's own."""
    label = page.word(session.office.tracks[item.kind].label)
    record = file.track(item.track)
    if item.kind == "check_in" and record is not None and "week" in record.facts:
        return page.say("Check-in of week %(week)s") % {"week": record.facts["week"]}
    own = {post.organisation_id for post in page.reader.actor.posts}
    if item.organisation is None or item.organisation in own:
        return label
    return f"{label} · {_place(session, item.organisation)}"


def held_up(page: Page, session: Session, item: Item, file: CaseFile) -> str:
    """By what a case that settles by itself is still held open; else the state in which the track waits for others."""
    record = file.track(item.track)
    if record is None:
        return ""
    tracks = session.office.tracks
    if item.clock != "settle":
        return _standing(page, session, record)
    active = [one for one in file.tracks.values() if tracks[one.kind].holds_open and tracks[one.kind].active(one.state)]
    stop = "; " if page.language == "en" else "；"
    return stop.join(_standing(page, session, one) for one in active[:_FEW])


def _standing(page: Page, session: Session, record: Record) -> str:
    declared = session.office.tracks[record.kind]
    whose = _place(session, record.organisation) if record.organisation is not None else ""
    parts = (whose, page.word(declared.label), page.word(declared.states[record.state].label))
    return " ".join(one for one in parts if one)


def _place(session: Session, number: int) -> str:
    return session.office.directory.organisation(session.connection, number).name


def spoken_of(page: Page, meeting: Appointment) -> tuple[str, bool]:
    """`Appointment 03-18 09:00`, `Next visit 04-02`, and whether that day has passed without a word."""
    tongue = page.tongue
    if meeting.first:
        at = datetime.fromisoformat(meeting.at)
        return page.say("Appointment %(time)s") % {"time": tongue.moment(at)}, at < tongue.now
    day = date.fromisoformat(meeting.at)
    if day < _today(tongue):
        return page.say("Next visit %(day)s has passed") % {"day": tongue.day(day)}, True
    return page.say("Next visit %(day)s") % {"day": tongue.day(day)}, False


def in_order_of_the_day(
    owed: Sequence[Item], meetings: Mapping[tuple[int, int], Appointment], tongue: Tongue
) -> list[Item]:
    """A hospital's list: who is expected today or was expected earlier by the hour, then everything else."""
    found = []
    for item in owed:
        meeting = meetings.get((item.case_id, item.track))
        day = _day(tongue, meeting) if meeting is not None else None
        expected = meeting is not None and day is not None and day <= _today(tongue)
        found.append(replace(item, rank=_OF_THE_DAY, when=meeting.at) if expected and meeting is not None else item)
    return sorted(found, key=lambda one: one.key)


def _day(tongue: Tongue, meeting: Appointment) -> date:
    if meeting.first:
        return datetime.fromisoformat(meeting.at).astimezone(tongue.zone).date()
    return date.fromisoformat(meeting.at)


def _today(tongue: Tongue) -> date:
    return tongue.now.astimezone(tongue.zone).date()
