"""From a declared form to what a template draws: a widget for each field, with its words, choices and faults."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

from api import problem_words
from api.given import number_of
from api.pages import choosing, phrases, words
from api.pages.filled import Typed
from api.pages.subforms import COMPOSED
from api.pages.widget import Choice, Scene, Widget, fault_of
from cases.evidence import PREFIX
from cases.files import listed
from cases.forms import Field
from cases.refusal import FieldFault
from policies.limits import Limit

__all__ = ["Choice", "Scene", "Widget", "drawn", "summary"]

_FEW: Final = 6
"""So many choices stand one under the other; more of them in a list that opens."""
_LONG: Final = frozenset({"text", "lines", "evidence"})
_CHOSEN: Final = frozenset(
    {"choice", "yesno", "five", "statutory", "organisation", "organisations", "track", "answers"}
)
"""The kinds of fields in which something is chosen instead of written."""
_INPUTS: Final[Mapping[str, str]] = {
    "date": "date", "moment": "datetime-local", "number": "number", "percent": "number", "hours": "number",
}  # fmt: skip
_BOUNDS: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    "percent": (("min", "0"), ("max", "100")),
    "hours": (("min", "0.5"), ("step", "0.5")),
}


def drawn(scene: Scene, fields: Iterable[Field], typed: Typed, faults: Sequence[FieldFault] = ()) -> list[Widget]:
    """A widget for each field, with what was typed and what is wrong with it."""
    shown = tuple(fields)
    chosen = {one.name for one in shown if one.kind in _CHOSEN or one.name == "programme"}
    said = _by_path(scene, faults, chosen)
    return [_widget(scene, field, typed, said) for field in shown]


def summary(widgets: Iterable[Widget]) -> list[Widget]:
    """What the error summary links to, in the order of the form."""
    return [bad for one in widgets for bad in one.faulty]


def _by_path(scene: Scene, faults: Sequence[FieldFault], chosen: Collection[str]) -> dict[str, str]:
    said: dict[str, list[str]] = {}
    for one in faults:
        # The codes that are known say nothing to whoever sees the choices themselves.
        facts = {name: fact for name, fact in one.facts.items() if name != "expected"}
        if one.code == "missing" and (one.name in chosen or _chosen_inside(one.name)):
            facts["wanted"] = "choice"
        text = problem_words.of_field(one.code, facts, scene.page.language)
        # Of several files it has to be said which one.
        colon = "：" if scene.page.language == "zh_CN" else ": "
        text = f"{one.facts['file']}{colon}{text}" if one.facts.get("file") else text
        said.setdefault(one.name, []).append(text)
    return {name: "; ".join(texts) for name, texts in said.items()}


def _chosen_inside(path: str) -> bool:
    """Whether that part of a sub-form is chosen: an organisation, a score, the answer to an item of a scale."""
    whole, _, part = path.rpartition(".")
    return bool(whole) and (part in {"organisation", "score"} or part.isdecimal())


def _widget(scene: Scene, field: Field, typed: Typed, faults: Mapping[str, str]) -> Widget:
    label = scene.word(words.field_label(scene.kind, scene.trigger, field.name))
    hint = scene.word(words.hint(scene.kind, scene.trigger, field.name))
    if field.kind == "extra":
        hint = _most(scene, typed) or hint
    common: dict[str, Any] = {"name": field.name, "label": label, "hint": hint, "required": field.required}
    composed = COMPOSED.get(field.kind)
    if composed is not None:
        return composed(scene, field, typed, faults, common)
    error = fault_of(faults, field.name)
    choices = choosing.choices_of(scene, field, typed)
    if choices is not None:
        if field.name == "scale" and typed.one("scale") in scene.book.scales:
            # Another scale has other items: it is chosen on a page before this one.
            choices = tuple(one for one in choices if one.chosen)
            return Widget(**common, look="fixed", choices=choices, error=error, value=typed.one("scale"))
        look = "boxes" if field.kind in {"statutory", "organisations"} else _look_of(field, choices, error)
        if look == "radios" and not field.required:
            # A dot once set can't be taken off again, save by another one.
            choices = (
                *choices,
                Choice("", scene.page.say("Not stated"), chosen=not any(one.chosen for one in choices)),
            )
        return Widget(**common, look=look, choices=choices, error=error, value=typed.one(field.name))
    value = typed.raw(field.name)
    if field.kind == "evidence":
        return _evidence(scene, field, typed, error, common)
    said = phrases.of(scene.kind, scene.trigger, field.name, scene.page.language, _school(scene))
    if field.kind in _LONG:
        return Widget(**common, look="area", value=value, error=error, phrases=said)
    return Widget(
        **common, look="line", value=value, error=error, input=_INPUTS.get(field.kind, "text"),
        attributes=_BOUNDS.get(field.kind, ()), phrases=said,
    )  # fmt: skip


def _most(scene: Scene, typed: Typed) -> str:
    """How long the limit is that is to be moved; empty where it isn't known yet which one."""
    about = typed.one("about")
    no = number_of(about)
    clock = scene.case.clock(no, "feedback") if scene.case is not None and no is not None else None
    limit = clock.face.limit if clock is not None else None
    if clock is None or not isinstance(limit, Limit):
        return ""
    said = (limit.half() if clock.face.half else limit).in_words(scene.page.language)
    return scene.page.say("The limit is %(limit)s: write how many more of the same, at most as much again.") % {
        "limit": said
    }


def _school(scene: Scene) -> str:
    """What the case's school is called: the place where it is most often."""
    if scene.case is None:
        return ""
    return scene.session.office.directory.organisation(scene.session.connection, scene.case.school).name


def _evidence(scene: Scene, field: Field, typed: Typed, error: str, common: dict[str, Any]) -> Widget:
    """A file to hand in, the files of the case to tick, and lines for what lies elsewhere.

    What came with this very form stands ticked, then what nothing refers to yet; what an earlier step has taken up
    stands aside.
    """
    said = typed.all(field.name)
    ticked = {one for one in said if one.startswith(PREFIX)}
    written = "\n".join(one for one in said if one not in ticked)
    near: list[Choice] = []
    aside: list[Choice] = []
    if scene.case is not None and scene.case.number and scene.keeps_files:
        page = scene.page
        for one in listed(scene.session, scene.case.number, page.reader.actor, page.reader.now):
            chosen = one.reference in ticked
            where = near if chosen or (one.event is None and one.member == page.reader.member.id) else aside
            where.append(Choice(one.reference, one.name, chosen=chosen))
    takes = "files" if scene.case is not None and scene.case.number else ""
    return Widget(
        **common, look="evidence", value=written, choices=tuple(near), others=tuple(aside), error=error, input=takes
    )


def _look_of(field: Field, choices: Sequence[Choice], error: str) -> str:
    if field.kind == "five":
        return "five"
    # What is wrong has to stand somewhere, and the summary's link has to lead there.
    if len(choices) == 1 and field.required and not error:
        return "fixed"
    return "radios" if len(choices) <= _FEW else "select"
