"""What a case page shows of its tracks, worked out before the template: cards, their buttons, clocks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final, Literal

from api.pages import words
from api.pages.course import in_order, is_quick
from api.pages.frame import Page
from api.pages.spoken import Left
from api.problem_words import of_field
from cases.agenda import met_by
from cases.casefile import CaseFile, Record
from cases.dossier import Told
from cases.offers import Offer
from cases.office import Session
from cases.refusal import CODES
from cases.track import Clock, Track
from cases.why import reckoned
from policies.book import Book

_ICONS: Final[Mapping[str, str]] = {
    "assignment": "building-community", "referral": "stethoscope", "return_to_school": "school",
    "check_in": "checklist", "guidance": "home-heart", "mandatory_report": "report-medical", "leave": "bed-off",
    "conference": "users-group", "action_item": "list-check", "supervision": "flag", "access": "key",
    "protection": "shield-lock", "extension": "hourglass",
}  # fmt: skip
_REFUSED: Final = frozenset(
    {"consent_refused", "admission_refused", "declined", "disputed", "no_show", "evading", "defied", "deferred"}
    | {"appealed", "missed"}
)
"""States in which somebody refused or stayed away: nothing there is well, whether a limit runs or not."""
_PLACE_ICONS: Final[Mapping[str, str]] = {
    "hospital": "stethoscope", "police": "shield", "court": "gavel", "school": "school", "street": "building-community",
    "community": "home", "womens_federation": "heart-handshake",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Limit:
    """One clock as a card shows it."""

    no: int
    label: str
    standing: Literal["met", "late", "running", "paused", "cancelled"]
    when: datetime | None
    due: datetime
    left: Left | None


@dataclass(frozen=True, slots=True)
class Button:
    """One trigger as a button. `why_not` says what the state forbids; `quick` that nothing has to be written."""

    label: str
    address: str
    trigger: str
    quick: bool
    why_not: str = ""
    main: bool = False


@dataclass(frozen=True, slots=True)
class Card:
    """One track: what it is, whose, in which state, its limits and its buttons.

    `known` is what one wants to know without reading the timeline; `others` that it is neither the reader's nor theirs
    to move.
    """

    no: int
    kind: str
    title: str
    whose: str
    state: str
    look: str
    icon: str
    limits: tuple[Limit, ...]
    buttons: tuple[Button, ...]
    forbidden: tuple[Button, ...]
    about: int | None
    ended: bool
    known: tuple[tuple[str, str], ...] = ()
    others: bool = False


@dataclass(slots=True)
class Sheet:
    """Works out what a case page shows of one case for one reader."""

    page: Page
    session: Session
    case: CaseFile
    book: Book
    offered: Sequence[Offer]
    history: Sequence[Told] = field(default_factory=tuple)

    # ---------------------------------------------------------------- buttons

    def button(self, offer: Offer, *, main: bool = False) -> Button:
        """A button for an offer; what is forbidden carries its reason."""
        middle = "tracks/" if offer.track.isdecimal() else ""
        about = f"?about={offer.about}" if offer.about is not None else ""
        return Button(
            label=self.caption(offer),
            address=f"/cases/{self.case.number}/{middle}{offer.track}/{offer.move.name}{about}",
            trigger=offer.move.name,
            quick=is_quick(offer),
            why_not=self.reason(offer),
            main=main,
        )

    def caption(self, offer: Offer) -> str:
        """What a trigger is called; an appointment that stands is moved, not made."""
        if (offer.declared.kind, offer.move.name, offer.record.state) == ("referral", "schedule", "scheduled"):
            return self.page.say("Move the appointment")
        return self.page.caption(offer.move.label)

    def reason(self, offer: Offer) -> str:
        """Why a trigger can't be pulled now; empty where it can."""
        refusal = offer.refusal
        if refusal is None:
            return ""
        if refusal.code == "invalid":
            return "; ".join(of_field(one.code, one.facts, self.page.language) for one in refusal.faults)
        said = CODES[refusal.code][0 if self.page.language == "zh_CN" else 1]
        if refusal.code != "wrong_state":
            return said
        wanted = [
            self.page.word(offer.declared.states[one].label) for one in offer.move.source or () if not offer.move.opens
        ]
        if not wanted or refusal.facts.get("kind") == "case" != offer.declared.kind:
            return said
        return self.page.say("only while: %(states)s") % {"states": ", ".join(wanted)}

    def of_track(self, no: int) -> list[Offer]:
        """The offers that belong on the card of a track, those about it among them."""
        return in_order(one for one in self.offered if one.track == str(no) or one.about == no)

    def opening(self) -> list[Button]:
        """The triggers that open a track about nothing else, and the case's own: the menu "more"."""
        found = [one for one in self.offered if one.about is None and (not one.track.isdecimal() or one.track == "0")]
        return [self.button(one) for one in found if one.free]

    # ------------------------------------------------------------------ clocks

    def limit(self, clock: Clock) -> Limit | None:
        """A clock in words; None for one of a kind that isn't declared any more."""
        record = self.case.track(clock.track)
        kind = self.session.office.tracks[record.kind].clock_kinds.get(clock.name) if record is not None else None
        if kind is None:
            return None
        face = clock.face
        label = self.page.word(kind.label)
        if face.met is not None:
            return Limit(clock.no, label, "late" if face.met > face.due else "met", face.met, face.due, None)
        if face.cancelled is not None:
            return Limit(clock.no, label, "cancelled", face.cancelled, face.due, None)
        if face.paused is not None:
            return Limit(clock.no, label, "paused", face.paused, face.due, None)
        return Limit(clock.no, label, "running", None, face.due, self.page.tongue.left(face.due, face.started))

    def limits(self, no: int) -> tuple[Limit, ...]:
        """The newest clock of each name on a track; a cancelled one says nothing to anybody."""
        newest = {clock.name: clock for clock in self.case.clocks.values() if clock.track == no}
        found = (self.limit(clock) for clock in newest.values())
        return tuple(one for one in found if one is not None and one.standing != "cancelled")

    def met_by(self, offer: Offer) -> list[Limit]:
        """The running limits that a trigger meets, what is due first before the others."""
        names = met_by(offer.declared, offer.move.name) if not offer.move.opens else frozenset()
        clocks = [one for one in self.case.clocks.values() if one.track == offer.record.no and one.name in names]
        found = (self.limit(one) for one in sorted(clocks, key=lambda one: one.face.due) if not one.stopped)
        return [one for one in found if one is not None and one.left is not None]

    def why(self, clock: Clock) -> tuple[tuple[str, str], ...]:
        """The reckoning of a clock, line by line: the sentence and what it rests on."""
        language = self.page.language
        spoken = reckoned(self.book, clock.face, language)
        return tuple((step.what[language], step.basis[language] if step.basis else "") for step in spoken.steps)

    # ------------------------------------------------------------------- cards

    def cards(self) -> list[Card]:
        """The tracks, those at work first; check-ins that ask nothing of anybody are shown by their chart."""
        records = [one for one in self.case.tracks.values() if not self._in_chart(one)]
        made = [self.card(one) for one in records]
        return sorted(made, key=lambda one: one.ended)

    def _in_chart(self, record: Record) -> bool:
        if record.kind != "check_in":
            return False
        running = any(one.track == record.no and not one.stopped for one in self.case.clocks.values())
        return record.state == "planned" or (record.state in {"complete", "cancelled"} and not running)

    def _title(self, record: Record, declared: Track) -> str:
        if record.kind == "check_in" and "week" in record.facts:
            return self.page.say("Check-in of week %(week)s") % {"week": record.facts["week"]}
        return self.page.caption(declared.label)

    def card(self, record: Record) -> Card:
        """One track."""
        declared = self.session.office.tracks[record.kind]
        offers = self.of_track(record.no)
        limits = self.limits(record.no)
        ended = record.state in declared.ends
        place = self.place(record)
        running = [one.left for one in limits if one.left is not None]
        look = "success" if ended or not running else "primary"
        if record.state in _REFUSED or any(one.standing != "ok" for one in running):
            look = "warning"
        if any(one.standing == "over" for one in running):
            look = "danger"
        free = [self.button(one) for one in offers if one.free]
        return Card(
            no=record.no,
            kind=record.kind,
            title=self._title(record, declared),
            whose=place,
            state=self.page.word(declared.states[record.state].label),
            look="muted" if ended else look,
            icon=self._icon(record),
            limits=limits,
            buttons=tuple(free),
            forbidden=tuple(self.button(one) for one in offers if not one.free),
            about=record.about,
            ended=ended,
            known=tuple(self._known(record)),
            others=record.organisation not in {None, *self.places} and not free,
        )

    @property
    def places(self) -> set[int]:
        """The organisations of the reader's posts."""
        return {post.organisation_id for post in self.page.reader.actor.posts}

    def _known(self, record: Record) -> Iterator[tuple[str, str]]:
        """Where the responders are, when the student is expected at the hospital."""
        page = self.page
        newest = {one.name: one for one in self.history if one.track == record.no}
        came, booked = newest.get("assignment.reported_in"), newest.get("referral.scheduled")
        seen = newest.get("referral.treatment_updated")
        if came is not None and came.said.get("where"):
            yield page.word(words.FIELDS["where"]), str(came.said["where"])
        if booked is not None and record.state == "scheduled":
            at = page.tongue.moment(datetime.fromisoformat(booked.open["at"]))
            yield page.say("Appointment"), f"{at} {booked.said.get('where', '')}".strip()
        if seen is not None and seen.open.get("next_visit") and record.state == "in_treatment":
            yield page.word(words.FIELDS["next_visit"]), page.tongue.day(date.fromisoformat(seen.open["next_visit"]))

    def _icon(self, record: Record) -> str:
        if record.kind == "assignment" and record.organisation is not None:
            place = self.session.office.directory.organisation(self.session.connection, record.organisation)
            return _PLACE_ICONS.get(place.kind, "building")
        return _ICONS.get(record.kind, "file-text")

    def place(self, record: Record) -> str:
        """Whose a track is; empty for one that belongs to none."""
        if record.organisation is None:
            return ""
        return self.session.office.directory.organisation(self.session.connection, record.organisation).name
