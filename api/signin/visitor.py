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
        try:
            parsed = ipaddress.ip_address(self.address)
        except ValueError:
            return ""
        return str(ipaddress.ip_network(f"{parsed}/{24 if parsed.version == 4 else 48}", strict=False))

    @property
    def limited(self) -> str:
        """What the limits count by: a household's or an office's own range where the address is IPv6."""
        try:
            parsed = ipaddress.ip_address(self.address)
        except ValueError:
            return self.address
        return str(ipaddress.ip_network(f"{parsed}/64", strict=False)) if parsed.version == 6 else str(parsed)


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
