"""The programme "channels": one hangs, one refuses, one redirects, one hides an error in a 200; nobody else notices.

Short here, long by name (`-m long`); each promise is seen to fail when its guard is taken away.
"""

from __future__ import annotations

import os
import signal
import socket
import statistics
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from random import Random
from threading import Barrier, BrokenBarrierError, Lock

import pytest
from sqlalchemy import insert

from cases import crew, lanes
from cases.deliverer import Deliverer
from cases.delivery import standing
from cases.records import message
from cases.store import Store
from notifiers import adapters, wire
from notifiers.channels import NullChannels, Outcome, WireChannel, Wires
from notifiers.message import Rendered
from tests.cases.mailroom import Mailroom, mailroom, manner
from tests.notifiers.far_ends import WECOM_KEY, FarEnd, PostOffice, far_end, post_office
from tests.town import START

Figure = Callable[[str], None]
ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Ends:
    """Everything at the other ends: well, hanging, redirecting; a mail server; a port that nobody listens at."""

    well: FarEnd
    ill: FarEnd
    astray: FarEnd
    office: PostOffice
    closed: int
    hangs: timedelta = timedelta(seconds=0.5)

    @cached_property
    def wires(self) -> Wires:
        return Wires(self.well.gates(mail=self.office.gate, within=self.hangs))


@pytest.fixture
def ends() -> Iterator[Ends]:
    with ExitStack() as stack:
        taken = stack.enter_context(socket.socket())
        taken.bind(("127.0.0.4", 0))
        well, ill, astray = (stack.enter_context(far_end(f"127.0.0.{last}")) for last in (1, 2, 3))
        yield Ends(well, ill, astray, stack.enter_context(post_office()), taken.getsockname()[1])


@pytest.fixture
def room(store: Store) -> Iterator[Mailroom]:
    with mailroom(store) as made:
        yield made


def reach_all(room: Mailroom, ends: Ends) -> None:
    """Whoever is told of a whistle for a harmful home has a channel of another fate."""
    room.reach("officer@street", ends.ill.hook("hang"))
    room.reach("lead@street", ends.astray.hook("redirect"), "mail", email="lead@example.org")
    room.reach("officer@police", f"wecomx://{WECOM_KEY}")
    room.reach("lead@police", "wecomx://a-wrong-key", "mail", email="police@example.org")
    room.reach("officer@womens_federation", "mail", email="federation@example.org")
    room.reach("lead@womens_federation", f"json://127.0.0.4:{ends.closed}/", ends.well.hook("ok"))


def whistles(room: Mailroom, count: int) -> None:
    for one in range(count):
        room.town.whistle(level="orange", student={"name": f"小{one}", "born": "2015-01-02", "grade": 4})


def findings(room: Mailroom, ends: Ends, count: int = 7, figure: Figure = lambda _: None) -> list[str]:
    """Play it through simulated hours and say every promise that didn't hold."""
    reach_all(room, ends)
    whistles(room, count)
    wires = ends.wires
    room.deliver(START, wires)
    found: list[str] = []
    # From when the first of all was sent: how busy the machine is with anything else must not decide.
    begun = min(one.at for end in (ends.well, ends.ill, ends.astray) for one in end.requests)
    first = [one.at - begun for one in ends.well.at("/cgi-bin")]
    cuts = statistics.quantiles(first or [60.0, 60.0], n=100, method="inclusive")
    if len(first) < count or cuts[98] > 2:
        found.append("others waited for the lane that hangs")
    if len(ends.ill.requests) > FIVE:
        found.append("a lane that hangs was never closed")
    at, gaps = START, []
    for _ in range(40):
        waiting = [row for row in room.rows() if row.state == "waiting"]
        if not waiting:
            break
        gaps += [(row.due_at - at).total_seconds() for row in waiting if row.tries == 7]
        at = max(row.due_at for row in waiting)
        room.deliver(at, wires)
    else:
        found.append("something waits for ever")
    rows = room.rows()
    if any(row.tries != 8 for row in rows if row.state == "dead"):
        found.append("not eight tries before a dead letter")
    if not [gap for gap in gaps if gap > 1500]:
        found.append("the waits don't grow")
    dead = sum(row.state == "dead" for row in rows)
    figure(
        f"{len(rows)} deliveries, {len(ends.ill.at('/hang'))} tries hung; the others' p50 {cuts[49]:.2f} s,"
        f" p99 {cuts[98]:.2f} s (most 2 s); {dead} dead letters after 8 tries, each with its incident"
    )
    if dead < 4 * count or room.incidents().count("dead_letter") != dead:
        found.append("a dead letter for each of the four ill channels, and an incident for each")
    mails = {mail["Message-ID"] for mail in ends.office.mails}
    if len(mails) != 3 * count or len({one.headers["Idempotency-Key"] for one in ends.well.at("/ok")}) != count:
        found.append("the next channel didn't get what the first one couldn't deliver")
    if any(end.at("/redirected-to") for end in (ends.well, ends.ill, ends.astray)):
        found.append("a redirect was followed")
    for end, path in ((ends.astray, "/redirect"), (ends.ill, "/hang")):
        if len({one.headers["Idempotency-Key"] for one in end.at(path)}) > count:
            found.append("a try had a key of its own")
    return found


def test_the_programme_channels(room: Mailroom, ends: Ends, figure: Figure) -> None:
    assert findings(room, ends, figure=figure) == []


def _no_errcode(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapters, "zero", lambda *_: None)


def _follows_redirects(monkeypatch: pytest.MonkeyPatch) -> None:
    def accepted(answer: wire.Answer) -> None:
        assert answer.status < 400

    monkeypatch.setattr(adapters, "accepted", accepted)


def _fresh_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = WireChannel.send

    def send(self: WireChannel, letter: Rendered) -> Outcome:
        return whole(self, replace(letter, key=str(uuid.uuid4())))

    monkeypatch.setattr(WireChannel, "send", send)


def _no_breaker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "BREAKS_AFTER", 10_000)


def _steady_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "back_off", lambda *_: timedelta(seconds=30))


def _one_lane_after_another(monkeypatch: pytest.MonkeyPatch) -> None:
    def narrow(_: int, thread_name_prefix: str) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(1, thread_name_prefix)

    monkeypatch.setattr(crew, "ThreadPoolExecutor", narrow)


Mutant = Callable[[pytest.MonkeyPatch], None]
MUTANTS = (_no_errcode, _follows_redirects, _fresh_keys, _no_breaker, _steady_waits, _one_lane_after_another)
FIVE = 5
CHEAP = (_no_errcode, _fresh_keys)


@pytest.mark.parametrize("mutant", CHEAP, ids=lambda one: one.__name__[1:])
def test_the_programme_notices(room: Mailroom, ends: Ends, mutant: Mutant, monkeypatch: pytest.MonkeyPatch) -> None:
    mutant(monkeypatch)
    assert findings(room, ends, count=2)


@pytest.mark.long
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda one: one.__name__[1:])
def test_the_long_programme_notices(
    room: Mailroom, ends: Ends, mutant: Mutant, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends.hangs = timedelta(seconds=0.45)
    mutant(monkeypatch)
    assert findings(room, ends)


@pytest.mark.long
def test_the_long_programme_channels(room: Mailroom, ends: Ends, figure: Figure) -> None:
    ends.hangs = timedelta(seconds=2.5)
    assert findings(room, ends, count=20, figure=figure) == []


@pytest.mark.long
def test_sixty_red_whistles_reach_the_others_while_a_channel_hangs(room: Mailroom, ends: Ends, figure: Figure) -> None:
    """Live: what arrives is timed from the commit on; the channel that hangs does so for ten seconds each time."""
    reach_all(room, ends)
    ends.hangs = timedelta(seconds=10)
    committed: dict[str, float] = {}
    with Deliverer(room.store, ends.wires, manner()):
        time.sleep(0.5)
        for one in range(60):
            student = {"name": f"小{one}", "born": "2015-01-02", "grade": 4}
            number = room.town.whistle(datetime.now(UTC), student=student).case.number
            committed[number] = time.monotonic()
            time.sleep(0.25)
        time.sleep(5)
        arrived: dict[str, float] = {}
        for request in ends.well.at("/cgi-bin"):
            text = request.body["text"]["content"]
            number = next(one for one in committed if one in text)
            arrived.setdefault(number, request.at)
        ends.ill.gone.set()
    waits = [arrived.get(one, at + 60) - at for one, at in committed.items()]
    cuts = statistics.quantiles(waits, n=100, method="inclusive")
    figure(
        f"60 red whistles, 4 a second, live: p50 {cuts[49]:.2f} s, p99 {cuts[98]:.2f} s from commit to wire (most 2 s)"
    )
    assert cuts[98] < 2
    assert ends.ill.at("/hang")


def test_a_slow_lane_that_answers_gets_more_hands_and_one_that_hangs_none(room: Mailroom) -> None:
    room.reach("officer@street", "jsons://slow")
    room.reach("lead@street", "jsons://hangs")
    at_once, most = Counter[str](), Counter[str]()
    lock = Lock()

    def answer(where: str, _: Rendered, __: int) -> Outcome:
        with lock:
            at_once[where] += 1
            most[where] = max(most[where], at_once[where])
        time.sleep(0.1)
        with lock:
            at_once[where] -= 1
        return Outcome("timed_out" if "hangs" in where else "")

    room.answering(answer)
    whistles(room, 24)
    begun = time.monotonic()
    room.deliver(START)
    assert time.monotonic() - begun < 24 * 0.1
    assert most["jsons://hangs"] == 1
    assert 4 <= most["jsons://slow"] <= crew.HANDS


def test_what_fails_while_a_lane_closes_does_not_keep_it_closed_for_longer(room: Mailroom) -> None:
    room.reach("officer@street", "jsons://street")
    gate, sent = Barrier(crew.HANDS), Counter[str]()
    lock = Lock()

    def answer(_: str, __: Rendered, ___: int) -> Outcome:
        with lock:
            sent["all"] += 1
            late = sent["all"] > 30
        if late:
            # From here on it hangs, with every hand at it.
            with suppress(BrokenBarrierError):
                gate.wait(1)
        return Outcome("timed_out" if late else "")

    room.answering(answer)
    whistles(room, 60)
    room.deliver(START)
    (standing_there,) = room.lanes().values()
    assert standing_there.failures == FIVE
    assert standing_there.closed_until - START < timedelta(seconds=45)


def test_a_red_whistle_is_with_the_duty_officer_within_two_seconds(room: Mailroom) -> None:
    """Nothing but NOTIFY wakes it here: the next look by itself would be in an hour."""
    room.reach("officer@street", "wecomx://street")
    null = NullChannels()
    with Deliverer(room.store, null, manner(), every=timedelta(hours=1)) as deliverer:
        time.sleep(0.3)
        waits = []
        for one in range(5):
            room.town.whistle(datetime.now(UTC), student={"name": f"小{one}", "born": "2015-01-02", "grade": 4})
            begun = time.monotonic()
            while len(null.sent) <= one and time.monotonic() - begun < 2:
                time.sleep(0.005)
            waits.append(time.monotonic() - begun)
    assert len(null.sent) == 5, waits
    assert max(waits) < 2
    assert deliverer.done.sent == 5


def test_the_next_look_finds_what_nobody_was_told_of(room: Mailroom) -> None:
    room.reach("officer@street", "wecomx://street")
    null = NullChannels()
    with Deliverer(room.store, null, manner(), every=timedelta(seconds=0.2)):
        room.town.whistle(datetime.now(UTC), level="orange")
        begun = time.monotonic()
        while not null.sent and time.monotonic() - begun < 3:
            time.sleep(0.01)
    assert null.sent


def test_a_deliverer_outlives_its_database_connection(room: Mailroom) -> None:
    room.reach("officer@street", "wecomx://street")
    null = NullChannels()
    with Deliverer(room.store, null, manner(), every=timedelta(seconds=0.2)):
        time.sleep(0.3)
        with room.store.administered() as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        time.sleep(0.1)
        room.town.whistle(datetime.now(UTC))
        begun = time.monotonic()
        while not null.sent and time.monotonic() - begun < 5:
            time.sleep(0.01)
    assert null.sent


@contextmanager
def couriers(*arguments: str) -> Iterator[Callable[[], AbstractContextManager[None]]]:
    """The process that forks couriers; what it gives makes one that delivers until its block ends, and kills it."""
    command = [sys.executable, "-m", "tests.chaos.courier", *arguments]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        ask, answers = process.stdin, process.stdout
        assert ask is not None
        assert answers is not None

        @contextmanager
        def courier() -> Iterator[None]:
            ask.write("\n")
            ask.flush()
            number = int(answers.readline())
            try:
                yield
            finally:
                os.kill(number, signal.SIGKILL)
                assert answers.readline() == "gone\n"

        yield courier


def killed(room: Mailroom, end: FarEnd, count: int, kills: int, *, hands: int) -> str:
    """Kill delivery again and again while it sends; nothing is lost, and what is repeated has the same key."""
    chance = Random(3)  # noqa: S311 - when to kill, no secret
    room.reach("officer@street", end.hook("ok"))
    fired = room.town.whistle()
    row = {"case_id": fired.case.id, "member_id": room.town.members["officer@street"], "at": START, "items": []}
    with room.store.begin() as connection:
        rows = [{**row, "seq": 1000 + one, "kind": "told", "level": "orange"} for one in range(count)]
        connection.execute(insert(message), rows)
    done, through = 0, False
    with couriers(room.store.url, str(end.port), str(hands)) as courier:
        while not through:
            with courier():
                seen = len(end.requests)
                until = time.monotonic() + 60
                while len(end.requests) == seen and time.monotonic() < until and _waits(room):
                    time.sleep(0.002)
                if done < kills and _waits(room):
                    time.sleep(chance.uniform(0, 0.05))
                    done += 1
                else:
                    # As long as it gets on it isn't lost, however busy the machine is.
                    while _waits(room) and time.monotonic() < until:
                        if len(end.requests) > seen:
                            seen, until = len(end.requests), time.monotonic() + 60
                        time.sleep(0.05)
                    through = True
    assert not _waits(room)
    keys = Counter(one.headers["Idempotency-Key"] for one in end.requests)
    repeated = keys.total() - len(keys)
    assert len(keys) == count + 1
    assert repeated <= done * hands
    assert done == kills
    return f"{kills} kills with {hands} hand(s) at the lane, {count + 1} messages: 0 lost, {repeated} repeated, one key"


def _waits(room: Mailroom) -> bool:
    with room.store.read() as connection:
        now = standing(connection, START)
    return bool(now.new or now.waiting)


def test_a_killed_delivery_loses_nothing_and_repeats_with_the_same_key(room: Mailroom, figure: Figure) -> None:
    with far_end() as end:
        figure(killed(room, end, count=60, kills=1, hands=1))


@pytest.mark.long
@pytest.mark.parametrize(("hands", "kills"), [(1, 200), (8, 40)])
def test_two_hundred_kills_lose_nothing(room: Mailroom, figure: Figure, hands: int, kills: int) -> None:
    with far_end() as end:
        figure(killed(room, end, count=12 * kills, kills=kills, hands=hands))
