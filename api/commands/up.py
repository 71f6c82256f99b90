"""`whistle up`: everything on this machine, started, watched over and stopped together."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from api.commands.options import Language, Spoken

if TYPE_CHECKING:
    from api.settings import Settings
    from cases.deliverer import Deliverer
    from cases.installation import Installation
    from cases.rounds import Premises
    from cases.webhook_sender import WebhookSender
    from workflows.embedded import Living

app = typer.Typer(name="up", help="启动一切。 Start everything.")

Check = Annotated[
    bool, typer.Option("--check", help="启动、确认正常后即停止。 Start, see that all is well, and stop again.")
]


@app.command()
def up(
    check: Check = False,  # noqa: FBT002 - a switch of the command line
    language: Spoken = Language.ZH_CN,
) -> None:
    """启动数据库、编排服务、巡查和网页，确认正常，说明各在何处，然后一直运行到 Ctrl-C 或 SIGTERM。

    Start the database, the orchestrator, the sweep and the web service, wait until they are healthy, say what runs
    where, and stay until Ctrl-C or SIGTERM. Exits with 2 and one message when something is in the way.
    """
    from api import logs, web
    from api.commands.database import installation, premises
    from api.demonstration import settled
    from api.settings import Settings
    from cases import embedded
    from workflows.embedded import alone, living

    settings = Settings.read(os.environ)
    logs.set_up(level=logging.WARNING)
    # Asked before anything is started, where the answer is still one clear message.
    web.listening(settings.host, settings.port).close()
    with _asked_to_stop() as asked:
        typer.echo(language.says("正在启动……", "Starting …"), err=True)
        with (
            alone(settings.home or embedded.default_home()),
            installation(fresh=True) as kept,
            web.child(shown := settled(settings, kept.store), os.environ) as serving,
            living(made := premises(kept), settings.sweep_every, port=settings.prefect_port) as alive,
            _delivering(made, settings),
            _telling_others(made, settings),
        ):
            serving.wait_ready()
            for name, where in _what_runs_where(kept, alive, settings.sweep_every.total_seconds(), language):
                typer.echo(f"  {name}  {where}")
            address = f"http://{settings.host}:{settings.port}"
            typer.echo(f"  {language.says('网页    ', 'web         ')}  {address}  (PID {serving.process.pid})")
            if shown.demo:
                _show_passes(kept, language)
            elif settings.demo:
                typer.echo(language.says(_NO_DEMO[0], _NO_DEMO[1]), err=True)
            sys.stdout.flush()
            if not check:
                typer.echo(language.says("一切正常。按 Ctrl-C 停止。", "All is well. Press Ctrl-C to stop."), err=True)
                asked.wait()
            typer.echo(language.says("正在停止……", "Stopping …"), err=True)
            # The pages first: whatever they still do is told and seen to.
            serving.stop()


_NO_DEMO = (
    "这里有真实数据，演示模式已自动关闭。",
    "There are real records here: the demonstration is off.",
)


def _show_passes(kept: Installation, language: Language) -> None:
    """Print how the demonstration members sign in. Each start draws other passwords, and they are printed this once."""
    from datetime import UTC, datetime

    from api.demonstration import passes
    from cases.scenario.words import ROLES

    typer.echo(
        language.says(
            "\n演示人员（登录名  口令），仅显示这一次：",
            "\nDemonstration members (login  password), shown this once:",
        )
    )
    for one in passes(kept.store, datetime.now(UTC)):
        role = ROLES[one.part.role].in_language(language.value)
        typer.echo(f"  {one.login:<17}  {one.password}  {role} {one.part.name} · {one.part.place}")
    typer.echo("")


def _delivering(made: Premises, settings: Settings) -> Deliverer:
    """At once, woken by the database; the regular round is the net under it."""
    from api.delivery import manner, wires
    from cases.deliverer import Deliverer

    zone = made.office().book_of(made.office().current).tz
    return Deliverer(made.kept.store, wires(settings), manner(settings, zone))


def _telling_others(made: Premises, settings: Settings) -> WebhookSender:
    """Other systems are sent what they subscribed to within seconds; the regular round is the net under it."""
    from api.delivery import way
    from cases.webhook_sender import WebhookSender

    return WebhookSender(made.kept.store, made.office_now, way(settings))


def _what_runs_where(kept: Installation, alive: Living, every: float, language: Language) -> Iterator[tuple[str, str]]:
    database = kept.store.where
    yield language.says("数据库  ", "database    "), database
    yield language.says("编排服务", "orchestrator"), f"{alive.server.url}  (PID {alive.server.pid})"
    yield (
        language.says("巡查    ", "sweep       "),
        language.says(
            f"每 {every:g} 秒一次，由本进程执行 （PID {os.getpid()}）",
            f"every {every:g} s in this process (PID {os.getpid()})",
        ),
    )


@contextmanager
def _asked_to_stop() -> Iterator[threading.Event]:
    """Set by Ctrl-C and by SIGTERM; what is being started meanwhile is started to its end and then stopped in order."""
    asked = threading.Event()
    staying = {signal.SIGINT: signal.getsignal(signal.SIGINT), signal.SIGTERM: signal.getsignal(signal.SIGTERM)}

    def hear(_number: int, _frame: FrameType | None) -> None:
        asked.set()

    for one in staying:
        signal.signal(one, hear)
    try:
        yield asked
    finally:
        for one, before in staying.items():
            signal.signal(one, before)
