"""The people's door over the test town: its clock can be set, and whoever is asked for is signed in already."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from itertools import count
from typing import Any

from fastapi import FastAPI

from api.app import create
from api.house import House
from api.settings import Settings
from api.signin import cookies
from cases import standing
from cases.installation import Installation
from cases.keystore import KeyStore
from cases.store import Store
from cases.vault import MasterKey
from cases.who import Organisation
from tests.town import START, Town, book, town

with warnings.catch_warnings():
    # Starlette would rather have a client that nobody else here needs; this one is the whole project's.
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

AT_HOME = "http://127.0.0.1:8000"


class Client(TestClient):
    """A browser with its session: `csrf` belongs into forms, and goes along as a header with everything unsafe."""

    last: Any = None
    csrf: str = ""
    session_id: str = ""
    member_id: int = 0


class Door:
    """The application, the town behind it, and the hour."""

    def __init__(self, built: Town, settings: Settings | None = None, now: datetime = START) -> None:
        self.town = built
        self.now = now
        kept = Installation(built.store, built.office.keystore, built.office.master)
        self.house = House(settings or Settings(), kept, clock=lambda: self.now, office=built.office)
        self.app: FastAPI = create(self.house)

    def wait(self, **length: float) -> None:
        """Let time pass."""
        self.now += timedelta(**length)

    def member(self, who: int | str) -> int:
        """`counselor@school`, or `counselor` for the first who has that role, or an id."""
        if isinstance(who, int):
            return who
        if who in self.town.members:
            return self.town.members[who]
        return next(number for name, number in self.town.members.items() if name.partition("@")[0] == who)

    def stranger(self, language: str = "zh_CN") -> Client:
        """A browser that nobody is signed in with."""
        client = Client(self.app, base_url=AT_HOME, follow_redirects=False, raise_server_exceptions=True)
        client.headers["accept-language"] = language.replace("_", "-")
        return client

    def client(self, who: int | str, language: str = "zh_CN", *, strong: bool = True) -> Client:
        """A browser in which that member is signed in, the second factor shown (unless `strong` is false)."""
        number = self.member(who)
        settings = self.house.settings
        with self.town.store.begin() as connection:
            opened = standing.open_session(
                connection,
                number,
                self.now,
                length=settings.session_length,
                idle=settings.session_idle,
                strong=strong,
            )
        client = self.stranger(language)
        client.cookies.set(cookies.session_name(settings), opened.secret, domain="127.0.0.1", path="/")
        client.headers["x-csrf-token"] = opened.csrf
        client.csrf, client.session_id, client.member_id = opened.csrf, str(opened.id), number
        return client

    def token(self, who: int | str, *scopes: str, days: float = 30) -> Client:
        """A system that shows a bearer token of that member's; `headers["authorization"]` holds it."""
        number = self.member(who)
        with self.town.store.begin() as connection:
            _, secret = standing.draw_token(
                connection, number, "a system", scopes, self.now, self.now + timedelta(days=days), None
            )
        client = self.stranger()
        client.headers["authorization"] = f"Bearer {secret}"
        client.member_id = number
        return client


@contextmanager
def door_of(store: Store, settings: Settings | None = None) -> Iterator[Door]:
    """The door over a fresh town in that database."""
    with town(store) as built:
        yield Door(built, settings)


@contextmanager
def door_at(server: Store, settings: Settings | None = None) -> Iterator[Door]:
    """The door over a town of one's own, copied from one that is built once for the process: a tenth of the time."""
    model = _model(server)
    names = [f"door_{os.getpid()}_{next(_COUNT)}{kind}" for kind in ("", "_keys")]
    for name, template in zip(names, model.databases, strict=True):
        server.create_database(name, template=template)
    try:
        with server.at(names[0]) as store, server.at(names[1]) as keys:
            keystore = KeyStore(keys, model.master)
            keystore.verify()
            office = Installation(store, keystore, model.master).office(book().version)
            office.book_of = lambda _: book()
            yield Door(Town(store, office, dict(model.places), dict(model.members)), settings)
    finally:
        for name in names:
            server.drop_database(name)


@dataclass(frozen=True)
class _Model:
    databases: tuple[str, str]
    master: MasterKey
    places: dict[str, Organisation]
    members: dict[str, int]


_COUNT = count(1)


@cache
def _model(server: Store) -> _Model:
    databases = (f"model_{os.getpid()}", f"model_{os.getpid()}_keys")
    with server.scratch() as store, town(store) as built:
        store.close()
        built.office.keystore._store.close()
        for name, template in zip(databases, (store.name, f"keys_of_{store.name}"), strict=True):
            server.create_database(name, template=template)
        return _Model(databases, built.office.master, dict(built.places), dict(built.members))
