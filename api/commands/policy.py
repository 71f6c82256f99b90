"""`whistle policy check | show | diff | try | activate`: check, read, compare and try policy files, and use them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from api.commands.options import AsJson, Language, Spoken

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from cases.installation import Installation
    from cases.trial import Trial
    from policies.book import Book
    from policies.faults import PolicyFaults

app = typer.Typer(
    name="policy",
    no_args_is_help=True,
    help="规则：检查、查看、比较、试算、启用。 Policies: check, show, compare, try and activate them.",
)

FAULTY = 2
"""The exit code for faulty input."""


Version = Annotated[str, typer.Argument(help="版本或文件。 A version or a file.")]
Shelves = Annotated[
    list[Path] | None,
    typer.Option("--library", help="另一个规则目录，可多次给出。 A further folder of policies; may be repeated."),
]


@app.command()
def check(
    files: Annotated[list[str], typer.Argument(metavar="FILE…", help="规则文件或版本。 Policy files or versions.")],
    library: Shelves = None,
    as_json: AsJson = False,  # noqa: FBT002 - a switch of the command line
    language: Spoken = Language.ZH_CN,
) -> None:
    """检查规则文件，一次列出全部错误；有错误时退出码为 2。

    Check policy files and list every fault at once; exits with 2 when there is one.
    """
    from policies.book import load
    from policies.faults import PolicyFaults

    sound: list[Book] = []
    faulty: list[tuple[str, PolicyFaults]] = []
    for file in files:
        try:
            sound.append(load(file, library or ()))
        except PolicyFaults as fault:
            faulty.append((file, fault))
    if as_json:
        _print_json(
            {
                "sound": [{"version": book.version, "digest": book.digest} for book in sound],
                "faults": [one.as_dict() for _, fault in faulty for one in fault.faults],
            }
        )
    else:
        _print_check(sound, faulty, language)
    if faulty:
        raise typer.Exit(FAULTY)


@app.command()
def show(
    version: Annotated[str, typer.Argument(help="版本或文件。 A version or a file.")] = "nanjing-2026.1",
    library: Shelves = None,
    as_json: AsJson = False,  # noqa: FBT002 - a switch of the command line
    language: Spoken = Language.ZH_CN,
) -> None:
    """以易读的表格显示一份规则，每一项都注明依据。

    Show a policy as readable tables, each entry with what it rests on.
    """
    book = _loaded(version, library, language, as_json=as_json)
    if as_json:
        from policies.reading import read

        _print_json({"digest": book.digest, **_fields(read(book.source_text, version).tree)})
        return
    from api.commands.policy_tables import tables

    console = _console()
    console.print(f"[bold]{book.version}[/bold] {book.title.in_language(language)}")
    until = f" {book.effective_until}" if book.effective_until is not None else ""
    console.print(f"{book.effective_from} –{until}  {book.tz.key}")
    console.print(f"sha256 {book.digest}\n", style="dim", highlight=False)
    _print_tables(console, tables(book, language))


@app.command()
def diff(
    before: Annotated[str, typer.Argument(metavar="A", help="旧版本或文件。 The older version or file.")],
    after: Annotated[str, typer.Argument(metavar="B", help="新版本或文件。 The newer version or file.")],
    library: Shelves = None,
    as_json: AsJson = False,  # noqa: FBT002 - a switch of the command line
    language: Spoken = Language.ZH_CN,
) -> None:
    """用文字说明两份规则的不同。

    Say in words what is different between two policies.
    """
    from policies.diff import diff as changes_between

    old, new = (_loaded(one, library, language, as_json=as_json) for one in (before, after))
    changes = changes_between(old, new)
    if as_json:
        _print_json({"before": old.version, "after": new.version, "changes": [change.as_dict() for change in changes]})
        return
    console = _console()
    console.print(f"[bold]{old.version} → {new.version}[/bold]")
    if not changes:
        console.print("没有不同。" if language is Language.ZH_CN else "No difference.")
    marks = {"added": ("+", "green"), "removed": ("-", "red"), "changed": ("~", "yellow")}
    for change in changes:
        mark, style = marks[change.kind]
        console.print(
            f"{mark} {change.text.in_language(language)}",
            style=style,
            markup=False,
            highlight=False,
            soft_wrap=True,
        )


@app.command("try")
def try_out(
    version: Version,
    library: Shelves = None,
    as_json: AsJson = False,  # noqa: FBT002 - a switch of the command line
    language: Spoken = Language.ZH_CN,
) -> None:
    """用已有个案的历史试算这一版本：哪些时限会变，会多出或减少多少逾期。什么都不改动。

    Replay the cases that there are under this version, and say which limits would fall otherwise and how many overruns
    there would be. Changes nothing. Exits with 1 when a history doesn't fit under it.
    """
    from api.commands.database import installation

    book = _loaded(version, library, language, as_json=as_json)
    with installation() as kept:
        tried = _tried(kept, book)
    _print_trial(tried, language, as_json=as_json)
    if tried.unreadable:
        raise typer.Exit(1)


@app.command()
def activate(
    version: Version,
    library: Shelves = None,
    as_json: AsJson = False,  # noqa: FBT002 - a switch of the command line
    language: Spoken = Language.ZH_CN,
) -> None:
    """先试算，再启用：此后的新个案采用这一版本，进行中的个案保持原来的版本。

    Try it as `policy try` does, then put it to work: cases that are opened from now on are opened under it, and running
    ones keep their own. Exits with 1 and activates nothing when a history doesn't fit under it; with 2 when
    WHISTLE_POLICY names another version, or another content is stored under this name.
    """
    from api.commands.database import installation

    book = _loaded(version, library, language, as_json=as_json)
    named = os.environ.get("WHISTLE_POLICY")
    if named and named != book.version:
        said = language.says(
            f"WHISTLE_POLICY 指定了 {named}，下次启动时又会回到它。请先改掉或去掉这项设置；什么都没有改动。",
            f"WHISTLE_POLICY names {named} and would win at the next start. Change that first; nothing was changed.",
        )
        raise typer.BadParameter(said)
    with installation() as kept:
        before, tried = kept.active(), _tried(kept, book)
        if not tried.unreadable:
            kept.keep(book, datetime.now(UTC), activate=True)
    _print_trial(tried, language, as_json=as_json)
    if tried.unreadable:
        raise typer.Exit(1)
    if not as_json:
        typer.echo(
            language.says(
                f"已启用 {book.version}（原为 {before}），自下一个新个案起生效；进行中的个案不变。",
                f"{book.version} is active, {before} was: from the next new case on. Running cases keep their own.",
            )
        )


def _tried(kept: Installation, book: Book) -> Trial:
    from cases import library, trial

    with kept.store.read() as connection:
        return trial.run(connection, library.with_calendars(connection, book), kept.book, datetime.now(UTC))


def _print_trial(tried: Trial, language: Language, *, as_json: bool) -> None:
    if as_json:
        _print_json(tried.as_dict())
        return
    from api.commands.policy_tables import changes

    console = _console()
    for line in tried.unreadable:
        console.print(language.says(f"不符：{line}", f"doesn't fit: {line}"), style="red", markup=False)
    console.print(
        language.says(
            f"在 {tried.version} 下重放 {tried.cases} 个个案，其中 {tried.changed} 个会有不同。",
            f"Replayed {tried.cases} cases under {tried.version}; {tried.changed} of them would go differently.",
        )
    )
    if any(one.any for one in tried.by_clock.values()):
        console.print(changes(tried, language))


def _loaded(name: str, library: Iterable[Path] | None, language: Language, *, as_json: bool) -> Book:
    from policies.book import load
    from policies.faults import PolicyFaults

    try:
        return load(name, library or ())
    except PolicyFaults as fault:
        if as_json:
            _print_json({"faults": [one.as_dict() for one in fault.faults]})
        else:
            _print_check([], [(name, fault)], language)
        _faulty()


def _faulty() -> NoReturn:
    raise typer.Exit(FAULTY)


def _print_check(sound: Iterable[Book], faulty: Iterable[tuple[str, PolicyFaults]], language: Language) -> None:
    chinese = language is Language.ZH_CN
    console, errors = _console(), _console(stderr=True)
    for book in sound:
        said = f"{book.version}：没有错误" if chinese else f"{book.version}: no faults"
        console.print(f"✓ {said}  sha256 {book.digest}", style="green", markup=False, highlight=False, soft_wrap=True)
    for file, fault in faulty:
        for one in fault.faults:
            errors.print(one.text(language), markup=False, highlight=False, soft_wrap=True)
        count = len(fault.faults)
        said = f"{file}：{count} 处错误" if chinese else f"{file}: {count} fault{'' if count == 1 else 's'}"
        errors.print(f"✗ {said}", style="red", markup=False, highlight=False, soft_wrap=True)


def _print_tables(console: Console, shown: Iterable[Table]) -> None:
    for table in shown:
        console.print(table)
        console.print()


def _print_json(said: object) -> None:
    typer.echo(json.dumps(said, ensure_ascii=False, indent=2, default=str))


def _fields(tree: object) -> dict[str, object]:
    return dict(tree) if isinstance(tree, dict) else {}


def _console(*, stderr: bool = False) -> Console:
    from rich.console import Console

    return Console(stderr=stderr)
