"""`whistle why CASE CLOCK`: the reckoning behind a limit, step by step, each with what it rests on."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from api.commands.options import AsJson, Language, Spoken

app = typer.Typer(name="why", help="说明时限的由来。 Explain a limit.")


Case = Annotated[str, typer.Argument(metavar="CASE", help="个案编号。 The number of the case.")]
Clock = Annotated[
    str,
    typer.Argument(
        metavar="CLOCK",
        help="时钟：settle、assignment(street).report_in。 The clock, as a scenario names it.",
    ),
]


@app.command()
def why(
    case: Case,
    clock: Clock,
    as_json: AsJson = False,  # noqa: FBT002 - a switch of the command line
    language: Spoken = Language.ZH_CN,
) -> None:
    """说明一个时限为什么是那个时刻：起点、时限、放假、暂停，以及各自的依据。

    Explain why a clock of a case is due when it is: start, limit, holidays, pauses, and what each rests on.
    Exits with 2 when there is no such case or clock.
    """
    from api.commands.database import opened
    from cases.why import why as reckoned

    with opened() as store:
        reckoning = reckoned(store, case, clock, language)
    if as_json:
        typer.echo(json.dumps(reckoning.as_dict(), ensure_ascii=False, indent=2))
    else:
        typer.echo(reckoning.text(language))
