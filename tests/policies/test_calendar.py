"""Working days are the State Council's; what it hasn't published yet is provisional, and says so."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.calendar import Calendar, CalendarFault, load_calendar, parse_table
from policies.festivals import moving_feasts
from policies.limits import Limit, SameDay, Unit
from tests.policies.small_book import SHANGHAI, calendars, local

# Copied by hand from the State Council's notices, weekends that join a holiday left out where it names none.
OFF = {
    2024: "01-01 02-10..02-17 04-04..04-06 05-01..05-05 06-10 09-15..09-17 10-01..10-07",
    2025: "01-01 01-28..02-04 04-04..04-06 05-01..05-05 05-31..06-02 10-01..10-08",
    2026: "01-01..01-03 02-15..02-23 04-04..04-06 05-01..05-05 06-19..06-21 09-25..09-27 10-01..10-07",
}
MADE_UP = {
    2024: "02-04 02-18 04-07 04-28 05-11 09-14 09-29 10-12",
    2025: "01-26 02-08 04-27 09-28 10-11",
    2026: "01-04 02-14 02-28 05-09 09-20 10-10",
}

instants = st.datetimes(datetime(2024, 1, 1), datetime(2027, 6, 30), timezones=st.just(UTC))  # noqa: DTZ001


@pytest.fixture
def common() -> Calendar:
    return calendars().of(None)


def days_of(year: int, written: str) -> set[date]:
    found = set()
    for span in written.split():
        first, _, last = span.partition("..")
        day = date.fromisoformat(f"{year}-{first}")
        while day <= date.fromisoformat(f"{year}-{last or first}"):
            found.add(day)
            day += timedelta(days=1)
    return found


@pytest.mark.parametrize("year", [2024, 2025, 2026])
def test_every_day_is_as_the_state_council_announced_it(common: Calendar, year: int) -> None:
    off, made_up = days_of(year, OFF[year]), days_of(year, MADE_UP[year])
    day = date(year, 1, 1)
    while day.year == year:
        assert common.is_workday(day) == ((day.weekday() < 5 and day not in off) or day in made_up), day
        day += timedelta(days=1)
    assert common.published(date(year, 6, 1))


def test_2026_has_248_working_days(common: Calendar) -> None:
    assert sum(common.is_workday(date(2026, 1, 1) + timedelta(days=n)) for n in range(365)) == 248


@pytest.mark.parametrize(
    ("start", "limit", "due"),
    [
        ("2026-02-13T10:00", "5wd", "2026-02-27T18:00"),
        ("2026-02-14T10:00", "1wd", "2026-02-24T18:00"),
        ("2026-04-30T10:00", "5wd", "2026-05-11T18:00"),
        ("2026-09-18T10:00", "3wd", "2026-09-22T18:00"),
        ("2026-09-24T10:00", "7wd", "2026-10-12T18:00"),
        ("2026-09-30T10:00", "3wd", "2026-10-10T18:00"),
        ("2026-02-13T16:30", "1wd", "2026-02-14T18:00"),
        ("2026-02-13T16:40", "10wd", "2026-03-05T18:00"),
        ("2026-03-30T11:00", "10wd", "2026-04-14T18:00"),
        # A start on a day off: the next working day is the first.
        ("2026-02-20T10:00", "1wd", "2026-02-24T18:00"),
        ("2026-03-17T08:20", "15m", "2026-03-17T08:35"),
        ("2026-03-17T08:20", "7d", "2026-03-24T08:20"),
        ("2026-03-17T08:20", "4wh", "2026-03-17T15:00"),
        ("2026-03-17T12:30", "1wh", "2026-03-17T15:00"),
        ("2026-02-14T17:00", "4wh", "2026-02-24T12:00"),
        ("2026-03-20T17:30", "4wh", "2026-03-23T14:30"),
        # The last working hour ends at closing time, not at the next opening.
        ("2026-03-17T17:00", "1wh", "2026-03-17T18:00"),
        ("2026-03-17T11:00", "1wh", "2026-03-17T12:00"),
    ],
)
def test_a_limit_falls_where_people_expect_it(common: Calendar, start: str, limit: str, due: str) -> None:
    assert common.due(local(start), Limit.parse(limit)) == local(due)


@pytest.mark.parametrize(
    ("start", "due"),
    [("09:00", "2026-03-17T18:00"), ("14:00", "2026-03-17T18:00"), ("16:30", "2026-03-17T20:30"),
     ("00:10", "2026-03-17T18:00"), ("22:00", "2026-03-18T02:00")],
)  # fmt: skip
def test_the_same_day_ends_at_six_or_four_hours_on(common: Calendar, start: str, due: str) -> None:
    limit = SameDay(time(18), Limit.parse("4h"))
    assert common.due(local(f"2026-03-17T{start}"), limit) == local(due)


@given(start=instants, amount=st.integers(1, 40))
@settings(deadline=None)
def test_working_days_can_be_counted_off_by_hand(start: datetime, amount: int) -> None:
    common = calendars().of(None)
    day = start.astimezone(SHANGHAI).date()
    left = amount
    while left:
        day += timedelta(days=1)
        left -= common.is_workday(day)
    due = common.due(start, Limit(amount, Unit.WORKING_DAYS))
    assert due == datetime.combine(day, time(18), tzinfo=SHANGHAI)
    assert due.tzinfo is UTC


@given(start=instants, minutes=st.integers(0, 6 * 24 * 60))
@settings(deadline=None)
def test_working_time_is_what_a_watch_would_show(start: datetime, minutes: int) -> None:
    common = calendars().of(None)
    start = start.replace(second=0, microsecond=0)
    watch = 0
    for n in range(minutes):
        there = (start + timedelta(minutes=n)).astimezone(SHANGHAI)
        if common.is_workday(there.date()) and (9 <= there.hour < 12 or 14 <= there.hour < 18):
            watch += 1
    assert common.working_time(start, start + timedelta(minutes=minutes)) == timedelta(minutes=watch)


@given(start=instants, amount=st.timedeltas(timedelta(microseconds=1), timedelta(hours=300)))
@settings(deadline=None)
def test_working_time_is_reached_at_its_first_instant(start: datetime, amount: timedelta) -> None:
    common = calendars().of(None)
    reached = common.after_working(start, amount)
    assert common.working_time(start, reached) == amount
    assert common.working_time(start, reached - timedelta(microseconds=1)) < amount
    assert common.advanced(Unit.WORKING_HOURS, start, common.measured(Unit.WORKING_HOURS, start, reached)) == reached


@given(a=instants, b=instants, limit=st.builds(Limit, st.integers(1, 60), st.sampled_from(Unit)))
@settings(deadline=None)
def test_who_starts_later_is_never_due_earlier(a: datetime, b: datetime, limit: Limit) -> None:
    common = calendars().of(None)
    first, second = sorted((a, b))
    assert first < common.due(first, limit) <= common.due(second, limit)


def test_ends_of_working_days_are_counted_from_the_first_to_before_the_last(common: Calendar) -> None:
    six, seven = local("2026-02-14T18:00"), local("2026-02-24T18:00")
    tick = timedelta(microseconds=1)
    assert common.working_day_ends_in(six, seven) == 1
    assert common.working_day_ends_in(six + tick, seven) == 0
    assert common.working_day_ends_in(six, seven + tick) == 2
    assert common.working_day_ends_in(seven, six) == 0


def test_what_lies_past_the_published_table_is_provisional(common: Calendar) -> None:
    start = local("2026-12-30T10:00")
    assert not common.provisional(start, common.due(start, Limit.parse("1wd")))
    assert common.provisional(start, common.due(start, Limit.parse("2wd")))
    assert common.provisional(start, local("2027-01-01T00:00"))
    assert not common.published(date(2027, 1, 4))


def test_past_the_table_the_law_itself_gives_the_holidays(common: Calendar) -> None:
    # 2027: the eve of the Spring Festival is Friday 5 February, its third day Monday 8 February.
    for off in (
        "2027-01-01",
        "2027-02-05",
        "2027-02-08",
        "2027-04-05",
        "2027-06-09",
        "2027-09-15",
        "2027-10-01",
    ):
        assert not common.is_workday(date.fromisoformat(off)), off
    for on in ("2027-01-04", "2027-02-04", "2027-02-09", "2027-06-08", "2027-09-16", "2027-10-04"):
        assert common.is_workday(date.fromisoformat(on)), on


def test_moving_feasts_fall_in_their_seasons() -> None:
    for year in range(2027, 2061):
        feasts = moving_feasts(year)
        assert feasts is not None, year
        spring, tombs, boats, moon = feasts
        # Whole lunar months, of 29 or 30 days, lie between feasts: 4 and 3, or one more with a leap month.
        assert date(year, 1, 20) < spring < date(year, 2, 22)
        assert tombs in {date(year, 4, 4), date(year, 4, 5)}
        assert 117 <= (boats - spring).days - 4 <= 149
        assert (moon - boats).days - 10 in range(87, 120)


def test_days_outside_of_the_calendar_are_refused(common: Calendar) -> None:
    for at in (datetime(2003, 12, 30, tzinfo=UTC), datetime(2061, 1, 2, tzinfo=UTC)):
        for limit in ("1wd", "1wh"):
            with pytest.raises(CalendarFault, match="2004 to 2060"):
                common.due(at, Limit.parse(limit))
        with pytest.raises(CalendarFault):
            common.is_workday(at.date())
    with pytest.raises(CalendarFault):
        common.due(datetime(2060, 12, 20, tzinfo=UTC), Limit.parse("30wd"))


def test_school_holidays_are_known_and_otherwise_usual(common: Calendar) -> None:
    closed = ("2026-01-31", "2026-03-01", "2026-08-31", "2027-02-06", "2027-07-20")
    opened = ("2026-01-30", "2026-03-02", "2026-06-30", "2026-09-01", "2027-03-01")
    assert all(common.in_school_holidays(date.fromisoformat(day)) for day in closed)
    assert not any(common.in_school_holidays(date.fromisoformat(day)) for day in opened)


TABLE = """\
year: 2027
source: {zh_CN: 通知, en: Notice}
holidays:
  - name: {zh_CN: 元旦, en: New Year}
    off: [2026-12-31..2027-01-02]
    workdays: [2027-01-03]
organisations:
  hospital: {workdays: [2027-01-01], off: [2027-01-04]}
"""


def test_a_table_that_is_loaded_replaces_what_was_computed(tmp_path: Path) -> None:
    file = tmp_path / "cn-2027.yaml"
    file.write_text(TABLE, encoding="utf-8")
    loaded = calendars().with_table(file)
    assert loaded.of(None).is_workday(date(2027, 1, 3))
    assert not loaded.of(None).is_workday(date(2026, 12, 31))
    # The table names no Spring Festival, so nothing computed is left of it.
    assert loaded.of(None).is_workday(date(2027, 2, 5))
    start = local("2026-12-30T10:00")
    assert not loaded.of(None).provisional(start, loaded.of(None).due(start, Limit.parse("2wd")))
    # The calendars it was loaded into are as they were.
    assert not calendars().of(None).is_workday(date(2027, 1, 3))
    assert load_calendar([file]).of("street").is_workday(date(2027, 1, 3))


FEW = """\
year: 2025
source: {zh_CN: 通知, en: Notice}
holidays:
  - name: {zh_CN: 元旦, en: New Year}
    off: [2025-01-01]
"""


def test_a_table_replaces_all_of_its_year_and_nothing_else() -> None:
    longer = TABLE.replace("2026-12-31..2027-01-02", "2027-02-01..2027-02-12").replace("[2027-01-03]", "[]")
    loaded = calendars().with_text(TABLE, "first").with_text(longer, "second").of(None)
    assert loaded.is_workday(date(2027, 1, 1))
    assert not loaded.is_workday(date(2027, 1, 3))
    assert not loaded.is_workday(date(2027, 2, 12))
    shorter = calendars().with_text(FEW, "2025").of(None)
    # 28 January 2025 was off in the built-in table; this one doesn't name it.
    assert shorter.is_workday(date(2025, 1, 28))
    assert not shorter.is_workday(date(2026, 2, 17))


def test_a_kind_of_organisation_may_work_when_others_are_off() -> None:
    loaded = calendars().with_text(TABLE, "cn-2027.yaml")
    assert loaded.of("hospital").is_workday(date(2027, 1, 1))
    assert not loaded.of("hospital").is_workday(date(2027, 1, 4))
    assert not loaded.of("street").is_workday(date(2027, 1, 1))
    assert loaded.of("street") is loaded.of(None)


def test_every_fault_of_a_table_is_named_with_its_line() -> None:
    text = """\
year: 27
source: {zh_CN: 通知}
holidays:
  - name: {zh_CN: 元旦, en: New Year}
    off: [2027-01-03..2027-01-01, tomorrow]
    workdays: [2027-01-04]
    extra: 1
  - off: 2027-02-05
seasons: {}
"""
    with pytest.raises(CalendarFault) as caught:
        parse_table(text, "cn-2027.yaml")
    found = {(fault.line, fault.field) for fault in caught.value.faults}
    assert found == {
        (1, "year"),
        (2, "source.en"),
        (5, "holidays[0].off[0]"),
        (5, "holidays[0].off[1]"),
        (6, "holidays[0].workdays"),
        (7, "holidays[0].extra"),
        (8, "holidays[1].name"),
        (8, "holidays[1].off"),
        (9, "seasons"),
    }
    assert "cn-2027.yaml, line 7, holidays[0].extra: There is no such field" in caught.value.text["en"]
    assert "cn-2027.yaml 第 7 行" in caught.value.text["zh_CN"]


@pytest.mark.parametrize(
    "text",
    ["", "[]", "year: [", "- a: &x [*x]", "? {a: b}\n: c", "year: 2027\nyear: 2028", "\x00", "[" * 5000],
)
def test_nonsense_is_refused_without_a_traceback(text: str) -> None:
    with pytest.raises(CalendarFault) as caught:
        parse_table(text, "cn.yaml")
    assert caught.value.faults[0].file == "cn.yaml"
    assert caught.value.faults[0].line >= 1


def test_days_that_contradict_each_other_are_refused() -> None:
    for faulty in (
        TABLE.replace("[2027-01-03]", "[2027-01-02]"),
        TABLE.replace("2026-12-31..", "2026-11-30.."),
        TABLE.replace("2026-12-31..2027-01-02", "2027-02-01..2027-06-01"),
        TABLE + "school:\n  source: {zh_CN: 校历, en: terms}\n  holidays:\n"
        "    - {name: {zh_CN: 寒假, en: winter}, from: 2027-02-01, to: 2027-01-01}\n",
    ):
        with pytest.raises(CalendarFault):
            parse_table(faulty, "cn-2027.yaml")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(CalendarFault) as caught:
        calendars().with_table(tmp_path / "cn-2028.yaml")
    assert caught.value.faults[0].file == "cn-2028.yaml"
    (tmp_path / "cn-2029.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CalendarFault, match="UTF-8"):
        calendars().with_table(tmp_path / "cn-2029.yaml")


def test_clocks_that_are_put_forward_are_refused() -> None:
    with pytest.raises(CalendarFault, match="moves its clocks"):
        load_calendar(tz="Europe/Berlin")
    with pytest.raises(CalendarFault, match="no time zone"):
        load_calendar(tz="Asia/Nanjing")
    with pytest.raises(CalendarFault, match="without overlap"):
        load_calendar(hours=((time(9), time(13)), (time(12), time(18))))


def test_hours_are_the_policys_own() -> None:
    early = load_calendar(hours=((time(8), time(11)), (time(13, 30), time(17, 30)))).of(None)
    assert early.due(local("2026-03-17T10:00"), Limit.parse("1wd")) == local("2026-03-18T17:30")
    assert early.due(local("2026-03-17T10:00"), Limit.parse("2wh")) == local("2026-03-17T14:30")
