"""Every way in that a member has been given: sessions, tokens, the link of the calendar. They end together."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from cases import credentials, feeds, standing

if TYPE_CHECKING:
    from cases.standing import Transaction


def end(connection: Transaction, member_id: int, now: datetime, *, by: int | None, but: UUID | None = None) -> int:
    """End every session of a member save one, every token and the calendar's link; how many.

    Whoever had somebody's session may have drawn a token or a link with it, which would outlive the session. What is
    ended beside sessions is written down, so that its owner knows why a system of theirs is refused.
    """
    sessions = standing.revoke_all(connection, member_id, now, but=but)
    tokens = standing.revoke_tokens(connection, member_id, now)
    link = feeds.revoke(connection, member_id, now)
    if tokens:
        credentials.note(connection, member_id, "tokens_revoked", now, by=by)
    if link:
        credentials.note(connection, member_id, "calendar_ended", now, by=by)
    return sessions + tokens + link
