"""One immutable policy version, loaded from YAML: what should happen, and by when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from policies.build import Pages, build
from policies.calendar import CalendarFault, Calendars, load_calendar
from policies.checks import check_rules
from policies.faults import Fault, PolicyFaults, one_of
from policies.ladder import Rung
from policies.limits import Limit, SameDay
from policies.notation import read_span
from policies.parts import (
    Basis,
    ClockLimit,
    Concern,
    GivenClock,
    Leave,
    Level,
    Programme,
    Reserved,
    Retention,
    Rhythm,
    RungText,
    Scale,
    SightRule,
    Statutory,
    Windows,
)
from policies.reading import Reading, digest_of, read
from policies.schema import PolicyShape
from policies.shape_faults import check_shape
from policies.shelf import find, registered, text_of, versions
from policies.vocabulary import Words

__all__ = ["Book", "PolicyFaults", "load", "load_text", "versions"]

_TABLES: Final = Path(__file__).parent / "calendars"


@dataclass(frozen=True, slots=True, eq=False)
class Book:
    """A policy version. Two books are the same when their digests are; comments and layout don't count.

    Mappings are read-only and in the file's order. Limits are by clock, named `assignment.acknowledge`.
    """

    version: str
    digest: str
    source_text: str = field(repr=False)
    title: Words
    effective_from: date
    effective_until: date | None
    tz: ZoneInfo
    calendars: Calendars = field(repr=False)
    pages: Pages = field(repr=False)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Book) and other.digest == self.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def limit(self, name: str, level: str) -> Limit | SameDay | None:
        """A clock's limit at a level; None where that level has none, and for a clock that is given its due.

        Raises KeyError for a clock or a level that no policy knows.
        """
        if name in self.pages.given:
            return None
        return self.pages.limits[name].by_level[level]

    def basis(self, name: str, level: str) -> Basis:
        """What that limit rests on. Raises KeyError as `limit` does."""
        if name in self.pages.given:
            return self.pages.given[name].basis
        return self.pages.limits[name].basis_by_level[level]

    def limit_label(self, name: str) -> Words:
        """What people call that clock."""
        return self.pages.given[name].label if name in self.pages.given else self.pages.limits[name].label

    def programme(self, said: str) -> Programme | None:
        """A programme by its code or by its name in either language."""
        for code, programme in self.programmes.items():
            if said == code or said in programme.label:
                return programme
        return None

    @property
    def levels(self) -> Mapping[str, Level]:
        return self.pages.levels

    @property
    def concerns(self) -> Mapping[str, Concern]:
        return self.pages.concerns

    @property
    def limits(self) -> Mapping[str, ClockLimit]:
        return self.pages.limits

    @property
    def given(self) -> Mapping[str, GivenClock]:
        return self.pages.given

    @property
    def pauses(self) -> Mapping[str, tuple[str, ...]]:
        """For each clock that pauses, in which states it does."""
        return self.pages.pauses

    @property
    def ladder(self) -> tuple[Rung, ...]:
        """The rungs, by rising percentage; one stands at 100."""
        return self.pages.ladder

    @property
    def rungs(self) -> Mapping[str, RungText]:
        """Label and basis of each rung, by its name."""
        return self.pages.rungs

    @property
    def rhythm(self) -> Rhythm:
        return self.pages.rhythm

    @property
    def leave(self) -> Leave:
        return self.pages.leave

    @property
    def sight(self) -> tuple[SightRule, ...]:
        return self.pages.sight

    @property
    def windows(self) -> Windows:
        return self.pages.windows

    @property
    def programmes(self) -> Mapping[str, Programme]:
        return self.pages.programmes

    @property
    def statutory(self) -> Mapping[str, Statutory]:
        return self.pages.statutory

    @property
    def scales(self) -> Mapping[str, Scale]:
        return self.pages.scales

    @property
    def reserved(self) -> Mapping[str, Reserved]:
        """The triggers that a law reserves, by `track.trigger`."""
        return self.pages.reserved

    @property
    def algorithm(self) -> str:
        """How sections are sealed: `aes-256-gcm` or `sm4-gcm`."""
        return self.pages.algorithm

    @property
    def retention(self) -> Retention:
        return self.pages.retention


def load(path_or_name: Path | str, extra_dirs: Iterable[Path | str] = ()) -> Book:
    """Load a policy by its version, from the library and then `extra_dirs`, or by the path of its file.

    Raises PolicyFaults with every fault: an unknown name, an unreadable file, whatever the shape or the rules
    refuse, and a version that the library or one of `extra_dirs` holds with another content.
    """
    dirs = tuple(extra_dirs)
    path = find(path_or_name, dirs)
    book = load_text(text_of(path), path.name, beside=path.parent)
    registered(book.version, book.digest, path, dirs)
    return book


def load_text(text: str, file: str, beside: Path | None = None) -> Book:
    """Read a policy's text, stored elsewhere than in a file. `beside` is where its own calendar tables lie.

    Raises PolicyFaults with every fault; `file` is the name that they carry.
    """
    reading = read(text, file)
    shape = check_shape(reading)
    check_rules(reading)
    calendars = _calendars(reading, shape, beside)
    if reading.faults or shape is None or calendars is None:
        raise PolicyFaults(reading.faults)
    return Book(
        version=shape.version,
        digest=digest_of(reading.tree),
        source_text=text,
        title=Words(shape.title.zh_CN, shape.title.en),
        effective_from=shape.effective_from,
        effective_until=shape.effective_until,
        tz=ZoneInfo(shape.timezone),
        calendars=calendars,
        pages=build(shape),
    )


def _calendars(reading: Reading, shape: PolicyShape | None, beside: Path | None) -> Calendars | None:
    if shape is None:
        return None
    own: list[Path] = []
    for place, entry in enumerate(shape.calendars):
        if (_TABLES / f"{entry.table}.yaml").is_file():
            continue
        path = beside / f"{entry.table}.yaml" if beside is not None else None
        if path is None or not path.is_file():
            known = sorted(one.stem for one in _TABLES.glob("*.yaml"))
            reading.fault(
                ("calendars", place, "table"),
                Words(f"没有日历表 {entry.table}", f"there is no calendar table {entry.table}"),
                one_of(known, entry.table),
            )
        else:
            own.append(path)
    try:
        hours = tuple(read_span(span) for span in shape.working_hours.spans)
        return load_calendar(own, tz=shape.timezone, hours=hours)
    except CalendarFault as fault:
        for one in fault.faults:
            said = Words(one.text["zh_CN"], one.text["en"])
            reading.faults.append(
                Fault(one.file, one.line, one.field, said, Words("改正这张日历表", "correct this table"))
            )
        if not fault.faults:
            said = Words(fault.text["zh_CN"], fault.text["en"])
            reading.fault(("timezone",), said, Words("写成 Asia/Shanghai", "write Asia/Shanghai"))
    return None
