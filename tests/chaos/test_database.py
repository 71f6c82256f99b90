"""The programme "database": the server dies, waits, is full or is cut off; nothing is lost, nothing done by halves.

A server of its own is killed under load, again and again; every other trouble is made in the server that all share.
"""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import pytest
from sqlalchemy import func, select, text

from cases import embedded, ledger, postgres_server, wake
from cases.deliverer import Deliverer
from cases.delivery import standing
from cases.loading import driver
from cases.office import Session
from cases.outbox import delivery, outbox
from cases.postgres_user import server_user
from cases.records import case as cases_table
from cases.records import event, message
from cases.sitting import Sitting
from cases.store import Store
from cases.store_fault import StoreFault
from notifiers.channels import NullChannels
from tests.cases import invariants
from tests.cases.mailroom import manner
from tests.town import START, Town, minutes, town

Figure = Callable[[str], None]
Answer = TypeVar("Answer")
RESTARTS = int(os.environ.get("RESTARTS", "1"))
"""1 in the ordinary run, `RESTARTS=20` (make chaos) by name."""
LOCK, STATEMENT = timedelta(milliseconds=300), timedelta(milliseconds=900)
"""How long these tests wait for a lock and for a statement."""
BY = "coordinator@district"


def reminders(city: Town, case: int) -> int:
    """How many reminders a case's history holds."""
    with city.store.read() as connection:
        wanted = select(func.count()).where(event.c.case_id == case, event.c.name == "assignment.reminded")
        return connection.scalar(wanted) or 0


def broken(city: Town) -> list[str]:
    """Whatever is wrong with any case."""
    with city.store.read() as connection:
        session = Session(connection, city.office)
        ids = list(connection.scalars(select(cases_table.c.id)))
        return [fault for one in ids for fault in invariants.broken(session, one)]


# ------------------------------------------------------------------------------------- killed under load


@dataclass
class Load:
    """People who pull triggers, a sweep that goes through a day, a deliverer: all at once, whatever the server does."""

    city: Town
    stop: threading.Event = field(default_factory=threading.Event)
    done: Counter[int] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    unclear: list[str] = field(default_factory=list)
    now = START

    def people(self, case: int) -> None:
        """Remind again and again; who is told to try again looks first whether it was done, as a person would."""
        while not self.stop.is_set():
            if not self._tried(lambda: self.city.fire(BY, case, 1, "remind", {})):
                seen = None
                while seen is None:
                    seen = self._answered(lambda: reminders(self.city, case))
                if seen == self.done[case]:
                    continue
            self.done[case] += 1
            time.sleep(0.005)

    def time(self) -> None:
        """Sweep at one instant after another; a sweep that failed is made again at the same instant."""
        while not self.stop.is_set():
            self._tried(lambda: self.city.sweep(self.now))
            self.now += minutes(1)
            time.sleep(0.01)

    def _tried(self, act: Callable[[], object]) -> bool:
        return self._answered(lambda: (act(), True)) is not None

    def _answered(self, ask: Callable[[], Answer]) -> Answer | None:
        try:
            return ask()
        except StoreFault as fault:
            self.faults[fault.code] += 1
            if not fault.passing:
                self.unclear.append(fault.code)
            time.sleep(0.02)
        except Exception as fault:  # noqa: BLE001 - whatever it is, it isn't the clear answer that was promised
            self.unclear.append(repr(fault))
        return None


def restart(home: Path) -> None:
    """`pg_ctl -m immediate`: every process of the server ends where it stands; the next start recovers."""
    user = server_user()
    data = str(home / "pg")
    postgres_server._run(home, user, "pg_ctl", "--pgdata", data, "--silent", "--wait", "--mode=immediate", "stop")
    postgres_server.launch(home, user, durable=True)


@contextmanager
def own_server(home: Path) -> Iterator[Store]:
    """A durable server of the test's own, with the town's database in it."""
    with Store(embedded.start(home, durable=True)) as server, server.scratch() as store:
        yield store


def under_load(store: Store, home: Path, restarts: int, figure: Figure = lambda _: None) -> list[str]:
    """Restart the server under load; what was lost, doubled, half done or said unclearly."""
    null = NullChannels()
    with town(store) as city:
        with store.begin() as connection:
            reach = text("""UPDATE member SET settings = '{"channels": ["wecomx://all"]}' WHERE id = ANY(:ids)""")
            connection.execute(reach, {"ids": [city.members[one] for one in ("officer@street", "lead@street", BY)]})
        reminded = [city.whistle(START + timedelta(days=2)).case.id for _ in range(2)]
        for one in range(12):
            city.whistle(START + minutes(one))
        load = Load(city)
        ours = manner(lease=timedelta(seconds=1))
        clock = lambda: START + timedelta(days=3)  # noqa: E731 - the deliverer's, later than everything here
        hands = [threading.Thread(target=load.people, args=[case]) for case in reminded]
        hands.append(threading.Thread(target=load.time))
        with ExitStack() as stack:
            stack.enter_context(Deliverer(store, null, ours, every=timedelta(0), clock=clock))
            stack.callback(load.stop.set)
            for hand in hands:
                hand.start()
            slowest = 0.0
            for _ in range(restarts):
                time.sleep(0.6)
                begun = time.monotonic()
                restart(home)
                slowest = max(slowest, time.monotonic() - begun)
            time.sleep(0.6)
            load.stop.set()
            for hand in hands:
                hand.join()
        city.sweep(load.now)
        undelivered = _delivered(city, null)
        found = [f"unclear: {one}" for one in load.unclear] + broken(city) + undelivered
        there = Counter({case: reminders(city, case) for case in reminded})
        lost, doubled = (load.done - there).total(), (there - load.done).total()
        found += [f"{lost} lost"] * bool(lost) + [f"{doubled} doubled"] * bool(doubled)
        if not all(load.done[case] for case in reminded) or load.now == START:
            found.append("nobody did anything")
        if restarts and not load.faults:
            found.append("nobody noticed a restart")
        with store.read() as connection:
            events = connection.scalar(select(func.count()).select_from(event))
        repeated = len(null.sent) - len(set(null.keys()))
        figure(
            f"{restarts} restarts (slowest {slowest:.1f} s), {events} events, {load.done.total()} triggers answered:"
            f" {lost} lost, {doubled} doubled; told to try again {dict(load.faults)}; {len(null.sent)} messages sent,"
            f" {repeated} of them again"
        )
        return found


def _delivered(city: Town, null: NullChannels) -> list[str]:
    """Deliver what is left; every message has to have gone, each delivery by one key."""
    with Deliverer(city.store, null, manner(), every=timedelta(0), clock=lambda: START + timedelta(days=4)):
        until, left, waiting = time.monotonic() + 60, -1, True
        while waiting and time.monotonic() < until:
            with city.store.read() as connection:
                now = standing(connection, START)
            waiting = bool(now.new or now.waiting)
            if now.new + now.waiting != left:
                # As long as it gets on it isn't waiting for ever, however busy the machine is.
                until, left = time.monotonic() + 60, now.new + now.waiting
            time.sleep(0.05)
    with city.store.read() as connection:
        keys = {str(key) for key in connection.scalars(select(delivery.c.key).where(delivery.c.state == "sent"))}
        untold = connection.scalar(
            text(
                "SELECT count(*) FROM message JOIN member ON member.id = member_id WHERE settings ? 'channels'"
                " AND message.id NOT IN (SELECT message_id FROM delivered_message)"
            )
        )
    found = ["something waits for ever"] if waiting else []
    found += [f"{untold} messages without a delivery"] if untold else []
    return found + (["a delivery is said to be sent and isn't"] if keys - set(null.keys()) else [])


def test_a_server_that_is_killed_under_load_loses_and_doubles_nothing(home: Path, figure: Figure) -> None:
    with own_server(home) as store:
        assert under_load(store, home, RESTARTS, figure) == []


@pytest.mark.long
def test_commits_that_are_not_on_disk_are_found_out(home: Path) -> None:
    with own_server(home) as store:
        with store.begin() as connection:
            connection.execute(text("ALTER ROLE postgres SET synchronous_commit = off"))
        store.close()
        assert any("lost" in one or "isn't" in one for one in under_load(store, home, 6))


# ------------------------------------------------------------------------------ every trouble by itself

Trouble = Callable[[Town, int], AbstractContextManager[None]]


@contextmanager
def locked(city: Town, case: int) -> Iterator[None]:
    """Somebody holds the case for longer than anybody waits."""
    with city.store.administered() as other, other.transaction():
        other.execute("SELECT 1 FROM cases WHERE id = %s FOR UPDATE", [case])
        yield


@contextmanager
def slow(city: Town, case: int) -> Iterator[None]:
    """The last of what a trigger writes takes longer than a statement may."""
    with _at_the_message(city, case, "PERFORM pg_sleep(20);"):
        yield


@contextmanager
def cut(city: Town, case: int) -> Iterator[None]:
    """The connection is cut while the last of what a trigger writes is being written."""
    with _at_the_message(city, case, "PERFORM pg_terminate_backend(pg_backend_pid());"):
        yield


@contextmanager
def _at_the_message(city: Town, case: int, does: str) -> Iterator[None]:
    create = f"""CREATE FUNCTION trouble() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN IF new.case_id = {case} THEN {does} END IF; RETURN new; END $$"""
    with city.store.administered() as other:
        other.execute(create)
        other.execute("CREATE TRIGGER trouble AFTER INSERT ON message FOR EACH ROW EXECUTE FUNCTION trouble()")
        try:
            yield
        finally:
            other.execute("DROP TRIGGER trouble ON message")
            other.execute("DROP FUNCTION trouble()")


@contextmanager
def full(city: Town, case: int) -> Iterator[None]:
    """No room for the last of what a trigger writes: the file of `outbox` lies on the kernel's full disk.

    `/dev/full` answers every write as a full disk does, and asks for neither a mount nor a right.
    """
    with city.store.administered() as other:
        other.execute("TRUNCATE outbox")
        row = other.execute("SELECT setting || '/' || pg_relation_filepath('outbox') FROM pg_settings"
                            " WHERE name = 'data_directory'").fetchone()  # fmt: skip
        assert row is not None
        path = Path(row[0])
        path.rename(path.with_suffix(".apart"))
        path.symlink_to("/dev/full")
        _forget_files(city)
        try:
            yield
        finally:
            path.unlink()
            path.with_suffix(".apart").rename(path)
            _forget_files(city)


def _forget_files(city: Town) -> None:
    """Let every connection open its files anew."""
    city.store.close()


@pytest.fixture
def city(store: Store) -> Iterator[Town]:
    with Store(store.url, lock_timeout=LOCK, statement_timeout=STATEMENT) as impatient, town(impatient) as built:
        yield built


TROUBLES = [(locked, "busy"), (slow, "busy"), (cut, "unreachable"), (full, "full")]
NAMES = [one.__name__ for one, _ in TROUBLES]


def told(city: Town, act: Callable[[], object]) -> str:
    """The code of the fault with which somebody is told to try again, in time and in both languages."""
    begun = time.monotonic()
    with pytest.raises(StoreFault) as fault:
        act()
    assert time.monotonic() - begun < 5
    assert fault.value.passing
    assert fault.value.text("zh_CN") != fault.value.text("en")
    return fault.value.code


def mark(city: Town, case: int) -> str:
    with city.store.read() as connection:
        return invariants.fingerprint(Session(connection, city.office), case)


@pytest.mark.parametrize(("trouble", "code"), TROUBLES, ids=NAMES)
def test_in_any_trouble_a_trigger_is_refused_whole_and_may_be_tried_again(
    city: Town, trouble: Trouble, code: str
) -> None:
    case = city.whistle().case.id
    before = mark(city, case)
    with trouble(city, case):
        assert told(city, lambda: city.fire(BY, case, 1, "remind", {})) == code
        assert mark(city, case) == before
    city.fire(BY, case, 1, "remind", {})
    assert reminders(city, case) == 1
    assert broken(city) == []


@pytest.mark.parametrize(("trouble", "code"), TROUBLES, ids=NAMES)
def test_in_any_trouble_a_sweep_writes_nothing_by_halves_and_blames_no_case(
    city: Town, trouble: Trouble, code: str
) -> None:
    case, other = city.whistle().case.id, city.whistle(START + minutes(5)).case.id
    before, later = mark(city, case), START + minutes(30)
    with trouble(city, case):
        if code == "busy" and trouble is locked:
            assert city.sweep(later).cases == 1  # It passes over what others hold.
        else:
            assert told(city, lambda: wake.sweep(city.store, city.office, later, most=1)) == code
            assert told(city, lambda: city.sweep(later)) == code
        assert mark(city, case) == before
    city.sweep(later)
    with city.store.read() as connection:
        assert connection.scalar(select(func.count()).where(cases_table.c.aside_count > 0)) == 0
        session = Session(connection, city.office)
        assert [fault for one in (case, other) for fault in invariants.broken(session, one, swept_at=later)] == []


def test_a_message_that_found_no_room_is_delivered_when_there_is_some(city: Town) -> None:
    case = city.whistle().case.id
    with full(city, case), suppress(StoreFault):
        city.sweep(START + minutes(30))
    city.sweep(START + minutes(30))
    with city.store.read() as connection:
        left = connection.scalar(select(func.count()).select_from(outbox))
        since = connection.scalar(select(func.count()).where(message.c.at == START + minutes(30)))
    assert left == since
    assert since


# ------------------------------------------------------------------------- planted bugs that must be caught


def test_a_case_that_is_written_in_two_halves_is_found_out(city: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = ledger._chain

    def halved(session: Session, sitting: Sitting, events: list[dict[str, object]]) -> None:
        whole(session, sitting, events)
        session.connection.execute(text("UPDATE cases SET version = version + 1"))
        driver(session).commit()

    monkeypatch.setattr(ledger, "_chain", halved)
    with pytest.raises(AssertionError):
        test_in_any_trouble_a_trigger_is_refused_whole_and_may_be_tried_again(city, full, "full")
