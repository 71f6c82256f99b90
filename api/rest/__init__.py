"""The REST API `/api/v1`, by noun."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter()
