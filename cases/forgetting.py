"""A student is forgotten for good (PIPL art. 47): the key goes, and with it every sealed section, back-ups included."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import Connection, select, update

from cases import ledger
from cases.attached import file
from cases.office import Office, Session
from cases.people import student
from cases.records import case
from cases.refusal import Refusal
from cases.shelf import ShelfFault

if TYPE_CHECKING:
    from cases.sitting import Sitting
    from cases.store import Store

ENDED = frozenset({"closed", "withdrawn", "merged"})


def forget(store: Store, office: Office, number: int, at: datetime, *, why: str) -> list[str]:
    """Forget a student: overwrite the key, empty the identity, remove the files, write it into every case's history.

    Refuses `not_found` for an unknown student and `wrong_state` while a case of theirs is at work, or a mandatory
    report of it. Returns the numbers of the cases. Safe to repeat after a crash: the key goes last among what must
    agree and first among what can be read, so a half-done forgetting is unreadable already. `why` is a code of the
    policy's retention rules, never a person's words.
    """
    with store.begin() as connection:
        found = connection.execute(select(student.c.id).where(student.c.id == number).with_for_update()).first()
        if found is None:
            raise Refusal("not_found")
        owned = connection.execute(
            select(case.c.id, case.c.number, case.c.state).where(case.c.student_id == number).order_by(case.c.number)
        ).all()
        running = [one.number for one in owned if one.state not in ENDED]
        if running:
            raise Refusal("wrong_state", cases=", ".join(running))
        session = Session(connection, office)
        sittings = [ledger.take(session, one.id, None, at) for one in owned]
        # Nothing blocks a mandatory report, the end of its case included: neither may forgetting.
        owing = [one.case.number for one in sittings if _reports(one)]
        if owing:
            raise Refusal("wrong_state", cases=", ".join(owing))
        for sitting in sittings:
            if sitting.case.forgotten:
                continue
            sitting.begin_group()
            record = sitting.case.record
            happened = sitting.happen(record, "case.forgotten", "forget", record.state)
            happened.target = record.state
            happened.open = {"why": why}
        ledger.put(session, sittings)
        connection.execute(update(student).where(student.c.id == number).values(identity=None, forgotten_at=at))
        theirs = file.c.case_id.in_([one.id for one in owned])
        attached = connection.scalars(update(file).where(theirs).values(about=None).returning(file.c.address)).all()
        office.keystore.forget([number], at)
    if office.shelf is not None:
        # Nobody can read them any more; where the shelf can't be reached now, clearing it removes them later.
        with suppress(ShelfFault):
            for address in attached:
                office.shelf.remove(bytes(address))
    return [one.number for one in owned]


def forgotten(connection: Connection) -> list[int]:
    """The students whom the cases say were forgotten, by id: no copy of keys brings them back."""
    found = select(student.c.id).where(student.c.forgotten_at.is_not(None)).order_by(student.c.id)
    return list(connection.scalars(found))


def _reports(sitting: Sitting) -> bool:
    ends = sitting.session.office.tracks["mandatory_report"].ends
    return any(one.state not in ends for one in sitting.case.of_kind("mandatory_report"))
