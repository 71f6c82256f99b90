"""`whistle channel test`: one harmless message by one address, or by every channel of a member."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Annotated

import typer

from api.commands.options import AsJson, Language, Spoken

if TYPE_CHECKING:
    from notifiers.channels import Recipient, Wires
    from notifiers.message import Rendered

app = typer.Typer(name="channel", help="试发消息。 Try out a channel.", no_args_is_help=True)

Target = Annotated[
    str,
    typer.Argument(
        metavar="URL|MEMBER",
        help="渠道地址，或人员的编号、姓名。 A channel's address, or a member's number or name.",
    ),
]


@app.callback()
def channel() -> None:
    """试发消息。 Try out a channel."""


@app.command("test")
def try_out(
    target: Target,
    as_json: AsJson = False,  # noqa: FBT002 - a switch of the command line
    language: Spoken = Language.ZH_CN,
) -> None:
    """经一个地址、或一个人的每个渠道各发一条不含任何内容的测试消息，并说明结果。

    Send a test that says nothing about anybody, by one address or by each channel of a member, and say how it went.
    Exits with 1 when a channel failed, with 2 when an address is faulty or there is no such member.
    """
    from api.delivery import trial_letter, wires
    from api.settings import Settings
    from notifiers.channels import Recipient

    settings = Settings.read(os.environ)
    channels = wires(settings)
    if "://" in target or target in {"mail", "sms"}:
        addresses, recipient, spoken = [target], Recipient(), str(language)
    else:
        addresses, recipient, spoken = _of_member(target)
    letter = trial_letter(settings.link, spoken)
    results = [_tried(channels, address, recipient, letter, language) for address in addresses]
    for schema, fault, said in results:
        if as_json:
            typer.echo(json.dumps({"channel": schema, "sent": not fault, "fault": fault or None}, ensure_ascii=False))
        else:
            typer.echo(f"{schema}: {said}")
    if not results:
        typer.echo(language.says("这个人没有任何渠道，只有站内消息。", "This member has no channel but the inbox."))
    if not results or any(fault for _, fault, _ in results):
        raise typer.Exit(1)


def _of_member(who: str) -> tuple[list[str], Recipient, str]:
    from api.commands.database import opened
    from cases.layout import reader

    with opened() as store, store.read() as connection:
        wish = reader(connection, who)
    return list(wish.channels), wish.recipient, wish.language


def _tried(
    channels: Wires, address: str, recipient: Recipient, letter: Rendered, language: Language
) -> tuple[str, str, str]:
    """Schema, fault and what is said of one try. The address itself is a secret and isn't repeated."""
    from notifiers.faults import spoken

    opened = channels.open(address, recipient)
    fault = opened.send(letter).fault
    said = language.says("已发出。", "sent.") if not fault else spoken(fault, str(language))
    return opened.schema, fault, said
