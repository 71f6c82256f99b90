"""`whistle policy check | show | diff`: try, read and compare policy files."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from api.commands.options import AsJson, Language, Spoken

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from policies.book import Book
    from policies.faults import PolicyFaults

app = typer.Typer(
    name="policy",
    no_args_is_help=True,
    help="规则：检查、查看、比较。 Policies: check, show and compare them.",
)

FAULTY = 2
"""The exit code for faulty input."""


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
