"""The timeline in words: what an event is called, who did it, and what was said, as this reader may know it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from itertools import groupby
from typing import Any, Final

from api.pages import words
from api.pages.frame import Page
from api.pages.papers import Paper
from cases import dossier, queries
from cases.casefile import CaseFile
from cases.dossier import Told
from cases.evidence import PREFIX
from cases.office import Session
from cases.track import Track
from policies.book import Book
from policies.limits import Limit

_TICKED: Final = {True: "Yes", False: "No"}
_SILENT: Final = frozenset({"stood_at", "due", "percent", "key", "nobody_responsible", "from"})
"""What an event keeps for the engine and nobody needs to read."""


def gettext_noop(text: str) -> str:
    """Mark a text for the catalogue; it is said where it is shown."""
    return text


_TOGETHER: Final[Mapping[str, str]] = {
    "check_in.planned": gettext_noop("Check-ins laid out: weeks %(weeks)s"),
    "check_in.cancelled": gettext_noop("Check-ins cancelled: weeks %(weeks)s"),
}
_LOOKS: Final[Mapping[str, str]] = {"hospital": "k-hosp", "street": "k-street", "community": "k-street"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the timeline. `by` is `people` or `system`, for the filter; `look` is its dot."""

    seq: int
    at: datetime
    day: str
    title: str
    tag: str
    who: str
    by: str
    look: str
    said: tuple[tuple[str, str], ...]
    shut: str
    number: int
    papers: tuple[Paper, ...] = ()


@dataclass(frozen=True, slots=True)
class Teller:
    """Puts events into words. `names` are those of the members who acted, `papers` the case's files by reference."""

    page: Page
    session: Session
    book: Book
    names: Mapping[int, str]
    papers: Mapping[str, Paper] = field(default_factory=dict)
    file: CaseFile | None = None

    def entries(self, history: Sequence[Told]) -> list[Entry]:
        """The newest first. Rounds that were laid out, or dropped, by one step are one entry with their weeks."""
        runs = groupby(history, key=lambda one: (one.name, one.at) if one.name in _TOGETHER else one.seq)
        return [self._together(list(run)) for _, run in runs][::-1]

    def _together(self, run: Sequence[Told]) -> Entry:
        entry = self.entry(run[0])
        weeks = sorted(week for one in run if (week := self._week(one.track)) is not None)
        if len(run) == 1 or not weeks:
            return entry
        comma = ", " if self.page.language == "en" else "、"
        title = self.page.say(_TOGETHER[run[0].name]) % {"weeks": comma.join(str(one) for one in weeks)}
        return replace(entry, title=title, said=())

    def _week(self, number: int) -> int | None:
        record = self.file.track(number) if self.file is not None else None
        week = record.facts.get("week") if record is not None else None
        return int(week) if week is not None else None

    def entry(self, one: Told) -> Entry:
        """One event in words."""
        tongue = self.page.tongue
        track = self.session.office.tracks[one.kind]
        shut = ", ".join(self.page.word(words.SECTIONS[section]) for section in one.withheld)
        return Entry(
            seq=one.seq,
            at=one.at,
            day=tongue.day(one.at.astimezone(tongue.zone).date()),
            title=self.title(track, one),
            tag=self._tag(track, one),
            who=self._who(one),
            by="people" if one.role else "system",
            look=self._look(one),
            said=tuple(self.said(one)),
            shut=shut,
            number=one.track,
            papers=tuple(self.papers[line] for line in _references(one) if line in self.papers),
        )

    def title(self, track: Track, one: Told) -> str:
        """What the event is called: by its move, by the clock whose limit came, or by the track that opened."""
        move = track.by_name.get(one.trigger)
        if move is not None and not move.opens:
            return self.page.word(move.label)
        clock, _, rung = one.trigger.partition(".")
        if rung:
            label = track.clock_kinds[clock].label if clock in track.clock_kinds else (clock, clock)
            said = words.RUNGS.get(rung)
            return f"{self.page.word(label)} · {self.page.word(said) if said is not None else rung}"
        if one.trigger == "absorb":
            return self.page.say("Another case was merged into this one")
        state = track.states.get(one.target or "")
        if move is not None:
            return self.page.word(move.label)
        return self.page.word(state.label) if state is not None else self.page.word(track.label)

    def _tag(self, track: Track, one: Told) -> str:
        if one.organisation is not None and track.kind == "assignment":
            return self.place(one.organisation)
        week = self._week(one.track) if track.kind == "check_in" else None
        if week is not None:
            return self.page.say("Check-in of week %(week)s") % {"week": week}
        label = self.page.word(track.label)
        return f"{label} · {self.place(one.organisation)}" if one.organisation is not None else label

    def place(self, organisation: int) -> str:
        """What an organisation is called."""
        return self.session.office.directory.organisation(self.session.connection, organisation).name

    def _who(self, one: Told) -> str:
        if one.actor is None:
            return (
                self.page.say("Confidential") if one.name.startswith("mandatory_report.") else self.page.say("System")
            )
        role = words.ROLES.get(one.role or "")
        parts = [
            self.place(one.actor_organisation) if one.actor_organisation is not None else "",
            self.page.word(role) if role is not None else "",
            self.names.get(one.actor, ""),
        ]
        return " ".join(part for part in parts if part)

    def _look(self, one: Told) -> str:
        if not one.role:
            return "k-sys"
        if one.actor_organisation is None:
            return ""
        place = self.session.office.directory.organisation(self.session.connection, one.actor_organisation)
        return _LOOKS.get(place.kind, "")

    # ------------------------------------------------------------ what was said

    def said(self, one: Told) -> Iterator[tuple[str, str]]:
        """Label and text of each field that this reader may read."""
        for name, value in self._in_order(one):
            if name in _SILENT or (one.trigger.count(".") and name in one.open):
                continue
            label = self._label(one, name)
            if label is None or value in (None, "", [], {}):
                continue
            said = self._about(one, name, value) or self.value(one.kind, name, value)
            if said:
                yield label, said

    def _in_order(self, one: Told) -> list[tuple[str, Any]]:
        """As the form asked for them; what the engine added comes behind."""
        move = self.session.office.tracks[one.kind].by_name.get(one.trigger)
        asked = [each.name for each in move.form.fields] if move is not None else []
        written = {**one.open, **one.said}
        return sorted(written.items(), key=lambda each: asked.index(each[0]) if each[0] in asked else len(asked))

    def _about(self, one: Told, name: str, value: object) -> str:
        """What is written as a number and means something of the case: whose assignment, how much of which limit."""
        if self.file is None or not isinstance(value, int):
            return ""
        if name == "about":
            meant = self.file.track(value)
            return self.place(meant.organisation) if meant is not None and meant.organisation is not None else ""
        record = self.file.track(one.track)
        extra = record.facts.get("extra") if name == "extra" and record is not None else None
        return Limit.parse(extra).in_words(self.page.language) if extra else ""

    def _label(self, one: Told, name: str) -> str | None:
        try:
            return self.page.word(words.field_label(one.kind, one.trigger, name))
        except KeyError:
            return None

    def value(self, kind: str, name: str, value: Any) -> str:  # noqa: ANN401 - JSON is what it is
        """One value in words."""
        if isinstance(value, bool):
            return self.page.say(_TICKED[value])
        if isinstance(value, Mapping):
            return self._mapping(kind, name, value)
        if isinstance(value, list):
            if value and all(isinstance(one, int) for one in value) and name == "attendance":
                return " → ".join(f"{one}%" for one in value)
            # Files are shown below, as what they are.
            return "\n".join(self._listed(kind, name, one) for one in value if not self._is_paper(one))
        if isinstance(value, str) and value.startswith(PREFIX):
            return self.page.say("a file")
        if isinstance(value, str):
            return self._coded(name, value)
        if name in {"to", "hospital", "organisation", "proposed", "court", "school"} and isinstance(value, int):
            return self.place(value)
        return str(value)

    def _is_paper(self, value: object) -> bool:
        return isinstance(value, str) and value in self.papers

    def _listed(self, kind: str, name: str, value: Any) -> str:  # noqa: ANN401
        if name == "statutory" and value in self.book.statutory:
            return self.page.word(self.book.statutory[value].label)
        if name == "invited" and isinstance(value, int):
            return self.place(value)
        return self.value(kind, "organisation" if name == "invited" else name, value)

    def _coded(self, name: str, value: str) -> str:
        if name == "concern" and value in self.book.concerns:
            return self.page.word(self.book.concerns[value].label)
        if name == "programme" and value in self.book.programmes:
            return self.page.word(self.book.programmes[value].label)
        choice = words.CHOICES.get(f"{name}.{value}")
        if choice is not None:
            return self.page.word(choice)
        return self._dated(value)

    def _dated(self, value: str) -> str:
        """An instant or a day as a reader says it; any other text as it is."""
        if len(value) < 10 or value[4:5] != "-" or value[7:8] != "-":
            return value
        try:
            if "T" in value:
                return self.page.tongue.moment(datetime.fromisoformat(value))
            return self.page.tongue.day(date.fromisoformat(value))
        except ValueError:
            return value

    def _mapping(self, kind: str, name: str, value: Mapping[str, Any]) -> str:
        if name == "scores":
            return "\n".join(
                f"{self.place(int(number))}: {one['score']} / 5 {one.get('comment', '')}".strip()
                for number, one in value.items()
            )
        if name == "result" and value.get("scale") in self.book.scales:
            return "\n".join(self._screened(value))
        if name == "items" and all(key.isdigit() for key in value):
            return " ".join(f"{number}={answer}" for number, answer in sorted(value.items(), key=_by_number))
        if set(value) == {"amount", "unit"}:
            return Limit.parse(f"{value['amount']}{value['unit']}").in_words(self.page.language)
        found = []
        for key, one in value.items():
            label = words.FIELDS.get(key)
            text = self.value(kind, key, one)
            found.append(f"{self.page.word(label)}: {text}" if label is not None else text)
        return "\n".join(found)

    def _screened(self, result: Mapping[str, Any]) -> Iterator[str]:
        """Total, band as the scale names it, and whether an answer calls for an interview; and which would."""
        scale, say = self.book.scales[result["scale"]], self.page.say
        bands = {one.code: one.label for one in scale.bands} | {one.code: one.label for one in scale.triage}
        band = bands.get(result["band"])
        yield say("Total %(score)s: %(band)s") % {
            "score": result["score"],
            "band": self.page.word(band) if band is not None else say("none of the bands"),
        }
        if result.get("interview") and scale.alarm_label is not None:
            yield say("Interview needed: %(why)s") % {"why": self.page.word(scale.alarm_label)}
        else:
            yield say("No answer calls for an interview")


def _references(one: Told) -> Iterator[str]:
    """The files that an event refers to, as far as they may be read."""
    for value in one.said.values():
        if isinstance(value, list):
            yield from (line for line in value if isinstance(line, str) and line.startswith(PREFIX))


def _by_number(item: tuple[str, Any]) -> int:
    return int(item[0])


def of_track(page: Page, session: Session, file: CaseFile, no: int) -> list[Entry]:
    """What has happened on one track, the newest first; nothing sealed is opened for it."""
    happened = [one for one in queries.history(session, file, page.reader.actor) if one.track == no]
    named = dossier.names(session, {one.actor for one in happened if one.actor is not None})
    teller = Teller(page, session, session.office.book_of(file.policy), named, file=file)
    return teller.entries(
        [
            Told(
                seq=one.seq, at=one.at, track=one.track, kind=one.kind, name=one.name, trigger=one.trigger,
                source=None, target=one.target, organisation=one.organisation, actor=one.actor,
                actor_organisation=None, role=one.role, cause=None, open=one.open,
            )
            for one in happened
        ]
    )  # fmt: skip
