"""Back-up, restore, doctor and metrics as they are typed."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from tests.test_commands import Machine, machine

__all__ = ["machine"]


def states(said: str) -> dict[str, str]:
    return {one["name"]: one["state"] for one in json.loads(said)["checks"]}


def test_an_installation_is_backed_up_drilled_put_back_and_looked_over(machine: Machine, tmp_path: Path) -> None:
    assert machine.whistle("migrate")[0] == 0
    code, said = machine.whistle("doctor")
    assert (code, "sweep: never run" in said, "`whistle sweep`" in said) == (2, True, True), said
    assert machine.whistle("run", "sweep")[0] == 0
    code, said = machine.whistle("backup", str(tmp_path), "--drill", "--json")
    assert code == 0, said
    told = json.loads(said)
    assert told["drill"]["broken"] == []
    code, said = machine.whistle("restore", told["file"], "--into", "again")
    assert (code, "Restored into" in said) == (0, True), said
    code, said = machine.whistle("restore", told["file"], "--into", "again")
    assert (code, "There are tables in the database" in said) == (2, True), said
    code, said = machine.whistle("doctor", "--json", WHISTLE_SWEEP_EVERY="1d")
    found = states(said)
    assert code == 1
    assert (found["database"], found["key store"], found["sweep"], found["backup"]) == ("ok", "ok", "ok", "ok")
    assert found["seal"] == "warn"
    code, said = machine.whistle("metrics")
    assert code == 0
    assert "whistle_dead_letters" in {family.name for family in text_string_to_metric_families(said)}
    (machine.home / "keys" / "master.key").write_bytes(base64.b64encode(os.urandom(32)))
    code, said = machine.whistle("doctor", "--json")
    assert (code, states(said)["key store"]) == (2, "bad")


def test_where_there_is_nothing_yet_looking_and_restoring_leave_nothing_behind(tmp_path: Path) -> None:
    machine = Machine(tmp_path / "home", "")
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
