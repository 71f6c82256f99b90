"""A case with a canary in every protected field, and what each reader may see of it by the contract."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select, update

from cases import registrar
from cases.people import member
from cases.records import called, track
from tests.api.door import Door
from tests.cases import oracle
from tests.cases.oracle import Situation

CANARIES: Mapping[str, tuple[str, ...]] = {
    "identity": ("金丝雀姓名", "canary-class", "320102201611021235", "金丝雀监护人", "金丝雀住址", "金丝雀签字人"),
    "narrative": ("canary-summary", "canary-photo", "canary-reason", "canary-arrival", "canary-people", "canary-plan"),
    "clinical": ("canary-scale", "canary-interview", "canary-screening"),
}
"""What stands in each section, and nowhere else."""
SIGNED = "金丝雀签字人"
"""Whoever signed the consent: sealed beside its event, and read with the student's identity by whoever reads that."""
FILER = "lead@community"
"""Whoever filed the mandatory report, and did nothing else."""
FILERS_NAME = "金丝雀报告人"
NARROWED = {
    # It was called by the coordinator.
    **{("conference", row): frozenset({"coordinator@district"}) for row in ("schedule", "hold", "minute", "cancel")},
    # The whistle was the counselor's; a red case is closed by a coordinator; nobody acknowledged without arriving.
    ("case", "evaluate"): frozenset({"counselor@school"}),
    ("case", "save_draft"): frozenset({"counselor@school", "principal@school", "mentor@school"}),
    ("case", "close"): frozenset({"coordinator@district", "coordinator@city"}),
    ("assignment", "undo_acknowledge"): frozenset[str](),
}
"""The rows that what has happened narrows to whoever did it."""
NO_CLINICAL = frozenset({"identity", "narrative"})
EVERYTHING = NO_CLINICAL | {"clinical"}


@dataclass(frozen=True, slots=True)
class Planted:
    """The case, the state of each of its tracks by number, whose it is, and who was called."""

    number: str
    tracks: Mapping[int, tuple[str, str, str | None]]
    called: frozenset[str]

    def situation(self, no: int = 0) -> Situation:
        """What the contract's answer depends on, for one track."""
        return Situation(self.called, self.tracks.get(no, ("", "", None))[2], "hospital", narrowed=dict(NARROWED))

    def sees(self, who: str | None) -> bool:
        """Whether that member knows of the case; nobody signed in knows of none."""
        return who is not None and oracle.sees(who, self.situation())

    def sections(self, who: str | None) -> frozenset[str]:
        """The sections that the contract opens to that member."""
        if who is None or not self.sees(who):
            return frozenset()
        role, place, _ = oracle.split(who)
        if role == "supervisor":
            return frozenset({"narrative"})
        clinical = (place == "school" and role in {"counselor", "deputy"}) or role == "liaison"
        return EVERYTHING if clinical else NO_CLINICAL

    def sees_filer(self, who: str | None) -> bool:
        """Whether the filer's name may be shown: police, supervisor and the filer alone."""
        if who is None or not self.sees(who):
            return False
        role, _, kind = oracle.split(who)
        return who == FILER or role == "supervisor" or kind == "police"


def plant(door: Door) -> Planted:
    """Whistle, screen, refer, report, arrive, plan: every protected field holds a canary."""
    town, now = door.town, door.now
    student = {
        "name": "金丝雀姓名", "born": "2016-11-02", "grade": 3, "class": "canary-class",
        "id_number": "320102201611021235", "guardians": ["金丝雀监护人"], "address": "金丝雀住址",
    }  # fmt: skip
    number = town.whistle(
        concern="mental_illness", student=student, summary="canary-summary", evidence=["canary-photo"],
        statutory=["self_harm"],
    ).case.number  # fmt: skip
    tracks = states_of(door, number)
    no_of = {kind: no for no, (kind, _, _) in reversed(tracks.items())}
    whose = {owner: no for no, (kind, _, owner) in tracks.items() if kind == "assignment"}
    consent = {"guardian": SIGNED, "signed_at": now.isoformat(), "form": ["canary-photo"]}
    town.fire("counselor@school", number, no_of["referral"], "give_consent", consent, now)
    screened = {
        "scale": "phq_9",
        "version": "canary-scale",
        "items": dict.fromkeys("123456789", 1),
        "day": "2026-03-17",
    }
    town.fire("counselor@school", number, 0, "record_screening", screened, now)
    town.fire("counselor@school", number, 0, "record_interview", {"result": "canary-interview"}, now)
    town.fire("counselor@school", number, 0, "record_safe_plan", {"plan": "canary-plan"}, now)
    summoned = {"organisation": town.places["street"].id, "part": "support", "reason": "canary-reason"}
    if "street" not in whose:
        town.fire("coordinator@district", number, 0, "summon", summoned, now)
    place, no = next((owner, no) for owner, no in whose.items() if owner is not None)
    arrival = {"at": now.isoformat(), "where": "canary-arrival", "mode": "phone", "people": ["canary-people"]}
    town.fire(f"officer@{place}", number, no, "report_in", arrival, now)
    filed = {"to": town.places["police"].id, "at": now.isoformat(), "channel": "110"}
    town.fire(FILER, number, no_of["mandatory_report"], "file", filed, now)
    guidance = {"programme": "21天双陪伴"}
    town.fire("counselor@school", number, "guidance", "offer", guidance, now)
    topic = {"topic": "canary-reason", "invited": [town.places["street"].id]}
    town.fire("coordinator@district", number, "conference", "call", topic, now)
    order = {"about": no, "demand": "canary-reason"}
    town.fire("supervisor@district", number, "supervision", "issue", order, now)
    more = {"reason": "canary-reason", "screening": "canary-screening"}
    town.fire("counselor@school", number, "referral", "propose", more, now)
    with town.store.begin() as connection:
        connection.execute(update(member).where(member.c.id == town.members[FILER]).values(name=FILERS_NAME))
        registrar.touch(connection)
    return Planted(number, states_of(door, number), called_to(door, number))


def states_of(door: Door, number: str) -> dict[int, tuple[str, str, str | None]]:
    """Kind, state and organisation of each track."""
    names = {one.id: name for name, one in door.town.places.items()}
    with door.town.store.read() as connection:
        found = connection.execute(select(track.c.no, track.c.kind, track.c.state, track.c.organisation_id)).all()
    return {0: ("case", "open", None)} | {
        row.no: (row.kind, row.state, names.get(row.organisation_id)) for row in found
    }


def called_to(door: Door, number: str) -> frozenset[str]:
    """The organisations called to it, by name."""
    names = {one.id: name for name, one in door.town.places.items()}
    with door.town.store.read() as connection:
        return frozenset(names[one] for one in connection.scalars(select(called.c.organisation_id)))
