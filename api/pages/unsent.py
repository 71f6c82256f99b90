"""What was typed and not sent: kept while somebody writes, and where their session ended before they sent it.

It is shown again to the same member alone, in the form that it came from; a page whose form doesn't take it back shows
it here, ready to be sent.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.responses import PlainTextResponse, Response

from api.asked import from_here
from api.pages.filled import Typed
from api.pages.fired import Opened, address_of, is_answered
from api.pages.frame import Framed, Page, Posted
from api.signin import cookies
from api.signin.visiting import safe_next
from cases import standing
from cases.refusal import Refusal
from cases.unsent import Unsent

if TYPE_CHECKING:
    from starlette.requests import Request

    from api.house import House

router = APIRouter(include_in_schema=False)
_WHISTLE: Final = re.compile(r"/whistle(/WH-\d{4}-\d{6}(/what|/done|/check)?)?")
_TRIGGER: Final = re.compile(r"/cases/WH-\d{4}-\d{6}/(tracks/\d+|[a-z_]+)/[a-z_]+")
_NEVER: Final = ("/sign-", "/me/", "/api/", "/fhir/", "/unsent", "/language/", "/static")
"""Addresses of which nothing is kept: passwords and codes among them."""
_FORMS: Final = ("application/x-www-form-urlencoded", "multipart/form-data")


@router.post("/unsent")
def keep(page: Framed, posted: Posted, of: str = "") -> Response:
    """Keep what stands in the form of the whistle while it is being written; says when it was."""
    if _WHISTLE.fullmatch(of) is None:
        raise Refusal("not_found")
    form = _unsent(posted, page.reader.now)
    with page.reading() as session:
        sent = is_answered(page, session, Opened.of(posted))
    # What was on its way when the form was sent comes too late to be of use.
    kept = not sent and page.house.kept.keystore.unsent.keep(page.reader.member.id, of, form)
    time = page.tongue.moment(page.reader.now)
    return PlainTextResponse(page.say("Kept at %(time)s, not sent yet.") % {"time": time} if kept else "")


@router.get("/unsent")
def unsent(page: Framed, of: str = "") -> Response:
    """Back to the form that was typed in; or what was typed, where that form can't be filled in again."""
    address = safe_next(of)
    kept = restored(page, address)
    if kept is None or _WHISTLE.fullmatch(address) or _TRIGGER.fullmatch(address):
        return page.go(address if kept is not None else "/")
    with page.reading() as session:
        written = [(name, text) for name, text in Typed(dict(kept.texts)).items() if text.strip()]
        return page.show("unsent.html", session, kept=kept, address=address, written=written, opened=opened_of(kept))


@router.post("/unsent/drop")
def drop(page: Framed, posted: Posted) -> Response:
    """Give up what was kept, and begin anew."""
    address = safe_next(str(posted.get("of", "")))
    page.house.kept.keystore.unsent.drop(page.reader.member.id, address)
    return page.go(address if _WHISTLE.fullmatch(address) or _TRIGGER.fullmatch(address) else "/")


def restored(page: Page, address: str = "") -> Unsent | None:
    """What this reader typed at this address and didn't send."""
    address = address or page.request.url.path
    return page.house.kept.keystore.unsent.of(page.reader.member.id, address, page.reader.now)


def sent(page: Page) -> None:
    """What was kept of this form isn't needed any more."""
    page.house.kept.keystore.unsent.drop(page.reader.member.id, address_of(page.request))


def opened_of(kept: Unsent) -> Opened:
    """As the form was opened: what others have done since is a conflict, as if it had been sent then."""
    return Opened(kept.key, kept.version, kept.events)


async def rescued(request: Request) -> str:
    """Keep a form that came when its session was over, for the member whose page it was; where it is shown again.

    Empty where nothing was kept. The mark in the form shows that a page of theirs sent it, the cookie that it was
    their browser; whoever has signed in there since, as somebody else, gets nothing of it.
    """
    address = address_of(request)
    kind = request.headers.get("content-type", "").lower()
    if request.method != "POST" or address.startswith(_NEVER) or not kind.startswith(_FORMS):
        return ""
    house: House = request.app.state.house
    secret = request.cookies.get(cookies.session_name(house.settings))
    if secret is None or not from_here(request, house):
        return ""
    form = await request.form()
    mark = form.get("csrf")
    if not isinstance(mark, str) or not mark:
        return ""
    kept = await run_in_threadpool(_rescued, house, secret, mark, address, form)
    return f"/unsent?of={quote(address, safe='')}" if kept else ""


def _rescued(house: House, secret: str, mark: str, address: str, form: FormData) -> bool:
    with house.store.read() as connection:
        owner = standing.whose_form(connection, secret, mark)
    if owner is None:
        return False
    return house.kept.keystore.unsent.keep(owner, address, _unsent(form, house.clock()))


def _unsent(form: FormData, now: datetime) -> Unsent:
    opened = Opened.of(form)
    files = any(isinstance(value, UploadFile) and value.filename for value in form.values())
    return Unsent(Typed.of(form).texts, opened.key, opened.version, opened.events, files, now)
