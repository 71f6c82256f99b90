"""The demonstration's cases: the played scenarios, and some two hundred more that stop somewhere on their way.

They are told in the sample district, as if the last step had been today or some days ago: so there is something to
answer, something overdue and something ended for everybody. The same instant gives the same cases.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, delete, func, insert, select, text, update

from cases import engine, tallies, vault
from cases.casefile import CASE
from cases.enrolment import place_of
from cases.heartbeat import heartbeat
from cases.office import Office, Session
from cases.outbox import outbox
from cases.people import organisation, student
from cases.records import event, message
from cases.samples.city_fault import CityFault
from cases.samples.demo_words import said_of
from cases.samples.load import present
from cases.samples.retold import Neighbourhood, Retold, Telling, acts_of, instant_of
from cases.scenario.script import Script, read_script

if TYPE_CHECKING:
    from cases.installation import Installation

SCENARIOS: Final = Path(__file__).parent / "scenarios"
MORE: Final = 200
"""About so many cases beside the scenarios themselves."""
FRESH: Final = timedelta(hours=36)
"""Messages of the last day and a half are new; older ones have been read."""
_ROUND: Final = "demo"
# How long ago the last step was. Most are of this very hour, some are long enough ago to be overdue.
_AGO: Final = tuple(
    timedelta(minutes=one) for one in (2, 9, 24 * 60, 4, 40, 1, 90, 3 * 24 * 60, 6, 15, 200, 3, 9 * 24 * 60, 12, 25)
)
_LONG: Final = timedelta(days=8)
# What the even steps of the walk would pass over.
_ALSO: Final = frozenset(
    {"guidance.criticise", "protection.record_breach", "referral.decline", "return_to_school.appeal"}
)
_SCHOOLS: Final = 6


@dataclass(frozen=True, slots=True)
class Shown:
    """What was told: cases and events, and acts that the engine refused. `already`: it was there before."""

    cases: int
    events: int
    refused: tuple[str, ...] = ()
    already: bool = False


def load(kept: Installation, now: datetime, progress: Callable[[int, int], None] = lambda _done, _of: None) -> Shown:
    """Tell them all in one transaction; a second time it only says what is there. `progress` hears of each.

    Nobody is sent anything of it. Raises CityFault no_sample where the sample city isn't, or isn't whole.
    """
    office = kept.office()
    with kept.store.begin() as connection:
        sample = present(connection)
        if sample is None or not sample[1]:
            raise CityFault("no_sample")
        # Whoever comes second waits here, and then finds that it is done.
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended('demonstration cases', 0))"))
        done = connection.execute(select(heartbeat.c.done).where(heartbeat.c.round == _ROUND)).scalar()
        if done is not None:
            return Shown(done["cases"], done["events"], already=True)
        shown = _tell_all(connection, office, now, progress)
        facts = {"cases": shown.cases, "events": shown.events}
        row = {"round": _ROUND, "door": "person", "finished_at": now, "took_ms": 0, "done": facts}
        connection.execute(insert(heartbeat).values(row))
    with kept.store.begin() as connection:
        # The planner believes a freshly filled table to be empty.
        connection.execute(text("ANALYZE"))
    # What was told is of days gone by: a round that asks what has happened lately wouldn't find it.
    tallies.refresh(kept.store, office.book_of(office.current).tz, now, whole=True)
    return shown


def _tell_all(connection: Connection, office: Office, now: datetime, progress: Callable[[int, int], None]) -> Shown:
    schools = _schools(connection)
    around = Neighbourhood(connection, office, schools)
    session = Session(connection, office)
    tellings = list(_tellings(session, schools, now))
    cases: list[int] = []
    refused: list[str] = []
    for done, telling in enumerate(tellings, 1):
        one = Retold(session, around, telling, now)
        one.tell()
        cases += one.cases
        refused += one.refused
        progress(done, len(tellings))
    cases += _drafts(session, around, now)
    _hush(connection, cases, now)
    events = connection.scalar(select(func.count()).where(event.c.case_id.in_(cases))) or 0
    return Shown(len(cases), events, tuple(refused))


def _schools(connection: Connection) -> list[int]:
    """The first schools of the district in which the demonstration's own school lies."""
    first = select(organisation.c.district_id).where(organisation.c.kind == "school").order_by(organisation.c.id)
    here = connection.scalar(first.limit(1))
    if here is None:
        raise CityFault("no_sample")
    query = select(organisation.c.id).where(organisation.c.kind == "school", organisation.c.district_id == here)
    return list(connection.scalars(query.order_by(organisation.c.id).limit(_SCHOOLS)))


def _tellings(session: Session, schools: list[int], now: datetime) -> Iterator[Telling]:
    """Every story to its end, then each again and again, a few acts further each time."""
    zone = session.office.book_of(session.office.current).tz
    scripts = [read_script(path) for path in sorted(SCENARIOS.glob("*.yaml"))]
    acts = {script.file: acts_of(script) for script in scripts}

    def moved(script: Script, count: int, ago: timedelta) -> timedelta:
        steps = acts[script.file]
        first, last = (instant_of(script, one, zone) for one in (steps[0], steps[count - 1]))
        by = now - ago - last
        # A long story lives by working days and an office's hours; a short one by minutes.
        if count == len(steps):
            return timedelta(days=by.days)
        if last - first > _LONG:
            return timedelta(weeks=by.days // 7)
        return timedelta(minutes=by // timedelta(minutes=1))

    for script in scripts:
        count = len(acts[script.file])
        yield Telling(script, count, moved(script, count, timedelta(0)), schools[0])
    classes = {one: deque(_pupils(session, one)) for one in schools}
    every = max(1, round(sum(map(len, acts.values())) / MORE))
    turn = 0
    for script in scripts:
        for count in (n for n, step in enumerate(acts[script.file], 1) if n % every == 1 or str(step.do) in _ALSO):
            # Every other one is of the school around which the demonstration's members stand.
            school = schools[0] if turn % 2 == 0 else schools[turn // 2 % len(schools)]
            pupils = classes[school]
            if not pupils:
                continue
            child = pupils[0]
            pupils.rotate(-1)
            ago = moved(script, count, _AGO[turn % len(_AGO)])
            yield Telling(script, count, ago, school, child.said, child.mentor, child.community)
            turn += 1


@dataclass(frozen=True, slots=True)
class Pupil:
    """A student of the sample city, as a whistle names them."""

    said: Mapping[str, Any]
    mentor: int | None
    community: int | None


def _pupils(session: Session, school: int) -> list[Pupil]:
    """Who of a school's students is told of."""
    query = select(student.c.id, student.c.identity, student.c.mentor_member_id, student.c.community_id)
    rows = session.connection.execute(
        query.where(student.c.school_id == school, student.c.identity.is_not(None)).order_by(student.c.id).limit(120)
    ).all()
    keys = session.office.keystore.many(row.id for row in rows)
    found = []
    for row in rows:
        who = json.loads(vault.open(keys[row.id], place_of(row.id), "identity", row.identity))
        said = {name: who[name] for name in ("name", "born", "grade")}
        found.append(Pupil(said, row.mentor_member_id, row.community_id))
    return found


def _drafts(session: Session, around: Neighbourhood, now: datetime) -> list[int]:
    """Two whistles that the school's mentor has begun: mentors owe nothing else."""
    school = around.schools[0]
    mentor = around.holder("mentor", school, school)
    if mentor is None:
        return []
    actor = session.office.directory.actor(session.connection, mentor, now)
    made = []
    for turn, pupil in enumerate(_pupils(session, school)[-2:], 2):
        at = now - timedelta(hours=turn)
        form = {"student": dict(pupil.said), "concern": "mental_illness", "level": "yellow"}
        form["summary"] = said_of("case.save_draft", "summary", "…", form, turn)
        made.append(engine.fire(session, None, CASE, "save_draft", actor, form, at).case.id)
    return made


def _hush(connection: Connection, cases: list[int], now: datetime) -> None:
    """Nothing of it is sent to anybody, and what is old has been read."""
    of_these = select(message.c.id).where(message.c.case_id.in_(cases))
    connection.execute(delete(outbox).where(outbox.c.message_id.in_(of_these)))
    old = update(message).where(message.c.case_id.in_(cases), message.c.at < now - FRESH)
    connection.execute(old.values(read_at=message.c.at))
