"""The whole embedded stack as `whistle up` starts it: how long a start takes, what it costs idle, due to fired."""

from __future__ import annotations

import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from sqlalchemy import text

from tests import town as towns
from tests.town import Town

ROOT = Path(__file__).parents[2]
IDLE_SECONDS = int(os.environ.get("IDLE_SECONDS", "120"))
SETTLING_SECONDS = 40
DUES = 200
SPREAD = timedelta(seconds=60)
_TICKS = os.sysconf("SC_CLK_TCK")
_LATENESS = """
SELECT extract(epoch FROM e.at - (c.started_at + (c.due_at - c.started_at) * (e.open->>'percent')::int / 100))
  FROM event e JOIN cases k ON k.id = e.case_id
  JOIN clock c ON c.case_id = e.case_id AND c.track_no = e.track_no AND e.trigger LIKE c.name || '.%'
 WHERE e.open ? 'percent' AND e.at > :since AND c.started_at + (c.due_at - c.started_at)
       * (e.open->>'percent')::int / 100 > :since
"""


@contextmanager
def up(environ: Mapping[str, str], out: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """`whistle up`, and in words how long it took until the first page came and until all was well."""
    began, page = time.perf_counter(), 0.0
    with out.open("wb") as said:
        command = [sys.executable, "-c", "from api.cli import main; main()", "up"]
        child = subprocess.Popen(command, env=dict(environ), stdout=said, stderr=subprocess.STDOUT)
    try:
        while "All is well" not in out.read_text() or not page:
            if child.poll() is not None:
                raise RuntimeError(out.read_text())
            if not page and _first_page(int(environ["WHISTLE_PORT"])):
                page = time.perf_counter() - began
            time.sleep(0.05)
        yield child, f"{page:.1f} s to the first page (of 10 s), {time.perf_counter() - began:.1f} s till all is well"
    finally:
        child.send_signal(signal.SIGTERM)
        child.wait(60)


def report() -> Iterator[str]:
    """The lines for `make bench`, each when it is known. Takes five minutes, most of which is waiting."""
    with tempfile.TemporaryDirectory(prefix="whistle-bench-") as folder:
        place = Path(folder)
        place.chmod(0o711)
        environ = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "WHISTLE_"))}
        environ |= {"WHISTLE_HOME": str(place / "home"), "LANG": "en_GB.UTF-8", "WHISTLE_SWEEP_EVERY": "15s"}
        environ["WHISTLE_PORT"] = str(_free_port())
        with up(environ, place / "first") as (child, first):
            yield f"first start, an empty home: {first}"
            yield _idle(child.pid, place / "home")
            yield _lateness(place / "home")
        with up(environ, place / "second") as (_, second):
            yield f"second start: {second}"


def _first_page(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/sign-in", headers={"Host": "127.0.0.1"})
        return connection.getresponse().status == HTTPStatus.OK
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _idle(pid: int, home: Path) -> str:
    time.sleep(SETTLING_SECONDS)
    before, began = _spent(pid, home), time.perf_counter()
    time.sleep(IDLE_SECONDS)
    after, seconds = _spent(pid, home), time.perf_counter() - began
    parts: dict[str, float] = {}
    for number, (name, ticks) in after.items():
        parts[name] = parts.get(name, 0) + (ticks - before.get(number, (name, 0))[1]) / _TICKS / seconds
    memory = sum(_memory(number) for number in after)
    shares = ", ".join(f"{name} {share:.2%}" for name, share in sorted(parts.items()))
    total = sum(parts.values())
    return f"idle over {seconds:.0f} s: {total:.2%} of one core (most 5 %): {shares}; memory {memory:,.0f} MB"


def _spent(pid: int, home: Path) -> dict[int, tuple[str, int]]:
    """Ticks by process of the stack: the program itself, Prefect's server, PostgreSQL with all its children."""
    database = int((home / "pg" / "postmaster.pid").read_text().split(maxsplit=1)[0])
    parents: dict[int, int] = {}
    ticks: dict[int, int] = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            rest = (process / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(process.name)] = int(rest[1])
        # What ended children have spent counts for their parent: PostgreSQL's come and go.
        ticks[int(process.name)] = sum(map(int, rest[11:15]))
    found: dict[int, tuple[str, int]] = {}
    for number in parents:
        line = [number]
        while line[-1] in parents and line[-1] not in {pid, database}:
            line.append(parents[line[-1]])
        if line[-1] == database:
            found[number] = "PostgreSQL", ticks[number]
        elif line[-1] == pid:
            found[number] = _named(number, pid), ticks[number]
    return found


def _named(number: int, pid: int) -> str:
    if number == pid:
        return "whistle"
    try:
        return "Prefect" if b"tethered" in Path("/proc", str(number), "cmdline").read_bytes() else "web"
    except OSError:
        return "web"


def _memory(pid: int) -> float:
    """Megabytes, what is shared divided among those who share it."""
    try:
        lines = Path("/proc", str(pid), "smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:")), 0)


def _lateness(home: Path) -> str:
    """Rungs that fall one after the other over a minute, and how long after its instant each was written."""
    os.environ.update({"WHISTLE_HOME": str(home)})
    from api.commands.database import installation

    with installation() as kept:
        town = Town(kept.store, kept.office())
        towns._settle(town, ())
        now = datetime.now(UTC)
        for one in range(DUES):
            # Half of a red acknowledgement's 15 minutes are over at an instant of the coming minute.
            rung = now + timedelta(seconds=30) + SPREAD * one / DUES
            student = {"name": f"小示例{one}", "born": "2016-11-02", "grade": 3}
            town.whistle(rung - timedelta(minutes=7, seconds=30), student=student)
        begun = datetime.now(UTC)
        time.sleep(max(0.0, (now - begun).total_seconds()) + 30 + SPREAD.total_seconds() + 20)
        with kept.store.read() as connection:
            late = sorted(float(row[0]) for row in connection.execute(text(_LATENESS), {"since": begun}))
    os.environ.pop("WHISTLE_HOME")
    if not late:
        return "due to fired: nothing fell due, which is wrong"
    p99 = late[min(len(late) - 1, int(len(late) * 0.99))]
    half = statistics.median(late)
    return f"due to fired, a sweep every 15 s, {len(late)} rungs: median {half:.1f} s, p99 {p99:.1f} s (most 16 s)"


def from_clone() -> Iterator[str]:
    """From `git clone` to everything up, with what is committed; needs a package registry."""
    with tempfile.TemporaryDirectory(prefix="whistle-clone-") as folder:
        place = Path(folder)
        place.chmod(0o711)
        environ = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "WHISTLE_"))}
        environ |= {"WHISTLE_HOME": str(place / "home"), "LANG": "en_GB.UTF-8"}
        began = time.perf_counter()
        for command in (
            ["git", "clone", "--quiet", str(ROOT), str(place / "clone")],
            ["make", "-C", str(place / "clone"), "setup"],
            [str(place / "clone" / ".venv" / "bin" / "whistle"), "up", "--check"],
        ):
            subprocess.run(command, check=True, capture_output=True, env=environ, cwd=place)
        yield f"from clone to everything up: {time.perf_counter() - began:.0f} s (most 90 s to the first page)"
