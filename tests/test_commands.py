"""What somebody who runs an installation types, and what they are told."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from cases import embedded

WHISTLE = Path(sys.executable).with_name("whistle")
SCENARIOS = Path(__file__).parents[1] / "cases" / "samples" / "scenarios"
CALENDARS = Path(__file__).parents[1] / "policies" / "calendars"


class Machine:
    """A machine with nothing on it but a home for one installation."""

    def __init__(self, home: Path, url: str) -> None:
        self.home = home
        self.dsn = url.replace("postgresql+psycopg://", "postgresql://")

    def whistle(self, *arguments: str, **settings: str) -> tuple[int, str]:
        """Type a command; its exit code and all that it said, in English."""
        named = {name: value for name, value in os.environ.items() if not name.startswith(("WHISTLE_", "PREFECT_"))}
        surroundings = {**named, "WHISTLE_HOME": str(self.home), "WHISTLE_LANGUAGE": "en", **settings}
        done = subprocess.run(
            [str(WHISTLE), *arguments], capture_output=True, text=True, env=surroundings, timeout=120, check=False
        )
        assert "Traceback" not in done.stdout + done.stderr
        return done.returncode, done.stdout + done.stderr


@pytest.fixture
def machine(home: Path) -> Iterator[Machine]:
    # One server for all commands of a test: each would start and stop its own.
    with embedded.served(home, durable=False) as url:
        yield Machine(home, url)


def test_an_installation_is_set_up_swept_and_audited(machine: Machine) -> None:
    code, said = machine.whistle("sweep")
    assert (code, "whistle migrate" in said) == (2, True)
    code, said = machine.whistle("migrate", WHISTLE_POLICY="nowhere-2026.1")
    assert (code, "nanjing-2026.1" in said) == (2, True), said
    assert machine.whistle("migrate")[0] == 0
    assert machine.whistle("migrate")[0] == 0
    code, said = machine.whistle("city", "load", "--district", "玄武区", "--schools", "1", "--students", "20", "--json")
    assert code == 0, said
    assert json.loads(said.splitlines()[-1])["students"] == 20
    assert machine.whistle("sweep", "--json") == (
        0,
        '{"cases": 0, "fired": 0, "aside": 0, "lag_seconds": 0.0}\n',
    )
    assert machine.whistle("audit", "verify") == (0, "0 cases, 0 findings.\n")
    code, said = machine.whistle("audit", "verify", "WH-2026-999999")
    assert (code, "there is no such case" in said) == (1, True)
    code, said = machine.whistle("calendar", "load", str(CALENDARS / "cn-2026.yaml"))
    assert (code, said) == (0, "Loaded cn-2026.yaml; 0 limits have moved.\n")


def checked(machine: Machine) -> dict[str, dict[str, str]]:
    # With an interval that a busy machine doesn't miss between two commands.
    said = machine.whistle("doctor", "--json", WHISTLE_SWEEP_EVERY="10m")[1]
    return {one["name"]: one for one in json.loads(said)["checks"]}


def test_whoever_sweeps_by_a_timer_as_the_doctor_advises_is_well_though_a_channel_is_set_wrongly(
    machine: Machine,
) -> None:
    assert machine.whistle("migrate")[0] == 0
    assert checked(machine)["sweep"]["state"] == "bad"
    assert "WHISTLE_SWEEP_EVERY" in checked(machine)["orchestrator"]["mend"]
    assert machine.whistle("sweep", WHISTLE_SMS="not json")[0] == 0
    assert checked(machine)["sweep"]["state"] == "ok"


def test_an_incident_is_read_and_ended_by_hand_and_the_doctor_says_how(machine: Machine) -> None:
    assert machine.whistle("migrate")[0] == 0
    assert machine.whistle("incident", "list") == (0, "No incident is open.\n")
    with psycopg.connect(machine.dsn) as connection:
        found = "\n".join(f"WH-2026-{n:06}: event 1: cut" for n in range(12))
        connection.execute("INSERT INTO incident (at, kind, why) VALUES (now(), 'seal_broken', %s)", [found])
    assert "whistle incident end N" in checked(machine)["incidents"]["mend"]
    code, said = machine.whistle("incident", "list")
    assert (code, "1  " in said, "seal_broken" in said, "WH-2026-000009" in said, "and 2 more" in said) == (
        0, True, True, True, True,
    )  # fmt: skip
    assert machine.whistle("incident", "end", "2", "--why", "restored")[0] == 2
    assert machine.whistle("incident", "end", "1")[0] == 2
    assert machine.whistle("incident", "end", "1", "--why", "restored", "--by", "Zhou Min")[0] == 0
    assert machine.whistle("incident", "list", "--json") == (0, "[]\n")
    (kept,) = json.loads(machine.whistle("incident", "list", "--all", "--json")[1])
    assert (kept["why"], kept["ended_by"], kept["ended_why"]) == (found, "Zhou Min", "restored")
    assert "(Zhou Min): restored" in machine.whistle("incident", "list", "--all")[1]
    assert checked(machine)["incidents"]["state"] == "ok"


def test_what_is_wrong_with_the_keys_is_said_in_one_sentence(machine: Machine) -> None:
    assert machine.whistle("migrate")[0] == 0
    key = machine.home / "keys" / "master.key"
    right = key.read_bytes()
    key.write_bytes(base64.b64encode(os.urandom(32)))
    code, said = machine.whistle("sweep")
    assert (code, "isn't the one the key store was set up with" in said) == (2, True), said
    key.unlink()
    code, said = machine.whistle("sweep")
    assert (code, "no master key" in said) == (2, True)
    # Nothing was set up anew in its place: the right key, put back, is all that is needed.
    key.touch(mode=0o600)
    key.write_bytes(right)
    assert machine.whistle("sweep")[0] == 0


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"WHISTLE_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}, "can't be reached"),
        ({"WHISTLE_DATABASE_URL": "nonsense"}, "address"),
        ({"WHISTLE_SWEEP": "1"}, "no such setting"),
        ({"WHISTLE_SWEEP_EVERY": "often"}, "length of time"),
    ],
)
def test_a_faulty_setting_is_told_and_starts_nothing(machine: Machine, settings: dict[str, str], sentence: str) -> None:
    code, said = machine.whistle("migrate", **settings)
    assert (code, sentence in said) == (2, True), said


def test_a_faulty_calendar_changes_nothing(machine: Machine, tmp_path: Path) -> None:
    assert machine.whistle("migrate")[0] == 0
    table = tmp_path / "cn-2027.yaml"
    table.write_text("year: 2027\noff: [2027-13-01, 2026-01-01]\n", "utf-8")
    code, said = machine.whistle("calendar", "load", str(table))
    assert code == 2
    assert "cn-2027.yaml" in said
    with psycopg.connect(machine.dsn) as connection:
        assert connection.execute("SELECT count(*) FROM calendar_table WHERE NOT brought").fetchone() == (0,)


def test_settings_show_no_secret(machine: Machine) -> None:
    code, said = machine.whistle("settings", WHISTLE_DATABASE_URL="postgresql://me:hush@127.0.0.1:1/none")
    assert code == 0
    assert "hush" not in said
    assert "WHISTLE_SWEEP_EVERY" in said
