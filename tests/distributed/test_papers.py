"""What the documentation tells to put into place is what the program wants, and the same in each of its forms."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
import zipfile
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml

from api.envelope import LARGE
from api.settings import Settings
from tests.distributed.papers import PAPERS, ROOT, commands_of, settings_of
from workflows import surroundings

COMMANDS = ROOT / "api" / "commands"
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


def test_every_setting_that_a_paper_names_is_one() -> None:
    known = {f"WHISTLE_{one.name.upper()}" for one in fields(Settings)}
    pages = [*PAPERS.iterdir(), PAPERS.parent / "production.md", PAPERS.parent / "watch.md"]
    for page in pages:
        assert set(re.findall(r"WHISTLE_[A-Z_]*[A-Z]", page.read_text())) <= known, page.name


def test_whoever_fills_in_the_settings_is_asked_for_the_way_in_and_the_ways_out() -> None:
    asked = settings_of("whistle.env").keys()
    assert asked >= {
        "WHISTLE_LINK",
        "WHISTLE_PROXIES",
        "WHISTLE_MAIL",
        "WHISTLE_SMS",
        "WHISTLE_BACKUPS",
        "WHISTLE_FILES",
    }


def test_every_command_that_stays_has_its_unit_and_in_a_set_of_several_its_container() -> None:
    stay = {one.stem for one in COMMANDS.glob("*.py") if "until Ctrl-C or SIGTERM" in one.read_text()}
    assert stay == {"up", "serve", "worker"}
    programs = [shlex.split(started_by(unit)) for unit in UNITS]
    assert {words[1] for words in programs if words[0] == "whistle"} == stay
    contained = [shlex.split(one["command"]) for one in services().values() if "command" in one]
    assert {words[1] for words in contained if words[0] == "whistle"} == (stay - {"up"}) | {"migrate"}


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
    for web in ("web-1", "web-2"):
        assert alike(containers[web]["command"]) == alike(started_by("whistle-serve@.service"))
    typed = commands_of("production.md")
    assert {containers["upgrade"]["command"], containers["deployments"]["command"]} <= set(typed)


def test_every_container_is_told_by_a_page_and_waits_for_one_that_is_there() -> None:
    containers = services()
    for name, one in containers.items():
        assert name in {"redis", "proxy"} or (PAPERS / one["env_file"]).is_file()
        assert set(one.get("depends_on", {})) <= set(containers)
    assert "--appendonly yes" in containers["redis"]["command"]


def test_nothing_that_needs_the_tables_starts_before_they_are_made() -> None:
    containers = services()

    def waits_for(name: str) -> set[str]:
        asked = set(containers[name].get("depends_on", {}))
        return asked | {further for one in asked for further in waits_for(one)}

    for name, one in containers.items():
        if one.get("env_file") == "whistle.env" and name != "migrate":
            assert "migrate" in waits_for(name), name
    assert {
        one["depends_on"]["migrate"]["condition"]
        for one in containers.values()
        if "migrate" in one.get("depends_on", {})
    } == {"service_completed_successfully"}


@pytest.mark.parametrize("unit", [one for one in UNITS if "prefect" not in one])
def test_every_folder_of_the_settings_can_be_written_to_by_the_unit_and_the_container(unit: str) -> None:
    told = (PAPERS / unit).read_text()
    writable = [f"/var/lib/{one}" for one in re.findall(r"^StateDirectory=(.+)$", told, re.MULTILINE)[0].split()]
    assert "ReadWritePaths=-/srv/whistle" in told.splitlines()
    mounted = [one.split(":")[1] for one in services()["web-1"]["volumes"]]
    for name in ("WHISTLE_HOME", "WHISTLE_SEALS", "WHISTLE_BACKUPS", "WHISTLE_FILES", "WHISTLE_KEY_COPIES"):
        folder = settings_of("whistle.env")[name]
        assert any(f"{folder}/".startswith(f"{one}/") for one in writable), name
        assert any(f"{folder}/".startswith(f"{one}/") for one in mounted), name
    made = re.findall(r"^ && install -d -o whistle .*$", (PAPERS / "Dockerfile").read_text(), re.MULTILINE)[0].split()
    assert set(writable) <= set(made)


def test_the_proxy_sends_on_what_the_web_service_believes_and_it_alone_is_believed() -> None:
    said = (PAPERS / "nginx.conf").read_text()
    headers = dict(re.findall(r"^\s+proxy_set_header (\S+) (\S+);$", said, re.MULTILINE))
    assert headers["Host"] == "$host"
    assert headers["X-Forwarded-Proto"] == "$scheme"
    # Not the list that a client may have begun itself.
    assert headers["X-Forwarded-For"] == "$remote_addr"
    limit = re.search(r"client_max_body_size (\d+)m;", said)
    assert limit is not None
    assert int(limit[1]) * 1024 * 1024 == LARGE
    containers = services()
    upstream = re.findall(r"^\s+server ([\w-]+):8000 ", said, re.MULTILINE)
    assert {one for one, each in containers.items() if each.get("command") == "whistle serve"} == set(upstream)
    settings = Settings.read(settings_of("whistle.env") | containers["web-1"]["environment"])
    assert containers["proxy"]["networks"]["default"]["ipv4_address"] == settings.proxies
    assert settings.link == f"https://{re.findall(r'server_name (.+);', said)[0]}"
    assert settings.port == 8000


def test_the_image_has_all_that_the_package_is_built_from(tmp_path: Path) -> None:
    said = (PAPERS / "Dockerfile").read_text()
    makefile = (ROOT / "Makefile").read_text()
    assert re.findall(r"uv==([\d.]+)", said) == re.findall(r"^UV_VERSION := ([\d.]+)$", makefile, re.MULTILINE)
    for line in re.findall(r"^COPY (.+)$", said, re.MULTILINE):
        *sources, target = line.split()
        for source in sources:
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, tmp_path / target)
            else:
                shutil.copy(ROOT / source, tmp_path / target)
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel"]
    subprocess.run(build, cwd=tmp_path, check=True, capture_output=True)
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    inside = set(zipfile.ZipFile(wheel).namelist())
    assert {"api/templates/base.html", "cases/tracks/case.py", "workflows/logging.yml"} <= inside
    assert any(one.startswith("policies/library/") for one in inside)


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
