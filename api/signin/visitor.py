"""Where somebody comes from, as far as the limits and the list of one's own sessions need it."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import datetime
from typing import Final


@dataclass(frozen=True, slots=True)
class Visitor:
    """Where somebody comes from: the address for the limits, its network and the browser's family for the list."""

    address: str
    agent: str
    now: datetime

    @property
    def network(self) -> str:
        """The address without its last part: enough to recognise one's own."""
        parsed = _parsed(self.address)
        if parsed is None:
            return ""
        return str(ipaddress.ip_network(f"{parsed}/{24 if parsed.version == 4 else 48}", strict=False))

    @property
    def limited(self) -> str:
        """What the limits count by: a household's or an office's own range where the address is IPv6."""
        parsed = _parsed(self.address)
        if parsed is None:
            return self.address
        return str(ipaddress.ip_network(f"{parsed}/64", strict=False)) if parsed.version == 6 else str(parsed)


def _parsed(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address; None for what is none. On a socket for both families IPv4 comes as `::ffff:192.0.2.1`."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return None
    mapped = parsed.ipv4_mapped if parsed.version == 6 else None
    return parsed if mapped is None else mapped


_BROWSERS: Final = (
    ("MicroMessenger", "WeChat"), ("wxwork", "WeCom"), ("DingTalk", "DingTalk"), ("Lark", "Feishu"), ("Edg", "Edge"),
    ("QQBrowser", "QQ Browser"), ("360SE", "360"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari"),
)  # fmt: skip
_SYSTEMS: Final = (
    ("HarmonyOS", "HarmonyOS"), ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"),
    ("Mac OS", "macOS"), ("Linux", "Linux"),
)  # fmt: skip


def family(agent: str) -> str:
    """A browser's family and system, `Chrome · Windows`: nothing of what it says is kept as it was sent."""
    found = [next((name for sign, name in known if sign in agent), "") for known in (_BROWSERS, _SYSTEMS)]
    return " · ".join(name for name in found if name)
