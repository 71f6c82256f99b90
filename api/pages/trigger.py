"""Every trigger of every track has its page here: its declared form, drawn and sent.

`/cases/{number}/tracks/{no}/{trigger}` pulls one of a track (0 is the case), `/cases/{number}/{kind}/{trigger}` opens
a track. A page of its own for a trigger takes an address before this router's.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter
from starlette.datastructures import FormData
from starlette.responses import Response

from api import errors
from api import problem_words as words
from api.given import TrackNo, number_of
from api.pages.beside import beside, ordered
from api.pages.cautions import cautions
from api.pages.filled import Typed, values
from api.pages.fired import Opened, fire
from api.pages.frame import Framed, Page, Posted
from api.pages.handed import Handed, handed_in, takes_files
from api.pages.insisted import asked, unsaid
from api.pages.meanwhile import outrun, since
from api.pages.parts import Head, head
from api.pages.sheet import Sheet
from api.pages.telling import Entry
from api.pages.unsent import opened_of, restored
from api.pages.weighed import IRREVOCABLE, Weighing, weighed
from api.pages.widgets import Scene, drawn, summary
from api.pages.words import field_label
from cases import access, loading, queries, search
from cases.casefile import CASE, CaseFile
from cases.dispatch import GROUPS
from cases.forms import Form
from cases.offers import Offer, offer_of
from cases.office import Session
from cases.refusal import FieldFault, Refusal
from cases.tracks.access import TRACK as GLASS
from cases.unsent import Unsent

router = APIRouter(include_in_schema=False)
_AHEAD = frozenset({"schedule"})
"""What is planned isn't now."""
_BEGINNING = frozenset({"whistle", "submit", "save_draft"})


@dataclass(frozen=True, slots=True)
class Scenery:
    """The case of a trigger, and what the reader sees of it (nothing, where break-glass is being asked for)."""

    session: Session
    file: CaseFile
    sight: access.Sight
    offer: Offer

    @property
    def form(self) -> Form:
        """As the page asks it."""
        return asked(self.offer.declared.kind, self.offer.move.name, self.offer.move.form)


@router.get("/cases/{number}/tracks/{no}/{trigger}")
def form_of_track(number: str, no: TrackNo, trigger: str, page: Framed) -> Response:
    return _form(page, number, str(no), trigger)


@router.post("/cases/{number}/tracks/{no}/{trigger}")
def sent_to_track(number: str, no: TrackNo, trigger: str, page: Framed, posted: Posted) -> Response:
    return _sent(page, number, str(no), trigger, posted)


@router.get("/cases/{number}/tracks/{no}/{trigger}/attachments")
def form_of_track_again(number: str, no: TrackNo, trigger: str, page: Framed) -> Response:
    """Whoever loads the address of a form that came back gets the form."""
    return page.go(f"/cases/{number}/tracks/{no}/{trigger}")


@router.post("/cases/{number}/tracks/{no}/{trigger}/attachments")
def sent_to_track_with_files(number: str, no: TrackNo, trigger: str, page: Framed, posted: Posted) -> Response:
    """The same with files: an address of its own, because only such a request may be large."""
    return _sent(page, number, str(no), trigger, posted)


@router.get("/cases/{number}/{kind}/{trigger}")
def form_that_opens(number: str, kind: str, trigger: str, page: Framed) -> Response:
    return _form(page, number, kind, trigger)


@router.post("/cases/{number}/{kind}/{trigger}")
def sent_to_open(number: str, kind: str, trigger: str, page: Framed, posted: Posted) -> Response:
    return _sent(page, number, kind, trigger, posted)


@router.get("/cases/{number}/{kind}/{trigger}/attachments")
def form_that_opens_again(number: str, kind: str, trigger: str, page: Framed) -> Response:
    """Whoever loads the address of a form that came back gets the form."""
    return page.go(f"/cases/{number}/{kind}/{trigger}")


@router.post("/cases/{number}/{kind}/{trigger}/attachments")
def sent_to_open_with_files(number: str, kind: str, trigger: str, page: Framed, posted: Posted) -> Response:
    """As `sent_to_track_with_files`."""
    return _sent(page, number, kind, trigger, posted)


def _form(page: Page, number: str, track: str, trigger: str) -> Response:
    with _scene_of(page, track, trigger) as session:
        there = _there(page, session, number, track, trigger, _about(page))
        if there.offer.record.no == CASE and there.offer.declared.kind == "case" and trigger in _BEGINNING:
            return page.go(f"/whistle/{number}")
        if not there.offer.free:
            return _forbidden(page, there)
        kept = restored(page)
        if kept is None:
            return _drawn(page, there, _beginnings(page, there.offer))
        return _drawn(page, there, Typed(dict(kept.texts)), opened=opened_of(kept), kept=kept)


def _sent(page: Page, number: str, track: str, trigger: str, posted: FormData) -> Response:
    """Fire it; what is refused is shown on the form itself, with everything that was typed."""
    typed, opened = Typed.of(posted), Opened.of(posted)
    about = typed.one("about")
    with _scene_of(page, track, trigger) as session:
        there = _there(page, session, number, track, trigger, number_of(about))
        kind, declared = there.offer.declared.kind, there.form
        typed, nowhere = _in_full(page, there, typed)
    handed = handed_in(page, number, declared, posted) if takes_files(declared) else Handed()
    typed = typed.with_more(handed.references)
    form = values(declared, typed)
    if "about" in form and (track_about := number_of(about)) is not None:
        form["about"] = track_about
    faults = (*handed.faults, *nowhere, *unsaid(kind, trigger, form))
    unsure = f"{kind}.{trigger}" in IRREVOCABLE and posted.get("_sure") is None
    if faults or unsure:
        return _not_sent(page, number, track, trigger, typed, form, faults, opened)
    try:
        to = fire(page, number, track, trigger, form, opened)
    except Refusal as refusal:
        with _scene_of(page, track, trigger) as session:
            there = _there(page, session, number, track, trigger, number_of(about))
            # Told before what the state forbids: "only while …" says nothing of who has just done it.
            if not there.sight.nothing and (refusal.code == "conflict" or not there.offer.free):
                return _outrun(page, there, typed, opened)
            if refusal.code == "invalid":
                return _drawn(page, there, typed, refusal.faults, opened)
            return _refused(page, there, typed, refusal, opened)
    group = _desk(page)
    if group is not None:
        return page.go(f"/desk?group={group}&done={number}")
    # Whoever works through a list goes back to it, and can take the last tap back there.
    return page.go(f"/?undo={number}.{track}" if posted.get("_back") == "work" else to)


def _desk(page: Page) -> str | None:
    """The group of the dispatch desk from which the form was opened; None where it wasn't."""
    place, _, group = page.request.query_params.get("back", "").partition(".")
    return group if place == "desk" and group in GROUPS else None


def _not_sent(
    page: Page,
    number: str,
    track: str,
    trigger: str,
    typed: Typed,
    form: Mapping[str, Any],
    found: tuple[FieldFault, ...],
    opened: Opened,
) -> Response:
    """A file isn't taken, or nothing is decided: said with whatever else is wrong, so that nobody corrects it twice."""
    with _scene_of(page, track, trigger) as session:
        there = _there(page, session, number, track, trigger, form.get("about"))
        faults, bad = list(found), {one.name for one in found}
        try:
            there.form.checked(form, session.office.book_of(there.file.policy).tz)
        except Refusal as refusal:
            faults += [one for one in refusal.faults if one.name not in bad]
        if not faults:
            return _sure(page, there, typed, opened)
        return _drawn(page, there, typed, tuple(faults), opened)


def _in_full(page: Page, there: Scenery, typed: Typed) -> tuple[Typed, tuple[FieldFault, ...]]:
    """A case may be named as in the search, `107` or `wh-2026-000107`; the trigger takes its whole number.

    A fault for one that isn't there, before anybody is asked whether they are sure.
    """
    faults = []
    for field in there.form.fields:
        if field.kind == "case" and typed.one(field.name):
            found = search.full_number(there.session, typed.one(field.name), page.reader.actor, page.reader.now)
            if found is None or found == there.file.number:
                faults.append(FieldFault(field.name, "no_such_case"))
            else:
                typed = typed.with_one(field.name, found)
    return typed, tuple(faults)


def _sure(page: Page, there: Scenery, typed: Typed, opened: Opened) -> Response:
    """What can't be undone is shown once more before it is done, with all that hangs on it."""
    widgets = drawn(_scene(page, there), there.form.fields, typed)
    said = [(one.label, next((each.label for each in one.choices if each.chosen), one.value)) for one in widgets]
    return page.show("sure.html", there.session, typed=typed.items(), said=said, opened=opened,
                     **_common(page, there, typed))  # fmt: skip


def _scene_of(page: Page, track: str, trigger: str) -> AbstractContextManager[Session]:
    """What the reader may open; where break-glass is asked for the case itself, of which only its number is shown."""
    return page.writing() if (track, trigger) == (GLASS.kind, "open") else page.opening()


def _there(page: Page, session: Session, number: str, track: str, trigger: str, about: int | None) -> Scenery:
    """The case and the trigger. Refuses `not_found` to whoever may not know of either."""
    actor, now = page.reader.actor, page.reader.now
    if (track, trigger) == (GLASS.kind, "open"):
        files = loading.one_by_one(session, [number], lock=False)
        if not files:
            raise Refusal("not_found")
        file, sight = files[0], access.NOTHING
    else:
        file, sight = queries.look(session, number, actor, now)
    return Scenery(session, file, sight, offer_of(session, file, actor, now, track, trigger, about))


def _about(page: Page) -> int | None:
    return number_of(page.request.query_params.get("about", ""))


def _beginnings(page: Page, offer: Offer) -> Typed:
    """What a new form holds already: now, today, and what the address says."""
    now = page.tongue.local(page.reader.now)
    given: dict[str, str] = {}
    for field in offer.move.form.fields:
        if field.kind == "moment" and offer.move.name not in _AHEAD:
            given[field.name] = now
        elif field.kind == "date" and field.name in {"day", "from_day"}:
            given[field.name] = now[:10]
    if (offer.declared.kind, offer.move.name) == ("assignment", "report_in"):
        # Most often whoever writes it is who is there.
        member = page.reader.member
        given |= {"mode": "on_site", "people": f"{member.name} {member.organisation.name}"}
    known = {field.name for field in offer.move.form.fields}
    asked = {name: value for name, value in page.request.query_params.items() if name in known}
    return Typed.nothing(**given, **{name: value for name, value in asked.items() if name not in given})


def _drawn(
    page: Page,
    there: Scenery,
    typed: Typed,
    faults: tuple[FieldFault, ...] = (),
    opened: Opened | None = None,
    kept: Unsent | None = None,
) -> Response:
    offer, book = there.offer, there.session.office.book_of(there.file.policy)
    widgets = drawn(_scene(page, there), there.form.fields, typed, faults)
    # A fault of something that this page doesn't show would otherwise be told by nothing.
    lost = [] if summary(widgets) else [_lost(page, offer, one) for one in faults]
    scale = book.scales.get(typed.one("scale"))
    scales = list(book.scales.values()) if offer.move.name == "record_screening" and scale is None else []
    return page.show(
        "trigger.html",
        there.session,
        status=422 if faults else 200,
        widgets=widgets,
        faulty=summary(widgets),
        lost=lost,
        opened=opened or Opened.at(None if there.sight.nothing else there.file),
        changed=_since(page, there, opened),
        kept=kept,
        scales=scales,
        scale=scale,
        refusal=None,
        **_common(page, there, typed),
    )


def _lost(page: Page, offer: Offer, fault: FieldFault) -> str:
    """A fault whose field isn't on the page, with what the field is called where that is known."""
    said = words.of_field(fault.code, fault.facts, page.language)
    name = fault.name.partition(".")[0]
    if name not in {field.name for field in offer.move.form.fields}:
        return said
    colon = "：" if page.language == "zh_CN" else ": "
    return page.word(field_label(offer.declared.kind, offer.move.name, name)) + colon + said


def _scene(page: Page, there: Scenery) -> Scene:
    """What the form is drawn for; the names of the case's files are offered to whoever sees the case."""
    offer, book = there.offer, there.session.office.book_of(there.file.policy)
    seen = not there.sight.nothing
    return Scene(page, there.session, book, offer.declared.kind, offer.move.name, there.file, offer, keeps_files=seen)


def _refused(page: Page, there: Scenery, typed: Typed, refusal: Refusal, opened: Opened) -> Response:
    """A rule of its own stood against it: said above the form, which keeps what was typed."""
    problem = errors.problem_of(page.request, refusal)
    widgets = drawn(_scene(page, there), there.form.fields, typed)
    return page.show(
        "trigger.html", there.session, status=problem.status, widgets=widgets, faulty=[], lost=[], opened=opened,
        changed=_since(page, there, opened), kept=None, scales=[],
        scale=there.session.office.book_of(there.file.policy).scales.get(typed.one("scale")),
        refusal=problem, **_common(page, there, typed),
    )  # fmt: skip


def _forbidden(page: Page, there: Scenery) -> Response:
    reason = _sheet(page, there).reason(there.offer)
    return page.show("forbidden.html", there.session, status=409, reason=reason, **_common(page, there))


def _since(page: Page, there: Scenery, opened: Opened | None) -> list[Entry]:
    """What has happened since the form was opened; nothing of a case that the reader doesn't see."""
    return [] if opened is None or there.sight.nothing else since(page, there.session, there.file, opened)


def _outrun(page: Page, there: Scenery, typed: Typed, opened: Opened) -> Response:
    """Who changed what since the form was opened; what was typed is kept, and can be sent where it still may be."""
    widgets = drawn(_scene(page, there), there.offer.move.form.fields, typed)
    reason = _sheet(page, there).reason(there.offer)
    return outrun(page, there.session, there.file, opened, typed, widgets, reason=reason, common=_common(page, there))


def _sheet(page: Page, there: Scenery) -> Sheet:
    return Sheet(page, there.session, there.file, there.session.office.book_of(there.file.policy), [there.offer])


def _common(page: Page, there: Scenery, typed: Typed | None = None) -> dict[str, Any]:
    offer = there.offer
    sheet = _sheet(page, there)
    weighing = Weighing(page, there.session, there.file, offer, typed or Typed.nothing(), sheet)
    hidden = Head(there.file.number, there.file.level, "", "", "", "", "", "")
    record = offer.record
    return {
        "case": there.file,
        "head": hidden if there.sight.nothing else head(page, there.session, there.file, there.sight),
        "blind": there.sight.nothing,
        "title": sheet.caption(offer),
        "about": page.word(offer.declared.label),
        "whose": sheet.place(record),
        "limits": sheet.met_by(offer),
        "cautions": [] if there.sight.nothing else cautions(page, there.file, offer),
        "ordered": [] if there.sight.nothing else ordered(page, there.session, there.file, offer),
        "action": sheet.button(offer).address.partition("?")[0],
        "files": takes_files(offer.move.form),
        "back": f"?back=desk.{group}" if (group := _desk(page)) is not None else "",
        "weighed": [] if there.sight.nothing or not offer.free else weighed(weighing),
        "beside": [] if there.sight.nothing else beside(page, there.session, there.file, there.sight, offer),
    }
