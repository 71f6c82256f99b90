"""What somebody typed into a form, as the values that a declared form checks; and kept as it was typed."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from starlette.datastructures import FormData

from api.given import number_of
from cases.forms import Field, Form

ROWS: Final = 4
"""Rows of a list of action items that a form shows."""
_SPLIT: Final = re.compile(r"[\s,，;；、%％]+")
_NOT_OURS: Final = frozenset({"csrf", "_key", "_version", "_events", "_back", "_sure"})
"""What a page carries for itself. Underlined, because a trigger may have a field `version` of its own."""
PHRASE: Final = "_phrase."
"""The list of canned phrases beside a field, for a browser without script: what is chosen there joins the text."""


class Typed:
    """The texts of a form by field name, `student.name` for one of a sub-form. Reads like a mapping of texts."""

    def __init__(self, texts: Mapping[str, list[str]]) -> None:
        self._texts = texts

    @classmethod
    def of(cls, posted: FormData) -> Typed:
        """Everything that was sent, save what belongs to the page itself."""
        texts: dict[str, list[str]] = {}
        phrases: list[tuple[str, str]] = []
        for name, value in posted.multi_items():
            if not isinstance(value, str) or name in _NOT_OURS or name.startswith("_files."):
                continue
            if name.startswith(PHRASE):
                phrases.append((name.removeprefix(PHRASE), value.strip()))
            else:
                texts.setdefault(name, []).append(value)
        for name, phrase in phrases:
            _add(texts, name, phrase)
        return cls(texts)

    @classmethod
    def nothing(cls, **given: str) -> Typed:
        """An empty form, or one with what is known already."""
        return cls({name: [value] for name, value in given.items()})

    def with_more(self, added: Mapping[str, list[str]]) -> Typed:
        """The same with further texts of these names: files that came along."""
        texts = {name: list(several) for name, several in self._texts.items()}
        for name, several in added.items():
            standing = texts.setdefault(name, [])
            standing += [one for one in several if one not in standing]
        return Typed(texts)

    @property
    def texts(self) -> Mapping[str, list[str]]:
        """Every text by its field."""
        return self._texts

    def with_one(self, name: str, text: str) -> Typed:
        """The same with that text in that field."""
        return Typed({**self._texts, name: [text]})

    def one(self, name: str) -> str:
        """The text of a field; empty without one."""
        return next(iter(self._texts.get(name, ())), "").strip()

    def raw(self, name: str) -> str:
        """As typed, blanks and all: what the field shows again."""
        return next(iter(self._texts.get(name, ())), "")

    def all(self, name: str) -> list[str]:
        """Every text of that name: boxes that were ticked."""
        return [one for one in self._texts.get(name, ()) if one.strip()]

    def each(self, name: str) -> list[str]:
        """Every text of that name in its place, the empty ones among them."""
        return list(self._texts.get(name, ()))

    def under(self, name: str) -> dict[str, str]:
        """The texts of a sub-form by their names in it, the empty ones left out."""
        start = f"{name}."
        return {key[len(start) :]: self.one(key) for key in self._texts if key.startswith(start) and self.one(key)}

    def items(self) -> list[tuple[str, str]]:
        """Each text with its name, for a page that carries them along unseen."""
        return [(name, one) for name, texts in self._texts.items() for one in texts]


def _add(texts: dict[str, list[str]], name: str, phrase: str) -> None:
    """A phrase at the end of what was typed; chosen twice it stands there once."""
    standing = texts.setdefault(name, [""])
    if phrase and phrase not in standing[0]:
        standing[0] = f"{standing[0].rstrip()}\n{phrase}" if standing[0].strip() else phrase


def values(form: Form, typed: Typed) -> dict[str, Any]:
    """What the form's fields hold; a field that was left empty is absent."""
    found: dict[str, Any] = {}
    for field in form.fields:
        value = _READ.get(field.kind, _text)(field, typed)
        # A conference may end without an action item: that is said by an empty list, not by a missing one.
        if value not in (None, "", [], {}) or field.kind == "items":
            found[field.name] = value
    return found


def lines(text: str) -> list[str]:
    """The lines of a text that say something."""
    return [one.strip() for one in text.splitlines() if one.strip()]


def student(typed: Typed, name: str = "student") -> dict[str, Any]:
    """The sub-form of a student."""
    found: dict[str, Any] = dict(typed.under(name))
    grade = str(found.get("grade", ""))
    if (number := number_of(grade)) is not None:
        found["grade"] = number
    if "guardians" in found:
        found["guardians"] = lines(typed.raw(f"{name}.guardians"))
    return found


def _text(field: Field, typed: Typed) -> object:
    return typed.one(field.name)


def _lines(field: Field, typed: Typed) -> object:
    return lines(typed.raw(field.name))


def _evidence(field: Field, typed: Typed) -> object:
    """The files that were ticked, and a line for what lies elsewhere."""
    return [line for text in typed.all(field.name) for line in lines(text)]


def _many(field: Field, typed: Typed) -> object:
    return typed.all(field.name)


def _yesno(field: Field, typed: Typed) -> object:
    return {"yes": True, "no": False}.get(typed.one(field.name))


def _student(field: Field, typed: Typed) -> object:
    return student(typed, field.name)


def _scores(field: Field, typed: Typed) -> object:
    found: dict[str, dict[str, str]] = {}
    for path, text in typed.under(field.name).items():
        organisation, _, part = path.partition(".")
        found.setdefault(organisation, {})[part] = text
    # A comment alone goes along: that its score is missing is said, and nothing typed is lost.
    return found


def _plan(field: Field, typed: Typed) -> object:
    found: dict[str, Any] = dict(typed.under(field.name))
    # A field for each fortnight, or all of them in one line.
    several = [text.strip() for text in typed.each(f"{field.name}.attendance")]
    while several and not several[-1]:
        several.pop()
    if several:
        # An empty fortnight before a filled one stays empty, and is refused: the later ones would move up.
        found["attendance"] = [one for text in several for one in (_SPLIT.split(text) if text else [""])]
    return found


def _items(field: Field, typed: Typed) -> object:
    found: dict[int, dict[str, str]] = {}
    for path, text in typed.under(field.name).items():
        row, _, part = path.partition(".")
        if (number := number_of(row)) is not None:
            found.setdefault(number, {})[part] = text
    return [found[row] for row in sorted(found)]


def _answers(field: Field, typed: Typed) -> object:
    return typed.under(field.name)


def _extra(field: Field, typed: Typed) -> object:
    text = typed.one(field.name)
    number = number_of(text)
    return text if number is None else number


_READ: Final[Mapping[str, Callable[[Field, Typed], object]]] = {
    "lines": _lines,
    "evidence": _evidence,
    "organisations": _many,
    "statutory": _many,
    "yesno": _yesno,
    "student": _student,
    "scores": _scores,
    "plan": _plan,
    "items": _items,
    "answers": _answers,
    "extra": _extra,
}
