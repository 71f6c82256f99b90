"""Fields that are forms themselves: the student, the scores, the plan, action items, the answers of a scale."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from api.pages import choosing, words
from api.pages.filled import ROWS, Typed
from api.pages.parts import GRADES, grade_word
from api.pages.scale_texts import sheet_of
from api.pages.widget import Choice, Scene, Widget, fault_of
from cases.closing import scorable
from cases.forms import Field
from policies.parts import Scale
from policies.vocabulary import Words

FORTNIGHTS: Final = 6
"""So many steps of a plan have a field of their own."""


def _part(
    scene: Scene,
    path: str,
    typed: Typed,
    faults: Mapping[str, str],
    *,
    look: str = "line",
    **more: Any,  # noqa: ANN401
) -> Widget:
    """One field of a sub-form."""
    name = path.rpartition(".")[2]
    label = more.pop("label", None) or scene.word(words.FIELDS[name])
    hint = scene.word(words.HINTS.get(name, Words("", "")))
    value = typed.raw(path)
    return Widget(path, look, label, hint, value=value, error=fault_of(faults, path), **more)


def _student(scene: Scene, field: Field, typed: Typed, faults: Mapping[str, str], common: dict[str, Any]) -> Widget:
    at = field.name
    born: dict[str, Any] = {"input": "date", "required": field.required}
    parts = (
        _part(scene, f"{at}.name", typed, faults, required=field.required),
        _part(scene, f"{at}.born", typed, faults, **born),
        _part(scene, f"{at}.grade", typed, faults, look="select", required=False, choices=_grades(scene, typed, at)),
        _part(scene, f"{at}.class", typed, faults, required=False),
        _part(scene, f"{at}.id_number", typed, faults, required=False),
        _part(scene, f"{at}.guardians", typed, faults, look="area", required=False),
        _part(scene, f"{at}.address", typed, faults, required=False),
    )
    return Widget(**common, look="group", parts=parts, error=fault_of(faults, at, deep=False))


def _grades(scene: Scene, typed: Typed, at: str) -> tuple[Choice, ...]:
    """Kindergarten to the last year; and what a school wrote otherwise, so that nothing is lost."""
    chosen = typed.one(f"{at}.grade")
    offered = [str(one) for one in GRADES]
    if chosen and chosen not in offered:
        offered.append(chosen)
    return tuple(Choice(one, grade_word(scene.page.language, one), chosen=one == chosen) for one in offered)


def _scores(scene: Scene, field: Field, typed: Typed, faults: Mapping[str, str], common: dict[str, Any]) -> Widget:
    may, must = scorable(scene.case) if scene.case is not None else (set(), set())
    parts = []
    lead = _lead(scene)
    for number in sorted(may, key=lambda one: (one != lead, one)):
        place = scene.session.office.directory.organisation(scene.session.connection, number)
        at = f"{field.name}.{number}"
        chosen = typed.one(f"{at}.score")
        fives = tuple(Choice(one, choosing.five(scene, "score", one), chosen=one == chosen) for one in choosing.FIVE)
        title = _titled(scene, place.name, lead=number == lead)
        score = Widget(
            f"{at}.score", "five", title, required=number in must, choices=fives, value=chosen,
            error=fault_of(faults, at),
        )  # fmt: skip
        parts += [score, _part(scene, f"{at}.comment", typed, faults, look="area", required=False)]
    return Widget(**common, look="group", parts=tuple(parts), error=fault_of(faults, field.name, deep=False))


def _lead(scene: Scene) -> int | None:
    """The organisation that has the lead, the newest where it was handed on."""
    assignments = scene.case.of_kind("assignment") if scene.case is not None else []
    leads = [one.organisation for one in assignments if one.facts.get("part") == "lead"]
    return leads[-1] if leads else None


def _titled(scene: Scene, name: str, *, lead: bool) -> str:
    return scene.page.say("%(name)s (lead)") % {"name": name} if lead else name


def _plan(scene: Scene, field: Field, typed: Typed, faults: Mapping[str, str], common: dict[str, Any]) -> Widget:
    at = field.name
    attendance = Widget(
        f"{at}.attendance",
        "series",
        scene.page.say("Attendance in percent, fortnight by fortnight"),
        scene.page.say("Leave empty what comes after the last step, such as 50, 75, 100."),
        error=fault_of(faults, f"{at}.attendance"),
        series=tuple(_fortnights(scene, typed, f"{at}.attendance")),
    )
    parts = (
        attendance,
        _part(scene, f"{at}.seat", typed, faults, required=False),
        _part(scene, f"{at}.mentor", typed, faults),
        _part(scene, f"{at}.watch_points", typed, faults, look="area"),
    )
    return Widget(**common, look="group", parts=parts, error=fault_of(faults, at, deep=False))


def _fortnights(scene: Scene, typed: Typed, path: str) -> Iterator[tuple[str, str]]:
    """The weeks of each fortnight, and what was typed for it."""
    said = [one for text in typed.each(path) for one in (text.replace(",", " ").split() or [""])]
    for place in range(max(FORTNIGHTS, len(said))):
        weeks = scene.page.say("weeks %(first)s–%(last)s") % {"first": 2 * place + 1, "last": 2 * place + 2}
        yield weeks, said[place] if place < len(said) else ""


def _items(scene: Scene, field: Field, typed: Typed, faults: Mapping[str, str], common: dict[str, Any]) -> Widget:
    rows = []
    offered = choosing.organisations(scene, "invited", set())
    for row in range(ROWS):
        at = f"{field.name}.{row}"
        chosen = typed.one(f"{at}.organisation")
        places = tuple(Choice(one.value, one.label, one.group, one.value == chosen) for one in offered)
        pick = Widget(
            f"{at}.organisation", "select", scene.word(words.FIELDS["organisation"]), required=False, choices=places,
            value=chosen, error=fault_of(faults, f"{at}.organisation"),
        )  # fmt: skip
        what = _part(scene, f"{at}.what", typed, faults, required=False)
        limit = _part(scene, f"{at}.limit", typed, faults, required=False)
        title = scene.page.say("Item %(number)s") % {"number": row + 1}
        rows.append(Widget(at, "group", title, required=False, parts=(pick, what, limit)))
    return Widget(**common, look="group", parts=tuple(rows), error=fault_of(faults, field.name, deep=False))


def _answers(scene: Scene, field: Field, typed: Typed, faults: Mapping[str, str], common: dict[str, Any]) -> Widget:
    """The items of a screening scale in the words of its sheet; the scale is chosen before."""
    scale = scene.book.scales.get(typed.one("scale"))
    error = fault_of(faults, field.name)
    if scale is None:
        return Widget(**common, look="group", error=error)
    low, high = scale.answers
    sheet = sheet_of(scale.code, scale.items_count, high - low + 1)
    parts = []
    for number in range(1, scale.items_count + 1):
        at = f"{field.name}.{number}"
        chosen = typed.one(at)
        offered = tuple(
            Choice(str(one), scene.word(sheet.answers[one - low]) if sheet else "", chosen=str(one) == chosen)
            for one in range(low, high + 1)
        )
        asked = f"{number}. {scene.word(sheet.items[number - 1])}" if sheet else ""
        title = asked or scene.page.say("Item %(number)s") % {"number": number}
        hint = _alarm(scene, scale, str(number))
        parts.append(Widget(at, "five", title, hint, choices=offered, value=chosen, error=fault_of(faults, at)))
    whole = {**common, "hint": scene.word(sheet.asks)} if sheet else common
    return Widget(**whole, look="group", parts=tuple(parts), error="" if any(one.error for one in parts) else error)


def _alarm(scene: Scene, scale: Scale, item: str) -> str:
    """What follows from an answer to this item; empty where nothing does."""
    least = scale.alarm.get(item)
    if least is None:
        return ""
    if scale.answers[1] == 1:
        return scene.page.say("If yes, an interview follows the same day.")
    return scene.page.say("From %(answer)s on, an interview follows the same day.") % {"answer": least}


COMPOSED: Final = {
    "student": _student,
    "scores": _scores,
    "plan": _plan,
    "items": _items,
    "answers": _answers,
}
"""By the kind of a field."""
