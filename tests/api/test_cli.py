"""The command line's frame: quick, in the reader's language, and never a traceback for a user's mistake."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from api.cli import language_of, run

FOLDER = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHISTLE_LANGUAGE", "en")


def test_help_loads_neither_commands_nor_libraries() -> None:
    code = (
        "import sys; from api.cli import run; run(['--help']); "
        "heavy = ('typer', 'rich', 'sqlalchemy', 'pydantic', 'policies', 'cases'); "
        "print([name for name in heavy if name in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=FOLDER)
    assert said.stdout.splitlines()[-1] == "[]"
    assert "play" in said.stdout


def test_help_is_the_answer_to_nothing_at_all(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([]) == 0
    assert "whistle" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("environ", "language"),
    [
        ({}, "zh_CN"),
        ({"LANG": "C.UTF-8"}, "zh_CN"),
        ({"LANG": "en_GB.UTF-8"}, "en"),
        ({"LANG": "en_GB.UTF-8", "LC_ALL": "zh_CN.UTF-8"}, "zh_CN"),
        ({"LANG": "de_DE.UTF-8"}, "zh_CN"),
    ],
)
def test_the_locale_chooses_the_language(environ: dict[str, str], language: str) -> None:
    assert language_of(environ) == language


def test_an_unknown_command_is_met_with_the_likely_one(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["plya"]) == 2
    assert "Did you mean play?" in capsys.readouterr().err
    assert run(["--language", "zh_CN"]) == 2
    assert "没有" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("WHISTLE_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none", "can't be reached"),
        ("WHISTLE_DATABASE_URL", "mysql://there/none", "isn't PostgreSQL"),
        ("WHISTLE_SWEEP_EVERY", "often", "WHISTLE_SWEEP_EVERY"),
    ],
)
def test_faulty_surroundings_are_one_message_and_exit_code_two(
    name: str, value: str, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(name, value)
    assert run(["why", "WH-2026-000001", "settle"]) == 2
    caught = capsys.readouterr()
    assert said in caught.err
    assert "Traceback" not in caught.err
    assert caught.out == ""


def test_wrong_options_are_exit_code_two() -> None:
    assert run(["play"]) == 2
    assert run(["play", "--no-such-option", "x"]) == 2
