"""The files of a case: what was handed in, by whom, and handing in another. Contents go through `cases.files`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.responses import Response

from api import errors, problem_words
from api.pages import words
from api.pages.frame import Framed, Page, Posted
from api.pages.parts import head
from api.rest.files import GUARDED
from cases import dossier, files, queries, thumbnails, vault
from cases.files import Attached
from cases.office import Session
from cases.refusal import Refusal

router = APIRouter(include_in_schema=False)
SECTIONS: tuple[vault.Section, ...] = ("narrative", "clinical", "identity")
SEEN_SMALL: Final = "pictures"
"""What the access log says of pictures that a page has shown small."""


@dataclass(frozen=True, slots=True)
class Paper:
    """One file as a list shows it. `step` says where it was handed in, empty where nothing refers to it yet."""

    address: str
    name: str
    section: str
    size: str
    who: str
    file: Attached
    step: str = ""

    @property
    def picture(self) -> bool:
        """Whether it can be shown small."""
        return self.file.media in thumbnails.PICTURES


@router.get("/cases/{number}/files")
def papers(number: str, page: Framed) -> Response:
    """The list. Reading the names is logged."""
    with page.opening() as session:
        return _papers(page, session, number)


@router.get("/cases/{number}/files/{address}")
def paper(number: str, address: str, page: Framed) -> Response:
    """One file with its picture, large."""
    with page.opening() as session:
        file, sight = queries.look(session, number, page.reader.actor, page.reader.now)
        found = files.of_case(session, file, sight, page.reader.actor, page.reader.now)
        one = next((one for one in found if one.address == address), None)
        if one is None:
            raise Refusal("not_found")
        named = dossier.names(session, {one.member})
        shown = shown_of(page, one, named)
        return page.show("paper.html", session, head=head(page, session, file, sight), paper=shown)


@router.get("/cases/{number}/files/{address}/picture")
def picture(number: str, address: str, page: Framed, wide: str = "") -> Response:
    """A picture as a page shows it. Small ones are logged together, a large one as the opening of its file."""
    with page.opening() as session:
        what = "" if wide else SEEN_SMALL
        opened = files.open_file(session, number, page.reader.actor, address, page.reader.now, what=what)
    if opened.media not in thumbnails.PICTURES:
        raise Refusal("not_found")
    small = thumbnails.smaller(opened.content, thumbnails.WIDE if wide else thumbnails.SMALL)
    return Response(small, media_type="image/jpeg", headers=GUARDED)


@router.post("/cases/{number}/files")
async def handed_in(number: str, page: Framed, posted: Posted) -> Response:
    """Keep a file; a trigger's form can then name it as its evidence."""
    file, section = posted.get("file"), str(posted.get("section", "narrative"))
    content = await file.read() if isinstance(file, UploadFile) else b""
    name = (file.filename or "") if isinstance(file, UploadFile) else ""
    return await run_in_threadpool(_keep, page, number, name, content, section)


def shown_of(page: Page, one: Attached, names: Mapping[int, str], step: str = "") -> Paper:
    """A file as a list shows it; `names` are those of the members who handed in."""
    kilobytes = max(1, round(one.size / 1000))
    size = f"{kilobytes:,} KB" if kilobytes < 1000 else f"{kilobytes / 1000:.1f} MB"
    section = page.word(words.SECTIONS[one.section])
    return Paper(one.address, one.name, section, size, names.get(one.member, ""), one, step)


def _keep(page: Page, number: str, name: str, content: bytes, section: str) -> Response:
    wanted: vault.Section = next((one for one in SECTIONS if one == section), "narrative")
    if not content:
        with page.opening() as session:
            return _papers(page, session, number, problem_words.of_field("missing", {}, page.language), wanted)
    try:
        with page.writing() as session:
            files.keep(session, number, page.reader.actor, name, content, wanted, page.reader.now)
    except Refusal as refusal:
        if refusal.code != "invalid":
            raise
        problem = errors.problem_of(page.request, refusal)
        with page.opening() as session:
            return _papers(page, session, number, "; ".join(one.message for one in problem.faults), wanted)
    return page.go(f"/cases/{number}/files")


def _papers(page: Page, session: Session, number: str, wrong: str = "", chosen: str = "") -> Response:
    actor, now = page.reader.actor, page.reader.now
    file, sight = queries.look(session, number, actor, now)
    found = files.of_case(session, file, sight, actor, now)
    names = dossier.names(session, {one.member for one in found})
    facts: dict[str, Any] = {
        "head": head(page, session, file, sight),
        "papers": [shown_of(page, one, names) for one in found],
        "sections": [(one, page.word(words.SECTIONS[one])) for one in SECTIONS if sight.of(one) == "yes"],
        "wrong": wrong,
        "chosen": chosen,
    }
    block = "list" if page.wants_fragment else None
    return page.show("files.html", session, block=block, status=422 if wrong else 200, **facts)
