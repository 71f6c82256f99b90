"""What waits for somebody without a limit, who stands in for whom, and whose own part is in already.

Asked by the work list of rows and by a case's page of the opened case, so that both say the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from cases.casefile import CaseFile, Record
from cases.directory import Actor
from cases.owing import owes
from cases.track import Who, who
from cases.tracks.return_to_school import FAVOURABLE, KEYS, SIDES


@dataclass(frozen=True, slots=True)
class Waiting:
    """A state in which a track waits for somebody without a limit, for whom, and for which trigger."""

    kind: str
    state: str
    by: tuple[Who, ...]
    trigger: str
    group: str = "work"


WAITING: Final = (
    Waiting("assignment", "fed_back", who("counselor, principal@school"), "accept_feedback", "report"),
    Waiting("referral", "declined", who("counselor, deputy@school; coordinator@district"), "redirect", "reply"),
    Waiting("referral", "in_treatment", who("liaison@hospital"), "update_treatment"),
    Waiting("referral", "admission_refused", who("liaison@hospital"), "resume"),
    Waiting("return_to_school", "planned", who("counselor@school"), "record_return"),
    Waiting("return_to_school", "tracking", who("counselor@school; liaison@hospital"), "declare_stable"),
    Waiting("guidance", "offered", who("officer@community"), "engage", "reply"),
    Waiting("guidance", "engaged", who("officer@community"), "record_session"),
    Waiting("guidance", "evading", who("officer, lead@womens_federation; officer, lead@community"), "criticise"),
    Waiting("guidance", "referred_to_police", who("officer, lead@police"), "admonish", "reply"),
    Waiting("guidance", "admonished", who("officer, lead@court"), "order"),
    Waiting("guidance", "ordered", who("officer, lead@court"), "record_compliance"),
    Waiting("supervision", "answered", who("supervisor@jurisdiction"), "accept", "report"),
    Waiting("supervision", "interviewed", who("supervisor@jurisdiction"), "accept", "report"),
    Waiting("conference", "called", who("caller@member"), "schedule"),
    Waiting("conference", "scheduled", who("caller@member"), "hold"),
    Waiting("conference", "held", who("caller@member"), "minute", "report"),
    Waiting("case", "draft", who("whistler@member"), "save_draft", "reply"),
    Waiting("case", "awaiting_evaluation", who("principal@school; coordinator@district"), "close", "report"),
)
"""What nobody is given a limit for, and waits all the same."""
ACTIVE: Final = ("draft", "awaiting_signoff", "open", "awaiting_evaluation")
"""The states of a case in which anything waits without a limit."""
AHEAD: Final = ("planned", "open", "missed")
"""The states of a round that is to come or still owed: until the last is in, nobody is asked to declare it stable."""
_BY_STATE: Final = {(one.kind, one.state): one for one in WAITING}
_GRAVER: Final = frozenset({"red", "orange"})

STANDS_IN: Final[Mapping[tuple[str, str], tuple[str, ...]]] = {
    ("assignment", "acknowledge"): ("codirector@assignee",),
    ("referral", "consent"): ("deputy@school",),
    ("case", "interview"): ("deputy@school",),
    ("check_in", "interview"): ("deputy@school",),
    ("check_in", "check_in"): ("deputy@school", "mentor@school"),
}
"""Who isn't asked for it and may do it all the same, by kind and clock: whoever comes first has done it."""


def stands_in(kind: str, clock: str, record: Record) -> tuple[str, ...]:
    """Who may meet a clock of others. A round of which the school's part is in is nobody's at the school any more."""
    if kind == "check_in" and clock == "check_in" and "school" in record.facts.get("filed", ()):
        return ()
    return STANDS_IN.get((kind, clock), ())


def now(record: Record, level: str, *, rounds_ahead: bool) -> Waiting | None:
    """What a track waits for in its present state, and for whom; None where nobody is waited for.

    A case waits to be closed once it is evaluated, by whoever may at its level; two keys wait for the one not turned.
    """
    found = _BY_STATE.get((record.kind, record.state))
    if found is None:
        return None
    if record.kind == "case" and record.state == "awaiting_evaluation":
        if not record.facts.get("evaluated"):
            return None
        return replace(found, by=who("coordinator@district" if level in _GRAVER else "principal@school"))
    if record.kind == "return_to_school" and record.state == "tracking":
        if rounds_ahead:
            return None
        turned = signed(record)
        return replace(found, by=tuple(one for one in found.by if one.role not in turned))
    return found


def in_case(case: CaseFile, record: Record) -> Waiting | None:
    """The same of a track of an opened case."""
    return now(record, case.level, rounds_ahead=rounds_ahead(case, record)) if case.state in ACTIVE else None


def rounds_ahead(case: CaseFile, record: Record) -> bool:
    """Whether rounds of check-ins are to come, or still owed, under that return."""
    return any(one.parent == record.no and one.state in AHEAD for one in case.of_kind("check_in"))


def is_for(actor: Actor, case: CaseFile, record: Record, waiting: Waiting) -> bool:
    """Whether this member is one of those whom it waits for."""
    owners = tuple(str(one) for one in waiting.by)
    if "caller@member" in owners:
        return record.facts.get("called_by") == actor.member_id
    if "whistler@member" in owners:
        return case.whistler == actor.member_id
    return owes(actor, owners, case, record)


def signed(record: Record) -> frozenset[str]:
    """The roles whose key to a return, or to its being declared stable, is turned already."""
    if record.state == "tracking":
        return frozenset(record.facts.get("keys", {}).get("declare_stable", ()))
    facts = record.facts
    turned = {"principal": bool(facts.get(KEYS["school"])), "liaison": facts.get(KEYS["hospital"]) in FAVOURABLE}
    return frozenset(role for role in SIDES if turned[role])


def outstanding(clock: str, owners: tuple[str, ...], record: Record) -> tuple[str, ...]:
    """The owners of a clock whose own part isn't in: whoever has signed owes nothing more of the assessment."""
    if record.kind != "return_to_school" or clock != "assess":
        return owners
    turned = signed(record)
    return tuple(one for one in owners if one.partition("@")[0] not in turned)
