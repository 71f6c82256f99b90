"""我的待办: what the reader's posts owe, in groups, by time left. The first page after signing in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from fastapi import APIRouter
from starlette.responses import Response

from api.pages.around import SEE_NOTHING, around
from api.pages.banners import banner
from api.pages.course import is_quick
from api.pages.fired import Opened
from api.pages.frame import Framed, Page
from api.pages.parts import Head, headed, level_word
from api.pages.spoken import Left
from api.pages.told_apart import badge, called, held_up, in_order_of_the_day, spoken_of
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
_DECIDE: Final = frozenset({"counselor", "principal", "mentor", "deputy", "coordinator", "supervisor"})
"""What waits for a first answer of theirs is a decision; police, court and community give an answer."""


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
    created: datetime | None = None
    also: tuple[Also, ...] = ()
    meeting: str = ""
    past: bool = False
    waits: str = ""
    second: Also | None = None


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


@router.get("/")
def work(page: Framed, group: str = "", after: str = "", undo: str = "", level: str = "") -> Response:
    """The list, or what has changed of it, for htmx."""
    with page.reading() as session:
        everything = agenda.owed(session, page.reader.actor, page.reader.now)
        meetings = appointments(session, everything)
        if page.roles <= _HOSPITAL:
            everything = in_order_of_the_day(everything, meetings, page.tongue)
        group = group if group in agenda.GROUPS else ""
        levels = _levels(page, session, everything)
        level = level if any(level == one for one, _, _ in levels) else ""
        owed = [one for one in everything if not level or one.level == level]
        groups = _groups(page, agenda.counted(owed))
        if group:
            chosen = [one for one in owed if one.group == group and _mark(one) > after]
            shown, most = chosen[:MOST], MOST
        else:
            chosen = [one for code in agenda.GROUPS for one in [one for one in owed if one.group == code][:EACH]]
            shown, most = chosen, len(chosen)
        facts: dict[str, Any] = {
            "groups": [one for one in groups if one[2]],
            "group": group,
            "levels": levels,
            "level": level,
            "after": after,
            "total": len(owed),
            "parts": _parts(groups, shown, _cards(page, session, shown, meetings)),
            "more": _mark(shown[-1]) if len(chosen) > most else "",
            "undo": banner(page, session, undo),
        }
        if page.wants_fragment:
            return page.show("work.html", session, block="list", **facts)
        searches = not page.roles <= SEE_NOTHING
        return page.show(
            "work.html", session, around=around(page, session, len(everything)), searches=searches, **facts
        )


def _mark(item: Item) -> str:
    """Where an item stands in the order, as the address of the next page says it."""
    rank, due, case_id, track = item.key
    return f"{rank}~{due}~{case_id:019d}~{track:05d}"


def _levels(page: Page, session: Session, owed: Sequence[Item]) -> list[tuple[str, str, int]]:
    """The levels among what is owed, the gravest first, with how many of each; none where there is but one."""
    book = session.office.book_of(session.office.current)
    counts = Counter(one.level for one in owed)
    found = [(code, level_word(page, book, code), counts[code]) for code in book.levels if counts[code]]
    return found if len(found) > 1 else []


def _groups(page: Page, counts: Mapping[str, int]) -> list[tuple[str, str, int]]:
    """The groups by the name that this reader's house has for them."""
    names = {
        "answer": page.say("To accept") if page.roles <= _HOSPITAL else page.say("To acknowledge"),
        "reply": page.say("To decide") if page.roles & _DECIDE else page.say("To answer"),
        "work": page.say("In hand"),
        "report": page.say("To report back"),
        "order": page.say("Orders to answer"),
    }
    return [(one, names[one], counts[one]) for one in agenda.GROUPS]


def _parts(groups: Sequence[tuple[str, str, int]], shown: Sequence[Item], cards: Sequence[Card]) -> list[Part]:
    """The cards under their groups, the empty ones left out."""
    made = list(zip(shown, cards, strict=True))
    parts = [
        Part(code, name, count, tuple(card for item, card in made if item.group == code))
        for code, name, count in groups
    ]
    return [one for one in parts if one.cards]


def _cards(
    page: Page, session: Session, items: Sequence[Item], meetings: Mapping[tuple[int, int], Appointment]
) -> list[Card]:
    if not items:
        return []
    files = {one.id: one for one in loading.one_by_one(session, list({one.case_id for one in items}), lock=False)}
    seen = outlines(session, {one.student for one in items})
    whistlers = {one.whistler for one in items if one.whistler is not None}
    names = dossier.names(session, whistlers)
    numbers = dossier.phones(session, whistlers)
    back = queries.returned(session, {one.case_id for one in items if _is_draft(one)})
    sent = dossier.whistled_at(session, files)
    cards = []
    for item in items:
        file = files[item.case_id]
        book = session.office.book_of(file.policy)
        sight = access.sees(page.reader.actor, file, book, page.reader.now)
        shown = headed(page, session, book, file, sight.identity, seen.get(item.student, NOBODY))
        card = _card(page, session, item, file, shown, names, numbers)
        if item.case_id in back:
            card = replace(card, what=page.say("Sent back to be changed: the reason stands in the draft"))
        card = replace(card, created=sent.get(item.case_id))
        meeting = meetings.get((item.case_id, item.track))
        if meeting is not None:
            said, past = spoken_of(page, meeting)
            card = replace(card, meeting=said, past=past)
        cards.append(card)
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
    offer = _offer(page, session, file, item)
    quick = offer is not None and is_quick(offer)
    draft = _is_draft(item)
    label = page.caption(offer.move.label) if offer is not None else ""
    return Card(
        head=shown,
        what=badge(page, session, item, file),
        track=called(page, session, item, file),
        left=page.tongue.left(item.due, item.started) if item.due is not None else None,
        due=item.due,
        level=file.level,
        trigger=offer.move.name if offer is not None else "",
        label=page.say("Go on with the draft") if draft else label,
        address=_address(item, offer, draft=draft),
        quick=quick and not draft,
        opened=Opened.at(file),
        whistler=names.get(item.whistler or 0, ""),
        phone=numbers.get(item.whistler or 0, "") if item.whistler != page.reader.member.id else "",
        also=(*_read_first(page, item, offer), *_also(page, session, file, item, ALSO)),
        second=next(_also(page, session, file, item, SECOND), None),
        waits="" if offer is not None else held_up(page, session, item, file),
    )


def _is_draft(item: Item) -> bool:
    return item.kind == "case" and item.state == "draft"


def _read_first(page: Page, item: Item, offer: Offer | None) -> Iterator[Also]:
    """To the same step with what was said above it: the list itself opens nobody's words."""
    if offer is not None and f"{item.kind}.{item.trigger}" in _ANSWERED_UNREAD:
        yield Also(page.say("What it is about"), _address(item, offer, draft=False))


def _also(
    page: Page, session: Session, file: CaseFile, item: Item, steps: Mapping[str, tuple[tuple[str, str], ...]]
) -> Iterator[Also]:
    for track, trigger in steps.get(f"{item.kind}.{item.trigger}", ()):
        address = f"/cases/{item.number}/{'tracks/' if not track else ''}{track or item.track}/{trigger}"
        about = item.track if track else None
        actor, now = page.reader.actor, page.reader.now
        try:
            offer = offer_of(session, file, actor, now, track or str(item.track), trigger, about)
        except Refusal:
            continue
        if offer.free:
            yield Also(page.caption(offer.move.label), address + (f"?about={about}" if about is not None else ""))


_ANSWERED_UNREAD: Final = frozenset({"assignment.acknowledge", "referral.accept"})
SECOND: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {"assignment.acknowledge": (("", "report_in"),)}
"""What is as likely as the step itself and gets a button beside it: whoever is there already reports in."""
ALSO: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    "assignment.acknowledge": (("", "decline"),),
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
    "protection.issue": (("", "reject"),),
    "guidance.engage": (("", "record_evasion"),),
    "guidance.record_session": (("", "complete"), ("", "record_evasion")),
    "guidance.criticise": (("", "refer_to_police"),),
    "guidance.record_compliance": (("", "record_defiance"),),
    "mandatory_report.file": (("", "find_not_required"),),
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
