"""`whistle up` as its user meets it: one process to start and to stop, one message when something is in the way."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections import namedtuple
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.workflows.test_living import until
from workflows import server
from workflows.embedded import alone
from workflows.faults import OrchestratorFault

Usage = namedtuple("Usage", "total used free")  # noqa: PYI024 - the shape of shutil.disk_usage's answer


def surroundings_of(home: Path, **more: str) -> dict[str, str]:
    """An environment as a terminal has it: nothing of this run's own Prefect."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "WHISTLE_"))}
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        ours = {"WHISTLE_PORT": str(probe.getsockname()[1])}
    return {**kept, **ours, "WHISTLE_HOME": str(home), "WHISTLE_SWEEP_EVERY": "2s", "LANG": "en_GB.UTF-8", **more}


@contextmanager
def up(environ: Mapping[str, str], out: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-c", "from api.cli import main; main()", "up"]
    with out.open("wb") as said:
        started = subprocess.Popen(command, env=dict(environ), stdout=said, stderr=subprocess.STDOUT)
    try:
        yield started
    finally:
        if started.poll() is None:
            started.terminate()
            started.wait(30)


def healthy(out: Path) -> bool:
    return "All is well" in out.read_text()


def answers(out: Path) -> bool:
    """Whether the web service does, at the address that was said."""
    line = next(one for one in out.read_text().splitlines() if one.split()[:1] == ["web"])
    try:
        return httpx.get(f"{line.split()[1]}/health/ready", timeout=5).status_code == 200
    except httpx.HTTPError:
        return False


def port_of(out: Path) -> int:
    line = next(one for one in out.read_text().splitlines() if "orchestrator" in one and "http:" in one)
    return int(line.split(":")[2].split()[0])


def test_up_survives_kill_9_and_ends_cleanly_when_asked(home: Path, tmp_path: Path) -> None:
    out = tmp_path / "said"
    with up(surroundings_of(home), out) as first:
        until(lambda: healthy(out), 90)
        port = port_of(out)
        assert server.ready(port)
        assert answers(out)
        first.kill()
        first.wait()
    # The server ends with its parent, however that one ended.
    until(lambda: not server.ready(port) and not answers(out), 20)
    with up(surroundings_of(home), out) as second:
        until(lambda: healthy(out), 90)
        assert port_of(out) == port
        assert answers(out)
        with up(surroundings_of(home), tmp_path / "other") as other:
            assert other.wait(60) == 2
        assert str(second.pid) in (tmp_path / "other").read_text()
        second.send_signal(signal.SIGTERM)
        assert second.wait(30) == 0
    assert not server.ready(port)
    assert not answers(out)
    assert not (home / "pg" / "postmaster.pid").exists()
    assert "Traceback" not in out.read_text()


def test_a_port_that_is_taken_is_named_and_nothing_stays_behind(home: Path, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with up(surroundings_of(home, WHISTLE_PREFECT_PORT=str(port)), tmp_path / "said") as started:
            assert started.wait(60) == 2
        with up(surroundings_of(home, WHISTLE_PORT=str(port)), tmp_path / "web") as started:
            assert started.wait(60) == 2
    said = (tmp_path / "said").read_text()
    assert f"Port {port} is taken" in said
    assert f"Port {port} on 127.0.0.1 is taken" in (tmp_path / "web").read_text()
    assert "Traceback" not in said
    assert not (home / "pg" / "postmaster.pid").exists()


def test_a_disk_that_is_nearly_full_is_told_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**9, 10**9 - 2**20, 2**20))
    with pytest.raises(OrchestratorFault) as told:
        server.start(tmp_path / "prefect", os.environ)
    assert told.value.code == "no_room"
    assert "1 MB" in told.value.text("zh_CN")


def test_a_home_that_is_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "prefect").write_text("")
    with pytest.raises(OrchestratorFault) as told:
        server.start(tmp_path / "prefect", os.environ)
    assert told.value.code == "no_folder"


def test_a_server_that_somebody_left_behind_is_ended_before_the_next_one(tmp_path: Path) -> None:
    home = tmp_path / "prefect"
    left = server.start(home, os.environ)
    began = time.monotonic()
    with server.start(home, os.environ) as second:
        assert not left.running()
        assert second.running()
        left.stop()
    assert time.monotonic() - began < 30


def test_one_home_is_up_once(tmp_path: Path) -> None:
    with alone(tmp_path), pytest.raises(OrchestratorFault) as told, alone(tmp_path):
        pass
    assert told.value.facts["pid"] == str(os.getpid())
    with alone(tmp_path):
        pass
