"""What the documentation tells to put into place is what the program wants, and the same in each of its forms."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from api.settings import Settings
from tests.distributed.papers import PAPERS, commands_of, settings_of
from workflows import surroundings

UNITS = sorted(one.name for one in PAPERS.glob("*.service"))
ADDRESSES = (
    "PREFECT_SERVER_DATABASE_CONNECTION_URL",
    "PREFECT_REDIS_MESSAGING_URL",
    "PREFECT_SERVER_DOCKET_URL",
)


def services() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((PAPERS / "compose.yaml").read_text())["services"]
    return read


def started_by(unit: str) -> str:
    found = re.search(r"^ExecStart=\S+/(.+)$", (PAPERS / unit).read_text(), re.MULTILINE)
    assert found is not None
    return found[1]


def alike(command: str) -> list[str]:
    """A command without what differs from one machine to the next: its address and its name."""
    return shlex.split(re.sub(r"--(host|port|name) \S+ ?", "", command))


def test_the_settings_of_prefects_servers_are_those_of_the_code() -> None:
    said = settings_of("prefect.env")
    wanted = surroundings.shared_server(said[ADDRESSES[0]], "redis://redis:6379")
    assert said == wanted


def test_every_setting_of_a_worker_is_one() -> None:
    said = {name: value for name, value in settings_of("whistle.env").items() if name.startswith("WHISTLE_")}
    settings = Settings.read(said)
    assert settings.sweep_every == Settings().sweep_every
    assert surroundings.require_answering(settings_of("whistle.env")["PREFECT_API_URL"]) is False


@pytest.mark.parametrize("module", ["prefect_redis.messaging", "prefect_redis.ordering", "prefect_redis.lease_storage"])
def test_each_module_that_the_servers_are_told_to_use_is_in_the_extra(module: str) -> None:
    from importlib.util import find_spec

    assert module in settings_of("prefect.env").values()
    assert find_spec(module) is not None


def test_containers_run_what_the_units_run() -> None:
    containers = services()
    assert alike(containers["worker-1"]["command"]) == alike(started_by("whistle-worker@.service"))
    assert alike(containers["worker-2"]["command"]) == alike(started_by("whistle-worker@.service"))
    assert alike(containers["prefect-1"]["command"]) == alike(started_by("whistle-prefect@.service"))
    assert alike(containers["services"]["command"]) == alike(started_by("whistle-prefect-services.service"))
    typed = commands_of("production.md")
    assert {containers["upgrade"]["command"], containers["deployments"]["command"]} <= set(typed)


def test_every_container_is_told_by_a_page_and_waits_for_one_that_is_there() -> None:
    containers = services()
    for name, one in containers.items():
        assert name == "redis" or (PAPERS / one["env_file"]).is_file()
        assert set(one.get("depends_on", {})) <= set(containers)
    assert "--appendonly yes" in containers["redis"]["command"]


def test_the_names_in_the_settings_are_those_of_the_containers() -> None:
    containers = services()
    names = {*containers, *(alias for one in ("prefect-1", "prefect-2") for alias in _aliases_of(containers[one]))}
    host = re.compile(r"//(?:[^@/]*@)?([\w.-]+)")
    assert {found[1] for found in host.finditer(settings_of("prefect.env")[ADDRESSES[1]])} <= names
    assert {found[1] for found in host.finditer(settings_of("whistle.env")["PREFECT_API_URL"])} <= names


def _aliases_of(container: dict[str, Any]) -> list[str]:
    found: list[str] = container["networks"]["default"]["aliases"]
    return found


@pytest.mark.parametrize("unit", UNITS)
def test_systemd_takes_the_unit(unit: str, tmp_path: Path) -> None:
    told = (PAPERS / unit).read_text()
    assert set(re.findall(r"^\[(\w+)\]$", told, re.MULTILINE)) == {"Unit", "Service", "Install"}
    program = re.search(r"^ExecStart=(/opt/whistle/\.venv/bin/\S+)", told, re.MULTILINE)
    assert program is not None
    mine = Path(sys.executable).with_name(Path(program[1]).name)
    assert mine.is_file()
    if verifier := shutil.which("systemd-analyze"):
        (tmp_path / unit).write_text(told.replace(program[1], str(mine)))
        asked = [verifier, "verify", "--man=no", str(tmp_path / unit.replace("@.", "@4201."))]
        if "@" in unit:
            (tmp_path / unit.replace("@.", "@4201.")).symlink_to(tmp_path / unit)
        said = subprocess.run(asked, capture_output=True, text=True, check=False)
        assert said.returncode == 0, said.stderr
        assert unit.partition("@")[0].removesuffix(".service") not in said.stderr
