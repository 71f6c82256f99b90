"""Students from a school's roster: known by the school's own number; who they are is sealed at once.

A student whom a whistle has enrolled already (the same ID number, or the same name and birthday at that school) is
that student. One who was forgotten stays forgotten: the row is skipped and said so.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import Row, func, insert, or_, select, text, update

from cases import enrolment, vault
from cases.import_fault import RowFault
from cases.import_organisations import Places
from cases.import_rows import Sorted, StudentRow, twice
from cases.people import member, post, student

if TYPE_CHECKING:
    from cases.office import Office, Session
    from cases.placing import Reach
    from cases.who import Organisation


@dataclass(frozen=True, slots=True)
class There:
    """A student on the books, opened: what a row may change."""

    id: int
    roster_no: str | None
    mentor: int | None
    community: int | None
    identity: Mapping[str, Any]


def across(rows: Sequence[StudentRow]) -> list[RowFault]:
    """What is wrong with the list as a whole."""
    found = twice([(one.row, one.roster_no) for one in rows], "roster_no")
    numbers = [(one.row, one.identity["id_number"]) for one in rows if "id_number" in one.identity]
    return found + twice(numbers, "id_number")


def ordered(rows: Sequence[StudentRow]) -> list[StudentRow]:
    return list(rows)


def sort_out(
    session: Session, rows: Sequence[StudentRow], reach: Reach, whole: Sequence[StudentRow] = ()
) -> Sorted[StudentRow]:
    """What is to be done with each row of the roster of `reach.school`. Opens the identities of those on the books."""
    del whole
    found: Sorted[StudentRow] = Sorted()
    mentors, places = _mentors(session, reach), Places.read(session.connection)
    links: dict[int, tuple[int | None, int | None]] = {}
    books = _Books(session, rows, reach)
    found.known.update(links=links, books=books)
    for one in rows:
        faults, mentor, community = _linked(one, mentors, places)
        links[one.row] = (mentor, community)
        if books.forgotten(one):
            found.skipped.append(one)
            continue
        here = books.find(one)
        if isinstance(here, RowFault):
            faults.append(here)
            found.faults += faults
        elif faults:
            found.faults += faults
        elif here is None:
            found.added.append(one)
        elif _changes(one, here, mentor, community):
            found.changed.append((one, here))
        else:
            found.same += 1
    return found


def told(one: StudentRow) -> dict[str, Any]:
    """The identity that a row tells, as a whistle's form has it."""
    return {"name": one.name, "born": one.born.isoformat(), **one.identity}


class _Books:
    """The students of one school that a list may be about, opened."""

    def __init__(self, session: Session, rows: Sequence[StudentRow], reach: Reach) -> None:
        office = session.office
        self.by_name = {one.row: vault.index_of(office.master, "name", one.name) for one in rows}
        self.by_id = {
            one.row: vault.index_of(office.master, "id_number", one.identity["id_number"])
            for one in rows
            if "id_number" in one.identity
        }
        indexed = office.keystore.index.among(set(self.by_name.values()), set(self.by_id.values()))
        numbers = {number for number, _, _ in indexed}
        mine = student.c.school_id == reach.school
        wanted = or_(student.c.roster_no.in_([one.roster_no for one in rows]), student.c.id.in_(numbers))
        read = session.connection.execute(select(student).where(mine, wanted).order_by(student.c.id)).all()
        self._gone = {row.roster_no for row in read if row.forgotten_at is not None}
        standing = [row for row in read if row.forgotten_at is None]
        opened = _opened(office, standing)
        self._by_roster = {one.roster_no: one for one in opened.values() if one.roster_no is not None}
        self._by_index: dict[bytes, list[There]] = {}
        for number, *keys in indexed:
            for key in keys:
                if number in opened and key is not None:
                    self._by_index.setdefault(bytes(key), []).append(opened[number])

    def forgotten(self, one: StudentRow) -> bool:
        return one.roster_no in self._gone

    def find(self, one: StudentRow) -> There | RowFault | None:
        """The student of a row; None for one who isn't on the books."""
        here = self._by_roster.get(one.roster_no)
        if here is not None:
            return RowFault(one.row, "roster_no", "someone_else") if _another(one, here) else here
        for candidate in self._candidates(one):
            if candidate.roster_no is None:
                return candidate
            return RowFault(one.row, "roster_no", "roster_no_elsewhere")
        return None

    def _candidates(self, one: StudentRow) -> Iterable[There]:
        number = one.identity.get("id_number")
        if one.row in self.by_id:
            yield from self._by_index.get(self.by_id[one.row], ())
        for there in self._by_index.get(self.by_name[one.row], ()):
            same_number = there.identity.get("id_number") in {None, number} or number is None
            # Two of one name and birthday are two students where the school gives them two numbers.
            if there.identity.get("born") == one.born.isoformat() and same_number and there.roster_no is None:
                yield there


def _another(one: StudentRow, here: There) -> bool:
    """A name may be mended, or a birthday; of somebody with neither in common it is another's number."""
    number = one.identity.get("id_number")
    if number is not None and here.identity.get("id_number") == number:
        return False
    return here.identity.get("name") != one.name and here.identity.get("born") != one.born.isoformat()


def _opened(office: Office, rows: Sequence[Row[Any]]) -> dict[int, There]:
    keys = office.keystore.many([row.id for row in rows])
    opened = {}
    for row in rows:
        identity: dict[str, Any] = {}
        if row.identity is not None:
            sealed = vault.open(keys[row.id], enrolment.place_of(row.id), "identity", row.identity)
            identity = json.loads(sealed)
        opened[row.id] = There(row.id, row.roster_no, row.mentor_member_id, row.community_id, identity)
    return opened


def _mentors(session: Session, reach: Reach) -> dict[str, list[int]]:
    held = (
        select(member.c.name, member.c.id)
        .join(post, post.c.member_id == member.c.id)
        .where(post.c.organisation_id == reach.school, post.c.role == "mentor", post.c.until.is_(None), member.c.active)
    )
    found: dict[str, list[int]] = {}
    for name, number in session.connection.execute(held):
        found.setdefault(name, []).append(number)
    return found


def _linked(
    one: StudentRow, mentors: Mapping[str, list[int]], places: Places
) -> tuple[list[RowFault], int | None, int | None]:
    faults, mentor, community = [], None, None
    if one.mentor is not None:
        named = mentors.get(one.mentor, [])
        if len(named) == 1:
            mentor = named[0]
        else:
            faults.append(RowFault(one.row, "mentor", "several_mentors" if named else "no_such_mentor"))
    if one.community is not None:
        place: Organisation | str = places.find(one.community)
        if isinstance(place, str):
            faults.append(RowFault(one.row, "community", place))
        elif place.kind != "community":
            faults.append(RowFault(one.row, "community", "wrong_kind", {"wanted": "community"}))
        else:
            community = place.id
    return faults, mentor, community


def _changes(one: StudentRow, here: There, mentor: int | None, community: int | None) -> bool:
    if here.roster_no != one.roster_no or {**here.identity, **told(one)} != here.identity:
        return True
    return (mentor not in {None, here.mentor}) or (community not in {None, here.community})


def hold(session: Session, rows: Sequence[StudentRow]) -> None:
    """Nobody of these is enrolled by a whistle meanwhile (`cases.intake`); always in the same order."""
    master = session.office.master
    names = sorted({int.from_bytes(vault.index_of(master, "name", one.name)[:8], signed=True) for one in rows})
    lock = text("SELECT count(pg_advisory_xact_lock(one)) FROM unnest(CAST(:names AS bigint[])) AS one")
    session.connection.execute(lock, {"names": names})


def write(session: Session, found: Sorted[StudentRow], reach: Reach, today: date) -> None:
    """Enrol and change what was sorted out. Keys come first: one without a student harms nobody."""
    del today
    books: _Books = found.known["books"]
    office, connection = session.office, session.connection
    if found.added:
        _enrol(session, found, reach, books)
    indexed = []
    rules = office.book_of(office.current).retention
    keys = office.keystore.many([here.id for _, here in found.changed])
    for one, here in found.changed:
        mentor, community = found.known["links"][one.row]
        identity = {**here.identity, **told(one)}
        values: dict[str, Any] = {"roster_no": one.roster_no, "keep_until": rules.keep_until(one.born)}
        values |= {"mentor_member_id": mentor} if mentor is not None else {}
        values |= {"community_id": community} if community is not None else {}
        if identity != here.identity:
            values["identity"] = _sealed(keys[here.id], here.id, identity)
            number = identity.get("id_number")
            by_id = vault.index_of(office.master, "id_number", number) if number else None
            indexed.append((here.id, books.by_name[one.row], by_id))
        connection.execute(update(student).where(student.c.id == here.id).values(values))
    office.keystore.index.put(indexed)


def _enrol(session: Session, found: Sorted[StudentRow], reach: Reach, books: _Books) -> None:
    office, connection = session.office, session.connection
    drawn = select(func.nextval(func.pg_get_serial_sequence("student", "id"))).select_from(
        func.generate_series(1, len(found.added))
    )
    numbers = [int(one) for one in connection.scalars(drawn)]
    keys = office.keystore.create_many(numbers)
    office.keystore.index.put(
        (number, books.by_name[one.row], books.by_id.get(one.row))
        for number, one in zip(numbers, found.added, strict=True)
    )
    rows = []
    rules = office.book_of(office.current).retention
    for number, one in zip(numbers, found.added, strict=True):
        mentor, community = found.known["links"][one.row]
        rows.append(
            {
                "id": number,
                "school_id": reach.school,
                "mentor_member_id": mentor,
                "community_id": community,
                "identity": _sealed(keys[number], number, told(one)),
                "keep_until": rules.keep_until(one.born),
                "roster_no": one.roster_no,
            }
        )
    connection.execute(insert(student), rows)


def _sealed(key: vault.DataKey, number: int, identity: Mapping[str, Any]) -> bytes:
    packed = json.dumps(identity, ensure_ascii=False, separators=(",", ":")).encode()
    return vault.seal(key, enrolment.place_of(number), "identity", packed).blob
