"""`whistle migrate`: make or upgrade the tables, the master key and the key store."""

from __future__ import annotations

import typer

from api.commands.options import Language, Spoken

app = typer.Typer(name="migrate", help="建立或升级数据表。 Make or upgrade the tables.")


@app.command()
def migrate(language: Spoken = Language.ZH_CN) -> None:
    """建立或升级数据表；新数据库同时生成主密钥与密钥库。可重复运行。

    Make or upgrade the tables; a new database gets its master key and key store too. Safe to repeat.
    """
    from api.commands.database import installation
    from cases import schema

    with installation(fresh=True) as kept:
        version = schema.found(kept.store)
        said = language.says(
            f"数据表已是版本 {version}（{kept.store.where}）。", f"The tables are at {version} ({kept.store.where})."
        )
    typer.echo(said)
