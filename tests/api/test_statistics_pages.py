"""统计: a small town counted by hand, as a supervisor, an auditor, a principal and a system read it."""

from __future__ import annotations

import html
import io
import json
import re
from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from openpyxl import load_workbook
from sqlalchemy import event

from cases import tallies
from cases.indicators import INDICATORS
from cases.store import Store
from tests.api.door import Client, Door, door_at
from tests.told_town import NOW, a_told_town

ZONE = ZoneInfo("Asia/Shanghai")
MARCH = "from=2026-03&to=2026-03"
BY_HAND = {
    "Whistles per 1,000": "1,000.00", "Acknowledged in time": "87.5%", "Reported in in time": "93.8%",
    "Feedback in time": "87.5%", "Settled in time": "80.0%", "Response rate": "100.0%", "Resolution rate": "87.5%",
    "Whistlers’ score": "4.20", "Families satisfied": "&lt;5", "Orders per 100": "18.8",
    "First contact in time": "71.4%", "Back within 90 days": "&lt;5", "Relapsed within 90 days": "&lt;5",
    "Check-ins complete": "3.0%",
}  # fmt: skip
"""The figures that `tests.cases.test_tallies` counts, as they are written."""


@pytest.fixture(scope="module")
def told(server: Store) -> Iterator[Door]:
    with door_at(server) as door:
        a_told_town(door.town)
        tallies.refresh(door.town.store, ZONE, NOW)
        door.now = NOW
        yield door


def tiles(page: str) -> dict[str, str]:
    found = re.findall(r'class="kpi k-primary".*?><span>(.*?)</span><b>(.*?)</b>', page)
    return dict(found)


def links(page: str) -> dict[str, str]:
    """Where each tile leads."""
    found = re.findall(r'<a class="kpi k-primary" href="([^"]+)"><span>(.*?)</span>', page)
    return {name: html.unescape(href) for href, name in found}


def line(page: str, name: str) -> list[str]:
    """The figures of one line of a table, without how many they rest on."""
    row = re.search(rf'<th scope="row"><a [^>]*>{name}</a>.*?</tr>', page, re.DOTALL)
    assert row is not None, name
    cells = re.findall(r'<td class="num">(.*?)</td>', row[0], re.DOTALL)
    return [re.sub(r"<span.*?</span>|<[^>]+>", "", one).strip() for one in cells]


def listed(client: Client, address: str) -> int:
    """How many rows a list has, all pages together."""
    count = 0
    while address:
        page = client.get(address)
        assert page.status_code == 200, page.text
        count += len(re.findall(r'<tr><td class="text-nowrap"><a href="/cases/', page.text))
        following = re.search(r'<a class="btn btn-outline-secondary ms-auto" href="([^"]+)"', page.text)
        address = html.unescape(following[1]) if following else ""
    return count


def drawn(page: str) -> dict[str, Any]:
    """What each chart is drawn from, by its kind."""
    found = [json.loads(html.unescape(one)) for one in re.findall(r'data-chart="([^"]+)"', page)]
    return {one["kind"]: one for one in found}


@pytest.mark.parametrize("who", ["supervisor@district", "supervisor@city", "principal@school", "auditor@district"])
def test_the_figures_are_those_that_one_counts_by_hand(told: Door, who: str) -> None:
    page = told.client(who, "en").get(f"/statistics?{MARCH}").text
    assert tiles(page) == BY_HAND
    assert "counted at" in page


def test_each_figure_leads_to_a_list_of_as_many(told: Door) -> None:
    client = told.client("supervisor@district", "en")
    page = client.get(f"/statistics?{MARCH}").text
    rests = dict(re.findall(r"<span>([^<]*)</span><b>[^<]*</b><small>(?:of )?(\d+)", page))
    found = {name: listed(client, href) for name, href in links(page).items()}
    orders = found.pop("Orders per 100")
    assert orders == 16 + 3, "the assignments, and the orders about them"
    assert found == {name: int(count) for name, count in rests.items() if name != "Orders per 100"}
    assert set(BY_HAND) - set(found) == {
        "Families satisfied", "Back within 90 days", "Relapsed within 90 days", "Orders per 100",
    }  # fmt: skip
    assert listed(client, links(page)["Acknowledged in time"] + "&part=no") == 2


def test_an_auditor_reads_figures_and_no_list(told: Door) -> None:
    client = told.client("auditor@district", "en")
    page = client.get(f"/statistics?{MARCH}").text
    assert links(page) == {}
    assert "/statistics/cases" not in page
    assert client.get(f"/statistics/cases?{MARCH}&of=acknowledge").status_code == 403


def test_months_districts_and_organisations_stand_in_tables_and_charts_alike(told: Door) -> None:
    client = told.client("supervisor@city", "en")
    page = client.get("/statistics?from=2026-02&to=2026-04").text
    assert line(page, "2026-03")[1:3] == ["87.5%", "93.8%"]
    assert line(page, "2026-02") == ["–"] * len(INDICATORS)
    assert line(page, "示例district")[1] == "87.5%"
    district = told.town.places["district"].id
    assert f'href="/statistics?from=2026-02&amp;to=2026-04&amp;place={district}"' in page
    below = client.get(f"/statistics?{MARCH}&place={district}&kind=street&by=acknowledge").text
    assert line(below, "示例street")[1] == "81.8%"
    assert line(below, "示例street")[-1] == "4 h", "the median until somebody came"
    assert "示例civil_affairs</a>" not in below
    bars = drawn(below)["bars"]
    assert (bars["labels"], bars["series"][0]["values"]) == (["示例street"], [81.8])
    lines = drawn(page)["lines"]
    assert lines["labels"] == ["2026-02", "2026-03", "2026-04"]
    assert lines["series"][0] == {"name": "Acknowledged in time", "values": [None, 87.5, None]}
    street = told.town.places["street"].id
    about = client.get(f"/statistics?{MARCH}&place={district}&organisation={street}").text
    assert tiles(about)["Acknowledged in time"] == "81.8%"
    assert listed(client, links(about)["Acknowledged in time"]) == 11


def test_times_and_the_heat_map_stand_in_tables(told: Door) -> None:
    page = told.client("supervisor@district", "en").get(f"/statistics?{MARCH}").text
    row = re.search(r'<th scope="row">Acknowledging</th>(.*?)</tr>', page)
    assert row is not None
    assert re.findall(r'<td class="num">(.*?)</td>', row[1]) == ["16", "1 h", "1 h", "2 h 30 min"]
    assert drawn(page)["log"]["series"][0]["values"][0] == 60
    hours = re.search(r'<table class="simple hours">(.*?)</table>', page, re.DOTALL)
    assert hours is not None
    counted = [int(one) for one in re.findall(r">(\d+)</a>", hours[1])]
    assert counted
    assert min(counted) >= 5
    assert "&lt;5" in hours[1]
    assert {value for _, _, value in drawn(page)["week"]["series"][0]["values"] if value > 0} == set(counted)


def test_no_count_below_five_leaves_the_house(told: Door) -> None:
    client = told.client("supervisor@district", "en")
    page = client.get(f"/statistics?{MARCH}").text
    assert not re.findall(r'<span class="sub">[1-4]</span>|<small>of [1-4]<', page)
    sheets = load_workbook(io.BytesIO(client.get(f"/statistics.xlsx?{MARCH}").content))
    bases = [
        cell.value
        for sheet in sheets.worksheets[:2]
        for column in sheet.iter_cols()
        for cell in column[1:]
        if str(column[0].value).endswith("of how many") and isinstance(cell.value, int)
    ]
    assert bases
    assert not [one for one in bases if 0 < one < 5]


def test_the_table_to_take_home_says_what_the_page_says(told: Door) -> None:
    client = told.client("supervisor@district", "en")
    answer = client.get(f"/statistics.xlsx?{MARCH}")
    assert 'filename="statistics-2026-03-2026-03.xlsx"' in answer.headers["content-disposition"]
    sheets = load_workbook(io.BytesIO(answer.content))
    whole, by_place, took, hours, meaning = sheets.worksheets
    heads = [one.value for one in whole[1]]
    values = dict(zip(heads, (one.value for one in whole[2]), strict=True))
    assert values["Acknowledged in time"] == 87.5
    assert values["Acknowledged in time: of how many"] == 16
    assert values["Families satisfied"] == "<5"
    assert "示例street" in [row[0].value for row in by_place.iter_rows(min_row=2)]
    assert [one.value for one in took[2]] == ["Acknowledging", "16", "1 h", "1 h", "2 h 30 min"]
    assert hours.max_column == 25
    assert meaning.max_row == len(INDICATORS) + 1


def test_who_oversees_nothing_has_no_statistics_and_nobody_has_anothers(told: Door) -> None:
    district = told.town.places["district"].id
    paths = ("/statistics", "/statistics.xlsx", "/statistics/cases?of=acknowledge")
    for who in ("officer@street", "counselor@school", "liaison@hospital", "lead@police", "admin@district"):
        client = told.client(who)
        assert [client.get(path).status_code for path in paths] == [403] * 3, who
        assert "/statistics" not in client.get("/").text
    other = told.client("supervisor@district#2", "en")
    assert set(tiles(other.get(f"/statistics?{MARCH}").text).values()) == {"–"}
    for path in (f"/statistics?place={district}", f"/statistics/cases?of=acknowledge&place={district}",
                 f"/statistics.xlsx?place={district}"):  # fmt: skip
        assert other.get(path).status_code == 404
    assert 'href="/statistics"' in told.client("principal@school").get("/").text


def test_whatever_an_address_says_the_page_stands(told: Door) -> None:
    client = told.client("supervisor@district", "en")
    for odd in ("from=x&to=y", "from=2026-13", "from=2030-01&to=2031-01", "from=2026-06&to=2026-01", "from=1999-01",
                "place=x", "by=x&kind=x", "organisation=-1"):  # fmt: skip
        assert client.get(f"/statistics?{odd}").status_code == 200, odd
    assert client.get("/statistics?place=99999999").status_code == 404
    for odd in ("of=x", "of=acknowledge&part=x", "of=acknowledge&after=x", ""):
        assert client.get(f"/statistics/cases?{odd}").status_code == 422, odd
    assert "not counted yet" not in client.get("/statistics").text


def test_a_page_costs_few_queries_and_only_it_loads_the_charts(told: Door) -> None:
    client = told.client("supervisor@city", "en")
    client.get("/statistics")
    asked: list[str] = []
    engine = told.town.store._engine
    count = lambda *given: asked.append(given[2])  # noqa: E731
    event.listen(engine, "before_cursor_execute", count)
    try:
        for path in ("/statistics", f"/statistics?{MARCH}", "/statistics/cases?of=acknowledge"):
            asked.clear()
            page = client.get(path).text
            assert len(asked) <= 12, path
            assert ("echarts.common.min.js" in page) == ("/cases" not in path)
    finally:
        event.remove(engine, "before_cursor_execute", count)
    assert "echarts" not in client.get("/board").text


def test_machines_read_the_same_figures(told: Door) -> None:
    found = told.token("supervisor@district", "oversight:read").get(
        "/api/v1/statistics?month_from=2026-03&month_to=2026-03"
    )
    assert found.status_code == 200, found.text
    said = found.json()
    assert said["cases"] == 11
    figures = {one["code"]: one for one in said["assessed"]["figures"]}
    assert figures["acknowledge"] == {"code": "acknowledge", "value": 87.5, "of": 16, "few": False, "aside": False}
    assert figures["family"] == {"code": "family", "value": None, "of": None, "few": True, "aside": False}
    assert [one["month"] for one in said["assessed"]["months"]] == ["2026-03"]
    assert "示例street" in {one["name"] for one in said["assessed"]["below"]}
    times = {one["code"]: one for one in said["assessed"]["times"]}
    assert (times["acknowledge"]["median"], times["acknowledge"]["ninth"]) == (60, 150)
    assert told.token("officer@street", "oversight:read").get("/api/v1/statistics").json()["assessed"] is None
    other = f"/api/v1/statistics?place={told.town.places['district'].id}"
    assert told.token("supervisor@district#2", "oversight:read").get(other).status_code == 404
