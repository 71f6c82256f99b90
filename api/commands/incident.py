"""`whistle incident list|end`: what somebody has to look into, and that somebody has."""

from __future__ import annotations

import getpass
import json
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from api.commands.options import AsJson, Language, Spoken

if TYPE_CHECKING:
    from cases.incidents import Incident

app = typer.Typer(
    name="incident", no_args_is_help=True, help="事件：查看、了结。 Incidents: read them, say what became of them."
)

_LINES = 10
"""So many findings of one incident are printed; `--json` has all."""

Ended = Annotated[bool, typer.Option("--all", help="也列出已了结的。 Those that are over too.")]
Number = Annotated[int, typer.Argument(metavar="N", help="事件的编号。 The incident's number.")]
Why = Annotated[str, typer.Option(help="处理结果。 What became of it.")]
By = Annotated[
    str | None, typer.Option(help="谁处理的；默认本机用户名。 Who has seen to it; by default the user of this machine.")
]


@app.command("list")
def show(
    ended: Ended = False,  # noqa: FBT002 - a switch of the command line
    as_json: AsJson = False,  # noqa: FBT002 - a switch of the command line
    language: Spoken = Language.ZH_CN,
) -> None:
    """列出未了结的事件及其原因，最近的在前。

    Print the incidents that are open, each with what was found, the newest first.
    """
    from api.commands.database import opened
    from cases import incidents

    with opened() as store:
        store.require_migrated()
        with store.read() as connection:
            found = incidents.listed(connection, ended=ended)
    if as_json:
        typer.echo(json.dumps([one.as_dict() for one in found], ensure_ascii=False))
    elif not found:
        typer.echo(language.says("没有未了结的事件。", "No incident is open."))
    else:
        for one in found:
            typer.echo(_said(one, language))


@app.command()
def end(
    number: Number,
    why: Why,
    by: By = None,
    language: Spoken = Language.ZH_CN,
) -> None:
    """了结一个事件，写明处理结果；谁、何时、结果如何都会保存。

    Say that somebody has seen to an incident and what became of it; who, when and why is kept. Exits with 2 when there
    is no such incident, or it was ended already.
    """
    from api.commands.database import opened
    from cases import incidents

    with opened() as store:
        store.require_migrated()
        with store.begin() as connection:
            incidents.end(connection, number, by or _user(), why, datetime.now(UTC))
    typer.echo(language.says(f"事件 {number} 已了结。", f"Incident {number} is over."))


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        # A container often has a number and no name.
        return f"uid {os.getuid()}"


def _said(one: Incident, language: Language) -> str:
    about = f"  {one.case}" if one.case is not None else ""
    head = f"{one.number}  {one.at.astimezone():%Y-%m-%d %H:%M}  {one.kind}{about}"
    lines = one.why.splitlines()
    more = len(lines) - _LINES
    shown = [f"      {line}" for line in lines[:_LINES]]
    if more > 0:
        shown.append(language.says(f"      ……另有 {more} 条", f"      … and {more} more"))
    if one.ended_at is not None:
        by = one.ended_by or language.says("系统", "by itself")
        when = f"{one.ended_at.astimezone():%Y-%m-%d %H:%M}"
        said = language.says(f"已于 {when} 了结（{by}）", f"ended {when} ({by})")
        became = f"{language.says('：', ': ')}{one.ended_why}" if one.ended_why else ""
        shown.append(f"      {said}{became}")
    return "\n".join([head, *shown])
