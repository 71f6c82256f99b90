"""Communication: advice for the school. Creating one tells of the treatment; reading one opens what was said."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from api.asked import Asked, Opening, Reader, Reading, TheHouse, Writing
from api.fhir import answers, reading, searching, shapes
from api.fhir.answers import Acceptable, Parameters
from api.fhir.repeated import Event, IfNoneExist, claimed
from api.fhir.tasks import fire
from api.fhir.updates import Pull
from api.rest.asking import IdempotencyKey
from cases import queries, referrals, vault
from cases.referrals import Wanted
from cases.refusal import Refusal

if TYPE_CHECKING:
    from api.house import House
    from cases.office import Session
    from cases.referrals import Told

router = APIRouter(prefix="/Communication", dependencies=[Acceptable])
Given = Annotated[Any, Depends(reading.body)]
_STATUS = {"zh_CN": "给学校的建议", "en": "advice for the school"}
_ELEMENTS = {"advice_for_school": "Communication.payload", "status": "Communication.topic.text"}


@router.get("")
@router.post("/_search")
def search(request: Request, house: TheHouse, reader: Asked, session: Reading, given: Parameters) -> Response:
    """Updates of treatments by sent, based-on, part-of; without what they say."""
    zone = session.office.book_of(session.office.current).tz
    asked = searching.search("Communication", given, zone, strict=answers.strict(request))
    total = referrals.count_told(session, reader.actor, reader.now, asked.wanted, sent=asked.sent, seq=asked.seq)
    shown, after = [], None
    if asked.most and total:
        page = referrals.told(
            session,
            reader.actor,
            reader.now,
            asked.wanted,
            sent=asked.sent,
            seq=asked.seq,
            cursor=asked.cursor,
            most=asked.most,
        )
        after = page.next
        shown = [_communication(session, house, reader, one, None) for one in page.items]
    return answers.told(answers.bundle(house, "Communication", asked, total, shown, after), reader.language)


@router.get("/{name}")
def read(name: str, house: TheHouse, reader: Asked, session: Opening) -> Response:
    """One update with what it says to the school. The clinical note isn't part of it."""
    number, no, seq = reading.named(name, event=True)
    return _read(session, house, reader, number, no, seq)


@router.post("")
def create(
    house: TheHouse,
    reader: Asked,
    session: Writing,
    given: Given,
    key: IdempotencyKey = None,
    unless: IfNoneExist = None,
) -> Response:
    """Tell the school how to help: the referral is named by basedOn, partOf or about, the advice is the payload.

    With an `Idempotency-Key` or an `If-None-Exist` it is told once, however often it is sent.
    """
    wanted = reading.checked("Communication", given)
    repeated = claimed(session, reader, given, key, unless)
    if repeated.before is not None:
        return _created(session, house, reader, repeated.before.event, repeated.before.status)
    event = _told(session, reader, wanted)
    repeated.keep(session, event)
    return _created(session, house, reader, event)


def _told(session: Session, reader: Reader, wanted: Mapping[str, Any]) -> Event:
    """Pull the trigger that tells the school; the event that it made."""
    number, no, _ = reading.named(_about(wanted))
    found = referrals.one(session, reader.actor, number, no, reader.now)
    if wanted["status"] != "completed":
        raise reading.fault("Communication.status", "not_a_choice", expected="completed")
    parts = [one.get("contentString") for one in wanted.get("payload") or ()]
    if not parts or None in parts:
        raise reading.fault("Communication.payload", "wrong_form" if parts else "missing")
    topic = (wanted.get("topic") or {}).get("text") or _STATUS[reader.language]
    form = {"status": topic, "advice_for_school": "\n".join(map(str, parts))}
    fired = fire(session, reader, found, Pull(referrals.ADVICE, form, _ELEMENTS))
    told = referrals.told(session, reader.actor, reader.now, Wanted(names=[(number, no)]), most=1).items
    seq = next((one.seq for one in told if one.seq in fired.events), fired.events[0])
    return number, no, seq


def _created(session: Session, house: House, reader: Reader, event: Event, before: int | None = None) -> Response:
    """The answer to a creation; `before` is the status where an earlier request made it."""
    number, no, seq = event
    # From here on it only reads, as whoever asks may.
    house.guard(session, reader.actor)
    answer = _read(session, house, reader, number, no, seq)
    answer.status_code = before or 201
    if before is not None:
        answer.headers["Idempotency-Replayed"] = "true"
    answer.headers["Location"] = f"{answers.base(house)}/Communication/{number}.{no}.{seq}/_history/1"
    return answer


def _about(wanted: Mapping[str, Any]) -> str:
    """The logical id of the referral that a Communication belongs to; refuses `invalid` where it names none."""
    for reference in _references(wanted):
        kind, _, name = reference.rpartition("/")
        if kind.rpartition("/")[2] in {"Task", "ServiceRequest"}:
            return name
    raise reading.fault("Communication.basedOn", "missing")


def _references(wanted: Mapping[str, Any]) -> Iterator[str]:
    for element in ("basedOn", "partOf", "about"):
        for one in wanted.get(element) or ():
            if isinstance(one.get("reference"), str):
                yield one["reference"]


def _read(session: Session, house: House, reader: Reader, number: str, no: int, seq: int) -> Response:
    wanted = Wanted(names=[(number, no)])
    found = referrals.told(session, reader.actor, reader.now, wanted, seq=seq, most=1).items
    if not found:
        raise Refusal("not_found")
    made = _communication(session, house, reader, found[0], _advice(session, reader, found[0]))
    return answers.told(made, reader.language, headers=answers.versioned(1, found[0].at))


def _communication(session: Session, house: House, reader: Reader, one: Told, advice: str | None) -> dict[str, Any]:
    school, hospital = answers.places(session, one.referral)
    return shapes.communication(one, answers.words(session, house, reader), hospital, school, advice)


def _advice(session: Session, reader: Reader, one: Told) -> str | None:
    """What was said to the school, opened and logged; nothing where this reader may not read it, or nobody can."""
    actor = referrals.liaison(reader.actor)
    what = f"fhir Communication/{one.name}"
    try:
        opened = queries.open_section(session, one.referral.number, actor, "narrative", what, reader.now)
    except vault.Unreadable:
        return None
    said = next((entry for entry in opened if entry["seq"] == one.seq), {})
    advice: str | None = said.get("advice_for_school") or said.get("status")
    return advice
