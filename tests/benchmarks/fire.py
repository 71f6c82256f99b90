"""`fire` on a case with a 30-event history and 6 tracks, against the raw transaction that writes the same rows."""

from __future__ import annotations

import multiprocessing
import random
import statistics
import time
from collections.abc import Callable
from datetime import timedelta
from multiprocessing.synchronize import Barrier
from typing import Any

import psycopg
from sqlalchemy import select

from cases import engine, records
from cases.keystore import KeyStore
from cases.office import Session
from cases.store import Store
from tests.benchmarks import raw
from tests.benchmarks.clones import clone
from tests.town import START, Town

Step = tuple[str, str, dict[str, Any] | None]
STEPS: tuple[Step, ...] = (
    ("officer@street", "acknowledge", None),
    (
        "officer@street",
        "report_in",
        {
            "at": START + timedelta(hours=3),
            "where": "the school",
            "mode": "on_site",
            "people": ["two officers"],
        },
    ),
    (
        "officer@street",
        "give_feedback",
        {"measures": "two home visits; the father joined", "outcome": "partly"},
    ),
    ("counselor@school", "send_back", {"reason": "nobody has spoken with the grandmother yet"}),
)
AT = START + timedelta(hours=3, minutes=10)


def pattern(town: Town) -> int:
    """One case with six tracks and a history of thirty events, its street's assignment still to be acknowledged."""
    fired = town.whistle(level="orange", concern="harmful_home", statutory=["injury"])
    number = fired.case.number
    tracks = {one.kind + str(one.organisation): one.no for one in fired.case.tracks.values()}
    police = tracks[f"assignment{town.places['police'].id}"]
    federation = tracks[f"assignment{town.places['womens_federation'].id}"]
    report = next(no for name, no in tracks.items() if name.startswith("mandatory_report"))
    minute = timedelta(minutes=1)
    here = {"at": START + 2 * minute, "where": "the school", "mode": "on_site", "people": ["two officers"]}
    filed = {"to": town.places["police"].id, "at": START, "channel": "110"}
    town.fire("counselor@school", number, report, "file", filed, START + minute)
    town.fire("counselor@school", number, "guidance", "offer", {"programme": "家庭教育义诊"}, START + 2 * minute)
    town.fire("principal@school", number, 0, "sign_off", None, START + 3 * minute)
    for kind, track in (("police", police), ("womens_federation", federation)):
        town.fire(f"officer@{kind}", number, track, "report_in", here, START + 4 * minute)
    note = {"note": "spoke with the teacher; she will watch over the breaks"}
    case = fired.case.id
    turn = 0
    while True:
        with town.store.read() as connection:
            events = connection.execute(select(records.case.c.events).where(records.case.c.id == case)).scalar_one()
        if events >= 30:
            break
        town.fire("officer@police", number, police, "record_progress", note, START + (5 + turn) * minute)
        turn += 1
    return case


def measure(town: Town, *, rounds: int, each: int, clients: int) -> dict[str, float]:
    """Transitions a second of both, and the median ratio over shuffled rounds."""
    case = pattern(town)
    street = _assignment(town, case)
    # Each number of clients has cases of its own: both are measured in one town.
    first, student = 10_000_000 + clients * 1_000_000, 100_000_000 + clients * 1_000_000
    needed = (rounds + 1) * each * clients * 2 + 1
    with town.store.begin() as connection:
        clone(connection, case, first=first, first_student=student, count=needed)
    town.office.keystore.create_many(range(student, student + needed))
    with psycopg.connect(dsn(town.store)) as connection:
        rows = [
            raw.capture(connection, first, lambda step=step: _engine_step(town, first, street, step))  # type: ignore[misc]
            for step in STEPS
        ]
    free = iter(range(first + 1, first + needed))
    found: dict[str, list[float]] = {"engine": [], "raw": []}
    for turn in range(rounds + 1):
        order = ["engine", "raw"]
        random.shuffle(order)
        for which in order:
            shares = [[next(free) for _ in range(each)] for _ in range(clients)]
            work: Callable[..., None] = _engine_client if which == "engine" else _raw_client
            seconds = _timed(work, town, street, rows, shares)
            if turn:  # the first round warms both up
                found[which].append(each * clients * len(STEPS) / seconds)
    ratios = [ours / bare for ours, bare in zip(found["engine"], found["raw"], strict=True)]
    return {
        "engine": statistics.median(found["engine"]),
        "raw": statistics.median(found["raw"]),
        "ratio": statistics.median(ratios),
    }


def _timed(
    work: Callable[..., None], town: Town, street: int, rows: list[raw.Written], shares: list[list[int]]
) -> float:
    """How long the clients take together, from a common start, each in a process of its own."""
    context = multiprocessing.get_context("fork")
    gate = context.Barrier(len(shares) + 1)
    clients = [context.Process(target=work, args=(town, street, rows, share, gate)) for share in shares]
    for client in clients:
        client.start()
    gate.wait()
    began = time.perf_counter()
    for client in clients:
        client.join()
    seconds = time.perf_counter() - began
    if any(client.exitcode for client in clients):
        raise RuntimeError("a client failed")
    return seconds


def _assignment(town: Town, case: int) -> int:
    with town.store.read() as connection:
        here = records.track.c.organisation_id == town.places["street"].id
        query = select(records.track.c.no).where(records.track.c.case_id == case, here)
        return int(connection.execute(query).scalar_one())


def _engine_step(town: Town, case: int, street: int, step: Step) -> None:
    who, trigger, form = step
    town.fire(who, case, street, trigger, form, AT)


def _engine_client(town: Town, street: int, _rows: list[raw.Written], cases: list[int], gate: Barrier) -> None:
    with Store(town.store.url) as store:
        keys = Store(town.store.at(f"keys_of_{town.store.name}").url)
        town.office.keystore = KeyStore(keys, town.office.master)
        town.store = store
        actors = {who: town.actor(who, AT) for who, _, _ in STEPS}
        gate.wait()
        for case in cases:
            for who, trigger, form in STEPS:
                with store.begin() as connection:
                    session = Session(connection, town.office)
                    engine.fire(session, case, street, trigger, actors[who], form, AT)


def _raw_client(town: Town, _street: int, rows: list[raw.Written], cases: list[int], gate: Barrier) -> None:
    with psycopg.connect(dsn(town.store)) as connection:
        gate.wait()
        for case in cases:
            for written in rows:
                raw.write(connection, case, written)


def dsn(store: Store) -> str:
    """Its address as the bare driver takes it."""
    return store.url.replace("postgresql+psycopg://", "postgresql://")


def report(town: Town) -> list[str]:
    """The lines for `make bench`."""
    lines = []
    for clients, each, floor in ((1, 60, 0.5), (8, 20, 0.45)):
        found = measure(town, rounds=8, each=each, clients=clients)
        lines.append(
            f"fire, {clients} client(s): {found['engine']:,.0f}/s, raw {found['raw']:,.0f}/s, "
            f"ratio {found['ratio']:.0%} (floor {floor:.0%})"
        )
    return lines
