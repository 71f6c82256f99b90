"""Cases by number or by the exact name of the student.

A name finds only cases whose reader sees the identity: whoever sees a case without its name can't learn it by trying
names.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

from sqlalchemy import select

from cases import access, loading, noting, vault
from cases.casefile import CaseFile
from cases.directory import Actor
from cases.office import Session
from cases.records import case

MOST: Final = 20
_UNDER_WAY: Final = ("draft", "awaiting_signoff", "open", "awaiting_evaluation")
_NUMBER: Final = re.compile(r"(?:[A-Z]{1,4}-)?(?:(\d{4})-)?0*(\d{1,9})", re.IGNORECASE)


def find(session: Session, actor: Actor, asked: str, now: datetime) -> list[CaseFile]:
    """What the reader may see of what was asked for, newest first, twenty at most. Nothing found is an empty list.

    A number may be written without its zeros or its year: `WH-2026-000123`, `2026-123`, `123`. Whoever is found by
    name has been looked up: that is written into the access log of each case, so the session must let it.
    """
    words = asked.strip()
    if not words:
        return []
    number = _NUMBER.fullmatch(words)
    found = _by_number(session, number) if number else _by_name(session, words)
    if not found:
        return []
    files = loading.one_by_one(session, found[:MOST], lock=False)
    files.sort(key=lambda one: one.created, reverse=True)
    seen = [one for one in files if _seen(session, one, actor, now, named=number is None)]
    if seen and number is None:
        noting.note_looks(session, seen, actor, ["identity"], "search by name", now)
    return seen


def number_in(asked: str, year: int) -> str:
    """The number of a case as it is written in full; of that year where none is named, empty where it is none."""
    number = _NUMBER.fullmatch(asked.strip())
    return f"WH-{number[1] or year}-{int(number[2]):06d}" if number is not None else ""


def of_same_student(session: Session, file: CaseFile, actor: Actor, now: datetime) -> list[CaseFile]:
    """The other cases of this student that are under way and that the reader sees: a second whistle may be one."""
    query = (
        select(case.c.id)
        .where(case.c.student_id == file.student, case.c.id != file.id, case.c.state.in_(_UNDER_WAY))
        .order_by(case.c.id.desc())
        .limit(MOST)
    )
    found = list(session.connection.scalars(query))
    files = loading.one_by_one(session, found, lock=False) if found else []
    return [one for one in files if _seen(session, one, actor, now, named=False)]


def full_number(session: Session, written: str, actor: Actor, now: datetime) -> str | None:
    """The whole number of a case that the reader sees, written `107` or `wh-2026-000107`; else None."""
    number = _NUMBER.fullmatch(written.strip())
    found = _by_number(session, number) if number else []
    files = loading.one_by_one(session, found, lock=False) if found else []
    seen = [one.number for one in files if _seen(session, one, actor, now, named=False)]
    return seen[0] if len(seen) == 1 else None


def whole_number(session: Session, written: str) -> str:
    """The whole number of the case that is written `107` or `wh-2026-000107`; what names none stays as it is.

    For those who read of cases and see none: whether they may is asked of what they look for, not here.
    """
    number = _NUMBER.fullmatch(written.strip())
    found = _by_number(session, number) if number else []
    if len(found) != 1:
        return written
    return session.connection.scalar(select(case.c.number).where(case.c.id == found[0])) or written


def drafts(session: Session, member_id: int) -> list[CaseFile]:
    """The drafts that a member has begun, newest first."""
    query = select(case.c.id).where(case.c.whistler_id == member_id, case.c.state == "draft").order_by(case.c.id.desc())
    found = list(session.connection.scalars(query.limit(MOST)))
    return loading.one_by_one(session, found, lock=False) if found else []


def _seen(session: Session, file: CaseFile, actor: Actor, now: datetime, *, named: bool) -> bool:
    sight = access.sees(actor, file, session.office.book_of(file.policy), now)
    return sight.identity == "yes" if named else not sight.nothing


def _by_number(session: Session, number: re.Match[str]) -> list[int]:
    year, running = number.groups()
    query = select(case.c.id).order_by(case.c.id.desc()).limit(MOST)
    if year is not None:
        query = query.where(case.c.number == f"WH-{year}-{int(running):06d}")
    else:
        # The running number never begins anew, so without the year it still names one case.
        query = query.where(case.c.number.in_([f"WH-{each}-{int(running):06d}" for each in range(2020, 2100)]))
    return list(session.connection.scalars(query))


def _by_name(session: Session, name: str) -> list[int]:
    try:
        sought = vault.index_of(session.office.master, "name", name)
    except ValueError:
        return []
    students = session.office.keystore.index.by_name(sought)
    query = select(case.c.id).where(case.c.student_id.in_(students)).order_by(case.c.id.desc()).limit(MOST)
    return list(session.connection.scalars(query)) if students else []
