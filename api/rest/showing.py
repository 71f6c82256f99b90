"""A case, its tracks and its clocks as this reader may see them: the open part only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from api.asked import Reader
from api.rest import answers
from cases import outlines, possible
from cases.access import Sight
from cases.casefile import CASE, CaseFile, Record
from cases.clockwork import Clock
from cases.directory_fault import DirectoryFault
from cases.office import Session
from cases.possible import Possible
from cases.refusal import CODES
from cases.track import Track

SHOWN_FACTS: Final = frozenset(
    {
        "part", "reported_in", "sent_back", "reworked", "upheld", "why", "to", "statutory", "registered", "accepted",
        "round", "week", "opens_on", "needs", "filed", "missing", "late", "risk", "school_part", "opinion",
        "hospital_opinion", "school_signed", "cancellation_requested", "override", "invited", "limit", "extra",
        "proper", "linked", "until",
    }
)  # fmt: skip
"""The facts of a track that anybody who sees the case may see. Who pulled what stands in the history alone."""


def place(reader: Reader) -> int:
    """Which of a pair of labels is the reader's."""
    return 0 if reader.language == "zh_CN" else 1


def name_of(session: Session, organisation: int | None) -> str | None:
    """An organisation's name, from the directory's cache as a rule."""
    if organisation is None:
        return None
    try:
        return session.office.directory.organisation(session.connection, organisation).name
    except DirectoryFault:
        return None


def the_case(session: Session, reader: Reader, file: CaseFile, sight: Sight, into: str | None) -> answers.CaseOpen:
    """The open part of a case."""
    book = session.office.book_of(file.policy)
    spoken = place(reader)
    concern = book.concerns.get(file.concern)
    return answers.CaseOpen(
        number=file.number,
        state=file.state,
        state_label=session.office.tracks["case"].states[file.state].label[spoken],
        level=file.level,
        concern=file.concern,
        concern_label=concern.label.in_language(reader.language) if concern else file.concern,
        school=file.school,
        school_name=name_of(session, file.school) or "",
        district=file.district,
        city=file.city,
        policy=file.policy,
        opened=file.created,
        changed=file.last_at,
        closed=file.closed,
        version=file.version,
        merged_into=into,
        forgotten=file.forgotten,
        grade=_grade(session, file, sight),
        sight=answers.Sight(identity=sight.identity, narrative=sight.narrative, clinical=sight.clinical),
        called=[
            answers.CalledTo(
                organisation=one.organisation,
                name=name_of(session, one.organisation) or "",
                kind=one.kind,
                since=one.since,
                until=one.until,
            )
            for one in file.called.values()
        ],
    )


def _grade(session: Session, file: CaseFile, sight: Sight) -> str | None:
    """Level, school and grade stand in place of a name for whoever sees the identity masked."""
    if sight.identity == "no":
        return None
    return outlines.outlines(session, [file.student])[file.student].grade or None


def the_facts(record_facts: Mapping[str, Any]) -> dict[str, Any]:
    """What is open of a track's facts, and which keys of a two-key move have been turned."""
    shown = {name: value for name, value in record_facts.items() if name in SHOWN_FACTS}
    if record_facts.get("keys"):
        shown["keys_turned"] = {move: sorted(roles) for move, roles in record_facts["keys"].items()}
    return shown


def a_track(session: Session, reader: Reader, file: CaseFile, record: Record) -> answers.TrackFull:
    """One track with every trigger that people pull: may this reader, and if not, why not."""
    declared = session.office.tracks[record.kind]
    found = possible.moves(session, file, record, reader.actor, reader.now)
    return answers.TrackFull(
        **_open_part(session, reader, declared, record),
        triggers=[a_trigger(reader, file, record, one) for one in found],
    )


def _open_part(session: Session, reader: Reader, declared: Track, record: Record) -> dict[str, Any]:
    spoken = place(reader)
    return {
        "no": record.no,
        "kind": record.kind,
        "label": declared.label[spoken],
        "state": record.state,
        "state_label": declared.states[record.state].label[spoken],
        "organisation": record.organisation,
        "organisation_name": name_of(session, record.organisation),
        "parent": record.parent,
        "about": record.about,
        "opened": record.opened,
        "facts": the_facts(record.facts),
    }


def a_trigger(reader: Reader, file: CaseFile, record: Record | None, one: Possible) -> answers.Trigger:
    """A trigger with its address."""
    spoken = place(reader)
    own = record is None or record.no == CASE
    where = one.kind if own or record is None else f"{one.kind}/{record.no}"
    refusal = one.refusal
    return answers.Trigger(
        kind=one.kind,
        trigger=one.move.name,
        label=one.move.label[spoken],
        href=f"/api/v1/cases/{file.number}/{where}/{one.move.name}",
        may=refusal is None,
        refusal=refusal.code if refusal else None,
        why=CODES[refusal.code][spoken] if refusal and refusal.code in CODES else None,
        who_can=list(refusal.who_can) if refusal else [],
    )


def a_clock(session: Session, reader: Reader, file: CaseFile, clock: Clock) -> answers.ClockLine:
    """A clock with the address of its reckoning."""
    record = file.track(clock.track) or file.record
    face = clock.face
    kind = session.office.tracks[record.kind].clock_kinds.get(clock.name)
    return answers.ClockLine(
        no=clock.no,
        track=clock.track,
        kind=record.kind,
        name=clock.name,
        label=kind.label[place(reader)] if kind else clock.name,
        state=face.state,
        level=face.level,
        started=face.started,
        due=face.due,
        stopped=face.met or face.cancelled,
        provisional=face.provisional,
        href=f"/api/v1/cases/{file.number}/clocks/{clock.no}/why",
    )
