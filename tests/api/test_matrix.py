"""Every route × every role × {own organisation, participant, other, not called, nobody signed in}.

The routes come from the application itself, what is expected from the contract (`tests.cases.oracle`), never from the
code. In every answer canaries are looked for: what stands in a protected section is told to nobody without the right.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from fastapi.routing import iter_route_contexts
from sqlalchemy import true

from api.signin import cookies
from cases import access, engine, looks
from cases.people import ROLES
from cases.store import Store
from tests.api.door import AT_HOME, Door, door_of
from tests.api.planted import CANARIES, FILERS_NAME, Planted, plant
from tests.cases import contract, oracle

RELATIONS: Mapping[str, tuple[str, ...]] = {
    "own organisation": ("counselor@school", "principal@school", "mentor@school", "deputy@school",
                         "coordinator@district", "supervisor@district", "auditor@district", "admin@district",
                         "coordinator@city", "supervisor@city", "auditor@city", "admin@city"),
    "participant": ("officer@street", "lead@street", "codirector@street", "officer@community", "lead@community",
                    "officer@police", "liaison@hospital", "officer@hospital", "lead@hospital"),
    "other": ("officer@street#2", "lead@street#2", "liaison@hospital#2", "officer@community#2",
              "coordinator@district#2", "supervisor@district#2", "auditor@district#2", "admin@district#2"),
    "not called": ("officer@court", "lead@justice"),
}  # fmt: skip
"""Every role in every relation that it can stand in to the planted case."""
MEMBERS = tuple(one for members in RELATIONS.values() for one in members)
OPEN_TO_ALL = {"/api/v1/openapi.json", "/health", "/health/live", "/health/ready", "/metrics", "/fhir/R4/metadata"}
OWN = ("/api/v1/signin", "/api/v1/me", "/api/v1/tokens", "/sign-in", "/sign-out")
"""A person's own affairs, with rights of their own (`tests.api.test_signin`): nobody signed in is tried on them."""
PAGES = re.compile(r"^/(?!api/|fhir/|health|metrics)")
"""Pages have their own tests; here they are asked by nobody."""
WITHOUT_A_CASE = "999999"


@dataclass(frozen=True, slots=True)
class Route:
    """One route and method, with its address about the planted case."""

    method: str
    path: str
    address: str

    @property
    def trigger(self) -> tuple[str, str, bool] | None:
        """Kind and trigger that this route pulls, and whether it names a track; None for any other route."""
        found = re.fullmatch(r"/api/v1/cases/\{number\}/([a-z_]+)/(\{no\}/)?([a-z_]+)", self.path)
        if self.method != "POST" or found is None or found[1] in {"files", "tracks"}:
            return None
        return found[1], found[3], bool(found[2])


@dataclass(frozen=True, slots=True)
class Heard:
    """One cell: who asked which route, and the answer."""

    who: str | None
    route: Route
    status: int
    text: str


@pytest.fixture(scope="module")
def door(server: Store) -> Iterator[Door]:
    with server.scratch() as fresh, door_of(fresh) as opened:
        yield opened


@pytest.fixture(scope="module")
def planted(door: Door) -> Planted:
    return plant(door)


def routes_of(door: Door, planted: Planted) -> list[Route]:
    """Every route of the application, each of its methods by itself."""
    found = []
    for context in iter_route_contexts(door.app.routes):
        for method in sorted((context.methods or set()) - {"HEAD", "OPTIONS"}):
            path = context.path_format or context.path
            if path is not None and "/static" not in path:
                found.append(Route(method, path, _address(path, planted)))
    return found


def _address(path: str, planted: Planted) -> str:
    """The address about the planted case; a track of the kind that the path names, where there is one."""
    kind = re.search(r"\{number\}/([a-z_]+)/\{no\}", path)
    no = next((no for no, (one, _, _) in planted.tracks.items() if kind and one == kind[1]), 1)
    filled = {"number": planted.number if "/cases/" in path else WITHOUT_A_CASE, "no": str(no), "section": "clinical",
              "trigger": "acknowledge"}  # fmt: skip
    address = re.sub(r"\{(\w+)(:\w+)?\}", lambda found: filled.get(found[1], WITHOUT_A_CASE), path)
    return address + ("?purpose=looking" if path.endswith("{section}") else "")


async def _heard(door: Door, routes: list[Route], who: str | None) -> list[Heard]:
    """One member asks every route, with a body that no form fits: it is refused, if for nothing else, for that."""
    headers, jar = {}, {}
    if who is not None:
        client = door.client(who)
        headers["x-csrf-token"] = client.csrf
        jar = {cookies.session_name(door.house.settings): client.cookies[cookies.session_name(door.house.settings)]}
    transport = httpx.ASGITransport(door.app, raise_app_exceptions=True)
    found = []
    async with httpx.AsyncClient(transport=transport, base_url=AT_HOME, headers=headers, cookies=jar) as asking:
        for route in routes:
            body: Any = {"json": {"no_such_field": 1}} if route.method in {"POST", "PUT", "PATCH"} else {}
            answer = await asking.request(route.method, route.address, **body)
            found.append(Heard(who, route, answer.status_code, answer.text))
    return found


@pytest.fixture(scope="module")
def routes(door: Door, planted: Planted) -> list[Route]:
    return routes_of(door, planted)


@pytest.fixture(scope="module")
def matrix(door: Door, planted: Planted, routes: list[Route]) -> list[Heard]:
    """Every cell, but of the triggers every other one: the long form has them all."""
    return list(_cells(door, routes, 2))


def _cells(door: Door, routes: list[Route], every: int, members: tuple[str, ...] = MEMBERS) -> Iterator[Heard]:
    for place, who in enumerate(members):
        yield from asyncio.run(_heard(door, asked_by(place, routes, every), who))
    yield from asyncio.run(_heard(door, asked_by(None, routes, 1), None))


def asked_by(place: int | None, routes: list[Route], every: int) -> list[Route]:
    """The routes that a member is tried on, `every` so many of the triggers; without a place, that nobody is."""
    if place is None:
        return [one for one in routes if one.path != "/live"]
    others = [one for one in routes if not one.path.startswith(OWN) and not PAGES.match(one.path)]
    return [one for turn, one in enumerate(others) if one.trigger is None or (turn + place) % every == 0]


def wrong(matrix: list[Heard], planted: Planted) -> list[str]:
    """The cells that the contract would have answered otherwise."""
    return [found for one in matrix for found in _wrong(one, planted)]


def _wrong(one: Heard, planted: Planted) -> Iterator[str]:
    cell = f"{one.who} {one.route.method} {one.route.path}: {one.status}"
    if one.status >= 500:
        yield f"{cell} broke"
    for section, words in CANARIES.items():
        if section not in planted.sections(one.who) and any(word in one.text or _escaped(word) in one.text
                                                           for word in words):  # fmt: skip
            yield f"{cell} tells of {section}"
    if "/cases/{number}" in one.route.path and not planted.sees_filer(one.who) and _names_filer(one.text):
        yield f"{cell} names the filer"
    log_only = one.route.path == "/api/v1/audit" and one.who in {"auditor@district", "auditor@city"}
    told = planted.number in one.text.replace(f"/cases/{planted.number}", "")
    if told and not planted.sees(one.who) and not log_only:
        yield f"{cell} tells of the case"
    code = _told_code(one, planted)
    if code is not None and f'"code": "{code}"' not in one.text:
        yield f"{cell} isn't refused as {code}: {one.text[:120]}"
    expected = _expected(one, planted)
    if expected is not None and one.status not in expected:
        yield f"{cell} instead of {sorted(expected)}: {one.text[:120]}"


def _names_filer(text: str) -> bool:
    return FILERS_NAME in text or _escaped(FILERS_NAME) in text


def _escaped(word: str) -> str:
    return json.dumps(word)[1:-1]


STATUS = {"not_found": 404, "unlawful": 403, "not_permitted": 403, None: 422}


def _expected(one: Heard, planted: Planted) -> set[int] | None:
    """The statuses that the contract allows; None where it says nothing about the route."""
    path, who = one.route.path, one.who
    if path in OPEN_TO_ALL:
        return {200}
    if who is None:
        return {401, 404} if path.startswith(("/api/", "/fhir/")) and not path.startswith(OWN) else None
    pulled = one.route.trigger
    if pulled is not None:
        kind, trigger, _ = pulled
        return _of_trigger(who, kind, trigger, one.route, planted)
    if "/cases/{number}" in path and not planted.sees(who):
        # A file's form and number are looked at first, whosever case it is.
        return {404, 422} if "/files" in path else {404}
    if path.endswith("/sections/{section}"):
        return {200} if "clinical" in planted.sections(who) else {403}
    if path.startswith("/api/v1/cases/{number}/") and one.route.method == "GET" and "files" not in path:
        return {200}
    return None


def _of_trigger(who: str, kind: str, trigger: str, route: Route, planted: Planted) -> set[int]:
    no = _track_no(route)
    if route.trigger and route.trigger[2] and planted.tracks.get(no, ("", "", None))[0] != kind:
        # The case has no such track: whoever sees it is told that, whatever else is wrong.
        return {403, 404, 409, 422} if planted.sees(who) else {404}
    if (kind, trigger) == ("access", "open"):
        return {403, 422}
    return {STATUS.get(_code(who, kind, trigger, no, planted), 409)}


def _told_code(one: Heard, planted: Planted) -> str | None:
    """The refusal that the contract wants told; None where it says nothing, or the form alone is wrong."""
    pulled = one.route.trigger
    if one.who is None or pulled is None or pulled[:2] == ("access", "open"):
        return None
    no = _track_no(one.route)
    if pulled[2] and planted.tracks.get(no, ("", "", None))[0] != pulled[0]:
        return None
    return _code(one.who, pulled[0], pulled[1], no, planted)


def _code(who: str, kind: str, trigger: str, no: int, planted: Planted) -> str | None:
    return oracle.expected(who, kind, trigger, planted.tracks.get(no, ("", "", None))[1], planted.situation(no))


def _track_no(route: Route) -> int:
    found = re.search(r"/(\d+)/\w+$", route.address)
    return int(found[1]) if found else 0


def test_every_trigger_that_people_pull_has_its_route_and_only_they(routes: list[Route]) -> None:
    pulled = {(one.trigger[0], one.trigger[1]) for one in routes if one.trigger is not None}
    declared = {
        (kind, row) for kind in contract.STATES for row, said in contract.rows(kind).items() if said.by is not None
    }
    assert pulled == declared | set(contract.PULLED_BY_PEOPLE)
    assert len(pulled) == sum(1 for one in routes if one.trigger is not None)


def test_the_matrix_has_every_cell(routes: list[Route], matrix: list[Heard]) -> None:
    whole = len(asked_by(0, routes, 1))
    triggers = sum(1 for one in routes if one.trigger is not None)
    assert (triggers, len(MEMBERS)) == (103, 31)
    assert whole >= triggers + 40
    halves = len(asked_by(0, routes, 2)) + len(asked_by(1, routes, 2))
    assert halves == 2 * (whole - triggers) + triggers
    assert len(matrix) == sum(len(asked_by(place, routes, 2)) for place in range(31)) + len(asked_by(None, routes, 1))
    assert {oracle.split(one)[0] for one in MEMBERS} == set(ROLES)


def test_nobody_is_let_or_told_more_or_less_than_the_contract_says(matrix: list[Heard], planted: Planted) -> None:
    found = wrong(matrix, planted)
    assert not found, f"{len(found)} cells\n" + "\n".join(found[:60])


def test_the_canaries_sing_to_those_who_may_hear_them(door: Door, planted: Planted) -> None:
    """Without this the search for them would show nothing."""
    for section, words in CANARIES.items():
        text = (
            door.client("counselor@school")
            .get(f"/api/v1/cases/{planted.number}/sections/{section}", params={"purpose": "checking"})
            .text
        )
        assert [word for word in words if word not in text] == []


def test_who_sees_what_is_asked_of_every_member_of_the_town(door: Door, planted: Planted) -> None:
    for who in door.town.members:
        client = door.client(who)
        seen = client.get(f"/api/v1/cases/{planted.number}")
        assert seen.status_code == (200 if planted.sees(who) else 404), who
        for section in CANARIES:
            at = f"/api/v1/cases/{planted.number}/sections/{section}"
            status = client.get(at, params={"purpose": "looking"}).status_code
            expected = 404 if not planted.sees(who) else 200 if section in planted.sections(who) else 403
            assert status == expected, (who, section)
        filer_named = FILERS_NAME in client.get(f"/api/v1/cases/{planted.number}/timeline", params={"limit": 100}).text
        assert filer_named == planted.sees_filer(who), who


@pytest.mark.long
def test_nor_in_any_of_the_cells(door: Door, routes: list[Route], planted: Planted) -> None:
    matrix = list(_cells(door, routes, 1))
    assert len(matrix) == len(asked_by(0, routes, 1)) * len(MEMBERS) + len(asked_by(None, routes, 1))
    found = wrong(matrix, planted)
    assert not found, f"{len(found)} cells\n" + "\n".join(found[:60])


def _everything(*_: object, **__: object) -> access.Sight:
    return access.Sight("yes", "yes", "yes")


MUTANTS: Mapping[str, tuple[Any, str, Any]] = {
    "everybody sees every case": (access, "sees", _everything),
    "everybody stands in every relation": (access, "within", lambda *_: True),
    "a move is narrowed to nobody": (engine, "_permitted", lambda _desk, _move, actor, _form: actor.organisation_id),
    "no law reserves anything": (engine, "_lawful", lambda *_: None),
    "every state allows everything": (engine, "_state", lambda *_: None),
    "everybody is told who filed": (access, "sees_filer", lambda *_: True),
    "lists show every case": (access, "visible", lambda *_: true()),
    "everybody audits": (looks, "_ways", lambda _: [true()]),
    "called for ever": (access, "_holds", lambda post, *_: post.organisation_id > 0),
}
"""Each guard of who sees and who may, taken away."""
TRIED = ("principal@school", "auditor@district", "officer@street", "lead@street#2", "coordinator@district#2",
         "liaison@hospital#2", "officer@court")  # fmt: skip


@pytest.mark.long
@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_guard_that_is_gone_is_seen(
    door: Door, routes: list[Route], planted: Planted, mutant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, name, instead = MUTANTS[mutant]
    monkeypatch.setattr(place, name, instead)
    # The database's own layer would hide what the mutant lets out: here the first one is on trial.
    monkeypatch.setattr(door.house, "_layered", False)
    assert wrong(list(_cells(door, routes, 2, TRIED)), planted)
