"""`whistle audit verify`: does every history verify, and do its clocks follow from it?"""

from __future__ import annotations

import json
from typing import Annotated

import typer

from api.commands.options import AsJson, Language, Spoken

app = typer.Typer(name="audit", no_args_is_help=True, help="核验历史链。 Verify the histories.")

Numbers = Annotated[
    list[str] | None, typer.Argument(metavar="[CASE]…", help="个案编号；不填则全部。 Case numbers; all by default.")
]


@app.callback()
def group() -> None:
    """核验历史链。 Verify the histories."""


@app.command()
def verify(
    cases: Numbers = None,
    as_json: AsJson = False,  # noqa: FBT002 - a switch of the command line
    language: Spoken = Language.ZH_CN,
) -> None:
    """逐环核验每个个案的历史链，并由历史重新推算每个时钟。有一处不符即以 1 退出。

    Check every link of every history, and reckon every clock anew from it. Exits with 1 when anything is off.
    """
    from api.commands.database import installation
    from cases import installation as installed
    from cases import queries
    from cases.office import Session

    wrong: list[str] = []
    with installation() as kept:
        office = kept.office()
        with kept.store.read() as connection:
            found = queries.numbered(connection, cases)
            missing = sorted(set(cases or ()) - {number for number, _ in found})
            session = Session(connection, office)
            for number, case_id in found:
                wrong += installed.verified(session, office, number, case_id)
    wrong += [language.says(f"{number}：没有这个个案", f"{number}: there is no such case") for number in missing]
    if as_json:
        typer.echo(json.dumps({"cases": len(found), "wrong": wrong}, ensure_ascii=False))
    else:
        for line in wrong:
            typer.echo(line)
        typer.echo(
            language.says(
                f"核验 {len(found)} 个个案，{len(wrong)} 处不符。", f"{len(found)} cases, {len(wrong)} findings."
            )
        )
    if wrong:
        raise typer.Exit(1)
