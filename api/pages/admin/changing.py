"""An organisation is put right or closed."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from api.given import Id
from api.pages.admin.desk import Administered
from api.pages.admin.places import again, changing, today, typed
from api.pages.admin.sending import Faulty, Reading, once
from api.pages.frame import Posted
from cases import administered, corrected
from cases.corrected import LINKS
from cases.office import Session

router = APIRouter(include_in_schema=False)


@router.post("/admin/organisations/{number}/change")
def change(page: Administered, number: Id, posted: Posted) -> Response:
    """Another name, or other links; refused to whoever saw an older one than there is now."""
    written = typed(posted, ("name", *(one for one in LINKS if one in posted)))

    def act(session: Session) -> str:
        place = administered.ruled(session.connection, page.reader.actor, number)
        form = Reading(page, session, written, "c")
        if str(posted.get("_seen", "")) != changing(page, session, place, None).get("seen"):
            form.wrong("name", page.say("Somebody changed it meanwhile: compare, and save again."))
        name = form.text("name")
        links = {one: form.place(one, needed=False) for one in LINKS if one in written}
        form.checked()
        corrected.require_right(session.connection, page.reader.actor, place, links)
        corrected.of_place(session.connection, place, name, links)
        return f"/admin/organisations/{number}?done=1"

    try:
        return page.go(once(page, posted, written, act, "c"))
    except Faulty as fault:
        return again(page, number, written, fault.errors, "change")


@router.post("/admin/organisations/{number}/close")
def close(page: Administered, number: Id, posted: Posted) -> Response:
    """Out of service, once nobody and nothing hangs on it any more."""
    if posted.get("sure") != "on":
        return again(page, number, {}, {"x-sure": page.say("Tick the box to confirm.")}, "close")

    def act(session: Session) -> str:
        place = administered.ruled(session.connection, page.reader.actor, number)
        corrected.require_right(session.connection, page.reader.actor, place, {})
        corrected.close(session.connection, place, today(page))
        return "/admin/organisations"

    try:
        return page.go(once(page, posted, {"sure": "on"}, act, "x"))
    except Faulty as fault:
        return again(page, number, {}, fault.errors, "close")
