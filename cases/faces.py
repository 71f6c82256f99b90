"""The face of a clock as its row holds it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from policies.faces import Face
from policies.limits import Limit, SameDay, parse_limit


def face_to_json(face: Face) -> dict[str, Any]:
    """A face as its row holds it; what is empty is left out. Instants stay instants: the ledger's JSON knows them."""
    written: dict[str, Any] = {
        "name": face.name,
        "level": face.level,
        "started": face.started,
        "due": face.due,
    }
    if face.calendar is not None:
        written["calendar"] = face.calendar
    if face.limit is not None:
        written["limit"] = str(face.limit)
    if face.extra is not None:
        written["extra"] = str(face.extra)
    if face.rung:
        written["rung"] = face.rung
    if face.wake is not None:
        written["wake"] = face.wake
    for name in ("given", "paused", "met", "cancelled"):
        instant = getattr(face, name)
        if instant is not None:
            written[name] = instant
    for name in ("half", "breached", "provisional", "own"):
        if getattr(face, name):
            written[name] = True
    if face.pauses:
        written["pauses"] = face.pauses
    return written


_READ_LIMITS: dict[str, Limit | SameDay] = {}


def _limit(text: str | None) -> Limit | SameDay | None:
    """A limit read once for each of its few spellings."""
    if text is None:
        return None
    found = _READ_LIMITS.get(text)
    if found is None:
        found = _READ_LIMITS[text] = parse_limit(text)
    return found


def face_from_json(written: Mapping[str, Any]) -> Face:
    """The face that `face_to_json` wrote."""
    read = datetime.fromisoformat
    given, paused, wake = written.get("given"), written.get("paused"), written.get("wake")
    met, cancelled, extra = written.get("met"), written.get("cancelled"), written.get("extra")
    return Face(
        name=written["name"],
        level=written["level"],
        calendar=written.get("calendar"),
        started=read(written["started"]),
        limit=_limit(written.get("limit")),
        given=read(given) if given else None,
        half=written.get("half", False),
        extra=Limit.parse(extra) if extra else None,
        pauses=tuple((read(since), read(until)) for since, until in written.get("pauses", ())),
        paused=read(paused) if paused else None,
        rung=written.get("rung", 0),
        breached=written.get("breached", False),
        due=read(written["due"]),
        wake=read(wake) if wake else None,
        met=read(met) if met else None,
        cancelled=read(cancelled) if cancelled else None,
        provisional=written.get("provisional", False),
        own=written.get("own", False),
    )
