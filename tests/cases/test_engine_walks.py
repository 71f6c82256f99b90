"""Random walks over the real engine: whatever people and time do in whatever order, a case stays whole."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select, text

from cases import access, queries, wake
from cases.casefile import CaseFile, Record
from cases.engine import Fired
from cases.office import Session
from cases.records import case as cases_table
from cases.refusal import CODES, Refusal
from cases.store import Store
from cases.track import FOLLOWS, TIME, Move, discover
from tests.cases import contract, forms_by_chance, invariants, oracle
from tests.town import START, Town, book, town

NARROWED = {
    ("case", "evaluate"), ("case", "close"), ("assignment", "undo_acknowledge"), ("check_in", "file_school"),
    ("conference", "schedule"), ("conference", "hold"), ("conference", "minute"), ("conference", "cancel"),
    ("action_item", "drop"), ("access", "open"), ("access", "review"), ("extension", "grant"),
    ("extension", "refuse"), ("protection", "issue"), ("protection", "reject"),
}  # fmt: skip
"""Rows that what has happened narrows further: there the contract's relation isn't the whole answer."""
CONCERNS = tuple(sorted(book().concerns))
WALKS = int(os.environ.get("WALKS", "20"))
"""How many walks; `WALKS=500` is the long form: drawn anew each time, and a fault is shrunk, which takes minutes."""
STEPS = 25


ONWARD: dict[str, dict[str, tuple[str, ...]]] = {
    "case": {"open": ("record_safe_plan",), "awaiting_evaluation": ("evaluate", "close"), "closed": ("reopen",)},
    "assignment": {
        "summoned": ("report_in", "acknowledge"),
        "acknowledged": ("report_in",),
        "on_scene": ("give_feedback",),
        "fed_back": ("accept_feedback", "accept_feedback", "send_back"),
        "disputed": ("uphold",),
    },
    "referral": {
        "proposed": ("give_consent",),
        "requested": ("accept", "decline"),
        "accepted": ("record_visit",),
        "declined": ("redirect",),
        "scheduled": ("record_visit",),
        "in_treatment": ("complete",),
    },
    "return_to_school": {
        "assessing": ("hospital_sign", "school_sign"),
        "planned": ("record_return",),
        "tracking": ("relapse", "declare_stable"),
        "deferred": ("resume",),
        "appealed": ("rule",),
    },
    "check_in": {"open": ("file_school", "file_hospital"), "missed": ("file_school", "file_hospital")},
    "mandatory_report": {"due": ("file",), "filed": ("register", "record_answer")},
    "guidance": {"offered": ("engage",), "engaged": ("complete",), "evading": ("criticise",)},
    "protection": {"applied": ("issue", "reject"), "issued": ("record_breach",)},
    "conference": {"called": ("schedule",), "scheduled": ("hold",), "held": ("minute",)},
    "action_item": {"assigned": ("finish",)},
    "leave": {"on_leave": ("end",)},
    "extension": {"requested": ("grant", "refuse")},
    "supervision": {"issued": ("answer",), "answered": ("accept",)},
}
"""The ways on which a case comes to its end; by chance alone hardly any would."""


def chance(seed: int | str) -> Random:
    """What makes a walk by chance and yet the same again."""
    return Random(seed)  # noqa: S311


class Walk(RuleBasedStateMachine):
    """One case, a second one of the same student, and everybody in town."""

    city: Town

    @initialize(concern=st.sampled_from(CONCERNS), level=st.sampled_from(["red", "orange", "yellow", "blue"]))
    def begins(self, concern: str, level: str) -> None:
        self.now = START
        self.swept: datetime | None = None
        grave = level in {"red", "orange"}
        by, trigger = ("counselor@school", "whistle") if grave else ("principal@school", "submit")
        form = {
            "concern": concern,
            "level": level,
            "summary": "what the counselor saw",
            "student": {"name": "小怡", "born": "2016-11-02"},
        }
        self.case = self.city.fire(by, None, 0, trigger, form, START).case.id
        self.twin = self.city.fire(by, None, 0, trigger, form, START).case.id
        self.checked: tuple[int, str] = (0, "")

    @rule(seeds=st.lists(st.integers(0, 2**32), min_size=1, max_size=4))
    def somebody_does_what_the_state_allows(self, seeds: list[int]) -> None:
        for seed in seeds:
            random, file = chance(seed), self.file()
            ways: dict[str, list[tuple[int | str, Move]]] = {}
            for number, record in self.records(file):
                for move in discover()[record.kind].moves:
                    # Most walks are to go on for a while, so few of them may end the case at once.
                    ending = move.name in {"withdraw", "merge"} and random.random() < 0.9
                    if self.possible(file, record, move) and not ending:
                        ways.setdefault(f"{record.kind} {move.opens}", []).append((number, move))
            openings = [one for one in ways if one.endswith("True")]
            going = [one for one in ways if one.endswith("False")]
            chosen = random.choice(openings if not going or (openings and random.random() < 0.2) else going)
            number, move = random.choice(ways[chosen])
            allowed = [one for one in self.city.members if self.foretold(one, file, number, move, {}) is None]
            form = forms_by_chance.filled(random, move, file, self.city, self.now)
            if move.name == "merge" and random.random() < 0.5:
                form["into"] = self.number_of(self.twin)
            if random.random() < 0.1:
                form = forms_by_chance.spoilt(random, form)
            self.pull(random.choice(allowed or list(self.city.members)), number, move, form)

    @rule(seed=st.integers(0, 2**32))
    def everybody_does_their_duty(self, seed: int) -> None:
        random = chance(seed)
        for no in [one.no for one in self.file().all_records()]:
            file = self.file()
            record = self.record(file, no)
            ways = ONWARD.get(record.kind, {}).get(record.state)
            if ways:
                move = discover()[record.kind].by_name[random.choice(ways)]
                form = forms_by_chance.filled(random, move, file, self.city, self.now)
                allowed = [one for one in self.city.members if self.foretold(one, file, no, move, {}) is None]
                self.pull(random.choice(allowed or ["counselor@school"]), no, move, form)

    @rule(seed=st.integers(0, 2**32))
    def anybody_does_anything(self, seed: int) -> None:
        random, file = chance(seed), self.file()
        number, record = random.choice(list(self.records(file)))
        move = random.choice(discover()[record.kind].moves)
        form = forms_by_chance.filled(random, move, file, self.city, self.now)
        known = [one for one in self.city.members if self.known(one, file)]
        by = random.choice(known if random.random() < 0.7 else list(self.city.members))
        self.pull(by, number, move, form)

    @rule(
        by=st.one_of(
            st.integers(-1440, 5), st.integers(1, 120), st.integers(60, 60 * 24 * 3), st.integers(0, 60 * 24 * 30)
        )
    )
    def time_passes_and_nobody_sweeps(self, by: int) -> None:
        self.now += timedelta(minutes=by)
        self.swept = None

    @rule(by=st.one_of(st.integers(1, 120), st.integers(60, 60 * 24 * 3), st.integers(0, 60 * 24 * 30)))
    def time_passes_and_the_sweep_comes(self, by: int) -> None:
        self.now += timedelta(minutes=by)
        swept = self.city.sweep(self.now)
        assert swept.aside == 0
        self.swept = self.now

    @precondition(lambda self: self.swept is not None)
    @rule()
    def a_second_sweep_finds_nothing(self) -> None:
        before = self.mark()
        assert self.city.sweep(self.now) == wake.Swept()
        assert self.mark() == before

    @invariant()
    def the_case_is_whole(self) -> None:
        mark = self.mark()
        if mark == self.checked[1]:
            return
        with self.city.store.read() as connection:
            session = Session(connection, self.city.office)
            assert invariants.broken(session, self.case, swept_at=self.swept) == []
            assert invariants.broken(session, self.twin) == []
        self.checked = (self.case, mark)
        # The mark holds keys that are drawn anew each time; by it the same walk would ask others each time.
        some = chance(f"{self.file().events} {self.now}").sample(list(self.city.members), 2)
        assert invariants.seen_through(self.city, self.case, some, self.now) == []

    def teardown(self) -> None:
        if not hasattr(self, "case"):
            return
        with self.city.store.read() as connection:
            session = Session(connection, self.city.office)
            file = invariants.file_of(session, self.case)
            for name in self.city.members:
                actor = self.city.office.directory.actor(connection, self.city.members[name], self.now)
                listed = select(cases_table.c.id).where(
                    cases_table.c.id == self.case, access.visible(actor, book(), self.now)
                )
                seen = not access.sees(actor, file, book(), self.now).nothing
                assert (connection.scalar(listed) is not None) == seen, name
        with self.city.store.begin() as connection:
            # The next walk begins in the past of this one; its sweeps are its own.
            connection.execute(text("UPDATE cases SET wake_at = NULL WHERE wake_at IS NOT NULL"))

    # ------------------------------------------------------------------ what the rules are made of

    def pull(self, by: str, number: int | str, move: Move, form: dict[str, Any]) -> None:
        """Pull a trigger: what the contract foretells happens, and a refusal leaves everything as it was."""
        file, before = self.file(), self.mark()
        wanted = self.foretold(by, file, number, move, form)
        quiet = file.wake is None or file.wake > self.now
        track: int | str = number
        kind = number if isinstance(number, str) else self.record(file, number).kind
        note(f"{self.now.isoformat()} {by} {kind} {number} {move.name} {form}")
        done: Fired | Refusal
        try:
            done = self.city.fire(by, self.case, track, move.name, form, self.now)
        except Refusal as refusal:
            done = refusal
        if isinstance(done, Refusal):
            note(f"  refused: {done!r}")
            assert done.code in CODES
            assert self.mark() == before, "a refusal changed something"
            if quiet and wanted is not None and (kind, move.name) not in NARROWED:
                assert done.code == wanted
            return
        note(f"  now {[(one.no, one.kind, one.state) for one in done.case.all_records()]}")
        assert not quiet or wanted is None, f"{wanted} was foretold"
        after = self.file()
        assert after.version in {file.version, file.version + 1}
        assert after.events >= file.events
        assert all(file.events < one <= after.events for one in done.events)

    def foretold(self, by: str, file: CaseFile, number: int | str, move: Move, form: dict[str, Any]) -> str | None:
        """The code that the contract foretells for the first four questions."""
        opens = isinstance(number, str)
        record = Record(0, str(number), "", None, self.now) if opens else self.record(file, int(number))
        if move.opens != opens:
            return None if self.known(by, file) else "not_found"
        owner = record.organisation
        about = form.get("about") if opens else None
        if isinstance(about, int) and about in file.tracks:
            owner = file.tracks[about].organisation
        case_states = contract.MORE_CASE_STATES.get((record.kind, move.name), contract.CASE_STATES.get(record.kind))
        code = oracle.expected(by, record.kind, move.name, record.state, self.situation(file, record, owner))
        if code is None and case_states is not None and file.state not in case_states:
            return "wrong_state"
        return code

    def situation(self, file: CaseFile, record: Record, owner: int | None) -> oracle.Situation:
        names = {one.id: name for name, one in self.city.places.items()}
        members = {number: name for name, number in self.city.members.items()}
        referrals = file.of_kind("referral")
        parent = file.tracks.get(record.parent or 0)
        hospital = referrals[-1].organisation if referrals else self.city.places["hospital"].id
        for one in (parent, record):
            if one is not None and one.kind in {"referral", "return_to_school"} and one.organisation:
                hospital = one.organisation
        ended = file.closed if file.state in contract.ends("case") else None
        return oracle.Situation(
            called=frozenset(names[one.organisation] for one in file.called.values() if one.until is None),
            owner=None if owner is None else names[owner],
            hospital=None if hospital is None else names[hospital],
            minds=frozenset({members[file.whistler]} if file.whistler else ()),
            glass=frozenset(members[one.facts["opened_by"]] for one in file.of_kind("access") if one.state == "open"),
            in_sight=ended is None or max(self.now, file.last_at) <= ended + timedelta(days=30),
        )

    def known(self, by: str, file: CaseFile) -> bool:
        return oracle.sees(by, self.situation(file, file.record, None))

    def possible(self, file: CaseFile, record: Record, move: Move) -> bool:
        if move.by in {TIME, FOLLOWS}:
            return False
        if record.kind != "case" and file.state not in (move.needs_case or discover()[record.kind].while_case):
            return False
        return move.opens if record.no == -1 else record.state in (move.source or ())

    def records(self, file: CaseFile) -> Iterator[tuple[int | str, Record]]:
        """Every track of the case by its number, and every kind that somebody may open by its name."""
        for record in file.all_records():
            yield record.no, record
        for kind, declared in discover().items():
            if kind != "case" and any(move.opens for move in declared.moves):
                yield kind, Record(-1, kind, declared.initial, None, self.now)

    def record(self, file: CaseFile, number: int) -> Record:
        found = file.track(number)
        assert found is not None
        return found

    def file(self) -> CaseFile:
        with self.city.store.read() as connection:
            return invariants.file_of(Session(connection, self.city.office), self.case)

    def number_of(self, case_id: int) -> str:
        with self.city.store.read() as connection:
            return str(connection.scalar(select(cases_table.c.number).where(cases_table.c.id == case_id)))

    def mark(self) -> str:
        with self.city.store.read() as connection:
            session = Session(connection, self.city.office)
            return invariants.fingerprint(session, self.case) + invariants.fingerprint(session, self.twin)


def walk(city: Town, examples: int, steps: int) -> None:
    chosen = type("Walked", (Walk,), {"city": city})
    run_state_machine_as_test(
        chosen,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            derandomize=WALKS <= 20,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate, *([Phase.shrink] if WALKS > 20 else [])],
            report_multiple_bugs=False,
        ),
    )


@pytest.fixture
def city(store: Store) -> Iterator[Town]:
    with town(store) as built:
        yield built


def test_a_case_stays_whole_whatever_people_and_time_do(city: Town) -> None:
    walk(city, WALKS, STEPS)


def test_what_was_merged_opens_to_whoever_sees_either_case_and_to_nobody_else(city: Town) -> None:
    whistle = {
        "concern": "left_behind",
        "level": "red",
        "summary": "s",
        "student": {"name": "小怡", "born": "2016-11-02"},
    }
    gone, kept = (city.fire("counselor@school", None, 0, "whistle", whistle, START).case for _ in range(2))
    called = {"organisation": city.places["education_bureau"].id, "part": "support", "reason": "r"}
    city.fire("principal@school", kept.number, 0, "summon", called, START)
    everybody = list(city.members)
    assert invariants.seen_through(city, gone.id, everybody, START) == []
    assert invariants.seen_through(city, kept.id, everybody, START) == []
    city.fire("coordinator@district", gone.number, 0, "merge", {"into": kept.number, "reason": "r"}, START)
    assert invariants.seen_through(city, gone.id, everybody, START) == []
    with city.store.begin() as connection:
        session = Session(connection, city.office)
        officer = city.actor("officer@education_bureau", START)
        assert queries.open_section(session, gone.number, officer, "identity", "looked", START)
