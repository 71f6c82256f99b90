"""The tables of who there is: organisations, their members, posts and duty rota, and the students.

Rows are written by `cases.directory` alone (students by the sample city's loader too), which keeps
the rules that a row can't keep by itself: no loop among parents, the kind of organisation that a
role belongs to, a new version of the directory with every change.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    Sequence,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from cases.metadata import metadata

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# The kinds and roles of TRACKS.md, section Who, in its order.
KINDS: Final[tuple[str, ...]] = (
    "city",
    "district",
    "education_bureau",
    "street",
    "community",
    "school",
    "hospital",
    "police",
    "procuratorate",
    "court",
    "civil_affairs",
    "womens_federation",
    "health_commission",
    "youth_league",
    "care_committee",
    "disabled_federation",
    "cyberspace",
    "justice",
    "social_work",
    "guidance_center",
)
ROLES: Final[tuple[str, ...]] = (
    "counselor",
    "principal",
    "mentor",
    "deputy",
    "codirector",
    "officer",
    "lead",
    "liaison",
    "coordinator",
    "supervisor",
    "auditor",
    "admin",
)

LANGUAGES: Final = ("zh_CN", "en")

_DESKS: Final = frozenset({"city", "district"})
_SCHOOL: Final = frozenset({"school"})
_RESPONDING: Final = frozenset(KINDS) - _DESKS - _SCHOOL

# In which kinds of organisation a role can be held. The desk of a district or of the city
# coordinates and oversees; it doesn't respond, so it has no officers.
KINDS_OF_ROLE: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "counselor": _SCHOOL,
        "principal": _SCHOOL,
        "mentor": _SCHOOL,
        "deputy": _SCHOOL,
        "codirector": frozenset({"street"}),
        "officer": _RESPONDING,
        "lead": _RESPONDING,
        "liaison": frozenset({"hospital"}),
        "coordinator": _DESKS,
        "supervisor": _DESKS,
        "auditor": _DESKS,
        "admin": frozenset(KINDS),
    }
)


# Under which kinds an organisation may stand: a desk, its street, or an office of its own line. A kind that isn't here
# stands as most offices do.
_OFFICES: Final = frozenset({"city", "district", "street"})
_UNDER: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "city": frozenset(),
        "district": frozenset({"city"}),
        "street": frozenset({"district"}),
        "community": frozenset({"street"}),
        "school": frozenset({"district", "street", "education_bureau"}),
        "hospital": frozenset({"city", "district", "health_commission"}),
        "guidance_center": _OFFICES | {"education_bureau", "guidance_center"},
    }
)


def kinds_above(kind: str) -> frozenset[str]:
    """The kinds of organisation under which one of that kind may stand."""
    return _UNDER.get(kind, _OFFICES | {kind})


def _one_of(column: str, words: Iterable[str]) -> str:
    return f"{column} IN ({', '.join(repr(word) for word in words)})"


def _key() -> Column[int]:
    # BY DEFAULT, not ALWAYS: the loader draws a range of keys first, because a sealed section
    # is bound to the key of its row.
    return Column("id", BigInteger, Identity(always=False), primary_key=True)


organisation = Table(
    "organisation",
    metadata,
    _key(),
    Column("code", Text, nullable=False, unique=True),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("parent_id", BigInteger, ForeignKey("organisation.id")),
    # Its jurisdictions: itself or the ancestor of that kind; both are written with the parent.
    Column("district_id", BigInteger, ForeignKey("organisation.id")),
    Column("city_id", BigInteger, ForeignKey("organisation.id")),
    # The street in which a school, a community or a police station lies.
    Column("street_id", BigInteger, ForeignKey("organisation.id")),
    # A school's designated hospital [plan 11] and the community that answers for its students by default.
    Column("hospital_id", BigInteger, ForeignKey("organisation.id")),
    Column("community_id", BigInteger, ForeignKey("organisation.id")),
    Column("active", Boolean, nullable=False, server_default=text("true")),
    CheckConstraint(_one_of("kind", KINDS), name="kind"),
    CheckConstraint("parent_id <> id", name="own_parent"),
    CheckConstraint("code <> '' AND name <> ''", name="named"),
    CheckConstraint("kind = 'school' OR (hospital_id IS NULL AND community_id IS NULL)", name="school_links"),
    Index(None, "parent_id"),
    Index(None, "kind", "street_id"),
    Index(None, "kind", "district_id"),
    Index(None, "kind", "city_id"),
)

member = Table(
    "member",
    metadata,
    _key(),
    Column("organisation_id", BigInteger, ForeignKey("organisation.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("phone", Text),
    Column("email", Text),
    Column("language", Text, nullable=False, server_default=text("'zh_CN'")),
    Column("active", Boolean, nullable=False, server_default=text("true")),
    Column("settings", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
    CheckConstraint(_one_of("language", LANGUAGES), name="language"),
    CheckConstraint("name <> ''", name="named"),
    Index(None, "organisation_id"),
)

post = Table(
    "post",
    metadata,
    _key(),
    Column("member_id", BigInteger, ForeignKey("member.id"), nullable=False),
    Column("role", Text, nullable=False),
    Column("organisation_id", BigInteger, ForeignKey("organisation.id"), nullable=False),
    # The school whose station a codirector directs; nobody else has one.
    Column("school_id", BigInteger, ForeignKey("organisation.id")),
    # Days of the policy's time zone, the first and the last on which the post is held.
    Column("since", Date, nullable=False),
    Column("until", Date),
    CheckConstraint(_one_of("role", ROLES), name="role"),
    CheckConstraint("(role = 'codirector') = (school_id IS NOT NULL)", name="codirector_school"),
    CheckConstraint("until >= since", name="term"),
    Index(None, "member_id"),
    Index(None, "organisation_id", "role"),
    Index(None, "school_id", postgresql_where=text("school_id IS NOT NULL")),
    # Nobody holds the same post twice; a school's station has one codirector and a school one
    # principal, or "the principal" whom a clock is owed by would be two people.
    Index(
        "uq_post_held",
        "member_id",
        "role",
        "organisation_id",
        func.coalesce(text("school_id"), text("0")),
        unique=True,
        postgresql_where=text("until IS NULL"),
    ),
    Index(
        "uq_post_principal",
        "organisation_id",
        unique=True,
        postgresql_where=text("role = 'principal' AND until IS NULL"),
    ),
    Index(
        "uq_post_codirector",
        "school_id",
        unique=True,
        postgresql_where=text("role = 'codirector' AND until IS NULL"),
    ),
)

# 教联体工作站(双主任): each school's station and its two directors [plan 3].
station = Table(
    "station",
    metadata,
    Column("school_id", BigInteger, ForeignKey("organisation.id"), primary_key=True, autoincrement=False),
    Column("principal_member_id", BigInteger, ForeignKey("member.id"), nullable=False),
    Column("codirector_member_id", BigInteger, ForeignKey("member.id"), nullable=False),
    CheckConstraint("principal_member_id <> codirector_member_id", name="two_directors"),
)

duty = Table(
    "duty",
    metadata,
    _key(),
    Column("organisation_id", BigInteger, ForeignKey("organisation.id"), nullable=False),
    Column("member_id", BigInteger, ForeignKey("member.id"), nullable=False),
    # On duty from the first instant up to, not including, the second.
    Column("starts_at", DateTime(timezone=True), nullable=False),
    Column("ends_at", DateTime(timezone=True), nullable=False),
    CheckConstraint("ends_at > starts_at", name="shift"),
    UniqueConstraint("organisation_id", "member_id", "starts_at"),
    Index(None, "organisation_id", "ends_at"),
)

student = Table(
    "student",
    metadata,
    _key(),
    Column("school_id", BigInteger, ForeignKey("organisation.id"), nullable=False),
    Column("mentor_member_id", BigInteger, ForeignKey("member.id")),
    # The community of the student's address; empty means the school's.
    Column("community_id", BigInteger, ForeignKey("organisation.id")),
    # Sealed; who the student is stands nowhere in clear. Emptied when the student is forgotten.
    Column("identity", LargeBinary),
    Column("keep_until", Date),
    Column("forgotten_at", DateTime(timezone=True)),
    # The school's own number for the student: what a second import recognises the row by.
    Column("roster_no", Text),
    UniqueConstraint("school_id", "roster_no"),
    CheckConstraint(
        "forgotten_at IS NULL OR identity IS NULL",
        name="forgotten",
    ),
    Index(None, "mentor_member_id"),
)

# Values are drawn from a sequence: a transaction that is rolled back never lends its version to another.
directory_version_sequence = Sequence("directory_version_sequence", metadata=metadata)

# One row, changed by everything that changes organisations, members, posts or duty.
directory_version = Table(
    "directory_version",
    metadata,
    Column("one", Boolean, primary_key=True, server_default=text("true")),
    Column("version", BigInteger, nullable=False),
    CheckConstraint("one", name="single"),
)

# Which sample city was loaded here, so that a load that was stopped goes on with the same one.
sample_city = Table(
    "sample_city",
    metadata,
    Column("one", Boolean, primary_key=True, server_default=text("true")),
    Column("plan", JSONB, nullable=False),
    Column("finished_at", DateTime(timezone=True)),
    CheckConstraint("one", name="single"),
)
