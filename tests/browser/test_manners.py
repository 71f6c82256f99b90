"""What holds on every page, tried in real Chromium: short cuts, the language, what comes out of the printer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.browser.visit import visit

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from tests.api.door import Door


def test_a_slash_leads_to_the_search_from_everywhere_and_is_off_where_one_says_so(
    browser: Browser, door: Door, address: str
) -> None:
    number = door.town.whistle(at=door.now).case.number
    with visit(browser, door, address, "supervisor@district") as made:
        for path in ("/", "/board", "/supervision", "/statistics", "/inbox", "/settings", f"/cases/{number}"):
            page = made.go(path)
            page.keyboard.press("/")
            page.wait_for_url("**/search", timeout=5_000)
            page.keyboard.press("/")
            assert page.evaluate("document.activeElement.id") == "q"
        page = made.go("/settings")
        page.uncheck("#f-keys")
        page.get_by_role("button", name="保存").click()
        page = made.go("/board")
        page.keyboard.press("/")
        page.wait_for_timeout(500)
        assert page.url.endswith("/board")


def test_x_ticks_where_there_is_something_to_tick_and_opens_elsewhere(
    browser: Browser, door: Door, address: str
) -> None:
    number = door.town.whistle(at=door.now).case.number
    door.wait(hours=3)
    door.town.run_until(door.now)
    with visit(browser, door, address, "coordinator@district") as made:
        page = made.go("/board?tile=overdue")
        page.keyboard.press("j")
        page.keyboard.press("x")
        assert page.locator("input[name=one]").first.is_checked()
        page.keyboard.press("x")
        assert not page.locator("input[name=one]").first.is_checked()
        page = made.go("/desk")
        page.keyboard.press("j")
        page.keyboard.press("x")
        page.wait_for_url(f"**/cases/{number}", timeout=5_000)


def printed(page: Page) -> str:
    """What a sheet of it says."""
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    said = page.inner_text("body")
    assert page.pdf().startswith(b"%PDF")
    page.emulate_media(media="screen")
    return said


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_the_timeline_is_narrowed_by_the_address_and_printed_whole(
    browser: Browser,
    door: Door,
    address: str,
    script: bool,  # noqa: FBT001
) -> None:
    number = door.town.whistle(at=door.now).case.number
    door.wait(hours=3)
    door.town.run_until(door.now)
    with visit(browser, door, address, "counselor@school", script=script) as made:
        page = made.go(f"/cases/{number}")
        whole = page.locator("#timeline .tl > li").count()
        assert page.locator("#timeline .tl > li.k-sys:visible").count() > 0
        page.get_by_role("link", name="只看人工").click()
        page.wait_for_url("**show=people*")
        page.locator("#timeline [aria-current]", has_text="只看人工").wait_for()
        assert page.locator("#events > li:visible").count() > 0
        assert page.locator("#timeline .tl > li.k-sys:visible").count() == 0
        # A sheet that leaves something out without saying so is no record.
        page.emulate_media(media="print")
        assert page.locator("#timeline .tl > li").count() == whole
        assert page.locator("#events > li:visible").count() == page.locator("#events > li").count()


def test_whatever_is_printed_says_by_whom_and_when(browser: Browser, door: Door, address: str) -> None:
    number = door.town.whistle(at=door.now).case.number
    with visit(browser, door, address, "counselor@school") as made:
        page = made.go(f"/cases/{number}/identity")
        page.fill("[name=why]", "家访")
        page.get_by_role("button").last.click()
        made.page.wait_for_load_state()
        for path in ("", f"/cases/{number}", "/inbox"):
            if path:
                page = made.go(path)
            assert page.locator(".watermark:visible").count() == 0
            said = printed(page)
            assert "counselor@school" in said
            assert page.locator(".watermark").count() == 1
