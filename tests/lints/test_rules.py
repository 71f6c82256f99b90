"""Each rule catches what is planted, in every form it may take, and lets its one owner do it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lints.rules import COMMITTER, MOVER, NO_COMMIT, NO_NEIGHBOUR, NO_STATE, offences, offences_in

ELSEWHERE = Path("cases/wake.py")


@pytest.mark.parametrize(
    "line",
    [
        "connection.commit()",
        "finish = session.commit",
        "getattr(connection, 'commit')()",
        "connection.execute(text('COMMIT'))",
        "connection.execute('commit;')",
        "connection.autocommit = True",
        "connect(url, autocommit=True)",
        "create_engine(url, isolation_level='AUTOCOMMIT')",
    ],
)
def test_a_commit_outside_the_store_is_caught(line: str) -> None:
    assert [offence.rule for offence in offences_in(line, ELSEWHERE)] == [NO_COMMIT]
    assert offences_in(line, COMMITTER) == []


@pytest.mark.parametrize(
    "line",
    [
        "case.state = 'closed'",
        "case.state += 'd'",
        "case.state: str = 'closed'",
        "row['state'] = 'closed'",
        "setattr(case, 'state', 'closed')",
        "object.__setattr__(case, 'state', 'closed')",
        "number, case.state = 1, 'closed'",
        "[*case.state] = states",
        "for case.state in states: pass",
        "with opened() as case.state: pass",
        "replace(case, state='closed')",
        "dataclasses.replace(case, state='closed')",
    ],
)
def test_a_state_assigned_outside_the_engine_is_caught(line: str) -> None:
    assert [offence.rule for offence in offences_in(line, ELSEWHERE)] == [NO_STATE]
    assert offences_in(line, MOVER) == []


@pytest.mark.parametrize(
    "line",
    [
        "if case.state == 'closed': pass",
        "state = case.state",
        "state: str",
        "facts = {'state': case.state}",
        "text('committed')",
        "name.replace('state', 'closed')",
    ],
)
def test_reading_a_state_or_naming_a_commit_is_no_offence(line: str) -> None:
    assert offences_in(line, ELSEWHERE) == []


@pytest.mark.parametrize(
    "line",
    [
        "from cases.engine import fire",
        "import cases.records",
        "from policies.limits import Limit",
        "from . import case",
    ],
)
def test_a_track_that_knows_its_neighbours_is_caught(line: str) -> None:
    track = Path("cases/tracks/leave.py")
    assert [offence.rule for offence in offences_in(line, track)] == [NO_NEIGHBOUR]
    assert offences_in(line, ELSEWHERE) == offences_in("from cases.track import Track", track) == []


def test_what_stands_beside_a_track_is_known_to_that_track_alone_and_keeps_to_its_rule() -> None:
    line = "from cases.opening import enter_open"
    assert offences_in(line, Path("cases/tracks/case.py")) == []
    assert [one.rule for one in offences_in(line, Path("cases/tracks/leave.py"))] == [NO_NEIGHBOUR]
    assert [one.rule for one in offences_in("from cases.store import Store", Path("cases/opening.py"))] == [
        NO_NEIGHBOUR
    ]


def test_a_planted_module_is_found_where_it_lies(tmp_path: Path) -> None:
    (tmp_path / "workflows").mkdir()
    (tmp_path / "workflows" / "hasty.py").write_text("def sweep(case):\n    case.state = 'closed'\n")
    assert [str(offence) for offence in offences(tmp_path)] == [f"workflows/hasty.py:2: {NO_STATE}"]


def test_the_project_keeps_its_own_rules() -> None:
    assert [str(offence) for offence in offences()] == []
