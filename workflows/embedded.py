"""Everything that time needs on one machine: Prefect's server as a child, the runner and the watchdog as threads.

Import this freely: Prefect itself is imported once its surroundings are set.
"""

from __future__ import annotations

import fcntl
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from workflows import place, server, surroundings
from workflows.faults import OrchestratorFault
from workflows.server import Server
from workflows.watchdog import Watchdog

if TYPE_CHECKING:
    from cases.rounds import Premises
    from workflows.runner import Runner

_log = logging.getLogger(__name__)
_SETTLED_SECONDS = 120
SILENT: Final = timedelta(minutes=2)
"""A server whose process lives and that has answered nothing for so long hangs. A start takes less."""


@dataclass(slots=True)
class Living:
    """What runs: the server (replaced when it had to be started again), the runner, the watchdog."""

    server: Server
    runner: Runner
    watchdog: Watchdog
    silent: timedelta = SILENT
    _silent_since: float | None = None

    def mend(self) -> None:
        """Begin a runner again that has ended, and start a server again, at its address, that fell over or hangs."""
        revived(self.runner)
        if not self.server.running():
            _log.warning("the orchestrator fell over and is started again")
        elif self._hangs():
            _log.warning("the orchestrator hangs and is started again")
            self.server.stop()
        else:
            return
        self._silent_since = None
        self.server = server.start(self.server.home, os.environ, port=self.server.port)

    def _hangs(self) -> bool:
        """Whether it was found silent at two looks so far apart, and at each between them."""
        if server.answers(self.server.port):
            self._silent_since = None
            return False
        now = time.monotonic()
        self._silent_since = self._silent_since or now
        return now - self._silent_since >= self.silent.total_seconds()


def revived(runner: Runner) -> None:
    """Begin it again if its thread has ended, whatever ended it."""
    if runner.revive():
        _log.error("the runner had ended and is begun again")


@contextmanager
def living(premises: Premises, every: timedelta, *, port: int | None = None) -> Iterator[Living]:
    """Start all of it, wait until healthy, and stop it in order at the end of the block.

    One for each home (`alone`). The process's environment is pointed at this server, so that Prefect may be imported.
    Raises OrchestratorFault.
    """
    child = server.start(premises.home / "prefect", os.environ, port=port)
    try:
        # Importing Prefect takes a second that the server needs anyway.
        surroundings.enter(os.environ, child.home, child.port)
        from workflows import deployments
        from workflows.runner import ALONE, Runner
        from workflows.sources import Own

        place.settle(premises)
        child.wait_ready()
        runner = Runner(Own(lambda: deployments.of(premises, every)), look=min(ALONE, every))
        watchdog = Watchdog(premises, every, mend=lambda: alive.mend())  # noqa: PLW0108 - not there yet
        alive = Living(child, runner, watchdog)
    except BaseException:
        child.stop()
        raise
    try:
        runner.start()
        watchdog.start()
        if not runner.wait_settled(_SETTLED_SECONDS):
            raise OrchestratorFault("no_start", why="its deployments can't be registered", log=child.log)
        yield alive
    finally:
        watchdog.stop()
        runner.stop()
        alive.server.stop()
        place.settle(None)


@contextmanager
def pooled(premises: Premises, every: timedelta, url: str, pool: str, name: str) -> Iterator[bool]:
    """Work for a pool of a shared server, and stand by while that server is away; answers whether it was there.

    `every` is the interval of the sweeps, of which the watchdog allows three. Raises OrchestratorFault bad_url,
    not_prefect, server_unfit, no_pool.
    """
    surroundings.require_fitting()
    answers = surroundings.require_answering(url)
    surroundings.join(os.environ, premises.home / "prefect", url)
    from workflows.runner import LOOK_AHEAD, Runner
    from workflows.sources import Pool

    place.settle(premises)
    source = Pool(pool, name)
    runner = Runner(source, look=min(LOOK_AHEAD, every / 2))
    watchdog = Watchdog(premises, every, mend=lambda: revived(runner))
    try:
        runner.start()
        watchdog.start()
        if answers and runner.wait_settled(_SETTLED_SECONDS) and source.empty:
            raise OrchestratorFault("no_pool", pool=pool)
        yield answers
    finally:
        watchdog.stop()
        runner.stop()
        place.settle(None)


@contextmanager
def alone(home: Path) -> Iterator[None]:
    """One `whistle up` for each home. Raises OrchestratorFault already_up, naming the process."""
    try:
        # Others may pass through root's home to nothing they can read, as the database's own user has to.
        home.mkdir(parents=True, exist_ok=True, mode=0o711 if os.geteuid() == 0 else 0o700)
        lock = os.open(home / "up.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise OrchestratorFault("no_folder", where=home, why=error.strerror or type(error).__name__) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        pid = os.pread(lock, 32, 0).decode("ascii", errors="replace").strip()
        os.close(lock)
        raise OrchestratorFault("already_up", where=home, pid=pid or "?") from None
    try:
        os.ftruncate(lock, 0)
        os.pwrite(lock, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(lock)
