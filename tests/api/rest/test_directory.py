"""Organisations, members, messages and the search: who reads them, who changes them, and what is logged."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import func, select

from cases.people import member, organisation
from cases.records import access_log
from cases.store import Store
from tests.api.door import Door, door_of
from tests.town import STUDENT, WHISTLE

API = "/api/v1"


@pytest.fixture(scope="module")
def door(server: Store) -> Iterator[Door]:
    with server.scratch() as fresh, door_of(fresh) as opened:
        yield opened


def new_member(door: Door, place: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - a body's values
    return {"organisation": door.town.places[place].id, "name": "周老师", "since": "2026-03-01", **more}


def count(door: Door, table: Any) -> int:  # noqa: ANN401 - a table
    with door.town.store.read() as connection:
        return int(connection.scalar(select(func.count()).select_from(table)) or 0)


def test_everybody_sees_who_holds_which_post_and_only_colleagues_and_admins_their_telephone(door: Door) -> None:
    admin = door.client("admin@district")
    body = new_member(door, "street", posts=["officer"], phone="025 8000", email="zhou@example.cn")
    entered = admin.post(f"{API}/members", json=body)
    assert entered.status_code == 201, entered.text
    at = entered.headers["location"]
    for who, phone in (("lead@street", "0258000"), ("admin@city", "0258000"), ("counselor@school", None)):
        shown = door.client(who).get(at).json()
        assert (shown["name"], shown["phone"]) == ("周老师", phone), who
        assert [one["role"] for one in shown["posts"]] == ["officer"]


def test_a_new_officer_may_act_at_once_and_no_longer_once_the_post_has_ended(door: Door) -> None:
    admin = door.client("admin@district")
    number = admin.post(f"{API}/members", json=new_member(door, "street", posts=["officer"])).json()["id"]
    case = door.town.whistle().case.number
    officer = door.client(number)
    assert officer.get(f"{API}/cases/{case}").status_code == 200
    ended = {"role": "officer", "organisation": door.town.places["street"].id, "until": "2026-03-16"}
    assert admin.post(f"{API}/members/{number}/posts/end", json=ended).status_code == 200
    assert officer.get(f"{API}/cases/{case}").status_code == 404
    again = {"role": "lead", "organisation": door.town.places["street"].id, "since": "2026-03-17"}
    assert admin.post(f"{API}/members/{number}/posts", json=again).status_code == 201
    assert officer.get(f"{API}/cases/{case}").status_code == 200
    assert admin.delete(f"{API}/members/{number}").status_code == 200
    assert officer.get(f"{API}/cases/{case}").status_code == 401


@pytest.mark.parametrize(
    ("who", "place", "status"),
    [
        ("admin@district", "school", 201), ("admin@city", "school", 201), ("admin@district#2", "school", 403),
        ("admin@district", "city", 403), ("principal@school", "school", 403), ("supervisor@district", "school", 403),
    ],
)  # fmt: skip
def test_members_are_entered_by_the_admins_of_their_district_or_city_alone(
    door: Door, who: str, place: str, status: int
) -> None:
    before = count(door, member)
    answer = door.client(who).post(f"{API}/members", json=new_member(door, place))
    assert answer.status_code == status
    assert count(door, member) == before + (status == 201)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": " "}, "name"), ({"posts": ["mayor"]}, "posts.0"), ({"since": "soon"}, "since"),
        ({"since": 0}, "since"), ({"phone": "a"}, "phone"), ({"email": "x"}, "email"), ({"language": "de"}, "language"),
        ({"organisation": "4"}, "organisation"), ({"role": "officer"}, "role"), ({"name": "a\u0000b"}, "name"),
    ],
)  # fmt: skip
def test_a_faulty_member_is_named_field_by_field(door: Door, body: dict[str, Any], field: str) -> None:
    before = count(door, member)
    answer = door.client("admin@district", "en").post(f"{API}/members", json={**new_member(door, "street"), **body})
    assert answer.status_code == 422
    assert field in {one["field"] for one in answer.json()["faults"]}
    assert count(door, member) == before


def test_an_organisation_is_registered_under_its_parent_once(door: Door) -> None:
    body = {"code": "T-new", "kind": "school", "name": "示例新校", "parent": door.town.places["street"].id}
    assert door.client("admin@district#2").post(f"{API}/organisations", json=body).status_code == 403
    admin = door.client("admin@district")
    made = admin.post(f"{API}/organisations", json=body)
    assert made.status_code == 201
    shown = door.client("counselor@school").get(made.headers["location"]).json()
    assert (shown["kind"], shown["district"]) == ("school", door.town.places["district"].id)
    before = count(door, organisation)
    assert admin.post(f"{API}/organisations", json=body).json()["code"] == "code_taken"
    assert count(door, organisation) == before
    found = admin.get(f"{API}/organisations", params={"text": "新校", "kind": "school"}).json()["items"]
    assert [one["id"] for one in found] == [made.json()["id"]]


def test_a_student_is_found_by_whole_name_or_number_and_every_hit_is_logged(door: Door) -> None:
    student = {**STUDENT, "name": "欧阳小怡", "id_number": "320102201611021235"}
    number = door.town.whistle(student=student).case.number
    before = count(door, access_log)

    def found(who: str, **sought: str) -> list[str]:
        answer = door.client(who).post(f"{API}/search", json={"purpose": "her mother is here", **sought})
        assert answer.status_code == 200, answer.text
        return [one["number"] for one in answer.json()["items"]]

    assert found("counselor@school", name="欧阳小怡") == [number]
    assert found("officer@street", id_number="320102201611021235") == [number]
    assert count(door, access_log) == before + 2
    for who, sought in (
        ("counselor@school", {"name": "欧阳"}),
        ("officer@street#2", {"name": "欧阳小怡"}),
        ("coordinator@district#2", {"id_number": "320102201611021235"}),
    ):
        assert found(who, **sought) == []
    assert count(door, access_log) == before + 2
    log = door.client("auditor@district").get(f"{API}/audit", params={"number": number}).json()["items"]
    assert {(one["name"], one["what"]) for one in log} == {
        ("counselor@school", "her mother is here"),
        ("officer@street", "her mother is here"),
    }


@pytest.mark.parametrize("who", ["supervisor@district", "auditor@district", "admin@city"])
def test_whoever_sees_nobodys_identity_may_not_search(door: Door, who: str) -> None:
    answer = door.client(who).post(f"{API}/search", json={"name": "小怡", "purpose": "curious"})
    assert (answer.status_code, answer.json()["code"]) == (403, "not_permitted")


def test_a_message_is_read_by_its_own_reader_alone(door: Door) -> None:
    case = door.client("counselor@school").post(f"{API}/cases", json={"trigger": "whistle", **WHISTLE}).json()["number"]
    street = door.client("lead@street")
    mine = [one for one in street.get(f"{API}/messages").json()["items"] if one["number"] == case]
    assert [one["kind"] for one in mine] == ["owes"]
    assert mine[0]["read"] is None
    at = f"{API}/messages/{mine[0]['id']}/read"
    assert door.client("officer@street").post(at).status_code == 404
    assert street.post(at).status_code == 200
    assert case not in {one["number"] for one in street.get(f"{API}/messages?unread=true").json()["items"]}
    assert "小怡" not in street.get(f"{API}/messages").text


def test_the_policy_is_told_in_the_readers_language(door: Door) -> None:
    chinese, english = (door.client("counselor@school", one).get(f"{API}/policy").json() for one in ("zh_CN", "en"))
    assert chinese["version"] == english["version"] == "nanjing-2026.1"
    assert [one["code"] for one in chinese["levels"]] == ["red", "orange", "yellow", "blue"]
    assert chinese["statutory"][0]["question"] != english["statutory"][0]["question"]
    assert len(chinese["concerns"]) == 10
