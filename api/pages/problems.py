"""What went wrong, as a page in the frame, or as a few lines where htmx asked for a part of one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from api.pages.frame import again, answer, environment
from api.pages.spoken import Tongue
from cases.directory import SHANGHAI
from cases.store_fault import StoreFault

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from api.errors import Problem


def problem(request: Request, told: Problem) -> Response:
    """The page of a problem. Asks the database for nothing: it may be what is away."""
    from jinja2_fragments import render_block

    made = environment(told.language)
    facts: dict[str, Any] = {"problem": told, **outside(request, told.language)}
    if request.headers.get("hx-request") == "true":
        text = render_block(made, "problem.html", "told", **facts)
    else:
        text = made.get_template("problem.html").render(**facts)
    shown = answer(request, text, told.status)
    shown.headers.update(told.headers)
    return shown


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
