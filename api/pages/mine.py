"""My settings: language, channels, quiet hours, short cuts, the calendar feed. And help."""

from __future__ import annotations

from datetime import time
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.pages.filled import lines
from api.pages.frame import Framed, Page, Posted
from api.settings import LANGUAGES
from cases import feeds, preferences
from cases.office import Session
from cases.preferences import Preferences
from notifiers.channels import Recipient
from notifiers.faults import ChannelFault

router = APIRouter(include_in_schema=False)


@router.get("/settings")
def settings(page: Framed, saved: str = "") -> Response:
    with page.reading() as session:
        return _settings(page, session, saved=bool(saved))


@router.post("/settings")
def save(page: Framed, posted: Posted) -> Response:
    """Everything on the page at once; an address that leads nowhere is named and nothing is changed."""
    written = {name: str(posted.get(name, "")) for name in ("language", "channels", "from", "until")}
    errors = _faults(page, written)
    if errors:
        with page.reading() as session:
            return _settings(page, session, written=written, errors=errors)
    quiet = (written["from"], written["until"]) if written["from"] else None
    with page.writing() as session:
        connection, number = session.connection, page.reader.member.id
        channels = lines(written["channels"]) or None
        keys = posted.get("keys") == "on"
        preferences.set_wishes(connection, number, channels=channels, quiet=quiet, keys=keys)
        if written["language"] in LANGUAGES:
            preferences.set_language(connection, number, written["language"])
    return page.go("/settings?saved=1")


@router.post("/settings/calendar")
def calendar(page: Framed, posted: Posted) -> Response:
    """A new link, shown this once; or the end of the one there is."""
    with page.writing() as session:
        connection, number, now = session.connection, page.reader.member.id, page.reader.now
        if "end" in posted:
            feeds.revoke(connection, number, now)
            return _settings(page, session, saved=True)
        secret = feeds.open_feed(connection, number, now)
        link = page.house.settings.link.rstrip("/")
        return _settings(page, session, feed=f"{link}/calendar/{secret}.ics")


@router.get("/calendar/{secret}.ics")
def feed(secret: str, request: Request) -> Response:
    """A member's limits and meetings, for calendars: the link is the key."""
    house = request.app.state.house
    text = feeds.read(house.store, house.office, secret, house.clock(), house.settings.link.rstrip("/"))
    return Response(text, media_type="text/calendar; charset=utf-8", headers={"cache-control": "no-store"})


@router.get("/help")
def help_page(page: Framed) -> Response:
    with page.reading() as session:
        book = session.office.book_of(session.office.current)
        return page.show("help.html", session, levels=list(book.levels.values()), title=page.word(book.title))


def _settings(
    page: Page,
    session: Session,
    *,
    saved: bool = False,
    written: dict[str, str] | None = None,
    errors: dict[str, str] | None = None,
    feed: str = "",
) -> Response:
    standing = preferences.read(session.connection, page.reader.member.id)
    facts: dict[str, Any] = {
        "standing": standing,
        "written": written or _written(standing),
        "errors": errors or {},
        "saved": saved,
        "feed": feed,
        "feed_since": feeds.opened_at(session.connection, page.reader.member.id),
    }
    return page.show("settings.html", session, status=422 if errors else 200, **facts)


def _written(standing: Preferences) -> dict[str, str]:
    since, until = standing.quiet or ("", "")
    return {
        "language": standing.language,
        "channels": "\n".join(standing.channels or ()),
        "from": since,
        "until": until,
    }


def _faults(page: Page, written: dict[str, str]) -> dict[str, str]:
    """What is wrong, by field."""
    errors: dict[str, str] = {}
    from api.delivery import wires

    with page.reading() as session:
        standing = preferences.read(session.connection, page.reader.member.id)
    try:
        channels = wires(page.house.settings)
        for address in lines(written["channels"]):
            channels.open(address, Recipient(standing.email, standing.phone))
    except ChannelFault as fault:
        errors["channels"] = fault.text_for_members(page.language)
    if bool(written["from"]) != bool(written["until"]):
        errors["from"] = page.say("Fill in both times, or neither.")
    try:
        for name in ("from", "until"):
            if written[name]:
                time.fromisoformat(written[name])
    except ValueError:
        errors["from"] = page.say("A time of day, such as 22:00.")
    return errors
