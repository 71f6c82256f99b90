"""What pydantic finds wrong with a form, in our own codes, with what would be right."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from cases.refusal import FieldFault

if TYPE_CHECKING:
    from pydantic import ValidationError

CASE_NUMBER = r"^[A-Z]{0,4}-?\d{4}-\d{1,9}$"
"""How the number of a case is written."""
_CODES: Mapping[str, str] = {
    "missing": "missing",
    "extra_forbidden": "unknown",
    "literal_error": "not_a_choice",
    "string_too_short": "missing",
    "string_too_long": "too_long",
    "string_pattern_mismatch": "wrong_form",
    "greater_than_equal": "too_small",
    "greater_than": "too_small",
    "less_than_equal": "too_large",
    "less_than": "too_large",
    "too_short": "missing",
    "too_long": "too_many",
    "id_number_form": "id_number_form",
    "id_number_check": "id_number_check",
    "id_number_born": "id_number_born",
}

_WANTED: Mapping[str, str] = {
    "int_parsing": "number",
    "int_type": "number",
    "int_from_float": "whole",
    "float_parsing": "number",
    "float_type": "number",
    "bool_parsing": "yesno",
    "bool_type": "yesno",
    "limit": "limit",
}
"""What a fault of the code `wrong_form` should have been instead, where pydantic's own name for it tells."""
_PATTERNS: Mapping[str, str] = {CASE_NUMBER: "case"}


_SHAPES = ("constrained-str", "constrained-int", "Limit", "int")


def faults_of(fault: ValidationError) -> tuple[FieldFault, ...]:
    """Our own words for pydantic's findings: the field's path, our code, and what would be right."""
    found: dict[tuple[str, str], FieldFault] = {}
    for error in fault.errors(include_url=False):
        # Where a field may be one of two shapes, pydantic names the shape beside the field; a reader needs neither.
        path = ".".join(str(step) for step in error["loc"] if "[" not in str(step) and step not in _SHAPES)
        facts = {key: str(value) for key, value in error.get("ctx", {}).items() if key != "error"}
        code = _CODES.get(error["type"])
        if error["type"] == "too_long" and isinstance(error["input"], str):
            code = "too_long"  # a text, not a list
        if code is None:
            code = "not_a_date" if error["type"].startswith(("date", "time")) else "wrong_form"
        wanted = _WANTED.get(error["type"]) or _PATTERNS.get(facts.pop("pattern", ""))
        if wanted is not None:
            facts = {"wanted": wanted}
        found.setdefault((path, code), FieldFault(path, code, facts))
    return tuple(found.values())
