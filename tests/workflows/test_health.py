"""The orchestrator is asked what it does, not how it feels; each way of not doing it is found, and how to mend it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from cases.health import NAMES, Check
from cases.rounds import Premises
from tests.workflows.conftest import HOME, PORT
from tests.workflows.test_living import running, until
from workflows import health, surroundings
from workflows.server import Server

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")

EVERY = timedelta(seconds=15)
NOW = datetime(2026, 3, 17, 0, 20, tzinfo=UTC)


def examined(environ: Mapping[str, str], home: Path, now: datetime = NOW) -> dict[str, Check]:
    found = {one.name: one for one in health.examine(environ, home, now, EVERY)}
    for one in found.values():
        assert one.name in NAMES
        assert one.text("zh_CN") != one.text("en")
    return found


@contextmanager
def answering(version: object, planned: datetime | None, begun: datetime | None) -> Iterator[Mapping[str, str]]:
    """Something that answers as Prefect's server does, whose newest runs are planned and begun at those instants."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._say(version)

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            field = "start_time" if asked["sort"] == "START_TIME_DESC" else "expected_start_time"
            at = begun if field == "start_time" else planned
            self._say([] if at is None else [{field: at.isoformat().replace("+00:00", "Z")}])

        def _say(self, said: object) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(said).encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's word
            pass

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield {"PREFECT_API_URL": f"http://127.0.0.1:{server.server_port}/api"}
        server.shutdown()
        thread.join()


FITS = "3.8.8"
SOON = NOW + timedelta(seconds=10)
JUST = NOW - timedelta(seconds=10)


@pytest.mark.parametrize(
    ("version", "planned", "begun", "name", "said"),
    [
        ("2.20.1", SOON, JUST, "orchestrator", "2.20.1"),
        ({"welcome": "to another program"}, SOON, JUST, "orchestrator", "another program"),
        (FITS, None, None, "scheduler", "no further sweep is planned"),
        (FITS, NOW - timedelta(minutes=5), JUST, "scheduler", "no further sweep is planned"),
        (FITS, SOON, None, "scheduler", "none was ever begun"),
        (FITS, SOON, NOW - timedelta(minutes=2), "scheduler", "120 s ago"),
    ],
)
def test_an_orchestrator_that_is_not_well_is_found(
    version: object, planned: datetime | None, begun: datetime | None, name: str, said: str, tmp_path: Path
) -> None:
    with answering(version, planned, begun) as environ:
        check = examined(environ, tmp_path)[name]
    assert check.state == "bad"
    assert said in check.text("en") or name == "orchestrator"
    assert name == "orchestrator" or "whistle up" in check.advice("en")


def test_one_that_plans_and_begins_sweeps_is_well(tmp_path: Path) -> None:
    with answering(FITS, SOON, JUST) as environ:
        assert {one.state for one in examined(environ, tmp_path).values()} == {"ok"}


def test_a_server_that_ought_to_be_there_and_is_silent_is_bad(tmp_path: Path) -> None:
    check = examined({"PREFECT_API_URL": "http://127.0.0.1:9/api"}, tmp_path)["orchestrator"]
    assert (check.state, "doesn't answer" in check.text("en")) == ("bad", True)


def test_what_was_never_started_is_worth_a_warning_and_what_is_up_and_silent_is_bad(tmp_path: Path) -> None:
    assert examined({}, tmp_path)["orchestrator"].state == "warn"
    (tmp_path / "prefect").mkdir()
    (tmp_path / "prefect" / "port").write_text("9", "ascii")
    assert examined({}, tmp_path)["orchestrator"].state == "warn"
    assert "`whistle up`" in examined({}, tmp_path)["orchestrator"].advice("en")


def test_a_package_that_does_not_fit_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def has(name: str) -> str:
        return {"prefect": "3.9.1"}.get(name, "2.0.60")

    monkeypatch.setattr(surroundings, "version", has)
    check = examined({}, tmp_path)["orchestrator"]
    assert (check.state, "3.9.1" in check.text("en")) == ("bad", True)


def test_the_real_one_is_well_while_its_runner_takes_what_is_planned(orchestrator: Server, premises: Premises) -> None:
    environ = {"PREFECT_API_URL": f"http://127.0.0.1:{PORT}/api"}

    def states() -> set[str]:
        return {one.state for one in examined(environ, HOME, datetime.now(UTC)).values()}

    with running():
        until(lambda: states() == {"ok"}, 60)
    # A minute after the runner left, runs are planned still and nobody takes them.
    later = datetime.now(UTC) + timedelta(minutes=1)
    assert {one.name: one.state for one in health.examine(environ, HOME, later, EVERY)}["scheduler"] == "bad"
