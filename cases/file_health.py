"""Whether the contents of files are where the rows say, for the doctor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Connection

from cases import clearing
from cases.health import Check, of_fault
from cases.shelf import ShelfFault

if TYPE_CHECKING:
    from cases.shelf import Shelf


def of_files(connection: Connection, shelf: Shelf) -> Check:
    """Every file's content lies on the shelf, and where their copies go. Reads the whole list of the shelf."""
    try:
        count, missing = clearing.missing(connection, shelf)
    except ShelfFault as fault:
        return of_fault("files", fault)
    if missing:
        return Check(
            "files",
            "bad",
            (f"{shelf.where} 里缺 {missing} 个（共 {count} 个）", f"{missing} of {count} are missing at {shelf.where}"),
            (
                "请从备份目录下的 files 把缺的复制回去（内容已加密，照原样复制即可）。",
                "Copy them back from the folder `files` beside the back-ups: they are sealed, and copied as they are.",
            ),
        )
    return Check(
        "files",
        "ok",
        (
            f"{count} 个，在 {shelf.where}；whistle backup 另存到备份目录下的 files",
            f"{count} at {shelf.where}; `whistle backup` copies them to the folder `files` beside the back-ups",
        ),
    )
