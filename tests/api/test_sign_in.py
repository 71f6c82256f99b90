"""Signing in as a member meets it: password, second factor, first and lost passwords, one's own sessions."""

from __future__ import annotations

from pathlib import Path

import pytest

from cases import feeds, posts, standing
from policies import book as books
from tests.api.account import PASSWORD, account_of
from tests.api.door import Door
from tests.town import SINCE

ANOTHER = "quite another sentence"


def code_of(answer: object) -> object:
    return answer.json()["code"]  # type: ignore[attr-defined]


def test_a_principal_signs_in_with_name_and_password(door: Door) -> None:
    browser = account_of(door, "principal@school").sign_in()
    assert browser.last.json()["stage"] == "signed_in"
    assert browser.get("/api/v1/me").json()["name"] == "principal@school"
    assert browser.delete("/api/v1/signin").status_code == 204
    assert browser.get("/api/v1/me").status_code == 401


def test_full_width_letters_and_capitals_are_the_same_name(door: Door) -> None:
    holder = account_of(door, "principal@school")
    holder.login = "Ｐrincipal.School "
    assert holder.sign_in().last.status_code == 200


def test_a_supervisor_shows_a_second_factor_before_anything_is_shown(door: Door) -> None:
    holder = account_of(door, "supervisor@district", second_factor=True)
    browser = holder.sign_in()
    assert browser.last.json()["stage"] == "code_needed"
    refused = browser.get("/api/v1/me/sessions")
    assert (refused.status_code, code_of(refused)) == (401, "code_needed")
    passed = browser.post("/api/v1/signin/code", json={"code": holder.code()})
    assert passed.json()["stage"] == "signed_in"
    assert browser.get("/api/v1/me/sessions").status_code == 200


@pytest.mark.parametrize(
    ("who", "asked"),
    [(who, "enrolment_needed") for who in (
        "counselor@school", "deputy@school", "liaison@hospital", "officer@hospital", "lead@hospital",
        "coordinator@district", "supervisor@district", "auditor@district", "admin@district",
    )] + [(who, "signed_in") for who in ("principal@school", "mentor@school", "officer@street", "lead@police")],
)  # fmt: skip
def test_whoever_oversees_or_sees_clinical_content_shows_a_second_factor(door: Door, who: str, asked: str) -> None:
    browser = account_of(door, who).sign_in()
    assert browser.last.json()["stage"] == asked
    assert browser.get("/api/v1/messages").status_code == (200 if asked == "signed_in" else 401)


def test_a_policy_that_opens_clinical_content_asks_more_roles_for_a_second_factor(door: Door) -> None:
    written = (Path(books.__file__).parent / "library/nanjing-2026.1.yaml").read_text(encoding="utf-8")
    closed = "who: [principal@school], identity: yes, narrative: yes, clinical: no"
    assert closed in written
    opened = books.load_text(written.replace(closed, closed.replace("clinical: no", "clinical: yes")), "opened")
    door.house.office.book_of = lambda _: opened
    assert account_of(door, "principal@school").sign_in().last.json()["stage"] == "enrolment_needed"


def test_password_and_code_may_come_at_once(door: Door) -> None:
    holder = account_of(door, "supervisor@district", second_factor=True)
    browser = holder.sign_in(code=holder.code())
    assert browser.last.json()["stage"] == "signed_in"


def test_no_code_is_taken_twice_nor_an_older_one_after_it(door: Door) -> None:
    holder = account_of(door, "liaison@hospital", second_factor=True)
    code = holder.code()
    assert holder.sign_in(code=code).last.status_code == 200
    again = holder.sign_in(code=code).last
    assert (again.status_code, code_of(again)) == (401, "wrong_code")
    door.wait(seconds=31)
    assert holder.sign_in(code=code).last.status_code == 401
    assert holder.sign_in(code=holder.code()).last.status_code == 200


def test_the_first_sign_in_of_an_admin_sets_up_the_second_factor(door: Door) -> None:
    holder = account_of(door, "admin@district")
    browser = holder.sign_in()
    assert browser.last.json()["stage"] == "enrolment_needed"
    shown = browser.get("/api/v1/signin/enrolment").json()
    assert shown["address"].startswith("otpauth://totp/")
    assert browser.get("/api/v1/signin/enrolment").json() == shown
    holder.secret = shown["secret"]
    wrong = browser.post("/api/v1/signin/enrolment", json={"code": "000000"})
    assert wrong.status_code == 401
    done = browser.post("/api/v1/signin/enrolment", json={"code": holder.code()})
    assert done.json()["stage"] == "signed_in"
    codes = done.json()["recovery_codes"]
    assert len(set(codes)) == 8
    # Once in force it isn't shown to anybody again.
    browser.headers["x-csrf-token"] = done.json()["csrf"]
    assert browser.get("/api/v1/signin/enrolment").status_code == 401
    # A recovery code stands in for the telephone, once.
    door.wait(minutes=5)
    assert holder.sign_in(code=codes[0].lower().replace("-", " ")).last.json()["stage"] == "signed_in"
    assert holder.sign_in(code=codes[0]).last.status_code == 401


def test_whoever_becomes_supervisor_needs_the_second_factor_from_that_moment(door: Door) -> None:
    holder = account_of(door, "officer@street")
    browser = holder.sign_in()
    assert browser.get("/api/v1/me/sessions").status_code == 200
    with door.town.store.begin() as connection:
        posts.appoint(connection, holder.member_id, "supervisor", door.town.places["district"], since=SINCE)
    refused = browser.get("/api/v1/me/sessions")
    assert (refused.status_code, code_of(refused)) == (401, "enrolment_needed")


def test_a_new_post_gives_the_session_another_secret_and_pages_that_are_open_load_on(door: Door) -> None:
    holder = account_of(door, "officer@street")
    browser = holder.sign_in()
    before = browser.cookies["whistle_session"]
    with door.town.store.begin() as connection:
        posts.appoint(connection, holder.member_id, "lead", door.town.places["street"], since=SINCE)
    assert browser.get("/api/v1/me/sessions").status_code == 200
    after = browser.cookies["whistle_session"]
    assert after != before
    late = door.stranger()
    late.cookies.set("whistle_session", before, domain="127.0.0.1", path="/")
    assert late.get("/api/v1/me").status_code == 200
    door.wait(minutes=2)
    assert late.get("/api/v1/me").status_code == 401
    assert browser.get("/api/v1/me").status_code == 200


def test_a_session_ends_when_it_idles_and_at_last_in_any_case(door: Door) -> None:
    browser = account_of(door, "principal@school").sign_in()
    door.wait(hours=1, minutes=59)
    assert browser.get("/api/v1/me").status_code == 200
    door.wait(hours=2, minutes=1)
    assert browser.get("/api/v1/me").status_code == 401
    busy = door.client("counselor@school")
    for _ in range(12):
        assert busy.get("/api/v1/me").status_code == 200
        door.wait(hours=1)
    assert busy.get("/api/v1/me").status_code == 401


@pytest.mark.parametrize("path", ["/", "/desk", "/board", "/inbox", "/cases/{number}/now"])
def test_a_page_left_open_keeps_no_session_alive(door: Door, path: str) -> None:
    number = door.town.whistle().case.number
    browser = door.client("coordinator@district")
    page = browser.get(path.removesuffix("/now").format(number=number)).text
    # As the page itself says that it will ask.
    assert path.format(number=number) in page
    assert """hx-headers='{"X-By-Itself": "1"}'""" in page
    itself = {"hx-request": "true", "x-by-itself": "1"}
    refreshed = [0]
    for _ in range(5):
        door.wait(minutes=25)
        refreshed.append(browser.get(path.format(number=number), headers=itself).status_code)
    assert refreshed[:2] == [0, 200]
    assert refreshed[-1] == 401


def test_a_new_post_found_by_a_page_left_open_makes_its_session_no_longer(door: Door) -> None:
    browser = door.client("officer@street")
    itself = {"hx-request": "true", "x-by-itself": "1"}
    door.wait(hours=1, minutes=50)
    with door.town.store.begin() as connection:
        posts.appoint(connection, door.member("officer@street"), "lead", door.town.places["street"], since=SINCE)
    assert browser.get("/", headers=itself).status_code == 200
    door.wait(minutes=20)
    assert browser.get("/").status_code == 303


def test_whoever_sits_before_a_page_keeps_the_session(door: Door) -> None:
    busy = door.client("counselor@school")
    for _ in range(5):
        door.wait(minutes=25)
        assert busy.get("/").status_code == 200


def test_the_password_alone_is_good_for_ten_minutes(door: Door) -> None:
    holder = account_of(door, "supervisor@district", second_factor=True)
    browser = holder.sign_in()
    door.wait(minutes=11)
    assert browser.post("/api/v1/signin/code", json={"code": holder.code()}).status_code == 401


def test_ones_sessions_are_listed_without_more_than_one_needs_and_ended_one_by_one(door: Door) -> None:
    holder = account_of(door, "principal@school")
    at_work, at_home = holder.sign_in(), door.stranger()
    at_home.headers["user-agent"] = "Mozilla/5.0 (Linux; Android 14; Pixel 8) Chrome/126.0"
    holder.sign_in(at_home)
    listed = at_work.get("/api/v1/me/sessions").json()
    assert [one["present"] for one in listed].count(True) == 1
    assert {one["agent"] for one in listed} == {"", "Chrome · Android"}
    other = next(one["id"] for one in listed if not one["present"])
    assert at_work.delete(f"/api/v1/me/sessions/{other}").status_code == 204
    assert at_home.get("/api/v1/me").status_code == 401
    stranger = door.client("mentor@school")
    mine = next(one["id"] for one in listed if one["present"])
    assert stranger.delete(f"/api/v1/me/sessions/{mine}").status_code == 404
    assert at_work.get("/api/v1/me").status_code == 200


def test_another_password_ends_every_other_session(door: Door) -> None:
    holder = account_of(door, "principal@school")
    here, elsewhere = holder.sign_in(), holder.sign_in()
    changed = here.post("/api/v1/me/password", json={"old": PASSWORD, "new": ANOTHER})
    assert changed.json()["stage"] == "signed_in"
    assert elsewhere.get("/api/v1/me").status_code == 401
    assert here.get("/api/v1/me").status_code == 200
    assert holder.sign_in().last.status_code == 401
    assert holder.sign_in(password=ANOTHER).last.status_code == 200


@pytest.mark.parametrize("way", ["changed", "recovered", "ended by an admin"])
def test_what_a_thief_drew_with_a_session_ends_with_it(door: Door, way: str) -> None:
    holder = account_of(door, "principal@school")
    thief, owner = holder.sign_in(), holder.sign_in()
    body = {"name": "x", "scopes": ["cases:read"], "days": 366}
    system = door.stranger()
    system.headers["authorization"] = f"Bearer {thief.post('/api/v1/tokens', json=body).json()['token']}"
    with door.town.store.begin() as connection:
        link = f"/calendar/{feeds.open_feed(connection, holder.member_id, door.now)}.ics"
    assert [system.get("/api/v1/cases").status_code, door.stranger().get(link).status_code] == [200, 200]
    admin, account = door.client("admin@district"), f"/api/v1/accounts/{holder.member_id}"
    if way == "changed":
        owner.post("/api/v1/me/password", json={"old": PASSWORD, "new": ANOTHER})
    elif way == "recovered":
        code = admin.post(f"{account}/reset", json={}).json()["code"]
        door.stranger().post("/api/v1/signin/one-time", json={"login": holder.login, "code": code, "password": ANOTHER})
    else:
        admin.delete(f"{account}/sessions")
    assert [system.get("/api/v1/cases").status_code, door.stranger().get(link).status_code] == [401, 404]
    assert thief.get("/api/v1/me").status_code == 401
    noted = door.client("principal@school").get("/api/v1/me/events").json()
    assert {"tokens_revoked", "calendar_ended"} <= {one["what"] for one in noted}


def test_another_password_is_given_to_nobody_who_doesnt_know_the_old_one(door: Door) -> None:
    holder = account_of(door, "principal@school")
    browser = holder.sign_in()
    body = {"old": "not the password at all", "new": "another sentence of one's own"}
    refused = browser.post("/api/v1/me/password", json=body)
    assert (refused.status_code, refused.json()["code"]) == (401, "wrong_password")
    assert holder.sign_in().last.status_code == 200


def test_weak_passwords_are_refused_with_the_reason(door: Door) -> None:
    here = account_of(door, "principal@school").sign_in()
    for weak in ("short", "1234567890", "aaaaaaaaaaaa", "abcdefghijkl", "woaini1314", "my principal.school"):
        refused = here.post("/api/v1/me/password", json={"old": PASSWORD, "new": weak})
        assert (refused.status_code, code_of(refused)) == (422, "weak_password"), weak


def test_an_admin_opens_an_account_and_its_owner_chooses_the_password(door: Door) -> None:
    admin = door.client("admin@district", language="en")
    member = door.member("officer@police")
    opened = admin.post(f"/api/v1/accounts/{member}", json={"login": "Li.Wei"})
    assert opened.status_code == 201
    drawn = opened.json()
    assert drawn["login"] == "li.wei"
    owner = door.stranger()
    body = {"login": "li.wei", "code": drawn["code"], "password": "a sentence of one's own"}
    assert owner.post("/api/v1/signin/one-time", json=body | {"password": "123"}).status_code == 422
    assert owner.post("/api/v1/signin/one-time", json=body).json()["stage"] == "signed_in"
    again = door.stranger().post("/api/v1/signin/one-time", json=body)
    assert (again.status_code, code_of(again)) == (401, "wrong_one_time_code")
    assert admin.post(f"/api/v1/accounts/{member}", json={"login": "other"}).json()["code"] == "has_account"
    other = door.member("lead@police")
    assert admin.post(f"/api/v1/accounts/{other}", json={"login": "LI.WEI"}).json()["code"] == "login_taken"


def test_a_one_time_code_expires(door: Door) -> None:
    holder = account_of(door, "principal@school")
    drawn = door.client("admin@district").post(f"/api/v1/accounts/{holder.member_id}/reset", json={}).json()
    door.wait(hours=25)
    body = {"login": holder.login, "code": drawn["code"], "password": "a sentence of one's own"}
    assert door.stranger().post("/api/v1/signin/one-time", json=body).status_code == 401


def test_a_lost_telephone_is_replaced_by_the_admin_and_every_session_ends_when_the_code_is_used(door: Door) -> None:
    holder = account_of(door, "coordinator@district", second_factor=True)
    open_before = holder.sign_in(code=holder.code())
    admin = door.client("admin@district")
    path = f"/api/v1/accounts/{holder.member_id}"
    drawn = admin.post(f"{path}/reset", json={"second_factor": True}).json()
    assert open_before.get("/api/v1/me").status_code == 200
    body = {"login": holder.login, "code": drawn["code"], "password": "a sentence of one's own"}
    answer = door.stranger().post("/api/v1/signin/one-time", json=body)
    assert answer.json()["stage"] == "enrolment_needed"
    assert open_before.get("/api/v1/me").status_code == 401
    shown = admin.get(path).json()
    assert (shown["second_factor"], shown["has_password"]) == (False, True)


def test_an_admin_has_the_accounts_of_their_own_jurisdiction_alone(door: Door) -> None:
    district, second = door.client("admin@district"), door.client("admin@district#2")
    city, school = door.client("admin@city"), door.client("counselor@school")
    officer = account_of(door, "officer@street").member_id
    path = f"/api/v1/accounts/{officer}"
    assert [one.get(path).status_code for one in (district, city, second, school)] == [200, 200, 404, 403]
    assert second.post(f"{path}/reset", json={}).status_code == 404
    # Nobody resets whoever holds a post further up.
    above = account_of(door, "supervisor@city").member_id
    assert district.post(f"/api/v1/accounts/{above}/reset", json={}).status_code == 404
    with door.town.store.begin() as connection:
        posts.appoint(connection, officer, "supervisor", door.town.places["city"], since=SINCE)
    assert district.get(path).status_code == 404


def test_what_was_done_to_an_account_is_there_to_be_read(door: Door) -> None:
    holder = account_of(door, "principal@school")
    admin = door.client("admin@district")
    admin.post(f"/api/v1/accounts/{holder.member_id}/reset", json={})
    events = holder.sign_in().get("/api/v1/me/events").json()
    assert [(one["what"], one["by"]) for one in events] == [("reset", admin.member_id)]


def test_an_admin_ends_everything_at_once(door: Door) -> None:
    holder = account_of(door, "principal@school")
    browser, system = holder.sign_in(), door.token(holder.member_id, "cases:read")
    assert system.get("/api/v1/me").status_code == 200
    ended = door.client("admin@district").delete(f"/api/v1/accounts/{holder.member_id}/sessions")
    assert ended.json() == {"ended": 2}
    assert browser.get("/api/v1/me").status_code == 401
    assert system.get("/api/v1/me").status_code == 401


def test_whoever_leaves_is_signed_out_at_once(door: Door) -> None:
    holder = account_of(door, "principal@school")
    browser, system = holder.sign_in(), door.token(holder.member_id, "cases:read")
    with door.town.store.begin() as connection:
        posts.retire(connection, holder.member_id)
    assert browser.get("/api/v1/me").status_code == 401
    assert system.get("/api/v1/me").status_code == 401
    assert holder.sign_in().last.json()["code"] == "wrong_password"


def test_old_hashes_are_made_anew_with_the_next_sign_in(door: Door) -> None:
    from argon2 import PasswordHasher

    from cases import credentials

    holder = account_of(door, "principal@school")
    older = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(PASSWORD)
    with door.town.store.begin() as connection:
        credentials.rehash(connection, holder.member_id, older)
    assert holder.sign_in().last.status_code == 200
    with door.town.store.read() as connection:
        account = credentials.of_member(connection, holder.member_id)
    assert account is not None
    assert account.password is not None
    assert "m=65536,t=3,p=4" in account.password


def test_sessions_of_long_ago_are_cleared_away(door: Door) -> None:
    door.client("counselor@school")
    door.wait(days=100)
    with door.town.store.begin() as connection:
        assert standing.clear(connection, door.now) == 1
