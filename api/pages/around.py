"""What stands under my work where little or nothing is owed: what one can do here, and the cases one follows.

A mentor, a deputy, a codirector, an auditor owes little and is no less at home: nobody's first page is empty.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from api.pages.frame import Page
from api.pages.parts import Head, headed, named
from api.pages.spoken import Left
from cases import access, listing, loading, looks
from cases.looks import Look
from cases.office import Session
from cases.outlines import NOBODY

FEW: Final = 3
"""With more than so many things to do nobody needs to be told what else there is."""
MOST: Final = 6
_UNDER_WAY: Final = ("draft", "awaiting_signoff", "open", "awaiting_evaluation")
SEE_NOTHING: Final = frozenset({"auditor", "admin"})
"""Roles that see no case at all."""


@dataclass(frozen=True, slots=True)
class Way:
    """One thing that can be done here: where, what it is called, what it is for."""

    path: str
    label: str
    told: str
    icon: str


@dataclass(frozen=True, slots=True)
class Followed:
    """A case that the reader sees, with what presses in it, whoever owes it."""

    head: Head
    left: Left | None


@dataclass(frozen=True, slots=True)
class Around:
    """What stands under the list: ways, cases, and for auditors the newest lines of the access log."""

    ways: tuple[Way, ...]
    title: str
    followed: tuple[Followed, ...]
    opened: tuple[Look, ...] = ()


def around(page: Page, session: Session, owed: int) -> Around | None:
    """None where there is enough to do."""
    if owed > FEW:
        return None
    sees_nothing = page.roles <= SEE_NOTHING
    followed = () if sees_nothing else _followed(page, session)
    opened = _opened(page) if "auditor" in page.roles else ()
    return Around(tuple(_ways(page)), _title(page), followed, opened)


def _ways(page: Page) -> list[Way]:
    say, roles = page.say, page.roles
    offered: list[tuple[frozenset[str], Way]] = [
        (frozenset({"counselor", "principal", "coordinator"}),
         Way("/whistle", say("Whistle"), say("Three short steps; a draft is kept with each of them."), "speakerphone")),
        (frozenset({"mentor"}),
         Way("/whistle", say("Whistle"), say("Yellow and blue; with red and orange go to the counselor at once."),
             "speakerphone")),
        (frozenset({"coordinator"}),
         Way("/desk", say("Desk"), say("New cases, disputes, requests and everything that waits for a ruling."),
             "route")),
        (frozenset({"coordinator", "supervisor"}),
         Way("/board", say("Board"), say("What is overdue or about to be, by organisation."), "alarm")),
        (frozenset({"supervisor"}),
         Way("/supervision", say("Orders"), say("Orders with their limits and answers."), "flag")),
        (frozenset({"auditor"}),
         Way("/admin/log", say("Access log"), say("Who has opened what, and why: by case and by person."), "eye")),
        (frozenset({"admin"}),
         Way("/admin/organisations", say("Organisations and members"),
             say("Register, appoint, take out of service; accounts, one-time codes and the duty rota."), "users")),
        (frozenset({"admin"}),
         Way("/admin/policy", say("Policy versions"), say("Read, compare, try out and put to work."), "scale")),
        (frozenset({"admin"}),
         Way("/admin/health", say("Is all well?"), say("Every check, and how to mend what isn't well."),
             "shield-check")),
        (frozenset({"admin"}),
         Way("/admin", say("Administration"), say("Lists, calendars, channels and the rest."), "settings")),
    ]  # fmt: skip
    found = [way for wanted, way in offered if wanted & roles]
    if not roles <= SEE_NOTHING:
        find = say("By number, or by the student's whole name where you may know it.")
        found.append(Way("/search", say("Find a case"), find, "search"))
    settings = say("How you are told, when it is quiet, and the calendar on your telephone.")
    return [*found, Way("/settings", say("My settings"), settings, "bell")]


def _title(page: Page) -> str:
    if page.roles & {"coordinator", "supervisor"}:
        return page.say("Moved last in your area")
    if page.roles & {"counselor", "principal", "deputy"}:
        return page.say("The school's cases under way")
    if "mentor" in page.roles:
        return page.say("Students whom you mind or whistled for")
    if "codirector" in page.roles:
        return page.say("Cases of your school to which your street is called")
    return page.say("Cases to which you are called")


def _followed(page: Page, session: Session) -> tuple[Followed, ...]:
    """The cases under way that moved last."""
    actor, now = page.reader.actor, page.reader.now
    filters = listing.Filters(state=_UNDER_WAY)
    lines = listing.lines(session, actor, now, filters, "-changed", most=MOST).items
    if not lines:
        return ()
    files = {one.number: one for one in loading.one_by_one(session, [one.number for one in lines], lock=False)}
    outlines = named(session, files.values())
    found = []
    for line in lines:
        file = files[line.number]
        book = session.office.book_of(file.policy)
        sight = access.sees(actor, file, book, now)
        shown = headed(page, session, book, file, sight.identity, outlines.get(file.student, NOBODY))
        found.append(Followed(shown, page.tongue.left(line.due) if line.due is not None else None))
    return tuple(found)


def _opened(page: Page) -> tuple[Look, ...]:
    # An auditor sees the log and no case: as a reader of cases the database would show them neither.
    with page.writing() as session:
        return looks.looks(session.connection, page.reader.actor, most=MOST).items
