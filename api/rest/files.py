"""Files of a case: uploaded, listed, downloaded. An upload is referred to by a trigger's `evidence` afterwards."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final, Literal
from urllib.parse import quote

from fastapi import APIRouter, Depends, Path, Request, Response
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartParser

from api.asked import Asked, Opening, Writing
from api.given import keepable_fields
from api.rest.answers import Shown
from api.rest.asking import Number, told
from api.rest.bodies import both, problems
from cases import files
from cases.cleansing import LARGEST
from cases.file_fault import FileFault
from cases.refusal import FieldFault, Refusal
from cases.vault import SECTIONS, Section

router = APIRouter(tags=["files"])

# An upload waits in memory: nothing of a student is written to a disk in clear, not even for a moment.
MultiPartParser.spool_max_size = LARGEST + (4 << 20)

FileId = Annotated[
    str,
    Path(pattern=r"^[0-9a-f]{64}$", description="附件的地址 · the file's address", examples=["5f" * 32]),
]
GUARDED: Final = {
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
"""With every download: whatever it is, no browser runs it, shows it inside a page or keeps it."""


class FileShown(Shown):
    """A file. `reference` is how a trigger's `evidence` names it."""

    address: str
    reference: str
    section: Literal["identity", "narrative", "clinical"]
    name: str
    media: str
    size: int
    member: int
    organisation: int
    at: datetime
    event: int | None


class Files(Shown):
    items: list[FileShown]


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it came in a form, and the section that it is for."""

    name: str
    content: bytes
    section: Section


async def uploaded(request: Request) -> Upload:
    """Read the form. Refuses `invalid` for one without its fields, `file_too_large` before anything is looked at."""
    async with form_of(request) as form:
        section = form.get("section", "narrative")
        known = next((one for one in SECTIONS if one == section), None)
        if known is None:
            expected = {"expected": ", ".join(SECTIONS)}
            raise Refusal("invalid", faults=(FieldFault("section", "not_a_choice", expected),))
        name, content = await file_of(form)
    return Upload(name, content, known)


@asynccontextmanager
async def form_of(request: Request) -> AsyncIterator[FormData]:
    """The multipart form of a request: one file, a few short fields. Refuses `invalid` for any other body."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "multipart/form-data":
        raise Refusal("invalid", faults=(FieldFault("file", "missing"),))
    try:
        form = await request.form(max_files=1, max_fields=8, max_part_size=4096)
    except HTTPException as error:
        if error.status_code != 400:
            raise
        raise Refusal("invalid", faults=(FieldFault("file", "wrong_form"),)) from None
    try:
        keepable_fields(form.multi_items())
        yield form
    finally:
        await form.close()


async def file_of(form: FormData, largest: int = LARGEST) -> tuple[str, bytes]:
    """The name and content of the form's file."""
    file = form.get("file")
    if not isinstance(file, UploadFile):
        raise Refusal("invalid", faults=(FieldFault("file", "missing"),))
    if file.size is None or file.size > largest:
        raise FileFault("file_too_large", limit=str(largest // 1_000_000))
    return file.filename or "", await file.read()


UPLOAD: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {"type": "string", "format": "binary"},
                        "section": {"type": "string", "enum": list(SECTIONS), "default": "narrative"},
                    },
                }
            }
        },
    }
}


@router.post(
    "/cases/{number}/files",
    status_code=201,
    response_model=FileShown,
    operation_id="upload_file",
    summary="上传附件 · upload a file",
    description=both(
        "照片（JPEG、PNG、WebP）、扫描件（TIFF）、PDF，每个最大 20 MB。图片会重新编码，位置等信息不保留；"
        "同一内容再传一次得到同一个附件。"
        "之后在触发的 `evidence` 一类字段里写 `reference`；七天内没有被引用的附件会清除。",
        "Photos (JPEG, PNG, WebP), scans (TIFF) and PDF, up to 20 MB each. Pictures are encoded anew, without place or "
        "camera; the same content again is the same file. Name its `reference` in a trigger's `evidence` afterwards; "
        "what nothing refers to is cleared away after seven days.",
    ),
    responses=problems(404, 409, 413),
    openapi_extra=UPLOAD,
)
def upload_file(
    number: Number, reader: Asked, upload: Annotated[Upload, Depends(uploaded)], session: Writing
) -> Response:
    kept = files.keep(session, number, reader.actor, upload.name, upload.content, upload.section, reader.now)
    where = f"/api/v1/cases/{number}/files/{kept.address}"
    return told(FileShown.model_validate(kept), 201, {"Location": where})


@router.get(
    "/cases/{number}/files",
    response_model=Files,
    operation_id="list_files",
    summary="附件目录 · the files of a case",
    description=both(
        "只列出您能看的部分里的附件；查看名称会写入查阅记录。",
        "Those in the sections that you see; reading their names is written into the access log.",
    ),
    responses=problems(404),
)
def list_files(number: Number, reader: Asked, session: Opening) -> Response:
    found = files.listed(session, number, reader.actor, reader.now)
    return told(Files(items=[FileShown.model_validate(one) for one in found]))


@router.get(
    "/cases/{number}/files/{file}",
    response_class=Response,
    operation_id="download_file",
    summary="下载附件 · download a file",
    description=both("每次下载都写入查阅记录。", "Every download is written into the access log."),
    responses={
        200: {
            "description": "附件 · the file",
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        },
        **problems(404),
    },
)
def download_file(number: Number, file: FileId, reader: Asked, session: Opening) -> Response:
    opened = files.open_file(session, number, reader.actor, file, reader.now)
    headers = {**GUARDED, "Content-Disposition": disposition(opened.name)}
    return Response(opened.content, headers=headers, media_type=opened.media)


def disposition(name: str) -> str:
    """An attachment under its own name, whatever script it is written in (RFC 6266, RFC 8187)."""
    plain = "".join(one if one.isascii() and one.isprintable() and one not in '"\\%;' else "_" for one in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
