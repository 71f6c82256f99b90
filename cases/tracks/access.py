"""紧急调阅: break-glass. Somebody of the city sees a case that isn't theirs for a few hours.

The reason is written first; the principal and the district hear of it, and another organisation reviews it.
"""

from __future__ import annotations

from cases.track import TIME, CaseFile, ClockKind, Desk, Move, Record, State, Track, fields, who

EVERY_STATE = ("draft", "awaiting_signoff", "open", "awaiting_evaluation", "closed", "withdrawn", "merged")


def _openers_post(desk: Desk) -> int | None:
    """The organisation for which the actor opens it: in the city of the case's school. None outside it."""
    for post in desk.actor.posts if desk.actor else ():
        if post.role == desk.role:
            organisation = desk.organisation(post.organisation_id)
            if organisation.district_id == desk.case.district or organisation.city_id == desk.case.city:
                return organisation.id
    return None


def _in_the_city_and_blind(desk: Desk) -> bool:
    """Whoever sees the case has nothing to break; nobody outside the city has any business there."""
    return not desk.sees() and _openers_post(desk) is not None


def _opened(desk: Desk) -> None:
    desk.record.facts["opened_by"] = desk.actor.member_id if desk.actor else None
    desk.record.facts["role"] = desk.role
    desk.record.organisation = _openers_post(desk)
    desk.alarm(desk.record, desk.now + desk.book.windows.access, "expire")


def _owe_the_review(case: CaseFile, record: Record) -> tuple[str, ...]:
    """Nobody reviews their own house: where the district opened it, the city reviews."""
    return ("supervisor@city",) if record.organisation == case.district else ("supervisor@district",)


def _of_another_organisation(desk: Desk) -> bool:
    return desk.actor is not None and desk.record.organisation not in {
        desk.actor.organisation_id,
        *(post.organisation_id for post in desk.actor.posts),
    }


def _reviewed(desk: Desk) -> None:
    desk.record.facts["proper"] = desk.form["proper"]
    if not desk.form["proper"]:
        desk.tell(f"lead@organisation:{desk.record.organisation}", "auditor@district")


TRACK = Track(
    kind="access",
    label=("紧急调阅", "break-glass access"),
    belongs_to="organisation",
    holds_open=False,
    while_case=EVERY_STATE,
    initial="open",
    opened_event="opened",
    tells=("principal@school", "supervisor@district"),
    states={
        "open": State(("调阅中", "open")),
        "expired": State(("已到期", "expired")),
        "reviewed": State(("已复核", "reviewed"), end=True),
    },
    clocks=(ClockKind("access_review", ("调阅复核", "the review of the access"), _owe_the_review),),
    moves=(
        Move(
            name="open",
            event="opened",
            label=("紧急调阅", "break the glass"),
            source=None,
            target="open",
            by=who("officer, lead, liaison, coordinator, supervisor@anywhere"),
            only=_in_the_city_and_blind,
            form=fields("reason"),
            then=_opened,
        ),
        Move(
            name="expire",
            event="expired",
            label=("到期", "expire"),
            source=("open",),
            target="expired",
            by=TIME,
            starts=("access_review",),
        ),
        Move(
            name="review",
            event="reviewed",
            label=("复核", "review"),
            source=("expired",),
            target="reviewed",
            by=who("supervisor@jurisdiction"),
            only=_of_another_organisation,
            form=fields("proper, note?"),
            meets=("access_review",),
            then=_reviewed,
        ),
    ),
)
