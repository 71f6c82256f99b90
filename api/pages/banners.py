"""What was just done, in words that don't read like a button: `已签收`, `已办理：监护人同意`, `已撤销`."""

from __future__ import annotations

from dataclasses import dataclass

from api.pages.fired import Opened
from api.pages.frame import Page
from api.pages.sheet import Button, Sheet
from cases import loading
from cases.casefile import Record
from cases.dossier import Told
from cases.offers import offers
from cases.office import Session
from cases.track import Track


@dataclass(frozen=True, slots=True)
class Banner:
    """What was done with which case, what comes next there, and the way back where there is one."""

    number: str
    title: str
    opened: Opened
    undo: Button | None
    onward: Button | None


def done_words(sheet: Sheet, told: Told) -> str:
    """One event as something done: by the state that it led to where that says so, else by its step."""
    declared = sheet.session.office.tracks[told.kind]
    move = declared.by_name.get(told.trigger)
    if told.trigger.startswith("undo_") or move is None:
        return sheet.page.say("Taken back")
    moved = told.target if told.target != told.source else None
    return _spoken(sheet.page, declared, moved, sheet.page.caption(move.label))


def _spoken(page: Page, declared: Track, state: str | None, step: str) -> str:
    label = page.word(declared.states[state].label) if state in declared.states and state is not None else ""
    if page.language == "zh_CN" and label.startswith("已"):
        return label
    return page.say("Done: %(step)s") % {"step": step}


def banner(page: Page, session: Session, asked: str) -> Banner | None:
    """What `?undo=NUMBER.TRACK` names: the track that was moved from the work list with one tap."""
    number, _, track = asked.rpartition(".")
    files = loading.one_by_one(session, [number], lock=False) if number and track.isdecimal() else []
    record = files[0].track(int(track)) if files else None
    if record is None:
        return None
    file, actor, now = files[0], page.reader.actor, page.reader.now
    sheet = Sheet(page, session, file, session.office.book_of(file.policy), offers(session, file, actor, now))
    own = sheet.of_track(record.no)
    if not own:
        return None
    undo = next((one for one in own if one.move.name.startswith("undo_") and one.free), None)
    onward = next((one for one in own if one.free and one is not undo), None)
    return Banner(
        number,
        _title(page, session, record),
        Opened.at(file),
        sheet.button(undo) if undo is not None else None,
        sheet.button(onward) if onward is not None and onward.move.name not in _BACK else None,
    )


_BACK = frozenset({"acknowledge"})
"""After this was taken back it stands on the list again."""


def _title(page: Page, session: Session, record: Record) -> str:
    if (record.kind, record.state) == ("assignment", "summoned"):
        return page.say("Taken back")
    declared = session.office.tracks[record.kind]
    return _spoken(page, declared, record.state, page.word(declared.states[record.state].label))
