"""What every page of ours does alike: the language keeps the place, lists go on to their end, tables say it all."""

from __future__ import annotations

import io
import re

import pytest
from openpyxl import load_workbook

import api.pages.board as board_page
from api.pages import dispatch
from api.pages.admin import places
from cases import looked, posts
from tests.api.door import Client, Door
from tests.town import SINCE


def language(page: str) -> str:
    """Where the link to the other language leads."""
    found = re.search(r'href="(/language/[^"]+)"', page)
    assert found is not None
    return found[1]


def after_switching(client: Client, page: str) -> str:
    """The address at which one is once the language was switched."""
    return str(client.get(language(page)).headers["location"])


@pytest.mark.parametrize(
    "address",
    ["/board?tile=overdue&level=red", "/statistics?from=2026-01&to=2026-03", "/supervision?state=all", "/inbox"],
)
def test_the_other_language_keeps_filters_and_place(door: Door, address: str) -> None:
    client = door.client("supervisor@district", "en")
    assert after_switching(client, client.get(address).text) == address


def test_after_a_faulty_form_the_other_language_leads_to_a_page_that_there_is(door: Door) -> None:
    number = door.town.whistle().case.number
    admin, coordinator = door.client("admin@district", "en"), door.client("coordinator@district", "en")
    street = door.town.places["street"].id
    for client, address in (
        (admin, f"/admin/organisations/{street}/members"),
        (admin, f"/admin/members/{door.member('officer@street')}/retire"),
        (coordinator, f"/cases/{number}/identity"),
        (coordinator, f"/cases/{number}/tracks/0/regrade"),
    ):
        faulty = client.post(address, data={"csrf": client.csrf})
        assert faulty.status_code == 422, address
        there = after_switching(client, faulty.text)
        assert there.startswith(address.rpartition("/")[0])
        assert client.get(there).status_code == 200


def test_short_cuts_that_were_switched_off_are_off_on_every_page(door: Door) -> None:
    client = door.client("officer@street", "en")
    assert "data-keys" not in client.get("/inbox").text
    client.post("/settings", data={"csrf": client.csrf, "language": "en"})
    assert 'data-keys="off"' in client.get("/inbox").text
    client.post("/settings", data={"csrf": client.csrf, "language": "en", "keys": "on"})
    assert "data-keys" not in client.get("/inbox").text


def test_a_group_of_the_desk_is_read_to_its_end(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "MANY", 2)
    numbers = {door.town.whistle(at=door.now).case.number for _ in range(5)}
    client = door.client("coordinator@district", "en")
    address, found, pages = "/desk?group=new", [], 0
    while address:
        page = client.get(address).text
        # Every page says the same total.
        assert re.search(r'group=new"[^>]*>New cases 5<', page)
        found += re.findall(r'class="ttl" href="/cases/([^"]+)"', page)
        following = re.search(r'href="(/desk\?group=new&amp;after=[^"]+)"', page)
        address = following[1].replace("&amp;", "&") if following else ""
        pages += 1
    assert (pages, len(found), set(found)) == (3, 5, numbers)
    assert client.get("/desk?group=new&after=yesterday").status_code == 422


def test_all_members_of_an_organisation_are_reached_and_any_officer_can_be_put_on_duty(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "ON_A_PAGE", 2)
    street = door.town.places["street"]
    with door.town.store.begin() as connection:
        for name in ("甲", "乙", "丙", "丁"):
            posts.enlist(connection, street, name, ["officer"], since=SINCE)
    client = door.client("admin@district", "en")
    first = address = f"/admin/organisations/{street.id}"
    names: list[str] = []
    while address:
        page = client.get(address).text
        names += re.findall(r'href="/admin/members/\d+" data-walk>([^<]+)<', page)
        following = re.search(rf'href="({first}\?after=[^"]+)"', page)
        address = following[1] if following else ""
        assert all(f">{one}</option>" in page for one in "甲乙丙丁")
    assert set("甲乙丙丁") <= set(names)
    assert len(names) == len(set(names))


def test_the_table_to_take_home_is_whole(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(3):
        door.town.whistle(at=door.now)
    door.wait(hours=3)
    door.town.run_until(door.now)
    client = door.client("coordinator@district")

    def lines() -> list[tuple[object, ...]]:
        sheet = load_workbook(io.BytesIO(client.get("/board.xlsx").content)).active
        assert sheet is not None
        return list(sheet.iter_rows(values_only=True))

    whole = lines()
    monkeypatch.setattr(board_page, "MOST", 2)
    assert len(whole) > 3
    assert lines() == whole


def test_who_has_looked_is_told_to_the_end_and_the_school_finds_the_log(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = door.town.whistle().case.number
    for who in ("counselor@school", "principal@school", "officer@street", "coordinator@district"):
        door.wait(minutes=1)
        assert door.client(who).get(f"/cases/{number}").status_code == 200
    school, street = door.client("counselor@school", "en"), door.client("officer@street", "en")
    assert f'href="/admin/log?number={number}"' in school.get(f"/cases/{number}").text
    assert school.get(f"/admin/log?number={number}").status_code == 200
    assert "/admin/log" not in street.get(f"/cases/{number}").text
    real = looked.looks
    monkeypatch.setattr(looked, "looks", lambda *given, **more: real(*given, **{**more, "most": 2}))
    page = street.get(f"/cases/{number}").text
    seen: list[str] = []
    following: re.Match[str] | None = None
    for _ in range(20):
        seen += re.findall(r"<td>([\w@]+)<span class=\"sub\">", page)
        following = re.search(r'href="(/cases/[^"]+/looks\?before=[^"]+)"', page)
        if following is None:
            break
        page = street.get(following[1]).text
    assert {"counselor@school", "principal@school", "officer@street", "coordinator@district"} <= set(seen)
    assert following is None


def test_the_case_page_leads_to_its_own_states_and_stands_in_the_order_of_the_contract(door: Door) -> None:
    number = door.town.whistle().case.number
    client = door.client("counselor@school", "en")
    page = client.get(f"/cases/{number}").text
    assert f'href="/cases/{number}/tracks/0"' in page
    places = [page.index(f'aria-labelledby="{one}"') for one in ("tk", "tl", "fi", "lo")]
    assert places == sorted(places)
    assert "/diagram.svg" in client.get(f"/cases/{number}/tracks/0").text
