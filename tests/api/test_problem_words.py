"""A faulty field is told what would be right, in words and not in codes."""

from __future__ import annotations

import pytest

from api import problem_words as words
from notifiers.faults import ChannelFault
from policies.limits import Limit, LimitFault, Unit


@pytest.mark.parametrize(
    ("code", "facts", "chinese", "english"),
    [
        ("too_large", {"le": "2027-05-29"}, "最晚 2027-05-29", "not after 2027-05-29"),
        ("too_small", {"ge": "2025-05-29"}, "最早 2025-05-29", "not before 2025-05-29"),
        ("too_large", {"le": "100"}, "不能大于 100", "at most 100"),
        ("too_small", {"ge": "0"}, "不能小于 0", "at least 0"),
        ("too_long", {"max_length": "4000"}, "太长，最多 4000 字", "this is too long: at most 4000 characters"),
        ("too_many", {"max_length": "50"}, "太多，最多 50 项", "these are too many: at most 50"),
        ("wrong_unit", {"unit": "wd"}, "单位须为工作日", "it has to be in working days"),
        ("missing", {}, "请填写", "this is needed"),
        ("missing", {"wanted": "choice"}, "请选择", "please choose"),
        ("wrong_form", {"wanted": "number"}, "请填数字", "write a number"),
        (
            "before_the_summons",
            {"since": "2026-03-17 08:20"},
            "早于派单时间（2026-03-17 08:20）",
            "this is before the summons (2026-03-17 08:20)",
        ),
        (
            "not_a_students_age",
            {"youngest": "2", "oldest": "25"},
            "学生年龄应在 2 到 25 岁之间，请核对出生日期",
            "a student is 2 to 25 years old: look at the date of birth again",
        ),
    ],
)
def test_a_fault_says_what_would_be_right(code: str, facts: dict[str, str], chinese: str, english: str) -> None:
    assert words.of_field(code, facts, "zh_CN") == chinese
    assert words.of_field(code, facts, "en") == english


def test_a_file_that_nobody_recognises_is_called_so() -> None:
    assert words.of_field("file_kind", {"found": ""}, "zh_CN").startswith("无法识别的文件")
    assert "ZIP" in words.of_field("file_kind", {"found": "ZIP"}, "zh_CN")


def test_units_are_said_in_words() -> None:
    with pytest.raises(LimitFault) as fault:
        Limit(3, Unit.WORKING_DAYS).plus(Limit(2, Unit.HOURS))
    assert "（工作日）" in fault.value.text["zh_CN"]
    assert "working days" in fault.value.text["en"]


@pytest.mark.parametrize("code", ["no_mail_gate", "no_sms_gate"])
def test_a_member_is_not_told_the_names_of_settings_that_an_administrator_is(code: str) -> None:
    fault = ChannelFault(code)
    for language in ("zh_CN", "en"):
        assert "WHISTLE_" in fault.text(language)
        assert "WHISTLE_" not in fault.text_for_members(language)
