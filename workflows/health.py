"""Is the orchestrator well? Its health page isn't believed: that answers 200 while nothing is scheduled any more.

Asked are whether a server answers, whether its version fits, whether it still plans runs, and whether somebody takes
them. Nothing is changed by looking; Prefect isn't imported for it.
"""

from __future__ import annotations

import base64
import json
import os
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from cases.health import Check, State, Words
from workflows import surroundings
from workflows.faults import OrchestratorFault

MISSED: Final = 3
"""So many intervals without a run are too many."""
_SECONDS: Final = 10
_RESTART: Final = (
    "请重新启动 whistle up（生产环境：重启 Prefect 的 services）；其间由候补巡查，时限不会丢。",
    "Start `whistle up` again, or in production Prefect's services; the standby sweeps meanwhile, no limit is lost.",
)


def examine(environ: Mapping[str, str], home: Path, now: datetime, every: timedelta) -> Iterator[Check]:
    """Of the server that PREFECT_API_URL names, else the embedded one. `every` is how often a sweep is due."""
    try:
        surroundings.require_fitting()
        url = environ.get("PREFECT_API_URL") or _embedded(home)
        if url is None:
            yield _not_up(home)
            return
        if not surroundings.require_answering(url):
            yield _silent(url, home, shared="PREFECT_API_URL" in environ)
            return
    except OrchestratorFault as fault:
        # Its own sentence says how to mend it.
        yield Check("orchestrator", "bad", (fault.text("zh_CN"), fault.text("en")))
        return
    yield Check("orchestrator", "ok", (f"{url}，版本合适", f"{url}, of a version that fits"))
    yield _of_scheduler(url, environ, now, every)


def _of_scheduler(url: str, environ: Mapping[str, str], now: datetime, every: timedelta) -> Check:
    """Whether sweeps are planned ahead, and the newest one was begun lately."""
    sweeps = {"flows": {"name": {"any_": ["sweep"]}}, "limit": 1}
    begun = {"flow_runs": {"start_time": {"is_null_": False}}}
    try:
        planned = _newest(url, environ, {**sweeps, "sort": "EXPECTED_START_TIME_DESC"}, "expected_start_time")
        taken = _newest(url, environ, {**sweeps, **begun, "sort": "START_TIME_DESC"}, "start_time")
    except (OSError, ValueError, KeyError, TypeError) as error:
        why = f"HTTP {error.code}" if isinstance(error, urllib.error.HTTPError) else type(error).__name__
        return _check("bad", (f"查不到运行记录（{why}）", f"its runs can't be read ({why})"))
    if planned is None or planned <= now:
        return _check("bad", ("不再排出新的巡查", "no further sweep is planned"))
    if taken is None:
        return _check("bad", ("排出了巡查，但从未有人执行", "sweeps are planned, and none was ever begun"))
    age = round((now - taken).total_seconds())
    said = (f"最近一次巡查在 {max(age, 0)} 秒前开始", f"the newest sweep began {max(age, 0)} s ago")
    late = now - taken > MISSED * every
    return _check("bad", said) if late else Check("scheduler", "ok", said)


def _check(state: State, said: Words) -> Check:
    return Check("scheduler", state, said, _RESTART)


def _newest(url: str, environ: Mapping[str, str], asked: Mapping[str, Any], field: str) -> datetime | None:
    headers = {"Content-Type": "application/json"}
    if environ.get("PREFECT_API_AUTH_STRING"):
        headers["Authorization"] = f"Basic {base64.b64encode(environ['PREFECT_API_AUTH_STRING'].encode()).decode()}"
    body = json.dumps(asked).encode()
    request = urllib.request.Request(f"{url.rstrip('/')}/flow_runs/filter", body, headers)  # noqa: S310 - an address of ours
    with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310 - as above
        found = json.load(answer)
    return datetime.fromisoformat(found[0][field]).astimezone(UTC) if found else None


def _embedded(home: Path) -> str | None:
    """Where the server of this home answered last; None when `whistle up` was never run."""
    try:
        return f"http://127.0.0.1:{int((home / 'prefect' / 'port').read_text('ascii'))}/api"
    except (OSError, ValueError):
        return None


def _silent(url: str, home: Path, *, shared: bool) -> Check:
    """Nobody answers. Where it ought to be running that is wrong, and else worth a warning."""
    if not shared and not _up(home):
        return _not_up(home)
    mend = (
        _RESTART
        if not shared
        else (
            "请检查 Prefect 服务及网络；whistle up 会自行重启它。候补巡查其间继续。",
            "See to Prefect's server and the network to it; the standby sweeps meanwhile.",
        )
    )
    return Check("orchestrator", "bad", (f"{url} 没有回应", f"{url} doesn't answer"), mend)


def _not_up(home: Path) -> Check:
    return Check(
        "orchestrator",
        "warn",
        (f"没有运行（{home}）", f"isn't running ({home})"),
        (
            "运行 whistle up；否则要每隔 WHISTLE_SWEEP_EVERY 定时运行 whistle sweep，到期的时限才会处理。",
            "Run `whistle up`, or else time `whistle sweep`, each WHISTLE_SWEEP_EVERY: nothing falls due by itself.",
        ),
    )


def _up(home: Path) -> bool:
    """Whether `whistle up` of this home is alive. Its lock isn't tried: that could stop one that is just starting."""
    try:
        pid = int((home / "up.lock").read_text("ascii"))
        os.kill(pid, 0)
    except (OSError, ValueError):
        return False
    command = Path("/proc", str(pid), "cmdline")
    return not command.exists() or b"up" in command.read_bytes().split(b"\0")
