"""What goes over the wire, and what the other end's answer is taken for."""

from __future__ import annotations

import json
import re
import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network
from zoneinfo import ZoneInfo

import pytest

from notifiers.adapters import dingtalk_signature, feishu_signature
from notifiers.channels import NullChannels, Outcome, Recipient, Wires
from notifiers.clipping import clipped
from notifiers.faults import ChannelFault, spoken
from notifiers.gates import Gates, SmsGate, filled, networks
from notifiers.message import Entry, Message, Owed
from notifiers.render import Templates
from notifiers.wire import Line, Mailer, WireFault, connected, reachable
from tests.notifiers.far_ends import LOOPBACK, SECRET, TOKEN, WECOM_KEY, FarEnd, far_end, letter, post_office

NOBODY = Recipient()
SOMEBODY = Recipient(email="officer@example.org", phone="13900000000")


@pytest.fixture(scope="module")
def end() -> Iterator[FarEnd]:
    with far_end() as far:
        yield far


def sent(end: FarEnd, address: str, text: str = "个案有新情况\n", within: float = 5.0) -> str:
    """The fault of one sending, empty when it went."""
    gates = end.gates(within=timedelta(seconds=within))
    return Wires(gates).open(address, NOBODY).send(letter(text=text)).fault


def test_each_bot_takes_a_signed_message_with_its_key(end: FarEnd) -> None:
    for address in (f"wecomx://{WECOM_KEY}", f"dingtalkx://{SECRET}@{TOKEN}", f"feishux://{SECRET}@{TOKEN}"):
        assert sent(end, address) == ""
        assert end.requests[-1].headers["Idempotency-Key"] == "k-1"


def test_an_error_inside_a_200_is_no_success(end: FarEnd) -> None:
    assert sent(end, "wecomx://some-other-key") == "errcode_93000"
    assert sent(end, f"dingtalkx://{TOKEN}") == "errcode_310000"
    assert sent(end, f"feishux://wrong@{TOKEN}") == "code_19021"
    assert sent(end, f"feishux://{SECRET}@other") == "code_19001"


def test_a_long_chinese_text_fits_into_what_the_bot_takes(end: FarEnd) -> None:
    assert sent(end, f"wecomx://{WECOM_KEY}", text="哨" * 2000) == ""
    content = end.requests[-1].body["text"]["content"]
    assert content.endswith("哨…")
    assert len(content.encode()) <= 2048


@pytest.mark.parametrize(
    ("language", "says", "close", "count"),
    [("zh_CN", "另有 (\\d+) 行", "请登录办理：", 15), ("en", "(\\d+) more lines", "Sign in to act: ", 25)],
)
@pytest.mark.parametrize("bot", ["wecomx", "dingtalkx", "feishux"])
def test_what_is_too_long_loses_lines_of_its_middle_says_how_many_and_keeps_its_link(
    end: FarEnd, bot: str, language: str, says: str, close: str, count: int
) -> None:
    count = count if bot == "wecomx" else 200
    at = datetime(2026, 3, 17, 0, 20, tzinfo=UTC)
    owed = tuple(
        Owed(label, at) for label in (("签收", "acknowledging"), ("报到", "reporting in"), ("反馈", "feedback"))
    )
    link = "https://whistle.example/inbox"
    entries = tuple(Entry(f"NJ-2026-{one:06}", "orange", "reminded", owed, link) for one in range(count))
    message = Message("joined", entries, link, {"messages": count})
    written = Templates(ZoneInfo("Asia/Shanghai")).render(message, language, "k-1")
    token = WECOM_KEY if bot == "wecomx" else f"{SECRET}@{TOKEN}"
    assert Wires(end.gates()).open(f"{bot}://{token}", NOBODY).send(written).sent
    body = end.requests[-1].body
    content = body["content"]["text"] if bot == "feishux" else body["text"]["content"]
    assert len(content.encode()) <= (2048 if bot == "wecomx" else 18_000)
    listed = re.findall("NJ-2026-\\d{6}", content)
    more = re.search(says, content)
    assert more is not None
    assert listed
    assert len(listed) + int(more[1]) == count
    assert f"\n{close}{link}\n" in content


def test_where_no_line_can_be_left_out_the_link_stays_all_the_same() -> None:
    cut = clipped("哨" * 1000 + "\n请登录办理：https://whistle.example/cases/1\n\n附言\n", 300)
    assert len(cut.encode()) <= 300
    assert cut.endswith("哨…\n请登录办理：https://whistle.example/cases/1\n\n附言")


@pytest.mark.parametrize("most", range(3, 30))
def test_clipping_never_cuts_a_character(most: int) -> None:
    for text in ("吹哨报到，各单位报到", "a吹b哨c报d到e吹f哨g", "𠮷𠮷𠮷𠮷𠮷𠮷𠮷𠮷𠮷𠮷"):
        cut = clipped(text, most)
        assert len(cut.encode()) <= most
        assert text.startswith(cut.removesuffix("…"))


def test_the_signatures_are_those_of_the_makers_documents() -> None:
    # Worked by hand with openssl: printf '1700000000000\nsecret' | openssl dgst -sha256 -hmac secret -binary | base64
    assert dingtalk_signature("secret", "1700000000000") == "OuzzJR5+xZ4/EYwqtNt6sMYZQMTa/HEGvc9miJe7XzY="
    assert feishu_signature("secret", "1700000000") == "fiWS2+gh28DOydAv7hzONH/mDn9+b1Y4Y5ivXWXy8vA="


@pytest.mark.parametrize(
    ("behaviour", "fault"),
    [("redirect", "redirected"), ("error500", "answered_500"), ("broken", "broken"), ("hang", "timed_out")],
)
def test_a_far_end_that_misbehaves_is_a_failure(end: FarEnd, behaviour: str, fault: str) -> None:
    assert sent(end, end.hook(behaviour), within=0.5) == fault
    assert end.at("/redirected-to") == []


def test_a_dripping_far_end_is_cut_off_when_its_time_is_up(end: FarEnd) -> None:
    begun = time.monotonic()
    assert sent(end, end.hook("drip"), within=0.5) == "timed_out"
    assert time.monotonic() - begun < 1.5


def test_a_closed_port_is_a_failure(end: FarEnd) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        assert sent(end, f"json://127.0.0.1:{taken.getsockname()[1]}/") == "unreachable"


def test_a_webhook_gets_number_text_and_key(end: FarEnd) -> None:
    assert sent(end, end.hook("ok") + "?+X-Token=abc") == ""
    request = end.requests[-1]
    assert request.body["key"] == request.headers["Idempotency-Key"] == "k-1"
    assert request.body["message"] == "个案有新情况\n"
    assert request.headers["X-Token"] == "abc"


def test_mail_arrives_as_text_and_page_with_the_key_as_its_message_id() -> None:
    with post_office() as office:
        wires = Wires(Gates(mail=office.gate))
        assert wires.open("mail", SOMEBODY).send(letter()).sent
        assert office.recipients == [["officer@example.org"]]
        (mail,) = office.mails
        assert mail["Message-ID"] == "<k-1@example.org>"
        assert mail["Subject"] == "【红色】有新情况"
        assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
        refused = wires.open("mail", Recipient(email="nobody@example.org")).send(letter())
        assert refused.fault == "smtp_550"


def test_a_wrong_password_of_the_installations_is_the_lanes_fault_and_an_unknown_recipient_is_not() -> None:
    with post_office(logged_in=True) as office:
        right, wrong = (office.gate.replace("://", f"://whistle:{one}@") for one in ("right", "wrong"))
        unknown = Wires(Gates(mail=right)).open("mail", Recipient(email="nobody@example.org")).send(letter())
        assert (unknown.fault, unknown.answered, unknown.of_lane) == ("smtp_550", True, False)
        for gate, fault in ((wrong, "login_535"), (office.gate, "sender_530")):
            refused = Wires(Gates(mail=gate)).open("mail", SOMEBODY).send(letter())
            assert (refused.fault, refused.answered, refused.of_lane) == (fault, False, True)
            for language in ("zh_CN", "en"):
                assert fault not in spoken(refused.fault, language)
        # Whoever has written a wrong password of their own closes nobody else's lane.
        own = Wires(Gates(inside=LOOPBACK)).open(f"{wrong}&to=me@example.org", NOBODY).send(letter())
        assert (own.fault, own.answered, own.of_lane) == ("smtp_535", True, False)


@pytest.mark.parametrize(("status", "of_lane"), [(401, True), (403, True), (429, True), (400, False)])
def test_a_gateway_that_does_not_take_our_account_is_the_lanes_fault(
    end: FarEnd, status: int, *, of_lane: bool
) -> None:
    gate = SmsGate.read(json.dumps({"url": f"{end.base}/status/{status}?to={{phone}}&text={{text}}"}))
    assert Wires(end.gates(sms=gate)).open("sms", SOMEBODY).send(letter()).of_lane == of_lane


@pytest.mark.parametrize("fault", ["errcode_45009", "errcode_130101", "code_9499", "code_11232"])
def test_a_robot_that_was_sent_too_much_says_nothing_about_its_service(fault: str) -> None:
    outcome = Outcome(fault)
    assert not outcome.sent
    assert not outcome.answered
    assert not outcome.of_lane


@pytest.mark.parametrize(
    "written",
    [
        "smtp.example.cn",
        "mailtos://smtp.example.cn",
        "mailtos://u@example.cn:p@smtp.example.cn?from=a@example.cn",
        "mailtos://u:p@smtp.example.cn:99999?from=a@example.cn",
        "mailtos://u:p@smtp.example.cn/to@example.cn?from=a@example.cn",
        "json://example.cn/hook",
    ],
)
def test_a_mail_server_that_no_mail_could_be_sent_by_is_told_at_the_start(written: str) -> None:
    with pytest.raises(ChannelFault) as told:
        Wires(Gates(mail=written))
    assert told.value.code == "mail_gate"
    assert "WHISTLE_MAIL" in told.value.text("zh_CN")
    assert "u:p@" not in told.value.text("en").replace("user:password@", "")


def test_a_mail_server_that_says_nothing_is_cut_off() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        gates = Gates(mail=f"mailto://127.0.0.1:{silent.getsockname()[1]}?from=a@b.cn", within=timedelta(seconds=0.4))
        assert Wires(gates).open("mail", SOMEBODY).send(letter()).fault == "timed_out"


def test_a_line_that_falls_silent_is_not_taken_for_one_that_was_closed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        line = Line(within=timedelta(seconds=30), inside=LOOPBACK)
        with (
            pytest.raises(WireFault, match="timed_out"),
            connected("127.0.0.1", port, line, time.monotonic() + 30) as plain,
        ):
            plain.settimeout(0.1)
            Mailer(plain, "127.0.0.1", secure=False, name="here")


def test_a_text_message_goes_through_the_gateway_as_its_provider_wants_it(end: FarEnd) -> None:
    setting = {
        "url": f"{end.base}/gateway",
        "body": {"mobile": "{phone}", "content": "{text}", "id": "{key}"},
        "success": ["status.code", "0"],
    }
    gate = SmsGate.read(json.dumps(setting))
    wires = Wires(end.gates(sms=gate))
    assert wires.open("sms", SOMEBODY).send(letter()).sent
    assert end.requests[-1].body == {"mobile": "13900000000", "content": letter().brief, "id": "k-1"}
    assert wires.open("sms", Recipient(phone="13911111111")).send(letter()).fault == "gateway_refused"


def test_a_fact_in_a_gateways_template_is_never_read_as_a_place() -> None:
    gate = SmsGate(url="https://sms.invalid/?to={phone}", body={"c": "{text}|{key}"}, form=True)
    url, body, _ = filled(gate, {"phone": "+86&x=1", "text": "{key} & {phone}", "key": "k"})
    assert url == "https://sms.invalid/?to=%2B86%26x%3D1"
    assert body == b"c=%7Bkey%7D+%26+%7Bphone%7D%7Ck"


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("", "no_address"),
        ("13900000000", "no_address"),
        ("://", "no_address"),
        ("gotify://host/token", "not_allowed"),
        ("file:///etc/passwd", "not_allowed"),
        ("smsx://13900000000", "not_allowed"),
        ("wecomx://KEY?redirect=yes", "unknown_option"),
        ("jsons://example.org/?verify=no", "unknown_option"),
        ("jsons://example.org/?method=DELETE", "unknown_option"),
        ("jsons://example.org/?+Host=inside", "unknown_option"),
        ("jsons://example.org/?+Transfer-Encoding=chunked", "unknown_option"),
        ("mailtos://u:p@example.org?pgpkey=/etc/passwd", "unknown_option"),
        ("mailtos://u:p@example.org?wkd=yes", "unknown_option"),
        ("mailtos://u:p@example.org?to=a@b.cn&cc=c@d.cn", "unknown_option"),
        ("mailtos://u:p@example.org?to=a@b.cn,c@d.cn", "several"),
        ("mailtos://u:p@example.org/a@b.cn/c@d.cn", "several"),
        ("mailto://?to=", "faulty"),
        ("mailto://example.org:99999?from=a@b.cn&to=c@d.cn", "no_port"),
        ("json://example.org:99999/", "no_port"),
        ("json://example.org:0/", "no_port"),
        ("json://example.org:port/", "faulty"),
        ("jsons://", "no_address"),
        ("mail", "no_mail_gate"),
        ("sms", "no_sms_gate"),
    ],
)
def test_a_wrong_address_is_told_in_both_languages_without_repeating_it(address: str, code: str) -> None:
    with pytest.raises(ChannelFault) as told:
        Wires(Gates()).open(address, SOMEBODY)
    assert told.value.code == code
    for language in ("zh_CN", "en"):
        assert told.value.text(language)
        assert "/etc/passwd" not in told.value.text(language)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "10.1.2.3", "192.168.0.9", "169.254.169.254", "100.64.0.1", "0.0.0.0"],  # noqa: S104
)
def test_an_address_that_leads_inside_is_refused(host: str) -> None:
    with pytest.raises(ChannelFault) as told:
        Wires(Gates()).open(f"jsons://{host}/hook", NOBODY)
    assert told.value.code == "inside"


def test_a_name_that_leads_inside_is_refused_when_it_is_dialled(end: FarEnd) -> None:
    # A name says nothing about where it leads until it is asked, and this one leads to loopback everywhere.
    try:
        socket.getaddrinfo("ip6-localhost", end.port)
    except OSError:
        name = socket.gethostname()
    else:
        name = "ip6-localhost"
    before = len(end.requests)
    assert Wires(Gates()).open(f"json://{name}:{end.port}/ok", NOBODY).send(letter()).fault in {"inside", "unreachable"}
    assert len(end.requests) == before


@pytest.mark.parametrize(
    "hidden",
    ["::1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "fe80::1", "fd00::1", "224.0.0.1", "ff02::1"],
)
def test_no_spelling_of_an_inner_address_passes(hidden: str) -> None:
    assert not reachable(ip_address(hidden), Line())


def test_an_administrator_may_allow_an_inner_network_and_no_more() -> None:
    line = Line(inside=networks("10.20.0.0/16, fd00::/8"))
    assert reachable(ip_address("10.20.3.4"), line)
    assert reachable(ip_address("fd00::7"), line)
    assert not reachable(ip_address("10.21.3.4"), line)
    assert Line(inside=(ip_network("127.0.0.0/8"),)).inside
    with pytest.raises(ChannelFault, match="isn't a network"):
        networks("10.20.0.0/99")


@pytest.mark.parametrize(
    "written",
    [
        "{",
        "[]",
        '{"url": "ftp://x/{phone}{text}"}',
        '{"url": "https://x"}',
        '{"url": "https://x/{phone}{text}", "a": 1}',
        '{"url": "https://x/{phone}{text}", "headers": {"X-App": 12}}',
        '{"url": "https://x/{phone}{text}", "headers": {"X-App": "one\\ntwo"}}',
        '{"url": "https://x/{phone}", "headers": {"X-Text": "{text}"}}',
        '{"url": "https://x/{phone}{text}", "headers": ["X-App"]}',
        '{"url": "https://x/{phone}{text}", "body": "{text}"}',
        '{"url": "https://x/{phone}{text}", "method": 1}',
        '{"url": "https://x/{phone}{text}", "method": "SEND"}',
        '{"url": "https://x/{phone}{text}", "form": "yes"}',
        '{"url": "https://x/{phone}{text}", "success": "code"}',
        '{"url": "https://x:99999/{phone}{text}"}',
        '{"url": "https:///{phone}{text}"}',
        '{"url": "https://x/短信/{phone}{text}"}',
    ],
)
def test_a_faulty_gateway_setting_is_told(written: str) -> None:
    with pytest.raises(ChannelFault) as told:
        SmsGate.read(written)
    assert told.value.code == "sms_template"


def test_every_gateway_that_is_accepted_can_be_written_to(end: FarEnd) -> None:
    place = {"phone": "{phone}", "text": "{text}"}
    for more in (
        {},
        {"headers": {"X-App": "12", "X-Key": "{key}"}},
        {"form": True},
        {"method": "PUT"},
        {"body": place},
    ):
        gate = SmsGate.read(json.dumps({"url": f"{end.base}/ok?to={{phone}}&text={{text}}", **more}))
        assert Wires(end.gates(sms=gate)).open("sms", SOMEBODY).send(letter()).fault in {"", "answered_501"}


def test_an_adapter_that_breaks_is_a_try_that_failed(end: FarEnd) -> None:
    broken = SmsGate(url=f"{end.base}/ok", headers={"X-App": 12})  # type: ignore[dict-item]  # as no setting may be
    assert Wires(end.gates(sms=broken)).open("sms", SOMEBODY).send(letter()).fault == "typeerror"


def test_an_allowed_schema_of_apprises_own_carries_the_key_in_its_text(end: FarEnd) -> None:
    gates = end.gates(allowed=("form",))
    assert Wires(gates).open(f"form://127.0.0.1:{end.port}/stock", NOBODY).send(letter()).sent
    assert "k-1" in str(end.requests[-1].body)


def test_the_null_channel_keeps_what_it_is_given() -> None:
    null = NullChannels()
    assert null.open("wecomx://one", NOBODY).send(letter("a")).sent
    assert null.keys() == ["a"]
    with pytest.raises(ChannelFault):
        null.open("mail", NOBODY)
