"""The policy book: what the default says, and what a faulty file is told."""

from __future__ import annotations

import dataclasses
import time
from datetime import date, timedelta
from pathlib import Path
from typing import Final

import pytest

from policies.book import Book, load, load_text, versions
from policies.faults import PolicyFaults
from policies.reading import Plain, digest_of
from policies.schema import json_schema
from policies.shelf import LIBRARY
from policies.vocabulary import CLOCKS, GIVEN_CLOCKS, LEVELS

NAME: Final = "nanjing-2026.1"
TEXT: Final = (LIBRARY / f"{NAME}.yaml").read_text(encoding="utf-8")

# DOMAIN.md, table of limits: red, orange, yellow, blue.
LIMITS: Final = {
    "case.sign_off": "24h 24h 4wh 1wd",
    "case.safe_plan": "24h - - -",
    "case.settle": "7d 7d 15d 30d",
    "case.evaluation": "1wd 3wd 3wd 5wd",
    "case.interview": "18:00|4h 18:00|4h 18:00|4h 18:00|4h",
    "check_in.interview": "24h 24h 24h 24h",
    "assignment.acknowledge": "15m 2h 4wh 1wd",
    "assignment.report_in": "30m 24h 2wd 5wd",
    "assignment.feedback": "2h 3wd 5wd 10wd",
    "assignment.ruling": "30m 4wh 4wh 4wh",
    "return_to_school.ruling": "5wd 5wd 5wd 5wd",
    "return_to_school.assess": "10wd 10wd 10wd 10wd",
    "check_in.check_in": "1wd 2wd 3wd 3wd",
    "mandatory_report.call_police": "1h 1h 1h 1h",
    "mandatory_report.register": "24h 24h 24h 24h",
    "mandatory_report.police_answer": "3d 3d 3d 3d",
    "referral.consent": "2h 1wd 3wd 3wd",
    "referral.hospital_answer": "2h 24h 2wd 3wd",
    "referral.first_contact": "24h 3d 7d 14d",
    "referral.safety_review": "24h 24h 24h 24h",
    "protection.court_answer": "72h 72h 72h 72h",
    "protection.court_answer_urgent": "24h 24h 24h 24h",
    "supervision.supervision_answer": "4wh 1wd 2wd 2wd",
    "access.access_review": "1wd 1wd 1wd 1wd",
    "extension.extension_ruling": "4wh 4wh 4wh 4wh",
    "leave.contact": "14d 14d 14d 14d",
}


@pytest.fixture(scope="module")
def book() -> Book:
    return load(NAME)


def edited(old: str, new: str) -> str:
    assert old in TEXT, f"the policy no longer says {old!r}"
    return TEXT.replace(old, new, 1)


class TestTheDefaultPolicy:
    @pytest.mark.parametrize("clock", LIMITS)
    def test_every_limit_is_the_domains(self, book: Book, clock: str) -> None:
        written = [book.limit(clock, level) for level in LEVELS]
        assert " ".join("-" if one is None else str(one) for one in written) == LIMITS[clock]

    def test_every_clock_has_a_limit_or_is_given_one(self, book: Book) -> None:
        assert set(book.limits) == set(CLOCKS) == set(LIMITS)
        assert set(book.given) == set(GIVEN_CLOCKS)
        assert book.limit("action_item.action", "red") is None

    def test_a_clock_that_no_policy_knows_is_an_error_not_a_silence(self, book: Book) -> None:
        with pytest.raises(KeyError):
            book.limit("assignment.acknowlege", "red")
        with pytest.raises(KeyError):
            book.limit("assignment.acknowledge", "purple")

    def test_the_ladder_is_the_domains(self, book: Book) -> None:
        assert [(rung.percent, rung.name, rung.tells) for rung in book.ladder] == [
            (50, "reminded", ("owner",)),
            (80, "warned", ("owner", "lead")),
            (100, "breached", ("owner", "lead", "coordinator")),
            (150, "escalated", ("district_supervisor",)),
            (200, "bulletined", ("city_supervisor",)),
        ]
        assert [rung.name for rung in book.ladder if rung.supervises] == ["escalated"]
        assert [rung.name for rung in book.ladder if rung.bulletin] == ["bulletined"]

    def test_a_choice_of_the_project_is_never_shown_as_law(self, book: Book) -> None:
        lawful = {name for name in book.limits for level in LEVELS if book.basis(name, level).kind == "law"}
        assert lawful == {
            "mandatory_report.police_answer",
            "protection.court_answer",
            "protection.court_answer_urgent",
        }
        assert {concern.basis.kind for concern in book.concerns.values()} == {"default"}

    def test_a_red_dispute_says_why_it_has_a_limit_at_all(self, book: Book) -> None:
        red, blue = (book.basis("assignment.ruling", level) for level in ("red", "blue"))
        assert red.note is not None
        assert "declined" in red.note.en
        assert blue.note is None

    def test_check_ins_follow_the_rhythm(self, book: Book) -> None:
        rounds = list(book.rhythm.rounds(date(2026, 4, 1)))
        assert [week for week, _, _ in rounds] == [1, 2, 3, 4, 6, 8, 10, 12, 16, 20, 24]
        assert rounds[0] == (1, date(2026, 4, 8), False)
        assert [week for week, _, joins in rounds if joins] == [2, 4, 12, 24]

    @pytest.mark.parametrize(("week", "percent"), [(1, 50), (4, 50), (5, 75), (12, 100), (30, 100)])
    def test_attendance_grows_from_half_days_to_full(self, book: Book, week: int, percent: int) -> None:
        assert book.rhythm.attendance_in(week) == percent

    def test_the_windows_are_the_contracts(self, book: Book) -> None:
        windows = book.windows
        assert windows.undo_acknowledge == timedelta(minutes=5)
        assert windows.decline == timedelta(hours=2)
        assert windows.access == timedelta(hours=4)
        assert windows.sight_after_closing == timedelta(days=30)
        assert (windows.send_backs, windows.protection_max_months) == (2, 6)

    def test_a_programme_is_found_by_code_and_by_either_name(self, book: Book) -> None:
        consultation = book.programme("free_consultation")
        assert consultation is not None
        assert book.programme("家庭教育义诊") is consultation
        assert book.programme(consultation.label.en) is consultation
        assert book.programme("义诊") is None

    def test_the_nine_triggers_are_plain_questions(self, book: Book) -> None:
        assert [one.item for one in book.statutory.values()] == list(range(1, 10))
        assert all(
            one.question.zh_CN.endswith("？") and one.question.en.endswith("?") for one in book.statutory.values()
        )

    def test_a_supervisor_sees_a_masked_name_and_no_clinical_note(self, book: Book) -> None:
        (rule,) = [rule for rule in book.sight if ("supervisor", "jurisdiction") in rule.who]
        assert (rule.identity, rule.narrative, rule.clinical) == ("masked", "yes", "no")

    def test_a_student_is_kept_until_the_end_of_the_year_so_that_the_day_tells_no_birthday(self, book: Book) -> None:
        assert book.retention.keep_until(date(2016, 2, 29)) == date(2037, 12, 31)

    def test_it_loads_within_sixty_milliseconds(self) -> None:
        def seconds() -> float:
            started = time.perf_counter()
            load(NAME)
            return time.perf_counter() - started

        assert min(seconds() for _ in range(5)) < 0.06


class TestABookNeverChanges:
    def test_nothing_in_it_can_be_assigned(self, book: Book) -> None:
        with pytest.raises(dataclasses.FrozenInstanceError):
            book.version = "other"  # type: ignore[misc]
        with pytest.raises(TypeError):
            book.concerns["left_behind"] = book.concerns["bullying"]  # type: ignore[index]
        with pytest.raises(TypeError):
            book.limits["case.settle"].by_level["red"] = None  # type: ignore[index]

    def test_the_digest_is_of_what_is_said_not_of_the_layout(self, book: Book) -> None:
        layout = "# another comment\n" + TEXT.replace("{red: 24h, orange: none", "{orange: none, red:    24h")
        assert load_text(layout, "layout.yaml") == book
        assert load_text(edited("red: 15m", "red: 16m"), "other.yaml") != book

    def test_the_digest_of_a_content_stays_what_it_was(self) -> None:
        tree: Plain = {"b": (1, True, None), "a": {"时限": "4wh", "day": date(2026, 1, 1)}}
        assert digest_of(tree) == "b6bec1d2f05cc85f0e085a04ef1ec219a810b4f07c7615995e530d5c975c5b7f"

    def test_a_published_version_cannot_be_loaded_with_another_content(self, tmp_path: Path) -> None:
        copy = tmp_path / "mine.yaml"
        copy.write_text(edited("red: 15m", "red: 16m"), encoding="utf-8")
        with pytest.raises(PolicyFaults, match="published with another content"):
            load(copy)
        copy.write_text("# only a comment\n" + TEXT, encoding="utf-8")
        assert load(copy).version == NAME

    def test_a_city_keeps_its_own_versions_in_its_own_folder(self, tmp_path: Path) -> None:
        text = edited(f"version: {NAME}", "version: suzhou-2026.1")
        (tmp_path / "suzhou-2026.1.yaml").write_text(text, encoding="utf-8")
        assert load("suzhou-2026.1", [tmp_path]).version == "suzhou-2026.1"
        assert versions([tmp_path]) == (NAME, "suzhou-2026.1")

    def test_a_file_in_a_library_is_called_by_its_version(self, tmp_path: Path) -> None:
        (tmp_path / "suzhou.yaml").write_text(edited(f"version: {NAME}", "version: suzhou-2026.1"), encoding="utf-8")
        with pytest.raises(PolicyFaults, match=r"call it suzhou-2026\.1\.yaml"):
            load("suzhou", [tmp_path])


class TestTheSchemaForEditors:
    def test_it_is_current(self) -> None:
        written = (LIBRARY / "policy.schema.json").read_text(encoding="utf-8")
        assert written == json_schema(), "write it anew: python -m policies.schema"

    def test_it_lists_the_words_that_may_be_chosen(self) -> None:
        schema = json_schema()
        assert '"sm4-gcm"' in schema
        assert '"assignment.acknowledge"' in schema
        assert '"womens_federation"' in schema
