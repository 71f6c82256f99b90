"""Back-up, restore, doctor and metrics as they are typed."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from api.cli import run
from cases import embedded


class Typed:
    """Commands typed in this process: starting one for each costs more than what it does."""

    def __init__(self, home: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.home = home
        self._capture = capture

    def whistle(self, *arguments: str) -> tuple[int, str]:
        code = run(arguments)
        told = self._capture.readouterr()
        return code, told.out + told.err


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Typed:
    for name in [name for name in os.environ if name.startswith(("WHISTLE_", "PREFECT_")) and "_TEST_" not in name]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("WHISTLE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("WHISTLE_LANGUAGE", "en")
    return Typed(tmp_path / "home", capsys)


def states(said: str) -> dict[str, str]:
    return {one["name"]: one["state"] for one in json.loads(said)["checks"]}


def test_an_installation_is_backed_up_drilled_put_back_and_looked_over(
    machine: Typed, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with embedded.served(home, durable=False) as url:
        # As a server of one's own, which no command starts or stops.
        monkeypatch.setenv("WHISTLE_DATABASE_URL", url)
        _looked_after(machine, tmp_path / "kept", monkeypatch)


def _looked_after(machine: Typed, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert machine.whistle("migrate")[0] == 0
    code, said = machine.whistle("doctor")
    assert (code, "sweep: never run" in said, "`whistle sweep`" in said) == (2, True, True), said
    assert machine.whistle("run", "sweep")[0] == 0
    code, said = machine.whistle("backup", str(folder), "--drill", "--json")
    assert code == 0, said
    told = json.loads(said)
    assert told["drill"]["broken"] == []
    code, said = machine.whistle("restore", told["file"], "--into", "again")
    assert (code, "Restored into" in said) == (0, True), said
    code, said = machine.whistle("restore", told["file"], "--into", "again")
    assert (code, "There are tables in the database" in said) == (2, True), said
    monkeypatch.setenv("WHISTLE_SWEEP_EVERY", "1d")
    code, said = machine.whistle("doctor", "--json")
    found = states(said)
    assert code == 1
    assert (found["database"], found["key store"], found["sweep"], found["backup"]) == ("ok", "ok", "ok", "ok")
    assert (found["seal"], found["orchestrator"], found["key copies"]) == ("warn", "warn", "warn")
    assert found["gates"] == "ok"
    monkeypatch.setenv("WHISTLE_MAIL", "smtp.example.cn")
    code, said = machine.whistle("doctor")
    assert (code, "WHISTLE_MAIL should look like" in said) == (2, True), said
    monkeypatch.delenv("WHISTLE_MAIL")
    code, said = machine.whistle("metrics")
    assert code == 0
    assert "whistle_dead_letters" in {family.name for family in text_string_to_metric_families(said)}
    (machine.home / "keys" / "master.key").write_bytes(base64.b64encode(os.urandom(32)))
    code, said = machine.whistle("doctor", "--json")
    assert (code, states(said)["key store"]) == (2, "bad")


def test_where_there_is_nothing_yet_looking_and_restoring_leave_nothing_behind(machine: Typed, tmp_path: Path) -> None:
    code, said = machine.whistle("doctor")
    assert (code, "`whistle migrate`" in said) == (2, True), said
    assert not machine.home.exists()
    key = machine.home / "keys" / "master.key"
    key.parent.mkdir(parents=True)
    key.touch(mode=0o600)
    key.write_bytes(base64.b64encode(os.urandom(32)))
    file = tmp_path / "whistle.backup"
    file.write_bytes(b"something else")
    code, said = machine.whistle("restore", str(file), "--into", "again")
    assert (code, "isn't a back-up" in said) == (2, True), said
    assert [one.name for one in machine.home.iterdir()] == ["keys"]
