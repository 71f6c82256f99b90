"""One browser for all tests here; where there is none, the head of the run says what is missing and the rest runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.browser.visit import chromium, missing, served

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.api.door import Door

collect_ignore_glob = ["test_*.py"] if missing() else []
"""`tests/conftest.py` has fetched one before the workers collect, so that all of them answer alike."""


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
