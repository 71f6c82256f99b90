"""`whistle restore FILE --into DATABASE`: a back-up, put into an empty database and held against its own list."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.commands.options import AsJson, Language, Spoken

if TYPE_CHECKING:
    from cases.store import Store

app = typer.Typer(name="restore", help="把备份恢复到空数据库。 Put a back-up into an empty database.")

File = Annotated[Path, typer.Argument(metavar="FILE", help="备份文件。 The back-up.")]
Into = Annotated[
    str | None,
    typer.Option(
        metavar="DATABASE",
        help="同一服务器上的数据库名（没有则新建），或 postgresql:// 地址。 A database on the same server, made if it "
        "isn't there, or a postgresql:// address.",
    ),
]
Drilled = Annotated[
    bool,
    typer.Option("--drill", help="演练：恢复到临时库、核验、丢弃。 Restore it beside, check everything, drop that."),
]


@app.command()
def restore(
    file: File,
    into: Into = None,
    drill: Drilled = False,  # noqa: FBT002 - a switch of the command line
    as_json: AsJson = False,  # noqa: FBT002 - a switch of the command line
    language: Spoken = Language.ZH_CN,
) -> None:
    """核对整个文件，再恢复到空数据库；行数与历史链的末端须与备份清单一致，否则全部撤销。

    Check the whole file, then put it into an empty database; rows and chain heads must be those of its own list, or
    all of it is rolled back. Exits with 2 and one message when anything is wrong, and then nothing was changed. With
    --drill nothing stays: exits with 1 when something in it doesn't verify.
    """
    if drill == (into is not None):
        raise typer.BadParameter(language.says("请给出 --into 或 --drill 之一。", "Give either --into or --drill."))
    if drill:
        _drill(file, language, as_json=as_json)
    else:
        _restore(file, str(into), language, as_json=as_json)


def _drill(file: Path, language: Language, *, as_json: bool) -> None:
    from api.commands.backup import bar, found_by
    from api.commands.database import installation
    from cases.drill import drill

    with installation() as kept, bar(language, "演练", "drill", shown=not as_json) as told:
        tried = drill(file, kept.store, kept.office(), told)
    if as_json:
        typer.echo(json.dumps(tried.as_dict(), ensure_ascii=False))
    else:
        for line in found_by(tried, language):
            typer.echo(line)
    if tried.broken:
        raise typer.Exit(1)


def _restore(file: Path, into: str, language: Language, *, as_json: bool) -> None:
    from api.commands.backup import bar, copies_told
    from api.commands.home import home_of, master_of
    from api.settings import Settings
    from cases import backup as backups
    from cases import file_copies
    from cases import shelf as shelves

    settings = Settings.read(os.environ)
    master, shelf = master_of(settings), shelves.opened(settings.files, home_of(settings))
    # A file that is refused must not leave a new database behind, nor start a server.
    backups.look(file, master)
    with _target(into) as store, bar(language, "恢复", "restoring", shown=not as_json) as told:
        manifest = backups.restore(file, master, store, told)
        copied = file_copies.copy_back(store, shelf, file.parent)
        where = store.where
    count = sum(manifest.rows.values())
    if as_json:
        at = manifest.at.isoformat()
        said = {"database": where, "at": at, "cases": manifest.cases, "rows": count, "files": copied.as_dict()}
        typer.echo(json.dumps(said))
        return
    typer.echo(
        language.says(
            f"已恢复到 {where}：{manifest.cases} 个个案，{count} 行，与 {manifest.at:%Y-%m-%d %H:%M} UTC 的备份一致。"
            "请用现在的密钥库，并运行 whistle audit verify。",
            f"Restored into {where}: {manifest.cases} cases, {count} rows, as they were backed up at "
            f"{manifest.at:%Y-%m-%d %H:%M} UTC. Use the present key store, and run `whistle audit verify`.",
        )
    )
    if copied.files:
        for line in copies_told(copied, file.parent, language):
            typer.echo(line)


@contextmanager
def _target(into: str) -> Iterator[Store]:
    """The database that is named; one that had to be made goes again if nothing could be put into it."""
    from api.commands.database import opened
    from cases.store import Store
    from cases.store_fault import StoreFault

    if "://" in into:
        with Store(into) as store:
            yield store
        return
    with opened() as server, server.at(into) as store:
        made = False
        try:
            with store.read():
                pass
        except StoreFault as fault:
            if fault.code != "no_database":
                raise
            server.create_database(into)
            made = True
        try:
            yield store
        except BaseException:
            if made:
                store.close()
                server.drop_database(into)
            raise
