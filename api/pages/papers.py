"""The files of a case: what was handed in, by whom, and handing in another. Contents go through `cases.files`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.responses import Response

from api import errors, problem_words
from api.pages import words
from api.pages.frame import Framed, Page, Posted
from api.pages.parts import head
from cases import dossier, files, queries, vault
from cases.files import Attached
from cases.office import Session
from cases.refusal import Refusal

router = APIRouter(include_in_schema=False)
SECTIONS: tuple[vault.Section, ...] = ("narrative", "clinical", "identity")


@dataclass(frozen=True, slots=True)
class Paper:
    """One file as the list shows it."""

    address: str
    name: str
    section: str
    size: str
    who: str
    file: Attached


@router.get("/cases/{number}/files")
def papers(number: str, page: Framed) -> Response:
    """The list, a part of the case page or a page of its own. Reading the names is logged."""
    with page.opening() as session:
        return _papers(page, session, number)


@router.post("/cases/{number}/files")
async def handed_in(number: str, page: Framed, posted: Posted) -> Response:
    """Keep a file; a trigger's form can then name it as its evidence."""
    file, section = posted.get("file"), str(posted.get("section", "narrative"))
    content = await file.read() if isinstance(file, UploadFile) else b""
    name = (file.filename or "") if isinstance(file, UploadFile) else ""
    return await run_in_threadpool(_keep, page, number, name, content, section)


def _keep(page: Page, number: str, name: str, content: bytes, section: str) -> Response:
    wanted: vault.Section = next((one for one in SECTIONS if one == section), "narrative")
    if not content:
        with page.opening() as session:
            return _papers(page, session, number, [problem_words.of_field("missing", {}, page.language)])
    try:
        with page.writing() as session:
            files.keep(session, number, page.reader.actor, name, content, wanted, page.reader.now)
    except Refusal as refusal:
        if refusal.code != "invalid":
            raise
        problem = errors.problem_of(page.request, refusal)
        with page.opening() as session:
            return _papers(page, session, number, [one.message for one in problem.faults])
    return page.go(f"/cases/{number}/files")


def _papers(page: Page, session: Session, number: str, wrong: Sequence[str] = ()) -> Response:
    actor, now = page.reader.actor, page.reader.now
    file, sight = queries.look(session, number, actor, now)
    found = files.listed(session, number, actor, now)
    names = dossier.names(session, {one.member for one in found})
    facts: dict[str, Any] = {
        "head": head(page, session, file, sight),
        "papers": [_paper(page, one, names) for one in found],
        "sections": [(one, page.word(words.SECTIONS[one])) for one in SECTIONS if sight.of(one) == "yes"],
        "wrong": list(wrong),
    }
    block = "list" if page.wants_fragment else None
    return page.show("files.html", session, block=block, status=422 if wrong else 200, **facts)


def _paper(page: Page, one: Attached, names: dict[int, str]) -> Paper:
    kilobytes = max(1, round(one.size / 1000))
    size = f"{kilobytes:,} KB" if kilobytes < 1000 else f"{kilobytes / 1000:.1f} MB"
    return Paper(one.address, one.name, page.word(words.SECTIONS[one.section]), size, names.get(one.member, ""), one)
