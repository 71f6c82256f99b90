"""The orchestrator at work, for real: a child server, runs executed in this process, outages and kills."""

from __future__ import annotations

import asyncio
import gc
import io
import json
import logging
import os
import sqlite3
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any, TypeVar
from uuid import UUID

import pytest
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.exceptions import PrefectHTTPStatusError
from prefect.states import Completed
from sqlalchemy import text

from api.logs import JsonLines
from cases import heartbeat
from cases.rounds import Premises
from tests.town import START, Town
from tests.workflows.conftest import HOME, PORT
from workflows import deployments, server
from workflows.deployments import Plan
from workflows.runner import Runner
from workflows.server import Server
from workflows.sources import Own
from workflows.watchdog import Watchdog

# Prefect's own clients leave a connection to the garbage collector at the end of a thread; runs don't add any.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")

EVERY = timedelta(seconds=1)
T = TypeVar("T")


def until(holds: Callable[[], bool], seconds: float = 30) -> None:
    """Wait for something that happens by itself."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.05)


def plans(every: timedelta = EVERY) -> tuple[Plan, ...]:
    return tuple(one for one in deployments.plans(every, "Asia/Shanghai") if one.name == "sweep")


@contextmanager
def running(every: timedelta = EVERY) -> Iterator[Runner]:
    runner = Runner(Own(lambda: plans(every)), look=timedelta(seconds=0.3))
    runner.start()
    try:
        assert runner.wait_settled(30)
        yield runner
    finally:
        runner.stop()
        # What Prefect's clients leave to the garbage collector is collected here, and not in somebody else's test.
        gc.collect()


def swept(city: Town) -> datetime | None:
    with city.store.read() as connection:
        beat = heartbeat.last(connection, "sweep", "orchestrator")
    return beat.finished_at if beat else None


def asked(question: Callable[[PrefectClient], Awaitable[T]], seconds: float = 30) -> T:
    """One question to the server. Where two wait for its SQLite it answers one “come again”, and whoever asks does."""
    deadline = time.monotonic() + seconds

    async def ask() -> T:
        async with get_client() as client:
            return await question(client)

    while True:
        try:
            return asyncio.run(ask())
        except PrefectHTTPStatusError as refused:
            if refused.response.status_code != HTTPStatus.SERVICE_UNAVAILABLE or time.monotonic() > deadline:
                raise


def runs() -> list[FlowRun]:
    return list(asked(lambda client: client.read_flow_runs(limit=200)))


def ended() -> UUID:
    """A run of the sweep that has ended just now."""
    done: State[Any] = Completed()
    return asked(lambda client: client.create_flow_run(plans()[0].flow, state=done)).id


def put_back(run: UUID, length: timedelta) -> None:
    """Let a run have ended so long ago, in the files of a server that is stopped: it believes no such thing."""
    with closing(sqlite3.connect(HOME / "prefect.db")) as connection, connection:
        at = (datetime.now(UTC) - length).strftime("%Y-%m-%d %H:%M:%S.%f")
        changed = connection.execute("UPDATE flow_run SET end_time = ? WHERE id = ?", (at, str(run)))
        assert changed.rowcount == 1


def numbers() -> set[UUID]:
    return {one.id for one in runs()}


def rows(city: Town, query: str, **given: object) -> list[tuple[Any, ...]]:
    with city.store.read() as connection:
        return [tuple(row) for row in connection.execute(text(query), given)]


def states() -> list[StateType]:
    return [one.state.type for one in runs() if one.state is not None]


def test_due_runs_are_executed_here_with_names_a_person_can_read(
    orchestrator: Server, city: Town, premises: Premises
) -> None:
    city.whistle(datetime.now(UTC) - timedelta(hours=1))
    with running():
        until(lambda: swept(city) is not None and StateType.COMPLETED in states(), 60)
    with city.store.read() as connection:
        assert connection.scalar(text("SELECT count(*) FROM event WHERE trigger = 'report_in.breached'")) == 3
    done = [one for one in runs() if one.state is not None and one.state.type is StateType.COMPLETED]
    assert {one.name[:8] for one in done} == {f"sweep {datetime.now(UTC):%y}"[:5] + " 20"}
    assert {tag for one in done for tag in one.tags} == {"whistle", "time", "auto-scheduled"}


def test_a_line_about_a_case_carries_the_run_that_prefects_pages_show(
    orchestrator: Server, city: Town, premises: Premises
) -> None:
    case = city.whistle(datetime.now(UTC)).case.id
    with city.store.begin() as connection:
        # Woken though nothing of it is due, it is set aside, and that is said.
        connection.execute(text("UPDATE cases SET wake_at = now() WHERE id = :id"), {"id": case})
    said = io.StringIO()
    writer = logging.StreamHandler(said)
    writer.setFormatter(JsonLines())
    logging.getLogger("cases.wake").addHandler(writer)
    try:
        with running():
            until(lambda: "case set aside" in said.getvalue(), 60)
    finally:
        logging.getLogger("cases.wake").removeHandler(writer)
    assert UUID(json.loads(said.getvalue().splitlines()[0])["run"]) in numbers()


def test_a_server_that_was_away_for_a_day_brings_every_rung_once_in_order_and_tells_people_once(
    orchestrator: Server, city: Town, premises: Premises
) -> None:
    hours = 0.0
    premises.clock = lambda: START + timedelta(hours=hours)
    city.whistle()
    watchdog = Watchdog(premises, EVERY)
    with running():
        until(lambda: swept(city) == START)
        assert not watchdog.once().standby
        old, fresh = ended(), ended()
        orchestrator.stop()
        put_back(old, timedelta(hours=3))
        put_back(fresh, timedelta(minutes=5))
        hours = 24
        assert watchdog.once().began
        assert watchdog.once().standby
        # Whoever comes after this test has the server that is there now.
        orchestrator._child = server.start(HOME, os.environ, port=PORT)._child
        orchestrator.wait_ready()
        until(lambda: swept(city) == START + timedelta(hours=24), 60)
        assert watchdog.once().ended
        # What is over is cleared away: the home doesn't grow without end.
        until(lambda: old not in numbers(), 60)
        assert fresh in numbers()
    ladder = rows(
        city, "SELECT track_no, trigger, (open->>'percent')::int FROM event WHERE open ? 'percent' ORDER BY seq"
    )
    assert ladder
    assert len({(track, trigger) for track, trigger, _ in ladder}) == len(ladder)
    for clock in {(track, trigger.partition(".")[0]) for track, trigger, _ in ladder}:
        percents = [percent for track, trigger, percent in ladder if (track, trigger.partition(".")[0]) == clock]
        assert percents == sorted(percents)
    assert rows(city, "SELECT count(*) FROM message WHERE kind = 'stalled' GROUP BY member_id") == [(1,), (1,)]
    of_the_day = "SELECT count(*) FROM message WHERE at > :start AND case_id IS NOT NULL GROUP BY member_id"
    assert {count for (count,) in rows(city, of_the_day, start=START)} == {1}
