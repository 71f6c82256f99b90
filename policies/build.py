"""From the typed shape of a file to the frozen values of a book."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType

from policies import parts
from policies.ladder import Rung
from policies.limits import Limit
from policies.notation import read_limit, read_who
from policies.schema import Based, ConcernShape, LimitShape, PolicyShape, ScaleShape, Text, WindowsShape
from policies.vocabulary import LEVELS, Words


@dataclass(frozen=True, slots=True)
class Pages:
    """Everything that a policy says, section by section."""

    levels: Mapping[str, parts.Level]
    concerns: Mapping[str, parts.Concern]
    limits: Mapping[str, parts.ClockLimit]
    given: Mapping[str, parts.GivenClock]
    pauses: Mapping[str, tuple[str, ...]]
    ladder: tuple[Rung, ...]
    rungs: Mapping[str, parts.RungText]
    rhythm: parts.Rhythm
    leave: parts.Leave
    sight: tuple[parts.SightRule, ...]
    windows: parts.Windows
    programmes: Mapping[str, parts.Programme]
    statutory: Mapping[str, parts.Statutory]
    scales: Mapping[str, parts.Scale]
    reserved: Mapping[str, parts.Reserved]
    algorithm: str
    retention: parts.Retention
    bases: Mapping[str, parts.Basis]
    """What the entries without a basis of their own rest on: `sealing`, `windows.decline`, `pauses.…`."""


def build(shape: PolicyShape) -> Pages:
    """The pages of a book. The shape has passed every check: nothing is refused here."""
    return _Builder(shape).pages()


def _words(text: Text) -> Words:
    return Words(text.zh_CN, text.en)


class _Builder:
    """One shape, with its sources at hand."""

    def __init__(self, shape: PolicyShape) -> None:
        self.shape = shape

    def basis(self, entry: Based, note: Text | None = None) -> parts.Basis:
        source = self.shape.sources[entry.basis]
        note = note or entry.note
        return parts.Basis(source.kind, _words(source.cite), _words(note) if note is not None else None)

    def pages(self) -> Pages:
        shape = self.shape
        return Pages(
            levels=MappingProxyType({
                code: parts.Level(code, one.rank, _words(one.label), _words(one.meaning), self.basis(one))
                for code, one in shape.levels.items()
            }),
            concerns=MappingProxyType({
                code: self.concern(code, one) for code, one in shape.concerns.items()
            }),
            limits=MappingProxyType({name: self.limit(name, one) for name, one in shape.limits.items()}),
            given=MappingProxyType({
                name: parts.GivenClock(name, _words(one.label), _words(one.due), self.basis(one))
                for name, one in shape.given.items()
            }),
            pauses=MappingProxyType({name: one.states for name, one in shape.pauses.items()}),
            ladder=tuple(
                Rung(one.percent, one.name, one.tells, one.supervises, one.bulletin) for one in shape.ladder
            ),
            rungs=MappingProxyType({
                one.name: parts.RungText(one.name, _words(one.label), self.basis(one)) for one in shape.ladder
            }),
            rhythm=self.rhythm(),
            leave=self.leave(),
            sight=self.sight(),
            windows=_windows(shape.windows),
            programmes=MappingProxyType({
                one.code: parts.Programme(one.code, _words(one.label), self.basis(one))
                for one in shape.programmes
            }),
            statutory=MappingProxyType({
                one.code: parts.Statutory(
                    one.code, one.item, _words(one.label), _words(one.question), self.basis(one)
                )
                for one in shape.statutory
            }),
            scales=MappingProxyType({code: self.scale(code, one) for code, one in shape.scales.items()}),
            reserved=self.reserved(),
            algorithm=shape.sealing.algorithm,
            retention=self.retention(),
            bases=self.bases(),
        )  # fmt: skip

    def concern(self, code: str, one: ConcernShape) -> parts.Concern:
        return parts.Concern(code, _words(one.label), one.lead, one.support, one.opens, self.basis(one))

    def leave(self) -> parts.Leave:
        one = self.shape.leave
        return parts.Leave(one.absent_share, one.hospital_grade, one.term_months, self.basis(one))

    def limit(self, name: str, one: LimitShape) -> parts.ClockLimit:
        notes = one.notes or {}
        written = one.levels if one.levels is not None else dict.fromkeys(LEVELS, one.every_level or "none")
        return parts.ClockLimit(
            name,
            _words(one.label),
            MappingProxyType({level: read_limit(written[level]) for level in LEVELS}),
            MappingProxyType({level: self.basis(one, notes.get(level)) for level in LEVELS}),
        )

    def rhythm(self) -> parts.Rhythm:
        one = self.shape.rhythm
        attendance = tuple((*part.weeks, part.percent) for part in one.attendance)
        return parts.Rhythm(one.school, one.hospital, attendance, self.basis(one))

    def sight(self) -> tuple[parts.SightRule, ...]:
        return tuple(
            parts.SightRule(
                tuple(read_who(who) for who in one.who),
                one.when,
                "masked" if one.identity == "masked" else _yes(seen=one.identity),
                _yes(seen=one.narrative),
                _yes(seen=one.clinical),
                self.basis(one),
            )
            for one in self.shape.sight
        )

    def scale(self, code: str, one: ScaleShape) -> parts.Scale:
        return parts.Scale(
            code,
            _words(one.label),
            one.items,
            one.answers,
            tuple(parts.Band(band.lowest, band.highest, band.code, _words(band.label)) for band in one.bands),
            tuple(
                parts.Triage(band.code, tuple(str(item) for item in band.any_of), _words(band.label))
                for band in one.triage
            ),
            MappingProxyType(dict(one.alarm.items) if one.alarm is not None else {}),
            _words(one.alarm.label) if one.alarm is not None else None,
            self.basis(one),
        )

    def reserved(self) -> Mapping[str, parts.Reserved]:
        found: dict[str, parts.Reserved] = {}
        for trigger, one in self.shape.reserved.items():
            basis = self.basis(one)
            found[trigger] = parts.Reserved(trigger, one.kinds, basis.source, basis)
        return MappingProxyType(found)

    def retention(self) -> parts.Retention:
        one = self.shape.retention
        entries: dict[str, Based] = {
            "case": one.case,
            "processing_records": one.processing_records,
            "logs": one.logs,
            "medical_records": one.medical_records,
        }
        return parts.Retention(
            one.case.until_age,
            one.case.plus_years,
            one.case.years_after_closing,
            one.processing_records.years,
            one.logs.months,
            one.medical_records.years,
            MappingProxyType({name: self.basis(entry) for name, entry in entries.items()}),
        )

    def bases(self) -> Mapping[str, parts.Basis]:
        shape = self.shape
        found = {"sealing": self.basis(shape.sealing), "working_hours": self.basis(shape.working_hours)}
        found |= {f"calendars.{one.table}": self.basis(one) for one in shape.calendars}
        found |= {f"pauses.{name}": self.basis(one) for name, one in shape.pauses.items()}
        found |= {f"windows.{name}": self.basis(getattr(shape.windows, name)) for name in WindowsShape.model_fields}
        return MappingProxyType(found)


def _yes(*, seen: bool) -> parts.Sight:
    return "yes" if seen else "no"


def _windows(one: WindowsShape) -> parts.Windows:
    return parts.Windows(
        undo_acknowledge=_length(one.undo_acknowledge.value),
        decline=_length(one.decline.value),
        access=_length(one.access.value),
        sight_after_closing=_length(one.sight_after_closing.value),
        send_backs=one.send_backs.value,
        extensions=one.extensions.value,
        extension_percent=one.extension_percent.value,
        rounds_of_some_risk=one.rounds_of_some_risk.value,
        protection_max_months=one.protection_max_months.value,
    )


def _length(text: str) -> timedelta:
    return Limit.parse(text).elapsed
