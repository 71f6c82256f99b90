"""Attacks by fields that no form has: whoever sends more than was asked for gets nothing of it, and is told so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select

from cases.people import post
from cases.records import case, event
from cases.store import Store
from tests.api.door import Door, door_of
from tests.api.pages_forms import form_on
from tests.api.rest.cast import events_of
from tests.town import WHISTLE

MORE: tuple[tuple[str, Any], ...] = (
    ("id", 1), ("number", "WH-2026-999999"), ("state", "closed"), ("version", 99), ("events", 0), ("policy", "other"),
    ("actor_id", 1), ("member_id", 1), ("role", "coordinator"), ("organisation_id", 1), ("district_id", 1),
    ("school_id", 1), ("whistler_id", 1), ("facts", {"evaluated": True}), ("closed_at", "2026-03-17T08:00:00+08:00"),
    ("wake_at", None), ("confidential", False), ("student_id", 1), ("__proto__", {"admin": True}), ("csrf", "x"),
)  # fmt: skip
"""What rows have and forms haven't."""


@pytest.fixture(scope="module")
def door(server: Store) -> Iterator[Door]:
    with server.scratch() as fresh, door_of(fresh) as opened:
        yield opened


def test_a_whistle_sets_nothing_beside_its_form(door: Door) -> None:
    client, before = door.client("counselor@school"), events_of(door)
    for name, value in MORE:
        answer = client.post("/api/v1/cases", json={"trigger": "whistle", **WHISTLE, name: value})
        assert answer.status_code == 422, name
        assert name in {one["field"] for one in answer.json()["faults"]}
    nested = {**WHISTLE, "student": {**WHISTLE["student"], "keep_until": "2099-01-01"}}
    assert client.post("/api/v1/cases", json={"trigger": "whistle", **nested}).status_code == 422
    assert events_of(door) == before


def test_a_trigger_sets_nothing_beside_its_form(door: Door) -> None:
    number = door.town.whistle().case.number
    client, before = door.client("officer@street"), events_of(door)
    for name, value in MORE:
        answer = client.post(f"/api/v1/cases/{number}/assignment/1/acknowledge", json={name: value})
        assert answer.status_code == 422, name
    assert events_of(door) == before


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/organisations", {"code": "N-77", "kind": "street", "name": "新街道", "parent": 2}),
        ("POST", "/members", {"organisation": 4, "name": "新人", "posts": ["officer"]}),
        ("POST", "/accounts/{member}", {"login": "new.login"}),
        ("POST", "/accounts/{member}/reset", {"second_factor": True}),
        ("POST", "/tokens", {"member": 1, "name": "a system", "scopes": ["cases:read"], "days": 3}),
        ("POST", "/webhooks", {"url": "https://example.org/x", "events": ["*"]}),
        ("POST", "/me/password", {"old": "x", "new": "a sentence of one's own"}),
    ],
)
def test_an_admin_sets_nothing_beside_what_is_asked_for(
    door: Door, method: str, path: str, body: dict[str, Any]
) -> None:
    client = door.client("admin@district")
    address = "/api/v1" + path.format(member=door.member("officer@police"))
    for name, value in (("id", 1), ("admin", True), ("active", True), ("strong", True), ("secret", "x"), ("by", 1)):
        answer = client.request(method, address, json={**body, name: value})
        assert answer.status_code == 422, (path, name, answer.text)
        assert name in {one["field"] for one in answer.json()["faults"]}, (path, name, answer.text)


def test_a_page_takes_nothing_from_a_form_but_its_own_fields(door: Door) -> None:
    number = door.town.whistle().case.number
    client = door.client("officer@street")
    address, contents, _ = form_on(client.get(f"/cases/{number}/tracks/1/acknowledge"), "acknowledge")
    other = str(door.member("coordinator@district"))
    planted = {"actor_id": other, "member_id": other, "role": "coordinator", "organisation_id": "1", "level": "blue"}
    client.post(address, data={**contents, **planted})
    with door.town.store.read() as connection:
        written = connection.execute(
            select(event.c.actor_id, event.c.role, case.c.level).join(case, case.c.id == event.c.case_id)
            .where(case.c.number == number).order_by(event.c.seq.desc()).limit(1)
        ).one()  # fmt: skip
        held = set(connection.scalars(select(post.c.role).where(post.c.member_id == door.member("officer@street"))))
    assert written.level == "red"
    assert written.actor_id != int(other)
    assert written.role != "coordinator"
    assert held == {"officer"}
