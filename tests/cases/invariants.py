"""What must hold of a case after whatever has happened to it; each fault is a line that says what doesn't."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import RowMapping, text

from cases import access, installation, loading, queries, vault
from cases.casefile import CaseFile
from cases.office import Session
from cases.records import event
from cases.refusal import Refusal
from policies.clocks import Face, Signal, step
from tests.town import Town

AT_WORK = ("summoned", "acknowledged", "on_scene", "fed_back", "disputed")
SETS_BACK = frozenset({"regrade", "extend", "recompute"})
"""After these a rung that fired may lie ahead again."""


def file_of(session: Session, case_id: int) -> CaseFile:
    """The case as its rows hold it."""
    return loading.one_by_one(session, [case_id], lock=False)[0]


def fingerprint(session: Session, case_id: int) -> str:
    """Changes with anything that any row says about the case."""
    parts = " UNION ALL ".join(
        f"SELECT '{table}' || t::text AS line FROM {table} t WHERE {key} = :case"  # noqa: S608 - our own tables
        for table, key in (
            ("cases", "id"),
            ("track", "case_id"),
            ("clock", "case_id"),
            ("called", "case_id"),
            ("event", "case_id"),
            ("message", "case_id"),
        )
    )
    found = session.connection.scalar(
        text(f"SELECT md5(string_agg(line, '|' ORDER BY line)) FROM ({parts}) all_lines"),  # noqa: S608
        {"case": case_id},
    )
    return str(found)


def broken(session: Session, case_id: int, *, swept_at: datetime | None = None) -> list[str]:
    """Every fault of a case. With `swept_at`, nothing may be due any more at that instant."""
    file = file_of(session, case_id)
    found = list(installation.verified(session, session.office, file.number, case_id))
    leads = [one for one in file.of_kind("assignment") if one.facts.get("part") == "lead"]
    if sum(one.state in AT_WORK for one in leads) > 1:
        found.append("two leads are at work")
    rows = list(
        session.connection.execute(select_events(case_id), {"case": case_id}).mappings(),
    )
    found += Climbs(session, file).faults(rows)
    instants = [wake for clock in file.clocks.values() if (wake := clock.face.wake) is not None]
    instants += [one.alarm for one in file.tracks.values() if one.alarm is not None]
    if file.wake != min(instants, default=None):
        found.append(f"wakes at {file.wake}, not at the earliest of what it waits for")
    if swept_at is not None and file.wake is not None and file.wake <= swept_at:
        found.append("something is still due after the sweep")
    return found


def select_events(case_id: int):  # type: ignore[no-untyped-def] # noqa: ANN201 - SQLAlchemy's own, long type
    """The events of a case in their order."""
    return event.select().where(event.c.case_id == case_id).order_by(event.c.seq)


@dataclass
class Climbs:
    """The rungs of a history, followed clock by clock: each once, in the order of the ladder, told by its event."""

    session: Session
    file: CaseFile
    faces: dict[int, Face] = field(default_factory=dict)
    climbed: dict[int, set[int]] = field(default_factory=dict)
    stood: datetime | None = None

    def faults(self, rows: list[RowMapping]) -> list[str]:
        """What is wrong with the rungs of this history."""
        return [fault for row in rows for fault in self._event(row)]

    def _event(self, row: RowMapping) -> Iterator[str]:
        book = self.session.office.book_of(self.file.policy)
        ladder = [rung.name for rung in book.ladder]
        if row["actor_id"] is not None:
            self.stood = None  # Whoever regrades or reopens may set an earlier rung anew.
        signals = [Signal.from_dict(one) for one in row["signals"]]
        is_rung = row["trigger"].rpartition(".")[2] in ladder and "." in row["trigger"]
        fired = [one for one in signals if one.op == "rung"] if is_rung else []
        if is_rung and len(fired) != 1:
            yield f"event {row['seq']} is a rung of {len(fired)} clocks"
        if is_rung:
            yield from self._in_order(row)
        for signal in signals:
            before = self.faces.get(signal.clock)
            step(book, self.faces, signal)
            after = self.faces.get(signal.clock)
            fallen = self.climbed.setdefault(signal.clock, set())
            if signal.op == "rung" and before is not None:
                if before.rung in fallen or before.rung >= len(ladder) or before.stopped:
                    yield f"rung {before.rung} of clock {signal.clock} fell again in event {row['seq']}"
                elif is_rung and ladder[before.rung] != row["trigger"].rpartition(".")[2]:
                    yield f"event {row['seq']} is called {row['trigger']} and is {ladder[before.rung]}"
                fallen.add(before.rung)
            elif signal.op in SETS_BACK and after is not None:
                fallen -= {one for one in fallen if one >= after.rung}
            if after is not None and fallen != set(range(after.rung)):
                yield f"clock {signal.clock} stands on rung {after.rung} and climbed {sorted(fallen)}"

    def _in_order(self, row: RowMapping) -> Iterator[str]:
        stood = datetime.fromisoformat(row["open"]["stood_at"])
        if stood > row["at"]:
            yield f"event {row['seq']} fell before its time"
        if self.stood is not None and stood < self.stood:
            yield f"event {row['seq']} fell after one that stood later"
        self.stood = stood


def seen_through(city: Town, case_id: int, members: list[str], at: datetime) -> list[str]:
    """Whatever section opens to a member whom `sees` denies it, or doesn't open to one whom it grants it.

    What was merged can be read from the case that it went into as well (TRACKS.md, `merge`).
    """
    found = []
    for member in members:
        actor = city.actor(member, at)
        with city.store.begin() as connection:
            session = Session(connection, city.office)
            file = file_of(session, case_id)
            sight = access.sees(actor, file, session.office.book_of(file.policy), at)
            if file.merged_into is not None:
                into = file_of(session, file.merged_into)
                sight = sight.widened(access.sees(actor, into, session.office.book_of(into.policy), at))
            for section in vault.SECTIONS:
                granted = sight.of(section) == "yes"
                wanted = None if granted else "not_found" if sight.nothing else "not_permitted"
                try:
                    queries.open_section(session, case_id, actor, section, "looked", at)
                    got = None
                except Refusal as refusal:
                    got = refusal.code
                if got != wanted:
                    found.append(f"{member} asked for {section}: {got}, not {wanted}")
    return found
