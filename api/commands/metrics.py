"""`whistle metrics`: figures in Prometheus' text format, for a textfile collector or a look at them."""

from __future__ import annotations

from datetime import UTC, datetime

import typer

from api.commands.options import Language, Spoken

app = typer.Typer(name="metrics", help="监控指标。 Figures for a monitoring system.")


@app.command()
def metrics(language: Spoken = Language.ZH_CN) -> None:  # noqa: ARG001 - figures read the same in both
    """打印监控指标（Prometheus 文本格式）；其中没有任何个人信息。

    Print the figures in Prometheus' text format; nothing in them is about a person.
    """
    from api.commands.database import opened
    from cases import measures

    with opened() as store:
        store.require_migrated()
        with store.read() as connection:
            found = measures.read(connection, datetime.now(UTC))
    typer.echo(measures.exposition(found), nl=False)
