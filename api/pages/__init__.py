"""The pages, by noun. How one is added: docs/explanation/pages.md."""

from __future__ import annotations

from fastapi import APIRouter

from api.pages import (
    admin,
    board,
    bulletin,
    case,
    dispatch,
    find,
    letters,
    live,
    mine,
    orders,
    papers,
    signin,
    statistics,
    together,
    trigger,
    unsent,
    whistle,
    work,
)
from api.pages.problems import problem
from api.pages.unsent import rescued

__all__ = ["problem", "rescued", "router"]

router = APIRouter()
for _noun in (
    *(signin, work, whistle, find, letters, mine, live, unsent, papers, board, together, dispatch, orders, bulletin),
    *(statistics, admin, case, trigger),
):
    # The triggers' own router comes last: a page made for one trigger takes its address before it.
    router.include_router(_noun.router)
