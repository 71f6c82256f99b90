"""The pages of whoever oversees: the board, reminding and ordering about many at once, the desk, the bulletin."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import datetime, timedelta
from html import unescape
from typing import Any

import pytest
from openpyxl import load_workbook
from sqlalchemy import event, select

from api.pages.printed import FONT
from cases.board import TILES
from cases.records import access_log, track
from cases.records import case as cases
from tests.api.door import Client, Door
from tests.api.pages_forms import follow, form_on, headings, send

_KEY = r'href="/cases/(WH-[^"]+)".*?<td role="cell" class="c3">(.*?)</td>'
"""What a row is about: the case, its step, and who owes it."""
STUDENT = {"name": "赵晓宁", "born": "2013-05-01", "grade": 7, "class": "2班"}


def whistled(door: Door, **what: str) -> str:
    form: dict[str, Any] = {"student": STUDENT, **what}
    return door.town.whistle(at=door.now, **form).case.number


def late(door: Door, **length: float) -> None:
    """Time passes, and every rung falls at its instant."""
    door.wait(**length)
    door.town.run_until(door.now)


def street_track(door: Door, number: str) -> int:
    wanted = select(track.c.no).join(cases, cases.c.id == track.c.case_id)
    wanted = wanted.where(cases.c.number == number, track.c.organisation_id == door.town.places["street"].id)
    wanted = wanted.where(track.c.kind == "assignment")
    with door.town.store.read() as connection:
        return int(connection.execute(wanted).scalar_one())


def tiles(page: str) -> dict[str, int]:
    """Each tile with its figure."""
    found = re.findall(r'class="kpi[^>]*>\s*<span>(.*?)</span><b>([\d,]+)</b>', page)
    return {label: int(count) for label, count in found}


def rows(page: str) -> list[str]:
    return re.findall(r'<tr role="row" class="is-.*?</tr>', page, re.DOTALL)


def of_street(page: str) -> list[str]:
    return [one for one in rows(page) if "示例street ·" in one and "派单" in one]


def together(client: Client, do: str, *marks: str) -> str:
    return f"/board/together?do={do}" + "".join(f"&one={one}" for one in marks)


def test_what_is_late_comes_first_and_the_tiles_are_filters(door: Door) -> None:
    old = whistled(door)
    late(door, hours=3)
    new = whistled(door, level="orange")
    client = door.client("supervisor@district", "en")
    page = client.get("/board").text
    assert page.index(old) < page.index(new)
    over = tiles(page)["Overdue"]
    assert over >= 1
    shown = client.get("/board?tile=overdue").text
    assert len(rows(shown)) == min(over, 20)
    assert all("overdue" in one for one in rows(shown))
    assert new not in "".join(rows(shown))
    assert tiles(page)["Red, unacknowledged"] == len(rows(client.get("/board?tile=unacknowledged").text)) > 0
    assert tiles(page)["Due within 4 hours"] == len(rows(client.get("/board?tile=soon").text)) > 0


def counted(client: Client, address: str) -> int:
    """How many rows a list has, all its pages together; what it says of itself has to be the same."""
    count, said = 0, set()
    while address:
        page = client.get(unescape(address)).text
        count += len(rows(page))
        said |= {int(one.replace(",", "")) for one in re.findall(r"第 [\d,]+–[\d,]+ 件，共 ([\d,]+) 件", page)}
        more = re.search(r'href="(/board\?[^"]*after=[^"]+)"', page)
        address = more[1] if more else ""
    assert said == ({count} if count else set())
    return count


def numbers(page: str) -> list[tuple[str, int]]:
    """Every number of the board that leads to a list, with its address; what is chosen already leads back."""
    found = re.findall(r'class="kpi k-[^"]*" href="(/board[^"]*)"><span>.*?</span><b>([\d,]+)</b>', page)
    chips = re.search(r'<div class="chips lean".*?</div>', page, re.DOTALL)
    assert chips is not None
    found += re.findall(r'<a class="chip" href="(/board[^"]*)">[^<]*? ([\d,]+)</a>', chips[0])
    found += re.findall(r'<th scope="row"><a href="(/board[^"]*)">.*?<td class="num">([\d,]+)</td>', page, re.DOTALL)
    return [(address, int(count.replace(",", ""))) for address, count in found]


def of_everything(door: Door) -> None:
    """Late and early, of several levels, disputed and ordered, in an order about a case that is closed too."""
    for level in ("red", "orange", "orange"):
        whistled(door, level=level)
    late(door, hours=30)
    declined = whistled(door, level="orange")
    door.town.fire("lead@street", declined, street_track(door, declined), "decline",
                   {"reason": "不在本街道", "proposed": door.town.places["street#2"].id}, door.now)  # fmt: skip
    ordered = whistled(door, level="red")
    door.town.fire("supervisor@district", ordered, "supervision", "issue",
                   {"about": street_track(door, ordered), "demand": "立即"}, door.now)  # fmt: skip
    late(door, hours=2)
    whistled(door, level="red")


@pytest.mark.parametrize("who", ["supervisor@district", "coordinator@district", "supervisor@city"])
def test_every_number_on_the_board_is_that_of_the_list_behind_it(door: Door, who: str) -> None:
    of_everything(door)
    client = door.client(who)
    street = door.town.places["street"].id
    filters = ("", "tile=overdue", "tile=disputes", "tile=soon", "level=red", "level=red&tile=orders", "late=4",
               "late=24&tile=unacknowledged", f"organisation={street}", "clock=assignment.acknowledge",
               "clock=supervision.supervision_answer&level=orange", f"street={street}&late=1&tile=overdue")  # fmt: skip
    known: dict[str, int] = {}
    seen = 0
    for address in filters:
        page = client.get(f"/board?{address}").text
        found = numbers(page)
        chosen = re.search(r'<a class="kpi[^>]*aria-current="true"><span>.*?</span><b>([\d,]+)</b>', page)
        if chosen is not None:
            found.append((f"/board?{address}", int(chosen[1])))
        assert len(found) >= len(TILES) + 2, address
        for href, count in found:
            known[href] = known[href] if href in known else counted(client, href)
            assert known[href] == count, (address, href)
            seen += count
    assert seen > 100


def test_an_order_about_a_closed_case_waits_among_the_orders_and_not_before_todays_work(door: Door) -> None:
    number = whistled(door, level="orange")
    door.town.fire("supervisor@district", number, "supervision", "issue",
                   {"about": street_track(door, number), "demand": "立即"}, door.now)  # fmt: skip
    late(door, days=30)
    client = door.client("supervisor@district")
    of_order = "clock=supervision.supervision_answer"
    assert number in "".join(rows(client.get(f"/board?{of_order}").text))
    with door.town.store.begin() as connection:
        connection.execute(cases.update().where(cases.c.number == number).values(state="closed", closed_at=door.now))
    assert rows(client.get(f"/board?{of_order}&tile=overdue").text) == []
    assert number in "".join(rows(client.get("/board?tile=orders").text))


def test_nothing_is_offered_to_several_where_nothing_can_be_ticked(door: Door) -> None:
    of_everything(door)
    client = door.client("coordinator@district")
    disputed = client.get("/board?tile=disputes").text
    assert len(rows(disputed)) == 1
    assert 'type="checkbox" name="one"' not in disputed
    assert "批量催办" not in disputed
    assert "批量催办" in client.get("/board?tile=overdue").text


def test_a_track_has_one_row_with_what_is_due_first(door: Door) -> None:
    whistled(door)
    late(door, hours=30)
    page = door.client("supervisor@district").get("/board?tile=overdue").text
    assert len(of_street(page)) == 1


def test_a_supervisor_sees_the_grade_and_no_name_a_coordinator_the_name_with_its_middle_hidden(door: Door) -> None:
    whistled(door)
    late(door, hours=3)
    page = door.client("supervisor@district").get("/board").text
    assert "初一" in page
    assert "（2）班" not in page
    assert "赵" not in page
    assert "赵*宁" in door.client("coordinator@district").get("/board").text


def test_nobody_sees_another_districts_board_and_an_officer_has_none(door: Door) -> None:
    number = whistled(door)
    late(door, hours=3)
    other = door.client("supervisor@district#2").get("/board")
    assert number not in other.text
    assert set(tiles(other.text).values()) == {0}
    for path in ("/board", "/board.xlsx", "/desk", "/supervision", "/bulletin", "/bulletin.pdf", "/board/together"):
        assert door.client("officer@street").get(path).status_code == 403, path
    assert door.client("supervisor@district").get("/desk").status_code == 403
    assert "/board" not in door.client("officer@street").get("/").text


def test_filters_stand_in_the_address_and_narrow(door: Door) -> None:
    number = whistled(door)
    late(door, hours=3)
    client = door.client("supervisor@district", "en")
    street, hospital = door.town.places["street"].id, door.town.places["hospital"].id
    assert number in "".join(rows(client.get(f"/board?street={street}").text))
    assert rows(client.get(f"/board?organisation={hospital}&tile=overdue").text) == []
    assert len(rows(client.get(f"/board?organisation={street}&clock=assignment.acknowledge").text)) == 1
    assert rows(client.get("/board?clock=assignment.acknowledge&late=72").text) == []
    assert rows(client.get("/board?level=blue").text) == []
    assert rows(client.get(f"/board?district={door.town.places['district#2'].id}").text) == []
    for odd in ("tile=x", "level=x", "street=x", "late=-1", "clock=';--", "street=99999999999999999", "clock=a.b"):
        assert client.get(f"/board?{odd}").status_code == 200, odd
    assert client.get("/board?after=x").status_code == 422


def test_the_ranking_drills_down(door: Door) -> None:
    number = whistled(door)
    late(door, hours=3)
    district = door.client("supervisor@district").get("/board").text
    drill = re.search(r'<th scope="row"><a href="(/board\?[^"]*organisation=\d+)">示例street</a>', district)
    assert drill is not None
    narrowed = door.client("supervisor@district").get(unescape(drill[1])).text
    assert number in narrowed
    assert all("示例street ·" in one for one in rows(narrowed))
    city = door.client("supervisor@city").get("/board").text
    assert f'/board?tile=overdue&amp;district={door.town.places["district"].id}"' in city


def test_a_filter_is_kept_under_a_name_and_dropped_again(door: Door) -> None:
    client = door.client("supervisor@district")
    page = client.get("/board?tile=unacknowledged&level=red")
    kept = follow(client, send(client, page, {"name": "红色<未签收>"}, "/board/filters"))
    assert 'href="/board?tile=unacknowledged&amp;level=red" aria-current="true">红色&lt;未签收&gt;</a>' in kept.text
    assert "未签收&gt;</a>" not in door.client("coordinator@district").get("/board").text
    settings = follow(client, send(client, client.get("/settings"), {"from": "22:00", "until": "07:00"}, "/settings"))
    assert settings.status_code == 200
    page = client.get("/board")
    assert "未签收&gt;</a>" in page.text, "what one sets elsewhere leaves it alone"
    gone = client.post("/board/filters", data={"csrf": client.csrf, "name": "红色<未签收>", "drop": "1", "address": ""})
    assert "未签收&gt;</a>" not in follow(client, gone).text


def test_the_list_pages_by_cursor(door: Door) -> None:
    for _ in range(8):
        whistled(door)
    late(door, hours=30)
    client = door.client("supervisor@district")
    seen: list[str] = []
    path: str | None = "/board?tile=overdue"
    while path is not None:
        page = client.get(path).text
        seen += [re.sub(r"<.*?>", "", " ".join(one)) for row in rows(page) for one in re.findall(_KEY, row, re.DOTALL)]
        more = re.search(r'href="(/board\?[^"]*after=[^"]+)"', page)
        path = more[1].replace("&amp;", "&") if more else None
    assert len(seen) == tiles(client.get("/board").text)["逾期"] > 20
    assert len(set(seen)) == len(seen)


def test_the_table_to_take_home_names_no_student(door: Door) -> None:
    number = whistled(door)
    late(door, hours=3)
    answer = door.client("supervisor@district").get("/board.xlsx?tile=overdue")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as book:
        text = "".join(book.read(name).decode("utf-8", "replace") for name in book.namelist())
    assert number in text
    assert "赵" not in text
    assert "初一" not in text
    assert "<f>" not in text


def test_many_are_reminded_at_once_and_told_which_could_not(door: Door) -> None:
    one, two, acknowledged = (whistled(door) for _ in range(3))
    late(door, hours=3)
    marks = [f"{number}~{street_track(door, number)}" for number in (one, two, acknowledged)]
    client = door.client("coordinator@district")
    page = client.get(together(client, "remind", *marks))
    assert "3" in page.text
    done = street_track(door, acknowledged)
    door.town.fire("officer@street", acknowledged, done, "report_in",
                   {"at": door.now, "where": "门口", "mode": "on_site", "people": ["王"]}, door.now)  # fmt: skip
    door.town.fire(
        "officer@street", acknowledged, done, "give_feedback", {"measures": "x", "outcome": "solved"}, door.now
    )
    told = send(client, page, {"text": "请尽快到场"}, "/board/together")
    assert "已催办 2 件" in told.text, headings(told)
    failed = told.text[told.text.index('class="notice warn"') :]
    assert acknowledged in failed[: failed.index("</ul>")]
    assert "现在的状态" in failed
    send(client, page, {"text": "请尽快到场"}, "/board/together")
    with door.town.store.read() as connection:
        from cases.records import event as events

        pulled = connection.execute(select(events.c.case_id).where(events.c.trigger == "remind")).all()
    assert len(pulled) == 2, "a form that is sent twice reminds once"
    assert "已催 1 次" in client.get("/board").text


def test_many_orders_at_once_say_which_was_open_already(door: Door) -> None:
    one, two = whistled(door, level="orange"), whistled(door, level="orange")
    marks = [f"{number}~{street_track(door, number)}" for number in (one, two)]
    client = door.client("supervisor@district", "en")
    door.town.fire("supervisor@district", one, "supervision", "issue",
                   {"about": street_track(door, one), "demand": "now"}, door.now)  # fmt: skip
    page = client.get(together(client, "issue", *marks))
    missing = send(client, page, {"text": " "}, "/board/together")
    assert missing.status_code == 422
    assert "Say what is demanded" in missing.text
    told = send(client, page, {"text": "Be there by noon <b>"}, "/board/together")
    assert "1 order was issued" in told.text
    assert "one is open already" in told.text.lower()
    orders = client.get("/supervision").text
    assert orders.count('<article class="panel order') == 2
    assert "Be there by noon &lt;b&gt;" in orders
    board = client.get("/board?tile=orders").text
    assert len(rows(board)) == 2


def test_a_coordinator_orders_nothing_and_a_stranger_reminds_nobody(door: Door) -> None:
    number = whistled(door, level="orange")
    mark = f"{number}~{street_track(door, number)}"
    coordinator = door.client("coordinator@district")
    assert "批量督办" not in coordinator.get("/board").text
    told = send(coordinator, coordinator.get(together(coordinator, "issue", mark)), {"text": "x"}, "/board/together")
    assert "没有这项权限" in told.text
    stranger = door.client("supervisor@district#2")
    assert "没有选择" in stranger.get(together(stranger, "remind", mark, "x~1", "WH-2026-000001~x")).text


def test_an_order_is_answered_accepted_and_its_words_are_logged(door: Door) -> None:
    number = whistled(door)
    no = street_track(door, number)
    opened = door.town.fire("supervisor@district", number, "supervision", "issue",
                            {"about": no, "demand": "今天内到场"}, door.now)  # fmt: skip
    order = max(opened.case.tracks)
    door.town.fire("lead@street", number, order, "answer", {"answer": "已安排两人"}, door.now)
    client = door.client("supervisor@district")
    page = client.get("/supervision")
    assert page.text.index("今天内到场") < page.text.index("已安排两人")
    assert "初一" in page.text
    assert "（2）班" not in page.text
    assert "赵" not in page.text
    accept = re.search(r'href="(/cases/[^"]*/accept)"', page.text)
    assert accept is not None
    send(client, client.get(accept[1]))
    assert "今天内到场" not in client.get("/supervision").text
    assert "今天内到场" in client.get("/supervision?state=accepted").text
    assert client.get("/supervision?state=x&organisation=y").status_code == 200
    with door.town.store.read() as connection:
        looks = select(access_log.c.member_id).where(access_log.c.what == "supervision orders")
        assert set(connection.scalars(looks)) == {client.member_id}
    assert "今天内到场" not in door.client("supervisor@district#2").get("/supervision?state=all").text


def test_the_desk_has_what_waits_and_the_button_that_does_it(door: Door) -> None:
    declined = whistled(door, level="orange")
    no = street_track(door, declined)
    door.town.fire("lead@street", declined, no, "decline",
                   {"reason": "不在本街道", "proposed": door.town.places["street#2"].id}, door.now)  # fmt: skip
    client = door.client("coordinator@district")
    page = client.get("/desk").text
    assert "待裁定 1" in page
    assert f"/cases/{declined}/tracks/{no}/uphold" in page
    assert f"/cases/{declined}/tracks/{no}/reassign" in page
    assert "赵*宁" in page
    waiting = whistled(door)
    late(door, hours=3)
    page = door.client("coordinator@district").get("/desk?group=reassign").text
    assert f"/cases/{waiting}/tracks/{street_track(door, waiting)}/reassign" in page
    assert f"/cases/{declined}/tracks/{no}/" not in page, "what is disputed waits elsewhere"
    assert "没有" in door.client("coordinator@district#2").get("/desk").text


def test_from_the_desk_one_rules_with_what_was_proposed_and_comes_back_to_the_next(door: Door) -> None:
    declined = whistled(door, level="orange")
    no, other = street_track(door, declined), door.town.places["street#2"]
    door.town.fire("lead@street", declined, no, "decline", {"reason": "不在本街道", "proposed": other.id}, door.now)
    client = door.client("coordinator@district")
    page = client.get("/desk").text
    assert f"对方建议由{other.name}办理" in page
    link = re.search(rf'href="(/cases/{declined}/tracks/{no}/reassign[^"]*)"', page)
    assert link is not None
    form = client.get(unescape(link[1]))
    assert form_on(form)[1]["to"] == [str(other.id)]
    missing = send(client, form)
    assert missing.status_code == 422
    back = send(client, missing, {"reason": "属于该街道"})
    assert back.headers["location"] == f"/desk?group=disputes&done={declined}"
    assert f"已办理：{declined}" in follow(client, back).text


def test_the_desk_shows_extensions_and_the_same_student_twice(door: Door) -> None:
    number = whistled(door, level="orange")
    no = street_track(door, number)
    door.town.fire("officer@street", number, no, "acknowledge", at=door.now)
    asked = door.town.fire("officer@street", number, "extension", "request",
                           {"about": no, "reason": "x", "extra": 1}, door.now)  # fmt: skip
    page = door.client("coordinator@district").get("/desk").text
    assert f"/cases/{number}/tracks/{max(asked.case.tracks)}/grant" in page
    with door.town.store.begin() as connection:
        second = whistled(door)
        one = connection.scalar(select(cases.c.student_id).where(cases.c.number == number))
        connection.execute(cases.update().where(cases.c.number == second).values(student_id=one))
    page = door.client("coordinator@district").get("/desk?group=merge").text
    assert f"/cases/{second}/tracks/0/merge?into={number}" in page


@pytest.mark.parametrize("path", ["/board", "/board?tile=overdue", "/board?tile=orders", "/desk", "/supervision"])
def test_a_page_asks_the_database_twelve_times_at_most(door: Door, path: str) -> None:
    for _ in range(3):
        whistled(door)
    late(door, hours=30)
    client = door.client("coordinator@district")
    client.get(path)
    asked: list[str] = []
    engine = door.town.store._engine
    listener = lambda *given: asked.append(given[2])  # noqa: E731 - gathered and counted at once
    event.listen(engine, "before_cursor_execute", listener)
    assert client.get(path).status_code == 200
    event.remove(engine, "before_cursor_execute", listener)
    assert len(asked) <= 12, asked


def published(door: Door) -> datetime:
    """A limit that nobody met, far enough for the bulletin; the instant at which the month is over."""
    whistled(door)
    late(door, days=10)
    door.now = datetime.fromisoformat("2026-04-02T02:00:00+00:00")
    return door.now


def test_the_bulletin_is_a_page_a_table_and_a_pdf_that_brings_its_glyphs(door: Door) -> None:
    published(door)
    client = door.client("supervisor@district")
    page = client.get("/bulletin").text
    assert "2026-03" in page
    assert "示例street" in page
    assert "赵" not in page
    assert "2026-02" in page
    assert "本月没有" in client.get("/bulletin?month=2026-02").text
    for odd in ("x", "2026-13", "1900-01", "2999-01"):
        assert "2026-03" in client.get(f"/bulletin?month={odd}").text
    table = client.get("/bulletin.xlsx?month=2026-03")
    with zipfile.ZipFile(io.BytesIO(table.content)) as book:
        assert "示例street" in "".join(book.read(name).decode("utf-8", "replace") for name in book.namelist())
    printed = client.get("/bulletin.pdf?month=2026-03")
    assert printed.headers["content-type"] == "application/pdf"
    assert printed.content.startswith(b"%PDF-")
    assert b"/FontFile2" in printed.content
    assert "示例street" not in door.client("supervisor@district#2").get("/bulletin?month=2026-03").text


def test_the_glyphs_of_every_place_and_word_of_the_bulletin_are_at_hand() -> None:
    from fpdf import FPDF
    from fpdf.fonts import TTFFont

    from cases.track import discover

    paper = FPDF()
    paper.add_font("sheet", "", FONT)
    font = paper.fonts["sheet"]
    assert isinstance(font, TTFFont)
    known = set(font.cmap)
    font.ttfont.close()
    words = "".join(kind.label[0] + "".join(one.label[0] for one in kind.clocks) for kind in discover().values())
    places = "鼓楼玄武秦淮建邺栖霞雨花台江宁浦口六合溧水高淳街道社区小学中学医院派出所法院妇联 0123456789-:·–红橙黄蓝色"
    assert {one for one in words + places if ord(one) not in known} == set()


def test_the_months_are_walked_from_one_to_the_next(door: Door) -> None:
    published(door)
    page = door.client("supervisor@district", "en").get("/bulletin?month=2026-03").text
    assert "/bulletin?month=2026-02" in page
    assert "/bulletin?month=2026-04" in page
    assert door.now - timedelta(days=2) < datetime.fromisoformat("2026-04-02T02:00:00+00:00")


def test_many_at_once_show_how_late_each_is_and_whether_it_is_ordered_and_one_goes_back_to_the_filter(
    door: Door,
) -> None:
    number = whistled(door)
    no = street_track(door, number)
    door.town.fire("supervisor@district", number, "supervision", "issue", {"about": no, "demand": "立即"}, door.now)
    late(door, hours=3)
    client = door.client("supervisor@district")
    board = client.get("/board?tile=overdue&level=red")
    assert 'name="back" value="tile=overdue&amp;level=red"' in board.text
    asked = client.get(together(client, "remind", f"{number}~{no}") + "&back=tile%3Doverdue%26level%3Dred%26x%3D1")
    listed = asked.text[asked.text.index("plainlist") :]
    assert "sla-over" in listed
    assert "已督办" in listed or "督办中" in listed
    assert 'href="/board?tile=overdue&amp;level=red"' in asked.text
    done = send(client, asked, {"text": ""}, "/board/together")
    assert 'href="/board?tile=overdue&amp;level=red"' in done.text


def test_a_table_to_take_home_has_a_chinese_name_and_a_filter(door: Door) -> None:
    whistled(door)
    answer = door.client("supervisor@district").get("/board.xlsx")
    assert "filename*=UTF-8''%E9%80%BE%E6%9C%9F" in answer.headers["content-disposition"]
    sheet = load_workbook(io.BytesIO(answer.content)).worksheets[0]
    assert sheet.auto_filter.ref == f"A1:I{sheet.max_row}"
