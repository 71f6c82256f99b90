"""Signing in by a city's identity provider, against a real one on loopback: its good day, and each of its lies."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from api.settings import Settings
from api.signin import oidc
from cases.store import Store
from tests.api.account import account_of
from tests.api.door import Client, Door, door_at
from tests.api.test_sign_in_pages import fields_of

ROOT = Path(__file__).parents[2]


class Provider:
    """The provider's process, as a test steers it."""

    def __init__(self, address: str) -> None:
        self.address = address

    def be(self, mood: str = "honest", **person: str) -> None:
        """How it behaves from now on, and who is at its keyboard."""
        person = person or {"sub": "u-1", "preferred_username": "principal.school"}
        httpx.get(f"{self.address}/set", params={"mood": mood, **person})


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    command = [sys.executable, "-m", "tests.api.provider"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        yield Provider(running.stdout.readline().strip())
        running.terminate()


@pytest.fixture
def linked(server: Store, provider: Provider) -> Iterator[Door]:
    """A door with that provider; its clock is the real one, as the provider's is."""
    provider.be()
    settings = Settings(
        oidc_issuer=provider.address,
        oidc_client="whistle",
        oidc_secret=SecretStr("provider-secret"),
        oidc_name="宁政通",
    )
    with door_at(server, settings) as door:
        door.now = datetime.now(UTC)
        yield door


def by_provider(browser: Client, path: str = "/sign-in") -> httpx.Response:
    """Press the button, go there and come back."""
    page = browser.get(path).text
    gone = browser.post("/sign-in/provider", data=fields_of(page))
    assert gone.status_code == 303, gone.text
    there = httpx.get(gone.headers["location"])
    assert there.status_code == 302
    back = there.headers["location"]
    assert back.startswith("http://127.0.0.1:8000/sign-in/provider/back?")
    answer: httpx.Response = browser.get(back)
    return answer


def test_a_member_signs_in_by_the_citys_provider(linked: Door) -> None:
    account_of(linked, "principal@school")
    browser = linked.stranger()
    assert "用宁政通登录" in browser.get("/sign-in").text
    answer = by_provider(browser, "/sign-in?next=/me/security")
    assert (answer.status_code, answer.headers["location"]) == (303, "/me/security")
    listed = browser.get("/api/v1/me/sessions").json()
    assert [one["via"] for one in listed] == ["oidc"]
    events = browser.get("/api/v1/me/events").json()
    assert [one["what"] for one in events] == ["linked"]


def test_the_providers_word_doesnt_replace_the_second_factor(linked: Door) -> None:
    holder = account_of(linked, "supervisor@district", second_factor=True)
    Provider(linked.house.settings.oidc_issuer).be(sub="u-2", preferred_username=holder.login)
    browser = linked.stranger()
    assert by_provider(browser).headers["location"] == "/sign-in/code"
    assert browser.get("/api/v1/me/sessions").status_code == 401


def test_whoever_is_known_is_found_by_subject_and_a_login_is_not_handed_on(linked: Door, provider: Provider) -> None:
    account_of(linked, "principal@school")
    by_provider(linked.stranger())
    provider.be(sub="u-1", preferred_username="married.since")
    browser = linked.stranger()
    assert by_provider(browser).status_code == 303
    assert browser.get("/api/v1/me").json()["name"] == "principal@school"
    # Somebody else over there was given the old name.
    provider.be(sub="u-9", preferred_username="principal.school")
    assert by_provider(linked.stranger()).status_code == 403


def test_a_stranger_to_this_installation_is_told_to_ask_an_administrator(linked: Door, provider: Provider) -> None:
    provider.be(sub="u-3", preferred_username="nobody.here")
    answer = by_provider(linked.stranger())
    assert answer.status_code == 403
    assert "请联系管理员" in answer.text


LIES = (
    "refusing", "another state", "mixed up", "for another", "expired", "another nonce", "another issuer", "unsigned",
    "forged",
)  # fmt: skip


def test_no_lie_of_a_provider_is_believed(linked: Door, provider: Provider) -> None:
    account_of(linked, "principal@school")
    for lie in LIES:
        provider.be(lie)
        browser = linked.stranger()
        assert by_provider(browser).status_code == 401, lie
        assert browser.get("/api/v1/me").status_code == 401, lie
    provider.be()
    assert by_provider(linked.stranger()).status_code == 303


def test_an_answer_is_good_in_the_browser_that_asked_and_once(linked: Door) -> None:
    account_of(linked, "principal@school")
    asking = linked.stranger()
    gone = asking.post("/sign-in/provider", data=fields_of(asking.get("/sign-in").text))
    back = httpx.get(gone.headers["location"]).headers["location"]
    victim = linked.stranger()
    assert victim.get(back).status_code == 401
    assert victim.get("/api/v1/me").status_code == 401
    kept = asking.cookies["whistle_provider"]
    assert asking.get(back).status_code == 303
    asking.cookies.set("whistle_provider", kept, domain="127.0.0.1", path="/")
    assert asking.get(back).status_code == 401
    late = linked.stranger()
    gone = late.post("/sign-in/provider", data=fields_of(late.get("/sign-in").text))
    linked.wait(minutes=11)
    assert late.get(httpx.get(gone.headers["location"]).headers["location"]).status_code == 401


def test_a_provider_that_is_away_or_an_impostor_is_told_plainly(
    linked: Door, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    for mood in ("away", "impostor"):
        monkeypatch.setattr(oidc, "_SHELF", oidc._Shelf())
        settings = linked.house.settings
        if mood == "away":
            linked.house.settings = Settings(oidc_issuer="http://127.0.0.1:9", oidc_client="whistle")
        else:
            linked.house.settings = settings
            provider.be("impostor")
        browser = linked.stranger()
        page = browser.get("/sign-in").text
        answer = browser.post("/sign-in/provider", data=fields_of(page))
        assert answer.status_code == (503 if mood == "away" else 401)
        linked.house.settings = settings
