"""Organisations are registered and moved here, and nowhere else.

Each call checks what the table can't, writes inside the caller's transaction, and gives the directory a new
version, whose row it holds until the end: changes of the directory come one after the other. Nothing commits.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sqlalchemy import Connection, insert, literal, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from cases.directory_fault import DirectoryFault, OrganisationLoop
from cases.people import KINDS, directory_version, directory_version_sequence, kinds_above, organisation
from cases.who import Organisation

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


def touch(connection: Connection) -> int:
    """Give the directory a new version, never used before, and hold its row until the transaction ends."""
    fresh = {"version": directory_version_sequence.next_value()}
    statement = upsert(directory_version).values(one=True, **fresh)
    statement = statement.on_conflict_do_update(index_elements=["one"], set_=fresh)
    return int(connection.execute(statement.returning(directory_version.c.version)).scalar_one())


def found(
    connection: Connection,
    code: str,
    kind: str,
    name: str,
    parent: Organisation | None = None,
    *,
    street: Organisation | None = None,
    hospital: Organisation | None = None,
    community: Organisation | None = None,
) -> Organisation:
    """Register an organisation. Its district and city follow from the parent; so does its street.

    Raises DirectoryFault: unknown_kind, nameless, needs_parent, wrong_parent, only_schools, wrong_link, code_taken.
    """
    if kind not in KINDS:
        raise DirectoryFault("unknown_kind", what=kind, known=", ".join(KINDS))
    for what, value in (("code", code), ("name", name)):
        named(what, value)
    if parent is None and kind != "city":
        raise DirectoryFault("needs_parent", name=name)
    under(kind, parent)
    if kind != "school" and (hospital or community):
        raise DirectoryFault("only_schools", name=name)
    if street is None and parent is not None and parent.kind == "street":
        street = parent
    for wanted, other in (("street", street), ("hospital", hospital), ("community", community)):
        linked(name, wanted, other)
    touch(connection)
    taken = connection.scalar(select(organisation.c.name).where(organisation.c.code == code))
    if taken is not None:
        raise DirectoryFault("code_taken", code=code, name=taken)
    statement = (
        insert(organisation)
        .values(
            code=code,
            kind=kind,
            name=name,
            parent_id=id_of(parent),
            district_id=parent.district_id if parent else None,
            city_id=parent.city_id if parent else None,
            street_id=id_of(street),
            hospital_id=id_of(hospital),
            community_id=id_of(community),
        )
        .returning(*_COLUMNS)
    )
    founded = Organisation(*connection.execute(statement).one())
    if kind in {"city", "district"}:
        # A district lies in itself, as a city does: then one comparison asks for a jurisdiction.
        own = {"city_id": founded.id} if kind == "city" else {"district_id": founded.id}
        changed = update(organisation).where(organisation.c.id == founded.id).values(**own)
        founded = Organisation(*connection.execute(changed.returning(*_COLUMNS)).one())
    return founded


def move(connection: Connection, moved: Organisation, parent: Organisation) -> Organisation:
    """Put an organisation, with all below it, under another parent; their district and city follow.

    Streets and a school's links stay as they are. Raises OrganisationLoop when the parent stands below it, and
    DirectoryFault wrong_parent.
    """
    touch(connection)
    below = (
        select(organisation.c.id, organisation.c.kind, literal(0).label("depth"))
        .where(organisation.c.id == moved.id)
        .cte("below", recursive=True)
    )
    below = below.union_all(
        select(organisation.c.id, organisation.c.kind, below.c.depth + 1).where(organisation.c.parent_id == below.c.id)
    )
    tree = connection.execute(select(below.c.id, below.c.kind).order_by(below.c.depth)).all()
    if parent.id in {row.id for row in tree}:
        raise OrganisationLoop(name=moved.name, parent=parent.name)
    under(moved.kind, parent)
    connection.execute(update(organisation).where(organisation.c.id == moved.id).values(parent_id=parent.id))
    for row in tree:
        _inherit(connection, row.id, row.kind)
    return Organisation(*connection.execute(select(*_COLUMNS).where(organisation.c.id == moved.id)).one())


def amend(connection: Connection, changed: Organisation, name: str, links: Mapping[str, Organisation | None]) -> None:
    """Give an organisation another name or other links (street, hospital, community); a missing link stays as it is.

    Raises DirectoryFault: nameless, only_schools, wrong_link.
    """
    named("name", name)
    given = {link: other for link, other in links.items() if other is not None}
    if changed.kind != "school" and given.keys() - {"street"}:
        raise DirectoryFault("only_schools", name=name)
    for wanted, other in given.items():
        linked(name, wanted, other)
    touch(connection)
    values = {"name": name, **{f"{link}_id": other.id for link, other in given.items()}}
    connection.execute(update(organisation).where(organisation.c.id == changed.id).values(values))


def _inherit(connection: Connection, organisation_id: int, kind: str) -> None:
    above = organisation.alias("above")
    connection.execute(
        update(organisation)
        .where(organisation.c.id == organisation_id, above.c.id == organisation.c.parent_id)
        .values(
            district_id=organisation_id if kind == "district" else above.c.district_id,
            city_id=organisation_id if kind == "city" else above.c.city_id,
        )
    )


def under(kind: str, parent: Organisation | None) -> None:
    """Raises DirectoryFault wrong_parent where no organisation of that kind stands under such a one."""
    if parent is not None and parent.kind not in kinds_above(kind):
        kinds = ", ".join(one for one in KINDS if one in kinds_above(kind)) or "–"
        raise DirectoryFault("wrong_parent", kind=kind, kinds=kinds, name=parent.name)


def linked(name: str, link: str, other: Organisation | None) -> None:
    """Raises DirectoryFault wrong_link when what is linked isn't of the kind that the link is called by."""
    if other is not None and other.kind != link:
        raise DirectoryFault("wrong_link", name=name, link=link, wanted=link, found=other.name)


def named(what: str, value: str) -> None:
    """Raises DirectoryFault nameless for an empty name or code."""
    if not value.strip():
        raise DirectoryFault("nameless", what=what)


def id_of(other: Organisation | None) -> int | None:
    """The id of an organisation that may be missing."""
    return None if other is None else other.id
