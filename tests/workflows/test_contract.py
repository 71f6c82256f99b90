"""What the runner uses of Prefect beside its headline API is there, and takes what it is given."""

from __future__ import annotations

import inspect
import tomllib
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from workflows import surroundings
from workflows.faults import OrchestratorFault

ROOT = Path(__file__).parents[2]


def parameters(callable_: Any) -> set[str]:  # noqa: ANN401 - whatever Prefect has there
    return set(inspect.signature(callable_).parameters)


def test_the_engine_runs_a_flow_in_place() -> None:
    from prefect.flow_engine import run_flow_async

    assert inspect.iscoroutinefunction(run_flow_async)
    assert {"flow", "flow_run", "parameters", "return_type"} <= parameters(run_flow_async)


def test_the_client_finds_claims_and_reads_runs() -> None:
    from prefect.client.orchestration import PrefectClient

    assert {"deployment_ids", "scheduled_before"} <= parameters(PrefectClient.get_scheduled_flow_runs_for_deployments)
    assert {"flow_run_id", "state"} <= parameters(PrefectClient.set_flow_run_state)
    assert {"flow_run_filter"} <= parameters(PrefectClient.read_flow_runs)
    assert {"deployment_filter", "limit"} <= parameters(PrefectClient.read_deployments)


def test_what_keeps_it_cheap_while_nothing_happens_is_there_still() -> None:
    from docket import Worker
    from prefect.flow_engine import AsyncFlowRunEngine
    from prefect.server.api import background_workers
    from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, get_current_settings, temporary_settings

    assert vars(background_workers)["Worker"] is Worker
    assert {"minimum_check_interval", "scheduling_resolution"} <= parameters(Worker)
    with temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
        assert get_current_settings().flows.heartbeat_frequency is None
    # The engine watches for a person's suspending only where there is a deployment.
    assert "deployment_id" in inspect.getsource(AsyncFlowRunEngine.setup_flow_run_suspension_request)


def test_a_deployment_takes_what_ours_have() -> None:
    from workflows import flows

    wanted = {"schedule", "parameters", "tags", "concurrency_limit", "work_pool_name", "entrypoint_type"}
    assert all(wanted <= parameters(flow.ato_deployment) for flow in flows.FLOWS)


def test_every_flow_is_async_because_a_sync_one_loses_a_second_to_its_heartbeat() -> None:
    from workflows import flows

    assert [flow.name for flow in flows.FLOWS if not flow.isasync] == []


def test_the_server_knows_every_setting_that_it_is_given(tmp_path: Path) -> None:
    from prefect.settings import Settings

    known = {
        alias.upper()
        for model in _models(Settings)
        for alias in _aliases(model)
        if alias.lower().startswith("prefect_")
    }
    embedded = surroundings.server(tmp_path, 4200)
    shared = surroundings.shared_server("postgresql+asyncpg://…", "redis://…")
    given = {name for name in {**embedded, **shared} if name.startswith("PREFECT_")}
    # The last is the extra's own, which Prefect's settings don't list.
    assert sorted(given - known) == ["PREFECT_REDIS_MESSAGING_URL"]


def _models(model: Any) -> list[Any]:  # noqa: ANN401 - pydantic's classes
    inner = [each.annotation for each in model.model_fields.values() if hasattr(each.annotation, "model_fields")]
    return [model, *(one for each in inner for one in _models(each))]


def _aliases(model: Any) -> list[str]:  # noqa: ANN401 - as above
    prefix = str(model.model_config.get("env_prefix") or "PREFECT_")
    found = []
    for name, each in model.model_fields.items():
        choices = getattr(each.validation_alias, "choices", [])
        found += [prefix + name, *(one for one in choices if isinstance(one, str))]
    return found


def test_the_installed_set_fits_and_is_the_one_that_is_pinned() -> None:
    surroundings.require_fitting()
    pinned = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    assert f"prefect=={version('prefect')}" in pinned


@pytest.mark.parametrize(
    ("name", "other"),
    [("prefect", "3.9.1"), ("prefect", "3.8.7"), ("fastapi", "0.155.0"), ("sqlalchemy", "2.1.0"), ("prefect", "–")],
)
def test_another_version_is_refused_by_its_name_in_both_languages(name: str, other: str) -> None:
    fitting = {"prefect": "3.8.8", "fastapi": "0.150.2", "sqlalchemy": "2.0.58"}
    surroundings.require_fitting(fitting)
    with pytest.raises(OrchestratorFault) as told:
        surroundings.require_fitting({**fitting, name: other})
    assert told.value.code == "unfit"
    for language in ("zh_CN", "en"):
        assert {name, other} <= set(told.value.text(language).replace(",", " ").replace("，", " ").split())
