"""The web process as standby: when no sweep finishes any more, it sweeps and delivers until others do again."""

from __future__ import annotations

import logging
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Self

from cases import rounds, standby

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from cases.rounds import Premises

_log = logging.getLogger(__name__)


class StandBy:
    """A thread that looks once an interval, for as long as the block lasts. What pages warn of is `since`."""

    def __init__(
        self,
        premises: Premises,
        every: timedelta,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._premises = premises
        self._every = every
        self._clock = clock
        self._began = clock()
        self._leaving = threading.Event()
        self._thread = threading.Thread(target=self._work, name="standby", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self._leaving.set()
        self._thread.join(15)

    def once(self) -> standby.Look:
        """One look, and the sweep and the sending that it asks for. Raises StoreFault."""
        now = self._clock()
        look = standby.look(self._premises.kept.store, now, self._every, self._began)
        if look.began:
            _log.error("no sweep has finished; the web process takes over", extra={"since": look.silent_since})
        if look.standby:
            for name in ("sweep", "deliver", "webhooks"):
                rounds.go(self._premises, name, "standby", now)
        return look

    def _work(self) -> None:
        while not self._leaving.wait(self._every.total_seconds()):
            try:
                self.once()
            except Exception as fault:  # noqa: BLE001 - this thread is the last one that may end
                _log.error("the standby stumbled", extra={"fault": type(fault).__name__})
