"""`whistle backup DIR`: the cases in one encrypted file, without the keys."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.commands.options import AsJson, Language, Spoken

if TYPE_CHECKING:
    from cases.backup import Backup
    from cases.drill import Drill
    from cases.file_copies import Copied

app = typer.Typer(name="backup", help="备份个案（加密）。 Back up the cases, encrypted.")

Folder = Annotated[
    Path | None,
    typer.Argument(
        metavar="DIR", help="放备份的目录，默认 WHISTLE_BACKUPS。 Where to, best on another disk; else WHISTLE_BACKUPS."
    ),
]
Drilled = Annotated[
    bool,
    typer.Option("--drill", help="随后演练：恢复到临时库、核验、丢弃。 Then restore it beside, check, drop that."),
]


@app.command()
def backup(
    folder: Folder = None,
    drill: Drilled = False,  # noqa: FBT002 - a switch of the command line
    as_json: AsJson = False,  # noqa: FBT002 - a switch of the command line
    language: Spoken = Language.ZH_CN,
) -> None:
    """把全部个案备份成一个加密文件，不影响正在进行的工作。密钥库不在其中：被遗忘的学生不会因恢复旧备份而回来。

    Back up all cases into one encrypted file, beside whoever works. The key store is no part of it: an older back-up
    brings no forgotten student back. With --drill exits with 1 when something in it doesn't verify.
    """
    from api.commands.database import installation
    from api.settings import Settings
    from cases import backup as backups
    from cases import file_copies, heartbeat
    from cases.backup_file import BackupFault
    from cases.drill import drill as drilled
    from cases.file_copies import Copied

    now = datetime.now(UTC)
    tried = None
    into = folder or Settings.read(os.environ).backups
    if into is None:
        raise BackupFault("no_folder")
    with installation() as kept:
        begun = time.perf_counter()
        with bar(language, "备份", "backing up", shown=not as_json) as told:
            made = backups.make(kept.store, kept.master, into, now, told)
        copied = Copied()
        if kept.shelf is not None:
            copied = file_copies.copy_out(kept.store, kept.shelf, into, now)
        if drill:
            with bar(language, "演练", "drill", shown=not as_json) as told:
                tried = drilled(made.path, kept.store, kept.office(), told)
        took = timedelta(seconds=time.perf_counter() - begun)
        done = {"file": made.path.name, "bytes": made.size, "cases": made.manifest.cases, "files": copied.as_dict()}
        heartbeat.beat(kept.store, "backup", "person", now, took, done)
    _say(made, copied, tried, language, as_json=as_json)
    if tried is not None and tried.broken:
        raise typer.Exit(1)


def _say(made: Backup, copied: Copied, tried: Drill | None, language: Language, *, as_json: bool) -> None:
    count = sum(made.manifest.rows.values())
    if as_json:
        said = {"file": str(made.path), "bytes": made.size, "cases": made.manifest.cases, "rows": count}
        said["files"] = copied.as_dict()
        if tried is not None:
            said["drill"] = tried.as_dict()
        typer.echo(json.dumps(said, ensure_ascii=False))
        return
    size = f"{made.size / 1_000_000:.1f} MB"
    typer.echo(
        language.says(
            f"已备份 {made.manifest.cases} 个个案，{count} 行：{made.path}（{size}）。主密钥不在其中，请另行保管。",
            f"Backed up {made.manifest.cases} cases, {count} rows: {made.path} ({size}). "
            "The master key isn't in it; keep that elsewhere.",
        )
    )
    if copied.files:
        for line in copies_told(copied, made.path.parent, language):
            typer.echo(line)
    if tried is not None:
        for line in found_by(tried, language):
            typer.echo(line)


def copies_told(copied: Copied, folder: Path, language: Language) -> Iterator[str]:
    """How the copies of the files stand, a line or two."""
    size, where = f"{copied.size / 1_000_000:.1f} MB", folder / "files"
    yield language.says(
        f"附件 {copied.files} 个，新复制 {copied.copied} 个（{size}），副本在 {where}。",
        f"{copied.files} files, {copied.copied} newly copied ({size}); copies lie in {where}.",
    )
    if copied.missing:
        yield language.says(
            f"有 {copied.missing} 个附件找不到内容，请运行 whistle doctor。",
            f"The contents of {copied.missing} files weren't found: run `whistle doctor`.",
        )


def found_by(tried: Drill, language: Language) -> Iterator[str]:
    """What a drill found, a line each."""
    for line in tried.broken:
        yield language.says(f"不符：{line}", f"doesn't fit: {line}")
    seconds = tried.took.total_seconds()
    yield language.says(
        f"演练：恢复并核验 {tried.cases} 个个案，打开 {tried.opened} 处，已遗忘而打不开 {tried.forgotten} 处，"
        f"{len(tried.broken)} 处不符，{seconds:.1f} 秒。",
        f"Drill: {tried.cases} cases restored and verified, {tried.opened} sections opened, {tried.forgotten} "
        f"closed because their student was forgotten, {len(tried.broken)} findings, {seconds:.1f} s.",
    )


@contextmanager
def bar(language: Language, zh: str, en: str, *, shown: bool) -> Iterator[Callable[[str, int, int], None]]:
    """A bar on standard error, so that standard output holds the answer alone."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not shown) as progress:
        task = progress.add_task(language.says(zh, en), total=None)

        def told(_what: str, done: int, of: int) -> None:
            progress.update(task, completed=done, total=of or None)

        yield told
