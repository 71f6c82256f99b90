"""催办 and 督办 for several rows of the board at once: one trigger for each, and what became of every one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl

from fastapi import APIRouter
from starlette.datastructures import QueryParams
from starlette.responses import Response

from api import errors
from api.given import number_of
from api.pages.board import ROLES, allowed, filters_of, query_of
from api.pages.fired import Opened, fire
from api.pages.frame import Framed, Page, Posted
from api.pages.parts import level_word
from api.pages.spoken import Left
from cases import access, loading
from cases.casefile import CaseFile
from cases.office import Session
from cases.refusal import Refusal
from cases.tracks.supervision import OPEN as OPEN_ORDERS

router = APIRouter(include_in_schema=False)
MOST: Final = 50
"""So many at once."""
_WAYS: Final = ("remind", "issue")
_LONGEST: Final = 4000


@dataclass(frozen=True, slots=True)
class Chosen:
    """One row that was ticked: its mark, the case, and what and whose its track is."""

    mark: str
    number: str
    level: str
    level_word: str
    what: str
    whose: str
    left: Left | None
    ordered: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one: empty `why` where it was done."""

    chosen: Chosen
    why: str


@router.get("/board/together")
def asked(page: Framed, do: str = "remind") -> Response:
    """What is to be done to which, before anything is."""
    allowed(page, ROLES)
    with page.reading() as session:
        query = page.request.query_params
        return _form(page, session, do, query.getlist("one"), back=query.get("back", ""))


@router.post("/board/together")
def done(page: Framed, posted: Posted) -> Response:
    """Pull the trigger for each; one that is refused holds up no other. Sent twice, each is done once."""
    allowed(page, ROLES)
    do, text = str(posted.get("do", "")), str(posted.get("text", "")).strip()
    marks = [str(one) for one in posted.getlist("one")]
    back = str(posted.get("back", ""))
    with page.reading() as session:
        wrong = _faulty(page, do, text)
        if wrong:
            return _form(page, session, do, marks, text, wrong, back)
        chosen = _chosen(page, session, marks)
    key = Opened.of(posted).key
    outcomes = [Outcome(one, _pulled(page, do, one, text, key)) for one in chosen]
    with page.reading() as session:
        return page.show(
            "together_done.html", session, do=do, succeeded=[one for one in outcomes if not one.why],
            failed=[one for one in outcomes if one.why], back=_filters(back),
        )  # fmt: skip


def _faulty(page: Page, do: str, text: str) -> str:
    if do == "issue" and not text:
        return page.say("Say what is demanded.")
    return page.say("That is too long.") if len(text) > _LONGEST else ""


def _pulled(page: Page, do: str, one: Chosen, text: str, key: str) -> str:
    """Why it was refused; empty when it was done."""
    number, _, track = one.mark.partition("~")
    opened = Opened(f"{key} {one.mark}", None, 0)
    try:
        if do == "issue":
            fire(page, number, "supervision", "issue", {"about": int(track), "demand": text}, opened)
        else:
            fire(page, number, track, "remind", {"note": text} if text else {}, opened)
    except Refusal as refusal:
        problem = errors.problem_of(page.request, refusal)
        return "; ".join(fault.message for fault in problem.faults) or problem.detail or problem.title
    return ""


def _filters(back: str) -> str:
    """The filters of the board that the reader came from, as its address has them."""
    return query_of(filters_of(QueryParams(parse_qsl(back[:500]))))


def _form(
    page: Page, session: Session, do: str, marks: list[str], text: str = "", wrong: str = "", back: str = ""
) -> Response:
    if do not in _WAYS:
        raise Refusal("not_found")
    facts: dict[str, Any] = {
        "do": do,
        "chosen": _chosen(page, session, marks),
        "too_many": len(marks) > MOST,
        "most": MOST,
        "text": text,
        "wrong": wrong,
        "opened": Opened.at(None),
        "back": _filters(back),
    }
    return page.show("together.html", session, status=422 if wrong else 200, **facts)


def _chosen(page: Page, session: Session, marks: list[str]) -> list[Chosen]:
    """The ticked rows that the reader sees, in their order; what isn't one of theirs is passed over."""
    wanted = []
    for mark in dict.fromkeys(marks[:MOST]):
        number, _, track = mark.partition("~")
        no = number_of(track)
        if no is not None and number:
            wanted.append((mark, number, no))
    if not wanted:
        return []
    numbers = sorted({number for _, number, _ in wanted})
    files = {one.number: one for one in loading.one_by_one(session, numbers, lock=False)}
    return [
        _one(page, session, mark, files[number], track)
        for mark, number, track in wanted
        if number in files and _sees(page, session, files[number]) and files[number].track(track) is not None
    ]


def _sees(page: Page, session: Session, file: CaseFile) -> bool:
    book = session.office.book_of(file.policy)
    return not access.sees(page.reader.actor, file, book, page.reader.now).nothing


def _one(page: Page, session: Session, mark: str, file: CaseFile, track: int) -> Chosen:
    record = file.track(track) or file.record
    whose = record.organisation
    place = session.office.directory.organisation(session.connection, whose).name if whose is not None else ""
    book = session.office.book_of(file.policy)
    what = page.word(session.office.tracks[record.kind].label)
    due = min(
        (one.face.due for one in file.clocks.values() if one.track == record.no and not one.stopped), default=None
    )
    left = page.tongue.left(due) if due is not None else None
    ordered = any(one.state in OPEN_ORDERS and one.about == record.no for one in file.of_kind("supervision"))
    return Chosen(mark, file.number, file.level, level_word(page, book, file.level), what, place, left, ordered)
