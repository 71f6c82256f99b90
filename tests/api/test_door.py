"""The people's door itself: who asks, what is believed, what goes wrong and how it is said."""

from __future__ import annotations

from fastapi import APIRouter

from api.asked import Asked, Reading, Writing
from tests.api.door import Door

trial = APIRouter()


@trial.get("/api/v1/trial/who")
def who(asked: Asked, session: Reading) -> dict[str, object]:
    return {
        "name": asked.actor.name,
        "organisation": asked.member.organisation.name,
        "language": asked.language,
        "via": asked.via,
        "current": session.office.current,
    }


@trial.post("/api/v1/trial/do")
def do(asked: Asked, session: Writing) -> dict[str, int]:
    return {"by": asked.actor.member_id}


def test_a_process_that_answers_says_so(door: Door) -> None:
    answer = door.stranger().get("/health/live")
    assert answer.status_code == 200
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_whoever_is_signed_in_is_known(door: Door) -> None:
    door.app.include_router(trial)
    answer = door.client("counselor@school", language="en").get("/api/v1/trial/who")
    assert answer.json() == {
        "name": "counselor@school",
        "organisation": "示例school",
        "language": "en",
        "via": "session",
        "current": "nanjing-2026.1",
    }
