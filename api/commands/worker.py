"""`whistle worker`: one of several machines that share a Prefect server: sweeps, delivers, and stands by."""

from __future__ import annotations

import logging
import os
import socket
import sys
from datetime import UTC, datetime
from typing import Annotated

import typer

from api.commands.options import Language, Spoken

app = typer.Typer(name="worker", help="多机部署中的一个工作进程。 One worker of several.")

Pool = Annotated[str, typer.Option(help="工作池的名称。 The name of the work pool.")]
Name = Annotated[
    str | None,
    typer.Option(help="本进程的名称，各不相同；默认主机名。 This worker's own name; the host's by default."),
]


@app.command()
def worker(pool: Pool = "whistle", name: Name = None, language: Spoken = Language.ZH_CN) -> None:
    """为共享的编排服务（PREFECT_API_URL）执行到期的工作，投递消息；编排服务失联时自行巡查。运行到 Ctrl-C 或 SIGTERM。

    Make the rounds that a shared orchestrator (PREFECT_API_URL) has due, deliver messages, and sweep by itself while
    the orchestrator is away. Stays until Ctrl-C or SIGTERM. Exits with 2 and one message when something is in the way.
    """
    from api import logs
    from api.commands.database import installation, premises
    from api.commands.up import _asked_to_stop, _delivering, _telling_others
    from api.settings import Settings
    from workflows import place
    from workflows.embedded import pooled

    settings = Settings.read(os.environ)
    url = place.told(os.environ, "PREFECT_API_URL")
    chosen = (name or socket.gethostname()).replace("/", "-").replace("%", "-")
    logs.set_up(level=logging.WARNING)
    with (
        _asked_to_stop() as asked,
        installation() as kept,
        pooled(made := premises(kept), settings.sweep_every, url, pool, chosen) as answers,
        _delivering(made, settings),
        _telling_others(made, settings),
    ):
        said = language.says(
            f"{chosen} 为工作池 {pool} 工作（{url}，PID {os.getpid()}）。",
            f"{chosen} works for the pool {pool} ({url}, PID {os.getpid()}).",
        )
        away = language.says(
            f"{url} 暂无应答；{chosen} 持续等待，三个周期后自行巡查。",
            f"Nobody answers at {url} yet; {chosen} keeps asking, and sweeps by itself after three intervals.",
        )
        typer.echo(f"{datetime.now(UTC):%H:%M:%SZ} {said if answers else away}")
        sys.stdout.flush()
        asked.wait()
