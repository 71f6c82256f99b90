"""What is asked twice is done once, also by two hands at the same moment; a stale screen overwrites nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from threading import Barrier, Thread

import pytest
from sqlalchemy import select

from cases import asked_twice
from cases.store import Store
from tests.api.door import Client, Door, door_of
from tests.api.rest.cast import events_of
from tests.town import START, STUDENT, WHISTLE

CASES = "/api/v1/cases"
RACES = 12


@pytest.fixture(scope="module")
def door(server: Store) -> Iterator[Door]:
    with server.scratch() as fresh, door_of(fresh) as opened:
        yield opened


@pytest.fixture(autouse=True)
def _that_morning(door: Door) -> None:
    door.now = START


@pytest.fixture
def number(door: Door) -> str:
    return str(door.town.whistle().case.number)


def together(*hands: Callable[[], object]) -> None:
    """Let all begin at the same moment, and wait until each has ended."""
    barrier = Barrier(len(hands))

    def at_once(hand: Callable[[], object]) -> None:
        barrier.wait()
        hand()

    threads = [Thread(target=at_once, args=(hand,)) for hand in hands]
    for one in threads:
        one.start()
    for one in threads:
        one.join()


def test_the_same_request_with_the_same_key_is_done_once_and_answered_alike(door: Door) -> None:
    client, body = door.client("counselor@school"), {"trigger": "whistle", **WHISTLE}
    first = client.post(CASES, json=body, headers={"Idempotency-Key": "a-whistle"})
    before = events_of(door)
    again = client.post(CASES, json=body, headers={"Idempotency-Key": "a-whistle"})
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert (again.headers["location"], again.headers["etag"]) == (first.headers["location"], first.headers["etag"])
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    assert events_of(door) == before


def test_a_key_used_for_another_request_is_refused(door: Door, number: str) -> None:
    street, key = door.client("officer@street", "en"), {"Idempotency-Key": "k-other"}
    assert street.post(f"{CASES}/{number}/assignment/1/acknowledge", headers=key).status_code == 200
    for other in (f"{CASES}/{number}/assignment/1/record_progress", f"{CASES}/{number}/tracks/1/acknowledge"):
        answer = street.post(other, json={"note": "on the way"}, headers=key)
        assert answer.status_code == 422
        assert answer.json()["faults"] == [
            {
                "field": "Idempotency-Key",
                "code": "used_otherwise",
                "message": "this key was used for another request",
            }
        ]


def test_a_key_belongs_to_whoever_used_it(door: Door, number: str) -> None:
    key = {"Idempotency-Key": "shared"}
    for who in ("officer@street", "officer@police"):
        mine = door.client(who).get("/api/v1/assignments", params={"limit": 100}).json()["items"]
        place = door.town.places[who.partition("@")[2]].id
        no = next(one["no"] for one in mine if one["number"] == number and one["organisation"] == place)
        answer = door.client(who).post(f"{CASES}/{number}/assignment/{no}/acknowledge", headers=key)
        assert (answer.status_code, answer.json()["organisation"]) == (200, place)


def test_what_was_refused_is_asked_anew_under_the_same_key(door: Door, number: str) -> None:
    street, key = door.client("officer@street"), {"Idempotency-Key": "refused-first"}
    feedback = {"measures": "visited", "outcome": "solved"}
    at = f"{CASES}/{number}/assignment/1"
    assert street.post(f"{at}/give_feedback", json=feedback, headers=key).json()["code"] == "needs_report_in"
    arrival = {"at": START.isoformat(), "where": "home", "mode": "phone", "people": ["李雷"]}
    assert street.post(f"{at}/report_in", json=arrival).status_code == 200
    assert street.post(f"{at}/give_feedback", json=feedback, headers=key).status_code == 200


def test_a_day_later_the_key_is_a_new_one(door: Door, number: str) -> None:
    coordinator, key = door.client("coordinator@district"), {"Idempotency-Key": "remind-daily"}
    at = f"{CASES}/{number}/assignment/1/remind"
    first = coordinator.post(at, headers=key)
    door.now = START + timedelta(hours=23)
    assert door.client("coordinator@district").post(at, headers=key).content == first.content
    door.now = START + timedelta(hours=25)
    later = door.client("coordinator@district").post(at, headers=key)
    assert later.status_code == 200
    assert later.json()["events"] != first.json()["events"]
    with door.town.store.begin() as connection:
        assert asked_twice.expire(connection, START + timedelta(hours=26)) >= 1
        kept = connection.scalars(select(asked_twice.asked_twice.c.at)).all()
        assert all(at > START + timedelta(hours=2) for at in kept)


def test_a_kept_answer_holds_no_person_and_no_word_of_what_was_said(door: Door) -> None:
    body = {"trigger": "whistle", **WHISTLE, "student": {**STUDENT, "name": "金丝雀"}, "summary": "canary words"}
    answer = door.client("counselor@school").post(CASES, json=body, headers={"Idempotency-Key": "canary-key"})
    assert answer.status_code == 201
    with door.town.store.read() as connection:
        for row in connection.execute(select(asked_twice.asked_twice)).mappings():
            kept = repr(dict(row))
            assert not any(word in kept for word in ("金丝雀", "canary", "\\u91d1"))


def test_the_same_key_from_two_hands_at_once_does_it_once_and_both_hear_the_same(door: Door) -> None:
    for place in range(RACES):
        hands = [door.client("counselor@school") for _ in range(2)]
        body = {"trigger": "whistle", **WHISTLE, "summary": f"race {place}"}
        before = events_of(door)
        heard: list[object] = []

        def ask(client: Client, place: int = place, body: object = body, heard: list[object] = heard) -> None:
            answer = client.post(CASES, json=body, headers={"Idempotency-Key": f"race-{place}"})
            heard.append((answer.status_code, answer.content))

        together(*(lambda client=client: ask(client) for client in hands))
        assert heard[0] == heard[1]
        assert events_of(door) == before + 4


def test_of_two_hands_that_pull_the_same_trigger_at_once_one_succeeds_and_one_is_told(door: Door) -> None:
    for _ in range(RACES):
        number = door.town.whistle().case.number
        before = events_of(door)
        statuses: list[int] = []
        hands = [door.client("officer@street"), door.client("lead@street")]

        def ask(client: Client, number: str = number, statuses: list[int] = statuses) -> None:
            statuses.append(client.post(f"{CASES}/{number}/assignment/1/acknowledge").status_code)

        together(*(lambda client=client: ask(client) for client in hands))
        assert sorted(statuses) == [200, 409]
        assert events_of(door) == before + 1


def test_of_two_hands_with_the_same_version_on_the_screen_one_is_too_late(door: Door) -> None:
    for _ in range(RACES):
        number = door.town.whistle().case.number
        statuses: list[int] = []
        hands = [(door.client("coordinator@district"), "remind"), (door.client("supervisor@district"), "remind")]

        def ask(client: Client, trigger: str, number: str = number, statuses: list[int] = statuses) -> None:
            at = f"{CASES}/{number}/assignment/1/{trigger}"
            statuses.append(client.post(at, headers={"If-Match": '"1"'}).status_code)

        together(*(lambda one=one: ask(*one) for one in hands))
        assert sorted(statuses) == [200, 412]


@pytest.mark.parametrize("given", ['"7"', 'W/"1"', '"one"', "1", '"1", "2"'])
def test_a_version_that_the_case_hasnt_changes_nothing(door: Door, number: str, given: str) -> None:
    before = events_of(door)
    answer = door.client("officer@street", "en").post(
        f"{CASES}/{number}/assignment/1/acknowledge", headers={"If-Match": given}
    )
    assert (answer.status_code, answer.json()["code"]) == (412, "conflict")
    assert events_of(door) == before


def test_the_version_of_the_screen_or_any_version_lets_it_through(door: Door, number: str) -> None:
    read = door.client("officer@street").get(f"{CASES}/{number}")
    at = f"{CASES}/{number}/assignment/1"
    client = door.client("officer@street")
    moved = client.post(f"{at}/acknowledge", headers={"If-Match": read.headers["etag"]})
    assert moved.status_code == 200
    assert moved.headers["etag"] != read.headers["etag"]
    assert client.post(f"{at}/undo_acknowledge", headers={"If-Match": "*"}).status_code == 200
