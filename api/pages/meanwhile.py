"""Somebody was quicker: who did what since a form was opened, and what was typed into it, kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from starlette.responses import Response

from api.pages.filled import Typed
from api.pages.fired import Opened
from api.pages.frame import Page
from api.pages.telling import Entry, Teller
from api.pages.widget import Widget
from cases import dossier, queries
from cases.casefile import CaseFile
from cases.office import Session


def is_old(file: CaseFile, opened: Opened) -> bool:
    """Whether the case has moved since the form was opened."""
    return opened.version is not None and opened.version != file.version


def since(page: Page, session: Session, file: CaseFile, opened: Opened) -> list[Entry]:
    """What has happened since; the newest first. Only what every reader of the case may know: nothing is opened."""
    if not is_old(file, opened):
        return []
    history = queries.history(session, file, page.reader.actor, after=opened.events)
    names = dossier.names(session, {one.actor for one in history if one.actor is not None})
    teller = Teller(page, session, session.office.book_of(file.policy), names)
    return teller.entries([_told(one) for one in history])


def outrun(
    page: Page,
    session: Session,
    file: CaseFile,
    opened: Opened,
    typed: Typed,
    widgets: Iterable[Widget],
    *,
    reason: str,
    common: Mapping[str, Any],
) -> Response:
    """Who changed what meanwhile. What was typed can be sent all the same; where the state forbids that (`reason`), it
    is shown to be copied, and no button promises what can't be.
    """
    return page.show(
        "conflict.html", session, status=409, changed=since(page, session, file, opened), old=is_old(file, opened),
        typed=typed.items(), written=list(_written(widgets)), reason=reason, opened=Opened.at(file), **common,
    )  # fmt: skip


def _written(widgets: Iterable[Widget]) -> Iterator[tuple[str, str]]:
    """Label and text of what was filled in."""
    for one in widgets:
        yield from _written(one.parts)
        chosen = [choice.label or choice.value for choice in one.choices if choice.chosen]
        said = "\n".join([*chosen, *([one.value] if one.value.strip() and not one.choices else [])])
        if said:
            yield one.label, said


def _told(one: queries.Happened) -> dossier.Told:
    return dossier.Told(
        seq=one.seq, at=one.at, track=one.track, kind=one.kind, name=one.name, trigger=one.trigger, source=None,
        target=one.target, organisation=one.organisation, actor=one.actor, actor_organisation=None, role=one.role,
        cause=None, open=one.open,
    )  # fmt: skip
