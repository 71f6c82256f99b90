"""Batches of cases whose time has come, each claimed in a transaction of its own, the next one ahead of time.

While Python works on one batch the server reads the next: a sixth of a sweep. More isn't done ahead, the writing
least of all: it would take the second core from a second worker.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Self

from cases import ledger
from cases.office import Session

if TYPE_CHECKING:
    from cases.office import Office
    from cases.sitting import Sitting
    from cases.store import Store


@dataclass(slots=True)
class Claim:
    """A batch under its locks, in a transaction of its own that ends with `until`."""

    until: ExitStack
    session: Session
    sittings: list[Sitting]


class Claims:
    """Claims batches, the next one while this one is worked on: the server reads what Python will need."""

    def __init__(self, store: Store, office: Office, now: datetime) -> None:
        self.store, self.office, self.now = store, office, now
        self._thread: ThreadPoolExecutor | None = None
        self._ahead: Future[Claim] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._thread is not None:
            self.forgo()
            self._thread.shutdown()

    def take(self, size: int) -> Claim:
        """Up to `size` cases whose time has come: those that were claimed ahead, or new ones."""
        ahead, self._ahead = self._ahead, None
        return self._claimed(size) if ahead is None else ahead.result()

    def look_ahead(self, size: int) -> None:
        """Begin to claim the batch that `take` will give next."""
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, "claims")
        self._ahead = self._thread.submit(self._claimed, size)

    def forgo(self) -> None:
        """Let go what was claimed ahead: whoever comes next takes it."""
        ahead, self._ahead = self._ahead, None
        if ahead is not None and ahead.exception() is None:
            # Nothing was written in it: its end only lets the locks go.
            ahead.result().until.close()

    def _claimed(self, size: int) -> Claim:
        with ExitStack() as until:
            session = Session(until.enter_context(self.store.begin()), self.office)
            sittings = ledger.take_due(session, self.now, size)
            return Claim(until.pop_all(), session, sittings)
