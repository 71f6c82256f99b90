"""The programme "kill -9": whoever sweeps or pulls triggers dies around a commit; nothing is lost, nothing doubled.

Those who deliver are killed in `test_channels`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
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

KILLS = int(os.environ.get("KILLS", "16"))
"""16 in the ordinary run, `KILLS=200` (make chaos) by name."""
OF_SWEEPERS = max(50, KILLS)
CASES = 12
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
        return self._order(now, failpoint)[0]

    def pull(self, now: datetime, cases: list[int], pulls: int, **failpoint: object) -> tuple[int, list[str]]:
        """Let a fresh process pull triggers; its exit code, and the events with which it answered."""
        member = self.city.members["coordinator@district"]
        code, said = self._order(now, {"member": member, "cases": cases, "pulls": pulls, **failpoint})
        return code, said.split()

    def _order(self, now: datetime, order: dict[str, object]) -> tuple[int, str]:
        self._say({"now": now.isoformat(), "mutant": self.mutant, **order})
        if self._process.stdout is None:
            raise BrokenPipeError
        code, said = json.loads(self._process.stdout.readline())
        return code, said

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


def failpoint_by_chance(random: Random, longest: float = 0.06) -> dict[str, object]:
    """Before a commit, after it, or whenever."""
    where = random.choice(("before", "after", "sometime"))
    if where == "sometime":
        return {"where": where, "seconds": random.uniform(0.005, longest)}
    return {"where": where, "commit": random.randint(1, 4)}


def killed(at_work: Sweepers, kills: int, random: Random) -> datetime:
    """Let sweepers die that often, each a little later in the day; when the last of them swept."""
    now, deaths = START, 0
    while deaths < kills:
        now += STEP
        for _ in range(3):
            code = at_work.sweep(now, **failpoint_by_chance(random))
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


def test_nothing_is_lost_doubled_or_out_of_order_by_killing_sweepers(
    store: Store, figure: Callable[[str], None]
) -> None:
    with sweepers(store) as at_work:
        until = killed(at_work, OF_SWEEPERS, Random(20260317))  # noqa: S311 - a run is to be repeated
        assert faults(at_work.city, until) == []
        happened, messages = history(at_work.city), told(at_work.city)
    with store.scratch() as other, sweepers(other) as at_peace:
        undisturbed(at_peace.city, until)
        expected, letters = history(at_peace.city), told(at_peace.city)
    count = sum(len(one) for one in happened.values())
    figure(f"{OF_SWEEPERS} kills, {count} events: 0 lost, 0 doubled, {len(messages)} messages, as without any death")
    assert happened == expected
    assert messages == letters
    assert count > 10 * CASES


def pulled(at_work: Sweepers, kills: int, random: Random) -> tuple[Counter[str], Counter[str]]:
    """Let those who pull triggers die that often: what was answered, and what is in the history."""
    with at_work.city.store.read() as connection:
        cases = list(connection.scalars(cases_table.select().with_only_columns(cases_table.c.id)))
    answered: Counter[str] = Counter()
    deaths = 0
    while deaths < kills:
        code, said = at_work.pull(START, cases, 6, **failpoint_by_chance(random, 0.09))
        assert code in {0, KILLED}
        answered.update(said)
        deaths += code == KILLED
    with at_work.city.store.read() as connection:
        rows = connection.execute(text("SELECT case_id, seq FROM event WHERE name = 'assignment.reminded'"))
        return answered, Counter(f"{case}:{seq}" for case, seq in rows)


def test_every_trigger_that_was_answered_is_in_the_history_whoever_is_killed(
    store: Store, figure: Callable[[str], None]
) -> None:
    with sweepers(store) as at_work:
        answered, happened = pulled(at_work, KILLS, Random(7))  # noqa: S311
        assert faults(at_work.city, START - STEP) == []
    lost, more = (answered - happened).total(), (happened - answered).total()
    figure(f"{KILLS} kills, {answered.total()} triggers answered: {lost} lost; {more} done and unanswered")
    assert lost == 0
    assert more <= KILLS
    assert answered


def test_whoever_answers_before_the_commit_is_found_out(store: Store) -> None:
    with sweepers(store, "answers_first") as at_work:
        answered, happened = pulled(at_work, 8, Random(7))  # noqa: S311
    assert answered - happened


@pytest.mark.parametrize("mutant", ["two_commits", "claims_first"])
def test_a_sweep_that_does_not_commit_all_at_once_is_found_out(store: Store, mutant: str) -> None:
    with sweepers(store, mutant) as at_work:
        now = START
        for _ in range(4):
            now += STEP
            assert at_work.sweep(now, where="after", commit=1) in {0, KILLED}
            assert at_work.sweep(now) == 0
        assert faults(at_work.city, now)
