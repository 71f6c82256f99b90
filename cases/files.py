"""Files of a case: kept, listed, opened. Sealed with the student's key, under an address that says nothing.

The address is an HMAC over case, section and content under the student's key: the same photo uploaded twice to a
section of a case is one file, and nobody without the key can tell whether a known photo is among them. The content
lies on the shelf, its name in the row, each sealed to its place.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, time
from typing import TYPE_CHECKING, Final

from sqlalchemy import ColumnElement, Row, func, insert, select, text

from cases import access, evidence, noting, queries, vault
from cases.attached import file
from cases.cleansing import cleansed, name_of
from cases.file_fault import FileFault
from cases.refusal import Refusal
from cases.shelf import ShelfFault

if TYPE_CHECKING:
    from cases.casefile import CaseFile
    from cases.directory import Actor
    from cases.office import Office, Session
    from cases.shelf import Shelf

CASE_BYTES: Final = 500_000_000
CASE_COUNT: Final = 300
DAY_BYTES: Final = 300_000_000
DAY_COUNT: Final = 200
"""What a case holds at most, and what a member may add in a day of the policy's time zone."""

# Whoever clears the shelf takes the same lock alone: nothing may be cleared between its content and its row.
SHARED: Final = text("SELECT pg_advisory_xact_lock_shared(hashtextextended('whistle files', 0))")
_QUOTA: Final = text("SELECT pg_advisory_xact_lock(hashtextextended('whistle files of ' || :whose, 0))")


@dataclass(frozen=True, slots=True)
class Attached:
    """A file as a reader sees it. `reference` is what a form's evidence names it by."""

    address: str
    section: vault.Section
    name: str
    media: str
    size: int
    member: int
    organisation: int
    at: datetime
    event: int | None

    @property
    def reference(self) -> str:
        return evidence.PREFIX + self.address


@dataclass(frozen=True, slots=True)
class Opened:
    """A file that was opened, and logged as such."""

    name: str
    media: str
    content: bytes


def place(case_id: int, address: bytes, what: str) -> str:
    """What a file's content (`content`) or name (`about`) is sealed to."""
    return f"file|{case_id}|{address.hex()}|{what}"


def keep(
    session: Session,
    number: str | int,
    actor: Actor,
    name: str,
    content: bytes,
    section: vault.Section,
    now: datetime,
) -> Attached:
    """Clean, seal and keep a file of a case; writes its row, never commits. Again with the same content it is the same.

    Refuses `not_found` to outsiders, `not_permitted` where the actor doesn't see that section, `wrong_state` for a
    merged case, `invalid` with the file's faults and quotas. Raises ShelfFault, and Forgotten for a forgotten student.
    """
    case, sight = queries.look(session, number, actor, now)
    if sight.of(section) != "yes":
        raise Refusal("not_permitted")
    if case.merged_into is not None or case.forgotten:
        raise Refusal("wrong_state", state="merged" if case.merged_into is not None else case.state, kind="case")
    clean = cleansed(content)
    shown = name_of(name, clean.suffix)
    key = session.office.keystore.of(case.student)
    address = key.address(f"file|{case.id}|{section}", clean.content)
    connection = session.connection
    for whose in sorted((f"case {case.id}", f"member {actor.member_id}")):
        connection.execute(_QUOTA, {"whose": whose})
    there = connection.execute(select(file).where(file.c.address == address)).one_or_none()
    if there is not None and shelf_of(session.office).has(address):
        return _attached(there, key)
    _room(session, case, actor, len(clean.content), now)
    connection.execute(SHARED)
    sealed = vault.seal(key, place(case.id, address, "content"), section, clean.content)
    shelf_of(session.office).put(address, sealed.blob)
    if there is not None:
        return _attached(there, key)
    about = json.dumps({"name": shown, "address": address.hex()}, ensure_ascii=False).encode()
    row = {
        "address": address,
        "case_id": case.id,
        "section": section,
        "media": clean.media,
        "size": len(clean.content),
        "about": vault.seal(key, place(case.id, address, "about"), section, about).blob,
        "member_id": actor.member_id,
        "organisation_id": actor.organisation_id,
        "at": now,
    }
    return _attached(connection.execute(insert(file).values(row).returning(*file.c)).one(), key)


def listed(session: Session, number: str | int, actor: Actor, now: datetime) -> list[Attached]:
    """The files in the sections that the actor sees, oldest first. Reading their names is written into the access log.

    Refuses `not_found` to outsiders.
    """
    case, sight = queries.look(session, number, actor, now)
    return of_case(session, case, sight, actor, now)


def of_case(session: Session, case: CaseFile, sight: access.Sight, actor: Actor, now: datetime) -> list[Attached]:
    """As `listed`, of a case that is at hand with the actor's sight of it (`queries.look`)."""
    seen = [one for one in access.SECTIONS if sight.of(one) == "yes"]
    found = session.connection.execute(
        select(file)
        .where(file.c.case_id == case.id, file.c.section.in_(seen), file.c.about.is_not(None))
        .order_by(file.c.at, file.c.address)
    ).all()
    if not found:
        return []
    noting.note_looks(session, [case], actor, sorted({row.section for row in found}), "files", now)
    key = session.office.keystore.of(case.student)
    return [_attached(row, key) for row in found]


def open_file(
    session: Session, number: str | int, actor: Actor, reference: str, now: datetime, *, what: str = ""
) -> Opened:
    """Open one file and write into the access log that it was opened: by its reference, or under the words of `what`.

    Refuses `not_found` to outsiders and for a file of another case, `not_permitted` where the actor sees the case but
    not that section. Raises `vault.Unreadable` where the content is gone or another's, and ShelfFault.
    """
    case, sight = queries.look(session, number, actor, now)
    address = evidence.address_of(reference)
    here: ColumnElement[bool] = file.c.case_id == case.id
    row = session.connection.execute(select(file).where(here, file.c.address == address)).one_or_none()
    if address is None or row is None or row.about is None:
        raise Refusal("not_found")
    if sight.of(row.section) != "yes":
        raise Refusal("not_permitted")
    noting.note_looks(session, [case], actor, [row.section], what or evidence.reference(address), now)
    key = session.office.keystore.of(case.student)
    about = _attached(row, key)
    sealed = shelf_of(session.office).take(address)
    content = vault.open(key, place(case.id, address, "content"), row.section, sealed)
    return Opened(about.name, row.media, content)


def shelf_of(office: Office) -> Shelf:
    """The shelf of this installation. Raises ShelfFault where it was opened without one."""
    if office.shelf is None:
        raise ShelfFault("unreachable", where="WHISTLE_FILES", why="not opened")
    return office.shelf


def _attached(row: Row[tuple[object, ...]], key: vault.DataKey) -> Attached:
    address: bytes = row.address
    at = place(row.case_id, address, "about")
    about = json.loads(vault.open(key, at, row.section, row.about))
    if about["address"] != address.hex():  # pragma: no cover - the seal is bound to the address already
        raise vault.Unreadable(place=at, section=row.section, why="altered_or_moved")
    return Attached(
        address=address.hex(),
        section=row.section,
        name=about["name"],
        media=row.media,
        size=row.size,
        member=row.member_id,
        organisation=row.organisation_id,
        at=row.at,
        event=row.event_seq,
    )


def _room(session: Session, case: CaseFile, actor: Actor, size: int, now: datetime) -> None:
    book = session.office.book_of(case.policy)
    midnight = datetime.combine(now.astimezone(book.tz).date(), time(0), book.tz)
    limits = (
        ("quota_of_case", file.c.case_id == case.id, CASE_BYTES, CASE_COUNT),
        (
            "quota_of_day",
            (file.c.member_id == actor.member_id) & (file.c.at >= midnight),
            DAY_BYTES,
            DAY_COUNT,
        ),
    )
    for code, whose, most_bytes, most in limits:
        query = select(func.count(), func.coalesce(func.sum(file.c.size), 0)).where(whose)
        count, used = session.connection.execute(query).one()
        if count >= most or used + size > most_bytes:
            raise FileFault(code, limit=str(most_bytes // 1_000_000), count=str(most))
