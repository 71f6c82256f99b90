"""Our own adapters, registered with Apprise: the Chinese bots, mail, webhooks, SMS gateways.

Apprise reads the addresses; the sending is ours, because its own bots report an error inside a 200 as success, sign
twice, clip by characters, and none of its plugins carries an idempotency key. Imported only when a channel is opened.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import smtplib
import ssl
import time
from contextlib import closing
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formataddr, formatdate
from functools import cache
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, quote_plus

from apprise import Apprise, AppriseAsset, NotifyBase
from apprise.manager_plugins import NotificationManager
from apprise.plugins.custom_json import NotifyJSON
from apprise.plugins.email import NotifyEmail
from apprise.plugins.email.common import SecureMailMode

from notifiers import wire
from notifiers.clipping import clipped
from notifiers.gates import SmsGate, filled
from notifiers.wire import Line, WireFault

if TYPE_CHECKING:
    from notifiers.message import Rendered

ASSET: Final = AppriseAsset(app_id="whistle", http_redirects=False, secure_logging=True)
JSON_TYPE: Final = "application/json; charset=utf-8"
_ACCOUNT: Final = (401, 402, 403, 407)
"""HTTP's answers to whoever asks, not to what is asked."""


class Adapter(NotifyBase):  # type: ignore[misc]  # Apprise is Any to us
    """What ours have in common: `carry` sends or raises WireFault; Apprise's own `send` only says whether."""

    request_rate_per_sec = 0
    base = ""
    service_url = "https://appriseit.com/"
    setup_url = "https://appriseit.com/"

    def carry(self, letter: Rendered, line: Line) -> None:
        """Send one letter to the one address. Raises WireFault."""
        raise NotImplementedError

    def url(self, *_: object, **__: object) -> str:
        """The schema alone: everything behind it is a secret."""
        return f"{self.secure_protocol}://"


def posted(url: str, payload: object, letter: Rendered, line: Line) -> Any:  # noqa: ANN401 - JSON is what it is
    """Post JSON with the idempotency key; the JSON of the answer. Raises WireFault for any status but 2xx."""
    body = json.dumps(payload, ensure_ascii=False).encode()
    headers = {"Content-Type": JSON_TYPE, "User-Agent": ASSET.app_id, "Idempotency-Key": letter.key}
    answer = wire.post(url, body, headers, line)
    accepted(answer)
    try:
        return json.loads(answer.body)
    except ValueError:
        raise WireFault("unreadable_answer") from None


def accepted(answer: wire.Answer) -> None:
    """Raises WireFault for any status but 2xx; a redirect is never followed."""
    if 300 <= answer.status < 400:
        raise WireFault("redirected")
    if not 200 <= answer.status < 300:
        raise WireFault(f"answered_{answer.status}")


def zero(answer: object, *names: str) -> None:
    """Raises WireFault unless the first of these fields that the answer has is zero: bots hide errors in a 200."""
    if not isinstance(answer, dict):
        raise WireFault("unreadable_answer")
    for name in names:
        if name in answer:
            if answer[name] != 0 or isinstance(answer[name], bool):
                raise WireFault(f"{name.lower()}_{str(answer[name])[:12]}")
            return
    raise WireFault("unreadable_answer")


class _Bot(Adapter):
    """A group robot: `schema://token` or `schema://secret@token`."""

    def __init__(self, token: str, secret: str | None = None, **kwargs: Any) -> None:  # noqa: ANN401
        super().__init__(**kwargs)
        if not token:
            raise TypeError(self.secure_protocol)
        self.token = token
        self.secret = secret

    @staticmethod
    def parse_url(url: str) -> dict[str, Any] | None:
        """Read the token from the place of the host, a secret from before it."""
        read: dict[str, Any] | None = NotifyBase.parse_url(url, verify_host=False)
        if read is None:
            return None
        # A host is read in lower case, but keys and tokens are not the same in other letters.
        head = url.partition("://")[2].partition("?")[0].strip("/")
        secret, at, token = head.rpartition("@")
        read["token"] = NotifyBase.unquote(token)
        read["secret"] = NotifyBase.unquote(secret) if at else None
        return read


class WeCom(_Bot):
    """企业微信 group robot, `wecomx://KEY`. A text holds 2,048 bytes."""

    service_name = "WeCom"
    secure_protocol = "wecomx"
    base = "https://qyapi.weixin.qq.com"
    most_bytes = 2048

    def carry(self, letter: Rendered, line: Line) -> None:
        """Raises WireFault; `errcode_N` where a 200 holds an error."""
        payload = {"msgtype": "text", "text": {"content": clipped(letter.text, self.most_bytes, letter.language)}}
        url = f"{self.base}/cgi-bin/webhook/send?key={quote(self.token, safe='')}"
        zero(posted(url, payload, letter, line), "errcode")


class DingTalk(_Bot):
    """钉钉 group robot, `dingtalkx://TOKEN`, with a signing secret `dingtalkx://SECRET@TOKEN`."""

    service_name = "DingTalk"
    secure_protocol = "dingtalkx"
    base = "https://oapi.dingtalk.com"
    most_bytes = 18_000

    def carry(self, letter: Rendered, line: Line) -> None:
        """Raises WireFault; `errcode_N` where a 200 holds an error."""
        url = f"{self.base}/robot/send?access_token={quote(self.token, safe='')}"
        if self.secret:
            stamp = str(round(time.time() * 1000))
            url += f"&timestamp={stamp}&sign={quote_plus(dingtalk_signature(self.secret, stamp))}"
        payload = {"msgtype": "text", "text": {"content": clipped(letter.text, self.most_bytes, letter.language)}}
        zero(posted(url, payload, letter, line), "errcode")


class Feishu(_Bot):
    """飞书 group robot, `feishux://TOKEN`, with a signing secret `feishux://SECRET@TOKEN`."""

    service_name = "Feishu"
    secure_protocol = "feishux"
    base = "https://open.feishu.cn"
    most_bytes = 18_000

    def carry(self, letter: Rendered, line: Line) -> None:
        """Raises WireFault; `code_N` where a 200 holds an error."""
        payload: dict[str, Any] = {
            "msg_type": "text",
            "content": {"text": clipped(letter.text, self.most_bytes, letter.language)},
        }
        if self.secret:
            stamp = str(round(time.time()))
            payload |= {"timestamp": stamp, "sign": feishu_signature(self.secret, stamp)}
        url = f"{self.base}/open-apis/bot/v2/hook/{quote(self.token, safe='')}"
        zero(posted(url, payload, letter, line), "code", "StatusCode")


def dingtalk_signature(secret: str, stamp: str) -> str:
    """HMAC-SHA256 of stamp, line feed and secret under the secret, in base64; the address encodes it once."""
    digest = hmac.new(secret.encode(), f"{stamp}\n{secret}".encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def feishu_signature(secret: str, stamp: str) -> str:
    """HMAC-SHA256 of nothing, under stamp, line feed and secret: the other way round than DingTalk's."""
    digest = hmac.new(f"{stamp}\n{secret}".encode(), b"", hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


class Sms(_Bot):
    """A text message through the installation's gateway, `smsx://PHONE`."""

    service_name = "SMS gateway"
    secure_protocol = "smsx"
    gate: SmsGate | None = None

    def carry(self, letter: Rendered, line: Line) -> None:
        """Raises WireFault; `gateway_refused` where the answer hasn't what the setting asks of a success.

        `login_N` where the gateway doesn't take the installation's own account or its balance: nobody fares better.
        """
        if self.gate is None:
            raise WireFault("no_gateway")
        facts = {"phone": self.token, "text": letter.brief, "key": letter.key}
        url, body, headers = filled(self.gate, facts)
        answer = wire.post(url, body, {**headers, "Idempotency-Key": letter.key}, line, self.gate.method)
        if answer.status in _ACCOUNT:
            raise WireFault(f"login_{answer.status}")
        accepted(answer)
        if not self.gate.succeeded(answer.body):
            raise WireFault("gateway_refused")


class Webhook(NotifyJSON, Adapter):  # type: ignore[misc]
    """A web address that takes JSON, `jsons://host/path`; `?+Header=value` adds headers."""

    service_name = "Webhook"

    def carry(self, letter: Rendered, line: Line) -> None:
        """Raises WireFault for any answer but 2xx."""
        scheme = "https" if self.secure else "http"
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = f":{self.port}" if isinstance(self.port, int) else ""
        payload = {
            "version": "1.0",
            "key": letter.key,
            "kind": letter.kind,
            "title": letter.subject,
            "message": letter.text,
        }
        headers = {
            **self.headers,
            "Content-Type": JSON_TYPE,
            "User-Agent": ASSET.app_id,
            "Idempotency-Key": letter.key,
        }
        if self.user:
            pair = base64.b64encode(f"{self.user}:{self.password or ''}".encode()).decode()
            headers["Authorization"] = f"Basic {pair}"
        path = quote(self.fullpath or "/", safe="/%~")
        body = json.dumps(payload, ensure_ascii=False).encode()
        accepted(wire.post(f"{scheme}://{host}{port}{path}", body, headers, line))


class Mail(NotifyEmail, Adapter):  # type: ignore[misc]
    """Mail to one address, `mailtos://user:password@server?from=…&to=…`; the key is its Message-ID."""

    def carry(self, letter: Rendered, line: Line) -> None:
        """Raises WireFault: `smtp_N` where the server refuses this letter or its recipient, `session_N` any letter.

        `login_N` and `sender_N` where it refuses the account of the installation's own gate, by which all mail goes;
        a member's own account concerns that member alone.
        """
        until = time.monotonic() + line.within.total_seconds()
        sender = self.from_addr[1]
        domain = sender.rpartition("@")[2]
        secure = self.secure_mode == SecureMailMode.SSL
        try:
            with (
                wire.connected(self.smtp_host, self.port, line, until) as plain,
                closing(wire.Mailer(plain, self.smtp_host, secure=secure, name=domain)) as post,
            ):
                if self.secure_mode == SecureMailMode.STARTTLS:
                    post.starttls(context=ssl.create_default_context())
                if self.user and self.password:
                    post.login(self.user, self.password)
                # Taken is taken: nothing is asked of the server after that, whose fault could undo it.
                post.send_message(self._written(letter, sender, domain), sender, [self.targets[0][1]])
        except smtplib.SMTPRecipientsRefused as refused:
            code = next(iter(refused.recipients.values()))[0]
            raise WireFault(f"smtp_{code}") from None
        except smtplib.SMTPResponseException as refused:
            raise WireFault(f"{_refused(refused, line)}_{refused.smtp_code}") from None
        except smtplib.SMTPException:
            raise WireFault("smtp") from None

    def _written(self, letter: Rendered, sender: str, domain: str) -> EmailMessage:
        mail = EmailMessage(policy=SMTP)
        mail["Subject"] = letter.subject
        mail["From"] = formataddr((self.from_addr[0] or ASSET.app_id, sender))
        mail["To"] = self.targets[0][1]
        mail["Date"] = formatdate(usegmt=True)
        mail["Message-ID"] = f"<{letter.key}@{domain}>"
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(letter.text)
        mail.add_alternative(letter.html, subtype="html")
        return mail


def _refused(refused: smtplib.SMTPResponseException, line: Line) -> str:
    """What of a mail's sending a server refused, as a fault calls it."""
    match refused:
        case smtplib.SMTPDataError():
            return "smtp"
        case smtplib.SMTPAuthenticationError():
            return "login" if line.trusted else "smtp"
        case smtplib.SMTPSenderRefused():
            return "sender" if line.trusted else "smtp"
        case _:
            return "session"


class Stock:
    """One of Apprise's own plugins, where an installation allows its schema: it can only say yes or no.

    The key goes into the text, as there is no other place that all of them have.
    """

    def __init__(self, plugin: Any) -> None:  # noqa: ANN401 - Apprise's own
        self.plugin = plugin

    def carry(self, letter: Rendered, line: Line) -> None:
        """Raises WireFault `refused` without a reason: Apprise keeps it to itself."""
        if host := getattr(self.plugin, "host", None):
            # Apprise dials by itself, so all that can be done is to look first at where it will go.
            with wire.connected(host, self.plugin.port or 443, line, time.monotonic() + line.within.total_seconds()):
                pass
        self.plugin.request_rate_per_sec = 0
        self.plugin.redirects = False
        seconds = line.within.total_seconds()
        self.plugin.socket_connect_timeout = self.plugin.socket_read_timeout = seconds / 2
        if not self.plugin.notify(body=f"{letter.text}[{letter.key}]", title=letter.subject):
            raise WireFault("refused")


@cache
def registered() -> NotificationManager:
    """Apprise's own register, with ours in it."""
    register = NotificationManager()
    for plugin in (WeCom, DingTalk, Feishu, Sms, Webhook, Mail):
        register.add(plugin, force=True)
    return register


def options(address: str) -> list[str]:
    """The names of the options that Apprise finds in an address; `+Name` is a header, `-` and `:` its other places."""
    parsed = NotifyBase.parse_url(address, verify_host=False) or {}
    places = {"qsd": "", "qsd+": "+", "qsd-": "-", "qsd:": ":"}
    prefixed = {f"{mark}{name}" for place, mark in places.items() if mark for name in parsed.get(place, ())}
    # A prefixed one stands among the plain ones too.
    plain = {name for name in parsed.get("qsd", ()) if name[:1] not in "+-: "}
    return sorted(plain | prefixed)


def read(address: str) -> Any | None:  # noqa: ANN401 - an Apprise plugin
    """The plugin of an address as Apprise reads it; None where it can't."""
    registered()
    return Apprise.instantiate(address, asset=ASSET, suppress_exceptions=True)
