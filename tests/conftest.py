"""One embedded server for the whole run, shared by all workers; a fresh migrated database for each test."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cases import embedded
from cases.store import Store

if TYPE_CHECKING:
    from tests.api.door import Door

_SHARED_HOME = "WHISTLE_TEST_HOME"
_ROOM = 4 << 30
_LACKING = pytest.StashKey[str]()


def pytest_configure(config: pytest.Config) -> None:
    # Workers inherit the environment, so the first process names the home and, as the last to end, clears it.
    if not hasattr(config, "workerinput"):
        home = Path(tempfile.mkdtemp(prefix="whistle-", dir=_where()))
        home.chmod(0o711)
        os.environ[_SHARED_HOME] = str(home)
        if _clicks(config):
            from tests.browser.visit import provide

            config.stash[_LACKING] = provide()


def pytest_report_header(config: pytest.Config) -> str:
    """What the tests with a browser lack, in one line; they are left out, and the rest runs."""
    return config.stash.get(_LACKING, "")


def _clicks(config: pytest.Config) -> bool:
    """Whether tests with a browser are among those asked for."""
    browser = Path(__file__).parent / "browser"
    asked = (Path(config.invocation_params.dir, one.partition("::")[0]).resolve() for one in config.args)
    return any(browser.is_relative_to(one) or one.is_relative_to(browser) for one in asked)


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        home = Path(os.environ.pop(_SHARED_HOME))
        embedded.stop(home)
        shutil.rmtree(home)


def _where() -> str | None:
    """In memory where there is room: thousands of databases come and go, and a disk's queue is what they'd wait in."""
    memory = Path("/dev/shm")  # noqa: S108 - a folder of random name is made in it
    roomy = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > _ROOM
    return str(memory) if roomy else None


@pytest.fixture
def figure(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Takes a line of a programme's figures; all of them are printed at the end of the run, from any worker."""
    return lambda line: record_property("figure", line)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = (one for kind in ("passed", "failed") for one in terminalreporter.getreports(kind))
    found = [
        (one.nodeid, value)
        for one in reports
        if one.when == "call"
        for name, value in one.user_properties
        if name == "figure"
    ]
    if found:
        terminalreporter.section("figures")
    for nodeid, value in sorted(found):
        terminalreporter.line(f"{nodeid.rpartition('::')[2]}: {value}")


@pytest.fixture(scope="session")
def server() -> Iterator[Store]:
    """The server's own database, for making others; nothing is kept in it."""
    with embedded.served(Path(os.environ[_SHARED_HOME]), durable=False) as url, Store(url) as store:
        yield store


@pytest.fixture
def store(server: Store) -> Iterator[Store]:
    """A fresh, migrated, empty database of this test's own."""
    with server.scratch() as fresh:
        yield fresh


@pytest.fixture
def home() -> Iterator[Path]:
    """A place for a server of the test's own, which root's server user can enter too; stopped afterwards."""
    place = Path(tempfile.mkdtemp(prefix="whistle-"))
    place.chmod(0o711)
    yield place / "home"
    embedded.stop(place / "home")
    shutil.rmtree(place)


@pytest.fixture
def door(server: Store) -> Iterator[Door]:
    """The people's door over a town of this test's own (`door.town.store`), its clock at the town's beginning."""
    from tests.api.door import door_at

    with door_at(server) as opened:
        yield opened
