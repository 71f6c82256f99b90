"""The REST API `/api/v1`, by noun."""

from __future__ import annotations

from fastapi import APIRouter

from api.rest import files

router = APIRouter()
router.include_router(files.router)
