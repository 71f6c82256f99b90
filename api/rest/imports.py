"""Lists over HTTP: a file is looked through and kept; then its owner has it written, and follows how far it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, BackgroundTasks, Depends, Path, Request, Response

from api.asked import Asked, Reader, Reading, TheHouse, Writing
from api.house import House
from api.imports import resuming
from api.imports.answers import MOST, checked_as_dict
from api.imports.columns import template
from api.imports.lists import listed
from api.imports.reading import LARGEST
from api.imports.table_fault import TableFault
from api.rest.answers import Shown
from api.rest.asking import told
from api.rest.bodies import both, problems
from api.rest.files import GUARDED, disposition, file_of, form_of
from cases import imports
from cases.import_fault import ImportFault
from cases.import_rows import KINDS, Kind
from cases.office import Session
from cases.refusal import FieldFault, Refusal

router = APIRouter(tags=["imports"])

ImportId = Annotated[int, Path(gt=0, lt=2**53, description="导入的编号 · the number of the import")]
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class FaultyCell(Shown):
    """One faulty cell: where it stands, what is wrong and what would be right, in the reader's language."""

    sheet: str
    row: int
    column: str
    heading: str
    code: str
    message: str


class Looked(Shown):
    """What a list would do. `id` is there when it can be started; a faulty one isn't kept."""

    id: int | None
    kind: Literal["organisations", "members", "students"]
    state: Literal["checked", "faulty"]
    sheet: str
    rows: int
    added: int
    changed: int
    same: int
    skipped: int
    ignored: list[str]
    fault_count: int
    faults: list[FaultyCell]


class ImportShown(Shown):
    """How far an import is. One that broke off while it was `running` is taken up again by itself within minutes."""

    id: int
    kind: Literal["organisations", "members", "students"]
    state: Literal["checked", "running", "done"]
    school: int | None
    rows: int
    done: int
    added: int
    changed: int
    same: int
    skipped: int
    begun: datetime
    heard: datetime
    ended: datetime | None


class Imports(Shown):
    items: list[ImportShown]


@dataclass(frozen=True, slots=True)
class Given:
    """A list as it came in a form."""

    kind: Kind
    school: str | None
    content: bytes


async def given(request: Request) -> Given:
    """Read the form. Refuses `invalid` for one without its fields."""
    async with form_of(request) as form:
        kind = next((one for one in KINDS if one == form.get("kind")), None)
        if kind is None:
            expected = {"expected": ", ".join(KINDS)}
            raise Refusal("invalid", faults=(FieldFault("kind", "not_a_choice", expected),))
        school = form.get("school")
        _, content = await file_of(form, LARGEST)
    return Given(kind, school if isinstance(school, str) and school else None, content)


_FORM: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file", "kind"],
                    "properties": {
                        "file": {"type": "string", "format": "binary"},
                        "kind": {"type": "string", "enum": list(KINDS)},
                        "school": {"type": "string", "description": "学校的单位代码 · the code of the school"},
                    },
                }
            }
        },
    }
}


@router.post(
    "/imports",
    response_model=Looked,
    operation_id="check_import",
    summary="上传名单并检查 · upload a list and have it looked through",
    description=both(
        "xlsx 或 csv（UTF-8、GB18030）。逐格指出错误，什么都不写入；没有错误时返回 `id`，再用它开始导入。"
        "单位和人员：管理员，限本单位及下属；学生：该校管理员或心理教师，须给出 `school`。",
        "An xlsx or csv (UTF-8, GB18030). Every faulty cell is named and nothing is written; without faults there is "
        "an `id` to start it by. Organisations and members: an admin, for their organisation and all below; students: "
        "an admin or counselor of that `school`.",
    ),
    responses=problems(413),
    openapi_extra=_FORM,
)
def check_import(reader: Asked, list_: Annotated[Given, Depends(given)], house: TheHouse, session: Writing) -> Response:
    reach = imports.reach_of(session.connection, reader.actor, list_.kind, list_.school)
    today = reader.now.astimezone(house.office.book_of(house.office.current).tz).date()
    try:
        found = listed(list_.kind, list_.content, today)
    except TableFault as fault:
        raise Refusal("invalid", faults=(FieldFault("file", f"table_{fault.code}", fault.facts),)) from None
    checked = imports.check(session, list_.kind, found.rows, reach, found.doubtful, found.faults)
    faults = found.found([*found.faults, *checked.faults])
    said = checked_as_dict(found, checked, faults, reader.language, MOST)
    number = None
    if not faults:
        address, wrapped = imports.lay(house.office, list_.content)
        digest = imports.digest_of(house.office, list_.kind, list_.content, reach.school)
        begun = imports.begin(
            session.connection,
            list_.kind,
            reach,
            digest,
            len(found.rows),
            reader.now,
            member=reader.actor.member_id,
            address=address,
            wrapped=wrapped,
        )
        number = begun.id
    return told(Looked.model_validate({"id": number, **said}))


@router.get(
    "/imports",
    response_model=Imports,
    operation_id="list_imports",
    summary="我的导入 · my imports",
    responses=problems(),
)
def list_imports(reader: Asked, session: Reading) -> Response:
    found = imports.mine(session.connection, reader.actor.member_id)
    return told(Imports(items=[ImportShown.model_validate(one) for one in found]))


@router.get(
    "/imports/templates/{kind}",
    response_class=Response,
    operation_id="import_template",
    summary="空表 · an empty table with its headings",
    responses={
        200: {"description": "xlsx", "content": {XLSX: {"schema": {"type": "string", "format": "binary"}}}},
        **problems(404),
    },
)
def import_template(kind: Literal["organisations", "members", "students"], reader: Asked) -> Response:
    del reader
    headers = {**GUARDED, "Content-Disposition": disposition(f"{kind}.xlsx")}
    return Response(template(kind), headers=headers, media_type=XLSX)


@router.get(
    "/imports/{number}",
    response_model=ImportShown,
    operation_id="read_import",
    summary="导入的进度 · how far an import is",
    responses=problems(404),
)
def read_import(number: ImportId, reader: Asked, session: Reading) -> Response:
    found = imports.read(session.connection, number, reader.actor.member_id)
    return told(ImportShown.model_validate(found))


@router.post(
    "/imports/{number}/start",
    status_code=202,
    response_model=ImportShown,
    operation_id="start_import",
    summary="开始导入，或接着导入 · start an import, or go on with it",
    description=both(
        "在后台分批写入，进度见 `GET`。中断后再调用一次就接着导入，不会重复。",
        "It is written batch by batch in the background; `GET` says how far it is. Called again after an interruption "
        "it goes on; nothing comes twice.",
    ),
    responses=problems(404, 409),
)
def start_import(
    number: ImportId, reader: Asked, house: TheHouse, session: Reading, later: BackgroundTasks
) -> Response:
    job = imports.read(session.connection, number, reader.actor.member_id)
    answer = told(ImportShown.model_validate(job), 202, {"Location": f"/api/v1/imports/{number}"})
    try:
        task = written_later(session, house, reader, number)
    except ImportFault:
        raise Refusal("wrong_state", state="gone", kind="import") from None
    if task is not None:
        later.add_task(task)
        answer.background = later
    return answer


def written_later(session: Session, house: House, reader: Reader, number: int) -> Callable[[], None] | None:
    """What is to be done after the answer, to write what is left of an import; None where all of it is written.

    Refuses `not_found`; raises ImportFault gone where the file was cleared away. Whoever dies before it is done is
    followed by `api.imports.resuming`.
    """
    job = imports.read(session.connection, number, reader.actor.member_id)
    if job.state == "done":
        return None
    task = resuming.prepared(session, house, job, reader.actor)
    with house.writing(refreshed=True) as writing:
        imports.start(writing.connection, number, reader.now)
    return task
