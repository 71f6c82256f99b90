"""Attacks on pages and tables: whatever anybody writes anywhere stays a text wherever it is shown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BytesIO

import pytest
from jinja2 import DictLoader, Environment
from openpyxl import load_workbook

from api import tables
from api.pages.frame import TEMPLATES, environment
from api.pages.signin import _environment as signing_in
from cases.store import Store
from notifiers.render import _environment as letters
from tests.api.door import Client, Door, door_of
from tests.attacks.poisoned import MARK, Poison, poison, written_fields

READERS = (
    "counselor@school", "principal@school", "deputy@school", "officer@street", "liaison@hospital",
    "coordinator@district", "supervisor@district", "supervisor@city", "admin@district", "auditor@district",
)  # fmt: skip
PAGES = ("/", "/inbox", "/board", "/desk", "/supervision", "/bulletin", "/search", "/whistle", "/settings",
         "/me/security", "/admin", "/admin/people", "/admin/places", "/admin/log", "/admin/imports")  # fmt: skip


MOST = 36
"""Pages that one reader looks at."""


@pytest.fixture(scope="module")
def door(server: Store) -> Iterator[Door]:
    with server.scratch() as fresh, door_of(fresh) as opened:
        yield opened


@pytest.fixture(scope="module")
def town(door: Door) -> tuple[Poison, list[str]]:
    return poison(door)


def visited(client: Client, numbers: list[str], most: int) -> Iterator[tuple[str, str]]:
    """Every page that this reader gets to: the common ones, those of the cases, and what these lead to."""
    found = [*PAGES, *(f"/cases/{number}" for number in numbers)]
    been: set[str] = set()
    while found:
        path = found.pop(0)
        if path in been:
            continue
        been.add(path)
        answer = client.get(path)
        if not answer.headers.get("content-type", "").startswith("text/html"):
            continue
        yield path, answer.text
        for more in re.findall(r'(?:href|hx-get)="(/cases/[^"#]+)"', answer.text):
            if len(been) + len(found) < most and not more.endswith((".svg", "/picture")):
                found.append(more.replace("&amp;", "&"))


def looked_at(door: Door, made: Poison, numbers: list[str], most: int = MOST) -> tuple[set[str], int]:
    """Which places of attack stood on the pages, all of them as texts, and how many pages there were."""
    seen: set[str] = set()
    pages = 0
    for who in READERS:
        for path, text in visited(door.client(who), numbers, most):
            assert MARK not in text, f"{who} {path}: {text[text.index(MARK) - 80 :][:240]}"
            seen |= made.seen(text)
            pages += 1
    return seen, pages


def test_what_anybody_wrote_is_shown_as_text_on_every_page(door: Door, town: tuple[Poison, list[str]]) -> None:
    made, numbers = town
    tried = set(made.put.values()) & written_fields()
    assert len(tried) > 0.55 * len(written_fields()), sorted(written_fields() - tried)
    seen, pages = looked_at(door, made, numbers)
    assert pages > 130
    # Without this it would show nothing: names of all kinds, and most of what was written, stood on these pages.
    assert {"organisation.name", "member.name", "case.whistle.student", "case.whistle.summary"} <= seen
    assert len(seen & tried) > 25, sorted(seen)


@pytest.mark.long
def test_nor_does_what_hardly_anybody_writes(server: Store) -> None:
    with server.scratch() as fresh, door_of(fresh) as door:
        made, numbers = poison(door, 5000)
        tried = set(made.put.values()) & written_fields()
        assert len(tried) > 0.75 * len(written_fields()), sorted(written_fields() - tried)
        looked_at(door, made, numbers, 300)


@pytest.mark.parametrize("ending", sorted({path.suffix for path in TEMPLATES.rglob("*") if path.is_file()} | {
    ".html", ".htm", ".txt", ".xml", ".svg", ".js", ".css", ".json", ".jinja", ".html.j2", ""}))  # fmt: skip
def test_a_template_escapes_whatever_its_name_ends_with(ending: str) -> None:
    made = [environment("zh_CN"), environment("en"), signing_in("zh_CN"), letters(None)]
    for one in made:
        probe: Environment = one.overlay(loader=DictLoader({f"probe{ending}": "{{ word }}"}))
        assert (
            probe.get_template(f"probe{ending}").render(word=f"{MARK}x>\"'") == "&lt;img src=x onerror=x&gt;&#34;&#39;"
        )


def test_no_template_lets_anything_through_unescaped() -> None:
    found = [
        (path.name, number)
        for path in sorted(TEMPLATES.rglob("*"))
        if path.is_file()
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if re.search(r"\|\s*safe\b|autoescape|\bMarkup\b|onclick=|<script>|javascript:", line)
    ]
    assert found == []


def test_a_table_to_take_home_runs_nothing(door: Door, town: tuple[Poison, list[str]]) -> None:
    del town
    for path in ("/board.xlsx", "/bulletin.xlsx"):
        answer = door.client("supervisor@district").get(path)
        assert answer.status_code == 200
        assert answer.headers["content-disposition"].startswith("attachment")
        book = load_workbook(BytesIO(answer.content))
        assert all(cell.data_type != "f" for sheet in book for row in sheet.iter_rows() for cell in row)


@pytest.mark.parametrize(
    "start", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1", "＋1", "|cmd", " =1", "\u200b=1"]
)
def test_a_text_that_begins_like_a_formula_is_none_in_either_table(start: str) -> None:
    content = tables.to_xlsx(["a"], [[start]])
    (cell,) = next(iter(load_workbook(BytesIO(content)).worksheets[0].iter_rows(min_row=2)))
    assert cell.data_type == "s"
    line = tables.to_csv(["a"], [[start]]).decode("utf-8-sig").split("\r\n")[1]
    assert line.startswith("\"'")
