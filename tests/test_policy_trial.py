"""A version is tried on what there was, then put to work; running cases keep their own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from api.commands.database import installation
from cases import embedded, trial
from cases.store import Store
from policies import book as books
from policies.book import Book
from tests.test_backup_commands import Typed, machine
from tests.town import START, Town, book, minutes, town

__all__ = ["machine"]


def quicker(to: str, name: str = "xuanwu-2026.1") -> str:
    """The default policy with another limit for a red acknowledgement."""
    text = book().source_text.replace(f"version: {book().version}", f"version: {name}", 1)
    assert "levels: {red: 15m, orange: 2h" in text
    return text.replace("levels: {red: 15m, orange: 2h", f"levels: {{red: {to}, orange: 2h", 1)


def changed(to: str) -> Book:
    return books.load_text(quicker(to), "xuanwu-2026.1.yaml")


@pytest.fixture
def city(store: Store) -> Iterator[Town]:
    with town(store) as built:
        yield built


def tried(city: Town, on_trial: Book, after: float) -> trial.Trial:
    with city.store.read() as connection:
        return trial.run(connection, on_trial, lambda _: book(), START + minutes(after))


def test_a_version_on_trial_says_which_limits_would_fall_earlier_and_be_overrun(city: Town) -> None:
    fired = city.whistle()
    lead = next(one.no for one in fired.case.of_kind("assignment") if one.facts["part"] == "lead")
    city.fire("officer@street", fired.case.number, lead, "acknowledge", None, START + minutes(8))
    found = tried(city, changed("5m"), 9)
    acknowledge = found.by_clock["assignment.acknowledge"]
    assert (found.cases, found.changed) == (1, 1)
    assert acknowledge.earlier == acknowledge.clocks > 1
    assert (acknowledge.later, acknowledge.shift) == (0, timedelta(minutes=10))
    # After nine minutes nobody was late by the old version; by the new one all are, the eight-minute one too.
    assert acknowledge.overrun == (0, acknowledge.clocks)
    assert not found.by_clock["assignment.report_in"].any


def test_the_same_version_changes_nothing(city: Town) -> None:
    city.whistle()
    city.run_until(START + timedelta(days=1))
    found = tried(city, book(), 60 * 24)
    assert (found.cases, found.changed, found.unreadable) == (1, 0, [])
    assert found.as_dict()["by_clock"] == {}


def test_a_version_is_tried_activated_and_stays_so_over_a_new_start(
    machine: Typed, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "xuanwu-2026.1.yaml"
    file.write_text(quicker("10m"), "utf-8")
    with embedded.served(home, durable=False) as url:
        monkeypatch.setenv("WHISTLE_DATABASE_URL", url)
        assert machine.whistle("migrate")[0] == 0
        code, said = machine.whistle("policy", "try", str(file), "--json")
        assert (code, json.loads(said)["cases"]) == (0, 0), said
        with installation() as kept:
            assert kept.active() == book().version
        code, said = machine.whistle("policy", "activate", str(file))
        assert (code, "xuanwu-2026.1 is active" in said) == (0, True), said
        # Whoever starts everything again changes nothing of it.
        assert machine.whistle("migrate")[0] == 0
        with installation() as kept:
            assert kept.office().current == "xuanwu-2026.1"
        # Another content under the same name is refused, and so is what the settings would undo.
        file.write_text(quicker("5m"), "utf-8")
        assert machine.whistle("policy", "activate", str(file))[0] == 2
        monkeypatch.setenv("WHISTLE_POLICY", book().version)
        code, said = machine.whistle("policy", "activate", str(file))
        assert (code, "WHISTLE_POLICY" in said) == (2, True), said
        assert machine.whistle("migrate")[0] == 0
        with installation() as kept:
            assert kept.active() == book().version
