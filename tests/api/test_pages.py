"""The pages, told by the people who use them: whistling, acknowledging, what is seen and by whom, what goes wrong."""

from __future__ import annotations

import re

import pytest
from httpx import Response
from sqlalchemy import event, select

from cases import dossier, queries
from cases.office import Session
from cases.records import access_log, case, track
from tests.api.door import Door
from tests.api.pages_forms import follow, form_on, headings, send
from tests.town import WHISTLE

WHO = {"student.name": "赵晓宁", "student.born": "2013-05-01", "student.grade": "7", "student.class": "2班"}
WHAT = {"concern": "harmful_home", "level": "red", "summary": "左前臂有新近划痕。"}


def number_of(answer: Response) -> str:
    found = re.search(r"WH-\d{4}-\d{6}", str(answer.url) + answer.text)
    assert found is not None, headings(answer)
    return found[0]


def whistled(door: Door, who: str = "counselor@school", **what: str) -> str:
    """A whistle by its three steps; the number of the case."""
    client = door.client(who)
    page = follow(client, send(client, client.get("/whistle"), WHO))
    page = follow(client, send(client, page, {**WHAT, **what}))
    page = follow(client, send(client, page, {"already": "专人陪护。"}))
    return number_of(follow(client, send(client, page)))


def called(door: Door) -> str:
    """The same whistle, made behind the pages; the number of the case."""
    student = {"name": "赵晓宁", "born": "2013-05-01", "grade": 7, "class": "2班"}
    return door.town.whistle(student=student, summary="左前臂有新近划痕。").case.number


def street_track(door: Door, number: str) -> int:
    wanted = select(track.c.no).join(case, case.c.id == track.c.case_id)
    wanted = wanted.where(case.c.number == number, track.c.organisation_id == door.town.places["street"].id)
    with door.town.store.read() as connection:
        return int(connection.execute(wanted).scalar_one())


def test_a_counselor_whistles_in_three_steps_and_the_street_is_called(door: Door) -> None:
    number = whistled(door)
    page = door.client("counselor").get(f"/cases/{number}")
    assert "左前臂有新近划痕" in page.text
    assert "【已经采取的措施】" in page.text
    assert number in door.client("officer@street").get("/").text
    assert number not in door.client("officer@street#2").get("/").text


def test_a_draft_is_kept_and_can_be_gone_on_with_later(door: Door) -> None:
    client = door.client("counselor")
    page = follow(client, send(client, client.get("/whistle"), WHO))
    kept = follow(client, send(client, page, {"summary": "还没写完", "later": "1"}))
    assert "继续填写草稿" in kept.text
    again = client.get("/whistle")
    assert "未提交的草稿" in again.text
    assert form_on(client.get(f"/whistle/{number_of(page)}/what"))[1]["summary"] == ["还没写完"]


def test_what_was_unticked_stays_unticked(door: Door) -> None:
    client = door.client("counselor")
    page = follow(client, send(client, client.get("/whistle"), WHO))
    number = number_of(page)
    send(client, page, {**WHAT, "statutory": ["injury"]})
    page = client.get(f"/whistle/{number}/what")
    assert form_on(page)[1]["statutory"] == ["injury"]
    send(client, page, {**WHAT, "statutory": []})
    assert "statutory" not in form_on(client.get(f"/whistle/{number}/what"))[1]


def test_a_ticked_situation_opens_the_mandatory_report_before_any_sign_off(door: Door) -> None:
    client = door.client("counselor")
    page = follow(client, send(client, client.get("/whistle"), WHO))
    page = follow(client, send(client, page, {**WHAT, "level": "yellow", "statutory": ["injury"]}))
    page = follow(client, send(client, page))
    assert "提交校长签发" in page.text
    case = follow(client, send(client, page))
    assert "强制报告" in case.text
    assert "待校内签发" in case.text


def test_a_second_whistle_about_the_same_student_is_warned(door: Door) -> None:
    first = called(door)
    client = door.client("counselor")
    page = follow(client, send(client, client.get("/whistle"), WHO))
    assert "这名学生已有个案" in page.text
    assert first in page.text


def test_a_coordinator_whistles_for_a_school_in_the_same_steps(door: Door) -> None:
    first = called(door)
    client = door.client("coordinator@district")
    page = client.get("/whistle")
    page = follow(client, send(client, page, {**WHO, "school": str(door.town.places["school"].id)}))
    assert "这名学生已有个案" in page.text
    assert first in page.text
    page = follow(client, send(client, page, {**WHAT, "level": "yellow"}))
    assert 'name="_files.evidence"' in page.text
    page = follow(client, send(client, page))
    assert "核对" in page.text
    assert "校长" not in page.text
    case = follow(client, send(client, page))
    assert "处置中" in case.text
    assert number_of(case) in door.client("officer@street").get("/").text


def test_a_coordinator_who_names_no_school_is_led_to_the_field(door: Door) -> None:
    client = door.client("coordinator@district")
    told = send(client, client.get("/whistle"), {**WHO, "school": ""})
    assert told.status_code == 422
    assert 'href="#f-school"' in told.text
    assert 'id="f-school"' in told.text
    assert form_on(told)[1]["student.name"] == ["赵晓宁"]


def test_the_desk_does_not_write_in_what_a_school_has_begun(door: Door) -> None:
    client = door.client("counselor")
    number = number_of(follow(client, send(client, client.get("/whistle"), WHO)))
    assert door.client("coordinator@district").get(f"/whistle/{number}/what").status_code == 403


def test_a_whistle_that_is_sent_twice_leads_to_its_case_twice(door: Door) -> None:
    client = door.client("counselor")
    page = follow(client, send(client, client.get("/whistle"), WHO))
    page = follow(client, send(client, page, WHAT))
    page = follow(client, send(client, page))
    first, second = send(client, page), send(client, page)
    assert first.status_code == second.status_code == 303
    assert first.headers["location"] == second.headers["location"]
    number = number_of(follow(client, first))
    assert client.get(f"/whistle/{number}/what").headers["location"] == f"/cases/{number}"


def test_two_tabs_with_one_draft_do_not_overwrite_each_other(door: Door) -> None:
    client = door.client("counselor")
    page = follow(client, send(client, client.get("/whistle"), WHO))
    other = client.get(f"/whistle/{number_of(page)}/what")
    send(client, page, {**WHAT, "summary": "第一页所写"})
    told = send(client, other, {**WHAT, "summary": "第二页所写"})
    assert told.status_code == 409
    assert "第二页所写" in told.text
    assert "counselor@school" in told.text
    assert form_on(client.get(f"/whistle/{number_of(page)}/what"))[1]["summary"] == ["第一页所写"]
    send(client, told)
    assert form_on(client.get(f"/whistle/{number_of(page)}/what"))[1]["summary"] == ["第二页所写"]


def test_what_is_checked_is_said_as_a_person_says_it_and_guardians_in_parts_stay(door: Door) -> None:
    parts = {"name": "赵父", "relation": "父亲", "phone": "13900000000"}
    student = {"name": "赵晓宁", "born": "2013-05-01", "grade": 7, "guardians": [parts, "外婆"]}
    number = door.town.fire("counselor@school", None, 0, "save_draft", {"student": student}).case.number
    client = door.client("counselor")
    page = client.get(f"/whistle/{number}")
    assert form_on(page)[1]["student.guardians"] == ["赵父 父亲 13900000000\n外婆"]
    send(client, page, {"student.guardians": "赵父 父亲 13900000000\n外婆\n外公"})
    shown = client.get(f"/whistle/{number}/check").text
    assert "<dd>初一</dd>" in shown
    assert "赵父 父亲 13900000000\n外婆\n外公" in shown
    told = client.get(f"/cases/{number}/identity")
    assert "<dd>初一</dd>" in send(client, told, {"why": "核对"}).text
    with door.town.store.read() as connection:
        session = Session(connection, door.town.office)
        file, _ = queries.look(session, number, door.town.actor("counselor@school"), door.now)
        assert dossier.identity(session, file)["guardians"] == [parts, "外婆", "外公"]


def test_a_whistle_that_was_sent_back_says_why_on_every_step(door: Door) -> None:
    what = {**WHISTLE, "level": "yellow"}
    number = door.town.fire("counselor@school", None, 0, "submit", what).case.number
    door.town.fire("principal@school", number, 0, "send_back", {"reason": "请补充时间地点"})
    client = door.client("counselor")
    for step in ("", "/what", "/done", "/check"):
        page = client.get(f"/whistle/{number}{step}").text
        assert "请补充时间地点" in page, step
        assert "principal@school" in page, step
    assert "退回" in client.get("/").text


def test_a_principal_who_whistles_red_owes_no_signature_afterwards(door: Door) -> None:
    client = door.client("principal@school")
    page = follow(client, send(client, client.get("/whistle"), WHO))
    page = follow(client, send(client, page, WHAT))
    page = follow(client, send(client, page))
    assert "校长事后补签" not in page.text


def test_a_missing_answer_is_named_with_a_link_and_everything_typed_stays(door: Door) -> None:
    client = door.client("counselor", "en")
    page = send(client, client.get("/whistle"), {"student.name": "Amina <b>Yusuf</b>"})
    assert page.status_code == 422
    assert 'href="#f-student-born"' in page.text
    assert "Date of birth: this is needed" in page.text
    assert "Amina &lt;b&gt;Yusuf&lt;/b&gt;" in page.text
    assert "<b>Yusuf" not in page.text


def test_one_tap_acknowledges_and_five_minutes_undo(door: Door) -> None:
    number = called(door)
    client = door.client("officer@street")
    track = street_track(door, number)
    page = follow(client, send(client, client.get("/"), action="/acknowledge"))
    assert "已签收" not in headings(page)
    assert "撤销（5 分钟内）" in page.text
    back = follow(client, send(client, page, action="/undo_acknowledge"))
    assert f"/cases/{number}/tracks/{track}/acknowledge" in back.text
    send(client, client.get("/"), action="/acknowledge")
    door.wait(minutes=6)
    late = client.get(f"/cases/{number}/tracks/{track}/undo_acknowledge")
    assert late.status_code == 409
    assert "已过时限" in late.text


def test_a_form_that_is_sent_twice_does_it_once(door: Door) -> None:
    number = called(door)
    client = door.client("officer@street")
    page = client.get("/")
    first = send(client, page, action="/acknowledge")
    second = send(client, page, action="/acknowledge")
    assert first.headers["location"] == second.headers["location"]
    assert door.client("counselor").get(f"/cases/{number}").text.count("<h3>签收 ") == 1


def test_whoever_comes_second_sees_who_was_quicker_and_keeps_what_they_typed(door: Door) -> None:
    number = called(door)
    track = street_track(door, number)
    officer, lead = door.client("officer@street"), door.client("lead@street")
    page = lead.get(f"/cases/{number}/tracks/{track}/report_in")
    send(officer, officer.get("/"), action="/acknowledge")
    typed = {"where": "校门口", "mode": "on_site", "people": "王建国\n李敏"}
    told = send(lead, page, typed)
    assert told.status_code == 409
    assert "officer@street" in told.text
    assert "校门口" in told.text
    done = follow(lead, send(lead, told))
    assert "已报到" in done.text, headings(done)


def test_whoever_taps_second_is_told_who_was_quicker_and_finds_no_button_that_cannot_work(door: Door) -> None:
    called(door)
    officer, lead = door.client("officer@street"), door.client("lead@street")
    page = lead.get("/")
    send(officer, officer.get("/"), action="/acknowledge")
    told = send(lead, page, action="/acknowledge")
    assert told.status_code == 409
    assert "officer@street" in told.text
    assert "<h3>签收 " in told.text
    assert 'type="submit"' not in told.text


def test_what_was_typed_for_what_is_over_is_shown_to_be_copied(door: Door) -> None:
    number = called(door)
    track = street_track(door, number)
    officer, lead = door.client("officer@street"), door.client("lead@street")
    page = lead.get(f"/cases/{number}/tracks/{track}/report_in")
    send(officer, officer.get(f"/cases/{number}/tracks/{track}/report_in"), {"where": "门卫室", "mode": "phone"})
    told = send(lead, page, {"where": "校门口", "mode": "on_site", "people": "王建国"})
    assert told.status_code == 409
    assert "officer@street" in told.text
    assert "<dd>校门口</dd>" in told.text
    assert 'type="submit"' not in told.text


def test_a_report_in_from_the_future_is_told_in_the_field(door: Door) -> None:
    number = called(door)
    track = street_track(door, number)
    client = door.client("officer@street", "en")
    page = client.get(f"/cases/{number}/tracks/{track}/report_in")
    wrong = {"at": "2026-03-18T09:00", "where": "gate", "mode": "on_site", "people": "one"}
    told = send(client, page, wrong)
    assert told.status_code == 422
    assert "this can&#39;t be in the future" in told.text
    assert form_on(told)[1]["where"] == ["gate"]


def test_a_button_that_one_may_not_press_is_absent_and_one_that_the_state_forbids_says_why(door: Door) -> None:
    number = called(door)
    street = door.client("officer@street").get(f"/cases/{number}").text
    assert "反馈</button>" in street
    assert "请先报到，再反馈" in street
    assert "认可反馈" not in street
    assert "退单" not in street, "an officer never declines: the lead does"


def test_outsiders_find_no_case(door: Door) -> None:
    number = called(door)
    for who in ("officer@street#2", "officer@court", "auditor@district", "coordinator@district#2"):
        client = door.client(who)
        for path in ("", "/identity", "/tracks/1", "/tracks/1/diagram.svg", "/clocks/1", "/now", "/tracks/1/remind"):
            assert client.get(f"/cases/{number}{path}").status_code == 404, (who, path)


def test_the_supervisor_sees_grade_and_school_but_no_name(door: Door) -> None:
    number = called(door)
    page = door.client("supervisor@district").get(f"/cases/{number}").text
    assert "初一" in page
    assert "（2）班" not in page
    assert "赵" not in page
    assert door.client("supervisor@district").get("/search?q=赵晓宁").status_code == 200
    assert door.client("officer@street").get("/search?q=赵晓宁").headers["location"] == f"/cases/{number}"
    assert door.client("officer@street").get(f"/search?q={int(number[-6:])}").headers["location"] == f"/cases/{number}"


def test_the_whole_identity_asks_why_and_everybody_sees_who_looked(door: Door) -> None:
    number = called(door)
    client = door.client("officer@street")
    page = client.get(f"/cases/{number}/identity")
    assert "赵晓宁" not in page.text
    assert send(client, page).status_code == 422
    shown = send(client, page, {"why": "上门前核对姓名"})
    assert "赵晓宁" in shown.text
    assert "上门前核对姓名" in door.client("counselor").get(f"/cases/{number}").text
    with door.town.store.read() as connection:
        looks = connection.execute(access_log.select().where(access_log.c.section == "identity")).all()
    assert "上门前核对姓名" in {one.what for one in looks}


def test_the_limit_says_why_it_is_then(door: Door) -> None:
    number = called(door)
    page = door.client("officer@street", "en").get(f"/cases/{number}").text
    assert "Why this limit?" in page
    assert "The clock starts at" in page


def test_break_glass_asks_for_the_reason_and_opens_the_case(door: Door) -> None:
    number = called(door)
    client = door.client("officer@street#2")
    page = client.get(f"/cases/{number}/access/open")
    assert page.status_code == 200
    assert "赵" not in page.text
    assert "示例school" not in page.text
    seen = follow(client, send(client, page, {"reason": "学生在本街道走失"}))
    assert "左前臂有新近划痕" in seen.text


def test_break_glass_is_offered_where_a_number_leads_to_nothing_whether_it_exists_or_not(door: Door) -> None:
    number, never = called(door), "WH-2026-999999"
    client = door.client("officer@street#2")
    for one in (number, never):
        for path in (f"/cases/{one}", f"/search?q={one}"):
            assert f'href="/cases/{one}/access/open"' in client.get(path).text, path
    there, gone = (client.get(f"/cases/{one}").text.replace(one, "") for one in (number, never))
    assert len(there) == len(gone)
    assert f'href="/cases/{never}/access/open"' in client.get(f"/search?q={int(never[-6:])}").text
    assert f'href="/cases/{never}/access/open"' not in client.get(f"/cases/{never}/access/open").text
    for who in ("counselor@school", "auditor@district", "admin@district"):
        assert "access/open" not in door.client(who).get(f"/cases/{never}").text, who


def test_a_number_that_was_never_given_has_no_page(door: Door) -> None:
    client = door.client("counselor")
    for path in ("/cases/WH-2026-999999", "/cases/x", "/cases/WH-2026-999999/access/open", "/nothing", "/language/fr"):
        assert client.get(path).status_code in {303, 404}, path
    assert "没有这个" in client.get("/cases/WH-2026-999999").text


def test_the_inbox_counts_what_is_unread_until_it_is_read(door: Door) -> None:
    called(door)
    client = door.client("officer@street")
    assert "条未读" in client.get("/inbox").text
    page = follow(client, send(client, client.get("/inbox"), action="/inbox"))
    assert "全部已读" in page.text


def test_what_is_not_overdue_yet_is_not_called_so_beside_what_is(door: Door) -> None:
    """A regrade to red makes the acknowledging overdue; for the safe plan there is a day from now on."""
    student = {"name": "赵晓宁", "born": "2013-05-01", "grade": 7}
    number = door.town.whistle(student=student, level="orange").case.number
    door.wait(minutes=25)
    form = {"level": "red", "reason": "孩子下落不明。"}
    door.town.fire("coordinator@district", number, 0, "regrade", form, door.now)
    page = door.client("officer@street").get("/inbox").text
    letter = page[page.index("逾期催办") :]
    assert "待办 · 个案 · 安全计划" in letter
    assert "预警 · 派单 · 报到" in letter
    assert "预警 · 派单 · 签收" not in letter


def test_settings_are_kept_and_a_channel_that_leads_nowhere_is_named(door: Door) -> None:
    client = door.client("counselor")
    told = send(client, client.get("/settings"), {"channels": "nonsense://x", "from": "22:00"}, "/settings")
    assert told.status_code == 422
    assert "nonsense://x" in told.text
    kept = follow(client, send(client, client.get("/settings"), {"from": "22:00", "until": "07:00"}, "/settings"))
    assert "已保存" in kept.text
    assert form_on(kept, "/settings")[1]["until"] == ["07:00"]


def test_what_is_wrong_stands_in_its_field_on_every_form(door: Door) -> None:
    number = called(door)
    client = door.client("counselor", "en")
    told = send(client, client.get(f"/cases/{number}/identity"), {"why": " "})
    assert described(told, "f-why") == "Say why you need it."
    told = send(client, client.get(f"/cases/{number}/files"), {"section": "clinical"}, "/files")
    assert described(told, "f-file") == "this is needed"
    assert form_on(told, "/files")[1]["section"] == ["clinical"]
    told = send(client, client.get("/settings"), {"channels": "nonsense://x", "from": "22:00"}, "/settings")
    assert "nonsense://" in described(told, "f-channels")
    assert described(told, "f-from")


def described(answer: Response, field: str) -> str:
    """The error that an input names as what describes it, where the summary has a link to it."""
    assert answer.status_code == 422
    assert f'href="#{field}"' in answer.text
    assert re.search(rf'id="{field}"[^>]*aria-describedby="[^"]*{field}-err"', answer.text)
    found = re.search(rf'id="{field}-err">.*?Error:</span> (.*?)</span>', answer.text, re.DOTALL)
    assert found is not None
    return found[1]


def test_the_calendar_link_is_shown_once_and_opens_without_a_session(door: Door) -> None:
    called(door)
    client = door.client("officer@street")
    page = send(client, client.get("/settings"), action="/settings/calendar")
    link = re.search(r"/calendar/[\w-]+\.ics", page.text)
    assert link is not None
    assert link[0] not in client.get("/settings").text
    assert "BEGIN:VEVENT" in door.stranger().get(link[0]).text


def test_a_page_asks_the_database_twelve_times_at_most(door: Door) -> None:
    number = called(door)
    client = door.client("officer@street")
    for path in ("/", f"/cases/{number}", "/inbox", f"/cases/{number}/tracks/1/acknowledge", "/search?q=赵"):
        client.get(path)
        asked: list[str] = []
        engine = door.town.store._engine
        listener = lambda *given: asked.append(given[2])  # noqa: E731, B023 - gathered and counted at once
        event.listen(engine, "before_cursor_execute", listener)
        client.get(path)
        event.remove(engine, "before_cursor_execute", listener)
        assert len(asked) <= 12, (path, asked)


def test_a_part_for_htmx_and_the_whole_page_are_one_template(door: Door) -> None:
    called(door)
    client = door.client("officer@street")
    part = client.get("/", headers={"hx-request": "true", "hx-request-type": "partial"})
    assert "<html" not in part.text
    assert part.text.strip().splitlines()[0] in client.get("/").text
    now = client.get("/cases/WH-2026-000001/now?events=1", headers={"hx-request": "true"})
    assert "条新动态" in now.text


def test_pages_pack_tight_and_hide_how_tight(door: Door) -> None:
    number = called(door)
    client = door.client("officer@street")
    lengths = {
        int(client.get(f"/cases/{number}/tracks/1", headers={"accept-encoding": "gzip"}).headers["content-length"])
        for _ in range(8)
    }
    assert max(lengths) < 12_000
    assert len(lengths) > 1, "the packed length of the same page tells nothing about what is in it"


def test_time_passes_on_the_case_page(door: Door) -> None:
    number = called(door)
    client = door.client("officer@street", "en")
    assert "left" in client.get(f"/cases/{number}").text
    door.wait(hours=30)
    door.town.run_until(door.now)
    client = door.client("officer@street", "en")
    assert "overdue" in client.get(f"/cases/{number}").text


@pytest.mark.parametrize("path", ["/desk", "/admin", "/board", "/statistics"])
def test_whoever_may_not_open_a_page_is_told_so_once_and_of_no_case(door: Door, path: str) -> None:
    page = door.client("officer@street").get(path)
    assert page.status_code == 403
    assert "个案里" not in page.text
    assert page.text[page.text.index("<main") :].count("您没有这项权限") == 1
    assert "可以办理的有" in page.text
