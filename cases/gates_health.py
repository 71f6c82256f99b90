"""Whether mail and text messages can leave at all, and whom that leaves with their inbox alone."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, true

from cases.health import Check, Words
from cases.layout import readers

_NAMES: Final[dict[str, tuple[str, Words]]] = {
    "mail": ("WHISTLE_MAIL", ("发信服务器", "mail server")),
    "sms": ("WHISTLE_SMS", ("短信网关", "SMS gateway")),
}


def of_gates(connection: Connection, there: frozenset[str]) -> Check:
    """`there` are the ways that are set, of `mail` and `sms`. Only who loses something by a missing one is counted."""
    absent = [way for way in _NAMES if way not in there]
    if not absent:
        return Check("gates", "ok", ("发信服务器与短信网关均已设置", "mail server and SMS gateway are set"))
    said = (
        "；".join(f"没有设置{_NAMES[way][1][0]}（{_NAMES[way][0]}）" for way in absent),
        "; ".join(f"no {_NAMES[way][1][1]} is set ({_NAMES[way][0]})" for way in absent),
    )
    left = sum(bool(wish.channels) and not set(wish.channels) - set(absent) for wish in readers(connection, true()))
    if not left:
        return Check("gates", "ok", said)
    return Check(
        "gates",
        "warn",
        (f"{said[0]}：{left} 人只能在收件箱里看到消息", f"{said[1]}; left with their inbox alone: {left}"),
        (
            "设置它，或请这些人在“我的设置”里填写群机器人的地址。",
            "Set it, or let these people enter a robot's address in their settings.",
        ),
    )
