"""What runs in a case: its tracks, clocks with their reckoning, and timeline; and lists of tracks over all cases."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from api.asked import Asked, Reading
from api.given import TrackNo
from api.rest import answers, showing
from api.rest.asking import Cursor, Most, Number, etag, next_page, page_headers, told
from api.rest.bodies import ETAG, LINK, both, problems
from api.rest.showing import place
from cases import census, listing, possible, queries
from cases import why as reckonings
from cases.refusal import Refusal
from cases.track import discover

router = APIRouter(tags=["tracks"])

ClockNo = Annotated[int, Path(gt=0, lt=2**15, description="时钟序号 · the number of the clock")]
Kind = Annotated[str | None, Query(pattern=r"^[a-z_]{1,30}$", description="事项种类 · a kind of track")]
States = Annotated[list[Annotated[str, Query(pattern=r"^[a-z_]{1,30}$")]] | None, Query()]
OrganisationId = Annotated[int | None, Query(gt=0, lt=2**53)]
After = Annotated[int, Query(ge=0, lt=2**31, description="从此序号之后 · after the event of this number")]


@router.get(
    "/cases/{number}/tracks",
    response_model=answers.TracksOf,
    operation_id="list_tracks",
    summary="个案的各事项，以及现在能做什么 · the tracks of a case, and what you may do now",
    description=both(
        "`triggers` 逐项说明现在能否触发；不能的写明原因和谁可以。`openings` 是可以新开的事项。",
        "`triggers` says of each whether you may pull it now, and if not, why not and who could. `openings` are those "
        "that open another track.",
    ),
    responses={200: {"headers": ETAG}, **problems(404)},
)
def list_tracks(reader: Asked, session: Reading, number: Number, kind: Kind = None) -> Response:
    file, _ = queries.look(session, number, reader.actor, reader.now)
    items = [
        showing.a_track(session, reader, file, one) for one in file.all_records() if kind is None or one.kind == kind
    ]
    found = possible.openings(session, file, reader.actor, reader.now)
    openings = [showing.a_trigger(reader, file, None, one) for one in found if kind is None or one.kind == kind]
    return told(answers.TracksOf(items=items, openings=openings), headers={"ETag": etag(file.version)})


@router.get(
    "/cases/{number}/tracks/{no}",
    response_model=answers.TrackFull,
    operation_id="read_track",
    summary="一个事项 · one track",
    responses={200: {"headers": ETAG}, **problems(404)},
)
def read_track(reader: Asked, session: Reading, number: Number, no: TrackNo) -> Response:
    file, _ = queries.look(session, number, reader.actor, reader.now)
    record = file.track(no)
    if record is None:
        raise Refusal("not_found")
    return told(showing.a_track(session, reader, file, record), headers={"ETag": etag(file.version)})


@router.get(
    "/cases/{number}/clocks",
    response_model=answers.PageOf[answers.ClockLine],
    operation_id="list_clocks",
    summary="个案的时限 · the clocks of a case",
    responses=problems(404),
)
def list_clocks(reader: Asked, session: Reading, number: Number) -> Response:
    file, _ = queries.look(session, number, reader.actor, reader.now)
    items = [showing.a_clock(session, reader, file, one) for one in file.clocks.values()]
    return told(answers.PageOf[answers.ClockLine](items=items, next=None))


@router.get(
    "/cases/{number}/clocks/{no}/why",
    response_model=answers.Why,
    operation_id="why",
    summary="为什么是这个时限 · why it is due then",
    description=both("逐步推算，每步写明依据。", "Step by step, each with the article or the plan's line behind it."),
    responses=problems(404),
)
def why(reader: Asked, session: Reading, number: Number, no: ClockNo) -> Response:
    file, _ = queries.look(session, number, reader.actor, reader.now)
    clock = file.clocks.get(no)
    if clock is None:
        raise Refusal("not_found")
    found = reckonings.reckoned(session.office.book_of(file.policy), clock.face, reader.language)
    steps = [
        answers.ReckoningStep(
            kind=step.kind,
            begins=step.begins,
            ends=step.ends,
            what=step.what[reader.language],
            basis=step.basis[reader.language] if step.basis else None,
        )
        for step in found.steps
    ]
    return told(
        answers.Why(clock=found.clock, level=found.level, due=found.due, provisional=found.provisional, steps=steps)
    )


@router.get(
    "/cases/{number}/timeline",
    response_model=answers.PageOf[answers.EventLine],
    operation_id="timeline",
    summary="时间线 · the history of a case",
    description=both(
        "谁办理了强制报告，只有公安、督导和本人看得到姓名（反家庭暴力法第十四条）。",
        "Whoever filed a mandatory report is named to police, supervisors and the filer alone (Anti-Domestic-Violence "
        "Law, article 14).",
    ),
    responses={200: {"headers": LINK}, **problems(404)},
)
def timeline(
    request: Request, reader: Asked, session: Reading, number: Number, after: After = 0, limit: Most = 50
) -> Response:
    file, _ = queries.look(session, number, reader.actor, reader.now)
    events = queries.history(session, file, reader.actor, after=after, most=limit + 1)
    shown = events[:limit]
    names, _ = census.named(session.connection, {one.actor for one in shown if one.actor is not None}, set())
    items = [
        answers.EventLine(
            seq=one.seq,
            at=one.at,
            track=one.track,
            kind=one.kind,
            name=one.name,
            trigger=one.trigger,
            target=one.target,
            organisation=one.organisation,
            actor=one.actor,
            actor_name=names.get(one.actor) if one.actor is not None else None,
            role=one.role,
            open=dict(one.open),
            sections=list(one.sections),
        )
        for one in shown
    ]
    more = len(events) > limit
    following = f"{request.url.path}?after={shown[-1].seq}&limit={limit}" if more else None
    return told(answers.PageOf[answers.EventLine](items=items, next=following), headers=page_headers(following))


def _of_kind(path: str, kind: str) -> None:
    chinese, english = discover()[kind].label

    @router.get(
        path,
        response_model=answers.PageOf[answers.TrackLine],
        operation_id=f"list_{path.strip('/').replace('-', '_')}",
        summary=f"您看得到的{chinese} · every {english} that you see",
        responses={200: {"headers": LINK}, **problems()},
    )
    def listed(
        request: Request,
        reader: Asked,
        session: Reading,
        state: States = None,
        organisation: OrganisationId = None,
        cursor: Cursor = None,
        limit: Most = 50,
    ) -> Response:
        page = listing.tracks(
            session, reader.actor, reader.now, kind, state=state or (), place=organisation, cursor=cursor, most=limit
        )
        following = next_page(request, page.next)
        states = session.office.tracks[kind].states
        items = [
            answers.TrackLine(
                number=one.number,
                level=one.level,
                no=one.no,
                kind=one.kind,
                state=one.state,
                state_label=states[one.state].label[place(reader)],
                organisation=one.organisation,
                parent=one.parent,
                about=one.about,
                opened=one.opened,
                ended=one.ended,
                due=one.due,
                facts=showing.the_facts(one.facts),
            )
            for one in page.items
        ]
        return told(answers.PageOf[answers.TrackLine](items=items, next=following), headers=page_headers(following))


for _path, _kind in (
    ("/check-ins", "check_in"),
    ("/conferences", "conference"),
    ("/action-items", "action_item"),
    ("/supervision-orders", "supervision"),
    ("/referrals", "referral"),
    ("/assignments", "assignment"),
):
    _of_kind(_path, _kind)
