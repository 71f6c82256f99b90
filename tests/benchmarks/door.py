"""The door of a city of 100,000 cases: `whistle up` as it runs, three hundred visitors, the sweep beside them.

Then one client alone: the same door against `tests.benchmarks.bare` in shuffled rounds; each page's time and queries.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import httpx
from sqlalchemy import event, text

from tests import town as towns
from tests.benchmarks import visitors
from tests.benchmarks.bigcity import Big, build
from tests.benchmarks.stack import _free_port, up
from tests.benchmarks.visitors import COOKIE, NOTE, opened, share
from tests.town import Town

if TYPE_CHECKING:
    from cases.installation import Installation

CASES = int(os.environ.get("CITY", "100000"))
VISITORS = int(os.environ.get("VISITORS", "300"))
SECONDS = int(os.environ.get("SECONDS", "240"))
READERS = int(os.environ.get("READERS", "100"))
"""How many of them read pages in a browser, all at once."""
HOT = 150
ROUNDS = 40
PAGES = (
    ("counselor@school", "/"), ("counselor@school", "/cases/{number}"), ("counselor@school", "/whistle"),
    ("officer@street", "/"), ("coordinator@district", "/"), ("coordinator@district", "/board"),
    ("coordinator@district", "/desk"), ("coordinator@district", "/cases/{number}"), ("supervisor@district", "/board"),
    ("supervisor@district", "/supervision"), ("supervisor@district", "/bulletin"), ("supervisor@city", "/board"),
    ("supervisor@city", "/supervision"), ("supervisor@city", "/bulletin"), ("liaison@hospital", "/"),
)  # fmt: skip
"""The main pages, each as those see it who use it."""


def report() -> Iterator[str]:
    """The lines, each when it is known. Takes ten minutes; `CITY`, `VISITORS` and `SECONDS` set the size."""
    with tempfile.TemporaryDirectory(prefix="whistle-bench-") as folder:
        place = Path(folder)
        place.chmod(0o711)
        environ = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "WHISTLE_"))}
        environ |= {"WHISTLE_HOME": str(place / "home"), "LANG": "en_GB.UTF-8", "WHISTLE_SWEEP_EVERY": "15s"}
        environ["WHISTLE_PORT"] = port = str(_free_port())
        with up(environ, place / "said"), _installed(place / "home") as kept:
            big = None
            for done in _filled(kept):
                if isinstance(done, Big):
                    big = done
                else:
                    yield done
            if big is None:
                raise RuntimeError("no city")
            yield f"it has settled {_settled(kept):.0f} s later"
            yield from _measured(kept, big, f"http://127.0.0.1:{port}")


def _measured(kept: Installation, big: Big, address: str) -> Iterator[str]:
    people = visitors.of_city(big, VISITORS)
    yield from _crowd(big, address, people, visitors.DATA)
    yield from _beside_bare(big, address)
    yield from _pages(kept, big)
    yield from _crowd(big, address, people[:READERS], visitors.PAGES)


@contextmanager
def _installed(home: Path) -> Iterator[Installation]:
    os.environ["WHISTLE_HOME"] = str(home)
    from api.commands.database import installation

    try:
        with installation() as kept:
            yield kept
    finally:
        os.environ.pop("WHISTLE_HOME")


def _filled(kept: Installation) -> Iterator[str | Big]:
    town = Town(kept.store, kept.office())
    towns._settle(town, ())
    begun = time.perf_counter()
    yield from build(town, datetime.now(UTC), cases=CASES, hot=HOT)
    yield f"the city is there after {time.perf_counter() - begun:.0f} s"


def _settled(kept: Installation, most: float = 300) -> float:
    """Wait until the stack has made its rounds over what has appeared so suddenly: five quiet seconds."""
    begun, quiet = time.monotonic(), 0
    query = (
        "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND datname = current_database()"
        " AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
    )
    with kept.store.administered() as connection:
        while quiet < 10 and time.monotonic() - begun < most:
            row = connection.execute(query).fetchone()
            quiet = quiet + 1 if row is not None and row[0] == 0 else 0
            time.sleep(0.5)
    return time.monotonic() - begun


# ------------------------------------------------------------------------------------------------------- three hundred


def _crowd(big: Big, address: str, people: list[visitors.Visitor], ways: visitors.Ways) -> Iterator[str]:
    lags: list[float] = []
    leaving = threading.Event()
    watching = threading.Thread(target=_watch, args=(big, lags, leaving))
    watching.start()
    try:
        heard = asyncio.run(visitors.visit(address, people, SECONDS, ways))
    finally:
        leaving.set()
        watching.join()
    every = heard.all
    what = "data and triggers" if ways is visitors.DATA else "pages and triggers"
    yield (
        f"{len(people)} visitors, {what}, {visitors.THINK[0]:g}–{visitors.THINK[1]:g} s between their requests,"
        f" {SECONDS} s: {len(every):,} requests, {len(every) / SECONDS:.0f} a second,"
        f" median {share(every, 0.5):.0f} ms,"
        f" p95 {share(every, 0.95):.0f} ms (most 300), p99 {share(every, 0.99):.0f} ms, {len(heard.wrong)} errors"
    )
    for kind, took in sorted(heard.took.items()):
        parts = f"median {share(took, 0.5):.0f} ms, p95 {share(took, 0.95):.0f} ms, p99 {share(took, 0.99):.0f} ms"
        yield f"  {kind}: {len(took):,} times, {parts}"
    yield from (f"  wrong: {one}" for one in heard.wrong[:5])
    yield f"  meanwhile the sweep, every 15 s: the earliest rung waited {max(lags, default=0):.1f} s at most (16)"


def _watch(big: Big, lags: list[float], leaving: threading.Event) -> None:
    """How long the earliest rung has been waiting, looked at each second."""
    query = text("SELECT extract(epoch FROM clock_timestamp() - min(wake_at)) FROM cases WHERE wake_at IS NOT NULL")
    while not leaving.wait(1):
        with big.town.store.read() as connection:
            lags.append(float(connection.scalar(query) or 0))


# ------------------------------------------------------------------------------------------------- one, against bare


def _beside_bare(big: Big, address: str) -> Iterator[str]:
    number = min(big.hot)
    slot, numbers = big.slots[number], big.hot[number]
    officer, counselor = opened(big, slot.members["officer@street"]), opened(big, slot.members["counselor@school"])
    track = visitors._track(big, slot, numbers[0])
    with _bare(big) as bare, httpx.Client(base_url=address, timeout=30) as ours, httpx.Client(base_url=bare) as theirs:

        def look(path: str) -> Callable[[], httpx.Response]:
            headers = {"cookie": f"{COOKIE}={counselor.secret}"}
            return lambda: ours.get(path, headers=headers)

        def pull() -> httpx.Response:
            headers = {"cookie": f"{COOKIE}={officer.secret}", "x-csrf-token": officer.csrf}
            path = f"/api/v1/cases/{numbers[0]}/assignment/{track}/record_progress"
            return ours.post(path, json=NOTE, headers=headers)

        school = slot.places["school"].id
        pairs: dict[str, tuple[Callable[[], httpx.Response], Callable[[], httpx.Response], float]] = {
            "the work list": (look("/api/v1/cases?limit=50"), lambda: theirs.get(f"/work/{school}"), 3),
            "the case page's data": (
                look(f"/api/v1/cases/{numbers[1]}"), lambda: theirs.get(f"/cases/{numbers[1]}"), 4
            ),
            "one trigger": (pull, lambda: theirs.post("/events", json=NOTE), 3),
        }  # fmt: skip
        for name, (mine, other, most) in pairs.items():
            took = _alternating(mine, other)
            here, there = (1000 * statistics.median(one) for one in took)
            ratio = f"{here / there:.1f} times (most {most:g})"
            yield f"{name}: {here:.1f} ms, bare FastAPI and one statement {there:.1f} ms, {ratio}"


def _alternating(mine: Callable[[], httpx.Response], other: Callable[[], httpx.Response]) -> tuple[list[float], ...]:
    """Both in shuffled rounds; the first few warm them up."""
    chance = Random(7)  # noqa: S311 - no secret
    took: tuple[list[float], list[float]] = ([], [])
    for turn in range(ROUNDS * 4 + 10):
        order = [(0, mine), (1, other)]
        chance.shuffle(order)
        for place, ask in order:
            begun = time.perf_counter()
            answer = ask()
            seconds = time.perf_counter() - begun
            answer.raise_for_status()
            if turn >= 10:
                took[place].append(seconds)
    return took


@contextmanager
def _bare(big: Big) -> Iterator[str]:
    port = _free_port()
    url = big.town.store.url.replace("postgresql+psycopg", "postgresql")
    child = subprocess.Popen([sys.executable, "-m", "tests.benchmarks.bare", url, str(port)])
    try:
        until = time.monotonic() + 30
        while time.monotonic() < until:
            try:
                httpx.get(f"http://127.0.0.1:{port}/openapi.json")
                break
            except httpx.HTTPError:
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        child.terminate()
        child.wait(20)


# ------------------------------------------------------------------------------------------------------------- pages


def _pages(kept: Installation, big: Big) -> Iterator[str]:
    """Each page in this process, without a wire: its time, and how many statements it asks of the database."""
    from starlette.testclient import TestClient

    from api.app import create
    from api.house import House
    from api.settings import Settings

    app = create(House(Settings(), kept))
    asked = 0

    def count(*_: object) -> None:
        nonlocal asked
        asked += 1

    event.listen(kept.store._engine, "before_cursor_execute", count)
    hot = sorted(big.hot)
    for role, path in PAGES:
        took, most = [], 0
        for turn in range(ROUNDS):
            number = hot[turn % len(hot)]
            slot = big.slots[number]
            member = big.slots[0].members["supervisor@city"] if role.endswith("@city") else slot.members[role]
            client = TestClient(app, base_url="http://127.0.0.1:8000", cookies={COOKIE: opened(big, member).secret})
            where, asked = path.format(number=big.hot[number][0]), 0
            begun = time.perf_counter()
            answer = client.get(where, follow_redirects=False)
            if turn >= 2:
                took.append(time.perf_counter() - begun)
                most = max(most, asked)
            if answer.status_code != 200:
                raise RuntimeError(f"{role} {where}: {answer.status_code} {answer.text[:300]}")
        yield (
            f"{path} as {role}: median {share(took, 0.5):.0f} ms, p95 {share(took, 0.95):.0f} ms (most 100),"
            f" {most} queries (most 12)"
        )
    event.remove(kept.store._engine, "before_cursor_execute", count)
