"""The flows are thin: each makes its round once, at the time of the premises, and leaves a heartbeat."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from prefect import Flow
from sqlalchemy import text

from cases import heartbeat, rounds
from cases.retention import NothingListed
from cases.rounds import Premises
from tests.town import START, Town, minutes
from workflows import deployments, flows, place
from workflows.faults import OrchestratorFault


def run(flow: Flow[..., Any], **given: Any) -> dict[str, Any]:  # noqa: ANN401 - a flow's own
    """The flow's function itself, without Prefect's engine around it."""
    done: dict[str, Any] = asyncio.run(flow.fn(**given))
    return done


def fixed(premises: Premises, after: float = 0) -> None:
    premises.clock = lambda: START + minutes(after)


def test_a_sweep_fires_what_is_due_and_a_second_one_nothing(city: Town, premises: Premises) -> None:
    city.whistle()
    fixed(premises, 40)
    assert run(flows.sweep)["fired"] > 0
    assert run(flows.sweep)["fired"] == 0
    with city.store.read() as connection:
        beat = heartbeat.last(connection, "sweep", "orchestrator")
    assert beat is not None
    assert beat.finished_at == START + minutes(40)


def test_every_round_has_a_flow_and_every_flow_a_round() -> None:
    assert {one.name.replace("-", "_") for one in flows.FLOWS} == set(rounds.ROUNDS)


def test_flows_without_anything_to_do_do_nothing(city: Town, premises: Premises) -> None:
    fixed(premises)
    assert run(flows.deliver) == {}
    assert run(flows.digest)["messages"] == 0
    assert run(flows.bulletin)["entries"] == 0
    assert run(flows.seal, thorough=True)["broken"] == []
    assert run(flows.retention)["due"] == 0
    with pytest.raises(NothingListed):
        run(flows.retention, apply=True)


def test_in_a_worker_that_was_told_nothing_the_first_missing_setting_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("WHISTLE_DATABASE_URL", raising=False)
    place.settle(None)
    with pytest.raises(OrchestratorFault) as told:
        run(flows.sweep)
    assert "WHISTLE_DATABASE_URL" in told.value.text("zh_CN")


def test_a_worker_finds_its_premises_in_the_environment(
    city: Town, premises: Premises, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cases.keystore import KeyStore
    from cases.vault import MasterKey

    home = tmp_path / "worker"
    home.mkdir()
    master = MasterKey.create(home)
    # Not under the name of a scratch database: those are cleared away when their owner seems gone.
    name = f"keys_of_a_worker_of_{city.store.name}"
    city.store.create_database(name)
    try:
        with city.store.at(name) as keys:
            KeyStore(keys, master).prepare()
            monkeypatch.setenv("WHISTLE_DATABASE_URL", city.store.url)
            monkeypatch.setenv("WHISTLE_KEYSTORE_URL", keys.url)
            monkeypatch.setenv("WHISTLE_HOME", str(home))
            monkeypatch.delenv("WHISTLE_MASTER_KEY_FILE", raising=False)
            place.settle(None)
            assert run(flows.sweep)["cases"] == 0
            with city.store.read() as connection:
                assert connection.scalar(text("SELECT door FROM heartbeat")) == "orchestrator"
            place.settle(None)
    finally:
        place.leave()
        city.store.drop_database(name)


def test_tags_say_the_kind_of_work_and_the_district_and_nothing_else() -> None:
    planned = deployments.plans(timedelta(seconds=15), "Asia/Shanghai", [("320102", "玄武区"), ("320104", "秦淮区")])
    tags = {tag for plan in planned for tag in plan.tags}
    assert tags == {
        "time", "messages", "tracking", "history", "retention", "backup", "statistics",
        "district:320102", "district:320104",
    }  # fmt: skip
    assert len({plan.name for plan in planned}) == len(planned)


def test_a_back_up_is_planned_where_a_folder_for_it_is_named(city: Town, premises: Premises, tmp_path: Path) -> None:
    every = timedelta(seconds=15)
    assert "backup" not in {plan.name for plan in deployments.of(premises, every)}
    premises.backups = tmp_path / "kept"
    assert "backup" in {plan.name for plan in deployments.of(premises, every)}
    fixed(premises)
    assert run(flows.backup)["file"] == "whistle-20260317T002000Z.backup"


def test_shards_of_the_sweep_are_deployments_of_their_own() -> None:
    planned = deployments.plans(timedelta(seconds=15), "Asia/Shanghai", shards=3)
    assert [plan.name for plan in planned if plan.flow is flows.sweep] == ["sweep-1", "sweep-2", "sweep-3"]
