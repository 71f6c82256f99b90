"""Every trigger of every track has its page: its form shows each declared field, and sends what the engine takes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Any, cast

import pytest
from sqlalchemy import select
from starlette.datastructures import FormData, UploadFile

from api.pages import choosing, widgets
from api.pages.filled import Typed, values
from api.pages.frame import Page
from api.pages.sheet import Sheet
from api.pages.widgets import Choice, Scene, Widget
from cases.casefile import CASE
from cases.forms import Field
from cases.offers import offers
from cases.office import Session
from cases.track import FOLLOWS, TIME, Move, Track, discover
from tests.api.door import Door
from tests.api.pages_forms import follow, form_on, headings, send
from tests.cases.test_engine_cells import ALL, TRIED, a_case
from tests.town import START, WHISTLE

STEPS = {"save_draft", "submit", "whistle"}
"""These have the pages of the whistle."""

NEEDED: Mapping[tuple[str, str], tuple[str, dict[str, Any]]] = {
    ("assignment", "decline"): ("yellow", {}),
    ("referral", "decline"): ("yellow", {}),
    ("referral", "confirm_cancellation"): ("red", {"cancellation_requested": True}),
    ("referral", "review_override"): ("red", {"override": "unreviewed"}),
    ("case", "close"): ("red", {"evaluated": True, "workers": [-1, -2]}),
}
"""What some triggers need beside their state: the level, and what has happened before."""


def pulled_by_people() -> list[tuple[Track, Move]]:
    return [(track, move) for track in discover().values() for move in track.moves if move.by not in (TIME, FOLLOWS)]


def test_every_trigger_is_offered_by_a_page_that_one_reaches(door: Door) -> None:
    """A trigger that nobody finds a link or a form for has no page, whatever the routes would take.

    Each is looked for on the case page of somebody who may pull it, in a state in which it can be pulled.
    """
    town = door.town
    found = {("case", name) for name in STEPS if 'action="/whistle"' in door.client("counselor").get("/whistle").text}
    stranger = door.client("officer@street#2").get("/cases/WH-2026-000001").text
    found |= {("access", "open") for _ in re.findall(r'href="/cases/WH-2026-000001/access/open"', stranger)}
    with town.store.read() as connection:
        session = Session(connection, town.office)
        for track, move in pulled_by_people():
            if any(
                shows(door, session, track, move, state, who) for state in states(track, move) for who in town.members
            ):
                found.add((track.kind, move.name))
    number = town.whistle().case.number
    # Where its limit runs: without one it would be grey.
    street = door.client("officer@street").get(f"/cases/{number}").text
    found |= {
        ("extension", "request") for _ in re.findall(rf'href="/cases/{number}/extension/request\?about=1"', street)
    }
    asked = town.fire("officer@street", number, "extension", "request", {"about": 1, "reason": "abroad", "extra": 1})
    desk = door.client("coordinator@district").get(f"/cases/{number}").text
    found |= {
        ("extension", "grant") for _ in re.findall(rf'href="/cases/{number}/tracks/{asked.track.no}/grant"', desk)
    }
    wanted = {(track.kind, move.name) for track, move in pulled_by_people()}
    assert wanted - found == set()


def states(track: Track, move: Move) -> tuple[str, ...]:
    return move.source or (track.initial,) if not move.opens else ("",)


def shows(door: Door, session: Session, track: Track, move: Move, state: str, who: str) -> bool:
    """Whether the case page of that member has a link or a form for it."""
    kind = "case" if move.opens else track.kind
    at = "open" if move.opens else state
    file = a_case(door.town, kind, at, ALL, move.needs_case[0] if move.needs_case else "open")
    level, facts = NEEDED.get((track.kind, move.name), ("red", {}))
    file.level = level
    (file.record if track.kind == "case" else file.tracks.get(TRIED, file.record)).facts.update(facts)
    actor = door.town.actor(who)
    offered = offers(session, file, actor, START)
    if not any(one.free and one.move.name == move.name and one.declared.kind == track.kind for one in offered):
        return False
    page = Page(cast("Any", None), door.house, cast("Any", SimpleNamespace(actor=actor, language="en", now=START)))
    sheet = Sheet(page, session, file, session.office.book_of(file.policy), offered)
    buttons = [*sheet.opening(), *(one for card in sheet.cards() for one in card.buttons)]
    middle = track.kind if move.opens else f"tracks/{CASE if track.kind == 'case' else TRIED}"
    return any(one.address.partition("?")[0] == f"/cases/{file.number}/{middle}/{move.name}" for one in buttons)


def scene(track: Track, move: Move) -> Scene:
    """A scene without a case: enough for every field that asks nothing of one."""
    from tests.town import book

    page = SimpleNamespace(language="en", say=lambda text: text, word=lambda label: label[1])
    return Scene(cast("Any", page), cast("Any", None), book(), track.kind, move.name)


def test_every_field_of_a_form_is_drawn_and_what_is_filled_in_is_what_the_form_checks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    offered = (Choice("7", "An organisation"), Choice("8", "Another one"))
    monkeypatch.setattr(choosing, "organisations", lambda *_: offered)
    monkeypatch.setattr(choosing, "assignments", lambda *_: (Choice("1", "The street"),))
    for track, move in pulled_by_people():
        there = scene(track, move)
        drawn = widgets.drawn(there, move.form.fields, Typed.nothing(scale="gad_7"))
        assert [one.name for one in drawn] == [one.name for one in move.form.fields]
        pairs: list[tuple[str, str | UploadFile]] = [
            each for one, field in zip(drawn, move.form.fields, strict=True) for each in fill(one, field)
        ]
        given = values(move.form, Typed.of(FormData(pairs)))
        checked = move.form.checked(given, there.book.tz)
        assert set(checked) == {one.name for one in move.form.fields}, (track.kind, move.name)


def fill(one: Widget, field: Field) -> Iterator[tuple[str, str]]:
    """Something sensible in every field of a widget."""
    if field.kind == "scores":
        yield "scores.7.score", "4"
        return
    if one.look == "group":
        for part in one.parts:
            yield from fill(part, field)
        return
    if one.choices:
        yield one.name, one.choices[0].value
        return
    yield one.name, written(one, field)


def written(one: Widget, field: Field) -> str:
    name = one.name.rpartition(".")[2]
    known = {
        "born": "2014-05-06", "id_number": "320102201405060014", "attendance": "50, 75, 100", "limit": "3wd",
        "extra": "2", "into": "WH-2026-000001", "hours": "1.5",
    }  # fmt: skip
    if name == "attendance" and field.kind == "percent":
        return "80"
    if name in known:
        return known[name]
    by_kind = {"date": "2026-03-20", "moment": "2026-03-17T09:00", "number": "3", "percent": "50"}
    return by_kind.get(field.kind, "words")


def test_words_of_both_languages_reach_a_form(door: Door) -> None:
    number = door.town.whistle().case.number
    for language, said in (("zh_CN", "安全计划"), ("en", "Safe plan")):
        page = door.client("counselor", language).get(f"/cases/{number}/tracks/0/record_safe_plan")
        assert said in page.text


def test_a_screening_is_filled_in_item_by_item(door: Door) -> None:
    number = door.town.whistle(concern="mental_illness").case.number
    client = door.client("counselor", "en")
    first = client.get(f"/cases/{number}/tracks/0/record_screening")
    assert "?scale=phq_9" in first.text
    page = client.get(f"/cases/{number}/tracks/0/record_screening?scale=phq_9")
    answers = {f"items.{one}": "1" for one in range(1, 10)}
    done = follow(client, send(client, page, {"version": "2015", "day": "2026-03-17", **answers}))
    assert "record a screening" in done.text, headings(done)
    assert "1=1 2=1" in done.text, re.findall(r"<dd>(.*?)</dd>", done.text)
    assert "Total 9: mild" in done.text
    assert "Interview needed: item 9 (thoughts of self-harm)" in done.text
    assert "总分 9：轻度" in door.client("counselor").get(f"/cases/{number}").text


def test_a_screening_asks_what_its_sheet_asks_and_says_which_item_is_missing(door: Door) -> None:
    number = door.town.whistle(concern="mental_illness").case.number
    client = door.client("counselor", "zh_CN")
    address = f"/cases/{number}/tracks/0/record_screening"
    for scale, asked, answered in (
        ("phq_9", "9. 有不如死掉或用某种方式伤害自己的念头", "几乎每天"),
        ("gad_7", "2. 不能停止或控制担忧", "好几天"),
        ("c_ssrs", "6. 过去三个月里，是否做过", "否"),
    ):
        page = client.get(f"{address}?scale={scale}").text
        assert asked in page
        assert answered in page
        assert "选 1 及以上的，当天须面谈。" in page or scale != "phq_9"
        # Another scale has other items: it is chosen on the page before, and no script is needed for it.
        assert not re.search(r'type="radio" name="scale"', page)
        assert '<a href="?">换一个量表</a>' in page
    answers = {f"items.{one}": "0" for one in range(1, 10) if one != 8}
    form = client.get(f"{address}?scale=phq_9")
    told = send(client, form, {"version": "2015", "day": "2026-03-17", **answers})
    assert told.status_code == 422
    assert re.findall(r'<li><a href="#(f-[^"]+)">(\d+)\.[^<]*: 请选择</a>', told.text) == [("f-items-8", "8")]


def test_a_referral_goes_from_consent_to_completion_through_its_pages(door: Door) -> None:
    number = door.town.whistle(concern="mental_illness").case.number
    counselor, liaison = door.client("counselor"), door.client("liaison")
    track = next(int(one) for one in re.findall(r"/tracks/(\d+)/give_consent", counselor.get(f"/cases/{number}").text))
    form = counselor.get(f"/cases/{number}/tracks/{track}/give_consent")
    send(counselor, form, {"guardian": "赵父", "signed_at": "2026-03-17T08:20", "form": "同意书 1 份"})
    page = follow(liaison, send(liaison, liaison.get("/"), action="/accept"))
    assert number in page.text
    steps = (
        ("schedule", {"at": "2026-03-18T09:00", "where": "儿少门诊"}),
        ("record_visit", {"seen_at": "2026-03-17T08:20", "mode": "outpatient"}),
        ("update_treatment", {"status": "稳定", "clinical_note": "只给医院和心理教师"}),
        ("complete", {"summary": "好转", "opinion": "fit"}),
    )
    for trigger, filled in steps:
        sent = send(liaison, liaison.get(f"/cases/{number}/tracks/{track}/{trigger}"), filled)
        assert sent.status_code == 303, (trigger, headings(sent))
    assert "只给医院和心理教师" in counselor.get(f"/cases/{number}").text
    officer = door.client("officer@street").get(f"/cases/{number}").text
    assert "只给医院和心理教师" not in officer
    assert "您无权查看：诊疗信息" in officer


def test_the_whole_way_from_the_summons_to_the_closing(door: Door) -> None:
    """Yellow, so that the school closes it; every step by its page."""
    town = door.town
    what = {**WHISTLE, "level": "yellow", "concern": "left_behind"}
    number = town.fire("principal@school", None, 0, "submit", what).case.number
    counselor, principal = door.client("counselor"), door.client("principal")
    for who, client in (
        ("officer@street", door.client("officer@street")),
        ("civil", door.client("officer@civil_affairs")),
    ):
        track = re.findall(rf"/cases/{number}/tracks/(\d+)/report_in", client.get(f"/cases/{number}").text)[0]
        form = client.get(f"/cases/{number}/tracks/{track}/report_in")
        sent = send(client, form, {"where": "学校", "mode": "on_site", "people": who})
        assert sent.status_code == 303, headings(sent)
        form = client.get(f"/cases/{number}/tracks/{track}/give_feedback")
        assert send(client, form, {"measures": "谈话", "outcome": "solved"}).status_code == 303
        form = counselor.get(f"/cases/{number}/tracks/{track}/accept_feedback")
        assert send(counselor, form).status_code == 303
    form = counselor.get(f"/cases/{number}/tracks/0/evaluate")
    scores = {name: "5" for name in form_on(form)[2] if name.endswith(".score")}
    # The principal whistled: who evaluates is the school's counselor.
    assert send(counselor, form, {**scores, "family_satisfied": "yes"}).status_code == 303
    form = principal.get(f"/cases/{number}/tracks/0/close")
    closed = follow(principal, send(principal, form, {"outcome": "resolved", "summary": "解决"}))
    assert "已结案" in closed.text


def test_a_ruling_about_feedback_is_asked_for_and_never_supposed(door: Door) -> None:
    number = door.town.whistle().case.number
    page = door.client("officer@street").get(f"/cases/{number}").text
    track = int(re.findall(rf"/cases/{number}/tracks/(\d+)/report_in", page)[0])
    came = {"at": door.now, "where": "学校", "mode": "on_site", "people": ["王"]}
    for trigger, form in (("report_in", came), ("give_feedback", {"measures": "x", "outcome": "partly"})):
        door.town.fire("officer@street", number, track, trigger, form, door.now)
    client = door.client("coordinator@district")
    address = f"/cases/{number}/tracks/{track}/settle_dispute"
    form = client.get(address)
    assert form.text.index('name="ruling"') < form.text.index('name="reason"'), "what is decided stands before why"
    assert "ruling" not in form_on(form)[1], "nothing is chosen yet"
    unsaid = send(client, form, {"reason": "看过了"})
    assert unsaid.status_code == 422
    assert "#f-ruling" in unsaid.text, "the summary leads to it"
    assert "看过了" in unsaid.text
    assert "已反馈" in client.get(f"/cases/{number}").text, "nothing was decided"
    said = follow(client, send(client, unsaid, {"ruling": "on_scene"}))
    assert said.status_code == 200, headings(said)
    again = client.get(f"/cases/{number}/tracks/{track}/settle_dispute")
    assert again.status_code == 409, "the feedback went back"


def two_of_one_student(door: Door) -> tuple[str, str]:
    """Two cases of one student that are under way, as the desk finds them."""
    from cases.records import case as cases

    older, newer = (door.town.whistle(at=door.now).case.number for _ in range(2))
    with door.town.store.begin() as connection:
        one = connection.scalar(select(cases.c.student_id).where(cases.c.number == older))
        connection.execute(cases.update().where(cases.c.number == newer).values(student_id=one))
    return older, newer


def test_merging_shows_the_other_case_and_what_ends_and_is_asked_for_twice(door: Door) -> None:
    older, newer = two_of_one_student(door)
    client = door.client("coordinator@district")
    form = client.get(f"/cases/{newer}/tracks/0/merge")
    assert form_on(form)[1]["into"] == [older], "the only one needn't be typed"
    shown = form.text[form.text.index("办理前请看") :]
    assert older in shown
    assert "红色 · 处置中" in shown
    assert "派单（示例street）：待签收" in shown[shown.index("随本案一并终止") :]
    sure = send(client, form, {"reason": "同一件事"})
    assert "此操作无法撤销" in sure.text
    assert "处置中" in client.get(f"/cases/{newer}").text, "nothing has happened yet"
    assert send(client, sure).status_code == 303
    assert "已并案" in client.get(f"/cases/{newer}").text


def test_a_case_that_nothing_can_go_into_is_named_as_such(door: Door) -> None:
    number = door.town.whistle(at=door.now).case.number
    client = door.client("coordinator@district")
    for typed in ("WH-2026-999999", "x", number):
        answer = send(client, client.get(f"/cases/{number}/tracks/0/merge"), {"into": typed})
        assert answer.status_code == 422, typed
        assert "没有可以并入的这个个案" in answer.text, headings(answer)
        assert typed in answer.text


def test_a_case_may_be_named_as_in_the_search(door: Door) -> None:
    older, newer = two_of_one_student(door)
    client = door.client("coordinator@district")
    for written in (older.lower(), older.rpartition("-")[2].lstrip("0")):
        form = client.get(f"/cases/{newer}/tracks/0/merge?into={written}")
        sure = send(client, form, {"into": written, "reason": "同一件事"})
        assert form_on(sure)[1]["into"] == [older]


def test_regrading_says_which_limits_would_move_and_offers_no_level_that_it_has_already(door: Door) -> None:
    number = door.town.whistle(at=door.now, level="orange").case.number
    client = door.client("coordinator@district")
    page = client.get(f"/cases/{number}/tracks/0/regrade").text
    assert 'value="red"' in page
    assert 'value="orange"' not in page
    shown = page[page.index("现在的等级") :]
    assert "橙色" in shown[:80]
    red = re.search(r"调为红色</dt><dd>(.*?)</dd>", shown, re.DOTALL)
    assert red is not None
    assert re.search(r"示例street · 签收：由 .* 改为 ", red[1])


def test_an_order_says_about_whom_and_an_extension_until_when(door: Door) -> None:
    number = door.town.whistle(at=door.now, level="orange").case.number
    page = door.client("officer@street").get(f"/cases/{number}").text
    track = int(re.findall(rf"/cases/{number}/tracks/(\d+)/report_in", page)[0])
    order = door.client("supervisor@district").get(f"/cases/{number}/supervision/issue?about={track}").text
    assert "派单（示例street）：待签收" in order
    assert re.search(r"签收：剩余.*?，时限 ", order)
    assert "请书面说明逾期原因" in order, "a phrase at one tap"
    asked = door.town.fire("officer@street", number, "extension", "request",
                           {"about": track, "reason": "x", "extra": 1}, door.now)  # fmt: skip
    grant = door.client("coordinator@district").get(f"/cases/{number}/tracks/{max(asked.case.tracks)}/grant").text
    assert re.search(r"批准后</dt><dd>示例street · 反馈：由 .* 改为 ", grant)
