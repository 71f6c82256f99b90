"""Forms: what a trigger must carry. Declared field by field, checked by pydantic, split by section.

A field says which section of the case its content belongs to: `identity`, `narrative` and `clinical` are
sealed, `open` is neither personal nor secret (codes, levels, instants, numbers) and stays readable.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal, cast
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    create_model,
    field_validator,
)
from pydantic import (
    Field as Shape,
)
from pydantic_core import PydanticCustomError

from cases import id_number
from cases.form_faults import CASE_NUMBER, faults_of
from cases.refusal import FieldFault, Refusal
from policies.limits import Limit, LimitFault

Section = Literal["open", "identity", "narrative", "clinical"]

NUMBER = re.compile(CASE_NUMBER)
"""What the number of a case looks like."""
_STRICT = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


def _as_list(value: object) -> object:
    """A single name stands for a list of one: people write `present: the officer`."""
    return [value] if isinstance(value, str) else value


def _as_text(value: object) -> object:
    """A number written without quotes in a scenario is still a text (`number: 1`, `channel: 110`)."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _no_truth(value: object) -> object:
    """Refuse `yes` where a number belongs: Python takes it for a one."""
    if isinstance(value, bool):
        message = "a number belongs here"
        raise ValueError(message)  # noqa: TRY004 - pydantic turns it into the field's fault
    return value


def _printable(value: str) -> str:
    """Refuse control characters: PostgreSQL stores no NUL, and a log line or a page needs none of them."""
    if any(ord(sign) < 32 and sign not in "\n\t\r" for sign in value):
        message = "control characters are not allowed"
        raise ValueError(message)
    return value


def _as_limit(value: object) -> object:
    if isinstance(value, str):
        try:
            return Limit.parse(value)
        except LimitFault as fault:
            raise PydanticCustomError("limit", "no limit") from fault
    return value


def _one_of(choices: tuple[str, ...]) -> Any:  # noqa: ANN401 - an annotation made at run time
    return Literal.__getitem__(choices)


def _many(one: Any) -> Any:  # noqa: ANN401
    return tuple.__class_getitem__((one, ...))


_Written = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(_printable)]
_Line = Annotated[
    str,
    BeforeValidator(_as_text),
    StringConstraints(min_length=1, max_length=200),
    AfterValidator(_printable),
]
_Text = Annotated[
    str,
    BeforeValidator(_as_text),
    StringConstraints(min_length=1, max_length=4000),
    AfterValidator(_printable),
]
_Lines = Annotated[tuple[_Line, ...], BeforeValidator(_as_list), Shape(min_length=1, max_length=50)]
_Int = Annotated[int, BeforeValidator(_no_truth)]
_Percent = Annotated[_Int, Shape(ge=0, le=100)]
_Five = Annotated[_Int, Shape(ge=1, le=5)]
ID_END = 2**63
"""No id reaches it: the columns end there."""
_Id = Annotated[_Int, Shape(gt=0, lt=ID_END)]


class Student(BaseModel):
    """Who the student is: the identity section of a case."""

    model_config = _STRICT
    name: Annotated[_Line, Shape(max_length=80)]
    born: dt.date
    grade: Annotated[_Int, Shape(ge=0, le=13)] | _Written | None = None
    class_: _Line | None = Shape(default=None, alias="class")
    id_number: Annotated[_Line, Shape(max_length=40)] | None = None
    guardians: Annotated[tuple[_Line | dict[_Line, _Line], ...], BeforeValidator(_as_list)] | None = None
    address: _Line | None = None

    @field_validator("id_number")
    @classmethod
    def _right_number(cls, said: str | None, rest: ValidationInfo) -> str | None:
        """Its check digit fits, and the birthday in it is the one beside it; kept as `id_number.plain` writes it."""
        if said is None:
            return None
        number = id_number.plain(said)
        wrong = id_number.fault(number, rest.data.get("born"))
        if wrong is not None:
            raise PydanticCustomError(wrong, "the ID number is wrong")
        return number


class Score(BaseModel):
    """One organisation's score by the whistler."""

    model_config = _STRICT
    score: _Five
    comment: _Text | None = None


class Plan(BaseModel):
    """The return-to-school plan: attendance in percent by fortnight, who minds it, what to watch."""

    model_config = _STRICT
    attendance: Annotated[tuple[_Percent, ...], Shape(min_length=1, max_length=26)]
    seat: _Line | None = None
    mentor: _Line
    watch_points: _Text


class Item(BaseModel):
    """One action item of a conference."""

    model_config = _STRICT
    organisation: _Id
    what: _Text
    limit: Annotated[Limit, BeforeValidator(_as_limit)]


STATUTORY = (
    "genital_injury",
    "sexual_assault_under_14",
    "pregnancy_from_assault",
    "injury",
    "self_harm",
    "abandoned",
    "missing_or_trafficked",
    "organised_begging",
    "other_serious_harm",
)
"""The nine situations that must be reported (2020 Opinion art. 4), by the codes of DOMAIN.md."""

KINDS: Mapping[str, Any] = {
    "line": _Line,
    "text": _Text,
    "lines": _Lines,
    "date": dt.date,
    "moment": dt.datetime,
    "number": Annotated[_Int, Shape(ge=0, le=100_000)],
    "hours": Annotated[float, BeforeValidator(_no_truth), Shape(gt=0, le=24, allow_inf_nan=False)],
    "percent": _Percent,
    "five": _Five,
    "yesno": bool,
    "organisation": _Id,
    "organisations": Annotated[tuple[_Id, ...], Shape(min_length=1, max_length=50)],
    "track": Annotated[_Int, Shape(gt=0, lt=2**15)],
    "statutory": Annotated[_many(_one_of(STATUTORY)), BeforeValidator(_as_list), Shape(min_length=1, max_length=9)],
    "concern": Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")],
    "case": Annotated[str, StringConstraints(pattern=NUMBER.pattern)],
    "evidence": _Lines,
    "student": Student,
    "scores": Annotated[dict[_Id, Score], Shape(min_length=1)],
    "plan": Plan,
    "items": Annotated[tuple[Item, ...], Shape(max_length=50)],
    "answers": dict[_Line, _Int],
    "extra": Annotated[_Int | Limit, BeforeValidator(_as_limit)],
}
"""Every kind of field, and the shape that its content must have."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a form. `choices` are the codes of the kind `choice`."""

    name: str
    kind: str
    required: bool = True
    section: Section = "narrative"
    choices: tuple[str, ...] = ()

    @property
    def shape(self) -> Any:  # noqa: ANN401 - an annotation, whatever pydantic takes
        """The pydantic annotation of the content."""
        if self.kind == "choice":
            return _one_of(self.choices)
        return KINDS[self.kind]


_OPEN_KINDS = frozenset(
    {
        "date",
        "moment",
        "number",
        "hours",
        "percent",
        "five",
        "yesno",
        "organisation",
        "organisations",
        "track",
    }
    | {"statutory", "concern", "case", "choice", "choices", "extra"}
)


@dataclass(frozen=True, slots=True)
class Form:
    """The fields of one trigger, in the order in which a person meets them."""

    fields: tuple[Field, ...] = ()

    def section_of(self, name: str) -> Section:
        """The section of one field."""
        return next(field.section for field in self.fields if field.name == name)

    def checked(self, given: Mapping[str, Any] | None, zone: ZoneInfo) -> dict[str, Any]:
        """Return the fields as typed values, or refuse with `invalid`, naming every faulty field.

        A date with time that names no zone is local time of `zone` (the policy's); it comes back aware, in UTC.
        Fields that were not given are absent from the answer.
        """
        if not self.fields and not given:
            return {}
        try:
            checked = _model(self).model_validate(dict(given or {}))
        except ValidationError as fault:
            raise Refusal("invalid", faults=faults_of(fault)) from None
        answer: dict[str, Any] = {}
        for name in checked.model_fields_set:
            value = getattr(checked, name)
            if value is not None:
                answer[name.rstrip("_")] = _utc(name, value, zone) if isinstance(value, dt.datetime) else value
        return answer


def fields(text: str, **special: str | tuple[str, ...] | Field) -> Form:
    """Read a row of the contract: `"reason, at, note?"`; `special` gives a field's kind or its choices.

    Kinds default by name (see `_BY_NAME`) and else to a text; a kind may carry its section after a colon
    (`"text:clinical"`); a whole `Field` stands for itself. Fields of codes, instants and numbers are `open`, all
    others `narrative`.
    """
    parsed: list[Field] = []
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        name, required = part.rstrip("?"), not part.endswith("?")
        what = special.get(name, _BY_NAME.get(name, "text"))
        if isinstance(what, Field):
            parsed.append(what)
            continue
        if isinstance(what, tuple):
            parsed.append(Field(name, "choice", required, "open", what))
            continue
        kind, _, section = what.partition(":")
        default: Section = "open" if kind in _OPEN_KINDS else "narrative"
        parsed.append(Field(name, kind, required, cast("Section", section) if section else default))
    return Form(tuple(parsed))


_BY_NAME: Mapping[str, str] = {
    "at": "moment",
    "signed_at": "moment",
    "seen_at": "moment",
    "day": "date",
    "until": "date",
    "review_on": "date",
    "from_day": "date",
    "next_visit": "date",
    "new_date": "date",
    "to": "organisation",
    "hospital": "organisation",
    "organisation": "organisation",
    "proposed": "organisation",
    "school": "organisation",
    "court": "organisation",
    "about": "track",
    "into": "case",
    "people": "lines",
    "present": "lines",
    "form": "evidence",
    "evidence": "evidence",
    "signed_refusal": "evidence",
    "certificate": "evidence",
    "student": "student:identity",
    "guardian": "line:identity",
    "scores": "scores",
    "plan": "text",
    "items": "items",
    "number": "line",
    "term": "line",
    "where": "line",
    "version": "line:clinical",
    "clinical_note": "text:clinical",
    "urgent": "yesno",
    "proper": "yesno",
    "family_satisfied": "yesno",
    "attended_review": "yesno",
    "attendance": "percent",
    "mood": "five:clinical",
    "sleep": "five:clinical",
    "peers": "five:clinical",
    "hours": "hours",
    "extra": "extra",
}


@cache
def _model(form: Form) -> type[BaseModel]:
    """The pydantic model of a form, built when it is first needed (never at import)."""
    shapes: dict[str, Any] = {}
    for field in form.fields:
        annotation = field.shape if field.required else field.shape | None
        shapes[field.name] = (annotation, ... if field.required else None)
    return create_model("Form", __config__=_STRICT, **shapes)


def _utc(name: str, value: dt.datetime, zone: ZoneInfo) -> dt.datetime:
    try:
        return (value.replace(tzinfo=zone) if value.tzinfo is None else value).astimezone(dt.UTC)
    except OverflowError:
        # The first and the last day that a date can say have no instant in every zone.
        raise Refusal("invalid", faults=(FieldFault(name, "not_a_date"),)) from None
