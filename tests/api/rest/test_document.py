"""The document says what the forms say: every kind of field, every trigger, valid examples in both languages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from fastapi import FastAPI

from api import rest
from api.rest.shapes import SCHEMAS, example_of, loose, schema_of_form
from cases.forms import KINDS
from cases.track import FOLLOWS, TIME, Move, discover

SHANGHAI = ZoneInfo("Asia/Shanghai")
PULLED = [(kind, move) for kind, track in discover().items() for move in track.moves if move.by not in (TIME, FOLLOWS)]


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    app = FastAPI(title="whistle", version="1")
    app.include_router(rest.router, prefix="/api/v1")
    rest.describe(app)
    return app.openapi()


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every path and method with what is said of it."""
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


def test_every_kind_of_field_has_a_schema_and_no_other() -> None:
    assert set(SCHEMAS) == set(KINDS)


@pytest.mark.parametrize("language", ["zh_CN", "en"])
@pytest.mark.parametrize(("kind", "move"), PULLED, ids=[f"{kind}.{move.name}" for kind, move in PULLED])
def test_the_example_of_every_form_is_valid_and_of_the_types_that_the_schema_names(
    kind: str, move: Move, language: str
) -> None:
    example = example_of(move.form, language)
    assert set(move.form.checked(example, SHANGHAI)) == set(example)
    assert list(loose(move.form, example)) == []
    schema = schema_of_form(move.form)
    assert set(schema["required"]) == set(example)
    assert set(schema["properties"]) == {one.name for one in move.form.fields}


def test_every_trigger_has_an_operation_with_its_form_and_who_may(document: dict[str, Any]) -> None:
    said = {one["x-trigger"]: one for _, _, one in operations(document) if "x-trigger" in one}
    assert set(said) == {f"{kind}.{move.name}" for kind, move in PULLED}
    for kind, move in PULLED:
        operation = said[f"{kind}.{move.name}"]
        assert all(str(one) in operation["description"] for one in move.by)
        assert all(word in operation["summary"] for word in move.label)
        content = operation["requestBody"]["content"]["application/json"]
        assert set(content["examples"]) == {"zh_CN", "en"}
        schema = document["components"]["schemas"][content["schema"]["$ref"].rpartition("/")[2]]
        assert schema["required"] == [one.name for one in move.form.fields if one.required]
        assert {"404", "409", "412", "422"} <= set(map(str, operation["responses"]))


def test_every_answer_is_described_and_every_problem_is_a_problem(document: dict[str, Any]) -> None:
    assert document["openapi"] == "3.1.0"
    assert set(document["components"]["securitySchemes"]) == {"token", "session"}
    for path, method, operation in operations(document):
        codes = set(map(str, operation["responses"]))
        assert {"401", "403", "422", "503"} <= codes or "signin" in path, (path, method)
        assert any(code.startswith("2") for code in codes), (path, method)
        for code, answer in operation["responses"].items():
            if str(code)[0] in "45":
                assert list(answer["content"]) == ["application/problem+json"], (path, code)
            assert answer["description"]
    ids = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize(
    ("trigger", "given", "field"),
    [
        (("assignment", "record_progress"), {"note": 7}, "note"),
        (("assignment", "report_in"), {"at": 1, "people": "李"}, "at"),
        (("guidance", "record_session"), {"day": 20260317, "hours": "1.5"}, "day"),
        (("check_in", "file_school"), {"mood": "5"}, "mood"),
        (("conference", "minute"), {"items": [{"organisation": "4"}]}, "items.0.organisation"),
        (("case", "evaluate"), {"scores": {"4": {"score": "5"}}}, "scores.4.score"),
        (("extension", "request"), {"extra": 1.5}, "extra"),
        (("return_to_school", "school_sign"), {"plan": {"attendance": ["50"]}}, "plan.attendance.0"),
    ],
)
def test_json_of_another_type_than_the_schema_names_is_found(
    trigger: tuple[str, str], given: dict[str, Any], field: str
) -> None:
    form = discover()[trigger[0]].by_name[trigger[1]].form
    assert field in {fault.name for fault in loose(form, given)}
