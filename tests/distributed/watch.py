"""Somebody who looks at the newest finished sweep five times a second and remembers the worst."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cases import heartbeat, standby
from cases.store import Store


@dataclass
class Seen:
    """How old the newest sweep ever was, the orchestrator's and anybody's; and what each look at the switch found."""

    orchestrator: timedelta = timedelta(0)
    anybody: timedelta = timedelta(0)
    red: list[bool] = field(default_factory=list)

    @property
    def changes(self) -> list[bool]:
        """The switch's colours, each time it changed: [green, red, green] reads [False, True, False]."""
        return [one for number, one in enumerate(self.red) if number == 0 or one != self.red[number - 1]]


@contextmanager
def watching(store: Store) -> Iterator[Seen]:
    """Look for as long as the block lasts."""
    seen, leave = Seen(), threading.Event()

    def look() -> None:
        while not leave.wait(0.2):
            with store.read() as connection:
                now = datetime.now(UTC)
                by_prefect = heartbeat.last(connection, standby.SWEEP, "orchestrator")
                by_any = heartbeat.last(connection, standby.SWEEP)
                seen.red.append(standby.stopped_since(connection) is not None)
            if by_prefect is not None and by_any is not None:
                seen.orchestrator = max(seen.orchestrator, now - by_prefect.finished_at)
                seen.anybody = max(seen.anybody, now - by_any.finished_at)

    thread = threading.Thread(target=look, name="watch")
    thread.start()
    try:
        yield seen
    finally:
        leave.set()
        thread.join()
