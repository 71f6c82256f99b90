"""Lists brought in by pages: a table is looked through, every faulty cell shown; then it is written, and followed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fastapi import APIRouter, BackgroundTasks
from starlette.datastructures import UploadFile
from starlette.responses import Response

from api.given import Count, Id
from api.imports.lists import CellFault, listed
from api.imports.reading import LARGEST
from api.imports.table_fault import TableFault
from api.pages.admin.desk import Administered
from api.pages.frame import Page, Posted
from api.rest.imports import written_later
from cases import imports
from cases.import_fault import ImportFault
from cases.import_rows import KINDS
from cases.office import Session
from cases.refusal import Refusal

router = APIRouter(include_in_schema=False)
MOST: Final = 200
"""So many faults on one page; how many there are is said above them."""


@router.get("/admin/imports")
def imports_page(page: Administered) -> Response:
    with page.reading() as session:
        return _shown(page, session)


@router.post("/admin/imports")
def check(page: Administered, posted: Posted) -> Response:
    """Look through a table. Nothing is written; without a fault there is a button to have it written."""
    kind = next((one for one in KINDS if one == posted.get("kind")), None)
    school = str(posted.get("school", "")).strip()[:60] or None
    file = posted.get("file")
    if kind is None or not isinstance(file, UploadFile) or not file.size:
        return _refused(page, page.say("Choose a table, and say what it holds."), posted)
    if file.size > LARGEST:
        return _refused(page, page.say("The table is too large."), posted)
    content = file.file.read()
    reader = page.reader
    today = reader.now.astimezone(page.tongue.zone).date()
    try:
        found = listed(kind, content, today)
    except TableFault as fault:
        return _refused(page, fault.text(page.language), posted)
    try:
        with page.writing() as session:
            reach = imports.reach_of(session.connection, reader.actor, kind, school)
            checked = imports.check(session, kind, found.rows, reach, found.doubtful, found.faults)
            faults = found.found([*found.faults, *checked.faults])
            if not faults:
                office = page.house.office
                address, wrapped = imports.lay(office, content)
                digest = imports.digest_of(office, kind, content, reach.school)
                job = imports.begin(
                    session.connection, kind, reach, digest, len(found.rows), reader.now,
                    member=reader.actor.member_id, address=address, wrapped=wrapped,
                )  # fmt: skip
                where = f"/admin/imports/{job.id}"
                return page.go(f"{where}?added={checked.added}&changed={checked.changed}&same={checked.same}")
    except Refusal as refusal:
        if refusal.code not in {"invalid", "not_permitted"}:
            raise
        return _refused(page, page.say("Choose a school whose students you may bring in."), posted, "f-school")
    with page.reading() as session:
        return _shown(page, session, faults=faults[:MOST], count=len(faults), kind=kind, school=school or "")


@router.get("/admin/imports/{number}")
def one(
    page: Administered,
    number: Id,
    added: Count = 0,
    changed: Count = 0,
    same: Count = 0,
    started: bool = False,  # noqa: FBT001, FBT002 - of the address
) -> Response:
    """How far it is; htmx asks again while it is being written."""
    with page.reading() as session:
        job = imports.read(session.connection, number, page.reader.actor.member_id)
        return page.show(
            "admin/import.html", session, block="progress" if page.wants_fragment else None, job=job,
            would=(added, changed, same), kinds=_kinds(page), busy=started and job.state != "done",
        )  # fmt: skip


@router.post("/admin/imports/{number}/start")
def start(page: Administered, number: Id, later: BackgroundTasks) -> Response:
    """Have it written in the background, or go on with it: nothing comes twice."""
    try:
        with page.reading() as session:
            task = written_later(session, page.house, page.reader, number)
    except ImportFault as fault:
        with page.reading() as session:
            return _shown(page, session, errors={"f-file": fault.text(page.language)})
    answer = page.go(f"/admin/imports/{number}?started=1")
    if task is not None:
        later.add_task(task)
        answer.background = later
    return answer


def _refused(page: Page, error: str, posted: Any, where: str = "f-file") -> Response:  # noqa: ANN401 - a form
    with page.reading() as session:
        kind, school = str(posted.get("kind", "")), str(posted.get("school", ""))[:60]
        return _shown(page, session, errors={where: error}, kind=kind, school=school)


def _kinds(page: Page) -> dict[str, str]:
    return {
        "organisations": page.say("Organisations"),
        "members": page.say("Members"),
        "students": page.say("Students of a school"),
    }


def _shown(
    page: Page,
    session: Session,
    *,
    errors: Mapping[str, str] | None = None,
    faults: list[CellFault] | None = None,
    count: int = 0,
    kind: str = "organisations",
    school: str = "",
) -> Response:
    jobs = imports.mine(session.connection, page.reader.actor.member_id, 20)
    schools = imports.schools_of(session.connection, page.reader.actor)
    # Whose admin isn't a school's never brings in students: the choice would only lead to a refusal.
    offered = {code: label for code, label in _kinds(page).items() if code != "students" or schools}
    return page.show(
        "admin/imports.html", session, status=422 if errors or faults else 200, jobs=jobs, errors=errors or {},
        faults=faults or [], count=count, kind=kind, school=school, kinds=_kinds(page), offered=offered,
        schools=schools,
        place=0 if page.language == "zh_CN" else 1,
    )  # fmt: skip
