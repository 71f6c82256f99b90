"""`whistle channel test`: what somebody is told who tries a channel out."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from api.cli import run
from tests.notifiers.far_ends import WECOM_KEY, FarEnd, far_end, post_office


@pytest.fixture(scope="module")
def end() -> Iterator[FarEnd]:
    with far_end() as far:
        yield far


@pytest.fixture(autouse=True)
def surroundings(end: FarEnd, monkeypatch: pytest.MonkeyPatch) -> None:
    bots = ",".join(f"{one}={end.base}" for one in ("wecomx", "dingtalkx", "feishux"))
    monkeypatch.setenv("WHISTLE_BOTS", bots)
    monkeypatch.setenv("WHISTLE_LANGUAGE", "en")


def test_a_channel_that_works_says_so(end: FarEnd, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["channel", "test", f"wecomx://{WECOM_KEY}"]) == 0
    assert capsys.readouterr().out == "wecomx: sent.\n"
    assert "test" in end.requests[-1].body["text"]["content"]


def test_a_refusal_inside_a_200_is_told_and_the_key_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["channel", "test", "wecomx://secret-key", "--json"]) == 1
    said = capsys.readouterr().out
    assert json.loads(said) == {"channel": "wecomx", "sent": False, "fault": "errcode_93000"}
    assert "secret-key" not in said


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("wecom://KEY", "isn't|allowed"),
        ("mail", "WHISTLE_MAIL"),
        ("json://10.0.0.1/", "WHISTLE_CHANNELS_INSIDE"),
        ("json://example.cn:99999/", "99999"),
        ("jsons://example.org/?redirect=yes", "redirect"),
    ],
)
def test_a_wrong_address_is_one_clear_message(address: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    for language in ("en", "zh_CN"):
        assert run(["channel", "test", address, "--language", language]) == 2
        told = capsys.readouterr().err
        assert told.strip()
        assert len(told.splitlines()) == 1
        assert language == "zh_CN" or any(word in told for word in said.split("|"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WHISTLE_SMS", "{"),
        ("WHISTLE_SMS", '{"url": "https://sms.example.cn/{phone}/{text}", "headers": {"X-App": 12}}'),
        ("WHISTLE_MAIL", "smtp.example.cn"),
        ("WHISTLE_MAIL", "mailtos://u@example.cn:p@smtp.example.cn?from=a@example.cn"),
        ("WHISTLE_MAIL", "mailtos://u:p@smtp.example.cn:99999?from=a@example.cn"),
        ("WHISTLE_MAIL", "json://example.cn/hook"),
        ("WHISTLE_BOTS", "wecomx"),
        ("WHISTLE_CHANNELS_INSIDE", "inside"),
    ],
)
def test_a_faulty_setting_is_one_clear_message(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(name, value)
    assert run(["channel", "test", f"wecomx://{WECOM_KEY}"]) == 2
    told = capsys.readouterr().err
    assert len(told.splitlines()) == 1
    assert "u:p@" not in told


def test_the_installations_mail_server_is_tried_with_an_address(capsys: pytest.CaptureFixture[str]) -> None:
    with post_office() as office:
        address = office.gate.replace("127.0.0.1", "localhost") + "&to=me@example.org"
        assert run(["channel", "test", address]) == 2
        assert "WHISTLE_CHANNELS_INSIDE" in capsys.readouterr().err
