"""10,000 limits due at once: what a sweep fires a second, against the raw loop in the same run, the peers beside it."""

from __future__ import annotations

import random
import statistics
import time
from datetime import datetime

import psycopg

from tests.benchmarks import sweep
from tests.benchmarks.fire import dsn
from tests.town import Town

PEERS = {
    "APScheduler 3 (may lose a job in a crash)": 1_200,
    "procrastinate": 553,
    "DBOS, delayed queue": 377,
    "DBOS, durable sleep": 293,
    "Viewflow timers": 128,
    "Prefect, a scheduled run for each": 0.43,
}
"""Fired a second by what others use, measured once on two cores and not in this run: good for the order of size."""
BATCH = 500
ROUNDS = 4
_CLAIM_AND_FIRE = """
WITH due AS (
  SELECT id FROM cases WHERE wake_at <= %(at)s ORDER BY wake_at LIMIT %(batch)s FOR UPDATE SKIP LOCKED
), stopped AS (
  UPDATE clock SET rung = rung + 1, wake_at = NULL FROM due
   WHERE clock.case_id = due.id AND clock.wake_at <= %(at)s RETURNING clock.case_id, clock.organisation_id
), moved AS (
  UPDATE cases SET wake_at = NULL, version = version + 1, events = events + 1, last_at = %(at)s FROM due
   WHERE cases.id = due.id RETURNING cases.id, cases.events, cases.whistler_id, cases.level
), written AS (
  INSERT INTO event (case_id, seq, at, track_no, kind, name, trigger, confidential, open, signals, commitments, digest)
  SELECT id, events, %(at)s, 0, 'case', 'case.rung', 'rung', false, '{}', '[]', ''::bytea, ''::bytea FROM moved
), told AS (
  INSERT INTO message (case_id, seq, member_id, at, kind, level, items)
  SELECT id, events, whistler_id, %(at)s, 'reminded', level, '[]' FROM moved
)
SELECT count(*) FROM moved
"""


def raw(town: Town, at: datetime) -> tuple[float, int]:
    """The set-based loop that a careful program without an engine would run: claim, change, write, one message each."""
    total = 0
    with psycopg.connect(dsn(town.store)) as connection:
        began = time.perf_counter()
        while True:
            row = connection.execute(_CLAIM_AND_FIRE, {"at": at, "batch": BATCH}).fetchone()
            connection.commit()
            if row is None or not row[0]:
                return time.perf_counter() - began, total
            total += row[0]


def report(town: Town, *, open_cases: int, due: int = 10_000) -> list[str]:
    """The lines for `make bench`: both in shuffled rounds over fresh cases of the same city."""
    cases, at = sweep.patterns(town)
    sweep.load(town, open_cases=open_cases, due=due, cases=cases, wake_at=at)
    found: dict[str, list[float]] = {"ours": [], "raw": []}
    first = 2_000_000
    for turn in range(ROUNDS + 1):
        order = list(found)
        random.shuffle(order)
        for which in order:
            if first > 2_000_000:
                sweep.refill(town, due, cases, at, first=first)
            first += due
            seconds, fired = sweep.run(town, at, 1) if which == "ours" else raw(town, at)
            if turn:  # the first round warms both up
                found[which].append(fired / seconds)
    ours, bare = (statistics.median(found[which]) for which in ("ours", "raw"))
    asked = f"{due:,} due at once of {open_cases:,} open"
    lines = [
        f"{asked}: {ours:,.0f} fired a second, the raw set-based loop {bare:,.0f}, ratio {ours / bare:.0%}",
        "  ours: each with its link in the chain, clocks, child tracks, all who are told; raw: one event, one message",
    ]
    lines += [f"  {name}: {rate:,g}/s, ours {ours / rate:,.1f} times" for name, rate in PEERS.items()]
    return lines
