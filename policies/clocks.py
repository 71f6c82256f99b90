"""The clocks of a case, derived from its history: history and book in, the face of every clock out.

All of it is pure. The engine goes a `step` at a time and keeps the signals; `read` folds a history of
signals into the same faces; `replay` says what would have happened under another policy. Times are aware
UTC.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import TYPE_CHECKING, Literal, Self, TypeVar, cast, get_args

from policies.faces import Face, Pauses, Terms
from policies.hands import cancel, extend, fired, meet, pause, recompute, regrade, resume, start
from policies.limits import Limit, LimitFault, SameDay, Words, parse_limit

if TYPE_CHECKING:
    from policies.ladder import Rung

__all__ = [
    "AsOf", "ClockFault", "Face", "Fired", "Op", "Pauses", "Signal", "Terms", "cancel", "extend", "fired", "meet",
    "pause", "read", "recompute", "regrade", "replay", "resume", "start", "step",
]  # fmt: skip

_Asked = TypeVar("_Asked")

Op = Literal[
    "start", "meet", "cancel", "pause", "resume", "extend", "regrade", "rung", "rebook", "recompute"
]  # fmt: skip


class ClockFault(ValueError):
    """A history that doesn't fit together; `text` says in both languages what is wrong."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.text = {"zh_CN": zh, "en": en}


@dataclass(frozen=True, slots=True)
class Signal:
    """One thing that happened to one clock, `clock` being its number within its case.

    `start` needs `name` and `level`, `regrade` `level`, `extend` `extra`; `rebook` may name its `policy`. `edition` is
    that of the calendars by which it was reckoned, 0 for the first (`Calendars.edition`).
    """

    op: Op
    clock: int
    at: datetime
    name: str | None = None
    level: str | None = None
    calendar: str | None = None
    given: datetime | None = None
    limit: Limit | SameDay | None = None
    half: bool = False
    extra: Limit | None = None
    policy: str | None = None
    edition: int = 0

    def as_dict(self) -> dict[str, str | int | bool]:
        """Plain values for a JSON document; what is left at its default is left out."""
        if self.op == "rung":
            # What a sweep writes by the thousand; a rung has nothing else to say.
            plain_rung: dict[str, str | int | bool] = {"op": "rung", "clock": self.clock, "at": self.at.isoformat()}
            return plain_rung | {"edition": self.edition} if self.edition else plain_rung
        plain: dict[str, str | int | bool] = {}
        for name in _FIELDS:
            value = getattr(self, name)
            if value is None or value is False or (name == "edition" and not value):
                continue
            if isinstance(value, datetime):
                value = value.isoformat()
            plain[name] = value if isinstance(value, int | str) else str(value)
        return plain

    def to_json(self) -> str:
        """`as_dict` as compact JSON."""
        return json.dumps(self.as_dict(), ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def from_dict(cls, plain: Mapping[str, object]) -> Self:
        """Read what `as_dict` gave. Raises ClockFault for anything else."""
        why: Words = {"zh_CN": "", "en": ""}
        try:
            signal = cls(**{name: _READ.get(name, _same)(value) for name, value in plain.items()})  # type: ignore[arg-type]
            if signal.op in get_args(Op) and signal.at.tzinfo is not None:
                return signal
        except LimitFault as fault:
            why = fault.text
        except (TypeError, ValueError, AttributeError):
            pass
        raise ClockFault(
            f"时钟记录无法读取：{dict(plain)}。{why['zh_CN']}",
            f"This isn't a clock's signal: {dict(plain)}. {why['en']}".rstrip(),
        )

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` gave. Raises ClockFault for anything else."""
        try:
            plain = json.loads(text)
        except ValueError:
            plain = None
        if not isinstance(plain, dict):
            raise ClockFault(f"时钟记录不是 JSON 对象：{text}", f"This isn't a clock's signal: {text}")
        return cls.from_dict(plain)


def _same(value: object) -> object:
    return value


_FIELDS = tuple(field.name for field in fields(Signal))
_READ = {
    "at": lambda value: datetime.fromisoformat(cast("str", value)),
    "given": lambda value: datetime.fromisoformat(cast("str", value)),
    "limit": lambda value: parse_limit(cast("str", value)),
    "extra": lambda value: Limit.parse(cast("str", value)),
}


def step(book: Terms, faces: dict[int, Face], signal: Signal, *, before: Terms | None = None) -> Face | None:
    """Move one clock by one signal: changes `faces` and gives the new face.

    None when the clock doesn't exist at that level. `before` holds the old terms for `rebook`. Raises
    ClockFault for a signal to a clock that never started, or that lacks what its `op` needs.
    """
    if signal.op == "start":
        face = _started(book, signal)
    else:
        known = faces.get(signal.clock)
        if known is None:
            raise ClockFault(
                f"时钟 {signal.clock} 尚未启动，不能执行“{signal.op}”。",
                f'Clock {signal.clock} never started, so "{signal.op}" can\'t move it.',
            )
        face = _stepped(book, known, signal, before)
    if face is not None:
        faces[signal.clock] = face
    return face


def _started(book: Terms, signal: Signal) -> Face | None:
    return start(
        book,
        _needed(signal, "name", signal.name),
        _needed(signal, "level", signal.level),
        signal.at,
        calendar=signal.calendar,
        given=signal.given,
        limit=signal.limit,
        half=signal.half,
    )


def _stepped(book: Terms, face: Face, signal: Signal, before: Terms | None) -> Face:
    at = signal.at
    match signal.op:
        case "rung":
            return fired(book, face)
        case "meet":
            return meet(face, at)
        case "cancel":
            return cancel(face, at)
        case "pause":
            return pause(face, at)
        case "resume":
            return resume(book, face, at)
        case "extend":
            return extend(book, face, _needed(signal, "extra", signal.extra), at)
        case "regrade":
            return regrade(book, face, _needed(signal, "level", signal.level), at)
        case "rebook":
            return regrade(book, face, face.level, at, before=before)
        case _:
            return recompute(book, face, at)


def _needed(signal: Signal, name: str, value: _Asked | None) -> _Asked:
    if value is None:
        raise ClockFault(
            f"时钟 {signal.clock} 的“{signal.op}”缺少 {name}。",
            f'"{signal.op}" of clock {signal.clock} lacks {name}.',
        )
    return value


def read(book: Terms, signals: Iterable[Signal], books: Mapping[str, Terms] | None = None) -> dict[int, Face]:
    """Fold a history into the faces of its clocks: exactly what stepping through it gave.

    `book` is the policy that the case was opened under. A `rebook` that names a policy turns to that one of
    `books`, for what follows. Raises ClockFault as `step` does.
    """
    faces: dict[int, Face] = {}
    # Each clock is rebooked by a signal of its own, so each remembers the terms that it went by until then.
    terms: dict[int, Terms] = {}
    for signal in signals:
        if signal.op == "rebook" and signal.policy is not None and books is not None:
            book = books.get(signal.policy, book)
        reckoned_by = book if signal.edition == book.calendars.edition else AsOf(book, signal.edition)
        step(reckoned_by, faces, signal, before=terms.get(signal.clock))
        terms[signal.clock] = reckoned_by
    return faces


class AsOf:
    """A book's terms with the working calendars of an earlier edition."""

    __slots__ = ("_book", "calendars")

    def __init__(self, book: Terms, edition: int) -> None:
        self._book = book
        self.calendars = book.calendars.as_of(edition)

    @property
    def ladder(self) -> tuple[Rung, ...]:
        """The rungs, which no calendar changes."""
        return self._book.ladder

    def limit(self, name: str, level: str) -> Limit | SameDay | None:
        """The limit of a clock, which no calendar changes either."""
        return self._book.limit(name, level)


@dataclass(frozen=True, slots=True)
class Fired:
    """A rung that falls in a replay: which clock, which rung by name, and when."""

    clock: int
    rung: str
    at: datetime


def replay(book: Terms, signals: Iterable[Signal], until: datetime) -> tuple[dict[int, Face], list[Fired]]:
    """What an old history's clocks would have shown under this book, and which rungs had fired by then.

    What people did stays; what time and policies did (`rung`, `rebook`, `recompute`) follows from this
    book. A clock that this book doesn't have is passed over, and starts where a regrade comes to a level
    that has it.
    """
    faces: dict[int, Face] = {}
    absent: dict[int, Signal] = {}
    rungs: list[Fired] = []
    for signal in signals:
        if signal.op in {"rung", "rebook", "recompute"}:
            continue
        _run(book, faces, signal.at, rungs)
        if signal.op == "start":
            if step(book, faces, signal) is None:
                absent[signal.clock] = signal
        elif signal.clock in faces:
            step(book, faces, signal)
        elif signal.clock in absent and signal.op == "regrade":
            begun = absent[signal.clock]
            step(book, faces, replace(begun, at=signal.at, level=signal.level))
        elif signal.clock in absent and signal.op in {"meet", "cancel"}:
            del absent[signal.clock]
    _run(book, faces, until, rungs)
    return faces, rungs


def _run(book: Terms, faces: dict[int, Face], until: datetime, rungs: list[Fired]) -> None:
    """Let time pass: every rung that stands by then fires, in the order of the instants."""
    while True:
        due = [(face.wake, clock) for clock, face in faces.items() if face.wake is not None and face.wake <= until]
        if not due:
            return
        at, clock = min(due)
        rungs.append(Fired(clock, book.ladder[faces[clock].rung].name, at))
        faces[clock] = fired(book, faces[clock])
