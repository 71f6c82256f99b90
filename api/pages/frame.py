"""The frame that every page stands in: templates, the reader's words, navigation by role, compressed answers.

A view returns `page.show("case.html", session, …)`; with `block=` only that block of the template is rendered, for
htmx. No query and no rule stands in a template: views hand over what is to be shown.
"""

from __future__ import annotations

import gzip
import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import Depends, Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2_fragments import render_block
from markupsafe import Markup
from starlette.datastructures import FormData
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Match

from api.asked import Asked, Reader, TheHouse
from api.given import keepable_fields
from api.house import House
from api.pages import assets, words
from api.pages.spoken import Tongue
from api.pages.texts import texts
from cases import inbox
from cases.office import Session
from policies.vocabulary import Words

TEMPLATES: Final = Path(__file__).parents[1] / "templates"
_SMALL: Final = 1024
_WARNED: Final = frozenset({"supervisor", "coordinator", "admin"})
"""The roles that are told on every page when nobody sweeps."""
SPRITE: Final = "vendor/tabler-icons-3.51.0/icons.svg"


@dataclass(frozen=True, slots=True)
class Place:
    """One entry of the navigation: where it leads, what it is called, its icon, for which roles (empty: all).

    `tab` entries stand in the bar at the foot of a telephone too. Labels are texts of the catalogue.
    """

    path: str
    label: str
    icon: str
    roles: frozenset[str] = frozenset()
    tab: bool = False


NAVIGATION: list[Place] = [
    Place("/", "My work", "list-check", tab=True),
    Place(
        "/whistle", "Whistle", "speakerphone", frozenset({"counselor", "principal", "mentor", "coordinator"}), tab=True
    ),
    Place("/desk", "Desk", "route", frozenset({"coordinator"}), tab=True),
    Place("/board", "Board", "alarm", frozenset({"coordinator", "supervisor"}), tab=True),
    Place("/supervision", "Orders", "flag", frozenset({"supervisor"}), tab=True),
    # Those who have the board reach it from there on a telephone, where their bar is full.
    Place("/statistics", "Statistics", "chart-bar", frozenset({"coordinator", "supervisor"})),
    Place("/statistics", "Statistics", "chart-bar", frozenset({"auditor", "principal"}), tab=True),
    Place("/bulletin", "Bulletin", "notes", frozenset({"coordinator", "supervisor"})),
    Place("/search", "Cases", "file-text", frozenset(words.ROLES) - {"auditor", "admin"}, tab=True),
    Place("/admin/log", "Access log", "eye", frozenset({"auditor"}), tab=True),
    Place("/admin", "Administration", "settings", frozenset({"admin"}), tab=True),
]
"""In the order in which they are shown. Whoever adds a page for a role adds its place here."""


@cache
def environment(language: str) -> Environment:
    """The templates in one language. Everything is escaped; a name that nobody handed over is a fault."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    catalogue = texts(language)
    made.install_gettext_translations(catalogue, newstyle=True)  # type: ignore[attr-defined]
    place = 0 if language == "zh_CN" else 1
    made.globals.update(asset=assets.address, icon=icon, language=language, words=words, fresh_key=_fresh_key)
    made.filters["said"] = lambda label: "" if label is None else label[place]
    made.filters["query"] = _query
    return made


def icon(name: str, label: str = "") -> Markup:
    """An icon of the sprite. It says nothing to a reader of the screen unless it has a label."""
    told = Markup('role="img" aria-label="{}"').format(label) if label else Markup('aria-hidden="true"')
    return Markup('<svg class="icon" {} focusable="false"><use href="{}#{}"/></svg>').format(
        told, assets.address(SPRITE), name
    )


def _fresh_key() -> str:
    """What makes a form the same when it is sent twice."""
    return secrets.token_urlsafe(16)


def _query(parts: Mapping[str, Any]) -> str:
    """A query string of what isn't empty."""
    return urlencode({key: value for key, value in parts.items() if value not in (None, "")})


@dataclass(slots=True)
class Page:
    """One request for a page: who asks, in which language, at which address."""

    request: Request
    house: House
    reader: Reader

    @property
    def language(self) -> str:
        return self.reader.language

    @property
    def tongue(self) -> Tongue:
        """Dates and figures as this reader says them, in the policy's time zone."""
        office = self.house.office
        return Tongue(self.language, office.book_of(office.current).tz, self.reader.now)

    @property
    def roles(self) -> frozenset[str]:
        """Every role that the reader holds anywhere."""
        return frozenset(post.role for post in self.reader.actor.posts)

    @property
    def wants_fragment(self) -> bool:
        """Whether htmx asks, and not for a whole page."""
        headers = self.request.headers
        return headers.get("hx-request") == "true" and headers.get("hx-request-type") != "full"

    def reading(self) -> AbstractContextManager[Session]:
        """A transaction that reads what this reader may see; sealed sections of events stay shut in it."""
        return self.house.reading(self.reader.actor, refreshed=True)

    def opening(self) -> AbstractContextManager[Session]:
        """As `reading`, where sealed sections are opened, and it is written down that they were."""
        return self.house.opening(self.reader.actor, refreshed=True)

    def writing(self) -> AbstractContextManager[Session]:
        """A transaction for the engine and for what is the reader's own; committed when the block ends."""
        return self.house.writing(refreshed=True)

    def say(self, text: str) -> str:
        """One sentence of the catalogue."""
        return str(texts(self.language).gettext(text))

    def word(self, label: Words | tuple[str, str]) -> str:
        """A declared label in the reader's language."""
        return label[0 if self.language == "zh_CN" else 1]

    def caption(self, label: Words | tuple[str, str]) -> str:
        """A declared label where it stands alone, on a button or as a heading: in English it begins with a capital."""
        said = self.word(label)
        return said[:1].upper() + said[1:]

    def show(
        self,
        template: str,
        session: Session,
        /,
        *,
        block: str | None = None,
        status: int = 200,
        **facts: Any,  # noqa: ANN401
    ) -> Response:
        """The page, or one block of it."""
        made = environment(self.language)
        given: dict[str, Any] = {"page": self, "t": self.tongue, "csrf": self.reader.csrf, **facts}
        if block is not None:
            return answer(self.request, render_block(made, template, block, **given), status)
        given |= frame_facts(self, session)
        return answer(self.request, made.get_template(template).render(**given), status)

    def go(self, address: str) -> Response:
        """On to another page, after something was done."""
        if self.wants_fragment:
            return Response(status_code=204, headers={"HX-Redirect": address})
        return RedirectResponse(address, 303)


def frame_facts(page: Page, session: Session) -> dict[str, Any]:
    """What the frame itself shows: one query, for the messages that nobody has read yet, and for the short cuts."""
    unread, keys = inbox.shown_above(session.connection, page.reader.member.id)
    return {
        "navigation": navigation(page.roles),
        "unread": unread,
        "keys": keys,
        "stopped": page.house.sweep_stopped(page.reader.now) if page.roles & _WARNED else None,
        "here": page.request.url.path,
        "again": again(page.request),
        "serial": page.request.state.request_id,
    }


def again(request: Request) -> str:
    """The address under which this page is there again, in another language: as it is asked for, filters and all.

    What answers a form isn't to be had by asking: there it is the nearest page above it.
    """
    if request.method in {"GET", "HEAD"}:
        return request.url.path + (f"?{request.url.query}" if request.url.query else "")
    path = request.url.path
    while path.count("/") > 1 and not _is_page(request, path):
        path = path.rpartition("/")[0]
    return path if _is_page(request, path) else "/"


def _is_page(request: Request, path: str) -> bool:
    asked = {**request.scope, "method": "GET", "path": path, "root_path": ""}
    return any(route.matches(asked)[0] is Match.FULL for route in request.app.routes)


def navigation(roles: frozenset[str]) -> list[Place]:
    """What whoever holds these roles finds in the navigation: every path once."""
    found: dict[str, Place] = {}
    for one in NAVIGATION:
        if not one.roles or one.roles & roles:
            found.setdefault(one.path, one)
    return list(found.values())


def answer(request: Request, text: str, status: int = 200) -> Response:
    """The answer in bytes, compressed where the browser takes it and it is worth it.

    A page shows what somebody typed beside a secret of the session. Were its compressed length to tell of both, the
    secret could be guessed letter by letter (BREACH): a name of random length in the packing hides it.
    """
    content = text.encode()
    headers = {"vary": "accept-encoding, cookie, hx-request"}
    if len(content) > _SMALL and "gzip" in request.headers.get("accept-encoding", ""):
        headers["content-encoding"] = "gzip"
        content = _packed(content)
    return HTMLResponse(content, status, headers)


def _packed(content: bytes) -> bytes:
    packed = gzip.compress(content, 5, mtime=0)
    # Flag 8 of the third byte says that a name follows the head of ten bytes, ended by a zero.
    name = b"x" * secrets.randbelow(120) + b"\0"
    return packed[:3] + b"\x08" + packed[4:10] + name + packed[10:]


def framed(request: Request, house: TheHouse, reader: Asked) -> Page:
    return Page(request, house, reader)


async def form_of(request: Request) -> AsyncIterator[FormData]:
    """What was posted; files that came along are closed once the answer is out."""
    async with request.form() as form:
        keepable_fields(form.multi_items())
        yield form


Framed = Annotated[Page, Depends(framed)]
Posted = Annotated[FormData, Depends(form_of)]
View = Callable[..., Response]
