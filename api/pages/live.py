"""Pages that stand open hear that something has changed, and fetch what they show anew.

One watcher a process looks every two seconds, whatever the number of open pages: at the newest messages of those who
look at their work, and at the cases that somebody has open. What is sent says only that there is something new.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Final

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from api.house import House
from api.pages.frame import Framed
from cases import inbox, queries
from cases.store_fault import StoreFault

_log = logging.getLogger(__name__)
router = APIRouter(include_in_schema=False)

EVERY: Final = 2.0
"""Seconds between two looks."""
LONGEST: Final = 600.0
"""Seconds until a stream ends by itself: the browser asks again then, and is recognised anew."""
_HEARTBEAT: Final = 15.0


@dataclass(eq=False, slots=True)
class Listener:
    """One open page: whose it is, and the case that it shows (None: a list)."""

    member: int
    case: int | None
    rung: asyncio.Event = field(default_factory=asyncio.Event)


class Pulse:
    """The watcher of one process. It runs while anybody listens."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._listeners: set[Listener] = set()
        self._task: asyncio.Task[None] | None = None
        self._newest: int | None = None
        self._events: dict[int, int] = {}

    def join(self, listener: Listener) -> None:
        """Listen from now on."""
        self._listeners.add(listener)
        if self._task is None or self._task.done():
            self._newest = None
            self._task = asyncio.create_task(self._watch())

    def leave(self, listener: Listener) -> None:
        self._listeners.discard(listener)

    async def _watch(self) -> None:
        while self._listeners:
            members = list({one.member for one in self._listeners})
            cases = [one.case for one in self._listeners if one.case is not None]
            try:
                told, moved = await run_in_threadpool(self._look, members, cases)
            except StoreFault as fault:
                # Whoever listens goes on listening: the next look tells what this one couldn't see.
                _log.warning("nobody could look for news", extra={"fault": fault.code})
                await asyncio.sleep(EVERY)
                continue
            for one in self._listeners:
                if one.member in told or one.case in moved:
                    one.rung.set()
            await asyncio.sleep(EVERY)

    def _look(self, members: list[int], cases: list[int]) -> tuple[set[int], set[int]]:
        """Who has a new message, and which cases have moved, since the last look."""
        # It looks for everybody at once, and tells each only that there is something new.
        with self._house.store.read() as connection:
            if self._newest is None:
                self._newest = inbox.newest_of_all(connection)
            found = inbox.newest(connection, members, self._newest)
            self._newest = max(found.values(), default=self._newest)
            events = inbox.versions(connection, cases) if cases else {}
        moved = {one for one, count in events.items() if self._events.get(one, count) != count}
        self._events = events
        return set(found), moved


@router.get("/live")
async def live(request: Request, page: Framed, case: str = "") -> Response:
    """A stream of `fresh` events: something of what the page shows has changed."""
    listener = Listener(page.reader.member.id, await run_in_threadpool(_case, page, case) if case else None)
    pulse: Pulse | None = getattr(request.app.state, "pulse", None)
    if pulse is None:
        pulse = request.app.state.pulse = Pulse(page.house)
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    return StreamingResponse(_stream(pulse, listener), media_type="text/event-stream", headers=headers)


def _case(page: Framed, number: str) -> int:
    """The case that the page shows; refuses `not_found` to whoever doesn't see it."""
    with page.reading() as session:
        file, _ = queries.look(session, number, page.reader.actor, page.reader.now)
        return file.id


async def _stream(pulse: Pulse, listener: Listener) -> AsyncIterator[str]:
    pulse.join(listener)
    try:
        yield "retry: 5000\n\n"
        loop = asyncio.get_running_loop()
        end = loop.time() + LONGEST
        while loop.time() < end:
            try:
                await asyncio.wait_for(listener.rung.wait(), _HEARTBEAT)
            except TimeoutError:
                yield ": still here\n\n"
                continue
            listener.rung.clear()
            yield "event: fresh\ndata: 1\n\n"
    finally:
        pulse.leave(listener)
