"""A process that sweeps and is killed: forked anew for each kill, so that fifty deaths cost no fifty start-ups.

Run as `python -m tests.chaos.sweeper`; it reads one JSON line for the town, then one for each sweep, and answers
each with how the sweeping child ended.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, text

from cases import ledger, rows, wake
from cases.directory import Directory
from cases.installation import Installation
from cases.keystore import KeyStore
from cases.loading import driver
from cases.office import Office, Session
from cases.sitting import Sitting
from cases.store import Store
from cases.vault import MasterKey
from tests.town import book

BATCH = 3
"""Few cases in a transaction, so that a sweep has many commits to be killed at."""
Failpoint = Mapping[str, Any]


def die() -> None:
    """As `kill -9` from outside: nothing runs after it, no `finally`, no rollback of ours."""
    os.kill(os.getpid(), signal.SIGKILL)


class Mortal(Store):
    """A store whose process dies right before or right after its n-th commit."""

    failpoint: Failpoint = MappingProxyType({})
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


def sweep(town: Mapping[str, Any], order: Failpoint) -> None:
    """Sweep in this process, which may not live to see the end of it."""
    with Mortal(town["store"]) as store, Store(town["keys"]) as keys:
        store.failpoint = order
        office = _office(store, keys, bytes.fromhex(town["master"]))
        MUTANTS[str(order.get("mutant"))](store)
        while wake.sweep(store, office, datetime.fromisoformat(order["now"]), most=BATCH).cases:
            pass


def _office(store: Store, keys: Store, secret: bytes) -> Office:
    master = MasterKey(secret)
    office = Installation(store, KeyStore(keys, master), master).office(book().version)
    office.book_of = lambda _: book()
    office.directory = Directory(0)
    return office


# ---------------------------------------------------------------------------- planted bugs that must be caught


def _sound(store: Mortal) -> None:
    """The sweep as it is."""


def _two_commits(store: Mortal) -> None:
    """What a rung has done and what its clock shows are committed one after the other."""
    whole = ledger.put

    def in_two(session: Session, sittings: list[Sitting]) -> None:
        late = [(one.case, clock) for one in sittings for clock in one.case.clocks.values() if clock.dirty]
        known = {(file.id, clock.no) for file, clock in late if clock.face.rung > 0}
        for file, clock in late:
            clock.dirty = (file.id, clock.no) not in known
        whole(session, sittings)
        driver(session).commit()
        store.commits += 1
        store.maybe("after")
        for file, clock in late:
            if (file.id, clock.no) in known:
                row = rows.clock_row(file, clock)
                session.connection.execute(
                    text("UPDATE clock SET face = cast(:face AS jsonb) WHERE case_id = :id AND no = :no"),
                    {"face": ledger._dumped([row["face"]])[1:-1], "id": file.id, "no": clock.no},
                )

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


def _child(town: Mapping[str, Any], order: Failpoint) -> int:
    """Fork a sweeper; kill it from outside where the order says after how many seconds. How it ended."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            sweep(town, order)
            code = 0
        finally:
            os._exit(code)
    if "seconds" in order:
        time.sleep(order["seconds"])
        os.kill(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def main() -> None:
    """Read the town, then sweep as ordered until nothing more is ordered."""
    town = json.loads(sys.stdin.readline())
    book()
    for line in sys.stdin:
        sys.stdout.write(f"{_child(town, json.loads(line))}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
