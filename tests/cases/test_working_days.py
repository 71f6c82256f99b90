"""Working days change while cases run: limits follow, and every history can be reckoned again as it was."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from cases import library, working_days
from cases.installation import Installation
from cases.store import Store
from cases.why import why
from policies import calendar
from tests.cases.test_engine_stories import DAY, FEEDBACK, REPORT, Story
from tests.town import START, STUDENT, Town, town

# START is Tuesday, 2026-03-17.
SHORT = """
year: 2026
source: {zh_CN: 测试用表, en: a table for this test}
holidays:
  - name: {zh_CN: 临时放假, en: an extra day off}
    off: [2026-03-18]
"""
NEXT_YEAR = """
year: 2027
source: {zh_CN: 测试用表, en: a table for this test}
holidays:
  - name: {zh_CN: 元旦, en: New Year's Day}
    off: [2027-01-01..2027-01-06]
"""
DECEMBER = datetime(2026, 12, 24, 2, tzinfo=UTC)


@pytest.fixture
def city(store: Store) -> Iterator[Town]:
    with town(store) as built:
        yield built


@pytest.fixture
def kept(city: Town) -> Installation:
    made = Installation(city.store, city.office.keystore, city.office.master)
    made.settle_calendars(START)
    city.office = made.office(city.office.current)
    return made


def whole(city: Town, *stories: Story) -> None:
    for story in stories:
        story.check()


def begun(city: Town, at: datetime) -> Story:
    form = {"concern": "harmful_home", "level": "blue", "summary": "seen", "student": STUDENT}
    return Story(city, city.fire("principal@school", None, 0, "submit", form, at).case.id)


def test_a_day_that_is_given_off_afterwards_moves_every_running_limit_and_breaks_no_history(
    city: Town, kept: Installation
) -> None:
    running, met = begun(city, START), begun(city, START)
    there = {"at": START.isoformat(), "where": "home", "mode": "on_site", "people": ["李"]}
    city.fire("officer@street", met.case, 1, REPORT, there, START)
    before, done = running.clock(1, FEEDBACK).due, met.clock(1, "report_in").due
    assert kept.keep_calendar(SHORT, "cn-2026.yaml", START + DAY / 24) >= 3
    assert running.clock(1, FEEDBACK).due == before + DAY
    assert met.clock(1, "report_in").due == done
    assert running.events().count("case.calendar_loaded") == 1
    whole(city, running, met)
    # The same table once more is the same edition, and moves nothing.
    assert kept.keep_calendar(SHORT, "cn-2026.yaml", START + DAY) == 0
    assert kept.book(city.office.current).calendars.edition == 1
    whole(city, running, met)


def test_a_limit_that_was_met_is_explained_by_the_days_of_its_own_time(city: Town, kept: Installation) -> None:
    story = begun(city, START)
    there = {"at": START.isoformat(), "where": "home", "mode": "on_site", "people": ["李"]}
    city.fire("officer@street", story.case, 1, REPORT, there, START)
    kept.keep_calendar(SHORT, "cn-2026.yaml", START + DAY / 24)
    with city.store.read() as connection:
        number = str(connection.exec_driver_sql("SELECT number FROM cases").scalar())
    assert "2026-03-18" not in why(city.store, number, "assignment(street).report_in").text("en")
    assert "2026-03-18 is off for an extra day off" in why(city.store, number, "assignment(street).feedback").text("en")


def test_what_a_new_release_knows_is_a_new_edition_and_old_histories_stay_whole(
    city: Town, kept: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    story, met = begun(city, DECEMBER), begun(city, DECEMBER)
    there = {"at": DECEMBER.isoformat(), "where": "home", "mode": "on_site", "people": ["李"]}
    city.fire("officer@street", met.case, 1, REPORT, there, DECEMBER)
    provisional = story.clock(1, FEEDBACK)
    assert provisional.provisional
    now, tables = (
        calendar.brought(),
        (*calendar.load_calendar().tables, calendar.parse_table(NEXT_YEAR, "cn-2027.yaml")),
    )
    monkeypatch.setattr(working_days, "brought", lambda: {**now, "cn-2027.yaml": NEXT_YEAR})
    monkeypatch.setattr(calendar, "_library", lambda: tables)
    kept._books.clear()
    # Until it is migrated to the release, the installation reckons as it did.
    assert not kept.book(city.office.current).calendars.of(None).published(date(2027, 1, 4))
    whole(city, story, met)
    assert kept.settle_calendars(DECEMBER + DAY) >= 1
    face = story.clock(1, FEEDBACK)
    assert not face.provisional
    assert face.due > provisional.due
    whole(city, story, met)
    assert kept.settle_calendars(DECEMBER + 2 * DAY) == 0


def test_a_year_that_was_loaded_here_stays_the_installations_own(
    city: Town, kept: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept.keep_calendar(NEXT_YEAR, "ours.yaml", DECEMBER)
    monkeypatch.setattr(working_days, "brought", lambda: {"cn-2027.yaml": NEXT_YEAR.replace("01-06", "01-03")})
    kept.settle_calendars(DECEMBER + DAY)
    assert not kept.book(city.office.current).calendars.of(None).is_workday(date(2027, 1, 5))


def test_what_the_package_learns_of_a_year_waits_for_the_migration_too(
    city: Town, kept: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    marks, years = calendar._from_package()
    monkeypatch.setattr(calendar, "_from_package", lambda: (marks, years | {2027}))
    kept._books.clear()
    assert not kept.book(city.office.current).calendars.of(None).published(date(2027, 1, 4))
    story = begun(city, DECEMBER)
    assert story.clock(1, FEEDBACK).provisional
    kept.settle_calendars(DECEMBER + DAY)
    assert not story.clock(1, FEEDBACK).provisional
    story.check()


def test_a_table_in_another_encoding_is_told_and_changes_nothing(kept: Installation, tmp_path: Path) -> None:
    path = tmp_path / "cn-2026.yaml"
    path.write_bytes(SHORT.encode("gbk"))
    with pytest.raises(calendar.CalendarFault, match="UTF-8"):
        kept.load_calendar(path, START)
    with kept.store.read() as connection:
        book = library.read(connection, kept.active())
    assert book.calendars.edition == 0
