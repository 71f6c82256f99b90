"""The web service killed under load: what was answered with success is in the history, and nothing is there twice."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from threading import Event, Thread

import httpx
import pytest
from sqlalchemy import text

from cases import standing
from cases.installation import verified
from cases.office import Session
from cases.store import Store
from cases.vault import MasterKey
from tests import town as towns
from tests.chaos.web import Web, serving
from tests.town import WHISTLE, Town, town

KILLS = max(2, int(os.environ.get("KILLS", "30")) // 15)
HANDS = 4


@pytest.fixture
def secret(monkeypatch: pytest.MonkeyPatch) -> bytes:
    """The town's master key, which the other process is given too."""
    drawn = os.urandom(32)
    monkeypatch.setattr(towns, "MasterKey", lambda _: MasterKey(drawn))
    return drawn


@pytest.fixture
def city(store: Store, secret: bytes) -> Iterator[Town]:
    with town(store) as built:
        yield built


class Hand(Thread):
    """Somebody who whistles again and again, and remembers what was answered."""

    def __init__(self, address: str, session: standing.Opened, leaving: Event, name: str) -> None:
        super().__init__(name=name, daemon=True)
        self.answered: list[str] = []
        self.others: Counter[int] = Counter()
        self._leaving = leaving
        self._client = httpx.Client(
            base_url=address,
            cookies={"whistle_session": session.secret},
            headers={"x-csrf-token": session.csrf},
            timeout=20,
        )

    def run(self) -> None:
        count = 0
        with self._client:
            while not self._leaving.is_set():
                count += 1
                student = {"name": f"{self.name} {count}", "born": "2016-11-02", "grade": 3}
                self._ask({"trigger": "whistle", **WHISTLE, "student": student}, f"{self.name}-{count}-of-this-run")

    def _ask(self, body: dict[str, object], key: str) -> None:
        """Ask until it is answered, as a system does that has lost its connection: with the same key."""
        while not self._leaving.is_set():
            try:
                answer = self._client.post("/api/v1/cases", json=body, headers={"idempotency-key": key})
            except httpx.HTTPError:
                time.sleep(0.05)
                continue
            if answer.is_success:
                self.answered.append(answer.json()["number"])
            else:
                self.others[answer.status_code] += 1
            return


def hands(city: Town, web: Web, leaving: Event) -> list[Hand]:
    now = datetime.now(UTC)
    with city.store.begin() as connection:
        opened = [
            standing.open_session(
                connection,
                city.members["counselor@school"],
                now,
                length=timedelta(hours=1),
                idle=timedelta(hours=1),
                strong=True,
            )
            for _ in range(HANDS)
        ]
    return [Hand(web.address, one, leaving, f"hand-{number}") for number, one in enumerate(opened)]


def wait_for_more(at_work: list[Hand], seconds: float = 60) -> None:
    """Until a few more were answered, however busy the machine is."""
    wanted = sum(len(one.answered) for one in at_work) + 2 * HANDS
    until = time.monotonic() + seconds
    while sum(len(one.answered) for one in at_work) < wanted:
        assert time.monotonic() < until, [one.others for one in at_work]
        time.sleep(0.02)


def test_whatever_was_answered_is_in_the_history_however_often_the_service_is_killed(
    city: Town, secret: bytes, tmp_path: Path, figure: Callable[[str], None]
) -> None:
    chance, leaving = Random(4), Event()  # noqa: S311 - chance for a test
    with serving(city, secret, tmp_path) as web:
        at_work = hands(city, web, leaving)
        for one in at_work:
            one.start()
        for _ in range(KILLS):
            wait_for_more(at_work)
            time.sleep(chance.uniform(0, 0.2))
            web.kill()
            web.again()
        wait_for_more(at_work)
        leaving.set()
        for one in at_work:
            one.join(30)
    answered = [number for one in at_work for number in one.answered]
    assert answered
    assert not sum((one.others for one in at_work), Counter[int]()), "only a connection may be lost"
    with city.store.read() as connection:
        rows = connection.execute(text("SELECT c.number, c.id FROM cases c"))
        there = {number: case_id for number, case_id in rows}  # noqa: C416 - rows aren't pairs to the checker
        opened = text("SELECT c.number FROM event e JOIN cases c ON c.id = e.case_id WHERE e.trigger = 'whistle'")
        events = Counter(connection.scalars(opened))
        assert not set(answered) - set(there)
        assert all(events[number] == 1 for number in answered)
        assert len(set(answered)) == len(answered)
        session = Session(connection, city.office)
        broken = [line for number in there for line in verified(session, city.office, number, there[number])]
    assert broken == []
    # What was written before a kill is answered the second time it is asked; only the end may leave one a hand.
    unanswered = len(there) - len(answered)
    assert unanswered <= HANDS
    figure(f"{KILLS} kills, {len(answered)} answered, 0 lost, {unanswered} written without an answer")


def test_the_service_ends_its_work_when_it_is_asked_to_stop(city: Town, secret: bytes, tmp_path: Path) -> None:
    leaving = Event()
    with serving(city, secret, tmp_path) as web:
        (one, *_) = hands(city, web, leaving)
        one.start()
        wait_for_more([one])
        assert web.stop() == 0
        leaving.set()
        one.join(30)
        said = web.out.read_text()
    assert f"web  {web.address}" in said
    assert "Traceback" not in said
    with city.store.read() as connection:
        there = set(connection.scalars(text("SELECT number FROM cases")))
    assert set(one.answered) <= there


def test_a_port_that_is_taken_is_told_in_one_line(city: Town, secret: bytes, tmp_path: Path) -> None:
    with serving(city, secret, tmp_path) as web:
        second = Web(web.environ, tmp_path / "second")
        assert second.process.wait(120) == 2
        (line,) = second.out.read_text().strip().splitlines()
        assert line.startswith(f"Port {web.environ['WHISTLE_PORT']} on 127.0.0.1 is taken.")
        assert httpx.get(f"{web.address}/health/live").status_code == 200
