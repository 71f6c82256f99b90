"""Where the runner gets its work from: deployments of its own, or a pool that several machines share."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, Protocol
from uuid import UUID

from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterTags,
    FlowRunFilter,
    FlowRunFilterDeploymentId,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import FlowRun, StateType

from workflows import deployments

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient

    from workflows.deployments import Plan

BEAT: Final = timedelta(seconds=10)
"""How often a worker of a pool says that it is there."""
GONE: Final = 3 * BEAT
"""Not heard for so long, and what it had under its hands is taken for orphaned."""
NEVER_BEGUN: Final = timedelta(minutes=2)
"""A run that was claimed so long ago and by nobody who signed for it: the claim's answer got lost."""
_OURS: Final = "whistle:"
_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)


class Source(Protocol):
    """What the runner asks while the server is there; each may raise what a server that is away raises."""

    @property
    def mark(self) -> str | None:
        """What a claimed run is signed with, where others have to know who has it."""

    async def settle(self, client: PrefectClient) -> dict[UUID, Plan]:
        """The deployments that are worked for; asked at the start, after an outage, and for one that isn't known."""

    async def due(self, client: PrefectClient, before: datetime) -> list[FlowRun]:
        """Runs that nobody has claimed, due by then."""

    async def orphans(self, client: PrefectClient, mine: frozenset[UUID]) -> list[FlowRun]:
        """Runs at work or claimed of which it is certain that nobody is at them; `mine` are at work here."""


@dataclass(slots=True)
class Own:
    """Deployments that this process alone works for, and writes itself. `planned` is asked at each settling."""

    planned: Callable[[], tuple[Plan, ...]]
    _registered: dict[UUID, Plan] = field(default_factory=dict)
    _looked: bool = False

    @property
    def mark(self) -> str | None:
        return None

    async def settle(self, client: PrefectClient) -> dict[UUID, Plan]:  # noqa: ARG002 - the deployments bring their own
        self._registered = await deployments.register(await asyncio.to_thread(self.planned))
        self._looked = False
        return self._registered

    async def due(self, client: PrefectClient, before: datetime) -> list[FlowRun]:
        return list(
            await client.get_scheduled_flow_runs_for_deployments(list(self._registered), scheduled_before=before)
        )

    async def orphans(self, client: PrefectClient, mine: frozenset[UUID]) -> list[FlowRun]:
        """Whatever isn't at work here was at work in a process that was killed: there is no other."""
        if self._looked:
            return []
        self._looked = True
        return [one for one in await _at_work(client, self._registered) if one.id not in mine]


@dataclass(slots=True)
class Pool:
    """A work pool of a server that several machines share. Its deployments are written by `workflows.production`.

    `name` tells the workers apart; each life of a worker signs what it claims with a mark of its own, so that the
    next one knows what the last one left behind.
    """

    pool: str
    name: str
    _life: str = field(default_factory=lambda: os.urandom(4).hex())
    _registered: dict[UUID, Plan] = field(default_factory=dict)
    _beaten: datetime = _LONG_AGO
    _looked: datetime = _LONG_AGO

    @property
    def mark(self) -> str | None:
        return f"{_OURS}{self.name}:{self._life}"

    @property
    def empty(self) -> bool:
        """Nothing was ever written for this pool."""
        return not self._registered

    async def settle(self, client: PrefectClient) -> dict[UUID, Plan]:
        tagged = DeploymentFilter(tags=DeploymentFilterTags(all_=[deployments.TAG]))
        found = await client.read_deployments(deployment_filter=tagged, limit=200)
        known = {one.id: deployments.known(one) for one in found if one.work_pool_name == self.pool}
        self._registered = {number: plan for number, plan in known.items() if plan is not None}
        return self._registered

    async def due(self, client: PrefectClient, before: datetime) -> list[FlowRun]:
        now = datetime.now(UTC)
        if now - self._beaten >= BEAT:
            await client.send_worker_heartbeat(self.pool, self.name, BEAT.total_seconds())
            self._beaten = now
        found = await client.get_scheduled_flow_runs_for_work_pool(self.pool, scheduled_before=before)
        return [one.flow_run for one in found]

    async def orphans(self, client: PrefectClient, mine: frozenset[UUID]) -> list[FlowRun]:
        """What a former life of this worker had, or one that wasn't heard for `GONE`."""
        now = datetime.now(UTC)
        if now - self._looked < BEAT or not self._registered:
            return []
        self._looked = now
        at_work = [one for one in await _at_work(client, self._registered) if one.id not in mine]
        if not at_work:
            return []
        workers = await client.read_workers_for_work_pool(self.pool)
        heard = {one.name: one.last_heartbeat_time or now - GONE for one in workers}
        alive = {name for name, at in heard.items() if now - at < GONE}
        return [one for one in at_work if self._left_behind(one, alive, now)]

    def _left_behind(self, run: FlowRun, alive: set[str], now: datetime) -> bool:
        signed = run.infrastructure_pid or ""
        if not signed:
            since = run.state.timestamp if run.state is not None else now
            return run.state_type is StateType.PENDING and now - since > NEVER_BEGUN
        if not signed.startswith(_OURS):
            # An ordinary worker's, in a process of its own.
            return False
        name, _, life = signed.removeprefix(_OURS).rpartition(":")
        return life != self._life if name == self.name else name not in alive


async def _at_work(client: PrefectClient, registered: Mapping[UUID, Plan]) -> list[FlowRun]:
    running = FlowRunFilter(
        deployment_id=FlowRunFilterDeploymentId(any_=list(registered)),
        state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.RUNNING, StateType.PENDING])),
    )
    return list(await client.read_flow_runs(flow_run_filter=running))
