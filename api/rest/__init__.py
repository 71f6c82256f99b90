"""The REST API `/api/v1`, by noun. The triggers' routes come from the declarations (`api.rest.triggers`)."""

from __future__ import annotations

from fastapi import APIRouter

from api.rest import cases, corrections, directory, files, imports, messages, oversight, tracks, triggers, webhooks
from api.rest.document import describe

__all__ = ["describe", "router"]

router = APIRouter()
for _part in (
    cases.router,
    tracks.router,
    files.router,
    imports.router,
    triggers.routes(),
    directory.router,
    corrections.router,
    messages.router,
    oversight.router,
    webhooks.router,
):
    router.include_router(_part)
