"""What went wrong, as a page in the frame, or as a few lines where htmx asked for a part of one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from api.pages.frame import again, answer, environment
from api.pages.spoken import Tongue
from cases.directory import SHANGHAI
from cases.offers import may_break_glass
from cases.store_fault import StoreFault
from cases.tracks.access import TRACK as GLASS

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from api.errors import Problem

_CASE: Final = re.compile(r"/cases/(WH-\d{4}-\d{6})(?:/|$)")


def problem(request: Request, told: Problem) -> Response:
    """The page of a problem. Asks the database for nothing: it may be what is away."""
    from jinja2_fragments import render_block

    made = environment(told.language)
    # A part stands without the title that the page has over it.
    part = request.headers.get("hx-request") == "true"
    facts: dict[str, Any] = {
        "problem": told,
        "part": part,
        "glass": _glass(request, told),
        **outside(request, told.language),
    }
    if part:
        text = render_block(made, "problem.html", "told", **facts)
    else:
        text = made.get_template("problem.html").render(**facts)
    shown = answer(request, text, told.status)
    shown.headers.update(told.headers)
    return shown


def _glass(request: Request, told: Problem) -> str:
    """The number of a case that isn't found, for whoever might break the glass; whether it exists isn't asked."""
    found = _CASE.match(request.url.path)
    if told.status != 404 or found is None or request.url.path.endswith(f"/{GLASS.kind}/open"):
        return ""
    return found[1] if may_break_glass(getattr(request.state, "roles", frozenset())) else ""


def outside(request: Request, language: str) -> dict[str, Any]:
    """What the frame needs where nobody is signed in, or nobody may be asked who is: no navigation, no name."""
    house = request.app.state.house
    office = house.office
    try:
        zone = office.book_of(office.current).tz
    except StoreFault:
        zone = SHANGHAI
    tongue = Tongue(language, zone, house.clock())
    return {
        "page": None, "t": tongue, "csrf": "", "navigation": [], "unread": 0, "keys": True, "stopped": None,
        "here": request.url.path, "again": again(request), "serial": "",
    }  # fmt: skip
