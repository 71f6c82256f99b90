"""The pages of signing in, as a browser without scripts meets them."""

from __future__ import annotations

import re

from httpx import Response

from cases import standing
from tests.api.account import PASSWORD, account_of
from tests.api.door import Client, Door

WRONG = "not the password"


def fields_of(page: str) -> dict[str, str]:
    """The hidden fields of the first form."""
    form = page[page.index("<form") : page.index("</form>")]
    return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form))


def fill(browser: Client, path: str, **given: str) -> Response:
    """Open a page and send its form."""
    shown = browser.get(path)
    assert shown.status_code == 200, shown.headers
    action = re.search(r'<form method="post" action="([^"]+)"', shown.text)
    assert action is not None
    answer: Response = browser.post(action[1], data=fields_of(shown.text) | given)
    return answer


def test_a_link_to_a_page_leads_there_after_signing_in(door: Door) -> None:
    holder = account_of(door, "principal@school")
    browser = door.stranger()
    turned_away = browser.get("/me/security?from=mail")
    assert turned_away.headers["location"] == "/sign-in?next=%2Fme%2Fsecurity%3Ffrom%3Dmail"
    answer = fill(browser, turned_away.headers["location"], login=holder.login, password=PASSWORD)
    assert (answer.status_code, answer.headers["location"]) == (303, "/me/security?from=mail")
    assert "现有登录" in browser.get("/me/security").text


def test_a_wrong_password_is_told_without_saying_what_was_wrong(door: Door) -> None:
    holder = account_of(door, "principal@school")
    said = []
    for login in (holder.login, "nobody"):
        answer = fill(door.stranger("en"), "/sign-in", login=login, password=WRONG)
        assert answer.status_code == 401
        said.append(answer.text.replace(login, "…").replace(re.findall(r'csrf" value="(\w+)"', answer.text)[0], "…"))
    assert said[0] == said[1]
    # One form has the mark twice where a provider is offered; here every mark is another.
    assert "the name or the password" in said[0]


def test_a_supervisor_goes_by_way_of_the_code_page(door: Door) -> None:
    holder = account_of(door, "supervisor@district", second_factor=True)
    browser = door.stranger()
    answer = fill(browser, "/sign-in?next=/me/security", login=holder.login, password=PASSWORD)
    assert answer.headers["location"] == "/sign-in/code?next=%2Fme%2Fsecurity"
    assert browser.get("/me/security").headers["location"].startswith("/sign-in/code?next=")
    assert fill(browser, answer.headers["location"], code="000000").status_code == 401
    passed = fill(browser, answer.headers["location"], code=holder.code())
    assert passed.headers["location"] == "/me/security"
    assert browser.get("/me/security").status_code == 200


def test_the_second_factor_is_set_up_from_a_picture_and_its_recovery_codes_shown_once(door: Door) -> None:
    holder = account_of(door, "admin@district")
    browser = door.stranger("en")
    answer = fill(browser, "/sign-in", login=holder.login, password=PASSWORD)
    page = browser.get(answer.headers["location"]).text
    assert 'src="data:image/svg+xml' in page
    found = re.search(r"text-break\">([A-Z2-7]{32})<", page)
    assert found is not None
    holder.secret = found[1]
    done = fill(browser, "/sign-in/enrol", code=holder.code())
    assert len(re.findall(r"<code>[A-Z0-9]{4}-[A-Z0-9]{4}-[A-Z0-9]{4}</code>", done.text)) == 8
    assert browser.get("/me/security").status_code == 200
    assert browser.get("/sign-in/enrol").headers["location"] == "/sign-in/code"


def test_the_first_password_is_chosen_with_the_admins_code(door: Door) -> None:
    member = door.member("officer@police")
    drawn = door.client("admin@district").post(f"/api/v1/accounts/{member}", json={"login": "li.wei"}).json()
    browser = door.stranger()
    typed = {"login": "li.wei", "code": drawn["code"].lower(), "password": "a sentence of one's own"}
    assert fill(browser, "/sign-in/first", **typed, again="another").status_code == 422
    answer = fill(browser, "/sign-in/first", **typed, again=typed["password"])
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert browser.get("/me/security").status_code == 200


def test_signing_out_ends_the_session_and_clears_what_pages_left_behind(door: Door) -> None:
    browser = door.client("counselor@school")
    secret = browser.cookies["whistle_session"]
    answer = browser.post("/sign-out", data={"csrf": browser.csrf})
    assert answer.headers["location"] == "/sign-in?left=1"
    assert "storage" in answer.headers["clear-site-data"]
    late = door.stranger()
    late.cookies.set("whistle_session", secret, domain="127.0.0.1", path="/")
    assert late.get("/me/security").status_code == 303
    assert "您已退出" in browser.get("/sign-in?left=1").text


def test_the_language_is_chosen_in_the_header_and_remembered(door: Door) -> None:
    browser = door.stranger("zh_CN")
    assert 'lang="zh-CN"' in browser.get("/sign-in").text
    answer = browser.get("/language/en?next=/sign-in")
    assert answer.headers["location"] == "/sign-in"
    assert "Sign in" in browser.get("/sign-in").text
    assert browser.get("/language/fr?next=//evil.example").headers["location"] == "/"


def test_ones_password_is_changed_and_other_sessions_ended_from_the_page(door: Door) -> None:
    holder = account_of(door, "principal@school")
    here, elsewhere = holder.sign_in(), holder.sign_in()
    here.headers.pop("x-csrf-token")
    listed = here.get("/me/security").text
    end = re.search(r'action="(/me/security/sessions/[0-9a-f-]{36}/end)"', listed)
    assert end is not None
    assert here.post(end[1], data=fields_of(listed)).status_code == 303
    assert elsewhere.get("/me/security").status_code == 303
    new = "quite another sentence"
    answer = fill(here, "/sign-in/change?next=/me/security", old=PASSWORD, password=new, again=new)
    assert answer.headers["location"] == "/me/security"
    assert "修改口令" in here.get("/me/security").text


def test_ones_tokens_are_listed_and_revoked_from_the_page(door: Door) -> None:
    holder = account_of(door, "principal@school")
    browser = holder.sign_in()
    system, others = door.token("principal@school", "cases:read"), door.token("mentor@school", "cases:read")
    shown = browser.get("/me/security").text
    assert "a system" in shown
    found = re.findall(r'action="(/me/security/tokens/[^"]+/end)"', shown)
    assert len(found) == 1
    other = standing_of(door, "mentor@school")
    for address in (*found, f"/me/security/tokens/{other}/end"):
        assert browser.post(address, data={"csrf": browser.headers["x-csrf-token"]}).status_code == 303
    assert system.get("/api/v1/cases").status_code == 401
    assert others.get("/api/v1/cases").status_code == 200
    assert "您没有有效的令牌。" in browser.get("/me/security").text


def standing_of(door: Door, who: str) -> object:
    """The id of a member's token."""
    with door.town.store.read() as connection:
        return standing.tokens(connection, door.member(who))[0].id


def test_a_fragment_asked_for_without_a_session_sends_the_whole_window_to_sign_in(door: Door) -> None:
    answer = door.stranger().get("/me/security", headers={"hx-request": "true"})
    assert answer.status_code == 401
    assert answer.headers["hx-redirect"].startswith("/sign-in?next=")


def test_whoever_signs_in_elsewhere_is_sent_there_for_password_and_factor(door: Door) -> None:
    elsewhere = door.client("counselor@school").get("/me/security").text
    assert "统一身份认证" in elsewhere
    assert "/sign-in/enrol" not in elsewhere
    assert "/sign-in/change" not in elsewhere
