"""The cast of a scenario: one district of the sample city with one organisation of each kind, linked as in
life.

Only what the file uses beyond that is built: a second street, another district. Everybody holds one post,
unless the file says that two posts are one person's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from itertools import takewhile
from random import Random
from typing import Any, Final

from sqlalchemy import Connection, insert, text

from cases.people import KINDS, member, organisation, post, station
from cases.registrar import touch
from cases.samples import invented, offices
from cases.samples.gazetteer import District, gazetteer
from cases.scenario.address import Person, Place
from cases.scenario.script import Script

_ROLES: Final[Mapping[str, tuple[str, ...]]] = {
    "city": ("coordinator", "supervisor", "auditor"),
    "district": ("coordinator", "supervisor", "auditor"),
    "school": ("principal", "counselor", "deputy", "mentor"),
    "street": ("lead", "officer", "codirector"),
    "hospital": ("liaison", "lead", "officer"),
}
_RESPONDING: Final = ("lead", "officer")
_IN_A_STREET: Final = frozenset({"school", "community", "police"})
_DESKS: Final = frozenset({"city", "district"})
_POSTED_FOR: Final = timedelta(days=200)
"""Everybody has held their post since so long before the story begins."""


@dataclass(slots=True)
class Cast:
    """Who is on the stage: ids by their names in the file, and the names by the ids."""

    places: dict[Place, int] = field(default_factory=dict)
    people: dict[Person, int] = field(default_factory=dict)
    place_of: dict[int, Place] = field(default_factory=dict)
    name_of: dict[int, str] = field(default_factory=dict)
    posts_of: dict[int, list[Person]] = field(default_factory=dict)

    def posts(self, number: int) -> tuple[Person, ...]:
        """The posts of a member, as the file would name them."""
        return tuple(self.posts_of.get(number, ()))


def assemble(connection: Connection, script: Script) -> Cast:
    """Write the cast into an empty database, in four statements however large it is."""
    cast = Cast()
    for number, one in enumerate(sorted(_places(script), key=_order), 1):
        cast.places[one], cast.place_of[number], cast.name_of[number] = number, one, _name(one)
    posts = list(_posts(cast, script))
    _enlist(cast, posts, script)
    touch(connection)
    connection.execute(insert(organisation).values([_organisation_row(cast, one) for one in cast.places]))
    connection.execute(insert(member).values(list(_member_rows(cast))))
    since = script.start.date() - _POSTED_FOR
    connection.execute(insert(post).values([_post_row(cast, one, since) for one in posts]))
    connection.execute(insert(station).values(list(_stations(cast))))
    for table in ("organisation", "member"):
        # The keys were given here; whoever enters somebody later goes on behind them.
        last = max(cast.place_of if table == "organisation" else cast.posts_of)
        connection.execute(text("SELECT setval(pg_get_serial_sequence(:of, 'id'), :last)"), {"of": table, "last": last})
    return cast


def _places(script: Script) -> set[Place]:
    used = set(script.places) | {one.place for one in script.people}
    # A district whose own organisations act needs all that a case there may call; else its desk alone.
    whole = {1} | {one.district for one in used if one.kind not in _DESKS}
    wanted = {Place("city")}
    for district in whole | {one.district for one in used}:
        kinds = [kind for kind in KINDS if kind != "city"] if district in whole else ["district"]
        wanted.update(Place(kind, 1, district) for kind in kinds)
    for one in used:
        wanted.add(Place("city") if one.kind == "city" else one)
        if one.kind in _IN_A_STREET:
            wanted.add(Place("street", one.number, one.district))
    codirected = {one.place for one in script.people if one.role == "codirector"}
    schools = {one for one in wanted if one.kind == "school"}
    schools |= {Place("school", one.number, one.district) for one in codirected}
    for one in schools:
        wanted.update(Place(kind, one.number, one.district) for kind in ("school", "street", "community", "hospital"))
    return wanted


def _order(one: Place) -> tuple[int, int, int]:
    return (0 if one.kind == "city" else one.district, KINDS.index(one.kind), one.number)


def _district(one: Place) -> District:
    """The first district of a story is 玄武区; the others follow in the gazetteer's order."""
    return gazetteer().districts[one.district - 1]


def _name(one: Place) -> str:
    if one.kind == "city":
        return gazetteer().name
    district, nth = _district(one), one.number - 1
    named = {
        "district": lambda: district.name,
        "street": lambda: district.streets[nth].name,
        "community": lambda: district.streets[nth].communities[0][1],
        "police": lambda: district.streets[nth].name.removesuffix("街道").removesuffix("镇") + "派出所",
        "school": lambda: district.name + invented.school(nth)[0],
        "hospital": lambda: district.name + invented.hospital(nth),
    }
    if one.kind in named:
        return named[one.kind]()
    again = f"第{one.number}分部" if nth else ""
    return _departments(one.district)[one.kind] + again


@cache
def _departments(nth: int) -> Mapping[str, str]:
    """The names of a district's departments, as the sample city has them."""
    planned = offices.of_district(gazetteer().districts[nth - 1], 0)
    return {one.kind: one.name for one in takewhile(lambda one: one.kind != "street", planned)}


def _organisation_row(cast: Cast, one: Place) -> dict[str, Any]:
    def of(kind: str) -> int | None:
        return cast.places.get(Place(kind, one.number, one.district))

    city, district = cast.places[Place("city")], cast.places.get(Place("district", 1, one.district))
    parent = {"city": None, "district": city, "community": of("street")}.get(one.kind, district)
    return {
        "id": cast.places[one],
        "code": f"stage-{one}",
        "kind": one.kind,
        "name": _name(one),
        "parent_id": parent,
        "district_id": None if one.kind == "city" else district,
        "city_id": city,
        "street_id": of("street") if one.kind in _IN_A_STREET else None,
        "hospital_id": of("hospital") if one.kind == "school" else None,
        "community_id": of("community") if one.kind == "school" else None,
    }


def _posts(cast: Cast, script: Script) -> Iterator[Person]:
    """Every sensible post of every place, then those that only the file asks for."""
    given: set[Person] = set()
    for one in cast.places:
        for role in _ROLES.get(one.kind, _RESPONDING):
            if role == "codirector" and Place("school", one.number, one.district) not in cast.places:
                continue
            given.add(Person(role, one))
            yield Person(role, one)
    for person in sorted(script.people - given):
        yield Person(person.role, person.place)


def _enlist(cast: Cast, posts: Iterable[Person], script: Script) -> None:
    """Give every post a member; the posts that the file gives to one person share theirs."""
    shared = {person: group[0] for group in script.one_person for person in group}
    for person in posts:
        first = shared.get(person, person)
        number = cast.people.get(first)
        if number is None:
            number = cast.people[first] = len(cast.posts_of) + 1
        cast.people[person] = number
        cast.posts_of.setdefault(number, []).append(person)


def _member_rows(cast: Cast) -> Iterator[dict[str, Any]]:
    for number, held in cast.posts_of.items():
        first = held[0]
        draw = Random(f"play/{first}")  # noqa: S311 - invented names, and the same each time
        # The deputy is sent by the designated hospital and stays on its staff [plan 11].
        home = Place("hospital", first.place.number, first.place.district) if first.role == "deputy" else first.place
        yield {"id": number, "organisation_id": cast.places[home], "name": invented.person(draw)}


def _post_row(cast: Cast, one: Person, since: date) -> dict[str, Any]:
    school = Place("school", one.place.number, one.place.district) if one.role == "codirector" else None
    return {
        "member_id": cast.people[one],
        "role": one.role,
        "organisation_id": cast.places[one.place],
        "school_id": None if school is None else cast.places[school],
        "since": since,
    }


def _stations(cast: Cast) -> Iterator[dict[str, Any]]:
    for one, number in cast.places.items():
        if one.kind == "school":
            street = Place("street", one.number, one.district)
            yield {
                "school_id": number,
                "principal_member_id": cast.people[Person("principal", one)],
                "codirector_member_id": cast.people[Person("codirector", street)],
            }
