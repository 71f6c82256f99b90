"""`whistle sweep`: fire what has come due, once, now. Anybody may, as often as they like."""

from __future__ import annotations

import json
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
    from api.commands.database import installation
    from cases import wake

    with installation() as kept:
        swept = wake.sweep(kept.store, kept.office(), datetime.now(UTC))
    if as_json:
        counts = {"cases": swept.cases, "fired": swept.fired, "aside": swept.aside}
        typer.echo(json.dumps({**counts, "lag_seconds": swept.lag.total_seconds()}))
        return
    typer.echo(
        language.says(
            f"唤醒 {swept.cases} 个个案，触发 {swept.fired} 次，搁置 {swept.aside} 个。",
            f"Woke {swept.cases} cases, fired {swept.fired} rungs, set {swept.aside} aside.",
        )
    )
