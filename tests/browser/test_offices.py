"""A morning of those who see to it that things go on: coordinator, supervisor, admin; clicked through."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.browser.visit import DESK, PHONE, visit

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.api.door import Door


def test_a_coordinator_rules_on_what_was_declined_and_reminds_who_is_late(
    browser: Browser, door: Door, address: str
) -> None:
    number = door.town.whistle(at=door.now, level="red").case.number
    place = door.town.places["street"].id
    case = door.town.whistle(at=door.now, level="orange").case
    no = next(one.no for one in case.of_kind("assignment") if one.organisation == place)
    form = {"reason": "不在本街道", "proposed": door.town.places["street#2"].id}
    door.town.fire("lead@street", case.number, no, "decline", form, door.now)
    with visit(browser, door, address, "coordinator@district", size=DESK) as made:
        page = made.go("/")
        page.get_by_role("link", name="派单台").first.click()
        page.locator(".chips").get_by_role("link", name="待裁定").click()
        page.locator(f".deskrows li:has(a[href='/cases/{case.number}']) .d-do a").first.click()
        page.locator("main form button.btn-primary").last.press("Enter")
        if page.locator(".errsum").count():
            page.locator("main form textarea").first.fill("属本街道辖区")
            page.locator("main form button.btn-primary").last.press("Enter")
        # Back at the desk, which says what was done.
        page.wait_for_url(f"**/desk?*done={case.number}*")
        made.faults = [one for one in made.faults if "422" not in one]
        page.get_by_role("link", name="看板").first.click()
        door.wait(hours=1)
        door.town.run_until(door.now)
        page = made.go("/board?tile=overdue")
        page.locator(f"tr:has(a[href='/cases/{number}']) input[name=one]").first.check()
        page.locator("button[name=do][value=remind]").click()
        page.locator("main form button.btn-primary").click()
        page.wait_for_load_state()
        assert "已催办 1 件" in page.inner_text("main")


def test_a_supervisor_orders_reads_the_answer_and_accepts_it(browser: Browser, door: Door, address: str) -> None:
    case = door.town.whistle(at=door.now, level="red").case
    number, place = case.number, door.town.places["street"].id
    no = next(one.no for one in case.of_kind("assignment") if one.organisation == place)
    with visit(browser, door, address, "supervisor@district", size=PHONE, language="en") as made:
        page = made.go(f"/cases/{number}/supervision/issue?about={no}")
        page.locator("main textarea[name=demand]").fill("今日下班前到校")
        page.locator("main form button.btn-primary").last.press("Enter")
        page.locator("[data-once]").wait_for()
        file = door.town.fire("officer@street", number, no, "acknowledge", {}, door.now).case
        order = file.of_kind("supervision")[0].no
        door.town.fire("lead@street", number, order, "answer", {"answer": "已到校"}, door.now)
        page.locator(".tabbar").get_by_role("link", name="Orders").click()
        assert "已到校" in page.inner_text("main")
        page.locator(f"a[href='/cases/{number}/tracks/{order}/accept']").first.click()
        page.locator("main form button.btn-primary").last.press("Enter")
        page.locator("[data-once]").wait_for()
        page = made.go("/supervision?state=all")
        assert "accepted" in page.inner_text("main")
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]


def test_an_admin_enters_a_member_gives_an_account_and_puts_it_right(
    browser: Browser, door: Door, address: str
) -> None:
    with visit(browser, door, address, "admin@district", size=DESK) as made:
        page = made.go("/")
        page.locator("nav.mainnav a[href='/admin']").click()
        page.locator("main a[href='/admin/organisations']").first.click()
        page.fill("#q", door.town.places["street"].code)
        page.locator("main form[role=search] button[type=submit]").click()
        page.locator(f"main a[href='/admin/organisations/{door.town.places['street'].id}']").click()
        page.get_by_text("登记人员").click()
        form = page.locator("form[action$='/members']")
        form.locator("[name=name]").fill("周雨桐")
        form.locator("[name=role]").select_option("officer")
        form.locator("button[type=submit]").click()
        page.wait_for_url("**/admin/members/*")
        page.locator("[name=login]").fill("zhou.yutong")
        page.get_by_role("button", name="开通").click()
        assert page.locator(".copy").inner_text().startswith("zhou.yutong")
        page.get_by_text("更正信息").click()
        page.locator("#m-phone").fill("025-55500107")
        page.locator("form[action$='/change'] button[type=submit]").click()
        page.wait_for_url("**?done=1")
        assert "025-55500107" in page.inner_text("main")
        page = made.go("/admin/health")
        assert page.locator("main h1").count() == 1
