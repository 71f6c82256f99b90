"""What a request brings: a resource, a patch, a version. Read strictly, refused plainly."""

from __future__ import annotations

import re
from functools import cache
from typing import Any, Final, Literal

import orjson
from fastapi import Request
from starlette.exceptions import HTTPException

from api.given import keepable_json
from cases.refusal import FieldFault, Refusal

Kind = Literal["Task", "ServiceRequest", "Communication"]
NAME: Final = re.compile(r"([A-Z]{0,4}-?\d{4}-\d{1,9})\.(\d{1,5})(?:\.(\d{1,9}))?", re.ASCII)
_ETAG: Final = re.compile(r'(?:W/)?"(\d{1,9})"', re.ASCII)
JSON: Final = "application/fhir+json"
_BODIES: Final = frozenset({JSON, "application/json"})
PATCH: Final = "application/json-patch+json"
_MERGES: Final = frozenset({*_BODIES, "application/merge-patch+json"})


def fault(element: str, code: str, **facts: str) -> Refusal:
    """A parameter or an element that can't be understood."""
    return Refusal("invalid", faults=(FieldFault(element, code, facts),))


def named(name: str, *, event: bool = False) -> tuple[str, int, int]:
    """Number, track and event of a logical id; refuses `not_found` for whatever is none."""
    found = NAME.fullmatch(name)
    if found is None or (found[3] is None) == event or int(found[2]) >= 2**15:
        raise Refusal("not_found")
    return found[1], int(found[2]), int(found[3] or 0)


def version_of(request: Request) -> int | None:
    """The version that `If-Match` asks for; one that no version can be matches none."""
    given = request.headers.get("if-match")
    if given is None or given.strip() == "*":
        return None
    found = _ETAG.fullmatch(given.strip())
    return int(found[1]) if found else -1


async def body(request: Request) -> Any:  # noqa: ANN401 - JSON
    """The JSON of a request. Raises 415 for another type, 400 for what is no JSON."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in (_MERGES | {PATCH} if request.method == "PATCH" else _BODIES):
        raise HTTPException(415)
    try:
        found = orjson.loads(await request.body())
    except orjson.JSONDecodeError:
        raise HTTPException(400) from None
    keepable_json(found)
    return found


def is_patch(request: Request) -> bool:
    """Whether the body is a JSON Patch rather than a part of the resource."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower() == PATCH


@cache
def _model(kind: Kind) -> Any:  # noqa: ANN401 - a class of fhir.resources
    """The validator of a resource. Imported when the first one comes: it takes a third of a second."""
    if kind == "Task":
        from fhir.resources.R4B.task import Task

        return Task
    from fhir.resources.R4B.communication import Communication

    return Communication


def checked(kind: Kind, given: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """The resource, if it is a valid one of that kind; refuses `invalid` with every faulty element."""
    if not isinstance(given, dict) or given.get("resourceType") != kind:
        raise fault("resourceType", "not_a_choice", expected=kind)
    from pydantic import ValidationError

    try:
        _model(kind).model_validate(given)
    except ValidationError as found:
        errors = found.errors(include_url=False, include_input=False, include_context=False)[:20]
        faults = [
            FieldFault(".".join(map(str, (kind, *one["loc"]))), "missing" if one["type"] == "missing" else "wrong_form")
            for one in errors
        ]
        raise Refusal("invalid", faults=tuple(faults)) from None
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError):
        # Somebody else's validators: whatever they stumble over is a fault of what was sent.
        raise fault(kind, "wrong_form") from None
    return given
