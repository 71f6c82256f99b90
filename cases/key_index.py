"""The blind index of students: by name and by ID number, exact only.

It lies in the key store's database, beside the keys and like them outside every back-up of the cases: whoever
holds an old back-up and the master key could otherwise try out ID numbers against a student who was forgotten.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from sqlalchemy import BigInteger, Column, Connection, Index, LargeBinary, Table, delete, func, or_, select, text
from sqlalchemy.dialects.postgresql import insert

from cases.key_tables import keys

if TYPE_CHECKING:
    from cases.store import Store

Entry = tuple[int, bytes, bytes | None]
"""A student's id, the index of the name, and that of the ID number where one is known."""

student_index = Table(
    "student_index",
    keys,
    Column("student_id", BigInteger, primary_key=True, autoincrement=False),
    Column("name_index", LargeBinary, nullable=False),
    Column("id_index", LargeBinary),
    Index("ix_student_index_name", "name_index"),
    Index("ix_student_index_id", "id_index", postgresql_where=text("id_index IS NOT NULL")),
)


class KeyIndex:
    """Finds students by what their name or ID number comes to (`vault.index_of`). Says nothing of who may look."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def put(self, entries: Iterable[Entry]) -> None:
        """Remember students, or what they are called now; one statement for any number."""
        rows = [dict(zip(("student_id", "name_index", "id_index"), one, strict=True)) for one in entries]
        if not rows:
            return
        statement = insert(student_index)
        changed = {name: statement.excluded[name] for name in ("name_index", "id_index")}
        with self._store.begin() as connection:
            connection.execute(statement.on_conflict_do_update(index_elements=["student_id"], set_=changed), rows)

    def by_name(self, index: bytes) -> list[int]:
        """The students of that name, by id."""
        return self._found(student_index.c.name_index == index)

    def by_id_number(self, index: bytes) -> list[int]:
        """The students of that ID number, by id; more than one only where it was typed wrongly."""
        return self._found(student_index.c.id_index == index)

    def among(self, names: set[bytes], numbers: set[bytes]) -> list[Entry]:
        """Everybody of one of those names or ID numbers, in one query."""
        by_name = student_index.c.name_index == func.any(list(names))
        by_number = student_index.c.id_index == func.any(list(numbers))
        query = select(student_index).where(or_(by_name, by_number)).order_by(student_index.c.student_id)
        with self._store.read() as connection:
            return [(number, bytes(name), by_id and bytes(by_id)) for number, name, by_id in connection.execute(query)]

    def _found(self, condition: object) -> list[int]:
        query = select(student_index.c.student_id).where(condition).order_by(student_index.c.student_id)  # type: ignore[arg-type]
        with self._store.read() as connection:
            return list(connection.scalars(query))


def drop(connection: Connection, student_ids: list[int]) -> None:
    """Forget what these students were called, in the transaction that overwrites their keys."""
    connection.execute(delete(student_index).where(student_index.c.student_id == func.any(student_ids)))
