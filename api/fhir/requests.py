"""ServiceRequest: what the school asks of the hospital. Reading one opens who the student is and why, and is logged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response

from api.asked import Asked, Opening, Reader, Reading, TheHouse
from api.fhir import answers, reading, searching, shapes
from api.fhir.answers import Acceptable, Parameters
from cases import queries, referrals, vault

if TYPE_CHECKING:
    from cases.office import Session
    from cases.referrals import Referral

router = APIRouter(prefix="/ServiceRequest", dependencies=[Acceptable])


@router.get("")
@router.post("/_search")
def search(request: Request, house: TheHouse, reader: Asked, session: Reading, given: Parameters) -> Response:
    """Requests by status, priority, authored, identifier, _lastUpdated; without anything that is sealed."""
    zone = session.office.book_of(session.office.current).tz
    asked = searching.search("ServiceRequest", given, zone, strict=answers.strict(request))
    total = referrals.count(session, reader.actor, reader.now, asked.wanted)
    shown, after = [], None
    if asked.most and total:
        page = referrals.page(session, reader.actor, reader.now, asked.wanted, cursor=asked.cursor, most=asked.most)
        after = page.next
        for one in page.items:
            words = answers.words(session, house, reader, one.concern)
            shown.append(shapes.service_request(one, *answers.places(session, one), words))
    return answers.told(answers.bundle(house, "ServiceRequest", asked, total, shown, after), reader.language)


@router.get("/{name}")
def read(name: str, house: TheHouse, reader: Asked, session: Opening) -> Response:
    """One request with the student and the reason, as far as the reader's sections go."""
    number, no, _ = reading.named(name)
    found = referrals.one(session, reader.actor, number, no, reader.now)
    said = _said(session, reader, found)
    words = answers.words(session, house, reader, found.concern)
    made = shapes.service_request(found, *answers.places(session, found), words, said)
    return answers.told(made, reader.language, headers=answers.versioned(found.version, found.changed))


def _said(session: Session, reader: Reader, found: Referral) -> shapes.Said:
    """Open what this reader may see of the request itself; what else the school wrote stays closed."""
    actor = referrals.liaison(reader.actor)
    _, sight = queries.look(session, found.number, actor, reader.now)
    first = found.steps[0].seq if found.steps else 0
    what = f"fhir ServiceRequest/{found.name}"

    def opened(section: vault.Section) -> list[dict[str, Any]]:
        if sight.of(section) != "yes":
            return []
        try:
            return queries.open_section(session, found.number, actor, section, what, reader.now)
        except vault.Unreadable:
            # A student who was forgotten: the request stands, without anybody in it.
            return []

    identity = next(iter(opened("identity")), None)
    narrative = next((one for one in opened("narrative") if one["seq"] == first), {})
    clinical = next((one for one in opened("clinical") if one["seq"] == first), {})
    return shapes.Said(identity, narrative.get("reason"), narrative.get("purpose"), clinical.get("screening"))
