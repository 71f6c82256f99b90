"""Who may give and end posts, that nobody gives themselves one, and that the auditor reads who did."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cases.posts import appoint, enlist
from cases.shelf import FolderShelf
from tests.api.door import Door
from tests.api.lists import MEMBERS, xlsx
from tests.town import SINCE

API = "/api/v1"


def log(door: Door, who: str = "auditor@district") -> list[tuple[Any, ...]]:
    items = door.client(who).get(f"{API}/audit/posts").json()["items"]
    return [(one["what"], one["by_name"], one["name"], one["role"], one["place"], one["day"]) for one in items]


def admin_of(door: Door, place: str) -> int:
    with door.town.store.begin() as connection:
        return enlist(connection, door.town.places[place], f"admin@{place}", ["admin"], since=SINCE).id


def test_an_admin_gives_themselves_no_post_by_any_way(door: Door, tmp_path: Path) -> None:
    door.house.office.shelf = FolderShelf(tmp_path)
    number = admin_of(door, "school")
    case = door.town.whistle().case.number
    mine = door.client(number)
    body = {"role": "counselor", "organisation": door.town.places["school"].id, "since": "2020-01-01"}
    assert mine.post(f"{API}/members/{number}/posts", json=body).status_code == 403
    typed = {"csrf": mine.csrf, "role": "counselor", "organisation": "T-school", "since": "2020-01-01"}
    assert mine.post(f"/admin/members/{number}/posts", data=typed).status_code == 403
    rows = xlsx(MEMBERS, ["T-school", "admin@school", "counselor", None, None, None])
    looked = mine.post(f"{API}/imports", files={"file": ("list.xlsx", rows)}, data={"kind": "members"}).json()
    assert [one["code"] for one in looked["faults"]] == ["own_post"]
    assert mine.get(f"{API}/cases/{case}").status_code == 404
    assert log(door) == []
    # Another admin may.
    assert door.client("admin@district").post(f"{API}/members/{number}/posts", json=body).status_code == 201
    assert mine.get(f"{API}/cases/{case}").status_code == 200


def test_every_change_of_a_post_stands_where_the_auditor_reads_it(door: Door, tmp_path: Path) -> None:
    door.house.office.shelf = FolderShelf(tmp_path)
    admin, street = door.client("admin@district"), door.town.places["street"].id
    body = {"organisation": street, "name": "周老师", "posts": ["officer"], "since": "2026-03-01"}
    number = admin.post(f"{API}/members", json=body).json()["id"]
    lead = {"role": "lead", "organisation": street, "since": "2026-03-02"}
    assert admin.post(f"{API}/members/{number}/posts", json=lead).status_code == 201
    ended = {"role": "lead", "organisation": street, "until": "2026-03-16"}
    assert admin.post(f"{API}/members/{number}/posts/end", json=ended).status_code == 200
    rows = xlsx(MEMBERS, ["T-street", "周老师", "lead", None, None, None])
    looked = admin.post(f"{API}/imports", files={"file": ("list.xlsx", rows)}, data={"kind": "members"}).json()
    assert admin.post(f"{API}/imports/{looked['id']}/start").status_code == 202
    page = {"csrf": admin.csrf, "sure": "on"}
    assert admin.post(f"/admin/members/{number}/retire", data=page).status_code == 303
    by, who, place = "admin@district", "周老师", "示例street"
    assert (
        log(door)
        == log(door, "auditor@city")
        == [
            ("retired", by, who, None, place, None),
            ("appointed", by, who, "lead", place, "2026-03-17"),
            ("ended", by, who, "lead", place, "2026-03-16"),
            ("appointed", by, who, "lead", place, "2026-03-02"),
            ("appointed", by, who, "officer", place, "2026-03-01"),
        ]
    )
    shown = door.client("auditor@district").get("/admin/log").text
    assert "任免记录" in shown
    assert "周老师" in shown
    assert log(door, "auditor@district#2") == []
    for stranger in ("counselor@school", "admin@district"):
        assert door.client(stranger).get(f"{API}/audit/posts").status_code == 403
    assert "任免记录" not in door.client("counselor@school").get("/admin/log").text


def test_new_eyes_are_told_to_the_principal_and_the_auditors_and_other_posts_to_nobody(door: Door) -> None:
    admin, school = door.client("admin@district"), door.town.places["school"].id

    def told(who: str) -> str:
        return str(door.client(who).get("/inbox").text)

    for role in ("mentor", "counselor"):
        body = {"organisation": school, "name": "周老师", "posts": [role], "since": "2026-03-01"}
        assert admin.post(f"{API}/members", json=body).status_code == 201
    for who in ("principal@school", "auditor@district", "auditor@city"):
        assert "有人获任" in told(who), who
        assert "心理教师 · 示例school" in told(who), who
        assert "周老师" not in told(who), who
        assert len(door.client(who).get(f"{API}/messages").json()["items"]) == 1
    for who in ("lead@street", "auditor@district#2", "admin@district", "counselor@school"):
        assert "有人获任" not in told(who), who


@pytest.mark.parametrize("way", ["delete", "appoint", "end", "page"])
def test_whoever_holds_a_post_further_up_is_not_a_local_admins(door: Door, way: str) -> None:
    me = door.client(admin_of(door, "justice"))
    with door.town.store.begin() as connection:
        above = enlist(connection, door.town.places["justice"], "市督导员", ["officer"], since=SINCE).id
        appoint(connection, above, "supervisor", door.town.places["city"], since=SINCE)
    theirs, place = door.client(above), door.town.places["justice"].id
    answer = {
        "delete": lambda: me.delete(f"{API}/members/{above}"),
        "appoint": lambda: me.post(
            f"{API}/members/{above}/posts", json={"role": "lead", "organisation": place, "since": "2026-03-01"}
        ),
        "end": lambda: me.post(
            f"{API}/members/{above}/posts/end", json={"role": "officer", "organisation": place, "until": "2026-03-01"}
        ),
        "page": lambda: me.post(f"/admin/members/{above}/retire", data={"sure": "on", "csrf": me.csrf}),
    }[way]()
    assert answer.status_code == 404
    assert theirs.get(f"{API}/me").status_code == 200
    assert log(door) == []


def test_whoever_is_retired_over_rest_is_signed_out_for_good(door: Door) -> None:
    number = door.member("officer@street")
    browser, system = door.client(number), door.token(number, "cases:read")
    assert system.get(f"{API}/cases").status_code == 200
    assert door.client("admin@district").delete(f"{API}/members/{number}").status_code == 200
    with door.town.store.read() as connection:
        from cases import standing

        assert standing.visits(connection, number, door.now) == []
        assert all(one.revoked_at is not None for one in standing.tokens(connection, number))
    assert browser.get(f"{API}/me").status_code == 401
    assert system.get(f"{API}/cases").status_code == 401
