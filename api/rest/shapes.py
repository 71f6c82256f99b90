"""The forms of the triggers as JSON Schema, with an example that is valid for each; and JSON taken at its word.

Forms are lenient where people write scenarios (a number may stand for a text, a single name for a list). A system
that writes JSON is held to the types that the schema names.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from cases.forms import STATUTORY, Field, Form
from cases.refusal import FieldFault

Schema = dict[str, Any]

_LINE: Final[Schema] = {"type": "string", "minLength": 1, "maxLength": 200, "pattern": r"\S"}
_TEXT: Final[Schema] = {"type": "string", "minLength": 1, "maxLength": 4000, "pattern": r"\S"}
_LINES: Final[Schema] = {"type": "array", "items": _LINE, "minItems": 1, "maxItems": 50}
_ID: Final[Schema] = {"type": "integer", "exclusiveMinimum": 0, "maximum": 2**53 - 1}
_FIVE: Final[Schema] = {"type": "integer", "minimum": 1, "maximum": 5}
_PERCENT: Final[Schema] = {"type": "integer", "minimum": 0, "maximum": 100}
_DATE: Final[Schema] = {"type": "string", "format": "date", "pattern": r"^\d{4}-\d{2}-\d{2}$"}
_MOMENT: Final[Schema] = {"type": "string", "format": "date-time", "pattern": r"^\d{4}-\d{2}-\d{2}[Tt]"}
_LIMIT: Final[Schema] = {
    "type": "string",
    "pattern": r"^[1-9]\d{0,2}(m|h|wh|wd|d)$",
    "description": "`15m`, `2h`, `4wh` (working hours), `3wd` (working days), `7d`",
}


def _object(required: str, **properties: Schema) -> Schema:
    return {
        "type": "object",
        "properties": {name.rstrip("_"): one for name, one in properties.items()},
        "required": required.split(),
        "additionalProperties": False,
    }


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


_SHORT: Final[Schema] = {**_LINE, "maxLength": 80}
_STUDENT: Final = _object(
    "name born",
    name=_SHORT,
    born=_DATE,
    grade=_or_null({"anyOf": [{"type": "integer", "minimum": 0, "maximum": 13}, _LINE]}),
    class_=_or_null(_LINE),
    id_number=_or_null({"type": "string", "pattern": r"^\d{17}[\dXx]$"}),
    guardians=_or_null(
        {
            "type": "array",
            "items": {
                "anyOf": [_LINE, {"type": "object", "propertyNames": _LINE, "additionalProperties": _LINE}],
            },
        }
    ),
    address=_or_null(_LINE),
)
_PLAN: Final = _object(
    "attendance mentor watch_points",
    attendance={"type": "array", "items": _PERCENT, "minItems": 1, "maxItems": 26},
    seat=_or_null(_LINE),
    mentor=_LINE,
    watch_points=_TEXT,
)

SCHEMAS: Final[Mapping[str, Schema]] = {
    "line": _LINE,
    "text": _TEXT,
    "lines": _LINES,
    "date": _DATE,
    "moment": _MOMENT,
    "number": {"type": "integer", "minimum": 0, "maximum": 100_000},
    "hours": {"type": "number", "exclusiveMinimum": 0, "maximum": 24},
    "percent": _PERCENT,
    "five": _FIVE,
    "yesno": {"type": "boolean"},
    "organisation": _ID,
    "organisations": {"type": "array", "items": _ID, "minItems": 1, "maxItems": 50},
    "track": {"type": "integer", "exclusiveMinimum": 0, "maximum": 2**15 - 1},
    "statutory": {"type": "array", "items": {"type": "string", "enum": list(STATUTORY)}, "minItems": 1, "maxItems": 9},
    "concern": {"type": "string", "pattern": r"^[a-z][a-z0-9_]{0,39}$"},
    "case": {"type": "string", "pattern": r"^[A-Z]{0,4}-?\d{4}-\d{1,9}$"},
    "evidence": _LINES,
    "student": _STUDENT,
    "scores": {
        "type": "object",
        "propertyNames": {"pattern": r"^[1-9]\d{0,15}$"},
        "additionalProperties": _object("score", score=_FIVE, comment=_or_null(_TEXT)),
        "minProperties": 1,
    },
    "plan": _PLAN,
    "items": {
        "type": "array",
        "items": _object("organisation what limit", organisation=_ID, what=_TEXT, limit=_LIMIT),
        "maxItems": 50,
    },
    "answers": {
        "type": "object",
        "propertyNames": _LINE,
        "additionalProperties": {"type": "integer", "minimum": 0, "maximum": 10},
    },
    "extra": {"anyOf": [{"type": "integer", "minimum": 1, "maximum": 999}, _LIMIT]},
}
"""Every kind of field of `cases.forms` as JSON; a test holds the two against each other."""

_WORDS: Final = {
    "zh_CN": {"line": "示例", "text": "情况已核实，按方案处理。", "name": "小怡", "person": "周老师"},
    "en": {"line": "as arranged", "text": "Seen on site; handled as planned.", "name": "Xiaoyi", "person": "Ms Zhou"},
}
_DAYS: Final = {"until": "2026-05-01", "review_on": "2026-03-24", "next_visit": "2026-03-31", "new_date": "2026-03-20"}
_ITEMS: Final = {str(item): 0 for item in range(1, 10)}
_EXAMPLES: Final[Mapping[str, Callable[[Mapping[str, str]], Any]]] = {
    "line": lambda words: words["line"],
    "text": lambda words: words["text"],
    "lines": lambda words: [words["person"]],
    "date": lambda _: "2026-03-17",
    "moment": lambda _: "2026-03-17T08:20:00+08:00",
    "number": lambda _: 1,
    "hours": lambda _: 1.5,
    "percent": lambda _: 80,
    "five": lambda _: 3,
    "yesno": lambda _: True,
    "organisation": lambda _: 12,
    "organisations": lambda _: [12, 15],
    "track": lambda _: 1,
    "statutory": lambda _: ["injury"],
    "concern": lambda _: "harmful_home",
    "case": lambda _: "WH-2026-000123",
    "evidence": lambda _: ["photo-1.jpg"],
    "student": lambda words: {"name": words["name"], "born": "2016-11-02", "grade": 3},
    "scores": lambda _: {"12": {"score": 5}},
    "plan": lambda words: {"attendance": [50, 75, 100], "mentor": words["person"], "watch_points": words["text"]},
    "items": lambda words: [{"organisation": 12, "what": words["text"], "limit": "3wd"}],
    "answers": lambda _: dict(_ITEMS),
    "extra": lambda _: "2h",
}


LEFT_OUT: Final[Mapping[str, Schema]] = {
    "ruling": {
        "default": "done",
        "description": "不填即认可反馈、办结 · left out, the feedback is accepted and the assignment done",
    },
}
"""What an optional field means where it is left out. People are asked (`api.pages.insisted`); a system has to know."""


def schema_of(field: Field) -> Schema:
    """The JSON Schema of one field, with its codes where it is a choice; an optional one may be null too."""
    schema: Schema = (
        {"type": "string", "enum": list(field.choices)} if field.kind == "choice" else dict(SCHEMAS[field.kind])
    )
    if not field.required:
        schema = _or_null(schema) | LEFT_OUT.get(field.name, {})
    return {**schema, "title": field.name, "x-section": field.section}


def schema_of_form(form: Form) -> Schema:
    """The JSON Schema of a whole form."""
    return {
        "type": "object",
        "properties": {one.name: schema_of(one) for one in form.fields},
        "required": [one.name for one in form.fields if one.required],
        "additionalProperties": False,
    }


def example_of(form: Form, language: str) -> dict[str, Any]:
    """A form that is valid in every required field, in that language."""
    words = _WORDS[language]
    found: dict[str, Any] = {}
    for one in form.fields:
        if one.required:
            found[one.name] = _example(one, words)
    return found


def _example(field: Field, words: Mapping[str, str]) -> Any:  # noqa: ANN401 - JSON
    if field.choices:
        return field.choices[0]
    if field.kind == "date":
        return _DAYS.get(field.name, "2026-03-17")
    return _EXAMPLES[field.kind](words)


# ---------------------------------------------------------------------------------------------- JSON taken at its word


def loose(form: Form, given: Mapping[str, Any]) -> Iterator[FieldFault]:
    """The fields of a form that was accepted although they are of another JSON type than the schema names."""
    for one in form.fields:
        if one.name in given and one.kind != "choice":
            yield from _strict(SCHEMAS[one.kind], given[one.name], one.name, optional=not one.required)


_TYPES: Final[Mapping[str, Callable[[Any], bool]]] = {
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: type(value) is int or (isinstance(value, float) and value.is_integer()),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
    "null": lambda value: value is None,
}


def _strict(schema: Schema, value: Any, path: str, *, optional: bool = False) -> Iterator[FieldFault]:  # noqa: ANN401
    if value is None and optional:
        return
    if "anyOf" in schema:
        found = [list(_strict(one, value, path)) for one in schema["anyOf"]]
        if all(found):
            yield found[0][0]
        return
    kind = schema.get("type")
    if kind is None:
        return
    if not _TYPES[kind](value) or (kind == "string" and not re.search(schema.get("pattern", ""), value)):
        yield FieldFault(path, "wrong_form")
        return
    if kind == "array":
        for place, one in enumerate(value):
            yield from _strict(schema["items"], one, f"{path}.{place}")
    elif kind == "object":
        known, more = schema.get("properties", {}), schema.get("additionalProperties")
        for name, one in value.items():
            inner = known.get(name) or (more if isinstance(more, dict) else None)
            if inner is not None:
                yield from _strict(inner, one, f"{path}.{name}")
