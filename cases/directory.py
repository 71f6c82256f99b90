"""Who is responsible, who holds which post, who is on duty: a read cache for the engine's hot path.

The first question about an organisation asks the database, later ones are answered from a dict until the
directory's version changes. Nothing here writes; `cases.registrar` does. A transaction that changes the
directory asks a `Directory` of its own, or what it may yet roll back would be answered to others.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, bindparam, case, func, or_, select

from cases.directory_fault import DirectoryFault
from cases.people import directory_version, organisation, station, student
from cases.roster import IDS, Person, Roster, read_people, read_rosters, steady
from cases.who import Actor, Member, Organisation, Post, Station

__all__ = ["Actor", "Directory", "DirectoryFault", "Member", "Organisation", "Post", "Station", "version_of"]

SHANGHAI: Final = ZoneInfo("Asia/Shanghai")
_EVER: Final = datetime.min.replace(tzinfo=UTC)
_NEVER: Final = datetime.max.replace(tzinfo=UTC)

_COLUMNS: Final = (
    organisation.c.id,
    organisation.c.code,
    organisation.c.kind,
    organisation.c.name,
    organisation.c.parent_id,
    organisation.c.district_id,
    organisation.c.city_id,
    organisation.c.street_id,
    organisation.c.hospital_id,
    organisation.c.community_id,
)
_BY_IDS: Final = select(*_COLUMNS).where(organisation.c.id == IDS)
_BY_CODE: Final = select(*_COLUMNS).where(organisation.c.code == bindparam("wanted"))
_IN_DISTRICT: Final = organisation.c.district_id == bindparam("district")
# The street's own before the district's, the district's before the city's; a police station of another
# street of the district comes only where the district has no office of its own. Of another district none ever
# answers for a school, whatever street it says it lies in.
_NEAREST: Final = (
    select(*_COLUMNS)
    .where(organisation.c.active, organisation.c.kind == bindparam("wanted"))
    .where(organisation.c.city_id == bindparam("city"))
    .where(or_(_IN_DISTRICT, organisation.c.district_id.is_(None)))
    .order_by(
        case(
            (_IN_DISTRICT & (organisation.c.street_id == bindparam("street")), 0),
            (_IN_DISTRICT & organisation.c.street_id.is_(None), 1),
            (_IN_DISTRICT, 2),
            else_=3,
        ),
        organisation.c.id,
    )
    .limit(1)
)
_MENTOR: Final = select(student.c.mentor_member_id).where(student.c.id == bindparam("student"))
_STATION: Final = select(station).where(station.c.school_id == bindparam("school"))
_VERSION: Final = select(func.coalesce(select(directory_version.c.version).scalar_subquery(), 0))


def version_of(connection: Connection) -> int:
    """The directory's present version, as this transaction sees it; 0 where nothing was ever registered."""
    return int(connection.scalar(_VERSION) or 0)


class _Shelf:
    """Everything read under one version."""

    __slots__ = ("actors", "answers", "codes", "nearest", "organisations", "people", "rosters", "version")

    def __init__(self, version: int) -> None:
        self.version = version
        self.organisations: dict[int, Organisation] = {}
        self.codes: dict[str, Organisation] = {}
        self.nearest: dict[tuple[int, str], Organisation] = {}
        self.people: dict[int, Person] = {}
        self.actors: dict[int, tuple[datetime, datetime, Actor]] = {}
        self.rosters: dict[int, Roster] = {}
        self.answers: dict[tuple[int, tuple[str, ...], int | None], tuple[datetime, datetime, tuple[Member, ...]]] = {}

    def put(self, found: Iterable[Organisation]) -> None:
        for one in found:
            self.organisations[one.id] = one
            self.codes[one.code] = one


class Directory:
    """Read cache over organisations, members, posts and rota. Safe to share between threads.

    `zone` is the policy's time zone: the days of a post begin and end at its midnights.
    """

    def __init__(self, version: int, zone: ZoneInfo = SHANGHAI) -> None:
        self._shelf = _Shelf(version)
        self._zone = zone

    @property
    def version(self) -> int:
        """The version under which everything held was read."""
        return self._shelf.version

    def refresh(self, version: int) -> None:
        """Forget everything if the directory's version has changed; costs nothing if it hasn't."""
        if version != self._shelf.version:
            self._shelf = _Shelf(version)

    def organisation(self, connection: Connection, organisation_id: int) -> Organisation:
        """The organisation of that id, an inactive one included. Raises DirectoryFault `no_organisation`."""
        shelf = self._shelf
        found = shelf.organisations.get(organisation_id)
        if found is None:
            _read_organisations(connection, shelf, (organisation_id,))
            found = shelf.organisations.get(organisation_id)
            if found is None:
                raise DirectoryFault("no_organisation", what=str(organisation_id))
        return found

    def by_code(self, connection: Connection, code: str) -> Organisation:
        """The organisation of that code. Raises DirectoryFault `no_organisation`."""
        shelf = self._shelf
        found = shelf.codes.get(code)
        if found is None:
            shelf.put(Organisation(*row) for row in connection.execute(_BY_CODE, {"wanted": code}))
            found = shelf.codes.get(code)
            if found is None:
                raise DirectoryFault("no_organisation", what=code)
        return found

    def holders(
        self,
        connection: Connection,
        organisation_id: int,
        roles: tuple[str, ...],
        at: datetime,
        *,
        school_id: int | None = None,
    ) -> tuple[Member, ...]:
        """Who holds one of the roles there at that instant, by member id; nobody twice.

        Of the officers those on duty, or all while no officer is. `school_id` narrows codirectors to one
        school's station. Inactive members hold nothing.
        """
        shelf = self._shelf
        key = (organisation_id, roles, school_id)
        answer = shelf.answers.get(key)
        if answer is not None and answer[0] <= at < answer[1]:
            return answer[2]
        roster = shelf.rosters.get(organisation_id)
        if roster is None or not roster.starts <= at < roster.ends:
            _read_rosters(connection, shelf, (organisation_id,), at, self._zone)
            roster = shelf.rosters[organisation_id]
        found = roster.holders(organisation_id, roles, school_id, at)
        shelf.answers[key] = (*roster.steady(at), found)
        return found

    def mentor_of(self, connection: Connection, student_id: int, at: datetime) -> Member | None:
        """The student's mentor [plan 9], or None without an active one. Asks the database each time."""
        mentor = connection.scalar(_MENTOR, {"student": student_id})
        person = None if mentor is None else self._person(connection, mentor)
        return None if person is None else person.at(at)

    def member(self, connection: Connection, member_id: int, at: datetime) -> Member:
        """An active member with the posts held at that instant. Raises DirectoryFault `no_member`."""
        person = self._person(connection, member_id)
        if person is None:
            raise DirectoryFault("no_member", what=str(member_id))
        return person.at(at)

    def actor(self, connection: Connection, member_id: int, at: datetime) -> Actor:
        """Who acts, with the posts held at that instant. Raises DirectoryFault `no_member`, inactive too."""
        shelf = self._shelf
        answer = shelf.actors.get(member_id)
        if answer is not None and answer[0] <= at < answer[1]:
            return answer[2]
        person = self._person(connection, member_id)
        if person is None:
            raise DirectoryFault("no_member", what=str(member_id))
        one = person.at(at)
        actor = Actor(one.id, one.name, one.organisation_id, one.posts, one.language)
        shelf.actors[member_id] = (*steady(person.edges(), at, _EVER, _NEVER), actor)
        return actor

    def remembered(self, member_id: int, at: datetime) -> tuple[Actor, Organisation] | None:
        """Who acts and their organisation, if both were read under this version already; asks no database."""
        shelf = self._shelf
        answer = shelf.actors.get(member_id)
        if answer is None or not answer[0] <= at < answer[1]:
            return None
        place = shelf.organisations.get(answer[2].organisation_id)
        return None if place is None else (answer[2], place)

    def station(self, connection: Connection, school_id: int) -> Station | None:
        """The school's station and its two directors, or None. Asks the database each time."""
        row = connection.execute(_STATION, {"school": school_id}).one_or_none()
        return None if row is None else Station(*row)

    def nearest(self, connection: Connection, school_id: int, kind: str) -> Organisation:
        """The organisation of that kind that is responsible for a school.

        Its street, community, designated hospital, district or city by their links; any other kind in the
        school's street, else in its district, else the city's. Raises DirectoryFault `nobody_responsible`.
        """
        shelf = self._shelf
        found = shelf.nearest.get((school_id, kind))
        if found is None:
            found = shelf.nearest[school_id, kind] = self._responsible(connection, school_id, kind)
        return found

    def prefetch(self, connection: Connection, organisation_ids: Collection[int], at: datetime) -> None:
        """Read what is missing of those organisations, their jurisdictions and links: four queries at most.

        Afterwards `organisation` and `holders` of all of them ask nothing more, up to a week from `at`.
        """
        shelf = self._shelf
        for _ in range(2):
            wanted = {one for one in organisation_ids if one not in shelf.organisations}
            if wanted:
                _read_organisations(connection, shelf, wanted)
            organisation_ids = set(organisation_ids) | _linked(shelf, organisation_ids)
        missing = {
            one
            for one in organisation_ids
            if (roster := shelf.rosters.get(one)) is None or not roster.starts <= at < roster.ends
        }
        if missing:
            _read_rosters(connection, shelf, missing, at, self._zone)

    def _person(self, connection: Connection, member_id: int) -> Person | None:
        shelf = self._shelf
        if member_id not in shelf.people:
            shelf.people.update((one.id, one) for one in read_people(connection, (member_id,), self._zone))
        return shelf.people.get(member_id)

    def _responsible(self, connection: Connection, school_id: int, kind: str) -> Organisation:
        school = self.organisation(connection, school_id)
        links = {
            "school": school.id,
            "street": school.street_id,
            "community": school.community_id,
            "hospital": school.hospital_id,
            "district": school.district_id,
            "city": school.city_id,
        }
        if kind in links:
            linked = links[kind]
            if linked is None:
                raise DirectoryFault("nobody_responsible", school=school.name, kind=kind)
            return self.organisation(connection, linked)
        where = {
            "wanted": kind,
            "street": school.street_id,
            "district": school.district_id,
            "city": school.city_id,
        }
        row = connection.execute(_NEAREST, where).one_or_none()
        if row is None:
            raise DirectoryFault("nobody_responsible", school=school.name, kind=kind)
        found = Organisation(*row)
        self._shelf.put((found,))
        return found


def _read_organisations(connection: Connection, shelf: _Shelf, ids: Collection[int]) -> None:
    shelf.put(Organisation(*row) for row in connection.execute(_BY_IDS, {"ids": list(ids)}))


def _read_rosters(connection: Connection, shelf: _Shelf, ids: Collection[int], at: datetime, zone: ZoneInfo) -> None:
    rosters = read_rosters(connection, ids, at, zone)
    shelf.rosters.update(rosters)
    for roster in rosters.values():
        shelf.people.update((person.id, person) for person in roster.people)


def _linked(shelf: _Shelf, ids: Iterable[int]) -> set[int]:
    found: set[int] = set()
    for one in map(shelf.organisations.get, ids):
        if one is not None:
            links = (one.district_id, one.city_id, one.street_id, one.hospital_id, one.community_id)
            found.update(link for link in links if link is not None)
    return found
