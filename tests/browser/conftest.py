"""One browser for all tests here; where there is none, one line says what is missing and the rest runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.browser.visit import chromium, missing, served

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.api.door import Door

collect_ignore_glob = ["test_*.py"] if missing() else []


def pytest_report_header() -> str:
    """What is missing, at the head of the run."""
    return missing()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Closed behind the last test of a file: its event loop would stand in the way of other tests' own."""
    with chromium() as opened:
        yield opened


@pytest.fixture
def address(door: Door) -> Iterator[str]:
    """Where the test's own door answers over HTTP."""
    with served(door) as where:
        yield where
