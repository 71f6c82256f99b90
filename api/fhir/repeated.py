"""A resource that is created twice by a client that heard no answer: by the same key it is created once.

`Idempotency-Key` as everywhere, and FHIR's `If-None-Exist`, whose criteria are a key as well: what they named when it
was created is answered for 24 hours, whatever the later request says beside them. Kept is which event it was, never
what it says.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import orjson
from fastapi import Header

from cases import asked_twice
from cases.asked_twice import Answer, Claim

if TYPE_CHECKING:
    from api.asked import Reader
    from cases.office import Session

IfNoneExist = Annotated[str | None, Header(alias="If-None-Exist", min_length=1, max_length=500, pattern=r"^[!-~]+$")]
Event = tuple[str, int, int]
"""Number of the case, of the track, of the event."""


@dataclass(frozen=True, slots=True)
class Before:
    """What the same request made before, and the status that says so."""

    event: Event
    status: int


@dataclass(frozen=True, slots=True)
class Repeated:
    """The keys of one request, claimed until its transaction ends; `before` where one of them was used already."""

    held: tuple[Claim, ...]
    before: Before | None

    def keep(self, session: Session, event: Event) -> None:
        """Keep beside the work what it made."""
        for one in self.held:
            asked_twice.keep(session, one, Answer(201, list(event), {}))


def claimed(session: Session, reader: Reader, given: Any, key: str | None, unless: str | None) -> Repeated:  # noqa: ANN401 - JSON
    """Claim the keys of a request. Refuses `invalid` where `Idempotency-Key` was used for another one."""
    keys = []
    if key is not None:
        keys.append((f"fhir {key}", orjson.dumps(given, option=orjson.OPT_SORT_KEYS), 201))
    if unless is not None:
        keys.append((f"fhir if-none-exist {unless}", b"", 200))
    held: list[Claim] = []
    before = None
    for name, request, status in keys:
        found = asked_twice.claim(session, reader.actor.member_id, name, request, reader.now)
        if isinstance(found, Claim):
            held.append(found)
        elif before is None:
            number, no, seq = found.body
            before = Before((number, no, seq), status)
    repeated = Repeated(tuple(held), before)
    if before is not None:
        repeated.keep(session, before.event)
    return repeated
