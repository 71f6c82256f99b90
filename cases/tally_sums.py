"""The statements with which `cases.tallies` finds what has changed and sums up. Each can be repeated."""

from __future__ import annotations

from typing import Final

from sqlalchemy import text

_MONTH = "CAST(date_trunc('month', c.created_at AT TIME ZONE :zone) AS date)"
_PARTS = "unnest(CAST(:schools AS bigint[]), CAST(:months AS date[])) AS part (school, month)"
_PLACES = "unnest(CAST(:places AS bigint[]), CAST(:months AS date[])) AS part (place, month)"

CHANGED: Final = text(f"""
SELECT coalesce(here.school_id, there.school_id) AS school_id, coalesce(here.month, there.month) AS month
  FROM (SELECT c.school_id, {_MONTH} AS month, count(*) AS cases, sum(c.events) AS events
          FROM cases c GROUP BY 1, 2) here
  FULL JOIN tally_part there ON there.school_id = here.school_id AND there.month = here.month
 WHERE (here.cases, here.events) IS DISTINCT FROM (there.cases, there.events)
""")  # noqa: S608 - this module's own words
"""Every school's month whose histories have another length than when they were counted."""

LATELY: Final = text(f"""
SELECT DISTINCT c.school_id, {_MONTH} AS month FROM cases c
 WHERE c.id IN (SELECT case_id FROM event WHERE at >= :since)
""")  # noqa: S608
"""Those in which something happened since then."""

RIPE: Final = text(f"""
SELECT DISTINCT c.school_id, {_MONTH} AS month FROM cases c
 WHERE c.id IN (SELECT case_id FROM event WHERE at >= :since AND at <= :until AND kind = 'return_to_school')
""")  # noqa: S608
"""Those in which the time is over for which a student is followed."""

REMEMBER: Final = text(f"""
INSERT INTO tally_part (school_id, month, cases, events)
SELECT part.school, part.month, count(c.id), coalesce(sum(c.events), 0) FROM {_PARTS}
  LEFT JOIN cases c ON c.school_id = part.school
   AND c.created_at >= CAST(part.month AS timestamp) AT TIME ZONE :zone
   AND c.created_at < (part.month + interval '1 month') AT TIME ZONE :zone
 GROUP BY part.school, part.month
ON CONFLICT (school_id, month) DO UPDATE SET cases = excluded.cases, events = excluded.events
""")  # noqa: S608

ABOVE: Final = text(f"""
SELECT DISTINCT t.district_id, t.city_id, t.month FROM tally t
  JOIN {_PARTS} ON t.place_id = part.school AND t.month = part.month WHERE t.district_id <> 0
""")  # noqa: S608

CLEAR: Final = text(f"""
DELETE FROM tally t USING {_PARTS} WHERE t.place_id = part.school AND t.month = part.month
""")  # noqa: S608

# The clearing comes first; then a row for each organisation, where wanted, and one for all together (nobody's).
_CLEAR_SUMS = """
DELETE FROM tally t USING unnest(CAST(:places AS bigint[]), CAST(:months AS date[])) AS part (place, month)
 WHERE t.place_id = part.place AND t.month = part.month AND t.district_id = 0
"""
_SUM = """
WITH base AS (
  SELECT t.{place} AS place, t.organisation_id, t.month, t.measure, {city} AS city, t.counted, t.hits, t.spread
    FROM tally t JOIN {parts} ON t.{place} = part.{part} AND t.month = part.month WHERE {rows}
), often AS (
  SELECT place, coalesce(organisation_id, 0) AS whose, month, measure, one.key, sum(CAST(one.value AS integer)) AS times
    FROM base, jsonb_each_text(base.spread) AS one
   GROUP BY GROUPING SETS ({each_value}(place, month, measure, one.key))
), spread AS (
  SELECT place, whose, month, measure, jsonb_object_agg(key, times) AS spread FROM often GROUP BY 1, 2, 3, 4
), total AS (
  SELECT place, coalesce(organisation_id, 0) AS whose, month, measure, max(city) AS city, sum(counted) AS counted,
         sum(hits) AS hits
    FROM base GROUP BY GROUPING SETS ({each}(place, month, measure))
)
INSERT INTO tally (place_id, organisation_id, month, measure, district_id, city_id, counted, hits, spread)
SELECT place, whose, month, measure, 0, city, counted, hits, spread
  FROM total LEFT JOIN spread USING (place, whose, month, measure)
"""
_ALL_PLACES = "unnest(CAST(:places AS bigint[]), CAST(:months AS date[])) AS part (place, month)"
_EACH = {
    "each": "(place, organisation_id, month, measure), ",
    "each_value": "(place, organisation_id, month, measure, one.key), ",
}

OF_SCHOOLS: Final = text(
    _SUM.format(place="place_id", city="0", parts=_PARTS, part="school", rows="t.district_id <> 0",
                each="", each_value="")
    .replace("coalesce(organisation_id, 0) AS whose", "0 AS whose")
)  # fmt: skip
OF_DISTRICTS: Final = (
    text(_CLEAR_SUMS),
    text(_SUM.format(place="district_id", city="t.city_id", parts=_ALL_PLACES, part="place",
                     rows="t.district_id <> 0", **_EACH)),
)  # fmt: skip
OF_CITIES: Final = (
    text(_CLEAR_SUMS),
    text(
        _SUM.format(place="city_id", city="0", parts=_ALL_PLACES, part="place",
                    rows="t.district_id = 0 AND t.organisation_id = 0", each="", each_value="")
        .replace("coalesce(organisation_id, 0) AS whose", "0 AS whose")
    ),
)  # fmt: skip

HEADS: Final = text("""
WITH own AS (
  SELECT o.id, o.district_id, o.city_id, count(s.id) AS students FROM organisation o
    LEFT JOIN student s ON s.school_id = o.id AND s.forgotten_at IS NULL WHERE o.kind = 'school' GROUP BY o.id
)
INSERT INTO headcount (place_id, students)
SELECT id, students FROM own
UNION ALL SELECT district_id, sum(students) FROM own WHERE district_id IS NOT NULL GROUP BY 1
UNION ALL SELECT city_id, sum(students) FROM own WHERE city_id IS NOT NULL GROUP BY 1
ON CONFLICT (place_id) DO UPDATE SET students = excluded.students
""")
