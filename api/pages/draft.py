"""A whistle that isn't sent yet, read back from its own history: the newest of each answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from api.pages import words
from api.pages.filled import Typed, student
from api.pages.frame import Page
from api.pages.parts import concern_word, grade_word
from api.pages.telling import Entry, Teller
from cases import access, dossier
from cases.casefile import CaseFile
from cases.evidence import PREFIX
from cases.office import Session
from policies.book import Book

_DONE: Final = ("【已经采取的措施】", "[Done already]")
"""The heading under which what is done already stands in the summary; read back in either language."""
_SAID: Final = ("concern", "level", "summary", "statutory", "evidence")


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
    sent_back: Entry | None = None
    """Who has sent it back, when and why; None where nobody has."""

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

    def answers(self, written: Mapping[str, Any]) -> list[tuple[str, str, str]]:
        """Label, text and the step in which it is changed: to be checked before it is sent."""
        say, word = self.page.say, self.page.word
        found = [(label, text, "") for label, text in student_told(self.page, written)]
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


def student_told(page: Page, written: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Label and text of everything that is known of a student, in the reader's words."""
    found = []
    for name, value in written.items():
        label = words.FIELDS.get(name)
        text = grade_word(page.language, str(value)) if name == "grade" else _text(value)
        found.append((page.word(label) if label is not None else name, text))
    return found


def student_typed(written: Mapping[str, Any]) -> Typed:
    """An identity as the first step's form shows it again."""
    return Typed({f"student.{name}": [_text(value)] for name, value in written.items()})


def student_said(typed: Typed, known: Mapping[str, Any] = MappingProxyType({})) -> dict[str, Any]:
    """The first step's student. A guardian whom another system wrote in parts stands in the form as one line: where
    that wasn't touched, the parts stay.
    """
    said = student(typed)
    if "guardians" in said:
        whole = {_text(one): one for one in known.get("guardians") or ()}
        said["guardians"] = [whole.get(line, line) for line in said["guardians"]]
    return said


def _text(value: object) -> str:
    if isinstance(value, list):
        return "\n".join(_text(one) for one in value)
    return " ".join(str(one) for one in value.values()) if isinstance(value, Mapping) else str(value)


def read(page: Page, session: Session, file: CaseFile) -> Draft:
    """What the draft says. Reading it is a look at the narrative, and logged as one."""
    sight = access.Sight("yes", "yes", "no")
    history = dossier.told(session, file, sight, page.reader.actor, page.reader.now, "own draft")
    found: dict[str, Any] = {}
    returned = next((one for one in reversed(history) if one.name == "case.sent_back"), None)
    for one in history:
        said = {**one.open, **one.said}
        if {"concern", "level"} & said.keys():
            # The questions stand beside concern and level: what isn't ticked there any more was unticked.
            found.pop("statutory", None)
        found |= {name: value for name, value in said.items() if name in _SAID}
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
        sent_back=_entry(page, session, file, returned) if returned is not None else None,
    )


def _entry(page: Page, session: Session, file: CaseFile, one: dossier.Told) -> Entry:
    named = dossier.names(session, {one.actor} if one.actor is not None else set())
    return Teller(page, session, session.office.book_of(file.policy), named).entry(one)


def _parted(text: str) -> tuple[str, str]:
    for heading in _DONE:
        before, found, after = text.partition(f"\n\n{heading}\n")
        if found:
            return before, after
    return text, ""
