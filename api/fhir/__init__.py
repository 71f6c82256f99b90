"""The HL7 FHIR R4 facade for hospitals."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter()
