"""Schemathesis with all its checks, as a counselor and as a coordinator: what the document says is what is answered."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import FailureGroup
from schemathesis.generation import GenerationMode

from api.signin.scopes import SCOPES
from cases.shelf import FolderShelf
from cases.store import Store
from tests.api.door import AT_HOME, Door, door_of
from tests.api.rest.cast import a_busy_case

# A form that is right in itself may still be refused for what it says: a day in the future, another's organisation.
EXPECTED = ["2xx", "401", "403", "404", "409", "412", "422"]
CONFIG = {"checks": {"positive_data_acceptance": {"expected-statuses": EXPECTED}}}


@pytest.fixture(scope="module")
def door(server: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    with server.scratch() as fresh, door_of(fresh) as opened:
        opened.house.office.shelf = FolderShelf(tmp_path_factory.mktemp("shelf"))
        yield opened


@pytest.fixture(scope="module")
def numbers(door: Door) -> list[str]:
    return [a_busy_case(door), door.town.whistle().case.number, "WH-2026-999999"]


def run(door: Door, numbers: list[str], first: int, each: int) -> tuple[int, list[str]]:
    """So many examples of every operation, right and wrong ones by turns: how many they were, and what failed."""
    schema = schemathesis.openapi.from_asgi(
        "/api/v1/openapi.json",
        door.app,
        config=SchemathesisConfig.from_dict(CONFIG),
        headers={"Host": "127.0.0.1:8000"},
    )
    shown = [door.token(who, *SCOPES).headers["authorization"] for who in ("counselor@school", "coordinator@district")]
    ran, failed = 0, []
    for place, found in enumerate(schema.get_all_operations()):
        operation: Any = found.ok()  # type: ignore[union-attr]
        named = {one.name for one in operation.path_parameters}
        modes = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]

        def cases(mode: GenerationMode, operation: Any = operation, named: set[str] = named) -> Any:  # noqa: ANN401
            paths: dict[str, Any] = (
                {"number": st.sampled_from(numbers)} if "/cases/" in operation.path and "number" in named else {}
            )
            if "no" in named:
                paths["no"] = st.integers(1, 6)
            fixed = st.fixed_dictionaries(paths) if paths and mode is GenerationMode.POSITIVE else st.just({})
            return fixed.flatmap(lambda given: operation.as_strategy(mode, path_parameters=given or None))

        wanted = [modes[(first + place + turn) % 2] for turn in range(each)]
        for turn, mode in enumerate(wanted):
            try:
                ran += one(cases(mode), shown[(place + turn) % 2], first * 1000 + turn)
            except FailureGroup as found_faults:
                failed.append(f"{operation.label}, {mode.value}: {found_faults.exceptions}")
    return ran, failed


def one(cases: Any, token: str, number: int) -> int:  # noqa: ANN401 - Schemathesis' own strategy
    """One example of an operation, asked with that token, every check made of its answer."""
    ran: list[int] = []

    @seed(number)
    @settings(
        max_examples=1,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases)
    def asked(case: Any) -> None:  # noqa: ANN401
        ran.append(1)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            case.call_and_validate(headers={"Authorization": token}, base_url=AT_HOME)

    asked()
    return len(ran)


def test_what_the_document_says_is_what_is_answered(door: Door, numbers: list[str]) -> None:
    ran, failed = run(door, numbers, first=1, each=1)
    assert not failed, "\n".join(failed)
    assert ran >= 130


@pytest.mark.long
@pytest.mark.parametrize("first", [11, 12, 13])
def test_a_thousand_examples_over_three_seeds(door: Door, numbers: list[str], first: int) -> None:
    ran, failed = run(door, numbers, first=first, each=4)
    assert not failed, "\n".join(failed)
    assert ran >= 500
