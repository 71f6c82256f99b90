"""What Prefect reads from the environment, set before it is imported, and whether the installed one fits."""

from __future__ import annotations

import json
import re
import sys
import urllib.error
import urllib.request
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
_KEPT_SHARED_SECONDS: Final = 86400
_UNUSED: Final = ("TRIGGERS", "FOREMAN", "TASK_RUN_RECORDER", "PAUSE_EXPIRATIONS", "CANCELLATION_CLEANUP")


def client(home: Path, url: str) -> dict[str, str]:
    """For whoever talks to a server: a home of its own, no telemetry, quick to notice that it is gone."""
    return {
        "PREFECT_HOME": str(home),
        "PREFECT_API_URL": url,
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
        **client(home, _local(port)),
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


def shared_server(database: str, redis: str) -> dict[str, str]:
    """For each process of a server of several: on PostgreSQL, with Redis between them. `prefect.env` has the same.

    `redis` names the server without a database: messages take the first, tasks the second. Whatever one process would
    keep in its memory, the others wouldn't know: leases of limits, the order of events, the tasks of the services.
    """
    return {
        "PREFECT_SERVER_DATABASE_CONNECTION_URL": database,
        # `prefect server database upgrade -y` does it once, instead of each process at its start.
        "PREFECT_SERVER_DATABASE_MIGRATE_ON_START": "false",
        # None of ours is used, and processes that start together would quarrel over writing them.
        "PREFECT_API_BLOCKS_REGISTER_ON_START": "false",
        "PREFECT_MESSAGING_BROKER": "prefect_redis.messaging",
        "PREFECT_MESSAGING_CACHE": "prefect_redis.messaging",
        "PREFECT_SERVER_EVENTS_CAUSAL_ORDERING": "prefect_redis.ordering",
        "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect_redis.lease_storage",
        "PREFECT_REDIS_MESSAGING_URL": f"{redis}/0",
        "PREFECT_SERVER_DOCKET_URL": f"{redis}/1",
        "PREFECT_SERVER_EPHEMERAL_ENABLED": "false",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
        "PREFECT_LOGGING_LEVEL": "WARNING",
        "PREFECT_SERVER_LOGGING_LEVEL": "WARNING",
        "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs,orphans",
        "PREFECT_SERVER_SERVICES_DB_VACUUM_LOOP_SECONDS": "600",
        "PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD": str(_KEPT_SHARED_SECONDS),
        "PREFECT_SERVER_EVENTS_RETENTION_PERIOD": f"PT{_KEPT_SHARED_SECONDS}S",
        "DO_NOT_TRACK": "1",
    }


def cleared(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment without what concerns somebody's own Prefect: ours has a home and a server of its own."""
    return {name: value for name, value in environ.items() if not name.startswith("PREFECT_")}


def enter(environ: MutableMapping[str, str], home: Path, port: int) -> None:
    """Point this process at the embedded server. Only before Prefect was imported, or at the same server again."""
    # Ours has no CSRF protection; asked for before each change, it would answer just that.
    _point(environ, {**client(home, _local(port)), "PREFECT_CLIENT_CSRF_SUPPORT_ENABLED": "false"})


def join(environ: MutableMapping[str, str], home: Path, url: str) -> None:
    """Point this process at a server that several machines share. Only before Prefect was imported, as above.

    What was said about Prefect in the environment stays: how to sign in at the server's proxy, whom to trust.
    """
    said = {name: value for name, value in environ.items() if name.startswith("PREFECT_") and value}
    _point(environ, {**client(home, url), **said})


def _point(environ: MutableMapping[str, str], wanted: Mapping[str, str]) -> None:
    if "prefect" in sys.modules and environ.get("PREFECT_API_URL") != wanted["PREFECT_API_URL"]:
        raise RuntimeError("Prefect was imported before it was told where its server is")
    for name in [one for one in environ if one.startswith("PREFECT_")]:
        del environ[name]
    environ.update(wanted)


def _local(port: int) -> str:
    return f"http://127.0.0.1:{port}/api"


def require_fitting(found: Mapping[str, str] | None = None) -> None:
    """Raises OrchestratorFault unfit for a package outside the versions of `FITS`; imports none of them."""
    for name, (first, end) in FITS.items():
        try:
            has = found[name] if found is not None else version(name)
        except (KeyError, PackageNotFoundError):
            has = "–"
        if not first <= _numbers(has) < end:
            raise OrchestratorFault("unfit", what=name, found=has, wanted=_bounds(name))


def require_answering(url: str) -> bool:
    """Whether a server answers there. Raises OrchestratorFault for what won't mend itself.

    bad_url for no address at all, not_prefect for another program's, server_unfit for another version's.
    """
    if not re.fullmatch(r"https?://[^\s/]+(/\S*)?/api/?", url):
        raise OrchestratorFault("bad_url", url=url)
    try:
        with urllib.request.urlopen(f"{url.rstrip('/')}/admin/version", timeout=5) as answer:  # noqa: S310 - see above
            found = json.load(answer)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code in {401, 403, 502, 503, 504}:
            # The server's own door, or a proxy without its server.
            return error.code in {401, 403}
        raise OrchestratorFault("not_prefect", url=url) from error
    except (OSError, TimeoutError):
        return False
    except ValueError as error:
        raise OrchestratorFault("not_prefect", url=url) from error
    if not isinstance(found, str):
        raise OrchestratorFault("not_prefect", url=url)
    first, end = FITS["prefect"]
    if not first <= _numbers(found) < end:
        raise OrchestratorFault("server_unfit", url=url, found=found, wanted=_bounds("prefect"))
    return True


def _numbers(said: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", said.partition("+")[0])[:3])


def _bounds(name: str) -> str:
    first, end = FITS[name]
    return f">={'.'.join(map(str, first))},<{'.'.join(map(str, end))}"
