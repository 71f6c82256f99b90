"""`whistle demo load`: cases to look at, in the sample city."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from api.commands.options import AsJson, Language, Spoken

app = typer.Typer(name="demo", no_args_is_help=True, help="演示个案。 Cases to look at.")

FAULTY = 2
"""The exit code where there is no sample city."""

Told = Annotated[bool, typer.Option("--refused", help="列出引擎拒绝的步骤。 List the steps that the engine refused.")]


@app.callback()
def group() -> None:
    """演示个案。 Cases to look at."""


@app.command()
def load(
    refused: Told = False,  # noqa: FBT002 - a switch of the command line
    as_json: AsJson = False,  # noqa: FBT002 - a switch of the command line
    language: Spoken = Language.ZH_CN,
) -> None:
    """在样例城市里重演各个剧本，另加约二百个处于各种状态的个案，时间移到今天为止；不向任何人发送消息。

    Replay the scenarios in the sample city, and some two hundred further cases in every state, moved so that they end
    today; nobody is sent anything. A second time it says that they are there. Exits with 2 where real records are.
    """
    from datetime import UTC, datetime

    from rich.console import Console

    from api.commands.database import installation
    from cases.samples.city_fault import CityFault
    from cases.samples.demo import load as tell

    console = Console(stderr=True)
    try:
        with installation(fresh=True) as kept, console.status(language.says("正在重演……", "Replaying …")):
            shown = tell(kept, datetime.now(UTC))
    except CityFault as fault:
        typer.echo(fault.text(language.value), err=True)
        raise typer.Exit(FAULTY) from None
    if as_json:
        facts = {"cases": shown.cases, "events": shown.events, "already": shown.already, "refused": len(shown.refused)}
        typer.echo(json.dumps(facts))
        return
    counted = shown.cases, shown.events
    said = (
        language.says("演示个案已经在了：{} 个个案，{} 个事件。", "They are there already: {} cases, {} events.")
        if shown.already
        else language.says("已重演 {} 个个案，{} 个事件。", "Replayed {} cases, {} events.")
    )
    typer.echo(said.format(*counted))
    if refused:
        for line in shown.refused:
            typer.echo(line)
