"""`whistle demo load`: cases of every kind in the sample city, told by the engine, up to now, and told to nobody."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from typer.testing import CliRunner, Result

from api.commands import city, demo
from api.commands.database import installation
from cases import agenda, chain, ledger, vault
from cases.dossier import SECTIONS
from cases.installation import Installation, verified
from cases.office import Session
from cases.outbox import delivery, outbox
from cases.records import case, clock, event, message, track
from cases.samples.cast import cast
from cases.store import Store
from cases.track import discover

OWING = {"counselor", "principal", "mentor", "officer", "lead", "liaison", "coordinator", "supervisor"}
"""The roles that are given anything to do; the others look, or are asked by name."""


PROSE = frozenset({"line", "text", "lines", "evidence", "plan", "scores", "items"})
"""The kinds of fields into which somebody writes; the others hold codes, which pages put into words."""


@pytest.fixture(scope="module")
def installed(server: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """An installation of the module's own, with a home and a master key."""
    home = tmp_path_factory.mktemp("home")
    key = home / "given.key"
    key.write_text("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n")
    with server.scratch() as store, server.scratch() as keys, pytest.MonkeyPatch.context() as settings:
        settings.setenv("WHISTLE_HOME", str(home))
        settings.setenv("WHISTLE_DATABASE_URL", store.url)
        settings.setenv("WHISTLE_KEYSTORE_URL", keys.url)
        settings.setenv("WHISTLE_MASTER_KEY_FILE", str(key))
        yield store


def loaded(*words: str) -> Result:
    return CliRunner().invoke(demo.app, ["load", *words])


@pytest.fixture(scope="module")
def shown(installed: Store) -> Iterator[Installation]:
    """The sample district, and its cases; told once for the module. The refusal before is a test of its own."""
    refused = loaded("--language", "en")
    assert refused.exit_code == 2
    assert "city load" in refused.stderr
    CliRunner().invoke(city.app, ["load", "--district", "玄武区"])
    done = loaded("--json")
    assert done.exit_code == 0, done.output
    facts = json.loads(done.stdout)
    assert facts["already"] is False
    assert facts["cases"] > 200
    # Some acts aren't possible on other days than the story's; what was told without them is true all the same.
    assert facts["refused"] < facts["events"] / 50
    with installation() as kept:
        yield kept


def test_a_second_time_it_says_what_is_there_and_changes_nothing(shown: Installation) -> None:
    with shown.store.read() as connection:
        before = connection.scalar(select(func.count()).select_from(event))
    again = loaded("--language", "en")
    assert again.exit_code == 0
    assert "already" in again.stdout
    with shown.store.read() as connection:
        assert connection.scalar(select(func.count()).select_from(event)) == before


def test_every_kind_of_track_is_there_in_nearly_every_state(
    shown: Installation,
) -> None:
    with shown.store.read() as connection:
        seen = {(row.kind, row.state) for row in connection.execute(select(track.c.kind, track.c.state).distinct())}
        seen |= {("case", state) for state in connection.scalars(select(case.c.state).distinct())}
    declared = {(kind, state) for kind, one in discover().items() for state in one.states}
    passing = declared - seen
    assert {kind for kind, _ in seen} == set(discover())
    assert len(passing) <= len(declared) / 20, sorted(passing)


def test_some_are_overdue_and_some_are_running(shown: Installation) -> None:
    with shown.store.read() as connection:
        for state in ("running", "missed", "paused"):
            found = select(func.count()).where(clock.c.state == state, clock.c.stopped_at.is_(None))
            assert (connection.scalar(found) or 0) >= 1, state


def test_everybody_of_the_demonstration_who_can_owe_something_does(shown: Installation) -> None:
    office, now = shown.office(), datetime.now(UTC)
    with shown.store.read() as connection:
        for part in cast(connection):
            actor = office.directory.actor(connection, part.member_id, now)
            if part.part in OWING:
                assert agenda.owed(Session(connection, office), actor, now), part.part


def test_nobody_is_sent_anything_of_it_and_what_is_old_has_been_read(shown: Installation) -> None:
    with shown.store.read() as connection:
        assert connection.scalar(select(func.count()).select_from(outbox)) == 0
        assert connection.scalar(select(func.count()).select_from(delivery)) == 0
        unread = select(func.min(message.c.at)).where(message.c.read_at.is_(None))
        oldest = connection.scalar(unread)
    assert oldest is not None
    assert oldest > datetime.now(UTC) - timedelta(hours=40)


def test_what_was_told_ends_now_and_its_histories_verify(shown: Installation) -> None:
    office = shown.office()
    now = datetime.now(UTC)
    with shown.store.read() as connection:
        newest = connection.scalar(select(func.max(event.c.at)))
        assert newest is not None
        assert now - timedelta(hours=1) < newest <= now
        session = Session(connection, office)
        rows = connection.execute(select(case.c.id, case.c.number).order_by(case.c.id).limit(30)).all()
        assert [line for row in rows for line in verified(session, office, row.number, row.id)] == []


def test_everything_that_is_said_in_it_is_chinese_and_stands_where_it_belongs(shown: Installation) -> None:
    """A visitor of the Chinese pages meets no English; a hospital's appointment isn't in the family's home."""
    said = {(one["kind"], one["trigger"], name, text) for one in _spoken(shown) for name, text in one["words"]}
    # Names of scales and their versions, and what a file's name ends in.
    allowed = re.compile(r"(?i)C-SSRS|PHQ-9|GAD-7|zh-2009|screener|\.(pdf|jpg)$")
    english = sorted(one for one in said if re.search("[A-Za-z]", allowed.sub("", one[3])))
    assert english == []
    of = {(kind, trigger, name): {text for k, t, n, text in said if (k, t, n) == (kind, trigger, name)}
          for kind, trigger, name, _ in said}  # fmt: skip
    assert not [one for one in of["referral", "schedule", "where"] if "家中" in one or "社区" in one]
    assert not [one for one in of["return_to_school", "appeal", "grounds"] if "请假" in one]
    assert not [one for one in of["protection", "apply", "grounds"] if "请假" in one or "医生" in one]
    assert not [one for one in of["return_to_school", "defer", "reason"] if "指派" in one]


def _spoken(shown: Installation) -> Iterator[dict[str, Any]]:
    """Every event's sealed words, opened, with the fields in which they stand."""
    office = shown.office()
    with shown.store.read() as connection:
        query = select(event, case.c.student_id).join(case, case.c.id == event.c.case_id)
        rows = connection.execute(query).mappings().all()
    keys = office.keystore.many({row["student_id"] for row in rows})
    tracks = discover()
    for row in rows:
        words: list[tuple[str, str]] = []
        move = tracks[row["kind"]].by_name.get(row["trigger"])
        prose = {field.name for field in move.form.fields if field.kind in PROSE} if move is not None else set()
        for section in SECTIONS:
            if row[section] is not None:
                place, recorded = (
                    ledger.place(row["case_id"], row["seq"]),
                    chain.commitment_to(section, row["commitments"]),
                )
                blob = vault.open(keys[row["student_id"]], place, section, row[section], recorded)
                written = {name: value for name, value in json.loads(blob).items() if name in prose}
                words += [(name, text) for name, value in written.items() for text in _texts(value)]
        yield {"kind": row["kind"], "trigger": row["trigger"], "words": words}


def _texts(value: object) -> Iterator[str]:
    """The texts in a form's value, however deep; the names of its parts aren't read by anybody."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for one in [one for name, one in value.items() if name != "limit"] if isinstance(value, dict) else value:
            yield from _texts(one)


def test_the_makefile_tells_them_before_everything_is_started() -> None:
    text = (Path(__file__).parents[1] / "Makefile").read_text("utf-8")
    assert text.index("demo load") < text.index("$(WHISTLE) up")
