"""Every page that a person can come to by clicking, found by clicking: who was where, and what was wrong there.

A walk begins at a role's own first page and follows every link of ours that isn't a download, a few addresses of each
kind. Pages differ by what a case holds, so that two cases of a kind say more than the kind alone.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urljoin, urlsplit

from api.signin import cookies
from tests.browser.visit import AXE, PHONE, TAGS

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from tests.browser.pictures import Stage

OF_A_KIND: Final = 2
KILOBYTES: Final = 90
LATER: Final = "/vendor/echarts-"
"""Charts come when the page and its tables are there already: they aren't part of the first load."""
TABS: Final = 60
_NOT_PAGES: Final = re.compile(
    r"/sign-out|/static/|/files/|/calendar/|\.(xlsx|csv|pdf|ics|svg|png|json)\b|^/api/|^/fhir/|^/health|^/metrics|"
    r"[?&](cursor|format|export)=|/language|/oidc"
)
_WEIGHT: Final = """() => [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
    .filter(one => !one.name.includes('%s')).reduce((sum, one) => sum + one.encodedBodySize, 0)"""
_FOCUS: Final = """() => {
    const one = document.activeElement;
    if (!one || one === document.body) return null;
    const box = one.getBoundingClientRect(), style = getComputedStyle(one);
    const shown = one.matches('.btn-check, .visually-hidden') ? null : one;
    const x = Math.min(Math.max(box.left + box.width / 2, 1), innerWidth - 2);
    const y = Math.min(Math.max(box.top + Math.min(box.height / 2, 12), 1), innerHeight - 2);
    const top = document.elementFromPoint(x, y);
    const label = one.id ? document.querySelector(`label[for="${CSS.escape(one.id)}"]`) : null;
    return {
        what: one.outerHTML.slice(0, 120),
        seen: shown === null || (box.width > 0 && box.bottom > 0 && box.top < innerHeight),
        free: shown === null || !top || one.contains(top) || top.contains(one) || (label || one).contains(top),
        ring: style.outlineStyle !== 'none' || style.boxShadow !== 'none' || shown === null,
    };
}"""


@dataclass
class Walk:
    """What one role came to: addresses by kind, and the faults found on the way."""

    role: str
    found: dict[str, list[str]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    pages: int = 0

    def addresses(self) -> list[str]:
        """All of them, in the order in which they were found."""
        return [one for of_a_kind in self.found.values() for one in of_a_kind]


def kind_of(address: str) -> str:
    """An address without what differs from case to case: numbers, and the values of a query."""
    parts = urlsplit(address)
    path = re.sub(r"WH-\d{4}-\d+", "{number}", parts.path)
    path = re.sub(r"/[A-Za-z0-9_-]{20,}", "/{key}", re.sub(r"/\d[\w.-]*", "/{no}", path))
    names = sorted({one.partition("=")[0] for one in parts.query.split("&") if one})
    return path + ("?" + "&".join(names) if names else "")


@contextmanager
def signed_in(
    browser: Browser, made: Stage, address: str, role: str, *, size: tuple[int, int], language: str, script: bool = True
) -> Iterator[tuple[Page, list[str]]]:
    """A page of that role's, and the list in which its faults are kept: content policy, scripts, answers above 399."""
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        locale=language.replace("_", "-"),
        java_script_enabled=script,
        has_touch=size == PHONE,
        is_mobile=size == PHONE,
    )
    context.add_cookies(
        [
            {"name": cookies.session_name(made.settings), "value": made.signed_in(role), "url": address},
            {"name": "language", "value": language, "url": address},
        ]
    )
    page = context.new_page()
    faults: list[str] = []
    page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("response", lambda one: faults.append(f"{one.status} {one.url}") if one.status >= 400 else None)
    try:
        yield page, faults
    finally:
        context.close()


def walk(browser: Browser, made: Stage, address: str, role: str) -> Walk:
    """Follow the links of that role from its first page on, at a desk and in Chinese; look at each page meanwhile."""
    done = Walk(role)
    waiting, seen, counted = ["/"], {"/"}, Counter[str]()
    with signed_in(browser, made, address, role, size=(1366, 900), language="zh_CN") as (page, faults):
        while waiting:
            path = waiting.pop(0)
            if counted[kind_of(path)] >= OF_A_KIND:
                continue
            counted[kind_of(path)] += 1
            done.found.setdefault(kind_of(path), []).append(path)
            done.faults += [f"{role} {path}: {one}" for one in looked(page, address, path, faults, (1366, 900))]
            done.pages += 1
            for link in _links(page, address):
                if link not in seen:
                    seen.add(link)
                    waiting.append(link)
    return done


def _links(page: Page, address: str) -> list[str]:
    found: list[str] = page.eval_on_selector_all("a[href]", "all => all.map(one => one.href)")
    ours = [one[len(address) :].partition("#")[0] for one in found if one.startswith(address)]
    return [one or "/" for one in ours if not _NOT_PAGES.search(one)]


def looked(page: Page, address: str, path: str, faults: list[str], size: tuple[int, int]) -> list[str]:
    """What is wrong with one page: its answer, the content policy, axe, what hangs over the edge, its weight."""
    faults.clear()
    answer = page.goto(urljoin(address, path), wait_until="load")
    if answer is None or answer.status != 200:
        return [f"answered {answer.status if answer else 'nothing'}"]
    said = list(faults)
    wide = page.evaluate("document.documentElement.scrollWidth")
    said += [f"{wide} wide"] if wide > size[0] else []
    weight = page.evaluate(_WEIGHT % LATER) / 1000
    said += [f"{weight:.0f} KB"] if weight > KILOBYTES else []
    said += [f"{count} headings of the first order"] if (count := page.locator("h1").count()) != 1 else []
    page.evaluate(AXE.read_text("utf-8"))
    broken: dict[str, Any] = page.evaluate(
        "tags => axe.run(document, {runOnly: {type: 'tag', values: tags}})", list(TAGS)
    )
    for one in broken["violations"]:
        said += [f"{one['id']}: {node['target']} {node['failureSummary']}"[:300] for node in one["nodes"][:2]]
    return said


def tabbed(page: Page, address: str, path: str) -> list[str]:
    """What is wrong when one goes through a page by the keyboard alone: focus that isn't seen, covered or unmarked."""
    page.goto(urljoin(address, path), wait_until="load")
    said: list[str] = []
    for count in range(TABS):
        page.keyboard.press("Tab")
        at = page.evaluate(_FOCUS)
        if at is None:
            return said if count else ["nothing takes the focus"]
        said += [f"focus {name} not {name}: {at['what']}" for name in ("seen", "free", "ring") if not at[name]]
    return said
