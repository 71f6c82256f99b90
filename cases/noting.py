"""Whoever looks is written down, with the right by which they looked: the post that gives it, or a break-glass."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, insert

from cases import access, loading
from cases.records import access_log

if TYPE_CHECKING:
    from cases.casefile import CaseFile
    from cases.directory import Actor, Post
    from cases.office import Session

OPEN: Final = "open"
"""What the access log has in place of a section where the open part of a case was read through break-glass."""


def note_looks(
    session: Session, files: Sequence[CaseFile], actor: Actor, sections: Iterable[str], what: str, now: datetime
) -> None:
    """Write into the access log that a reader opened these sections of these cases, and under which break-glass."""
    opened = list(sections)
    write(session.connection, [_row(session, file, actor, section, what, now) for file in files for section in opened])


def note_glass(
    session: Session, file: CaseFile, target: CaseFile | None, actor: Actor, sight: access.Sight, now: datetime
) -> None:
    """Owe the access log a line where nothing but a break-glass lets this reader see the case at all.

    The open part is read in transactions that can't write: whoever opened this one writes what it owes at its end.
    """
    seen = [file] if target is None else [file, target]
    if sight.nothing or any(_post(session, one, actor, None, now) is not None for one in seen):
        return
    session.owed.append(_row(session, file, actor, OPEN, OPEN, now))


def write(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Write these lines into the access log."""
    if rows:
        connection.execute(insert(access_log), rows)


def _row(session: Session, file: CaseFile, actor: Actor, section: str, what: str, now: datetime) -> dict[str, Any]:
    organisation, role, glass = _right(session, file, actor, None if section == OPEN else section, now)
    return {
        "case_id": file.id, "at": now, "member_id": actor.member_id, "organisation_id": organisation, "role": role,
        "section": section, "what": what, "track_no": glass,
    }  # fmt: skip


def _right(
    session: Session, file: CaseFile, actor: Actor, section: str | None, now: datetime
) -> tuple[int, str, int | None]:
    """For which organisation, in which role and under which break-glass a reader sees a section."""
    post = _post(session, file, actor, section, now)
    if post is None and file.merged_into is not None:
        # What was merged is read from the case that it went into.
        file = loading.one_by_one(session, [file.merged_into], lock=False)[0]
        post = _post(session, file, actor, section, now)
    if post is not None:
        return post.organisation_id, post.role, None
    for one in reversed(file.of_kind("access")):
        if one.state == "open" and one.facts.get("opened_by") == actor.member_id:
            role = str(one.facts.get("role") or "officer")
            return one.organisation or actor.organisation_id, role, one.no
    # Whoever drafts reads their own words by the post that they whistle by, whatever the policy grants it.
    first = next(iter(actor.posts), None)
    return (actor.organisation_id, "", None) if first is None else (first.organisation_id, first.role, None)


def _post(session: Session, file: CaseFile, actor: Actor, section: str | None, now: datetime) -> Post | None:
    return access.giving(actor, file, session.office.book_of(file.policy), now, section)
