"""The OpenAPI document of `/api/v1`: every route, every problem, both ways of signing in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from fastapi.openapi.utils import get_openapi

from api.rest.bodies import Problem, both, problems, told_codes

if TYPE_CHECKING:
    from fastapi import FastAPI

PREFIX: Final = "/api/v1"
_SCHEMES: Final = {
    "token": {"type": "http", "scheme": "bearer", "description": "系统令牌 · a system's token, for its scopes alone"},
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "whistle_session",
        "description": "登录会话；改动时须带 X-CSRF-Token · a login session; what changes anything needs X-CSRF-Token",
    },
}


def describe(app: FastAPI) -> None:
    """Have the application's document be this one; it is written when it is first asked for."""
    kept: dict[str, Any] = {}

    def openapi() -> dict[str, Any]:
        if not kept:
            kept.update(document(app))
        return kept

    app.openapi = openapi  # type: ignore[method-assign]


def document(app: FastAPI) -> dict[str, Any]:
    """OpenAPI 3.1 of everything under `/api/v1`."""
    whole = get_openapi(
        title=app.title,
        version=app.version,
        openapi_version="3.1.0",
        description=both(
            "触发改变个案，其余只读。时间为 UTC；没有时区的时间按政策所在时区理解。",
            "Triggers change cases, everything else reads. Instants are UTC; without a zone: the policy's own.",
        )
        + "\n\n"
        + told_codes(),
        routes=app.routes,
    )
    paths = {path: item for path, item in whole["paths"].items() if path.startswith(PREFIX)}
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas = {**whole["components"]["schemas"], **problem.pop("$defs", {}), "Problem": problem}
    for item in paths.values():
        for operation in item.values():
            if "requestBody" in operation:
                _name_form(operation, schemas)
                operation["responses"] = {**problems(400, 413, 415), **operation["responses"]}
            _as_problems(operation["responses"])
    for gone in ("HTTPValidationError", "ValidationError"):
        schemas.pop(gone, None)
    return {
        **whole,
        "paths": paths,
        "components": {"schemas": schemas, "securitySchemes": _SCHEMES},
        "security": [{"token": []}, {"session": []}],
    }


def _name_form(operation: dict[str, Any], schemas: dict[str, Any]) -> None:
    """Give a form a name of its own among the schemas, so that a generated client has a class for it."""
    written = operation["requestBody"]["content"].get("application/json")
    if written is None or "properties" not in written["schema"] or "oneOf" in written["schema"]:
        return
    name = "".join(part.capitalize() for part in operation["operationId"].split("_")) + "Form"
    schemas[name] = written["schema"]
    written["schema"] = {"$ref": f"#/components/schemas/{name}"}


def _as_problems(responses: dict[str, Any]) -> None:
    """Whatever goes wrong is a problem, also where FastAPI describes its own way of saying so."""
    for status, answer in responses.items():
        if str(status).startswith(("4", "5")):
            answer["content"] = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
