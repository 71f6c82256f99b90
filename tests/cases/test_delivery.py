"""Messages reach people: by their own channels, in order, not at night unless red, and never with a name."""

from __future__ import annotations

import itertools
import re
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from datetime import time as time_of_day

import pytest
from sqlalchemy import select, update

from cases import lanes, layout, notices
from cases.delivery import standing
from cases.engine import Fired
from cases.outbox import delivery, lane, outbox
from cases.people import member, organisation
from cases.records import LEVELS, message
from cases.store import Store
from cases.wishes import Wishes
from notifiers.channels import Outcome, Wires
from notifiers.gates import Gates, SmsGate
from notifiers.message import Rendered
from tests.cases.mailroom import LINK, NANJING, Mailroom, mailroom
from tests.town import START, minutes

DUTY = "officer@street"
NIGHT = datetime(2026, 3, 17, 15, 30, tzinfo=UTC)
"""23:30 in Nanjing."""
EVENING = datetime(2026, 3, 17, 13, 30, tzinfo=UTC)
"""21:30 in Nanjing."""
MORNING = datetime(2026, 3, 17, 23, 0, tzinfo=UTC)
"""07:00 of the next day."""


@pytest.fixture
def room(store: Store) -> Iterator[Mailroom]:
    with mailroom(store) as made:
        yield made


def addressed(room: Mailroom, address: str) -> list[Rendered]:
    return [letter for where, letter in room.null.sent if where == address]


def test_a_red_whistle_goes_to_the_duty_officer_with_number_limit_and_link(room: Mailroom) -> None:
    room.reach(DUTY, "wecomx://street")
    number = room.town.whistle().case.number
    room.deliver()
    (letter,) = addressed(room, "wecomx://street")
    assert number in letter.subject
    assert "签收" in letter.text
    assert "08:35" in letter.text
    assert f"{LINK}/cases/{number}" in letter.text
    assert letter.urgent


def test_whoever_has_no_channel_has_the_inbox_and_nothing_waits(room: Mailroom) -> None:
    room.town.whistle()
    room.deliver()
    with room.store.read() as connection:
        assert connection.execute(select(message.c.id)).all()
        assert connection.execute(select(outbox)).all() == []
    assert room.rows() == []


def test_a_registered_mail_address_and_phone_are_channels_by_themselves(room: Mailroom) -> None:
    room.reach(DUTY, email="officer@example.org", phone="13900000000")
    room.town.whistle()
    room.answering(lambda where, _, __: Outcome("timed_out" if where == "mail" else ""))
    room.deliver()
    assert [where for where, _ in room.null.sent] == ["sms"]


CANARIES = ("金丝雀小怡", "金丝雀小学", "金丝雀瘀伤", "金丝雀老师", "13812345678", "canary@example.org")


def test_nothing_personal_leaves_in_any_kind_of_message_in_any_language(room: Mailroom) -> None:
    name, school, fact, staff, phone, email = CANARIES
    places = room.town.places
    with room.store.begin() as connection:
        connection.execute(update(organisation).values(name=organisation.c.name + school))
        connection.execute(
            update(member).values(name=staff, phone=phone, email=email, settings={"channels": ["wecomx://all"]})
        )
        connection.execute(update(member).where(member.c.id % 2 == 0).values(language="en"))
    student = {"name": name, "born": "2016-11-02", "grade": 3}
    fired = room.town.whistle(level="orange", summary=fact, student=student, statutory=["injury"])
    number = fired.case.number
    tracks = {f"{one.kind}{one.organisation}": one.no for one in fired.case.tracks.values()}
    police = tracks[f"assignment{places['police'].id}"]
    report = next(no for kind, no in tracks.items() if kind.startswith("mandatory_report"))
    here = {"at": START, "where": school, "mode": "on_site", "people": [staff]}
    room.town.fire("officer@police", number, police, "report_in", here, START + minutes(3))
    room.town.fire(
        "counselor@school", number, report, "file", {"to": places["police"].id, "at": START, "channel": "110"}
    )
    room.town.fire("coordinator@district", number, police, "remind", {"note": fact}, START + minutes(5))
    room.town.run_until(START + timedelta(days=40))
    line = {"case": number, "level": "red", "kind": "assignment", "clock": "report_in", "due": START.isoformat()}
    named = {**line, "organisation": school, "district": school, "student": name}
    letter = ("red", [{"part": "overdue", "count": 1, "lines": [named]}])
    everybody = dict.fromkeys(room.town.members.values(), letter)
    with room.store.begin() as connection:
        for kind in ("digest", "bulletin", "stalled", "seal_broken", "something_new"):
            notices.post_once(connection, f"{kind}:1", kind, everybody, START)
    room.deliver(START + timedelta(days=41))
    texts = list(room.null.texts())
    kinds = {one.kind for _, one in room.null.sent}
    assert {"told", "owes", "warned", "breached", "escalated", "bulletined", "digest", "bulletin", "notice"} <= kinds
    assert {bool(re.search("[一-龥]", one.text)) for _, one in room.null.sent} == {True, False}
    assert any(number in text for text in texts)
    for text in texts:
        assert not [canary for canary in (*CANARIES, "金丝雀", "示例") if canary in text], text


def test_an_event_is_announced_and_not_told(room: Mailroom) -> None:
    room.reach("coordinator@district", "wecomx://desk")
    fired = room.town.whistle(level="orange")
    street = next(one.no for one in fired.case.of_kind("assignment") if one.facts["part"] == "lead")
    reason = {"reason": "the family has moved", "proposed": room.town.places["street#2"].id}
    room.town.fire("lead@street", fired.case.number, street, "decline", reason, START + minutes(2))
    room.deliver(START + minutes(2))
    letters = addressed(room, "wecomx://desk")
    assert {letter.kind for letter in letters} <= {"told", "owes"}
    for letter in letters:
        assert fired.case.number in letter.text
        assert not [word for word in ("退单申请", "declined", "moved", "harmful") if word in letter.text]


def test_quiet_hours_hold_everything_but_red(room: Mailroom) -> None:
    room.reach(DUTY, "wecomx://street", quiet=("22:00", "07:00"))
    room.town.whistle(NIGHT, level="orange")
    room.deliver(NIGHT)
    assert addressed(room, "wecomx://street") == []
    room.town.whistle(NIGHT + minutes(1), student={"name": "小乙", "born": "2015-01-02", "grade": 4})
    room.deliver(NIGHT + minutes(1))
    assert [letter.urgent for letter in addressed(room, "wecomx://street")] == [True]
    morning = datetime(2026, 3, 17, 23, 0, tzinfo=UTC)
    room.deliver(morning - minutes(1))
    assert len(addressed(room, "wecomx://street")) == 1
    room.deliver(morning)
    assert [letter.urgent for letter in addressed(room, "wecomx://street")] == [True, False]


def test_what_the_night_held_is_told_as_one_in_the_morning(room: Mailroom) -> None:
    room.reach(DUTY, "wecomx://street", quiet=("22:00", "07:00"))
    for one in range(2):
        student = {"name": f"小{one}", "born": "2015-01-02", "grade": 4}
        room.town.whistle(NIGHT + minutes(one), level="orange", student=student)
        room.deliver(NIGHT + minutes(one))
    room.deliver(MORNING)
    assert [letter.kind for letter in addressed(room, "wecomx://street")] == ["joined"]


def test_neither_a_further_try_nor_the_next_channel_breaks_the_quiet_hours(room: Mailroom) -> None:
    room.reach(DUTY, "wecomx://broken", "sms", quiet=("22:00", "07:00"), phone="13900000000")
    tried: list[datetime] = []
    at = EVENING + minutes(20)

    def answer(where: str, _: Rendered, __: int) -> Outcome:
        tried.append(at)
        return Outcome("errcode_93000" if "broken" in where else "")

    room.answering(answer)
    room.town.whistle(at, level="orange")
    while at < MORNING + timedelta(hours=3):
        room.deliver(at)
        at += minutes(5)
    assert tried[0] == EVENING + minutes(20)
    assert not [one for one in tried if EVENING + minutes(30) <= one < MORNING]
    # No try is lost to the night: all eight are made, and then the next channel is.
    assert len(tried) == lanes.TRIES + 1
    assert [where for where, _ in room.null.sent] == ["sms"]


def test_what_is_given_up_as_the_quiet_hours_begin_goes_to_the_next_channel_when_they_end(room: Mailroom) -> None:
    room.reach(DUTY, "wecomx://broken", "sms", quiet=("22:00", "07:00"), phone="13900000000")

    def refuse_slowly(where: str, _: Rendered, __: int) -> Outcome:
        if "broken" not in where:
            return Outcome()
        time.sleep(0.1)
        return Outcome("errcode_93000")

    room.answering(refuse_slowly)
    room.town.whistle(EVENING, level="orange")
    room.deliver(EVENING)
    with room.store.begin() as connection:
        connection.execute(update(delivery).values(tries=lanes.TRIES - 1))
    assert room.deliver(EVENING + minutes(30) - timedelta(milliseconds=50)).dead == 1
    assert room.null.sent == []
    room.deliver(MORNING)
    assert [where for where, _ in room.null.sent] == ["sms"]


def test_what_an_outage_held_up_until_the_night_waits_for_the_morning(room: Mailroom) -> None:
    room.reach(DUTY, "wecomx://street", quiet=("22:00", "07:00"))
    room.town.whistle(EVENING, level="orange")
    with room.store.begin() as connection:
        layout.lay_out(connection, room.null, EVENING, NANJING, timedelta(hours=1))
    room.deliver(NIGHT)
    assert room.null.sent == []
    room.deliver(MORNING)
    assert [where for where, _ in room.null.sent] == ["wecomx://street"]


def test_who_rests_loses_no_try_to_a_closed_lane(room: Mailroom) -> None:
    room.reach(DUTY, "wecomx://street", quiet=("22:00", "07:00"))
    down = True
    room.answering(lambda *_: Outcome("timed_out" if down else ""))
    many(room, 8)
    room.deliver(EVENING + minutes(29))
    # The lane is closed far into the night.
    with room.store.begin() as connection:
        connection.execute(update(lane).values(closed_until=NIGHT + minutes(10)))
    before = [row.tries for row in room.rows()]
    done = room.deliver(NIGHT)
    assert (done.failed, [row.tries for row in room.rows()]) == (0, before)
    assert {row.due_at for row in room.rows()} == {MORNING}
    down = False
    room.deliver(MORNING)
    assert {row.state for row in room.rows()} == {"sent"}


def test_reminders_of_a_low_level_are_told_together(room: Mailroom) -> None:
    room.reach(DUTY, "wecomx://street")
    reader = room.town.members[DUTY]
    items = [{"kind": "assignment", "clock": "report_in", "due": START.isoformat()}]
    cases = [room.town.whistle(START, student={"name": f"小{one}", "born": "2015-01-02", "grade": 4}) for one in "甲乙"]
    room.deliver(START)
    room.null.sent.clear()
    with room.store.begin() as connection:
        for level, fired in zip(("blue", "yellow"), cases, strict=True):
            row = {"case_id": fired.case.id, "seq": 900, "member_id": reader, "at": START, "kind": "reminded"}
            connection.execute(message.insert().values(**row, level=level, items=items))
    room.deliver(START + minutes(1))
    assert room.null.sent == []
    room.deliver(START + minutes(62))
    (letter,) = addressed(room, "wecomx://street")
    assert letter.kind == "joined"
    assert all(fired.case.number in letter.text for fired in cases)


def test_what_its_reader_has_seen_in_the_inbox_is_not_sent(room: Mailroom) -> None:
    room.reach(DUTY, "wecomx://street", quiet=("22:00", "07:00"))
    room.town.whistle(NIGHT, level="orange")
    room.deliver(NIGHT)
    with room.store.begin() as connection:
        connection.execute(update(message).values(read_at=NIGHT))
    assert room.deliver(NIGHT + timedelta(hours=12)).read == 1
    assert room.null.sent == []


def lead_track(fired: Fired) -> int:
    return next(one.no for one in fired.case.of_kind("assignment") if one.facts["part"] == "lead")


def arrived(at: datetime) -> dict[str, object]:
    return {"at": at, "where": "the school", "mode": "on_site", "people": ["two officers"]}


def test_nobody_is_reminded_in_the_morning_of_what_was_done_in_the_night(room: Mailroom) -> None:
    room.reach(DUTY, "wecomx://street", quiet=("22:00", "07:00"))
    fired = room.town.whistle(EVENING, level="orange")
    room.deliver(EVENING)
    assert "签收" in addressed(room, "wecomx://street")[0].text
    room.null.sent.clear()
    # At 22:30 half of the two hours to acknowledge are over: a reminder that has to wait. At 22:40 it is done.
    room.town.run_until(EVENING + minutes(65))
    room.deliver(EVENING + minutes(65))
    room.town.fire(DUTY, fired.case.number, lead_track(fired), "acknowledge", None, EVENING + minutes(70))
    room.town.run_until(MORNING)
    done = room.deliver(MORNING)
    assert addressed(room, "wecomx://street") == []
    assert (done.failed, done.dead, [row.state for row in room.rows()][-1]) == (0, 0, "read")
    # Nobody has come to the school yet, and of that the officer is reminded when half of the day is over.
    room.town.run_until(EVENING + minutes(721))
    room.deliver(EVENING + minutes(721))
    (letter,) = addressed(room, "wecomx://street")
    assert "报到" in letter.text
    assert "签收" not in letter.text


def test_a_limit_that_began_anew_is_reminded_of(room: Mailroom) -> None:
    """Feedback that was sent back is owed again, however often it was given before."""
    room.reach(DUTY, "wecomx://street", quiet=("22:00", "07:00"))
    fired = room.town.whistle(START, level="red")
    track = lead_track(fired)
    room.town.fire(DUTY, fired.case.number, track, "acknowledge", None, START + minutes(1))
    room.town.fire(DUTY, fired.case.number, track, "report_in", arrived(START + minutes(2)), START + minutes(2))
    given = {"measures": "two home visits", "outcome": "partly"}
    room.town.fire(DUTY, fired.case.number, track, "give_feedback", given, START + minutes(3))
    again = {"reason": "nobody has spoken with the grandmother yet"}
    room.town.fire("counselor@school", fired.case.number, track, "send_back", again, START + minutes(4))
    room.deliver(START + minutes(5))
    room.null.sent.clear()
    room.town.run_until(START + timedelta(days=1))
    room.deliver(START + timedelta(days=1))
    assert any("反馈" in letter.text for letter in addressed(room, "wecomx://street"))


def test_a_failing_channel_is_tried_eight_times_ever_more_slowly_and_then_the_next_one(room: Mailroom) -> None:
    room.reach(DUTY, "wecomx://broken", "wecomx://second")
    room.answering(lambda where, _, __: Outcome("errcode_93000" if "broken" in where else ""))
    room.town.whistle(level="orange")
    at, tries = START, [START]
    room.deliver(at)
    while (row := room.rows()[0]).state == "waiting":
        assert not room.null.sent
        at = row.due_at
        tries.append(at)
        room.deliver(at)
    waits = [(after - before).total_seconds() for before, after in itertools.pairwise(tries)]
    assert len(tries) == lanes.TRIES == 8
    for n, wait in enumerate(waits):
        assert 0.79 * 30 * 2**n <= wait <= 1.21 * 30 * 2**n + 1
    assert len({round(wait / (30 * 2**n), 3) for n, wait in enumerate(waits)}) > 3
    assert room.incidents() == ["dead_letter"]
    assert [where for where, _ in room.null.sent] == ["wecomx://second"]
    assert room.rows()[0].fault == "errcode_93000"


def test_an_adapter_that_breaks_is_given_up_as_any_other_that_fails(room: Mailroom) -> None:
    broken = SmsGate(url="http://127.0.0.1:1/", headers={"X-App": 12})  # type: ignore[dict-item]  # as no setting may be
    room.reach(DUTY, "sms", phone="13900000000")
    room.town.whistle(level="orange")
    at = START
    for _ in range(lanes.TRIES + 4):
        room.deliver(at, channels=Wires(Gates(sms=broken)))
        at += timedelta(hours=2)
    (row,) = room.rows()
    assert (row.state, row.tries, row.fault) == ("dead", lanes.TRIES, "typeerror")
    assert room.incidents() == ["dead_letter", "nobody_reached"]


def test_every_try_of_a_channel_has_the_same_key_and_the_next_channel_another(room: Mailroom) -> None:
    room.reach(DUTY, "wecomx://first", "wecomx://second")
    keys: list[tuple[str, str]] = []

    def refuse(where: str, letter: Rendered, tries: int) -> Outcome:
        keys.append((where, letter.key))
        return Outcome("timed_out" if where.endswith("first") and tries < 3 else "")

    room.answering(refuse)
    room.town.whistle()
    for _ in range(3):
        room.deliver(max(row.due_at for row in room.rows()) if room.rows() else START)
    first = [key for where, key in keys if where.endswith("first")]
    second = [key for where, key in keys if where.endswith("second")]
    assert len(first) == 3
    assert len(set(first)) == 1
    assert len(second) == 1
    assert first[0] != second[0]


def test_a_red_message_goes_to_the_next_channel_after_the_first_failure(room: Mailroom) -> None:
    room.reach(DUTY, "wecomx://broken", "sms", phone="13900000000")
    room.answering(lambda where, _, __: Outcome("timed_out" if "broken" in where else ""))
    room.town.whistle()
    room.deliver()
    assert [where for where, _ in room.null.sent] == ["sms"]
    assert room.incidents() == []


def test_an_address_that_cannot_be_used_is_an_incident_once_and_the_next_one_is_taken(room: Mailroom) -> None:
    room.reach(DUTY, "mail", "wecomx://street")
    for name in "甲乙":
        room.town.whistle(student={"name": f"小{name}", "born": "2015-01-02", "grade": 4})
        room.deliver()
    assert len(addressed(room, "wecomx://street")) == 2
    assert room.incidents() == ["channel_fault"]


def test_where_no_mail_server_is_set_the_next_channel_is_taken_and_nothing_is_an_incident(room: Mailroom) -> None:
    room.reach(DUTY, email="officer@example.org")
    room.reach("lead@street", "mail", "sms", "wecomx://lead", email="lead@example.org", phone="13900000000")
    room.town.whistle(level="orange")
    with room.store.begin() as connection:
        layout.lay_out(connection, Wires(Gates()), START, NANJING, timedelta(hours=1))
    assert {(row.member_id, row.lane) for row in room.rows()} == {(room.town.members["lead@street"], "wecomx")}
    assert room.incidents() == []


def many(room: Mailroom, count: int, level: str = "orange") -> None:
    for one in range(count):
        student = {"name": f"小{one}", "born": "2015-01-02", "grade": 4}
        room.town.whistle(level=level, student=student)


def test_a_lane_closes_after_five_failures_and_is_probed_with_one(room: Mailroom) -> None:
    room.reach(DUTY, "wecomx://street")
    down = True
    on_the_wire: list[str] = []

    def answer(_: str, letter: Rendered, __: int) -> Outcome:
        on_the_wire.append(letter.key)
        return Outcome("timed_out" if down else "")

    room.answering(answer)
    many(room, 8)
    room.deliver(START)
    assert len(on_the_wire) == lanes.BREAKS_AFTER == 5
    closed = room.lanes()["wecomx://street"].closed_until
    assert closed - START >= timedelta(seconds=29)
    # What waits has failed a try: nobody waits for a lane that may stay closed.
    assert [row.tries for row in room.rows()] == [1] * 8
    later = max(row.due_at for row in room.rows())
    room.deliver(later)
    assert len(on_the_wire) == 6
    down = False
    later = max(later + timedelta(minutes=10), *(row.due_at for row in room.rows()))
    room.deliver(later)
    assert {row.state for row in room.rows()} == {"sent"}
    assert room.lanes() == {}


def test_one_wrong_address_closes_the_lane_for_nobody(room: Mailroom) -> None:
    room.reach(DUTY, "wecomx://street")
    room.answering(lambda _, __, ___: Outcome("errcode_93000"))
    many(room, 7)
    assert room.deliver(START).failed == 7
    assert room.lanes() == {}


def test_a_wrong_password_of_the_mail_server_closes_its_lane(room: Mailroom) -> None:
    room.reach(DUTY, "wecomx://street")
    room.answering(lambda _, __, ___: Outcome("login_535"))
    many(room, 7)
    room.deliver(START)
    assert room.lanes()["wecomx://street"].closed_until > START


def test_a_robot_that_was_sent_too_much_neither_closes_its_lane_nor_opens_it(room: Mailroom) -> None:
    room.reach(DUTY, "wecomx://street")
    faults = iter(["timed_out"] * 3 + ["errcode_45009"] * 4 + ["timed_out"] * 2)
    room.answering(lambda _, __, ___: Outcome(next(faults)))
    many(room, 7)
    room.deliver(START)
    assert room.lanes()["wecomx://street"].failures == 3
    for row in room.rows()[:2]:
        room.deliver(row.due_at)
    assert room.lanes()["wecomx://street"].closed_until > START


def test_a_lane_that_hangs_delays_no_other(room: Mailroom) -> None:
    room.reach(DUTY, "jsons://hangs")
    room.reach("counselor@school", "wecomx://counselor")
    room.reach("lead@street", "jsons://other")
    many(room, 3, "red")
    arrived: dict[str, float] = {}
    begun = time.monotonic()

    def answer(where: str, _: Rendered, __: int) -> Outcome:
        if "hangs" in where:
            time.sleep(0.6)
            return Outcome("timed_out")
        arrived[where] = time.monotonic() - begun
        return Outcome()

    room.answering(answer)
    room.deliver()
    assert arrived
    assert max(arrived.values()) < 0.6


def test_several_who_deliver_at_once_send_each_message_once(room: Mailroom) -> None:
    for number, who in enumerate(room.town.members):
        room.reach(who, f"wecomx://{number % 5}")
    many(room, 4)
    room.null.takes = 0.005
    rounds = [threading.Thread(target=room.deliver) for _ in range(4)]
    for one in rounds:
        one.start()
    for one in rounds:
        one.join()
    room.deliver()
    with room.store.read() as connection:
        written = connection.execute(select(message.c.id)).all()
        assert standing(connection, START - minutes(1)).waiting == 0
    assert len(room.null.sent) == len(written)
    assert len(set(room.null.keys())) == len(written)


class Killed(BaseException):
    """Stands for a process that ends between sending and writing it down."""


def test_whoever_dies_after_sending_is_followed_by_one_with_the_same_key(room: Mailroom) -> None:
    room.reach(DUTY, "wecomx://street")
    room.town.whistle()
    keys: list[str] = []

    def die_once(_: str, letter: Rendered, tries: int) -> Outcome:
        keys.append(letter.key)
        if tries == 1:
            raise Killed
        return Outcome()

    room.answering(die_once)
    with pytest.raises(Killed):
        room.deliver(START)
    room.deliver(START + timedelta(seconds=10))
    assert len(keys) == 1
    room.deliver(START + timedelta(seconds=40))
    assert len(keys) == 2
    assert len(set(keys)) == 1
    assert room.rows()[0].state == "sent"


def test_a_member_who_left_is_told_nothing_more(room: Mailroom) -> None:
    room.reach(DUTY, "wecomx://street", quiet=("22:00", "07:00"))
    room.town.whistle(NIGHT, level="orange")
    room.deliver(NIGHT)
    with room.store.begin() as connection:
        connection.execute(update(member).where(member.c.id == room.town.members[DUTY]).values(active=False))
    room.deliver(NIGHT + timedelta(days=1))
    assert room.null.sent == []


@pytest.mark.parametrize(
    ("quiet", "at", "until"),
    [
        (("22:00", "07:00"), "2026-03-17T23:30", "2026-03-18T07:00"),
        (("22:00", "07:00"), "2026-03-18T06:59", "2026-03-18T07:00"),
        (("22:00", "07:00"), "2026-03-18T07:00", None),
        (("22:00", "07:00"), "2026-03-18T21:59", None),
        (("12:00", "14:00"), "2026-03-18T12:00", "2026-03-18T14:00"),
        (("12:00", "14:00"), "2026-03-18T14:00", None),
        (("12:00", "12:00"), "2026-03-18T12:00", None),
        (("noon", "14:00"), "2026-03-18T12:30", None),
    ],
)
def test_quiet_hours_end_when_they_say(quiet: tuple[str, str], at: str, until: str | None) -> None:
    wish = Wishes.read(1, "zh_CN", None, None, {"quiet": list(quiet)})
    now = datetime.fromisoformat(at).replace(tzinfo=NANJING).astimezone(UTC)
    wanted = datetime.fromisoformat(until or at).replace(tzinfo=NANJING)
    assert wish.not_before(now, NANJING) == wanted
    assert time_of_day(0) <= wanted.time()


@pytest.mark.parametrize("settings", [{}, {"channels": "mail"}, {"channels": None}, {"quiet": "late"}])
def test_a_slip_in_a_setting_silences_nobody(settings: dict[str, object]) -> None:
    assert Wishes.read(1, "zh_CN", "a@b.cn", "139", settings).channels == ("mail", "sms")


def test_the_levels_are_those_that_messages_know() -> None:
    from notifiers.message import LEVELS as SPOKEN

    assert tuple(SPOKEN) == LEVELS
