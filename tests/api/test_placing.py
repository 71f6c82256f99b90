"""Who registers which organisation where: by page, over REST and by a list it is one rule."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import func, select

from cases.people import organisation
from cases.posts import enlist
from cases.registrar import found
from cases.shelf import FolderShelf
from tests.api.door import Client, Door
from tests.api.lists import ORGANISATIONS, xlsx
from tests.town import SINCE

Way = Callable[[Door, Client, str, str, dict[str, str]], bool]


@pytest.fixture(autouse=True)
def _local_admins(door: Door, tmp_path: Path) -> None:
    door.house.office.shelf = FolderShelf(tmp_path)
    with door.town.store.begin() as connection:
        for name in ("justice", "street", "school", "education_bureau"):
            number = enlist(connection, door.town.places[name], f"admin@{name}", ["admin"], since=SINCE).id
            door.town.members[f"admin@{name}"] = number
        for name, parent in (("hospital#city", "city"), ("hospital#far", "district#2"), ("street#far", "district#2")):
            kind = name.partition("#")[0]
            door.town.places[name] = found(connection, f"T-{name}", kind, f"示例{name}", door.town.places[parent])


def by_rest(door: Door, client: Client, kind: str, parent: str, links: dict[str, str]) -> bool:
    numbers = {name: door.town.places[place].id for name, place in {"parent": parent, **links}.items()}
    answer = client.post("/api/v1/organisations", json={"code": "N-1", "kind": kind, "name": "新单位", **numbers})
    return bool(answer.status_code == 201)


def by_page(_: Door, client: Client, kind: str, parent: str, links: dict[str, str]) -> bool:
    typed = {"csrf": client.csrf, "code": "N-1", "kind": kind, "name": "新单位", "parent": f"T-{parent}"}
    answer = client.post("/admin/organisations", data={**typed, **{name: f"T-{one}" for name, one in links.items()}})
    return bool(answer.status_code == 303)


def by_list(_: Door, client: Client, kind: str, parent: str, links: dict[str, str]) -> bool:
    row = [
        "N-1",
        kind,
        "新单位",
        f"T-{parent}",
        *(links.get(one) and f"T-{links[one]}" for one in ("street", "hospital")),
    ]
    sent = {"file": ("list.xlsx", xlsx(ORGANISATIONS, [*row, None]))}
    looked = client.post("/api/v1/imports", files=sent, data={"kind": "organisations"}).json()
    if looked["state"] == "faulty":
        return False
    return bool(client.post(f"/api/v1/imports/{looked['id']}/start").status_code == 202)


@pytest.mark.parametrize("way", [by_rest, by_page, by_list])
@pytest.mark.parametrize(
    ("who", "kind", "parent", "links", "made"),
    [
        # A local admin would be called to other places' cases by what they register.
        ("admin@justice", "justice", "justice", {"street": "street"}, 0),
        ("admin@justice", "justice", "justice", {}, 0),
        ("admin@street", "police", "street", {}, 0),
        ("admin@street", "community", "street", {}, 0),
        ("admin@street", "school", "street", {}, 1),
        ("admin@education_bureau", "school", "education_bureau", {}, 1),
        ("admin@education_bureau", "school", "education_bureau", {"street": "street"}, 0),
        # A desk registers what lies in its district, and links to what lies there.
        ("admin@district", "police", "street", {}, 1),
        ("admin@district", "police", "police", {"street": "street#far"}, 0),
        ("admin@district", "police", "district#2", {}, 0),
        ("admin@district", "school", "street", {"hospital": "hospital#city"}, 1),
        ("admin@district", "school", "street", {"hospital": "hospital#far"}, 0),
        ("admin@district", "district", "city", {}, 0),
        ("admin@city", "district", "city", {}, 1),
        ("admin@city", "police", "district#2", {"street": "street"}, 1),
        # Nothing stands where its kind never does.
        ("admin@city", "police", "justice", {}, 0),
        ("admin@city", "school", "hospital", {}, 0),
        ("admin@city", "district", "district", {}, 0),
    ],
)
def test_whoever_links_to_it_administers_it_and_desks_register_whom_cases_call(
    door: Door,
    way: Way,
    who: str,
    kind: str,
    parent: str,
    links: dict[str, str],
    made: int,
) -> None:
    assert way(door, door.client(who), kind, parent, links) is bool(made)
    with door.town.store.read() as connection:
        assert connection.scalar(select(func.count()).where(organisation.c.code == "N-1")) == made


def test_a_local_admin_changes_nothing_by_a_list_that_says_whom_cases_call(door: Door) -> None:
    def faults(who: str, *row: str | None) -> list[tuple[str, str]]:
        sent = {"file": ("list.xlsx", xlsx(ORGANISATIONS, row))}
        looked = door.client(who).post("/api/v1/imports", files=sent, data={"kind": "organisations"}).json()
        return [(one["column"], one["code"]) for one in looked["faults"]]

    same = ("T-justice", "justice", "示例justice", "T-district", None, None, None)
    assert faults("admin@justice", *same) == []
    assert faults("admin@justice", "T-justice", "justice", "派出所", None, None, None, None) == [("B", "needs_desk")]
    assert faults("admin@justice", *same[:4], "T-street", None, None) == [("E", "out_of_reach")]
    assert faults("admin@school", "T-school", "school", "改名小学", None, None, None, None) == []
    assert faults("admin@school", "T-school", "school", "示例school", None, "T-street#2", None, None) == [
        ("E", "out_of_reach")
    ]


def test_a_districts_admin_brings_in_more_than_one_batch(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cases.imports.BATCH", 1)
    rows = [
        ["N-1", "街道", "新街道", "T-district", None, None, None],
        ["N-2", "社区", "新社区", "N-1", None, None, None],
        ["N-3", "police", "新派出所", "T-police", "N-1", None, None],
    ]
    client = door.client("admin@district")
    sent = {"file": ("list.xlsx", xlsx(ORGANISATIONS, *rows))}
    looked = client.post("/api/v1/imports", files=sent, data={"kind": "organisations"}).json()
    where = f"/api/v1/imports/{looked['id']}"
    client.post(f"{where}/start")
    assert client.get(where).json()["state"] == "done"
