"""One field of a form as a template draws it, and what a form is drawn for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from api.pages.frame import Page
from cases.casefile import CaseFile
from cases.offers import Offer
from cases.office import Session
from policies.book import Book
from policies.vocabulary import Words


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing to choose; `group` is the heading under which a long list shows it."""

    value: str
    label: str
    group: str = ""
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class Widget:
    """One field as a template draws it. `look` names the macro; `parts` are the fields of a sub-form.

    `phrases` are what is often written there, `others` choices that stand aside, `series` label and text of each input
    where a field has several.
    """

    name: str
    look: str
    label: str
    hint: str = ""
    required: bool = True
    value: str = ""
    choices: tuple[Choice, ...] = ()
    parts: tuple[Widget, ...] = ()
    error: str = ""
    input: str = "text"
    attributes: tuple[tuple[str, str], ...] = ()
    phrases: tuple[str, ...] = ()
    others: tuple[Choice, ...] = ()
    series: tuple[tuple[str, str], ...] = ()

    @property
    def id(self) -> str:
        """What a link of the error summary leads to."""
        return "f-" + self.name.replace(".", "-")

    @property
    def grouped(self) -> list[tuple[str, list[Choice]]]:
        """The choices under their headings, in the order in which they are offered."""
        found: dict[str, list[Choice]] = {}
        for one in self.choices:
            found.setdefault(one.group, []).append(one)
        # One heading over everything says nothing.
        return list(found.items()) if len(found) > 1 else [("", list(self.choices))]

    @property
    def faulty(self) -> list[Widget]:
        """This widget or those of its parts that have a fault."""
        return ([self] if self.error else []) + [bad for part in self.parts for bad in part.faulty]


@dataclass(frozen=True, slots=True)
class Scene:
    """What a form is drawn for: the page, the case with its book, and the trigger. `keeps_files`: in a transaction that
    may open sections, so that the files' names can be offered.
    """

    page: Page
    session: Session
    book: Book
    kind: str
    trigger: str
    case: CaseFile | None = None
    offer: Offer | None = None
    keeps_files: bool = False

    def word(self, label: Words) -> str:
        return self.page.word(label)


def fault_of(faults: Mapping[str, str], name: str, *, deep: bool = True) -> str:
    """The fault of a field; that of a line or part inside it counts as its own where it has no widget."""
    plain = name.rstrip("_")
    for path, text in faults.items():
        if path.rstrip("_") == plain or (deep and path.startswith(f"{plain}.")):
            return text
    return ""
