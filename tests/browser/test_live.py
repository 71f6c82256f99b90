"""Pages that stand open, in real Chromium: however many there are, none waits for another, and none loses a tick."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from tests.browser.visit import visit

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from cases.casefile import CaseFile
    from tests.api.door import Door

TABS: Final = 8
"""Two more than a browser opens connections to a host over HTTP/1.1."""
TURNED: Final = """state => {
    Object.defineProperty(document, 'hidden', {configurable: true, get: () => state === 'hidden'});
    document.dispatchEvent(new Event('visibilitychange'));
}"""
BORN_HIDDEN: Final = "Object.defineProperty(document, 'hidden', {configurable: true, get: () => true});"
NO_LOCKS: Final = "Object.defineProperty(Navigator.prototype, 'locks', {get: () => undefined});"
HALF_A_MINUTE: Final = 30_000


def listening(door: Door) -> int:
    """How many streams the server holds open."""
    pulse = getattr(door.app.state, "pulse", None)
    return len(pulse._listeners) if pulse is not None else 0


def settled(page: Page, door: Door, count: int) -> None:
    """Wait until the server holds so many streams."""
    for _ in range(100):
        if listening(door) == count:
            return
        page.wait_for_timeout(100)
    assert listening(door) == count


def test_eight_open_cases_are_all_quick_and_all_hear(browser: Browser, door: Door, address: str) -> None:
    case = door.town.whistle().case
    number = case.number
    with visit(browser, door, address, "officer@street") as made:
        tabs = [made.context.new_page() for _ in range(TABS)]
        for tab in tabs:
            tab.clock.install()
            tab.goto(f"{address}/cases/{number}", timeout=5_000)
        assert 0 < listening(door) <= 3
        # All eight are seen at once; a ninth request of the same browser is answered like any other.
        made.page.goto(f"{address}/inbox", timeout=5_000)
        door.town.fire("officer@street", number, summons(door, case), "acknowledge", {}, door.now)
        for tab in tabs:
            tab.clock.fast_forward(HALF_A_MINUTE)
            tab.wait_for_selector("#now .notice", timeout=10_000)


@pytest.mark.parametrize("locks", [True, False], ids=["locks", "no locks"])
def test_only_pages_that_are_seen_hold_a_stream(browser: Browser, door: Door, address: str, locks: bool) -> None:  # noqa: FBT001
    with visit(browser, door, address, "officer@street") as made:
        if not locks:
            made.context.add_init_script(NO_LOCKS)
        behind = [made.context.new_page() for _ in range(TABS)]
        for tab in behind:
            # As a middle click opens it: behind the others from the start.
            tab.add_init_script(BORN_HIDDEN)
            tab.goto(address + "/", timeout=5_000)
        made.page.wait_for_timeout(300)
        assert listening(door) == 0
        page = made.go("/")
        settled(page, door, 1)
        page.evaluate(TURNED, "hidden")
        settled(page, door, 0)
        number = door.town.whistle().case.number
        behind[0].evaluate(TURNED, "seen")
        # What came while nobody looked is there at the first glance.
        behind[0].wait_for_selector(f"text={number}", timeout=5_000)
        settled(page, door, 1)


def test_a_list_without_a_stream_is_fetched_every_half_minute(browser: Browser, door: Door, address: str) -> None:
    with visit(browser, door, address, "officer@street") as made:
        made.page.route("**/live", lambda route: route.abort())
        made.page.clock.install()
        page = made.go("/")
        number = door.town.whistle().case.number
        with page.expect_request(lambda one: "x-by-itself" in one.headers):
            page.clock.fast_forward(HALF_A_MINUTE)
        page.wait_for_selector(f"text={number}", timeout=5_000)
        made.faults = [one for one in made.faults if "ERR_FAILED" not in one]


def test_the_board_is_fetched_anew_and_keeps_what_is_ticked_typed_and_open(
    browser: Browser, door: Door, address: str
) -> None:
    first = door.town.whistle(at=door.now).case.number
    door.wait(hours=3)
    door.town.run_until(door.now)
    with visit(browser, door, address, "coordinator@district") as made:
        page = made.go("/board?tile=overdue")
        before = page.locator("input[name=one]").count()
        page.locator("input[name=one]").nth(0).check()
        page.get_by_text("筛选", exact=True).first.click()
        page.fill("#f-name", "我的")
        door.town.whistle(at=door.now)
        door.wait(hours=1)
        door.town.run_until(door.now)
        with page.expect_response(lambda one: "x-by-itself" in one.request.headers):
            page.evaluate("document.querySelector('#live').dispatchEvent(new CustomEvent('fresh'))")
        page.locator("input[name=one]").nth(before).wait_for()
        chosen = page.locator("input[name=one]:checked")
        assert [one.input_value().partition("~")[0] for one in chosen.all()] == [first]
        assert page.input_value("#f-name") == "我的"
        assert page.locator("details.filters[open]").count() == 1
        assert page.locator(".pickall").is_visible()


def test_messages_and_orders_appear_by_themselves(browser: Browser, door: Door, address: str) -> None:
    with (
        visit(browser, door, address, "officer@street") as officer,
        visit(browser, door, address, "supervisor@district") as supervisor,
    ):
        inbox, orders = officer.go("/inbox"), supervisor.go("/supervision")
        case = door.town.whistle(at=door.now).case
        number = case.number
        inbox.wait_for_selector(f"text={number}", timeout=20_000)
        form = {"about": summons(door, case), "demand": "请今日回话"}
        door.town.fire("supervisor@district", number, "supervision", "issue", form, door.now)
        orders.evaluate("document.querySelector('#live').dispatchEvent(new CustomEvent('fresh'))")
        orders.wait_for_selector(f"text={number}", timeout=10_000)
        # Nobody loaded it: its words aren't opened, and no look is written down.
        assert "请今日回话" not in orders.content()
        orders.get_by_role("link", name="刷新").click()
        assert "请今日回话" in orders.content()
        orders.evaluate("document.querySelector('#live').dispatchEvent(new CustomEvent('fresh'))")
        orders.wait_for_timeout(1000)
        assert "请今日回话" in orders.content()


def summons(door: Door, case: CaseFile) -> int:
    """Which track of a case is the street's."""
    place = door.town.places["street"].id
    return next(one.no for one in case.of_kind("assignment") if one.organisation == place)
