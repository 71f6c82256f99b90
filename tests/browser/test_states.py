"""Pages that no link leads to, in real Chromium and before axe: signing in, what is wrong with a form, who was quicker,
what became of many, a name that was shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.api.account import PASSWORD, account_of
from tests.browser.visit import DESK, PHONE, Visit, visit

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.api.door import Door

LOOKS = [pytest.param(DESK, "zh_CN", id="desk zh_CN"), pytest.param(PHONE, "en", id="phone en")]


def unhurt(made: Visit, what: str) -> None:
    """Nothing of axe's, and nothing over the edge."""
    assert made.axe() == [], what
    width = made.page.viewport_size
    assert width is not None
    assert made.page.evaluate("document.documentElement.scrollWidth") <= width["width"], what


def gone_on(made: Visit) -> None:
    """What the page answers with a fault's status is meant here; anything else stays a fault."""
    made.faults = [one for one in made.faults if not any(code in one for code in ("401", "409", "422"))]


@pytest.mark.parametrize(("size", "language"), LOOKS)
def test_signing_in_step_by_step(
    browser: Browser, door: Door, address: str, size: tuple[int, int], language: str
) -> None:
    holder = account_of(door, "supervisor@district", second_factor=True)
    newcomer = account_of(door, "coordinator@district")
    with visit(browser, door, address, "officer@street", size=size, language=language) as made:
        made.context.clear_cookies()
        for path in ("/sign-in", "/sign-in/first"):
            made.go(path)
            unhurt(made, path)
        page = made.go("/sign-in")
        page.fill("[name=login]", holder.login)
        page.fill("[name=password]", "nothing of the kind")
        page.locator("main form button").first.click()
        page.wait_for_selector("#fault")
        unhurt(made, "a wrong password")
        page.fill("[name=login]", holder.login)
        page.fill("[name=password]", PASSWORD)
        page.locator("main form button").first.click()
        page.wait_for_url("**/sign-in/code*")
        unhurt(made, "the code")
        page.fill("[name=code]", "000000")
        page.locator("main form button").first.click()
        page.wait_for_selector("#fault")
        unhurt(made, "a wrong code")
        made.context.clear_cookies()
        page = made.go("/sign-in")
        page.fill("[name=login]", newcomer.login)
        page.fill("[name=password]", PASSWORD)
        page.locator("main form button").first.click()
        page.wait_for_url("**/sign-in/enrol*")
        unhurt(made, "setting up the second factor")
        gone_on(made)


@pytest.mark.parametrize(("size", "language"), LOOKS)
def test_forms_with_faults_and_a_name_that_was_shown(
    browser: Browser, door: Door, address: str, size: tuple[int, int], language: str
) -> None:
    number = door.town.whistle(at=door.now).case.number
    with visit(browser, door, address, "counselor@school", size=size, language=language) as made:
        page = made.go(f"/cases/{number}/identity")
        page.locator("main form button[type=submit]").last.click()
        page.wait_for_selector(".errsum")
        unhurt(made, "why is missing")
        page.fill("[name=why]", "家访")
        page.locator("main form button[type=submit]").last.click()
        page.wait_for_selector("main .answers")
        unhurt(made, "the whole name")
        page = made.go("/settings")
        page.fill("[name=channels]", "nowhere")
        page.fill("[name=from]", "22:00")
        page.locator("main form[action='/settings'] button[type=submit]").click()
        page.wait_for_selector(".errsum")
        unhurt(made, "settings")
        gone_on(made)
    with visit(browser, door, address, "coordinator@district", size=size, language=language) as made:
        page = made.go(f"/cases/{number}/tracks/0/regrade")
        page.locator("main form button.btn-primary").last.click()
        page.wait_for_selector(".errsum")
        assert page.evaluate("document.activeElement.className").startswith("errsum")
        unhurt(made, "a trigger's form")
        gone_on(made)
    with visit(browser, door, address, "admin@district", size=size, language=language) as made:
        page = made.go("/admin/organisations")
        page.locator("main details > summary").first.click()
        page.locator("main form[action='/admin/organisations'][method=post] button[type=submit]").click()
        page.wait_for_selector(".errsum")
        assert page.locator("#f-name").is_visible()
        unhurt(made, "a new organisation")
        page.locator(".errsum a").first.click()
        assert page.evaluate("document.activeElement.id") == "f-name"
        gone_on(made)


@pytest.mark.parametrize(("size", "language"), LOOKS)
def test_who_was_quicker_and_what_became_of_many(
    browser: Browser, door: Door, address: str, size: tuple[int, int], language: str
) -> None:
    numbers = [door.town.whistle(at=door.now, level=level).case.number for level in ("orange", "red", "red")]
    with visit(browser, door, address, "coordinator@district", size=size, language=language) as made:
        page = made.go(f"/cases/{numbers[0]}/tracks/0/regrade")
        page.locator("main [name=level][value=red]").check()
        page.locator("main [name=reason]").fill("病情加重")
        form = {"level": "red", "reason": "同事先改了"}
        door.town.fire("coordinator@district", numbers[0], 0, "regrade", form, door.now)
        page.locator("main form button.btn-primary").last.click()
        page.wait_for_selector("#changed")
        unhurt(made, "somebody was quicker")
        gone_on(made)
        door.wait(hours=1)
        door.town.run_until(door.now)
        page = made.go("/board?tile=overdue")
        for tick in page.locator("input[name=one]").all()[:2]:
            tick.check()
        page.locator("button[name=do][value=remind]").click()
        unhurt(made, "many, to be confirmed")
        page.locator("main form button.btn-primary").click()
        page.wait_for_load_state()
        unhurt(made, "many, done")
