"""What Prefect reads from the environment, set before it is imported, and whether the installed one fits."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, MutableMapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from workflows.faults import OrchestratorFault

FITS: Final[Mapping[str, tuple[tuple[int, ...], tuple[int, ...]]]] = {
    "prefect": ((3, 8, 8), (3, 9)),
    # From 0.155 on Prefect 3.8's server dies at import: Body(min_items).
    "fastapi": ((0, 139), (0, 151)),
    # With 2.1 its scheduler dies of "Can't evaluate bulk DML" while its health page still says 200.
    "sqlalchemy": ((2, 0, 58), (2, 1)),
}
"""From which version (included) up to which (not included) the orchestrator was seen to work."""

_KEPT_SECONDS: Final = 7200
_UNUSED: Final = ("TRIGGERS", "FOREMAN", "TASK_RUN_RECORDER", "PAUSE_EXPIRATIONS", "CANCELLATION_CLEANUP")


def client(home: Path, port: int) -> dict[str, str]:
    """For whoever talks to the embedded server: its own home, no telemetry, quick to notice that it is gone."""
    return {
        "PREFECT_HOME": str(home),
        "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
        "PREFECT_SERVER_EPHEMERAL_ENABLED": "false",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "PREFECT_LOGGING_TO_API_ENABLED": "false",
        "PREFECT_LOGGING_CONFIG_PATH": str(Path(__file__).with_name("logging.yml")),
        "PREFECT_CLIENT_MAX_RETRIES": "1",
        "PREFECT_API_REQUEST_TIMEOUT": "5",
        "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",
        "PREFECT_CLI_PROMPT": "false",
    }


def server(home: Path, port: int) -> dict[str, str]:
    """For the embedded server itself: nothing leaves the machine, and what is over is cleared away within hours.

    A sweep every 15 seconds makes 5,760 runs a day; they are kept for two hours, which is what a person looks at.
    """
    return {
        **client(home, port),
        "PREFECT_SERVER_API_HOST": "127.0.0.1",
        "PREFECT_SERVER_API_PORT": str(port),
        "PREFECT_SERVER_LOGGING_LEVEL": "WARNING",
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
        # Left on, it quarrels with the scheduler over SQLite's one lock.
        "PREFECT_SERVER_SERVICES_LATE_RUNS_ENABLED": "false",
        "PREFECT_SERVER_SERVICES_SCHEDULER_MAX_RUNS": "20",
        # Automations, workers, tasks and pauses: nothing of ours uses them here, and each wakes every few seconds.
        **{f"PREFECT_SERVER_SERVICES_{one}_ENABLED": "false" for one in _UNUSED},
        # By default they look every five to fifteen seconds; deployments change here at a start and never else.
        "PREFECT_SERVER_SERVICES_SCHEDULER_RECENT_DEPLOYMENTS_LOOP_SECONDS": "20",
        "PREFECT_SERVER_SERVICES_REPOSSESSOR_LOOP_SECONDS": "60",
        "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_FLUSH_INTERVAL": "30",
        "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs,orphans",
        "PREFECT_SERVER_SERVICES_DB_VACUUM_LOOP_SECONDS": "600",
        "PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD": str(_KEPT_SECONDS),
        "PREFECT_SERVER_EVENTS_RETENTION_PERIOD": f"PT{_KEPT_SECONDS}S",
        "PREFECT_SERVER_EVENTS_STREAM_OUT_ENABLED": "false",
    }


def cleared(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment without what concerns somebody's own Prefect: ours has a home and a server of its own."""
    return {name: value for name, value in environ.items() if not name.startswith("PREFECT_")}


def enter(environ: MutableMapping[str, str], home: Path, port: int) -> None:
    """Point this process at the embedded server. Only before Prefect was imported, or at the same server again."""
    wanted = client(home, port)
    if "prefect" in sys.modules and environ.get("PREFECT_API_URL") != wanted["PREFECT_API_URL"]:
        raise RuntimeError("Prefect was imported before it was told where its server is")
    for name in [one for one in environ if one.startswith("PREFECT_")]:
        del environ[name]
    environ.update(wanted)


def require_fitting(found: Mapping[str, str] | None = None) -> None:
    """Raises OrchestratorFault unfit for a package outside the versions of `FITS`; imports none of them."""
    for name, (first, end) in FITS.items():
        try:
            has = found[name] if found is not None else version(name)
        except (KeyError, PackageNotFoundError):
            has = "–"
        parts = tuple(int(part) for part in re.findall(r"\d+", has.partition("+")[0])[:3])
        if not first <= parts < end:
            wanted = f">={'.'.join(map(str, first))},<{'.'.join(map(str, end))}"
            raise OrchestratorFault("unfit", what=name, found=has, wanted=wanted)
