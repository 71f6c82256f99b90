"""The case page: who, how far, what next, every track, the whole timeline, files, and who has looked."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from fastapi import APIRouter
from starlette.responses import Response

from api.given import Count, TrackNo
from api.pages.banners import done_words
from api.pages.charts import Chart, chart
from api.pages.draft import student_told
from api.pages.fired import Opened
from api.pages.frame import Framed, Page, Posted
from api.pages.nextstep import next_step
from api.pages.papers import shown_of
from api.pages.parts import head
from api.pages.reasons import reasons, weighing
from api.pages.sheet import Button, Sheet
from api.pages.stepper import steps
from api.pages.telling import Entry, Teller, of_track
from cases import access, diagrams, dossier, files, looked, looks, noting, queries
from cases.casefile import CASE, CaseFile
from cases.dossier import WHISTLED, Told
from cases.offers import offers
from cases.office import Session
from cases.refusal import FieldFault, Refusal

router = APIRouter(include_in_schema=False)
IN_THIS_ROOM: Final = "case page"
NEWEST: Final = 25
"""So many entries of the timeline stand open; the earlier ones are folded under them."""
SHOWN: Final = ("people", "system")
"""By whom entries of the timeline may be narrowed; on paper all of them stand."""
FOLDED: Final = frozenset({"officer", "lead", "liaison"})
"""Those who see to a part of the case: what others do stands folded under theirs."""


@dataclass(frozen=True, slots=True)
class Done:
    """What the reader has just done, with the way back where there is one."""

    title: str
    undo: Button | None


@router.get("/cases/{number}")
def case_page(number: str, page: Framed, done: Count | None = None, show: str = "") -> Response:
    """Reading is logged, so this is a transaction that writes. `show` leaves out on the screen what others did."""
    with page.opening() as session:
        file, sight = queries.look(session, number, page.reader.actor, page.reader.now)
        facts = _facts(page, session, file, sight, done)
        facts["show"] = shown = show if show in SHOWN else ""
        facts["newest"] = _open_up_to(facts["entries"], shown)
        return page.show("case.html", session, **facts)


@router.get("/cases/{number}/now")
def case_now(number: str, page: Framed, events: Count = 0) -> Response:
    """What changes by itself, for a page that stands open: the next step with its limits, and what has happened since.

    Opens no section, so it is no look save through break-glass; what was said is read by loading the page.
    """
    with page.reading() as session:
        file, sight = queries.look(session, number, page.reader.actor, page.reader.now)
        sheet = _sheet(page, session, file)
        facts: dict[str, Any] = {
            "case": file, "next": next_step(sheet), "head": head(page, session, file, sight), "seen": events,
            "fresh": file.events - events, "opened": Opened.at(file), "phone": _phone(page, session, file),
        }  # fmt: skip
        return page.show("case.html", session, block="now", **facts)


@router.get("/cases/{number}/identity")
def identity_form(number: str, page: Framed) -> Response:
    with page.reading() as session:
        file, sight = queries.look(session, number, page.reader.actor, page.reader.now)
        if sight.identity != "yes":
            raise Refusal("not_permitted")
        return page.show(
            "identity.html", session, head=head(page, session, file, sight), identity=None, error="", why=""
        )


@router.post("/cases/{number}/identity")
def identity(number: str, page: Framed, posted: Posted) -> Response:
    """Show the whole identity to whoever may see it and says why; that is logged with the reason."""
    why = str(posted.get("why", "")).strip()[:200]
    with page.opening() as session:
        actor, now = page.reader.actor, page.reader.now
        file, sight = queries.look(session, number, actor, now)
        if sight.identity != "yes":
            raise Refusal("not_permitted")
        shown: dict[str, Any] = {"head": head(page, session, file, sight), "why": why}
        if not why:
            error = page.say("Say why you need it.")
            return page.show("identity.html", session, status=422, identity=None, error=error, **shown)
        noting.note_looks(session, [file], actor, ["identity"], why, now)
        opened = dossier.identity(session, file)
        return page.show("identity.html", session, identity=student_told(page, opened), error="", **shown)


@router.get("/cases/{number}/looks")
def looks_page(number: str, page: Framed, before: str = "") -> Response:
    """Who has looked, beyond what the case page has room for."""
    with page.reading() as session:
        file, sight = queries.look(session, number, page.reader.actor, page.reader.now)
        facts = _looks(page, session, file, _mark(before) if before else None)
        return page.show("looks.html", session, head=head(page, session, file, sight), **facts)


@router.get("/cases/{number}/clocks/{no}")
def clock_page(number: str, no: TrackNo, page: Framed) -> Response:
    """Why is this due then? The reckoning line by line."""
    with page.reading() as session:
        file, sight = queries.look(session, number, page.reader.actor, page.reader.now)
        clock = file.clocks.get(no)
        sheet = _sheet(page, session, file)
        limit = sheet.limit(clock) if clock is not None else None
        if clock is None or limit is None:
            raise Refusal("not_found")
        why = sheet.why(clock)
        return page.show("clock.html", session, head=head(page, session, file, sight), limit=limit, why=why)


@router.get("/cases/{number}/tracks/{no}")
def track_page(number: str, no: TrackNo, page: Framed) -> Response:
    """One track with its diagram, the present state marked."""
    with page.reading() as session:
        file, sight = queries.look(session, number, page.reader.actor, page.reader.now)
        record = file.track(no)
        if record is None:
            raise Refusal("not_found")
        sheet = _sheet(page, session, file)
        declared = session.office.tracks[record.kind]
        facts: dict[str, Any] = {
            "head": head(page, session, file, sight),
            "card": sheet.card(record),
            "declared": declared,
            "entries": of_track(page, session, file, no),
        }
        return page.show("track.html", session, **facts)


@router.get("/cases/{number}/tracks/{no}/diagram.svg")
def diagram(number: str, no: TrackNo, page: Framed) -> Response:
    with page.reading() as session:
        file, _ = queries.look(session, number, page.reader.actor, page.reader.now)
        record = file.track(no)
    if record is None:
        raise Refusal("not_found")
    drawn = diagrams.svg_of(
        diagrams.chart(page.house.office.tracks[record.kind]), page.language, record.state, codes=False
    )
    # An SVG shown as an image brings its own style sheet, which the policy of pages would forbid in the page itself.
    policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
    return Response(drawn, media_type="image/svg+xml", headers={"content-security-policy": policy})


def _sheet(page: Page, session: Session, file: CaseFile, history: list[Told] | None = None) -> Sheet:
    offered = offers(session, file, page.reader.actor, page.reader.now)
    return Sheet(page, session, file, session.office.book_of(file.policy), offered, history or [])


def _facts(page: Page, session: Session, file: CaseFile, sight: access.Sight, done: int | None) -> dict[str, Any]:
    actor, now = page.reader.actor, page.reader.now
    history = dossier.told(session, file, sight, actor, now, IN_THIS_ROOM)
    kept = files.of_case(session, file, sight, actor, now)
    acted = {one.actor for one in history if one.actor is not None}
    named = dossier.names(session, acted | {one.member for one in kept} | _whistler(file))
    sheet = _sheet(page, session, file, history)
    papers = {one.reference: shown_of(page, one, named) for one in kept}
    entries = Teller(page, session, sheet.book, named, papers, file).entries(history)
    titles = {one.seq: one.title for one in entries}
    shelf = [replace(papers[one.reference], step=titles.get(one.event or 0, "")) for one in reversed(kept)]
    return {
        "case": file,
        "head": head(page, session, file, sight),
        "sight": sight,
        "steps": steps(sheet),
        "next": next_step(sheet),
        "reasons": reasons(sheet),
        "weighing": weighing(sheet),
        "cards": sheet.cards(),
        "own_limits": sheet.limits(CASE),
        "more": sheet.opening(),
        "entries": entries,
        "chart": _chart(page, file, history),
        **_looks(page, session, file),
        "papers": shelf,
        "sections": sight.narrative == "yes" or sight.clinical == "yes",
        "whistled": next((one.at for one in reversed(history) if one.name in WHISTLED), None),
        "whistler": named.get(file.whistler or 0, ""),
        "phone": _phone(page, session, file),
        "opened": Opened.at(file),
        "folded": page.roles <= FOLDED,
        "done": _done(sheet, done),
        "fresh": 0,
        "seen": file.events,
    }


def _open_up_to(entries: list[Entry], show: str) -> int:
    """How many entries stand open, so that the newest of those that are shown do."""
    shown = [place for place, one in enumerate(entries, 1) if not show or one.by == show]
    return shown[NEWEST - 1] if len(shown) > NEWEST else len(entries)


def _looks(page: Page, session: Session, file: CaseFile, before: looked.Mark | None = None) -> dict[str, Any]:
    found, more = looked.looks(session.connection, file.id, before=before)
    return {
        "looks": looked.by_person(found),
        "more_looks": f"{more.at.astimezone(UTC).isoformat()}~{more.entry}" if more is not None else "",
        "audits": looks.audits(page.reader.actor, file),
    }


def _mark(written: str) -> looked.Mark:
    at, _, entry = written.partition("~")
    try:
        made = looked.Mark(datetime.fromisoformat(at), int(entry))
    except ValueError:
        raise Refusal("invalid", faults=(FieldFault("before", "wrong_form"),)) from None
    if made.at.tzinfo is None or not 0 <= made.entry < 1 << 63:
        raise Refusal("invalid", faults=(FieldFault("before", "wrong_form"),))
    return made


def _whistler(file: CaseFile) -> set[int]:
    return {file.whistler} if file.whistler is not None else set()


def _phone(page: Page, session: Session, file: CaseFile) -> str:
    """The whistler's number, for whoever may have to ask; not one's own."""
    return dossier.phones(session, _whistler(file) - {page.reader.member.id}).get(file.whistler or 0, "")


def _done(sheet: Sheet, seq: int | None) -> Done | None:
    told = next((one for one in sheet.history if one.seq == seq), None)
    if told is None or told.actor != sheet.page.reader.member.id:
        return None
    undo = next((one for one in sheet.of_track(told.track) if one.free and one.move.name.startswith("undo_")), None)
    return Done(done_words(sheet, told), sheet.button(undo) if undo is not None else None)


def _chart(page: Page, file: CaseFile, history: list[Told]) -> Chart | None:
    """Attendance over the weeks, and mood and sleep for whoever sees the clinical section."""
    weeks = {one.no: int(one.facts.get("week", one.facts.get("round", 0))) for one in file.of_kind("check_in")}
    filed = [(weeks[one.track], one) for one in history if one.name == "check_in.school_filed" and one.track in weeks]
    return chart(page, sorted(((week, {**one.open, **one.said}) for week, one in filed), key=lambda each: each[0]))
