"""Delivery as the settings of this installation have it: its channels, its manner, a round for whoever makes rounds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from api.settings import Settings
    from cases.delivery import Manner
    from cases.health import Check
    from cases.rounds import Premises
    from cases.store import Store
    from cases.webhooks import Way
    from notifiers.channels import Wires
    from notifiers.message import Rendered


def wires(settings: Settings) -> Wires:
    """The channels of this installation. Raises ChannelFault when a setting of theirs is faulty."""
    from notifiers.channels import Wires
    from notifiers.gates import Gates, SmsGate, bases, networks

    mail, sms = settings.mail, settings.sms
    gates = Gates(
        mail=mail.get_secret_value() if mail is not None else None,
        sms=SmsGate.read(sms.get_secret_value()) if sms is not None else None,
        bases=bases(settings.bots),
        allowed=tuple(filter(None, (one.strip().lower() for one in settings.channels.split(",")))),
        inside=networks(settings.channels_inside),
    )
    return Wires(gates)


def examined(settings: Settings, store: Store) -> Check:
    """Whether the channels of this installation can be made, and which ways out it hasn't."""
    from cases import health
    from cases.gates_health import of_gates
    from notifiers.faults import ChannelFault

    try:
        gates = wires(settings).gates
    except ChannelFault as fault:
        return health.of_fault("gates", fault)
    ways = {"mail": gates.mail, "sms": gates.sms}
    with store.read() as connection:
        return of_gates(connection, frozenset(way for way, gate in ways.items() if gate is not None))


def manner(settings: Settings, zone: tzinfo) -> Manner:
    """How this installation delivers, with every template read and tried. Raises TemplateFault."""
    from cases.delivery import Manner
    from notifiers.render import Templates

    return Manner(templates=Templates(zone, settings.templates), zone=zone, link=settings.link.rstrip("/"))


def trial_letter(link: str, language: str) -> Rendered:
    """A message that says nothing about anybody, to try a channel with."""
    from uuid import uuid4
    from zoneinfo import ZoneInfo

    from notifiers.message import Message
    from notifiers.render import Templates

    # A test names no instant, so any zone does.
    return Templates(ZoneInfo("UTC")).render(Message("test", (), link), language, str(uuid4()))


def round_of(settings: Settings, zone: tzinfo) -> Callable[[Premises, datetime], Mapping[str, Any]]:
    """What `cases.rounds.Premises.deliver` wants. Raises ChannelFault and TemplateFault now, not at the first round."""
    from cases.delivery import deliver

    channels, how = wires(settings), manner(settings, zone)

    def deliver_round(premises: Premises, now: datetime) -> Mapping[str, Any]:
        return asdict(deliver(premises.kept.store, channels, now, manner=how))

    return deliver_round


def way(settings: Settings) -> Way:
    """How this installation sends webhooks. Raises ChannelFault for a network that is none."""
    from cases.webhooks import Way
    from notifiers.gates import networks
    from notifiers.wire import Line

    return Way(link=settings.link.rstrip("/"), line=Line(inside=networks(settings.channels_inside)))


def webhooks_of(settings: Settings) -> Callable[[Premises, datetime], Mapping[str, Any]]:
    """What `cases.rounds.Premises.webhooks` wants. Raises ChannelFault now, not at the first round."""
    from cases.webhooks import send_due

    there = way(settings)

    def webhooks_round(premises: Premises, now: datetime) -> Mapping[str, Any]:
        return asdict(send_due(premises.kept.store, premises.office_now(), now, there))

    return webhooks_round
