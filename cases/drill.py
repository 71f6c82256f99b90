"""The drill: a back-up is put into a database of its own, looked through, and that database dropped again."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, func, select

from cases import backup, chain, enrolment, ledger, queries, vault
from cases import installation as installed
from cases.backup import Progress, silent
from cases.key_fault import Forgotten
from cases.office import Session
from cases.people import student
from cases.records import case, event

if TYPE_CHECKING:
    from cases.office import Office
    from cases.store import Store

SAMPLES: Final = 200


@dataclass(frozen=True, slots=True)
class Drill:
    """What a drill found. `opened` sections opened, `forgotten` belong to students who were forgotten since.

    `broken` has a line for each history that doesn't verify and each section that ought to open and doesn't.
    """

    cases: int
    opened: int
    forgotten: int
    broken: tuple[str, ...]
    took: timedelta

    def as_dict(self) -> dict[str, Any]:
        """Plain values for a JSON document."""
        seconds = round(self.took.total_seconds(), 1)
        return {**asdict(self), "took": seconds, "broken": list(self.broken)}


@contextmanager
def emptied(store: Store) -> Iterator[Store]:
    """A database beside this one without a single table, dropped when the block ends, even after a kill."""
    with store.scratch() as fresh:
        with fresh.administered() as connection:
            connection.execute("DROP SCHEMA public CASCADE")
            connection.execute("CREATE SCHEMA public")
        yield fresh


def drill(path: Path, store: Store, office: Office, told: Progress = silent) -> Drill:
    """Restore a back-up beside the database in use, follow every chain, open samples, and throw it away.

    Nothing is shown of what was opened, only that it is what the history recorded: no one has seen it, so nothing is
    written into the access log. Raises what `backup.restore` raises.
    """
    begun = time.perf_counter()
    with emptied(store) as copy:
        backup.restore(path, office.master, copy, told)
        with copy.read() as connection:
            session = Session(connection, office)
            found = queries.numbered(connection, None)
            broken: list[str] = []
            for done, (number, case_id) in enumerate(found, 1):
                broken += installed.verified(session, office, number, case_id)
                told("", done, len(found))
            opened, forgotten = _samples(connection, office, broken)
    return Drill(len(found), opened, forgotten, tuple(broken), timedelta(seconds=time.perf_counter() - begun))


def _samples(connection: Connection, office: Office, broken: list[str]) -> tuple[int, int]:
    opened = forgotten = 0
    for owner, place, section, blob, recorded in _sealed(connection):
        try:
            vault.open(office.keystore.of(owner), place, section, blob, recorded)
            opened += 1
        except Forgotten:
            forgotten += 1
        except vault.VaultFault as fault:
            broken.append(f"{place}: {section}: {fault.facts.get('why', fault.code)}")
    return opened, forgotten


def _sealed(connection: Connection) -> Iterator[tuple[int, str, vault.Section, bytes, bytes | None]]:
    """Sealed sections drawn at random, with their owner, their place and what the history recorded of them."""
    drawn = select(student.c.id, student.c.identity).where(student.c.identity.is_not(None))
    for row in connection.execute(drawn.order_by(func.random()).limit(SAMPLES)):
        yield row.id, enrolment.place_of(row.id), "identity", bytes(row.identity), None
    for section in vault.SECTIONS:
        column = event.c[section]
        sealed = (
            select(case.c.student_id, event.c.case_id, event.c.seq, column, event.c.commitments)
            .join(case, case.c.id == event.c.case_id)
            .where(column.is_not(None))
            .order_by(func.random())
            .limit(SAMPLES)
        )
        for owner, case_id, seq, blob, commitments in connection.execute(sealed):
            recorded = chain.commitment_to(section, bytes(commitments))
            yield owner, ledger.place(case_id, seq), section, bytes(blob), recorded
