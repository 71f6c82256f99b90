"""`python -m workflows.production --pool NAME [--shards N]`: the deployments, written to a Prefect server of your own.

Runs once after each upgrade, on any machine that has the settings of a worker (`workflows.place`) and
PREFECT_API_URL. The pool is made if it isn't there; its workers run the same flows as `whistle up` does.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import sys
from contextlib import ExitStack, suppress
from datetime import timedelta
from pathlib import Path

from workflows import place, surroundings
from workflows.faults import OrchestratorFault

_LENGTH = re.compile(r"(\d+)(s|m)")


def main() -> int:
    """Register and say what was registered. Answers the exit code: 2 and one message for whatever is in the way."""
    parser = argparse.ArgumentParser(prog="python -m workflows.production")
    parser.add_argument("--pool", required=True)
    parser.add_argument("--shards", type=int, default=1, help="sweeps side by side")
    every = os.environ.get("WHISTLE_SWEEP_EVERY") or "15s"
    parser.add_argument("--every", default=every, type=_length, help="how often limits are looked for: 15s, 1m")
    given = parser.parse_args()
    language = "en" if os.environ.get("WHISTLE_LANGUAGE") == "en" else "zh_CN"
    try:
        surroundings.require_fitting()
        _join()
        names = _register(given.pool, given.shards, given.every)
    except Exception as fault:
        text = getattr(fault, "text", None)
        if text is None:
            raise
        sys.stderr.write(f"{text(language) if callable(text) else text[language]}\n")
        return 2
    sys.stdout.write("".join(f"{name}\n" for name in names))
    return 0


def _join() -> None:
    url = place.told(os.environ, "PREFECT_API_URL")
    if not surroundings.require_answering(url):
        raise OrchestratorFault("nobody_there", url=url)
    surroundings.join(os.environ, Path(place.told(os.environ, "WHISTLE_HOME")) / "prefect", url)


def _register(pool: str, shards: int, every: timedelta) -> list[str]:
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.actions import WorkPoolCreate
    from prefect.exceptions import ObjectAlreadyExists

    from workflows import deployments

    async def write() -> list[str]:
        async with get_client() as client:
            with suppress(ObjectAlreadyExists):
                await client.create_work_pool(WorkPoolCreate(name=pool, type="process"))
        return [plan.name for plan in (await deployments.register(planned, pool)).values()]

    with ExitStack() as until:
        planned = deployments.of(place.opened(os.environ, until), every, shards=shards)
        return asyncio.run(write())


def _length(written: str) -> timedelta:
    said = _LENGTH.fullmatch(written)
    if said is None:
        raise argparse.ArgumentTypeError("15s, 1m")
    return timedelta(seconds=int(said[1]) * (60 if said[2] == "m" else 1))


if __name__ == "__main__":
    sys.exit(main())
