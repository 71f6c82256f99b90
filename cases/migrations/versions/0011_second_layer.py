"""Row-level security: the roles that a person's reading takes on, and what each may see (ASSURANCE.md, the design)

The owner of the tables is bound by none of it: the engine and time's door stay as they are. A server that doesn't let
this user make roles goes without; `whistle doctor` says so, and `whistle migrate` lays it once it may.
"""

from __future__ import annotations

from alembic import op

revision: str = "0011"
down_revision: str | None = "0010"
branch_labels: str | None = None
depends_on: str | None = None

ROLES = ("whistle_reader", "whistle_opener")
SEALED = ("identity", "narrative", "clinical")


def _posts(relation: str, more: str = "") -> str:
    """Where the reader holds one of the roles that the policy lets see in that relation."""
    return (
        "SELECT organisation_id FROM post WHERE member_id = whistle_reader_id()"  # noqa: S608
        f" AND role = ANY (string_to_array(current_setting('whistle.{relation}', true), ',')) {more}"
        " AND since <= whistle_today() AND (until IS NULL OR until >= whistle_today())"
    )


def _seen(case: str) -> str:
    """TRACKS.md, Who sees which section: the relations stand here, the roles in each are the policy's."""
    ended = "current_setting('whistle.ended', true)"
    return f"""(
      {case}.school_id IN ({_posts("school", "AND role <> 'mentor'")})
      OR ({case}.school_id IN ({_posts("school", "AND role = 'mentor'")})
          AND ({case}.whistler_id = whistle_reader_id() OR {case}.student_id IN (SELECT whistle_minded())))
      OR {case}.district_id IN ({_posts("jurisdiction")})
      OR {case}.city_id IN ({_posts("jurisdiction")})
      OR ({case}.id IN (SELECT case_id FROM called WHERE until IS NULL
                          AND organisation_id IN ({_posts("called")}))
          AND ({case}.closed_at IS NULL OR {case}.state NOT IN ('closed', 'withdrawn', 'merged')
               OR {case}.closed_at >= nullif({ended}, '')::timestamptz))
      OR {case}.id IN (SELECT case_id FROM track WHERE kind = 'access' AND state = 'open'
                          AND (facts->>'opened_by')::bigint = whistle_reader_id()))"""  # noqa: S608


_FUNCTIONS = f"""
CREATE FUNCTION whistle_reader_id() RETURNS bigint STABLE LANGUAGE sql AS
  $$ SELECT nullif(current_setting('whistle.reader', true), '')::bigint $$;
CREATE FUNCTION whistle_today() RETURNS date STABLE LANGUAGE sql AS
  $$ SELECT nullif(current_setting('whistle.today', true), '')::date $$;
CREATE FUNCTION whistle_minded() RETURNS SETOF bigint STABLE SECURITY DEFINER SET search_path FROM CURRENT
  LANGUAGE sql AS
  $$ SELECT id FROM student WHERE mentor_member_id = whistle_reader_id() $$;
-- What was merged is read from the case that it went into, by whoever sees that one.
CREATE FUNCTION whistle_sees(wanted bigint) RETURNS boolean STABLE SECURITY DEFINER SET search_path FROM CURRENT
  LANGUAGE sql AS
  $$ SELECT EXISTS (SELECT FROM cases one WHERE one.id = wanted AND {_seen("one")}) $$;
"""  # noqa: S608 - this file's own words

_POLICIES = f"""
ALTER TABLE cases ENABLE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS seen ON cases;
CREATE POLICY seen ON cases FOR SELECT TO whistle_reader, whistle_opener
  USING ({_seen("cases")} OR (merged_into IS NOT NULL AND whistle_sees(merged_into)));
ALTER TABLE student ENABLE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS seen ON student;
CREATE POLICY seen ON student FOR SELECT TO whistle_reader, whistle_opener
  USING (id IN (SELECT student_id FROM cases WHERE cases.student_id = student.id));
ALTER TABLE event ENABLE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS without_sections ON event;
DROP POLICY IF EXISTS seen ON event;
CREATE POLICY without_sections ON event FOR SELECT TO whistle_reader USING (true);
CREATE POLICY seen ON event FOR SELECT TO whistle_opener
  USING ((SELECT true FROM cases WHERE cases.id = event.case_id));
ALTER TABLE file ENABLE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS seen ON file;
CREATE POLICY seen ON file FOR SELECT TO whistle_reader, whistle_opener
  USING ((SELECT true FROM cases WHERE cases.id = file.case_id));
"""  # noqa: S608


_BOTH = "(SELECT count(*) FROM pg_roles WHERE rolname IN ('whistle_reader', 'whistle_opener')) = 2"
_GRANTS = f"""
FOR one IN SELECT tablename FROM pg_tables WHERE schemaname = current_schema LOOP
  EXECUTE format('GRANT SELECT ON %I TO whistle_opener', one.tablename);
  IF one.tablename = 'event' THEN
    SELECT string_agg(quote_ident(column_name), ', ') INTO columns FROM information_schema.columns
     WHERE table_schema = current_schema AND table_name = 'event'
       AND column_name NOT IN ({", ".join(f"'{name}'" for name in SEALED)});
    EXECUTE format('GRANT SELECT (%s) ON event TO whistle_reader', columns);
  ELSE
    EXECUTE format('GRANT SELECT ON %I TO whistle_reader', one.tablename);
  END IF;
END LOOP;
GRANT INSERT ON access_log TO whistle_opener;
"""  # noqa: S608


LAID = (
    *(
        f"""
          DO $$ BEGIN
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN
              CREATE ROLE {role} NOLOGIN;
            END IF;
            IF NOT pg_has_role(current_user, '{role}', 'MEMBER') THEN
              EXECUTE format('GRANT {role} TO %I', current_user);
            END IF;
          EXCEPTION WHEN insufficient_privilege OR duplicate_object OR unique_violation THEN NULL; END $$
        """
        for role in ROLES
    ),
    f"""
      DO $do$ DECLARE one record; columns text; BEGIN IF {_BOTH} THEN
        {_GRANTS}
        {_POLICIES}
      END IF; END $do$
    """,
)
"""Roles, grants and policies; what has changed of them since stands in 0015 and 0016."""


def upgrade() -> None:
    op.execute(_FUNCTIONS)
    for one in LAID:
        op.execute(one)


def downgrade() -> None:
    for table in ("cases", "student", "event", "file"):
        op.execute(f"DROP POLICY IF EXISTS seen ON {table}")
        op.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
    op.execute("DROP POLICY IF EXISTS without_sections ON event")
    for function in ("whistle_sees(bigint)", "whistle_minded()", "whistle_today()", "whistle_reader_id()"):
        op.execute(f"DROP FUNCTION {function}")
