"""The other end of a webhook, on loopback: it keeps what came, checks it as the standard's own library does, and
answers as it is told.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from typing import Any, ClassVar

from standardwebhooks.webhooks import Webhook

LOOPBACK = (ip_network("127.0.0.0/8"),)


@dataclass
class Receiver:
    """One server. `answers` are given one after another, the last one for ever; `hangs` keeps callers waiting."""

    port: int = 0
    answers: list[int] = field(default_factory=lambda: [200])
    hangs: bool = False
    came: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    gone: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/events"

    def verified(self, secret: str) -> list[dict[str, Any]]:
        """What came, where its signature is good under that secret. Raises WebhookVerificationError else."""
        return [Webhook(secret).verify(body, headers) for headers, body in self.came]

    def keys(self) -> list[str]:
        return [headers["webhook-id"] for headers, _ in self.came]


@contextmanager
def receiver() -> Iterator[Receiver]:
    """Start one on a free port."""
    made = Receiver()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"end": made}))
    server.daemon_threads = True
    made.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield made
    finally:
        made.gone.set()
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    end: ClassVar[Receiver]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.end.came.append(({name.lower(): value for name, value in self.headers.items()}, body))
        if self.end.hangs:
            self.end.gone.wait(30)
        status = self.end.answers.pop(0) if len(self.end.answers) > 1 else self.end.answers[0]
        try:
            self.send_response(status)
            if status in {301, 302, 307}:
                self.send_header("Location", f"http://127.0.0.1:{self.end.port}/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()
        except OSError:
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Say nothing."""
