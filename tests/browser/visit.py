"""A real browser before the real application: uvicorn in a thread over the test town, Chromium driven by Playwright.

Every page that a visit opens is watched: a violation of the content policy, an error of a script or a 5xx is kept in
`Visit.faults`, and whoever ends the visit asserts that there was none.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import uvicorn

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

    from tests.api.door import Door
    from tests.browser.pictures import Stage

CHROMIUM = Path(os.environ.get("WHISTLE_TEST_CHROMIUM", "/usr/bin/chromium"))
PACKAGES = ("chromium", "fonts-noto-cjk")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
AXE = Path(__file__).parent / "vendor" / "axe-core-4.14.1" / "axe.min.js"
DESK = (1366, 900)
PHONE = (390, 844)
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


def missing() -> str:
    """What this machine lacks for a browser, in one line; empty when nothing."""
    return "" if CHROMIUM.exists() else f"no browser at {CHROMIUM}: apt-get install {' '.join(PACKAGES)}"


def provide() -> str:
    """`missing`, after root has fetched the packages where there are none; asks for the lists if they are old.

    To be called by one process: two at once would wait for nobody, and one of them would go on without a browser.
    """
    if missing() and os.geteuid() == 0 and shutil.which("apt-get"):
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        install = ["apt-get", "install", "-y", "-qq", *PACKAGES]
        for command in (install, ["apt-get", "update", "-qq"], install):
            if missing():
                subprocess.run(command, check=False, capture_output=True, env=quiet)
    return missing()


@dataclass
class Visit:
    """One person's browser."""

    address: str
    context: BrowserContext
    page: Page
    faults: list[str] = field(default_factory=list)

    def go(self, path: str) -> Page:
        """Open a page of ours."""
        self.page.goto(self.address + path)
        return self.page

    def shot(self, path: Path) -> None:
        """What the whole page looks like."""
        self.page.screenshot(path=str(path), full_page=True)

    def axe(self) -> list[str]:
        """What axe finds against WCAG 2.0 to 2.2, A and AA: the rule and the elements, a line each."""
        self.page.evaluate(AXE.read_text("utf-8"))
        found: dict[str, Any] = self.page.evaluate(
            "tags => axe.run(document, {runOnly: {type: 'tag', values: tags}})", TAGS
        )
        return [
            f"{one['id']}: {node['target']} {node['failureSummary']}"
            for one in found["violations"]
            for node in one["nodes"]
        ]


@contextmanager
def chromium() -> Iterator[Browser]:
    """The browser itself, one for all tests of a process."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=list(FLAGS))
        yield browser
        browser.close()


@contextmanager
def served(door: Door | Stage) -> Iterator[str]:
    """The application answering on a free port; the address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config = uvicorn.Config(
        door.app, host="127.0.0.1", port=port, log_config=None, lifespan="off", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(timeout=10)


@contextmanager
def visit(
    browser: Browser,
    door: Door,
    address: str,
    who: str,
    *,
    size: tuple[int, int] = DESK,
    language: str = "zh_CN",
    script: bool = True,
) -> Iterator[Visit]:
    """A browser in which `who` is signed in. Asserts at the end that no page had a fault."""
    client = door.client(who)
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        locale=language.replace("_", "-"),
        java_script_enabled=script,
        has_touch=size == PHONE,
        is_mobile=size == PHONE,
    )
    context.add_cookies([{"name": one.name, "value": one.value or "", "url": address} for one in client.cookies.jar])
    page = context.new_page()
    made = Visit(address, context, page)
    page.on("console", lambda said: made.faults.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: made.faults.append(str(error)))
    page.on("response", lambda one: made.faults.append(f"{one.status} {one.url}") if one.status >= 500 else None)
    try:
        yield made
        assert not made.faults, made.faults
    finally:
        context.close()
