"""What every answer of the facade has: its type, its version, its words; and the bundle of a search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from email.utils import format_datetime
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlencode
from uuid import uuid4

import orjson
from fastapi import Depends, Request, Response
from starlette.exceptions import HTTPException

from api.fhir.reading import JSON
from api.fhir.shapes import Words
from cases.refusal import FieldFault, Refusal

if TYPE_CHECKING:
    from datetime import datetime

    from api.asked import Reader
    from api.fhir.searching import Search
    from api.house import House
    from cases.office import Session
    from cases.referrals import Referral
    from cases.who import Organisation

_TYPES = frozenset({"*/*", "application/*", JSON, "application/json", "text/json"})


def acceptable(request: Request) -> None:
    """Raises 406 for a client that takes nothing but XML."""
    accepted = [one.partition(";")[0].strip().lower() for one in request.headers.get("accept", "*/*").split(",")]
    if not _TYPES.intersection(accepted):
        raise HTTPException(406)


Acceptable = Depends(acceptable)


async def _parameters(request: Request) -> list[tuple[str, str]]:
    """The parameters of a search, from the address and, of a `_search`, from the form. Raises 415 for another body."""
    given = [(name, value) for name, value in request.query_params.multi_items()]
    if request.method == "POST":
        kind = request.headers.get("content-type", "application/x-www-form-urlencoded").partition(";")[0].strip()
        if kind.lower() != "application/x-www-form-urlencoded":
            raise HTTPException(415)
        given += [(name, value) for name, value in (await request.form()).multi_items() if isinstance(value, str)]
    for pair in given:
        for one in pair:
            if not one.isprintable():
                # No parameter has a use for them, and no text column takes them.
                raise Refusal("invalid", faults=(FieldFault(pair[0][:60], "wrong_form"),))
    return given


Parameters = Annotated[list[tuple[str, str]], Depends(_parameters)]


def base(house: House) -> str:
    """The address of this facade, as the outside knows it."""
    return f"{house.settings.link.rstrip('/')}/fhir/R4"


def words(session: Session, house: House, reader: Reader, concern: str | None = None) -> Words:
    """The words for this reader."""
    office = session.office
    states = {name: state.label for name, state in office.tracks["referral"].states.items()}
    found = office.book_of(office.current).concerns.get(concern) if concern else None
    label = found.label.in_language(reader.language) if found else None
    return Words(base(house), reader.language, states, label)


def places(session: Session, referral: Referral) -> tuple[Organisation, Organisation]:
    """The school that refers and the hospital that it refers to."""
    directory = session.office.directory
    school = directory.organisation(session.connection, referral.school)
    return school, directory.organisation(session.connection, referral.hospital)


def strict(request: Request) -> bool:
    """Whether the client would rather be refused than misunderstood (FHIR R4, 3.1.1.4)."""
    return "handling=strict" in request.headers.get("prefer", "").replace(" ", "").lower()


def told(
    resource: Mapping[str, Any], language: str, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """A resource, or a bundle of them."""
    every = {"Content-Language": language.replace("_", "-"), "Cache-Control": "no-store", **(headers or {})}
    return Response(orjson.dumps(resource), status, every, JSON)


def versioned(version: int, changed: datetime) -> dict[str, str]:
    """The headers that a client compares versions by; `If-Match` takes the tag."""
    return {"ETag": f'W/"{version}"', "Last-Modified": format_datetime(changed, usegmt=True)}


def bundle(
    house: House, kind: str, search: Search, total: int, found: Sequence[Mapping[str, Any]], after: str | None
) -> dict[str, Any]:
    """A searchset with its total and its links; `next` carries on where this page ends."""
    here = base(house)

    def link(relation: str, *more: tuple[str, str]) -> dict[str, str]:
        asked = urlencode([*search.kept, *more])
        return {"relation": relation, "url": f"{here}/{kind}?{asked}" if asked else f"{here}/{kind}"}

    present = [("_cursor", search.cursor)] if search.cursor else []
    links = [link("self", *present)]
    if after is not None:
        links.append(link("next", ("_cursor", after)))
    made: dict[str, Any] = {"resourceType": "Bundle", "id": str(uuid4()), "type": "searchset", "total": total}
    made["link"] = links
    entries = [{"fullUrl": f"{here}/{kind}/{one['id']}", "resource": one, "search": {"mode": "match"}} for one in found]
    if entries:
        made["entry"] = entries
    return made
