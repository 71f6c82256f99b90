"""What every request passes through on its way in and every answer on its way out.

One request id, the headers that keep a browser from doing harm, a limit of size, the host that is ours, one line in
the log, and no more requests at work at once than there are database connections for.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request

from api import errors
from api.given import keepable_query, readable
from api.signin.scopes import under
from cases.belonging import belonging_to

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from api.settings import Settings

_log = logging.getLogger(__name__)

SMALL: Final = 1024 * 1024
LARGE: Final = 24 * 1024 * 1024
"""A file of 20 MB with what a form puts around it."""
AT_ONCE: Final = 10
"""So many requests at work: each may hold a connection and ask for a second one, of the twenty that the store has."""
_UPLOADS: Final = re.compile(r"/(files|imports|attachments)(/|$)")

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; manifest-src 'self'"
)
_ALWAYS: Final = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(self), geolocation=(self), microphone=()"),
)
_FREE: Final = ("/health", "/static")


class Envelope:
    """The outermost layer of the application, in plain ASGI."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._hosts = ours(settings)
        self._secure = settings.link.startswith("https://")
        # By the loop that waits at it: a server has one, tests have several side by side.
        self._rooms: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = _header(scope, b"x-request-id")
        with belonging_to("request", given) as mark:
            # Set here, so that whoever gets a copy of the scope still shares them.
            scope.setdefault("state", {})["request_id"] = mark
            scope["whistle.cookies"] = []
            await _Exchange(self, scope, receive, send, mark).go()

    def room(self) -> asyncio.Semaphore:
        return self._rooms.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(AT_ONCE))

    def is_ours(self, host: str) -> bool:
        return name_in(host) in self._hosts

    @property
    def secure(self) -> bool:
        return self._secure

    @property
    def app(self) -> ASGIApp:
        return self._app


class _Exchange:
    """One request and its answer."""

    def __init__(self, envelope: Envelope, scope: Scope, receive: Receive, send: Send, mark: str) -> None:
        self._envelope, self._scope, self._receive, self._send, self._mark = envelope, scope, receive, send, mark
        self._limit = LARGE if _UPLOADS.search(scope["path"]) else SMALL
        self._read = 0
        self._status = 0
        self._held: asyncio.Semaphore | None = None

    async def go(self) -> None:
        began = time.monotonic()
        try:
            await self._answered()
        finally:
            self._leave()
            route = self._scope.get("route")
            path = getattr(route, "path_format", None) or getattr(route, "path", None)
            _log.info(
                "answered",
                extra={
                    "method": self._scope["method"],
                    "route": path or "-",
                    "status": self._status,
                    "milliseconds": round((time.monotonic() - began) * 1000),
                },
            )

    async def _answered(self) -> None:
        fault = self._refused()
        if fault is not None:
            await self._problem(fault)
            return
        if not under(self._scope["path"], _FREE):
            self._held = self._envelope.room()
            await self._held.acquire()
        try:
            await self._envelope.app(self._scope, self._take, self._give)
        except Exception as error:
            if self._status:
                raise
            await self._problem(error)

    def _refused(self) -> Exception | None:
        """What is wrong with a request before anybody has read it."""
        if not self._envelope.is_ours(_header(self._scope, b"host") or ""):
            return HTTPException(421)
        length = _header(self._scope, b"content-length")
        if length is not None and (not length.isascii() or not length.isdigit()):
            return HTTPException(400)
        if length is not None and int(length) > self._limit:
            return HTTPException(413, headers={"Connection": "close"})
        if not readable(_header(self._scope, b"content-type")):
            return HTTPException(415)
        if "\x00" in self._scope["path"]:
            return HTTPException(404)
        try:
            keepable_query(self._scope["query_string"])
        except RequestValidationError as fault:
            return fault
        return None

    async def _problem(self, error: Exception) -> None:
        response = await errors.answer(Request(self._scope, self._receive), error)
        await response(self._scope, self._receive, self._give)

    async def _take(self) -> Message:
        # Whoever sends slowly keeps nobody from working: a place is held only while there is something to do.
        room = self._held
        self._leave()
        message = await self._receive()
        if room is not None:
            await room.acquire()
            self._held = room
        if message["type"] == "http.request":
            self._read += len(message.get("body", b""))
            if self._read > self._limit:
                raise HTTPException(413, headers={"Connection": "close"})
        return message

    async def _give(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            # What follows, be it long, holds no connection any more.
            self._leave()
            message = {**message, "headers": [*self._headers(message["headers"])]}
        await self._send(message)

    def _headers(self, given: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        headers = list(given)
        names = {name.lower() for name, _ in headers}
        headers += [one for one in _ALWAYS if one[0] not in names]
        headers.append((b"x-request-id", self._mark.encode()))
        if b"cache-control" not in names:
            headers.append((b"cache-control", b"no-store"))
        if self._envelope.secure:
            headers.append((b"strict-transport-security", b"max-age=31536000; includeSubDomains"))
        headers += [(b"set-cookie", line.encode("latin-1")) for line in self._scope["whistle.cookies"]]
        return headers

    def _leave(self) -> None:
        if self._held is not None:
            self._held.release()
            self._held = None


def ours(settings: Settings) -> frozenset[str]:
    """The names that we answer to: the public address, what the settings add, and this very machine."""
    added = {name.strip().lower() for name in settings.hosts.split(",") if name.strip()}
    public = urlsplit(settings.link).hostname or ""
    return frozenset({public, "127.0.0.1", "localhost", "::1"} | added) - {""}


def name_in(host: str) -> str:
    """The name in a Host header, without its port; empty for one that no browser would send."""
    found = re.fullmatch(r"(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9._-]+))(?::\d{1,5})?", host, re.ASCII)
    return "" if found is None else (found[1] or found[2]).lower()


def _header(scope: dict[str, Any] | Any, name: bytes) -> str | None:  # noqa: ANN401 - ASGI's own mapping
    for one, value in scope["headers"]:
        if one == name:
            return bytes(value).decode("latin-1")
    return None
