"""What the pages of a day's work answer, without a browser: files in forms, phrases, first pages that are not empty."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from cases.shelf import FolderShelf
from cases.store import Store
from tests.api.door import Client, Door, door_at
from tests.api.pages_forms import follow, form_on, headings
from tests.cases import papers


@pytest.fixture(scope="module")
def door(server: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """One for all of them: each whistles about a student of its own."""
    with door_at(server) as opened:
        opened.town.office.shelf = FolderShelf(tmp_path_factory.mktemp("shelf"))
        yield opened


def whistled(door: Door, name: str, **what: Any) -> str:  # noqa: ANN401
    student = {"name": name, "born": "2014-05-06"}
    number: str = door.town.whistle(at=door.now, student=student, **what).case.number
    return number


def step(door: Door, client: Client, number: str, trigger: str) -> Any:  # noqa: ANN401
    """The page of a step, by its button on the case."""
    page = client.get(f"/cases/{number}")
    found = re.search(rf"/cases/{number}/(?:tracks/\d+|\w+)/{trigger}(?=[\"?])", page.text)
    assert found is not None, f"{trigger} isn't offered: {headings(page)}"
    return client.get(found[0])


def sent(client: Client, page: Any, values: dict[str, Any], **files: tuple[str, bytes]) -> Any:  # noqa: ANN401
    """The form as a browser sends it, with its files."""
    where, contents, names = form_on(page)
    unknown = (set(values) | {f"_files.{one}" for one in files}) - names
    assert not unknown, f"the form has no {unknown}: it has {sorted(names)}"
    kept = {name: texts for name, texts in contents.items() if not name.startswith("_files.")}
    sending = [(f"_files.{name}", (called, content, "image/jpeg")) for name, (called, content) in files.items()]
    return client.post(where, data={**kept, **values}, files=sending)


def test_a_photo_goes_with_the_report_and_stands_with_its_step_on_the_case(door: Door) -> None:
    number = whistled(door, "小宁")
    client = door.client("officer@street")
    page = step(door, client, number, "report_in")
    told = sent(client, page, {"where": "校门口", "mode": "on_site", "people": "一人"},
                evidence=("门口.jpg", papers.photo(place=True)))  # fmt: skip
    case = follow(client, told)
    assert "门口.jpg" in case.text
    address = re.search(rf"/cases/{number}/files/([0-9a-f]{{64}})/picture", case.text)
    assert address is not None, headings(case)
    small = client.get(address[0])
    assert small.headers["content-type"] == "image/jpeg"
    assert small.headers["cache-control"] == "no-store"
    assert len(small.content) < 20_000
    assert client.get(f"/cases/{number}/files/{address[1]}").status_code == 200
    seen = door.client("counselor").get(f"/cases/{number}").text
    assert "图片缩略图" in seen, "who has looked at pictures is written down"
    for who in ("officer@street#2", "liaison@hospital", "auditor@district"):
        assert door.client(who).get(address[0]).status_code == 404, who


def test_a_refused_file_says_what_would_be_right_and_nothing_typed_is_lost(door: Door) -> None:
    number = whistled(door, "小安")
    client = door.client("officer@street", "en")
    page = step(door, client, number, "report_in")
    typed = {"where": "the gate", "mode": "phone", "people": "", "note": "wait <b>here</b>"}
    told = sent(client, page, typed, evidence=("list.docx", b"PK\x03\x04" + b"\0" * 200))
    assert told.status_code == 422
    assert "list.docx: such a file" in told.text
    assert "photos (JPEG, PNG, WebP), scans (TIFF) and PDF are" in told.text
    assert "Who came: this is needed" in told.text, "whatever else is wrong is said at once"
    assert form_on(told)[1]["where"] == ["the gate"]
    assert form_on(told)[1]["note"] == ["wait <b>here</b>"]


def test_a_good_file_beside_a_faulty_field_need_not_be_sent_again(door: Door) -> None:
    number = whistled(door, "小平")
    client = door.client("officer@street")
    page = step(door, client, number, "report_in")
    told = sent(client, page, {"where": "", "people": "一人"}, evidence=("走廊.jpg", papers.photo(64, 32)))
    assert told.status_code == 422
    (reference,) = [one for one in form_on(told)[1]["evidence"] if one]
    assert reference.startswith("file:"), "it stands ticked"
    case = follow(client, sent(client, told, {"where": "走廊"}))
    assert "走廊.jpg" in case.text
    assert case.text.count(f"files/{reference.removeprefix('file:')}/picture") == 2, "at its step, and among the files"


def test_the_same_form_sent_twice_with_its_photo_does_it_once(door: Door) -> None:
    number = whistled(door, "小双")
    client = door.client("officer@street")
    page = step(door, client, number, "report_in")
    said = {"where": "教室", "people": "一人"}
    first = sent(client, page, said, evidence=("教室.jpg", papers.photo(80, 80)))
    second = sent(client, page, said, evidence=("教室.jpg", papers.photo(80, 80)))
    assert first.status_code == second.status_code == 303
    assert first.headers["location"] == second.headers["location"]


def test_a_whistle_can_bring_its_photos_along(door: Door) -> None:
    client = door.client("counselor")
    who = {"student.name": "小照", "student.born": "2014-01-02"}
    page = follow(client, client.post("/whistle", data={**form_on(client.get("/whistle"))[1], **who}))
    what = {"concern": "harmful_home", "level": "red", "summary": "手臂有新近划痕。"}
    where, contents, _ = form_on(page)
    page = follow(client, client.post(where, data={**contents, **what}))
    told = follow(client, sent(client, page, {"already": "专人陪护"}, evidence=("手臂.jpg", papers.photo(90, 60))))
    assert "已上传 1 个" in told.text
    where, contents, _ = form_on(told)
    case = follow(client, client.post(where, data=contents))
    assert "手臂.jpg" in case.text
    assert "手臂.jpg" in door.client("officer@street").get(case.url.path).text


def test_a_phrase_of_the_list_joins_what_was_typed(door: Door) -> None:
    number = whistled(door, "小句")
    client = door.client("officer@street")
    page = step(door, client, number, "report_in")
    said = {"where": "家中", "people": "一人", "note": "三楼。", "_phrase.note": "家长已到场。"}
    case = follow(client, sent(client, page, said))
    assert "三楼。\n家长已到场。" in case.text


def test_what_a_form_answers_to_stands_above_it_for_whoever_may_read_it(door: Door) -> None:
    submitted = {"concern": "left_behind", "level": "yellow", "summary": "早上没有吃饭。",
                 "student": {"name": "小早", "born": "2014-05-07"}}  # fmt: skip
    number = door.town.fire("counselor@school", None, 0, "submit", submitted, door.now).case.number
    page = door.client("principal").get(f"/cases/{number}/tracks/0/sign_off")
    assert "此前的情况" in page.text
    assert "早上没有吃饭。" in page.text


def test_nobody_who_owes_little_has_an_empty_first_page(door: Door) -> None:
    number = whistled(door, "小空")
    wanted = {
        "mentor@school": "/whistle",
        "deputy@school": f"/cases/{number}",
        "codirector@street": f"/cases/{number}",
        "auditor@district": "/admin/log",
        "admin@district": "/admin/organisations",
        "supervisor@district": "/board",
        "officer@court": "/search",
    }
    for who, path in wanted.items():
        client = door.client(who)
        page = client.get("/")
        assert f'href="{path}"' in page.text.partition("<main")[2], who
        assert client.get(path).status_code == 200, who


def test_a_codirector_acknowledges_for_the_street(door: Door) -> None:
    number = whistled(door, "小联")
    page = door.client("codirector@street").get("/")
    assert re.search(rf'action="/cases/{number}/tracks/\d+/acknowledge"', page.text)


def test_groups_stand_one_under_the_other_the_most_pressing_first(door: Door) -> None:
    for place in range(7):
        whistled(door, f"小群{place}")
    page = door.client("officer@street").get("/").text
    assert page.index("待签收 <span") < page.index("处置中 <span")
    assert re.search(r"全部 \d+ 件：待签收", page), "the rest of a group is one tap away"
    assert door.client("officer@street").get("/?group=answer").text.count('class="tcard') > 6
