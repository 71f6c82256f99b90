"""What may be chosen in a field: codes with their words, organisations that may sensibly be named, assignments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from api.pages import words
from api.pages.filled import Typed
from api.pages.widget import Choice, Scene
from cases import search
from cases.directory import Organisation
from cases.directory_fault import DirectoryFault
from cases.forms import Field
from cases.pickable import pickable
from policies.vocabulary import RESPONDING

FIVE: Final = ("1", "2", "3", "4", "5")
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
_SOMEBODY_ELSE: Final = frozenset({"proposed", "hospital"})
"""Fields that name another than whose track it is."""


def choices_of(scene: Scene, field: Field, typed: Typed) -> tuple[Choice, ...] | None:
    """What may be chosen; None for a field that is written."""
    kind = field.kind
    chosen = set(typed.all(field.name))
    if kind == "choice":
        codes = [code for code in field.choices if not _is_so_already(scene, field.name, code)]
        return tuple(Choice(code, _choice(scene, field.name, code), chosen=code in chosen) for code in codes)
    if kind == "case":
        return _of_same_student(scene, chosen) or None
    if kind == "yesno":
        said = (("yes", scene.page.say("Yes")), ("no", scene.page.say("No")))
        return tuple(Choice(code, text, chosen=code in chosen) for code, text in said)
    if kind == "concern":
        found = scene.book.concerns.items()
        return tuple(Choice(code, scene.word(one.label), chosen=code in chosen) for code, one in found)
    if kind == "five":
        return tuple(Choice(one, five(scene, field.name, one), chosen=one in chosen) for one in FIVE)
    if kind == "statutory":
        return tuple(
            Choice(one.code, scene.word(one.question), chosen=one.code in chosen)
            for one in scene.book.statutory.values()
        )
    if kind in {"organisation", "organisations"}:
        return organisations(scene, field.name, chosen)
    if kind == "track":
        return assignments(scene, chosen)
    if field.name == "programme":
        return tuple(
            Choice(one.code, scene.word(one.label), chosen=one.code in chosen) for one in scene.book.programmes.values()
        )
    return None


def _is_so_already(scene: Scene, name: str, code: str) -> bool:
    """Giving a case the level that it has would change nothing."""
    is_level = (scene.kind, scene.trigger, name) == ("case", "regrade", "level")
    return is_level and scene.case is not None and scene.case.level == code


def _of_same_student(scene: Scene, chosen: set[str]) -> tuple[Choice, ...]:
    """The other cases of this student that are under way: a number needn't be typed."""
    if scene.case is None:
        return ()
    actor, now = scene.page.reader.actor, scene.page.reader.now
    found = search.of_same_student(scene.session, scene.case, actor, now)
    numbers = [one.number for one in found if one.state != "draft"]
    # What was typed elsewhere and isn't one of these is shown as it was typed, with what is wrong about it.
    return tuple(Choice(one, one, chosen=one in chosen) for one in numbers) if chosen <= set(numbers) else ()


def _choice(scene: Scene, name: str, code: str) -> str:
    return scene.word(words.CHOICES[f"{name}.{code}"])


def five(scene: Scene, name: str, code: str) -> str:
    word = words.CHOICES.get(f"{name}.{code}")
    return scene.word(word) if word is not None else ""


def organisations(scene: Scene, name: str, chosen: set[str]) -> tuple[Choice, ...]:
    """Those that may sensibly be named: of the case's district and city, without whoever is at work already.

    Whoever is responsible for the school is chosen beforehand where one of a single kind has to be named.
    """
    kinds = PICKS.get(f"{scene.kind}.{scene.trigger}.{name}", RESPONDING)
    district, city = _where(scene)
    busy = _busy(scene) if kinds is RESPONDING and name != "invited" else set()
    if name in _SOMEBODY_ELSE and scene.offer is not None and scene.offer.record.organisation is not None:
        busy |= {scene.offer.record.organisation}
    found = [one for one in pickable(scene.session.connection, kinds, district, city) if one.id not in busy]
    first = _first(scene, kinds)
    if (
        _has_to_be_named(scene, name)
        and not chosen
        and first is not None
        and first not in busy
        and len(kinds) == 1
        and kinds != ("school",)
    ):
        chosen = {str(first)}
    alike = _declining(scene)
    found.sort(key=lambda one: (one.kind != alike, one.id != first, one.street_id != _street(scene)))
    return tuple(Choice(str(one.id), one.name, _kind(scene, one), str(one.id) in chosen) for one in found)


def _has_to_be_named(scene: Scene, name: str) -> bool:
    """Whether the form goes nowhere without it: nobody is named beforehand where none need be."""
    fields = scene.offer.move.form.fields if scene.offer is not None else ()
    return any(one.name == name and one.required for one in fields)


def _declining(scene: Scene) -> str:
    """The kind of the organisation that declines: what isn't theirs is most often that of another such."""
    if scene.offer is None or scene.trigger != "decline" or scene.offer.record.organisation is None:
        return ""
    number = scene.offer.record.organisation
    return scene.session.office.directory.organisation(scene.session.connection, number).kind


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


def assignments(scene: Scene, chosen: set[str]) -> tuple[Choice, ...]:
    """The assignments that an order or an extension can be about; whoever asks for more time asks for their own."""
    found = []
    own = {post.organisation_id for post in scene.page.reader.actor.posts} if scene.kind == "extension" else None
    ends = scene.session.office.tracks["assignment"].ends
    for one in scene.case.of_kind("assignment") if scene.case is not None else []:
        if one.state not in ends and one.organisation is not None and (own is None or one.organisation in own):
            place = scene.session.office.directory.organisation(scene.session.connection, one.organisation)
            found.append(Choice(str(one.no), place.name, chosen=str(one.no) in chosen))
    return tuple(found)
