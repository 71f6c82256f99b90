"""Rows and what they stand for: cases, tracks, clocks and events between the tables and memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from cases.casefile import Called, CaseFile, Occurrence, Record
from cases.clockwork import Clock
from cases.faces import face_to_json

if TYPE_CHECKING:
    from cases.sitting import Letter


def case_row(case: CaseFile) -> dict[str, Any]:
    """The case's own row, as JSON holds it."""
    return {
        "id": case.id,
        "concern": case.concern,
        "level": case.level,
        "state": case.state,
        "policy": case.policy,
        "closed_at": case.closed,
        "version": case.version,
        "events": case.events,
        "head": _bytes(case.head),
        "last_at": case.last_at,
        "wake_at": case.wake,
        "whistler_id": case.whistler,
        "whistler_role": case.whistler_role,
        "facts": case.record.facts,
        "merged_into": case.merged_into,
    }


def woken_row(case: CaseFile) -> dict[str, Any]:
    """What a rung changes of the case's own row, as JSON holds it."""
    return {
        "id": case.id,
        "version": case.version,
        "events": case.events,
        "head": _bytes(case.head),
        "last_at": case.last_at,
        "wake_at": case.wake,
    }


def track_row(case: CaseFile, record: Record, ended: datetime | None) -> dict[str, Any]:
    """One track's row, as JSON holds it."""
    return {
        "case_id": case.id,
        "no": record.no,
        "kind": record.kind,
        "state": record.state,
        "organisation_id": record.organisation,
        "parent_no": record.parent,
        "about_no": record.about,
        "opened_at": record.opened,
        "ended_at": ended,
        "alarm_at": record.alarm,
        "alarm_move": record.alarm_move,
        "facts": record.facts,
    }


def clock_row(case: CaseFile, clock: Clock) -> dict[str, Any]:
    """One clock's row, as JSON holds it."""
    face = clock.face
    written = face_to_json(face)
    return {
        "case_id": case.id,
        "no": clock.no,
        "track_no": clock.track,
        "name": clock.name,
        "state": face.state,
        "organisation_id": clock.organisation,
        "started_at": written["started"],
        "due_at": written["due"],
        "wake_at": written.get("wake"),
        "stopped_at": written.get("met") or written.get("cancelled"),
        "rung": face.rung,
        "provisional": face.provisional,
        "face": written,
    }


def message_rows(case: CaseFile, letters: Iterable[Letter]) -> list[dict[str, Any]]:
    """The messages as JSON holds them; those who are told alike one after the other share one entry."""
    written: list[dict[str, Any]] = []
    for letter in letters:
        alike = written[-1] if written else None
        if alike is not None and (alike["seq"], alike["kind"], alike["level"], alike["at"], alike["items"]) == (
            letter.seq, letter.kind, letter.level, letter.at, letter.items
        ):  # fmt: skip
            alike["members"].append(letter.member)
            continue
        written.append(
            {
                "case_id": case.id,
                "seq": letter.seq,
                "members": [letter.member],
                "at": letter.at,
                "kind": letter.kind,
                "level": letter.level,
                "items": letter.items,
            }
        )
    return written


def called_row(case: CaseFile, called: Called) -> dict[str, Any]:
    """One called organisation's row, as JSON holds it."""
    return {
        "case_id": case.id,
        "organisation_id": called.organisation,
        "kind": called.kind,
        "since": called.since,
        "until": called.until,
    }


def header(number: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """What the chain covers of an event: every column that is not sealed and not the link itself.

    The same whether the row is about to be written or was read back (`at` as an instant).
    """
    return {"case": number, **{name: row[name] for name in CHAINED}}


CHAINED = (
    "seq",
    "at",
    "track_no",
    "kind",
    "name",
    "trigger",
    "source",
    "target",
    "organisation_id",
    "actor_id",
    "role",
    "actor_organisation_id",
    "cause",
    "confidential",
    "open",
    "signals",
)


def event_row(case_id: int, happened: Occurrence) -> dict[str, Any]:
    """An event's row without its sealed sections and its link."""
    return {
        "case_id": case_id,
        "seq": happened.seq,
        "at": happened.at,
        "track_no": happened.track,
        "kind": happened.kind,
        "name": happened.name,
        "trigger": happened.trigger,
        "source": happened.source,
        "target": happened.target,
        "organisation_id": happened.organisation,
        "actor_id": happened.actor,
        "role": happened.role,
        "actor_organisation_id": happened.actor_organisation,
        "cause": happened.cause,
        "confidential": happened.confidential,
        "open": happened.open,
        "signals": [signal.as_dict() for signal in happened.signals],
    }


def _bytes(value: bytes) -> str:
    return "\\x" + value.hex()
