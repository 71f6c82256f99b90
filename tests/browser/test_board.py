"""The board and the desk in real Chromium: one ticks, reminds and reads what became of it; nothing fails axe."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.browser.visit import DESK, PHONE, visit

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.api.door import Door


@pytest.fixture
def busy(door: Door) -> Door:
    """A town in which much is late, something is disputed and an order runs."""
    for level in ("red", "orange", "red"):
        door.town.whistle(at=door.now, level=level)
    declined = door.town.whistle(at=door.now, level="orange").case
    place = door.town.places["street"].id
    no = next(one.no for one in declined.of_kind("assignment") if one.organisation == place)
    form = {"reason": "不在本街道", "proposed": door.town.places["street#2"].id}
    door.town.fire("lead@street", declined.number, no, "decline", form, door.now)
    door.wait(hours=3)
    door.town.run_until(door.now)
    return door


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_ticked_rows_are_reminded_together(browser: Browser, busy: Door, address: str, script: bool) -> None:  # noqa: FBT001
    with visit(browser, busy, address, "coordinator@district", size=PHONE, script=script) as made:
        page = made.go("/board?tile=overdue")
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0], "nothing hangs over the edge"
        ticks = page.locator("input[name=one]")
        assert ticks.count() > 1
        ticks.nth(0).check()
        ticks.nth(1).check()
        page.get_by_role("button", name="批量催办").click()
        page.get_by_role("button", name="催办").click()
        assert "已催办 2 件" in page.content()


def test_a_tile_of_a_whole_city_stays_on_a_telephone(browser: Browser, busy: Door, address: str) -> None:
    with visit(browser, busy, address, "supervisor@district", size=PHONE, language="en") as made:
        page = made.go("/board")
        page.evaluate("for (const one of document.querySelectorAll('.kpi b')) one.textContent = '12,345'")
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0], "nothing hangs over the edge"


def test_no_page_of_those_who_oversee_fails_axe(browser: Browser, busy: Door, address: str) -> None:
    pages = {
        "coordinator@district": ["/desk", "/board?tile=disputes"],
        "supervisor@district": [
            "/board",
            "/supervision?state=all",
            "/bulletin?month=2026-03",
            "/board/together?do=issue",
        ],
    }
    found: list[str] = []
    # Every page in every combination: `make pages`.
    for who, (language, size) in {
        "coordinator@district": ("en", DESK),
        "supervisor@district": ("zh_CN", PHONE),
    }.items():
        with visit(browser, busy, address, who, size=size, language=language) as made:
            for path in pages[who]:
                page = made.go(path)
                wide = page.evaluate("document.documentElement.scrollWidth")
                found += [f"{path} {language}: {wide} wide"] if wide > size[0] else []
                found += [f"{who} {path} {size[0]} {language}: {one}" for one in made.axe()]
    assert found == []
