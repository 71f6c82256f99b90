"""Lists over HTTP: looked through, started, followed; by whoever may, and by nobody else."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest
from openpyxl import load_workbook
from sqlalchemy import func, select, update

from api.imports import resuming
from cases import imports, registrar
from cases.people import member, organisation, post, student
from cases.posts import enlist
from cases.shelf import FolderShelf
from cases.store import Store
from tests.api import lists
from tests.api.door import Client, Door, door_of
from tests.town import SINCE


@pytest.fixture(scope="module")
def door(server: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    with server.scratch() as store, door_of(store) as made:
        made.house.office.shelf = FolderShelf(tmp_path_factory.mktemp("shelf"))
        with store.begin() as connection:
            place = made.town.places["school"]
            made.town.members["admin@school"] = enlist(connection, place, "admin@school", ["admin"], since=SINCE).id
        yield made


def send(client: Client, kind: str, content: bytes, **fields: str) -> Any:  # noqa: ANN401
    return client.post("/api/v1/imports", files={"file": ("list.xlsx", content)}, data={"kind": kind, **fields})


def on_the_shelf(door: Door) -> int:
    shelf = door.house.office.shelf
    assert shelf is not None
    return len(list(shelf.stock()))


def test_a_roster_is_looked_through_started_and_done(door: Door) -> None:
    client = door.client("counselor@school")
    content = lists.xlsx(lists.STUDENTS, *(lists.pupil(number) for number in range(1, 121)))
    looked = send(client, "students", content, school="T-school")
    assert looked.status_code == 200, looked.text
    said = looked.json()
    assert (said["state"], said["rows"], said["added"], said["ignored"]) == ("checked", 120, 120, ["性别"])
    with door.town.store.read() as connection:
        assert connection.scalar(select(func.count()).select_from(student)) == 0
    assert on_the_shelf(door) == 1
    where = f"/api/v1/imports/{said['id']}"
    assert client.get(where).json()["state"] == "checked"
    assert client.post(f"{where}/start").status_code == 202
    done = client.get(where).json()
    assert (done["state"], done["done"], done["added"]) == ("done", 120, 120)
    assert client.post(f"{where}/start").json()["state"] == "done"
    again = send(client, "students", content, school="T-school").json()
    assert (again["added"], again["changed"], again["same"]) == (0, 0, 120)
    assert [one["id"] for one in client.get("/api/v1/imports").json()["items"]][-1] == said["id"]


def test_every_faulty_cell_is_named_in_the_readers_language_and_nothing_is_kept(door: Door) -> None:
    before = on_the_shelf(door)
    content = lists.xlsx(
        lists.STUDENTS, lists.pupil(500, mentor="nobody", born="soon"), lists.pupil(501, community="x")
    )
    for language, wanted in (("zh_CN", "不是日期"), ("en", "no date")):
        client = door.client("counselor@school", language=language)
        said = send(client, "students", content, school="T-school").json()
        assert (said["state"], said["id"], said["fault_count"]) == ("faulty", None, 2)
        assert [(one["row"], one["column"], one["code"]) for one in said["faults"]] == [
            (2, "C", "not_a_date"),
            (3, "J", "no_such_place"),
        ]
        assert wanted in said["faults"][0]["message"]
    assert on_the_shelf(door) == before


@pytest.mark.parametrize("who", ["principal@school", "officer@street", "admin@district", "liaison@hospital"])
def test_a_roster_is_its_schools_affair(door: Door, who: str) -> None:
    content = lists.xlsx(lists.STUDENTS, lists.pupil(1))
    answer = send(door.client(who), "students", content, school="T-school")
    assert answer.status_code == 403
    assert answer.json()["code"] == "not_permitted"


def test_an_import_is_its_owners_alone(door: Door) -> None:
    content = lists.xlsx(lists.STUDENTS, lists.pupil(700))
    made = send(door.client("admin@school"), "students", content, school="T-school").json()
    other = door.client("counselor@school")
    assert other.get(f"/api/v1/imports/{made['id']}").status_code == 404
    assert other.post(f"/api/v1/imports/{made['id']}/start").status_code == 404
    assert door.stranger().get(f"/api/v1/imports/{made['id']}").status_code == 401


def test_an_admin_brings_in_what_is_below(door: Door) -> None:
    client = door.client("admin@district")
    content = lists.xlsx(
        lists.ORGANISATIONS,
        ["N-1", "街道", "新街道", "T-district", None, None, None],
        ["N-2", "学校", "新学校", "N-1", None, "T-hospital", "T-community"],
    )
    made = send(client, "organisations", content).json()
    assert made["added"] == 2, made
    client.post(f"/api/v1/imports/{made['id']}/start")
    people = lists.text(lists.MEMBERS, ["N-1", "王示例", "经办人", "13800000001", "", ""], encoding="gb18030")
    made = send(client, "members", people).json()
    client.post(f"/api/v1/imports/{made['id']}/start")
    with door.town.store.read() as connection:
        assert connection.scalar(select(func.count()).where(organisation.c.code.in_(["N-1", "N-2"]))) == 2
        assert connection.scalar(select(func.count()).where(member.c.name == "王示例")) == 1
    beyond = send(client, "organisations", lists.xlsx(lists.ORGANISATIONS, ["N-9", "街道", "越界街道", "T-district#2"]))
    assert [one["code"] for one in beyond.json()["faults"]] == ["out_of_reach"]


def left_lying(door: Door, numbers: range) -> str:
    """A roster that was started by a process which died at its first batch."""
    client = door.client("admin@school")
    content = lists.xlsx(lists.STUDENTS, *(lists.pupil(number) for number in numbers))
    where = f"/api/v1/imports/{send(client, 'students', content, school='T-school').json()['id']}"
    with door.house.writing() as session:
        imports.start(session.connection, int(where.rpartition("/")[2]), door.now)
    assert client.get(where).json()["state"] == "running"
    return where


def test_an_import_whose_process_died_is_taken_up_by_another(door: Door) -> None:
    where = left_lying(door, range(800, 840))
    # Whoever is at it is left alone.
    assert resuming.take_up(door.house) == 0
    door.wait(minutes=3)
    assert resuming.take_up(door.house) == 1
    done = door.client("admin@school").get(where).json()
    assert (done["state"], done["done"], done["added"]) == ("done", 40, 40)
    assert resuming.take_up(door.house) == 0


def test_nobody_goes_on_for_whoever_may_no_more(door: Door) -> None:
    where = left_lying(door, range(850, 860))
    mine = door.town.members["admin@school"]
    with door.town.store.begin() as connection:
        connection.execute(update(post).where(post.c.member_id == mine).values(role="mentor"))
        registrar.touch(connection)
    try:
        door.wait(minutes=3)
        assert resuming.take_up(door.house) == 1
        assert door.client("admin@school").get(where).json()["state"] == "checked"
        assert resuming.take_up(door.house) == 0
    finally:
        with door.town.store.begin() as connection:
            connection.execute(update(post).where(post.c.member_id == mine).values(role="admin"))
            registrar.touch(connection)


def test_a_file_that_was_cleared_away_ends_the_waiting(door: Door) -> None:
    where = left_lying(door, range(870, 880))
    shelf = door.house.office.shelf
    assert shelf is not None
    for address, _ in list(shelf.stock()):
        shelf.remove(address)
    door.wait(minutes=3)
    assert resuming.take_up(door.house) == 1
    assert door.client("admin@school").get(where).json()["state"] == "checked"


def test_what_is_no_list_is_a_problem_with_its_reason(door: Door) -> None:
    client = door.client("counselor@school")
    for content, code in (
        (b"PK\x03\x04broken", "table_damaged"),
        (b"\xd0\xcf\x11\xe0", "table_old_or_locked"),
        (b"", "table_empty"),
        ("一列\n1\n".encode(), "table_no_headings"),
    ):
        answer = send(client, "students", content, school="T-school")
        assert answer.status_code == 422
        (fault,) = answer.json()["faults"]
        assert (fault["field"], fault["code"]) == ("file", code)
        assert len(fault["message"]) > 5
    good = lists.xlsx(lists.STUDENTS, lists.pupil(1))
    assert send(client, "pets", good).json()["faults"][0]["field"] == "kind"
    assert send(client, "students", good).json()["faults"][0]["field"] == "school"
    assert send(client, "students", good, school="T-street").json()["faults"][0]["code"] == "no_organisation"


def test_a_template_is_filled_in_and_taken(door: Door) -> None:
    client = door.client("counselor@school")
    got = client.get("/api/v1/imports/templates/students")
    assert got.headers["content-disposition"].startswith("attachment")
    book = load_workbook(io.BytesIO(got.content))
    book.worksheets[0].append(["t-1", "李示例", "2016-11-02"])
    filled = io.BytesIO()
    book.save(filled)
    said = send(client, "students", filled.getvalue(), school="T-school").json()
    assert (said["state"], said["added"]) == ("checked", 1), said
