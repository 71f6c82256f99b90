"""A small town for tests: one district, one organisation of each kind, a member for each role, the real engine."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

from cases import engine, wake
from cases.directory import Actor, Organisation
from cases.engine import Fired
from cases.installation import Installation
from cases.keystore import KeyStore
from cases.office import Office, Session
from cases.people import KINDS
from cases.posts import enlist
from cases.refusal import Refusal
from cases.registrar import found
from cases.store import Store
from cases.vault import MasterKey
from policies import book as books
from policies.book import Book

SINCE = date(2020, 1, 1)
START = datetime(2026, 3, 17, 0, 20, tzinfo=UTC)
"""Tuesday, 17 March 2026, 08:20 in Nanjing."""

STUDENT = {"name": "小怡", "born": "2016-11-02", "grade": 3}
WHISTLE: Mapping[str, Any] = {
    "concern": "harmful_home",
    "level": "red",
    "summary": "Old and new bruises on both arms.",
    "student": STUDENT,
}


@cache
def book() -> Book:
    """The default policy, loaded once for all tests of a process."""
    return books.load("nanjing-2026.1")


def roles_of(kind: str) -> tuple[str, ...]:
    """Every role that can be held in an organisation of that kind, save the codirector's."""
    if kind in {"city", "district"}:
        return ("coordinator", "supervisor", "auditor", "admin")
    if kind == "school":
        return ("counselor", "principal", "mentor", "deputy")
    return ("officer", "lead", "liaison") if kind == "hospital" else ("officer", "lead")


@dataclass
class Town:
    """Organisations by name (`street`, `street#2`, `district#2`), members as `role@name`."""

    store: Store
    office: Office
    places: dict[str, Organisation] = field(default_factory=dict)
    members: dict[str, int] = field(default_factory=dict)

    def actor(self, who: str, at: datetime = START) -> Actor:
        """Whoever holds that post."""
        with self.store.read() as connection:
            return self.office.directory.actor(connection, self.members[who], at)

    def fire(
        self,
        who: str,
        case: str | int | None,
        track: str | int,
        trigger: str,
        form: Mapping[str, Any] | None = None,
        at: datetime = START,
        *,
        version: int | None = None,
    ) -> Fired:
        """Pull a trigger in a transaction of its own."""
        with self.store.begin() as connection:
            actor = self.office.directory.actor(connection, self.members[who], at)
            return engine.fire(Session(connection, self.office), case, track, trigger, actor, form, at, version=version)

    def refusal(
        self,
        who: str,
        case: str | int | None,
        track: str | int,
        trigger: str,
        form: Mapping[str, Any] | None = None,
        at: datetime = START,
    ) -> str:
        """The code with which a trigger is refused."""
        try:
            self.fire(who, case, track, trigger, form, at)
        except Refusal as refusal:
            return refusal.code
        raise AssertionError(f"{trigger} by {who} was not refused")

    def whistle(self, at: datetime = START, who: str = "counselor@school", **form: Any) -> Fired:  # noqa: ANN401
        """A red whistle for a harmful home, or whatever `form` makes of it."""
        return self.fire(who, None, 0, "whistle", {**WHISTLE, **form}, at)

    def sweep(self, at: datetime) -> wake.Swept:
        """Wake everything that is due at that instant, at once."""
        return wake.sweep(self.store, self.office, at)

    def run_until(self, at: datetime) -> None:
        """Let time pass: every rung at its own instant."""
        from cases import queries

        while True:
            with self.store.read() as connection:
                due = queries.next_wake(connection)
            if due is None or due > at:
                return
            self.sweep(due)


@contextmanager
def town(store: Store, *, second: tuple[str, ...] = ("street", "hospital", "community")) -> Iterator[Town]:
    """Build the town in a fresh database, with a key store of its own beside it; dropped at the end."""
    # Not under the name of a scratch database: those are cleared away when their owner seems gone.
    name = f"keys_of_{store.name}"
    store.create_database(name)
    try:
        with store.at(name) as keys:
            master = MasterKey(os.urandom(32))
            keystore = KeyStore(keys, master)
            keystore.prepare()
            office = Installation(store, keystore, master).office(book().version)
            office.book_of = lambda _: book()
            built = Town(store, office)
            _settle(built, second)
            yield built
    finally:
        store.drop_database(name)


def _settle(built: Town, second: tuple[str, ...]) -> None:
    with built.store.begin() as connection:

        def place(name: str, parent: str | None = None, **links: Organisation | None) -> Organisation:
            kind = name.partition("#")[0]
            above = built.places[parent] if parent else None
            made = found(connection, f"T-{name}", kind, f"示例{name}", above, **links)
            built.places[name] = made
            for role in roles_of(kind):
                built.members[f"{role}@{name}"] = enlist(connection, made, f"{role}@{name}", [role], since=SINCE).id
            return made

        place("city")
        place("district", "city")
        place("district#2", "city")
        place("street", "district")
        place("community", "street")
        for kind in KINDS:
            if kind not in {"city", "district", "street", "community", "school"}:
                place(kind, "district")
        for name in second:
            place(f"{name}#2", "street" if name == "community" else "district")
        school = place(
            "school",
            "street",
            hospital=built.places["hospital"],
            community=built.places["community"],
        )
        codirector = enlist(
            connection,
            built.places["street"],
            "codirector@street",
            ["codirector"],
            since=SINCE,
            school=school,
        ).id
        built.members["codirector@street"] = codirector


def minutes(count: float) -> timedelta:
    """So many minutes."""
    return timedelta(minutes=count)
