"""From pydantic's findings to faults that a person who edits a policy understands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Final

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from policies.faults import Where, one_of, shown
from policies.reading import Plain, Reading
from policies.schema import PolicyShape
from policies.vocabulary import Words

Said = tuple[Words, Words]


def check_shape(reading: Reading) -> PolicyShape | None:
    """The typed shape of a file as read; None when faults were found, which then stand in the reading.

    A field with nothing behind it is always a fault: it would pass for one that was left out on purpose.
    """
    shape: PolicyShape | None = None
    told: set[Where] = set()
    try:
        shape = PolicyShape.model_validate(reading.tree)
    except ValidationError as wrong:
        for error in wrong.errors(include_url=False):
            where = tuple(step for step in error["loc"] if step != "[key]")
            why, right = _said(error, where)
            reading.fault(where, why, right)
            told.add(where)
    for where in reading.empty:
        if where not in told:
            right = Words("写上内容，或去掉这个字段", "write something, or leave the field out")
            reading.fault(where, _wrong_type(None), right)
    return shape


def _said(error: ErrorDetails, where: Where) -> Said:
    facts: Mapping[str, Any] = error.get("ctx", {})
    said = error["input"]
    if error["type"] == "told":
        if where[-1:] == ("lead",) and isinstance(said, tuple) and said:
            return _second_lead(said)
        return facts["why"], facts["right"]
    if error["type"] == "missing":
        return _missing(where)
    if error["type"] == "extra_forbidden":
        return (
            Words(f"没有“{shown(where[-1])}”这个字段", f'there is no field "{shown(where[-1])}"'),
            one_of(_fields_at(where[:-1]), where[-1]),
        )
    if error["type"] in _TYPES:
        return _wrong_type(said), _TYPES[error["type"]]
    return _BOUNDS.get(error["type"], _unforeseen)(said, facts)


def _second_lead(said: tuple[Plain, ...]) -> Said:
    names = ", ".join(shown(name) for name in said)
    return (
        Words(f"写了不止一个主办单位（{names}）", f"more than one lead ({names})"),
        Words("lead 只写一个，其余写进 support", "one lead; the others belong in support"),
    )


def _missing(where: Where) -> Said:
    name = shown(where[-1])
    if name == "lead":
        return (
            Words("这个事由没有主办单位", "this concern has no lead"),
            Words("写上 lead: street 之类，且只写一个", "add one, such as lead: street"),
        )
    if name == "basis":
        return (
            Words("没有写明依据", "it doesn't say what it rests on"),
            Words(
                "写上 basis: 和 sources 中的一个名称，例如 basis: own",
                "add basis: and a name from sources, such as basis: own",
            ),
        )
    return (
        Words(f"缺少字段 {name}", f"the field {name} is missing"),
        Words(f"补上 {name}:，写法见 nanjing-2026.1.yaml", f"add {name}:, as nanjing-2026.1.yaml writes it"),
    )


def _wrong_type(said: object) -> Words:
    if said is None:
        return Words("这里是空的", "nothing is written here")
    if isinstance(said, dict):
        return Words("这里写成了一组字段", "a group of fields stands here")
    if isinstance(said, tuple):
        return Words("这里写成了列表", "a list stands here")
    if isinstance(said, bool):
        return Words(f"这里写成了是/否（{shown(said)}）", f"a yes/no stands here ({shown(said)})")
    if isinstance(said, int | float):
        return Words(f"这里写成了数字 {shown(said)}", f"the number {shown(said)} stands here")
    if isinstance(said, date):
        return Words(f"这里写成了日期 {shown(said)}", f"the date {shown(said)} stands here")
    return Words(f"这里写成了文字“{shown(said)}”", f'the text "{shown(said)}" stands here')


_GROUP: Final = Words("写成一组 名称: 值", "write a group of name: value")
_LIST: Final = Words("写成列表 [ … ]", "write a list [ … ]")
_NUMBER: Final = Words("写成整数，不加引号", "write a whole number without quotes")
_DATE: Final = Words("写成日期，例如 2026-01-01", "write a date such as 2026-01-01")
_TYPES: Final[Mapping[str, Words]] = {
    "model_type": _GROUP,
    "model_attributes_type": _GROUP,
    "dict_type": _GROUP,
    "tuple_type": _LIST,
    "string_type": Words("写成文字；像数字的文字请加引号", "write text; quote text that looks like a number"),
    "int_type": _NUMBER,
    "int_from_float": _NUMBER,
    "bool_type": Words("写 yes 或 no", "write yes or no"),
    "date_type": _DATE,
    "date_from_datetime_inexact": _DATE,
}


def _literal(said: object, facts: Mapping[str, Any]) -> Said:
    masked = "masked" in str(facts.get("expected", ""))
    right = Words("写 yes、no 或 masked", "write yes, no or masked") if masked else _TYPES["bool_type"]
    return _wrong_type(said), right


def _pattern(said: object, facts: Mapping[str, Any]) -> Said:
    pattern = str(facts.get("pattern", ""))
    why = Words(f"“{shown(said)}”的写法不对", f'"{shown(said)}" isn\'t written as it should be')
    if pattern == r"\S":
        return Words("这里没有文字", "there is no text here"), Words("写上文字", "write some text")
    if r"\." in pattern:
        return why, Words("写成 名称-年份.序号，例如 nanjing-2026.2", "write name-year.number, such as nanjing-2026.2")
    return why, Words("以字母开头，只用小写字母、数字和下划线", "start with a letter; use small letters, figures and _")


def _bound(zh: str, en: str, fact: str) -> Callable[[object, Mapping[str, Any]], Said]:
    def say(said: object, facts: Mapping[str, Any]) -> Said:
        bound = shown(facts.get(fact, ""))
        return (
            Words(f"{shown(said)} 超出范围", f"{shown(said)} is out of range"),
            Words(f"{zh} {bound}", f"{en} {bound}"),
        )

    return say


def _length(zh: str, en: str, fact: str) -> Callable[[object, Mapping[str, Any]], Said]:
    def say(said: object, facts: Mapping[str, Any]) -> Said:
        size = len(said) if isinstance(said, str | tuple | dict) else 0
        bound = shown(facts.get(fact, ""))
        return (
            Words(f"长度 {size} 不对", f"its length is {size}"),
            Words(f"{zh} {bound}", f"{en} {bound}"),
        )

    return say


def _too_few(_: object, facts: Mapping[str, Any]) -> Said:
    least, size = facts.get("min_length", 1), facts.get("actual_length", 0)
    return (
        Words(f"只有 {size} 项", f"it has {size} entries"),
        Words(f"至少 {least} 项", f"at least {least}"),
    )


def _unforeseen(said: object, _: Mapping[str, Any]) -> Said:
    return (
        Words(f"“{shown(said)}”不能用在这里", f'"{shown(said)}" can\'t stand here'),
        Words("写法见 nanjing-2026.1.yaml 的同一处", "see the same place in nanjing-2026.1.yaml"),
    )


_BOUNDS: Final[Mapping[str, Callable[[object, Mapping[str, Any]], Said]]] = {
    "literal_error": _literal,
    "string_pattern_mismatch": _pattern,
    "string_too_short": _length("至少", "at least", "min_length"),
    "string_too_long": _length("至多", "at most", "max_length"),
    "too_short": _too_few,
    "too_long": _length("至多", "at most", "max_length"),
    "greater_than_equal": _bound("不小于", "at least", "ge"),
    "less_than_equal": _bound("不大于", "at most", "le"),
}


def _fields_at(where: Where) -> tuple[str, ...]:
    """The fields that the shape knows at a place."""
    shape: Any = PolicyShape
    for step in where:
        shape = _inner(shape, step)
    if isinstance(shape, type) and issubclass(shape, BaseModel):
        return tuple(field.alias or name for name, field in shape.model_fields.items())
    return ()


def _inner(shape: Any, step: str | int) -> Any:  # noqa: ANN401 - types are looked through, whatever they are
    if isinstance(shape, _Entries):
        return shape.shape
    if isinstance(shape, type) and issubclass(shape, BaseModel):
        named = {field.alias or name: field.annotation for name, field in shape.model_fields.items()}
        return _shape_in(named.get(str(step)))
    return None


def _shape_in(annotation: Any) -> Any:  # noqa: ANN401 - as above
    """The shape inside `dict[str, Shape]`, `tuple[Shape, ...]` or `Shape | None`, else nothing."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in getattr(annotation, "__args__", ()):
        found = _shape_in(inner)
        if found is not None:
            return _Entries(found) if getattr(annotation, "__origin__", None) in {dict, tuple} else found
    return None


class _Entries:
    """A list or group of shapes: one more step leads to one of them."""

    def __init__(self, shape: Any) -> None:  # noqa: ANN401 - as above
        self.shape = shape
