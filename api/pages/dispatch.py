"""派单台: what waits for a coordinator, in groups, each row with what can be done about it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.responses import Response

from api.pages.board import allowed
from api.pages.frame import Framed, Page
from api.pages.parts import Head, headed, named
from api.pages.spoken import Left
from cases import access, dispatch, loading
from cases.casefile import CaseFile
from cases.dispatch import GROUPS, Waiting
from cases.offers import offer_of
from cases.office import Session
from cases.outlines import NOBODY, Outline
from cases.refusal import Refusal

router = APIRouter(include_in_schema=False)
ROLES: Final = frozenset({"coordinator"})
FEW: Final = 4
"""So many of each group where all are shown."""
MANY: Final = 40
_DOES: Final[Mapping[str, tuple[str, ...]]] = {
    "disputes": ("uphold", "settle_dispute", "reassign"),
    "reassign": ("reassign", "remind"),
    "extensions": ("grant", "refuse"),
    "declined": ("redirect", "confirm_cancellation"),
    "regrade": ("regrade",),
    "merge": ("merge",),
    "settle": ("close",),
    "new": ("summon", "regrade"),
}
"""What may be done in each group, the first that is possible first."""
_NUMBER: Final = re.compile(r"[A-Z]{1,4}-\d{4}-\d{1,9}")
_OF_CASE: Final = frozenset({"regrade", "merge", "close", "summon"})


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that can be done about a row."""

    label: str
    address: str


@dataclass(frozen=True, slots=True)
class Card:
    """One row of a group."""

    head: Head
    what: str
    left: Left | None
    since: datetime
    due: datetime | None
    actions: tuple[Action, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """One group: how much there is of it, and its first rows."""

    code: str
    label: str
    hint: str
    total: int
    cards: tuple[Card, ...]


@router.get("/desk")
def desk(page: Framed, group: str = "", after: str = "", done: str = "") -> Response:
    """What waits. `done` is the number of the case that the reader comes back from."""
    allowed(page, ROLES)
    one = group if group in GROUPS else ""
    with page.reading() as session:
        # All groups are asked for whatever is shown: their counts stand above.
        begun = {one: after} if one and after else {}
        most = MANY + 1 if one else FEW
        found = dispatch.waiting(session, page.reader.actor, page.reader.now, GROUPS, most, begun)
        totals = {each.group: each.total for each in found}
        if begun and one not in totals:
            # What stood there has been done meanwhile.
            return page.go(f"/desk?group={one}")
        shown = [each for each in found if not one or each.group == one]
        more = shown[MANY - 1].mark if one and len(shown) > MANY else ""
        shown = shown[:MANY] if one else shown
        groups = _groups(page, session, shown, totals, (one,) if one else GROUPS)
        chips = [(code, label, totals.get(code, 0)) for code, (label, _) in _words(page).items()]
        facts: dict[str, Any] = {"groups": groups, "chips": chips, "group": one, "total": sum(totals.values()),
                                 "after": after, "more": more,
                                 "done": done if _NUMBER.fullmatch(done) else ""}  # fmt: skip
        block = "list" if page.wants_fragment else None
        return page.show("desk.html", session, block=block, **facts)


def _words(page: Page) -> dict[str, tuple[str, str]]:
    """What each group is called, and what it holds."""
    return {
        "disputes": (
            page.say("To rule on"),
            page.say("Declined summonses, feedback sent back too often."),
        ),
        "reassign": (page.say("Not acknowledged in time"), page.say("Somebody else may have to be called.")),
        "extensions": (page.say("Extensions"), page.say("Somebody asks for more time.")),
        "declined": (page.say("Declined referrals"), page.say("The hospital sent it back: another has to be found.")),
        "regrade": (page.say("Regrade?"), page.say("Two check-ins running saw some risk.")),
        "merge": (page.say("The same student twice"), page.say("Two open cases that may be one.")),
        "settle": (page.say("To close"), page.say("Red and orange cases that have been evaluated.")),
        "new": (page.say("New cases"), page.say("Whistled within three days.")),
    }


def _groups(
    page: Page, session: Session, found: Sequence[Waiting], totals: Mapping[str, int], wanted: Sequence[str]
) -> list[Group]:
    ids = sorted({one.case_id for one in found})
    files = {one.id: one for one in loading.one_by_one(session, ids, lock=False)} if ids else {}
    seen = named(session, files.values())
    wished = dispatch.proposed(session, found)
    cards: dict[str, list[Card]] = {}
    for one in found:
        wish = wished.get((one.case_id, one.track)) if one.group == "disputes" else None
        cards.setdefault(one.group, []).append(_card(page, session, one, files[one.case_id], seen, wish))
    said = _words(page)
    return [
        Group(code, *said[code], totals[code], tuple(cards[code]))
        for code in GROUPS
        if code in wanted and code in cards
    ]


def _card(
    page: Page, session: Session, one: Waiting, file: CaseFile, seen: Mapping[int, Outline], wish: int | None
) -> Card:
    book = session.office.book_of(file.policy)
    sight = access.sees(page.reader.actor, file, book, page.reader.now)
    record = file.track(one.track) or file.record
    parts = [page.word(session.office.tracks[record.kind].label)]
    if record.organisation is not None:
        parts.append(session.office.directory.organisation(session.connection, record.organisation).name)
    if wish is not None:
        place = session.office.directory.organisation(session.connection, wish)
        parts.append(page.say("they propose %(place)s") % {"place": place.name})
    if one.other is not None:
        parts = [page.say("the other case: %s") % one.other]
    elif record.no == 0:
        parts = [page.word(session.office.tracks["case"].states[file.state].label)]
    return Card(
        head=headed(page, session, book, file, sight.identity, seen.get(file.student, NOBODY)),
        what=" · ".join(parts),
        left=page.tongue.left(one.due) if one.due is not None else None,
        since=one.since,
        due=one.due,
        actions=tuple(_actions(page, session, file, one, wish)),
    )


def _actions(page: Page, session: Session, file: CaseFile, one: Waiting, wish: int | None) -> list[Action]:
    """The triggers that may be pulled now, by their own labels; the others are no use on a list."""
    actions = []
    for trigger in _DOES[one.group]:
        track = "0" if trigger in _OF_CASE else str(one.track)
        try:
            offer = offer_of(session, file, page.reader.actor, page.reader.now, track, trigger)
        except Refusal:
            continue
        if offer.free:
            # What is known already stands in the form; whoever is done comes back here, to the next one.
            given: dict[str, dict[str, object]] = {
                "merge": {"into": one.other},
                "reassign": {"to": wish} if wish is not None else {},
            }
            more = urlencode({**given.get(trigger, {}), "back": f"desk.{one.group}"})
            actions.append(Action(page.word(offer.move.label), f"/cases/{file.number}/tracks/{track}/{trigger}?{more}"))
    return actions
