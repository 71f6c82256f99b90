"""吹哨 in three short steps, then check your answers. The draft is kept on the server with each of them.

Who is it; what happened and how serious, the statutory situations asked as plain questions; what is done already.
The coordinator says beside the student which school of the district it is for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fastapi import APIRouter
from starlette.datastructures import FormData
from starlette.responses import Response

from api.given import number_of
from api.pages.draft import Draft, read, student_said, student_typed
from api.pages.filled import Typed, values
from api.pages.fired import Opened, answered, fire
from api.pages.frame import Framed, Page, Posted
from api.pages.handed import Handed, handed_in
from api.pages.steps import FIELDS, GRAVE, Step, at_the_desk, check_page, form_of
from api.pages.unsent import opened_of, restored, sent
from cases import dossier, noting, queries
from cases.casefile import CASE, CaseFile
from cases.offers import offer_of, opens_a_case
from cases.office import Session
from cases.refusal import FieldFault, Refusal

router = APIRouter(include_in_schema=False)
_THEN: Final = {"who": "what", "what": "done", "done": "check"}


@router.get("/whistle")
def start(page: Framed) -> Response:
    with page.reading() as session:
        if "save_draft" not in opens_a_case(session, page.reader.actor):
            raise Refusal("not_permitted", who_can=("counselor@school", "principal@school", "mentor@school"))
        return _shown(page, session, "who", None, Typed.nothing())


@router.post("/whistle")
def started(page: Framed, posted: Posted) -> Response:
    """The first step opens the draft."""
    typed, opened = Typed.of(posted), Opened.of(posted)
    form: dict[str, Any] = {"student": student_said(typed)}
    if (school := number_of(typed.one("school"))) is not None:
        form["school"] = school
    try:
        to = fire(page, None, "0", "save_draft", form, opened)
    except Refusal as refusal:
        with page.reading() as session:
            return Step(page, session, "who", None, typed, refusal, opened).show()
    return page.go(_next(to.partition("?")[0].removeprefix("/cases/"), "what"))


@router.get("/whistle/{number}")
def who(number: str, page: Framed) -> Response:
    return _step(page, number, "who")


@router.post("/whistle/{number}")
def who_sent(number: str, page: Framed, posted: Posted) -> Response:
    return _save(page, number, posted, "who")


@router.get("/whistle/{number}/what")
def what(number: str, page: Framed) -> Response:
    return _step(page, number, "what")


@router.post("/whistle/{number}/what")
def what_sent(number: str, page: Framed, posted: Posted) -> Response:
    return _save(page, number, posted, "what")


@router.get("/whistle/{number}/done")
def done(number: str, page: Framed) -> Response:
    return _step(page, number, "done")


@router.post("/whistle/{number}/done")
def done_sent(number: str, page: Framed, posted: Posted) -> Response:
    return _save(page, number, posted, "done")


@router.post("/whistle/{number}/done/attachments")
def done_sent_with_files(number: str, page: Framed, posted: Posted) -> Response:
    """The same with files: an address of its own, because only such a request may be large."""
    return _save(page, number, posted, "done")


@router.get("/whistle/{number}/check")
def check(number: str, page: Framed) -> Response:
    with page.opening() as session:
        file, over = _draft(page, session, number)
        return page.go(f"/cases/{number}") if over else check_page(page, session, file)


@router.post("/whistle/{number}/check")
def whistled(number: str, page: Framed, posted: Posted) -> Response:
    """Whistle: at once where the level is red or orange or the district's desk whistles, else to the principal."""
    opened, asked = Opened.of(posted), ["whistle", number]
    with page.opening() as session:
        file, over = _draft(page, session, number)
        if over:
            # Sent twice: the first time has made a case of the draft.
            before = answered(page, session, opened, asked)
            return (
                page.go(before)
                if before
                else Step(page, session, "who", file, Typed.nothing(), None, opened).outrun(over)
            )
        draft = read(page, session, file)
        form = {**draft.form(), "student": dossier.identity(session, file)}
    trigger = "whistle" if draft.level in GRAVE or at_the_desk(page, file) else "submit"
    try:
        return page.go(fire(page, number, "0", trigger, form, opened, asked))
    except Refusal as refusal:
        with page.opening() as session:
            file, over = _draft(page, session, number)
            if over:
                return Step(page, session, "who", file, Typed.nothing(), None, opened).outrun(over)
            return check_page(page, session, file, refusal, opened)


# ------------------------------------------------------------------- the steps


def _step(page: Page, number: str, name: str) -> Response:
    """A step as the draft has it; of what is no draft any more the case."""
    with page.opening() as session:
        file, over = _draft(page, session, number)
        if over:
            return page.go(f"/cases/{number}")
        draft = read(page, session, file)
        typed = _as_kept(page, session, file, draft, name)
        return _shown(page, session, name, file, typed, draft)


def _shown(
    page: Page, session: Session, name: str, file: CaseFile | None, typed: Typed, said: Draft | None = None
) -> Response:
    """A step with what was typed into it and not sent, where there is such; else as it is kept."""
    kept = restored(page)
    if kept is None:
        return Step(page, session, name, file, typed, said=said).show()
    typed = Typed(dict(kept.texts))
    return Step(page, session, name, file, typed, None, opened_of(kept), said=said, kept=kept).show()


def _as_kept(page: Page, session: Session, file: CaseFile, draft: Draft, name: str) -> Typed:
    if name != "who":
        return draft.typed()
    noting.note_looks(session, [file], page.reader.actor, ["identity"], "own draft", page.reader.now)
    return student_typed(dossier.identity(session, file))


def _save(page: Page, number: str, posted: FormData, name: str) -> Response:
    """Keep what was typed in the draft, and go on; or stop here and go on later."""
    typed, opened = Typed.of(posted), Opened.of(posted)
    with page.opening() as session:
        file, over = _draft(page, session, number)
        if over:
            return Step(page, session, name, file, typed, None, opened).outrun(over)
    handed = handed_in(page, number, form_of(page, FIELDS["done"]), posted) if name == "done" else Handed()
    typed = typed.with_more(handed.references)
    with page.opening() as session:
        file, _ = _draft(page, session, number)
        form, missing = _said(page, session, file, name, typed)
    leaving = "later" in posted
    faults = handed.faults or (() if leaving else missing)
    refusal = Refusal("invalid", faults=faults) if faults else _kept(page, number, form, opened)
    if refusal is not None:
        with page.opening() as session:
            file, over = _draft(page, session, number)
            step = Step(page, session, name, file, typed, refusal, opened, said=read(page, session, file))
            return step.outrun(over) if over or refusal.code == "conflict" else step.show()
    return page.go("/" if leaving else _next(number, _THEN[name]))


def _kept(page: Page, number: str, form: Mapping[str, Any], opened: Opened) -> Refusal | None:
    """Keep a step in the draft; what stands against it, where it isn't kept."""
    if not form:
        sent(page)
        return None
    try:
        fire(page, number, "0", "save_draft", form, opened)
    except Refusal as refusal:
        return refusal
    return None


def _said(
    page: Page, session: Session, file: CaseFile, name: str, typed: Typed
) -> tuple[Mapping[str, Any], tuple[FieldFault, ...]]:
    """What a step says, and what it still lacks."""
    if name == "who":
        return {"student": student_said(typed, dossier.identity(session, file))}, ()
    draft = read(page, session, file)
    said = values(form_of(page, FIELDS[name]), typed)
    if name == "what":
        lacking = tuple(FieldFault(one, "missing") for one in ("concern", "level", "summary") if one not in said)
        if "summary" in said:
            said["summary"] = draft.joined(said["summary"], draft.done)
        return said, lacking
    done_already = typed.one("already")[:1500]
    if done_already or draft.done:
        said["summary"] = draft.joined(draft.summary, done_already)
    return said, ()


def _draft(page: Page, session: Session, number: str) -> tuple[CaseFile, str]:
    """A draft that the reader may go on with, and why it is none any more; empty while it is one.

    Refuses `not_found`, and `not_permitted` to whoever may not write in it.
    """
    actor, now = page.reader.actor, page.reader.now
    file, _ = queries.look(session, number, actor, now)
    offer = offer_of(session, file, actor, now, str(CASE), "save_draft")
    if offer.free:
        return file, ""
    states = session.office.tracks["case"].states
    state = page.word(states[file.state].label)
    return file, page.say("It is no draft any more: %(state)s.") % {"state": state}


def _next(number: str, step: str) -> str:
    return f"/whistle/{number}/{step}"
