"""Finding the cases of a student by exact name or ID number, through the blind index; every hit is logged.

There is no search by a part of a name: the index knows only whole ones, and nobody browses children.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from cases import access, loading, noting, vault
from cases.listing import seen
from cases.records import case
from cases.refusal import FieldFault, Refusal

if TYPE_CHECKING:
    from datetime import datetime

    from cases.casefile import CaseFile
    from cases.directory import Actor
    from cases.office import Session

MOST: Final = 50
"""Cases that one search answers; a name that more people bear is narrowed by the ID number."""


def by_identity(
    session: Session,
    actor: Actor,
    now: datetime,
    what: str,
    *,
    name: str | None = None,
    id_number: str | None = None,
) -> list[CaseFile]:
    """The cases of that student of which this reader may see the identity, by number.

    Writes into the access log that the reader looked the student up, for every case found, with `what` it was for.
    Refuses `not_permitted` to roles that see nobody's identity, and `invalid` where nothing is asked for.
    """
    roles = {role for rule in session.office.book_of(session.office.current).sight if rule.identity == "yes"
             for role, _ in rule.who}  # fmt: skip
    if not any(post.role in roles for post in actor.posts):
        raise Refusal("not_permitted", who_can=tuple(sorted(roles)))
    students = _students(session, name, id_number)
    if not students:
        return []
    query = select(case.c.id).where(case.c.student_id.in_(students), seen(session, actor, now))
    keys = list(session.connection.scalars(query.order_by(case.c.number).limit(MOST)))
    if not keys:
        return []
    found = [
        file
        for file in loading.one_by_one(session, keys, lock=False)
        if access.sees(actor, file, session.office.book_of(file.policy), now).identity == "yes"
    ]
    if found:
        noting.note_looks(session, found, actor, ["identity"], what, now)
    return found


def _students(session: Session, name: str | None, id_number: str | None) -> set[int]:
    office = session.office
    asked = {"name": name, "id_number": id_number}
    given = {kind: value for kind, value in asked.items() if value is not None}
    if not given:
        raise Refusal("invalid", faults=(FieldFault("name", "missing"),))
    found: list[set[int]] = []
    for kind, value in given.items():
        try:
            index = vault.index_of(office.master, kind, value)
        except ValueError:
            raise Refusal("invalid", faults=(FieldFault(kind, "missing"),)) from None
        look_up = office.keystore.index.by_name if kind == "name" else office.keystore.index.by_id_number
        found.append(set(look_up(index)))
    return set.intersection(*found)
