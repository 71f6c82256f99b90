"""The log can be read by a machine, and nobody can be found in it."""

from __future__ import annotations

import io
import json
import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from api import logs
from cases import rounds
from cases.belonging import belonging_to
from cases.crew import Crew, Hand
from cases.heartbeat import DOORS
from cases.installation import Installation
from cases.records import case as cases_table
from cases.rounds import Premises
from cases.store import Store
from tests.town import START, Town, town

CANARIES = ("王小怡", "320106201611020019", "13800000000", "mother@example.com", "bruises on both arms")


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    stream = io.StringIO()
    logs.set_up(stream)
    try:
        yield stream
    finally:
        root.handlers[:] = before
        root.setLevel(level)


def lines(written: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in written.getvalue().splitlines()]


def fail(why: str) -> None:
    raise ValueError(why)


def test_a_line_is_one_json_object_with_its_request(written: io.StringIO) -> None:
    with belonging_to("request", "0123456789abcdef"):
        logging.getLogger("cases.wake").warning("case set aside", extra={"case": "WH-2026-000001", "tries": 3})
    logging.getLogger("cases.wake").info("outside")
    first, second = lines(written)
    assert first["request"] == "0123456789abcdef"
    assert (first["said"], first["case"], first["tries"]) == ("case set aside", "WH-2026-000001", 3)
    assert (first["level"], first["from"]) == ("warning", "cases.wake")
    assert "request" not in second


def test_a_request_id_of_somebodys_own_making_is_replaced(written: io.StringIO) -> None:
    with belonging_to("request", 'x"}\n{"level": "info"') as mark:
        logging.getLogger("api").info("asked")
    assert len(lines(written)) == 1
    assert len(mark) == 32


@pytest.mark.parametrize("canary", CANARIES)
@pytest.mark.parametrize("speaker", ["cases.ledger", "apprise", "uvicorn.error", "prefect.flow_runs"])
def test_no_canary_gets_into_the_log(written: io.StringIO, speaker: str, canary: str) -> None:
    log = logging.getLogger(speaker)
    log.warning("wrote to %s", canary)
    log.warning("wrote", extra={"student": canary, "why": canary, "lane": canary, "case": canary})
    if canary.isdigit():
        log.warning("wrote", extra={"delivery": int(canary)})
    try:
        fail(f"Key (name)=({canary}) already exists")
    except ValueError:
        log.exception("failed")
    if speaker != "cases.ledger":
        log.warning(f"Sent to {canary}")  # noqa: G004 - what other packages do
    assert canary not in written.getvalue().encode().decode("unicode_escape", errors="replace")
    assert canary not in written.getvalue()
    assert lines(written)


def test_an_exception_leaves_its_kind_and_its_place(written: io.StringIO) -> None:
    try:
        fail("secret")
    except ValueError:
        logging.getLogger("workflows.runner").exception("the runner stumbled")
    (line,) = lines(written)
    assert line["raised"] == "ValueError"
    assert str(line["through"]).startswith("['tests/api/test_logs.py:")


def spoilt(city: Town) -> None:
    """A case that the sweep wakes though nothing of it is due."""
    case_id = city.whistle().case.id
    with city.store.begin() as connection:
        connection.execute(update(cases_table).where(cases_table.c.id == case_id).values(wake_at=START))


def test_the_lines_of_a_round_carry_its_run_and_each_run_is_another(
    written: io.StringIO, store: Store, tmp_path: Path
) -> None:
    with town(store) as city:
        kept = Installation(city.store, city.office.keystore, city.office.master)
        premises = Premises(kept, tmp_path / "home", tmp_path / "elsewhere", _office=city.office)
        for n, door in enumerate(DOORS):
            spoilt(city)
            spoilt(city)
            rounds.go(premises, "sweep", door, START + timedelta(seconds=n + 1))
    runs = [str(line["run"]) for line in lines(written) if line.get("said") == "case set aside"]
    assert len(runs) == 6
    assert sorted(Counter(runs).values()) == [2, 2, 2]


def test_what_is_said_by_the_threads_of_a_delivery_carries_its_run(written: io.StringIO) -> None:
    def work(lane: str, _: Hand) -> None:
        logging.getLogger("cases.delivery").warning("not delivered", extra={"lane": lane})

    with closing(Crew(work)) as crew, belonging_to("run", "0123456789abcdef"):
        crew.see_to(["mail", "sms"])
        crew.wait()
    assert [line["run"] for line in lines(written)] == ["0123456789abcdef"] * 2
