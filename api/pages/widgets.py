"""From a declared form to what a template draws: a widget for each field, with its words, choices and faults."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from api import problem_words
from api.pages import phrases, words
from api.pages.filled import ROWS, Typed
from api.pages.frame import Page
from api.pages.parts import GRADES, grade_word
from cases.casefile import CaseFile
from cases.closing import scorable
from cases.directory import Organisation
from cases.directory_fault import DirectoryFault
from cases.evidence import PREFIX
from cases.files import listed
from cases.forms import Field
from cases.offers import Offer
from cases.office import Session
from cases.pickable import pickable
from cases.refusal import FieldFault
from policies.book import Book
from policies.limits import Limit
from policies.vocabulary import RESPONDING, Words

FIVE: Final = ("1", "2", "3", "4", "5")
FORTNIGHTS: Final = 6
"""So many steps of a plan have a field of their own."""
_FEW: Final = 6
"""So many choices stand one under the other; more of them in a list that opens."""
_LONG: Final = frozenset({"text", "lines", "evidence"})
_INPUTS: Final[Mapping[str, str]] = {
    "date": "date", "moment": "datetime-local", "number": "number", "percent": "number", "hours": "number",
}  # fmt: skip
_BOUNDS: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    "percent": (("min", "0"), ("max", "100")),
    "hours": (("min", "0.5"), ("step", "0.5")),
}
PICKS: Final[Mapping[str, tuple[str, ...]]] = {
    "mandatory_report.file.to": ("police",),
    "referral.propose.hospital": ("hospital",),
    "referral.redirect.hospital": ("hospital",),
    "referral.decline.proposed": ("hospital",),
    "protection.apply.court": ("court",),
    "case.whistle.school": ("school",),
    "case.submit.school": ("school",),
    "case.save_draft.school": ("school",),
}
"""Which kinds of organisation a field may name; every other one names whoever can be summoned."""


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


def drawn(scene: Scene, fields: Iterable[Field], typed: Typed, faults: Sequence[FieldFault] = ()) -> list[Widget]:
    """A widget for each field, with what was typed and what is wrong with it."""
    return [_widget(scene, field, typed, _by_path(scene, faults)) for field in fields]


def summary(widgets: Iterable[Widget]) -> list[Widget]:
    """What the error summary links to, in the order of the form."""
    return [bad for one in widgets for bad in one.faulty]


def _by_path(scene: Scene, faults: Sequence[FieldFault]) -> dict[str, str]:
    said: dict[str, list[str]] = {}
    for one in faults:
        text = problem_words.of_field(one.code, one.facts, scene.page.language)
        # Of several files it has to be said which one.
        colon = "：" if scene.page.language == "zh_CN" else ": "
        text = f"{one.facts['file']}{colon}{text}" if one.facts.get("file") else text
        said.setdefault(one.name, []).append(text)
    return {name: "; ".join(texts) for name, texts in said.items()}


def _fault(faults: Mapping[str, str], name: str, *, deep: bool = True) -> str:
    """The fault of a field; that of a line or part inside it counts as its own where it has no widget."""
    plain = name.rstrip("_")
    for path, text in faults.items():
        if path.rstrip("_") == plain or (deep and path.startswith(f"{plain}.")):
            return text
    return ""


def _widget(scene: Scene, field: Field, typed: Typed, faults: Mapping[str, str]) -> Widget:
    label = scene.word(words.field_label(scene.kind, scene.trigger, field.name))
    hint = scene.word(words.hint(scene.kind, scene.trigger, field.name))
    if field.kind == "extra":
        hint = _most(scene, typed) or hint
    common: dict[str, Any] = {"name": field.name, "label": label, "hint": hint, "required": field.required}
    composed = _COMPOSED.get(field.kind)
    if composed is not None:
        return composed(scene, field, typed, faults, common)
    error = _fault(faults, field.name)
    choices = _choices(scene, field, typed)
    if choices is not None:
        look = "boxes" if field.kind in {"statutory", "organisations"} else _look_of(field, choices)
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
    clock = scene.case.clock(int(about), "feedback") if scene.case is not None and about.isdecimal() else None
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


def _look_of(field: Field, choices: Sequence[Choice]) -> str:
    if field.kind == "five":
        return "five"
    if len(choices) == 1 and field.required:
        return "fixed"
    return "radios" if len(choices) <= _FEW else "select"


def _choices(scene: Scene, field: Field, typed: Typed) -> tuple[Choice, ...] | None:
    """What may be chosen; None for a field that is written."""
    kind = field.kind
    chosen = set(typed.all(field.name))
    if kind == "choice":
        return tuple(Choice(code, _choice(scene, field.name, code), chosen=code in chosen) for code in field.choices)
    if kind == "yesno":
        said = (("yes", scene.page.say("Yes")), ("no", scene.page.say("No")))
        return tuple(Choice(code, text, chosen=code in chosen) for code, text in said)
    if kind == "five":
        return tuple(Choice(one, _five(scene, field.name, one), chosen=one in chosen) for one in FIVE)
    if kind == "statutory":
        return tuple(
            Choice(one.code, scene.word(one.question), chosen=one.code in chosen)
            for one in scene.book.statutory.values()
        )
    if kind in {"organisation", "organisations"}:
        return _organisations(scene, field.name, chosen)
    if kind == "track":
        return _assignments(scene, chosen)
    if field.name == "programme":
        return tuple(
            Choice(one.code, scene.word(one.label), chosen=one.code in chosen) for one in scene.book.programmes.values()
        )
    return None


def _choice(scene: Scene, name: str, code: str) -> str:
    if name == "concern":
        return scene.word(scene.book.concerns[code].label)
    return scene.word(words.CHOICES[f"{name}.{code}"])


def _five(scene: Scene, name: str, code: str) -> str:
    word = words.CHOICES.get(f"{name}.{code}")
    return scene.word(word) if word is not None else ""


def _organisations(scene: Scene, name: str, chosen: set[str]) -> tuple[Choice, ...]:
    """Those that may sensibly be named: of the case's district and city, without whoever is at work already."""
    kinds = PICKS.get(f"{scene.kind}.{scene.trigger}.{name}", RESPONDING)
    district, city = _where(scene)
    busy = _busy(scene) if kinds is RESPONDING and name != "invited" else set()
    found = [one for one in pickable(scene.session.connection, kinds, district, city) if one.id not in busy]
    first = _first(scene, kinds)
    if not chosen and first is not None and len(kinds) == 1 and kinds != ("school",):
        chosen = {str(first)}
    found.sort(key=lambda one: (one.id != first, one.street_id != _street(scene)))
    return tuple(Choice(str(one.id), one.name, _kind(scene, one), str(one.id) in chosen) for one in found)


def _where(scene: Scene) -> tuple[int, int]:
    if scene.case is not None:
        return scene.case.district, scene.case.city
    place = scene.page.reader.member.organisation
    return place.district_id or place.id, place.city_id or place.id


def _busy(scene: Scene) -> set[int]:
    """Whoever has an assignment that isn't over."""
    ends = scene.session.office.tracks["assignment"].ends
    records = scene.case.of_kind("assignment") if scene.case is not None else []
    return {one.organisation for one in records if one.organisation is not None and one.state not in ends}


def _first(scene: Scene, kinds: Sequence[str]) -> int | None:
    """Whoever of that kind is responsible for the school, offered first."""
    if scene.case is None:
        return None
    directory = scene.session.office.directory
    try:
        return directory.nearest(scene.session.connection, scene.case.school, kinds[0]).id
    except DirectoryFault:
        return None


def _street(scene: Scene) -> int | None:
    if scene.case is None:
        return None
    return scene.session.office.directory.organisation(scene.session.connection, scene.case.school).street_id


def _kind(scene: Scene, one: Organisation) -> str:
    return scene.word(words.KINDS[one.kind])


def _assignments(scene: Scene, chosen: set[str]) -> tuple[Choice, ...]:
    """The assignments that an order or an extension can be about; whoever asks for more time asks for their own."""
    found = []
    own = {post.organisation_id for post in scene.page.reader.actor.posts} if scene.kind == "extension" else None
    ends = scene.session.office.tracks["assignment"].ends
    for one in scene.case.of_kind("assignment") if scene.case is not None else []:
        if one.state not in ends and one.organisation is not None and (own is None or one.organisation in own):
            place = scene.session.office.directory.organisation(scene.session.connection, one.organisation)
            found.append(Choice(str(one.no), place.name, chosen=str(one.no) in chosen))
    return tuple(found)


# ------------------------------------------------------------------ sub-forms


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
    return Widget(path, look, label, hint, value=value, error=_fault(faults, path), **more)


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
    return Widget(**common, look="group", parts=parts, error=_fault(faults, at, deep=False))


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
    for number in sorted(may):
        place = scene.session.office.directory.organisation(scene.session.connection, number)
        at = f"{field.name}.{number}"
        chosen = typed.one(f"{at}.score")
        fives = tuple(Choice(one, _five(scene, "score", one), chosen=one == chosen) for one in FIVE)
        score = Widget(
            f"{at}.score", "five", place.name, required=number in must, choices=fives, value=chosen,
            error=_fault(faults, at),
        )  # fmt: skip
        parts += [score, _part(scene, f"{at}.comment", typed, faults, look="area", required=False)]
    return Widget(**common, look="group", parts=tuple(parts), error=_fault(faults, field.name, deep=False))


def _plan(scene: Scene, field: Field, typed: Typed, faults: Mapping[str, str], common: dict[str, Any]) -> Widget:
    at = field.name
    attendance = Widget(
        f"{at}.attendance",
        "series",
        scene.page.say("Attendance in percent, fortnight by fortnight"),
        scene.page.say("Leave empty what comes after the last step, such as 50, 75, 100."),
        error=_fault(faults, f"{at}.attendance"),
        series=tuple(_fortnights(scene, typed, f"{at}.attendance")),
    )
    parts = (
        attendance,
        _part(scene, f"{at}.seat", typed, faults, required=False),
        _part(scene, f"{at}.mentor", typed, faults),
        _part(scene, f"{at}.watch_points", typed, faults, look="area"),
    )
    return Widget(**common, look="group", parts=parts, error=_fault(faults, at, deep=False))


def _fortnights(scene: Scene, typed: Typed, path: str) -> Iterator[tuple[str, str]]:
    """The weeks of each fortnight, and what was typed for it."""
    said = [one for text in typed.all(path) for one in text.replace(",", " ").split()]
    for place in range(max(FORTNIGHTS, len(said))):
        weeks = scene.page.say("weeks %(first)s–%(last)s") % {"first": 2 * place + 1, "last": 2 * place + 2}
        yield weeks, said[place] if place < len(said) else ""


def _items(scene: Scene, field: Field, typed: Typed, faults: Mapping[str, str], common: dict[str, Any]) -> Widget:
    rows = []
    offered = _organisations(scene, "invited", set())
    for row in range(ROWS):
        at = f"{field.name}.{row}"
        chosen = typed.one(f"{at}.organisation")
        places = tuple(Choice(one.value, one.label, one.group, one.value == chosen) for one in offered)
        pick = Widget(
            f"{at}.organisation", "select", scene.word(words.FIELDS["organisation"]), required=False, choices=places,
            value=chosen, error=_fault(faults, f"{at}.organisation"),
        )  # fmt: skip
        what = _part(scene, f"{at}.what", typed, faults, required=False)
        limit = _part(scene, f"{at}.limit", typed, faults, required=False)
        title = scene.page.say("Item %(number)s") % {"number": row + 1}
        rows.append(Widget(at, "group", title, required=False, parts=(pick, what, limit)))
    return Widget(**common, look="group", parts=tuple(rows), error=_fault(faults, field.name, deep=False))


def _answers(scene: Scene, field: Field, typed: Typed, faults: Mapping[str, str], common: dict[str, Any]) -> Widget:
    """The items of a screening scale, by their numbers on the sheet; the scale is chosen before."""
    scale = scene.book.scales.get(typed.one("scale"))
    parts = []
    error = _fault(faults, field.name)
    for number in range(1, scale.items_count + 1) if scale is not None else ():
        at = f"{field.name}.{number}"
        chosen = typed.one(at)
        low, high = scale.answers if scale is not None else (0, 0)
        words_of = {"0": scene.page.say("No"), "1": scene.page.say("Yes")} if high == 1 else {}
        offered = tuple(
            Choice(str(one), words_of.get(str(one), ""), chosen=str(one) == chosen) for one in range(low, high + 1)
        )
        title = scene.page.say("Item %(number)s") % {"number": number}
        parts.append(Widget(at, "five", title, choices=offered, value=chosen, error=_fault(faults, at)))
    return Widget(**common, look="group", parts=tuple(parts), error="" if any(one.error for one in parts) else error)


_COMPOSED: Final = {
    "student": _student,
    "scores": _scores,
    "plan": _plan,
    "items": _items,
    "answers": _answers,
}
