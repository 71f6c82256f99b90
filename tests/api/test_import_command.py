"""`whistle import` as it is typed: a dry run, a list twice, a faulty cell, an empty table."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from api.cli import run
from cases import embedded
from tests.api import lists


def test_lists_are_brought_in_from_the_command_line(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in [name for name in os.environ if name.startswith("WHISTLE_") and "_TEST_" not in name]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("WHISTLE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("WHISTLE_LANGUAGE", "en")

    def whistle(*arguments: str) -> tuple[int, str]:
        code = run(arguments)
        told = capsys.readouterr()
        return code, told.out + told.err

    def write(name: str, content: bytes) -> str:
        (tmp_path / name).write_bytes(content)
        return str(tmp_path / name)

    places = write(
        "places.xlsx",
        lists.xlsx(
            lists.ORGANISATIONS,
            ["city", "市", "示例市"],
            ["d", "区", "示例区", "city"],
            ["s", "街道", "示例街道", "d"],
            ["c", "社区", "示例社区", "s"],
            ["h", "医院", "示例医院", "d"],
            ["school", "学校", "示例小学", "s", None, "h", "c"],
        ),
    )
    people = write("people.csv", lists.text(lists.MEMBERS, ["school", "周示例", "导师", "13800000001", "", ""]))
    roster = [lists.pupil(number, community="c", mentor="周示例") for number in range(1, 31)]
    pupils = write("pupils.xlsx", lists.xlsx(lists.STUDENTS, *roster))
    faulty = write("faulty.xlsx", lists.xlsx(lists.STUDENTS, lists.pupil(1, born="soon", community="c")))
    with embedded.served(home, durable=False) as url:
        monkeypatch.setenv("WHISTLE_DATABASE_URL", url)
        assert whistle("migrate")[0] == 0
        code, said = whistle("import", "organisations", places, "--dry-run", "--json")
        assert (code, json.loads(said)["added"]) == (0, 6), said
        code, said = whistle("import", "organisations", places)
        assert (code, "6 new" in said) == (0, True), said
        code, said = whistle("import", "organisations", places, "--json")
        assert (code, json.loads(said)["same"]) == (0, 6), said
        code, said = whistle("import", "members", people)
        assert (code, "1 new" in said) == (0, True), said
        code, said = whistle("import", "students", pupils, "--school", "school")
        assert (code, "30 new" in said) == (0, True), said
        code, said = whistle("import", "students", faulty, "--school", "school")
        assert (code, "row 2, column C" in said, "nothing was brought in" in said) == (2, True, True), said
        code, said = whistle("import", "students", pupils, "--school", "nowhere")
        assert (code, "no school of code nowhere" in said) == (2, True), said
        code, said = whistle("import", "members", str(tmp_path / "none.xlsx"))
        assert (code, "can't be read" in said, "Traceback" in said) == (2, True, False), said
    code, said = whistle("import", "template", "students", str(tmp_path / "empty.xlsx"))
    assert (code, (tmp_path / "empty.xlsx").stat().st_size > 1000) == (0, True), said
    assert whistle("import", "template", "students", str(tmp_path / "empty.xlsx"))[0] == 2
