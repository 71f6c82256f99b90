"""The long-lived deliverer: it listens for red messages, looks every few seconds, and keeps lanes apart.

What is laid out is sent while more is being laid out: a red message never waits for ten thousand others.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Final, Self

from psycopg import sql

from cases.belonging import a_run
from cases.crew import LANES_AT_ONCE, Crew, Hand
from cases.delivery import Delivered, Manner, drain, prepare
from cases.outbox import NOTIFIED
from cases.store_fault import StoreFault

if TYPE_CHECKING:
    from cases.store import Store
    from notifiers.channels import Channels

_log = logging.getLogger(__name__)

EVERY: Final = timedelta(seconds=3)
_LISTEN_SECONDS: Final = 0.5
_REST_SECONDS: Final = 1.0


class Deliverer:
    """Delivers until it is stopped; `with Deliverer(…):` starts and stops it. Stopping waits for what is under way.

    `clock` is read for every step (aware UTC). A database that goes away is waited for.
    """

    def __init__(
        self,
        store: Store,
        channels: Channels,
        manner: Manner,
        *,
        every: timedelta = EVERY,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        lanes_at_once: int = LANES_AT_ONCE,
    ) -> None:
        self._store = store
        self._channels = channels
        self._manner = manner
        self._every = every
        self._clock = clock
        self._stop = Event()
        self._lock = Lock()
        self._crew = Crew(self._drain, lanes_at_once, manner.hands)
        self._thread = Thread(target=self._run, name="deliverer", daemon=True)
        self.done = Delivered()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Begin to listen and to deliver, in threads of its own."""
        self._thread.start()

    def stop(self) -> None:
        """Take on nothing new, and wait until what is being sent has been written down."""
        self._stop.set()
        self._thread.join()
        self._crew.close()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._listen()
            except StoreFault as fault:
                _log.warning("delivery waits for the database", extra={"fault": fault.code})
                self._stop.wait(_REST_SECONDS)
            except Exception:  # noqa: BLE001 - told in the log, whatever it was
                # Nobody is told anything while this thread is dead: it rests, and tries again.
                _log.exception("a round of delivery failed")
                self._stop.wait(_REST_SECONDS)

    def _listen(self) -> None:
        with self._store.administered() as connection:
            connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(NOTIFIED)))
            looked = self._clock() - self._every
            while not self._stop.is_set():
                if self._clock() - looked >= self._every:
                    looked = self._clock()
                    self._look()
                for _ in connection.notifies(timeout=_LISTEN_SECONDS, stop_after=1):
                    self._look()

    def _look(self) -> None:
        """Lay out what is new, and see to every lane that has something to do."""
        more = True
        while more and not self._stop.is_set():
            found = Delivered()
            with a_run():
                due, more = prepare(self._store, self._channels, self._clock(), self._manner, found)
                self._count(found)
                self._crew.see_to(due)

    def _drain(self, name: str, hand: Hand) -> None:
        try:
            self._count(drain(self._store, self._channels, name, self._clock, self._manner, hand))
        except StoreFault as fault:
            # What was claimed is free again when its lease ends.
            _log.warning("a lane waits for the database", extra={"fault": fault.code})
        except Exception:  # noqa: BLE001 - as above; the lease runs out and another try follows
            _log.exception("a lane of delivery failed")

    def _count(self, part: Delivered) -> None:
        with self._lock:
            self.done.add(part)
