"""What the API answers, as models: OpenAPI describes them, and an answer is written from one.

Nothing in them but `Section` and `Found` may name or describe a student.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from cases.records import LEVELS

L = TypeVar("L")
Level = Annotated[str, Field(json_schema_extra={"enum": list(LEVELS)})]
ClockState = Annotated[str, Field(json_schema_extra={"enum": ["running", "paused", "met", "missed", "cancelled"]})]


class Shown(BaseModel):
    """An answer or a part of one. Field names are the contract's own words."""

    model_config = ConfigDict(from_attributes=True)


class PageOf(Shown, Generic[L]):
    """One page of a list, and where the next one begins."""

    items: list[L]
    next: str | None = Field(description="下一页的地址 · the address of the next page; null on the last one")


class CaseLine(Shown):
    number: str
    state: str
    level: Level
    concern: str
    school: int
    school_name: str
    district: int
    policy: str
    opened: datetime
    changed: datetime
    closed: datetime | None
    version: int
    due: datetime | None = Field(description="最近的时限 · the earliest limit that is still to be met")
    overdue: int = Field(description="已超时的时限数 · limits that have passed unmet")


class Sight(Shown):
    identity: Literal["yes", "masked", "no"]
    narrative: Literal["yes", "masked", "no"]
    clinical: Literal["yes", "masked", "no"]


class Trigger(Shown):
    """A trigger, and whether this reader may pull it now; else the refusal it would be answered with."""

    kind: str
    trigger: str
    label: str
    href: str
    may: bool
    refusal: str | None = None
    why: str | None = None
    who_can: list[str] = []


class TrackOpen(Shown):
    """The open part of a track. `facts` are what its guards go by: codes, numbers and days."""

    no: int
    kind: str
    label: str
    state: str
    state_label: str
    organisation: int | None
    organisation_name: str | None = None
    parent: int | None
    about: int | None
    opened: datetime
    facts: dict[str, Any]


class TrackFull(TrackOpen):
    triggers: list[Trigger]


class TracksOf(Shown):
    """The tracks of a case, 0 being the case itself, and the triggers that open another."""

    items: list[TrackFull]
    openings: list[Trigger]


class CalledTo(Shown):
    organisation: int
    name: str
    kind: str
    since: datetime
    until: datetime | None


class CaseOpen(Shown):
    """The open part of a case: what is neither personal nor secret."""

    number: str
    state: str
    state_label: str
    level: Level
    concern: str
    concern_label: str
    school: int
    school_name: str
    district: int
    city: int
    policy: str
    opened: datetime
    changed: datetime
    closed: datetime | None
    version: int
    merged_into: str | None
    forgotten: bool
    grade: str | None = Field(
        description="年级；看不到身份的人也以此代替姓名 · in place of a name for whoever sees none"
    )
    sight: Sight
    called: list[CalledTo]


class Section(Shown):
    """What stands in a section: one entry for each event that has it, with its `seq`; the student's own first."""

    number: str
    section: Literal["identity", "narrative", "clinical"]
    entries: list[dict[str, Any]]


class Moved(Shown):
    """What a trigger did. `events` are the numbers of what was written; none where the same key was turned again."""

    number: str
    state: str
    level: Level
    version: int
    track: int
    kind: str
    track_state: str
    organisation: int | None
    events: list[int]


class ClockLine(Shown):
    """A clock of a case. Its reckoning stands under `href`."""

    no: int
    track: int
    kind: str
    name: str
    label: str
    state: ClockState
    level: Level
    started: datetime
    due: datetime
    stopped: datetime | None
    provisional: bool
    href: str


class ReckoningStep(Shown):
    kind: str
    begins: datetime | None = Field(serialization_alias="from")
    ends: datetime | None = Field(serialization_alias="to")
    what: str
    basis: str | None


class Why(Shown):
    """Why a clock is due then: step by step, each with what it rests on."""

    clock: str
    level: Level
    due: datetime
    provisional: bool
    steps: list[ReckoningStep]


class EventLine(Shown):
    """One event as this reader may see it. `actor` is empty for time's own moves and where the law hides the name."""

    seq: int
    at: datetime
    track: int
    kind: str
    name: str
    trigger: str
    target: str | None
    organisation: int | None
    actor: int | None
    actor_name: str | None = None
    role: str | None
    open: dict[str, Any]
    sections: list[str]


class TrackLine(Shown):
    """One track of a list over all cases that the reader sees."""

    number: str
    level: Level
    no: int
    kind: str
    state: str
    state_label: str
    organisation: int | None
    parent: int | None
    about: int | None
    opened: datetime
    ended: datetime | None
    due: datetime | None
    facts: dict[str, Any]


class CountLine(Shown):
    state: str
    level: Level
    cases: int
    overdue: int


class FigureLine(Shown):
    """One indicator. Fewer than five are not told: then `few` is true, and neither value nor base is given."""

    code: str
    value: float | None = Field(description="百分率、均分或每千/每百件数 · percent, mean, or so many per 1,000 or 100")
    of: int | None = Field(description="统计件数 · how many it rests on")
    few: bool
    aside: bool = Field(description="为免推算出他项而不显示 · kept back so that nobody reckons another one")


class MonthFigures(Shown):
    month: str = Field(pattern=r"^\d{4}-\d{2}$")
    figures: list[FigureLine]


class PlaceFigures(Shown):
    id: int
    name: str
    kind: str
    figures: list[FigureLine]


class TimesLine(Shown):
    """How long a step took, in minutes to two digits: median, third quartile, ninth decile."""

    code: str
    of: int | None
    median: int | None
    third: int | None
    ninth: int | None
    few: bool


class Assessed(Shown):
    """The indicators for district and school assessment: docs/reference/indicators.md says what each means."""

    place: int
    name: str
    month_from: str = Field(pattern=r"^\d{4}-\d{2}$")
    month_to: str = Field(pattern=r"^\d{4}-\d{2}$")
    counted: datetime | None = Field(description="统计时刻 · when it was counted")
    figures: list[FigureLine]
    months: list[MonthFigures]
    below: list[PlaceFigures] = Field(description="各区或各单位 · the districts of a city, else the organisations")
    times: list[TimesLine]


class Statistics(Shown):
    """How many cases the reader sees, by state and level; and for those who oversee, the indicators."""

    cases: int
    overdue: int
    by: list[CountLine]
    assessed: Assessed | None = Field(default=None, description="仅监管人员 · for those who oversee a place alone")


class OrganisationLine(Shown):
    id: int
    code: str
    kind: str
    name: str
    parent: int | None = Field(validation_alias="parent_id")
    district: int | None = Field(validation_alias="district_id")
    city: int | None = Field(validation_alias="city_id")
    street: int | None = Field(validation_alias="street_id")
    hospital: int | None = Field(validation_alias="hospital_id")
    community: int | None = Field(validation_alias="community_id")


class PostLine(Shown):
    role: str
    organisation: int
    school: int | None
    since: date
    until: date | None


class MemberLine(Shown):
    """A member. Telephone and mail are for the same organisation and its admins."""

    id: int
    name: str
    organisation: int
    active: bool
    language: str
    phone: str | None
    email: str | None
    posts: list[PostLine]


class Entered(Shown):
    """What an admin has entered or changed, by id."""

    id: int


class MessageLine(Shown):
    """One message: numbers, levels and limits, no person."""

    id: int
    at: datetime
    kind: str
    level: str
    number: str | None
    occasion: str | None
    items: list[Mapping[str, Any]]
    read: datetime | None


class LookLine(Shown):
    """One opening of a section."""

    id: int
    number: str
    at: datetime
    member: int
    name: str
    organisation: int
    role: str
    section: str
    what: str
    track: int | None


class PostChange(Shown):
    """One change of a post: an appointment from that day, an end on that day, or a member taken out of service."""

    id: int
    at: datetime
    by: int | None
    by_name: str | None
    member: int
    name: str
    what: Literal["appointed", "ended", "retired"]
    role: str | None
    organisation: int
    place: str
    day: date | None


class Found(Shown):
    items: list[CaseLine]


class Word(Shown):
    code: str
    label: str


class Question(Word):
    question: str


class ConcernLine(Word):
    lead: str
    support: list[str]
    opens: list[str]


class Policy(Shown):
    """The version under which new cases open."""

    version: str
    title: str
    digest: str
    timezone: str
    levels: list[Word]
    concerns: list[ConcernLine]
    statutory: list[Question]
