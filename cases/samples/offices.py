"""The offices of the sample city: desks, departments, hospitals, streets, communities, with their people."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Final

from cases.samples import invented
from cases.samples.gazetteer import District, Street, gazetteer

HOSPITALS: Final = 2
"""How many hospitals a district has; its schools take turns in naming one."""

# One of each in every district and one in the city. {0} is the district or the city.
_DEPARTMENTS: Final = {
    "education_bureau": "{0}教育局",
    "police": "{0}公安局",
    "procuratorate": "{0}人民检察院",
    "court": "{0}人民法院",
    "civil_affairs": "{0}民政局",
    "womens_federation": "{0}妇女联合会",
    "health_commission": "{0}卫生健康委员会",
    "youth_league": "共青团{0}委员会",
    "care_committee": "{0}关心下一代工作委员会",
    "disabled_federation": "{0}残疾人联合会",
    "cyberspace": "{0}互联网信息办公室",
    "justice": "{0}司法局",
    "social_work": "{0}社会工作部",
    "guidance_center": "{0}陶老师工作站",
}
_DESK: Final = ("coordinator", "supervisor", "auditor", "admin")
_OFFICE: Final = ("lead", "officer", "officer")
_HOSPITAL: Final = ("liaison", *_OFFICE)


@dataclass(frozen=True, slots=True)
class PlannedMember:
    """A person and the role held; `home` is the code of the organisation whose staff it is, if another."""

    name: str
    role: str
    phone: str
    home: str | None = None


@dataclass(frozen=True, slots=True)
class PlannedOrganisation:
    """An organisation; all others are named by their codes."""

    code: str
    kind: str
    name: str
    parent: str | None
    district: str | None
    members: tuple[PlannedMember, ...]
    street: str | None = None
    hospital: str | None = None
    community: str | None = None


def of_city(seed: int) -> Iterator[PlannedOrganisation]:
    """The city's desk, then its departments."""
    place = gazetteer()
    yield _office(seed, place.code, "city", place.name, None, None, _DESK)
    for kind, name in _DEPARTMENTS.items():
        yield _office(seed, f"{place.code}-{kind}", kind, name.format(place.name), place.code, None, _OFFICE)


def of_district(district: District, seed: int) -> Iterator[PlannedOrganisation]:
    """The district's desk, departments and hospitals, then its streets; a parent always comes first."""
    code = district.code
    yield _office(seed, code, "district", district.name, gazetteer().code, code, _DESK)
    for kind, name in _DEPARTMENTS.items():
        yield _office(seed, f"{code}-{kind}", kind, name.format(district.name), code, code, _OFFICE)
    for number in range(HOSPITALS):
        name = district.name + invented.hospital(number)
        yield _office(seed, hospital_code(district, number), "hospital", name, code, code, _HOSPITAL)
    for street in district.streets:
        yield from _of_street(street, code, seed)


def hospital_code(district: District, number: int) -> str:
    """The code of a district's nth hospital, from 0."""
    return f"{district.code}-hospital-{number + 1}"


def one(draw: Random, role: str, home: str | None = None) -> PlannedMember:
    """An invented member."""
    return PlannedMember(invented.person(draw), role, invented.phone(draw), home)


def _of_street(street: Street, district: str, seed: int) -> Iterator[PlannedOrganisation]:
    yield _office(seed, street.code, "street", street.name, district, district, _OFFICE)
    station = street.name.removesuffix("街道").removesuffix("镇") + "派出所"
    yield _office(
        seed, f"{street.code}-police", "police", station, f"{district}-police", district, _OFFICE, street.code
    )
    for code, name in street.communities:
        yield _office(seed, code, "community", name, street.code, district, _OFFICE, street.code)


def _office(
    seed: int,
    code: str,
    kind: str,
    name: str,
    parent: str | None,
    district: str | None,
    roles: tuple[str, ...],
    street: str | None = None,
) -> PlannedOrganisation:
    draw = Random(f"{seed}/{code}")  # noqa: S311 - samples, and the same each time
    members = tuple(one(draw, role) for role in roles)
    return PlannedOrganisation(code, kind, name, parent, district, members, street)
