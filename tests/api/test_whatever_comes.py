"""Whatever stands in an address, a body or a form: it is answered, and what is wrong with it is a problem.

Every route that the application has, found by asking it; every parameter and field of each, one at a time with the
others as they should be.
"""

from __future__ import annotations

import asyncio
import copy
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

import httpx
import pytest
from fastapi.routing import iter_route_contexts

from api.signin import cookies
from cases.store import Store
from tests.api.door import AT_HOME, Door, door_of
from tests.api.pages_forms import forms_on
from tests.api.planted import Planted, plant

HUGE = "9" * 30
ENDLESS = "9" * 5000
STRANGE: tuple[Any, ...] = (
    "a\0b", "\0", "\x1b[31m", HUGE, "9223372036854775808", ENDLESS, "-1", "²", "٣٣", "9999-12-31", "0001-01-01T00:00",
    "x" * 5000, " ", "\ufffe", "😀",
)  # fmt: skip
NO_TEXT: tuple[Any, ...] = (2**63, 2**64 - 1, -(2**63), 1e300, -1, True, None, [], {}, ["\0"], {"\0": 1}, [[[]]])
"""What JSON can say besides a text."""
CHARSETS = ("undefined", "punycode", "utf-7", "raw_unicode_escape", '"unicode_escape"', "no-such", "idna")
SHORT: Mapping[str, tuple[Any, ...]] = {
    "addresses": ("a\0b", HUGE), "bodies": ("a\0b", 2**63), "plain_posts": ("a\0b", HUGE, "0001-01-01T00:00"),
    "charsets": CHARSETS[:2],
}  # fmt: skip
"""What the ordinary run sends: the values that databases stumble over."""
ASKING = ("admin@city", "coordinator@district", "counselor@school", "liaison@hospital")
"""Between them they have a right to nearly everything, so that more than rights is asked."""
ENDLESS_ANSWERS = "/live"
LEAVES = ("/sign-out", "/me/security/sessions", "/sign-in/change")
"""Whoever asks these is no longer who asks."""


Values = tuple[Any, ...]


@dataclass(frozen=True)
class Asked:
    """One request."""

    method: str
    address: str
    body: Any = None
    form: dict[str, Any] | None = None
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def said(self) -> str:
        return f"{self.method} {self.address[:150]} {str(self.body or self.form or self.headers)[:300]!r}"


@pytest.fixture(scope="module")
def door(server: Store) -> Iterator[Door]:
    with server.scratch() as fresh, door_of(fresh) as opened:
        yield opened


@pytest.fixture(scope="module")
def planted(door: Door) -> Planted:
    return plant(door)


def routes_of(door: Door) -> list[tuple[str, str, Any]]:
    """Method, path and route of everything that answers."""
    found = []
    for context in iter_route_contexts(door.app.routes):
        path = context.path_format or context.path
        if path is not None and path != ENDLESS_ANSWERS and "/static" not in path:
            found += [(method, path, context) for method in sorted((context.methods or set()) - {"HEAD", "OPTIONS"})]
    return found


def usual(name: str, path: str, planted: Planted) -> str:
    """What would be right in that place of a path."""
    kind = re.search(r"\{number\}/([a-z_]+)/\{no\}", path)
    no = next((no for no, (one, _, _) in planted.tracks.items() if kind and one == kind[1]), 1)
    is_case = "/cases/" in path or path.startswith("/whistle/")
    said = {"number": planted.number if is_case else "1", "no": str(no), "section": "identity", "trigger": "remind",
            "kind": "organisations" if "imports" in path else "extension", "name": f"{planted.number}.1"}  # fmt: skip
    return said.get(name, "1")


def queries_of(context: Any) -> list[str]:  # noqa: ANN401 - FastAPI's own
    """The parameters that a route declares; a page's own hand reads more, which `BY_HAND` names."""
    declared = getattr(context.route if hasattr(context, "route") else context, "dependant", None)
    return [] if declared is None else [one.alias for one in _flat(declared)]


def _flat(dependant: Any) -> Iterator[Any]:  # noqa: ANN401
    yield from dependant.query_params
    for one in dependant.dependencies:
        yield from _flat(one)


BY_HAND = ("after", "before", "text", "organisation", "district", "street", "level", "clock", "late", "tile", "place",
           "hour", "from", "to", "of", "part", "month", "one", "about", "undo", "q", "purpose", "_count", "_id",
           "_cursor", "authored-on", "identifier", "based-on", "sent", "status", "_lastUpdated")  # fmt: skip


def addresses(door: Door, planted: Planted, values: Values = STRANGE) -> Iterator[Asked]:
    """Every route with every strange value in every place of its path and every parameter of its query."""
    by_hand = BY_HAND if values is STRANGE else ()
    for method, path, context in routes_of(door):
        names = re.findall(r"\{(\w+)(?::\w+)?\}", path)
        right = {name: usual(name, path, planted) for name in names}
        for value in values:
            for name in names:
                yield Asked(method, _filled(path, {**right, name: quote(str(value), safe="")}), *_empty(method, path))
            if method == "GET":
                for name in dict.fromkeys([*queries_of(context), *(() if path.startswith("/api") else by_hand)]):
                    # A section is opened for a purpose, whatever else is asked.
                    asked = {"purpose": "looking"} if "{section}" in path and name != "purpose" else {}
                    yield Asked(method, f"{_filled(path, right)}?{urlencode({**asked, name: str(value)})}")


def _filled(path: str, said: dict[str, str]) -> str:
    return re.sub(r"\{(\w+)(?::\w+)?\}", lambda one: said[one[1]], path)


def _empty(method: str, path: str) -> tuple[Any, dict[str, Any] | None]:
    if method not in {"POST", "PUT", "PATCH"}:
        return None, None
    return ({}, None) if path.startswith(("/api", "/fhir")) else (None, {})


def bodies(door: Door, planted: Planted, values: Values = (*STRANGE, *NO_TEXT)) -> Iterator[Asked]:
    """Every route of REST with its own example, every strange value in every field of that, however deep."""
    described = door.app.openapi()
    for path, methods in described["paths"].items():
        for method, one in methods.items():
            content = one.get("requestBody", {}).get("content", {}).get("application/json")
            if content is None:
                continue
            right = _example(described, content)
            address = _filled(path, {name: usual(name, path, planted) for name in re.findall(r"\{(\w+)\}", path)})
            for place in _places(right):
                for value in values:
                    yield Asked(method.upper(), address, _with(right, place, value))
            for name in content["schema"].get("properties", {}):
                for value in values:
                    yield Asked(method.upper(), address, {**right, name: value})
    for kind, resource in _resources(planted):
        for place in _places(resource):
            for value in values:
                name, method = (f"/{resource['id']}", "PUT") if kind == "Task" else ("", "POST")
                yield Asked(method, f"/fhir/R4/{kind}{name}", _with(resource, place, value))
                if kind == "Task" and place[:1] in {("status",), ("output",), ("statusReason",)}:
                    part = {"status": resource["status"], place[0]: _with(resource, place, value)[place[0]]}
                    yield Asked("PATCH", f"/fhir/R4/{kind}{name}", part)


def _example(described: dict[str, Any], content: dict[str, Any]) -> dict[str, Any]:
    examples = content.get("examples")
    if examples:
        first: dict[str, Any] = next(iter(examples.values()))["value"]
        return first
    schema = content["schema"]
    schema = described["components"]["schemas"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    return {name: (one.get("examples") or ["1"])[0] for name, one in schema.get("properties", {}).items()}


def _resources(planted: Planted) -> Iterator[tuple[str, dict[str, Any]]]:
    no = next(no for no, (kind, _, _) in planted.tracks.items() if kind == "referral")
    name = f"{planted.number}.{no}"
    yield "Task", {
        "resourceType": "Task", "id": name, "status": "rejected", "intent": "order",
        "focus": {"reference": f"ServiceRequest/{name}"}, "statusReason": {"text": "no bed"},
        "output": [{"type": {"coding": [{"code": "proposed-hospital"}], "text": "x"},
                    "valueReference": {"identifier": {"value": "T-hospital#2"}}}],
    }  # fmt: skip
    yield "Communication", {
        "resourceType": "Communication", "status": "completed", "basedOn": [{"reference": f"ServiceRequest/{name}"}],
        "topic": {"text": "x"}, "payload": [{"contentString": "advice"}],
    }  # fmt: skip


def _places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:  # noqa: ANN401 - JSON
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, one in inner:
        yield (*at, name)
        yield from _places(one, (*at, name))


def _with(body: Any, place: tuple[Any, ...], value: Any) -> Any:  # noqa: ANN401 - JSON
    made = copy.deepcopy(body)
    inner = made
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = value
    return made


def forms(door: Door, planted: Planted, who: str) -> Iterator[Asked]:
    """Every form on every page that a member comes to, sent as it is but for one field, which is strange."""
    client, seen = door.client(who), set()
    for method, path, _ in routes_of(door):
        if method != "GET" or path.startswith(("/api", "/fhir", "/metrics", "/health")):
            continue
        names = re.findall(r"\{(\w+)(?::\w+)?\}", path)
        said = {name: usual(name, path, planted) for name in names}
        for trigger, no in (("give_feedback", "1"), ("report_in", "1"), ("remind", "1"), ("merge", "0")):
            tried = {**said, "trigger": trigger, "no": no} if "trigger" in said else said
            text = client.get(_filled(path, tried)).text
            for action, how, fields, named in forms_on(text):
                goes = action or _filled(path, tried)
                if how.lower() != "post" or (goes, *sorted(named)) in seen or goes.startswith(LEAVES):
                    continue
                seen.add((goes, *sorted(named)))
                for name in sorted(named - {"csrf"}):
                    for value in STRANGE:
                        yield Asked("POST", goes, form={**fields, name: value})


def plain_posts(door: Door, planted: Planted, values: Values = STRANGE) -> Iterator[Asked]:
    """Every page that takes a form, with every field of any form strange at once."""
    names = {"why", "school", "text", "role", "organisation", "since", "until", "member", "starts", "ends", "name",
             "code", "kind", "parent", "newest", "login", "what", "note", "about", "one", "do", "_key",
             "_version"}  # fmt: skip
    for method, path, _ in routes_of(door):
        if method == "POST" and not path.startswith(("/api", "/fhir", *LEAVES)):
            right = {name: usual(name, path, planted) for name in re.findall(r"\{(\w+)(?::\w+)?\}", path)}
            for value in values:
                yield Asked("POST", _filled(path, right), form=dict.fromkeys(names, value))


def charsets(door: Door, planted: Planted, values: Values = CHARSETS) -> Iterator[Asked]:
    """Every route that takes a body, which says that it is in some codec of Python's that is no charset."""
    for method, path, _ in routes_of(door):
        if method in {"POST", "PUT", "PATCH"} and not path.startswith(LEAVES):
            address = _filled(path, {one: usual(one, path, planted) for one in re.findall(r"\{(\w+)(?::\w+)?\}", path)})
            for charset in values:
                for kind in (
                    "multipart/form-data; boundary=x",
                    "application/x-www-form-urlencoded",
                    "application/json",
                ):
                    yield Asked(method, address, headers={"content-type": f"{kind}; charset={charset}"})


PARTS = (
    "".join(
        f'--x\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n{value}\r\n'
        for name, value, more in (
            ("kind", "students", ""),
            ("school", "\\ud800+2AA-", ""),
            ("file", "a,b", '; filename="a.csv"'),
        )
    )
    + "--x--\r\n"
)


async def answers(door: Door, asking: list[Asked], who: str) -> list[str]:
    """What of it broke, or was refused without a clear problem."""
    client = door.client(who)
    name = cookies.session_name(door.house.settings)
    transport = httpx.ASGITransport(door.app, raise_app_exceptions=False)
    wrong = []
    async with httpx.AsyncClient(
        transport=transport,
        base_url=AT_HOME,
        headers={"x-csrf-token": client.csrf},
        cookies={name: client.cookies[name]},
    ) as browser:
        for one in asking:
            answer = await browser.request(one.method, one.address, **_sent(one, client.csrf))
            if answer.status_code >= 500 or (answer.status_code >= 400 and not _clear(one, answer)):
                wrong.append(f"{who} {one.said}: {answer.status_code} {answer.text[:200]}")
    return wrong


def _sent(one: Asked, csrf: str) -> dict[str, Any]:
    if one.headers:
        return {"content": PARTS.encode(), "headers": one.headers}
    if one.form is not None:
        return {"data": {**one.form, "csrf": csrf}}
    if one.body is None:
        return {}
    kind = "application/fhir+json" if one.address.startswith("/fhir") else "application/json"
    return {"content": json.dumps(one.body), "headers": {"content-type": kind}}


def _clear(one: Asked, answer: httpx.Response) -> bool:
    """Whether a refusal says what is wrong, in the form that its reader expects."""
    kind = answer.headers.get("content-type", "")
    if one.address.startswith("/fhir"):
        return kind == "application/fhir+json" and bool(answer.json()["issue"][0]["details"]["text"])
    if one.address.startswith(("/api", "/health", "/metrics")):
        return kind == "application/problem+json" and bool(answer.json()["title"])
    return kind.startswith("text/html") and "<" in answer.text


WAYS = {"addresses": addresses, "bodies": bodies, "plain_posts": plain_posts, "charsets": charsets}


def who_asks(one: Asked, turn: int) -> str:
    """Somebody who gets as far as the form or the database: an admin at admins' pages, a hospital at its interface."""
    if re.match(r"/admin|/api/v1/(members|organisations|accounts|webhooks|imports)", one.address):
        return "admin@city"
    return "liaison@hospital" if one.address.startswith("/fhir") else ASKING[1 + turn % 2]


@pytest.mark.parametrize("way", WAYS)
def test_nothing_that_is_sent_breaks_a_route(door: Door, planted: Planted, way: str) -> None:
    asking = list(WAYS[way](door, planted, SHORT[way]))[:: 3 if way == "bodies" else 1]
    assert len(asking) > 80
    wrong = []
    for who in ASKING:
        mine = [one for turn, one in enumerate(asking) if who_asks(one, turn) == who]
        wrong += asyncio.run(answers(door, mine, who))
    assert not wrong, f"{len(wrong)}\n" + "\n".join(wrong[:40])


@pytest.mark.long
@pytest.mark.parametrize("who", ASKING)
@pytest.mark.parametrize("way", [*WAYS, "forms"])
def test_nor_does_anything_else(door: Door, planted: Planted, way: str, who: str) -> None:
    asking = forms(door, planted, who) if way == "forms" else WAYS[way](door, planted)
    wrong = asyncio.run(answers(door, list(asking), who))
    assert not wrong, f"{len(wrong)}\n" + "\n".join(wrong[:40])
