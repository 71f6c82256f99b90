"""Sending a form: once, at the version that was on the screen, and told kindly when it can't be."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import FormData
from starlette.requests import Request

from api.given import number_of
from api.pages.frame import Page
from cases import access, asked_twice, engine
from cases.asked_twice import Answer
from cases.casefile import CaseFile
from cases.office import Session


@dataclass(frozen=True, slots=True)
class Opened:
    """What a form carries unseen: its key, and the version and the number of events that it was opened at."""

    key: str
    version: int | None
    events: int

    @classmethod
    def at(cls, case: CaseFile | None) -> Opened:
        """A form that is opened now."""
        if case is None:
            return cls(secrets.token_urlsafe(16), None, 0)
        return cls(secrets.token_urlsafe(16), case.version, case.events)

    @classmethod
    def of(cls, posted: FormData) -> Opened:
        """What came back with a form; without a key it is a new one."""
        key = str(posted.get("_key", ""))[:80] or secrets.token_urlsafe(16)
        return cls(key, _whole(posted.get("_version")), _whole(posted.get("_events")) or 0)


def _whole(text: object) -> int | None:
    return number_of(str(text or ""))


def fire(
    page: Page,
    case: str | None,
    track: str,
    trigger: str,
    form: Mapping[str, Any] | None,
    opened: Opened,
    asked: Sequence[str] = (),
) -> str:
    """Pull a trigger in a transaction of its own and answer where the reader goes then; a second time the same.

    `asked` is what was sent, where the form was gathered from what has been kept. Refuses with Refusal; nothing has
    changed then.
    """
    request = _request(asked or [case, track, trigger, form])
    with page.writing() as session:
        actor, now = page.reader.actor, page.reader.now
        held = asked_twice.claim(session, actor.member_id, _key(opened), request, now)
        if isinstance(held, Answer):
            return str(held.body["to"])
        no = number_of(track)
        address: int | str = track if no is None else no
        done = engine.fire(session, case, address, trigger, actor, form, now, version=opened.version)
        to = _onward(page, session, done.case, done.events)
        asked_twice.keep(session, held, Answer(303, {"to": to}, {}))
    # What was kept of it while it was written isn't needed any more.
    page.house.kept.keystore.unsent.drop(page.reader.member.id, address_of(page.request))
    return to


def address_of(request: Request) -> str:
    """The address of a form's own page: files are sent to one behind it."""
    path = request.url.path.removesuffix("/attachments")
    return path + (f"?{request.url.query}" if request.url.query else "")


def answered(page: Page, session: Session, opened: Opened, asked: Sequence[str]) -> str:
    """Where the same form led when it was sent before; empty where it hasn't been."""
    reader = page.reader
    found = asked_twice.given(session, reader.actor.member_id, _key(opened), _request(asked), reader.now)
    return str(found.body["to"]) if found is not None else ""


def is_answered(page: Page, session: Session, opened: Opened) -> bool:
    """Whether a form of this key has been sent and done."""
    reader = page.reader
    return asked_twice.given(session, reader.actor.member_id, _key(opened), None, reader.now) is not None


def _key(opened: Opened) -> str:
    return f"page {opened.key}"


def _request(asked: Sequence[Any]) -> bytes:
    return json.dumps(asked, sort_keys=True, default=str).encode()


def _onward(page: Page, session: Session, file: CaseFile, events: tuple[int, ...]) -> str:
    """To the case, where the reader still sees it (whoever sent a referral on may not), and else to their work."""
    sight = access.sees(page.reader.actor, file, session.office.book_of(file.policy), page.reader.now)
    if sight.nothing:
        return "/"
    return f"/cases/{file.number}" + (f"?done={events[0]}" if events else "")
