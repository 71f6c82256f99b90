"""Every page × role × width × language: no fault of WCAG 2.2 AA, nothing over the edge, no violation of the content
policy, light enough, good by keyboard, whole without JavaScript. By name: `make pages`.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cases.embedded import stop
from tests.browser import everywhere
from tests.browser.everywhere import Walk
from tests.browser.pictures import Stage, stage
from tests.browser.visit import DESK, PHONE, served

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.long


def none(faults: list[str]) -> None:
    """Say them all, once each: hundreds of pages share their parts."""
    assert not faults, "\n".join(sorted(set(faults)))


@pytest.fixture(scope="module")
def made() -> Iterator[Stage]:
    """The demonstration as `make run` fills it."""
    before = os.environ.get("WHISTLE_HOME")
    with tempfile.TemporaryDirectory(prefix="whistle-pages-", ignore_cleanup_errors=True) as folder:
        place = Path(folder)
        place.chmod(0o711)
        try:
            with stage(place / "home") as filled:
                yield filled
        finally:
            stop(place / "home")
            os.environ.pop("WHISTLE_HOME", None)
            if before is not None:
                os.environ["WHISTLE_HOME"] = before


@pytest.fixture(scope="module")
def address(made: Stage) -> Iterator[str]:
    with served(made) as where:
        yield where


@pytest.fixture(scope="module")
def walks(browser: Browser, made: Stage, address: str) -> dict[str, Walk]:
    """Where each role of the demonstration came."""
    return {role: everywhere.walk(browser, made, address, role) for role in made.members}


def test_every_role_of_the_demonstration_walks(walks: dict[str, Walk]) -> None:
    pages = {role: one.pages for role, one in walks.items()}
    kinds = {kind for one in walks.values() for kind in one.found}
    print(f"\n  pages by role: {pages}, kinds in all: {len(kinds)}")  # noqa: T201 - what was covered
    assert min(pages.values()) >= 5


def test_no_page_has_a_fault_at_a_desk_in_chinese(walks: dict[str, Walk]) -> None:
    none([one for walked in walks.values() for one in walked.faults])


@pytest.mark.parametrize(("size", "language"), [(PHONE, "zh_CN"), (PHONE, "en"), (DESK, "en")])
def test_no_page_has_a_fault_in_another_width_or_language(
    browser: Browser, made: Stage, address: str, walks: dict[str, Walk], size: tuple[int, int], language: str
) -> None:
    found = []
    for role, walked in walks.items():
        with everywhere.signed_in(browser, made, address, role, size=size, language=language) as (page, faults):
            for path in walked.addresses():
                said = everywhere.looked(page, address, path, faults, size)
                found += [f"{role} {path} {size[0]} {language}: {one}" for one in said]
    none(found)


@pytest.mark.parametrize("size", [DESK, PHONE])
def test_focus_is_always_seen_and_never_covered(
    browser: Browser, made: Stage, address: str, walks: dict[str, Walk], size: tuple[int, int]
) -> None:
    found, done = [], set()
    for role, walked in walks.items():
        with everywhere.signed_in(browser, made, address, role, size=size, language="zh_CN") as (page, _):
            for kind, (path, *_rest) in walked.found.items():
                if kind not in done:
                    done.add(kind)
                    found += [f"{role} {path} {size[0]}: {one}" for one in everywhere.tabbed(page, address, path)]
    none(found)


def test_without_javascript_every_page_says_the_same_and_every_form_can_be_sent(
    browser: Browser, made: Stage, address: str, walks: dict[str, Walk]
) -> None:
    found = []
    for role, walked in walks.items():
        with (
            everywhere.signed_in(browser, made, address, role, size=DESK, language="zh_CN") as (page, _),
            everywhere.signed_in(browser, made, address, role, size=DESK, language="zh_CN", script=False) as (plain, _),
        ):
            for path, *_rest in walked.found.values():
                page.goto(address + path)
                plain.goto(address + path)
                if page.locator("h1").first.inner_text() != plain.locator("h1").first.inner_text():
                    found.append(f"{role} {path}: another heading")
                for form in plain.locator("main form").all():
                    if form.locator("button:not([type=button]), input[type=submit]").count() == 0:
                        outside = form.get_attribute("id")
                        if not outside or plain.locator(f"button[form='{outside}']").count() == 0:
                            found.append(f"{role} {path}: a form without a button: {form.get_attribute('action')}")
    none(found)
