"""What an API token may be used for: a system gets no more than its purpose needs.

A scope is `area:read` or `area:write`; writing doesn't include reading. A search that FHIR
sends as a form (`POST …/_search`) is reading. Where a path belongs to no area here, it belongs to `cases`, so that a
new route is never open by being forgotten.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

AREAS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "cases": ("个案", "cases"),
        "fhir": ("医院接口（FHIR）", "hospitals' interface (FHIR)"),
        "directory": ("单位和人员", "organisations and members"),
        "webhooks": ("推送订阅", "webhooks"),
        "oversight": ("统计和审计", "statistics and audit"),
    }
)
SCOPES: Final = tuple(f"{area}:{what}" for area in AREAS for what in ("read", "write"))
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})

_PREFIXES: Final = (
    ("/fhir", "fhir"),
    ("/api/v1/organisations", "directory"),
    ("/api/v1/members", "directory"),
    ("/api/v1/imports", "directory"),
    ("/api/v1/webhooks", "webhooks"),
    ("/api/v1/statistics", "oversight"),
    ("/api/v1/audit", "oversight"),
)
_OWN: Final = ("/api/v1/signin", "/api/v1/me", "/api/v1/tokens", "/api/v1/accounts")
"""A person's own affairs, and an admin's with others' accounts: no token opens them."""


def needed(method: str, path: str) -> str | None:
    """The scope that a token needs for this request; empty where any will do, None where none does."""
    if path == "/api/v1/me" and method in SAFE:
        return ""
    if not under(path, ("/api", "/fhir")) or under(path, _OWN):
        return None
    area = next((area for prefix, area in _PREFIXES if under(path, (prefix,))), "cases")
    reads = method in SAFE or (method == "POST" and area == "fhir" and path.endswith("/_search"))
    return f"{area}:{'read' if reads else 'write'}"


def under(path: str, prefixes: tuple[str, ...]) -> bool:
    """Whether a path is one of those, or lies below one."""
    return any(path == one.rstrip("/") or path.startswith(one.rstrip("/") + "/") for one in prefixes)
