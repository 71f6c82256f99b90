"""Task: what the hospital does about a request. Updating one pulls the referral's triggers, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from api.asked import Asked, Reader, Reading, TheHouse, Writing
from api.fhir import answers, patches, reading, searching, shapes, updates
from api.fhir.answers import Acceptable, Parameters
from cases import engine, referrals
from cases.directory_fault import DirectoryFault
from cases.refusal import FieldFault, Refusal

if TYPE_CHECKING:
    from api.house import House
    from cases.office import Session
    from cases.referrals import Referral

router = APIRouter(prefix="/Task", dependencies=[Acceptable])
Given = Annotated[Any, Depends(reading.body)]


@router.get("")
@router.post("/_search")
def search(request: Request, house: TheHouse, reader: Asked, session: Reading, given: Parameters) -> Response:
    """Tasks by status, business-status, priority, authored-on, focus, identifier, _lastUpdated."""
    zone = session.office.book_of(session.office.current).tz
    asked = searching.search("Task", given, zone, strict=answers.strict(request))
    total = referrals.count(session, reader.actor, reader.now, asked.wanted)
    shown, after = [], None
    if asked.most and total:
        page = referrals.page(session, reader.actor, reader.now, asked.wanted, cursor=asked.cursor, most=asked.most)
        after = page.next
        shown = [_task(session, house, reader, one) for one in page.items]
    return answers.told(answers.bundle(house, "Task", asked, total, shown, after), reader.language)


@router.get("/{name}")
def read(name: str, house: TheHouse, reader: Asked, session: Reading) -> Response:
    """One task. Nothing sealed is in it, so nothing is logged."""
    return _answered(session, house, reader, _found(session, reader, name))


@router.put("/{name}")
def update(name: str, request: Request, house: TheHouse, reader: Asked, session: Writing, given: Given) -> Response:
    """Replace a task, which is to say: pull the triggers that its new status and outputs ask for.

    `If-Match` takes the version of the ETag; 412 when somebody has moved the case since.
    """
    found = _found(session, reader, name)
    wanted = reading.checked("Task", given)
    if wanted.get("id", name) != name:
        raise reading.fault("Task.id", "contradicts")
    return _moved(session, house, reader, found, wanted, reading.version_of(request))


@router.patch("/{name}")
def patch(name: str, request: Request, house: TheHouse, reader: Asked, session: Writing, given: Given) -> Response:
    """As `update`, by a JSON Patch or by the changed elements alone."""
    found = _found(session, reader, name)
    present = _task(session, house, reader, found)
    try:
        changed = (patches.patched if reading.is_patch(request) else patches.merged)(present, given)
    except patches.Unpatchable as unfit:
        raise reading.fault(f"[{unfit.number}]", "wrong_form") from None
    except RecursionError:
        raise reading.fault("Task", "wrong_form") from None
    wanted = reading.checked("Task", changed)
    return _moved(session, house, reader, found, wanted, reading.version_of(request))


def _found(session: Session, reader: Reader, name: str) -> Referral:
    number, no, _ = reading.named(name)
    return referrals.one(session, reader.actor, number, no, reader.now)


def _task(session: Session, house: House, reader: Reader, one: Referral) -> dict[str, Any]:
    return shapes.task(one, *answers.places(session, one), answers.words(session, house, reader))


def _answered(session: Session, house: House, reader: Reader, one: Referral) -> Response:
    made = _task(session, house, reader, one)
    return answers.told(made, reader.language, headers=answers.versioned(one.version, one.changed))


def _moved(
    session: Session,
    house: House,
    reader: Reader,
    found: Referral,
    wanted: Mapping[str, Any],
    version: int | None,
) -> Response:
    if version is not None and version != found.version:
        # Said before it is read: what was written for another version may make no sense with this one.
        raise Refusal("conflict")
    present = _task(session, house, reader, found)

    def hospital(code: str) -> int | None:
        try:
            return session.office.directory.by_code(session.connection, code).id
        except DirectoryFault:
            return None

    pulls = updates.asked_for(found, present, wanted, hospital)
    for pull in pulls:
        fire(session, reader, found, pull, version)
        version = None
    return _answered(session, house, reader, _found(session, reader, found.name))


def fire(
    session: Session, reader: Reader, found: Referral, pull: updates.Pull, version: int | None = None
) -> engine.Fired:
    """Pull one trigger as the hospital's liaison; what is wrong with its form is told by the elements of the Task."""
    actor = referrals.liaison(reader.actor)
    try:
        return engine.fire(session, found.number, found.no, pull.trigger, actor, pull.form, reader.now, version=version)
    except Refusal as refusal:
        if not refusal.faults:
            raise
        faults = tuple(
            FieldFault(pull.elements.get(one.name.partition(".")[0], one.name), one.code, one.facts)
            for one in refusal.faults
        )
        raise Refusal(refusal.code, who_can=refusal.who_can, faults=faults) from None
