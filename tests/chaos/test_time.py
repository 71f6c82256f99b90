"""The programme "time": outages of hours and months, ten thousand due at once, a clock that is set back.

Every rung falls once and in order; whoever was to be told meanwhile is told once, with the highest that concerns them.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import Connection, select, text

from cases import wake
from cases.office import Session
from cases.records import case as cases_table
from cases.records import clock, event, incident, message
from cases.refusal import Refusal
from cases.sitting import KIND_RANK, Sitting
from cases.store import Store
from tests.benchmarks import sweep as crowd
from tests.cases import invariants
from tests.chaos.test_kill import KILLED, Sweepers, sweepers
from tests.town import START, Town, minutes, town

Figure = Callable[[str], None]
DAYS = int(os.environ.get("DAYS", "3"))
"""Walks through the days: 3 in the ordinary run, `DAYS=100` (make chaos) by name."""
CROWD = int(os.environ.get("CROWD", "200"))
"""Cases that are due at once: 200 in the ordinary run, `CROWD=10000` (make chaos) by name."""
OUTAGES = [timedelta(hours=3), timedelta(hours=23), timedelta(days=3), timedelta(days=30)]
LEVELS = ("red", "orange", "yellow", "blue")


@pytest.fixture
def city(store: Store) -> Iterator[Town]:
    with town(store) as built:
        yield built


def faults(city: Town, swept_at: datetime | None) -> list[str]:
    """Whatever is wrong with any case."""
    with city.store.read() as connection:
        session = Session(connection, city.office)
        ids = list(connection.scalars(select(cases_table.c.id).order_by(cases_table.c.id)))
        return [fault for one in ids for fault in invariants.broken(session, one, swept_at=swept_at)]


def whistled(city: Town, level: str, at: datetime) -> None:
    """A case of that level, by whoever may whistle for it."""
    student = {"name": f"小{level}", "born": "2016-11-02", "grade": 3}
    form = {"concern": "harmful_home", "level": level, "summary": "seen", "student": student}
    grave = level in {"red", "orange"}
    by, trigger = ("counselor@school", "whistle") if grave else ("principal@school", "submit")
    city.fire(by, None, 0, trigger, form, at)


# ------------------------------------------------------------------------- crashes, clocks, acknowledgements


class Crash(BaseException):
    """The process ends here: nothing of ours runs after it."""


class Days(RuleBasedStateMachine):
    """A few cases, people who act in any order, a clock that jumps, sweeps that crash at any of their commits."""

    city: Town

    @initialize(seed=st.integers(0, 2**32))
    def begins(self, seed: int) -> None:
        self.now, self.swept = START, False
        with self.city.store.begin() as connection:
            # What earlier walks left doesn't wake in this one.
            connection.execute(text("UPDATE cases SET wake_at = NULL WHERE wake_at IS NOT NULL"))
            self.first = (connection.scalar(text("SELECT max(id) FROM cases")) or 0) + 1
        random = Random(seed)  # noqa: S311 - what makes a walk by chance and yet the same again
        for level in LEVELS:
            self._whistle(level, START + minutes(random.randint(-1440, 0)))

    @rule(level=st.sampled_from(LEVELS))
    def somebody_whistles(self, level: str) -> None:
        self._whistle(level, self.now)
        self.swept = False

    @rule(by=st.one_of(st.integers(-1440, 0), st.integers(1, 180), st.integers(60, 60 * 24 * 30)))
    def the_clock_goes(self, by: int) -> None:
        self.now += minutes(by)
        self.swept = False

    @rule(
        after=st.integers(1, 180),
        place=st.integers(1, 3),
        where=st.sampled_from(["before", "after"]),
        size=st.integers(1, 3),
    )
    def a_sweep_crashes(self, after: int, place: int, where: str, size: int) -> None:
        self.now += minutes(after)
        whole, commits = self.city.store.begin, 0

        @contextmanager
        def mortal() -> Iterator[Connection]:
            nonlocal commits
            with whole() as connection:
                yield connection
                commits += 1
                if (where, commits) == ("before", place):
                    raise Crash
            if (where, commits) == ("after", place):
                raise Crash

        self.city.store.begin = mortal  # type: ignore[method-assign]
        try:
            while wake.sweep(self.city.store, self.city.office, self.now, most=size).cases:
                pass
        except Crash:
            note(f"crashed {where} commit {place}")
        finally:
            del self.city.store.begin
        self.swept = False

    @rule(after=st.one_of(st.integers(0, 180), st.integers(60, 60 * 24 * 30)))
    def a_sweep_comes(self, after: int) -> None:
        self.now += minutes(after)
        assert self.city.sweep(self.now).aside == 0
        assert self.city.sweep(self.now) == wake.Swept()
        self.swept = True

    @rule(
        case=st.integers(0, 5),
        track=st.integers(1, 4),
        move=st.sampled_from(["acknowledge", "acknowledge", "report_in", "undo_acknowledge"]),
        who=st.sampled_from(["officer@street", "lead@street", "officer@police", "officer@womens_federation"]),
    )
    def somebody_acts(self, case: int, track: int, move: str, who: str) -> None:
        form: dict[str, Any] = {}
        if move == "report_in":
            form = {"at": self.now.isoformat(), "where": "home", "mode": "on_site", "people": ["李"]}
        try:
            self.city.fire(who, self.ids()[case % len(self.ids())], track, move, form, self.now)
        except Refusal as refusal:
            note(f"refused: {refusal.code}")
        self.swept = False

    @invariant()
    def every_case_is_whole(self) -> None:
        with self.city.store.read() as connection:
            session = Session(connection, self.city.office)
            for one in self.ids():
                assert invariants.broken(session, one, swept_at=self.now if self.swept else None) == []

    def ids(self) -> list[int]:
        """The cases of this walk."""
        with self.city.store.read() as connection:
            return list(connection.scalars(select(cases_table.c.id).where(cases_table.c.id >= self.first)))

    def _whistle(self, level: str, at: datetime) -> None:
        whistled(self.city, level, at)


def live(city: Town, walks: int) -> None:
    """Let so many walks go through the days."""
    chosen = settings(
        max_examples=walks,
        stateful_step_count=12,
        deadline=None,
        database=None,
        derandomize=walks <= 20,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
        report_multiple_bugs=False,
    )
    run_state_machine_as_test(type("Lived", (Days,), {"city": city}), settings=chosen)


def test_whatever_crashes_and_however_the_clock_jumps_every_rung_falls_once(city: Town, figure: Figure) -> None:
    live(city, DAYS)
    with city.store.read() as connection:
        count = connection.scalar(text("SELECT count(*) FROM event"))
    figure(f"{DAYS} walks from -1 to +30 days, {count} events: every rung once and in order, whatever crashed")


# ------------------------------------------------------------------------------------- hours without a sweep


def all_levels(city: Town) -> None:
    for level in LEVELS:
        whistled(city, level, START)


Fell = dict[int, list[tuple[int, str, str]]]
Heard = dict[tuple[int, int], list[set[tuple[int, str, str]]]]
"""For each case and member, message by message: of which track, which clock, which rung."""


def begun(city: Town) -> set[tuple[int, int]]:
    """The clocks that run when everybody stops: what starts later starts when it is caught up with."""
    with city.store.read() as connection:
        return {tuple(row) for row in connection.execute(select(clock.c.case_id, clock.c.no))}


def rungs(city: Town, of: set[tuple[int, int]]) -> Fell:
    """The rungs of these clocks in the order of the history: which clock, which rung, where it stood."""
    found: Fell = {}
    with city.store.read() as connection:
        for row in connection.execute(select(event).order_by(event.c.case_id, event.c.seq)):
            falls = [one["clock"] for one in row.signals if one["op"] == "rung"]
            if "stood_at" in row.open and (row.case_id, falls[0]) in of:
                rung = row.trigger.rpartition(".")[2]
                found.setdefault(row.case_id, []).append((falls[0], rung, row.open["stood_at"]))
    return found


def heard(city: Town, of: set[tuple[int, int]]) -> Heard:
    """What time has told each member about these clocks, and whether a message is of a lesser kind than its rungs."""
    found: Heard = {}
    with city.store.read() as connection:
        names = {
            (row.case_id, row.track_no, row.name): row.no
            for row in connection.execute(select(clock).order_by(clock.c.no.desc()))
        }
        for row in connection.execute(select(message).where(message.c.at > START).order_by(message.c.id)):
            said = {(one["track"], one["clock"], one["rung"]) for one in row.items if "rung" in one}
            ours = {one for one in said if (row.case_id, names.get((row.case_id, *one[:2]))) in of}
            highest = max((KIND_RANK[one[2]] for one in said), default=0)
            if ours:
                ours |= {(0, row.kind, "isn't the highest")} if KIND_RANK[row.kind] < highest else set()
                found.setdefault((row.case_id, row.member_id), []).append(ours)
    return found


def without_a_sweep(
    store: Store, outage: timedelta, planted: Callable[[], None] = lambda: None
) -> tuple[list[str], str]:
    """What is wrong after nobody has swept for so long, beside a town that was swept at every instant."""
    with store.scratch() as other, town(other) as city:
        all_levels(city)
        of = begun(city)
        city.run_until(START + outage)
        expected, in_time = rungs(city, of), heard(city, of)
    planted()
    with store.scratch() as one, town(one) as city:
        all_levels(city)
        city.sweep(START + outage)
        found = faults(city, START + outage)
        fell, told = rungs(city, of), heard(city, of)
    for case, those in expected.items():
        if fell.get(case) != those:
            found.append(f"case {case}: {fell.get(case)} fell, not {those}")
    for who in told.keys() | in_time.keys():
        letters = told.get(who, [])
        if len(letters) != 1:
            found.append(f"{who} was told {len(letters)} times")
        if set().union(*letters) != set().union(*in_time.get(who, [])):
            found.append(f"{who} was told of other rungs than in time")
    count, people = sum(map(len, fell.values())), sum(map(len, in_time.values()))
    return found, f"{outage}: {count} rungs in order; {len(told)} people told once, {people} times in time"


@pytest.mark.parametrize("outage", OUTAGES[:1], ids=str)
def test_after_hours_without_a_sweep_each_is_told_once_with_the_highest(
    store: Store, outage: timedelta, figure: Figure
) -> None:
    found, line = without_a_sweep(store, outage)
    figure(line)
    assert found == []


@pytest.mark.long
@pytest.mark.parametrize("outage", OUTAGES[1:], ids=str)
def test_after_days_without_a_sweep_each_is_told_once_with_the_highest(
    store: Store, outage: timedelta, figure: Figure
) -> None:
    found, line = without_a_sweep(store, outage)
    figure(line)
    assert found == []


# ------------------------------------------------------------------------------------------ all due at once


def all_at_once(at_work: Sweepers, count: int, kills: int) -> tuple[list[str], str]:
    """So many cases are due in the same second, some of them can't be woken, and the sweepers are killed meanwhile."""
    city = at_work.city
    patterns, at = crowd.patterns(city)
    spoilt = 7
    with city.store.begin() as connection:
        connection.execute(text("UPDATE cases SET wake_at = NULL"))
    crowd.refill(city, count, patterns, at, first=1_000_000)
    with city.store.begin() as connection:
        before = dict(connection.execute(text("SELECT id, events FROM cases WHERE id >= 1000000")).tuples().all())
        connection.execute(
            text("UPDATE clock SET face = CAST(:spoilt AS json) WHERE case_id >= 1000000 AND case_id < :end"),
            {"spoilt": '{"wake": "2026-03-17T00:25:00+00:00"}', "end": 1_000_000 + spoilt},
        )
    random, deaths = Random(11), 0  # noqa: S311
    batch = max(3, count // 40)
    began = time.monotonic()
    while deaths < kills:
        where = random.choice(("before", "after"))
        code = at_work.sweep(at, where=where, commit=random.randint(1, 3), batch=batch)
        assert code in {0, KILLED}
        deaths += code == KILLED
        if code == 0:
            break
    assert at_work.sweep(at, batch=500) == 0
    seconds = time.monotonic() - began
    with city.store.read() as connection:
        after = dict(connection.execute(text("SELECT id, events FROM cases WHERE id >= 1000000")).tuples().all())
        late = connection.scalar(
            text("SELECT count(*) FROM cases WHERE wake_at <= :at AND aside_until IS NULL"), {"at": at}
        )
        doubled = connection.scalar(
            text(
                "SELECT count(*) FROM (SELECT 1 FROM event, jsonb_array_elements(signals::jsonb) one"
                " WHERE case_id >= 1000000 AND one->>'op' = 'rung'"
                " GROUP BY case_id, one->>'clock', name HAVING count(*) > 1) twice"
            )
        )
        aside = set(connection.scalars(select(incident.c.case_id).where(incident.c.kind == "case_set_aside")))
    asleep = [one for one in before if after[one] == before[one]]
    found = [f"{late} are still due"] if late else []
    found += [f"{doubled} rungs fell twice"] if doubled else []
    if aside != set(range(1_000_000, 1_000_000 + spoilt)) or set(asleep) != aside:
        found.append(f"{len(aside)} set aside, {len(asleep)} not woken, {spoilt} faulty")
    fired = sum(after.values()) - sum(before.values())
    line = f"{count} due at once, {deaths} sweepers killed: {fired} rungs in {seconds:.1f} s, 0 lost, {doubled} doubled"
    return found, f"{line}; {len(aside)} faulty cases set aside"


def test_when_all_are_due_at_once_and_sweepers_die_each_falls_once(store: Store, figure: Figure) -> None:
    with sweepers(store) as at_work:
        found, line = all_at_once(at_work, CROWD, kills=6)
    figure(line)
    assert found == []


# ------------------------------------------------------------------------- planted bugs that must be caught


def _tells_every_rung(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Sitting.happen

    def happen(self: Sitting, *args: Any, **more: Any) -> Any:  # noqa: ANN401
        occurrence = whole(self, *args, **more)
        self.group = occurrence.seq
        return occurrence

    monkeypatch.setattr(Sitting, "happen", happen)


def _tells_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cases.sitting.KIND_RANK", dict.fromkeys(KIND_RANK, 0))


def _out_of_order(monkeypatch: pytest.MonkeyPatch) -> None:
    def any_that_is_due(sitting: Sitting, now: datetime) -> object:
        for one in list(sitting.case.clocks.values())[::-1]:
            record = sitting.case.track(one.track)
            if one.wake is not None and one.wake <= now and record is not None:
                return record, one
        return next((one for one in sitting.case.tracks.values() if one.alarm is not None and one.alarm <= now), None)

    monkeypatch.setattr(wake, "_next", any_that_is_due)


def _forgets_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = wake._next

    def earliest_only(sitting: Sitting, now: datetime) -> object:
        return None if len(sitting.occurrences) > 2 else whole(sitting, now)

    monkeypatch.setattr(wake, "_next", earliest_only)


MUTANTS = (_tells_every_rung, _tells_the_first, _out_of_order, _forgets_the_rest)


@pytest.mark.parametrize("mutant", [MUTANTS[0], *(pytest.param(one, marks=pytest.mark.long) for one in MUTANTS[1:])])
def test_the_programme_of_time_notices(
    store: Store, mutant: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    found, _ = without_a_sweep(store, OUTAGES[0], lambda: mutant(monkeypatch))
    assert found
