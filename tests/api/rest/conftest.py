"""The people's door for the tests of the REST API: fresh for each test, or one for a whole module that only reads."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cases.store import Store
from tests.api.door import Door, door_of


@pytest.fixture
def door(store: Store) -> Iterator[Door]:
    """The application over a fresh town."""
    with door_of(store) as opened:
        yield opened
