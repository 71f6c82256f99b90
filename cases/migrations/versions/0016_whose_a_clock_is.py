"""Whose a clock is: the organisation that its declaration names, no longer the one that its track belongs to.

A ruling was the street's that waited for it, a guardian's answer the hospital's that hadn't been called, the answer of
the police the school's. What `cases.ledger` writes from now on is written here for the clocks that there are.
"""

from __future__ import annotations

from alembic import op

revision: str = "0016"
down_revision: str | None = "0015"
branch_labels: str | None = None
depends_on: str | None = None

_CALLED = """(SELECT s.organisation_id FROM called s WHERE s.case_id = k.case_id AND s.until IS NULL AND s.kind = '{kind}'
   ORDER BY s.since, s.organisation_id LIMIT 1)"""
_HOSPITAL = """(SELECT s.organisation_id FROM called s WHERE s.case_id = k.case_id AND s.until IS NULL
   AND s.organisation_id = coalesce({track}.organisation_id, p.organisation_id))"""
# The sides that a round still waits for, the school's first; of one that is complete, the school.
_CHECK_IN = f"""CASE
   WHEN t.facts->'filed' ? 'school' AND k.stopped_at IS NULL THEN {_HOSPITAL.format(track="t")}
   WHEN t.facts->>'school_part' = 'community' THEN {_CALLED.format(kind="community")}
   ELSE c.school_id END"""

OWED = f"""
UPDATE clock SET organisation_id = owed.organisation_id
  FROM (SELECT k.case_id, k.no, coalesce(CASE
          WHEN t.kind IS NULL AND k.name = 'safe_plan' THEN {_CALLED.format(kind="street")}
          WHEN t.kind IS NULL THEN c.school_id
          WHEN k.name IN ('ruling', 'extension_ruling', 'safety_review') THEN c.district_id
          WHEN k.name = 'access_review' THEN
            CASE WHEN t.organisation_id = c.district_id THEN c.city_id ELSE c.district_id END
          WHEN k.name IN ('consent', 'call_police', 'register', 'assess', 'review', 'contact', 'interview')
            THEN c.school_id
          WHEN k.name = 'police_answer' THEN CAST(t.facts->>'to' AS bigint)
          WHEN k.name = 'check_in' THEN {_CHECK_IN}
          ELSE k.organisation_id END, c.school_id) AS organisation_id
          FROM clock k JOIN cases c ON c.id = k.case_id
          LEFT JOIN track t ON t.case_id = k.case_id AND t.no = k.track_no
          LEFT JOIN track p ON p.case_id = t.case_id AND p.no = t.parent_no) owed
 WHERE owed.case_id = clock.case_id AND owed.no = clock.no
   AND clock.organisation_id IS DISTINCT FROM owed.organisation_id
"""  # noqa: S608 - this file's own words


def upgrade() -> None:
    op.execute(OWED)
    # Whom a breach is counted against has changed: whatever was counted is counted once more.
    op.execute("DELETE FROM tally_part")


def downgrade() -> None:
    """Whose each clock was by its track, as before."""
    op.execute("""
UPDATE clock SET organisation_id =
  (SELECT t.organisation_id FROM track t WHERE t.case_id = clock.case_id AND t.no = clock.track_no)""")
    op.execute("DELETE FROM tally_part")
