"""A history of signals and the faces that stepping through it gave are the same thing, whatever happened."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.clocks import ClockFault, Face, Signal, pause, read, replay, resume, start, step
from policies.faces import rung_at
from policies.ladder import DEFAULT_LADDER, Rung
from policies.limits import Limit, SameDay, Unit
from tests.policies.small_book import BOOK, LEVELS, calendars, local

TICK = timedelta(microseconds=1)
HOUR = timedelta(hours=1)

moments = st.datetimes(datetime(2026, 1, 5), datetime(2026, 11, 1), timezones=st.just(UTC))  # noqa: DTZ001
gaps = st.one_of(
    st.timedeltas(timedelta(0), timedelta(hours=3)),
    st.timedeltas(timedelta(0), timedelta(days=9)),
    st.just(timedelta(0)),
)
moves = st.one_of(
    st.tuples(st.just("start"), st.sampled_from(("acknowledge", "report_in", "feedback", "safe_plan", "interview"))),
    st.tuples(st.just("regrade"), st.sampled_from(LEVELS)),
    st.tuples(
        st.sampled_from(("pause", "resume", "pause", "resume", "meet", "cancel", "extend", "wait")),
        st.just(""),
    ),
)


class Story:
    """The engine in small: time fires what is due, then one thing happens to one clock."""

    def __init__(self, at: datetime) -> None:
        self.at = at
        self.faces: dict[int, Face] = {}
        self.signals: list[Signal] = []
        self.rungs: dict[int, list[datetime]] = {}

    def tell(self, signal: Signal) -> Face | None:
        self.signals.append(signal)
        return step(BOOK, self.faces, signal)

    def sweep(self) -> None:
        for clock in sorted(self.faces):
            while (wake := self.faces[clock].wake) is not None and wake <= self.at:
                was = self.faces[clock]
                now = self.tell(Signal("rung", clock, wake))
                assert now is not None
                assert now.rung == was.rung + 1
                assert now.wake is None or now.wake > wake, "rungs rise"
                assert now.breached == (was.breached or BOOK.ladder[was.rung].percent >= 100)
                assert not now.breached or wake > now.due, "a breach lies after its due"

    def happen(self, gap: timedelta, op: str, what: str, clock: int, level: str) -> None:
        self.at += gap
        self.sweep()
        known = self.faces.get(clock)
        if op == "start":
            if known is None:
                self.tell(Signal("start", clock, self.at, name=what, level=level, half=level == "blue"))
        elif known is None or op == "wait":
            return
        elif op == "regrade":
            self.tell(Signal("regrade", clock, self.at, level=what))
        elif op == "extend":
            if isinstance(known.limit, Limit) and known.extra is None and not known.breached:
                self.tell(Signal("extend", clock, self.at, extra=Limit(1, known.limit.unit)))
        else:
            self.tell(Signal(op, clock, self.at))  # type: ignore[arg-type]


stories = st.lists(st.tuples(gaps, moves, st.integers(1, 3), st.sampled_from(LEVELS)), min_size=3, max_size=25)


def told(at: datetime, story: list[Any]) -> Story:
    telling = Story(at)
    for gap, (op, what), clock, level in story:
        telling.happen(gap, op, what, clock, level)
    return telling


@given(at=moments, story=stories)
@settings(max_examples=200, deadline=None)
def test_reading_a_history_gives_what_stepping_through_it_gave(at: datetime, story: list[Any]) -> None:
    telling = told(at, story)
    assert read(BOOK, telling.signals) == telling.faces
    assert read(BOOK, [Signal.from_json(signal.to_json()) for signal in telling.signals]) == telling.faces


@given(at=moments, story=stories)
@settings(max_examples=200, deadline=None)
def test_a_replay_under_the_same_policy_changes_nothing(at: datetime, story: list[Any]) -> None:
    telling = told(at, story)
    # A clock that its level lacked starts at a regrade in a replay; the little engine here starts none.
    absent = {s.clock for s in telling.signals if s.op == "start"} - set(telling.faces)
    faces, rungs = replay(BOOK, [s for s in telling.signals if s.clock not in absent], telling.at)
    telling.sweep()
    assert faces == telling.faces
    fell = sorted((s.at, s.clock) for s in telling.signals if s.op == "rung" and s.clock not in absent)
    assert sorted((rung.at, rung.clock) for rung in rungs) == fell


@given(at=moments, story=stories)
@settings(max_examples=150, deadline=None)
def test_a_rung_falls_once_within_one_limit(at: datetime, story: list[Any]) -> None:
    telling = told(at, story)
    for clock in telling.faces:
        place = 0
        for signal in (signal for signal in telling.signals if signal.clock == clock):
            if signal.op == "regrade":
                place = 0
            elif signal.op == "rung":
                place += 1
            assert place <= len(BOOK.ladder)


@given(at=moments, story=stories, percent=st.sampled_from((10, 50, 80, 99, 120, 150, 200)))
@settings(max_examples=200, deadline=None)
def test_a_rung_stands_where_its_share_of_the_time_is_used(at: datetime, story: list[Any], percent: int) -> None:
    days = calendars().of(None)
    for face in told(at, story).faces.values():
        working = face.limit is not None and face.limit.working
        unit = Unit.WORKING_HOURS if working else Unit.HOURS

        def active(to: datetime, face: Face = face, unit: Unit = unit) -> timedelta:
            used = days.measured(unit, face.started, to) if to > face.started else timedelta(0)
            for begun, ended in face.pauses:
                if begun < to:
                    used -= days.measured(unit, begun, min(ended, to))
            return used

        length = active(face.due)
        if length <= timedelta(0):
            continue
        stands = rung_at(days, face.started, face.due, face.pauses, percent, working=working)
        assert active(stands) * 100 >= length * percent
        assert active(stands - TICK) * 100 < length * percent or stands == face.due + TICK


@given(at=moments, story=stories)
@settings(max_examples=100, deadline=None)
def test_pausing_and_going_on_at_the_same_instant_changes_nothing(at: datetime, story: list[Any]) -> None:
    telling = told(at, story)
    for face in telling.faces.values():
        if face.paused is None:
            assert resume(BOOK, pause(face, telling.at), telling.at) == face


@given(a=moments, b=moments, level=st.sampled_from(LEVELS))
@settings(deadline=None)
def test_a_pause_in_two_halves_is_one_pause(a: datetime, b: datetime, level: str) -> None:
    first, second = sorted((a, b))
    face = start(BOOK, "feedback", level, first)
    assert face is not None
    split = resume(BOOK, pause(face, second), second + HOUR)
    # One pause, or the same in two halves.
    middle = second + HOUR / 2
    halves = resume(BOOK, pause(resume(BOOK, pause(face, second), middle), middle), second + HOUR)
    assert halves == split


def test_a_signal_keeps_everything_it_carries() -> None:
    at = local("2026-03-17T08:20") + TICK
    signals = [
        Signal("start", 1, at, name="assignment.feedback", level="red", calendar="street", half=True),
        Signal("start", 2, at, name="action", level="red", limit=Limit.parse("3wd")),
        Signal("start", 3, at, name="interview", level="red", limit=SameDay.parse("18:00|4h")),
        Signal("start", 4, at, name="review", level="red", given=at + HOUR),
        Signal("extend", 1, at, extra=Limit.parse("2wd")),
        Signal("rebook", 1, at, policy="nanjing-2026.2"),
        Signal("rung", 1, at),
    ]
    assert [Signal.from_json(signal.to_json()) for signal in signals] == signals
    assert signals[-1].to_json() == '{"op":"rung","clock":1,"at":"2026-03-17T00:20:00.000001+00:00"}'


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"op":"rung","clock":1}',
        '{"op":"explode","clock":1,"at":"2026-03-17T00:20:00+00:00"}',
        '{"op":"rung","clock":1,"at":"2026-03-17T00:20:00"}',
        '{"op":"rung","clock":1,"at":"yesterday"}',
        '{"op":"rung","clock":1,"at":7}',
        '{"op":"extend","clock":1,"at":"2026-03-17T00:20:00+00:00","extra":"soon"}',
        '{"op":"rung","clock":1,"at":"2026-03-17T00:20:00+00:00","colour":"red"}',
    ],
)
def test_what_is_no_signal_is_refused_in_both_languages(text: str) -> None:
    with pytest.raises(ClockFault) as caught:
        Signal.from_json(text)
    assert set(caught.value.text) == {"zh_CN", "en"}


def test_a_signal_to_a_clock_that_never_started_is_refused() -> None:
    at = local("2026-03-17T08:20")
    with pytest.raises(ClockFault, match="never started"):
        read(BOOK, [Signal("meet", 1, at)])
    with pytest.raises(ClockFault, match="lacks level"):
        read(BOOK, [Signal("start", 1, at, name="feedback")])


def test_a_case_that_moves_to_another_policy_is_read_under_it_from_then_on() -> None:
    slow = BOOK.but(
        limits={("acknowledge", "red"): "1h", ("report_in", "red"): "2h"},
        ladder=(Rung(100, "breached", ("owner",)), Rung(200, "bulletined", ("owner",))),
    )
    at = local("2026-03-17T08:20")
    later = at + timedelta(minutes=14)
    signals = [
        Signal("start", 1, at, name="acknowledge", level="red"),
        Signal("start", 2, at, name="report_in", level="red"),
        Signal("rung", 1, at + timedelta(minutes=7, seconds=30)),
        Signal("rung", 1, at + timedelta(minutes=12)),
        Signal("rebook", 1, later, policy="slow"),
        Signal("rebook", 2, later, policy="slow"),
    ]
    faces = read(BOOK, signals, {"slow": slow})
    assert (faces[1].due, faces[2].due) == (at + HOUR, at + 2 * HOUR)
    assert [faces[n].rung for n in (1, 2)] == [0, 0]
    assert faces[1].wake == at + HOUR + TICK


def test_each_clock_of_a_case_counts_its_rungs_by_the_ladder_that_they_fired_on() -> None:
    steep = BOOK.but(ladder=(Rung(25, "early", ("owner",)), *DEFAULT_LADDER))
    at = local("2026-03-17T08:20")
    signals = [Signal("start", clock, at, name="acknowledge", level="orange") for clock in (1, 2)]
    signals += [Signal("rung", clock, at + HOUR) for clock in (1, 2)]
    signals += [Signal("rebook", clock, at + HOUR, policy="steep") for clock in (1, 2)]
    assert [face.rung for face in read(BOOK, signals, {"steep": steep}).values()] == [2, 2]


def test_a_replay_shows_what_another_policy_would_have_done() -> None:
    at = local("2026-03-17T08:20")
    signals = [
        Signal("start", 1, at, name="acknowledge", level="red"),
        Signal("start", 2, at, name="safe_plan", level="blue"),
        Signal("meet", 1, at + timedelta(minutes=10)),
        Signal("regrade", 2, at + HOUR, level="red"),
    ]
    strict = BOOK.but(limits={**BOOK.limits, ("acknowledge", "red"): "5m"})
    faces, rungs = replay(strict, signals, at + timedelta(hours=14))
    assert faces[1].state == "missed"
    assert [rung.rung for rung in rungs if rung.clock == 1] == [rung.name for rung in DEFAULT_LADDER]
    # It started where the level that has it was reached.
    assert faces[2].due == at + 25 * HOUR
    assert [rung.rung for rung in rungs if rung.clock == 2] == ["reminded"]
    assert replay(BOOK, signals, at + HOUR)[0][1].state == "met"
