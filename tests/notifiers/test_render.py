"""Every kind of message has words in both languages, and a faulty template is told before anything is sent."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from notifiers.faults import TemplateFault
from notifiers.message import CALLED, KINDS, LANGUAGES, LEVELS, PLAIN, Entry, Message, Owed
from notifiers.render import Templates

NANJING = ZoneInfo("Asia/Shanghai")
LINK = "https://whistle.example/c/NJ-2026-000001?a=1&b=2"
DUE = datetime(2026, 3, 17, 0, 35, tzinfo=UTC)


@pytest.fixture(scope="module")
def templates() -> Templates:
    return Templates(NANJING)


def entry(number: str = "NJ-2026-000001", level: str = "red", kind: str = "owes") -> Entry:
    return Entry(number, level, kind, (Owed(("签收", "acknowledging"), DUE),), LINK)


def message(kind: str) -> Message:
    if kind in PLAIN:
        return Message(kind, (), LINK)
    if kind in {"joined", "digest"}:
        several = (entry(level="blue"), entry("NJ-2026-000002", "yellow", "breached"))
        return Message(kind, several, LINK, {"messages": 2, "overdue": 3, "due_today": 4, "opened": 5})
    return Message(kind, (entry(kind=kind),), LINK)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_says_number_level_what_until_when_and_where(templates: Templates, kind: str, language: str) -> None:
    rendered = templates.render(message(kind), language, "k")
    zh = language == "zh_CN"
    for part in (rendered.subject, rendered.text, rendered.html):
        assert bool(re.search("[一-龥]", part)) == zh
    assert LINK in rendered.text
    assert LINK in rendered.brief
    assert LINK.replace("&", "&amp;") in rendered.html
    for one in message(kind).entries:
        for part in (rendered.text, rendered.html):
            assert one.number in part
            assert LEVELS[one.level][0 if zh else 1] in part
            assert kind not in {"joined", "digest"} or CALLED[one.kind][0 if zh else 1] in part
    if kind not in {*PLAIN, "told"}:
        assert "08:35" in rendered.text
        assert ("签收" if zh else "acknowledging") in rendered.text


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_has_a_subject_of_its_own_that_fits_one_line(templates: Templates, kind: str) -> None:
    subjects = {one: templates.render(message(one), "zh_CN", "k").subject for one in KINDS}
    assert list(subjects.values()).count(subjects[kind]) == 1
    assert "\n" not in subjects[kind]
    assert len(subjects[kind]) < 60


def test_what_is_put_in_is_escaped_in_the_page_and_plain_in_the_text(templates: Templates) -> None:
    hostile = Entry("<script>&", "blue", "told", (), 'https://x/"><img>')
    rendered = templates.render(Message("told", (hostile,), hostile.link), "en", "k")
    assert "<script>" not in rendered.html
    assert "<img>" not in rendered.html
    assert "<script>&" in rendered.text


def overlaid(folder: Path, name: str, text: str) -> str:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return name


@pytest.mark.parametrize(
    ("text", "zh", "en"),
    [
        ("{{ studnet }}", "没有“studnet”这个字段", "there is no field 'studnet'"),
        ("{% for one in owed %}{{ one.whom }}{% endfor %}", "没有“whom”这个字段", "there is no field 'whom'"),
        ("{{ number ", "语法有误", ":1:"),
        ("{% include 'nowhere.txt' %}", "无法生成", "can't be rendered"),
        ("{{ ''.__class__.__mro__ }}", "__class__", "__class__"),
    ],
)
def test_a_faulty_template_of_an_installation_is_named_with_what_is_wrong(
    tmp_path: Path, text: str, zh: str, en: str
) -> None:
    name = overlaid(tmp_path, "warned/zh_CN/subject.txt", text)
    other = overlaid(tmp_path, "owes/en/body.html", "{{ nothing }}") if "{{ studnet" in text else name
    with pytest.raises(TemplateFault) as told:
        Templates(NANJING, tmp_path)
    for language, what in (("zh_CN", zh), ("en", en)):
        said = told.value.text(language)
        assert name in said
        assert other in said
        assert what in said


def test_an_installation_may_have_words_of_its_own(tmp_path: Path) -> None:
    overlaid(tmp_path, "told/zh_CN/subject.txt", "玄武区提醒您:{{ number }}")
    rendered = Templates(NANJING, tmp_path).render(message("told"), "zh_CN", "k")
    assert rendered.subject == "玄武区提醒您:NJ-2026-000001"
