"""A day in real Chromium: the counselor whistles, the officer acknowledges on a telephone, both see the case.

Every visit ends with no violation of the content policy, no error of a script and no 5xx (`visit`).
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.browser.visit import DESK, PHONE, Visit, visit

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Route

    from tests.api.door import Door

WORDS = {
    "zh_CN": {"go": "保存并继续", "whistle": "吹哨", "ack": "签收", "undo": "撤销", "next": "下一步", "done": "已签收"},
    "en": {"go": "Save and go on", "whistle": "Whistle", "ack": "acknowledge", "undo": "Undo", "next": "Next step",
           "done": "acknowledged"},
}  # fmt: skip


def whistled(at: Visit, said: dict[str, str]) -> str:
    """A whistle, typed and clicked; the number of the case."""
    page = at.go("/whistle")
    page.fill("[name='student.name']", "赵晓宁")
    page.fill("[name='student.born']", "2013-05-01")
    page.get_by_role("button", name=said["go"], exact=True).click()
    page.select_option("[name=concern]", "harmful_home")
    page.check("[name=level][value=red]")
    page.fill("[name=summary]", "<script>alert(1)</script> 左前臂有新近划痕")
    page.get_by_role("button", name=said["go"], exact=True).click()
    page.fill("[name=already]", "专人陪护")
    page.get_by_role("button", name=said["go"], exact=True).click()
    page.get_by_role("button", name=said["whistle"]).click()
    page.wait_for_url("**/cases/WH-*")
    return page.url.rpartition("/")[2].partition("?")[0]


@pytest.mark.parametrize(
    ("language", "script"), [("zh_CN", True), ("en", True), ("zh_CN", False)], ids=["zh", "en", "no script"]
)
def test_from_the_whistle_to_the_acknowledgement(
    browser: Browser,
    door: Door,
    address: str,
    language: str,
    script: bool,  # noqa: FBT001
) -> None:
    said = WORDS[language]
    with visit(browser, door, address, "counselor", language=language, script=script) as counselor:
        number = whistled(counselor, said)
        with visit(browser, door, address, "officer@street", size=PHONE, language=language, script=script) as officer:
            page = officer.go("/")
            page.get_by_role("button", name=said["ack"]).first.click()
            page.wait_for_selector(".undo")
            assert page.get_by_role("button", name=said["undo"]).is_visible()
            page = officer.go(f"/cases/{number}")
            assert page.get_by_role("heading", name=said["next"]).is_visible()
            assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0], "nothing hangs over the edge"
        page = counselor.go(f"/cases/{number}")
        assert said["done"] in page.content()
        assert "<script>alert(1)</script>" in page.inner_text("#events")


def test_what_is_typed_is_kept_by_itself_and_is_there_when_the_page_is_loaded_again(
    browser: Browser, door: Door, address: str
) -> None:
    with visit(browser, door, address, "counselor") as counselor:
        page = counselor.go("/whistle")
        page.fill("[name='student.name']", "赵晓宁")
        with page.expect_response(lambda answer: "/unsent" in answer.url, timeout=20_000) as kept:
            page.fill("[name='student.class']", "2班")
        assert "student.class=2" in (kept.value.request.post_data or "")
        page.wait_for_selector("[data-kept]:not(:empty)")
        assert "自动保存" in page.inner_text("[data-kept]")
        page = counselor.go("/whistle")
        assert page.input_value("[name='student.name']") == "赵晓宁"
        page.fill("[name='student.born']", "2013-05-01")
        page.get_by_role("button", name="保存并继续", exact=True).click()
        page.wait_for_url("**/what")
        page = counselor.go("/whistle")
        assert page.input_value("[name='student.name']") == ""


def test_an_open_list_hears_of_a_new_summons_by_itself(browser: Browser, door: Door, address: str) -> None:
    with visit(browser, door, address, "officer@street", size=PHONE) as officer:
        # On a slow line the stream's script arrives last, and the list must hear all the same.
        officer.page.route("**/hx-sse.min.js", late)
        with officer.page.expect_response("**/live", timeout=20_000):
            page = officer.go("/")
        page.wait_for_timeout(1000)
        number = door.town.whistle().case.number
        page.wait_for_selector(f"text={number}", timeout=20_000)


def late(route: Route) -> None:
    time.sleep(1)
    route.continue_()


def test_no_page_fails_axe_on_a_telephone_or_at_a_desk(browser: Browser, door: Door, address: str) -> None:
    number = door.town.whistle(statutory=["injury"]).case.number
    pages = {
        "officer@street": ["/", f"/cases/{number}", f"/cases/{number}/tracks/0/record_safe_plan", "/inbox"],
        "counselor": ["/whistle", f"/cases/{number}/identity", "/settings", "/help", "/search?q=x", "/nothing"],
    }
    found: list[str] = []
    # Every page in every combination: `make pages`.
    for who, (language, size) in {"officer@street": ("zh_CN", PHONE), "counselor": ("en", DESK)}.items():
        with visit(browser, door, address, who, size=size, language=language) as made:
            for path in pages[who]:
                made.go(path)
                found += [f"{who} {path} {size[0]} {language}: {one}" for one in made.axe()]
            made.faults = [one for one in made.faults if "404" not in one]
    assert found == []
