"""What may be chosen in a field: codes with their words, organisations that may sensibly be named, assignments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from api.pages import words
from api.pages.filled import Typed
from api.pages.widget import Choice, Scene
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


def choices_of(scene: Scene, field: Field, typed: Typed) -> tuple[Choice, ...] | None:
    """What may be chosen; None for a field that is written."""
    kind = field.kind
    chosen = set(typed.all(field.name))
    if kind == "choice":
        return tuple(Choice(code, _choice(scene, field.name, code), chosen=code in chosen) for code in field.choices)
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


def _choice(scene: Scene, name: str, code: str) -> str:
    return scene.word(words.CHOICES[f"{name}.{code}"])


def five(scene: Scene, name: str, code: str) -> str:
    word = words.CHOICES.get(f"{name}.{code}")
    return scene.word(word) if word is not None else ""


def organisations(scene: Scene, name: str, chosen: set[str]) -> tuple[Choice, ...]:
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
