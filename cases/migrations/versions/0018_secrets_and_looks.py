"""The second layer keeps more apart: nobody reads another's messages, a log of cases they don't see, or any secret.

Whoever has looked stands in the log under their own name: the database takes no other. Tracks, clocks and calls hold no
sealed section, and every list asks for them with their case; asked for it once more in the database, a board would
take a third of a second again (0015).

The owner of the tables stays above it, without FORCE: the engine and time's door write as the owner, a policy for them
would say yes to everything, and PostgreSQL refuses the COPY of a restore where row security holds for whoever copies.
"""

from __future__ import annotations

from importlib import import_module

from alembic import op

revision: str = "0018"
down_revision: str | None = "0017"
branch_labels: str | None = None
depends_on: str | None = None

_BEFORE = import_module("cases.migrations.versions.0015_quicker_lists")
SECRETS = {
    "account": ("password", "totp"),
    "one_time_code": ("digest",),
    "recovery_code": ("digest",),
    "login_session": ("digest", "earlier", "csrf"),
    "api_token": ("digest",),
    "feed": ("digest",),
    "subscription": ("secret", "previous"),
}


def _kept_back(table: str, secrets: tuple[str, ...]) -> str:
    """Take the reading of the whole table back, and give that of its other columns."""
    return f"""
  REVOKE SELECT ON {table} FROM whistle_reader, whistle_opener;
  SELECT string_agg(quote_ident(column_name), ', ') INTO columns FROM information_schema.columns
   WHERE table_schema = current_schema AND table_name = '{table}'
     AND column_name NOT IN ({", ".join(f"'{name}'" for name in secrets)});
  EXECUTE format('GRANT SELECT (%s) ON {table} TO whistle_reader, whistle_opener', columns);
"""  # noqa: S608 - this file's own words


_POLICIES = """
  ALTER TABLE message ENABLE ROW LEVEL SECURITY;
  DROP POLICY IF EXISTS own ON message;
  CREATE POLICY own ON message FOR SELECT TO whistle_reader, whistle_opener
    USING (member_id = whistle_reader_id());
  ALTER TABLE access_log ENABLE ROW LEVEL SECURITY;
  DROP POLICY IF EXISTS seen ON access_log;
  CREATE POLICY seen ON access_log FOR SELECT TO whistle_reader, whistle_opener
    USING ((SELECT true FROM cases WHERE cases.id = access_log.case_id));
  DROP POLICY IF EXISTS own_name ON access_log;
  CREATE POLICY own_name ON access_log FOR INSERT TO whistle_opener
    WITH CHECK (member_id = whistle_reader_id());
"""
_ALL = f"""
DO $do$ DECLARE columns text; BEGIN
  IF (SELECT count(*) FROM pg_roles WHERE rolname IN ('whistle_reader', 'whistle_opener')) = 2 THEN
  {"".join(_kept_back(table, secrets) for table, secrets in SECRETS.items())}
  {_POLICIES}
END IF; END $do$
"""

LAID = (*_BEFORE.LAID, _ALL)
"""Roles, grants and policies as they are now; said again by `cases.schema.upgrade` where something is missing."""


def upgrade() -> None:
    op.execute(_ALL)


def downgrade() -> None:
    op.execute("DROP POLICY IF EXISTS own_name ON access_log")
    op.execute("DROP POLICY IF EXISTS seen ON access_log")
    op.execute("ALTER TABLE access_log DISABLE ROW LEVEL SECURITY")
    op.execute("DROP POLICY IF EXISTS own ON message")
    op.execute("ALTER TABLE message DISABLE ROW LEVEL SECURITY")
