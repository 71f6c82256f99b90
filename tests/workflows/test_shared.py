"""A server that several machines share: what is wrong with it is said in one message, and changes nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.town import Town
from tests.workflows.conftest import PORT
from workflows import production, surroundings
from workflows.faults import OrchestratorFault
from workflows.server import Server

NOBODY = "http://127.0.0.1:9/api"


@contextmanager
def answering(said: object, code: int = 200) -> Iterator[str]:
    """Something on a port that answers every question with this."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(said).encode()
            self.send_response(code)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the base class
            """Nobody reads it."""

    with HTTPServer(("127.0.0.1", 0), Answer) as there:
        thread = threading.Thread(target=there.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{there.server_port}/api"
        finally:
            there.shutdown()
            thread.join()


def refused(url: str) -> str:
    with pytest.raises(OrchestratorFault) as told:
        surroundings.require_answering(url)
    assert url in told.value.text("zh_CN")
    assert url in told.value.text("en")
    return told.value.code


@pytest.mark.parametrize("url", ["prefect:4200", "http://prefect:4200", "ftp://prefect/api", "http:///api", "编排服务"])
def test_what_is_no_address_of_an_orchestrator_is_told(url: str) -> None:
    assert refused(url) == "bad_url"


def test_another_program_is_told_from_an_orchestrator() -> None:
    for said, code in (({"version": "3.8.8"}, 200), ("not here", 404), (7, 200)):
        with answering(said, code) as url:
            assert refused(url) == "not_prefect"


@pytest.mark.parametrize("version", ["3.9.1", "3.8.7", "2.20.4"])
def test_another_version_of_the_server_is_told(version: str) -> None:
    with answering(version) as url:
        assert refused(url) == "server_unfit"


def test_a_server_that_is_away_may_come_back_and_one_that_wants_a_password_is_there() -> None:
    assert not surroundings.require_answering(NOBODY)
    for code, there in ((401, True), (502, False), (503, False)):
        with answering("", code) as url:
            assert surroundings.require_answering(url) is there


@pytest.mark.parametrize(
    ("url", "said"), [("", "PREFECT_API_URL"), (NOBODY, "Nobody answers"), ("prefect:4200", "no address")]
)
def test_the_deployments_are_refused_in_one_line(
    url: str, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PREFECT_API_URL", url)
    monkeypatch.setenv("WHISTLE_LANGUAGE", "en")
    monkeypatch.setattr(sys, "argv", ["production", "--pool", "city"])
    assert production.main() == 2
    told = capsys.readouterr().err
    assert said in told
    assert told.count("\n") == 1


def commanded(*words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """What somebody types on another machine."""
    bare = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "WHISTLE_"))}
    environ = {**bare, "WHISTLE_LANGUAGE": "en", **settings}
    return subprocess.run(words, env=environ, capture_output=True, text=True, timeout=60, check=False)


WHISTLE = (sys.executable, "-c", "from api.cli import main; main()")


def test_a_database_or_a_key_that_is_not_there_is_told(orchestrator: Server, city: Town, tmp_path: Path) -> None:
    there = {"WHISTLE_HOME": str(tmp_path), "PREFECT_API_URL": f"http://127.0.0.1:{PORT}/api"}
    gone = commanded(*WHISTLE, "worker", **there, WHISTLE_DATABASE_URL="postgresql://nobody@127.0.0.1:9/whistle")
    assert gone.returncode == 2
    assert "Traceback" not in gone.stderr
    assert "127.0.0.1/whistle" in gone.stderr
    made = {**there, "WHISTLE_DATABASE_URL": city.store.url, "WHISTLE_KEYSTORE_URL": city.office.keystore._store.url}
    for where in ({}, {"WHISTLE_MASTER_KEY_FILE": str(tmp_path / "not-here")}):
        unknown = commanded(sys.executable, "-m", "workflows.production", "--pool", "city", **made, **where)
        assert unknown.returncode == 2
        assert "there is no master key" in unknown.stderr
        assert "Traceback" not in unknown.stderr
