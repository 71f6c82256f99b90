"""A clock's face follows from its history: what falls when, what a pause moves, what a regrade sets anew."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from policies.clocks import (
    Face,
    cancel,
    extend,
    fired,
    meet,
    pause,
    recompute,
    regrade,
    resume,
    start,
)
from policies.faces import rung_at
from policies.ladder import DEFAULT_LADDER, Rung
from policies.limits import Limit, LimitFault
from tests.policies.small_book import BOOK, Book, calendars, local

TICK = timedelta(microseconds=1)
HOUR = timedelta(hours=1)


def started(
    name: str,
    level: str,
    at: str,
    *,
    given: datetime | None = None,
    limit: Limit | None = None,
    half: bool = False,
) -> Face:
    face = start(BOOK, name, level, local(at), given=given, limit=limit, half=half)
    assert face is not None
    return face


def until(face: Face, at: datetime, book: Book = BOOK) -> Face:
    """Let time pass as the sweep does: each rung that stands by then, one after the other."""
    while face.wake is not None and face.wake <= at:
        face = fired(book, face)
    return face


def paused(face: Face, begin: str, end: str) -> Face:
    return resume(BOOK, pause(until(face, local(begin)), local(begin)), local(end))


def woken(face: Face) -> list[str]:
    """The local instants of all rungs to come, to the second; the breach's tick is left out."""
    found = []
    while face.wake is not None:
        there = face.wake.astimezone(calendars().tz)
        found.append(f"{there - TICK if face.wake == face.due + TICK else there:%m-%d %H:%M}")
        face = fired(BOOK, face)
    return found


@pytest.mark.parametrize(
    ("name", "level", "rungs"),
    [
        # Around the clock: 50, 80, 100, 150, 200 % of two hours.
        ("acknowledge", "orange", "02-13 17:30, 02-13 18:06, 02-13 18:30, 02-13 19:30, 02-13 20:30"),
        # Four working hours: an hour and a half on Friday, the rest on the make-up Saturday.
        ("acknowledge", "yellow", "02-14 09:30, 02-14 10:42, 02-14 11:30, 02-14 15:30, 02-14 17:30"),
        # One working day is 8.5 working hours long here; its later rungs stand after the holiday.
        ("acknowledge", "blue", "02-14 11:45, 02-14 16:18, 02-14 18:00, 02-24 15:15, 02-25 10:30"),
        ("interview", "blue", "02-13 18:30, 02-13 19:42, 02-13 20:30, 02-13 22:30, 02-14 00:30"),
    ],
)
def test_rungs_stand_where_the_limit_is_measured(name: str, level: str, rungs: str) -> None:
    assert woken(started(name, level, "2026-02-13T16:30")) == rungs.split(", ")


def test_a_level_without_such_a_clock_starts_none() -> None:
    assert start(BOOK, "safe_plan", "blue", local("2026-02-13T16:30")) is None


def test_a_clock_may_bring_its_due_or_its_limit() -> None:
    review = started("review", "blue", "2026-03-17T08:00", given=local("2026-03-19T18:00"))
    assert (review.due, review.limit) == (local("2026-03-19T18:00"), None)
    assert woken(review)[:3] == ["03-18 13:00", "03-19 06:24", "03-19 18:00"]
    action = started("action", "blue", "2026-03-17T08:00", limit=Limit.parse("3d"))
    assert action.due == local("2026-03-20T08:00")
    assert started("feedback", "blue", "2026-03-16T08:00", half=True).due == local("2026-03-23T18:00")


def test_exactly_at_the_limit_is_in_time_and_a_tick_later_is_not() -> None:
    face = started("acknowledge", "red", "2026-03-17T08:20")
    in_time = until(face, face.due)
    assert meet(in_time, face.due).state == "met"
    late = until(face, face.due + TICK)
    assert late.state == "missed"
    assert meet(late, face.due + TICK).met == face.due + TICK
    # Also where no sweep came by in between.
    assert meet(face, face.due + TICK).state == "missed"


def test_a_stopped_clock_stays_as_it_is() -> None:
    face = started("acknowledge", "red", "2026-03-17T08:20")
    at = local("2026-03-17T08:30")
    for stopped in (meet(face, at), cancel(face, at)):
        assert stopped.wake is None
        later = at + HOUR
        assert meet(stopped, later) == stopped
        assert cancel(stopped, later) == stopped
        assert pause(stopped, later) == stopped
        assert resume(BOOK, stopped, later) == stopped
        assert extend(BOOK, stopped, Limit.parse("5m"), later) == stopped
        assert regrade(BOOK, stopped, "blue", later) == stopped
        assert recompute(BOOK, stopped, later) == stopped
        assert fired(BOOK, stopped) == stopped
    assert cancel(face, at).state == "cancelled"


@pytest.mark.parametrize(
    ("name", "level", "begin", "end", "due"),
    [
        # Elapsed time moves it by what elapsed, nights included.
        ("report_in", "orange", "2026-03-17T18:00", "2026-03-18T06:00", "2026-03-18T20:20"),
        # Four working hours, of which one was used by ten; the pause covered two, and the lunch break none.
        ("acknowledge", "yellow", "2026-03-17T10:00", "2026-03-17T13:00", "2026-03-17T17:00"),
        # Working days: one for each evening at 18:00 that lay inside.
        ("report_in", "blue", "2026-03-18T10:00", "2026-03-18T17:59", "2026-03-24T18:00"),
        ("report_in", "blue", "2026-03-18T10:00", "2026-03-18T18:01", "2026-03-25T18:00"),
        ("report_in", "blue", "2026-03-19T10:00", "2026-03-23T09:00", "2026-03-26T18:00"),
        ("report_in", "blue", "2026-03-21T10:00", "2026-03-22T20:00", "2026-03-24T18:00"),
        # Begun in time and ended after the old limit: all of it counts.
        ("report_in", "blue", "2026-03-24T17:00", "2026-03-25T19:00", "2026-03-26T18:00"),
        # Begun after the limit: it moves nothing.
        ("acknowledge", "red", "2026-03-17T09:00", "2026-03-17T10:00", "2026-03-17T08:35"),
    ],
)
def test_a_pause_moves_a_limit_by_what_it_covered(name: str, level: str, begin: str, end: str, due: str) -> None:
    assert paused(started(name, level, "2026-03-17T08:20"), begin, end).due == local(due)


def test_a_pause_moves_the_rungs_that_are_still_to_come() -> None:
    face = paused(started("acknowledge", "orange", "2026-03-17T08:00"), "2026-03-17T08:30", "2026-03-17T10:30")
    assert woken(face) == ["03-17 11:00", "03-17 11:36", "03-17 12:00", "03-17 13:00", "03-17 14:00"]
    # After the breach the due stays, and the later rungs wait for the time to be used.
    late = paused(started("acknowledge", "orange", "2026-03-17T08:00"), "2026-03-17T10:30", "2026-03-17T20:00")
    assert late.due == local("2026-03-17T10:00")
    assert woken(late) == ["03-17 20:30", "03-17 21:30"]


def test_a_pause_at_the_very_limit_still_moves_it() -> None:
    face = started("acknowledge", "red", "2026-03-17T08:20")
    assert paused(face, "2026-03-17T08:35", "2026-03-17T08:45").due == local("2026-03-17T08:45")
    # In working days, what counts is whether the clock stood still at six.
    evening = started("acknowledge", "blue", "2026-03-16T10:00")
    assert paused(evening, "2026-03-17T18:00", "2026-03-17T18:10").due == local("2026-03-18T18:00")
    assert paused(evening, "2026-03-17T17:00", "2026-03-17T18:00").due == local("2026-03-17T18:00")


@pytest.mark.parametrize("working", [False, True])
def test_a_rung_at_the_very_start_of_a_pause_stands_before_it(*, working: bool) -> None:
    days = calendars().of(None)
    begun, ended = local("2026-03-17T10:00"), local("2026-03-17T11:00")
    due = local("2026-03-17T12:00")
    stands = rung_at(days, local("2026-03-17T09:00"), due, ((begun, ended),), 50, working=working)
    assert stands == begun


def test_a_due_that_was_given_as_past_breaches_as_the_clock_starts() -> None:
    face = started("review", "blue", "2026-03-17T19:00", given=local("2026-03-17T18:00"))
    wakes = []
    while face.wake is not None:
        wakes.append(face.wake)
        face = fired(BOOK, face)
    assert wakes == sorted(wakes)
    assert wakes[0] == face.started
    assert wakes[-1] == face.started + TICK


def test_time_around_the_clock_is_never_provisional() -> None:
    assert not started("report_in", "orange", "2026-12-31T20:00").provisional
    assert started("report_in", "blue", "2026-12-31T20:00").provisional


def test_no_rung_falls_while_a_clock_is_paused() -> None:
    face = pause(started("acknowledge", "red", "2026-03-17T08:20"), local("2026-03-17T08:22"))
    assert face.state == "paused"
    assert face.wake is None
    assert pause(face, local("2026-03-17T08:30")) == face
    # Met in the pause: its time stood still, so it is in time however late.
    assert meet(face, local("2026-03-18T08:00")).state == "met"


def test_a_pause_hides_no_breach() -> None:
    face = until(started("acknowledge", "red", "2026-03-17T08:20"), local("2026-03-17T08:40"))
    face = pause(face, local("2026-03-17T08:41"))
    assert face.state == "missed"
    assert meet(face, local("2026-03-17T08:45")).state == "missed"


def test_a_due_that_was_given_is_moved_by_no_pause() -> None:
    face = started("review", "blue", "2026-03-17T08:00", given=local("2026-03-18T18:00"))
    face = paused(face, "2026-03-17T10:00", "2026-03-18T10:00")
    assert face.due == local("2026-03-18T18:00")
    assert meet(pause(face, local("2026-03-18T12:00")), local("2026-03-19T08:00")).state == "missed"


def test_an_extension_moves_the_due_and_repeats_no_rung() -> None:
    face = started("feedback", "orange", "2026-03-17T08:20")
    face = until(face, local("2026-03-19T12:00"))
    rung = face.rung
    longer = extend(BOOK, face, Limit.parse("2wd"), local("2026-03-19T12:00"))
    assert (face.due, longer.due) == (local("2026-03-20T18:00"), local("2026-03-24T18:00"))
    assert longer.rung == rung > 0
    assert longer.wake is not None
    assert face.wake is not None
    assert longer.wake > face.wake
    with pytest.raises(LimitFault, match="unit"):
        extend(BOOK, face, Limit.parse("2h"))
    with pytest.raises(LimitFault):
        extend(
            BOOK,
            started("review", "blue", "2026-03-17T08:00", given=local("2026-03-18T18:00")),
            Limit.parse("1d"),
        )


def test_an_extension_after_the_limit_takes_the_breach_back_when_told_when() -> None:
    face = until(started("feedback", "red", "2026-03-17T08:00"), local("2026-03-17T10:30"))
    assert face.state == "missed"
    longer = extend(BOOK, face, Limit.parse("2h"), local("2026-03-17T10:30"))
    assert (longer.state, longer.wake) == ("running", local("2026-03-17T12:00") + TICK)
    assert extend(BOOK, face, Limit.parse("2h")).state == "missed"
    # Exactly at the new limit is in time, too.
    assert extend(BOOK, face, Limit.parse("1h"), local("2026-03-17T11:00")).state == "running"


def test_regrade_sets_a_clock_anew_from_its_own_start_and_its_past_rungs_fall_in_order() -> None:
    # The scenario over the Spring Festival: 5 working days become 24 hours, long past.
    face = until(started("report_in", "blue", "2026-02-13T16:40"), local("2026-02-24T09:00"))
    assert (face.state, face.rung) == ("running", 0)
    at = local("2026-02-24T09:00")
    face = regrade(BOOK, face, "orange", at)
    assert face.due == local("2026-02-14T16:40")
    names = []
    while face.wake is not None and face.wake <= at:
        names.append(BOOK.ladder[face.rung].name)
        face = fired(BOOK, face)
    assert names == ["reminded", "warned", "breached", "escalated", "bulletined"]
    assert face.state == "missed"


def test_a_rung_that_has_fired_and_lies_behind_still_does_not_fire_again() -> None:
    at = local("2026-03-17T10:00")
    face = until(started("feedback", "red", "2026-03-17T08:30"), at)
    assert face.rung == 1  # Half of two hours.
    assert regrade(BOOK, face, "red", at) == face
    longer = regrade(BOOK, face, "orange", at)
    # Half of three working days lies ahead: it will be told again when it is reached.
    assert longer.rung == 0
    assert longer.wake is not None
    assert longer.wake > at


def test_a_missed_clock_whose_new_limit_lies_ahead_runs_again() -> None:
    at = local("2026-03-17T09:30")
    face = until(started("acknowledge", "red", "2026-03-17T08:20"), at)
    assert (face.state, face.wake) == ("missed", None)
    milder = regrade(BOOK, face, "orange", at)
    assert (milder.state, milder.due) == ("running", local("2026-03-17T10:20"))
    # Half of two hours was at 09:20: fired before, and still behind. 80 % stands at 09:56.
    assert (milder.rung, milder.wake) == (1, local("2026-03-17T09:56"))
    assert until(milder, local("2026-03-17T10:21")).state == "missed"
    # A rung that stands exactly now has fired if it had: nobody is told twice in one breath.
    assert regrade(BOOK, face, "orange", local("2026-03-17T09:20")).rung == 1


def test_regrade_of_a_paused_clock_reads_its_hands_where_they_stand() -> None:
    face = until(started("acknowledge", "red", "2026-03-17T08:20"), local("2026-03-17T08:33"))
    assert face.rung == 2
    face = pause(face, local("2026-03-17T08:33"))
    milder = regrade(BOOK, face, "orange", local("2026-03-17T12:00"))
    assert (milder.state, milder.rung, milder.wake) == ("paused", 0, None)
    milder = resume(BOOK, milder, local("2026-03-17T12:33"))
    assert (milder.due, milder.wake) == (local("2026-03-17T14:20"), local("2026-03-17T13:20"))


def test_a_level_that_lacks_the_clock_cancels_it() -> None:
    face = until(started("safe_plan", "red", "2026-03-17T08:20"), local("2026-03-19T08:20"))
    cancelled = regrade(BOOK, face, "orange", local("2026-03-19T09:00"))
    assert (cancelled.state, cancelled.cancelled) == ("cancelled", local("2026-03-19T09:00"))


def test_an_extension_outlives_a_regrade_only_in_its_own_unit() -> None:
    at = local("2026-03-17T09:00")
    face = extend(BOOK, started("feedback", "orange", "2026-03-17T08:20"), Limit.parse("2wd"))
    assert regrade(BOOK, face, "yellow", at).whole == Limit.parse("7wd")
    assert regrade(BOOK, face, "red", at).whole == Limit.parse("2h")


def test_a_limit_of_its_own_outlives_a_regrade() -> None:
    urgent = started("report_in", "blue", "2026-03-17T08:20", limit=Limit.parse("24h"))
    assert regrade(BOOK, urgent, "orange", local("2026-03-17T09:00")).due == urgent.due
    assert regrade(BOOK, urgent, "nowhere", local("2026-03-17T09:00")).state == "running"


def test_another_policys_ladder_counts_what_fired_by_its_height() -> None:
    steep = BOOK.but(ladder=(Rung(25, "early", ("owner",)), *DEFAULT_LADDER))
    at = local("2026-03-17T09:30")
    face = until(started("acknowledge", "orange", "2026-03-17T08:20"), at)
    assert face.rung == 1
    moved = regrade(steep, face, "orange", at, before=BOOK)
    # 25 % lies below what had fired, so it isn't told after it.
    assert (moved.rung, moved.wake) == (2, local("2026-03-17T09:56"))


def test_a_new_calendar_moves_a_provisional_due() -> None:
    face = started("report_in", "blue", "2026-12-30T10:00")
    assert face.provisional
    assert face.due == local("2027-01-07T18:00")
    table = """\
year: 2027
source: {zh_CN: 通知, en: Notice}
holidays:
  - name: {zh_CN: 元旦, en: New Year}
    off: [2027-01-01]
    workdays: [2027-01-02]
"""
    known = BOOK.but(calendars=calendars().with_text(table, "cn-2027.yaml"))
    assert not recompute(known, face).provisional
    assert recompute(known, face).due == local("2027-01-06T18:00")


def test_a_table_that_came_late_takes_a_breach_back() -> None:
    face = until(started("acknowledge", "blue", "2026-12-31T10:00"), local("2027-01-05T10:00"))
    assert face.state == "missed"
    table = """\
year: 2027
source: {zh_CN: 通知, en: Notice}
holidays:
  - name: {zh_CN: 元旦, en: New Year}
    off: [2027-01-01..2027-01-05]
"""
    known = BOOK.but(calendars=calendars().with_text(table, "cn-2027.yaml"))
    again = recompute(known, face, local("2027-01-05T10:00"))
    assert (again.state, again.due) == ("running", local("2027-01-06T18:00"))
    assert again.wake == again.due + TICK
    assert recompute(known, face, local("2027-01-07T10:00")).state == "missed"


def test_pauses_that_leave_no_working_time_break_nothing() -> None:
    face = paused(started("acknowledge", "blue", "2026-03-16T18:30"), "2026-03-17T08:00", "2026-03-17T17:59:59.999999")
    face = paused(face, "2026-03-17T17:59:59.999999", "2026-03-17T18:00")
    assert face.due == local("2026-03-17T18:00")
    # No working time was left to divide, so all that comes before the breach is due at once.
    assert face.wake == face.started
    assert until(face, local("2026-03-17T18:01")).state == "missed"


def test_faces_tell_who_is_late_by_state_alone() -> None:
    face = started("acknowledge", "red", "2026-03-17T08:20")
    assert face.state == "running"
    assert replace(face, breached=True).state == "missed"
    assert replace(face, met=face.due).state == "met"
