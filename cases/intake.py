"""A case begins: whose school it is, which student, under which number and which policy version."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from cases import chain, enrolment, ledger, vault
from cases.casefile import CASE, CaseFile, Record
from cases.directory import Actor, Organisation, version_of
from cases.directory_fault import DirectoryFault
from cases.forms import ID_END, Student
from cases.people import student as students
from cases.records import case as cases
from cases.records import case_id_sequence, case_number_sequence
from cases.refusal import FieldFault, Refusal
from cases.sitting import Sitting, plain

if TYPE_CHECKING:
    from cases.desk import CaseDesk
    from cases.office import Session
    from cases.track import Move

OPENING = frozenset({"submit", "whistle", "save_draft"})
"""The triggers of the case that open one where there is none."""
_SCHOOL_ROLES = frozenset({"counselor", "principal", "mentor", "deputy"})


def begin(session: Session, trigger: str, actor: Actor, form: Mapping[str, Any] | None, now: datetime) -> Sitting:
    """A sitting over a case that isn't written yet. Refuses `not_found` where no trigger opens a case."""
    if trigger not in OPENING:
        raise Refusal("not_found")
    session.office.refresh(version_of(session.connection))
    book = session.office.book_of(session.office.current)
    school = _school(session, actor, form)
    file = CaseFile(
        id=0,
        number="",
        student=0,
        school=school.id,
        district=school.district_id or 0,
        city=school.city_id or 0,
        concern="",
        level="",
        policy=book.version,
        created=now,
        version=0,
        events=0,
        head=chain.START,
        last_at=now,
        wake=None,
        whistler=actor.member_id,
        whistler_role=None,
        hospital=school.hospital_id,
        record=Record(CASE, "case", "draft", None, now),
        new=True,
    )
    return Sitting(session, file, book, now, actor)


def _school(session: Session, actor: Actor, form: Mapping[str, Any] | None) -> Organisation:
    """The school that whistles: the actor's own, or the one that the education side names [plan 19]."""
    own = [post.organisation_id for post in actor.posts if post.role in _SCHOOL_ROLES]
    named = (form or {}).get("school")
    # Asked before the form is checked: what can be no id names no school.
    if not isinstance(named, int) or isinstance(named, bool):
        named = None
    elif not 0 < named < ID_END:
        raise Refusal("invalid", faults=(FieldFault("school", "no_organisation"),))
    desk = any(post.role == "coordinator" for post in actor.posts)
    if own and not desk and named is not None and named not in own:
        raise Refusal("not_permitted", who_can=("coordinator@jurisdiction",))
    # Somebody with posts at two schools says which; with one there is nothing to say.
    number = own[0] if named is None and own else named
    directory = session.office.directory
    if number is None:
        if desk:
            raise Refusal("invalid", faults=(FieldFault("school", "missing"),))
        raise Refusal("not_permitted", who_can=("counselor@school", "principal@school"))
    try:
        school = directory.organisation(session.connection, number)
    except DirectoryFault:
        raise Refusal("invalid", faults=(FieldFault("school", "no_organisation"),)) from None
    if school.kind != "school":
        raise Refusal("invalid", faults=(FieldFault("school", "not_a_school"),))
    return school


def refuse_stranger(desk: CaseDesk, move: Move, form: Mapping[str, Any] | None) -> None:
    """A coordinator who names a school of another district is told that, not merely that it isn't permitted."""
    del form
    who_can = tuple(str(one) for one in move.by)
    raise Refusal("not_permitted", who_can=who_can, school=str(desk.case.school))


def enrol(sitting: Sitting, who: Student | None, role: str | None, *, draft: bool) -> None:
    """Give the case its student and, when it is new, its number and its row.

    A student whom this school's records hold already (the same ID number, or the same name and birthday) is that
    student; identity fields that were not given this time are kept. What another school knows of a child stays there,
    as with a roster: a child who has changed schools is a new student of the new one. A draft changes nobody but a
    student whom it has brought along itself.

    Refuses `invalid` for an ID number that the records give to somebody of another name or birthday, and for a draft
    that has come to be about another student.
    """
    case = sitting.case
    if who is None:
        if case.new:
            raise Refusal("invalid", faults=(FieldFault("student", "missing"),))
        return
    if case.new:
        case.student, known = _student(sitting, who)
        _enter(sitting, role)
    else:
        known = _identity(sitting, case.student)
    if not known or _is_its_own(sitting):
        _keep(sitting, plain(who), known)
        return
    if not _means(known, who):
        raise Refusal("invalid", faults=(FieldFault("student.name", "another_student"),))
    if not draft:
        _keep(sitting, {**known, **plain(who)}, known)


def _enter(sitting: Sitting, role: str | None) -> None:
    case, connection = sitting.case, sitting.session.connection
    case.id = int(connection.scalar(select(case_id_sequence.next_value())) or 0)
    running = int(connection.scalar(select(case_number_sequence.next_value())) or 0)
    case.number = f"WH-{sitting.now.astimezone(sitting.book.tz).year}-{running:06d}"
    case.whistler_role = role
    row = connection.execute(
        select(students.c.mentor_member_id, students.c.community_id).where(students.c.id == case.student)
    ).one()
    case.mentor, case.community = row
    # A draft may say neither yet; whoever submits it says both.
    case.concern, case.level = case.concern or "draft", case.level or "blue"
    ledger.enter(sitting.session, case)
    case.new = False


def _is_its_own(sitting: Sitting) -> bool:
    """Whether nothing but this case knows its student: no other case, no roster."""
    number = sitting.case.student
    others = select(cases.c.id).where(cases.c.student_id == number, cases.c.id != sitting.case.id).exists()
    query = select(~others).where(students.c.id == number, students.c.roster_no.is_(None))
    return bool(sitting.session.connection.scalar(query))


def _student(sitting: Sitting, who: Student) -> tuple[int, dict[str, Any]]:
    """The student's id and what is known already; a new row and a new key where nobody is known."""
    session, case = sitting.session, sitting.case
    master, index = session.office.master, session.office.keystore.index
    by_name = vault.index_of(master, "name", who.name)
    # Two whistles about one student at the same moment must find each other, not enrol the student twice.
    session.connection.execute(select(func.pg_advisory_xact_lock(int.from_bytes(by_name[:8], signed=True))))
    if who.id_number is not None:
        for candidate in index.by_id_number(vault.index_of(master, "id_number", who.id_number)):
            if _school_of(sitting, candidate) == case.school:
                known = _identity(sitting, candidate)
                if not _means(known, who):
                    raise Refusal("invalid", faults=(FieldFault("student.id_number", "anothers"),))
                return candidate, known
    for candidate in index.by_name(by_name):
        if _school_of(sitting, candidate) == case.school:
            known = _identity(sitting, candidate)
            if _means(known, who):
                return candidate, known
    school = session.office.directory.organisation(session.connection, case.school)
    number = enrolment.enrol(session.connection, school, keep_until=sitting.book.retention.keep_until(who.born))
    session.office.keystore.create(number)
    return number, {}


def _means(known: Mapping[str, Any], who: Student) -> bool:
    """Whether what is said fits the student whom the records know: name, birthday, and no other ID number."""
    numbers = {known.get("id_number"), who.id_number} - {None}
    return known.get("born") == who.born.isoformat() and known.get("name") == who.name and len(numbers) < 2


def _school_of(sitting: Sitting, number: int) -> int | None:
    """The school of a student who is on the books; None for one who was forgotten or never committed."""
    query = select(students.c.school_id).where(students.c.id == number, students.c.forgotten_at.is_(None))
    found: int | None = sitting.session.connection.scalar(query)
    return found


def _identity(sitting: Sitting, number: int) -> dict[str, Any]:
    session = sitting.session
    blob = session.connection.scalar(select(students.c.identity).where(students.c.id == number))
    if blob is None:
        return {}
    key = session.office.keystore.of(number)
    opened: dict[str, Any] = json.loads(vault.open(key, enrolment.place_of(number), "identity", blob))
    return opened


def _keep(sitting: Sitting, identity: dict[str, Any], known: dict[str, Any]) -> None:
    session, number = sitting.session, sitting.case.student
    if identity == known:
        return
    master = session.office.master
    key = session.office.keystore.of(number)
    packed = json.dumps(identity, ensure_ascii=False, separators=(",", ":")).encode()
    sealed = vault.seal(key, enrolment.place_of(number), "identity", packed)
    id_number = identity.get("id_number")
    enrolment.keep_identity(session.connection, number, sealed.blob)
    by_id = vault.index_of(master, "id_number", id_number) if id_number else None
    session.office.keystore.index.put([(number, vault.index_of(master, "name", identity["name"]), by_id)])
