"""The inbox: every message that was written for the reader, whatever became of its delivery."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from api.given import Count, number_of
from api.pages import words
from api.pages.frame import Framed, Page, Posted
from cases import inbox
from cases.inbox import Letter
from cases.office import Session
from cases.sitting import KIND_RANK

router = APIRouter(include_in_schema=False)
MOST = 30


@dataclass(frozen=True, slots=True)
class Line:
    """One message: what it says, of which case, when."""

    id: int
    at: datetime
    kind: str
    texts: tuple[str, ...]
    number: str | None
    level: str
    level_word: str
    read: bool


@router.get("/inbox")
def letters(page: Framed, before: Count | None = None) -> Response:
    with page.reading() as session:
        found = inbox.letters(session.connection, page.reader.member.id, before=before, most=MOST)
        lines = [_line(page, session, one) for one in found]
        more = found[-1].id if len(found) == MOST else None
        facts: dict[str, Any] = {"lines": lines, "more": more, "newest": found[0].id if found else 0, "before": before}
        if page.wants_fragment:
            unread = inbox.unread(session.connection, page.reader.member.id)
            return page.show("inbox.html", session, block="list", unread=unread, **facts)
        return page.show("inbox.html", session, **facts)


@router.post("/inbox")
def read(page: Framed, posted: Posted) -> Response:
    """Mark everything as read that was on the page."""
    newest = str(posted.get("newest", ""))
    with page.writing() as session:
        up_to = number_of(newest)
        inbox.mark_read(session.connection, page.reader.member.id, page.reader.now, up_to=up_to)
    return page.go("/inbox")


def _line(page: Page, session: Session, one: Letter) -> Line:
    book = session.office.book_of(session.office.current)
    from api.pages.parts import level_word

    kind = words.KINDS_OF_MESSAGE.get(one.kind)
    return Line(
        one.id,
        one.at,
        page.word(kind) if kind is not None else page.say("Notice"),
        tuple(dict.fromkeys(text for item in _furthest(one.items) if (text := _item(page, session, item, one.kind)))),
        one.number,
        one.level,
        level_word(page, book, one.level),
        one.read,
    )


def _furthest(items: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Of each clock the item that has got furthest up the ladder; whatever is no clock's as it is."""
    found: dict[object, Mapping[str, Any]] = {}
    for place, item in enumerate(items):
        key = (item.get("track"), item["clock"], item.get("due")) if item.get("clock") else place
        if key not in found or _rank(item) > _rank(found[key]):
            found[key] = item
    return list(found.values())


def _rank(item: Mapping[str, Any]) -> int:
    return KIND_RANK[str(item.get("rung") or "owes")]


def _item(page: Page, session: Session, item: Mapping[str, Any], kind: str) -> str:
    """What one item says: what is owed and until when, or what has happened; a round's counts; a post and where.

    A message is called by the highest that it has for its reader: an item that has got less far says so itself.
    """
    track = session.office.tracks.get(str(item.get("kind")))
    if track is None:
        return _part(page, session, item)
    label = page.word(track.label)
    clock = track.clock_kinds.get(str(item.get("clock")))
    if clock is not None and item.get("due"):
        by = page.tongue.moment(datetime.fromisoformat(str(item["due"])))
        own = words.KINDS_OF_MESSAGE[str(item.get("rung") or "owes")]
        less = f"{page.caption(own)} · " if own != words.KINDS_OF_MESSAGE.get(kind) else ""
        return f"{less}{label} · {page.word(clock.label)} · " + page.say("by %(time)s") % {"time": by}
    event = str(item.get("event", "")).partition(".")[2]
    move = next((one for one in track.moves if one.event == event), None)
    said = page.word(move.label) if move is not None else ""
    place = item.get("organisation")
    name = ""
    if isinstance(place, int):
        name = session.office.directory.organisation(session.connection, place).name
    return " · ".join(part for part in (label, said, name) if part)


def _part(page: Page, session: Session, item: Mapping[str, Any]) -> str:
    names = {
        "overdue": page.say("Overdue"),
        "due_today": page.say("Due today"),
        "opened": page.say("Newly opened"),
    }
    role = words.ROLES.get(str(item.get("role")))
    if role is not None:
        where = session.office.directory.organisation(session.connection, item["organisation"])
        return f"{page.word(role)} · {where.name}"
    part = str(item.get("part", ""))
    return f"{names[part]}: {item.get('count', 0)}" if part in names else ""
