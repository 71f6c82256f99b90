"""The facts that statistics count, one measure after the other: which case, whose, was it so, and how much.

Tallies, the lists behind every figure and the count afresh of the tests all use these selects, so that a figure and
its list can't differ. What each measure means and rests on: docs/reference/indicators.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Integer,
    Select,
    String,
    and_,
    case,
    cast,
    column,
    extract,
    func,
    literal,
    or_,
    select,
    true,
)

from cases.records import clock, event, track

TIMED: Final = ("acknowledge", "report_in", "feedback", "settle", "first_contact")
"""Limits whose on-time rate is an indicator, and whose times have medians."""
FOLLOWED: Final = timedelta(days=90)
"""How long after the end of a treatment a return counts, and after a return a relapse."""


@dataclass(frozen=True, slots=True)
class Indicator:
    """One figure: a share in percent, a mean score, so many for a thousand students, so many for a hundred duties.

    `student` figures speak of children: there a small count on either side is hidden too.
    """

    code: str
    kind: Literal["rate", "score", "per_thousand", "per_hundred"]
    measure: str
    student: bool = False


INDICATORS: Final = (
    Indicator("whistles", "per_thousand", "whistle"),
    Indicator("acknowledge", "rate", "acknowledge"),
    Indicator("report_in", "rate", "report_in"),
    Indicator("feedback", "rate", "feedback"),
    Indicator("settle", "rate", "settle"),
    Indicator("response", "rate", "response"),
    Indicator("resolution", "rate", "resolution"),
    Indicator("score", "score", "score"),
    Indicator("family", "rate", "family", student=True),
    Indicator("orders", "per_hundred", "orders"),
    Indicator("first_contact", "rate", "first_contact"),
    Indicator("returned", "rate", "returned", student=True),
    Indicator("relapsed", "rate", "relapsed", student=True),
    Indicator("check_ins", "rate", "check_ins"),
)
BY_CODE: Final[Mapping[str, Indicator]] = {one.code: one for one in INDICATORS}

Facts = Select[Any]
"""case_id, school_id, district_id, city_id, month, organisation_id, measure, hit, value, track_no, tie.

`tie` tells the facts of one case apart.
"""


def facts(measure: str, chosen: FromClause, now: datetime, zone: str, *, rounded: bool = False) -> Facts:
    """The facts of one measure in the chosen cases (columns id, school_id, district_id, city_id, month).

    `breach` is every limit of any kind that was overrun, its value the hour of the week. With `rounded` minutes keep
    two digits, as the tallies hold them.
    """
    return _MEASURES[measure](_Asked(chosen, measure, now, zone, rounded))


def timed(chosen: FromClause, now: datetime, zone: str) -> Facts:
    """The facts of all timed measures in one select, rounded: the clocks are gone through once."""
    return _timed(_Asked(chosen, "", now, zone, rounded=True))


@dataclass(frozen=True, slots=True)
class _Asked:
    chosen: FromClause
    measure: str
    now: datetime
    zone: str
    rounded: bool

    @property
    def school(self) -> ColumnElement[Any]:
        return self.chosen.c.school_id

    def fact(
        self,
        of: ColumnElement[Any],
        hit: ColumnElement[bool],
        value: ColumnElement[Any] | None = None,
        no: ColumnElement[Any] | None = None,
        measure: ColumnElement[Any] | None = None,
        tie: ColumnElement[Any] | None = None,
    ) -> Facts:
        return select(
            self.chosen.c.id.label("case_id"),
            *(self.chosen.c[name] for name in ("school_id", "district_id", "city_id", "month")),
            func.coalesce(of, self.school).label("organisation_id"),
            (literal(self.measure, String) if measure is None else measure).label("measure"),
            case((hit, 1), else_=0).label("hit"),
            (cast(literal(None), Integer) if value is None else value).label("value"),
            (own := cast(literal(0), Integer) if no is None else no).label("track_no"),
            cast(own if tie is None else tie, BigInteger).label("tie"),
        ).select_from(self.chosen)


def _there(*wanted: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether there is such a row. It names no column: whoever reads for a person may not read every one."""
    return select(literal(1)).where(*wanted).exists()


def _of_clock(asked: _Asked) -> ColumnElement[bool]:
    return clock.c.case_id == asked.chosen.c.id


def _decided() -> ColumnElement[bool]:
    """Met or overrun; a limit that was overrun before it was recalled stays overrun, as the clock itself does."""
    recalled = and_(clock.c.state == "cancelled", func.coalesce(clock.c.face["breached"].as_boolean(), False))
    return or_(clock.c.state.in_(("met", "missed")), recalled)


def _not_undone() -> ColumnElement[bool]:
    """An acknowledgement that was taken back counts once: its clock goes on under another number, from its start."""
    later = clock.alias()
    again = _there(
        later.c.case_id == clock.c.case_id,
        later.c.track_no == clock.c.track_no,
        later.c.name == clock.c.name,
        later.c.started_at == clock.c.started_at,
        later.c.no > clock.c.no,
    )
    return or_(clock.c.name != "acknowledge", ~again)


def _timed(asked: _Asked) -> Facts:
    names = (asked.measure,) if asked.measure else TIMED
    elapsed = cast(func.floor(extract("epoch", clock.c.stopped_at - clock.c.started_at) / 60), Integer)
    taken = case((clock.c.state != "cancelled", two_digits(elapsed) if asked.rounded else elapsed))
    own = (clock.c.organisation_id, clock.c.state == "met", taken, clock.c.track_no, clock.c.name)
    found = asked.fact(*own, tie=clock.c.no)
    return found.join(clock, _of_clock(asked)).where(clock.c.name.in_(names), _decided(), _not_undone())


def _breached(asked: _Asked) -> Facts:
    local = func.timezone(asked.zone, clock.c.due_at)
    hour = cast((extract("isodow", local) - 1) * 24 + extract("hour", local), Integer)
    found = asked.fact(clock.c.organisation_id, true(), hour, clock.c.track_no, tie=clock.c.no)
    late = and_(_decided(), clock.c.state != "met")
    return found.join(clock, _of_clock(asked)).where(late)


def _response(asked: _Asked) -> Facts:
    came = track.c.facts.has_key("reported_in")
    found = asked.fact(clock.c.organisation_id, came, None, clock.c.track_no, tie=clock.c.no)
    found = found.join(clock, _of_clock(asked))
    own = and_(track.c.case_id == clock.c.case_id, track.c.no == clock.c.track_no)
    return found.join(track, own).where(clock.c.name == "report_in", _decided())


def _tracks(asked: _Asked, found: Facts, kind: str, *states: str) -> Facts:
    found = found.join(track, track.c.case_id == asked.chosen.c.id).where(track.c.kind == kind)
    return found.where(track.c.state.in_(states)) if states else found


def _resolution(asked: _Asked) -> Facts:
    said = (
        select(event.c.open["outcome"].astext)
        .where(event.c.case_id == track.c.case_id, event.c.track_no == track.c.no, event.c.trigger == "give_feedback")
        .order_by(event.c.seq.desc())
        .limit(1)
        .correlate(track)
        .scalar_subquery()
    )
    found = asked.fact(track.c.organisation_id, said == "solved", None, track.c.no)
    return _tracks(asked, found, "assignment", "done")


def _newest_evaluation(asked: _Asked, found: Facts) -> Facts:
    later = event.alias()
    again = _there(later.c.case_id == event.c.case_id, later.c.trigger == "evaluate", later.c.seq > event.c.seq)
    own = and_(event.c.case_id == asked.chosen.c.id, event.c.trigger == "evaluate")
    return found.join(event, own).where(~again)


def _score(asked: _Asked) -> Facts:
    each = func.jsonb_each_text(event.c.open["points"]).table_valued(column("key"), column("value")).lateral("point")
    points = cast(each.c.value, Integer)
    whose = cast(each.c.key, BigInteger)
    found = asked.fact(whose, points >= GOOD, points, tie=whose)
    return _newest_evaluation(asked, found).join(each, true())


GOOD: Final = 4
"""A score that counts as good; the figure itself is the mean."""


def _family(asked: _Asked) -> Facts:
    found = asked.fact(asked.school, event.c.open["family_satisfied"].as_boolean())
    return _newest_evaluation(asked, found).where(event.c.open.has_key("family_satisfied"))


def _whistle(asked: _Asked) -> Facts:
    return asked.fact(asked.school, true())


def _orders(asked: _Asked) -> Facts:
    """Each assignment, and each order about one."""
    found = asked.fact(track.c.organisation_id, track.c.kind == "supervision", None, track.c.no)
    found = found.join(track, track.c.case_id == asked.chosen.c.id)
    return found.where(
        or_(track.c.kind == "supervision", and_(track.c.kind == "assignment", track.c.state != "cancelled"))
    )


def _check_ins(asked: _Asked) -> Facts:
    found = asked.fact(asked.school, track.c.state == "complete", None, track.c.no)
    return _tracks(asked, found, "check_in", "complete", "missed")


def _moved(trigger: str, since: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether that move was made on the return-to-school track within the time that it is followed."""
    own = (event.c.case_id == track.c.case_id, event.c.track_no == track.c.no, event.c.trigger == trigger)
    return _there(*own, event.c.at <= since + FOLLOWED)


def _returned(asked: _Asked) -> Facts:
    found = asked.fact(asked.school, _moved("record_return", track.c.opened_at), None, track.c.no)
    ripe = track.c.opened_at <= asked.now - FOLLOWED
    return _tracks(asked, found, "return_to_school").where(ripe, track.c.state != "cancelled")


def _relapsed(asked: _Asked) -> Facts:
    back = event.alias()
    again = event.alias()
    relapse = _there(
        again.c.case_id == back.c.case_id,
        again.c.track_no == back.c.track_no,
        again.c.trigger == "relapse",
        again.c.at <= back.c.at + FOLLOWED,
    )
    found = _tracks(asked, asked.fact(asked.school, relapse, None, track.c.no), "return_to_school")
    own = and_(back.c.case_id == track.c.case_id, back.c.track_no == track.c.no, back.c.trigger == "record_return")
    return found.join(back, own).where(back.c.at <= asked.now - FOLLOWED)


_MEASURES: Final[Mapping[str, Callable[[_Asked], Facts]]] = {
    **dict.fromkeys(TIMED, _timed),
    "breach": _breached,
    "response": _response,
    "resolution": _resolution,
    "score": _score,
    "family": _family,
    "whistle": _whistle,
    "orders": _orders,
    "check_ins": _check_ins,
    "returned": _returned,
    "relapsed": _relapsed,
}
MEASURES: Final = tuple(_MEASURES)


def two_digits(minutes: ColumnElement[int]) -> ColumnElement[int]:
    """Minutes to two digits: exact below a hundred, within five in a hundred above; so few values can be kept."""

    def to(unit: int) -> ColumnElement[int]:
        return (minutes + unit // 2) // unit * unit

    return case((minutes < 100, minutes), (minutes < 995, to(10)), (minutes < 9950, to(100)),
                (minutes < 99500, to(1000)), else_=to(10000))  # fmt: skip
