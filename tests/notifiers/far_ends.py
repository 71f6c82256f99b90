"""The other ends, on loopback: bots that answer as the real ones do, servers that hang, refuse, drip and redirect."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from notifiers.gates import Gates
from notifiers.message import Rendered

LOOPBACK = (ip_network("127.0.0.0/8"),)
WECOM_KEY = "693a91f6-7xxx-4bc4-97a0-0ec2sifa5aaa"
SECRET = "SEC+/=secret&more"  # noqa: S105 - made up, with the characters that a wrong encoding trips over
TOKEN = "tOkEn-0123"  # noqa: S105


def letter(key: str = "k-1", text: str = "个案有新情况\n", **more: Any) -> Rendered:  # noqa: ANN401 - the letter's own fields
    """A letter as the templates would make it."""
    made = {
        "kind": "told",
        "subject": "【红色】有新情况",
        "html": f"<p>{text}</p>",
        "brief": "有新情况 https://w.invalid",
    }
    return Rendered(key=key, text=text, **{**made, **more})


@dataclass(frozen=True)
class Request:
    """What came in."""

    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: Any
    at: float


@dataclass
class FarEnd:
    """One HTTP server with every kind of neighbour; the first part of the path says which it is."""

    port: int
    host: str = "127.0.0.1"
    requests: list[Request] = field(default_factory=list)
    gone: threading.Event = field(default_factory=threading.Event)

    @property
    def base(self) -> str:
        return f"http://{self.host}:{self.port}"

    def hook(self, behaviour: str) -> str:
        """The address of a webhook that behaves so: ok, hang, drip, redirect, broken, error500, inside."""
        return f"json://{self.host}:{self.port}/{behaviour}"

    def gates(self, **more: Any) -> Gates:  # noqa: ANN401 - the gates' own fields
        """Gates whose bots live here and whose members may go to loopback."""
        bases = dict.fromkeys(("wecomx", "dingtalkx", "feishux"), self.base)
        return Gates(**{"bases": bases, "inside": LOOPBACK, **more})

    def at(self, path: str) -> list[Request]:
        return [one for one in self.requests if one.path.startswith(path)]


@contextmanager
def far_end(host: str = "127.0.0.1") -> Iterator[FarEnd]:
    """Start one on a free port; whoever hangs is let go at the end. Another host of loopback is another lane."""
    end = FarEnd(0, host)
    server = ThreadingHTTPServer((host, 0), type("Handler", (_Handler,), {"end": end}))
    server.daemon_threads = True
    end.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield end
    finally:
        end.gone.set()
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    end: ClassVar[FarEnd]

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        raw = self.rfile.read(length).decode()
        parts = urlsplit(self.path)
        try:
            body = json.loads(raw)
        except ValueError:
            body = raw
        request = Request(parts.path, parse_qs(parts.query), dict(self.headers), body, time.monotonic())
        self.end.requests.append(request)
        behaviour = request.path.split("/")[1]
        try:
            if behaviour in _ANSWERS:
                self._say(200, _ANSWERS[behaviour](request))
            else:
                self._misbehave(behaviour)
        except OSError:
            self.close_connection = True

    def _misbehave(self, behaviour: str) -> None:
        match behaviour:
            case "hang":
                self.end.gone.wait(60)
            case "drip":
                self.wfile.write(b"HTTP/1.1 200 OK\r\n")
                while not self.end.gone.wait(0.1):
                    self.wfile.write(b"X-Drip: 1\r\n")
                    self.wfile.flush()
            case "redirect":
                self._say(302, {}, Location=f"{self.end.base}/redirected-to")
            case "broken":
                self.wfile.write(b"\0\1\2 this is no HTTP\r\n\r\n")
            case "error500":
                self._say(500, {"errcode": 0})
            case "status":
                self._say(int(self.path.partition("?")[0].rpartition("/")[2]), {})
            case _:
                self._say(200, {"errcode": 0})

    def _say(self, status: int, answer: dict[str, Any], **headers: str) -> None:
        body = json.dumps(answer).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def wecom(request: Request) -> dict[str, Any]:
    """As qyapi.weixin.qq.com answers: always 200, the truth in errcode."""
    if request.query.get("key") != [WECOM_KEY]:
        return {"errcode": 93000, "errmsg": "invalid webhook url, hint: [1700000000]"}
    if request.body.get("msgtype") != "text":
        return {"errcode": 40008, "errmsg": "invalid message type"}
    if len(request.body["text"]["content"].encode()) > 2048:
        return {"errcode": 40058, "errmsg": "text.content exceed max length 2048"}
    return {"errcode": 0, "errmsg": "ok"}


def dingtalk(request: Request) -> dict[str, Any]:
    """As oapi.dingtalk.com answers: it checks the signature after decoding the query once."""
    if request.query.get("access_token") != [TOKEN]:
        return {"errcode": 300005, "errmsg": "token is not exist"}
    stamp = request.query.get("timestamp", ["0"])[0]
    digest = hmac.new(SECRET.encode(), f"{stamp}\n{SECRET}".encode(), hashlib.sha256).digest()
    signed = request.query.get("sign") == [base64.b64encode(digest).decode()]
    if not signed or abs(time.time() * 1000 - int(stamp)) > 3_600_000:
        return {"errcode": 310000, "errmsg": "sign not match"}
    return {"errcode": 0, "errmsg": "ok"}


def feishu(request: Request) -> dict[str, Any]:
    """As open.feishu.cn answers: seconds, and the secret inside the key of the HMAC."""
    if not request.path.endswith(f"/{TOKEN}"):
        return {"code": 19001, "msg": "param invalid: incoming webhook access token invalid"}
    stamp = str(request.body.get("timestamp", "0"))
    digest = hmac.new(f"{stamp}\n{SECRET}".encode(), b"", hashlib.sha256).digest()
    signed = request.body.get("sign") == base64.b64encode(digest).decode()
    if not signed or abs(time.time() - int(stamp)) > 3600:
        return {"code": 19021, "msg": "sign match fail or timestamp is not within one hour from current time"}
    return {"StatusCode": 0, "StatusMessage": "success", "code": 0, "data": {}, "msg": "success"}


def gateway(request: Request) -> dict[str, Any]:
    """As a gateway that knows one number."""
    return {"status": {"code": 0 if request.body.get("mobile") == "13900000000" else 17}}


_ANSWERS: Mapping[str, Callable[[Request], dict[str, Any]]] = {
    "cgi-bin": wecom,
    "robot": dingtalk,
    "open-apis": feishu,
    "gateway": gateway,
}


@dataclass
class PostOffice:
    """A real SMTP server's letters."""

    port: int = 0
    logged_in: bool = False
    mails: list[EmailMessage] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)

    @property
    def gate(self) -> str:
        """How an installation would name this server as its mail gate."""
        return f"mailto://127.0.0.1:{self.port}?from=whistle@example.org&mode=insecure"

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.logged_in and not session.authenticated:
            return "530 5.7.0 Authentication required"
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address.startswith("nobody@"):
            return "550 no such user here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        from email import message_from_bytes
        from email.policy import default

        content = envelope.content
        self.mails.append(message_from_bytes(bytes(content or b""), policy=default))  # type: ignore[arg-type]
        self.recipients.append(list(envelope.rcpt_tos))
        return "250 taken"


class _OnAnyPort(Controller):
    def _trigger_server(self) -> None:
        # aiosmtpd knocks at the port that it was given, and 0 is none: here it got one.
        assert isinstance(self.server, asyncio.Server)
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]


def _let_in(_: SMTP, __: Session, ___: Envelope, ____: str, given: object) -> AuthResult:
    return AuthResult(success=isinstance(given, LoginPassword) and given.password == b"right", handled=False)


@contextmanager
def post_office(*, logged_in: bool = False) -> Iterator[PostOffice]:
    """A real SMTP server on a free port of loopback; where one has to log in, any user has the password `right`."""
    office = PostOffice(logged_in=logged_in)
    asked: dict[str, Any] = {"auth_require_tls": False, "authenticator": _let_in} if logged_in else {}
    controller = _OnAnyPort(office, hostname="127.0.0.1", port=0, **asked)
    controller.start()
    office.port = controller.port
    try:
        yield office
    finally:
        controller.stop()
