"""A form of administration: all its faults are told at once, each in its field; sent twice, it is done once."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from hashlib import sha256
from typing import Final, TypeVar

from starlette.datastructures import FormData

from api.pages.frame import Page
from cases import administered, asked_twice, posts
from cases.asked_twice import Answer
from cases.directory_fault import DirectoryFault
from cases.office import Session
from cases.who import Organisation

Read = TypeVar("Read")
_CARRIED: Final = frozenset({"csrf", "_key"})
_LABELS: Final[Mapping[str, str]] = {
    "name": "Name", "code": "Code", "kind": "Kind", "parent": "Stands under (code)", "role": "Post",
    "organisation": "Organisation (code)", "since": "From", "until": "Last day", "member": "Officer",
    "starts": "from", "ends": "until", "login": "Login",
}  # fmt: skip
"""What the fields that can't be left empty are called: texts of the catalogue."""
_FIELDS: Final[Mapping[str, str]] = {
    "code_taken": "code", "needs_parent": "parent", "wrong_parent": "parent", "loop": "parent",
    "unknown_kind": "kind", "unknown_role": "role", "role_elsewhere": "role", "post_taken": "role",
    "post_held_already": "role", "needs_school": "school", "no_school_here": "school", "term_backwards": "until",
    "not_an_officer": "member", "no_member": "member", "shift_backwards": "ends", "shift_overlaps": "starts",
    "only_schools": "kind", "shift_over": "starts", "no_term": "until",
}  # fmt: skip
"""Which field a fault of the directory is about; one of a link or of an empty text names it itself."""


class Faulty(Exception):
    """A form that can't be taken as it is: by the `id` of a field, the sentence for the reader."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        self.errors = dict(errors)
        super().__init__("; ".join(self.errors.values()))


@dataclass(slots=True)
class Reading:
    """Reads the fields of a form one by one and gathers what is wrong; `checked` tells it, all at once.

    `prefix` stands before the names of its fields in their ids: several forms of a page have fields of one name.
    """

    page: Page
    session: Session
    written: Mapping[str, str]
    prefix: str = "f"
    errors: dict[str, str] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """What can't be left empty."""
        if not self.written[name]:
            self._missing(name)
        return self.written[name]

    def day(self, name: str) -> date | None:
        """A day as the browser sends it; None, and a fault, for anything else."""
        if self.text(name):
            with suppress(ValueError):
                return date.fromisoformat(self.written[name])
            self.wrong(name, self.page.say("Write the day as 2026-09-01."))
        return None

    def moment(self, name: str) -> datetime | None:
        """A local date and time as the browser sends it; None, and a fault, for anything else."""
        if self.text(name):
            # The first and the last day that a date can say have no instant in every zone.
            with suppress(ValueError, OverflowError):
                written = datetime.fromisoformat(self.written[name])
                return written.replace(tzinfo=self.page.tongue.zone).astimezone(UTC)
            self.wrong(name, self.page.say("Write the time as 2026-09-01T08:30."))
        return None

    def place(self, name: str, *, needed: bool = True) -> Organisation | None:
        """The organisation of a code."""
        code = self.written[name]
        if not code:
            if needed:
                self._missing(name)
            return None
        found = administered.by_code(self.session.connection, code)
        if found is None:
            said = self.page.say("There is no organisation with the code %(code)s.")
            self.wrong(name, said % {"code": code})
        return found

    def reached(self, name: str) -> str | None:
        """A telephone number or a mail address as the directory keeps it."""
        try:
            return posts.reached(name, self.written[name] or None)
        except DirectoryFault as fault:
            self.wrong(name, fault.text(self.page.language))
            return None

    def wrong(self, name: str, sentence: str) -> None:
        """Something else is wrong with a field."""
        self.errors.setdefault(f"{self.prefix}-{name}", sentence)

    def checked(self) -> None:
        """Raises Faulty if anything is wrong so far."""
        if self.errors:
            raise Faulty(self.errors)

    def sure(self, value: Read | None) -> Read:
        """What was read, now that it is needed. Raises Faulty if anything is wrong so far."""
        self.checked()
        if value is None:
            raise Faulty({})
        return value

    def _missing(self, name: str) -> None:
        said = self.page.say("Fill in: %(what)s.")
        self.wrong(name, said % {"what": self.page.say(_LABELS[name])})


def once(
    page: Page, posted: FormData, written: Mapping[str, str], act: Callable[[Session], str], prefix: str = "f"
) -> str:
    """Do what a form asks in a transaction of its own, and answer where the reader goes then; a second time the same.

    Raises Faulty; nothing has changed then. What was changed on the form is another request, whatever its key.
    """
    fields = sorted((name, str(value)) for name, value in posted.multi_items() if name not in _CARRIED)
    request = json.dumps([page.request.url.path, fields]).encode()
    key = f"form {str(posted.get('_key', ''))[:80]} {sha256(request).hexdigest()}" if posted.get("_key") else ""
    try:
        with page.writing() as session:
            if not key:
                return act(session)
            held = asked_twice.claim(session, page.reader.actor.member_id, key, request, page.reader.now)
            if isinstance(held, Answer):
                return str(held.body["to"])
            to = act(session)
            asked_twice.keep(session, held, Answer(303, {"to": to}, {}))
            return to
    except DirectoryFault as fault:
        raise Faulty({f"{prefix}-{_field(fault, written)}": fault.text(page.language)}) from None


def _field(fault: DirectoryFault, written: Mapping[str, str]) -> str:
    """Which field of this form a fault is about; the first where it is about none."""
    named = _FIELDS.get(fault.code) or fault.facts.get("link") or fault.facts.get("what", "")
    return named if named in written else next(iter(written))


def seen(*values: object) -> str:
    """What a thing was when its form was opened, as the form carries it."""
    return sha256(json.dumps(values, default=str).encode()).hexdigest()[:20]
