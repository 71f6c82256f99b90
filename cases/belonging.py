"""To which request or which run a line of the log belongs: set by whoever begins one, written by the log's own form."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final
from uuid import uuid4

RUN: Final = "run"

_belongs_to: ContextVar[tuple[str, str] | None] = ContextVar("belongs_to", default=None)


@contextmanager
def belonging_to(kind: str, identity: str | None = None) -> Iterator[str]:
    """While the block lasts every line of this task or thread carries `kind` (`request`, `run`) with that id.

    An id that isn't given, or that somebody outside made up in a form of their own, is drawn. A thread that is begun
    meanwhile doesn't inherit it by itself, except by `asyncio.to_thread`.
    """
    given = identity if identity is not None and re.fullmatch(r"[A-Za-z0-9-]{8,64}", identity, re.ASCII) else None
    mark = given or uuid4().hex
    token = _belongs_to.set((kind, mark))
    try:
        yield mark
    finally:
        _belongs_to.reset(token)


@contextmanager
def a_run() -> Iterator[None]:
    """A run of its own, unless this is part of one already: Prefect's has an id by which it is found there too."""
    mark = _belongs_to.get()
    if mark is not None and mark[0] == RUN:
        yield
        return
    with belonging_to(RUN):
        yield


def belongs_to() -> tuple[str, str] | None:
    """What a line that is written now belongs to."""
    return _belongs_to.get()
