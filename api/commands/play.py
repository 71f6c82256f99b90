"""`whistle play FILE…`: scenarios, played through the real engine in a database of their own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.commands.options import AsJson, Language, Spoken

if TYPE_CHECKING:
    from cases.play import Outcome, Script
    from policies.book import Book
    from policies.faults import Fault

app = typer.Typer(name="play", help="播放剧本。 Play scenarios.")

FAILED = 1
"""The exit code when an expectation didn't hold."""
FAULTY = 2
"""The exit code for faulty input."""


Files = Annotated[
    list[Path],
    typer.Argument(metavar="FILE…", help="剧本文件，或其目录。 Scenario files, or folders of them."),
]
OtherPolicy = Annotated[
    str | None,
    typer.Option("--policy", metavar="FILE", help="改用这份规则播放。 Play under this policy instead."),
]
Quiet = Annotated[bool, typer.Option("--quiet", help="只打印不符之处和总表。 Print failures and the summary only.")]


@app.command()
def play(
    files: Files,
    policy: OtherPolicy = None,
    as_json: AsJson = False,  # noqa: FBT002 - a switch of the command line
    quiet: Quiet = False,  # noqa: FBT002 - a switch of the command line
    language: Spoken = Language.ZH_CN,
) -> None:
    """播放剧本：时间逐步推进，每一步都核对；不触及正在使用的任何数据。

    Play scenarios step by step, each in a fresh database of its own. Exits with 0 when all held, 1 when an
    expectation failed, 2 when a file is faulty.
    """
    from policies.book import load
    from policies.faults import PolicyFaults

    scripts, faults = _read(files)
    book = None
    if policy is not None:
        try:
            book = load(Path(policy) if Path(policy).is_file() else policy)
        except PolicyFaults as faulty:
            faults.extend(faulty.faults)
    if faults:
        _refuse(faults, language, as_json=as_json)
    outcomes = _play(scripts, book, language, silent=as_json, quiet=quiet)
    if as_json:
        typer.echo(json.dumps([one.as_dict() for one in outcomes], ensure_ascii=False, indent=2))
    raise typer.Exit(0 if all(one.ok for one in outcomes) else FAILED)


def _read(files: list[Path]) -> tuple[list[Script], list[Fault]]:
    """Every script and every fault of all files: somebody with three faulty files learns of all three."""
    from cases.play import ScenarioFaults, policy_of, read_script
    from policies.faults import Fault
    from policies.vocabulary import Words

    scripts: list[Script] = []
    faults: list[Fault] = []
    for file in files:
        found = sorted(file.glob("*.yaml")) if file.is_dir() else [file]
        if not found:
            why = Words("这个文件夹里没有剧本", "there is no scenario in this folder")
            faults.append(Fault(str(file), 1, "", why, Words("剧本是 .yaml 文件", "scenarios are .yaml files")))
        for path in found:
            try:
                script = read_script(path)
                policy_of(script)
                scripts.append(script)
            except ScenarioFaults as faulty:
                faults.extend(faulty.faults)
    return scripts, faults


def _refuse(faults: list[Fault], language: str, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"faults": [one.as_dict() for one in faults]}, ensure_ascii=False, indent=2))
    else:
        for fault in faults:
            typer.echo(fault.text(language), err=True)
    raise typer.Exit(FAULTY)


def _play(scripts: list[Script], book: Book | None, language: str, *, silent: bool, quiet: bool) -> list[Outcome]:
    from api.commands.database import opened
    from api.commands.timeline import Timeline
    from cases.play import play as through

    timeline = Timeline(language, quiet=quiet)
    outcomes = []
    with opened() as store:
        for script in scripts:
            outcome = through(script, store, policy=book)
            outcomes.append(outcome)
            if not silent:
                timeline.tell(outcome, script)
    if not silent:
        timeline.summary(outcomes)
    return outcomes
