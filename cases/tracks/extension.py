"""延期: one assignment's feedback limit is moved, once, asked for and granted before it has passed."""

from __future__ import annotations

from cases.track import (
    FOLLOWS,
    Clock,
    ClockKind,
    Desk,
    FieldFault,
    Limit,
    Move,
    Record,
    Refusal,
    State,
    Track,
    fields,
    who,
)

ENDED_ASSIGNMENTS = frozenset({"done", "reassigned", "cancelled"})


def _feedback(desk: Desk, about: int) -> Clock | None:
    """The feedback clock of an assignment, unless it has stopped: then there is nothing left to move."""
    clock = desk.case.clock(about, "feedback")
    return None if clock is None or clock.face.stopped else clock


def _original(clock: Clock) -> Limit | None:
    """The clock's own length before any extension; half the book's after a send-back."""
    limit = clock.face.limit
    if not isinstance(limit, Limit):
        return None
    return limit.half() if clock.face.half else limit


def _asked(desk: Desk, original: Limit) -> Limit | None:
    """What is asked for, in the limit's own unit; None when it isn't."""
    extra = desk.form["extra"]
    if isinstance(extra, Limit):
        return extra if extra.unit is original.unit else None
    try:
        return Limit(extra, original.unit)
    except ValueError:
        return None


def _passed(desk: Desk, clock: Clock) -> bool:
    """Whether the limit has passed; while the assignment is disputed its time stands still."""
    face = clock.face
    return face.breached or (face.paused is None and desk.now > face.due)


def _about_a_running_assignment(desk: Desk) -> Refusal | None:
    about = desk.case.track(desk.form["about"])
    if about is None or about.kind != "assignment":
        return Refusal("invalid", faults=(FieldFault("about", "not_an_assignment"),))
    if about.state in ENDED_ASSIGNMENTS:
        return Refusal("invalid", faults=(FieldFault("about", "ended"),))
    clock = _feedback(desk, about.no)
    original = None if clock is None else _original(clock)
    if original is None:
        return Refusal("invalid", faults=(FieldFault("about", "nothing_to_extend"),))
    if _asked(desk, original) is None:
        return Refusal("invalid", faults=(FieldFault("extra", "wrong_unit", {"unit": original.unit.value}),))
    return None


def _asked_in_time(desk: Desk) -> Refusal | None:
    clock = _feedback(desk, desk.form["about"])
    if clock is not None and _passed(desk, clock):
        return Refusal("too_late", by=str(desk.now - clock.face.due))
    return None


def _only_once(desk: Desk) -> Refusal | None:
    standing = [one for one in desk.case.of_kind("extension") if one.about == desk.form["about"]]
    if sum(one.state in {"requested", "granted"} for one in standing) >= desk.book.windows.extensions:
        return Refusal("already_extended")
    return None


def _at_most_the_original(desk: Desk) -> Refusal | None:
    clock = _feedback(desk, desk.form["about"])
    original = None if clock is None else _original(clock)
    extra = None if original is None else _asked(desk, original)
    if original is None or extra is None:  # refused already, as invalid
        return None
    if extra.amount * 100 > original.amount * desk.book.windows.extension_percent:
        return Refusal("too_long", limit=str(original))
    return None


def _requested(desk: Desk) -> None:
    """It belongs to the organisation that asks; how much it asks for is kept in the limit's own unit."""
    about = desk.form["about"]
    assignment = desk.case.tracks[about]
    desk.record.about, desk.record.organisation = about, assignment.organisation
    clock = _feedback(desk, about)
    original = None if clock is None else _original(clock)
    desk.record.facts["extra"] = str(_asked(desk, original)) if original is not None else None


def _its_assignment(desk: Desk) -> Record | None:
    return None if desk.record.about is None else desk.case.track(desk.record.about)


def _by_somebody_else(desk: Desk) -> bool:
    """A coordinator who also holds a post at the asking organisation doesn't rule on its own request."""
    return desk.actor is not None and all(
        number != desk.record.organisation
        for number in (desk.actor.organisation_id, *(post.organisation_id for post in desk.actor.posts))
    )


def _granted_in_time(desk: Desk) -> Refusal | None:
    assignment = _its_assignment(desk)
    clock = None if assignment is None else desk.case.clock(assignment.no, "feedback")
    if clock is None or clock.face.stopped:
        return Refusal("too_late")
    if _passed(desk, clock):
        return Refusal("too_late", by=str(desk.now - clock.face.due))
    return None


def _granted(desk: Desk) -> None:
    assignment = _its_assignment(desk)
    if assignment is not None:
        desk.extend(assignment, "feedback", Limit.parse(desk.record.facts["extra"]))


TRACK = Track(
    kind="extension",
    label=("延期", "extension"),
    belongs_to="organisation",
    holds_open=False,
    initial="requested",
    opened_event="requested",
    starts=("extension_ruling",),
    states={
        "requested": State(("已申请", "requested")),
        "granted": State(("已同意", "granted"), end=True),
        "refused": State(("未同意", "refused"), end=True),
        "lapsed": State(("已失效", "lapsed"), end=True),
    },
    clocks=(ClockKind("extension_ruling", ("延期裁定", "the ruling on it"), ("coordinator@district",)),),
    moves=(
        Move(
            name="request",
            event="requested",
            label=("申请延期", "request an extension"),
            source=None,
            target="requested",
            by=who("officer, lead@assignee"),
            form=fields("about, reason, extra"),
            guards=(_about_a_running_assignment, _asked_in_time, _only_once, _at_most_the_original),
            then=_requested,
        ),
        Move(
            name="grant",
            event="granted",
            label=("同意延期", "grant"),
            source=("requested",),
            target="granted",
            by=who("coordinator@jurisdiction"),
            only=_by_somebody_else,
            form=fields("note?"),
            guards=(_granted_in_time,),
            meets=("extension_ruling",),
            then=_granted,
        ),
        Move(
            name="refuse",
            event="refused",
            label=("不同意延期", "refuse"),
            source=("requested",),
            target="refused",
            by=who("coordinator@jurisdiction"),
            only=_by_somebody_else,
            form=fields("note?"),
            meets=("extension_ruling",),
        ),
        Move(
            name="lapse",
            event="lapsed",
            label=("失效", "lapse"),
            source=("requested",),
            target="lapsed",
            by=FOLLOWS,
        ),
    ),
)
