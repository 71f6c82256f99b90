"""`whistle doctor`: is everything well, and if not, how is it mended?"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import typer

from api.commands.options import AsJson, Language, Spoken

if TYPE_CHECKING:
    from api.settings import Settings
    from cases.health import Check

app = typer.Typer(name="doctor", help="逐项体检。 Check everything.")


@app.command()
def doctor(
    as_json: AsJson = False,  # noqa: FBT002 - a switch of the command line
    language: Spoken = Language.ZH_CN,
) -> None:
    """逐项检查磁盘、密钥、编排服务、数据库、政策、日历、巡查、封存、备份与消息，并说明如何修好。什么都不改动。

    Check disk, keys, orchestrator, database, policy, calendar, sweep, seal, back-up and messages, and say how to mend
    each. Changes nothing. Exits with 0 when all is well, 1 when something wants looking after, 2 when it is wrong.
    """
    from api.settings import Settings
    from cases import health

    checks = list(_checks(Settings.read(os.environ), datetime.now(UTC)))
    if as_json:
        spoken = language.value
        listed = [
            {"name": one.name, "state": one.state, "said": one.text(spoken), "mend": one.advice(spoken)}
            for one in checks
        ]
        typer.echo(json.dumps({"state": health.worst(checks), "checks": listed}, ensure_ascii=False))
    else:
        for one in checks:
            typer.echo(_line(one, language))
    raise typer.Exit(health.EXIT[health.worst(checks)])


_SIGNS = {"ok": ("正常", "ok  "), "warn": ("注意", "warn"), "bad": ("有误", "BAD ")}


def _line(one: Check, language: Language) -> str:
    from cases import health

    name = language.says(*health.NAMES[one.name])
    line = f"{language.says(*_SIGNS[one.state])}  {name}{language.says(':', ': ')}{one.text(language.value)}"
    advice = one.advice(language.value)
    return f"{line}\n      {advice}" if advice else line


def _checks(settings: Settings, now: datetime) -> Iterator[Check]:
    from api.commands.home import home_of, key_path
    from cases import health
    from cases.store_fault import StoreFault
    from workflows import health as orchestration

    home = home_of(settings)
    yield health.of_room(home)
    key = health.of_key_file(key_path(settings))
    yield key
    yield from orchestration.examine(os.environ, home, now, settings.sweep_every)
    if settings.database_url is None and not (home / "pg").is_dir():
        # To look must not make an installation where there is none.
        yield health.Check(
            "database",
            "bad",
            (f"{home} 里还没有数据库", f"there is no database in {home} yet"),
            (
                "运行 whistle migrate 建立，或检查 WHISTLE_HOME。",
                "Set it up with `whistle migrate`, or check WHISTLE_HOME.",
            ),
        )
        return
    try:
        yield from _of_database(settings, now, with_keys=key.state == "ok")
    except StoreFault as fault:
        yield health.of_fault("database", fault)


def _of_database(settings: Settings, now: datetime, *, with_keys: bool) -> Iterator[Check]:
    from api.commands.database import opened
    from api.commands.home import copies_of, home_of, master_of
    from api.delivery import examined
    from cases import health
    from cases import shelf as shelves
    from cases.examination import examine
    from cases.installation import Installation
    from cases.keystore import KeyStore
    from cases.store import Store
    from cases.store_fault import StoreFault
    from cases.vault import VaultFault

    with opened() as store:
        tables = health.of_tables(store)
        yield tables
        if tables.state != "ok" or not with_keys:
            return
        url = settings.keystore_url
        with store.at("whistle_keys") if url is None else Store(url.get_secret_value()) as keys:
            try:
                master = master_of(settings)
                keystore = KeyStore(keys, master, copies=copies_of(settings))
                keystore.verify()
            except (StoreFault, VaultFault) as fault:
                yield health.of_fault("key store", fault)
                return
            yield health.Check("key store", "ok", (f"{keys.where}，与主密钥相符", f"{keys.where}, of this master key"))
            try:
                shelf = shelves.opened(settings.files, home_of(settings))
            except StoreFault as fault:
                yield health.of_fault("files", fault)
                return
            kept = Installation(store, keystore, master, shelf)
            yield from examine(kept, now, settings.sweep_every, settings.backups)
            yield examined(settings, store)
