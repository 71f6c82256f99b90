"""Which students' check-ins prompt a regrade: rounds running that saw some risk. One rule for the desk and the sheet.

The same that `cases.tracks.check_in` tells the coordinator by. An acute risk prompts by itself, at once, and no run.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Integer, Select, and_, cast, func, or_, select

from cases.records import event, track

_RETURNS: Final = track.alias("returns")
_ROUND: Final = cast(track.c.facts["round"].astext, Integer)
_SIDES: Final = ("school", "hospital")


def prompted(rounds: int) -> Select[Any]:
    """The trackings (`case_id`, `parent_no`) whose newest filed rounds, at least so many running, saw some risk.

    `running` is how many, `at` when somebody last said so; a case that was regraded since is prompted no more.
    """
    runs = _runs().subquery("runs")
    said = (
        select(func.max(event.c.at))
        .select_from(track)
        .join(event, and_(event.c.case_id == track.c.case_id, event.c.track_no == track.c.no))
        .where(track.c.case_id == runs.c.case_id, track.c.parent_no == runs.c.parent_no, track.c.kind == "check_in")
        .where(or_(*(_said_some(side) for side in _SIDES)))
        .correlate(runs)
        .scalar_subquery()
    )
    found = select(runs.c.case_id, runs.c.parent_no, runs.c.running, said.label("at"))
    found = found.where(runs.c.running >= rounds)
    standing = found.subquery("standing")
    regraded = select(event.c.seq).where(event.c.case_id == standing.c.case_id, event.c.trigger == "regrade")
    return select(standing).where(~regraded.where(event.c.at >= standing.c.at).correlate(standing).exists())


def _said_some(side: str) -> Any:  # noqa: ANN401 - a condition
    return and_(event.c.trigger == f"file_{side}", track.c.facts["risk"][side].astext == "some")


def _runs() -> Select[Any]:
    """How many of the newest filed rounds of each running tracking saw some risk; unfiled ones are passed over."""
    tracking = select(_RETURNS.c.case_id).where(
        _RETURNS.c.kind == "return_to_school", _RETURNS.c.state == "tracking", _RETURNS.c.ended_at.is_(None),
        _RETURNS.c.no == track.c.parent_no, _RETURNS.c.case_id == track.c.case_id,
    )  # fmt: skip
    filed = (
        select(
            track.c.case_id,
            track.c.parent_no,
            track.c.facts["risk"].astext.contains('"some"').label("risky"),
            func.row_number()
            .over(partition_by=(track.c.case_id, track.c.parent_no), order_by=_ROUND.desc())
            .label("back"),
        )
        .where(track.c.kind == "check_in", track.c.facts.has_key("risk"), track.c.facts["risk"].astext != "{}")
        .where(tracking.exists())
        .subquery("filed")
    )
    calm = func.min(filed.c.back).filter(~filed.c.risky)
    running = func.coalesce(calm - 1, func.count()).label("running")
    return select(filed.c.case_id, filed.c.parent_no, running).group_by(filed.c.case_id, filed.c.parent_no)
