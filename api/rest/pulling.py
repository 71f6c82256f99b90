"""A trigger pulled over HTTP: `engine.fire`, the JSON taken at its word, and what it did as an answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from api.asked import Reader
from api.rest.answers import Moved
from api.rest.asking import etag
from api.rest.shapes import loose
from cases import engine
from cases.engine import Fired
from cases.intake import OPENING
from cases.office import Session
from cases.refusal import FieldFault, Refusal

Done = tuple[int, Moved, dict[str, str]]
_CASES: Final = "/api/v1/cases"


def opened(session: Session, reader: Reader, trigger: object, form: Mapping[str, Any]) -> Done:
    """Open a case by `submit`, `whistle` or `save_draft`."""
    if not isinstance(trigger, str) or trigger not in OPENING:
        code = "missing" if trigger is None else "not_a_choice"
        raise Refusal("invalid", faults=(FieldFault("trigger", code, {"expected": ", ".join(sorted(OPENING))}),))
    fired = _fired(session, reader, None, 0, trigger, form, None)
    headers = {"ETag": etag(fired.case.version), "Location": f"{_CASES}/{fired.case.number}"}
    return 201, _moved(fired), headers


def pulled(
    session: Session,
    reader: Reader,
    number: str,
    track: int | str,
    trigger: str,
    form: Mapping[str, Any],
    version: int | None,
    kind: str | None = None,
) -> Done:
    """Pull a trigger of a track, or open one by its kind. `kind` is what the address says that the track is."""
    fired = _fired(session, reader, number, track, trigger, form, version)
    if kind is not None and fired.track.kind != kind:
        # Under this address there is no such track: nothing is kept of it.
        raise Refusal("not_found")
    headers = {"ETag": etag(fired.case.version)}
    if isinstance(track, str):
        headers["Location"] = f"{_CASES}/{number}/tracks/{fired.track.no}"
        return 201, _moved(fired), headers
    return 200, _moved(fired), headers


def _fired(
    session: Session,
    reader: Reader,
    number: str | None,
    track: int | str,
    trigger: str,
    form: Mapping[str, Any],
    version: int | None,
) -> Fired:
    fired = engine.fire(session, number, track, trigger, reader.actor, form, reader.now, version=version)
    faults = tuple(loose(session.office.tracks[fired.track.kind].by_name[trigger].form, form))
    if faults:
        raise Refusal("invalid", faults=faults)
    return fired


def _moved(fired: Fired) -> Moved:
    return Moved(
        number=fired.case.number,
        state=fired.case.state,
        level=fired.case.level,
        version=fired.case.version,
        track=fired.track.no,
        kind=fired.track.kind,
        track_state=fired.track.state,
        organisation=fired.track.organisation,
        events=list(fired.events),
    )
