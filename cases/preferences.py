"""What a member has set for themselves: language, channels in their order, quiet hours, the keyboard's short cuts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, select, update

from cases.people import LANGUAGES, member
from cases.registrar import touch


@dataclass(frozen=True, slots=True)
class Preferences:
    """As they stand. `channels` None: the mail address and the phone that are registered, in this order."""

    language: str
    phone: str | None
    email: str | None
    channels: tuple[str, ...] | None
    quiet: tuple[str, str] | None
    keys: bool


MOST_FILTERS: Final = 12
"""So many filters of the board a member keeps; a further one takes the oldest's place."""


def read(connection: Connection, member_id: int) -> Preferences:
    """What this member has set."""
    columns = member.c.language, member.c.phone, member.c.email, member.c.settings
    row = connection.execute(select(*columns).where(member.c.id == member_id)).one()
    listed, quiet = row.settings.get("channels"), row.settings.get("quiet")
    return Preferences(
        row.language,
        row.phone,
        row.email,
        tuple(listed) if isinstance(listed, list) else None,
        (str(quiet[0]), str(quiet[1])) if isinstance(quiet, list) and len(quiet) == 2 else None,
        row.settings.get("keys", True) is not False,
    )


def set_language(connection: Connection, member_id: int, language: str) -> None:
    """The language that messages are written in, and pages where a browser asks for none. Raises ValueError."""
    if language not in LANGUAGES:
        raise ValueError(language)
    connection.execute(update(member).where(member.c.id == member_id).values(language=language))
    touch(connection)


def set_wishes(
    connection: Connection,
    member_id: int,
    *,
    channels: Sequence[str] | None,
    quiet: tuple[str, str] | None,
    keys: bool,
) -> None:
    """Channels and quiet hours from now on. The caller has tried the channels' addresses."""
    settings = _locked(connection, member_id)
    for name, value in (("channels", channels), ("quiet", quiet), ("keys", None if keys else False)):
        if value is None:
            settings.pop(name, None)
        else:
            settings[name] = list(value) if isinstance(value, tuple | list) else value
    connection.execute(update(member).where(member.c.id == member_id).values(settings=settings))


def filters(connection: Connection, member_id: int) -> tuple[tuple[str, str], ...]:
    """The filters of the board that this member keeps: each name with its query string."""
    settings = connection.scalar(select(member.c.settings).where(member.c.id == member_id)) or {}
    kept = settings.get("board")
    return tuple((str(name), str(query)) for name, query in kept) if isinstance(kept, list) else ()


def keep_filter(connection: Connection, member_id: int, name: str, query: str | None) -> None:
    """Keep a filter under that name from now on, in place of one of the same name; without a query drop it."""
    settings = _locked(connection, member_id)
    kept = [one for one in settings.get("board", []) if one[0] != name]
    if query is not None:
        kept = [*kept, [name, query]][-MOST_FILTERS:]
    settings["board"] = kept
    connection.execute(update(member).where(member.c.id == member_id).values(settings=settings))


def _locked(connection: Connection, member_id: int) -> dict[str, Any]:
    found = connection.scalar(select(member.c.settings).where(member.c.id == member_id).with_for_update())
    return dict(found or {})
