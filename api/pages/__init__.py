"""The pages, by noun."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter()
