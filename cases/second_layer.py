"""The second layer: a person's reading takes on a role of the database that sees their cases and no others.

The first layer is `cases.access`; this one holds where a query forgot it. Migration 0011 makes roles and policies.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, Literal, Self
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, text

if TYPE_CHECKING:
    from cases.directory import Actor
    from cases.store import Store
    from policies.book import Book

Part = Literal["reader", "opener"]
"""`reader` sees no sealed section of an event; `opener` does, and writes into the access log that it did.

Neither sees another member's messages, nor a password's hash or any other secret of signing in.
"""

_PUT_ON: Final = text(
    "SELECT set_config('whistle.reader', :reader, true), set_config('whistle.today', :today, true),"
    " set_config('whistle.ended', :ended, true), set_config('whistle.school', :school, true),"
    " set_config('whistle.jurisdiction', :jurisdiction, true), set_config('whistle.called', :called, true),"
    " set_config('role', :role, true)"
)
_THERE: Final = text(
    "SELECT count(*) = 2 FROM pg_policies p JOIN pg_roles r ON r.rolname = ANY (p.roles)"
    " WHERE p.tablename = 'cases' AND p.policyname = 'seen' AND pg_has_role(current_user, r.oid, 'MEMBER')"
)
_GUARDED: Final = ("cases", "student", "event", "file", "message", "access_log")
SECRETS: Final = (
    "account.password", "account.totp", "one_time_code.digest", "recovery_code.digest", "login_session.digest",
    "login_session.earlier", "login_session.csrf", "api_token.digest", "feed.digest", "subscription.secret",
    "subscription.previous",
)  # fmt: skip
_SEALED: Final = ("identity", "narrative", "clinical")
_LOOK: Final = text("""
WITH role AS (
  SELECT wanted.name, r.oid, coalesce(r.rolbypassrls OR r.rolsuper, false) AS above
    FROM unnest(ARRAY['whistle_reader', 'whistle_opener']) AS wanted(name)
    LEFT JOIN pg_roles r ON r.rolname = wanted.name
), here AS (
  SELECT c.oid, c.relname, c.relrowsecurity FROM pg_class c
   WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')
)
SELECT
  ARRAY(SELECT name::text FROM role WHERE oid IS NULL) AS missing,
  ARRAY(SELECT name::text FROM role WHERE oid IS NOT NULL AND NOT pg_has_role(current_user, oid, 'MEMBER')) AS refused,
  ARRAY(SELECT name::text FROM role WHERE above) AS above,
  ARRAY(SELECT h.relname::text FROM here h WHERE h.relname = ANY(:guarded) AND NOT (h.relrowsecurity AND NOT EXISTS (
    SELECT FROM role WHERE role.oid IS NOT NULL AND NOT EXISTS (
      SELECT FROM pg_policy p WHERE p.polrelid = h.oid AND role.oid = ANY(p.polroles)))) ORDER BY 1) AS unguarded,
  ARRAY(SELECT DISTINCT h.relname::text FROM here h, role WHERE role.oid IS NOT NULL
    AND NOT has_any_column_privilege(role.oid, h.oid, 'SELECT') ORDER BY 1) AS unread,
  EXISTS (SELECT FROM here h, role WHERE h.relname = 'access_log' AND role.name = 'whistle_opener'
    AND NOT has_table_privilege(role.oid, h.oid, 'INSERT')) AS untraced,
  EXISTS (SELECT FROM here h, role, unnest(CAST(:sealed AS text[])) AS one WHERE h.relname = 'event'
    AND role.name = 'whistle_reader' AND has_column_privilege(role.oid, h.oid, one, 'SELECT'))
  OR EXISTS (SELECT FROM here h, role, unnest(CAST(:secrets AS text[])) AS one WHERE h.relname = split_part(one, '.', 1)
    AND role.oid IS NOT NULL AND has_column_privilege(role.oid, h.oid, split_part(one, '.', 2), 'SELECT')) AS unsealed
""")


@dataclass(frozen=True, slots=True)
class Bounds:
    """The most that any of some policies lets anybody see: the roles in each relation, and for how long after the end.

    `zone` is the one in which the days of a post begin and end.
    """

    school: str
    jurisdiction: str
    called: str
    window: timedelta
    zone: ZoneInfo

    @classmethod
    def of(cls, books: Iterable[Book]) -> Self:
        """The bounds of these policy versions, at least one."""
        roles: dict[str, set[str]] = {"school": set(), "jurisdiction": set(), "called": set()}
        window, zone = timedelta(0), None
        for book in books:
            window, zone = max(window, book.windows.sight_after_closing), book.tz
            for rule in book.sight:
                if {rule.identity, rule.narrative, rule.clinical} == {"no"}:
                    continue
                for role, relation in rule.who:
                    if relation != "access":
                        # Whoever sees as the street or the hospital does so because it was called.
                        roles[relation if relation in roles else "called"].add(role)
        if zone is None:
            raise ValueError("no policy, no bounds")
        school, jurisdiction, called = (",".join(sorted(roles[name])) for name in ("school", "jurisdiction", "called"))
        return cls(school, jurisdiction, called, window, zone)


def put_on(connection: Connection, part: Part, actor: Actor | None, now: datetime, bounds: Bounds) -> None:
    """From here to the end of the transaction this connection sees what `actor` may see; nothing without one."""
    connection.execute(
        _PUT_ON,
        {
            "reader": "" if actor is None else str(actor.member_id),
            "today": now.astimezone(bounds.zone).date().isoformat(),
            "ended": (now - bounds.window).isoformat(),
            "school": bounds.school,
            "jurisdiction": bounds.jurisdiction,
            "called": bounds.called,
            "role": f"whistle_{part}",
        },
    )


def there(store: Store) -> bool:
    """Whether this database has the roles and policies, and lets this user take the roles on."""
    with store.read() as connection:
        return bool(connection.scalar(_THERE))


@dataclass(frozen=True, slots=True)
class Layer:
    """What the second layer lacks: roles, tables without a policy, tables that a role can't read; or has too much."""

    missing: tuple[str, ...]
    refused: tuple[str, ...]
    above: tuple[str, ...]
    unguarded: tuple[str, ...]
    unread: tuple[str, ...]
    unsealed: bool

    @property
    def whole(self) -> bool:
        """Whether nothing is lacking."""
        return self.usable and not (self.above or self.unguarded or self.unread or self.unsealed)

    @property
    def usable(self) -> bool:
        """Whether this user can take the roles on."""
        return not (self.missing or self.refused)


def look(connection: Connection) -> Layer:
    """How the second layer of this database stands. Changes nothing."""
    asked = {"guarded": list(_GUARDED), "sealed": list(_SEALED), "secrets": list(SECRETS)}
    row = connection.execute(_LOOK, asked).one()
    unread = (*row.unread, *(("access_log",) if row.untraced else ()))
    return Layer(
        tuple(row.missing), tuple(row.refused), tuple(row.above), tuple(row.unguarded), unread, bool(row.unsealed)
    )
