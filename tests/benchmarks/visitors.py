"""Three hundred people at once, each with a session and a role, who look, wait, and sometimes do something.

Real HTTP from one asynchronous process; each request's time is that of its visitor, from asking to the last byte.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random

import httpx

from cases import standing
from tests.benchmarks.bigcity import Big, Slot

THINK = (2.0, 8.0)
COOKIE = "whistle_session"
NOTE = {"note": "spoke with the teacher; she will watch over the breaks"}
DESK = ("coordinator@district", "supervisor@district")


TRIGGERS = 0.15
"""Of what those do who may."""
Ways = tuple[tuple[int, str, str, tuple[str, str] | None], ...]
"""How often, of what kind, where; and what those of a desk look at in its place."""
DATA: Ways = (
    (30, "the work list", "/api/v1/cases?mine=true&state=open&sort=due&limit=50",
     ("what is overdue", "/api/v1/cases?overdue=true&sort=due&limit=50")),
    (30, "the case page's data", "/api/v1/cases/{number}", None),
    (15, "tracks of a case", "/api/v1/cases/{number}/tracks", None),
    (15, "list of cases", "/api/v1/cases?limit=50", None),
    (10, "messages", "/api/v1/messages", None),
)  # fmt: skip
PAGES: Ways = (
    (45, "work list", "/", ("board", "/board")),
    (45, "case page", "/cases/{number}", None),
    (10, "messages", "/inbox", None),
)


@dataclass(frozen=True, slots=True)
class Visitor:
    """One of them: who they are, their cookie, the cases they look at, and where they pull a trigger."""

    role: str
    session: standing.Opened
    cases: tuple[str, ...]
    pull: tuple[str, dict[str, str]] | None


@dataclass(slots=True)
class Heard:
    """How long each kind of request took, in seconds, and what went wrong."""

    took: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    wrong: list[str] = field(default_factory=list)

    @property
    def all(self) -> list[float]:
        return sorted(one for times in self.took.values() for one in times)


def share(times: list[float], part: float) -> float:
    """The value under which that part of them lies, in milliseconds."""
    ordered = sorted(times)
    return 1000 * ordered[min(len(ordered) - 1, int(len(ordered) * part))]


def of_city(big: Big, count: int) -> list[Visitor]:
    """Counselors, street officers, principals, liaisons, and one in ten of a district's desk, all signed in."""
    found = []
    hot = sorted(big.hot)
    for number in range(count):
        slot = big.slots[hot[number % len(hot)]]
        cases = tuple(big.hot[hot[number % len(hot)]])
        turn = number % 10
        if turn == 9:
            role, pull = DESK[number // 10 % 2], None
        elif turn >= 5:
            role = f"{'officer' if number // 10 % 2 else 'lead'}@street"
            pull = (f"/api/v1/cases/{cases[0]}/assignment/{_track(big, slot, cases[0])}/record_progress", dict(NOTE))
        elif turn == 4:
            role, pull = "principal@school", None
        else:
            role = "counselor@school"
            pull = (f"/api/v1/cases/{cases[1]}/case/record_safe_plan", {"plan": "stays with her aunt for now"})
        found.append(Visitor(role, opened(big, slot.members[role]), cases, pull))
    return found


def opened(big: Big, member: int) -> standing.Opened:
    """A session of that member's, good for hours."""
    day = timedelta(hours=10)
    with big.town.store.begin() as connection:
        return standing.open_session(connection, member, datetime.now(UTC), length=day, idle=day, strong=True)


def _track(big: Big, slot: Slot, number: str) -> int:
    query = "SELECT no FROM track t JOIN cases c ON c.id = t.case_id WHERE c.number = %s AND t.organisation_id = %s"
    with big.town.store.administered() as connection:
        row = connection.execute(query, (number, slot.places["street"].id)).fetchone()
    if row is None:
        raise RuntimeError(f"the street isn't called to {number}")
    return int(row[0])


async def visit(address: str, visitors: list[Visitor], seconds: float, ways: Ways, warm: float = 20) -> Heard:
    """Let all of them at it for that long; what is heard in the first seconds doesn't count."""
    heard = Heard()
    limits = httpx.Limits(max_connections=len(visitors), max_keepalive_connections=len(visitors))
    until = time.monotonic() + warm + seconds
    async with httpx.AsyncClient(base_url=address, limits=limits, timeout=30) as client:
        begun = time.monotonic() + warm
        await asyncio.gather(
            *(_one(client, one, Random(number), ways, heard, begun, until)  # noqa: S311 - no secret
              for number, one in enumerate(visitors))
        )  # fmt: skip
    return heard


async def _one(
    client: httpx.AsyncClient, visitor: Visitor, chance: Random, ways: Ways, heard: Heard, begun: float, until: float
) -> None:
    await asyncio.sleep(chance.uniform(0, THINK[1]))
    while time.monotonic() < until:
        kind, method, path, body = _next(visitor, chance, ways)
        headers = {"cookie": f"{COOKIE}={visitor.session.secret}", "accept-encoding": "gzip"}
        if method == "POST":
            headers["x-csrf-token"] = visitor.session.csrf
        asked = time.monotonic()
        try:
            answer = await client.request(method, path, json=body, headers=headers)
            status = answer.status_code
        except httpx.HTTPError as fault:
            status, answer = 0, None
            heard.wrong.append(f"{kind}: {type(fault).__name__}")
        if asked >= begun:
            heard.took[kind].append(time.monotonic() - asked)
            if answer is not None and not 200 <= status < 300:
                heard.wrong.append(f"{kind}: {status} {answer.text[:200]}")
        await asyncio.sleep(chance.uniform(*THINK))


def _next(visitor: Visitor, chance: Random, ways: Ways) -> tuple[str, str, str, dict[str, str] | None]:
    """What somebody in that role does next: kind, method, path, body."""
    if visitor.pull is not None and chance.random() < TRIGGERS:
        return "trigger", "POST", *visitor.pull
    weights = [one[0] for one in ways]
    _, kind, path, of_desk = chance.choices(ways, weights)[0]
    if visitor.role in DESK and of_desk:
        kind, path = of_desk
    return kind, "GET", path.format(number=chance.choice(visitor.cases)), None
