"""The people's door itself: who asks, what is believed, what goes wrong and how it is said."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from fastapi import APIRouter
from sqlalchemy import text

from api import web
from api.asked import Asked, Reading, Writing
from api.envelope import LARGE, SMALL, name_in
from api.problem_words import FIELDS, STATUSES
from api.settings import Settings
from api.signin.faults import TEXTS
from api.standing_by import StandBy
from api.tongue import accepted
from cases import queries
from cases.heartbeat import beat
from cases.refusal import FieldFault, Refusal
from cases.rounds import Deliver, Premises
from cases.standby import look
from cases.store import Store
from cases.store_fault import StoreFault
from tests.api.door import Door, door_at
from tests.town import minutes

trial = APIRouter(prefix="/api/v1/trial")
pages = APIRouter(prefix="/trial")
REFUSALS: dict[str, Exception] = {
    "refused": Refusal("not_permitted", who_can=("coordinator@district",)),
    "outside": Refusal("not_found"),
    "faulty": Refusal("invalid", faults=(FieldFault("student.born", "in_the_future"),)),
    "state": Refusal("wrong_state"),
    "conflict": Refusal("conflict"),
    "busy": StoreFault("busy"),
    "away": StoreFault("unreachable", where="10.1.2.3/whistle", why="the secret address"),
    "broken": ValueError("王小明 13812345678"),
}


@trial.get("/who")
def who(asked: Asked, session: Reading) -> dict[str, object]:
    return {
        "name": asked.actor.name,
        "organisation": asked.member.organisation.name,
        "language": asked.language,
        "via": asked.via,
        "current": session.office.current,
    }


@trial.post("/write")
def write(asked: Asked, session: Writing, name: str) -> str:
    session.connection.execute(text("INSERT INTO throttle (key, count, since) VALUES ('x', 1, now())"))
    if name == "refused":
        raise Refusal("wrong_state")
    if name == "late":
        # Found out by the database when it commits, not before.
        session.connection.execute(text("CREATE TEMP TABLE later (one int UNIQUE DEFERRABLE INITIALLY DEFERRED)"))
        session.connection.execute(text("INSERT INTO later VALUES (1), (1)"))
    return asked.member.name


@trial.get("/read-and-write")
def read_and_write(asked: Asked, session: Reading) -> None:
    session.connection.execute(text("INSERT INTO throttle (key, count, since) VALUES ('y', 1, now())"))


@trial.get("/goes/{wrong}")
def goes(wrong: str, asked: Asked) -> None:
    raise REFUSALS[wrong]


@trial.post("/echo")
def echo(asked: Asked, given: dict[str, Any]) -> int:
    return len(given)


@pages.get("/goes/{wrong}")
def page(wrong: str, asked: Asked) -> None:
    raise REFUSALS[wrong]


@pytest.fixture
def tried(door: Door) -> Door:
    """The door with routes that do as they are told."""
    door.app.include_router(trial)
    door.app.include_router(pages)
    # What another router took before it is asked first.
    routes = door.app.router.routes
    routes[:] = [*routes[-2:], *routes[:-2]]
    return door


def test_a_process_that_answers_says_so(door: Door) -> None:
    answer = door.stranger().get("/health/live")
    assert answer.status_code == 200
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert len(answer.headers["x-request-id"]) == 32


def test_an_answer_isnt_held_back_for_the_next_packet() -> None:
    """Measured: 40 ms a request. asyncio asks for it on sockets alone that say that they are TCP."""
    with web.listening("127.0.0.1", 0) as on, socket.create_connection(on.getsockname()):
        taken, _ = on.accept()
        with taken:
            assert taken.proto == socket.IPPROTO_TCP


def test_health_turns_red_when_sweeping_stops_and_the_proxy_goes_on_sending_people(door: Door) -> None:
    stopped, every = door.now + minutes(5), minutes(1)
    for asked in ("/health", "/health/ready"):
        assert door.stranger().get(asked).json() == {"status": "ok"}
    look(door.town.store, stopped, every, door.now)
    red, ready = (door.stranger().get(asked) for asked in ("/health", "/health/ready"))
    assert (red.status_code, red.json()["status"]) == (503, "bad")
    assert (ready.status_code, ready.json()["status"]) == (200, "warn")
    assert red.json()["sweep_stopped_since"] == stopped.isoformat()
    assert door.house.sweep_stopped(door.now) == stopped
    beat(door.town.store, "sweep", "orchestrator", stopped + every, every, {})
    assert look(door.town.store, stopped + every, every, door.now).ended
    assert door.stranger().get("/health").status_code == 200


def test_the_web_process_stands_by_for_the_sweep(door: Door, tmp_path: Path) -> None:
    town, every = door.town, minutes(1)
    town.whistle()
    kept = door.house.kept
    premises = Premises(kept, tmp_path / "home", tmp_path / "seals", _office=town.office)
    sent: list[str] = []

    def sender(what: str) -> Deliver:
        def send(_: Premises, __: datetime) -> dict[str, int]:
            sent.append(what)
            return {}

        return send

    premises.deliver, premises.webhooks = sender("messages"), sender("webhooks")
    clock = [door.now]
    standing_by = StandBy(premises, every, lambda: clock[0])
    clock[0] += minutes(2)
    assert not standing_by.once().standby
    # Nobody has swept for three intervals, and a rung has come due meanwhile.
    clock[0] += minutes(30)
    assert standing_by.once().began
    with town.store.read() as connection:
        waiting = queries.next_wake(connection)
    assert waiting is None or waiting > clock[0]
    # What waits to be sent is sent too, to people and to other systems.
    assert sent == ["messages", "webhooks"]


def test_figures_are_for_this_machine_or_for_whoever_has_the_token(server: Store, door: Door) -> None:
    assert "whistle_cases_open" in door.stranger().get("/metrics").text
    assert door.stranger().get("/metrics", headers={"x-forwarded-for": "127.0.0.1"}).status_code == 404
    settings = Settings.read({"WHISTLE_METRICS_TOKEN": "a token for figures"})
    with door_at(server, settings) as guarded:
        assert guarded.stranger().get("/metrics").status_code == 404
        shown = guarded.stranger().get("/metrics", headers={"authorization": "Bearer a token for figures"})
        assert shown.status_code == 200


def test_whoever_is_signed_in_is_known(tried: Door) -> None:
    answer = tried.client("counselor@school", language="en").get("/api/v1/trial/who")
    assert answer.json() == {
        "name": "counselor@school",
        "organisation": "示例school",
        "language": "en",
        "via": "session",
        "current": "nanjing-2026.1",
    }
    system = tried.token("liaison@hospital", "cases:read").get("/api/v1/trial/who")
    assert system.json()["via"] == "token"


def test_nobody_is_nobody_in_the_form_that_the_reader_expects(tried: Door) -> None:
    stranger = tried.stranger("en")
    api = stranger.get("/api/v1/trial/who")
    assert (api.status_code, api.headers["content-type"]) == (401, "application/problem+json")
    assert api.headers["www-authenticate"] == "Bearer"
    assert api.json()["title"] == "Please sign in first"
    fhir = stranger.get("/fhir/R4/ServiceRequest")
    assert fhir.status_code == 401
    assert fhir.json()["resourceType"] == "OperationOutcome"
    assert stranger.get("/trial/goes/refused").headers["location"] == "/sign-in?next=%2Ftrial%2Fgoes%2Frefused"


@pytest.mark.parametrize(
    ("wrong", "status", "code"),
    [
        ("refused", 403, "not_permitted"),
        ("outside", 404, "not_found"),
        ("faulty", 422, "invalid"),
        ("state", 409, "wrong_state"),
        ("conflict", 409, "conflict"),
        ("busy", 503, "store_busy"),
        ("away", 503, "store_unreachable"),
        ("broken", 500, "internal"),
    ],
)
def test_what_goes_wrong_has_its_status_and_says_nothing_of_the_inside(
    tried: Door, wrong: str, status: int, code: str
) -> None:
    browser = tried.client("counselor@school", language="en")
    answer = browser.get(f"/api/v1/trial/goes/{wrong}")
    problem = answer.json()
    assert (answer.status_code, problem["status"], problem["code"]) == (status, status, code)
    assert problem["request_id"] == answer.headers["x-request-id"]
    assert problem["instance"] == f"/api/v1/trial/goes/{wrong}"
    assert ("retry-after" in answer.headers) == (status == 503)
    shown = browser.get(f"/trial/goes/{wrong}")
    assert (shown.status_code, shown.headers["content-type"]) == (status, "text/html; charset=utf-8")
    for inside in ("王小明", "13812345678", "10.1.2.3", "secret address", "Traceback"):
        assert inside not in answer.text + shown.text


def test_a_refusal_is_told_in_both_languages_with_who_could_and_what_is_faulty(tried: Door) -> None:
    chinese, english = (tried.client("counselor@school", language=one) for one in ("zh_CN", "en"))
    refused = [one.get("/api/v1/trial/goes/refused").json() for one in (chinese, english)]
    assert refused[0]["detail"] == "您没有这项权限。可以办理的有：协调员"
    assert refused[1]["detail"] == "You have no right to do this. It can be done by: coordinator"
    assert refused[1]["who_can"] == ["coordinator@district"]
    faulty = [one.get("/api/v1/trial/goes/faulty").json()["faults"] for one in (chinese, english)]
    assert faulty[0] == [{"field": "student.born", "code": "in_the_future", "message": "不能晚于现在"}]
    assert faulty[1][0]["message"] == "this can't be in the future"


def test_somebody_elses_move_is_a_failed_precondition_where_a_version_was_named(tried: Door) -> None:
    browser = tried.client("counselor@school")
    answer = browser.get("/api/v1/trial/goes/conflict", headers={"if-match": '"3"'})
    assert answer.status_code == 412


def test_an_answer_of_success_means_that_it_is_written(tried: Door) -> None:
    browser = tried.client("counselor@school")

    def written() -> int:
        with tried.town.store.read() as connection:
            return int(connection.scalar(text("SELECT count(*) FROM throttle WHERE key = 'x'")) or 0)

    # A commit that fails is no success, though the route had come to its end.
    assert browser.post("/api/v1/trial/write?name=late").status_code == 500
    assert browser.post("/api/v1/trial/write?name=refused").status_code == 409
    assert written() == 0
    assert browser.post("/api/v1/trial/write?name=well").status_code == 200
    assert written() == 1


def test_whoever_reads_cant_write(tried: Door) -> None:
    assert tried.client("counselor@school").get("/api/v1/trial/read-and-write").status_code == 500


def test_too_much_is_refused_before_and_while_it_is_read(tried: Door) -> None:
    browser = tried.client("counselor@school")
    assert browser.post("/api/v1/trial/echo", json={"x": "y" * (SMALL - 100)}).status_code == 200
    assert browser.post("/api/v1/trial/echo", json={"x": "y" * SMALL}).status_code == 413

    def pieces() -> Iterator[bytes]:
        yield b'{"x": "'
        for _ in range(SMALL // 1000 + 1):
            yield b"y" * 1000
        yield b'"}'

    streamed = browser.post("/api/v1/trial/echo", content=pieces(), headers={"content-type": "application/json"})
    assert (streamed.status_code, streamed.json()["code"]) == (413, "too_large")
    assert LARGE > 20 * 1024 * 1024


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh_CN"),
        ("en-GB,en;q=0.9,zh-CN;q=0.8", "en"),
        ("zh-TW", "zh_CN"),
        ("de,en;q=0.3,zh;q=0.4", "zh_CN"),
        ("de", None),
        ("en;q=0, zh;q=0", None),
        ("en;q=x", None),
        ("", None),
    ],
)
def test_the_browsers_language_is_understood(header: str, language: str | None) -> None:
    assert accepted(header) == language


def test_the_members_language_counts_where_the_browser_says_nothing(tried: Door) -> None:
    with tried.town.store.begin() as connection:
        connection.execute(text("UPDATE member SET language = 'en' WHERE name = 'counselor@school'"))
    browser = tried.client("counselor@school")
    browser.headers["accept-language"] = "de"
    assert browser.get("/api/v1/trial/who").json()["language"] == "en"
    browser.cookies.set("language", "zh_CN", domain="127.0.0.1", path="/")
    assert browser.get("/api/v1/trial/who").json()["language"] == "zh_CN"


def test_every_text_is_there_in_both_languages() -> None:
    for words in (*TEXTS.values(), *FIELDS.values(), *STATUSES.values()):
        chinese, english = words
        assert any("\u4e00" <= sign <= "\u9fff" for sign in chinese), chinese
        assert english.isascii(), english


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("127.0.0.1:8000", "127.0.0.1"),
        ("[::1]:8000", "::1"),
        ("Whistle.Example.CN", "whistle.example.cn"),
        ("a b", ""),
        ("a:b", ""),
        ("a:1:2", ""),
        ("user@host", ""),
        ("", ""),
    ],
)
def test_the_name_of_a_host_is_read_strictly(host: str, name: str) -> None:
    assert name_in(host) == name


def test_another_policy_or_directory_is_seen_with_the_next_request(tried: Door) -> None:
    from cases.posts import enlist
    from tests.town import SINCE

    browser = tried.client("counselor@school")
    assert browser.get("/api/v1/trial/who").status_code == 200
    with tried.town.store.begin() as connection:
        enlist(connection, tried.town.places["school"], "new", ["mentor"], since=SINCE)
        connection.execute(
            text(
                "INSERT INTO policy_version (name, digest, source, stored_at, active_at)"
                " VALUES ('z', 'd', 's', :at, :at)"
            ),
            {"at": datetime.fromisoformat("2026-03-01T00:00:00+00:00")},
        )
    before = tried.house.office.directory.version
    assert browser.get("/api/v1/me").status_code == 200
    assert tried.house.office.current == "z"
    assert tried.house.office.directory.version > before
