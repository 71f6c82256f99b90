"""Forms of administration: every fault at once and in its field, sent twice done once, what was entered put right."""

from __future__ import annotations

import re

import pytest
from httpx import Response
from sqlalchemy import Engine, event, func, select

from cases import posts
from cases.people import member, organisation
from tests.api.door import Client, Door
from tests.api.pages_forms import form_on


def page_of(door: Door, name: str) -> str:
    return f"/admin/organisations/{door.town.places[name].id}"


def contents_of(answer: Response, action: str) -> dict[str, str]:
    """What stands in the form of a page that goes there."""
    return {name: values[-1] for name, values in form_on(answer, action)[1].items()}


def faults(page: str) -> dict[str, str]:
    """What the summary says, by the field that it links to; each is in its field too, marked as invalid."""
    summary = re.search(r'<div class="errsum".*?</div>', page, re.DOTALL)
    assert summary is not None
    said = dict(re.findall(r'<a href="#([^"]+)">([^<]+)</a>', summary[0]))
    for field, sentence in said.items():
        marked = re.search(rf'<(?:input|select)[^>]* id="{field}"[^>]*>', page)
        assert marked is not None, field
        assert 'aria-invalid="true"' in marked[0]
        assert f"{field}-err" in marked[0]
        assert sentence in page.split(f'id="{field}-err"')[1].split("</span>\n", maxsplit=1)[0]
    return said


@pytest.mark.parametrize("language", ["zh_CN", "en"])
def test_all_that_is_wrong_with_a_new_organisation_is_said_at_once_and_what_was_typed_stays(
    door: Door, language: str
) -> None:
    client = door.client("admin@district", language)
    typed = {"csrf": client.csrf, "name": "", "code": "", "kind": "", "parent": "NOWHERE", "street": "ALSO-NOT"}
    answer = client.post("/admin/organisations", data=typed)
    assert answer.status_code == 422
    said = faults(answer.text)
    assert set(said) == {"f-name", "f-code", "f-kind", "f-parent", "f-street"}
    assert said["f-name"] == ("请填写：名称。" if language == "zh_CN" else "Fill in: Name.")
    assert "NOWHERE" in said["f-parent"]
    assert 'value="NOWHERE"' in answer.text


@pytest.mark.parametrize("path", ["/admin/health", "/admin/organisations", "/admin/policy", "/admin/calendars"])
def test_a_page_of_administration_asks_the_database_twelve_times_at_most(door: Door, path: str) -> None:
    client = door.client("admin@district")
    client.get(path)
    asked: list[str] = []
    listener = lambda *given: asked.append(given[2])  # noqa: E731 - gathered and counted at once
    event.listen(Engine, "before_cursor_execute", listener)
    try:
        assert client.get(path).status_code == 200
    finally:
        event.remove(Engine, "before_cursor_execute", listener)
    assert len(asked) <= 12, asked


def test_a_fault_of_the_directory_stands_in_the_field_that_it_is_about(door: Door) -> None:
    client = door.client("admin@district", "en")
    taken = {"csrf": client.csrf, "name": "x", "code": door.town.places["street"].code, "kind": "school",
             "parent": door.town.places["district"].code}  # fmt: skip
    assert set(faults(client.post("/admin/organisations", data=taken).text)) == {"f-code"}
    typed = {"csrf": client.csrf, "name": "", "since": "soon", "phone": "call me", "email": "nowhere"}
    answer = client.post(page_of(door, "street") + "/members", data=typed)
    assert set(faults(answer.text)) == {"f-name", "f-since", "f-phone", "f-email"}
    typed = {"csrf": client.csrf, "member": "", "starts": "", "ends": "later"}
    assert set(faults(client.post(page_of(door, "street") + "/duty", data=typed).text)) == {
        "f-member", "f-starts", "f-ends",
    }  # fmt: skip
    officer = f"/admin/members/{door.member('officer@street')}"
    answer = client.post(f"{officer}/posts", data={"csrf": client.csrf})
    assert set(faults(answer.text)) == {"f-role", "f-organisation", "f-since"}
    assert set(faults(client.post(f"{officer}/retire", data={"csrf": client.csrf}).text)) == {"f-sure"}
    street = door.town.places["street"].id
    ended = {"csrf": client.csrf, "role": "officer", "organisation": str(street), "until": "one day"}
    assert set(faults(client.post(f"{officer}/posts/end", data=ended).text)) == {f"e-officer-{street}-"}
    assert set(faults(client.post("/admin/channels", data={"csrf": client.csrf, "target": "?"}).text)) == {"f-target"}


def sent_twice(client: Client, address: str, action: str, fields: dict[str, str]) -> list[str]:
    """A form as it stands on a page, filled in and sent twice; where each answer leads."""
    form = contents_of(client.get(address), action)
    answers = [client.post(action, data={**form, **fields}) for _ in range(2)]
    assert {one.status_code for one in answers} == {303}
    return [one.headers["location"] for one in answers]


def test_a_member_who_is_entered_twice_is_one_member(door: Door) -> None:
    client = door.client("admin@district")
    page = page_of(door, "street")
    first, second = sent_twice(client, page, f"{page}/members", {"name": "王建国", "since": "2026-03-01"})
    assert first == second
    with door.town.store.read() as connection:
        assert connection.scalar(select(func.count()).where(member.c.name == "王建国")) == 1
    # Somebody of the same name, entered on purpose: the form is another one.
    other, _ = sent_twice(client, page, f"{page}/members", {"name": "王建国", "since": "2026-03-01"})
    assert other != first


def test_an_organisation_a_post_and_a_shift_come_once_too(door: Door) -> None:
    client = door.client("admin@district")
    parent = door.town.places["district"].code
    fields = {"name": "示例第九小学", "code": "NINTH", "kind": "school", "parent": parent}
    first, second = sent_twice(client, "/admin/organisations", "/admin/organisations", fields)
    assert first == second
    number = door.member("officer@street")
    fields = {"role": "lead", "organisation": door.town.places["street"].code, "since": "2026-04-01"}
    sent_twice(client, f"/admin/members/{number}", f"/admin/members/{number}/posts", fields)
    page = page_of(door, "street")
    fields = {"member": str(number), "starts": "2026-03-20T08:00", "ends": "2026-03-20T18:00"}
    sent_twice(client, page, f"{page}/duty", fields)


def test_a_members_name_and_addresses_are_put_right_at_what_was_on_the_screen(door: Door) -> None:
    client = door.client("admin@district", "en")
    page = f"/admin/members/{door.member('officer@street')}"
    form, older = (contents_of(client.get(page), f"{page}/change") for _ in range(2))
    right = {"name": "李若云", "phone": "025-55500107", "email": "li@example.cn"}
    assert client.post(f"{page}/change", data={**form, **right}).status_code == 303
    shown = client.get(page).text
    assert all(one in shown for one in right.values())
    late = client.post(f"{page}/change", data={**older, "name": "又一个"})
    assert late.status_code == 422
    assert "Somebody changed it meanwhile" in faults(late.text)["m-name"]
    assert 'value="又一个"' in late.text
    wrong = client.post(f"{page}/change", data={**contents_of(client.get(page), f"{page}/change"), "name": ""})
    assert set(faults(wrong.text)) == {"m-name"}
    assert door.client("admin@district#2").post(f"{page}/change", data={"csrf": "x"}).status_code in {403, 404}


def test_an_organisation_is_put_right_and_closed_once_nothing_hangs_on_it(door: Door) -> None:
    client = door.client("admin@district", "en")
    page = page_of(door, "school")
    form = contents_of(client.get(page), f"{page}/change")
    assert form["hospital"] == door.town.places["hospital"].code
    assert client.post(f"{page}/change", data={**form, "name": "示例改名学校", "hospital": ""}).status_code == 303
    shown = client.get(page).text
    assert "示例改名学校" in shown
    assert contents_of(client.get(page), f"{page}/change")["hospital"] == ""
    closing = {"csrf": client.csrf, "sure": "on"}
    assert set(faults(client.post(f"{page}/close", data={"csrf": client.csrf}).text)) == {"x-sure"}
    assert "Members still belong" in client.post(f"{page}/close", data=closing).text
    parent = door.town.places["district"].code
    fields = {"csrf": client.csrf, "name": "空", "code": "EMPTY", "kind": "school", "parent": parent}
    made = client.post("/admin/organisations", data=fields).headers["location"]
    assert client.post(f"{made}/close", data=closing).headers["location"] == "/admin/organisations"
    assert "EMPTY" not in client.get("/admin/organisations").text


def test_what_still_hangs_on_an_organisation_is_named(door: Door) -> None:
    client = door.client("admin@district", "en")
    said = client.delete(f"/api/v1/organisations/{door.town.places['district'].id}")
    assert said.status_code in {403, 422}
    hospital = client.delete(f"/api/v1/organisations/{door.town.places['hospital'].id}")
    assert hospital.status_code in {403, 422}


def test_machines_put_right_and_close_what_their_owner_might_have_entered(door: Door) -> None:
    admin = door.client("admin@district")
    number = door.member("officer@street")
    assert admin.patch(f"/api/v1/members/{number}", json={"phone": "025-55500107"}).status_code == 200
    with door.town.store.read() as connection:
        row = connection.execute(select(member.c.phone, member.c.name).where(member.c.id == number)).one()
    assert tuple(row) == ("025-55500107", "officer@street")
    assert admin.patch(f"/api/v1/members/{number}", json={"phone": None}).status_code == 200
    with door.town.store.read() as connection:
        assert connection.scalar(select(member.c.phone).where(member.c.id == number)) is None
    place = door.town.places["school"].id
    assert admin.patch(f"/api/v1/organisations/{place}", json={"name": "新名"}).status_code == 200
    with door.town.store.read() as connection:
        now = connection.execute(select(organisation).where(organisation.c.id == place)).mappings().one()
    assert now["name"] == "新名"
    assert now["hospital_id"] == door.town.places["hospital"].id
    for who in ("officer@street", "coordinator@district", "admin@district#2"):
        other = door.client(who)
        assert other.patch(f"/api/v1/members/{number}", json={"name": "x"}).status_code in {403, 404}, who
        assert other.patch(f"/api/v1/organisations/{place}", json={"name": "x"}).status_code == 403, who
        assert other.delete(f"/api/v1/organisations/{place}").status_code == 403, who
    assert admin.delete(f"/api/v1/organisations/{place}").status_code == 422
    with door.town.store.begin() as connection:
        posts.retire(connection, number)
    assert admin.patch(f"/api/v1/members/{number}", json={"name": "x"}).status_code in {404, 422}
