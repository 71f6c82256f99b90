"""What a step carries: the fields of `with`, and in them organisations, tracks and cases by their stage
names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from cases.forms import Field
from cases.scenario.address import Place
from cases.scenario.pen import Pen
from cases.track import Move
from policies.faults import Where, one_of, shown
from policies.reading import Plain
from policies.vocabulary import Words


@dataclass(frozen=True, slots=True)
class CaseName:
    """Another case of the story, counted in the order of opening; the stage knows its number."""

    number: int


def read_form(pen: Pen, value: Plain, where: Where, move: Move, *, lenient: bool) -> dict[str, Any]:
    """The fields of a step. `lenient`: the step means to be refused, so that its form may be wrong."""
    if value is None:
        return {}
    given = pen.mapping(value, where)
    declared = {field.name.rstrip("_"): field for field in move.form.fields}
    found: dict[str, Any] = {}
    for name, said in given.items():
        here = (*where, name)
        field = declared.get(name)
        if field is None:
            found[name] = said
            if not lenient:
                _unknown(pen, here, name, tuple(declared))
            continue
        found[name] = _field(pen, field, said, here, lenient=lenient)
    return found


def _unknown(pen: Pen, where: Where, name: str, known: tuple[str, ...]) -> None:
    why = Words(f"没有“{shown(name)}”这个填写项", f'the form has no field "{shown(name)}"')
    pen.fault(where, why, one_of(known, name) if known else Words("它不需要填写", "it asks for nothing"))


def _field(pen: Pen, field: Field, said: Plain, where: Where, *, lenient: bool) -> Any:  # noqa: ANN401 - YAML
    kind = field.kind
    if kind == "organisation":
        return _place(pen, said, where)
    if kind == "organisations":
        return [_place(pen, one, here) for here, one in pen.items(said, where)]
    if kind == "scores" and isinstance(said, dict):
        return {_place(pen, name, (*where, name)): one for name, one in said.items()}
    if kind == "items" and isinstance(said, tuple):
        return [_item(pen, one, (*where, number)) for number, one in enumerate(said)]
    if kind == "track" and isinstance(said, str):
        return pen.track(said, where)
    if kind == "case" and isinstance(said, int) and not isinstance(said, bool):
        return CaseName(said)
    if kind in {"moment", "date"} and isinstance(said, str) and not lenient:
        _real_time(pen, kind, said, where)
    born = said.get("born") if kind == "student" and isinstance(said, Mapping) else None
    if isinstance(born, str) and not lenient:
        _real_time(pen, "date", born, (*where, "born"))
    return said


def _place(pen: Pen, said: Plain, where: Where) -> Place | Plain:
    """An organisation by its stage name; a bare number stands for itself, so that a story can name a wrong
    one.
    """
    if isinstance(said, int) and not isinstance(said, bool):
        return said
    if isinstance(said, str) and said.isdecimal():
        return int(said)
    return pen.place(said, where)


def _item(pen: Pen, said: Plain, where: Where) -> Any:  # noqa: ANN401
    if not isinstance(said, Mapping) or "organisation" not in said:
        return said
    return {**said, "organisation": _place(pen, said["organisation"], (*where, "organisation"))}


def _real_time(pen: Pen, kind: str, said: str, where: Where) -> None:
    try:
        if kind == "moment":
            datetime.fromisoformat(said)
        else:
            date.fromisoformat(said)
    except ValueError:
        right = Words("2026-03-17T08:20", "2026-03-17T08:20") if kind == "moment" else Words("2026-03-17", "2026-03-17")
        pen.fault(where, Words(f"没有“{shown(said)}”这个时间", f'there is no time "{shown(said)}"'), right)
