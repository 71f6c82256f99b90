"""The embedded Prefect: a child process with a home and a free port of its own, ended with its parent.

A server that a killed parent left behind ends by its tether (`workflows.tethered`); if it is found still running,
it is ended before the next one starts. The lock on `server.lock` is the child's: held as long as it lives.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Final, Self

from workflows import surroundings
from workflows.faults import OrchestratorFault

READY_SECONDS: Final = 90
STOP_SECONDS: Final = 10
_ORPHAN_SECONDS: Final = 8
_ROOM: Final = 100 * 2**20
_OURS: Final = "workflows.tethered"


@dataclass(slots=True)
class Server:
    """A running server. `home` is Prefect's own, inside the data directory; `ended` once it was stopped."""

    home: Path
    port: int
    _child: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        """Where the web pages are."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def log(self) -> Path:
        return self.home / "server.log"

    def running(self) -> bool:
        """Whether the process is there; it may still be starting, or hang."""
        return self._child.poll() is None

    def wait_ready(self, seconds: float = READY_SECONDS) -> None:
        """Come back when it answers. Raises OrchestratorFault no_start when it ends or is silent for too long."""
        deadline = time.monotonic() + seconds
        while not ready(self.port):
            if not self.running():
                raise OrchestratorFault("no_start", why=_last_words(self.log), log=self.log)
            if time.monotonic() > deadline:
                self.stop()
                raise OrchestratorFault("no_start", why=f"{seconds:.0f} s", log=self.log)
            time.sleep(0.1)

    def stop(self) -> None:
        """End it, gently at first."""
        if self.running():
            self._child.terminate()
        try:
            self._child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        if self._child.stdin is not None:
            self._child.stdin.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def ready(port: int) -> bool:
    """Whether a server answers there that it is ready."""
    return _says_yes(port, "ready")


def answers(port: int) -> bool:
    """Whether a server answers there at all; it may still be starting, or not reach its database."""
    return _says_yes(port, "health")


def _says_yes(port: int, asked: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/{asked}", timeout=5) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError, HTTPException, ValueError):
        return False


def start(home: Path, environ: Mapping[str, str], *, port: int | None = None) -> Server:
    """Start the server of this home and hand it over; it isn't ready yet (`Server.wait_ready`).

    Takes the port that is asked for, else the one it had last time, else any free one. Raises OrchestratorFault:
    unfit, no_room, no_folder, port_taken, stuck.
    """
    surroundings.require_fitting()
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        free = shutil.disk_usage(home).free
        if free < _ROOM:
            raise OrchestratorFault("no_room", where=home, free=free // 2**20)
        lock = _alone(home)
        try:
            chosen = _port(home, port)
            return _launch(home, chosen, environ, lock)
        finally:
            os.close(lock)
    except OSError as error:
        raise _fault(home, error) from error


def _launch(home: Path, port: int, environ: Mapping[str, str], lock: int) -> Server:
    log = home / "server.log"
    if log.exists():
        log.replace(log.with_suffix(".log.before"))
    with log.open("wb") as said:
        child = subprocess.Popen(  # noqa: S603 - our own program with our own arguments
            [sys.executable, "-m", _OURS, str(port)],
            stdin=subprocess.PIPE,
            stdout=said,
            stderr=said,
            env={**surroundings.cleared(environ), **surroundings.server(home, port)},
            cwd="/",
            # The child holds the lock for as long as it lives, and Ctrl-C at the terminal is its parent's to hear.
            pass_fds=(lock,),
            start_new_session=True,
        )
    os.ftruncate(lock, 0)
    os.pwrite(lock, str(child.pid).encode(), 0)
    (home / "port").write_text(str(port), "ascii")
    return Server(home, port, child)


def _alone(home: Path) -> int:
    """The lock, held; whoever held it was left behind and is ended."""
    lock = os.open(home / "server.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    deadline = time.monotonic() + _ORPHAN_SECONDS
    signalled = False
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pass
        else:
            return lock
        left = _holder(lock)
        if not signalled and left is not None and _is_ours(left):
            os.kill(left, signal.SIGTERM)
            signalled = True
        if time.monotonic() > deadline:
            if left is None or not _is_ours(left) or time.monotonic() > deadline + _ORPHAN_SECONDS:
                os.close(lock)
                raise OrchestratorFault("stuck", pid=left or "?")
            with suppress(ProcessLookupError):
                os.kill(left, signal.SIGKILL)
        time.sleep(0.1)


def _holder(lock: int) -> int | None:
    said = os.pread(lock, 32, 0).decode("ascii", errors="replace").strip()
    return int(said) if said.isdigit() else None


def _is_ours(pid: int) -> bool:
    """The kernel may have given the number to somebody else."""
    command = Path("/proc", str(pid), "cmdline")
    if command.exists():
        return _OURS.encode() in command.read_bytes()
    asked = ["/bin/ps", "-o", "command=", "-p", str(pid)]
    return _OURS in subprocess.run(asked, capture_output=True, text=True, check=False).stdout  # noqa: S603 - as above


def _port(home: Path, wanted: int | None) -> int:
    if wanted is not None:
        if not _free(wanted):
            raise OrchestratorFault("port_taken", port=wanted)
        return wanted
    with suppress(OSError, ValueError):
        before = int((home / "port").read_text("ascii"))
        # A person has the address open from last time.
        if _free(before):
            return before
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError):
            return False
        return True


def _fault(home: Path, error: OSError) -> OrchestratorFault:
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return OrchestratorFault("no_room", where=home, free=0)
    return OrchestratorFault("no_folder", where=home, why=error.strerror or type(error).__name__)


def _last_words(log: Path) -> str:
    with suppress(OSError):
        lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip(" │╭╰─╮╯")]
        # pydantic ends what it says with where to read about it.
        telling = [line for line in lines if "further information" not in line]
        if telling:
            return telling[-1][:200]
    return "?"
