"""Pages by cursor: after which row the next page begins, opaque to whoever carries it.

A cursor holds the sort, that row's own value and its id; it opens nothing, since a page asks for rights each time.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

import orjson
from sqlalchemy import ColumnElement, Connection, Select, literal, tuple_

from cases.refusal import FieldFault, Refusal

L = TypeVar("L")


@dataclass(frozen=True, slots=True)
class Page(Generic[L]):
    """One page, and the cursor of the next one; None on the last."""

    items: tuple[L, ...]
    next: str | None


def paged(
    connection: Connection,
    query: Select[Any],
    sort: str,
    key: ColumnElement[Any],
    tie: ColumnElement[Any],
    cursor: str | None,
    most: int,
) -> tuple[list[Any], str | None]:
    """The rows of one page and the next cursor. The query names its `key` and its `id` so.

    One row more than the page is asked for: its presence says that there is a next one. A sort that begins with a
    minus falls. Refuses `invalid` for a cursor that this list never gave out.
    """
    falling = sort.startswith("-")
    if cursor is not None:
        value, number = _opened(cursor, sort)
        after = tuple_(literal(value), literal(number))
        query = query.where(tuple_(key, tie) < after if falling else tuple_(key, tie) > after)
    order = (key.desc(), tie.desc()) if falling else (key, tie)
    rows = list(connection.execute(query.order_by(*order).limit(most + 1)).mappings())
    if len(rows) <= most:
        return rows, None
    last = rows[most - 1]
    written = base64.urlsafe_b64encode(orjson.dumps([sort, last["key"], last["id"]])).decode()
    return rows[:most], written.rstrip("=")


_BY_NUMBER = frozenset({"level", "number", "-number"})
"""The sorts whose value is a number; all others sort by an instant."""


def _opened(cursor: str, sort: str) -> tuple[Any, int]:
    try:
        of, value, number = orjson.loads(base64.b64decode(_padded(cursor), altchars=b"-_", validate=True))
        if isinstance(value, str):
            value = datetime.fromisoformat(value)
    except (ValueError, TypeError, binascii.Error):
        raise Refusal("invalid", faults=(FieldFault("cursor", "wrong_form"),)) from None
    if of != sort or not _whole(number) or not (_whole(value) if sort in _BY_NUMBER else _instant(value)):
        raise Refusal("invalid", faults=(FieldFault("cursor", "wrong_form"),))
    return value, number


def _padded(cursor: str) -> str:
    return cursor + "=" * (-len(cursor) % 4)


def _whole(value: object) -> bool:
    return type(value) is int and -(2**63) <= value < 2**63


def _instant(value: object) -> bool:
    return isinstance(value, datetime) and value.tzinfo is not None
