"""The programme "kill -9": sweepers die around their commits; no rung is lost, none falls twice, all in order."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest
from sqlalchemy import text

from cases.office import Session
from cases.records import case as cases_table
from cases.records import message
from cases.store import Store
from cases.vault import MasterKey
from tests.cases import invariants
from tests.town import START, STUDENT, Town, town

KILLS = int(os.environ.get("KILLS", "50"))
"""50 in the ordinary run, `KILLS=200` (make chaos) by name."""
CASES = 24
LEVELS = ("red", "orange", "yellow", "blue")
KILLED = -9
STEP = timedelta(minutes=25)


class Sweepers:
    """The process that forks sweepers, and the town that they sweep."""

    def __init__(self, city: Town, secret: bytes, mutant: str | None) -> None:
        self.city = city
        self.mutant = mutant
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.sweeper"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        url = city.store.url
        keys = city.office.keystore._store.url
        self._say({"store": url, "keys": keys, "master": secret.hex()})

    def _say(self, line: dict[str, Any]) -> None:
        if self._process.stdin is None:
            raise BrokenPipeError
        self._process.stdin.write(json.dumps(line) + "\n")
        self._process.stdin.flush()

    def sweep(self, now: datetime, **failpoint: object) -> int:
        """Let a fresh process sweep; its exit code, -9 where it was killed."""
        self._say({"now": now.isoformat(), "mutant": self.mutant, **failpoint})
        if self._process.stdout is None:
            raise BrokenPipeError
        return int(self._process.stdout.readline())

    def close(self) -> None:
        if self._process.stdin is not None and self._process.stdout is not None:
            self._process.stdin.close()
            self._process.stdout.close()
        self._process.wait(10)


@contextmanager
def sweepers(store: Store, mutant: str | None = None) -> Iterator[Sweepers]:
    """A town with its cases, and whoever sweeps it."""
    with town(store) as city:
        secret = os.urandom(32)
        master = MasterKey(secret)
        city.office.master = city.office.keystore._master = master
        for number in range(CASES):
            level = LEVELS[number % 4]
            trigger, who = ("whistle", "counselor@school") if number % 4 < 2 else ("submit", "principal@school")
            form = {"concern": "harmful_home", "level": level, "summary": "seen", "student": STUDENT}
            city.fire(who, None, 0, trigger, form)
        at_work = Sweepers(city, secret, mutant)
        try:
            yield at_work
        finally:
            at_work.close()


def history(city: Town) -> dict[int, list[tuple[str, str]]]:
    """What happened in each case, in order, with the instant at which it stood."""
    with city.store.read() as connection:
        found: dict[int, list[tuple[str, str]]] = {}
        rows = connection.execute(text("SELECT case_id, name, open FROM event ORDER BY case_id, seq"))
        for number, name, said in rows:
            found.setdefault(number, []).append((name, said.get("stood_at", "")))
        return found


def told(city: Town) -> list[tuple[object, ...]]:
    """Every message, without its number."""
    with city.store.read() as connection:
        columns = (message.c.case_id, message.c.seq, message.c.member_id, message.c.at, message.c.kind)
        return sorted(tuple(row) for row in connection.execute(message.select().with_only_columns(*columns)))


def faults(city: Town, now: datetime) -> list[str]:
    """Whatever is broken in any case after the last sweep."""
    with city.store.read() as connection:
        session = Session(connection, city.office)
        ids = list(connection.scalars(cases_table.select().with_only_columns(cases_table.c.id)))
        return [fault for one in ids for fault in invariants.broken(session, one, swept_at=now)]


def killed(at_work: Sweepers, kills: int, random: Random) -> datetime:
    """Let sweepers die that often, each a little later in the day; when the last of them swept."""
    now, deaths = START, 0
    while deaths < kills:
        now += STEP
        for _ in range(3):
            where = random.choice(("before", "after", "sometime"))
            failpoint: dict[str, object] = {"where": where, "commit": random.randint(1, 4)}
            if where == "sometime":
                failpoint["seconds"] = random.uniform(0.005, 0.06)
            code = at_work.sweep(now, **failpoint)
            assert code in {0, KILLED}
            deaths += code == KILLED
        assert at_work.sweep(now) == 0
    return now


def undisturbed(city: Town, until: datetime) -> None:
    """The same day without any death."""
    now = START
    while now < until:
        now += STEP
        city.sweep(now)


def test_nothing_is_lost_doubled_or_out_of_order_by_killing_sweepers(store: Store) -> None:
    with sweepers(store) as at_work:
        until = killed(at_work, KILLS, Random(20260317))  # noqa: S311 - a run is to be repeated
        assert faults(at_work.city, until) == []
        happened, messages = history(at_work.city), told(at_work.city)
    with store.scratch() as other, sweepers(other) as at_peace:
        undisturbed(at_peace.city, until)
        assert history(at_peace.city) == happened
        assert told(at_peace.city) == messages
    assert sum(len(one) for one in happened.values()) > 20 * CASES


@pytest.mark.parametrize("mutant", ["two_commits", "claims_first"])
def test_a_sweep_that_does_not_commit_all_at_once_is_found_out(store: Store, mutant: str) -> None:
    with sweepers(store, mutant) as at_work:
        now = START
        for _ in range(4):
            now += STEP
            at_work.sweep(now, where="after", commit=1)
            at_work.sweep(now)
        assert faults(at_work.city, now)
