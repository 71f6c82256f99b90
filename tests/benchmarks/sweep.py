"""A sweep over 1,000,000 open cases of which 10,000 are due, everything that a fired rung does included."""

from __future__ import annotations

import multiprocessing
import resource
import time
from datetime import datetime, timedelta
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from pathlib import Path

from sqlalchemy import Connection, text

from cases import wake
from cases.loading import DUE
from cases.store import Store
from tests.benchmarks.clones import clone
from tests.town import START, STUDENT, Town

RUNGS = 5
"""The whole ladder: a reminder, a warning, a breach, a supervision order, the bulletin."""
_QUIET = """
INSERT INTO cases (id, number, student_id, school_id, district_id, city_id, concern, level, state, policy, created_at,
                   version, events, head, last_at, wake_at, facts)
SELECT :first + n, 'WH-2025-' || (:first + n), student_id, school_id, district_id, city_id, concern, level, state,
       policy, created_at, version, events, head, last_at, CAST(:wake AS timestamptz) + n * interval '1 second', facts
  FROM cases, generate_series(0, :count - 1) n WHERE id = :pattern
"""
_QUIET_TRACK = """
INSERT INTO track (case_id, no, kind, state, organisation_id, opened_at, facts)
SELECT :first + n, 1, kind, 'done', organisation_id, opened_at, facts
  FROM track, generate_series(0, :count - 1) n WHERE case_id = :pattern AND no = :track
"""
_QUIET_CLOCK = """
INSERT INTO clock (case_id, no, track_no, name, state, organisation_id, started_at, due_at, wake_at, rung, provisional,
                   face)
SELECT :first + n, 1, 0, name, state, organisation_id, started_at, due_at,
       CAST(:wake AS timestamptz) + n * interval '1 second', rung, provisional, face
  FROM clock, generate_series(0, :count - 1) n WHERE case_id = :pattern AND no = 1
"""


def patterns(town: Town) -> tuple[list[int], datetime]:
    """Five cases, one before each rung of the ladder, and an instant at which all of them are due."""
    found: list[int] = []
    at = START + timedelta(days=40)
    # An orange acknowledgement is due after two hours: its rungs stand at 60, 96, 120, 180 and 240 minutes.
    for rung, after in enumerate((60, 96, 120, 180, 240)):
        begun = at - timedelta(minutes=after)
        student = {**STUDENT, "name": f"小示例{rung}"}
        fired = town.whistle(begun, level="orange", concern="left_behind", student=student)
        # One of the two called is there at once: each case has one limit that comes due, as a city's mostly do.
        other = next(
            one.no for one in fired.case.tracks.values() if one.organisation == town.places["civil_affairs"].id
        )
        town.fire("officer@civil_affairs", fired.case.number, other, "acknowledge", None, begun)
        town.run_until(at - timedelta(seconds=1))
        found.append(fired.case.id)
    return found, at + timedelta(seconds=1)


def load(town: Town, *, open_cases: int, due: int, cases: list[int], wake_at: datetime) -> None:
    """Fill the city: `due` copies of the patterns, and cases that wait for another day."""
    with town.store.begin() as connection:
        connection.execute(text("UPDATE cases SET wake_at = NULL WHERE id = ANY(:ids)"), {"ids": cases})
        later = wake_at + timedelta(days=30)
        track = connection.scalar(text("SELECT min(no) FROM track WHERE case_id = :id"), {"id": cases[0]})
        for block in range(0, open_cases - due, 200_000):
            count = min(200_000, open_cases - due - block)
            values = {
                "first": 10_000_000 + block,
                "count": count,
                "pattern": cases[0],
                "wake": later,
                "track": track,
            }
            for statement in (_QUIET, _QUIET_TRACK, _QUIET_CLOCK):
                connection.execute(text(statement), values)
    refill(town, due, cases, wake_at, first=1_000_000)
    with town.store.administered(town.store.name) as raw:
        raw.execute("VACUUM ANALYZE")


def refill(town: Town, due: int, cases: list[int], wake_at: datetime, *, first: int) -> None:
    """Another `due` cases whose time has come."""
    each = due // len(cases)
    with town.store.begin() as connection:
        for place, case in enumerate(cases):
            begin = first + place * each
            clone(connection, case, first=begin, first_student=begin, count=each)
            connection.execute(
                text("UPDATE cases SET wake_at = :at WHERE id >= :first AND id < :end"),
                {"at": wake_at, "first": begin, "end": begin + each},
            )


def run(town: Town, at: datetime, workers: int) -> tuple[float, int]:
    """Sweep with so many worker processes; seconds and rungs fired."""
    context = multiprocessing.get_context("fork")
    gate = context.Barrier(workers + 1)
    fired = context.Queue()
    town.store.close()
    processes = [context.Process(target=_work, args=(town, at, gate, fired)) for _ in range(workers)]
    for process in processes:
        process.start()
    gate.wait()
    began = time.perf_counter()
    total = sum(fired.get() for _ in processes)
    seconds = time.perf_counter() - began
    for process in processes:
        process.join()
    return seconds, total


def _work(town: Town, at: datetime, gate: Barrier, fired: Queue[int]) -> None:
    with Store(town.store.url) as store:
        town.actor("officer@street", at)
        with store.read() as connection:
            connection.execute(text("SELECT 1"))
        gate.wait()
        fired.put(wake.sweep(store, town.office, at).fired)


def plan(connection: Connection, at: datetime) -> str:
    """How PostgreSQL claims a batch: the partial index, whatever the number of open cases."""
    rows = connection.exec_driver_sql("EXPLAIN (ANALYZE, BUFFERS OFF, TIMING OFF) " + DUE, (at, at, wake.BATCH))
    return "\n".join(f"    {row[0]}" for row in rows)


def report(town: Town, *, open_cases: int = 1_000_000, due: int = 10_000) -> list[str]:
    """The lines for `make bench`."""
    cases, at = patterns(town)
    load(town, open_cases=open_cases, due=due, cases=cases, wake_at=at)
    lines = []
    with town.store.begin() as connection:
        lines.append("claiming a batch of the sweep:\n" + plan(connection, at))
    measured: dict[int, list[float]] = {1: [], 2: []}
    first = 2_000_000
    for turn in range(8):
        workers = 1 + turn % 2
        if turn:
            refill(town, due, cases, at, first=first)
            first += due
        seconds, fired = run(town, at, workers)
        measured[workers].append(seconds)
        lines.append(f"sweep, {workers} worker(s): {fired:,} rungs in {seconds:.2f} s ({fired / seconds:,.0f}/s)")
    best = {workers: sorted(times)[len(times) // 2] for workers, times in measured.items()}
    lines.append(f"sweep, two workers: {best[1] / best[2]:.2f} times one (floor 1.3); one: {best[1]:.2f} s (most 2 s)")
    usage = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    lines.append(f"largest worker: {usage / 1024:,.0f} MB")
    return lines


def memory(town: Town, *, wakes: int = 100_000) -> list[str]:
    """The resident size of one sweeping process over many wakes; flat, or a list somewhere grows for ever."""
    cases, at = patterns(town)
    with town.store.begin() as connection:
        connection.execute(text("UPDATE cases SET wake_at = NULL WHERE id = ANY(:ids)"), {"ids": cases})
    sizes: list[float] = []
    block = 10_000
    for turn in range(wakes // block):
        refill(town, block, cases, at, first=5_000_000 + turn * block)
        wake.sweep(town.store, town.office, at)
        sizes.append(_resident())
    first, last = sizes[0], sizes[-1]
    return [f"memory of a sweep worker over {wakes:,} wakes: {first:,.0f} MB at {block:,}, {last:,.0f} MB at the end"]


def _resident() -> float:
    status = Path("/proc/self/status").read_text("ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024
