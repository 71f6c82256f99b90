"""Whole days of the people on whom it depends, clicked through in real Chromium, on a telephone and at a desk.

The ordinary run holds one combination of width and language for each role; all of them run by name (`-m long`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import update

from cases.people import member
from cases.shelf import FolderShelf
from tests.browser.person import Person
from tests.browser.visit import DESK, PHONE, Visit, visit
from tests.cases import papers
from tests.town import STUDENT

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from tests.api.door import Door

SIZES = {"desk": DESK, "phone": PHONE}
SUMMARY = {"zh_CN": "这几周情绪低落，课上睡觉。", "en": "Low mood for weeks, sleeps in class."}


def combinations(ordinary: str) -> list[Any]:
    """All of them, of which one is in the ordinary run: `phone zh_CN`."""
    found = []
    for size in SIZES:
        for language in ("zh_CN", "en"):
            name = f"{size} {language}"
            marks = () if name == ordinary else (pytest.mark.long,)
            found.append(pytest.param(size, language, id=name, marks=marks))
    return found


@dataclass
class Day:
    """One town, one language, one width; whoever comes in has a browser of their own."""

    browser: Browser
    door: Door
    address: str
    size: str
    language: str
    inside: list[tuple[str, Visit]] = field(default_factory=list)

    @contextmanager
    def of(self, who: str) -> Iterator[Person]:
        """That person's day at the pages; ends with no fault of a page, and nothing that hangs over the edge."""
        size = SIZES[self.size]
        with visit(self.browser, self.door, self.address, who, size=size, language=self.language) as made:
            self.inside.append((who, made))
            yield Person(made.page, self.address)
            self.inside.remove((who, made))
            # A form with a fault comes back as 422, which a browser writes down too.
            made.faults = [one for one in made.faults if "status of 422" not in one]
            wide = made.page.evaluate("document.documentElement.scrollWidth")
            assert wide <= size[0], f"{made.page.url} hangs over the edge: {wide}"

    def word(self, kind: str, trigger: str) -> str:
        """What a step is called."""
        label = self.door.town.office.tracks[kind].by_name[trigger].label
        said = label[0 if self.language == "zh_CN" else 1]
        return said[:1].upper() + said[1:]

    def say(self, chinese: str, english: str) -> str:
        return chinese if self.language == "zh_CN" else english

    def form(self, kind: str, trigger: str) -> Any:  # noqa: ANN401 - the declared form
        return self.door.town.office.tracks[kind].by_name[trigger].form

    def do(self, person: Person, number: str, kind: str, trigger: str, **values: Any) -> Page:  # noqa: ANN401
        """Open the case as one does, press the step's button, fill it in and send it."""
        assert person.case(number) == 200
        address = self.at(number, kind, trigger)
        step = person.step(address)
        assert step is not None, f"{trigger} isn't offered on {person.page.url}"
        if person.take(step, address):
            person.fill(self.form(kind, trigger), values)
            status = person.send()
            assert status < 400, person.page.inner_text("main")[:500]
        return person.page

    def at(self, number: str, kind: str, trigger: str) -> str:
        """The address of a step: of the newest track of that kind that isn't over, or of one that it opens."""
        move = self.door.town.office.tracks[kind].by_name[trigger]
        return f"/cases/{number}/{kind}/{trigger}" if move.opens else (
            f"/cases/{number}/tracks/{self.track(number, kind, trigger)}/{trigger}"
        )  # fmt: skip

    def track(self, number: str, kind: str, trigger: str) -> int:
        file = self.file(number)
        move = self.door.town.office.tracks[kind].by_name[trigger]
        found = [one.no for one in file.all_records() if one.kind == kind and one.state in (move.source or ())]
        return int(found[0])

    def file(self, number: str) -> Any:  # noqa: ANN401 - the case as it is
        from cases import loading
        from cases.office import Session

        with self.door.town.store.read() as connection:
            return loading.one_by_one(Session(connection, self.door.town.office), [number], lock=False)[0]

    def behind(self, who: str, number: str, kind: str, trigger: str, **form: Any) -> None:  # noqa: ANN401
        """What somebody else does meanwhile, without a browser."""
        self.door.town.fire(who, number, self.track(number, kind, trigger), trigger, form, self.door.now)

    def wait(self, **length: float) -> None:
        """Let time pass, with everything that falls due in it."""
        for _, made in self.inside:
            made.page.goto("about:blank")
        self.door.wait(**length)
        self.door.town.run_until(self.door.now)
        # A session doesn't last for days: everybody comes in anew.
        for who, made in self.inside:
            jar = self.door.client(who).cookies.jar
            made.context.add_cookies([{"name": one.name, "value": one.value or "", "url": self.address} for one in jar])


@pytest.fixture
def day(browser: Browser, door: Door, address: str, size: str, language: str, tmp_path: Path) -> Day:
    door.town.office.shelf = FolderShelf(tmp_path / "files")
    with door.town.store.begin() as connection:
        number = door.town.members["counselor@school"]
        connection.execute(update(member).where(member.c.id == number).values(phone="02583330001"))
    return Day(browser, door, address, size, language)


def photo(name: str = "现场.jpg", content: bytes = b"") -> Any:  # noqa: ANN401 - what Playwright takes
    return {"name": name, "mimeType": "image/jpeg", "buffer": content or papers.photo()}


def referral(day: Day) -> str:
    """A case with a referral that the hospital was asked for; its number."""
    number: str = day.door.town.whistle(at=day.door.now, concern="mental_illness", level="orange").case.number
    consent = {"guardian": "母亲", "signed_at": day.door.now.isoformat(), "form": ["同意书"]}
    day.behind("counselor@school", number, "referral", "give_consent", **consent)
    return number


@pytest.mark.parametrize(("size", "language"), combinations("phone zh_CN"))
def test_the_street_answers_reports_and_feeds_back_from_a_telephone(day: Day) -> None:
    number = day.door.town.whistle(at=day.door.now, level="orange").case.number
    with day.of("officer@street") as officer:
        page = officer.home()
        assert page.get_by_role("heading", name=day.say("待签收", "To acknowledge")).is_visible()
        assert page.locator("a[href='tel:02583330001']").first.is_visible()
        page.get_by_role("button", name=day.word("assignment", "acknowledge")).first.click()
        page.get_by_role("button", name=day.say("撤销（5 分钟内）", "Undo (within 5 minutes)")).click()
        page.get_by_role("button", name=day.word("assignment", "acknowledge")).first.click()
        page.wait_for_selector(".undo")
        # At the school gate: a HEIC photo is refused, and nothing of the rest is lost.
        page.locator("main").get_by_role("link", name=day.word("assignment", "report_in")).first.click()
        page.get_by_role("button", name=day.say("学生家中", "the student's home")).click()
        page.get_by_role("button", name=day.say("家长已到场", "The parents are here")).click()
        heic = b"\0\0\0\x18ftypheic" + b"\0" * 64
        page.locator("[name='_files.evidence']").set_input_files([photo("IMG_1.heic", heic), photo("门口.jpg")])
        assert officer.send() == 422
        assert "HEIC" in page.locator(".errsum").inner_text()
        assert page.input_value("[name=where]") == day.say("学生家中", "the student's home")
        assert page.get_by_label("门口.jpg").is_checked()
        page.locator("[name='_files.evidence']").set_input_files(photo(content=papers.photo(200, 100)))
        assert officer.send() == 200
        assert page.locator(".shelf img").count() == 2
        thumbnail = page.locator(".shelf img").first
        thumbnail.scroll_into_view_if_needed()
        page.wait_for_function("one => one.complete && one.naturalWidth > 0", arg=thumbnail.element_handle())
        dock = page.locator(".dock")
        assert dock.is_visible() == (day.size == "phone")
        # More time, then what was done, in phrases.
        officer.home()
        page.locator("main").get_by_role("link", name=day.word("extension", "request")).first.click()
        page.get_by_role("button", name=day.say("家长在外地", "The parents are away")).click()
        page.fill("[name=extra]", "2")
        assert officer.send() == 200, page.inner_text("main")[:400]
        officer.home()
        page.locator("main").get_by_role("link", name=f"{day.word('assignment', 'give_feedback')} {number}").click()
        page.get_by_role("button", name=day.say("已入户走访", "Visited the home")).click()
        page.get_by_role("button", name=day.say("已见到学生本人", "Saw the student")).click()
        page.check("[name=outcome][value=partly]")
        assert officer.send() == 200
        assert day.say("已入户走访", "Visited the home") in page.inner_text("#events")


@pytest.mark.parametrize(("size", "language"), combinations("phone en"))
def test_the_lead_declines_and_finishes_what_a_conference_asked(day: Day) -> None:
    town = day.door.town
    declined = town.whistle(at=day.door.now, level="orange").case.number
    number = town.whistle(at=day.door.now, student={**STUDENT, "name": "小林"}).case.number
    day.door.town.fire("coordinator@district", number, "conference", "call",
                       {"topic": "t", "invited": [town.places["street"].id]}, day.door.now)  # fmt: skip
    day.behind("coordinator@district", number, "conference", "schedule", at=day.door.now.isoformat(), where="区")
    day.behind("coordinator@district", number, "conference", "hold", present=["街道"])
    item = {"organisation": town.places["street"].id, "what": "每日探访", "limit": "2d"}
    day.behind("coordinator@district", number, "conference", "minute", minutes="m", items=[item])
    with day.of("lead@street") as lead:
        page = lead.home()
        page.locator("main").get_by_role("link", name=f"{day.word('assignment', 'decline')} {declined}").click()
        page.get_by_role("button", name=day.say("学生家庭不在本辖区", "The family doesn't live")).click()
        lead.choose("proposed", str(town.places["street#2"].id))
        assert lead.send() == 200
        assert day.file(declined).of_kind("assignment")[0].state in {"disputed", "summoned"}
        assert any(one.state == "disputed" for one in day.file(declined).of_kind("assignment"))
        lead.home()
        page.locator("main").get_by_role("link", name=day.word("action_item", "finish")).first.click()
        assert "每日探访" in page.locator(".beside").inner_text()
        page.get_by_role("button", name=day.say("已按会商要求完成", "Done as the conference asked")).click()
        assert lead.send() == 200
    assert [one.state for one in day.file(number).of_kind("action_item")] == ["done"]


@pytest.mark.parametrize(("size", "language"), combinations("desk zh_CN"))
def test_the_school_signs_off_refers_plans_the_return_and_closes(day: Day) -> None:
    town = day.door.town
    with day.of("counselor@school") as counselor, day.of("principal@school") as principal:
        what = {"student": STUDENT, "concern": "mental_illness", "level": "yellow", "summary": SUMMARY[day.language]}
        counselor.whistle(day.form("case", "submit"), what)
        number = counselor.page.url.rpartition("/")[2].partition("?")[0]
        page = principal.home()
        page.locator("main").get_by_role("link", name=day.word("case", "sign_off")).first.click()
        assert SUMMARY[day.language] in page.locator(".beside").inner_text(), "one signs what one has before oneself"
        assert principal.send() == 200
        # The guardian's consent, photographed.
        page = day.do(counselor, number, "referral", "give_consent", guardian="母亲", signed_at=day.door.now,
                      form=["consent.jpg"])  # fmt: skip
        assert page.locator(".shelf img").count() == 1
        for trigger, form in _AT_THE_HOSPITAL:
            day.behind("liaison@hospital", number, "referral", trigger, **{
                key: day.door.now.isoformat() if value == "now" else value for key, value in form.items()
            })  # fmt: skip
        plan = {"attendance": [50, 75, 100], "mentor": "周老师", "watch_points": "睡眠"}
        page = day.do(principal, number, "return_to_school", "school_sign", assessment="已准备", plan=plan)
        assert "50% → 75% → 100%" in page.inner_text("#events")
        day.do(counselor, number, "return_to_school", "record_return", day=day.door.now.date())
        for mood in ("2", "4"):
            day.wait(days=7, hours=1)
            page = day.do(counselor, number, "check_in", "file_school", attendance="75", mood=mood, sleep="3",
                          peers="3", risk="none")  # fmt: skip
        assert page.locator("svg.chart[role=img] path.l2").count() == 1, "mood is a line over the weeks"
        assert page.locator("svg.chart[role=img] path.d2").count() == 2
        day.behind("liaison@hospital", number, "check_in", "file_hospital", adherence="full", risk="none")
        day.behind("liaison@hospital", number, "return_to_school", "declare_stable")
        day.do(counselor, number, "return_to_school", "declare_stable")
        # What the street and the others have done is accepted with their words in view.
        for record in day.file(number).of_kind("assignment"):
            who = next(name for name, place in town.places.items() if place.id == record.organisation)
            came = {"at": day.door.now.isoformat(), "where": "x", "mode": "phone", "people": ["一人"]}
            town.fire(f"officer@{who}", number, record.no, "report_in", came, day.door.now)
            done = {"measures": f"已走访 {who}", "outcome": "solved"}
            town.fire(f"officer@{who}", number, record.no, "give_feedback", done, day.door.now)
            page = counselor.home()
            page.locator("main").get_by_role("link", name=day.word("assignment", "accept_feedback")).first.click()
            assert f"已走访 {who}" in page.locator(".beside").inner_text()
            assert counselor.send() == 200
        assert counselor.case(number) == 200
        step = counselor.step(day.at(number, "case", "evaluate"))
        assert step is not None
        counselor.take(step, day.at(number, "case", "evaluate"))
        for five in counselor.page.locator("main input[type=radio][value='5']").all():
            five.check()
        assert counselor.send() == 200, counselor.page.inner_text("main")[:300]
        page = day.do(principal, number, "case", "close", outcome="resolved", summary="情况稳定")
        assert day.say("已结案", "closed") in page.inner_text("main")


_AT_THE_HOSPITAL: tuple[tuple[str, dict[str, str]], ...] = (
    ("accept", {}),
    ("record_visit", {"seen_at": "now", "mode": "outpatient"}),
    ("complete", {"summary": "好转", "opinion": "fit"}),
)


def _second_key(day: Day, liaison: Person, number: str) -> None:
    """The hospital's key on the return, with the school's plan in view, and its half of a check-in."""
    plan = {"attendance": [50, 100], "mentor": "周老师", "watch_points": "睡眠"}
    day.behind("principal@school", number, "return_to_school", "school_sign", assessment="已准备", plan=plan)
    page = liaison.home()
    page.locator("main").get_by_role("link", name=day.word("return_to_school", "hospital_sign")).first.click()
    assert "50% → 100%" in page.locator(".beside").inner_text()
    page.check("[name=opinion][value=fit]")
    assert liaison.send() == 200
    assert day.file(number).of_kind("return_to_school")[0].state == "planned"
    day.behind("counselor@school", number, "return_to_school", "record_return",
               day=day.door.now.date().isoformat())  # fmt: skip
    day.wait(days=14, hours=1)
    page = liaison.home()
    page.locator("main").get_by_role("link", name=day.word("check_in", "file_hospital")).first.click()
    page.check("[name=adherence][value=full]")
    page.check("[name=risk][value=none]")
    page.get_by_role("button", name=day.say("按计划继续复学", "Go on with the plan")).click()
    assert liaison.send() == 200


@pytest.mark.parametrize(("size", "language"), combinations("desk en"))
def test_the_hospital_accepts_sees_treats_completes_and_holds_the_second_key(day: Day) -> None:
    number = referral(day)
    with day.of("liaison@hospital") as liaison:
        page = liaison.home()
        assert page.get_by_role("heading", name=day.say("待接诊", "To accept")).is_visible()
        page.get_by_role("button", name=day.word("referral", "accept")).click()
        # An appointment that isn't kept, and another one.
        tomorrow = day.door.now + timedelta(days=1)
        page.locator("main").get_by_role("link", name=day.word("referral", "schedule")).first.click()
        liaison.fill(day.form("referral", "schedule"), {"at": tomorrow})
        page.get_by_role("button", name=day.say("儿少精神科门诊", "outpatient clinic for children")).click()
        assert liaison.send() == 200
        day.wait(days=1, hours=1)
        page = liaison.home()
        assert page.get_by_text(day.say("预约", "Appointment")).first.is_visible()
        day.do(liaison, number, "referral", "record_no_show")
        day.do(liaison, number, "referral", "schedule", at=day.door.now + timedelta(hours=2), where="门诊 3 室")
        day.wait(hours=3)
        day.do(liaison, number, "referral", "record_visit", seen_at=day.door.now - timedelta(minutes=30),
               mode="outpatient")  # fmt: skip
        after = (day.door.now + timedelta(days=14)).date()
        page = day.do(liaison, number, "referral", "update_treatment", status="开始治疗", next_visit=after,
                      clinical_note="只给医院和心理教师")  # fmt: skip
        assert page.locator(".stepper .done").count() == 3, "the hospital's own steps stand above its case"
        liaison.home()
        assert page.get_by_text(day.say("下次复诊", "Next visit")).first.is_visible()
        page = day.do(liaison, number, "referral", "complete", summary="稳定", opinion="not_yet",
                      evidence=["discharge.jpg"])  # fmt: skip
        assert page.locator(".shelf img").count() == 1
        _second_key(day, liaison, number)
    with day.of("principal@school") as principal:
        assert principal.case(number) == 200
        assert "只给医院和心理教师" not in principal.page.content()
        assert principal.page.locator(".shelf img").count() == 0, "medical papers are for hospital and counselor"


@pytest.mark.parametrize(("size", "language"), [pytest.param("phone", "zh_CN", id="phone zh_CN")])
def test_without_script_phrases_are_a_list_and_files_go_along_all_the_same(day: Day) -> None:
    number = day.door.town.whistle(at=day.door.now).case.number
    with visit(day.browser, day.door, day.address, "officer@street", size=PHONE, script=False) as made:
        officer = Person(made.page, day.address)
        officer.case(number)
        step = officer.step(day.at(number, "assignment", "report_in"))
        assert step is not None
        officer.take(step, day.at(number, "assignment", "report_in"))
        made.page.fill("[name=where]", "校门口")
        made.page.select_option("[name='_phrase.note']", index=1)
        made.page.locator("[name='_files.evidence']").set_input_files(photo())
        assert officer.send() == 200
        assert "学生现在安全" in made.page.inner_text("#events")
        assert made.page.locator(".shelf img").count() == 1
