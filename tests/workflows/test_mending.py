"""What keeps the rounds going: the runner outlives the database, and what has ended or hangs is begun again."""

from __future__ import annotations

import gc
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import pairwise

import pytest

from cases.rounds import Premises
from cases.store import Store
from tests.town import Town
from tests.workflows.test_living import EVERY, swept, until
from workflows import deployments, server
from workflows.deployments import Plan
from workflows.embedded import Living, revived
from workflows.runner import AGAIN, Runner
from workflows.server import Server
from workflows.sources import Own
from workflows.watchdog import Watchdog

# As in test_living: Prefect's own clients leave a connection to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")


def of(premises: Premises) -> tuple[Plan, ...]:
    """What `whistle up` plans, read from the database each time; of that the sweep alone."""
    return tuple(one for one in deployments.of(premises, EVERY) if one.name == "sweep")


@contextmanager
def running(planned: Callable[[], tuple[Plan, ...]]) -> Iterator[Runner]:
    runner = Runner(Own(planned), look=timedelta(seconds=0.3))
    runner.start()
    try:
        assert runner.wait_settled(30)
        yield runner
    finally:
        runner.stop()
        gc.collect()


@contextmanager
def shut(store: Store) -> Iterator[None]:
    """The database lets nobody in meanwhile, and those who were in are out."""
    name = store._url.database
    with store.administered("postgres") as connection:
        connection.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        connection.execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s", [name])
        try:
            yield
        finally:
            connection.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')


def again(orchestrator: Server) -> None:
    """Stop the server and start it at its address; whoever comes after has the one that is there now."""
    orchestrator.stop()
    orchestrator._child = server.start(orchestrator.home, os.environ, port=orchestrator.port)._child
    orchestrator.wait_ready()


def sweeps_anew(city: Town) -> bool:
    """Whether sweeps finish from now on."""
    before = swept(city)
    until(lambda: swept(city) != before, 60)
    return True


@pytest.mark.long
def test_a_runner_that_finds_the_database_away_when_the_server_is_back_goes_on_when_it_is_there(
    orchestrator: Server, city: Town, premises: Premises, caplog: pytest.LogCaptureFixture
) -> None:
    with running(lambda: of(premises)) as runner:
        until(lambda: swept(city) is not None, 60)
        with shut(city.store):
            again(orchestrator)
            until(lambda: "the runner stumbled" in caplog.messages, 60)
            assert runner.alive()
        assert sweeps_anew(city)
        assert "the runner has ended" not in caplog.messages


@pytest.mark.long
def test_a_fault_that_stays_is_met_more_and_more_seldom(
    orchestrator: Server, premises: Premises, caplog: pytest.LogCaptureFixture
) -> None:
    asked: list[float] = []

    def planned() -> tuple[Plan, ...]:
        asked.append(time.monotonic())
        if len(asked) == 1:
            return of(premises)
        raise RuntimeError

    with running(planned):
        again(orchestrator)
        until(lambda: len(asked) > 3, 60)
    first, second = (later - earlier for earlier, later in pairwise(asked[1:4]))
    assert first >= AGAIN.total_seconds()
    assert second >= 2 * AGAIN.total_seconds()
    assert caplog.messages.count("the runner stumbled") >= 2


# Whatever ends a thread leaves its trace, which is the point here.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_whoever_looks_after_the_server_begins_a_runner_again_that_ended(
    orchestrator: Server, city: Town, premises: Premises, caplog: pytest.LogCaptureFixture
) -> None:
    with running(lambda: of(premises)) as runner:
        living = Living(orchestrator, runner, Watchdog(premises, EVERY))
        until(lambda: swept(city) is not None, 60)
        living.mend()
        assert "the runner had ended and is begun again" not in caplog.messages
        assert runner._loop is not None
        runner._loop.call_soon_threadsafe(sys.exit)
        until(lambda: not runner.alive())
        living.mend()
        assert sweeps_anew(city)
        assert caplog.messages.count("the runner had ended and is begun again") == 1
    revived(runner)
    assert not runner.alive()


@pytest.mark.long
def test_a_server_that_hangs_while_its_process_lives_is_started_again(
    orchestrator: Server, city: Town, premises: Premises
) -> None:
    with running(lambda: of(premises)) as runner:
        living = Living(orchestrator, runner, Watchdog(premises, EVERY), silent=timedelta(seconds=1))
        until(lambda: swept(city) is not None, 60)
        hanging = living.server.pid
        os.kill(hanging, signal.SIGSTOP)
        living.mend()
        # One silent look isn't enough: a busy machine has them too.
        assert living.server.pid == hanging
        time.sleep(1)
        living.mend()
        orchestrator._child = living.server._child
        assert living.server.pid != hanging
        living.server.wait_ready()
        assert sweeps_anew(city)
