"""One real Prefect server for the run, a child with a home of its own; started only for those who ask for it."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from cases.installation import Installation
from cases.rounds import Premises
from cases.store import Store
from tests.town import Town, town
from workflows import place, server, surroundings
from workflows.server import Server


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


PORT = _free_port()
HOME = Path(tempfile.gettempdir()) / f"whistle-prefect-{os.getpid()}"
# Prefect reads its surroundings when it is imported, which the test modules do after this file.
surroundings.enter(os.environ, HOME, PORT)


@pytest.fixture(scope="session", autouse=True)
def _nothing_left() -> Iterator[None]:
    yield
    shutil.rmtree(HOME, ignore_errors=True)


@pytest.fixture(scope="session")
def orchestrator() -> Iterator[Server]:
    """A server that is ready."""
    with server.start(HOME, os.environ, port=PORT) as running:
        running.wait_ready()
        yield running


@pytest.fixture
def city(store: Store) -> Iterator[Town]:
    with town(store) as built:
        yield built


@pytest.fixture
def premises(city: Town, tmp_path: Path) -> Iterator[Premises]:
    """The town's, where the flows of this process are at work for as long as the test lasts."""
    kept = Installation(city.store, city.office.keystore, city.office.master)
    given = Premises(kept, tmp_path / "home", tmp_path / "elsewhere", _office=city.office)
    place.settle(given)
    yield given
    place.settle(None)
