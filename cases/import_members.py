"""Members and their posts from a list: known by organisation and name, and by telephone where two share a name.

What a list lacks is left as it is: no post is ended and nobody is taken out of service by an import.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, insert, select, update

from cases import post_notes, posts, registrar
from cases.directory_fault import DirectoryFault
from cases.import_fault import RowFault
from cases.import_organisations import Places
from cases.import_rows import MemberRow, Sorted, twice
from cases.people import LANGUAGES, member, post, station
from cases.who import Organisation

if TYPE_CHECKING:
    from cases.office import Session
    from cases.placing import Reach

_ALONE: Final = ("principal", "codirector")
"""Posts that one person holds at a school."""


@dataclass(frozen=True, slots=True)
class Held:
    """A member who is there: what a row may change, and the posts held without an end."""

    id: int
    name: str
    phone: str | None
    email: str | None
    language: str
    posts: frozenset[tuple[str, int | None]]


class People:
    """The members of some organisations, and who holds what only one may hold."""

    def __init__(self, connection: Connection, organisations: set[int], schools: set[int]) -> None:
        held: dict[int, set[tuple[str, int | None]]] = {}
        query = select(post.c.member_id, post.c.role, post.c.school_id).where(
            post.c.organisation_id.in_(organisations), post.c.until.is_(None)
        )
        for number, role, school in connection.execute(query):
            held.setdefault(number, set()).add((role, school))
        self._named: dict[tuple[int, str], list[Held]] = {}
        there = select(member).where(member.c.organisation_id.in_(organisations), member.c.active)
        for row in connection.execute(there.order_by(member.c.id)):
            one = Held(row.id, row.name, row.phone, row.email, row.language, frozenset(held.get(row.id, ())))
            self._named.setdefault((row.organisation_id, row.name), []).append(one)
        taken = select(post.c.role, post.c.organisation_id, post.c.school_id, post.c.member_id, member.c.name).where(
            post.c.member_id == member.c.id,
            post.c.until.is_(None),
            post.c.role.in_(_ALONE),
            post.c.organisation_id.in_(organisations) | post.c.school_id.in_(schools),
        )
        self.holders = {
            (role, school if role == "codirector" else place): (number, name)
            for role, place, school, number, name in connection.execute(taken)
        }

    def find(self, place: int, one: MemberRow, namesakes: Sequence[MemberRow]) -> Held | RowFault | None:
        """Who this row is about; None for somebody new. `namesakes` are the rows of that name and organisation."""
        here = self._named.get((place, one.name), [])
        by_phone = [held for held in here if one.phone is not None and held.phone == one.phone]
        if by_phone:
            return by_phone[0]
        others = {row.phone for row in namesakes if row is not one}
        left = [held for held in here if held.phone is None or held.phone not in others]
        if len(left) > 1 or (left and len(namesakes) > 1 and one.phone is None):
            return RowFault(one.row, "phone", "several_members")
        if left and len(namesakes) > 1 and left[0].phone is not None:
            return None
        return left[0] if left else None


def across(rows: Sequence[MemberRow]) -> list[RowFault]:
    """What is wrong with the list as a whole."""
    found = twice([(one.row, (one.organisation, one.name, one.phone)) for one in rows], "name")
    alone = [
        (one.row, (role, one.school if role == "codirector" else one.organisation))
        for one in rows
        for role in one.roles
        if role in _ALONE
    ]
    return found + twice(alone, "roles")


def ordered(rows: Sequence[MemberRow]) -> list[MemberRow]:
    return list(rows)


def sort_out(
    session: Session, rows: Sequence[MemberRow], reach: Reach, whole: Sequence[MemberRow] = ()
) -> Sorted[MemberRow]:
    """What is to be done with each row; namesakes are looked for in the `whole` list."""
    places = Places.read(session.connection)
    found: Sorted[MemberRow] = Sorted()
    placed: list[tuple[MemberRow, Organisation, Organisation | None]] = []
    for one in rows:
        place, school, faults = _placed(one, places, reach)
        if faults or place is None:
            found.faults += faults
        else:
            placed.append((one, place, school))
    people = People(
        session.connection,
        {place.id for _, place, _ in placed},
        {school.id for _, _, school in placed if school is not None},
    )
    namesakes: dict[tuple[str, str], list[MemberRow]] = {}
    for one in whole or rows:
        namesakes.setdefault((one.organisation, one.name), []).append(one)
    known: dict[int, tuple[Organisation, Organisation | None]] = {}
    for one, place, school in placed:
        here = people.find(place.id, one, namesakes[one.organisation, one.name])
        if isinstance(here, RowFault):
            found.faults.append(here)
            continue
        taken = list(_taken(one, here, place, school, people))
        if here is not None and here.id == reach.member and _missing(one, here, school):
            taken.append(RowFault(one.row, "roles", "own_post"))
        if taken:
            found.faults += taken
            continue
        known[one.row] = (place, school)
        if here is None:
            found.added.append(one)
        elif _missing(one, here, school) or _changes(one, here):
            found.changed.append((one, here))
        else:
            found.same += 1
    found.known["placed"] = known
    return found


def _placed(
    one: MemberRow, places: Places, reach: Reach
) -> tuple[Organisation | None, Organisation | None, list[RowFault]]:
    faults = []
    there = places.find(one.organisation)
    place, school = None if isinstance(there, str) else there, None
    if isinstance(there, str):
        faults.append(RowFault(one.row, "organisation", there))
    elif not reach.holds(there):
        faults.append(RowFault(one.row, "organisation", "out_of_reach"))
    if one.language is not None and one.language not in LANGUAGES:
        faults.append(RowFault(one.row, "language", "not_one_of", {"known": ", ".join(LANGUAGES)}))
    if one.school is not None:
        named = places.find(one.school)
        if isinstance(named, str):
            return place, None, [*faults, RowFault(one.row, "school", named)]
        school = named
    if school is not None and "codirector" not in one.roles:
        faults.append(RowFault(one.row, "school", "no_school_here", {"role": ", ".join(one.roles) or "–"}))
    for role in one.roles:
        if place is None:
            break
        try:
            posts.check_post(role, place, school if role == "codirector" else None)
        except DirectoryFault as fault:
            field = "school" if fault.code in {"needs_school", "wrong_link"} else "roles"
            faults.append(RowFault(one.row, field, fault.code, fault.facts))
    return place, school, faults


def _taken(
    one: MemberRow, here: Held | None, place: Organisation, school: Organisation | None, people: People
) -> Iterable[RowFault]:
    for role in one.roles:
        whose = school.id if role == "codirector" and school is not None else place.id
        holder = people.holders.get((role, whose))
        if holder is not None and (here is None or holder[0] != here.id):
            yield RowFault(one.row, "roles", "post_taken", {"role": role, "holder": holder[1]})


def _missing(one: MemberRow, here: Held, school: Organisation | None) -> list[str]:
    """The posts of a row that its member doesn't hold yet."""
    number = school.id if school is not None else None
    return [role for role in one.roles if (role, number if role == "codirector" else None) not in here.posts]


def _changes(one: MemberRow, here: Held) -> dict[str, Any]:
    given = {"phone": one.phone, "email": one.email, "language": one.language}
    return {name: value for name, value in given.items() if value is not None and value != getattr(here, name)}


def hold(session: Session, rows: Sequence[MemberRow]) -> None:
    """Changes of the directory wait for each other in any case (`cases.registrar`)."""


def write(session: Session, found: Sorted[MemberRow], reach: Reach, today: date) -> None:
    """Enter and change what was sorted out: one statement for all members, one for all posts."""
    del reach
    if not found.added and not found.changed:
        return
    connection, placed = session.connection, found.known["placed"]
    registrar.touch(connection)
    appointed: list[dict[str, Any]] = []

    def appoint(number: int, one: MemberRow, roles: Sequence[str]) -> None:
        place, school = placed[one.row]
        for role in dict.fromkeys(roles):
            whose = school.id if role == "codirector" and school is not None else None
            values = {"member_id": number, "role": role, "organisation_id": place.id}
            appointed.append({**values, "school_id": whose, "since": one.since or today})

    if found.added:
        values = [
            {
                "organisation_id": placed[one.row][0].id,
                "name": one.name,
                "phone": one.phone,
                "email": one.email,
                "language": one.language or LANGUAGES[0],
            }
            for one in found.added
        ]
        numbers = connection.scalars(insert(member).returning(member.c.id, sort_by_parameter_order=True), values)
        for number, one in zip(numbers.all(), found.added, strict=True):
            appoint(number, one, one.roles)
    for one, here in found.changed:
        changes = _changes(one, here)
        if changes:
            connection.execute(update(member).where(member.c.id == here.id).values(changes))
        appoint(here.id, one, _missing(one, here, placed[one.row][1]))
    if appointed:
        connection.execute(insert(post), appointed)
        names = ("member_id", "role", "organisation_id")
        changed = [
            {"what": "appointed", "day": one["since"]} | {name: one[name] for name in names} for one in appointed
        ]
        post_notes.write(connection, found.known["by"], changed)
        _stations(connection, appointed)


def _stations(connection: Connection, appointed: Sequence[dict[str, Any]]) -> None:
    """A school that has both directors now, and no station yet, has one from here on [plan 3]."""
    schools = {one["school_id"] for one in appointed if one["role"] == "codirector"}
    schools |= {one["organisation_id"] for one in appointed if one["role"] == "principal"}
    if not schools:
        return
    principal, codirector = post.alias("principal"), post.alias("codirector")
    both = (
        select(principal.c.organisation_id, principal.c.member_id, codirector.c.member_id)
        .join(codirector, codirector.c.school_id == principal.c.organisation_id)
        .outerjoin(station, station.c.school_id == principal.c.organisation_id)
        .where(principal.c.organisation_id.in_(schools), principal.c.role == "principal", principal.c.until.is_(None))
        .where(codirector.c.role == "codirector", codirector.c.until.is_(None), station.c.school_id.is_(None))
    )
    names = ("school_id", "principal_member_id", "codirector_member_id")
    rows = [dict(zip(names, row, strict=True)) for row in connection.execute(both)]
    if rows:
        connection.execute(insert(station), rows)
