"""`whistle policy check | show | diff`, as somebody at a terminal sees it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import pytest
from typer.testing import CliRunner, Result

from api.commands.policy import app
from policies.shelf import LIBRARY

NAME: Final = "nanjing-2026.1"
TEXT: Final = (LIBRARY / f"{NAME}.yaml").read_text(encoding="utf-8")


def whistle_policy(*words: str | Path) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words], env={"COLUMNS": "160", "NO_COLOR": "1"})


@pytest.fixture
def changed(tmp_path: Path) -> Path:
    """The default policy as version 2026.2: a shorter limit, another lead, a programme more, one less."""
    text = TEXT.replace(f"version: {NAME}", "version: nanjing-2026.2")
    text = text.replace("red: 15m, orange: 2h", "red: 10m, orange: 2h", 1)
    text = text.replace("lead: education_bureau", "lead: street", 1)
    text = text.replace(
        "code: joint_talk, label: {zh_CN: 多方会谈, en: talk with all sides}",
        "code: walk, label: {zh_CN: 同行, en: walk}",
    )
    path = tmp_path / "nanjing-2026.2.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def faulty(tmp_path: Path) -> Path:
    path = tmp_path / "faulty.yaml"
    text = TEXT.replace(f"version: {NAME}", "version: nanjing-2026.2").replace("red: 15m", "red: soon", 1)
    path.write_text(text.replace("percent: 80", "percent: 30", 1), encoding="utf-8")
    return path


class TestCheck:
    def test_a_sound_policy_is_said_to_be_sound(self) -> None:
        found = whistle_policy("check", NAME)
        assert found.exit_code == 0
        assert f"✓ {NAME}：没有错误" in found.stdout
        assert "no faults" in whistle_policy("check", NAME, "--language", "en").stdout

    def test_every_fault_is_listed_with_its_line_and_the_exit_code_is_two(self, faulty: Path) -> None:
        found = whistle_policy("check", faulty, "--language", "en")
        assert found.exit_code == 2
        first, second, total = found.stderr.strip().splitlines()
        line = TEXT[: TEXT.index("red: 15m")].count("\n") + 1
        assert first.startswith(
            f'faulty.yaml:{line}: limits.assignment.acknowledge.levels.red: "soon" is not a limit → '
        )
        assert "30 % doesn't come after 50 % → percentages rise" in second
        assert total.endswith("2 faults")

    def test_chinese_comes_first(self, faulty: Path) -> None:
        assert "“soon”不是时限 → 写成 15m（分钟）" in whistle_policy("check", faulty).stderr

    def test_one_faulty_file_doesnt_hide_another(self, faulty: Path, tmp_path: Path) -> None:
        found = whistle_policy("check", NAME, faulty, tmp_path / "gone.yaml", "--json")
        said = json.loads(found.stdout)
        assert found.exit_code == 2
        assert [book["version"] for book in said["sound"]] == [NAME]
        assert {fault["file"] for fault in said["faults"]} == {"faulty.yaml", "gone.yaml"}
        assert set(said["faults"][0]["why"]) == {"zh_CN", "en"}

    def test_a_published_version_cannot_be_reused(self, tmp_path: Path) -> None:
        path = tmp_path / "mine.yaml"
        path.write_text(TEXT.replace("red: 15m", "red: 16m", 1), encoding="utf-8")
        found = whistle_policy("check", path, "--language", "en")
        assert found.exit_code == 2
        assert "a published version never changes: give this one a new version" in found.stderr

    def test_a_mistake_never_ends_in_a_traceback(self, tmp_path: Path) -> None:
        found = whistle_policy("check", tmp_path, "no\nsuch\nname", "[bold]", "\0.yaml")
        assert found.exit_code == 2
        assert isinstance(found.exception, SystemExit)
        assert "[bold]" in found.stderr


class TestShow:
    def test_the_tables_say_limits_concerns_and_what_they_rest_on(self) -> None:
        shown = whistle_policy("show", "--language", "en").stdout
        for words in (
            "mandatory report: call the police",
            "18:00|4h",
            "harmful_home",
            "whichever is later",
            "Anti-Domestic-Violence Law",
        ):
            assert words in shown
        assert "校长签发" in whistle_policy("show").stdout

    def test_as_data_it_is_the_whole_policy(self) -> None:
        said = json.loads(whistle_policy("show", NAME, "--json").stdout)
        assert said["version"] == NAME
        assert said["limits"]["assignment.acknowledge"]["levels"]["red"] == "15m"
        assert len(said["digest"]) == 64

    def test_a_city_shows_its_own_version(self, changed: Path) -> None:
        found = whistle_policy("show", "nanjing-2026.2", "--library", changed.parent)
        assert found.exit_code == 0
        assert "同行" in found.stdout

    def test_an_unknown_version_is_told_which_there_are(self) -> None:
        found = whistle_policy("show", "nanjing-2062.1")
        assert found.exit_code == 2
        assert NAME in found.stderr


class TestDiff:
    def test_a_change_is_told_in_words(self, changed: Path) -> None:
        found = whistle_policy("diff", NAME, changed, "--language", "en")
        assert found.exit_code == 0
        assert '~ limit "acknowledge" (red): 15 minutes → 10 minutes' in found.stdout
        assert '~ concern "bullying", lead: education_bureau → street' in found.stdout
        assert '+ new: programme "walk"' in found.stdout
        assert '- gone: programme "talk with all sides"' in found.stdout
        assert len(found.stdout.strip().splitlines()) == 5
        assert "时限 “签收”（红）：15 分钟 → 10 分钟" in whistle_policy("diff", NAME, changed).stdout

    def test_the_other_way_round_it_is_undone(self, changed: Path) -> None:
        said = json.loads(whistle_policy("diff", changed, NAME, "--json").stdout)
        assert (said["before"], said["after"]) == ("nanjing-2026.2", NAME)
        assert {change["kind"] for change in said["changes"]} == {"added", "removed", "changed"}

    def test_the_same_policy_has_no_difference(self) -> None:
        assert "No difference" in whistle_policy("diff", NAME, NAME, "--language", "en").stdout

    def test_only_another_way_of_writing_is_said_to_be_only_that(self, tmp_path: Path) -> None:
        path = tmp_path / "nanjing-2026.2.yaml"
        text = TEXT.replace(f"version: {NAME}", "version: nanjing-2026.2")
        text = text.replace("    every_level: 14d", "    levels: {red: 14d, orange: 14d, yellow: 14d, blue: 14d}")
        path.write_text(text, encoding="utf-8")
        assert (
            "written differently, with the same meaning"
            in whistle_policy("diff", NAME, path, "--language", "en").stdout
        )

    def test_another_order_of_a_triage_is_a_change(self, tmp_path: Path) -> None:
        high = "      - {code: high, any_of: [4, 5, 6], label: {zh_CN: 高风险, en: high}}\n"
        moderate = "      - {code: moderate, any_of: [3], label: {zh_CN: 中风险, en: moderate}}\n"
        path = tmp_path / "nanjing-2026.2.yaml"
        text = TEXT.replace(f"version: {NAME}", "version: nanjing-2026.2")
        path.write_text(text.replace(high + moderate, moderate + high), encoding="utf-8")
        told = whistle_policy("diff", NAME, path, "--language", "en").stdout
        assert "triage (order): high, moderate, low → moderate, high, low" in told

    def test_a_faulty_side_is_told_instead_of_a_difference(self, faulty: Path) -> None:
        found = whistle_policy("diff", NAME, faulty, "--json")
        assert found.exit_code == 2
        assert len(json.loads(found.stdout)["faults"]) == 2
