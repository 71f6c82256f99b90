"""Limits are read as policies write them, and refuse what nobody could keep."""

from __future__ import annotations

from datetime import time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.limits import Limit, LimitFault, SameDay, Unit, parse_limit

limits = st.builds(Limit, st.integers(1, 2_500), st.sampled_from(Unit))


@given(limits)
@settings(deadline=None)
def test_what_is_written_is_read_again(limit: Limit) -> None:
    assert Limit.parse(str(limit)) == limit
    assert parse_limit(str(limit)) == limit


@pytest.mark.parametrize(
    ("text", "amount", "unit"),
    [("15m", 15, "m"), ("2h", 2, "h"), ("4wh", 4, "wh"), (" 3 wd ", 3, "wd"), ("7d", 7, "d")],
)
def test_every_unit_of_the_domain_is_known(text: str, amount: int, unit: str) -> None:
    assert Limit.parse(text) == Limit(amount, Unit(unit))


@pytest.mark.parametrize(
    "text", ["", "15", "m", "0m", "-1h", "1.5h", "2 weeks", "3WD", "2h30m", "99999d", "٣h", "9" * 400 + "m"]
)
def test_a_faulty_limit_says_in_both_languages_what_would_be_right(text: str) -> None:
    with pytest.raises(LimitFault) as caught:
        Limit.parse(text)
    assert set(caught.value.text) == {"zh_CN", "en"}
    assert any(word in caught.value.text["en"] for word in ("Write a whole number", "at least 1"))
    assert any(word in caught.value.text["zh_CN"] for word in ("请写成", "至少"))


@pytest.mark.parametrize(
    ("whole", "half"), [("15m", "8m"), ("2h", "1h"), ("1wd", "1wd"), ("5wd", "3wd"), ("10wd", "5wd")]
)
def test_half_a_limit_is_rounded_up(whole: str, half: str) -> None:
    assert str(Limit.parse(whole).half()) == half


def test_limits_are_spoken_in_both_languages() -> None:
    assert Limit.parse("4wh").in_words("zh_CN") == "4 个工作小时"
    assert Limit.parse("4wh").in_words("en") == "4 working hours"
    assert Limit.parse("1wd").in_words("en") == "1 working day"
    assert "18:00" in SameDay(time(18), Limit.parse("4h")).in_words("zh_CN")


def test_only_working_hours_and_working_days_run_in_working_time() -> None:
    assert {unit for unit in Unit if Limit(1, unit).working} == {Unit.WORKING_HOURS, Unit.WORKING_DAYS}
    assert not SameDay.parse("18:00|4h").working


def test_working_limits_have_no_length_without_a_calendar() -> None:
    assert Limit.parse("7d").elapsed == timedelta(days=7)
    with pytest.raises(LimitFault):
        _ = Limit.parse("3wd").elapsed


def test_an_extension_is_in_the_unit_of_the_limit() -> None:
    assert Limit.parse("3wd").plus(Limit.parse("2wd")) == Limit.parse("5wd")
    with pytest.raises(LimitFault, match="must be in the unit"):
        Limit.parse("3wd").plus(Limit.parse("2d"))


def test_a_same_day_limit_is_read_as_it_is_written() -> None:
    limit = SameDay(time(18), Limit.parse("4h"))
    assert str(limit) == "18:00|4h"
    assert parse_limit(str(limit)) == limit
    for faulty in ("25:00|4h", "18:00|4wd", "18:00|", "|4h", "6pm|4h"):
        with pytest.raises(LimitFault):
            parse_limit(faulty)
