"""How a member wants to be reached: channels in their order, quiet hours. Read from the member's settings.

`{"channels": ["wecomx://…", "mail", "sms"], "quiet": ["22:00", "07:00"]}`; without `channels` the mail address and
the phone that are registered.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo
from typing import Any

from notifiers.channels import Recipient


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a member has set. `quiet` is from when to when, in the policy's time zone; it may pass midnight."""

    member: int
    language: str
    channels: tuple[str, ...]
    recipient: Recipient
    quiet: tuple[time, time] | None = None

    @classmethod
    def read(
        cls, member: int, language: str, email: str | None, phone: str | None, settings: Mapping[str, Any]
    ) -> Wishes:
        """What can't be read is as if it weren't set: nobody goes untold because of a slip in a setting."""
        listed = settings.get("channels")
        if isinstance(listed, list):
            channels = tuple(dict.fromkeys(one.strip() for one in listed if isinstance(one, str) and one.strip()))
        else:
            channels = tuple(way for way, known in (("mail", email), ("sms", phone)) if known)
        return cls(member, language, channels, Recipient(email, phone), _quiet(settings.get("quiet")))

    def not_before(self, at: datetime, zone: tzinfo) -> datetime:
        """The first instant from `at` on that isn't quiet."""
        if self.quiet is None:
            return at
        since, until = self.quiet
        local = at.astimezone(zone)
        now = local.time()
        if since < until:
            held, next_day = since <= now < until, False
        else:
            held, next_day = now >= since or now < until, now >= since
        if not held:
            return at
        day = local.date() + timedelta(days=1) if next_day else local.date()
        return datetime.combine(day, until, zone).astimezone(at.tzinfo)


def _quiet(written: object) -> tuple[time, time] | None:
    if not (isinstance(written, list) and len(written) == 2):
        return None
    try:
        since, until = (time.fromisoformat(str(one)) for one in written)
    except ValueError:
        return None
    return None if since == until or since.tzinfo or until.tzinfo else (since, until)
