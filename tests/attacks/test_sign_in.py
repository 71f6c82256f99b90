"""Attacks on signing in: guessing, finding out names, stolen sessions, forged forms, redirects, hosts, logs."""

from __future__ import annotations

import io
import json
import logging
import secrets
import statistics
import time

import pytest
from fastapi import APIRouter

from api import logs
from api.asked import Asked, Writing
from api.settings import Settings
from api.signin import passwords
from api.signin.visiting import safe_next
from cases import credentials, throttle
from cases.store import Store
from tests.api.account import PASSWORD, Holder, account_of
from tests.api.door import AT_HOME, Client, Door, door_at
from tests.api.test_sign_in_pages import fields_of, fill

WRONG = "not the password at all"


def guess(door: Door, login: str, browser: Client | None = None) -> int:
    answer = (browser or door.stranger()).post("/api/v1/signin", json={"login": login, "password": WRONG})
    return int(answer.status_code)


# Guessing.


def test_guessing_at_one_account_is_slowed_down_and_the_right_password_waits_too(door: Door) -> None:
    holder = account_of(door, "principal@school")
    assert [guess(door, holder.login) for _ in range(7)] == [401] * 5 + [429] * 2
    told = holder.sign_in().last
    assert (told.status_code, told.headers["retry-after"]) == (429, "31")
    door.wait(seconds=31)
    assert guess(door, holder.login) == 401
    # Each time twice as long, up to a quarter of an hour.
    door.wait(seconds=31)
    assert guess(door, holder.login) == 429
    door.wait(minutes=15)
    assert holder.sign_in().last.status_code == 200
    # What failed before is forgotten with a success.
    assert [guess(door, holder.login) for _ in range(5)] == [401] * 5


def test_a_name_that_nobody_has_is_locked_in_the_same_way(door: Door) -> None:
    assert [guess(door, "nobody.here") for _ in range(7)] == [401] * 5 + [429] * 2


def test_guessing_one_password_at_many_names_is_stopped_by_the_address(door: Door) -> None:
    found = [guess(door, f"name.{number}") for number in range(52)]
    assert found[:50] == [401] * 50
    assert found[50:] == [429, 429]


def test_guessing_from_one_address_of_ipv4_stops_no_other_on_a_socket_for_both(door: Door) -> None:
    """On `::` the neighbours come as `::ffff:192.0.2.1`: one range of IPv6, and all of IPv4."""

    def from_(address: str) -> int:
        client = Client(door.app, base_url=AT_HOME, client=(address, 50000))
        body = {"login": secrets.token_hex(4), "password": "not the password"}
        status: int = client.post("/api/v1/signin", json=body).status_code
        return status

    assert [from_("::ffff:192.0.2.1") for _ in range(52)][50:] == [429, 429]
    assert from_("192.0.2.1") == 429
    assert from_("::ffff:198.51.100.7") == 401


def test_guessing_at_the_second_factor_is_slowed_down(door: Door) -> None:
    holder = account_of(door, "supervisor@district", second_factor=True)
    browser = holder.sign_in()
    tried = [browser.post("/api/v1/signin/code", json={"code": f"00000{n}"}).status_code for n in range(7)]
    assert tried == [401] * 5 + [429] * 2
    # Another browser, another half session: the same count.
    again = holder.sign_in()
    assert again.post("/api/v1/signin/code", json={"code": holder.code()}).status_code == 429


def test_a_hundred_guesses_at_once_dont_pass_as_one(door: Door) -> None:
    from concurrent.futures import ThreadPoolExecutor

    holder = account_of(door, "principal@school")
    with ThreadPoolExecutor(8) as hands:
        found = list(hands.map(lambda _: guess(door, holder.login), range(16)))
    assert sorted(found) == [401] * 5 + [429] * 11


def test_a_try_that_comes_while_another_is_counted_waits_for_it(door: Door) -> None:
    from threading import Thread

    key, store = throttle.key_of(door.house.kept.master, throttle.ACCOUNT, "somebody"), door.town.store

    def tried() -> None:
        with store.begin() as connection:
            throttle.take(connection, key, throttle.ACCOUNT, door.now)

    tried()
    with store.begin() as connection:
        throttle.take(connection, key, throttle.ACCOUNT, door.now)
        beside = Thread(target=tried)
        beside.start()
        beside.join(0.3)
    beside.join()
    with store.read() as connection:
        assert connection.exec_driver_sql("SELECT count FROM throttle").scalar_one() == 3


def test_two_processes_share_the_count(door: Door) -> None:
    holder = account_of(door, "principal@school")
    beside = Door(door.town, now=door.now)
    found = [guess(one, holder.login) for one in (door, beside) * 3]
    assert found == [401] * 5 + [429]


# Finding out who is here.


def test_a_known_and_an_unknown_name_take_as_long(door: Door) -> None:
    """Medians within 10 %: measured on what is done, by turns, so that the machine's load falls on both."""
    holder = account_of(door, "principal@school")
    passwords.warm()
    took: dict[str, list[float]] = {holder.login: [], "nobody.here": []}
    for turn in range(1, 61):
        for login, times in took.items():
            # The count is another matter: it is the same for both, and would stop the measuring.
            with door.town.store.begin() as connection:
                connection.exec_driver_sql("DELETE FROM throttle")
            began = time.perf_counter()
            assert guess(door, login) == 401
            times.append(time.perf_counter() - began)
        # Chance evens out with more turns, a difference that is there doesn't.
        if turn % 15 == 0 and apart(took) < 0.10:
            break
    assert apart(took) < 0.10, took


def apart(took: dict[str, list[float]]) -> float:
    """How far the medians of the two are from each other, as a part of the first."""
    known, unknown = (statistics.median(times) for times in took.values())
    return abs(known - unknown) / known


def test_an_account_without_a_password_says_no_more_than_none(door: Door) -> None:
    member = door.member("officer@police")
    door.client("admin@district").post(f"/api/v1/accounts/{member}", json={"login": "li.wei"})
    answers = [
        door.stranger().post("/api/v1/signin", json={"login": login, "password": WRONG}).json()
        for login in ("li.wei", "nobody.here")
    ]
    for one in answers:
        one.pop("request_id")
    assert answers[0] == answers[1]


def test_a_wrong_one_time_code_doesnt_tell_whether_the_name_exists(door: Door) -> None:
    holder = account_of(door, "principal@school")
    answers = []
    for login in (holder.login, "nobody.here"):
        body = {"login": login, "code": "AAAA-BBBB-CCCC", "password": "a sentence of one's own"}
        answer = door.stranger().post("/api/v1/signin/one-time", json=body)
        answers.append((answer.status_code, answer.json()["code"], answer.json()["detail"]))
    assert answers[0] == answers[1]


# Sessions.


def test_a_session_fixed_beforehand_is_worth_nothing_after_signing_in(door: Door) -> None:
    holder = account_of(door, "supervisor@district", second_factor=True)
    victim, attacker = door.stranger(), door.stranger()
    for browser in (victim, attacker):
        browser.cookies.set("whistle_session", "chosen-by-the-attacker", domain="127.0.0.1", path="/")
    holder.sign_in(victim)
    half = victim.cookies.get("whistle_session", domain="127.0.0.1", path="/")
    assert half != "chosen-by-the-attacker"
    attacker.cookies.clear()
    attacker.cookies.set("whistle_session", half, domain="127.0.0.1", path="/")
    assert victim.post("/api/v1/signin/code", json={"code": holder.code()}).status_code == 200
    # Whoever had learnt the half session has nothing either.
    assert attacker.get("/api/v1/me").status_code == 401


def test_nothing_in_the_database_opens_a_session(door: Door) -> None:
    holder = account_of(door, "principal@school", second_factor=True)
    browser = holder.sign_in(code=holder.code())
    secret = browser.cookies["whistle_session"]
    system = door.token("liaison@hospital", "fhir:read").headers["authorization"].removeprefix("Bearer ")
    drawn = door.client("admin@district").post(f"/api/v1/accounts/{holder.member_id}/reset", json={}).json()["code"]
    with door.town.store.read() as connection:
        tables = "login_session", "api_token", "account", "one_time_code", "recovery_code", "account_event", "throttle"
        everything = " ".join(
            str(row)
            for table in tables
            for row in connection.exec_driver_sql(f"SELECT t::text FROM {table} t")  # noqa: S608
        )
    for kept in (secret, system, PASSWORD, drawn, drawn.replace("-", ""), holder.secret):
        assert kept is not None
        assert kept not in everything
        assert kept.encode().hex() not in everything
    assert "$argon2id$" in everything


def test_cookies_are_kept_from_scripts_and_from_other_sites(door: Door) -> None:
    answer = account_of(door, "principal@school").sign_in().last
    line = answer.headers["set-cookie"]
    assert line.startswith("whistle_session=")
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(line.split("; "))
    assert "Domain" not in line


def test_over_https_no_cookie_travels_without(server: Store) -> None:
    with door_at(server, Settings(link="https://whistle.example.cn")) as door:
        browser = door.stranger()
        browser.base_url = "https://whistle.example.cn"
        holder = account_of(door, "principal@school")
        answer = holder.sign_in(browser).last
        line = answer.headers["set-cookie"]
        assert line.startswith("__Host-whistle_session=")
        assert "Secure" in line.split("; ")
        assert answer.headers["strict-transport-security"].startswith("max-age=31536000")
        # A cookie of the unprotected name, planted by a neighbour, is nobody's.
        late = door.stranger()
        late.base_url = "https://whistle.example.cn"
        secret = line.partition("=")[2].partition(";")[0]
        late.headers["cookie"] = f"whistle_session={secret}"
        assert late.get("/api/v1/me").status_code == 401
        late.headers["cookie"] = f"__Host-whistle_session={secret}"
        assert late.get("/api/v1/me").status_code == 200


# Forged requests.


def test_a_forged_form_changes_nothing(door: Door) -> None:
    holder = account_of(door, "principal@school")
    browser = holder.sign_in()
    mark = browser.headers.pop("x-csrf-token")
    new = {"old": PASSWORD, "password": "chosen by an attacker", "again": "chosen by an attacker"}
    assert browser.post("/sign-in/change", data=new).status_code == 403
    assert browser.post("/sign-in/change", data=new | {"csrf": "x"}).status_code == 403
    assert browser.post("/api/v1/me/password", json={"old": PASSWORD, "new": new["again"]}).status_code == 403
    for elsewhere in ({"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}, {"origin": "null"}):
        refused = browser.post("/sign-in/change", data=new | {"csrf": mark}, headers=elsewhere)
        assert refused.status_code == 403, elsewhere
    # Another member's mark is no better than none.
    other = door.client("mentor@school")
    assert browser.post("/sign-out", data={"csrf": other.csrf}).status_code == 403
    assert holder.sign_in().last.status_code == 200


def test_nobody_is_signed_in_by_another_sites_form(door: Door) -> None:
    holder = account_of(door, "principal@school")
    body = {"login": holder.login, "password": PASSWORD}
    browser = door.stranger()
    assert browser.post("/sign-in", data=body).status_code == 403
    browser.get("/sign-in")
    assert browser.post("/sign-in", data=body | {"csrf": "0" * 64}).status_code == 403
    elsewhere = {"origin": "https://evil.example"}
    page = fields_of(browser.get("/sign-in").text)
    assert browser.post("/sign-in", data=body | page, headers=elsewhere).status_code == 403
    assert browser.post("/api/v1/signin", json=body, headers=elsewhere).status_code == 403
    assert browser.post("/api/v1/signin", data=body).status_code in {415, 422}
    text = browser.post("/api/v1/signin", content=json.dumps(body), headers={"content-type": "text/plain"})
    assert text.status_code in {415, 422}
    assert fill(browser, "/sign-in", **body).status_code == 303


# Leading astray.


@pytest.mark.parametrize(
    "after",
    [
        "//evil.example", "https://evil.example", "/\\evil.example", "\\\\evil.example", "/\tevil", "javascript:x()",
        "/%0d%0aSet-Cookie:x=1\r\n", "///evil.example", "http:evil.example", "/sign-out", " /", "@evil.example",
        "/" + "x" * 2000,
    ],
)  # fmt: skip
def test_nobody_is_sent_elsewhere_after_signing_in(after: str) -> None:
    assert safe_next(after) == "/"


def test_a_path_of_our_own_is_kept_with_its_query() -> None:
    assert safe_next("/cases/NJ-2026-000123?tab=files&q=%E6%A2%A7") == "/cases/NJ-2026-000123?tab=files&q=%E6%A2%A7"


def test_the_form_itself_leads_nobody_astray(door: Door) -> None:
    holder = account_of(door, "principal@school")
    answer = fill(door.stranger(), "/sign-in?next=//evil.example/x", login=holder.login, password=PASSWORD)
    assert answer.headers["location"] == "/"


def test_a_made_up_host_is_answered_by_nothing(door: Door) -> None:
    for host in ("evil.example", "127.0.0.1.evil.example", "127.0.0.1:8000@evil.example", "", "evil.example:8000"):
        answer = door.stranger().get("/sign-in", headers={"host": host})
        assert answer.status_code == 421, host
    # What a proxy is said to have been asked for changes no link.
    forwarded = {"x-forwarded-host": "evil.example", "x-forwarded-proto": "https"}
    answer = door.stranger().get("/me/security", headers=forwarded)
    assert answer.headers["location"].startswith("/sign-in?")


def test_what_was_typed_is_shown_as_text(door: Door) -> None:
    nasty = '"><script>alert(1)</script>'
    answer = fill(door.stranger(), "/sign-in", login=nasty, password=WRONG)
    assert "<script>" not in answer.text
    assert "&lt;script&gt;" in answer.text
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


# The log.


def test_nothing_that_was_sent_gets_into_the_log(door: Door) -> None:
    said = io.StringIO()
    writer, before = logs.set_up(said), logging.getLogger().handlers[:]
    try:
        holder = account_of(door, "principal@school")
        forged = 'x\n{"level":"critical","said":"forged"}'
        browser = door.stranger()
        browser.post("/api/v1/signin", json={"login": "王小明\r\nforged", "password": WRONG})
        browser.get("/sign-in?next=/cases/13812345678", headers={"user-agent": forged.replace("\n", " ")})
        browser.get("/nowhere/13812345678/王小明", headers={"x-request-id": "wang-xiao ming"})
        holder.sign_in(browser)
    finally:
        logging.getLogger().removeHandler(writer)
        assert before
    lines = [json.loads(line) for line in said.getvalue().splitlines()]
    assert {line["status"] for line in lines if line.get("said") == "answered"} >= {200, 404}
    assert all(len(line["request"]) >= 8 for line in lines if line.get("said") == "answered")
    for kept in ("王小明", "forged", "13812345678", WRONG, PASSWORD, holder.login, "wang-xiao"):
        assert kept not in said.getvalue(), kept


# Tokens.


def test_a_token_does_what_its_scopes_say_and_no_more(door: Door) -> None:
    trial = APIRouter()

    @trial.post("/api/v1/cases/trial")
    def _write(asked: Asked, session: Writing) -> int:
        return asked.actor.member_id

    door.app.router.routes.insert(0, trial.routes[0])
    reader = door.token("counselor@school", "cases:read")
    refused = reader.post("/api/v1/cases/trial")
    assert (refused.status_code, refused.json()["code"]) == (403, "out_of_scope")
    assert door.token("counselor@school", "cases:write").post("/api/v1/cases/trial").status_code == 200
    assert door.token("counselor@school", "fhir:write").post("/api/v1/cases/trial").status_code == 403
    # A person's own affairs are nobody's but a person's, whatever the scopes.
    everything = door.token("admin@district", "cases:read", "cases:write", "directory:write", "oversight:read")
    for method, path in (
        ("GET", "/api/v1/me/sessions"), ("POST", "/api/v1/tokens"), ("GET", "/api/v1/accounts/1"),
        ("POST", "/api/v1/me/password"), ("GET", "/api/v1/signin/enrolment"),
    ):  # fmt: skip
        refused = everything.request(method, path, json={} if method == "POST" else None)
        assert (refused.status_code, refused.json()["code"]) == (403, "session_only"), path
    # On pages a token is nobody.
    assert everything.get("/me/security").status_code in {303, 403}


def test_a_token_ends_when_it_expires_or_is_revoked_and_is_shown_once(door: Door) -> None:
    holder = account_of(door, "principal@school")
    browser = holder.sign_in()
    body = {"name": "statistics", "scopes": ["cases:read"], "days": 2}
    drawn = browser.post("/api/v1/tokens", json=body)
    assert drawn.status_code == 201
    system = door.stranger()
    system.headers["authorization"] = f"Bearer {drawn.json()['token']}"
    assert system.get("/api/v1/me").json()["via"] == "token"
    listed = browser.get("/api/v1/tokens")
    assert drawn.json()["token"] not in listed.text
    assert listed.json()[0]["used"] is not None
    assert browser.delete(f"/api/v1/tokens/{drawn.json()['id']}").status_code == 204
    assert system.get("/api/v1/me").status_code == 401
    short = door.token(holder.member_id, "cases:read", days=1)
    assert short.get("/api/v1/me").status_code == 200
    door.wait(days=1, minutes=1)
    assert short.get("/api/v1/me").status_code == 401


def test_no_admin_acts_in_the_name_of_a_person(door: Door) -> None:
    holder: Holder = account_of(door, "principal@school")
    admin = door.client("admin@district")
    body = {"name": "x", "scopes": ["cases:read"], "member": holder.member_id}
    assert admin.post("/api/v1/tokens", json=body).json()["code"] == "has_account"
    # A system that never signs in is given one.
    system = door.member("liaison@hospital")
    assert admin.post("/api/v1/tokens", json=body | {"member": system}).status_code == 201
    assert door.client("admin@district#2").post("/api/v1/tokens", json=body | {"member": system}).status_code == 404
    assert door.client("counselor@school").post("/api/v1/tokens", json=body | {"member": system}).status_code == 403
    unknown = admin.post("/api/v1/tokens", json=body | {"member": system, "scopes": ["everything"]})
    assert unknown.json()["code"] == "unknown_scope"


def test_a_second_factors_secret_opens_in_its_own_row_alone(door: Door) -> None:
    from cases.vault import Unreadable

    holder = account_of(door, "supervisor@district", second_factor=True)
    with door.town.store.read() as connection:
        account = credentials.of_member(connection, holder.member_id)
    assert account is not None
    assert account.totp is not None
    master = door.house.kept.master
    assert credentials.unseal(master, f"totp|{holder.member_id}", account.totp).decode() == holder.secret
    with pytest.raises(Unreadable):
        credentials.unseal(master, f"totp|{holder.member_id + 1}", account.totp)
    flipped = account.totp[:-1] + bytes([account.totp[-1] ^ 1])
    with pytest.raises(Unreadable):
        credentials.unseal(master, f"totp|{holder.member_id}", flipped)
