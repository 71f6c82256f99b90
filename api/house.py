"""What the people's door needs: the settings, the installation with its engine room, and the clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from api.signin import stages
from cases import noting, second_layer, standby
from cases.directory import version_of
from cases.office import Office, Session
from cases.second_layer import Bounds

if TYPE_CHECKING:
    from api.settings import Settings
    from cases.installation import Installation
    from cases.standing import Standing, Transaction
    from cases.store import Store
    from cases.who import Actor, Organisation
    from policies.book import Book

_LOOK_EVERY: Final = timedelta(seconds=15)


@dataclass(frozen=True, slots=True)
class Known:
    """A member as the door knows them: whoever signs in, and where they belong."""

    id: int
    name: str
    organisation: Organisation
    language: str


class House:
    """One process's door. Safe to share between threads.

    `clock` gives aware instants; tests bring their own. The engine room is kept from request to request, and what is
    read of directory and policies is read anew as soon as another version of either is seen.
    """

    def __init__(
        self,
        settings: Settings,
        kept: Installation,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        office: Office | None = None,
    ) -> None:
        self.settings = settings
        self.kept = kept
        self.clock = clock
        self.office = kept.office() if office is None else office
        # A server that didn't let the migration make its roles goes without; `whistle doctor` says so.
        self._layered: bool | None = None
        self._bounds: tuple[str, Bounds | None] = ("", None)
        self._clinical: tuple[str, frozenset[str]] = ("", frozenset())
        self._looked: tuple[datetime, datetime | None] | None = None

    @property
    def store(self) -> Store:
        return self.kept.store

    def sweep_stopped(self, now: datetime) -> datetime | None:
        """Since when nobody but a standby sweeps, for the red banner; None while all is well. Asked anew every 15 s."""
        if self._looked is None or abs(now - self._looked[0]) > _LOOK_EVERY:
            with self.store.read() as connection:
                self._looked = now, standby.stopped_since(connection)
        return self._looked[1]

    @contextmanager
    def reading(self, who: Actor | None = None, *, refreshed: bool = False) -> Iterator[Session]:
        """A transaction that can only read, and of cases only what `who` may see: the database itself sees to that.

        `refreshed`: the caller has seen to the versions just now.
        """
        with self.store.read() as connection:
            if not refreshed:
                self.office.refresh(version_of(connection))
            self._second_layer(connection, "reader", who)
            session = Session(connection, self.office)
            yield session
        if session.owed:
            with self.store.begin() as connection:
                noting.write(connection, session.owed)

    @contextmanager
    def opening(self, who: Actor, *, refreshed: bool = False) -> Iterator[Session]:
        """As `reading`, for opening sealed sections: those too can be read, and that it was done is written down."""
        with self.store.begin() as connection:
            if not refreshed:
                self.office.refresh(version_of(connection))
            self._second_layer(connection, "opener", who)
            session = Session(connection, self.office)
            yield session
            noting.write(connection, session.owed)

    def guard(self, session: Session, who: Actor) -> None:
        """From here to its end this transaction, in which something was written, reads as `opening` does."""
        self._second_layer(session.connection, "opener", who)

    def _second_layer(self, connection: Transaction, part: second_layer.Part, who: Actor | None) -> None:
        if self._layered is None:
            self._layered = second_layer.there(self.store)
        if self._layered:
            second_layer.put_on(connection, part, who, self.clock(), self._bounds_now())

    def _bounds_now(self) -> Bounds:
        """What any version of the policy lets anybody see; reckoned anew when another one was activated."""
        current, bounds = self._bounds
        if bounds is None or current != self.office.current:
            bounds = Bounds.of(self._books())
            self._bounds = self.office.current, bounds
        return bounds

    def clinical_roles(self) -> frozenset[str]:
        """The roles to which any version of the policy opens clinical sections; reckoned anew as the bounds are."""
        current, found = self._clinical
        if current != self.office.current:
            found = stages.clinical_roles(self._books())
            self._clinical = self.office.current, found
        return found

    def _books(self) -> list[Book]:
        return [self.office.book_of(name) for name in {self.office.current, *self.kept.versions()}]

    @contextmanager
    def writing(self, *, refreshed: bool = False) -> Iterator[Session]:
        """A transaction that is committed when the block ends, and rolled back when it ends by an exception."""
        with self.store.begin() as connection:
            if not refreshed:
                self.office.refresh(version_of(connection))
            session = Session(connection, self.office)
            yield session
            noting.write(connection, session.owed)

    def refresh(self, standing: Standing) -> None:
        """Take note of the versions that were seen with a session or a token."""
        self.office.refresh(standing.directory)
        if standing.policy is not None:
            self.office.current = standing.policy

    def known(self, member_id: int, now: datetime) -> tuple[Actor, Known]:
        """Who acts, and where they belong; asks the database only for somebody new to this version.

        Raises DirectoryFault no_member for whoever was taken out of service.
        """
        directory = self.office.directory
        found = directory.remembered(member_id, now)
        if found is None:
            with self.store.read() as connection:
                actor = directory.actor(connection, member_id, now)
                found = actor, directory.organisation(connection, actor.organisation_id)
        actor, place = found
        return actor, Known(actor.member_id, actor.name, place, actor.language)
