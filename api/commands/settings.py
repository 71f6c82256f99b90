"""`whistle settings`: what this installation was told, secrets hidden."""

from __future__ import annotations

import json
import os

import typer

from api.commands.options import AsJson, Language, Spoken

app = typer.Typer(name="settings", help="查看设置。 Show the settings.")


@app.command()
def settings(
    as_json: AsJson = False,  # noqa: FBT002 - a switch of the command line
    language: Spoken = Language.ZH_CN,
) -> None:
    """列出每项设置、现在的值和含义；密码不显示。

    List every setting, its value and its meaning; secrets stay hidden.
    """
    from api.settings import Settings

    rows = list(Settings.read(os.environ).shown(language))
    if as_json:
        typer.echo(json.dumps({name: value for name, value, _ in rows}, ensure_ascii=False, indent=2))
        return
    wide = max(len(name) for name, _, _ in rows)
    for name, value, meaning in rows:
        typer.echo(f"{name:<{wide}}  {value}")
        typer.echo(f"{'':<{wide}}  {meaning}")
