"""On a telephone nothing is squeezed away: long labels keep room for what was said, answers for their links."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from tests.browser.visit import PHONE, visit

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.api.door import Door

NARROWEST: Final = """() => Math.min(...[...document.querySelectorAll('#events .long dd')].map(
    one => one.getBoundingClientRect().width))"""
COVERED: Final = """() => [...document.querySelectorAll('.answers > div')].filter(row => {
    const boxes = [...row.children].map(one => one.getBoundingClientRect());
    return boxes.some((one, n) => boxes.slice(n + 1).some(two => one.left < two.right && two.left < one.right
        && one.top < two.bottom - 1 && two.top < one.bottom - 1));
}).length"""
DOTS: Final = """() => [...document.querySelectorAll('.tl > li li')].filter(
    one => getComputedStyle(one, '::before').content !== 'none').length"""


@pytest.mark.parametrize("language", ["zh_CN", "en"])
def test_a_long_label_leaves_what_was_said_readable(browser: Browser, door: Door, address: str, language: str) -> None:
    town, now = door.town, door.now
    number = town.whistle(at=now).case.number
    opened = town.fire("counselor@school", number, "referral", "propose", {"reason": "情绪低落" * 8}, now)
    no = max(one.no for one in opened.case.of_kind("referral"))
    consent = {"guardian": "母亲", "signed_at": now, "form": ["校档案室"]}
    town.fire("counselor@school", number, no, "give_consent", consent, now)
    town.fire("liaison@hospital", number, no, "accept", {}, now)
    town.fire("liaison@hospital", number, no, "record_visit", {"seen_at": now, "mode": "outpatient"}, now)
    said = {"status": "稳定", "clinical_note": "睡眠好转，食欲恢复，继续原方案，两周后复诊，家属已知情。"}
    town.fire("liaison@hospital", number, no, "update_treatment", said, now)
    with visit(browser, door, address, "counselor", size=PHONE, language=language) as counselor:
        page = counselor.go(f"/cases/{number}")
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
        assert page.evaluate(NARROWEST) >= 150
        assert page.evaluate(DOTS) == 0


@pytest.mark.parametrize("language", ["zh_CN", "en"])
def test_the_link_to_change_an_answer_lies_beside_it_not_over_it(
    browser: Browser, door: Door, address: str, language: str
) -> None:
    draft = {"student": {"name": "小怡", "born": "2016-11-02"}, "summary": "长" * 120, "level": "red"}
    number = door.town.fire("counselor@school", None, 0, "save_draft", draft, door.now).case.number
    with visit(browser, door, address, "counselor", size=PHONE, language=language) as counselor:
        page = counselor.go(f"/whistle/{number}/check")
        assert page.locator(".answers > div").count() > 2
        assert page.evaluate(COVERED) == 0
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]


def test_the_present_step_comes_first_and_the_tracks_before_the_basics(
    browser: Browser, door: Door, address: str
) -> None:
    number, now = door.town.whistle(at=door.now).case.number, door.now
    arrived = {"at": now, "where": "校门", "mode": "on_site", "people": ["一人"]}
    door.town.fire("officer@street", number, 1, "report_in", arrived, now)
    door.town.fire("officer@street", number, 1, "give_feedback", {"measures": "m", "outcome": "solved"}, now)
    with visit(browser, door, address, "officer@street", size=PHONE) as officer:
        page = officer.go(f"/cases/{number}")
        box = page.locator(".stepper [aria-current]").bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= PHONE[0]
        tops = [page.locator(one).bounding_box() for one in ("#nx", "#re", "#tk", "#bi", "#tl")]
        heights = [one["y"] for one in tops if one is not None]
        assert heights == sorted(heights)
        assert len(heights) == len(tops)
