"""The routes of the triggers: one for each kind of track and trigger, from the declarations alone.

`/cases/{number}/{kind}/{trigger}` opens a track, or moves the case itself; `/cases/{number}/{kind}/{no}/{trigger}`
moves one. `/cases/{number}/tracks/{no}/{trigger}` does the same by number alone, whatever the kind.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response

from api.asked import Asked, Writing
from api.given import TrackNo
from api.rest.answers import Moved
from api.rest.asking import Body, IdempotencyKey, IfMatch, Number, once, version_of
from api.rest.bodies import body_of, both, of_move, problems
from api.rest.pulling import pulled
from cases.casefile import CASE
from cases.intake import OPENING
from cases.track import FOLLOWS, TIME, Move, Track, discover

TriggerName = Annotated[str, Path(pattern=r"^[a-z_]{1,40}$", description="触发名 · the trigger's name")]
MovedNo = Annotated[int, Path(gt=0, lt=2**15, description="事项序号 · the number of the track")]


def routes() -> APIRouter:
    """Every trigger that people pull, as a route."""
    router = APIRouter()
    for declared in discover().values():
        for move in declared.moves:
            if move.by not in (TIME, FOLLOWS):
                _add(router, declared, move)
    router.add_api_route(
        "/cases/{number}/tracks/{no}/{trigger}",
        by_number,
        methods=["POST"],
        tags=["tracks"],
        operation_id="pull",
        response_model=Moved,
        summary="按序号触发 · pull a trigger by the track's number alone",
        description=both(
            "与各类事项自己的地址相同，事项种类由序号决定；表单见各触发的说明。",
            "The same as under the kinds' own addresses, where each form is described; the number says the kind.",
        ),
        responses=problems(404, 409, 412, 413),
        openapi_extra=_ANY_FORM,
    )
    return router


_ANY_FORM: dict[str, Any] = {
    "requestBody": {
        "required": False,
        "content": {"application/json": {"schema": {"type": "object"}, "example": {"reason": "已核实 · verified"}}},
    }
}


def by_number(
    request: Request,
    reader: Asked,
    session: Writing,
    number: Number,
    no: TrackNo,
    trigger: TriggerName,
    body: Body,
    key: IdempotencyKey = None,
    if_match: IfMatch = None,
) -> Response:
    """Any trigger of any track of a case."""
    said = [body, if_match]
    return once(request, session, reader, key, said,
                lambda: pulled(session, reader, number, no, trigger, body, version_of(if_match)))  # fmt: skip


def _add(router: APIRouter, declared: Track, move: Move) -> None:
    kind, own = declared.kind, declared.kind == "case"
    moved = not move.opens and not own
    path = f"/cases/{{number}}/{kind}/{{no}}/{move.name}" if moved else f"/cases/{{number}}/{kind}/{move.name}"
    chinese, english = move.label
    of_chinese, of_english = declared.label
    router.add_api_route(
        path,
        _of_track(kind, move.name) if moved else _of_case(kind, move.name, opens=move.opens),
        methods=["POST"],
        status_code=201 if move.opens else 200,
        tags=[kind],
        operation_id=f"{kind}_{move.name}",
        response_model=Moved,
        summary=f"{of_chinese}:{chinese} · {of_english}: {english}",
        description=_description(declared, move),
        responses=of_move(move, created=move.opens),
        openapi_extra={**body_of(move), "x-trigger": f"{kind}.{move.name}"},
    )


def _of_track(kind: str, trigger: str) -> Callable[..., Response]:
    def pull(
        request: Request,
        reader: Asked,
        session: Writing,
        number: Number,
        no: MovedNo,
        body: Body,
        key: IdempotencyKey = None,
        if_match: IfMatch = None,
    ) -> Response:
        said = [body, if_match]
        return once(request, session, reader, key, said,
                    lambda: pulled(session, reader, number, no, trigger, body, version_of(if_match), kind))  # fmt: skip

    return pull


def _of_case(kind: str, trigger: str, *, opens: bool) -> Callable[..., Response]:
    track: int | str = kind if opens else CASE

    def pull(
        request: Request,
        reader: Asked,
        session: Writing,
        number: Number,
        body: Body,
        key: IdempotencyKey = None,
        if_match: IfMatch = None,
    ) -> Response:
        said = [body, if_match]
        return once(request, session, reader, key, said,
                    lambda: pulled(session, reader, number, track, trigger, body, version_of(if_match)))  # fmt: skip

    return pull


def _description(declared: Track, move: Move) -> str:
    """Who may, from which state, and where it leads, in both languages."""
    by = ", ".join(f"`{one}`" for one in move.by)
    if move.opens:
        ways = ("新开一项。", "Opens a track.")
    else:
        source = move.source or ()
        labels = [declared.states[one].label for one in source]
        targets = [declared.states[one].label for one in move.targets]
        ways = (
            f"状态：{'、'.join(one[0] for one in labels)}" + (f" → {'、'.join(one[0] for one in targets)}" if targets
                                                            else "（不变）") + "。",
            f"From {', '.join(one[1] for one in labels)}" + (f" to {', '.join(one[1] for one in targets)}" if targets
                                                             else "; the state stays") + ".",
        )  # fmt: skip
    again = ("", "")
    if declared.kind == "case" and move.name in OPENING:
        again = (
            "用于已保存的草稿；新开个案请用 `POST /cases`。",
            "For a saved draft; a new case is opened by `POST /cases`.",
        )
    keys = ("须两人各自办理。", "Needs two keys, turned by two people.") if move.keys else ("", "")
    return both(f"{ways[0]}{keys[0]}{again[0]}可以办理的有：{by}。", f"{ways[1]} {keys[1]} {again[1]} By {by}.")
