"""The dead-man switch at work: a thread that looks whether sweeps finish, and sweeps itself while they don't.

It knows nothing of Prefect: it asks the database when the orchestrator last finished a sweep (`cases.standby`).
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from cases import rounds, standby

if TYPE_CHECKING:
    from cases.rounds import Premises

_log = logging.getLogger(__name__)


class Watchdog:
    """Looks once an interval; `mend` is called with each look, to start again what has fallen over."""

    def __init__(self, premises: Premises, every: timedelta, *, mend: Callable[[], None] = lambda: None) -> None:
        self._premises = premises
        self._every = every
        self._mend = mend
        self._since: datetime | None = None
        self._leaving = threading.Event()
        self._thread = threading.Thread(target=self._work, name="watchdog", daemon=True)

    def start(self) -> None:
        """Begin; comes back at once."""
        self._since = self._premises.clock()
        self._thread.start()

    def stop(self, seconds: float = 15) -> None:
        """Look no more; a sweep that is under way ends first."""
        self._leaving.set()
        if self._thread.ident is not None:
            self._thread.join(seconds)

    def once(self) -> standby.Look:
        """One look, and the sweep and the sending that it asks for. Raises StoreFault."""
        now = self._premises.clock()
        self._since = self._since or now
        look = standby.look(self._premises.kept.store, now, self._every, self._since)
        if look.began:
            _log.error("no sweep has finished; the standby takes over", extra={"since": look.silent_since.isoformat()})
        if look.ended:
            _log.warning("the orchestrator sweeps again; the standby steps back")
        if look.standby:
            for name in ("sweep", "deliver", "webhooks"):
                rounds.go(self._premises, name, "standby", now)
        return look

    def _work(self) -> None:
        while not self._leaving.wait(self._every.total_seconds()):
            for step in (self._mend, self.once):
                try:
                    step()
                except Exception as fault:  # noqa: BLE001 - this thread is the last one that may end
                    _log.error("the watchdog stumbled", extra={"fault": type(fault).__name__})
