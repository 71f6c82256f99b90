"""The programme "several machines": whatever falls over, every rung falls once, in time, and people are told once.

By name: `make distributed`. Needs Debian's PostgreSQL and Redis, which it installs as root.
"""

from __future__ import annotations

import shlex
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.distributed.conftest import EVERY, Running
from tests.distributed.machines import Process, until
from tests.distributed.papers import here
from tests.distributed.watch import Seen, watching

pytestmark = pytest.mark.long

BOUND = 3 * EVERY
"""What the dead-man switch allows, and what nobody may notice a lost machine by."""
DONE = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED", "RUNNING", "PENDING")
LOCKED = "LOCK TABLE heartbeat IN EXCLUSIVE MODE"


def report(what: str, **figures: object) -> None:
    """A figure for whoever reads the run: `pytest -s`."""
    print(f"\n  {what}: " + ", ".join(f"{name} {value}" for name, value in figures.items()))  # noqa: T201


def seconds(length: timedelta) -> str:
    return f"{length.total_seconds():.1f} s"


@contextmanager
def quietly(running: Running, length: float) -> Iterator[Seen]:
    """Watch while something is done, and for a while after it; the switch must not move, and no rung be late."""
    begun = datetime.now(UTC)
    with watching(running.city.store) as seen:
        yield seen
        time.sleep(length)
    assert seen.orchestrator <= BOUND
    assert not any(seen.red)
    fallen, late = running.lateness(begun)
    report("rungs that came due meanwhile", fallen=fallen, latest=seconds(late))
    assert late <= BOUND


def signed(run: dict[str, Any]) -> str:
    """The worker that claimed it."""
    return str(run["infrastructure_pid"] or "").removeprefix("whistle:machine-").partition(":")[0]


def holder(running: Running, deployment: str) -> tuple[str, dict[str, Any]]:
    """Who has a run of this deployment at work."""
    found: list[dict[str, Any]] = []

    def looked() -> bool:
        at_work = running.set_up.flow_runs("RUNNING")
        found[:] = [one for one in at_work if signed(one) and deployment_of(running, one).startswith(deployment)]
        return bool(found)

    until(looked, 20, f"a {deployment} at work")
    return signed(found[0]), found[0]


def deployment_of(running: Running, run: dict[str, Any]) -> str:
    return str(running.set_up.ask(f"/deployments/{run['deployment_id']}")["name"])


def state_of(running: Running, run: dict[str, Any]) -> str:
    return str(running.set_up.ask(f"/flow_runs/{run['id']}")["state"]["type"])


def order(running: Running, flow: str, deployment: str) -> dict[str, Any]:
    """Have a deployment run now, as a person does from Prefect's pages."""
    number = running.set_up.ask(f"/deployments/name/{flow}/{deployment}")["id"]
    made: dict[str, Any] = running.set_up.ask(f"/deployments/{number}/create_flow_run", {})
    return made


def test_two_workers_share_the_sweeps_and_cost_little(running: Running) -> None:
    running.standing()
    running.fall_due(10)
    everybody: list[Process] = [*running.workers.values(), *running.set_up.servers, running.set_up.redis]
    assert running.set_up.services is not None
    everybody.append(running.set_up.services)
    with quietly(running, 0) as seen:
        before = [one.cpu_seconds() for one in everybody]
        begun = time.monotonic()
        time.sleep(60)
        lasted = time.monotonic() - begun
        spent = [one.cpu_seconds() - was for one, was in zip(everybody, before, strict=True)]
    report(
        "idle, % of a core", **{one.name: f"{cost / lasted:.1%}" for one, cost in zip(everybody, spent, strict=True)}
    )
    done = running.set_up.flow_runs("COMPLETED")
    share = Counter(signed(one) for one in done)
    report("runs by worker", **share, oldest=seconds(seen.orchestrator))
    assert set(share) == {"1", "2"}
    assert min(share.values()) >= sum(share.values()) // 10


def test_a_worker_that_is_killed_in_the_midst_of_a_sweep_is_not_missed(running: Running) -> None:
    running.standing()
    running.fall_due(15)
    with quietly(running, 45) as seen:
        with running.city.store.begin() as connection:
            # A sweep can't leave its heartbeat now: it stays at work until its machine loses its power.
            connection.exec_driver_sql(LOCKED)
            who, run = holder(running, "sweep")
            running.workers[who].kill()
        until(lambda: state_of(running, run) == "CRASHED", 60, "the end of the orphan")
    report("a worker killed", oldest=seconds(seen.orchestrator))


def test_a_digest_whose_worker_is_killed_is_made_by_another(running: Running) -> None:
    running.standing()
    with quietly(running, 0) as seen:
        with running.city.store.begin() as connection:
            connection.exec_driver_sql(LOCKED)
            run = order(running, "digest", "digest")
            who, _ = holder(running, "digest")
            running.workers[who].kill()
        until(lambda: state_of(running, run) == "COMPLETED", 90, "the digest")
    other = running.set_up.ask(f"/flow_runs/{run['id']}")
    assert signed(other) != who
    assert other["run_count"] == 2
    report("a digest's worker killed", oldest=seconds(seen.orchestrator))


def test_one_of_two_web_servers_and_then_redis_are_killed_and_nobody_notices(running: Running) -> None:
    running.standing()
    running.fall_due(15)
    for one in (running.set_up.servers[0], running.set_up.redis):
        with quietly(running, 30) as seen:
            one.kill()
            time.sleep(5)
            one.start()
        report(f"{one.name} killed", oldest=seconds(seen.orchestrator))


def test_without_prefect_the_workers_sweep_the_switch_turns_red_once_and_green_again(running: Running) -> None:
    running.standing()
    told = "SELECT count(*) FROM message WHERE kind = 'stalled'"
    before = running.rows(told)[0][0]
    running.fall_due(25)
    begun = datetime.now(UTC)
    with watching(running.city.store) as seen:
        for one in running.set_up.servers:
            one.kill()
        until(lambda: True in seen.red, 60, "red")
        time.sleep(20)
        for one in running.set_up.servers:
            one.start()
        until(lambda: not seen.red[-1], 90, "green")
        time.sleep(10)
    assert seen.changes == [False, True, False]
    # A worker looks once an interval, so the switch turns an interval after the third at the latest.
    assert seen.anybody <= BOUND + 2 * EVERY
    fallen, late = running.lateness(begun)
    assert fallen > 0
    assert late <= BOUND + 2 * EVERY
    # Each of the city's two who watch over it, once.
    assert running.rows(told)[0][0] - before == 2
    report("all of Prefect killed", oldest=seconds(seen.anybody))


def test_the_work_that_comes_due_at_once_is_shared(running: Running) -> None:
    running.standing()
    with quietly(running, 0):
        late = datetime.now(UTC) - timedelta(hours=2)
        for _ in range(40):
            running.city.whistle(late)
        until(lambda: not running.rows("SELECT 1 FROM cases WHERE wake_at < now() - interval '10 s'"), 60, "rest")


def test_ordinary_workers_of_prefect_can_take_their_place_at_a_price(running: Running) -> None:
    running.standing()
    made = running.set_up
    for worker in running.workers.values():
        worker.stop()
    register = "python -m workflows.production --pool whistle --shards 2"
    # More often would be more than two cores have: each run is a process that imports everything.
    made.run(register, {**made.whistle, "WHISTLE_SWEEP_EVERY": "1m"})
    command = "prefect worker start --pool whistle --type process --name ordinary-"
    ordinary = [made.process(f"ordinary-{one}", here(shlex.split(f"{command}{one}")), made.whistle) for one in "12"]
    begun = datetime.now(UTC)
    until(lambda: running.newest() > begun, 180, "a sweep")
    before = sum(one.cpu_seconds() for one in ordinary)
    finished = len(made.flow_runs("COMPLETED"))
    time.sleep(120)
    spent = sum(one.cpu_seconds() for one in ordinary) - before
    runs = len(made.flow_runs("COMPLETED")) - finished
    report("ordinary workers", runs=runs, each=f"{spent / max(runs, 1):.1f} s of processor time")
    with watching(running.city.store) as seen:
        ordinary[0].kill()
        time.sleep(120)
    report("an ordinary worker killed", oldest=seconds(seen.orchestrator))
    ordinary[1].stop()
    made.run(register, made.whistle)
    running.standing()
    assert runs > 0
    assert seen.orchestrator <= timedelta(minutes=3)


def test_the_services_are_killed_and_go_on_scheduling_when_they_are_back(running: Running) -> None:
    running.standing()
    services = running.set_up.services
    assert services is not None
    with quietly(running, 30) as seen:
        services.kill()
    services.start()
    report("services killed", oldest=seconds(seen.orchestrator))
    last = furthest_sweep(running)
    # What a killed process had under its hands is given to the next one after five minutes; runs are there for longer.
    until(lambda: furthest_sweep(running) > last, 420, "a new run")


def furthest_sweep(running: Running) -> str:
    """For when the last of the sweeps to come is scheduled."""
    number = running.set_up.ask("/deployments/name/sweep/sweep-1")["id"]
    ahead = running.set_up.flow_runs("SCHEDULED")
    return max(str(one["expected_start_time"]) for one in ahead if one["deployment_id"] == number)


def test_after_all_this_every_rung_fell_once_in_order_and_was_told_once(running: Running) -> None:
    running.standing()
    time.sleep(EVERY.total_seconds())
    for worker in running.workers.values():
        assert worker.stop() == 0
    assert running.faults() == []
    doubled = "SELECT case_id, seq, member_id, kind FROM message WHERE case_id IS NOT NULL"
    assert running.rows(f"{doubled} GROUP BY 1, 2, 3, 4 HAVING count(*) > 1") == []
    cases = running.rows("SELECT count(*) FROM cases")[0][0]
    # Each case calls three organisations, and none of them has reported in.
    for rung in ("reminded", "warned", "breached", "escalated"):
        fallen = "SELECT count(*) FROM event WHERE name = :name"
        assert running.rows(fallen, name=f"assignment.report_in.{rung}")[0][0] == 3 * cases
    assert running.rows("SELECT kind, why FROM incident WHERE kind <> 'sweep_stopped'") == []
    runs = running.set_up.flow_runs(*DONE)
    twice = Counter((one["deployment_id"], one["expected_start_time"]) for one in runs if one["run_count"])
    assert [one for one, count in twice.items() if count > 1] == []
    lives = {one["name"].rpartition(" 20")[0] for one in runs if one["run_count"] > 1}
    assert lives <= {"digest"}
    # A process of an ordinary worker's that was killed is nobody's to bury.
    assert {one["state"]["type"] for one in runs if signed(one) in running.workers} <= {"COMPLETED", "CRASHED"}
    for log in running.set_up.folder.glob("worker-*.log"):
        assert "Traceback" not in log.read_text()
    counted = running.rows("SELECT count(*) FROM event WHERE open ? 'percent'")[0][0]
    report("in all", runs=len(runs), rungs=counted, messages=running.rows("SELECT count(*) FROM message")[0][0])
