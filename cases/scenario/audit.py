"""Whether a history holds: its chain verifies, and replayed it gives the very clocks and states that are
stored.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, select

from cases import chain, rows
from cases.casefile import CaseFile
from cases.office import Office
from cases.records import clock, event
from policies import clocks
from policies.clocks import Signal
from policies.vocabulary import Words


def audit(connection: Connection, office: Office, case: CaseFile) -> tuple[Words, ...]:
    """Read one case's history back and say everything that doesn't fit; nothing when all of it does."""
    history = connection.execute(select(event).where(event.c.case_id == case.id).order_by(event.c.seq)).mappings().all()
    return (
        *_chain(office, case, history),
        *_faces(connection, office, case, history),
        *_states(case, history),
    )


def _chain(office: Office, case: CaseFile, history: Sequence[RowMapping]) -> Iterator[Words]:
    linked = (
        chain.ChainRow(
            row["seq"],
            chain.canonical(rows.header(case.number, _plain(row))),
            row["commitments"],
            row["digest"],
        )
        for row in history
    )
    verdict = chain.verify(office.master.chain, linked, chain.Head(case.events, case.head))
    if not verdict.ok:
        yield Words(
            f"链在第 {verdict.broken_at} 条断开（{verdict.why}）",
            f"the chain breaks at event {verdict.broken_at} ({verdict.why})",
        )


def _plain(row: RowMapping) -> dict[str, Any]:
    return dict(row)


def _faces(connection: Connection, office: Office, case: CaseFile, history: Sequence[RowMapping]) -> Iterator[Words]:
    signals = [Signal.from_dict(signal) for row in history for signal in row["signals"]]
    replayed = clocks.read(office.book_of(case.policy), signals)
    for number in sorted(replayed.keys() | case.clocks.keys()):
        stored = case.clocks.get(number)
        if stored is None or replayed.get(number) != stored.face:
            yield Words(
                f"时钟 {number} 重放后是 {replayed.get(number)}，存的是 {stored and stored.face}",
                f"clock {number} replays as {replayed.get(number)}, stored is {stored and stored.face}",
            )
    columns = select(clock.c.no, clock.c.state, clock.c.due_at, clock.c.wake_at, clock.c.rung)
    for row in connection.execute(columns.where(clock.c.case_id == case.id)):
        face = case.clocks[row.no].face
        if (row.state, row.due_at, row.wake_at, row.rung) != (face.state, face.due, face.wake, face.rung):
            yield Words(f"时钟 {row.no} 的各列与它的面不一致", f"the columns of clock {row.no} disagree with its face")


def _states(case: CaseFile, history: Sequence[RowMapping]) -> Iterator[Words]:
    """The last event of every track leads into the state in which the track stands."""
    reached: dict[int, str] = {}
    for row in history:
        if row["target"] is not None:
            reached[row["track_no"]] = row["target"]
    for record in case.all_records():
        if reached.get(record.no) != record.state:
            yield Words(
                f"{record.kind} {record.no} 的历史止于 {reached.get(record.no)}，现为 {record.state}",
                f"the history of {record.kind} {record.no} ends in {reached.get(record.no)}, "
                f"it stands in {record.state}",
            )
