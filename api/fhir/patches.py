"""Changes to a resource: JSON Patch (RFC 6902) and merge patch (RFC 7396). Pure; what was given stays as it was."""

from __future__ import annotations

import copy
from typing import Any, Final

import orjson

_MOST: Final = 100
_LARGEST: Final = 2**18


class Unpatchable(ValueError):
    """The patch doesn't fit the resource, or isn't one. `number` counts its operations from 0."""

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__(f"operation {number}")


def merged(target: Any, patch: Any) -> Any:  # noqa: ANN401 - JSON is what it is
    """The resource with what a merge patch says; null takes a member away."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    made = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            made.pop(name, None)
        else:
            made[name] = merged(made.get(name), value)
    return made


def patched(target: Any, operations: Any) -> Any:  # noqa: ANN401 - as above
    """The resource after all operations, or Unpatchable with the first that can't be done."""
    if not isinstance(operations, list) or len(operations) > _MOST:
        raise Unpatchable(0)
    made = copy.deepcopy(target)
    for number, one in enumerate(operations):
        try:
            made = _applied(made, one)
        except (LookupError, TypeError, ValueError, AttributeError):
            raise Unpatchable(number) from None
    return made


def _applied(made: Any, one: dict[str, Any]) -> Any:  # noqa: ANN401
    path = _steps(one["path"])
    match one["op"]:
        case "add":
            return _put(made, path, copy.deepcopy(one["value"]), there=False)
        case "replace":
            return _put(made, path, copy.deepcopy(one["value"]), there=True)
        case "remove":
            return _taken(made, path)
        case "test":
            if _at(made, path) != one["value"]:
                raise ValueError(path)
            return made
        case "copy":
            if len(orjson.dumps(made)) > _LARGEST:
                # Copying a thing into itself doubles it: a hundred times is more than any memory.
                raise ValueError(path)
            return _put(made, path, copy.deepcopy(_at(made, _steps(one["from"]))), there=False)
        case "move":
            origin = _steps(one["from"])
            value = _at(made, origin)
            return _put(_taken(made, origin), path, value, there=False)
        case _:
            raise ValueError(one["op"])


def _steps(path: Any) -> list[str]:  # noqa: ANN401
    if not isinstance(path, str) or (path and not path.startswith("/")):
        raise ValueError(path)
    return [step.replace("~1", "/").replace("~0", "~") for step in path.split("/")[1:]]


def _index(step: str, length: int) -> int:
    """A place in a list, written as RFC 6901 has it: no sign, no leading nought."""
    if not step.isascii() or not step.isdecimal() or (len(step) > 1 and step[0] == "0") or int(step) >= length:
        raise IndexError(step)
    return int(step)


def _at(made: Any, path: list[str]) -> Any:  # noqa: ANN401
    for step in path:
        made = made[_index(step, len(made))] if isinstance(made, list) else _member(made, step)
    return made


def _member(made: Any, step: str) -> Any:  # noqa: ANN401
    if not isinstance(made, dict):
        raise TypeError(step)
    return made[step]


def _put(made: Any, path: list[str], value: Any, *, there: bool) -> Any:  # noqa: ANN401
    if not path:
        return value
    place, last = _at(made, path[:-1]), path[-1]
    if isinstance(place, list):
        if there:
            place[_index(last, len(place))] = value
        else:
            place.insert(len(place) if last == "-" else _index(last, len(place) + 1), value)
    elif isinstance(place, dict):
        if there and last not in place:
            raise KeyError(last)
        place[last] = value
    else:
        raise TypeError(last)
    return made


def _taken(made: Any, path: list[str]) -> Any:  # noqa: ANN401
    place, last = _at(made, path[:-1]), path[-1]
    if isinstance(place, list):
        del place[_index(last, len(place))]
    else:
        del place[last]
    return made
