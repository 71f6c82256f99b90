"""The flows: thin, `async`, one run for thousands of cases. What they do stands in `cases.rounds`.

Never a flow run for a case, nor a task run for a limit or a message: a run costs a tenth of a second, a case a
thousandth of that. Import this only after `workflows.surroundings.enter`: Prefect reads its settings at import.
"""

from __future__ import annotations

import asyncio
import re
from datetime import date
from typing import Any, Final

from prefect import Flow, flow
from prefect.artifacts import acreate_table_artifact
from prefect.runtime import flow_run

from cases import rounds
from cases.belonging import RUN, belonging_to
from workflows import place

Done = dict[str, Any]
_COUNTS: Final = (
    "联合跟踪 · {district}：跟踪 {tracked} 人，待填报 {open}，逾期 {missed}，一周内 {soon}，建议重新定级 {regrades}。"
    "\n\n"
    "Joint tracking: {tracked} tracked, {open} open, {missed} missed, {soon} within a week, {regrades} to regrade."
)


def _named() -> str:
    """`sweep 2026-03-17 08:30:15`, in the time zone of the policy; a district's with its code."""
    premises = place.here()
    zone = premises.office().book_of(premises.office().current).tz
    at = flow_run.scheduled_start_time.astimezone(zone)
    given = flow_run.parameters.get("district")
    name = str(flow_run.flow_name).replace("-", " ")
    return f"{name} {given} {at:%Y-%m-%d %H:%M:%S}" if given else f"{name} {at:%Y-%m-%d %H:%M:%S}"


def sheet_key(code: str) -> str:
    """What the deployment and the table of a district are called.

    Prefect reads a deployment by its name in an address: with a `#` in it two districts would be one.
    """
    return re.sub(r"[^a-z0-9]+", "-", f"joint-tracking-{code}".lower())


async def _go(name: str, **given: Any) -> Done:  # noqa: ANN401 - a round's own
    """The round itself is ordinary code: it runs in a thread, so that the loop keeps its ear to the server."""
    premises = place.here()
    with belonging_to(RUN, str(flow_run.id)):
        return await asyncio.to_thread(rounds.go, premises, name, "orchestrator", premises.clock(), **given)


@flow(name="sweep", flow_run_name=_named, retries=2, retry_delay_seconds=2, validate_parameters=False)
async def sweep() -> Done:
    """Deadlines, the rungs of the ladder, whatever `wake_at` says."""
    return await _go("sweep")


@flow(name="deliver", flow_run_name=_named, retries=2, retry_delay_seconds=2, validate_parameters=False)
async def deliver() -> Done:
    """The net under delivery, which the database wakes at once."""
    return await _go("deliver")


@flow(name="webhooks", flow_run_name=_named, retries=2, retry_delay_seconds=2, validate_parameters=False)
async def webhooks() -> Done:
    """The net under the sender of webhooks, which looks every few seconds."""
    return await _go("webhooks")


@flow(name="joint-tracking", flow_run_name=_named, retries=3, retry_delay_seconds=60)
async def joint_tracking(district: str | None = None) -> Done:
    """Open the check-ins that are due and lay out a table for each district: which part of which round is missing.

    Above it the counts. Cases stand in it by their numbers, and no person.
    """
    premises = place.here()
    done = await _go("joint_tracking", district=district)
    for sheet in done["districts"]:
        rows = await asyncio.to_thread(rounds.missing, premises, premises.clock(), sheet["code"])
        await acreate_table_artifact(rows, key=sheet_key(sheet["code"]), description=_COUNTS.format(**sheet))
    return done


@flow(name="digest", flow_run_name=_named, retries=3, retry_delay_seconds=60)
async def digest() -> Done:
    """晨报, on working days: what is overdue, due today, newly opened."""
    return await _go("digest")


@flow(name="bulletin", flow_run_name=_named, retries=3, retry_delay_seconds=300)
async def bulletin(month: date | None = None) -> Done:
    """通报 of the month before the run's own time: one that was missed is of its month, whenever it is made up for."""
    return await _go("bulletin", month=month, scheduled=flow_run.scheduled_start_time)


@flow(name="tally", flow_run_name=_named, retries=1, retry_delay_seconds=30)
async def tally(thorough: bool = False) -> Done:  # noqa: FBT001, FBT002 - a parameter of the deployment
    """统计: count what has changed; `thorough` looks through everything."""
    return await _go("tally", thorough=thorough)


@flow(name="seal", flow_run_name=_named, retries=3, retry_delay_seconds=60)
async def seal(thorough: bool = False) -> Done:  # noqa: FBT001, FBT002 - a parameter of the deployment
    """封存: the heads of all histories, elsewhere; `thorough` follows every chain besides."""
    return await _go("seal", thorough=thorough)


@flow(name="retention", flow_run_name=_named, retries=1, retry_delay_seconds=300)
async def retention(apply: bool = False) -> Done:  # noqa: FBT001, FBT002 - as above
    """List whose term is over; with `apply`, a week later, forget them."""
    return await _go("retention", apply=apply)


@flow(name="backup", flow_run_name=_named, retries=3, retry_delay_seconds=600)
async def backup() -> Done:
    """备份 of the cases, encrypted, without the keys; old ones are ended."""
    return await _go("backup")


@flow(name="keys", flow_run_name=_named, retries=3, retry_delay_seconds=600)
async def keys() -> Done:
    """A copy of the key store, where forgetting reaches it; old ones are ended."""
    return await _go("keys")


FLOWS: Final[tuple[Flow[..., Any], ...]] = (
    sweep,
    deliver,
    webhooks,
    joint_tracking,
    tally,
    digest,
    bulletin,
    seal,
    retention,
    backup,
    keys,
)
