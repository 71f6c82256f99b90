"""Every scenario that is shipped plays to its end, on a real database, with every expectation held."""

from __future__ import annotations

from pathlib import Path

import pytest

import cases.samples
from cases.play import play
from cases.store import Store

SAMPLES = sorted((Path(cases.samples.__file__).parent / "scenarios").glob("*.yaml"))


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_a_shipped_scenario_holds(path: Path, server: Store) -> None:
    outcome = play(path, server)
    assert [(check.line, check.what, check.found.en) for check in outcome.failed] == []
    assert outcome.checked > 0


def test_the_contract_s_own_scenarios_are_shipped() -> None:
    contract = {"back-to-school-in-steps", "bruises-on-a-nine-year-old", "nobody-answers"}
    assert contract <= {path.stem for path in SAMPLES}
