"""Whatever is sent that isn't right is a problem that names it, and nothing of it is half written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from cases.store import Store
from tests.api.door import Client, Door, door_of
from tests.api.rest.cast import events_of
from tests.town import STUDENT, WHISTLE

CASES = "/api/v1/cases"


@pytest.fixture(scope="module")
def door(server: Store) -> Iterator[Door]:
    with server.scratch() as fresh, door_of(fresh) as opened:
        yield opened


@pytest.fixture(scope="module")
def counselor(door: Door) -> Client:
    return door.client("counselor@school", "en")


@pytest.fixture(scope="module")
def street(door: Door) -> Client:
    return door.token("officer@street", "cases:write")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "trigger"),
        ({"trigger": "close"}, "trigger"),
        ({"trigger": ["whistle"]}, "trigger"),
        ({"trigger": "whistle"}, "student"),
        ({"trigger": "whistle", **WHISTLE, "level": "pink"}, "level"),
        ({"trigger": "whistle", **WHISTLE, "student": {**STUDENT, "born": "2016-13-01"}}, "student.born"),
        ({"trigger": "whistle", **WHISTLE, "student": {**STUDENT, "born": 1}}, "student.born"),
        ({"trigger": "whistle", **WHISTLE, "summary": 7}, "summary"),
        ({"trigger": "whistle", **WHISTLE, "summary": "a\0b"}, "summary"),
        (
            {"trigger": "whistle", **WHISTLE, "student": {**STUDENT, "guardians": [{"a\0": "b"}]}},
            "student.guardians.0.a",
        ),
        ({"trigger": "whistle", **WHISTLE, "school": 2**63}, "school"),
        ({"trigger": "whistle", **WHISTLE, "evidence": "photo.jpg"}, "evidence"),
        ({"trigger": "whistle", **WHISTLE, "more": 1}, "more"),
        ({"trigger": "whistle", **WHISTLE, "school": True}, "school"),
    ],
)
def test_a_faulty_field_is_named_and_nothing_is_half_written(
    door: Door, counselor: Client, body: dict[str, Any], field: str
) -> None:
    before = events_of(door)
    answer = counselor.post(CASES, json=body)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert field in {one["field"] for one in answer.json()["faults"]}
    assert all(one["message"] for one in answer.json()["faults"])
    assert events_of(door) == before


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b'{"trigger": NaN}', "application/json", 400),
        (b'{"trigger": "\\ud800"}', "application/json", 400),
        ('{"trigger": "哨"}'.encode("gb18030"), "application/json", 400),
        ('{"trigger": "whistle"}'.encode("utf-16"), "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b"[]", "application/json", 422),
        (b'"whistle"', "application/json", 422),
        (b"trigger=whistle", "application/x-www-form-urlencoded", 415),
        (b"trigger: whistle", "text/yaml", 415),
        (b'{"summary": "' + b"x" * 1_100_000 + b'"}', "application/json", 413),
    ],
)
def test_a_body_that_is_no_json_is_refused_as_what_it_is(
    door: Door, counselor: Client, content: bytes, kind: str, status: int
) -> None:
    before = events_of(door)
    answer = counselor.post(CASES, content=content, headers={"content-type": kind})
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["title"]
    assert events_of(door) == before


@pytest.mark.parametrize(
    "address",
    [
        "/cases/whistle", "/cases/%00", "/cases/WH-2026-0000001x", "/cases/WH-2026-000001/tracks/-1",
        "/cases/WH-2026-000001/tracks/99999", "/cases/WH-2026-000001/tracks/one", "/cases/WH-2026-000001/clocks/0/why",
        "/cases/WH-2026-000001/sections/secret?purpose=x", "/cases/WH-2026-000001/sections/identity",
        "/cases/WH-2026-000001/sections/identity?purpose=%20", "/cases/WH-2026-000001/timeline?after=-1",
        "/cases?limit=0", "/cases?limit=101", "/cases?sort=name", "/cases?opened_from=yesterday", "/cases?state=lost",
        "/cases?school=99999999999999999999", "/cases?text=%25", "/organisations/0", "/organisations?kind=pub",
        "/members/9223372036854775808", "/audit?number=1", "/messages?cursor=%00",
    ],
)  # fmt: skip
def test_a_faulty_address_is_a_problem_and_never_a_crash(counselor: Client, address: str) -> None:
    answer = counselor.get(f"/api/v1{address}")
    assert answer.status_code in {404, 422}, address
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("school", [2**63 - 1, 2**63, 2**64 - 1, 2**80, 0, -1])
def test_a_number_that_no_school_can_have_is_told_as_the_faulty_field(door: Door, school: int) -> None:
    answer = door.client("coordinator@district").post(CASES, json={"trigger": "whistle", **WHISTLE, "school": school})
    assert (answer.status_code, [one["field"] for one in answer.json()["faults"]]) == (422, ["school"])


@pytest.mark.parametrize("sign", ["\0", "\x1b", "a\0b"])
def test_what_a_section_is_opened_for_has_no_control_characters(door: Door, counselor: Client, sign: str) -> None:
    number = door.town.whistle().case.number
    opened = counselor.get(f"{CASES}/{number}/sections/identity", params={"purpose": sign})
    sought = counselor.post("/api/v1/search", json={"name": STUDENT["name"], "purpose": sign})
    for answer in (opened, sought):
        assert (answer.status_code, [one["field"] for one in answer.json()["faults"]]) == (422, ["purpose"])


def test_a_case_is_merged_into_nothing_but_a_number(door: Door) -> None:
    number = door.town.whistle().case.number
    merging = {"into": "\0", "reason": "x"}
    answer = door.client("coordinator@district").post(f"{CASES}/{number}/case/merge", json=merging)
    assert (answer.status_code, [one["field"] for one in answer.json()["faults"]]) == (422, ["into"])


@pytest.mark.parametrize(
    "charset", ["undefined", "punycode", "utf-7", "raw_unicode_escape", "unicode_escape", "gb18030"]
)
def test_a_form_in_a_charset_that_browsers_dont_send_is_a_problem(counselor: Client, charset: str) -> None:
    kind = {"content-type": f"multipart/form-data; boundary=x; charset={charset}"}
    part = b'--x\r\nContent-Disposition: form-data; name="school"\r\n\r\n\\ud800+2AA-\r\n--x--\r\n'
    answer = counselor.post("/api/v1/imports", content=part, headers=kind)
    assert (answer.status_code, answer.json()["code"]) == (415, "wrong_type")


def test_a_school_is_named_in_a_list_without_nul(counselor: Client) -> None:
    sent = {"file": ("a.csv", b"name,born\n")}
    answer = counselor.post("/api/v1/imports", files=sent, data={"kind": "students", "school": "a\0b"})
    assert (answer.status_code, [one["field"] for one in answer.json()["faults"]]) == (422, ["school"])


@pytest.mark.parametrize("header", ["Idempotency-Key", "If-Match", "Accept-Language", "X-Request-Id", "Cookie"])
@pytest.mark.parametrize("value", [b"", b" ", b"\xff\xfe", "哨".encode(), b"x" * 5000, b'"1", "2"', b"*;q=zero"])
def test_a_strange_header_is_never_a_crash(door: Door, street: Client, header: str, value: bytes) -> None:
    number = door.town.whistle().case.number
    before = events_of(door)
    answer = street.post(f"{CASES}/{number}/assignment/1/acknowledge", headers={header: value})
    assert answer.status_code in {200, 412, 422}
    assert events_of(door) == before + (answer.status_code == 200)
