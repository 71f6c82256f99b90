"""The cookies of signing in. Over https they carry `__Host-`, so that no neighbour of the site can plant one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from starlette.requests import Request

    from api.settings import Settings

SESSION: Final = "whistle_session"
FORM: Final = "whistle_form"
"""Of whoever isn't signed in yet: the mark that their form must repeat."""
PROVIDER: Final = "whistle_provider"
"""What was asked of the identity provider, sealed, while the browser is there."""


def secure(settings: Settings) -> bool:
    """Whether browsers reach us by https; then no cookie ever travels without."""
    return settings.link.startswith("https://")


def name_of(settings: Settings, name: str) -> str:
    return f"__Host-{name}" if secure(settings) else name


def session_name(settings: Settings) -> str:
    return name_of(settings, SESSION)


def cookie(settings: Settings, name: str, value: str, *, seconds: int | None = None) -> str:
    """A Set-Cookie line: kept from scripts, sent along with links from elsewhere but never with their forms."""
    parts = [f"{name_of(settings, name)}={value}", "Path=/", "HttpOnly", "SameSite=Lax"]
    if seconds is not None:
        parts.append(f"Max-Age={seconds}")
    if secure(settings):
        parts.append("Secure")
    return "; ".join(parts)


def add(request: Request, line: str) -> None:
    """Send a Set-Cookie line along with whatever is answered, an error included."""
    request.scope.setdefault("whistle.cookies", []).append(line)


def set_session(request: Request, settings: Settings, secret: str) -> None:
    add(request, cookie(settings, SESSION, secret))


def drop(request: Request, settings: Settings, name: str) -> None:
    add(request, cookie(settings, name, "", seconds=0))
