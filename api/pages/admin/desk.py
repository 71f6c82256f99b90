"""Administration's first page, and the door that every other page of it goes through."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import APIRouter, Depends
from starlette.responses import Response

from api.pages.frame import Framed, Page
from cases.refusal import Refusal

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Part:
    """One part of administration: where, what it is called and what is done there. Texts of the catalogue."""

    path: str
    label: str
    told: str
    icon: str


def admin(page: Framed) -> Page:
    """The reader's page, for admins alone. Refuses `not_permitted`."""
    if "admin" not in page.roles:
        raise Refusal("not_permitted", who_can=("admin",))
    return page


Administered = Annotated[Page, Depends(admin)]

_PARTS: Final = (
    ("organisations", "building-community"),
    ("imports", "upload"),
    ("policy", "scale"),
    ("calendars", "calendar"),
    ("channels", "send"),
    ("log", "eye"),
    ("health", "stethoscope"),
)


@router.get("/admin")
def desk(page: Administered) -> Response:
    words = {
        "organisations": (
            page.say("Organisations and members"),
            page.say("Register, appoint, take out of service; accounts, one-time codes and the duty rota."),
        ),
        "imports": (page.say("Bring in a list"), page.say("Organisations, members or students from a table.")),
        "policy": (page.say("Policy versions"), page.say("Read, compare, try out and put to work.")),
        "calendars": (page.say("Working days and school terms"), page.say("Load a year's table.")),
        "channels": (page.say("Channels"), page.say("Send a test message; see what is closed.")),
        "log": (page.say("Access log"), page.say("Who has opened what, and why.")),
        "health": (page.say("Is all well?"), page.say("Every check, and how to mend what isn't well.")),
    }
    parts = [
        Part(f"/admin/{name}", *words[name], icon)
        for name, icon in _PARTS
        # The log is the auditor's; an admin who isn't one has no business in it.
        if name != "log" or "auditor" in page.roles
    ]
    with page.reading() as session:
        return page.show("admin/desk.html", session, parts=parts)
