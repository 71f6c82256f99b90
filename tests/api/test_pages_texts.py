"""Every sentence of the pages is there in both languages, and every declared field, choice and role has its words."""

from __future__ import annotations

import json
import re
from hashlib import sha256
from pathlib import Path

import pytest

from api.pages import assets, words
from api.pages.sheet import Sheet
from api.pages.texts import texts
from cases.forms import Field
from cases.track import FOLLOWS, TIME, discover
from policies import vocabulary
from tests.texts import catalogue, gathered

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = ROOT / "api" / "templates"
OWN_CODES = {"concern"}
"""Choices whose words stand in the policy."""


@pytest.mark.parametrize("language", ["zh_CN", "en"])
def test_the_catalogue_has_exactly_the_sentences_that_are_used(language: str) -> None:
    used = {one if isinstance(one, str) else one[0] for one in gathered()}
    known = {one.id if isinstance(one.id, str) else one.id[0] for one in catalogue(language) if one.id}
    assert known == used, "python -m tests.texts brings them together"


@pytest.mark.parametrize("language", ["zh_CN", "en"])
def test_no_sentence_is_missing_or_guessed(language: str) -> None:
    for one in catalogue(language):
        if one.id:
            said = (one.string,) if isinstance(one.string, str) else one.string
            assert said, one.id
            assert all(said), one.id
            assert not one.fuzzy, one.id


def test_a_sentence_keeps_its_facts_in_translation() -> None:
    def facts(text: str) -> set[str]:
        return set(re.findall(r"%\((\w+)\)s", text))

    for one in catalogue("zh_CN"):
        if one.id:
            source = one.id if isinstance(one.id, str) else one.id[0]
            said = one.string if isinstance(one.string, str) else (one.string or ("",))[0]
            assert facts(said) == facts(source), source


def test_chinese_sentences_are_chinese() -> None:
    untranslated = [
        one.id for one in catalogue("zh_CN") if one.id and not re.search(r"[\u4e00-\u9fff]", str(one.string))
    ]
    assert untranslated == []
    assert texts("zh_CN").gettext("My work") == "我的待办"


def declared_fields() -> list[tuple[str, str, Field]]:
    return [
        (kind, move.name, field)
        for kind, track in discover().items()
        for move in track.moves
        if move.by not in (TIME, FOLLOWS)
        for field in move.form.fields
    ]


def test_every_declared_field_and_choice_has_its_words() -> None:
    for kind, trigger, field in declared_fields():
        assert all(words.field_label(kind, trigger, field.name)), (kind, trigger, field.name)
        for code in field.choices if field.name not in OWN_CODES else ():
            assert all(words.CHOICES[f"{field.name}.{code}"]), (kind, trigger, field.name, code)


def test_every_role_and_kind_of_organisation_has_its_words() -> None:
    assert set(words.ROLES) == set(vocabulary.ROLES)
    assert set(words.KINDS) == set(vocabulary.KINDS)
    assert Sheet.__doc__


def test_every_icon_that_a_template_names_is_in_the_sprite() -> None:
    sprite = (ROOT / "api" / "static" / "vendor" / "tabler-icons-3.51.0" / "icons.svg").read_text("utf-8")
    there = set(re.findall(r'<symbol id="([^"]+)"', sprite))
    sources = [*TEMPLATES.rglob("*.html"), *(ROOT / "api" / "pages").glob("*.py")]
    named = set()
    for path in sources:
        text = path.read_text("utf-8")
        named |= set(re.findall(r'\bicon\("([a-z0-9-]+)"', text))
        if path.name in {"sheet.py", "spoken.py", "frame.py"}:
            named |= {one for one in re.findall(r'"([a-z]+(?:-[a-z]+)+)"', text) if one in there}
    assert named - there == set()


@pytest.mark.parametrize("folder", ["api/static/vendor", "tests/browser/vendor"])
def test_vendored_files_are_the_pinned_ones_with_their_licence(folder: str) -> None:
    place = ROOT / folder
    manifest = json.loads((place / "manifest.json").read_text("utf-8"))
    assert {one.name for one in place.iterdir() if one.is_dir()} == set(manifest)
    for name, entry in manifest.items():
        found = {one.name: sha256(one.read_bytes()).hexdigest() for one in (place / name).iterdir()}
        assert found == entry["files"], name
        assert "LICENSE" in found
        assert name.endswith(entry["version"])


def test_what_every_page_loads_first_is_small() -> None:
    loaded = ("vendor/bootstrap-5.3.9/bootstrap.min.css", "case.css", "vendor/htmx.org-4.0.1/htmx.min.js",
              "live.js", "case.js", "vendor/tabler-icons-3.51.0/icons.svg")  # fmt: skip
    total = 0
    for path in loaded:
        asset = assets.read(path)
        assert asset is not None
        assert asset.packed is not None
        total += len(asset.packed)
    # 90 KB are allowed with the page itself; a case page comes to some 12.
    assert total < 66_000
