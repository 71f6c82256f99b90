"""Figures for a monitoring system: how many clocks run, how late the latest is, what became of the messages.

Read in one go, written in Prometheus' text format. Labels are codes of the contract's; never a person, a school, a
case's number or an address.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Connection, and_, func, select
from sqlalchemy import case as case_of

from cases import heartbeat
from cases.outbox import delivery, outbox
from cases.records import case, clock, incident
from cases.subscriptions import subscription, webhook_delivery, webhook_outbox

Labels = tuple[tuple[str, str], ...]

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Measure:
    """One gauge: its name, what it says, and its value for each set of labels. Lengths of time are in seconds."""

    name: str
    says: str
    values: tuple[tuple[Labels, float], ...]


def read(connection: Connection, now: datetime) -> list[Measure]:
    """Every figure as of `now`, from one transaction. What has never happened has no value, rather than a zero."""
    of_others = _of_webhooks(connection, now)
    return [*_of_cases(connection, now), *_of_rounds(connection, now), *_of_messages(connection, now), *of_others]


def exposition(measures: Iterable[Measure]) -> str:
    """The figures as Prometheus reads them."""
    return "".join(line + "\n" for one in measures for line in _lines(one))


def _of_cases(connection: Connection, now: datetime) -> Iterator[Measure]:
    standing = clock.c.stopped_at.is_(None)
    states = select(clock.c.state, func.count()).where(standing).group_by(clock.c.state).order_by(clock.c.state)
    yield _counted(connection, "whistle_clocks_open", "Clocks that have not been stopped, by state.", states, "state")
    levels = (
        select(case.c.level, func.count())
        .where(case.c.closed_at.is_(None), case.c.state.not_in(("closed", "withdrawn", "merged")))
        .group_by(case.c.level)
        .order_by(case.c.level)
    )
    yield _counted(connection, "whistle_cases_open", "Cases at work, by level.", levels, "level")
    due = connection.scalar(select(func.min(clock.c.due_at)).where(standing, clock.c.state != "paused"))
    yield _since("whistle_oldest_due_seconds", "How long ago the earliest open limit was due; 0 if none is.", due, now)
    wake = connection.scalar(select(func.min(case.c.wake_at)))
    yield _since("whistle_wake_lag_seconds", "How long the earliest rung has waited for a sweep; 0 if none.", wake, now)
    aside = connection.scalar(select(func.count()).where(case.c.aside_until.is_not(None), case.c.aside_count > 0))
    yield Measure("whistle_cases_aside", "Cases set aside after a fault.", (((), float(aside or 0)),))


def _of_rounds(connection: Connection, now: datetime) -> Iterator[Measure]:
    beats = heartbeat.beats(connection)
    ages = tuple(
        ((("round", one.round), ("door", one.door)), max(0.0, (now - one.finished_at).total_seconds())) for one in beats
    )
    yield Measure("whistle_round_age_seconds", "How long ago a round last ended well, by round and door.", ages)
    took = tuple(((("round", one.round), ("door", one.door)), one.took.total_seconds()) for one in beats)
    yield Measure("whistle_round_took_seconds", "How long that round took.", took)
    newest = max((one for one in beats if one.round == "sweep"), key=lambda one: one.finished_at, default=None)
    lag = newest.done.get("lag_seconds") if newest is not None else None
    values = (((), float(lag)),) if isinstance(lag, int | float) else ()
    yield Measure("whistle_sweep_lag_seconds", "How late the latest rung of the last sweep fell.", values)
    kinds = (
        select(incident.c.kind, func.count())
        .where(incident.c.ended_at.is_(None))
        .group_by(incident.c.kind)
        .order_by(incident.c.kind)
    )
    yield _counted(connection, "whistle_incidents_open", "Incidents that nobody has ended.", kinds, "kind")


def _of_messages(connection: Connection, now: datetime) -> Iterator[Measure]:
    schema, state = delivery.c["schema"], delivery.c.state
    results = select(schema, state, func.count()).group_by(schema, state).order_by(schema, state)
    found = tuple(
        ((("channel", channel), ("result", result)), float(count))
        for channel, result, count in connection.execute(results)
    )
    yield Measure("whistle_deliveries", "Deliveries that are kept, by channel and result.", found)
    dead = connection.scalar(select(func.count()).where(state == "dead"))
    yield Measure("whistle_dead_letters", "Deliveries that were given up.", (((), float(dead or 0)),))
    waiting = connection.scalar(select(func.count()).select_from(outbox))
    yield Measure("whistle_outbox", "Messages not laid out for delivery yet.", (((), float(waiting or 0)),))
    oldest = connection.scalar(select(func.min(delivery.c.due_at)).where(state == "waiting"))
    yield _since(
        "whistle_delivery_lag_seconds", "How long the earliest due delivery has waited; 0 if none.", oldest, now
    )


def _of_webhooks(connection: Connection, now: datetime) -> Iterator[Measure]:
    state, tries = webhook_delivery.c.state, webhook_delivery.c.tries
    became = case_of((and_(state == "waiting", tries > 0), "failing"), else_=state).label("became")
    results = select(became, func.count()).group_by("became").order_by("became")
    says = "Webhook deliveries that are kept, by result; failing: tried in vain, and to be tried again."
    yield _counted(connection, "whistle_webhook_deliveries", says, results, "result")
    failed = connection.scalar(select(func.coalesce(func.sum(tries - case_of((state == "sent", 1), else_=0)), 0)))
    yield Measure("whistle_webhook_failures", "Tries of kept deliveries that failed.", (((), float(failed or 0)),))
    waiting = connection.scalar(select(func.count()).select_from(webhook_outbox))
    yield Measure("whistle_webhook_outbox", "Events not laid out for subscribers yet.", (((), float(waiting or 0)),))
    here = select(func.min(webhook_delivery.c.due_at)).join(subscription)
    oldest = connection.scalar(here.where(state == "waiting", subscription.c.active))
    yield _since("whistle_webhook_lag_seconds", "How long the earliest due webhook has waited; 0 if none.", oldest, now)
    why = subscription.c.why_not
    ended = select(why, func.count()).where(~subscription.c.active).group_by(why).order_by(why)
    yield _counted(connection, "whistle_webhooks_ended", "Subscriptions that nothing is sent to, by why.", ended, "why")


def _counted(connection: Connection, name: str, says: str, query: object, label: str) -> Measure:
    rows = connection.execute(query)  # type: ignore[call-overload]
    return Measure(name, says, tuple((((label, value),), float(count)) for value, count in rows))


def _since(name: str, says: str, at: datetime | None, now: datetime) -> Measure:
    waited = 0.0 if at is None else max(0.0, (now - at.astimezone(UTC)).total_seconds())
    return Measure(name, says, (((), waited),))


def _lines(one: Measure) -> Iterator[str]:
    yield f"# HELP {one.name} {one.says}"
    yield f"# TYPE {one.name} gauge"
    for labels, value in one.values:
        written = ",".join(f'{name}="{_escaped(said)}"' for name, said in labels)
        yield f"{one.name}{{{written}}} {value!r}" if written else f"{one.name} {value!r}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
