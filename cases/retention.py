"""保存期限: whose term is over is listed first, and forgotten only when the list has stood for a while.

A case is kept until its student is 18 plus 3 years, or five years after its closing, whichever is later [default];
then the student's key goes (PIPL art. 47), for good and back-ups included. The certificate is an event of each case.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, ClassVar, Final

from sqlalchemy import Connection, func, select

from cases import forgetting, heartbeat
from cases.people import student
from cases.records import case
from cases.refusal import Refusal
from cases.vault import VaultFault

if TYPE_CHECKING:
    from collections.abc import Callable

    from cases.office import Office
    from cases.store import Store
    from policies.book import Book

STANDS: Final = timedelta(days=7)
"""How long a list stands before anything on it is forgotten, so that somebody can object."""
FRESH: Final = timedelta(days=31)
"""From an older list nothing is forgotten: it is drawn up anew."""
LISTED: Final = "retention_list"
"""The round that draws the list up."""
WHY: Final = "retention.case"

_log = logging.getLogger(__name__)


class NothingListed(VaultFault):
    """Nothing is forgotten that wasn't listed a week before."""

    code: ClassVar[str] = "nothing_listed"
    texts: ClassVar[tuple[str, str]] = (
        "还没有一份放置满 {days} 天的清单；什么都没有清除。请先运行 whistle run retention（只列清单）。",
        "No list has stood for {days} days; nothing was forgotten. Run `whistle run retention` first: it only lists.",
    )


@dataclass(frozen=True, slots=True)
class Over:
    """A student whose term is over, by id, with the numbers of the cases and the day on which it was over."""

    student: int
    cases: tuple[str, ...]
    since: date


def due(connection: Connection, book_of: Callable[[str], Book], today: date) -> list[Over]:
    """Whose every case has ended and whose term is over that day, by id. Changes nothing.

    A student without a known year of birth is never listed: the later of two terms can't be known from one.
    """
    closed = func.array_agg(func.coalesce(case.c.closed_at, case.c.last_at)).label("closed")
    numbers = func.array_agg(case.c.number).label("numbers")
    policies = func.array_agg(case.c.policy).label("policies")
    found = (
        select(student.c.id, student.c.keep_until, numbers, closed, policies)
        .join(case, case.c.student_id == student.c.id)
        .where(student.c.forgotten_at.is_(None), student.c.keep_until < today)
        .group_by(student.c.id, student.c.keep_until)
        .having(func.bool_and(case.c.state.in_(sorted(forgetting.ENDED))))
        .order_by(student.c.id)
    )
    over = []
    for row in connection.execute(found):
        since = max(
            _years_later(at.astimezone(book_of(name).tz).date(), book_of(name).retention.years_after_closing)
            for at, name in zip(row.closed, row.policies, strict=True)
        )
        since = max(since, row.keep_until + timedelta(days=1))
        if since <= today:
            over.append(Over(row.id, tuple(sorted(row.numbers)), since))
    return over


def erase(store: Store, office: Office, now: datetime) -> list[Over]:
    """Forget whoever was on the list that has stood for a week, and answer whom. Safe to repeat.

    Raises NothingListed when no list is old enough, or the newest is older than a month.
    """
    with store.read() as connection:
        listed = heartbeat.last(connection, LISTED)
        if listed is None or not STANDS <= now - listed.finished_at <= FRESH:
            raise NothingListed(days=str(STANDS.days))
        as_of = listed.finished_at.astimezone(office.book_of(office.current).tz).date()
        standing = due(connection, office.book_of, as_of)
    gone = []
    for one in standing:
        try:
            forgetting.forget(store, office, one.student, now, why=WHY)
        except Refusal as refusal:
            # A case was opened since the list was read: that student's term has begun anew.
            _log.warning("kept", extra={"why": refusal.code, "cases": len(one.cases)})
        else:
            gone.append(one)
    return gone


def _years_later(day: date, years: int) -> date:
    return date(day.year + years, 3, 1) if (day.month, day.day) == (2, 29) else day.replace(year=day.year + years)
