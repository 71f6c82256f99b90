"""The statistics in real Chromium: charts are drawn under the content policy, tables say it all without a script."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from cases import tallies
from tests.api.door import Door, door_at
from tests.browser.visit import DESK, PHONE, served, visit
from tests.told_town import NOW, a_told_town

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from cases.store import Store

WHEN = "from=2026-02&to=2026-04"
CHARTS = 4
_INK = """canvas => {
  const seen = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
  const colours = new Set();
  for (let at = 0; at < seen.length; at += 4)
    if (seen[at + 3]) colours.add(seen[at] << 16 | seen[at + 1] << 8 | seen[at + 2]);
  return colours.size;
}"""


@pytest.fixture(scope="module")
def told(server: Store) -> Iterator[Door]:
    with door_at(server) as door:
        a_told_town(door.town)
        tallies.refresh(door.town.store, ZoneInfo("Asia/Shanghai"), NOW)
        door.now = NOW
        yield door


@pytest.fixture(scope="module")
def where(told: Door) -> Iterator[str]:
    with served(told) as address:
        yield address


@pytest.mark.parametrize(("size", "language"), [(DESK, "en"), (PHONE, "zh_CN")], ids=["desk", "phone"])
def test_every_chart_is_drawn_and_nothing_hangs_over(
    browser: Browser, told: Door, where: str, size: tuple[int, int], language: str
) -> None:
    with visit(browser, told, where, "supervisor@district", size=size, language=language) as made:
        page = made.go(f"/statistics?{WHEN}")
        page.wait_for_selector("[data-drawn]")
        assert page.locator("[data-drawn] canvas").count() == CHARTS
        for canvas in page.locator("[data-drawn] canvas").all():
            assert canvas.evaluate(_INK) > 1, "something is drawn on it"
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
        assert made.axe() == []
        # A tip is drawn on the canvas too: as HTML it would break the content policy, which the visit would notice.
        chart = page.locator("[data-drawn]").first
        chart.scroll_into_view_if_needed()
        chart.hover(position={"x": size[0] // 2, "y": 150})
        page.wait_for_timeout(300)
        page.locator(".tiles a").nth(1).click()
        assert page.locator("tbody tr").count() == 16
        assert made.axe() == []


def test_without_a_script_the_tables_say_it_all(browser: Browser, told: Door, where: str) -> None:
    with visit(browser, told, where, "principal@school", size=PHONE, language="en", script=False) as made:
        page = made.go(f"/statistics?{WHEN}")
        assert page.locator("[data-chart]:visible").count() == 0
        assert page.locator("table:visible").count() == 4
        page.get_by_label("First month").fill("2026-03")
        page.get_by_label("Last month").fill("2026-03")
        page.get_by_role("button", name="Show").first.click()
        assert "from=2026-03&to=2026-03" in page.url
        assert page.get_by_role("row", name="2026-03").get_by_text("87.5%").count() >= 1
