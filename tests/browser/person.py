"""A person at the pages: finds a step where it is offered, clicks it, fills its form in as it stands, and sends it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from cases.forms import Field, Form
from tests.cases import papers

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page, Response

ZONE = ZoneInfo("Asia/Shanghai")


@dataclass
class Person:
    """Somebody before a browser that shows a page of ours."""

    page: Page
    address: str

    # ------------------------------------------------------------ finding a step

    def home(self) -> Page:
        """My work, by the link that is on every page."""
        if self.page.url.startswith(self.address):
            self.click(self.page.locator("a.brand"))
        else:
            self.page.goto(self.address + "/")
        return self.page

    def click(self, what: Locator) -> int:
        """Click something that leads to a page; its status."""
        return self.going(what.click)

    def going(self, act: Callable[[], object]) -> int:
        """Do what leads to a page; its status."""
        with self.page.expect_navigation() as going:
            act()
        answer: Response | None = going.value
        if answer is not None:
            return answer.status
        # Now and then the driver loses the answer of a page that has come all the same; the page itself knows.
        return int(self.page.evaluate("performance.getEntriesByType('navigation')[0].responseStatus"))

    def case(self, number: str) -> int:
        """The case: from my work where it is listed there, else by its number. The status of what came."""
        self.home()
        listed = self.page.locator(f"main a[href='/cases/{number}']:visible")
        if listed.count():
            return self.click(listed.first)
        if self.page.locator("nav a[href='/search']").count():
            self.page.goto(self.address + "/search")
            self.page.fill("#q", number)
            status = self.click(self.page.locator("main form button[type=submit]"))
            if f"/cases/{number}" in self.page.url:
                return status
        answer = self.page.goto(f"{self.address}/cases/{number}")
        return answer.status if answer else 0

    def step(self, address: str) -> Locator | None:
        """The link or the button to a step on the page that is open; None where it isn't offered."""
        link = self.page.locator(f"main a[href='{address}'], main a[href^='{address}?']")
        tap = self.page.locator(f"main form[action='{address}'] button[type=submit]")
        for found in (tap, link):
            for one in found.all():
                if not one.is_visible():
                    # It may stand in what is folded.
                    for folded in self.page.locator("main details:not([open]) > summary").all():
                        folded.click()
                if one.is_visible():
                    return one
        return None

    def take(self, step: Locator, address: str) -> bool:
        """Click a step; whether its form is open now (one tap does those without a form)."""
        self.click(step)
        return self.page.url.partition("?")[0] == self.address + address

    # -------------------------------------------------------------- its form

    def fill(self, form: Form, values: Mapping[str, Any]) -> None:
        """Every field for which there is a value."""
        for field in form.fields:
            name = field.name
            value = values.get(name, values.get(name.rstrip("_")))
            if value is not None:
                _WAYS.get(field.kind, Person.write)(self, field, value)

    def send(self) -> int:
        """Press the form's own button; the status of what came back."""
        # By its key: in a long form on an emulated telephone the driver's pointer misses what it has scrolled to.
        button = self.page.locator("main form button.btn-primary, main form button.btn-danger").last
        return self.going(lambda: button.press("Enter"))

    def write(self, field: Field, value: object) -> None:
        if self.page.locator(f"main select[name='{field.name}'], main input[name='{field.name}'][type=radio]").count():
            self.choose(field.name, str(value))
        else:
            self.put(field.name, str(value))

    def put(self, name: str, text: str) -> None:
        """A text into the field of that name."""
        self.page.locator(f"main [name='{name}']").last.fill(text)

    def pick(self, field: Field, value: object) -> None:
        """One of several: a button, or an entry of a list."""
        said = {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else str(value)
        self.choose(field.name, said)

    def choose(self, name: str, value: str) -> None:
        """By the value of a choice."""
        listed = self.page.locator(f"main select[name='{name}']")
        if listed.count():
            listed.select_option(value)
            return
        one = self.page.locator(f"main input[name='{name}'][value='{value}']")
        if one.get_attribute("type") != "hidden":
            one.check()

    def tick(self, field: Field, value: Sequence[object]) -> None:
        for one in [value] if isinstance(value, str) else value:
            self.choose(field.name, str(one))

    def lines(self, field: Field, value: Sequence[object]) -> None:
        self.put(field.name, "\n".join([value] if isinstance(value, str) else [str(one) for one in value]))

    def moment(self, field: Field, value: object) -> None:
        if isinstance(value, datetime):
            value = value.astimezone(ZONE).replace(tzinfo=None) if value.tzinfo else value
            value = f"{value:%Y-%m-%dT%H:%M}"
        self.put(field.name, str(value)[:16])

    def day(self, field: Field, value: object) -> None:
        self.put(field.name, value.isoformat() if isinstance(value, date) else str(value))

    def paper(self, field: Field, value: Sequence[object]) -> None:
        """A photo of each paper, handed in with the form."""
        named = [value] if isinstance(value, str) else [str(one) for one in value]
        sent = [
            {"name": f"{one.rpartition('.')[0] or one}.jpg", "mimeType": "image/jpeg", "buffer": papers.photo()}
            for one in named
        ]
        self.page.locator(f"main [name='_files.{field.name}']").set_input_files(sent)  # type: ignore[arg-type]

    def student(self, field: Field, value: Mapping[str, object]) -> None:
        for name, said in value.items():
            if name == "grade":
                self.page.locator("main [name='student.grade']").select_option(str(said))
            elif name == "guardians" and not isinstance(said, str):
                self.put("student.guardians", "\n".join(str(one) for one in said))  # type: ignore[attr-defined]
            else:
                self.put(f"{field.name}.{name}", str(said))

    def plan(self, field: Field, value: Mapping[str, Any]) -> None:
        for place, one in enumerate(value["attendance"]):
            self.page.locator(f"main [name='{field.name}.attendance']").nth(place).fill(str(one))
        for name in value.keys() - {"attendance"}:
            self.put(f"{field.name}.{name}", str(value[name]))

    def scores(self, field: Field, value: Mapping[object, Mapping[str, object]]) -> None:
        for number, one in value.items():
            self.choose(f"{field.name}.{number}.score", str(one["score"]))
            if one.get("comment"):
                self.put(f"{field.name}.{number}.comment", str(one["comment"]))

    def items(self, field: Field, value: Sequence[Mapping[str, object]]) -> None:
        for place, one in enumerate(value):
            self.choose(f"{field.name}.{place}.organisation", str(one["organisation"]))
            self.put(f"{field.name}.{place}.what", str(one["what"]))
            self.put(f"{field.name}.{place}.limit", str(one["limit"]))

    def answers(self, field: Field, value: Mapping[str, object]) -> None:
        for number, one in value.items():
            self.choose(f"{field.name}.{number}", str(one))

    # ------------------------------------------------------------- the whistle

    def whistle(self, form: Form, values: Mapping[str, Any]) -> int:
        """The three steps and the check at the end. The status of the last answer."""
        self.home()
        self.page.goto(self.address + "/whistle")
        by_name = {one.name: one for one in form.fields}

        def some(*names: str) -> None:
            self.fill(Form(tuple(by_name[one] for one in names if one in by_name)), values)

        school = ("school",) if self.page.locator("main [name='school']").count() else ()
        for names in ((*school, "student"), ("concern", "level", "summary", "statutory"), ("evidence",)):
            some(*(one for one in names if one in values))
            status = self.send()
            if status >= 400:
                return status
        return self.send()


_WAYS: Mapping[str, Callable[[Person, Field, Any], None]] = {
    "choice": Person.pick,
    "yesno": Person.pick,
    "five": Person.pick,
    "organisation": Person.pick,
    "track": Person.pick,
    "organisations": Person.tick,
    "statutory": Person.tick,
    "lines": Person.lines,
    "moment": Person.moment,
    "date": Person.day,
    "evidence": Person.paper,
    "student": Person.student,
    "plan": Person.plan,
    "scores": Person.scores,
    "items": Person.items,
    "answers": Person.answers,
}
