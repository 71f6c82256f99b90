"""吹哨与派单: what the whistle says, whose signature it needs, and whom it calls."""

from __future__ import annotations

from cases.track import Desk, FieldFault, Form, Refusal, cannot_answer, fields

LEVELS = ("red", "orange", "yellow", "blue")
ENDED_ASSIGNMENTS = frozenset({"done", "reassigned", "cancelled"})


def whistle_form(levels: tuple[str, ...], *, draft: bool = False) -> Form:
    """The whistle's fields; in a draft every one of them may still be missing."""
    mark = "?" if draft else ""
    return fields(
        f"concern{mark}, level{mark}, summary{mark}, student{mark}, statutory?, evidence?, school?",
        concern="concern",
        level=levels,
        statutory="statutory",
    )


def may_draft(desk: Desk) -> bool:
    """The school; the coordinator where the draft is theirs, for what a school has begun it also finishes."""
    return desk.role != "coordinator" or (desk.actor is not None and desk.actor.member_id == desk.case.whistler)


def needs_signoff(desk: Desk) -> Refusal | None:
    if desk.role != "coordinator" and desk.form["level"] in {"yellow", "blue"}:
        return Refusal("needs_signoff", who_can=("principal@school",))
    return None


YOUNGEST, OLDEST = 2, 25
"""Between these ages somebody may be a student, from the nursery to the last year of a vocational school."""


def known_concern(desk: Desk) -> Refusal | None:
    """Which concerns there are is the policy's: a district may add one."""
    concern = desk.form.get("concern")
    if concern is not None and concern not in desk.book.concerns:
        return Refusal("invalid", faults=(FieldFault("concern", "not_a_choice"),))
    return None


def born_by_now(desk: Desk) -> Refusal | None:
    """A birthday in the future, or one that makes no student of whoever has it, is a slip of the pen."""
    student = desk.form.get("student")
    if student is None:
        return None
    born, today = student.born, desk.today()
    if born > today:
        return Refusal("invalid", faults=(FieldFault("student.born", "in_the_future"),))
    age = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    if not YOUNGEST <= age <= OLDEST:
        facts = {"youngest": str(YOUNGEST), "oldest": str(OLDEST)}
        return Refusal("invalid", faults=(FieldFault("student.born", "not_a_students_age", facts),))
    return None


def describe(desk: Desk) -> None:
    """What the whistle says about the case, and the mandatory report that a ticked trigger opens at once."""
    desk.case.concern = desk.form["concern"]
    desk.case.level = desk.form["level"]
    ticked = set(desk.form.get("statutory", ()))
    reported = {
        code
        for report in desk.case.of_kind("mandatory_report")
        if report.state != "not_required"
        for code in report.facts["statutory"]
    }
    if ticked - reported:
        raised_by = desk.actor.member_id if desk.actor else None
        desk.open("mandatory_report", facts={"statutory": sorted(ticked), "raised_by": raised_by})


def drafted(desk: Desk) -> None:
    """What the draft says already; the rest is asked when it is submitted."""
    desk.case.concern = desk.form.get("concern", desk.case.concern)
    desk.case.level = desk.form.get("level", desk.case.level)


def submitted(desk: Desk) -> None:
    describe(desk)
    if desk.role == "principal":
        enter_open(desk)
    else:
        desk.start(desk.record, "sign_off")


def whistled(desk: Desk) -> None:
    describe(desk)
    if desk.role == "counselor":
        desk.record.facts["owes_sign_off"] = True
        desk.start(desk.record, "sign_off")
    enter_open(desk)


def enter_open(desk: Desk) -> None:
    """The case is being worked on: its clocks start and, the first time, the policy calls whom the concern needs."""
    desk.start(desk.record, "settle")
    if desk.case.level == "red" and "safe_plan" not in desk.record.facts:
        desk.start(desk.record, "safe_plan")
    if desk.record.facts.get("unfolded"):
        return
    desk.record.facts["unfolded"] = True
    concern = desk.book.concerns[desk.case.concern]
    missing = call_up(desk, (concern.lead, *concern.support))
    for kind in concern.opens:
        if kind == "referral" and desk.responsible("hospital") is None:
            missing.append("hospital")
        else:
            desk.open(kind)
    if missing:
        # A gap in the directory must not stop a whistle: the coordinator hears of it and summons by hand.
        desk.note("open", nobody_responsible=missing)
        desk.tell("coordinator@district")


def call_up(desk: Desk, kinds: tuple[str, ...]) -> list[str]:
    """Summon whoever is responsible, the first of them to lead; the kinds that nobody is responsible for.

    Where there is nobody at all the directory's own fault says so: such a case would have no lead.
    """
    found = [(kind, desk.responsible(kind)) for kind in kinds]
    called = [organisation for _, organisation in found if organisation is not None] or [desk.nearest(kinds[0])]
    for organisation in called:
        part = "lead" if organisation is called[0] else "support"
        desk.open("assignment", organisation=organisation.id, facts={"part": part})
    return [kind for kind, organisation in found if organisation is None]


def signed(desk: Desk) -> None:
    desk.record.facts.pop("owes_sign_off", None)
    if not desk.record.facts.get("unfolded"):
        enter_open(desk)


def owes_sign_off(desk: Desk) -> Refusal | None:
    if desk.record.state != "awaiting_signoff" and not desk.record.facts.get("owes_sign_off"):
        return Refusal("wrong_state", state=desk.record.state)
    return None


def regrade(desk: Desk) -> None:
    was, level = desk.case.level, desk.form["level"]
    desk.regrade(level)
    if was != level == "red" and "safe_plan" not in desk.record.facts:
        desk.start(desk.record, "safe_plan")


def summon(desk: Desk) -> None:
    desk.open("assignment", organisation=desk.form["organisation"], facts={"part": "support"})


def summonable(desk: Desk) -> Refusal | None:
    return cannot_answer(desk, "organisation")


def summoned_already(desk: Desk) -> Refusal | None:
    number = desk.form["organisation"]
    standing = (one for one in desk.case.of_kind("assignment") if one.organisation == number)
    if any(one.state not in ENDED_ASSIGNMENTS for one in standing):
        return Refusal("already_open")
    return None
