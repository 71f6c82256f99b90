"""A case in the middle of its life, so that routes have something to answer about."""

from __future__ import annotations

from sqlalchemy import func, select

from cases.records import event
from tests.api.door import Door
from tests.town import minutes


def a_busy_case(door: Door) -> str:
    """A red whistle about a sick child: assignments, a referral with consent, guidance, a report to the police."""
    town = door.town
    number = town.whistle(concern="mental_illness", statutory=["self_harm"]).case.number
    consent = {"guardian": "王芳", "signed_at": door.now.isoformat(), "form": ["consent.jpg"]}
    kinds = {one["kind"]: one["no"] for one in door.client("counselor@school").get(tracks_of(number)).json()["items"]}
    town.fire("counselor@school", number, kinds["referral"], "give_consent", consent, door.now)
    town.fire("counselor@school", number, "guidance", "offer", {"programme": "21天双陪伴"}, door.now)
    police = town.places["police"].id
    report = {"to": police, "at": door.now.isoformat(), "channel": "110"}
    town.fire("counselor@school", number, kinds["mandatory_report"], "file", report, door.now)
    door.now += minutes(1)
    return number


def tracks_of(number: str) -> str:
    """The address of a case's tracks."""
    return f"/api/v1/cases/{number}/tracks"


def events_of(door: Door) -> int:
    """How many events there are in all."""
    with door.town.store.read() as connection:
        return int(connection.scalar(select(func.count()).select_from(event)) or 0)
