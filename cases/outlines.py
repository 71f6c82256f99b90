"""Students as a list may show them: a name with its middle hidden, grade and class. Nothing else leaves the vault.

An outline isn't an opening of the identity and isn't logged; whoever reads the whole identity is
(`queries.open_section`).
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import select

from cases import enrolment, vault
from cases.office import Session
from cases.people import student
from cases.vault import Unreadable

HIDDEN: Final = "*"


@dataclass(frozen=True, slots=True)
class Outline:
    """A student in one line. `name` is masked (`李*轩`); grade and class are as the school wrote them."""

    name: str
    grade: str
    class_: str


NOBODY: Final = Outline("", "", "")
"""A student who was forgotten, or whose identity was never written down."""


def outlines(session: Session, students: Collection[int]) -> dict[int, Outline]:
    """The outlines of these students: one query, and one of the key store for keys that aren't at hand.

    Asks for no right: the caller shows the name only to whoever sees the identity.
    """
    if not students:
        return {}
    rows = session.connection.execute(
        select(student.c.id, student.c.identity).where(student.c.id.in_(students), student.c.identity.is_not(None))
    ).all()
    keys = session.office.keystore.many([row.id for row in rows])
    found: dict[int, Outline] = dict.fromkeys(students, NOBODY)
    for number, blob in rows:
        key = keys.get(number)
        if key is None:
            continue
        try:
            written = json.loads(vault.open(key, enrolment.place_of(number), "identity", blob))
        except Unreadable:
            continue
        found[number] = outline(written)
    return found


def outline(identity: dict[str, Any]) -> Outline:
    """The outline of one identity."""
    grade = identity.get("grade")
    return Outline(
        masked(str(identity.get("name", ""))), "" if grade is None else str(grade), identity.get("class") or ""
    )


def masked(name: str) -> str:
    """`李明轩` as `李*轩`, `李轩` as `李*`, `Amina Yusuf` as `A*** Y***`."""
    if not name:
        return ""
    if name.isascii():
        return " ".join(f"{part[0]}{HIDDEN * 3}" for part in name.split())
    if len(name) <= 2:
        return name[0] + HIDDEN
    return name[0] + HIDDEN * (len(name) - 2) + name[-1]
