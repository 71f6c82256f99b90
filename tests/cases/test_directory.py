"""Who is responsible, who holds which post and who is on duty: registered, refused, remembered, forgotten."""

from __future__ import annotations

import timeit
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection, event, select

from cases.directory import Directory, DirectoryFault, Organisation, version_of
from cases.directory_fault import OrganisationLoop
from cases.enrolment import enrol, keep_identity
from cases.people import KINDS, KINDS_OF_ROLE, ROLES, student
from cases.posts import appoint, check_post, end_post, enlist, open_station, put_on_duty, retire
from cases.registrar import found, move
from cases.store import Store

SINCE = date(2025, 9, 1)
MONDAY = datetime(2026, 3, 16, 1, 0, tzinfo=UTC)  # 09:00 in Nanjing


@dataclass(frozen=True)
class Town:
    """A city with one district, two streets and what a school needs."""

    connection: Connection
    city: Organisation
    district: Organisation
    street: Organisation
    other_street: Organisation
    community: Organisation
    hospital: Organisation
    school: Organisation

    def directory(self) -> Directory:
        return Directory(version_of(self.connection))

    def names(self, place: Organisation, *roles: str, at: datetime = MONDAY) -> list[str]:
        return [one.name for one in self.directory().holders(self.connection, place.id, roles, at)]


@pytest.fixture
def town(store: Store) -> Iterator[Town]:
    with store.begin() as connection:
        city = found(connection, "C", "city", "南京市")
        district = found(connection, "D", "district", "玄武区", city)
        street = found(connection, "S1", "street", "锁金村街道", district)
        other = found(connection, "S2", "street", "红山街道", district)
        community = found(connection, "S1-1", "community", "银杏社区", street)
        hospital = found(connection, "H", "hospital", "云杉医院", district)
        school = found(
            connection,
            "X",
            "school",
            "梧桐里小学",
            district,
            street=street,
            hospital=hospital,
            community=community,
        )
        yield Town(connection, city, district, street, other, community, hospital, school)


def refused(code: str) -> pytest.RaisesExc[DirectoryFault]:
    return pytest.RaisesExc(DirectoryFault, check=lambda fault: fault.code == code)


# --- organisations


def test_a_new_organisation_lies_in_the_jurisdictions_of_its_parent(town: Town) -> None:
    assert (town.community.district_id, town.community.city_id) == (town.district.id, town.city.id)
    assert town.community.street_id == town.street.id
    assert town.district.district_id == town.district.id
    assert (town.city.district_id, town.city.city_id) == (None, town.city.id)


def test_the_organisations_that_a_school_names_are_responsible_for_it(town: Town) -> None:
    directory = town.directory()
    for kind, wanted in (
        ("school", town.school),
        ("street", town.street),
        ("community", town.community),
        ("hospital", town.hospital),
        ("district", town.district),
        ("city", town.city),
    ):
        assert directory.nearest(town.connection, town.school.id, kind) == wanted


def test_the_nearest_office_is_the_streets_then_the_districts_then_the_citys(town: Town) -> None:
    def nearest() -> str:
        return town.directory().nearest(town.connection, town.school.id, "police").name

    with refused("nobody_responsible"):
        nearest()
    found(town.connection, "P0", "police", "南京市公安局", town.city)
    assert nearest() == "南京市公安局"
    found(town.connection, "P2", "police", "红山派出所", town.other_street)
    assert nearest() == "红山派出所"
    found(town.connection, "P1", "police", "玄武区公安局", town.district)
    assert nearest() == "玄武区公安局"
    found(town.connection, "P3", "police", "锁金村派出所", town.street)
    found(town.connection, "P4", "police", "锁金村第二派出所", town.street)
    assert nearest() == "锁金村派出所"


def test_an_office_of_another_district_is_never_responsible_whatever_street_it_names(town: Town) -> None:
    east = found(town.connection, "E", "district", "秦淮区", town.city)
    found(town.connection, "P5", "police", "秦淮分局", east, street=town.street)
    with refused("nobody_responsible"):
        town.directory().nearest(town.connection, town.school.id, "police")
    found(town.connection, "P0", "police", "南京市公安局", town.city, street=town.street)
    assert town.directory().nearest(town.connection, town.school.id, "police").name == "南京市公安局"
    found(town.connection, "P1", "police", "玄武分局", town.district)
    assert town.directory().nearest(town.connection, town.school.id, "police").name == "玄武分局"


def test_an_organisation_stands_under_its_own_kinds_alone(town: Town) -> None:
    with refused("wrong_parent"):
        found(town.connection, "Y", "police", "派出所", town.school)
    with refused("wrong_parent"):
        move(town.connection, town.street, town.city)


def test_offices_of_another_city_are_never_responsible(town: Town) -> None:
    elsewhere = found(town.connection, "C2", "city", "别的市")
    found(town.connection, "P9", "police", "别处公安局", elsewhere)
    with refused("nobody_responsible"):
        town.directory().nearest(town.connection, town.school.id, "police")


def test_an_organisation_never_becomes_its_own_ancestor(town: Town) -> None:
    with pytest.raises(OrganisationLoop, match="would make a loop"):
        move(town.connection, town.district, town.street)
    with pytest.raises(OrganisationLoop):
        move(town.connection, town.street, town.street)


def test_whatever_stands_below_moves_along_into_the_other_district(town: Town) -> None:
    east = found(town.connection, "E", "district", "秦淮区", town.city)
    move(town.connection, town.street, east)
    directory = town.directory()
    assert directory.organisation(town.connection, town.community.id).district_id == east.id
    assert directory.organisation(town.connection, town.school.id).district_id == town.district.id


def test_faulty_organisations_are_refused_and_leave_the_transaction_usable(town: Town) -> None:
    c = town.connection
    with refused("unknown_kind"):
        found(c, "Y", "castle", "城堡", town.city)
    with refused("needs_parent"):
        found(c, "Y", "district", "没有上级的区")
    with refused("code_taken"):
        found(c, "X", "court", "法院", town.district)
    with refused("nameless"):
        found(c, "Y", "court", "  ", town.district)
    with refused("only_schools"):
        found(c, "Y", "court", "法院", town.district, hospital=town.hospital)
    with refused("wrong_link"):
        found(c, "Y", "school", "小学", town.district, hospital=town.street)
    assert found(c, "Y", "court", "法院", town.district).name == "法院"


# --- posts


@pytest.mark.parametrize("role", ROLES)
def test_a_role_exists_only_at_its_kinds_of_organisation(role: str) -> None:
    school = Organisation(2, "X", "school", "小学", None, None, None, 1, None, None)
    for kind in KINDS:
        place = Organisation(1, "K", kind, kind, None, None, None, None, None, None)
        named = school if role == "codirector" else None
        if kind in KINDS_OF_ROLE[role]:
            check_post(role, place, named)
        else:
            with refused("role_elsewhere"):
                check_post(role, place, named)


def test_a_codirector_names_the_school_of_the_station_and_is_from_its_street(town: Town) -> None:
    with refused("needs_school"):
        enlist(town.connection, town.street, "周远", ["codirector"], since=SINCE)
    with refused("wrong_link"):
        enlist(town.connection, town.other_street, "周远", ["codirector"], since=SINCE, school=town.school)
    with refused("no_school_here"):
        appoint(town.connection, 1, "officer", town.street, since=SINCE, school=town.school)
    enlist(town.connection, town.street, "周远", ["codirector"], since=SINCE, school=town.school)
    directory = town.directory()
    held = directory.holders(town.connection, town.street.id, ("codirector",), MONDAY, school_id=town.school.id)
    assert [one.posts[0].school_id for one in held] == [town.school.id]


def test_a_school_has_one_principal_at_a_time(town: Town) -> None:
    c = town.connection
    first = enlist(c, town.school, "王安", ["principal"], since=SINCE)
    with refused("post_taken"):
        enlist(c, town.school, "李宁", ["principal"], since=SINCE)
    with refused("post_held_already"):
        appoint(c, first.id, "principal", town.school, since=SINCE)
    end_post(c, first.id, first.posts[0], date(2026, 3, 16))
    enlist(c, town.school, "李宁", ["principal"], since=date(2026, 3, 17))
    assert town.names(town.school, "principal") == ["王安"]
    assert town.names(town.school, "principal", at=MONDAY + timedelta(days=1)) == ["李宁"]


def test_the_last_day_of_a_post_ends_at_midnight_in_nanjing(town: Town) -> None:
    who = enlist(town.connection, town.street, "何苗", since=SINCE)
    appoint(town.connection, who.id, "officer", town.street, since=SINCE, until=date(2026, 3, 16))
    midnight = datetime(2026, 3, 16, 16, 0, tzinfo=UTC)
    directory = town.directory()
    # Asked in this order, so that the remembered answer has to give way at the right instant.
    for at, held in ((midnight - timedelta(seconds=1), 1), (midnight, 0), (midnight - timedelta(hours=2), 1)):
        assert len(directory.holders(town.connection, town.street.id, ("officer",), at)) == held
        assert len(directory.actor(town.connection, who.id, at).posts) == held


def test_a_station_has_two_directors_who_hold_their_posts(town: Town) -> None:
    c = town.connection
    principal = enlist(c, town.school, "王安", ["principal"], since=SINCE)
    officer = enlist(c, town.street, "周远", ["officer"], since=SINCE)
    with refused("not_a_director"):
        open_station(c, town.school, principal.id, officer.id)
    appoint(c, officer.id, "codirector", town.street, since=SINCE, school=town.school)
    open_station(c, town.school, principal.id, officer.id)
    station = town.directory().station(c, town.school.id)
    assert station is not None
    assert (station.principal_member_id, station.codirector_member_id) == (principal.id, officer.id)


def test_a_deputy_on_the_hospitals_staff_acts_at_the_school(town: Town) -> None:
    deputy = enlist(town.connection, town.hospital, "沈星", since=SINCE)
    appoint(town.connection, deputy.id, "deputy", town.school, since=SINCE)
    actor = town.directory().actor(town.connection, deputy.id, MONDAY)
    assert actor.organisation_id == town.hospital.id
    assert [(one.role, one.kind, one.organisation_id) for one in actor.posts] == [("deputy", "school", town.school.id)]


def test_a_retired_member_holds_nothing_and_acts_no_more(town: Town) -> None:
    gone = enlist(town.connection, town.street, "何苗", ["officer", "lead"], since=SINCE)
    retire(town.connection, gone.id)
    assert town.names(town.street, "officer", "lead") == []
    with refused("no_member"):
        town.directory().actor(town.connection, gone.id, MONDAY)


# --- duty


def test_while_an_officer_is_on_duty_the_others_are_left_alone(town: Town) -> None:
    c = town.connection
    day = enlist(c, town.street, "日班", ["officer"], since=SINCE)
    enlist(c, town.street, "夜班", ["officer"], since=SINCE)
    enlist(c, town.street, "主任", ["lead"], since=SINCE)
    put_on_duty(c, town.street, day.id, MONDAY, MONDAY + timedelta(hours=8))
    assert town.names(town.street, "officer") == ["日班"]
    assert town.names(town.street, "officer", "lead") == ["日班", "主任"]
    assert town.names(town.street, "officer", at=MONDAY - timedelta(seconds=1)) == ["日班", "夜班"]
    assert town.names(town.street, "officer", at=MONDAY + timedelta(hours=8)) == ["日班", "夜班"]


def test_a_rota_is_found_again_weeks_later(town: Town) -> None:
    c, later = town.connection, MONDAY + timedelta(days=40)
    day = enlist(c, town.street, "日班", ["officer"], since=SINCE)
    enlist(c, town.street, "夜班", ["officer"], since=SINCE)
    put_on_duty(c, town.street, day.id, later, later + timedelta(hours=8))
    directory = town.directory()
    for at, count in ((MONDAY, 2), (later, 1), (MONDAY, 2)):
        assert len(directory.holders(c, town.street.id, ("officer",), at)) == count


def test_faulty_shifts_are_refused(town: Town) -> None:
    c = town.connection
    officer = enlist(c, town.street, "日班", ["officer"], since=SINCE)
    lead = enlist(c, town.street, "主任", ["lead"], since=SINCE)
    put_on_duty(c, town.street, officer.id, MONDAY, MONDAY + timedelta(hours=8))
    with refused("shift_overlaps"):
        put_on_duty(c, town.street, officer.id, MONDAY + timedelta(hours=7), MONDAY + timedelta(hours=9))
    with refused("shift_backwards"):
        put_on_duty(c, town.street, officer.id, MONDAY, MONDAY)
    with refused("not_an_officer"):
        put_on_duty(c, town.street, lead.id, MONDAY, MONDAY + timedelta(hours=1))


def test_a_shift_that_is_over_is_refused_and_times_are_told_as_the_clock_on_the_wall_shows_them(town: Town) -> None:
    c = town.connection
    officer = enlist(c, town.street, "日班", ["officer"], since=SINCE)
    start = datetime(2026, 3, 16, 8, 20, tzinfo=ZoneInfo("Asia/Shanghai"))
    with pytest.raises(DirectoryFault) as over:
        put_on_duty(c, town.street, officer.id, start, start + timedelta(hours=1), now=start + timedelta(hours=1))
    assert over.value.text("zh_CN") == "这一班（2026-03-16 08:20 至 2026-03-16 09:20）已经过去。请填今后的时间。"
    put_on_duty(c, town.street, officer.id, start, start + timedelta(hours=1), now=start)
    with pytest.raises(DirectoryFault, match="already \\(2026-03-16 08:20 to 2026-03-16 09:20\\)"):
        put_on_duty(c, town.street, officer.id, start, start + timedelta(hours=2), now=start)


def test_roles_and_kinds_are_called_by_their_names_and_an_end_before_the_start_by_its_own(town: Town) -> None:
    c = town.connection
    with pytest.raises(DirectoryFault) as elsewhere:
        enlist(c, town.school, "周远", ["codirector"], since=SINCE)
    assert "“工作站街道主任”这一职务只能设在这些单位：街道；" in elsewhere.value.text("zh_CN")
    mentor = enlist(c, town.school, "冯语", ["mentor"], since=SINCE)
    with pytest.raises(DirectoryFault) as early:
        end_post(c, mentor.id, mentor.posts[0], SINCE - timedelta(days=1))
    assert "“全员导师”任期" in early.value.text("zh_CN")
    with pytest.raises(DirectoryFault) as empty:
        enlist(c, town.school, " ", since=SINCE)
    assert empty.value.text("zh_CN") == "姓名或名称不能空着。"


@pytest.mark.parametrize(("given", "code"), [({"phone": "abc"}, "phone_form"), ({"email": "bad"}, "email_form")])
def test_whoever_cant_be_reached_so_is_refused_as_in_a_list(town: Town, given: dict[str, str], code: str) -> None:
    with refused(code):
        enlist(town.connection, town.street, "何苗", since=SINCE, **given)  # type: ignore[arg-type]


# --- students


def test_a_roster_number_belongs_to_one_student_of_a_school(town: Town) -> None:
    mentor = enlist(town.connection, town.school, "冯语", ["mentor"], since=SINCE)
    number = enrol(town.connection, town.school, roster_no="17", mentor_member_id=mentor.id)
    with refused("roster_no_taken"):
        enrol(town.connection, town.school, roster_no="17")
    found_mentor = town.directory().mentor_of(town.connection, number, MONDAY)
    assert found_mentor is not None
    assert found_mentor.name == "冯语"


def test_a_forgotten_student_gets_no_identity_again(town: Town) -> None:
    number = enrol(town.connection, town.school)
    keep_identity(town.connection, number, b"sealed")
    gone = {"identity": None, "forgotten_at": MONDAY}
    town.connection.execute(student.update().where(student.c.id == number).values(**gone))
    with refused("no_student"):
        keep_identity(town.connection, number, b"sealed")
    assert town.connection.scalar(select(student.c.identity).where(student.c.id == number)) is None


# --- the cache


class Queries:
    """Counts the statements on a connection."""

    def __init__(self, connection: Connection) -> None:
        self.count = 0
        event.listen(connection, "before_cursor_execute", self._one_more)

    def _one_more(self, *_: object) -> None:
        self.count += 1


def test_after_a_prefetch_nothing_is_asked_of_the_database(town: Town) -> None:
    enlist(town.connection, town.street, "何苗", ["officer"], since=SINCE)
    directory = town.directory()
    queries = Queries(town.connection)
    directory.prefetch(town.connection, [town.school.id], MONDAY)
    assert queries.count <= 4
    queries.count = 0
    for place in (town.school, town.street, town.community, town.hospital, town.district, town.city):
        assert directory.organisation(town.connection, place.id) == place
        directory.holders(town.connection, place.id, ("officer", "lead"), MONDAY)
    assert directory.holders(town.connection, town.street.id, ("officer",), MONDAY)[0].name == "何苗"
    assert queries.count == 0


def test_an_answer_is_remembered_until_the_version_changes(town: Town) -> None:
    c = town.connection
    enlist(c, town.street, "何苗", ["officer"], since=SINCE)
    directory = town.directory()
    assert len(directory.holders(c, town.street.id, ("officer",), MONDAY)) == 1
    enlist(c, town.street, "程帆", ["officer"], since=SINCE)
    assert len(directory.holders(c, town.street.id, ("officer",), MONDAY)) == 1
    directory.refresh(version_of(c))
    assert len(directory.holders(c, town.street.id, ("officer",), MONDAY)) == 2


def test_a_version_that_was_rolled_back_is_never_used_again(town: Town) -> None:
    savepoint = town.connection.begin_nested()
    found(town.connection, "K", "court", "玄武区人民法院", town.district)
    given_up = version_of(town.connection)
    savepoint.rollback()
    found(town.connection, "K", "court", "别的法院", town.district)
    assert version_of(town.connection) != given_up


def test_a_remembered_answer_costs_about_a_microsecond(town: Town) -> None:
    enlist(town.connection, town.street, "何苗", ["officer"], since=SINCE)
    directory, where = town.directory(), town.street.id

    def ask() -> None:
        directory.holders(town.connection, where, ("officer",), MONDAY)

    ask()
    # The best of many short runs: what the machine does beside it doesn't count. Generous, for slow machines.
    assert min(timeit.repeat(ask, number=1000, repeat=20)) < 0.005


def test_unknown_organisations_are_said_to_be_unknown_in_both_languages(town: Town) -> None:
    with pytest.raises(DirectoryFault) as told:
        town.directory().by_code(town.connection, "nowhere")
    assert told.value.text("zh_CN") == "没有这个单位：nowhere。请核对名称或代码。"
    assert "no organisation nowhere" in told.value.text("en")
    with refused("no_organisation"):
        town.directory().organisation(town.connection, 0)
