"""`whistle calendar load FILE`: a new year's working calendar; provisional limits are computed anew."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from api.commands.options import Language, Spoken

app = typer.Typer(name="calendar", no_args_is_help=True, help="工作日历。 The working calendar.")

Table = Annotated[
    Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="日历表（YAML）。 A table, YAML.")
]


@app.callback()
def group() -> None:
    """工作日历。 The working calendar."""


@app.command()
def load(file: Table, language: Spoken = Language.ZH_CN) -> None:
    """装入一年的日历表，并重新计算暂定的时限；文件有误时全部指出，什么都不改。

    Load a year's table and compute every provisional limit anew. A faulty file has all its faults named and
    changes nothing.
    """
    from api.commands.database import installation

    with installation() as kept:
        moved = kept.load_calendar(file, datetime.now(UTC))
    typer.echo(
        language.says(f"已装入 {file.name}；{moved} 个时限有变。", f"Loaded {file.name}; {moved} limits have moved.")
    )
