"""Where a request comes from, where it may go on to, and the mark of a form that nobody is signed in for yet."""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from api.signin import cookies
from api.signin.visitor import Visitor, family

if TYPE_CHECKING:
    from starlette.requests import Request

    from api.house import House

_LONGEST: Final = 1000


def visitor(request: Request, house: House) -> Visitor:
    """Who knocks, as far as a request tells. The address is the proxy's word only where the proxy is trusted."""
    address = request.client.host if request.client is not None else ""
    return Visitor(address, family(request.headers.get("user-agent", "")[:400]), house.clock())


def safe_next(given: str | None, *, signing_in: bool = False) -> str:
    """A path of this very site to go on to; `/` instead of anything else.

    Of a page of signing in itself too, unless that is what is meant.
    """
    if not given or len(given) > _LONGEST or not given.startswith("/") or given.startswith("//"):
        return "/"
    if "\\" in given or any(ord(sign) <= 32 or ord(sign) == 127 for sign in given):
        return "/"
    try:
        parts = urlsplit(given)
    except ValueError:
        return "/"
    if parts.scheme or parts.netloc or parts.path.startswith("//"):
        return "/"
    return "/" if parts.path.startswith("/sign-") and not signing_in else given


def form_mark(request: Request, house: House) -> str:
    """The `csrf` of a form for somebody who isn't signed in yet; its cookie is set where there is none."""
    secret = request.cookies.get(cookies.name_of(house.settings, cookies.FORM))
    if not secret:
        secret = secrets.token_urlsafe(24)
        cookies.add(request, cookies.cookie(house.settings, cookies.FORM, secret))
    return _mark(secret)


def expected_mark(request: Request, house: House) -> str:
    """What such a form has to carry; empty without its cookie, and then nothing is right."""
    secret = request.cookies.get(cookies.name_of(house.settings, cookies.FORM))
    return _mark(secret) if secret else ""


def _mark(secret: str) -> str:
    return hashlib.sha256(f"form {secret}".encode()).hexdigest()
