"""The programme "history" on the database: whatever SQL does to the rows of a case is found out."""

# ruff: noqa: S608 - the numbers are our own, and every trial is rolled back.

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from random import Random

import pytest
from sqlalchemy import Connection, text

from cases import installation, queries, rows, seals
from cases.chain import Head
from cases.office import Session
from cases.store import Store
from tests.cases.test_access import work
from tests.town import START, Town, minutes, town

TRIALS = 100
CASE = 1


class Undone(Exception):
    """Rolls a trial back."""


@pytest.fixture(scope="module")
def city(server: Store) -> Iterator[Town]:
    """A closed case with a long history, and a second one."""
    with server.scratch() as fresh, town(fresh) as built:
        opened = built.whistle(statutory=["injury"]).case
        case, report = opened.id, opened.of_kind("mandatory_report")[0].no
        assert case == CASE
        built.fire("officer@street", case, 2, "acknowledge", None, START + minutes(3))
        built.fire("officer@street", case, 2, "undo_acknowledge", None, START + minutes(5))
        built.run_until(START + minutes(50))
        work(built, case, START + minutes(60))
        filed = {"to": built.places["police"].id, "at": START.isoformat(), "channel": "110"}
        built.fire("counselor@school", case, report, "file", filed, START + minutes(60))
        built.whistle()
        yield built


def found_out(city: Town, spoil: Callable[[Connection], object]) -> list[str]:
    """What the audit says of the first case after `spoil`; everything is as before afterwards."""
    said: list[str] = []

    def trial() -> None:
        with city.store.begin() as connection:
            spoil(connection)
            session = Session(connection, city.office)
            number = str(connection.scalar(text("SELECT number FROM cases WHERE id = 1")))
            said.extend(installation.verified(session, city.office, number, CASE))
            raise Undone

    with pytest.raises(Undone):
        trial()
    return said


def length(city: Town) -> int:
    with city.store.read() as connection:
        return int(connection.scalar(text("SELECT events FROM cases WHERE id = 1")) or 0)


def test_an_untouched_history_verifies_and_replays(city: Town) -> None:
    assert length(city) > 30
    assert found_out(city, lambda _: None) == []


CHANGES = {
    "seq": "seq + 1000",
    "at": "at + interval '1 microsecond'",
    "track_no": "track_no + 1",
    "kind": "kind || 'x'",
    "name": "name || 'x'",
    "trigger": "trigger || 'x'",
    "source": "coalesce(source, '') || 'x'",
    "target": "coalesce(target, '') || 'x'",
    "organisation_id": "coalesce(organisation_id, 0) + 1",
    "actor_id": "coalesce(nullif(actor_id, 1), 2) - 1",
    "role": "coalesce(role, '') || 'x'",
    "actor_organisation_id": "coalesce(actor_organisation_id, 0) + 1",
    "cause": "coalesce(cause, 0) + 1",
    "confidential": "NOT confidential",
    "open": """open || '{"note": 1}'""",
    "signals": """signals::jsonb || '[{"op": "meet", "clock": 1, "at": "2026-03-17T00:21:00+00:00"}]'""",
    "commitments": "commitments || '\\x00'",
    "digest": "sha256(digest)",
}


def test_every_column_that_the_chain_covers_has_its_trial() -> None:
    assert set(CHANGES) == {*rows.CHAINED, "commitments", "digest"}


@pytest.mark.parametrize("column", CHANGES)
def test_a_changed_column_is_found_out(city: Town, column: str) -> None:
    random = Random(column)  # noqa: S311 - trials are to be repeated
    for _ in range(6):
        seq = random.randint(1, length(city))
        statement = text(f"UPDATE event SET {column} = {CHANGES[column]} WHERE case_id = 1 AND seq = {seq}")
        assert found_out(city, partial(Connection.execute, statement=statement)), seq


def _delete(random: Random, last: int) -> list[str]:
    seq = random.randint(1, last)
    close_the_gap = random.random() < 0.5
    shift = f"UPDATE event SET seq = seq - 10001 WHERE case_id = 1 AND seq > {10000 + seq}"
    lift = f"UPDATE event SET seq = seq + 10000 WHERE case_id = 1 AND seq > {seq}"
    return [f"DELETE FROM event WHERE case_id = 1 AND seq = {seq}", *([lift, shift] if close_the_gap else [])]


_COLUMNS = (
    "at, track_no, kind, name, trigger, source, target, organisation_id, actor_id, role, actor_organisation_id,"
    " cause, confidential, open, signals, identity, narrative, clinical, commitments, digest"
)


def _copied(case: int, seq: int, *, to: int) -> str:
    source = f"FROM event WHERE case_id = {case} AND seq = {seq}"
    return f"INSERT INTO event (case_id, seq, {_COLUMNS}) SELECT 1, {to}, {_COLUMNS} {source}"


def _insert(random: Random, last: int) -> list[str]:
    seq = random.randint(1, last)
    return [
        f"UPDATE event SET seq = seq + 10000 WHERE case_id = 1 AND seq > {seq}",
        f"UPDATE event SET seq = seq - 9999 WHERE case_id = 1 AND seq > {10000 + seq}",
        _copied(1, random.randint(1, seq), to=seq + 1),
        "UPDATE cases SET events = events + 1 WHERE id = 1",
    ]


def _swap(random: Random, last: int) -> list[str]:
    first, second = random.sample(range(1, last + 1), 2)
    return [
        f"UPDATE event SET seq = 9999 WHERE case_id = 1 AND seq = {first}",
        f"UPDATE event SET seq = {first} WHERE case_id = 1 AND seq = {second}",
        f"UPDATE event SET seq = {second} WHERE case_id = 1 AND seq = 9999",
    ]


def _renumber(random: Random, last: int) -> list[str]:
    seq, by = random.randint(1, last), random.randint(1, 50)
    return [
        f"UPDATE event SET seq = seq + 10000 WHERE case_id = 1 AND seq >= {seq}",
        f"UPDATE event SET seq = seq - 10000 + {by} WHERE case_id = 1 AND seq >= {10000 + seq}",
        f"UPDATE cases SET events = events + {by} WHERE id = 1",
    ]


def _from_another_case(_random: Random, _last: int) -> list[str]:
    return [
        "DELETE FROM event WHERE case_id = 1 AND seq = 1",
        _copied(2, 1, to=1),
    ]


@pytest.mark.parametrize("spoil", [_delete, _insert, _swap, _renumber, _from_another_case])
def test_rows_deleted_inserted_swapped_renumbered_or_borrowed_are_found_out(
    city: Town, spoil: Callable[[Random, int], list[str]]
) -> None:
    random = Random(spoil.__name__)  # noqa: S311 - trials are to be repeated
    last = length(city)
    for _ in range(TRIALS):
        statements = spoil(random, last)

        def apply(connection: Connection, wanted: list[str] = statements) -> None:
            for one in wanted:
                connection.execute(text(one))

        assert found_out(city, apply), statements


@pytest.mark.parametrize(
    "statement",
    [
        """UPDATE clock SET face = face::jsonb || '{"rung": 5}' WHERE case_id = 1 AND no = 1""",
        """UPDATE clock SET face = face::jsonb || '{"due": "2030-01-01T00:00:00Z"}' WHERE case_id = 1 AND no = 2""",
        """UPDATE clock SET face = '{"name": "assignment.feedback"}' WHERE case_id = 1 AND no = 3""",
        "UPDATE cases SET state = 'withdrawn' WHERE id = 1",
        "UPDATE track SET state = 'cancelled' WHERE case_id = 1 AND no = 1",
        "UPDATE cases SET events = events - 1 WHERE id = 1",
        "UPDATE cases SET head = sha256(head) WHERE id = 1",
        "DELETE FROM event WHERE case_id = 1 AND seq = (SELECT events FROM cases WHERE id = 1)",
    ],
)
def test_a_present_that_does_not_follow_from_the_history_is_found_out(city: Town, statement: str) -> None:
    assert found_out(city, lambda connection: connection.execute(text(statement)))


CUT = [
    "DELETE FROM event WHERE case_id = 1 AND seq > 5",
    "UPDATE cases SET events = 5, head = (SELECT digest FROM event WHERE case_id = 1 AND seq = 5) WHERE id = 1",
]


def test_a_tail_that_is_cut_off_cleanly_is_found_out_by_the_seal(city: Town) -> None:
    key = city.office.master.seals
    with city.store.read() as connection:
        sealed = {number: Head(seq, digest) for number, seq, digest in queries.heads(connection)}
    seal = seals.read(seals.export(sealed, None, START + timedelta(days=1), key))
    assert seals.verify(seal, key=key).ok

    def against(connection: Connection) -> seals.SealVerdict:
        now = {number: Head(seq, digest) for number, seq, digest in queries.heads(connection)}

        def digest_at(number: str, seq: int) -> bytes | None:
            query = "SELECT digest FROM event JOIN cases ON id = case_id WHERE number = :number AND seq = :seq"
            found = connection.scalar(text(query), {"number": number, "seq": seq})
            return None if found is None else bytes(found)

        return seals.verify_against(seal, now, digest_at)

    verdicts = []

    def cut(connection: Connection) -> None:
        verdicts.append(against(connection))
        for one in CUT:
            connection.execute(text(one))
        verdicts.append(against(connection))

    found_out(city, cut)
    whole, shortened = verdicts
    assert whole.ok
    assert [(one.why, one.case) for one in shortened.broken] == [("cut", "WH-2026-000001")]
