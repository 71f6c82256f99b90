"""Administration by pages: whoever isn't an admin is shown out, whoever is one reaches their own jurisdiction."""

from __future__ import annotations

import re
from datetime import date, timedelta
from pathlib import Path

import pytest
from httpx import Response
from sqlalchemy import func, insert, select

from cases.people import duty, member, organisation, post
from cases.posts import enlist
from cases.records import incident, policy_version
from cases.shelf import FolderShelf
from policies import book as books
from tests.api.door import Client, Door
from tests.api.lists import xlsx
from tests.api.pages_forms import follow, form_on, send
from tests.town import SINCE

PAGES = (
    "/admin", "/admin/organisations", "/admin/imports", "/admin/policy", "/admin/policy/nanjing-2026.1",
    "/admin/calendars", "/admin/channels", "/admin/health",
)  # fmt: skip


def page_of(door: Door, name: str) -> str:
    return f"/admin/organisations/{door.town.places[name].id}"


@pytest.mark.parametrize("language", ["zh_CN", "en"])
def test_an_admin_opens_every_page_in_either_language(door: Door, language: str) -> None:
    client = door.client("admin@district", language)
    officer = door.member("officer@street")
    for address in (*PAGES, page_of(door, "street"), page_of(door, "school"), f"/admin/members/{officer}"):
        assert client.get(address).status_code == 200, address


def test_nobody_else_gets_in(door: Door) -> None:
    for who in ("counselor@school", "supervisor@district", "officer@street", "auditor@district"):
        client = door.client(who)
        assert {client.get(one).status_code for one in PAGES} == {403}, who
        assert 'href="/admin"' not in client.get("/").text
    assert 'href="/admin"' in door.client("admin@district").get("/").text


def test_another_district_is_not_there_for_an_admin(door: Door) -> None:
    client = door.client("admin@district#2")
    assert client.get(page_of(door, "street")).status_code == 404
    assert client.get(f"/admin/members/{door.member('officer@street')}").status_code == 404
    assert "示例street" not in client.get("/admin/organisations").text
    refused = client.post(
        page_of(door, "street") + "/members",
        data={"csrf": client.csrf, "name": "某人", "role": "officer", "since": "2026-03-01"},
    )
    assert refused.status_code == 404


def test_an_organisation_is_registered_and_gets_its_first_member(door: Door) -> None:
    client = door.client("admin@district")
    page = client.get("/admin/organisations")
    made = follow(
        client,
        send(
            client, page, {"name": "示例新社区", "code": "T-new", "kind": "community", "parent": "T-street"},
            "/admin/organisations",
        ),
    )  # fmt: skip
    assert "示例新社区" in made.text
    entered = follow(
        client, send(client, made, {"name": "新来的", "role": "officer", "since": "2026-03-01"}, "/members")
    )
    assert "新来的" in entered.text
    with door.town.store.read() as connection:
        held = select(post.c.role).join(member, member.c.id == post.c.member_id).where(member.c.name == "新来的")
        assert connection.scalar(held) == "officer"


def test_what_is_wrong_with_an_organisation_is_said_and_what_was_typed_is_kept(door: Door) -> None:
    client = door.client("admin@district", "en")
    page = client.get("/admin/organisations")
    typed = {"name": "Twice", "code": "T-street", "kind": "community", "parent": "T-street"}
    again = send(client, page, typed, "/admin/organisations")
    assert again.status_code == 422
    assert "belongs to" in again.text
    assert 'value="Twice"' in again.text
    nowhere = send(client, page, {**typed, "code": "T-x", "parent": "T-nowhere"}, "/admin/organisations")
    assert "no organisation with the code T-nowhere" in nowhere.text
    with door.town.store.read() as connection:
        assert connection.scalar(select(func.count()).where(organisation.c.name == "Twice")) == 0


def test_a_post_is_given_and_ended(door: Door) -> None:
    client, number = door.client("admin@district"), door.member("officer@street")
    page = client.get(f"/admin/members/{number}")
    given = follow(client, send(client, page, {"role": "lead", "since": "2026-03-01"}, "/posts"))
    assert "已保存" in given.text
    data = {
        "csrf": client.csrf, "role": "lead", "organisation": str(door.town.places["street"].id), "school": "",
        "until": "2026-03-20",
    }  # fmt: skip
    assert client.post(f"/admin/members/{number}/posts/end", data=data).status_code == 303
    with door.town.store.read() as connection:
        until = select(post.c.until).where(post.c.member_id == number, post.c.role == "lead")
        assert connection.scalar(until) == date(2026, 3, 20)
    wrong = send(client, page, {"role": "counselor", "since": "2026-03-01"}, "/posts")
    assert wrong.status_code == 422


def test_whoever_is_taken_out_of_service_is_asked_about_twice_and_is_out_at_once(door: Door) -> None:
    client, number = door.client("admin@district"), door.member("officer@street")
    theirs = door.client("officer@street")
    page = client.get(f"/admin/members/{number}")
    assert send(client, page, {}, "/retire").status_code == 422
    assert theirs.get("/").status_code == 200
    send(client, page, {"sure": "on"}, "/retire")
    assert theirs.get("/").status_code == 303
    assert client.get(f"/admin/members/{number}").status_code == 200


def test_an_account_is_opened_with_a_code_that_is_shown_once(door: Door) -> None:
    client, number = door.client("admin@district"), door.member("officer@street")
    page = client.get(f"/admin/members/{number}")
    opened = send(client, page, {"login": "officer.street"}, "/account")
    code = re.search(r'class="copy">officer\.street<br>([^<]+)<', opened.text)
    assert code is not None
    assert "no-store" in opened.headers["cache-control"]
    later = client.get(f"/admin/members/{number}")
    assert "officer.street" in later.text
    assert code[1] not in later.text
    where, contents, _ = form_on(later, "/account")
    reset = client.post(where, data={**contents, "what": "reset"})
    assert 'class="copy">officer.street<br>' in reset.text
    for what in ("unlock", "end"):
        assert client.post(where, data={**contents, "what": what}).status_code == 303


def test_nobody_gives_a_code_to_the_admin_above_them(door: Door) -> None:
    client, above = door.client("admin@district"), door.member("admin@city")
    data = {"csrf": client.csrf, "what": "open", "login": "boss"}
    assert client.post(f"/admin/members/{above}/account", data=data).status_code == 404


def test_a_shift_is_put_on_the_rota_and_struck(door: Door) -> None:
    client, where = door.client("admin@district"), page_of(door, "street")
    shift = {
        "member": str(door.member("officer@street")), "starts": "2026-03-18T08:00", "ends": "2026-03-18T20:00",
    }  # fmt: skip
    page = follow(client, send(client, client.get(where), shift, "/duty"))
    assert "2026-03-18 20:00" in page.text
    again = send(client, page, shift, "/duty")
    assert again.status_code == 422
    struck = re.search(r'action="([^"]*/duty/\d+/end)"', page.text)
    assert struck is not None
    client.post(struck[1], data={"csrf": client.csrf})
    with door.town.store.read() as connection:
        assert connection.scalar(select(func.count()).select_from(duty)) == 0


def uploaded(client: Client, content: bytes, **fields: str) -> Response:
    files = {"file": ("list.xlsx", content)}
    sent: Response = client.post("/admin/imports", data={"csrf": client.csrf, **fields}, files=files)
    return sent


HEADS = ("code", "kind", "name", "parent")


def test_every_faulty_cell_of_a_list_is_shown_and_nothing_is_written(door: Door) -> None:
    client = door.client("admin@district")
    content = xlsx(HEADS, ("T-a", "castle", "示例一", "T-street"), ("T-b", "community", "", "T-street"))
    found = uploaded(client, content, kind="organisations")
    assert found.status_code == 422
    assert found.text.count('<tr><th scope="row">') >= 2
    assert uploaded(client, b"no table at all", kind="organisations").status_code == 422
    assert client.post("/admin/imports", data={"csrf": client.csrf, "kind": "members"}).status_code == 422
    with door.town.store.read() as connection:
        assert connection.scalar(select(func.count()).where(organisation.c.code.in_(["T-a", "T-b"]))) == 0


def test_all_that_is_wrong_with_a_list_is_said_at_once(door: Door) -> None:
    content = xlsx(("单位", "姓名", "职务", "电话", "语言"), ("nowhere", "何苗", "officer", "abc", "fr"))
    found = uploaded(door.client("admin@district"), content, kind="members")
    for wrong in ("电话应为", "没有这个单位", "应为其中之一"):
        assert wrong in found.text, wrong


def test_students_are_offered_to_whoever_may_bring_them_in_with_their_school(door: Door) -> None:
    above = door.client("admin@district")
    assert 'value="students"' not in above.get("/admin/imports").text
    refused = uploaded(above, xlsx(HEADS, ("a", "b", "c", "d")), kind="students", school="T-school")
    assert refused.status_code == 422, "the form isn't lost"
    with door.town.store.begin() as connection:
        both = enlist(connection, door.town.places["school"], "兼任管理员", ["admin"], since=SINCE).id
    page = door.client(both).get("/admin/imports").text
    assert 'value="students"' in page
    assert '<option value="T-school" selected>' in page


def test_a_list_without_a_fault_is_written_when_its_owner_says_so(door: Door, tmp_path: Path) -> None:
    door.house.office.shelf = FolderShelf(tmp_path)
    client = door.client("admin@district")
    content = xlsx(HEADS, ("T-a", "community", "示例一", "T-street"), ("T-b", "community", "示例二", "T-street"))
    checked = follow(client, uploaded(client, content, kind="organisations"))
    assert "新增：2" in checked.text
    done = follow(client, send(client, checked, {}, "/start"))
    assert "全部写入" in client.get(str(done.url)).text
    assert client.get(str(done.url), headers={"hx-request": "true"}).text.count("<html") == 0
    with door.town.store.read() as connection:
        assert connection.scalar(select(func.count()).where(organisation.c.code.in_(["T-a", "T-b"]))) == 2
    assert door.client("admin@city").get(str(done.url)).status_code == 404


def changed_policy() -> str:
    source = books.load("nanjing-2026.1").source_text
    return source.replace("version: nanjing-2026.1", "version: nanjing-2026.9", 1)


def test_a_version_is_stored_compared_tried_out_and_put_to_work_by_a_citys_admin(door: Door) -> None:
    door.town.whistle()
    client = door.client("admin@city")
    files = {"file": ("nanjing-2026.9.yaml", changed_policy().encode())}
    stored = follow(client, client.post("/admin/policy", data={"csrf": client.csrf}, files=files))
    assert "nanjing-2026.9" in stored.text
    tried = send(client, stored, {}, "/try")
    assert "重放了 1 个个案" in tried.text
    assert send(client, stored, {}, "/activate").status_code == 422
    assert follow(client, send(client, stored, {"sure": "on"}, "/activate")).status_code == 200
    with door.town.store.read() as connection:
        active = select(policy_version.c.active_at).where(policy_version.c.name == "nanjing-2026.9")
        assert connection.scalar(active) is not None


def test_a_faulty_version_has_its_faults_shown_and_isnt_stored(door: Door) -> None:
    client = door.client("admin@city", "en")
    files = {"file": ("x.yaml", b"version: x\nlevels: nonsense\n")}
    refused = client.post("/admin/policy", data={"csrf": client.csrf}, files=files)
    assert refused.status_code == 422
    assert "x.yaml" in refused.text
    with door.town.store.read() as connection:
        assert connection.scalar(select(func.count()).where(policy_version.c.name == "x")) == 0


def test_what_holds_for_all_isnt_changed_by_a_districts_admin(door: Door) -> None:
    client = door.client("admin@district")
    files = {"file": ("nanjing-2026.9.yaml", changed_policy().encode())}
    for where in ("/admin/policy", "/admin/calendars", "/admin/policy/nanjing-2026.1/activate"):
        assert client.post(where, data={"csrf": client.csrf, "sure": "on"}, files=files).status_code == 403, where


TABLE = """year: 2027
source: {zh_CN: 示例, en: example}
holidays:
  - {name: {zh_CN: 元旦, en: New Year}, off: [2027-01-01..2027-01-03], workdays: [2027-01-09]}
"""


def test_a_years_table_is_loaded_and_a_faulty_one_named(door: Door) -> None:
    client = door.client("admin@city")
    files = {"file": ("cn-2027.yaml", TABLE.encode())}
    loaded = follow(client, client.post("/admin/calendars", data={"csrf": client.csrf}, files=files))
    assert "已装入" in loaded.text
    assert "cn-2027.yaml" in loaded.text
    faulty = {"file": ("cn-2027.yaml", TABLE.replace("2027-01-09", "2027-13-09").encode())}
    assert client.post("/admin/calendars", data={"csrf": client.csrf}, files=faulty).status_code == 422


def test_a_test_by_a_channel_says_how_it_went(door: Door) -> None:
    client = door.client("admin@district", "en")
    page = client.get("/admin/channels")
    sent = send(client, page, {"target": str(door.member("officer@street"))}, "/admin/channels")
    assert "no channel but the inbox" in sent.text
    assert send(client, page, {"target": "nonsense://x"}, "/admin/channels").status_code == 422
    assert send(client, page, {"target": str(door.member("admin@city"))}, "/admin/channels").status_code == 404


def test_the_log_is_the_auditors(door: Door) -> None:
    number = door.town.whistle().case.number
    assert door.client("counselor").get(f"/cases/{number}").status_code == 200
    auditor = door.client("auditor@district")
    assert number in auditor.get("/admin/log").text
    assert number in auditor.get(f"/admin/log?number={number}").text
    for written in (number.lower(), number.rpartition("-")[2].lstrip("0")):
        found = auditor.get(f"/admin/log?number={written}").text
        assert number in found[found.index("<tbody") :], written
    assert "没有这个个案" in auditor.get("/admin/log?number=WH-2026-999999").text
    assert number not in door.client("auditor@district#2").get("/admin/log").text
    assert door.client("admin@district").get("/admin/log").status_code == 403
    assert door.client("officer@street").get("/admin/log").status_code == 403


def test_the_red_banner_stands_on_every_page_of_those_who_are_to_see_to_it(door: Door) -> None:
    with door.town.store.begin() as connection:
        connection.execute(insert(incident).values(at=door.now - timedelta(minutes=5), kind="sweep_stopped", why="x"))
    for who in ("supervisor@district", "coordinator@district", "admin@district"):
        for address in ("/", "/inbox"):
            assert "无人自动巡查" in door.client(who).get(address).text
    assert "无人自动巡查" not in door.client("counselor").get("/").text
