"""`whistle sweep`: fire what has come due, once, now. Anybody may, as often as they like, by a timer too."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime

import typer

from api.commands.options import AsJson, Language, Spoken

app = typer.Typer(name="sweep", help="处理到期的时限。 Fire what has come due.")


@app.command()
def sweep(
    as_json: AsJson = False,  # noqa: FBT002 - a switch of the command line
    language: Spoken = Language.ZH_CN,
) -> None:
    """立即处理所有到期的时限：提醒、预警、逾期、督办、通报。重复运行不会重复处理。

    Fire every limit that has come due: reminders, warnings, breaches, orders. Running it again repeats nothing.
    """
    from api import logs
    from api.commands.database import bare_premises, installation
    from cases import rounds

    logs.set_up(level=logging.WARNING)
    with installation() as kept:
        done = rounds.go(bare_premises(kept), "sweep", "person", datetime.now(UTC))
    if as_json:
        typer.echo(json.dumps(done))
        return
    typer.echo(
        language.says(
            "唤醒 {cases} 个个案，触发 {fired} 次，搁置 {aside} 个。",
            "Woke {cases} cases, fired {fired} rungs, set {aside} aside.",
        ).format(**done)
    )
