"""The pages of administration, by noun; each asks first whether the reader is an admin."""

from __future__ import annotations

from fastapi import APIRouter

from api.pages.admin import changing, desk, lists, log, people, places, rules, running

__all__ = ["router"]

router = APIRouter()
for _noun in (desk, places, changing, people, lists, rules, running, log):
    router.include_router(_noun.router)
