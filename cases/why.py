"""Why is a clock due when it is? Looked up in the records; the reckoning itself is `policies.reckoning`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, select

from cases import library
from cases.faces import face_from_json
from cases.people import organisation
from cases.records import case, clock, track
from cases.spoken import SpokenFault
from cases.store import Store
from policies.book import Book
from policies.calendar import Calendars
from policies.faces import Face, due_of
from policies.ladder import Rung
from policies.limits import Limit, SameDay
from policies.reckoning import Reckoning, reckon

_ADDRESS: Final = re.compile(
    r"(?:(?P<kind>[a-z_]+)(?:\((?P<of>[a-z_]+)\))?(?:#(?P<number>[1-9][0-9]?))?\.)?(?P<clock>[a-z_]+)"
)
_TEXTS: Final = {
    "no_case": ("没有个案 {case}。", "There is no case {case}."),
    "no_clock": (
        "个案 {case} 没有时钟“{clock}”。它有：{known}。",
        "Case {case} has no clock {clock}. It has: {known}.",
    ),
}


@dataclass(frozen=True, slots=True)
class _Kept:
    """A clock as it was kept: of which kind of track, of which kind of organisation, its name and its
    face.
    """

    kind: str
    of: str | None
    name: str
    face: Mapping[str, Any]

    def __str__(self) -> str:
        if self.kind == "case":
            return self.name
        return f"{self.kind}({self.of}).{self.name}" if self.of else f"{self.kind}.{self.name}"


class WhyFault(SpokenFault, LookupError):
    """What was asked about isn't there."""

    texts = _TEXTS


def why(store: Store, number: str, address: str, language: str = "zh_CN") -> Reckoning:
    """The reckoning of one clock of a case: `settle`, `assignment(street).report_in`, `check_in#2.check_in`.

    The newest clock of that name counts. A clock carries nothing personal, so nobody's sight is asked. Raises
    WhyFault, StoreFault, PolicyFaults.
    """
    with store.read() as connection:
        found = connection.execute(select(case.c.id, case.c.policy).where(case.c.number == number)).one_or_none()
        if found is None:
            raise WhyFault("no_case", case=number)
        clocks = _kept(connection, found.id)
        chosen = _chosen(clocks, address)
        if chosen is None:
            known = ", ".join(dict.fromkeys(map(str, clocks)))
            raise WhyFault("no_clock", case=number, clock=address, known=known or "–")
        # The very version that the case runs under, with the calendar tables that were given since.
        book = library.read(connection, found.policy)
    return reckoned(book, face_from_json(chosen.face), language)


def reckoned(book: Book, face: Face, language: str) -> Reckoning:
    """The reckoning of a clock that is at hand, under the book that its case runs under."""
    return reckon(_Grounds(book, language, _by(book.calendars, face)), face, language)


def _by(calendars: Calendars, face: Face) -> Calendars:
    """The newest edition of the working days by which this limit comes out; one that has stopped follows no later."""
    whole = face.whole
    if whole is None or not whole.working:
        return calendars
    for edition in range(calendars.edition, -1, -1):
        found = calendars.as_of(edition)
        days = found.of(face.calendar)
        if due_of(days, face.started, whole, face.pauses) == face.due:
            return found
    return calendars


@dataclass(frozen=True, slots=True)
class _Grounds:
    """A book that says what its limits rest on in the reader's language."""

    book: Book
    language: str
    calendars: Calendars

    @property
    def ladder(self) -> tuple[Rung, ...]:
        return self.book.ladder

    def limit(self, name: str, level: str) -> Limit | SameDay | None:
        return self.book.limit(name, level)

    def basis(self, name: str, level: str) -> str:
        return self.book.basis(name, level).text(self.language)


def _chosen(clocks: list[_Kept], address: str) -> _Kept | None:
    """The clock of that address; without an organisation or a number, the first track that has such a
    clock.
    """
    asked = _ADDRESS.fullmatch(address.strip())
    if asked is None:
        return None
    fitting = [
        one
        for one in clocks
        if one.kind == (asked["kind"] or "case") and asked["of"] in {None, one.of} and one.name == asked["clock"]
    ]
    nth = int(asked["number"] or 1) - 1
    return fitting[nth] if nth < len(fitting) else None


def _kept(connection: Connection, case_id: int) -> list[_Kept]:
    """The newest clock of each name on each track, in the order in which the tracks were opened."""
    query = (
        select(clock.c.track_no, clock.c.name, clock.c.face, track.c.kind, organisation.c.kind.label("of"))
        .select_from(clock)
        .outerjoin(track, (track.c.case_id == clock.c.case_id) & (track.c.no == clock.c.track_no))
        .outerjoin(organisation, organisation.c.id == track.c.organisation_id)
        .where(clock.c.case_id == case_id)
        .order_by(clock.c.track_no, clock.c.no)
    )
    newest = {(row.track_no, row.name): row for row in connection.execute(query)}
    return [_Kept(row.kind or "case", row.of, row.name, row.face) for row in newest.values()]
