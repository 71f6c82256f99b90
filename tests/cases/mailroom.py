"""What delivery's tests share: a town whose members have channels, and a round of delivery at any instant."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select, update

from cases.delivery import Delivered, Manner, deliver
from cases.outbox import delivery, lane
from cases.people import member
from cases.records import incident
from cases.store import Store
from notifiers.channels import Channels, NullChannels, Outcome
from notifiers.message import Rendered
from notifiers.render import Templates
from tests.town import START, Town, town

NANJING = ZoneInfo("Asia/Shanghai")
LINK = "https://whistle.example"
CHANCE = Random(7)  # noqa: S311 - a jitter, no secret
Answers = Callable[[str, Rendered, int], Outcome]


@cache
def templates() -> Templates:
    """Read and tried once for all tests of a process."""
    return Templates(NANJING)


def manner(**more: Any) -> Manner:  # noqa: ANN401 - the manner's own fields
    """How these tests deliver: chance is the same in every run."""
    return Manner(**{"templates": templates(), "zone": NANJING, "link": LINK, "chance": CHANCE, **more})


@dataclass
class Mailroom:
    """A town, and channels that go nowhere unless others are given."""

    town: Town
    null: NullChannels = field(default_factory=NullChannels)

    @property
    def store(self) -> Store:
        return self.town.store

    def reach(self, who: str, *addresses: str, quiet: tuple[str, str] | None = None, **registered: str) -> None:
        """Give a member channels, in their order."""
        settings: dict[str, Any] = {"channels": list(addresses)} if addresses else {}
        if quiet:
            settings["quiet"] = list(quiet)
        with self.store.begin() as connection:
            values = {"settings": settings, **registered}
            connection.execute(update(member).where(member.c.id == self.town.members[who]).values(values))

    def deliver(self, at: datetime = START, channels: Channels | None = None, **more: Any) -> Delivered:  # noqa: ANN401
        """One round."""
        return deliver(self.store, channels or self.null, at, manner=manner(**more))

    def answering(self, answers: Answers) -> None:
        """From now on the null channels answer so."""
        self.null.answers = answers

    def rows(self) -> list[Any]:
        """Every delivery, in the order in which they were laid out."""
        with self.store.read() as connection:
            return list(connection.execute(select(delivery).order_by(delivery.c.id)))

    def lanes(self) -> dict[str, Any]:
        """The lanes that have failed lately."""
        with self.store.read() as connection:
            return {row.name: row for row in connection.execute(select(lane))}

    def incidents(self) -> list[str]:
        """The kinds of incidents, in their order."""
        with self.store.read() as connection:
            return list(connection.scalars(select(incident.c.kind).order_by(incident.c.id)))


@contextmanager
def mailroom(store: Store) -> Iterator[Mailroom]:
    """A fresh one."""
    with town(store) as built:
        yield Mailroom(built)
