"""A town in which something of everything happened, few enough to count by hand: for the statistics.

Six orange whistles of mental illness: the street comes, the hospital treats, five children return, one relapses. Five
orange ones of children left behind, with street and civil affairs: four settle in time.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from cases.casefile import CaseFile
from cases.directory import Organisation
from tests.town import START, STUDENT, Town, minutes

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NOW = START + 116 * DAY
"""More than 90 days after the last return."""

Counting = Callable[[datetime], object]


def a_told_town(city: Town, counting: Counting = lambda _: None) -> None:
    """Tell it all, up to `NOW`. `counting` is called at several moments on the way, and at the end."""
    Telling(city, counting).tell()


class Telling:
    """Acts of several cases, told in the order of their instants, because time passes for all of them at once."""

    def __init__(self, city: Town, counting: Counting) -> None:
        self.city = city
        self.counting = counting
        self.acts: list[tuple[datetime, int, str, str | int, str, dict[str, Any]]] = []
        self.ids: dict[int, CaseFile] = {}

    def tell(self) -> None:
        for number in range(6):
            self._treated(number)
        for number in range(6, 11):
            self._left_behind(number)
        counted = START + 3 * HOUR
        for at, number, who, track, trigger, form in sorted(self.acts, key=lambda one: (one[0], one[1])):
            while counted < at:
                self.city.run_until(counted)
                self.counting(counted)
                counted += (counted - START) / 2
            self.city.run_until(at)
            self._act(at, number, who, track, trigger, form)
        self.city.run_until(NOW)
        self.counting(NOW)

    def _act(self, at: datetime, number: int, who: str, track: str | int, trigger: str, form: dict[str, Any]) -> None:
        case = self.ids[number].id if number in self.ids else None
        no = track if isinstance(track, int) else next(
            one.no for one in self.ids[number].tracks.values() if self._named(one.kind, one.organisation) == track
        )  # fmt: skip
        self.ids[number] = self.city.fire(who, case, no, trigger, form, at).case

    def _named(self, kind: str, place: int | None) -> str:
        return f"{kind}@{next((name for name, one in self.city.places.items() if one.id == place), '')}".rstrip("@")

    def _does(self, number: int, after: timedelta, who: str, track: str | int, trigger: str, **form: Any) -> None:  # noqa: ANN401
        self.acts.append((START + minutes(number) + after, number, who, track, trigger, form))

    def _whistled(self, number: int, concern: str) -> None:
        student = {**STUDENT, "name": f"小示{number}"}
        form = {"concern": concern, "level": "orange", "summary": "of late", "student": student}
        self._does(number, timedelta(0), "counselor@school", 0, "whistle", **form)

    def _answers(self, number: int, place: str, report: timedelta, feedback: timedelta, outcome: str) -> None:
        own = f"assignment@{place}"
        at = (START + minutes(number) + report).isoformat()
        said = {"at": at, "where": "home", "mode": "on_site", "people": ["李"]}
        self._does(number, report, f"officer@{place}", own, "report_in", **said)
        self._does(number, feedback, f"officer@{place}", own, "give_feedback", measures="visited", outcome=outcome)
        self._does(number, feedback, "counselor@school", own, "accept_feedback")

    def _treated(self, number: int) -> None:
        self._whistled(number, "mental_illness")
        if number < 5:
            after = HOUR if number < 4 else 2.5 * HOUR
            self._does(number, after, "officer@street", "assignment@street", "acknowledge")
        report = 4 * HOUR if number < 5 else 30 * HOUR
        self._answers(number, "street", report, report + HOUR, "solved" if number < 4 else "partly")
        consent = {"guardian": "王芳", "signed_at": START.isoformat(), "form": ["consent.jpg"]}
        self._does(number, HOUR, "counselor@school", "referral@hospital", "give_consent", **consent)
        self._does(number, 2 * HOUR, "liaison@hospital", "referral@hospital", "accept")
        seen = 2 * DAY if number < 5 else 5 * DAY
        visit = {"seen_at": (START + minutes(number) + seen).isoformat(), "mode": "outpatient"}
        self._does(number, seen, "liaison@hospital", "referral@hospital", "record_visit", **visit)
        done = {"summary": "better", "opinion": "fit"}
        self._does(number, 10 * DAY, "liaison@hospital", "referral@hospital", "complete", **done)
        if number == 5:
            return
        plan = {"attendance": [50, 100], "mentor": "林老师", "watch_points": "sleep"}
        back = "return_to_school@hospital"
        self._does(number, 15 * DAY, "principal@school", back, "school_sign", assessment="well", plan=plan)
        day = (START + 20 * DAY).date().isoformat()
        self._does(number, 20 * DAY, "counselor@school", back, "record_return", day=day)
        if number == 0:
            self._does(number, 30 * DAY, "counselor@school", back, "relapse", signs="doesn't sleep")
        if number == 1:
            well = {"attendance": 100, "mood": 4, "sleep": 4, "peers": 4, "risk": "none"}
            self._does(number, 27 * DAY + 2 * HOUR, "counselor@school", "check_in", "file_school", **well)

    def _left_behind(self, number: int) -> None:
        late = number == 10
        self._whistled(number, "left_behind")
        for place in ("street", "civil_affairs"):
            own, officer = f"assignment@{place}", f"officer@{place}"
            if number == 6 and place == "street":
                self._does(number, HOUR, officer, own, "acknowledge")
                self._does(number, HOUR + minutes(2), officer, own, "undo_acknowledge")
                self._does(number, HOUR + minutes(10), officer, own, "acknowledge")
            else:
                self._does(number, HOUR, officer, own, "acknowledge")
            self._answers(number, place, 4 * HOUR, 9 * DAY if late else 2 * DAY, "solved")
        street: Organisation = self.city.places["street"]
        said: dict[str, Any] = {"scores": {street.id: {"score": (5, 4, 3, 4, 5)[number - 6]}}}
        if not late:
            said["family_satisfied"] = number < 9
        self._does(number, (9 if late else 2) * DAY + HOUR, "counselor@school", 0, "evaluate", **said)
