"""`make bench`: every figure of this part, as ratios taken in one run on the same durable PostgreSQL.

`python -m tests.benchmarks [fire] [sweep] [due] [memory] [play] [help] [stack] [door] [clone] [--cases N]`; without a
name all but `clone`, which needs a package registry.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

from cases import embedded
from cases.store import Store
from tests.benchmarks import door, due, fire, play, stack, sweep
from tests.town import town

NAMES = ("fire", "sweep", "due", "memory", "play", "help", "stack", "door")
ELSEWHERE = {"stack": stack.report, "door": door.report, "clone": stack.from_clone}
"""What brings a database of its own."""


def main() -> None:
    """Measure what was asked for and print a line for each figure, with the bound it is held to."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*NAMES, "clone", []], help="which; all by default")
    parser.add_argument("--cases", type=int, default=1_000_000, help="open cases in the sweep's city")
    given = parser.parse_args()
    wanted = given.names or list(NAMES)
    _inside([name for name in wanted if name not in ELSEWHERE], given.cases)
    for name in wanted:
        if name in ELSEWHERE:
            print(f"== {name}", flush=True)
            for line in ELSEWHERE[name]():
                print(line, flush=True)


def _inside(wanted: list[str], open_cases: int) -> None:
    if not wanted:
        return
    home = Path(tempfile.mkdtemp(prefix="whistle-bench-"))
    home.chmod(0o711)
    try:
        with (
            embedded.served(home / "home", durable=True) as url,
            Store(url, statement_timeout=timedelta(minutes=10)) as server,
        ):
            for name in wanted:
                _section(name, server, open_cases)
    finally:
        embedded.stop(home / "home")
        shutil.rmtree(home)


def _section(name: str, server: Store, open_cases: int) -> None:
    print(f"== {name}", flush=True)
    if name == "help":
        lines = [_help()]
    elif name == "play":
        lines = play.report(server)
    else:
        with server.scratch() as store, town(store) as built:
            if name == "fire":
                lines = fire.report(built)
            elif name == "due":
                lines = due.report(built, open_cases=open_cases)
            elif name == "memory":
                lines = sweep.memory(built)
            else:
                lines = sweep.report(built, open_cases=open_cases)
    print("\n".join(lines), flush=True)


def _help() -> str:
    """The median of five cold calls of `whistle --help`."""
    whistle = Path(sys.executable).with_name("whistle")
    times = []
    for _ in range(5):
        began = time.perf_counter()
        subprocess.run([str(whistle), "--help"], check=True, capture_output=True)
        times.append(time.perf_counter() - began)
    return f"whistle --help: {sorted(times)[2]:.2f} s (most 0.5 s)"


if __name__ == "__main__":
    main()
