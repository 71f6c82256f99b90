"""`whistle keys copy | list | restore`: the key store's own copies, few, short-lived, reached by every forgetting."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.commands.options import AsJson, Language, Spoken

if TYPE_CHECKING:
    from cases.keystore import KeyStore
    from cases.store import Store

app = typer.Typer(
    name="keys", no_args_is_help=True, help="密钥库的副本。 Copies of the key store, apart from every back-up."
)

File = Annotated[Path, typer.Argument(metavar="COPY", help="密钥副本。 A copy.")]
Days = Annotated[int, typer.Option(min=1, max=31, help="保留几天。 How many days it is kept.")]
Here = Annotated[
    bool,
    typer.Option("--here", help="以前的目录已不复存在，从此用这一个。 The earlier folder is gone; it is this one now."),
]


@app.command()
def copy(
    days: Days = 7,
    here: Here = False,  # noqa: FBT002 - a switch of the command line
    as_json: AsJson = False,  # noqa: FBT002 - a switch of the command line
    language: Spoken = Language.ZH_CN,
) -> None:
    """写一份密钥库副本到副本目录；到期的同时清除。不要把它拿到别处：遗忘只到达这个目录。

    Write a copy of the key store into the folder of copies, and end those whose time is over. Don't take it elsewhere:
    forgetting reaches this folder and no other. It opens nothing without the master key.
    """
    from api.commands.database import installation

    now = datetime.now(UTC)
    with installation() as kept:
        path = kept.keystore.export_copy(now, timedelta(days=days), here=here)
        over = kept.keystore.expire_copies(now)
    until = now + timedelta(days=days)
    if as_json:
        typer.echo(json.dumps({"copy": str(path), "until": until.isoformat(), "ended": len(over)}))
        return
    typer.echo(
        language.says(
            f"已写入 {path}，{until:%Y-%m-%d} 清除。没有主密钥，它什么也打不开。",
            f"Written to {path}; it is removed on {until:%Y-%m-%d}. Without the master key it opens nothing.",
        )
    )


@app.command("list")
def listed(
    as_json: AsJson = False,  # noqa: FBT002 - a switch of the command line
    language: Spoken = Language.ZH_CN,
) -> None:
    """列出副本及其清除日期。

    List the copies that there are, and when each is removed.
    """
    from api.commands.home import copies_of
    from api.settings import Settings

    found = copies_of(Settings.read(os.environ)).listed()
    if as_json:
        typer.echo(json.dumps([{"copy": str(one.path), "until": one.until.isoformat()} for one in found]))
        return
    for one in found:
        typer.echo(language.says(f"{one.path}  {one.until:%Y-%m-%d} 清除", f"{one.path}  until {one.until:%Y-%m-%d}"))
    if not found:
        typer.echo(language.says("没有副本。", "There is none."))


@app.command()
def restore(
    file: File,
    as_json: AsJson = False,  # noqa: FBT002 - a switch of the command line
    language: Spoken = Language.ZH_CN,
) -> None:
    """把副本中缺失的密钥放回密钥库（没有则新建）。已遗忘的学生不会回来。

    Put keys that are missing back into the key store, which is made if it isn't there. Nobody who was forgotten comes
    back: neither by the key store, nor by the copy, nor by what the cases say. Exits with 2 for another's copy.
    """
    from cases import forgetting

    with _keystore() as (store, keystore):
        with store.read() as connection:
            gone = forgetting.forgotten(connection)
        put_back = keystore.restore_copy(file, datetime.now(UTC), gone)
        where = store.name
    if as_json:
        typer.echo(json.dumps({"restored": put_back}))
        return
    typer.echo(
        language.says(
            f"放回 {put_back} 把密钥；个案在 {where}。已遗忘的没有回来。",
            f"{put_back} keys are back, beside the cases in {where}. Nobody who was forgotten is among them.",
        )
    )


@contextmanager
def _keystore() -> Iterator[tuple[Store, KeyStore]]:
    """The cases, and their key store, made if it was lost. Raises VaultFault for a master key of another store."""
    from api.commands.database import opened
    from api.commands.home import copies_of, master_of
    from api.settings import Settings
    from cases.keystore import KeyStore
    from cases.store import Store

    settings = Settings.read(os.environ)
    master, url = master_of(settings), settings.keystore_url
    with opened() as store:
        store.require_migrated()
        with store.at("whistle_keys") if url is None else Store(url.get_secret_value()) as keys:
            keystore = KeyStore(keys, master, copies=copies_of(settings))
            keystore.prepare()
            yield store, keystore
