"""Who is told: recipients (`role@relation`) as members, in the words of the contract."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cases.access import treating
from cases.directory_fault import DirectoryFault

if TYPE_CHECKING:
    from cases.casefile import CaseFile, Record
    from cases.clockwork import Clock
    from cases.sitting import Sitting
    from policies.ladder import Rung

_DESK = {"district": ("coordinator",), "city": ("coordinator",)}
LEAD_OF = {"school": ("principal",), "hospital": ("liaison",), **_DESK}
"""Where "the lead" of an organisation is told something, a school's is its principal, a hospital's its liaison, and a
desk has its coordinator for everything.
"""
OFFICER_OF = {"school": ("counselor",), "hospital": ("liaison",), **_DESK}
_RUNG_TELLS = {
    "coordinator": ("coordinator@district",),
    "district_supervisor": ("supervisor@district",),
    "city_supervisor": ("supervisor@city",),
}


def members(sitting: Sitting, recipient: str, record: Record) -> Iterator[int]:
    """The members whom a recipient means. Nobody, where the organisation isn't there or has no such post."""
    role, _, relation = recipient.partition("@")
    if role.startswith("member:"):
        yield int(role.removeprefix("member:"))
        return
    for number in organisations(sitting, relation, record):
        yield from posted(sitting, number, role)


def posted(sitting: Sitting, number: int, role: str) -> Iterator[int]:
    """The members who hold that role at that organisation; lead and officer as the contract reads them."""
    session = sitting.session
    kind = session.office.directory.organisation(session.connection, number).kind
    roles = LEAD_OF.get(kind, ("lead",)) if role == "lead" else (role,)
    if role == "officer":
        roles = OFFICER_OF.get(kind, ("officer",))
    for member in session.office.directory.holders(session.connection, number, roles, sitting.now):
        yield member.id


def organisations(sitting: Sitting, relation: str, record: Record) -> Iterator[int]:
    """The organisations that a relation means for this track; where nobody of a kind was called, the nearest."""
    found = list(places(sitting.case, relation, record))
    yield from found
    if found or relation in {"assignee", "hospital"}:
        return
    session = sitting.session
    try:
        yield session.office.directory.nearest(session.connection, sitting.case.school, relation).id
    except DirectoryFault:
        # A district without such an organisation has nobody to tell; the case itself goes on.
        return


def places(case: CaseFile, relation: str, record: Record) -> Iterator[int]:
    """The organisations that a relation means for this track, of those that have to do with the case already."""
    if relation == "school":
        yield case.school
    elif relation in {"district", "jurisdiction"}:
        yield case.district
    elif relation == "city":
        yield case.city
    elif relation == "assignee" and record.organisation is not None:
        yield record.organisation
    elif relation == "hospital":
        hospital = treating(case, record)
        if hospital is not None:
            yield hospital
    elif relation.startswith("organisation:"):
        yield int(relation.removeprefix("organisation:"))
    else:
        standing = [one for one in case.called.values() if one.until is None]
        standing.sort(key=lambda one: (one.since, one.organisation))
        yield from (one.organisation for one in standing if relation in {"assignee", one.kind})


def tell(sitting: Sitting, record: Record, recipients: tuple[str, ...], item: dict[str, object]) -> None:
    """Tell the recipients that a move has happened."""
    for recipient in recipients:
        for member in members(sitting, recipient, record):
            sitting.post(member, "told", item)


def tell_owners(sitting: Sitting, record: Record, clock: Clock) -> None:
    """Whoever owes a clock is told when it starts, and until when."""
    item = _item(record, clock)
    for recipient in sitting.declaration(record).clock_kinds[clock.name].owners(sitting.case, record):
        for member in members(sitting, recipient, record):
            sitting.post(member, "owes", item)


def tell_rung(sitting: Sitting, record: Record, clock: Clock, rung: Rung) -> None:
    """Tell those whom a rung of the ladder names, each once and with the highest that concerns them."""
    item = {**_item(record, clock), "rung": rung.name}
    owners = sitting.declaration(record).clock_kinds[clock.name].owners(sitting.case, record)
    for what in rung.tells:
        if what == "owner":
            for recipient in owners:
                for member in members(sitting, recipient, record):
                    sitting.post(member, rung.name, item)
        elif what == "lead":
            for number in _owing(sitting, record, owners):
                for member in posted(sitting, number, "lead"):
                    sitting.post(member, rung.name, item)
        else:
            for recipient in _RUNG_TELLS[what]:
                for member in members(sitting, recipient, record):
                    sitting.post(member, rung.name, item)


def _owing(sitting: Sitting, record: Record, owners: tuple[str, ...]) -> list[int]:
    """The organisations of those who owe a clock, each once."""
    found: dict[int, None] = {}
    for recipient in owners:
        role, _, relation = recipient.partition("@")
        if not role.startswith("member:"):
            found.update(dict.fromkeys(organisations(sitting, relation, record)))
    return list(found)


def _item(record: Record, clock: Clock) -> dict[str, object]:
    return {
        "track": record.no,
        "kind": record.kind,
        "organisation": record.organisation,
        "clock": clock.name,
        "due": clock.face.due,
    }
