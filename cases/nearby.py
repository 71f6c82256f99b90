"""The cases near a member, as SQL, and the limits that can be theirs at all: what an agenda begins with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Select, func, or_, select

from cases.casefile import CASE
from cases.directory import Actor
from cases.owing import roles
from cases.records import called, case, track
from cases.track import Track
from cases.waiting import STANDS_IN

_ANYWHERE: Final = frozenset({"assignee", "hospital"})
"""Relations in which any kind of organisation can stand; every other one is the name of a kind."""


@dataclass(frozen=True, slots=True)
class Near:
    """The organisations of a member's posts, by the way in which a case can be theirs."""

    schools: tuple[int, ...]
    districts: tuple[int, ...]
    cities: tuple[int, ...]
    others: tuple[int, ...]

    @classmethod
    def of(cls, actor: Actor) -> Near:
        def at(*kinds: str) -> tuple[int, ...]:
            return tuple({post.organisation_id for post in actor.posts if post.kind in kinds})

        rest = {post.organisation_id for post in actor.posts} - {*at("school", "district", "city")}
        return cls(at("school"), at("district"), at("city"), tuple(rest))

    @property
    def all(self) -> tuple[int, ...]:
        return (*self.schools, *self.districts, *self.cities, *self.others)


_COLUMNS: Final = (
    case.c.id, case.c.number, case.c.version, case.c.events, case.c.level, case.c.concern, case.c.state,
    case.c.school_id, case.c.district_id, case.c.city_id, case.c.student_id, case.c.whistler_id,
    case.c.created_at, case.c.facts,
)  # fmt: skip
PARENT: Final = track.alias("parent")


def nearby(near: Near) -> Select[Any]:
    """The cases near this member, with the organisations of theirs that are called to each."""
    here = (
        select(called.c.case_id, func.array_agg(called.c.organisation_id).label("orgs"))
        .where(called.c.organisation_id.in_(near.others), called.c.until.is_(None))
        .group_by(called.c.case_id)
        .cte("here")
    )
    ways = [
        case.c.school_id.in_(near.schools),
        case.c.district_id.in_(near.districts),
        case.c.city_id.in_(near.cities),
        here.c.case_id.is_not(None),
    ]
    return (
        select(
            *_COLUMNS,
            func.coalesce(track.c.no, CASE).label("no"),
            track.c.kind.label("track_kind"),
            track.c.state.label("track_state"),
            track.c.organisation_id.label("track_organisation"),
            track.c.about_no,
            track.c.parent_no,
            track.c.opened_at.label("opened_at"),
            track.c.facts.label("track_facts"),
            PARENT.c.organisation_id.label("parent_organisation"),
            here.c.orgs.label("here"),
        )
        .select_from(case)
        .outerjoin(here, here.c.case_id == case.c.id)
        .where(or_(*ways))
    )


def limits_of(tracks: Mapping[str, Track], actor: Actor) -> dict[tuple[str, str], bool]:
    """The limits that a member of these posts can owe at all, by kind and name: whether only on a track of their own.

    A coordinator, who is the lead of a district, owes an assignment's limits only where the district itself is
    called: without that, a district's list would read everybody's.
    """
    found: dict[tuple[str, str], bool] = {}
    for kind, declared in tracks.items():
        for one in declared.clocks:
            if not isinstance(one.owed_by, tuple):
                found[kind, one.name] = False
                continue
            owners = (*one.owed_by, *STANDS_IN.get((kind, one.name), ()))
            meant = {owner.partition("@")[2] for owner in owners if _can_be(actor, owner)}
            if meant:
                found[kind, one.name] = meant == {"assignee"}
    return found


def _can_be(actor: Actor, owner: str) -> bool:
    """Whether one of the member's posts has the role that a declared owner means, in a place that it can mean."""
    role, _, relation = owner.partition("@")
    placed = (post for post in actor.posts if relation in _ANYWHERE or post.kind == relation)
    return any(post.role in roles(role, post.kind) for post in placed)
