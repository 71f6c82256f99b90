"""The shape of a policy file, field by field. Editors get it as JSON Schema: library/policy.schema.json.

A shape says which fields there are and of what type; `policies.checks` asks what they must say together.
"""

from __future__ import annotations

import json
from datetime import date
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from policies.notation import (
    Algorithm,
    BasisKind,
    ClockName,
    Code,
    Count,
    GivenName,
    Kind,
    Length,
    Level,
    LimitText,
    Occasion,
    Openable,
    PausingName,
    Percent,
    Responder,
    Said,
    ScaleName,
    Sees,
    Share,
    Span,
    StatutoryCode,
    TableName,
    Told,
    Trigger,
    Who,
    Year,
    ZoneName,
)


class Shape(BaseModel):
    """Frozen and strict; a field that isn't known is a fault."""

    model_config: ClassVar[ConfigDict] = ConfigDict(strict=True, frozen=True, extra="forbid")


class Text(Shape):
    zh_CN: Said  # noqa: N815 - the name of a locale
    en: Said


class Source(Shape):
    kind: BasisKind
    cite: Text


class Based(Shape):
    """Every entry names the source that it rests on."""

    basis: Code
    note: Text | None = None


class LevelShape(Based):
    rank: Annotated[int, Field(ge=1, le=4)]
    label: Text
    meaning: Text


class ConcernShape(Based):
    label: Text
    lead: Responder
    support: tuple[Responder, ...]
    opens: tuple[Openable, ...]


class LimitShape(Based):
    label: Text
    every_level: LimitText | None = None
    levels: dict[Level, LimitText] | None = None
    notes: dict[Level, Text] | None = None


class GivenShape(Based):
    label: Text
    due: Text


class PauseShape(Based):
    states: Annotated[tuple[Code, ...], Field(alias="while", min_length=1)]


class RungShape(Based):
    percent: Annotated[int, Field(ge=1, le=1000)]
    name: Code
    label: Text
    tells: Annotated[tuple[Told, ...], Field(min_length=1)]
    supervises: bool = False
    bulletin: bool = False


class HoursShape(Based):
    spans: Annotated[tuple[Span, ...], Field(min_length=1)]


class TableShape(Based):
    table: TableName
    year: Year


class AttendanceShape(Shape):
    weeks: tuple[Count, Count]
    percent: Percent


class RhythmShape(Based):
    school: Annotated[tuple[Count, ...], Field(min_length=1)]
    hospital: tuple[Count, ...]
    attendance: tuple[AttendanceShape, ...]


class LeaveShape(Based):
    absent_share: Share
    hospital_grade: Annotated[int, Field(ge=1, le=3)]
    term_months: Annotated[int, Field(ge=1, le=36)]


class SightShape(Based):
    who: Annotated[tuple[Who, ...], Field(min_length=1)]
    when: Occasion = "always"
    identity: Literal[True, False, "masked"]
    narrative: Sees
    clinical: Sees


class LengthWindow(Based):
    value: Length


class CountWindow(Based):
    value: Annotated[int, Field(ge=0, le=100)]


class WindowsShape(Shape):
    undo_acknowledge: LengthWindow
    decline: LengthWindow
    access: LengthWindow
    sight_after_closing: LengthWindow
    send_backs: CountWindow
    extensions: CountWindow
    extension_percent: CountWindow
    rounds_of_some_risk: CountWindow
    protection_max_months: CountWindow


class ProgrammeShape(Based):
    code: Code
    label: Text


class StatutoryShape(Based):
    code: StatutoryCode
    item: Annotated[int, Field(ge=1, le=9)]
    label: Text
    question: Text


class BandShape(Shape):
    lowest: Annotated[int, Field(alias="from", ge=0)]
    highest: Annotated[int, Field(alias="to", ge=0)]
    code: Code
    label: Text


class TriageShape(Shape):
    code: Code
    any_of: Annotated[tuple[Count, ...], Field(min_length=1)]
    label: Text


class AlarmShape(Shape):
    items: Annotated[dict[str, Annotated[int, Field(ge=1)]], Field(min_length=1)]
    label: Text


class ScaleShape(Based):
    label: Text
    items: Annotated[int, Field(ge=1, le=100)]
    answers: tuple[Annotated[int, Field(ge=0, le=0)], Annotated[int, Field(ge=1, le=10)]]
    bands: Annotated[tuple[BandShape, ...], Field(min_length=1)] = ()
    triage: Annotated[tuple[TriageShape, ...], Field(min_length=1)] = ()
    alarm: AlarmShape | None = None


class ReservedShape(Based):
    kinds: Annotated[tuple[Kind, ...], Field(min_length=1)]


class SealingShape(Based):
    algorithm: Algorithm


class CaseRetentionShape(Based):
    until_age: Annotated[int, Field(ge=18, le=100)]
    plus_years: Annotated[int, Field(ge=0, le=100)]
    years_after_closing: Annotated[int, Field(ge=0, le=100)]


class YearsShape(Based):
    years: Annotated[int, Field(ge=1, le=100)]


class MonthsShape(Based):
    months: Annotated[int, Field(ge=1, le=1200)]


class RetentionShape(Shape):
    case: CaseRetentionShape
    processing_records: YearsShape
    logs: MonthsShape
    medical_records: YearsShape


class PolicyShape(Shape):
    """A whole policy file."""

    version: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,39}-[0-9]{4}\.[0-9]{1,3}$")]
    title: Text
    effective_from: date
    effective_until: date | None = None
    timezone: ZoneName
    sources: dict[Code, Source]
    levels: dict[Level, LevelShape]
    concerns: Annotated[dict[Code, ConcernShape], Field(min_length=1)]
    limits: dict[ClockName, LimitShape]
    given: dict[GivenName, GivenShape]
    pauses: dict[PausingName, PauseShape]
    ladder: Annotated[tuple[RungShape, ...], Field(min_length=1)]
    working_hours: HoursShape
    calendars: tuple[TableShape, ...]
    rhythm: RhythmShape
    leave: LeaveShape
    sight: Annotated[tuple[SightShape, ...], Field(min_length=1)]
    windows: WindowsShape
    programmes: Annotated[tuple[ProgrammeShape, ...], Field(min_length=1)]
    statutory: tuple[StatutoryShape, ...]
    scales: dict[ScaleName, ScaleShape]
    reserved: dict[Trigger, ReservedShape]
    sealing: SealingShape
    retention: RetentionShape


def json_schema() -> str:
    """The JSON Schema for editors, as it is written to library/policy.schema.json."""
    schema = PolicyShape.model_json_schema(by_alias=True)
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    from pathlib import Path

    target = Path(__file__).parent / "library" / "policy.schema.json"
    target.write_text(json_schema(), encoding="utf-8")
