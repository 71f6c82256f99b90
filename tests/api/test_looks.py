"""What a look shows to whom, and what the access log keeps of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cases import queries
from cases.office import Session
from cases.posts import appoint, enlist
from tests.api.door import Door
from tests.town import SINCE, STUDENT

API = "/api/v1/cases"
ROOMS = ("", "/timeline", "/tracks", "/tracks/1", "/clocks", "/clocks/1/why")


def log(door: Door, number: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (
        door.client("auditor@district").get("/api/v1/audit", params={"number": number}).json()["items"]
    )
    return items


def broken(door: Door, who: str) -> str:
    """A case that this member sees through break-glass alone."""
    number = door.town.whistle().case.number
    opened = door.client(who).post(f"{API}/{number}/access/open", json={"reason": "she is in our street"})
    assert opened.status_code == 201
    return number


@pytest.mark.parametrize("room", ROOMS)
def test_whatever_is_read_through_break_glass_stands_in_the_log(door: Door, room: str) -> None:
    number = broken(door, "officer@street#2")
    before = log(door, number)
    assert door.client("officer@street#2").get(f"{API}/{number}{room}").status_code == 200
    (line, *rest) = log(door, number)
    assert rest == before
    glass = door.client("coordinator@district").get(f"{API}/{number}/tracks", params={"kind": "access"}).json()["items"]
    assert (line["section"], line["name"], line["role"]) == ("open", "officer@street#2", "officer")
    assert line["organisation"] == door.town.places["street#2"].id
    assert line["track"] in {one["no"] for one in glass}
    # Whoever is called to the case, or oversees it, reads that part without a trace.
    for who in ("officer@street", "counselor@school", "supervisor@district"):
        assert door.client(who).get(f"{API}/{number}{room}").status_code == 200
    assert len(log(door, number)) == len(before) + 1


@pytest.mark.parametrize("page", ["", "/now", "/tracks/1"])
def test_a_page_that_is_read_through_break_glass_stands_in_the_log(door: Door, page: str) -> None:
    number = broken(door, "officer@street#2")
    assert door.client("officer@street#2").get(f"/cases/{number}{page}").status_code == 200
    assert [one["name"] for one in log(door, number) if one["section"] == "open"] == ["officer@street#2"]
    assert "个案概况" in door.client("auditor@district").get("/admin/log").text
    assert "个案概况" in door.client("counselor@school").get(f"/cases/{number}").text


def test_what_was_refused_leaves_no_line(door: Door) -> None:
    number = broken(door, "officer@street#2")
    before = len(log(door, number))
    officer = door.client("officer@street#2")
    assert officer.get(f"{API}/{number}/sections/clinical", params={"purpose": "x"}).status_code == 403
    assert officer.get(f"{API}/{number}/tracks/99").status_code == 404
    assert len(log(door, number)) == before


def test_the_log_names_the_post_that_gives_the_sight(door: Door) -> None:
    with door.town.store.begin() as connection:
        number = enlist(connection, door.town.places["justice"], "两处任职", ["admin"], since=SINCE).id
        appoint(connection, number, "counselor", door.town.places["school"], since=SINCE)
    case = door.town.whistle().case.number
    reader = door.client(number)
    assert reader.get(f"{API}/{case}/sections/identity", params={"purpose": "x"}).status_code == 200
    assert reader.get(f"/cases/{case}").status_code == 200
    assert {(one["role"], one["organisation"], one["track"]) for one in log(door, case)} == {
        ("counselor", door.town.places["school"].id, None)
    }


def test_whoever_has_lost_their_post_since_is_named_by_the_break_glass(door: Door) -> None:
    number = broken(door, "officer@street#2")
    left = replace(door.town.actor("officer@street#2"), posts=())
    with door.town.store.begin() as connection:
        opened = queries.open_section(Session(connection, door.town.office), number, left, "identity", "x", door.now)
    assert opened[0]["name"] == STUDENT["name"]
    line = log(door, number)[0]
    assert (line["section"], line["role"], line["organisation"]) == (
        "identity", "officer", door.town.places["street#2"].id,
    )  # fmt: skip


@pytest.mark.parametrize("address", ["/cases/{number}", "/board", "/search?q={number}", "/cases/{number}/print", "/"])
def test_a_supervisor_sees_the_grade_and_never_the_class(door: Door, address: str) -> None:
    number = door.town.whistle(student={**STUDENT, "class": "独班七"}).case.number
    page = door.client("supervisor@district").get(address.format(number=number))
    assert "独班七" not in page.text
    if page.status_code == 200 and number in page.text and address != "/":
        assert "三年级" in page.text
    assert "独班七" in door.client("counselor@school").get(f"/cases/{number}").text
