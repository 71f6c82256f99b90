"""The language of an answer: chosen in the header, asked by the browser, the member's own, the installation's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from api.settings import LANGUAGES

if TYPE_CHECKING:
    from starlette.requests import Request

    from api.settings import Settings

COOKIE: Final = "language"


def language(request: Request, settings: Settings, members: str | None = None) -> str:
    """`zh_CN` or `en`. The first that says something: the cookie, Accept-Language, the member's, the setting."""
    chosen = request.cookies.get(COOKIE)
    if chosen in LANGUAGES:
        return chosen
    return accepted(request.headers.get("accept-language", "")) or members or settings.language


def accepted(header: str) -> str | None:
    """What Accept-Language likes best of the two; None when it names neither. Any Chinese is ours."""
    best: tuple[float, str] | None = None
    for part in header.split(","):
        tag, _, rest = part.strip().partition(";")
        family = tag.strip().lower().partition("-")[0].partition("_")[0]
        one = {"zh": "zh_CN", "en": "en"}.get(family)
        weight = _weight(rest)
        if one is not None and weight > 0 and (best is None or weight > best[0]):
            best = weight, one
    return None if best is None else best[1]


def _weight(written: str) -> float:
    name, _, value = written.strip().partition("=")
    if name.strip().lower() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
