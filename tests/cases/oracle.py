"""What the contract expects of a trigger in the test town, reckoned from `contract.py` and the members' names."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache

from tests.cases import contract

SCHOOL, DISTRICTS = "school", ("district", "city")
COUNSELOR_OF_THE_CASE = frozenset({"counselor", "deputy", "principal"})


@cache
def split(member: str) -> tuple[str, str, str]:
    """Role, organisation and its kind: `officer@street#2` is an officer at `street#2`, a street."""
    role, _, place = member.partition("@")
    return role, place, place.partition("#")[0]


@dataclass(frozen=True, slots=True)
class Situation:
    """What the expectation depends on.

    `called` and `owner` (whose the track is) are organisations by their names; `minds` the mentors who mind the
    student; `narrowed` the members to whom a row is narrowed by what has happened (whoever acknowledged, …).
    """

    called: frozenset[str]
    owner: str | None = None
    hospital: str | None = "hospital"
    minds: frozenset[str] = frozenset()
    glass: frozenset[str] = frozenset()
    in_sight: bool = True
    narrowed: dict[tuple[str, str], frozenset[str]] = field(default_factory=dict)


def sees(member: str, at: Situation) -> bool:
    """Whether a member knows of the case at all (the contract's table of sections, any column)."""
    role, place, kind = split(member)
    if member in at.glass:
        return True
    if place == SCHOOL:
        return role in COUNSELOR_OF_THE_CASE or (role == "mentor" and member in at.minds)
    if place in DISTRICTS:
        return role in {"coordinator", "supervisor"}
    if place not in at.called or not at.in_sight:
        return False
    if kind == "hospital" and role == "liaison":
        return True
    return role in {"officer", "lead"} or (role == "codirector" and kind == "street")


def holds(member: str, right: str, at: Situation) -> bool:
    """Whether a member stands in the relation that a right asks for."""
    role, place, kind = split(member)
    wanted, _, relation = right.partition("@")
    if role != wanted:
        return False
    if relation == "school":
        return place == SCHOOL
    if relation == "jurisdiction":
        return place in DISTRICTS
    if relation == "hospital":
        return place == at.hospital
    if relation == "assignee":
        return place == at.owner if at.owner is not None else place in at.called
    if relation == "anywhere":
        return True
    return kind == relation and place in at.called


def expected(member: str, kind: str, trigger: str, state: str, at: Situation) -> str | None:
    """The code of the first four questions: known, lawful, allowed, state. None where all say yes."""
    row = contract.rows(kind).get(trigger)
    exempt = (kind, trigger) == ("access", "open")
    if not exempt and not sees(member, at):
        return "not_found"
    pulled = contract.PULLED_BY_PEOPLE.get((kind, trigger))
    if pulled is not None:
        source: tuple[str, ...] | None = (pulled[0],)
        by: Iterable[str] = contract.who(pulled[1])
    elif row is None or row.by is None:
        return "not_found"
    else:
        more = contract.MORE_SOURCES.get((kind, trigger))
        source = None if row.source is None else (*row.source, *((more[0],) if more else ()))
        widened = contract.WIDENED.get((kind, trigger))
        by = (*row.by, *(contract.who(widened) if widened else ()))
    reserved = contract.RESERVED.get((kind, trigger))
    if reserved is not None and split(member)[2] not in reserved:
        return "unlawful"
    narrowed = at.narrowed.get((kind, trigger))
    caller = by == ("the caller@",)
    if (narrowed is not None and member not in narrowed) or not (caller or any(holds(member, one, at) for one in by)):
        return "not_permitted"
    if source is not None and state not in source:
        return contract.OWN_CODES.get((kind, trigger), {}).get(state, "wrong_state")
    return None
