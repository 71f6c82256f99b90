"""吹哨 in three short steps, then check your answers. The draft is kept on the server with each of them.

Who is it; what happened and how serious, the statutory situations asked as plain questions; what is done already.
The coordinator, who whistles for a school of the district, has the same questions on one page.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from fastapi import APIRouter
from starlette.datastructures import FormData
from starlette.responses import Response

from api import errors
from api.pages.draft import Draft, read
from api.pages.filled import Typed, student, values
from api.pages.fired import Opened, fire
from api.pages.frame import Framed, Page, Posted
from api.pages.handed import Handed, handed_in
from api.pages.parts import head
from api.pages.widgets import Scene, Widget, drawn, summary
from cases import dossier, noting, queries
from cases.access import Sight
from cases.casefile import CaseFile
from cases.forms import Form
from cases.offers import opens_a_case
from cases.office import Session
from cases.refusal import FieldFault, Refusal
from cases.search import drafts, of_same_student

router = APIRouter(include_in_schema=False)

WHAT: Final = ("concern", "level", "summary", "statutory")
_OWN: Final = Sight("yes", "yes", "no")
"""Whoever may go on with a draft sees what it says."""
GRAVE: Final = frozenset({"red", "orange"})


@router.get("/whistle")
def start(page: Framed) -> Response:
    with page.reading() as session:
        if _at_the_desk(page, session):
            return _one_page(page, session, Typed.nothing())
        return _who(page, session, None, Typed.nothing())


@router.post("/whistle")
def started(page: Framed, posted: Posted) -> Response:
    """The first step opens the draft; the coordinator's page whistles at once."""
    typed, opened = Typed.of(posted), Opened.of(posted)
    with page.reading() as session:
        at_the_desk = _at_the_desk(page, session)
        moves = session.office.tracks["case"].by_name
    try:
        if at_the_desk:
            return page.go(fire(page, None, "0", "whistle", values(moves["whistle"].form, typed), opened))
        to = fire(page, None, "0", "save_draft", _with_school(typed), opened)
    except Refusal as refusal:
        with page.reading() as session:
            if at_the_desk:
                return _one_page(page, session, typed, refusal, opened)
            return _who(page, session, None, typed, refusal, opened)
    return page.go(_next(to.partition("?")[0].removeprefix("/cases/"), "what"))


@router.get("/whistle/{number}")
def who(number: str, page: Framed) -> Response:
    with page.opening() as session:
        file = _draft(page, session, number)
        noting.note_looks(session, [file], page.reader.actor, ["identity"], "own draft", page.reader.now)
        return _who(page, session, file, _student_typed(dossier.identity(session, file)))


@router.post("/whistle/{number}")
def who_sent(number: str, page: Framed, posted: Posted) -> Response:
    return _save(page, number, posted, "what")


@router.get("/whistle/{number}/what")
def what(number: str, page: Framed) -> Response:
    with page.opening() as session:
        file = _draft(page, session, number)
        draft = read(page, session, file)
        return _what(page, session, file, draft.typed())


@router.post("/whistle/{number}/what")
def what_sent(number: str, page: Framed, posted: Posted) -> Response:
    return _save(page, number, posted, "done")


@router.get("/whistle/{number}/done")
def done(number: str, page: Framed) -> Response:
    with page.opening() as session:
        file = _draft(page, session, number)
        return _done(page, session, file, read(page, session, file).typed())


@router.post("/whistle/{number}/done")
def done_sent(number: str, page: Framed, posted: Posted) -> Response:
    return _save(page, number, posted, "check")


@router.post("/whistle/{number}/done/attachments")
def done_sent_with_files(number: str, page: Framed, posted: Posted) -> Response:
    """The same with files: an address of its own, because only such a request may be large."""
    with page.opening() as session:
        _draft(page, session, number)
    return _save(page, number, posted, "check")


@router.get("/whistle/{number}/check")
def check(number: str, page: Framed) -> Response:
    with page.opening() as session:
        file = _draft(page, session, number)
        return _check(page, session, file)


@router.post("/whistle/{number}/check")
def whistled(number: str, page: Framed, posted: Posted) -> Response:
    """Whistle: at once where the level is red or orange, to the principal's sign-off where it isn't."""
    opened = Opened.of(posted)
    with page.opening() as session:
        file = _draft(page, session, number)
        draft = read(page, session, file)
        form = {**draft.form(), "student": dossier.identity(session, file)}
    trigger = "whistle" if form.get("level") in GRAVE else "submit"
    try:
        return page.go(fire(page, number, "0", trigger, form, opened))
    except Refusal as refusal:
        with page.opening() as session:
            return _check(page, session, _draft(page, session, number), refusal)


# ------------------------------------------------------------------- the steps


def _save(page: Page, number: str, posted: FormData, then: str) -> Response:
    """Keep what was typed in the draft, and go on; or stop here and go on later."""
    typed, opened = Typed.of(posted), Opened.of(posted)
    leaving = "later" in posted
    handed = handed_in(page, number, _fields(page, ("evidence",)), posted) if then == "check" else Handed()
    typed = typed.with_more(handed.references)
    with page.opening() as session:
        file = _draft(page, session, number)
        draft = read(page, session, file)
        form, missing = _of_step(page, then, typed, draft)
    if handed.faults:
        return _again(page, number, then, typed, Refusal("invalid", faults=handed.faults), opened)
    if missing and not leaving:
        return _again(page, number, then, typed, Refusal("invalid", faults=missing), opened)
    try:
        if form:
            # Whoever drafts writes alone; the version is asked at the end, when it counts.
            fire(page, number, "0", "save_draft", form, Opened(opened.key, None, 0))
    except Refusal as refusal:
        return _again(page, number, then, typed, refusal, opened)
    return page.go("/" if leaving else _next(number, then))


def _of_step(page: Page, then: str, typed: Typed, draft: Draft) -> tuple[Mapping[str, Any], tuple[FieldFault, ...]]:
    """What a step says, and what it still lacks."""
    if then == "what":
        return _with_school(typed), ()
    form = _fields(page, WHAT)
    said = values(form, typed) if then == "done" else {}
    if then == "done":
        lacking = tuple(FieldFault(one, "missing") for one in ("concern", "level", "summary") if one not in said)
        if "summary" in said:
            said["summary"] = draft.joined(said["summary"], draft.done)
        return said, lacking
    evidence = values(_fields(page, ("evidence",)), typed)
    done_already = typed.one("already")[:1500]
    if done_already or draft.done:
        evidence["summary"] = draft.joined(draft.summary, done_already)
    return evidence, ()


def _again(page: Page, number: str, then: str, typed: Typed, refusal: Refusal, opened: Opened) -> Response:
    with page.opening() as session:
        file = _draft(page, session, number)
        if then == "what":
            return _who(page, session, file, typed, refusal, opened)
        if then == "done":
            return _what(page, session, file, typed, refusal, opened)
        return _done(page, session, file, typed, refusal, opened)


def _who(
    page: Page,
    session: Session,
    file: CaseFile | None,
    typed: Typed,
    refusal: Refusal | None = None,
    opened: Opened | None = None,
) -> Response:
    schools = [post.organisation_id for post in page.reader.actor.posts if post.kind == "school"]
    names = ("school", "student") if len(set(schools)) > 1 and file is None else ("student",)
    kept = drafts(session, page.reader.member.id) if file is None else []
    step = _Step(page, session, file, "who", names, typed, refusal, opened)
    if "save_draft" not in opens_a_case(session, page.reader.actor):
        raise Refusal("not_permitted", who_can=("counselor@school", "principal@school", "mentor@school"))
    return step.show(drafts=[head(page, session, one, _OWN) for one in kept])


def _what(
    page: Page,
    session: Session,
    file: CaseFile,
    typed: Typed,
    refusal: Refusal | None = None,
    opened: Opened | None = None,
) -> Response:
    actor, now = page.reader.actor, page.reader.now
    same = of_same_student(session, file, actor, now)
    heads = [head(page, session, one, queries.look(session, one.number, actor, now)[1]) for one in same]
    return _Step(page, session, file, "what", WHAT, typed, refusal, opened).show(same=heads)


def _done(
    page: Page,
    session: Session,
    file: CaseFile,
    typed: Typed,
    refusal: Refusal | None = None,
    opened: Opened | None = None,
) -> Response:
    return _Step(page, session, file, "done", ("evidence",), typed, refusal, opened).show(already=typed.raw("already"))


def _check(page: Page, session: Session, file: CaseFile, refusal: Refusal | None = None) -> Response:
    draft = read(page, session, file)
    noting.note_looks(session, [file], page.reader.actor, ["identity"], "own draft", page.reader.now)
    written = dossier.identity(session, file)
    problem = errors.problem_of(page.request, refusal) if refusal is not None else None
    return page.show(
        "whistle/check.html",
        session,
        status=problem.status if problem is not None else 200,
        step="check",
        case=file,
        head=head(page, session, file, _OWN),
        answers=draft.answers(written),
        grave=draft.level in GRAVE,
        principal="principal" in page.roles,
        level=draft.level,
        statutory=bool(draft.statutory),
        complete=draft.complete,
        opened=Opened.at(file),
        refusal=problem,
    )


def _one_page(
    page: Page, session: Session, typed: Typed, refusal: Refusal | None = None, opened: Opened | None = None
) -> Response:
    names = ("school", "student", *WHAT, "evidence")
    return _Step(page, session, None, "all", names, typed, refusal, opened).show()


@dataclass(frozen=True, slots=True)
class _Step:
    """One step's page."""

    page: Page
    session: Session
    file: CaseFile | None
    step: str
    names: Sequence[str]
    typed: Typed
    refusal: Refusal | None
    opened: Opened | None

    def show(self, **more: Any) -> Response:  # noqa: ANN401 - what this step alone shows
        page, session = self.page, self.session
        faults = self.refusal.faults if self.refusal is not None else ()
        widgets = self._widgets(faults)
        told = self.refusal is not None and not summary(widgets)
        problem = errors.problem_of(page.request, self.refusal) if self.refusal is not None and told else None
        facts: dict[str, Any] = {"drafts": [], "same": [], "already": "", **more}
        return page.show(
            "whistle/step.html",
            session,
            status=422 if self.refusal is not None else 200,
            step=self.step,
            case=self.file,
            head=head(page, session, self.file, _OWN) if self.file is not None else None,
            widgets=widgets,
            faulty=summary(widgets),
            refusal=problem,
            opened=self.opened or Opened.at(self.file),
            mentor_only=page.roles & {"counselor", "principal", "coordinator"} == frozenset(),
            **facts,
        )

    def _widgets(self, faults: tuple[FieldFault, ...]) -> list[Widget]:
        book = self.session.office.book_of(self.session.office.current)
        scene = Scene(self.page, self.session, book, "case", "whistle", self.file)
        by_name = {one.name: one for one in _fields(self.page, self.names).fields}
        # Whoever whistles for one of several schools has to say which.
        asked = [replace(by_name[name], required=by_name[name].required or name == "school") for name in self.names]
        return drawn(scene, asked, self.typed, faults)


def _fields(page: Page, names: Sequence[str]) -> Form:
    """The whistle's fields of these names; a mentor, who can only submit, is offered only what can be submitted."""
    moves = page.house.office.tracks["case"].by_name
    mentor = page.roles & {"counselor", "principal", "coordinator"} == frozenset()
    form = moves["submit" if mentor else "whistle"].form
    return Form(tuple(one for one in form.fields if one.name in names))


def _with_school(typed: Typed) -> dict[str, Any]:
    form: dict[str, Any] = {"student": student(typed)}
    if typed.one("school").isdecimal():
        form["school"] = int(typed.one("school"))
    return form


def _student_typed(written: Mapping[str, Any]) -> Typed:
    """An identity as the first step's form shows it again."""
    texts: dict[str, list[str]] = {}
    for name, value in written.items():
        said = value
        if isinstance(value, list):
            said = "\n".join(one if isinstance(one, str) else json.dumps(one, ensure_ascii=False) for one in value)
        texts[f"student.{name}"] = [str(said)]
    return Typed(texts)


def _draft(page: Page, session: Session, number: str) -> CaseFile:
    """A draft that the reader may go on with. Refuses `not_found`, and `wrong_state` once it was whistled."""
    file, sight = queries.look(session, number, page.reader.actor, page.reader.now)
    if sight.narrative != "yes" or "save_draft" not in opens_a_case(session, page.reader.actor):
        raise Refusal("not_permitted", who_can=("counselor@school", "principal@school"))
    if file.state != "draft":
        raise Refusal("wrong_state", state=file.state, kind="case")
    return file


def _at_the_desk(page: Page, session: Session) -> bool:
    """Whether the reader whistles for a school of the district rather than for their own."""
    allowed = opens_a_case(session, page.reader.actor)
    return "whistle" in allowed and "save_draft" not in allowed


def _next(number: str, step: str) -> str:
    return f"/whistle/{number}/{step}"
