"""Lists show exactly what their reader may see, a page at a time, in two queries however many lines."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from sqlalchemy import event, select

from cases import access, listing, loading
from cases.office import Session
from cases.records import case
from cases.store import Store
from tests.api.door import Client, Door, door_of
from tests.town import STUDENT, book, minutes

CASES = "/api/v1/cases"


@pytest.fixture(scope="module")
def door(server: Store) -> Iterator[Door]:
    """A town with eleven cases of every kind: two of them closed to their called by now, one a draft."""
    with server.scratch() as fresh, door_of(fresh) as opened:
        town, at = opened.town, opened.now
        for place in range(4):
            town.whistle(at + minutes(place), level="red" if place % 2 else "orange")
        for place in range(3):
            town.whistle(at + minutes(10 + place), concern="bullying", level="orange", who="principal@school")
        form = {"concern": "dropout", "level": "blue", "summary": "absent", "student": STUDENT}
        town.fire("mentor@school", None, 0, "submit", form, at + minutes(20))
        town.fire("counselor@school", None, 0, "save_draft", {"student": STUDENT}, at + minutes(21))
        gone = town.whistle(at + minutes(22), concern="left_behind").case.number
        town.fire("counselor@school", gone, 0, "withdraw", {"reason": "a mistake"}, at + minutes(23))
        town.whistle(at + minutes(24), concern="mental_illness")
        opened.now = at + timedelta(hours=2)
        yield opened


def walked(client: Client, address: str) -> list[str]:
    """The numbers of a list, walked by its own links to the end."""
    found: list[str] = []
    while True:
        page = client.get(address)
        assert page.status_code == 200, page.text
        found += [line["number"] for line in page.json()["items"]]
        following = page.json()["next"]
        if following is None:
            return found
        assert page.headers["link"] == f'<{following}>; rel="next"'
        address = following


def test_every_member_lists_exactly_the_cases_that_sees_lets_them_see(door: Door) -> None:
    seen_by_anybody = set()
    for who, number in door.town.members.items():
        with door.town.store.read() as connection:
            session = Session(connection, door.town.office)
            actor = session.office.directory.actor(session.connection, number, door.now)
            ids = list(session.connection.scalars(select(case.c.id)))
            files = loading.one_by_one(session, ids, lock=False)
            mine = {one.number for one in files if not access.sees(actor, one, book(), door.now).nothing}
        assert set(walked(door.client(who), f"{CASES}?limit=100")) == mine, who
        seen_by_anybody |= mine
    assert len(seen_by_anybody) == 11


@pytest.mark.parametrize("sort", listing.SORTS)
@pytest.mark.parametrize("limit", [1, 3, 100])
def test_pages_by_cursor_name_every_case_once_in_the_order_of_their_sort(door: Door, sort: str, limit: int) -> None:
    client = door.client("coordinator@district")
    whole = client.get(CASES, params={"sort": sort, "limit": 100}).json()["items"]
    assert walked(client, f"{CASES}?sort={sort}&limit={limit}") == [line["number"] for line in whole]
    assert len({line["number"] for line in whole}) == 11
    keys = {
        "opened": [line["opened"] for line in whole],
        "-opened": [line["opened"] for line in whole][::-1],
        "-changed": [line["changed"] for line in whole][::-1],
        "due": [line["due"] or "9" for line in whole],
        "level": [("red", "orange", "yellow", "blue").index(line["level"]) for line in whole],
    }[sort]
    assert keys == sorted(keys)


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"state": "draft"}, 1),
        ({"state": ["draft", "withdrawn"]}, 2),
        ({"level": "orange"}, 5),
        ({"concern": "bullying"}, 3),
        ({"concern": "bullying", "level": "red"}, 0),
        ({"text": "000003"}, 1),
        ({"text": "wh-2026"}, 11),
        ({"text": "wh-2027"}, 0),
        ({"opened_from": "2026-03-17", "opened_to": "2026-03-17"}, 11),
        ({"opened_from": "2026-03-18"}, 0),
        ({"opened_to": "2026-03-16"}, 0),
    ],
)
def test_a_list_is_narrowed_by_its_filters(door: Door, filters: dict[str, str], expected: int) -> None:
    client = door.client("coordinator@district")
    assert len(client.get(CASES, params={**filters, "limit": 100}).json()["items"]) == expected
    counted = client.get("/api/v1/statistics", params=filters).json()
    assert counted["cases"] == sum(one["cases"] for one in counted["by"]) == expected


def test_places_overdue_and_mine_narrow_too(door: Door) -> None:
    client = door.client("coordinator@district")
    places = door.town.places

    def count(**filters: object) -> int:
        return len(client.get(CASES, params={**filters, "limit": 100}).json()["items"])

    assert count(school=places["school"].id) == count(district=places["district"].id) == 11
    assert count(school=places["street"].id) == count(district=places["district#2"].id) == 0
    assert count(organisation=places["womens_federation"].id) == 4
    late, on_time = count(overdue=True), count(overdue=False)
    assert late == 3, "the red ones"
    assert late + on_time == 11
    statistics = client.get("/api/v1/statistics").json()
    assert (statistics["cases"], statistics["overdue"]) == (11, late)
    whistled = door.client("principal@school").get(CASES, params={"mine": True}).json()["items"]
    assert {line["concern"] for line in whistled} == {"bullying"}
    assert len(door.client("officer@police").get(CASES, params={"mine": True, "limit": 100}).json()["items"]) >= 4


def test_a_case_says_when_it_is_due_and_how_much_is_overdue(door: Door) -> None:
    orange, red = door.client("principal@school").get(CASES, params={"sort": "opened", "limit": 2}).json()["items"]
    assert (datetime.fromisoformat(orange["due"]), orange["overdue"]) == (door.now, 0), "not over before it has passed"
    assert datetime.fromisoformat(red["due"]) < door.now
    assert red["overdue"] >= 3
    assert red["school_name"] == "示例school"


@pytest.mark.parametrize(
    "cursor", ["x", "W10", "bm90IGpzb24", "WyItb3BlbmVkIiwxLDJd", "A" * 200, "WyJkdWUiLG51bGwsMV0"]
)
def test_a_cursor_that_no_list_gave_out_is_a_fault_of_the_field(door: Door, cursor: str) -> None:
    answer = door.client("counselor@school", "en").get(CASES, params={"cursor": cursor})
    assert answer.status_code == 422
    assert [one["field"] for one in answer.json()["faults"]] == ["cursor"]


@pytest.mark.parametrize("address", [CASES, "/api/v1/assignments", "/api/v1/statistics", "/api/v1/members"])
def test_a_page_costs_the_same_few_queries_however_many_lines(door: Door, address: str) -> None:
    client = door.client("coordinator@district")
    client.get(address)
    counts = []
    for limit in (1, 100):
        asked: list[str] = []

        def note(_c: object, _k: object, statement: str, *_rest: object, asked: list[str] = asked) -> None:
            asked.append(statement)

        engine = door.house.store._engine
        event.listen(engine, "before_cursor_execute", note)
        try:
            assert client.get(address, params={"limit": limit}).status_code == 200
        finally:
            event.remove(engine, "before_cursor_execute", note)
        counts.append(len(asked))
    # What district and school are assessed by is read from six tables of tallies.
    assert counts[0] == counts[1] <= (7 if address.endswith("statistics") else 3)


@pytest.mark.parametrize("kind", ["assignments", "check-ins", "conferences", "action-items", "supervision-orders"])
def test_tracks_are_listed_over_all_cases_that_the_reader_sees(door: Door, kind: str) -> None:
    mine = set(walked(door.client("officer@police"), f"{CASES}?limit=100"))
    items = door.client("officer@police").get(f"/api/v1/{kind}", params={"limit": 100}).json()["items"]
    assert {one["number"] for one in items} <= mine
    if kind == "assignments":
        assert len(items) > len(mine)
        own = door.town.places["police"].id
        narrowed = door.client("officer@police").get(
            f"/api/v1/{kind}", params={"organisation": own, "state": "summoned", "limit": 1}
        )
        assert [one["organisation"] for one in narrowed.json()["items"]] == [own]
        assert narrowed.json()["next"] is not None
    assert door.client("officer@street#2").get(f"/api/v1/{kind}").json()["items"] == []


def test_a_version_that_grants_sight_in_its_own_way_is_asked_for_its_own_cases_alone(door: Door) -> None:
    with door.town.store.read() as connection:
        session = Session(connection, door.town.office)
        actor = session.office.directory.actor(connection, door.member("counselor@school"), door.now)
        condition = listing.seen(session, actor, door.now)
        found = list(session.connection.scalars(select(case.c.id).where(condition)))
    assert len(found) == 11
