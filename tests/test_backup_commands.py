"""Back-up, restore, doctor and metrics as they are typed."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from tests.test_commands import Machine, machine

__all__ = ["machine"]


def test_what_was_backed_up_is_drilled_and_put_back_under_another_name(machine: Machine, tmp_path: Path) -> None:
    assert machine.whistle("migrate")[0] == 0
    code, said = machine.whistle("backup", str(tmp_path), "--drill", "--json")
    assert code == 0, said
    told = json.loads(said)
    assert told["drill"]["broken"] == []
    code, said = machine.whistle("restore", told["file"], "--into", "again")
    assert (code, "Restored into" in said) == (0, True), said
    code, said = machine.whistle("restore", told["file"], "--into", "again")
    assert (code, "There are tables in the database" in said) == (2, True), said


def test_a_file_that_is_refused_leaves_no_database_behind(machine: Machine, tmp_path: Path) -> None:
    assert machine.whistle("migrate")[0] == 0
    file = tmp_path / "whistle.backup"
    file.write_bytes(b"something else")
    code, said = machine.whistle("restore", str(file), "--into", "again")
    assert (code, "isn't a back-up" in said) == (2, True), said
    assert machine.whistle("backup", str(tmp_path / "kept"))[0] == 0
    made = next((tmp_path / "kept").iterdir())
    key = machine.home / "keys" / "master.key"
    key.write_bytes(base64.b64encode(os.urandom(32)))
    code, said = machine.whistle("restore", str(made), "--into", "again")
    assert (code, "another master key" in said) == (2, True), said
