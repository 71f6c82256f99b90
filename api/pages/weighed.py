"""What a decision would mean, shown above its form: the other case, the limits that would move, about whom an order is.

Nothing is decided here: what would come of it is asked of the very functions that reckon it afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from api.pages.filled import Typed
from api.pages.frame import Page
from api.pages.parts import level_word
from api.pages.sheet import Limit, Sheet
from cases import search
from cases.casefile import CASE, CaseFile, Record
from cases.clockwork import Clock
from cases.offers import Offer
from cases.office import Session
from cases.records import LEVELS
from policies.clocks import Signal, step
from policies.limits import Limit as Length
from policies.limits import LimitFault

IRREVOCABLE: Final = frozenset({"case.merge", "case.withdraw"})
"""Only what can't be taken back is asked for twice."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing to know before deciding, in a line or several; `number` is a case to look at."""

    label: str
    texts: tuple[str, ...]
    number: str = ""


@dataclass(frozen=True, slots=True)
class Weighing:
    """A form that somebody is about to send."""

    page: Page
    session: Session
    file: CaseFile
    offer: Offer
    typed: Typed
    sheet: Sheet


def weighed(there: Weighing) -> list[Fact]:
    """The facts of that trigger; none for most."""
    made = _FACTS.get(f"{there.offer.declared.kind}.{there.offer.move.name}")
    return list(made(there)) if made is not None else []


def _merged(there: Weighing) -> Iterator[Fact]:
    """The cases that this one may go into, each as it stands; and what of this one would end."""
    say = there.page.say
    typed = there.typed.one("into")
    others = search.of_same_student(there.session, there.file, there.page.reader.actor, there.page.reader.now)
    for other in others:
        if typed and other.number != typed and len(others) > 1:
            continue
        book = there.session.office.book_of(other.policy)
        state = there.page.word(there.session.office.tracks["case"].states[other.state].label)
        at_work = _at_work(there, other)
        yield Fact(
            say("The other case"),
            (f"{level_word(there.page, book, other.level)} · {state}", at_work or say("nobody is called there")),
            other.number,
        )
    yield _ended(there)


def _ended(there: Weighing) -> Fact:
    """What ends with this case."""
    ending = _at_work(there, there.file)
    nothing = there.page.say("nothing is under way here")
    return Fact(there.page.say("Ends with this case"), (ending or nothing,), there.file.number)


def _at_work(there: Weighing, file: CaseFile) -> str:
    tracks = there.session.office.tracks
    running = [one for one in file.tracks.values() if tracks[one.kind].active(one.state)]
    return _list(there.page, [_called(there, one) for one in running])


def _called(there: Weighing, record: Record) -> str:
    """`派单（某街道）：已签收`."""
    declared = there.session.office.tracks[record.kind]
    what, state = there.page.word(declared.label), there.page.word(declared.states[record.state].label)
    place = _place(there, record)
    if there.page.language == "zh_CN":
        return f"{what}（{place}）：{state}" if place else f"{what}：{state}"
    return f"{what} ({place}): {state}" if place else f"{what}: {state}"


def _place(there: Weighing, record: Record) -> str:
    if record.organisation is None:
        return ""
    return there.session.office.directory.organisation(there.session.connection, record.organisation).name


def _list(page: Page, texts: list[str]) -> str:
    return ("；" if page.language == "zh_CN" else "; ").join(texts)


def _regraded(there: Weighing) -> Iterator[Fact]:
    """Which limits each other level would move, and to when."""
    page, file = there.page, there.file
    book = there.session.office.book_of(file.policy)
    yield Fact(page.say("The level now"), (level_word(page, book, file.level),))
    running = [one for one in file.clocks.values() if not one.stopped]
    for level in LEVELS:
        if level != file.level:
            texts = tuple(text for one in running if (text := _moved(there, one, level)))
            label = page.say("As %(level)s") % {"level": level_word(page, book, level)}
            yield Fact(label, texts or (page.say("no limit moves"),))


def _moved(there: Weighing, clock: Clock, level: str) -> str:
    page, now = there.page, there.page.reader.now
    book = there.session.office.book_of(there.file.policy)
    face = step(book, {clock.no: clock.face}, Signal("regrade", clock.no, now, level=level))
    if face is None or (face.due == clock.face.due and not face.stopped):
        return ""
    after = page.say("has no limit any more") if face.stopped else page.tongue.moment(face.due)
    return page.say("%(limit)s: from %(before)s to %(after)s") % {
        "limit": _limit(there, clock), "before": page.tongue.moment(clock.face.due), "after": after,
    }  # fmt: skip


def _limit(there: Weighing, clock: Clock) -> str:
    """`某街道 · 反馈`."""
    record = there.file.track(clock.track) or there.file.record
    kind = there.session.office.tracks[record.kind].clock_kinds.get(clock.name)
    name = there.page.word(kind.label) if kind is not None else clock.name
    place = _place(there, record)
    return f"{place} · {name}" if place else name


def _extended(there: Weighing) -> Iterator[Fact]:
    """Until when a grant would let them work."""
    page = there.page
    about = there.offer.record.about
    clock = there.file.clock(about, "feedback") if about is not None else None
    asked = there.offer.record.facts.get("extra")
    if clock is None or not asked or clock.stopped:
        return
    book = there.session.office.book_of(there.file.policy)
    try:
        signal = Signal("extend", clock.no, page.reader.now, extra=Length.parse(str(asked)))
        face = step(book, {clock.no: clock.face}, signal)
    except LimitFault:
        return
    if face is not None:
        yield Fact(page.say("If it is granted"), (
            page.say("%(limit)s: from %(before)s to %(after)s") % {
                "limit": _limit(there, clock), "before": page.tongue.moment(clock.face.due),
                "after": page.tongue.moment(face.due),
            },
        ))  # fmt: skip


def _ordered(there: Weighing) -> Iterator[Fact]:
    """Whom an order is about, and how they stand with their limits; how the order itself stands with its own."""
    page, order = there.page, there.offer.record
    typed = there.typed.one("about")
    about = order.about if order.no != CASE and order.about is not None else int(typed) if typed.isdecimal() else None
    record = there.file.track(about) if about is not None else None
    if record is not None:
        limits = tuple(_stands(page, one) for one in there.sheet.limits(record.no))
        yield Fact(page.say("About"), (_called(there, record), *limits))
    if not there.offer.move.opens:
        own = tuple(_stands(page, one) for one in there.sheet.limits(order.no))
        if own:
            yield Fact(page.say("The order itself"), own)


def _stands(page: Page, limit: Limit) -> str:
    """How one limit stands, with its instant."""
    due = page.tongue.moment(limit.due)
    if limit.left is not None:
        said = limit.left.words
    else:
        said = {
            "met": page.say("done in time"), "late": page.say("done late"), "paused": page.say("stands still"),
        }.get(limit.standing, "")  # fmt: skip
    return page.say("%(limit)s: %(standing)s, due %(due)s") % {"limit": limit.label, "standing": said, "due": due}


_FACTS: Final[Mapping[str, Callable[[Weighing], Iterator[Fact]]]] = {
    "case.merge": _merged,
    "case.withdraw": lambda there: iter((_ended(there),)),
    "case.regrade": _regraded,
    "extension.grant": _extended,
    "extension.refuse": _extended,
    "supervision.issue": _ordered,
    "supervision.accept": _ordered,
    "supervision.reject": _ordered,
    "supervision.interview": _ordered,
    "supervision.answer": _ordered,
}
