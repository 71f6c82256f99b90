"""Imports that were started go on to their end: after the answer, and by another process where the first one died."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Final, Self

from api.imports.lists import listed
from api.imports.table_fault import TableFault
from cases import imports
from cases.directory_fault import DirectoryFault
from cases.import_fault import ImportFault
from cases.refusal import Refusal
from cases.store_fault import StoreFault

if TYPE_CHECKING:
    from api.house import House
    from cases.imports import Job
    from cases.office import Session
    from cases.placing import Reach
    from cases.who import Actor

_log = logging.getLogger(__name__)
EVERY: Final = timedelta(minutes=1)


def prepared(session: Session, house: House, job: Job, actor: Actor) -> Callable[[], None]:
    """What writes the rest of this member's import. Asks their rights anew: refuses as `imports.reach_of` does.

    Raises ImportFault gone where the file was cleared away.
    """
    school = None
    if job.school is not None:
        school = session.office.directory.organisation(session.connection, job.school).code
    reach = imports.reach_of(session.connection, actor, job.kind, school)
    content = imports.waiting(session.connection, house.office, job.id, actor.member_id)
    return partial(_write, house, job, content, reach)


def take_up(house: House) -> int:
    """Go on with every import whose process died; how many there were. One that can't go on waits for its owner."""
    with house.store.read() as connection:
        lying = imports.left_lying(connection, house.clock())
    for job in lying:
        _log.warning("an import goes on", extra={"job": job.id, "kind": job.kind})
        try:
            with house.writing() as session:
                actor, _ = house.known(job.member or 0, house.clock())
                task = prepared(session, house, job, actor)
        except (DirectoryFault, Refusal, ImportFault) as fault:
            _stopped(house, job, fault.code)
        else:
            task()
    return len(lying)


def _write(house: House, job: Job, content: bytes, reach: Reach) -> None:
    try:
        today = house.clock().astimezone(house.office.book_of(house.office.current).tz).date()
        rows = listed(job.kind, content, today).rows
        imports.run(house.store, house.office, job.id, rows, reach, house.clock)
    except (ImportFault, TableFault) as fault:
        # Where another process is at it, nothing is amiss.
        if fault.code != "importing":
            _stopped(house, job, fault.code)
    except StoreFault as fault:
        _log.warning("an import waits for the database", extra={"job": job.id, "code": fault.code})
    except Exception:  # noqa: BLE001 - nobody waits for this: it is noted, and its owner can start it again
        _log.exception("an import broke off", extra={"job": job.id})
        _stopped(house, job, "broke_off")


def _stopped(house: House, job: Job, code: str) -> None:
    _log.warning("an import stopped", extra={"job": job.id, "kind": job.kind, "code": code})
    with house.writing() as session:
        imports.put_back(session.connection, job.id, house.clock())


class TakingUp:
    """A thread that looks now and then whether an import lies there, for as long as the block lasts."""

    def __init__(self, house: House, every: timedelta = EVERY) -> None:
        self._house = house
        self._every = every
        self._leaving = threading.Event()
        self._thread = threading.Thread(target=self._work, name="imports", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._leaving.set()
        self._thread.join(5)

    def _work(self) -> None:
        wait = 0.0
        while not self._leaving.wait(wait):
            wait = self._every.total_seconds()
            try:
                take_up(self._house)
            except Exception as fault:  # noqa: BLE001 - the next look may fare better, and nobody waits for this one
                _log.error("imports weren't looked after", extra={"fault": type(fault).__name__})
