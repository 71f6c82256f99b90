"""Channels: an address that can be sent to, one recipient each. The null channel keeps what it is given.

A member's channel is written as `mail` or `sms` (the installation's gate to the member's own address or phone), or as
an address of an allowed schema.
"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import quote, urlsplit

from notifiers.faults import ChannelFault
from notifiers.gates import Gates
from notifiers.wire import Line, WireFault, reachable

if TYPE_CHECKING:
    from notifiers.message import Rendered

BOTS: Final = ("wecomx", "dingtalkx", "feishux")
_WANTED: Final = {
    "wecomx": "wecomx://KEY",
    "dingtalkx": "dingtalkx://TOKEN, dingtalkx://SECRET@TOKEN",
    "feishux": "feishux://TOKEN, feishux://SECRET@TOKEN",
    "mailto": "mailto://server:25?from=ADDRESS&to=ADDRESS",
    "mailtos": "mailtos://user:password@server?from=ADDRESS&to=ADDRESS",
    "json": "json://server/path",
    "jsons": "jsons://server/path",
    "smsx": "smsx://PHONE",
}
# What an address may ask for. Not among it: redirects, unchecked certificates, files, keys from elsewhere, copies.
_OPTIONS: Final = {
    "mailto": frozenset({"from", "name", "to", "smtp", "mode", "user", "pass"}),
    "json": frozenset[str](),
}
_OF_LANE: Final = frozenset(
    {
        "timed_out",
        "unreachable",
        "broken",
        "tls",
        "unreadable_answer",
        "answered_429",
        "answered_408",
        "smtp",
        "refused",
        "errcode_-1",
    }
)
_OF_LANES: Final = ("answered_5", "smtp_4", "login_", "sender_", "session_")
"""How codes begin that are the service's fault, or that of the installation's own account there."""
_TOO_MANY: Final = frozenset(
    {"errcode_45009", "errcode_45033", "errcode_130101", "errcode_410100", "code_9499", "code_11232"}
)
"""One robot was sent more than it bears in a minute: neither is its service ill, nor does that show that it is well."""
_SAID: Final = frozenset({"answered", "smtp", "errcode", "code", "statuscode"})
_OURS: Final = frozenset({"host", "content-length", "transfer-encoding", "connection", "idempotency-key"})
"""Headers that are ours to set."""
_NEVER: Final = frozenset(
    {"redirect", "verify", "rto", "cto", "retry", "wait", "optional", "overflow", "store", "attach", "cc", "bcc"}
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one sending ended. `fault` is a code without any address or text of the other end; empty when it went."""

    fault: str = ""

    @property
    def sent(self) -> bool:
        """Whether the other end took it."""
        return not self.fault

    @property
    def of_lane(self) -> bool:
        """Whether it is the service that is at fault, so that others would fare no better."""
        return self.fault in _OF_LANE or self.fault.startswith(_OF_LANES)

    @property
    def answered(self) -> bool:
        """Whether the service said no to this address or this message, and is well itself."""
        if self.of_lane or self.fault in _TOO_MANY:
            return False
        return self.fault.partition("_")[0] in _SAID or self.fault in {"redirected", "gateway_refused"}


@dataclass(frozen=True, slots=True)
class Recipient:
    """Whose channel it is: what `mail` and `sms` lead to."""

    email: str | None = None
    phone: str | None = None


_ANYBODY: Final = Recipient(email="somebody@example.org")


class Channel(Protocol):
    """One address. Channels of one lane share their fate: the same service at the same host."""

    @property
    def schema(self) -> str:
        """`mailtos`, `wecomx` …: for counting, never the address."""

    @property
    def lane(self) -> str:
        """The service and the host behind it."""

    def send(self, letter: Rendered) -> Outcome:
        """Send once and say how it ended; never raises: what isn't counted as a try would be tried for ever."""


class Channels(Protocol):
    """How addresses become channels."""

    def open(self, address: str, recipient: Recipient) -> Channel:
        """Raises ChannelFault where the address can't be used."""


@dataclass(frozen=True, slots=True)
class WireChannel:
    """A channel over the wire, by one of our adapters or an allowed one of Apprise's."""

    schema: str
    lane: str
    adapter: Any
    line: Line

    def send(self, letter: Rendered) -> Outcome:
        """Send once, within the line's time."""
        try:
            self.adapter.carry(letter, self.line)
        except WireFault as fault:
            return Outcome(fault.code)
        except Exception as fault:  # noqa: BLE001 - a failed try, whatever it was: a try that isn't counted never ends
            return Outcome(type(fault).__name__.lower())
        return Outcome()


@dataclass(frozen=True, slots=True)
class Wires:
    """The real channels, through the gates of this installation. Making one reads Apprise's plugins, about a second.

    Raises ChannelFault `mail_gate` for a mail server that no mail could be sent by.
    """

    gates: Gates

    def __post_init__(self) -> None:
        # Now, and not while somebody waits for the first red message.
        from notifiers import adapters

        adapters.registered().schemas()
        if self.gates.mail is None:
            return
        try:
            if self.open("mail", _ANYBODY).schema in {"mailto", "mailtos"}:
                return
        except ChannelFault:
            pass
        raise ChannelFault("mail_gate")

    def open(self, address: str, recipient: Recipient) -> Channel:
        """Raises ChannelFault: no_address, not_allowed, faulty, unknown_option, several, inside, no_…_gate …"""
        trusted = address in {"mail", "sms"}
        if trusted:
            address = self._gated(address, recipient)
        schema, _, rest = address.partition("://")
        schema = schema.strip().lower()
        if not rest or not schema.replace("+", "").isalnum():
            raise ChannelFault("no_address")
        if not trusted:
            self._allowed(schema, rest)
        return self._read(f"{schema}://{rest}", schema, trusted=trusted)

    def _gated(self, way: str, recipient: Recipient) -> str:
        if way == "sms":
            if self.gates.sms is None:
                raise ChannelFault("no_sms_gate")
            if not recipient.phone:
                raise ChannelFault("no_phone")
            return f"smsx://{quote(recipient.phone, safe='+')}"
        if self.gates.mail is None:
            raise ChannelFault("no_mail_gate")
        if not recipient.email:
            raise ChannelFault("no_email")
        joint = "&" if "?" in self.gates.mail else "?"
        return f"{self.gates.mail}{joint}to={quote(recipient.email, safe='@')}"

    def _allowed(self, schema: str, rest: str) -> None:
        if schema not in self.gates.allowed:
            raise ChannelFault("not_allowed", schema=schema, known=", ".join(self.gates.allowed))
        family = "mailto" if schema.startswith("mailto") else "json" if schema in {"json", "jsons"} else schema
        known = frozenset[str]() if family in BOTS else _OPTIONS.get(family)
        if "?" not in rest:
            return
        from notifiers import adapters

        for name in adapters.options(f"{schema}://{rest}"):
            option = name.lower()
            header = family == "json" and name.startswith("+") and name[1:].lower() not in _OURS
            if option in _NEVER or (known is not None and option not in known and not header):
                raise ChannelFault("unknown_option", schema=schema, what=name, known=", ".join(sorted(known or ())))

    def _read(self, address: str, schema: str, *, trusted: bool) -> WireChannel:
        from notifiers import adapters

        plugin = adapters.read(address)
        if plugin is None:
            raise ChannelFault("faulty", schema=schema, wanted=_WANTED.get(schema, f"{schema}://…"))
        line = Line(within=self.gates.within, inside=self.gates.inside, trusted=trusted)
        if isinstance(plugin, adapters.Mail):
            if len(plugin.targets) != 1 or plugin.cc or plugin.bcc:
                raise ChannelFault("several" if len(plugin.targets) > 1 else "faulty", schema=schema,
                                   wanted=_WANTED[schema])  # fmt: skip
            return self._on(plugin, schema, _there(schema, plugin.smtp_host, plugin.port), line)
        if isinstance(plugin, adapters.Webhook):
            return self._on(plugin, schema, _there(schema, plugin.host, plugin.port), line)
        if isinstance(plugin, adapters.Sms):
            plugin.gate = self.gates.sms
            host = urlsplit(self.gates.sms.url).hostname if self.gates.sms else None
            return self._on(plugin, schema, host or "", line)
        if isinstance(plugin, adapters.Adapter):
            # Where the bots live is the administrator's or the maker's word, not the member's.
            plugin.base = self.gates.bases.get(schema, plugin.base)
            return WireChannel(schema, schema, plugin, replace(line, trusted=True))
        return self._on(adapters.Stock(plugin), schema, str(getattr(plugin, "host", "") or ""), line)

    @staticmethod
    def _on(adapter: object, schema: str, host: str, line: Line) -> WireChannel:
        """What is plainly inside is refused before anything is sent; what a name leads to is looked at each time."""
        if not line.trusted:
            try:
                there = ipaddress.ip_address(host.strip("[]"))
            except ValueError:
                there = None
            if host == "localhost" or (there is not None and not reachable(there, line)):
                raise ChannelFault("inside", schema=schema)
        return WireChannel(schema, f"{schema}:{host}" if host else schema, adapter, line)


def _there(schema: str, host: str | None, port: int | None) -> str:
    """The host of an address that names one, and no port that can't be. Raises ChannelFault faulty, no_port."""
    if not host:
        raise ChannelFault("faulty", schema=schema, wanted=_WANTED[schema])
    if port is not None and not 0 < port < 65536:
        raise ChannelFault("no_port", schema=schema, what=str(port))
    return host


@dataclass(slots=True)
class NullChannels:
    """Channels that go nowhere and keep what they were given; for tests and for trying things out.

    `answers` may say how a sending ends: by the address, the letter and the number of this try there.
    """

    sent: list[tuple[str, Rendered]] = field(default_factory=list)
    answers: Callable[[str, Rendered, int], Outcome] | None = None
    takes: float = 0.0
    _tries: dict[tuple[str, str], int] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def open(self, address: str, recipient: Recipient) -> Channel:
        """Any address that isn't empty."""
        if not address:
            raise ChannelFault("no_address")
        if address == "mail" and not recipient.email:
            raise ChannelFault("no_email")
        if address == "sms" and not recipient.phone:
            raise ChannelFault("no_phone")
        return _NullChannel(self, address, recipient)

    def keys(self, address: str | None = None) -> list[str]:
        """The idempotency keys of what was accepted, in the order of sending."""
        return [letter.key for where, letter in self.sent if address in {None, where}]

    def texts(self) -> Iterable[str]:
        """Every word that left."""
        for _, letter in self.sent:
            yield from (letter.subject, letter.text, letter.html, letter.brief, letter.key)

    def take(self, address: str, letter: Rendered) -> Outcome:
        """What the null channel does with a letter."""
        if self.takes:
            time.sleep(self.takes)
        with self._lock:
            tries = self._tries[address, letter.key] = self._tries.get((address, letter.key), 0) + 1
        outcome = self.answers(address, letter, tries) if self.answers else Outcome()
        if outcome.sent:
            with self._lock:
                self.sent.append((address, letter))
        return outcome


@dataclass(frozen=True, slots=True)
class _NullChannel:
    book: NullChannels
    address: str
    recipient: Recipient

    @property
    def schema(self) -> str:
        return self.address.partition("://")[0]

    @property
    def lane(self) -> str:
        return self.address.partition("?")[0]

    def send(self, letter: Rendered) -> Outcome:
        return self.book.take(self.address, letter)
