"""The directory's values: organisations, posts, members, whoever acts. Frozen, and free of the database."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Organisation:
    """One organisation. The ids name others: its jurisdictions (or itself), its street, a school's links."""

    id: int
    code: str
    kind: str
    name: str
    parent_id: int | None
    district_id: int | None
    city_id: int | None
    street_id: int | None
    hospital_id: int | None
    community_id: int | None


@dataclass(frozen=True, slots=True)
class Post:
    """A role at an organisation of that kind; `school_id` names the station of a codirector."""

    role: str
    organisation_id: int
    kind: str
    school_id: int | None = None


@dataclass(frozen=True, slots=True)
class Member:
    """A member with the posts held at the instant asked about."""

    id: int
    name: str
    organisation_id: int
    posts: tuple[Post, ...]
    language: str = "zh_CN"


@dataclass(frozen=True, slots=True)
class Actor:
    """Whoever pulls a trigger, with the posts held at that instant. Rights come from the posts alone."""

    member_id: int
    name: str
    organisation_id: int
    posts: tuple[Post, ...]
    language: str = "zh_CN"


@dataclass(frozen=True, slots=True)
class Station:
    """教联体工作站: a school's station and its two directors [plan 3]."""

    school_id: int
    principal_member_id: int
    codirector_member_id: int
