"""A policy as tables to read on a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from rich.table import Table

from policies.book import Book
from policies.parts import Basis
from policies.vocabulary import BASIS_KINDS, LEVELS, Words

if TYPE_CHECKING:
    from cases.trial import Trial

_COLOURS = {"red": "red", "orange": "dark_orange", "yellow": "yellow", "blue": "blue"}


def tables(book: Book, language: str) -> Iterator[Table]:
    """The sections of a book in the order in which people ask for them."""
    say = _Speaker(book, language)
    yield say.levels()
    yield say.concerns()
    yield say.limits()
    yield say.ladder()
    yield say.sight()
    yield say.windows()
    yield say.rhythm()
    yield say.catalogue()
    yield say.statutory()
    yield say.scales()
    yield say.reserved()
    yield say.keeping()


def changes(tried: Trial, language: str) -> Table:
    """What a trial found, a row for each kind of clock that would go differently."""
    zh = language == "zh_CN"
    names = (
        ("时限", "个数", "提前", "推后", "不再有", "新有", "最大变动", "逾期 前→后", "梯级 前→后")
        if zh
        else ("limit", "clocks", "earlier", "later", "gone", "new", "largest shift", "overrun", "rungs")
    )
    table = Table(*names, header_style="bold")
    for name, one in sorted(tried.by_clock.items()):
        if not one.any:
            continue
        counts = (one.clocks, one.earlier, one.later, one.gone, one.new)
        pairs = (f"{before} → {after}" for before, after in (one.overrun, one.rungs))
        table.add_row(name, *map(str, counts), _length(one.shift), *pairs)
    return table


class _Speaker:
    """One book in one language."""

    def __init__(self, book: Book, language: str) -> None:
        self.book = book
        self.language = language

    def words(self, zh: str, en: str) -> str:
        return Words(zh, en).in_language(self.language)

    def basis(self, basis: Basis) -> str:
        kind = BASIS_KINDS[basis.kind].in_language(self.language)
        return f"{kind}{self.words('：', ': ')}{basis.text(self.language)}"

    def table(self, title: tuple[str, str], *columns: tuple[str, str]) -> Table:
        table = Table(title=self.words(*title), title_justify="left", title_style="bold", header_style="bold")
        for column in columns:
            table.add_column(self.words(*column), overflow="fold")
        return table

    def levels(self) -> Table:
        table = self.table(("等级", "Levels"), ("等级", "level"), ("含义", "meaning"), ("依据", "basis"))
        for one in sorted(self.book.levels.values(), key=lambda level: -level.rank):
            label = f"[{_COLOURS[one.code]}]{one.label.in_language(self.language)}[/]"
            table.add_row(label, one.meaning.in_language(self.language), self.basis(one.basis))
        return table

    def concerns(self) -> Table:
        table = self.table(
            ("事由与派单", "Concerns and whom they call"),
            ("事由", "concern"), ("主办", "lead"), ("协办", "support"), ("开启", "opens"), ("依据", "basis"),
        )  # fmt: skip
        for one in self.book.concerns.values():
            label = f"{one.label.in_language(self.language)}\n{one.code}"
            calls = (one.lead, "\n".join(one.support), "\n".join(one.opens))
            table.add_row(label, *calls, self.basis(one.basis), end_section=True)
        return table

    def limits(self) -> Table:
        table = self.table(("时限", "Limits"), ("时限", "clock"))
        for level in LEVELS:
            label = self.book.levels[level].label.in_language(self.language)
            table.add_column(label, header_style=f"bold {_COLOURS[level]}")
        table.add_column(self.words("依据", "basis"), overflow="fold")
        for name, clock in self.book.limits.items():
            written = [clock.by_level[level] for level in LEVELS]
            bases = dict.fromkeys(self.basis(clock.basis_by_level[level]) for level in LEVELS)
            label = f"{clock.label.in_language(self.language)}\n{name}"
            shown = ["–" if limit is None else str(limit) for limit in written]
            table.add_row(label, *shown, "\n".join(bases), end_section=True)
        for name, given in self.book.given.items():
            label = f"{given.label.in_language(self.language)}\n{name}"
            table.add_row(label, "…", "…", "…", "…", given.due.in_language(self.language), end_section=True)
        return table

    def ladder(self) -> Table:
        table = self.table(
            ("逾期梯级", "The ladder"),
            ("用时", "time used"), ("名称", "rung"), ("通知", "tells"), ("另外", "also"), ("依据", "basis"),
        )  # fmt: skip
        for rung in self.book.ladder:
            text = self.book.rungs[rung.name]
            also = [self.words("督办", "supervision order")] * rung.supervises
            also += [self.words("通报", "bulletin")] * rung.bulletin
            table.add_row(
                f"{rung.percent} %", f"{text.label.in_language(self.language)} ({rung.name})",
                "\n".join(rung.tells), "\n".join(also), self.basis(text.basis),
            )  # fmt: skip
        return table

    def sight(self) -> Table:
        table = self.table(
            ("谁能看到什么", "Who sees what"),
            ("谁", "who"), ("情形", "when"),
            ("身份", "identity"), ("经过", "narrative"), ("临床", "clinical"), ("依据", "basis"),
        )  # fmt: skip
        answers = {"yes": self.words("是", "yes"), "no": "–", "masked": self.words("遮盖", "masked")}
        for rule in self.book.sight:
            who = "\n".join(f"{role}@{seat}" for role, seat in rule.who)
            seen = (answers[one] for one in (rule.identity, rule.narrative, rule.clinical))
            table.add_row(who, rule.when, *seen, self.basis(rule.basis))
        return table

    def windows(self) -> Table:
        table = self.table(("期限与次数", "Windows"), ("名称", "name"), ("值", "value"), ("依据", "basis"))
        for name in self.book.windows.__dataclass_fields__:
            value = getattr(self.book.windows, name)
            shown = _length(value) if isinstance(value, timedelta) else str(value)
            table.add_row(name, shown, self.basis(self.book.pages.bases[f"windows.{name}"]))
        for name, states in self.book.pauses.items():
            basis = self.book.pages.bases[f"pauses.{name}"]
            table.add_row(f"{self.words('暂停', 'pause')} {name}", ", ".join(states), self.basis(basis))
        return table

    def rhythm(self) -> Table:
        table = self.table(("复学随访", "Check-ins after the return"), ("项目", "what"), ("周次", "weeks"))
        rhythm = self.book.rhythm
        table.add_row(self.words("学校", "school"), ", ".join(map(str, rhythm.school)))
        table.add_row(self.words("医院", "hospital"), ", ".join(map(str, rhythm.hospital)))
        for first, last, percent in rhythm.attendance:
            table.add_row(self.words("出勤", "attendance") + f" {percent} %", f"{first}–{last}")
        table.add_row(self.words("依据", "basis"), self.basis(rhythm.basis))
        return table

    def catalogue(self) -> Table:
        table = self.table(
            ("家庭教育指导项目", "Guidance programmes"),
            ("项目", "programme"),
            ("代码", "code"),
            ("依据", "basis"),
        )
        for one in self.book.programmes.values():
            table.add_row(one.label.in_language(self.language), one.code, self.basis(one.basis))
        return table

    def statutory(self) -> Table:
        table = self.table(
            ("强制报告情形", "Statutory triggers"), ("项", "item"), ("问题", "question"), ("代码", "code")
        )
        for one in self.book.statutory.values():
            table.add_row(str(one.item), one.question.in_language(self.language), one.code)
        first = next(iter(self.book.statutory.values()))
        table.caption = self.basis(first.basis)
        return table

    def scales(self) -> Table:
        table = self.table(
            ("量表（只作筛查，不作诊断）", "Scales (screening, never a diagnosis)"),
            ("量表", "scale"), ("分段", "bands"), ("预警", "alarm"), ("依据", "basis"),
        )  # fmt: skip
        for one in self.book.scales.values():
            bands = [f"{band.lowest}–{band.highest} {band.label.in_language(self.language)}" for band in one.bands]
            bands += [f"{', '.join(band.any_of)}: {band.label.in_language(self.language)}" for band in one.triage]
            alarm = one.alarm_label.in_language(self.language) if one.alarm_label is not None else "–"
            label = one.label.in_language(self.language)
            table.add_row(label, "\n".join(bands), alarm, self.basis(one.basis), end_section=True)
        return table

    def reserved(self) -> Table:
        table = self.table(
            ("法律专属的动作", "Reserved by law"),
            ("动作", "trigger"),
            ("谁可以", "who may"),
            ("法条", "article"),
        )
        for one in self.book.reserved.values():
            table.add_row(one.trigger, "\n".join(one.kinds), one.article.in_language(self.language))
        return table

    def keeping(self) -> Table:
        table = self.table(
            ("加密与保存", "Sealing and retention"), ("项目", "what"), ("值", "value"), ("依据", "basis")
        )
        kept, bases = self.book.retention, self.book.retention.bases
        case = self.words(
            f"{kept.until_age} 岁后 {kept.plus_years} 年，或结案后 {kept.years_after_closing} 年，取较晚者",
            f"{kept.until_age} years of age plus {kept.plus_years}, "
            f"or closing plus {kept.years_after_closing}, whichever is later",
        )
        records = self.words(f"{kept.processing_years} 年", f"{kept.processing_years} years")
        logs = self.words(f"{kept.log_months} 个月", f"{kept.log_months} months")
        medical = self.words(f"{kept.medical_years} 年", f"{kept.medical_years} years")
        for what, value, basis in (
            (("加密", "sealing"), self.book.algorithm, self.book.pages.bases["sealing"]),
            (("个案", "case"), case, bases["case"]),
            (("处理记录", "processing records"), records, bases["processing_records"]),
            (("日志", "logs"), logs, bases["logs"]),
            (("病历资料", "medical records"), medical, bases["medical_records"]),
        ):
            table.add_row(self.words(*what), value, self.basis(basis))
        return table


def _length(length: timedelta) -> str:
    minutes = int(length.total_seconds()) // 60
    for size, unit in ((1440, "d"), (60, "h")):
        if minutes % size == 0:
            return f"{minutes // size}{unit}"
    return f"{minutes}m"
