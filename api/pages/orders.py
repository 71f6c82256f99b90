"""督办: the orders that a supervisor oversees, what they demand, what was answered, and what can be done about each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from fastapi import APIRouter
from starlette.responses import Response

from api.given import number_of
from api.pages.board import ROLES, allowed
from api.pages.dispatch import Action
from api.pages.frame import Framed, Page
from api.pages.parts import Head, headed, named
from api.pages.spoken import Left
from cases import access, listing, orders
from cases.casefile import CaseFile
from cases.listing import TrackLine
from cases.offers import offer_of
from cases.office import Session
from cases.orders import Said
from cases.outlines import NOBODY
from cases.refusal import Refusal
from cases.tracks.supervision import OPEN, TRACK

router = APIRouter(include_in_schema=False)
ON_A_PAGE: Final = 20
_DOES: Final = ("accept", "reject", "interview")


@dataclass(frozen=True, slots=True)
class Line:
    """One order. `said` is what was demanded and answered, oldest first, with its label; `mark` changes with it."""

    head: Head
    number: str
    about: str
    place: int | None
    whose: str
    state: str
    open: bool
    opened: datetime
    due: datetime | None
    left: Left | None
    mark: str
    said: tuple[tuple[str, Said, date | None], ...]
    actions: tuple[Action, ...]


@router.get("/supervision")
def supervision(page: Framed, state: str = "", organisation: str = "", after: str = "") -> Response:
    """The newest first. Demands and answers are opened for whoever sees the narrative, and that is logged.

    A page that fetches itself anew opens nothing: nobody may be looking, and each time would be a look.
    """
    allowed(page, ROLES)
    states = {"": OPEN, "all": tuple(TRACK.states), **{one: (one,) for one in TRACK.states}}
    chosen = state if state in states else ""
    place = number_of(organisation)
    actor, now = page.reader.actor, page.reader.now
    with page.opening() as session:
        found = listing.tracks(session, actor, now, TRACK.kind, state=states[chosen], place=place,
                               cursor=after or None, most=ON_A_PAGE)  # fmt: skip
        files = orders.files_of(session, found.items)
        said = {} if page.wants_fragment else orders.said(session, files, found.items, actor, now)
        lines = _lines(page, session, found.items, files, said)
        facts: dict[str, Any] = {
            "lines": lines,
            "more": found.next,
            "after": after,
            "by_itself": page.wants_fragment,
            "state": chosen,
            "states": [("", page.say("That run")), *_states(page), ("all", page.say("All"))],
            "organisation": place,
            "whose": lines[0].whose if place is not None and lines else "",
        }
        return page.show("supervision.html", session, block="list" if page.wants_fragment else None, **facts)


def _states(page: Page) -> list[tuple[str, str]]:
    return [(name, page.word(one.label)) for name, one in TRACK.states.items()]


def _lines(
    page: Page,
    session: Session,
    found: Sequence[TrackLine],
    files: Mapping[str, CaseFile],
    said: Mapping[tuple[str, int], Sequence[Said]],
) -> list[Line]:
    seen = named(session, files.values())
    lines = []
    for one in found:
        file = files[one.number]
        book = session.office.book_of(file.policy)
        sight = access.sees(page.reader.actor, file, book, page.reader.now)
        shown = headed(page, session, book, file, sight.identity, seen.get(file.student, NOBODY))
        lines.append(_line(page, session, one, file, shown, said.get((one.number, one.no), ())))
    return lines


def _line(page: Page, session: Session, one: TrackLine, file: CaseFile, shown: Head, said: Sequence[Said]) -> Line:
    about = file.track(one.about) if one.about is not None else None
    kind = session.office.tracks[about.kind if about is not None else "assignment"]
    place = session.office.directory.organisation(session.connection, one.organisation) if one.organisation else None
    running = one.state in OPEN
    return Line(
        head=shown,
        number=f"{one.number}-{one.no}",
        about=page.word(kind.label) + (f" · {page.word(kind.states[about.state].label)}" if about is not None else ""),
        place=one.organisation,
        whose=place.name if place is not None else "",
        state=page.word(TRACK.states[one.state].label),
        open=running,
        opened=one.opened,
        due=one.due if running else None,
        mark=f"{one.state}-{one.due.timestamp() if one.due is not None else 0:.0f}",
        left=page.tongue.left(one.due, one.opened) if running and one.due is not None else None,
        said=tuple(
            (page.word(TRACK.by_name[each.trigger].label), each, _day(each.new_date)) for each in said if each.text
        ),
        actions=tuple(_actions(page, session, file, one.no)) if running else (),
    )


def _day(written: str) -> date | None:
    return date.fromisoformat(written) if written else None


def _actions(page: Page, session: Session, file: CaseFile, no: int) -> list[Action]:
    actions = []
    for trigger in _DOES:
        try:
            offer = offer_of(session, file, page.reader.actor, page.reader.now, str(no), trigger)
        except Refusal:
            continue
        if offer.free:
            actions.append(Action(page.word(offer.move.label), f"/cases/{file.number}/tracks/{no}/{trigger}"))
    return actions
