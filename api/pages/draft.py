"""A whistle that isn't sent yet, read back from its own history: the newest of each answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from api.pages import words
from api.pages.filled import Typed
from api.pages.frame import Page
from api.pages.parts import concern_word
from cases import access, dossier
from cases.casefile import CaseFile
from cases.evidence import PREFIX
from cases.office import Session
from policies.book import Book

_DONE: Final = ("【已经采取的措施】", "[Done already]")
"""The heading under which what is done already stands in the summary; read back in either language."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What a draft says so far."""

    page: Page
    book: Book
    concern: str = ""
    level: str = ""
    summary: str = ""
    done: str = ""
    statutory: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether it could be sent."""
        return bool(self.concern and self.level and self.summary)

    def joined(self, summary: str, done: str) -> str:
        """One text for the case: what happened, and under a heading of its own what is done already."""
        if not done:
            return summary
        return f"{summary}\n\n{_DONE[0 if self.page.language == 'zh_CN' else 1]}\n{done}"

    def form(self) -> dict[str, Any]:
        """As the trigger takes it; the student stands elsewhere."""
        whole = {
            "concern": self.concern,
            "level": self.level,
            "summary": self.joined(self.summary, self.done),
            "statutory": list(self.statutory),
            "evidence": list(self.evidence),
        }
        return {name: value for name, value in whole.items() if value}

    def typed(self) -> Typed:
        """As the forms show it again."""
        texts = {name: [value] for name, value in self.form().items() if isinstance(value, str)}
        texts |= {"summary": [self.summary], "already": [self.done], "statutory": list(self.statutory)}
        files = [one for one in self.evidence if one.startswith(PREFIX)]
        lines = [one for one in self.evidence if one not in files]
        return Typed({**texts, "evidence": [*files, "\n".join(lines)]})

    def answers(self, student: Mapping[str, Any]) -> list[tuple[str, str, str]]:
        """Label, text and the step in which it is changed: to be checked before it is sent."""
        say, word = self.page.say, self.page.word
        found = [
            (word(words.FIELDS[name]), _text(value), "") for name, value in student.items() if name in words.FIELDS
        ]
        level = words.CHOICES.get(f"level.{self.level}")
        found += [
            (word(words.FIELDS["concern"]), concern_word(self.page, self.book, self.concern), "what"),
            (word(words.FIELDS["level"]), word(level) if level is not None else say("not said yet"), "what"),
            (word(words.FIELDS["summary"]), self.summary or say("not said yet"), "what"),
            (word(words.FIELDS["statutory"]), self._statutory(), "what"),
            (say("Done already"), self.done or say("nothing yet"), "done"),
            (word(words.FIELDS["evidence"]), self._papers() or say("none"), "done"),
        ]
        return found

    def _papers(self) -> str:
        lines = [one for one in self.evidence if not one.startswith(PREFIX)]
        count = len(self.evidence) - len(lines)
        files = [self.page.say("%(count)s handed in") % {"count": count}] if count else []
        return "\n".join([*lines, *files])

    def _statutory(self) -> str:
        ticked = [self.page.word(self.book.statutory[one].label) for one in self.statutory]
        return "\n".join(ticked) or self.page.say("none of them")


def _text(value: object) -> str:
    if isinstance(value, list):
        return "\n".join(_text(one) for one in value)
    return " ".join(str(one) for one in value.values()) if isinstance(value, Mapping) else str(value)


def read(page: Page, session: Session, file: CaseFile) -> Draft:
    """What the draft says. Reading it is a look at the narrative, and logged as one."""
    sight = access.Sight("yes", "yes", "no")
    history = dossier.told(session, file, sight, page.reader.actor, page.reader.now, "own draft")
    found: dict[str, Any] = {}
    for one in history:
        said = {**one.open, **one.said}
        if {"concern", "level"} & said.keys():
            # The questions stand beside concern and level: what isn't ticked there any more was unticked.
            found.pop("statutory", None)
        found |= {name: value for name, value in said.items() if name in Draft.__dataclass_fields__}
    summary, done = _parted(str(found.get("summary", "")))
    return Draft(
        page,
        session.office.book_of(file.policy),
        concern=str(found.get("concern", "")),
        level=str(found.get("level", "")),
        summary=summary,
        done=done,
        statutory=tuple(found.get("statutory", ())),
        evidence=tuple(found.get("evidence", ())),
    )


def _parted(text: str) -> tuple[str, str]:
    for heading in _DONE:
        before, found, after = text.partition(f"\n\n{heading}\n")
        if found:
            return before, after
    return text, ""
