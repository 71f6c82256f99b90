"""Every route that isn't about one case × every role: directory, accounts, webhooks, lists, hospitals, pages.

As `tests.api.test_matrix`, but with bodies that are right, so that the right is what answers. What is expected stands
in one table; a route that has no line in it fails.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx
import pytest
from fastapi.routing import iter_route_contexts

from api.signin import cookies, oversight
from cases import census, imports, referrals, subscribers
from cases.placing import Reach
from cases.shelf import FolderShelf
from cases.store import Store
from tests.api.door import AT_HOME, Door, door_of
from tests.api.planted import CANARIES, FILER, FILERS_NAME, Planted, plant
from tests.api.test_matrix import MEMBERS, PAGES
from tests.cases import oracle

HERE: Final = frozenset({"admin@district", "admin@city"})
"""The admins above the district's organisations; `admin@district#2` is an admin too, and not theirs."""
DONE: Final = frozenset({200, 201, 202, 204})
ABOUT_A_CASE: Final = re.compile(r"^/api/v1/cases/\{number\}")
PUBLIC: Final = ("/health", "/metrics", "/static", "/sign-in", "/language/", "/calendar/", "/live")
"""What needs nobody signed in, or is a stream; each has its own tests."""
LEAVING: Final = frozenset({"DELETE /api/v1/signin", "DELETE /api/v1/me/sessions", "POST /sign-out"})

RULES: Final[Mapping[str, tuple[str, Any]]] = {
    "GET /api/v1/openapi.json": ("everybody", None),
    "POST /api/v1/signin": ("wrong", {"login": "nobody", "password": "nothing at all"}),
    "POST /api/v1/signin/one-time": ("wrong", {"login": "nobody", "code": "x", "password": "a sentence of one's own"}),
    "POST /api/v1/signin/code": ("no account", {"code": "123456"}),
    "GET /api/v1/signin/enrolment": ("no account", None),
    "POST /api/v1/signin/enrolment": ("no account", {"code": "123456"}),
    "GET /api/v1/me": ("everybody", None),
    "POST /api/v1/me/password": ("no account", {"old": "a sentence", "new": "a sentence of one's own"}),
    "POST /api/v1/me/recovery-codes": ("no account", None),
    "GET /api/v1/me/sessions": ("everybody", None),
    "DELETE /api/v1/me/sessions/{id}": ("nobody's", None),
    "GET /api/v1/me/events": ("everybody", None),
    "GET /api/v1/tokens": ("everybody", None),
    "POST /api/v1/tokens": ("ruler", {"name": "x", "scopes": ["cases:read"], "member": "{member}"}),
    "DELETE /api/v1/tokens/{id}": ("nobody's", None),
    "GET /api/v1/accounts/{member}": ("ruler", None),
    "POST /api/v1/accounts/{member}": ("ruler", {"login": "an.officer"}),
    "POST /api/v1/accounts/{member}/reset": ("ruler", {}),
    "DELETE /api/v1/accounts/{member}/sessions": ("ruler", None),
    "GET /api/v1/audit/posts": ("auditor", None),
    "GET /api/v1/cases": ("everybody", None),
    "GET /api/v1/check-ins": ("everybody", None),
    "GET /api/v1/conferences": ("everybody", None),
    "GET /api/v1/action-items": ("everybody", None),
    "GET /api/v1/supervision-orders": ("everybody", None),
    "GET /api/v1/referrals": ("everybody", None),
    "GET /api/v1/assignments": ("everybody", None),
    "GET /api/v1/imports": ("everybody", None),
    "GET /api/v1/imports/templates/{kind}": ("everybody", None),
    "POST /api/v1/imports": ("admin", "organisations"),
    "GET /api/v1/imports/{number}": ("nobody's", None),
    "POST /api/v1/imports/{number}/start": ("nobody's", None),
    "GET /api/v1/organisations": ("everybody", None),
    "GET /api/v1/organisations/{number}": ("everybody", None),
    "POST /api/v1/organisations": ("ruler of it", {"code": "X-9", "kind": "police", "name": "某所",
                                            "parent": "{place}"}),
    "PATCH /api/v1/organisations/{number}": ("ruler of it", {"name": "某局"}),
    "DELETE /api/v1/organisations/{number}": ("ruler of it", None),
    "GET /api/v1/members": ("everybody", None),
    "GET /api/v1/members/{number}": ("everybody", None),
    "POST /api/v1/members": ("ruler of it", {"organisation": "{place}", "name": "某人", "posts": ["officer"],
                                       "since": "2026-03-01"}),
    "POST /api/v1/members/{number}/posts": ("ruler of it", {"role": "lead", "organisation": "{place}",
                                                      "since": "2026-03-01"}),
    "POST /api/v1/members/{number}/posts/end": ("ruler of it", {"role": "lead", "organisation": "{place}",
                                                          "until": "2026-03-31"}),
    "PATCH /api/v1/members/{number}": ("ruler", {"phone": "025-55500107"}),
    "DELETE /api/v1/members/{number}": ("ruler", None),
    "GET /api/v1/messages": ("everybody", None),
    "POST /api/v1/messages/{number}/read": ("nobody's", None),
    "GET /api/v1/statistics": ("everybody", None),
    "GET /api/v1/policy": ("everybody", None),
    "POST /api/v1/search": ("whoever reads names", {"name": "无此人", "purpose": "looking"}),
    "GET /api/v1/webhooks": ("admin", None),
    "POST /api/v1/webhooks": ("admin", {"url": "https://hospital.example/x", "events": ["referral.*"]}),
    "GET /api/v1/webhooks/{number}": ("admin, nobody's", None),
    "PATCH /api/v1/webhooks/{number}": ("admin, nobody's", {"active": False}),
    "DELETE /api/v1/webhooks/{number}": ("admin, nobody's", None),
    "POST /api/v1/webhooks/{number}/secret": ("admin, nobody's", None),
    "POST /api/v1/webhooks/{number}/test": ("admin, nobody's", None),
    "GET /api/v1/webhooks/{number}/deliveries": ("admin, nobody's", None),
    "POST /api/v1/webhooks/{number}/deliveries/{key}/replay": ("admin, nobody's", None),
    "GET /fhir/R4/metadata": ("everybody", None),
    **{f"{method} /fhir/R4/{kind}{more}": ("hospital's list", None) for kind in ("ServiceRequest", "Task")
       for method, more in (("GET", ""), ("POST", "/_search"))},
    "GET /fhir/R4/Communication": ("everybody", None),
    "POST /fhir/R4/Communication/_search": ("everybody", None),
    "GET /fhir/R4/ServiceRequest/{name}": ("hospital", None),
    "GET /fhir/R4/Task/{name}": ("hospital", None),
    "PUT /fhir/R4/Task/{name}": ("hospital", {"resourceType": "Task", "id": "{name}", "status": "requested",
                                              "intent": "order"}),
    "PATCH /fhir/R4/Task/{name}": ("hospital", {"intent": "order"}),
    "GET /fhir/R4/Communication/{name}": ("nobody's", None),
    "POST /fhir/R4/Communication": ("hospital", {"resourceType": "Communication", "status": "completed",
        "basedOn": [{"reference": "ServiceRequest/{name}"}], "payload": [{"contentString": "x"}]}),
}  # fmt: skip
"""Whose a route is, and a body that is right."""
ELSEWHERE: Final = frozenset({"POST /api/v1/cases", "GET /api/v1/audit"})
"""Of the contract's own matrix."""


@dataclass(frozen=True)
class Route:
    """A route and method."""

    method: str
    path: str

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"


@pytest.fixture(scope="module")
def door(server: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    with server.scratch() as fresh, door_of(fresh) as opened:
        opened.house.office.shelf = FolderShelf(tmp_path_factory.mktemp("shelf"))
        yield opened


@pytest.fixture(scope="module")
def planted(door: Door) -> Planted:
    return plant(door)


@pytest.fixture(scope="module")
def routes(door: Door) -> list[Route]:
    """Every route but those about one case and those for which nobody is signed in."""
    found = []
    for context in iter_route_contexts(door.app.routes):
        path = context.path_format or context.path or ""
        for method in sorted((context.methods or set()) - {"HEAD", "OPTIONS"}):
            one = Route(method, path)
            if not path.startswith(PUBLIC) and not ABOUT_A_CASE.match(path) and one.name not in LEAVING | ELSEWHERE:
                found.append(one)
    return found


def expected(route: Route, who: str, planted: Planted) -> frozenset[int]:
    """What may be answered; raises for a route that nobody has thought about."""
    if PAGES.match(route.path):
        return _of_page(route, who, planted)
    whose, _ = RULES[route.name]
    admin = oracle.split(who)[0] == "admin"
    refused = frozenset({403})
    match whose:
        case "everybody" | "hospital's list":
            return DONE
        case "whoever reads names":
            return refused if oracle.split(who)[0] in {"supervisor", "auditor", "admin"} else DONE
        case "auditor":
            return DONE if oracle.split(who)[0] == "auditor" else refused
        case "wrong":
            return frozenset({401, 429})
        case "no account":
            return frozenset({409})
        case "nobody's":
            return frozenset({404})
        case "admin":
            return DONE if admin else refused
        case "admin, nobody's":
            return frozenset({404}) if admin else refused
        case "ruler":
            # The second admin finds done what the first one did.
            return DONE | {404, 409} if who in HERE else frozenset({404}) if admin else refused
        case "ruler of it":
            return DONE | {404, 409, 422} if who in HERE else refused
        case _:
            return DONE | {403, 409, 422} if who == "liaison@hospital" else frozenset({403, 404})


def _of_page(route: Route, who: str, planted: Planted) -> frozenset[int]:
    if route.path.startswith("/admin") and route.path != "/admin/log":
        role = oracle.split(who)[0]
        return DONE | {303, 403, 404, 422} if role == "admin" else frozenset({403})
    if route.method == "GET" and route.path.endswith("/attachments"):
        # Whatever the case is, the form's own address is where it leads.
        return frozenset({303})
    if "/cases/{number}" in route.path and not planted.sees(who) and "{kind}/{trigger}" not in route.path:
        return frozenset({404})
    return DONE | {303, 403, 404, 409, 422}


def _address(route: Route, door: Door, planted: Planted) -> str:
    no = next(no for no, (kind, _, _) in planted.tracks.items() if kind == "referral")
    is_page = "/cases/" in route.path or route.path.startswith("/whistle/")
    number = planted.number if is_page else _target(route, door)
    said = {"number": number, "no": str(no), "name": f"{planted.number}.{no}", "kind": "organisations",
            "member": str(door.town.members["officer@civil_affairs"]), "trigger": "acknowledge",
            "id": "00000000-0000-4000-8000-000000000000", "key": "00000000-0000-4000-8000-000000000000"}  # fmt: skip
    if route.name == "GET /fhir/R4/Communication/{name}":
        said["name"] = f"{planted.number}.{no}.999"
    return re.sub(r"\{(\w+)(?::\w+)?\}", lambda one: said.get(one[1], "1"), route.path)


def _target(route: Route, door: Door) -> str:
    if "/members/" in route.path:
        # Whoever is taken out of service is nobody whom another route asks for.
        who = "lead@civil_affairs" if route.method == "DELETE" else "officer@civil_affairs"
        return str(door.town.members[who])
    return str(door.town.places["civil_affairs"].id) if "/organisations/" in route.path else "999999"


def _body(route: Route, door: Door, planted: Planted) -> dict[str, Any]:
    _, body = RULES.get(route.name, ("", None))
    if body == "organisations":
        content = "code,kind,name,parent\nX-1,police,某所,T-district\n".encode("utf-8-sig")
        return {"files": {"file": ("a.csv", content)}, "data": {"kind": body}}
    if body is None:
        return {"data": {"x": "1"}} if route.method == "POST" and PAGES.match(route.path) else {}
    name = _address(Route("GET", "/{name}"), door, planted)[1:]
    filled = {"{member}": door.town.members["officer@civil_affairs"], "{place}": door.town.places["civil_affairs"].id}
    return {"json": {key: _filled(value, filled, name) for key, value in body.items()}}


def _filled(value: Any, filled: Mapping[str, int], name: str) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, list):
        return [_filled(one, filled, name) for one in value]
    if isinstance(value, dict):
        return {key: _filled(one, filled, name) for key, one in value.items()}
    if isinstance(value, str):
        return filled.get(value, value.replace("{name}", name))
    return value


async def _wrong(door: Door, planted: Planted, routes: list[Route], who: str) -> list[str]:
    client = door.client(who)
    name = cookies.session_name(door.house.settings)
    found = []
    transport = httpx.ASGITransport(door.app, raise_app_exceptions=True)
    headers, jar = {"x-csrf-token": client.csrf}, {name: client.cookies[name]}
    async with httpx.AsyncClient(transport=transport, base_url=AT_HOME, headers=headers, cookies=jar) as asking:
        for route in routes:
            answer = await asking.request(route.method, _address(route, door, planted), **_body(route, door, planted))
            cell = f"{who} {route.name}: {answer.status_code}"
            if answer.status_code not in expected(route, who, planted):
                found.append(f"{cell} instead of {sorted(expected(route, who, planted))}: {answer.text[:160]}")
            found += [f"{cell} tells of {what}" for what in _told(answer.text, who, route, planted)]
    return found


def _told(text: str, who: str, route: Route, planted: Planted) -> Iterator[str]:
    """What is told to whoever may not hear it."""
    for section, words in CANARIES.items():
        # Pages name a student to a supervisor by grade and class.
        shown = {"canary-class"} if oracle.split(who)[0] == "supervisor" and PAGES.match(route.path) else frozenset()
        if section not in planted.sections(who) and any(word in text for word in set(words) - shown):
            yield section
    if route.path.startswith(("/fhir", "/cases", "/board", "/desk", "/search")) and not planted.sees_filer(who):
        yield from (["the filer"] if FILERS_NAME in text else [])
    if route.path.startswith("/fhir") and who != "liaison@hospital" and '"total": 1' in text.replace('":', '": '):
        yield "a referral of another's"


def wrong(
    door: Door, planted: Planted, routes: list[Route], every: int, members: tuple[str, ...] = MEMBERS
) -> list[str]:
    """The cells that were answered otherwise than the table says; of the routes `every` so many for each member."""
    found = []
    # Whoever filed the report asks last: what they look at is told with their name, as of everybody.
    for place, who in enumerate(sorted(members, key=lambda one: one == FILER)):
        mine = [one for turn, one in enumerate(routes) if (turn + place) % every == 0]
        found += asyncio.run(_wrong(door, planted, mine, who))
    return found


def test_every_route_has_a_line_in_the_table(routes: list[Route]) -> None:
    rest = {one.name for one in routes if not PAGES.match(one.path)}
    assert rest == set(RULES)
    assert (len(rest), len(routes) - len(rest), len(MEMBERS)) == (71, 95, 31)


def test_nobody_is_let_further_than_the_table_says(door: Door, planted: Planted, routes: list[Route]) -> None:
    found = wrong(door, planted, routes, 6)
    assert not found, f"{len(found)} cells\n" + "\n".join(found[:60])


@pytest.mark.long
def test_nor_in_any_of_its_cells(door: Door, planted: Planted, routes: list[Route]) -> None:
    found = wrong(door, planted, routes, 1)
    assert not found, f"{len(found)} cells\n" + "\n".join(found[:60])


MUTANTS: Mapping[str, tuple[Any, str, Any]] = {
    "anybody registers organisations and members": (census, "require_admin", lambda *_: None),
    "anybody governs accounts": (oversight, "may_govern", lambda *_: None),
    "every admin governs every account": (oversight, "governed", lambda *_: True),
    "anybody is a hospital's liaison": (referrals, "liaison", lambda actor: actor),
    "anybody subscribes to events": (subscribers, "_administered", lambda actor: [actor.organisation_id]),
    "anybody brings in lists": (imports, "reach_of", lambda *_: Reach(None)),
}
"""Each guard of what isn't about one case, taken away."""
TRIED = (
    "principal@school",
    "officer@hospital",
    "officer@street",
    "admin@district#2",
    "liaison@hospital#2",
    "coordinator@district",
)


@pytest.mark.long
@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_guard_that_is_gone_is_seen(
    door: Door, planted: Planted, routes: list[Route], mutant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, name, instead = MUTANTS[mutant]
    monkeypatch.setattr(place, name, instead)
    monkeypatch.setattr(door.house, "_layered", False)
    asked = [one for one in routes if not PAGES.match(one.path)]
    assert wrong(door, planted, asked, 1, TRIED)
