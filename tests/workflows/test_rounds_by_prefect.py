"""Rounds as runs of a real Prefect server: they complete, leave what they promise, and outlive who was at them."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.states import Pending, Running, Scheduled

from cases.rounds import Premises
from tests.cases.test_rounds import returned
from tests.town import START, Town
from tests.workflows.test_living import asked, rows, until
from workflows import deployments, flows
from workflows.deployments import Plan
from workflows.runner import Runner
from workflows.server import Server
from workflows.sources import Own, Pool, Source

# Prefect's own clients leave a connection to the garbage collector at the end of a thread; runs don't add any.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")

FIRST_OF_APRIL = datetime(2026, 4, 1, 1, 0, tzinfo=UTC)
"""A Wednesday, 09:00 in Nanjing: the bulletin is of March."""
FIRST_OF_MAY = datetime(2026, 5, 1, 1, 0, tzinfo=UTC)
DISTRICTS = [("T-district", "示例district"), ("T-district#2", "示例district#2")]
EVERY = timedelta(seconds=1)


@contextmanager
def working(*sources: Source) -> Iterator[list[Runner]]:
    runners = [Runner(one, look=timedelta(seconds=0.3)) for one in sources]
    for runner in runners:
        runner.start()
    try:
        assert all(one.wait_settled(90) for one in runners)
        yield runners
    finally:
        for runner in runners:
            runner.stop()
        gc.collect()


def planned(*of: object) -> tuple[Plan, ...]:
    return tuple(one for one in deployments.plans(EVERY, "Asia/Shanghai", DISTRICTS) if one.flow in of)


def order(*plans: Plan, pool: str | None = None, at: datetime | None = None) -> dict[str, UUID]:
    """Have each run now, whatever its schedule says, or as one that should have run at that instant."""

    async def ordered(client: PrefectClient) -> dict[str, UUID]:
        registered = await deployments.register(plans, pool)
        return {
            plan.name: (await client.create_flow_run_from_deployment(number, state=Scheduled(scheduled_time=at))).id
            for number, plan in registered.items()
        }

    return asked(ordered)


def ended(run: UUID) -> StateType | None:
    return asked(lambda client: client.read_flow_run(run)).state_type


def test_digest_bulletin_and_joint_tracking_complete_and_leave_messages_and_a_sheet_for_each_district(
    orchestrator: Server, city: Town, premises: Premises
) -> None:
    premises.clock = lambda: FIRST_OF_APRIL
    _, number = returned(city, "2026-03-17")
    city.whistle()
    city.run_until(START + timedelta(days=2))
    plans = planned(flows.digest, flows.bulletin, flows.joint_tracking)
    with working(Own(lambda: plans)):
        ordered = order(*plans, at=FIRST_OF_APRIL)
        until(lambda: {ended(one) for one in ordered.values()} == {StateType.COMPLETED})
    kinds = dict(rows(city, "SELECT kind, count(*) FROM message WHERE kind IN ('digest', 'bulletin') GROUP BY kind"))
    assert set(kinds) == {"digest", "bulletin"}
    assert kinds["bulletin"] == 2
    sheets = asked(lambda client: client.read_artifacts(limit=50))
    tables = {str(one.key): str(one.data) for one in sheets if one.type == "table"}
    assert set(tables) == {"joint-tracking-t-district", "joint-tracking-t-district-2"}
    assert number in tables["joint-tracking-t-district"]
    assert "school, hospital" in tables["joint-tracking-t-district"]


def test_two_bulletins_that_were_missed_are_each_of_their_own_month(
    orchestrator: Server, city: Town, premises: Premises
) -> None:
    premises.clock = lambda: FIRST_OF_MAY
    for whistled in (START, START + timedelta(days=21)):
        city.whistle(whistled)
        city.run_until(whistled + timedelta(days=2))
    plans = planned(flows.bulletin)
    missed = [order(*plans, at=at)["bulletin"] for at in (FIRST_OF_APRIL, FIRST_OF_MAY)]
    with working(Own(lambda: plans)):
        until(lambda: {ended(one) for one in missed} == {StateType.COMPLETED})
    occasions = rows(city, "SELECT DISTINCT occasion FROM message WHERE kind = 'bulletin' ORDER BY 1")
    assert [one for (one,) in occasions] == ["bulletin:2026-03", "bulletin:2026-04"]


def test_what_a_killed_process_had_at_work_is_written_off_if_the_next_sweep_does_it_and_else_made_after_all(
    orchestrator: Server, city: Town, premises: Premises
) -> None:
    premises.clock = lambda: FIRST_OF_APRIL
    plans = planned(flows.sweep, flows.digest)
    left = order(*plans)

    async def take(client: PrefectClient) -> None:
        for run in left.values():
            states: tuple[State[object], ...] = (Pending(), Running())
            for state in states:
                await client.set_flow_run_state(run, state)

    asked(take)
    with working(Own(lambda: plans)):
        until(lambda: ended(left["sweep"]) is StateType.CRASHED)
        until(lambda: ended(left["digest"]) is StateType.COMPLETED)


def test_two_workers_of_a_pool_share_its_runs_and_take_over_what_a_third_one_left_behind(
    orchestrator: Server, city: Town, premises: Premises
) -> None:
    city.whistle(datetime.now(UTC) - timedelta(hours=1))
    plans = planned(flows.sweep, flows.digest)
    asked(lambda client: client.create_work_pool(WorkPoolCreate(name="city", type="process")))
    left = order(*plans, pool="city")

    async def take(client: PrefectClient) -> None:
        pending: State[object] = Pending()
        for run in left.values():
            await client.set_flow_run_state(run, pending)
            await client.update_flow_run(run, infrastructure_pid="whistle:third:0a0a0a0a")

    asked(take)
    with working(Pool("city", "first"), Pool("city", "second")):
        until(lambda: ended(left["sweep"]) is StateType.CRASHED)
        until(lambda: ended(left["digest"]) is StateType.COMPLETED)
        until(lambda: set(shares(left["sweep"])) == {"first", "second"})
    assert rows(city, "SELECT count(*) FROM event WHERE trigger = 'report_in.breached'") == [(3,)]


def shares(of: UUID) -> Counter[str]:
    """How many sweeps each worker has made; fails where one was made twice."""

    async def all_like(client: PrefectClient) -> list[FlowRun]:
        mine = (await client.read_flow_run(of)).deployment_id
        found = await client.read_flow_runs(limit=200)
        return [one for one in found if one.deployment_id == mine and one.state_type is StateType.COMPLETED]

    done = asked(all_like)
    assert {one.run_count for one in done} <= {1}
    assert len({one.expected_start_time for one in done}) == len(done)
    return Counter(str(one.infrastructure_pid).split(":")[1] for one in done)
