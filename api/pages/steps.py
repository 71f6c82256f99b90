"""The pages of the whistle's steps, drawn: who; what and how serious; what is done already; check your answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from starlette.responses import Response

from api import errors
from api.pages.draft import Draft, read
from api.pages.filled import Typed
from api.pages.fired import Opened
from api.pages.frame import Page
from api.pages.meanwhile import outrun, since
from api.pages.parts import head
from api.pages.widgets import Scene, Widget, drawn, summary
from cases import dossier, noting, queries
from cases.access import Sight
from cases.casefile import CaseFile
from cases.forms import Form
from cases.office import Session
from cases.refusal import Refusal
from cases.search import drafts, of_same_student
from cases.unsent import Unsent

WHAT: Final = ("concern", "level", "summary", "statutory")
FIELDS: Final[Mapping[str, tuple[str, ...]]] = {"who": ("student",), "what": WHAT, "done": ("evidence",)}
"""The whistle's fields by step; what is done already joins the summary."""
GRAVE: Final = frozenset({"red", "orange"})
OWN: Final = Sight("yes", "yes", "no")
"""Whoever may go on with a draft sees what it says."""
_SCHOOL: Final = frozenset({"counselor", "principal", "mentor"})


@dataclass(frozen=True, slots=True)
class Step:
    """One step's page: of a draft (`file`), or of a case that isn't begun yet. `sent` is what the form came back with,
    `refusal` what stood against it; `said` what the draft says, `kept` what was typed and not sent.
    """

    page: Page
    session: Session
    name: str
    file: CaseFile | None
    typed: Typed
    refusal: Refusal | None = None
    sent: Opened | None = None
    said: Draft | None = field(default=None, kw_only=True)
    kept: Unsent | None = field(default=None, kw_only=True)

    def show(self) -> Response:
        """As it is, or with what is wrong in it."""
        page, session, file = self.page, self.session, self.file
        widgets = self.widgets()
        told = self.refusal is not None and not summary(widgets)
        problem = errors.problem_of(page.request, self.refusal) if self.refusal is not None and told else None
        kept = drafts(session, page.reader.member.id) if file is None else []
        return page.show(
            "whistle/step.html",
            session,
            status=422 if self.refusal is not None else 200,
            step=self.name,
            case=file,
            head=head(page, session, file, OWN) if file is not None else None,
            widgets=widgets,
            faulty=summary(widgets),
            refusal=problem,
            opened=self.sent or Opened.at(file),
            mentor_only=mentor_only(page),
            back=self.said.sent_back if self.said is not None else None,
            drafts=[head(page, session, one, OWN) for one in kept],
            same=self._same(),
            kept=self.kept,
            already=self.typed.raw("already"),
        )

    def widgets(self) -> list[Widget]:
        """The step's fields. Whoever whistles for one of several schools has to say which."""
        book = self.session.office.book_of(self.session.office.current)
        scene = Scene(self.page, self.session, book, "case", "whistle", self.file)
        names = FIELDS[self.name]
        if self.file is None and asks_school(self.page):
            names = ("school", *names)
        by_name = {one.name: one for one in form_of(self.page, names).fields}
        asked = [replace(by_name[name], required=by_name[name].required or name == "school") for name in names]
        return drawn(scene, asked, self.typed, self.refusal.faults if self.refusal is not None else ())

    def _same(self) -> list[Any]:
        """The same student's cases, once it is known who it is: perhaps what is known belongs there."""
        if self.file is None or self.name != "what":
            return []
        page, session, actor, now = self.page, self.session, self.page.reader.actor, self.page.reader.now
        found = of_same_student(session, self.file, actor, now)
        return [head(page, session, one, queries.look(session, one.number, actor, now)[1]) for one in found]

    def outrun(self, reason: str = "") -> Response:
        """Somebody else has written in this draft since the form was opened, or it is none any more (`reason`)."""
        if self.file is None:
            raise Refusal("not_found")
        common = {
            "head": head(self.page, self.session, self.file, OWN),
            "title": self.page.say("Save and go on"),
            "about": self.page.say("Whistle"),
            "action": f"/whistle/{self.file.number}" + ("" if self.name == "who" else f"/{self.name}"),
        }
        opened = self.sent or Opened.at(self.file)
        already = self.typed.one("already")
        more = [Widget("already", "area", self.page.say("Done already"), value=already)] if already else []
        widgets = [*more, *self.widgets()]
        return outrun(
            self.page, self.session, self.file, opened, self.typed, widgets, reason=reason, common=common
        )  # fmt: skip


def check_page(
    page: Page, session: Session, file: CaseFile, refusal: Refusal | None = None, opened: Opened | None = None
) -> Response:
    """Everything that was written, to be checked before it is sent; with what was changed since, where it was."""
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
        head=head(page, session, file, OWN),
        answers=draft.answers(written),
        grave=draft.level in GRAVE,
        signed=signs_alone(page, file),
        statutory=bool(draft.statutory),
        complete=draft.complete,
        back=draft.sent_back,
        changed=since(page, session, file, opened) if opened is not None else [],
        opened=Opened.at(file),
        refusal=problem,
    )


def form_of(page: Page, names: Sequence[str]) -> Form:
    """The whistle's fields of these names; a mentor, who can only submit, is offered only what can be submitted."""
    moves = page.house.office.tracks["case"].by_name
    form = moves["submit" if mentor_only(page) else "whistle"].form
    return Form(tuple(one for one in form.fields if one.name in names))


def mentor_only(page: Page) -> bool:
    """Whether the reader can submit and not whistle."""
    return not page.roles & {"counselor", "principal", "coordinator"}


def asks_school(page: Page) -> bool:
    """Whether it has to be said for which school: by whoever has several, and by the desk."""
    schools = {post.organisation_id for post in page.reader.actor.posts if post.role in _SCHOOL}
    return len(schools) != 1 or "coordinator" in page.roles


def at_the_desk(page: Page, file: CaseFile) -> bool:
    """Whether the reader whistles for the district, not as the school."""
    return not any(post.role in _SCHOOL and post.organisation_id == file.school for post in page.reader.actor.posts)


def signs_alone(page: Page, file: CaseFile) -> bool:
    """Whether nobody else's signature is owed: the school's own principal whistles, or the district's desk."""
    posts = page.reader.actor.posts
    own = any(post.role == "principal" and post.organisation_id == file.school for post in posts)
    return own or at_the_desk(page, file)
