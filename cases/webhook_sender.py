"""The long-lived sender of webhooks: it looks every few seconds whether there is something to send, and sends it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Event, Thread
from typing import TYPE_CHECKING, Final, Self

from cases.belonging import a_run
from cases.store_fault import StoreFault
from cases.webhooks import Sent, send_due

if TYPE_CHECKING:
    from cases.office import Office
    from cases.store import Store
    from cases.webhooks import Way

_log = logging.getLogger(__name__)

EVERY: Final = timedelta(seconds=3)
# One look that costs next to nothing, and is all there is where nobody subscribed.
_ANYTHING: Final = """
SELECT EXISTS (SELECT FROM webhook_outbox) OR EXISTS (
  SELECT FROM webhook_delivery d JOIN subscription s ON s.id = d.subscription_id
   WHERE d.state = 'waiting' AND d.due_at <= %(now)s AND s.active
     AND coalesce(s.busy_until, %(now)s) <= %(now)s AND coalesce(s.closed_until, %(now)s) <= %(now)s)
"""


class WebhookSender:
    """Sends until it is stopped; `with WebhookSender(…):` starts and stops it. Stopping waits for what is under way.

    `clock` is read for every look (aware UTC). A database that goes away is waited for.
    """

    def __init__(
        self,
        store: Store,
        office: Callable[[], Office],
        way: Way,
        *,
        every: timedelta = EVERY,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._office = office
        self._way = way
        self._every = every
        self._clock = clock
        self._leaving = Event()
        self._thread = Thread(target=self._run, name="webhooks", daemon=True)
        self.done = Sent()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._leaving.set()
        self._thread.join()

    def look(self) -> None:
        """Send what there is, if there is anything. Raises StoreFault."""
        now = self._clock()
        with self._store.glance() as connection:
            found = connection.execute(_ANYTHING, {"now": now}).fetchone()
        if found is not None and found[0]:
            with a_run():
                self.done += send_due(self._store, self._office(), now, self._way)

    def _run(self) -> None:
        while not self._leaving.wait(self._every.total_seconds()):
            try:
                self.look()
            except StoreFault as fault:
                _log.warning("webhooks wait for the database", extra={"fault": fault.code})
            except Exception:  # noqa: BLE001 - told in the log; the lease runs out and another try follows
                _log.exception("a round of webhooks failed")
