"""我的待办: what the reader's posts owe, in groups, by time left. The first page after signing in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final

from fastapi import APIRouter
from starlette.responses import Response

from api.pages.around import SEE_NOTHING, around
from api.pages.course import is_quick
from api.pages.fired import Opened
from api.pages.frame import Framed, Page
from api.pages.parts import Head, headed
from api.pages.spoken import Left
from cases import access, agenda, dossier, loading, queries
from cases.agenda import Item
from cases.appointments import Appointment, appointments
from cases.casefile import CaseFile
from cases.offers import Offer, offer_of
from cases.office import Session
from cases.outlines import NOBODY, outlines
from cases.refusal import Refusal

router = APIRouter(include_in_schema=False)
MOST: Final = 20
"""So many on one page of a group."""
EACH: Final = 6
"""So many of each group where all of them stand one under the other."""
_HOSPITAL: Final = frozenset({"liaison"})
_SCHOOL: Final = frozenset({"counselor", "principal", "mentor", "deputy"})


@dataclass(frozen=True, slots=True)
class Card:
    """One thing to do as the list shows it. `quick` is a trigger that needs nothing written: one tap does it."""

    head: Head
    what: str
    track: str
    left: Left | None
    due: datetime | None
    level: str
    trigger: str
    label: str
    address: str
    quick: bool
    opened: Opened
    whistler: str
    phone: str
    created: datetime
    also: tuple[Also, ...] = ()
    meeting: str = ""


@dataclass(frozen=True, slots=True)
class Also:
    """What else may be done with it now, without opening the case first."""

    label: str
    address: str


@dataclass(frozen=True, slots=True)
class Part:
    """One group of the list: what it is called, how many there are, and the most pressing of them."""

    code: str
    name: str
    count: int
    cards: tuple[Card, ...]


@dataclass(frozen=True, slots=True)
class Undo:
    """What was just acknowledged, and how to take it back."""

    number: str
    title: str
    address: str
    opened: Opened
    free: bool


@router.get("/")
def work(page: Framed, group: str = "", after: str = "", undo: str = "") -> Response:
    """The list, or what has changed of it, for htmx."""
    with page.reading() as session:
        owed = agenda.owed(session, page.reader.actor, page.reader.now)
        group = group if group in agenda.GROUPS else ""
        groups = _groups(page, agenda.counted(owed))
        if group:
            chosen = [one for one in owed if one.group == group and _mark(one) > after]
            shown, most = chosen[:MOST], MOST
        else:
            chosen = [one for code in agenda.GROUPS for one in [one for one in owed if one.group == code][:EACH]]
            shown, most = chosen, len(chosen)
        facts: dict[str, Any] = {
            "groups": groups,
            "group": group,
            "after": after,
            "total": len(owed),
            "parts": _parts(groups, shown, _cards(page, session, shown)),
            "more": _mark(shown[-1]) if len(chosen) > most else "",
            "undo": _undo(page, session, undo),
        }
        if page.wants_fragment:
            return page.show("work.html", session, block="list", **facts)
        searches = not page.roles <= SEE_NOTHING
        return page.show("work.html", session, around=around(page, session, len(owed)), searches=searches, **facts)


def _mark(item: Item) -> str:
    """Where an item stands in the order, as the address of the next page says it."""
    due, case_id, track = item.key
    return f"{due}~{case_id:019d}~{track:05d}"


def _groups(page: Page, counts: Mapping[str, int]) -> list[tuple[str, str, int]]:
    """The groups by the name that this reader's house has for them."""
    names = {"work": page.say("In hand"), "report": page.say("To report back")}
    if page.roles & _HOSPITAL:
        names["answer"] = page.say("To accept")
    elif page.roles & _SCHOOL or page.roles & {"coordinator", "supervisor"}:
        names["answer"] = page.say("To answer")
    else:
        names["answer"] = page.say("To acknowledge")
    return [(one, names[one], counts[one]) for one in agenda.GROUPS]


def _parts(groups: Sequence[tuple[str, str, int]], shown: Sequence[Item], cards: Sequence[Card]) -> list[Part]:
    """The cards under their groups, the empty ones left out."""
    made = list(zip(shown, cards, strict=True))
    parts = [
        Part(code, name, count, tuple(card for item, card in made if item.group == code))
        for code, name, count in groups
    ]
    return [one for one in parts if one.cards]


def _cards(page: Page, session: Session, items: Sequence[Item]) -> list[Card]:
    if not items:
        return []
    files = {one.id: one for one in loading.one_by_one(session, list({one.case_id for one in items}), lock=False)}
    seen = outlines(session, {one.student for one in items})
    whistlers = {one.whistler for one in items if one.whistler is not None}
    names = dossier.names(session, whistlers)
    numbers = dossier.phones(session, whistlers)
    meetings = appointments(session, items)
    back = queries.returned(session, {one.case_id for one in items if _is_draft(one)})
    cards = []
    for item in items:
        file = files[item.case_id]
        book = session.office.book_of(file.policy)
        sight = access.sees(page.reader.actor, file, book, page.reader.now)
        shown = headed(page, session, book, file, sight.identity, seen.get(item.student, NOBODY))
        card = _card(page, session, item, file, shown, names, numbers)
        if item.case_id in back:
            card = replace(card, what=page.say("Sent back to be changed: the reason stands in the draft"))
        meeting = meetings.get((item.case_id, item.track))
        cards.append(replace(card, meeting=_meeting(page, meeting)) if meeting is not None else card)
    return cards


def _meeting(page: Page, meeting: Appointment) -> str:
    """`Appointment 03-18 09:00`, `Next visit 04-02`."""
    tongue = page.tongue
    if meeting.first:
        return page.say("Appointment %(time)s") % {"time": tongue.moment(datetime.fromisoformat(meeting.at))}
    return page.say("Next visit %(day)s") % {"day": tongue.day(date.fromisoformat(meeting.at))}


def _card(
    page: Page,
    session: Session,
    item: Item,
    file: CaseFile,
    shown: Head,
    names: Mapping[int, str],
    numbers: Mapping[int, str],
) -> Card:
    declared = session.office.tracks[item.kind]
    offer = _offer(page, session, file, item)
    what = page.caption(declared.clock_kinds[item.clock].label) if item.clock else ""
    quick = offer is not None and is_quick(offer)
    draft = _is_draft(item)
    return Card(
        head=shown,
        what=what or (page.caption(offer.move.label) if offer is not None else ""),
        track=page.word(declared.label),
        left=page.tongue.left(item.due, item.started) if item.due is not None else None,
        due=item.due,
        level=file.level,
        trigger=offer.move.name if offer is not None else "",
        label=page.say("Go on with the draft")
        if draft
        else page.caption(offer.move.label)
        if offer is not None
        else "",
        address=_address(item, offer, draft=draft),
        quick=quick and not draft,
        opened=Opened.at(file),
        whistler=names.get(item.whistler or 0, ""),
        phone=numbers.get(item.whistler or 0, "") if item.whistler != page.reader.member.id else "",
        created=item.created,
        also=tuple(_also(page, session, file, item)),
    )


def _is_draft(item: Item) -> bool:
    return item.kind == "case" and item.state == "draft"


def _also(page: Page, session: Session, file: CaseFile, item: Item) -> Iterator[Also]:
    for track, trigger in ALSO.get(f"{item.kind}.{item.trigger}", ()):
        address = f"/cases/{item.number}/{'tracks/' if not track else ''}{track or item.track}/{trigger}"
        about = item.track if track else None
        actor, now = page.reader.actor, page.reader.now
        try:
            offer = offer_of(session, file, actor, now, track or str(item.track), trigger, about)
        except Refusal:
            continue
        if offer.free:
            yield Also(page.caption(offer.move.label), address + (f"?about={about}" if about is not None else ""))


ALSO: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    "assignment.acknowledge": (("", "report_in"), ("", "decline")),
    "assignment.report_in": (("", "record_progress"), ("extension", "request")),
    "assignment.give_feedback": (("", "record_progress"), ("extension", "request")),
    "assignment.accept_feedback": (("", "send_back"),),
    "case.sign_off": (("", "send_back"),),
    "extension.grant": (("", "refuse"),),
    "referral.give_consent": (("", "refuse_consent"), ("", "override_for_safety")),
    "referral.accept": (("", "decline"),),
    "referral.schedule": (("", "record_visit"), ("", "refuse_admission")),
    "referral.record_visit": (("", "record_no_show"), ("", "schedule")),
    "referral.update_treatment": (("", "complete"), ("", "refuse_admission")),
    "return_to_school.hospital_sign": (("", "defer"),),
    "return_to_school.school_sign": (("", "defer"),),
    "return_to_school.declare_stable": (("", "relapse"),),
    "supervision.accept": (("", "reject"), ("", "interview")),
}
"""What lies nearest beside each step, by `kind.trigger`: the kind of track that it opens (or none), and a trigger."""


def _address(item: Item, offer: Offer | None, *, draft: bool) -> str:
    if draft:
        return f"/whistle/{item.number}"
    if offer is None:
        return f"/cases/{item.number}"
    return f"/cases/{item.number}/tracks/{item.track}/{offer.move.name}"


def _offer(page: Page, session: Session, file: CaseFile, item: Item) -> Offer | None:
    """The trigger that does it, where the reader may pull it now."""
    if not item.trigger:
        return None
    try:
        offer = offer_of(session, file, page.reader.actor, page.reader.now, str(item.track), item.trigger)
    except Refusal:
        return None
    return offer if offer.free else None


def _undo(page: Page, session: Session, asked: str) -> Undo | None:
    """What `?undo=NUMBER.TRACK` names, while it can still be taken back."""
    number, _, track = asked.rpartition(".")
    if not number or not track.isdecimal():
        return None
    files = loading.one_by_one(session, [number], lock=False)
    if not files:
        return None
    file = files[0]
    try:
        offer = offer_of(session, file, page.reader.actor, page.reader.now, track, "undo_acknowledge")
    except Refusal:
        return None
    address = f"/cases/{number}/tracks/{track}/undo_acknowledge"
    return Undo(number, page.word(offer.declared.by_name["acknowledge"].label), address, Opened.at(file), offer.free)
