"""The machines of the documentation, set up by following it, with a town whose cases come due while they run."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from cases import heartbeat, standby
from cases.installation import Installation
from cases.keystore import KeyStore
from cases.office import Session
from cases.records import case as cases_table
from cases.store import Store
from cases.vault import MasterKey
from tests import town
from tests.cases import invariants
from tests.distributed.machines import Machines, Process, machines, until
from tests.distributed.papers import commands_of
from tests.town import Town

EVERY = timedelta(seconds=5)
"""The interval of the sweeps here; three of them is what a gap may last."""
SPREAD = timedelta(seconds=2)
ESCALATED = timedelta(minutes=45)
"""One and a half of what a red case gives an organisation to report in."""


@dataclass
class Running:
    """The machines at work, and the town whose cases they sweep."""

    set_up: Machines
    city: Town
    workers: dict[str, Process] = field(default_factory=dict)
    since: str = ""

    def standing(self) -> None:
        """Whatever a test has brought down stands again: two web servers, the services, two workers, one Redis."""
        made = self.set_up
        for server in [one for one in made.servers if not one.running]:
            server.start()
        if made.services is not None and not made.services.running:
            made.services.start()
        if not made.redis.running:
            made.redis.start()
        for worker in self.workers.values():
            if not worker.running:
                worker.start()
        until(self.heard, 180, "every worker")
        begun = datetime.now(UTC)
        until(lambda: self.newest() > begun and not self.red(), 180, "a sweep, and green")

    def heard(self) -> bool:
        """Whether each worker has been heard by the server lately."""
        try:
            found = self.set_up.ask("/work_pools/whistle/workers/filter", {})
        except OSError:
            return False
        late = datetime.now(UTC) - timedelta(seconds=25)
        fresh = {one["name"] for one in found if datetime.fromisoformat(one["last_heartbeat_time"]) > late}
        return {f"machine-{name}" for name in self.workers} <= fresh

    def rows(self, query: str, **given: object) -> list[tuple[Any, ...]]:
        with self.city.store.read() as connection:
            return [tuple(row) for row in connection.execute(text(query), given)]

    def red(self) -> bool:
        """What the dead-man switch shows."""
        with self.city.store.read() as connection:
            return standby.stopped_since(connection) is not None

    def newest(self) -> datetime:
        """When the newest sweep of the orchestrator's was."""
        with self.city.store.read() as connection:
            beat = heartbeat.last(connection, "sweep", "orchestrator")
        return beat.finished_at if beat is not None else datetime.min.replace(tzinfo=UTC)

    def fall_due(self, count: int) -> None:
        """Open so many cases that are overdue; the next rung of each falls due one after the other, from now on."""
        begin = datetime.now(UTC) - ESCALATED + SPREAD
        for number in range(count):
            self.city.whistle(begin + number * SPREAD)

    def lateness(self, since: datetime) -> tuple[int, timedelta]:
        """How many rungs have come due since then and fallen, and by how much the latest of them came too late."""
        stood = "(open->>'stood_at')::timestamptz"
        found = self.rows(
            f"SELECT count(*), coalesce(max(at - {stood}), interval '0') FROM event"  # noqa: S608 - our own words
            f" WHERE name LIKE '%.report_in.escalated' AND {stood} >= :since",
            since=since,
        )
        return int(found[0][0]), found[0][1]

    def faults(self) -> list[str]:
        """Whatever is broken in any case."""
        with self.city.store.read() as connection:
            session = Session(connection, self.city.office)
            ids = list(connection.scalars(cases_table.select().with_only_columns(cases_table.c.id)))
            return [fault for one in ids for fault in invariants.broken(session, one)]


def follow(made: Machines) -> dict[str, Process]:
    """Type every line of the page, in its order; the workers that it starts."""
    workers: dict[str, Process] = {}
    for line in commands_of("production.md"):
        environ = dict(made.whistle)
        words = shlex.split(line)
        while "=" in words[0]:
            name, _, value = words.pop(0).partition("=")
            environ[name] = value
        match words:
            case ["prefect", *_]:
                made.run(shlex.join(words), made.prefect)
            case ["install", *_, source, target]:
                moved = source.replace("/var/lib/whistle", made.whistle["WHISTLE_HOME"])
                shutil.copy(moved, target.replace("/etc/whistle", str(made.folder)))
            case ["systemctl", "enable", "--now", *units]:
                _enable(made, units, workers)
            case _:
                made.run(shlex.join(words), environ)
    return workers


def _enable(made: Machines, units: list[str], workers: dict[str, Process]) -> None:
    for unit in units:
        name, _, instance = unit.partition("@")
        if name == "whistle-prefect":
            made.server()
        elif name == "whistle-prefect-services":
            made.enable_services()
        elif name == "whistle-serve":
            made.web(instance)
        else:
            assert name == "whistle-worker"
            workers[instance] = made.worker(instance)


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with ExitStack() as stack:
        made = stack.enter_context(machines())
        made.whistle["WHISTLE_SWEEP_EVERY"] = f"{EVERY.total_seconds():.0f}s"
        since = datetime.now(UTC).isoformat()
        workers = follow(made)
        city = _town(made, stack)
        there = Running(made, city, workers, since)
        there.standing()
        yield there


def _town(made: Machines, stack: ExitStack) -> Town:
    store = stack.enter_context(Store(made.whistle["WHISTLE_DATABASE_URL"]))
    keys = stack.enter_context(Store(made.whistle["WHISTLE_KEYSTORE_URL"]))
    key = Path(made.whistle["WHISTLE_MASTER_KEY_FILE"])
    master = MasterKey.load(Path(made.whistle["WHISTLE_HOME"]), key.read_text("ascii"))
    keystore = KeyStore(keys, master)
    office = Installation(store, keystore, master).office()
    city = Town(store, office)
    town._settle(city, ("street",))
    return city
