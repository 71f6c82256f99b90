"""The stories, told through the pages by the people in them: what the file expects holds here too.

Time is the stage's own, and moves by the real sweep; only the acts go through a browser, each from my work or the
search, by the button that is offered. What is refused must be refused to a person as well: the button is absent or says
why, and whoever comes by an old address reads the reason in words.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from api.app import create
from api.house import House
from api.settings import Settings
from api.signin import cookies
from cases import standing
from cases.installation import Installation
from cases.intake import OPENING
from cases.play import policy_of, staged
from cases.refusal import CODES, Refusal
from cases.scenario.report import Outcome
from cases.scenario.script import read_script
from cases.scenario.stage import Stage
from cases.shelf import FolderShelf
from tests.browser.person import Person
from tests.browser.visit import DESK, PHONE, served

if TYPE_CHECKING:
    from fastapi import FastAPI
    from playwright.sync_api import Browser, BrowserContext

    from cases.scenario.address import Address
    from cases.scenario.address import Person as Part
    from cases.scenario.script import Step
    from cases.store import Store

STORIES = Path(__file__).parents[2] / "cases" / "samples" / "scenarios"
ORDINARY = ("nobody-answers",)
LONG = ("back-to-school-in-steps", "bruises-on-a-nine-year-old")
_TOLD = ("cases", "track", "clock", "event", "called", "message")
_ON_THE_MOVE = {"officer", "lead", "codirector"}


@dataclass
class Theatre:
    """The house that the audience can't see: the application over the stage's own database, and a browser."""

    app: FastAPI
    settings: Settings
    browser: Browser
    address: str = ""
    rooms: dict[int, BrowserContext] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)


@dataclass
class OnPages(Stage):
    """A stage whose acts are done in a browser."""

    theatre: Theatre | None = None

    def person(self, by: Part) -> Person:
        """That member's own browser, signed in: on a telephone for whoever is on the move."""
        theatre = self.theatre
        assert theatre is not None
        number = self.cast.people[by]
        room = theatre.rooms.get(number)
        if room is None:
            size = PHONE if by.role in _ON_THE_MOVE else DESK
            room = theatre.browser.new_context(
                viewport={"width": size[0], "height": size[1]}, locale="zh-CN", has_touch=size == PHONE,
                is_mobile=size == PHONE,
            )  # fmt: skip
            theatre.rooms[number] = room
            room.new_page().on("pageerror", lambda error: theatre.faults.append(str(error)))
        with self.store.begin() as connection:
            opened = standing.open_session(
                connection, number, self.now, length=theatre.settings.session_length,
                idle=theatre.settings.session_idle, strong=True,
            )  # fmt: skip
        name = cookies.session_name(theatre.settings)
        room.add_cookies([{"name": name, "value": opened.secret, "url": theatre.address}])
        return Person(room.pages[0], theatre.address)

    def _fire(self, step: Step, do: Address, by: Part) -> Refusal | None:
        number = self.cases[step.case - 1] if step.case <= len(self.cases) else None
        file = None if number is None else self.files[number]
        values = {name: self._resolved(one, file) for name, one in (step.form or {}).items()}
        move = self.office.tracks[do.kind or "case"].by_name[do.part or ""]
        person = self.person(by)
        if file is None and move.name in OPENING:
            person.whistle(move.form, values)
            number = self._newest()
            if number in self.cases:
                return self._told_why(person, step)
            self.cases.append(number)
            return None
        track = self._track(do, file)
        assert file is not None
        if person.case(file.number) == 404:
            return self._told_why(person, step)
        middle = "tracks/" if isinstance(track, int) else ""
        address = f"/cases/{file.number}/{middle}{track}/{move.name}"
        offered = person.step(address)
        if offered is None:
            # Nobody is shown a button that they have no right to; an old address says why, or its form does.
            answer = person.page.goto(person.address + address)
            if answer is not None and answer.ok and step.refused:
                person.fill(move.form, values)
                person.send()
            return self._told_why(person, step)
        if person.take(offered, address):
            person.fill(move.form, values)
            if person.send() >= 400:
                return self._told_why(person, step)
        return None

    def _told_why(self, person: Person, step: Step) -> Refusal:
        """The refusal that the page tells, as far as the story waits for one."""
        said = person.page.inner_text("main")
        if step.refused and (CODES[step.refused][0] in said or step.refused == "wrong_state"):
            return Refusal(step.refused)
        return Refusal("not_told", page=said[:400])

    def _newest(self) -> int:
        with self.store.read() as connection:
            return int(connection.execute(text("SELECT max(id) FROM cases WHERE state <> 'draft'")).scalar() or 0)

    def _fingerprint(self) -> dict[str, str]:
        """Of the case alone: whoever looks at a page is written down, refused or not."""
        parts = " UNION ALL ".join(
            f"SELECT '{name}', md5(string_agg(md5(t::text), '' ORDER BY md5(t::text))) FROM {name} t"  # noqa: S608
            for name in _TOLD
        )
        with self.store.read() as connection:
            return {name: str(digest) for name, digest in connection.execute(text(parts))}


@contextmanager
def told(browser: Browser, fresh: Store, story: str, shelf: Path) -> Iterator[OnPages]:
    """The story's cast on its stage, and the pages over it."""
    script = read_script(STORIES / f"{story}.yaml")
    book = policy_of(script)
    office, cast = staged(fresh, book, script)
    office.shelf = FolderShelf(shelf)
    made = OnPages(fresh, office, cast, script, Outcome(script.file, script.title, book.version))
    kept = Installation(fresh, office.keystore, office.master)
    settings = Settings()
    app = create(House(settings, kept, clock=lambda: made.now, office=office))
    theatre: Any = Theatre(app, settings, browser)
    made.theatre = theatre
    with served(theatre) as theatre.address:
        try:
            yield made
        finally:
            for room in theatre.rooms.values():
                room.close()


@pytest.mark.parametrize("story", [*ORDINARY, *(pytest.param(one, marks=pytest.mark.long) for one in LONG)])
def test_the_story_holds_when_its_people_tell_it_through_the_pages(
    browser: Browser, store: Store, story: str, tmp_path: Path
) -> None:
    with told(browser, store, story, tmp_path / "files") as stage:
        stage.play()
        failed = [f"{one.line}: {one.what}: {one.found.en}" for each in stage.outcome.moments for one in each.checks
                  if not one.ok]  # fmt: skip
        assert failed == []
        assert stage.theatre is not None
        assert stage.theatre.faults == []
