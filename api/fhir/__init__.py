"""The HL7 FHIR R4 facade for hospitals: their referrals as ServiceRequest and Task, their advice as Communication.

Whoever isn't a liaison of the hospital that a referral was sent to finds nothing here.
"""

from __future__ import annotations

from fastapi import APIRouter

from api.fhir import capability, communications, requests, tasks

router = APIRouter(include_in_schema=False)
"""FHIR describes itself (`/metadata`), so OpenAPI leaves it out."""
for _part in (capability.router, requests.router, tasks.router, communications.router):
    router.include_router(_part)
