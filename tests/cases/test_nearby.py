"""What an agenda asks the database for: every limit that a member can owe, and of others' tracks none for nothing."""

from __future__ import annotations

import pytest

from cases import agenda
from cases.casefile import Record
from cases.directory import Actor, Post
from cases.nearby import limits_of
from cases.people import KINDS_OF_ROLE
from cases.track import discover
from cases.waiting import STANDS_IN
from tests.town import START

OWN, OTHER = 7, 8
POSTS = sorted((role, kind) for role, kinds in KINDS_OF_ROLE.items() for kind in kinds)


@pytest.mark.parametrize(("role", "kind"), POSTS, ids=[f"{role}@{kind}" for role, kind in POSTS])
def test_exactly_the_limits_are_asked_for_that_a_post_can_owe(role: str, kind: str) -> None:
    """As the agenda judges row by row: of a case of this very place, once on its own track and once on another's."""
    actor = Actor(1, "somebody", 1, (Post(role, OWN, kind),))
    of_case = {f"{one}_id": OWN if one == kind else OTHER for one in ("school", "district", "city")}
    row = {**of_case, "here": [OWN], "parent_organisation": None, "whistler_id": None}
    asked = limits_of(discover(), actor)
    for track, declared in discover().items():
        for clock in declared.clocks:
            if not isinstance(clock.owed_by, tuple):
                assert asked[track, clock.name] is False, "whose it is its track says: all are read"
                continue
            owners = (*clock.owed_by, *STANDS_IN.get((track, clock.name), ()))

            def owed(organisation: int, owners: tuple[str, ...] = owners, track: str = track) -> bool:
                record = Record(1, track, "open", organisation, START)
                return any(agenda._fits(actor, one, row, record) for one in owners)  # type: ignore[arg-type]

            assert ((track, clock.name) in asked) is owed(OWN), clock.name
            if asked.get((track, clock.name)):
                assert not owed(OTHER), clock.name


def test_a_coordinator_reads_no_assignment_of_others() -> None:
    asked = limits_of(discover(), Actor(1, "somebody", 1, (Post("coordinator", OWN, "district"),)))
    assert asked["assignment", "feedback"] is True
    assert asked["case", "settle"] is False
