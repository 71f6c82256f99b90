"""The installation's own ways out: its mail server, its SMS gateway, where its bots live. Set by an administrator."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

from notifiers.faults import ChannelFault
from notifiers.wire import Network

ALLOWED: Final = ("wecomx", "dingtalkx", "feishux", "mailtos", "mailto", "jsons", "json")
"""The schemas that a member may use for a channel of their own."""
_PLACES: Final = ("{phone}", "{text}", "{key}")
_TRIED_WITH: Final = {"phone": "+8613900000000", "text": "【红色】待办：签收", "key": "k-1"}
"""What a gateway's setting is filled with once, before anything depends on it."""
_METHODS: Final = ("POST", "PUT", "GET")


@dataclass(frozen=True, slots=True, kw_only=True)
class SmsGate:
    """An HTTP gateway as its provider describes it: where to, what to send, what a success says.

    `url`, the values of `body` and of `headers` may hold {phone}, {text} and {key}. `form` sends the body as a form
    instead of JSON. `success` names a field of the JSON answer and its value; without it any 2xx is a success.
    """

    url: str
    body: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    method: str = "POST"
    form: bool = False
    success: tuple[str, str] | None = None

    @classmethod
    def read(cls, written: str) -> SmsGate:
        """From JSON. Raises ChannelFault sms_template."""
        try:
            read = json.loads(written)
        except ValueError as fault:
            raise ChannelFault("sms_template", why=str(fault)) from None
        if not isinstance(read, dict) or not isinstance(read.get("url"), str):
            raise ChannelFault("sms_template", why='{"url": "https://…", "body": {…}}')
        unknown = sorted(set(read) - {"url", "body", "headers", "method", "form", "success"})
        if unknown:
            raise ChannelFault("sms_template", why=", ".join(unknown))
        for wrong, why in _SMS_RULES:
            if wrong(read):
                raise ChannelFault("sms_template", why=why)
        success = read.pop("success", None)
        gate = cls(**read, success=(str(success[0]), str(success[1])) if success else None)
        if "{phone}" not in written or "{text}" not in written:
            raise ChannelFault("sms_template", why="{phone}, {text}")
        url, _, headers = filled(gate, _TRIED_WITH)
        if not _leads_somewhere(url):
            raise ChannelFault("sms_template", why="url: https://…")
        if not all(_fits_a_header(one) for pair in headers.items() for one in pair):
            raise ChannelFault("sms_template", why=_A_HEADER)
        return gate

    def succeeded(self, answer: bytes) -> bool:
        """Whether a 2xx answer says that the gateway took the message."""
        if self.success is None:
            return True
        try:
            said = json.loads(answer)
        except ValueError:
            return False
        for name in self.success[0].split("."):
            said = said.get(name) if isinstance(said, dict) else None
        return said is not None and str(said) == self.success[1]


_A_HEADER: Final = 'headers: {"Name": "a-z 0-9"}'
_SMS_RULES: Final[tuple[tuple[Callable[[Mapping[str, Any]], bool], str], ...]] = (
    (lambda read: not isinstance(read.get("body", {}), dict), "body: {…}"),
    (lambda read: not _texts(read.get("headers", {})), _A_HEADER),
    (lambda read: read.get("method", "POST") not in _METHODS, f"method: {', '.join(_METHODS)}"),
    (lambda read: not isinstance(read.get("form", False), bool), "form: true, false"),
    (lambda read: not _pair(read.get("success")), 'success: ["code", "0"]'),
)
"""What makes a gateway's setting unusable, and how it should look; said before the first message needs it."""


def _texts(read: object) -> bool:
    return isinstance(read, dict) and all(isinstance(one, str) for one in read.values())


def _pair(read: object) -> bool:
    return read is None or (isinstance(read, list) and len(read) == 2)


def _leads_somewhere(url: str) -> bool:
    """Whether a request can be sent there at all: by HTTP, to a host, at a port that there is."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    printable = url.isascii() and url.isprintable() and " " not in url
    return printable and parts.scheme in {"http", "https"} and bool(parts.hostname) and port != 0


def _fits_a_header(text: str) -> bool:
    return text.isascii() and text.isprintable()


def filled(gate: SmsGate, facts: Mapping[str, str]) -> tuple[str, bytes, dict[str, str]]:
    """Address, body and headers for one message; every fact is encoded for the place where it stands."""
    url = _put(gate.url, {name: quote(value, safe="") for name, value in facts.items()})
    values = _filled(gate.body, facts)
    headers = {name: _put(value, facts) for name, value in gate.headers.items()}
    if gate.form:
        body = urlencode(values).encode()
        return url, body, {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8", **headers}
    body = json.dumps(values, ensure_ascii=False).encode() if gate.body else b""
    return url, body, {"Content-Type": "application/json; charset=utf-8", **headers}


def _filled(value: Any, facts: Mapping[str, str]) -> Any:  # noqa: ANN401 - JSON is what it is
    if isinstance(value, str):
        return _put(value, facts)
    if isinstance(value, Mapping):
        return {name: _filled(one, facts) for name, one in value.items()}
    if isinstance(value, list):
        return [_filled(one, facts) for one in value]
    return value


def _put(text: str, facts: Mapping[str, str]) -> str:
    # Not str.format: a template of a provider's may be full of braces, and a fact must never be read as a place.
    parts = [text]
    for place in _PLACES:
        fact = facts[place[1:-1]]
        parts = [piece for part in parts for piece in _parted(part, place, fact)]
    return "".join(parts)


class _Fact(str):
    """A text that has been put in already: places inside it are its own characters."""

    __slots__ = ()


def _parted(part: str, place: str, fact: str) -> list[str]:
    if isinstance(part, _Fact) or place not in part:
        return [part]
    pieces: list[str] = []
    for number, piece in enumerate(part.split(place)):
        pieces += [_Fact(fact), piece] if number else [piece]
    return pieces


@dataclass(frozen=True, slots=True, kw_only=True)
class Gates:
    """Which ways out there are. `mail` is an address without a recipient, `mailtos://user:password@server?from=…`.

    `bases` says where the bots of a schema live, for a bureau's own WeCom, DingTalk or Feishu; `allowed` are the
    schemas open to members; `inside` the inner networks that a member's address may lead to; `within` is how long
    one sending may take in all.
    """

    mail: str | None = None
    sms: SmsGate | None = None
    bases: Mapping[str, str] = field(default_factory=dict)
    allowed: tuple[str, ...] = ALLOWED
    inside: tuple[Network, ...] = ()
    within: timedelta = timedelta(seconds=10)


def networks(written: str) -> tuple[Network, ...]:
    """Networks from a list with commas. Raises ChannelFault no_network."""
    found: list[Network] = []
    for one in filter(None, (part.strip() for part in written.split(","))):
        try:
            found.append(ipaddress.ip_network(one))
        except ValueError:
            raise ChannelFault("no_network", what=one) from None
    return tuple(found)


def bases(written: str) -> dict[str, str]:
    """Where bots live, from `schema=https://…` with commas. Raises ChannelFault no_bot."""
    found: dict[str, str] = {}
    for one in filter(None, (part.strip() for part in written.split(","))):
        schema, _, base = one.partition("=")
        if schema not in {"wecomx", "dingtalkx", "feishux"} or not _leads_somewhere(base):
            raise ChannelFault("no_bot", what=one)
        found[schema] = base.rstrip("/")
    return found
