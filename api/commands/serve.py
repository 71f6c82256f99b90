"""`whistle serve`: the web service alone, pages and APIs. Start as many as are needed behind a proxy."""

from __future__ import annotations

import logging
import os
import sys
import threading
from typing import Annotated

import typer

from api.commands.options import Language, Spoken

app = typer.Typer(name="serve", help="只启动网页服务。 The web service alone.")

Tethered = Annotated[bool, typer.Option("--tethered", hidden=True)]


@app.command()
def serve(
    tethered: Tethered = False,  # noqa: FBT002 - a switch of the command line
    language: Spoken = Language.ZH_CN,
) -> None:
    """启动网页和接口服务，直到 Ctrl-C 或 SIGTERM；无人巡查时代为巡查。须先 whistle migrate 或 whistle up。

    Answer pages and APIs until Ctrl-C or SIGTERM, and sweep as standby while nobody else does. The tables must be
    there (`whistle migrate`, or `whistle up`). Exits with 2 and one message when something is in the way.
    """
    from api import logs, web
    from api.commands.database import installation, premises
    from api.commands.up import _asked_to_stop
    from api.demonstration import settled
    from api.settings import Settings
    from api.standing_by import StandBy

    settings = Settings.read(os.environ)
    logs.set_up(level=logging.WARNING if tethered else logging.INFO)
    if tethered:
        web.end_with_parent()
    # Before everything that takes time: a taken port is told at once.
    with web.listening(settings.host, settings.port) as on, _asked_to_stop() as asked, installation() as kept:
        from api.app import create
        from api.house import House
        from api.imports.resuming import TakingUp
        from api.signin import passwords

        settings = settled(settings, kept.store)
        house = House(settings, kept)
        app_ = create(house)
        threading.Thread(target=passwords.warm, name="warm", daemon=True).start()

        def told() -> None:
            where = f"http://{settings.host}:{settings.port}"
            typer.echo(language.says(f"网页服务  {where}  （PID {os.getpid()}）", f"web  {where}  (PID {os.getpid()})"))
            sys.stdout.flush()

        with StandBy(premises(kept), settings.sweep_every), TakingUp(house):
            if not asked.is_set():
                web.serve(app_, on, settings, told)
