"""Why is this due then? The reckoning behind a due, step by step, each with what it rests on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Protocol

from policies.faces import Face, Terms, due_of
from policies.festivals import Mark
from policies.limits import Limit, SameDay, Unit, Words
from policies.workdays import Calendar

_WEEKDAYS = {"zh_CN": "一二三四五六日", "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")}
#: Longer limits are reckoned by their holidays alone: a list of fifty days explains nothing.
_MOST_COUNTED = 15


class Grounds(Terms, Protocol):
    """Terms that can also say what each limit rests on."""

    def basis(self, name: str, level: str) -> str:
        """The article, plan item or default that a limit comes from."""
        ...


@dataclass(frozen=True, slots=True)
class Step:
    """One step: its kind, the span of time it speaks of (aware UTC), the sentence, and what it rests on.

    Kinds: `start limit half extension counted holiday make_up pause paused provisional due met missed
    cancelled`.
    """

    kind: str
    begins: datetime | None
    ends: datetime | None
    what: Words
    basis: Words | None = None


@dataclass(frozen=True, slots=True)
class Reckoning:
    """The steps from the start of a clock to its due; `language` is the one that `as_dict` speaks."""

    clock: str
    level: str
    language: str
    due: datetime
    provisional: bool
    steps: tuple[Step, ...]

    def text(self, language: str | None = None) -> str:
        """One line a step, in `zh_CN` or `en`; times are the policy's local ones."""
        spoken = _spoken(language or self.language)
        lines = []
        for step in self.steps:
            basis = step.basis[spoken] if step.basis else ""
            if basis:
                basis = f"（依据：{basis}）" if spoken == "zh_CN" else f" [{basis}]"
            lines.append(step.what[spoken] + basis)
        return "\n".join(lines)

    def as_dict(self) -> dict[str, object]:
        """Plain values for JSON: times in ISO form with offset, sentences in the reckoning's language."""
        spoken = _spoken(self.language)
        return {
            "clock": self.clock,
            "level": self.level,
            "due": self.due.isoformat(),
            "provisional": self.provisional,
            "steps": [
                {
                    "kind": step.kind,
                    "from": step.begins.isoformat() if step.begins else None,
                    "to": step.ends.isoformat() if step.ends else None,
                    "what": step.what[spoken],
                    "basis": step.basis[spoken] if step.basis else None,
                }
                for step in self.steps
            ],
        }


def reckon(book: Grounds, face: Face, language: str = "zh_CN") -> Reckoning:
    """Lay out how the due of a clock came about, under the terms that it goes by."""
    days = book.calendars.of(face.calendar)
    steps = [
        _said(days, "start", "自 {} 起计时。", "The clock starts at {}.", face.started),
        *_limit(book, days, face),
        *_days(days, face),
        *_pauses(days, face),
    ]
    if face.provisional:
        zh = "期限跨入尚未公布放假安排的年份，暂按周末和法定节假日推算；公布后重新计算。"
        en = "It reaches a year without a published calendar: provisional, computed again with its table."
        steps.append(Step("provisional", None, None, {"zh_CN": zh, "en": en}))
    steps.append(_said(days, "due", "期限：{}。正好在此刻仍算按时。", "Due at {}; exactly then is in time.", face.due))
    steps += _ending(days, face)
    return Reckoning(face.name, face.level, language, face.due, face.provisional, tuple(steps))


def _limit(book: Grounds, days: Calendar, face: Face) -> Iterator[Step]:
    limit = face.limit
    if limit is None:
        yield _said(days, "limit", "期限直接定为 {}。", "The due was set outright: {}.", face.due)
        return
    if face.own:
        basis = {"zh_CN": "本项自带的时限", "en": "a limit set for this item alone"}
    else:
        ground = book.basis(face.name, face.level)
        basis = {"zh_CN": ground, "en": ground}
    zh, en = limit.in_words("zh_CN"), limit.in_words("en")
    rule = _RULES[limit.unit if isinstance(limit, Limit) else None]
    yield Step("limit", None, None, {"zh_CN": f"时限：{zh}{rule[0]}。", "en": f"Limit: {en}{rule[1]}."}, basis)
    if isinstance(limit, SameDay):
        return
    if face.half:
        half = limit.half()
        zh, en = half.in_words("zh_CN"), half.in_words("en")
        yield Step("half", None, None, {
            "zh_CN": f"按一半计算（向上取整）：{zh}。", "en": f"Halved, rounded up: {en}."})  # fmt: skip
    if face.extra is not None:
        zh, en = face.extra.in_words("zh_CN"), face.extra.in_words("en")
        yield Step("extension", None, None, {"zh_CN": f"准予延期 {zh}。", "en": f"Extended by {en}."})


_RULES: dict[Unit | None, tuple[str, str]] = {
    Unit.WORKING_DAYS: (
        "（起始当日不计，至最后一个工作日下班时止）",
        ", leaving out the day of the start, to the close of the last one",
    ),
    Unit.WORKING_HOURS: ("（只计工作时间）", ", counting working time only"),
    Unit.MINUTES: ("（昼夜连续计算）", ", around the clock"),
    Unit.HOURS: ("（昼夜连续计算）", ", around the clock"),
    Unit.DAYS: ("（昼夜连续计算）", ", around the clock"),
    None: ("", ""),
}


def _days(days: Calendar, face: Face) -> Iterator[Step]:
    """The days on the way of a working limit that aren't what the week says, and those that counted."""
    whole = face.whole
    if not isinstance(whole, Limit) or not whole.working:
        return
    first, last = days.local_day(face.started), days.local_day(face.due)
    if whole.unit is Unit.WORKING_DAYS:
        first += timedelta(days=1)
    marks = days.marked(first, last)
    for _, group in groupby(enumerate(marks), key=lambda item: _run(*item)):
        span = [mark for _, mark in group]
        yield _skipped(days, span[0], span[-1])
    if whole.unit is Unit.WORKING_DAYS and whole.amount <= _MOST_COUNTED and not face.pauses:
        span_days = (first + timedelta(days=n) for n in range((last - first).days + 1))
        counted = [day for day in span_days if days.is_workday(day)]
        yield Step("counted", None, None, {
            "zh_CN": "计入的工作日：" + "、".join(f"{day:%m-%d}" for day in counted) + "。",
            "en": "Working days counted: " + ", ".join(f"{day:%m-%d}" for day in counted) + ".",
        })  # fmt: skip


def _run(place: int, mark: Mark) -> tuple[int, bool, str]:
    """The same for marks that follow each other and mean the same."""
    return mark.day.toordinal() - place, mark.works, mark.name["en"]


def _skipped(days: Calendar, first: Mark, last: Mark) -> Step:
    begins = datetime.combine(first.day, datetime.min.time(), tzinfo=days.tz)
    ends = datetime.combine(last.day, datetime.min.time(), tzinfo=days.tz) + timedelta(days=1)
    zh = f"{first.day}" if first.day == last.day else f"{first.day} 至 {last.day}"
    en = zh.replace(" 至 ", " to ")
    if first.works:
        what = {"zh_CN": f"{zh} 调休上班（{first.name['zh_CN']}），计入。",
                "en": f"{en} is a make-up workday for {first.name['en']} and counts."}  # fmt: skip
    else:
        what = {"zh_CN": f"{zh} {first.name['zh_CN']}放假，不计。",
                "en": f"{en} is off for {first.name['en']} and doesn't count."}  # fmt: skip
    kind = "make_up" if first.works else "holiday"
    return Step(kind, begins.astimezone(UTC), ends.astimezone(UTC), what, first.source)


def _pauses(days: Calendar, face: Face) -> Iterator[Step]:
    whole = face.whole
    for nth, (begun, ended) in enumerate(face.pauses):
        due = face.due if whole is None else due_of(days, face.started, whole, face.pauses[:nth])
        moved = _moved(days, whole, begun, ended) if whole is not None and begun <= due else None
        zh = f"{_local(days, begun, 'zh_CN')} 至 {_local(days, ended, 'zh_CN')} 暂停，"
        en = f"Paused from {_local(days, begun, 'en')} to {_local(days, ended, 'en')}, "
        if moved is None:
            what = {"zh_CN": zh + "期限不变。", "en": en + "which doesn't move the due."}
        else:
            what = {
                "zh_CN": zh + f"顺延 {moved['zh_CN']}。",
                "en": en + f"which moves the due by {moved['en']}.",
            }
        yield Step("pause", begun, ended, what)
    if face.paused is not None:
        yield _said(days, "paused", "自 {} 起暂停，恢复后重算期限。",
                    "Paused since {}; the due is reckoned again when it goes on.", face.paused)  # fmt: skip


def _moved(days: Calendar, whole: Limit | SameDay, begun: datetime, ended: datetime) -> Words:
    if isinstance(whole, Limit) and whole.unit is Unit.WORKING_DAYS:
        count = days.working_day_ends_in(begun, ended)
        return {"zh_CN": f"{count} 个工作日", "en": f"{count} working day{'' if count == 1 else 's'}"}
    if whole.working:
        span = days.working_time(begun, ended)
        return {"zh_CN": f"工作时间 {_length(span, 'zh_CN')}", "en": f"{_length(span, 'en')} of working time"}
    return {spoken: _length(ended - begun, spoken) for spoken in ("zh_CN", "en")}


def _ending(days: Calendar, face: Face) -> Iterator[Step]:
    if face.cancelled is not None:
        yield _said(days, "cancelled", "{} 已取消。", "Cancelled at {}.", face.cancelled)
    elif face.met is not None and not face.breached:
        yield _said(days, "met", "{} 按时完成。", "Met in time at {}.", face.met)
    elif face.met is not None:
        yield _said(days, "missed", "逾期，{} 才完成。", "Missed; met late at {}.", face.met)
    elif face.breached:
        yield Step("missed", None, None, {"zh_CN": "已逾期，尚未完成。", "en": "Missed, and not met yet."})


def _said(days: Calendar, kind: str, zh: str, en: str, at: datetime) -> Step:
    what = {"zh_CN": zh.format(_local(days, at, "zh_CN")), "en": en.format(_local(days, at, "en"))}
    return Step(kind, at, None, what)


def _local(days: Calendar, at: datetime, language: str) -> str:
    there = at.astimezone(days.tz)
    day = _WEEKDAYS[language][there.weekday()]
    if language == "zh_CN":
        return f"{there:%Y-%m-%d}（周{day}）{there:%H:%M}"
    return f"{day} {there:%Y-%m-%d %H:%M}"


def _length(span: timedelta, language: str) -> str:
    minutes, seconds = divmod(span // timedelta(seconds=1), 60)
    hours, minutes = divmod(minutes, 60)
    words = (("小时", "h"), ("分", "min"), ("秒", "s"))
    at = 0 if language == "zh_CN" else 1
    parts = [f"{n} {word[at]}" for n, word in zip((hours, minutes, seconds), words, strict=True) if n]
    return " ".join(parts) or f"0 {words[1][at]}"


def _spoken(language: str) -> str:
    return "zh_CN" if language.startswith("zh") else "en"
