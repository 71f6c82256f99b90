"""The last metre: one connection to one address that may be reached, cut off when its time is up.

Nothing follows a redirect, nothing asks the environment for a proxy. A name is resolved once and the connection goes
to the very address that was looked at, so that a second answer of the name server can't lead inside.
"""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import smtplib
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from threading import Timer
from typing import Final
from urllib.parse import urlsplit

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

MOST_READ: Final = 64 * 1024
_READY: Final = 220
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")


class WireFault(Exception):
    """Nothing was accepted at the other end, as far as we know. `code` says why and never holds an address."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """How far and how long a connection may go. `within` is for all of it, however slowly the other end drips.

    `inside` are inner networks that are allowed; `trusted` stands for an address that an administrator set.
    """

    within: timedelta = timedelta(seconds=10)
    inside: tuple[Network, ...] = ()
    trusted: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the status and at most the first 64 KiB of the body."""

    status: int
    body: bytes


def reachable(address: Address, line: Line) -> bool:
    """Whether a connection may go there: anywhere public, or inside where it is allowed."""
    if line.trusted or any(address in network for network in line.inside if network.version == address.version):
        return True
    if isinstance(address, ipaddress.IPv6Address):
        within = address.ipv4_mapped or address.sixtofour
        if within is None and address in _NAT64:
            within = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if within is not None:
            return reachable(within, line)
    return address.is_global and not address.is_multicast


def post(url: str, body: bytes, headers: Mapping[str, str], line: Line, method: str = "POST") -> Answer:
    """Send one request and read its answer. Raises WireFault: inside, unreachable, timed_out, broken, tls."""
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    host = parts.hostname or ""
    until = time.monotonic() + line.within.total_seconds()
    port = parts.port or (443 if secure else 80)
    with connected(host, port, line, until) as plain:
        connection = http.client.HTTPConnection(host, port)
        connection.sock = _secured(plain, host) if secure else plain
        try:
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.request(method, target, body, dict(headers))
            answer = connection.getresponse()
            return Answer(answer.status, answer.read(MOST_READ))
        finally:
            connection.close()


class Mailer(smtplib.SMTP):
    """smtplib over a connection that was looked at: it dials nowhere by itself."""

    def __init__(self, plain: socket.socket, host: str, *, secure: bool, name: str) -> None:
        super().__init__(local_hostname=name)
        self._host = host  # STARTTLS checks the certificate against it.
        self.sock = _secured(plain, host) if secure else plain
        self.file = None
        code, greeting = self.getreply()
        if code != _READY:
            self.close()
            raise smtplib.SMTPConnectError(code, greeting)


@contextlib.contextmanager
def connected(host: str, port: int, line: Line, until: float) -> Iterator[socket.socket]:
    """A connection to that host, shut down at `until` (monotonic seconds) whatever it is doing then.

    Raises WireFault for whatever goes wrong with the connection inside the block too.
    """
    expired = False
    dialled = _dial(host, port, line, until)

    def cut() -> None:
        nonlocal expired
        expired = True
        with contextlib.suppress(OSError):
            dialled.shutdown(socket.SHUT_RDWR)

    timer = Timer(max(0.0, until - time.monotonic()), cut)
    timer.daemon = True
    timer.start()
    try:
        yield dialled
        if expired:
            # What was cut off may look like a whole answer: headers that end, a body without a length.
            raise WireFault("timed_out")
    except TimeoutError:
        raise WireFault("timed_out") from None
    except (OSError, http.client.HTTPException) as fault:
        # smtplib calls a line that fell silent a line that was closed; what it met itself stands behind it.
        if expired or isinstance(fault.__context__, TimeoutError):
            raise WireFault("timed_out") from None
        if isinstance(fault, smtplib.SMTPException) and not isinstance(fault, smtplib.SMTPServerDisconnected):
            raise
        raise WireFault("tls" if isinstance(fault, ssl.SSLError) else "broken") from None
    finally:
        timer.cancel()
        dialled.close()


def _dial(host: str, port: int, line: Line, until: float) -> socket.socket:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise WireFault("unreachable") from None
    allowed = [one for one in found if reachable(ipaddress.ip_address(str(one[4][0]).partition("%")[0]), line)]
    if not allowed:
        raise WireFault("inside")
    fault = "unreachable"
    for family, kind, protocol, _, address in allowed:
        left = until - time.monotonic()
        if left <= 0:
            raise WireFault("timed_out")
        dialled = socket.socket(family, kind, protocol)
        dialled.settimeout(left)
        try:
            dialled.connect(address)
        except TimeoutError:
            fault = "timed_out"
        except OSError:
            fault = "unreachable"
        else:
            return dialled
        dialled.close()
    raise WireFault(fault)


def _secured(plain: socket.socket, host: str) -> ssl.SSLSocket:
    return ssl.create_default_context().wrap_socket(plain, server_hostname=host)
