"""When the flows run: schedules, tags, limits. Prefect keeps them; here they are declared anew at each start."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from prefect import Flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
from prefect.exceptions import ObjectNotFound
from prefect.schedules import Cron, Interval, Schedule
from prefect.types.entrypoint import EntrypointType

from workflows import flows

if TYPE_CHECKING:
    from prefect.client.schemas.responses import DeploymentResponse

    from cases.rounds import Premises

TAG: Final = "whistle"
"""Every deployment of ours has it."""
_ANCHOR: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""From where intervals count. Without it each of the server's schedulers counts from an instant of its own."""
DELIVER_EVERY: Final = timedelta(minutes=5)
"""The net under the deliverer and the sender of webhooks, which look every few seconds by themselves."""


TALLY_EVERY: Final = timedelta(minutes=5)


_ONE: Final = ConcurrencyLimitConfig(limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW)


@dataclass(frozen=True, slots=True)
class Plan:
    """One deployment: a flow, when it runs, what it is given. Without a schedule it was read back from the server."""

    flow: Flow[..., Any]
    name: str
    schedule: Schedule | None
    tags: tuple[str, ...]
    parameters: Mapping[str, Any] = field(default_factory=dict)

    @property
    def coalesce(self) -> bool:
        """Of several due runs only the newest counts, because one sweep does the work of all that were missed.

        A bulletin is of the month before its own time: each is sent.
        """
        return self.flow is not flows.bulletin

    @property
    def frequent(self) -> bool:
        """The next run is seconds away, and two beside each other are harmless: each takes what no other holds.

        So it has no limit. The slot of a run whose process was killed is held for five minutes, in which the server
        would cancel every sweep.
        """
        return self.flow in {flows.sweep, flows.deliver, flows.webhooks}


def plans(
    every: timedelta,
    zone: str,
    districts: Iterable[tuple[str, str]] = (),
    *,
    shards: int = 1,
    backups: bool = False,
) -> tuple[Plan, ...]:
    """All deployments. Times of day are those of the policy's zone.

    Tags say the kind of work and the district's code, never a person nor what a case holds. Several `shards` share
    the sweep on several machines: each takes the cases that no other holds (SKIP LOCKED), and they take turns in
    the interval, so that where one is lost the next is not a whole interval away.
    """

    def at(cron: str) -> Schedule:
        return Cron(cron, timezone=zone)

    sweeps = [
        Plan(
            flows.sweep,
            "sweep" if shards == 1 else f"sweep-{one + 1}",
            Interval(every, anchor_date=_ANCHOR + one * every / shards),
            ("time",),
        )
        for one in range(shards)
    ]
    tracked = [
        Plan(
            flows.joint_tracking,
            flows.sheet_key(code),
            at("0 7 * * *"),
            ("tracking", f"district:{code}"),
            {"district": code},
        )
        for code, _ in districts
    ]
    return (
        *sweeps,
        Plan(flows.deliver, "deliver", Interval(DELIVER_EVERY, anchor_date=_ANCHOR), ("messages",)),
        Plan(flows.webhooks, "webhooks", Interval(DELIVER_EVERY, anchor_date=_ANCHOR), ("messages",)),
        *tracked,
        Plan(flows.tally, "tally", Interval(TALLY_EVERY, anchor_date=_ANCHOR), ("statistics",)),
        # The flow itself asks the working calendar: make-up Saturdays work, holidays don't.
        Plan(flows.digest, "digest", at("30 8 * * *"), ("messages",)),
        Plan(flows.bulletin, "bulletin", at("0 9 1 * *"), ("messages",)),
        Plan(flows.seal, "seal", at("5 * * * *"), ("history",)),
        Plan(flows.seal, "seal-thorough", at("35 3 * * *"), ("history",), {"thorough": True}),
        Plan(flows.retention, "retention-list", at("0 4 1 * *"), ("retention",)),
        Plan(flows.retention, "retention-apply", at("0 4 9 * *"), ("retention",), {"apply": True}),
        Plan(flows.keys, "keys", at("10 2 * * *"), ("backup",)),
        *([Plan(flows.backup, "backup", at("20 2 * * *"), ("backup",))] if backups else []),
    )


def of(premises: Premises, every: timedelta, *, shards: int = 1) -> tuple[Plan, ...]:
    """The deployments of an installation, with one sheet of joint tracking for each of its districts."""
    from cases import tracking

    office = premises.office()
    with premises.kept.store.read() as connection:
        districts = tracking.districts(connection)
    zone, backups = str(office.book_of(office.current).tz), premises.backups is not None
    return plans(every, zone, districts, shards=shards, backups=backups)


async def register(planned: Iterable[Plan], work_pool: str | None = None) -> dict[UUID, Plan]:
    """Write the deployments to the server that the environment names; answers them by id. Safe to repeat.

    A deployment of ours that is planned no more is deleted with its scheduled runs. With a work pool the runs are
    for its workers, else for the runner in this process.
    """
    registered: dict[UUID, Plan] = {}
    for plan in planned:
        deployment = await plan.flow.ato_deployment(
            plan.name,
            schedule=plan.schedule,
            parameters=dict(plan.parameters),
            tags=[TAG, *plan.tags],
            concurrency_limit=None if plan.frequent else _ONE,
            work_pool_name=work_pool,
            entrypoint_type=EntrypointType.MODULE_PATH,
        )
        registered[await deployment.aapply()] = plan
    await _forget_others(set(registered))
    return registered


def known(deployment: DeploymentResponse) -> Plan | None:
    """What a deployment that was written by `register`, here or elsewhere, runs; None for a flow of another version."""
    found = [one for one in flows.FLOWS if one.fn.__name__ == str(deployment.entrypoint).rpartition(".")[2]]
    return Plan(found[0], deployment.name, None, tuple(deployment.tags)) if found else None


async def _forget_others(ours: set[UUID]) -> None:
    from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterTags

    async with get_client() as client:
        tagged = DeploymentFilter(tags=DeploymentFilterTags(all_=[TAG]))
        for one in await client.read_deployments(deployment_filter=tagged, limit=200):
            if one.id not in ours:
                try:
                    await client.delete_deployment(one.id)
                except ObjectNotFound:
                    # Another machine registers the same ones at the same time.
                    continue
