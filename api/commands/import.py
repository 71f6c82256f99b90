"""`whistle import organisations | members | students | template`: lists out of an office's tables."""

# ruff: noqa: N999 - a module is called what its command is called; nobody imports it by statement.
from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.commands.options import AsJson, Language, Spoken

if TYPE_CHECKING:
    from api.imports.lists import CellFault, Listed
    from cases.import_rows import Kind
    from cases.imports import Checked, Job

app = typer.Typer(
    name="import",
    no_args_is_help=True,
    help="导入单位、人员、学生名单。 Bring in lists of organisations, members, students.",
)

FAULTY = 2
INTERRUPTED = 130
_SHOWN = 200
"""So many faults are printed; with --json all of them are."""

File = Annotated[Path, typer.Argument(metavar="FILE", help="xlsx 或 csv。 An xlsx or csv.")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="只检查，逐格指出错误，不写入。 Only look; name every faulty cell.")
]


class Listing(StrEnum):
    """The kinds of list."""

    ORGANISATIONS = "organisations"
    MEMBERS = "members"
    STUDENTS = "students"


@app.command()
def organisations(
    file: File,
    dry_run: DryRun = False,  # noqa: FBT002 - a switch of the command line
    as_json: AsJson = False,  # noqa: FBT002 - a switch of the command line
    language: Spoken = Language.ZH_CN,
) -> None:
    """单位：按代码识别，再导入一次不会重复。

    Organisations, known by their codes; the same list again changes nothing. Exits with 2 when a cell is faulty.
    """
    _bring_in("organisations", file, None, language, dry_run=dry_run, as_json=as_json)


@app.command()
def members(
    file: File,
    dry_run: DryRun = False,  # noqa: FBT002 - a switch of the command line
    as_json: AsJson = False,  # noqa: FBT002 - a switch of the command line
    language: Spoken = Language.ZH_CN,
) -> None:
    """人员和职务：按单位和姓名识别，同名的再看电话。不会结束任何职务。

    Members and their posts, known by organisation and name; no post is ended. Exits with 2 when a cell is faulty.
    """
    _bring_in("members", file, None, language, dry_run=dry_run, as_json=as_json)


@app.command()
def students(
    file: File,
    school: Annotated[str, typer.Option(metavar="CODE", help="学校的单位代码。 The code of the school.")],
    dry_run: DryRun = False,  # noqa: FBT002 - a switch of the command line
    as_json: AsJson = False,  # noqa: FBT002 - a switch of the command line
    language: Spoken = Language.ZH_CN,
) -> None:
    """一所学校的学生：身份信息读入后立即加密。

    The students of one school; who they are is sealed at once. Exits with 2 when a cell is faulty.
    """
    _bring_in("students", file, school, language, dry_run=dry_run, as_json=as_json)


@app.command()
def template(
    kind: Annotated[Listing, typer.Argument(help="哪一种名单。 Which kind of list.")],
    into: Annotated[Path | None, typer.Argument(metavar="FILE", help="写到哪里。 Where to.")] = None,
    language: Spoken = Language.ZH_CN,
) -> None:
    """写一份空表，表头有中英文。 Write an empty xlsx with headings in both languages."""
    from api.imports.columns import template as written
    from api.imports.table_fault import TableFault

    path = into or Path(f"{kind.value}.xlsx")
    try:
        with path.open("xb") as file:
            file.write(written(kind.value))
    except OSError as error:
        raise TableFault("unread", path=str(path), why=error.strerror or type(error).__name__) from None
    typer.echo(language.says(f"已写好空表：{path}", f"Wrote {path}"))


def _bring_in(kind: Kind, file: Path, school: str | None, language: Language, *, dry_run: bool, as_json: bool) -> None:
    from api.commands.database import installation
    from api.imports.lists import listed
    from api.imports.table_fault import TableFault
    from cases import imports
    from cases.office import Session
    from cases.placing import Reach

    now = datetime.now(UTC)
    try:
        content = file.read_bytes()
    except OSError as error:
        raise TableFault("unread", path=str(file), why=error.strerror or type(error).__name__) from None
    with installation() as kept:
        office = kept.office()
        found = listed(kind, content, now.astimezone(office.book_of(office.current).tz).date())
        with kept.store.read() as connection:
            reach = Reach() if school is None else _school(connection, school, language)
            checked = imports.check(Session(connection, office), kind, found.rows, reach, found.doubtful, found.faults)
        faults = found.found([*found.faults, *checked.faults])
        if faults or dry_run:
            _say_checked(found, checked, faults, language, as_json=as_json)
            raise typer.Exit(FAULTY if faults else 0)
        digest = imports.digest_of(office, kind, content, reach.school)
        with kept.store.begin() as connection:
            job = imports.begin(connection, kind, reach, digest, len(found.rows), now)
        try:
            with _bar(language, shown=not as_json) as told:
                done = imports.run(kept.store, office, job.id, found.rows, reach, lambda: datetime.now(UTC), told)
        except KeyboardInterrupt:
            stopped = language.says(
                "已停下。再运行同一条命令就接着导入。", "Stopped. Run the same command again to go on."
            )
            typer.echo(stopped, err=True)
            raise typer.Exit(INTERRUPTED) from None
    _say_done(done, found, language, as_json=as_json)


def _school(connection: Any, code: str, language: Language) -> Any:  # noqa: ANN401 - a door opens no module early
    from cases.imports import school_of
    from cases.refusal import Refusal

    try:
        return school_of(connection, code)
    except Refusal:
        typer.echo(language.says(f"没有代码为 {code} 的学校。", f"There is no school of code {code}."), err=True)
        raise typer.Exit(FAULTY) from None


def _say_checked(
    found: Listed, checked: Checked, faults: list[CellFault], language: Language, *, as_json: bool
) -> None:
    from api.imports.answers import checked_as_dict

    if as_json:
        typer.echo(json.dumps(checked_as_dict(found, checked, faults, language.value), ensure_ascii=False))
        return
    for one in faults[:_SHOWN]:
        typer.echo(one.text(language.value))
    if len(faults) > _SHOWN:
        more = len(faults) - _SHOWN
        typer.echo(language.says(f"……还有 {more} 处（--json 列出全部）", f"… and {more} more (--json lists all)"))
    if faults:
        typer.echo(
            language.says(f"{len(faults)} 处错误，什么都没有导入。", f"{len(faults)} faults; nothing was brought in.")
        )
        return
    typer.echo(
        language.says(
            f"可以导入：{checked.rows} 行，新增 {checked.added}，更新 {checked.changed}，不变 {checked.same}。",
            f"Ready: {checked.rows} rows, {checked.added} new, {checked.changed} changed, {checked.same} as they are.",
        )
    )
    _say_left_out(found, len(checked.skipped), language)


def _say_done(done: Job, found: Listed, language: Language, *, as_json: bool) -> None:
    if as_json:
        said = {"rows": done.rows, "added": done.added, "changed": done.changed, "same": done.same}
        typer.echo(json.dumps({**said, "skipped": done.skipped, "ignored": found.ignored}, ensure_ascii=False))
        return
    typer.echo(
        language.says(
            f"已导入 {done.rows} 行：新增 {done.added}，更新 {done.changed}，不变 {done.same}。",
            f"Brought in {done.rows} rows: {done.added} new, {done.changed} changed, {done.same} as they were.",
        )
    )
    _say_left_out(found, done.skipped, language)


def _say_left_out(found: Listed, skipped: int, language: Language) -> None:
    if skipped:
        typer.echo(
            language.says(
                f"有 {skipped} 行是已按规定清除的学生，没有再登记。",
                f"{skipped} rows are of students who were forgotten; they aren't entered again.",
            )
        )
    if found.ignored:
        names = "、".join(found.ignored)
        typer.echo(language.says(f"没有用到的列：{names}", f"Columns that nothing was read from: {names}"))


@contextmanager
def _bar(language: Language, *, shown: bool) -> Iterator[Callable[[int, int], None]]:
    from api.commands.backup import bar

    with bar(language, "导入", "importing", shown=shown) as told:
        yield lambda done, of: told("", done, of)
