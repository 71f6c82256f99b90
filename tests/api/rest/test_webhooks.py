"""An organisation's admin sets up a webhook over HTTP; its secret verifies what comes; nobody else finds it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from random import Random
from uuid import uuid4

import pytest

from api.settings import Settings
from cases.posts import enlist
from cases.store import Store
from cases.webhooks import Way, send_due
from notifiers.wire import Line
from tests.api.door import Client, Door, door_of
from tests.cases.receiver import LOOPBACK, Receiver, receiver
from tests.town import SINCE

PATH = "/api/v1/webhooks"


@pytest.fixture
def door(store: Store) -> Iterator[Door]:
    with door_of(store, Settings(channels_inside="127.0.0.0/8")) as opened:
        with opened.town.store.begin() as connection:
            for name in ("hospital", "hospital#2"):
                made = enlist(connection, opened.town.places[name], f"admin@{name}", ["admin"], since=SINCE)
                opened.town.members[f"admin@{name}"] = made.id
        yield opened


@pytest.fixture
def end() -> Iterator[Receiver]:
    with receiver() as made:
        yield made


@pytest.fixture
def admin(door: Door) -> Client:
    return door.client("admin@hospital")


def send(door: Door) -> None:
    way = Way(link="https://whistle.example", line=Line(inside=LOOPBACK), chance=Random(7))  # noqa: S311 - a jitter
    send_due(door.town.store, door.town.office, datetime.now(UTC), way)


def test_an_admin_subscribes_tries_it_out_reads_the_log_and_sends_again(
    door: Door, admin: Client, end: Receiver
) -> None:
    made = admin.post(PATH, json={"url": end.url, "events": ["referral.*"]})
    assert made.status_code == 201
    assert made.headers["cache-control"] == "no-store"
    here, secret = made.headers["location"], made.json()["secret"]
    assert "secret" not in admin.get(here).json()
    assert admin.post(f"{here}/test").status_code == 202
    send(door)
    assert [one["type"] for one in end.verified(secret)] == ["webhook.test"]
    log = admin.get(f"{here}/deliveries").json()
    assert [(one["state"], one["tries"], one["fault"]) for one in log["items"]] == [("sent", 1, None)]
    key = log["items"][0]["key"]
    assert admin.post(f"{here}/deliveries/{key}/replay").json()["state"] == "waiting"
    send(door)
    assert end.keys() == [key, key]
    for _ in range(2):
        admin.post(f"{here}/test")
    first = admin.get(f"{here}/deliveries?limit=2").json()
    assert [len(first["items"]), first["next"]] == [2, first["items"][-1]["id"]]
    assert admin.get(f"{here}/deliveries?limit=2&before={first['next']}").json()["next"] is None

    rotated = admin.post(f"{here}/secret").json()["secret"]
    assert rotated != secret
    paused = admin.patch(here, json={"active": False}).json()
    assert (paused["active"], paused["why_not"]) == (False, "paused")
    assert admin.post(f"{here}/test").status_code == 409
    assert admin.patch(here, json={"active": True, "events": ["case.closed"]}).json()["events"] == ["case.closed"]
    assert admin.delete(here).status_code == 204
    assert admin.get(here).status_code == 404
    assert admin.get(PATH).json() == {"items": []}


def test_nobody_but_an_admin_of_that_organisation_finds_it(door: Door, admin: Client, end: Receiver) -> None:
    here = admin.post(PATH, json={"url": end.url, "events": ["*"]}).headers["location"]
    sent = admin.post(f"{here}/test").json()["key"]
    tries = [("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/secret"), ("POST", "/test"),
             ("GET", "/deliveries"), ("POST", f"/deliveries/{sent}/replay")]  # fmt: skip
    for who, status in (("admin@hospital#2", 404), ("admin@city", 404), ("liaison@hospital", 403)):
        other = door.client(who)
        for method, more in tries:
            answer = other.request(method, here + more, json={} if method == "PATCH" else None)
            assert answer.status_code == status, (who, method, more)
    assert door.client("liaison@hospital").get(PATH).status_code == 403
    assert door.client("admin@hospital#2").get(PATH).json() == {"items": []}
    assert door.stranger().get(PATH).status_code == 401
    assert door.token("admin@hospital", "cases:read").get(PATH).status_code == 403
    assert door.token("admin@hospital", "webhooks:read").get(PATH).status_code == 200


def test_a_faulty_subscription_is_refused_with_its_fault_in_both_languages(door: Door, end: Receiver) -> None:
    faulty = [
        ({"url": "https://10.0.0.1/x", "events": ["*"]}, "url", "inside"),
        ({"url": "http://hospital.example/x", "events": ["*"]}, "url", "needs_https"),
        ({"url": "ftp://hospital.example/x", "events": ["*"]}, "url", "wrong_form"),
        ({"url": end.url, "events": ["nonsense.*"]}, "events", "unknown_event"),
        ({"url": end.url, "events": []}, "events", "missing"),
        ({"url": end.url, "events": ["*"], "secret": "mine"}, "secret", "unknown"),
        ({"events": ["*"]}, "url", "missing"),
        ({"url": 7, "events": "*"}, "url", "wrong_form"),
    ]
    for language in ("zh_CN", "en"):
        client = door.client("admin@hospital", language)
        for body, field, code in faulty:
            answer = client.post(PATH, json=body)
            assert answer.status_code == 422
            told = {one["field"]: one for one in answer.json()["faults"]}
            assert told[field]["code"] == code
            assert told[field]["message"].isascii() == (language == "en")
    client = door.client("admin@hospital")
    assert client.post(f"{PATH}/1/deliveries/{uuid4()}/replay").status_code == 404
    assert client.post(f"{PATH}/1/deliveries/nonsense/replay").status_code == 422
    assert client.get(f"{PATH}/{2**60}").status_code == 422


def test_an_organisation_has_twenty_webhooks_at_most(door: Door, admin: Client, end: Receiver) -> None:
    body = {"url": end.url, "events": ["*"]}
    made = [admin.post(PATH, json=body).status_code for _ in range(21)]
    assert made == [201] * 20 + [422]
