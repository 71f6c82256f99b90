"""The plan of the sample city: pure, the same for the same sizes and seed, never in memory as a whole.

Districts, streets and communities are Nanjing's; schools, hospitals and people are invented. A plan knows
nothing of a database: `cases.samples.load` writes it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from itertools import accumulate, pairwise
from random import Random
from typing import Final

from cases.samples import invented, offices
from cases.samples.city_fault import CityFault
from cases.samples.gazetteer import District, Street, gazetteer
from cases.samples.offices import PlannedMember, PlannedOrganisation

MOST_SCHOOLS: Final = 100_000
MOST_STUDENTS: Final = 200_000_000
TERM: Final = date(2025, 9, 1)
"""The first day of the school year in which the city stands; every post is held since then."""

_TO_A_MENTOR: Final = 45
_TO_A_CLASS: Final = 45


@dataclass(frozen=True, slots=True)
class PlannedSchool:
    """A school: its organisation with its people, the codirector from its street, how many students."""

    organisation: PlannedOrganisation
    street: Street
    codirector: PlannedMember
    mentors: int
    students: int
    grades: tuple[int, int]


@dataclass(frozen=True, slots=True)
class PlannedStudent:
    """A student. `mentor` counts the school's mentors from 0; `community` is the code of the address."""

    roster_no: str
    mentor: int
    community: str
    name: str
    born: date
    grade: int
    class_: str
    id_number: str
    guardians: tuple[dict[str, str], ...]
    address: str

    def identity(self) -> dict[str, object]:
        """The identity section's payload, in the fields of a whistle's form."""
        return {
            "name": self.name,
            "born": self.born.isoformat(),
            "grade": self.grade,
            "class": self.class_,
            "id_number": self.id_number,
            "guardians": list(self.guardians),
            "address": self.address,
        }


@dataclass(frozen=True)
class SampleCity:
    """A city of so many schools and students, in the named districts or in all twelve.

    Raises CityFault: no_schools, too_many_schools, students, no_district, twice.
    """

    schools: int = 700
    students: int = 850_000
    seed: int = 2026
    districts: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if self.schools < 1:
            raise CityFault("no_schools", found=str(self.schools))
        if self.schools > MOST_SCHOOLS:
            raise CityFault("too_many_schools", found=str(self.schools), most=str(MOST_SCHOOLS))
        if not 0 <= self.students <= MOST_STUDENTS:
            raise CityFault("students", found=str(self.students), most=str(MOST_STUDENTS))
        known = {district.name for district in gazetteer().districts}
        for number, name in enumerate(self.districts or ()):
            if name not in known:
                listed = "、".join(district.name for district in gazetteer().districts)
                raise CityFault("no_district", what=name, known=listed)
            if name in (self.districts or ())[:number]:
                raise CityFault("twice", what=name)

    def facts(self) -> dict[str, object]:
        """What the plan depends on: two plans with the same facts are the same."""
        names = [district.name for district, _ in self._share]
        return {"schools": self.schools, "students": self.students, "seed": self.seed, "districts": names}

    def planned_districts(self) -> tuple[District, ...]:
        """The districts, in the gazetteer's order."""
        return tuple(district for district, _ in self._share)

    def city_offices(self) -> Iterator[PlannedOrganisation]:
        """The city's desk, then its departments."""
        return offices.of_city(self.seed)

    def district_offices(self, district: District) -> Iterator[PlannedOrganisation]:
        """The district's desk, departments and hospitals, then its streets; parents come first."""
        return offices.of_district(district, self.seed)

    def planned_schools(self, district: District) -> Iterator[PlannedSchool]:
        """The schools of one district, spread over its streets."""
        first = 0
        for other, schools in self._share:
            if other.code == district.code:
                for number in range(schools):
                    yield self._school(district, number, self._sizes[first + number])
            first += schools

    def planned_students(self, school: PlannedSchool, skip: int = 0) -> Iterator[PlannedStudent]:
        """A school's students by roster number, without the first `skip`."""
        code = school.organisation.code
        draw = Random(f"{self.seed}/{code}/students")  # noqa: S311 - samples, and the same each time
        for number in range(school.students):
            student = _student(draw, school, number)
            if number >= skip:
                yield student

    @cached_property
    def _share(self) -> tuple[tuple[District, int], ...]:
        """The districts, each with its number of schools, by the number of its communities."""
        wanted = self.districts
        chosen = [one for one in gazetteer().districts if wanted is None or one.name in wanted]
        return tuple(zip(chosen, shares(self.schools, [one.communities for one in chosen]), strict=True))

    @cached_property
    def _sizes(self) -> list[int]:
        """How many students each school has: the largest three times the smallest, together exactly all."""
        draw = Random(f"{self.seed}/sizes")  # noqa: S311
        return shares(self.students, [draw.randrange(50, 151) for _ in range(self.schools)])

    def _school(self, district: District, number: int, students: int) -> PlannedSchool:
        code = f"{district.code}-school-{number + 1:04d}"
        draw = Random(f"{self.seed}/{code}")  # noqa: S311
        name, first, last = invented.school(number)
        street = district.streets[number % len(district.streets)]
        community, _ = street.communities[number // len(district.streets) % len(street.communities)]
        hospital = offices.hospital_code(district, number % offices.HOSPITALS)
        mentors = max(1, -(-students // _TO_A_MENTOR))
        people = [offices.one(draw, role) for role in ("principal", "counselor")]
        # The deputy is sent by the designated hospital and stays on its staff [plan 11].
        people.append(offices.one(draw, "deputy", home=hospital))
        people.extend(offices.one(draw, "mentor") for _ in range(mentors))
        organisation = PlannedOrganisation(
            code=code,
            kind="school",
            name=district.name + name,
            parent=district.code,
            district=district.code,
            street=street.code,
            hospital=hospital,
            community=community,
            members=tuple(people),
        )
        codirector = offices.one(draw, "codirector", home=street.code)
        return PlannedSchool(organisation, street, codirector, mentors, students, (first, last))


def small(district: str = "玄武区", schools: int = 6, students: int = 240) -> SampleCity:
    """One district, for tests and scenarios: every kind of office, a few schools, a class or two each."""
    return SampleCity(schools=schools, students=students, districts=(district,))


def shares(total: int, weights: list[int]) -> list[int]:
    """Split a total by weights into whole parts that add up to it exactly."""
    whole = sum(weights)
    marks = [total * so_far // whole for so_far in accumulate(weights, initial=0)]
    return [after - before for before, after in pairwise(marks)]


def _student(draw: Random, school: PlannedSchool, number: int) -> PlannedStudent:
    first, last = school.grades
    years = last - first + 1
    step = number * years // school.students
    grade = first + step
    # Ceiling of step·students/years: the first number whose grade this is.
    in_grade = number - -(-step * school.students // years)
    # In grade one are those who were six on the first of September.
    born = date(TERM.year - 6 - grade, 9, 1) + timedelta(days=draw.randrange(365))
    community, name = draw.choice(school.street.communities)
    name = name.removesuffix("居委会").removesuffix("村委会")
    child = invented.person(draw)
    guardian = {
        "name": invented.person(draw),
        "relation": draw.choice(("母亲", "父亲", "祖父", "外祖母")),
        "phone": invented.phone(draw),
    }
    return PlannedStudent(
        roster_no=f"{number + 1:06d}",
        mentor=number * school.mentors // school.students,
        community=community,
        name=child,
        born=born,
        grade=grade,
        class_=f"{in_grade // _TO_A_CLASS + 1}班",
        id_number=invented.id_number(draw, born),
        guardians=(guardian,),
        address=f"{school.street.name}{name}样例路{draw.randrange(1, 400)}号",
    )
