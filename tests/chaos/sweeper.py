"""A process that sweeps, or pulls triggers, and is killed: forked anew for each, so that a death costs little.

Run as `python -m tests.chaos.sweeper`; it reads one JSON line for the town, then one for each order, and answers
each with how its child ended and what the child had answered before that.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, select, text

from cases import engine, ledger, wake
from cases.directory import Directory, version_of
from cases.installation import Installation
from cases.keystore import KeyStore
from cases.loading import driver
from cases.office import Office, Session
from cases.people import organisation
from cases.sitting import Sitting
from cases.store import Store
from cases.vault import MasterKey
from tests.town import book

BATCH = 3
"""Few cases in a transaction, so that a sweep has many commits to be killed at."""
Order = Mapping[str, Any]


def die() -> None:
    """As `kill -9` from outside: nothing runs after it, no `finally`, no rollback of ours."""
    os.kill(os.getpid(), signal.SIGKILL)


class Mortal(Store):
    """A store whose process dies right before or right after its n-th commit."""

    failpoint: Order = MappingProxyType({})
    commits = 0

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        with super().begin() as connection:
            yield connection
            self.commits += 1
            self.maybe("before")
        self.maybe("after")

    def maybe(self, where: str) -> None:
        """Die here, if this is the place."""
        if self.failpoint.get("where") == where and self.failpoint.get("commit") == self.commits:
            die()


@contextmanager
def premises(town: Order, order: Order) -> Iterator[tuple[Mortal, Office]]:
    """The store that this process may die at, and its office."""
    with Mortal(town["store"]) as store, Store(town["keys"]) as keys:
        store.failpoint = order
        master = MasterKey(bytes.fromhex(town["master"]))
        office = Installation(store, KeyStore(keys, master), master).office(book().version)
        office.book_of = lambda _: book()
        with store.read() as connection:
            # As in a process that has worked before: what the first batch costs is another matter.
            office.directory = Directory(version_of(connection))
            places = set(connection.scalars(select(organisation.c.id)))
            office.directory.prefetch(connection, places, datetime.fromisoformat(order["now"]))
        yield store, office


def sweep(town: Order, order: Order) -> None:
    """Sweep in this process, which may not live to see the end of it."""
    with premises(town, order) as (store, office):
        MUTANTS[str(order.get("mutant"))](store)
        size = order.get("batch", BATCH)
        while wake.sweep(store, office, datetime.fromisoformat(order["now"]), most=size).cases:
            pass


def pull(town: Order, order: Order, answer: Callable[[str], object]) -> None:
    """Pull a trigger again and again, on one case after another, and answer each that is done with its event."""
    now = datetime.fromisoformat(order["now"])
    with premises(town, order) as (store, office):
        for number in range(order["pulls"]):
            case = order["cases"][number % len(order["cases"])]
            with store.begin() as connection:
                actor = office.directory.actor(connection, order["member"], now)
                done = engine.fire(Session(connection, office), case, 1, "remind", actor, {}, now)
                said = f"{case}:{done.events[-1]} "
                if order.get("mutant") == "answers_first":
                    answer(said)
            if order.get("mutant") != "answers_first":
                answer(said)


# ---------------------------------------------------------------------------- planted bugs that must be caught


def _sound(store: Mortal) -> None:
    """The sweep as it is."""


def _two_commits(store: Mortal) -> None:
    """What a rung has done and what its clock shows are committed one after the other."""
    whole = ledger.put

    def in_two(session: Session, sittings: list[Sitting]) -> None:
        ids = {"ids": [one.case.id for one in sittings]}
        clocks = text("SELECT coalesce(jsonb_agg(to_jsonb(clock)), '[]')::text FROM clock WHERE case_id = ANY(:ids)")
        write = text(
            "UPDATE clock c SET state = r.state, wake_at = r.wake_at, rung = r.rung, face = r.face"
            " FROM jsonb_populate_recordset(NULL::clock, cast(:rows AS jsonb)) r"
            " WHERE c.case_id = r.case_id AND c.no = r.no"
        )
        before = session.connection.scalar(clocks, ids)
        whole(session, sittings)
        after = session.connection.scalar(clocks, ids)
        session.connection.execute(write, {"rows": before})
        driver(session).commit()
        store.commits += 1
        store.maybe("after")
        session.connection.execute(write, {"rows": after})

    ledger.put = in_two  # type: ignore[assignment]


def _claims_first(store: Mortal) -> None:
    """A case is claimed in a transaction of its own, before its rungs are written."""
    whole = ledger.take_due

    def claimed(session: Session, now: datetime, most: int) -> list[Sitting]:
        sittings = whole(session, now, most)
        for one in sittings:
            later = {"later": now + timedelta(days=30), "id": one.case.id}
            session.connection.execute(text("UPDATE cases SET wake_at = :later WHERE id = :id"), later)
        driver(session).commit()
        store.commits += 1
        store.maybe("after")
        return sittings

    ledger.take_due = claimed


MUTANTS = {"None": _sound, "two_commits": _two_commits, "claims_first": _claims_first}


# ------------------------------------------------------------------------------------------------ the process


def _child(town: Order, order: Order) -> tuple[int, str]:
    """Fork a worker; kill it from outside where the order says after how many seconds. How it ended, what it said."""
    ear, mouth = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            if "pulls" in order:
                pull(town, order, lambda said: os.write(mouth, said.encode()))
            else:
                sweep(town, order)
            code = 0
        finally:
            os._exit(code)
    os.close(mouth)
    if "seconds" in order:
        time.sleep(order["seconds"])
        os.kill(child, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    with os.fdopen(ear) as heard:
        return code, heard.read()


def main() -> None:
    """Read the town, then work as ordered until nothing more is ordered."""
    town = json.loads(sys.stdin.readline())
    book()
    for line in sys.stdin:
        sys.stdout.write(json.dumps(_child(town, json.loads(line))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
