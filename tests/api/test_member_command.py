"""`whistle member`: the first administrator, one-time codes, unlocking; and the demonstration's members."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.cli import run
from api.demonstration import passes, settled
from api.settings import Settings
from cases.samples.cast import PARTS
from cases.samples.city import SampleCity
from cases.samples.load import load
from cases.store import Store
from cases.vault import MasterKey
from tests import town as towns
from tests.api.account import account_of
from tests.api.door import Door, door_of
from tests.chaos.web import surroundings


@pytest.fixture
def here(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Door]:
    """A door whose installation is the command line's too."""
    secret = os.urandom(32)
    monkeypatch.setattr(towns, "MasterKey", lambda _: MasterKey(secret))
    with door_of(store) as door:
        for name, value in surroundings(door.town, secret, tmp_path / "home", 8000).items():
            if name.startswith("WHISTLE_"):
                monkeypatch.setenv(name, value)
        yield door


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run(["member", *arguments]) == 0
    return capsys.readouterr().out


def test_the_first_administrator_comes_from_the_command_line(here: Door, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("admin", "Wang.Fang", "--name", "王芳", "--organisation", "T-city", "--json")
    drawn = json.loads(said(capsys, *arguments))
    from datetime import UTC, datetime

    here.now = datetime.now(UTC)
    body = {"login": "wang.fang", "code": drawn["code"], "password": "a sentence of one's own"}
    answer = here.stranger().post("/api/v1/signin/one-time", json=body)
    assert answer.json()["stage"] == "enrolment_needed"
    assert run(["member", *arguments]) == 2
    assert "wang.fang" in capsys.readouterr().err
    assert run(["member", "admin", "other", "--name", "x", "--organisation", "nowhere"]) == 2


def test_a_lost_password_and_a_locked_account_are_mended_at_once(
    here: Door, capsys: pytest.CaptureFixture[str]
) -> None:
    from datetime import UTC, datetime

    holder = account_of(here, "supervisor@district", second_factor=True)
    here.now = datetime.now(UTC)
    for _ in range(6):
        holder.sign_in(password="wrong" * 3)
    assert holder.sign_in().last.status_code == 429
    said(capsys, "unlock", holder.login)
    browser = holder.sign_in(code=holder.code())
    assert browser.last.json()["stage"] == "signed_in"
    assert "1" in said(capsys, "sign-out", holder.login)
    assert browser.get("/api/v1/me").status_code == 401
    drawn = json.loads(said(capsys, "reset", holder.login, "--second-factor", "--json"))
    here.now = datetime.now(UTC)
    body = {"login": holder.login, "code": drawn["code"], "password": "a sentence of one's own"}
    assert here.stranger().post("/api/v1/signin/one-time", json=body).json()["stage"] == "enrolment_needed"
    assert run(["member", "reset", "nobody.here"]) == 2
    assert "nobody.here" in capsys.readouterr().err


def test_the_demonstration_shows_every_role_around_one_school(here: Door) -> None:
    kept = here.house.kept
    wanted = Settings.read({"WHISTLE_DEMO": "yes"})
    # Real records: the mode turns itself off, whatever the setting says.
    assert not settled(wanted, kept.store).demo
    with kept.store.scratch() as empty:
        load(empty, kept.keystore, kept.master, SampleCity(schools=1, students=4, districts=("玄武区",)))
        assert settled(wanted, empty).demo
        assert not settled(Settings(), empty).demo
        first = passes(empty, here.now)
        again = passes(empty, here.now)
        assert {one.part.part for one in again} == set(PARTS)
        assert {one.login for one in again} == set(PARTS)
        assert not {one.password for one in first} & {one.password for one in again}
        city = towns.Town(empty, here.town.office)
        here.town.office.refresh(-1)
        shown = Door(city, wanted, here.now)
        supervisor = next(one for one in again if one.part.part == "supervisor")
        entered = shown.stranger().post(
            "/api/v1/signin", json={"login": supervisor.login, "password": supervisor.password}
        )
        assert entered.json()["stage"] == "signed_in"
        before = next(one for one in first if one.part.part == "supervisor")
        refused = shown.stranger().post("/api/v1/signin", json={"login": before.login, "password": before.password})
        assert refused.status_code == 401
        assert "演示环境" in shown.stranger().get("/sign-in").text
