"""The measure that the door is held against: FastAPI, a pool and one statement; nobody signs in, nothing is checked.

Run as `python -m tests.benchmarks.bare URL PORT`, on the server and with the options of `whistle serve`.
"""

from __future__ import annotations

import sys
from typing import Annotated, Any

import uvicorn
from fastapi import Body, FastAPI
from sqlalchemy import create_engine, text

WORK = text("""
SELECT c.number, c.state, c.level, c.concern, c.school_id, c.district_id, c.policy, c.created_at, c.last_at,
       c.closed_at, c.version, o.name AS school_name,
       (SELECT min(k.due_at) FROM clock k WHERE k.case_id = c.id AND k.stopped_at IS NULL) AS due
  FROM cases c JOIN organisation o ON o.id = c.school_id
 WHERE c.school_id = :school ORDER BY c.created_at DESC LIMIT 50
""")
CASE = text("""
SELECT to_jsonb(c) - 'head' AS of_case,
       (SELECT jsonb_agg(to_jsonb(t)) FROM track t WHERE t.case_id = c.id) AS tracks,
       (SELECT jsonb_agg(to_jsonb(k)) FROM clock k WHERE k.case_id = c.id) AS clocks
  FROM cases c WHERE c.number = :number
""")
EVENT = text("""
INSERT INTO event (case_id, seq, at, track_no, kind, name, trigger, confidential, open, signals, commitments, digest)
VALUES (0, nextval('bare_seq'), clock_timestamp(), 1, 'assignment', 'assignment.progress_recorded', 'record_progress',
        false, jsonb_build_object('note', CAST(:note AS text)), '[]', ''::bytea, ''::bytea)
""")


def app_of(url: str) -> FastAPI:
    """The application over that database."""
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"), pool_size=10)
    app = FastAPI()
    with engine.begin() as connection:
        connection.execute(text("CREATE SEQUENCE IF NOT EXISTS bare_seq"))

    @app.get("/work/{school}")
    def work(school: int) -> list[dict[str, Any]]:
        with engine.connect() as connection:
            return [dict(row) for row in connection.execute(WORK, {"school": school}).mappings()]

    @app.get("/cases/{number}")
    def case(number: str) -> dict[str, Any]:
        with engine.connect() as connection:
            return dict(connection.execute(CASE, {"number": number}).mappings().one())

    @app.post("/events")
    def event(note: Annotated[str, Body(embed=True)]) -> dict[str, str]:
        with engine.begin() as connection:
            connection.execute(EVENT, {"note": note})
        return {"done": "yes"}

    return app


if __name__ == "__main__":
    uvicorn.run(app_of(sys.argv[1]), port=int(sys.argv[2]), log_config=None, access_log=False, server_header=False)
