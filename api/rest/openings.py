"""How `POST /cases` is described: one of three triggers, each with its form, from the declaration of the case."""

from __future__ import annotations

from typing import Any, Final

from api.rest.bodies import both
from api.rest.shapes import example_of, schema_of_form
from cases.track import discover

TRIGGERS: Final = ("save_draft", "submit", "whistle")

PULLED: Final = both(
    "`trigger` 指明触发：`save_draft` 存草稿，`submit` 报校长签发（黄、蓝），`whistle` 直接吹哨（红、橙）。"
    "其余各项是该触发的表单。",
    "`trigger` names which: `save_draft`, `submit` (yellow and blue, for the principal's sign-off) or `whistle` (red "
    "and orange, at once). All other members are that trigger's form.",
)


def opening() -> dict[str, Any]:
    """The request body: one schema for each trigger, told apart by `trigger`, and an example in each language."""
    case = discover()["case"]
    schemas = []
    examples: dict[str, Any] = {}
    for name in TRIGGERS:
        move = case.by_name[name]
        schema = schema_of_form(move.form)
        own = {"type": "string", "const": name, "title": "trigger"}
        schemas.append(
            {
                **schema,
                "title": name,
                "properties": {"trigger": own, **schema["properties"]},
                "required": ["trigger", *schema["required"]],
            }
        )
        for language in ("zh_CN", "en"):
            examples[f"{name}_{language}"] = {
                "summary": move.label[0 if language == "zh_CN" else 1],
                "value": {"trigger": name, **example_of(move.form, language)},
            }
    return {
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {
                        "type": "object",
                        "properties": {"trigger": {"type": "string", "enum": list(TRIGGERS)}},
                        "required": ["trigger"],
                        "oneOf": schemas,
                    },
                    "examples": examples,
                }
            },
        }
    }
