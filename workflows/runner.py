"""Executes due runs in this process: one thread, one event loop, no subprocess that would import the world for each
sweep. On one machine it works for deployments of its own, on several for a pool (`workflows.sources`).

It asks the server every few seconds what comes due, claims a run and executes it in place. Of several due runs of one
deployment only the newest is executed, the others are cancelled. While the server is away it keeps asking, and whatever
else goes wrong it begins again after a while: nobody but it makes the digest, the seals and the back-ups. The dead-man
switch (`workflows.watchdog`) sees to the sweeping meanwhile.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import defaultdict
from contextlib import AbstractContextManager, nullcontext, suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import httpx
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.objects import FlowRun, State
from prefect.client.schemas.responses import SetStateStatus
from prefect.exceptions import PrefectException

# Not a headline API: the version is pinned, and tests/workflows/test_contract.py holds it to what is used here.
from prefect.flow_engine import run_flow_async
from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings
from prefect.states import Cancelled, Crashed, Pending, Scheduled

from cases.belonging import RUN, belonging_to

if TYPE_CHECKING:
    from workflows.deployments import Plan
    from workflows.sources import Source

_log = logging.getLogger(__name__)

_AWAY: Final = (httpx.HTTPError, PrefectException, OSError, TimeoutError)
"""What a server that is away, or just coming back, looks like from here."""
LOOK_AHEAD: Final = timedelta(seconds=5)
AGAIN: Final = timedelta(seconds=2)
"""How soon a server that is away is asked again."""
AGAIN_MOST: Final = timedelta(minutes=1)
"""The longest wait after any other fault; each in a row doubles it."""
ALONE: Final = timedelta(seconds=15)
"""The longest look ahead where nobody else takes runs: what is planned is seen before its time all the same."""
LIVES: Final = 3
"""So often a run whose process is killed is begun anew; then it is taken for what kills the process."""


class Runner:
    """The thread that executes what is due, wherever its `source` has it from."""

    def __init__(self, source: Source, *, look: timedelta = LOOK_AHEAD) -> None:
        self._source = source
        self._look = look
        self._registered: dict[UUID, Plan] = {}
        self._running: dict[UUID, asyncio.Task[Any]] = {}
        self._busy: set[UUID | None] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._leaving: asyncio.Event | None = None
        self._client: PrefectClient | None = None
        self._thread = self._made()
        self._stopped = False
        self._settled_once = threading.Event()

    def start(self) -> None:
        """Begin; comes back at once."""
        self._thread.start()

    def revive(self) -> bool:
        """Begin again where the thread has ended though nobody stopped it; whether that was needed."""
        if self._stopped or self._thread.ident is None or self._thread.is_alive():
            return False
        self._running, self._busy, self._client = {}, set(), None
        self._loop = self._leaving = None
        self._thread = self._made()
        self._thread.start()
        return True

    def wait_settled(self, seconds: float) -> bool:
        """Whether the server and this runner have agreed on the deployments, after at most so many seconds."""
        return self._settled_once.wait(seconds)

    def alive(self) -> bool:
        return self._thread.is_alive()

    def stop(self, seconds: float = 15) -> None:
        """Take no more runs, let those at work end, and come back when they have."""
        self._stopped = True
        if self._loop is not None and self._leaving is not None and self._thread.is_alive():
            with suppress(RuntimeError):  # The loop ends of itself just now.
                self._loop.call_soon_threadsafe(self._leaving.set)
        if self._thread.ident is not None:
            self._thread.join(seconds)

    def _made(self) -> threading.Thread:
        return threading.Thread(target=self._work, name="runner", daemon=True)

    def _work(self) -> None:
        try:
            with self._settings():
                asyncio.run(self._run())
        except Exception as fault:  # noqa: BLE001 - whatever it is, the watchdog begins it again and this says why
            _log.critical("the runner has ended", extra={"fault": type(fault).__name__})

    def _settings(self) -> AbstractContextManager[Any]:
        """Alone it needs no sign of life in each run: the heartbeat of the round is what the watchdog goes by."""
        if self._source.mark is not None:
            return nullcontext()
        return temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None})

    async def _run(self) -> None:
        self._loop, self._leaving = asyncio.get_running_loop(), asyncio.Event()
        # A stop between the thread's begin and here found no loop to tell it to.
        if self._stopped:
            return
        away, wait = False, AGAIN
        while not self._leaving.is_set():
            try:
                async with get_client() as client:
                    await self._settle(client)
                    if away:
                        _log.warning("the orchestrator is back")
                    away = False
                    self._client = client
                    while not self._leaving.is_set():
                        await self._once(client)
                        wait = AGAIN
            except _AWAY as fault:
                if not away:
                    _log.warning("the orchestrator is away", extra={"fault": type(fault).__name__})
                away = True
                await self._rest(min(self._look, AGAIN))
            except Exception as fault:  # noqa: BLE001 - the database that was asked what to plan, the answer, anything
                _log.error("the runner stumbled", extra={"fault": type(fault).__name__})
                await self._rest(wait)
                wait = min(wait * 2, AGAIN_MOST)
        await asyncio.gather(*self._running.values(), return_exceptions=True)

    async def _settle(self, client: PrefectClient) -> None:
        self._registered = await self._source.settle(client)
        self._settled_once.set()

    async def _bury(self, client: PrefectClient) -> None:
        """Runs that were at work when their process was killed: nobody else will ever end them.

        Of a sweep the next one does the work. A digest or a seal is made after all, by whoever takes it first.
        """
        for run in await self._source.orphans(client, frozenset(self._running)):
            plan = self._registered.get(run.deployment_id) if run.deployment_id is not None else None
            crashed: State[Any] = Crashed(message="its process was killed")
            again: State[Any] = Scheduled(scheduled_time=datetime.now(UTC), message="its process was killed")
            once_more = plan is not None and not plan.frequent and run.run_count < LIVES
            await client.set_flow_run_state(run.id, again if once_more else crashed)

    async def _once(self, client: PrefectClient) -> None:
        """What comes due until the next look: the newest of each deployment is executed at its time."""
        now = datetime.now(UTC)
        await self._bury(client)
        by_deployment: dict[UUID, list[FlowRun]] = defaultdict(list)
        for run in await self._source.due(client, now + self._look):
            if run.deployment_id is not None and run.id not in self._running:
                by_deployment[run.deployment_id].append(run)
        if not by_deployment.keys() <= self._registered.keys():
            # Somebody wrote a new deployment, for a new district.
            await self._settle(client)
        for deployment, runs in by_deployment.items():
            plan = self._registered.get(deployment)
            if plan is None:
                continue
            standing = await self._coalesced(client, sorted(runs, key=_starts), now) if plan.coalesce else runs
            for run in standing:
                self._running[run.id] = asyncio.create_task(self._at_its_time(plan, run))
        await self._rest(self._look)

    @staticmethod
    async def _coalesced(client: PrefectClient, runs: list[FlowRun], now: datetime) -> list[FlowRun]:
        """Of the runs that are past due only the newest stays."""
        past = [run for run in runs if _starts(run) <= now]
        for one in past[:-1]:
            await client.set_flow_run_state(one.id, Cancelled(message="a newer run does its work"))
        return runs[max(len(past) - 1, 0) :]

    async def _at_its_time(self, plan: Plan, run: FlowRun) -> None:
        # What is said of a run carries the id by which Prefect's own pages know it.
        with belonging_to(RUN, str(run.id)):
            await self._waited_for(plan, run)

    async def _waited_for(self, plan: Plan, run: FlowRun) -> None:
        """Wait, claim, execute. The claim is the server's: of several that ask, one is accepted.

        It is made at the run's time and not before, so that a process which is killed takes no run to come with it.
        """
        at_work = False
        try:
            await self._rest(_starts(run) - datetime.now(UTC))
            # Without a client the server went away meanwhile: the run is found again when it is back.
            client = self._client
            if client is None or self._left() or run.deployment_id in self._busy:
                return
            self._busy.add(run.deployment_id)
            at_work = True
            if not await self._claimed(client, run):
                return
            # For a run of a deployment the engine opens a thread, a loop and a socket of its own each time, to hear
            # whether a person suspends it; that cost more than the sweep.
            taken = (await client.read_flow_run(run.id)).model_copy(update={"deployment_id": None})
            ended = await run_flow_async(
                plan.flow, flow_run=taken, parameters=dict(taken.parameters), return_type="state"
            )
            if isinstance(ended, State) and (ended.is_failed() or ended.is_crashed()):
                # Its kind alone: what a fault says may quote a row.
                _log.error("a run failed", extra={"round": plan.name, "status": ended.name})
        except _AWAY as fault:
            # The work may be done though the server didn't hear of it; a sweep made twice changes nothing.
            _log.warning("a run lost its server", extra={"round": plan.name, "fault": type(fault).__name__})
        except Exception as fault:  # noqa: BLE001 - one run's fault must not end the thread that runs the others
            _log.error("a run failed", extra={"round": plan.name, "fault": type(fault).__name__})
        finally:
            self._running.pop(run.id, None)
            if at_work:
                self._busy.discard(run.deployment_id)

    async def _claimed(self, client: PrefectClient, run: FlowRun) -> bool:
        pending: State[Any] = Pending()
        claim = await client.set_flow_run_state(run.id, pending)
        if claim.status is not SetStateStatus.ACCEPT:
            return False
        if self._source.mark is not None:
            await client.update_flow_run(run.id, infrastructure_pid=self._source.mark)
        return True

    def _left(self) -> bool:
        return self._leaving is None or self._leaving.is_set()

    async def _rest(self, length: timedelta) -> None:
        """Wait so long, or until the runner leaves."""
        if self._leaving is not None and length > timedelta(0):
            try:
                await asyncio.wait_for(self._leaving.wait(), length.total_seconds())
            except TimeoutError:
                return


def _starts(run: FlowRun) -> datetime:
    at = run.next_scheduled_start_time or run.expected_start_time
    return at if at is not None else datetime.now(UTC)
