"""The declarations say what the contract says: nothing dropped, renamed or widened without a reason."""

from __future__ import annotations

import pytest

from cases.track import FOLLOWS, TIME, Move, discover
from policies import book as books
from tests.cases import contract

ROWS = [(kind, row) for kind in contract.ROWS for row in contract.rows(kind).values()]
NAMED = pytest.mark.parametrize(("kind", "row"), ROWS, ids=[f"{kind}.{row.trigger}" for kind, row in ROWS])


def move_of(kind: str, trigger: str) -> Move:
    return discover()[kind].by_name[trigger]


def test_every_kind_of_track_is_declared_and_no_other() -> None:
    assert set(discover()) == set(contract.STATES) == set(contract.ROWS) == set(contract.CLOCKS)


@pytest.mark.parametrize("kind", contract.STATES)
def test_a_kind_has_the_states_of_the_contract_and_the_same_ends(kind: str) -> None:
    declared = discover()[kind]
    assert set(declared.states) == set(contract.states(kind))
    assert declared.ends == contract.ends(kind)


@pytest.mark.parametrize("kind", contract.STATES)
def test_every_move_is_a_row_of_the_contract_or_has_its_reason(kind: str) -> None:
    added = set(contract.ADDED.get(kind, {}))
    assert set(discover()[kind].by_name) == set(contract.rows(kind)) | added


@NAMED
def test_a_move_leads_from_where_to_where_the_row_says(kind: str, row: contract.Row) -> None:
    move = move_of(kind, row.trigger)
    more = contract.MORE_SOURCES.get((kind, row.trigger))
    if row.source is None:
        assert move.opens
        assert row.targets == (discover()[kind].initial,)
        return
    assert set(move.source or ()) == {*row.source, *((more[0],) if more else ())}
    assert set(move.targets) == {*row.targets, *((more[0],) if more and row.trigger == "sign_off" else ())}


@NAMED
def test_a_move_is_pulled_by_whom_the_row_names_and_by_nobody_else(kind: str, row: contract.Row) -> None:
    move = move_of(kind, row.trigger)
    if row.by is None:
        assert move.by in {TIME, FOLLOWS}
        return
    if row.by == ("the caller@",):
        callers = set(contract.rows("conference")["call"].by or ())
        assert {one.role for one in move.by} == {name.partition("@")[0] for name in callers}
        assert move.only is not None
        return
    widened = contract.WIDENED.get((kind, row.trigger))
    expected = {*row.by, *(contract.who(widened) if widened else ())}
    assert {str(one) for one in move.by if one not in FOLLOWS} == expected


@NAMED
def test_a_move_asks_for_the_fields_of_the_row(kind: str, row: contract.Row) -> None:
    declared = {one.name.rstrip("_"): one for one in move_of(kind, row.trigger).form.fields}
    assert {name for name, one in declared.items() if one.required} == set(row.required)
    assert set(row.optional) <= set(declared)


def test_what_the_law_reserves_is_reserved_for_the_same_organisations() -> None:
    reserved = books.load("nanjing-2026.1").reserved
    assert {name: set(one.kinds) for name, one in reserved.items()} == {
        f"{kind}.{trigger}": kinds for (kind, trigger), kinds in contract.RESERVED.items()
    }


@pytest.mark.parametrize("kind", contract.CLOCKS)
def test_a_kind_has_the_clocks_of_the_contract_owed_by_the_same(kind: str) -> None:
    declared = discover()[kind].clock_kinds
    assert set(declared) == set(contract.CLOCKS[kind])
    for name, owed in contract.CLOCKS[kind].items():
        if owed != "…":
            assert declared[name].owed_by == tuple(one.strip() for one in owed.split(",")), name


@pytest.mark.parametrize("row", [row for _, row in ROWS if (row.kind, row.trigger) in contract.OWN_CODES], ids=str)
def test_a_row_with_a_code_of_its_own_for_the_wrong_state_gives_it(row: contract.Row) -> None:
    assert dict(move_of(row.kind, row.trigger).wrong_state) == contract.OWN_CODES[row.kind, row.trigger]


@pytest.mark.parametrize("kind", contract.CASE_STATES)
def test_a_track_moves_in_the_states_of_the_case_that_its_kind_allows(kind: str) -> None:
    declared = discover()[kind]
    for move in declared.moves:
        allowed = contract.MORE_CASE_STATES.get((kind, move.name), contract.CASE_STATES[kind])
        assert set(move.needs_case or declared.while_case) == set(allowed), move.name
