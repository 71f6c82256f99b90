"""我的待办: what the reader's posts owe, in groups, by time left. The first page after signing in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from fastapi import APIRouter
from starlette.responses import Response

from api.pages.fired import Opened
from api.pages.frame import Framed, Page
from api.pages.parts import Head, headed
from api.pages.spoken import Left
from cases import access, agenda, dossier, loading
from cases.agenda import Item
from cases.casefile import CaseFile
from cases.offers import Offer, offer_of
from cases.office import Session
from cases.outlines import NOBODY, outlines
from cases.refusal import Refusal

router = APIRouter(include_in_schema=False)
MOST: Final = 20
"""So many on one page."""
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
        chosen = [one for one in owed if not group or one.group == group]
        rest = [one for one in chosen if _mark(one) > after] if after else chosen
        shown = rest[:MOST]
        facts: dict[str, Any] = {
            "groups": _groups(page, agenda.counted(owed)),
            "group": group if group in agenda.GROUPS else "",
            "after": after,
            "total": len(owed),
            "cards": _cards(page, session, shown),
            "more": _mark(shown[-1]) if len(rest) > MOST else "",
            "undo": _undo(page, session, undo),
        }
        block = "list" if page.wants_fragment else None
        return page.show("work.html", session, block=block, **facts)


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


def _cards(page: Page, session: Session, items: Sequence[Item]) -> list[Card]:
    if not items:
        return []
    files = {one.id: one for one in loading.one_by_one(session, list({one.case_id for one in items}), lock=False)}
    seen = outlines(session, {one.student for one in items})
    whistlers = {one.whistler for one in items if one.whistler is not None}
    names = dossier.names(session, whistlers)
    numbers = dossier.phones(session, whistlers)
    cards = []
    for item in items:
        file = files[item.case_id]
        book = session.office.book_of(file.policy)
        sight = access.sees(page.reader.actor, file, book, page.reader.now)
        shown = headed(page, session, book, file, sight.identity, seen.get(item.student, NOBODY))
        cards.append(_card(page, session, item, file, shown, names, numbers))
    return cards


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
    what = page.word(declared.clock_kinds[item.clock].label) if item.clock else ""
    quick = offer is not None and not offer.move.form.fields
    draft = item.kind == "case" and item.state == "draft"
    return Card(
        head=shown,
        what=what or (page.word(offer.move.label) if offer is not None else ""),
        track=page.word(declared.label),
        left=page.tongue.left(item.due, item.started) if item.due is not None else None,
        due=item.due,
        level=file.level,
        trigger=offer.move.name if offer is not None else "",
        label=page.say("Go on with the draft") if draft else page.word(offer.move.label) if offer is not None else "",
        address=_address(item, offer, draft=draft),
        quick=quick and not draft,
        opened=Opened.at(file),
        whistler=names.get(item.whistler or 0, ""),
        phone=numbers.get(item.whistler or 0, "") if item.whistler != page.reader.member.id else "",
        created=item.created,
    )


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
