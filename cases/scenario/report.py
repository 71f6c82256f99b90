"""What a play found: the timeline and the checks, as data. Doors print it; nothing here does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal

from policies.vocabulary import Words

Cause = Literal["time", "step", "look", "end"]


@dataclass(frozen=True, slots=True)
class Check:
    """One expectation: what it was about, what was expected, what was found instead, and whether it held."""

    line: int
    what: str
    expected: Words
    found: Words
    ok: bool


@dataclass(frozen=True, slots=True)
class Who:
    """Somebody on the stage: the post by its name in the file, the member's id and the organisation's
    name.
    """

    post: str
    role: str
    organisation: str


@dataclass(frozen=True, slots=True)
class Happening:
    """One event of the history: on which track, what was done, into which state. `rung` where time fired
    one.
    """

    seq: int
    name: str
    address: str
    track: Words
    organisation: str | None
    text: Words
    rung: str | None = None
    state: Words | None = None


@dataclass(frozen=True, slots=True)
class Started:
    """A clock that started, and until when."""

    address: str
    text: Words
    due: datetime


@dataclass(frozen=True, slots=True)
class Told:
    """A message in somebody's inbox: the kind is the highest that concerned this person."""

    who: Who
    kind: str


@dataclass(frozen=True, slots=True)
class Refused:
    """A refusal: its code, its text, who could do it, and the faulty fields."""

    code: str
    text: Words
    who_can: tuple[str, ...] = ()
    article: Words | None = None
    fields: tuple[str, ...] = ()


@dataclass(slots=True)
class Moment:
    """One instant of the timeline: a step, a look, or what time did by itself. `at` is local time."""

    cause: Cause
    at: datetime
    step: int | None = None
    line: int | None = None
    case: int = 1
    by: Who | None = None
    do: str | None = None
    label: Words | None = None
    refused: Refused | None = None
    happened: list[Happening] = field(default_factory=list)
    started: list[Started] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)


@dataclass(slots=True)
class Outcome:
    """A whole play. `ok` when every expectation held; `seconds` includes making and dropping the database."""

    file: str
    title: str
    policy: str
    moments: list[Moment] = field(default_factory=list)
    steps: int = 0
    events: int = 0
    messages: int = 0
    refusals: int = 0
    seconds: float = 0.0

    @property
    def failed(self) -> tuple[Check, ...]:
        """The expectations that didn't hold."""
        return tuple(check for moment in self.moments for check in moment.checks if not check.ok)

    @property
    def checked(self) -> int:
        """How many expectations there were."""
        return sum(len(moment.checks) for moment in self.moments)

    @property
    def ok(self) -> bool:
        """Whether all of them held."""
        return not self.failed

    def as_dict(self) -> dict[str, Any]:
        """Plain values for `--json`: instants in ISO form with offset, texts in both languages."""
        plain: dict[str, Any] = _plain(self)
        return {
            **plain,
            "ok": self.ok,
            "checked": self.checked,
            "failed": [_plain(one) for one in self.failed],
        }


def _plain(value: object) -> Any:  # noqa: ANN401 - JSON is what it is
    if isinstance(value, Words):
        return value._asdict()
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: _plain(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    return value
