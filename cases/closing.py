"""评价与结案: who is scored and by whom, what a low score sends back, and how a case ends or begins again."""

from __future__ import annotations

from cases.opening import enter_open
from cases.track import CaseFile, Desk, FieldFault, Record, Refusal

CLOSING = ("resolved", "transferred_to_long_term_care", "moved_away", "unfounded")


def may_evaluate(desk: Desk) -> bool:
    """The school's counselor; a mentor or the coordinator where the whistle was theirs."""
    return desk.role == "counselor" or (desk.actor is not None and desk.actor.member_id == desk.case.whistler)


def scorable(case: CaseFile) -> tuple[set[int], set[int]]:
    """The organisations that may be scored, and those that must be (the leads that finished)."""
    finished = [one for one in case.of_kind("assignment") if one.state == "done"]
    treated = {one.organisation for one in case.of_kind("referral") if one.state == "completed"}
    may = {one.organisation for one in finished} | treated
    must = {one.organisation for one in finished if one.facts.get("part") == "lead"}
    return {number for number in may if number}, {number for number in must if number}


def scores_fit(desk: Desk) -> Refusal | None:
    may, must = scorable(desk.case)
    given = set(desk.form["scores"])
    faults = [FieldFault(f"scores.{number}", "not_scorable") for number in sorted(given - may)]
    faults += [FieldFault(f"scores.{number}", "missing") for number in sorted(must - given)]
    return Refusal("invalid", faults=tuple(faults)) if faults else None


def sent_back(desk: Desk) -> list[Record]:
    """What a low score sends back: the organisation's newest assignment, once.

    Of the leads only the newest: one from before a reopening is history, and a case has one lead at work.
    """
    done = [one for one in desk.case.of_kind("assignment") if one.state == "done"]
    newest = {one.organisation: one for one in done}
    lead = next((one for one in reversed(done) if one.facts.get("part") == "lead"), None)
    scores = desk.form["scores"]
    return [
        one
        for one in newest.values()
        if one.organisation in scores
        and scores[one.organisation].score <= 2
        and not one.facts.get("reworked")
        and (one is lead or one.facts.get("part") != "lead")
    ]


def evaluated(desk: Desk) -> None:
    desk.record.facts["evaluated"] = True
    # The comments are sealed; how many points an organisation got is what it is assessed by.
    desk.note("open", points={number: one.score for number, one in desk.form["scores"].items()})
    again = sent_back(desk)
    for one in again:
        one.facts["reworked"] = True
        desk.follow(one, "rework")
    if again:
        desk.record.facts.pop("evaluated")
        desk.follow(desk.record, "return_for_rework")


def not_evaluated(desk: Desk) -> Refusal | None:
    return None if desk.record.facts.get("evaluated") else Refusal("needs_evaluation", who_can=("counselor@school",))


def worked_alone(desk: Desk) -> Refusal | None:
    if desk.actor is not None and desk.workers() <= {desk.actor.member_id}:
        return Refusal("needs_second_person", who_can=("principal@school", "coordinator@jurisdiction"))
    return None


def may_close(desk: Desk) -> bool:
    """Yellow and blue: the principal. Red and orange: the district's coordinator.

    The coordinator is also the second person for a case on which one member did everything: without that, a very
    small school's case could never be closed.
    """
    if desk.role == "coordinator":
        return desk.case.level in {"red", "orange"} or len(desk.workers()) == 1
    return desk.case.level in {"yellow", "blue"}


def reported_in(desk: Desk) -> Refusal | None:
    if any(one.facts.get("reported_in") for one in desk.case.of_kind("assignment")):
        return Refusal("already_reported_in")
    return None


def consent_ends(desk: Desk) -> None:
    """A guardian's consent stands until it is withdrawn or the case closes."""
    desk.record.facts.pop("consent", None)


def put_aside(desk: Desk) -> None:
    """A referral that a hospital declined holds no case open, and nobody can redirect it now: its clock ends."""
    for one in desk.case.of_kind("referral"):
        if one.state == "declined":
            desk.cancel(one, "first_contact")


def cancel_tracks(desk: Desk) -> None:
    """Cancel whatever still runs, never a mandatory report: nothing may block it (Minors Protection Law art. 11)."""
    consent_ends(desk)
    for one in list(desk.case.tracks.values()):
        if one.kind not in {"mandatory_report", "access"}:
            desk.follow(one, "cancel")


def reopened(desk: Desk) -> None:
    for fact in ("evaluated", "safe_plan"):
        desk.record.facts.pop(fact, None)
    enter_open(desk)
    lead = next(one for one in desk.case.of_kind("assignment") if one.facts.get("part") == "lead")
    for one in desk.case.of_kind("assignment"):
        if one.facts.get("part") == "lead" and one.state != "cancelled":
            lead = one
    desk.open("assignment", organisation=lead.organisation, facts={"part": "lead"})


def mergeable(desk: Desk) -> Refusal | None:
    """Another case of the same student, in sight and still at work."""
    other = desk.other
    if other is None or other.number == desk.case.number:
        code = "no_such_case"
    elif other.student != desk.case.student:
        return Refusal("not_same_student")
    elif other.state not in {"open", "awaiting_signoff", "awaiting_evaluation"}:
        code = "has_ended"
    else:
        return None
    return Refusal("invalid", faults=(FieldFault("into", code),))


def merged(desk: Desk) -> None:
    cancel_tracks(desk)
    desk.merge()


def settled(case: CaseFile, active: tuple[Record, ...]) -> bool:
    """Whether the case settles by itself: every assignment ended, nothing else at work, red with its safe plan."""
    if case.state != "open" or active:
        return False
    return case.level != "red" or bool(case.record.facts.get("safe_plan"))
