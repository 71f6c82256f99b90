"""What a case page shows, worked out before the template: stepper, next step, tracks with their buttons, clocks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final, Literal

from api.pages import words
from api.pages.course import STEPS, VISIT, in_order, is_quick
from api.pages.frame import Page
from api.pages.spoken import Left
from cases.agenda import stands_in, trigger_of
from cases.casefile import CASE, CaseFile, Record
from cases.dossier import Told
from cases.offers import Offer
from cases.office import Session
from cases.owing import owes
from cases.refusal import CODES
from cases.track import Clock, Track
from cases.why import reckoned
from policies.book import Book

Standing = Literal["done", "now", "todo"]
_URGENT: Final = frozenset({"acknowledge", "call_police"})
_STEPS: Final = ("whistled", "signed_off", "acknowledged", "reported_in", "feedback_given", "evaluated", "closed")
_ICONS: Final[Mapping[str, str]] = {
    "assignment": "building-community", "referral": "stethoscope", "return_to_school": "school",
    "check_in": "checklist", "guidance": "home-heart", "mandatory_report": "report-medical", "leave": "bed-off",
    "conference": "users-group", "action_item": "list-check", "supervision": "flag", "access": "key",
    "protection": "shield-lock", "extension": "hourglass",
}  # fmt: skip
_PLACE_ICONS: Final[Mapping[str, str]] = {
    "hospital": "stethoscope", "police": "shield", "court": "gavel", "school": "school", "street": "building-community",
    "community": "home", "womens_federation": "heart-handshake",
}  # fmt: skip
REMOTE: Final = ("undo_acknowledge", "remind")


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the stepper: what, when or by when, and whether it is done."""

    label: str
    when: str
    standing: Standing


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


@dataclass(frozen=True, slots=True)
class Next:
    """The next step: what, who, by when, why then, and the button that does it."""

    title: str
    who: str
    due: datetime | None
    left: Left | None
    why: tuple[tuple[str, str], ...]
    main: Button | None
    others: tuple[Button, ...]
    mine: bool


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
            label=self.page.caption(offer.move.label),
            address=f"/cases/{self.case.number}/{middle}{offer.track}/{offer.move.name}{about}",
            trigger=offer.move.name,
            quick=is_quick(offer),
            why_not=self.reason(offer),
            main=main,
        )

    def reason(self, offer: Offer) -> str:
        """Why a trigger can't be pulled now; empty where it can."""
        refusal = offer.refusal
        if refusal is None:
            return ""
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
        if any(one.standing != "ok" for one in running):
            look = "warning"
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
            others=record.organisation not in {None, *self._places} and not free,
        )

    @property
    def _places(self) -> set[int]:
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

    # --------------------------------------------------------------- next step

    def next_step(self) -> Next | None:
        """What this reader owes first; else what anybody owes first; None where no limit runs."""
        mine = [one for one in self._running() if self._is_mine(one)]
        clock = min(mine or self._near(), key=lambda one: one.face.due, default=None)
        waiting = self._waiting() if not mine else None
        if clock is None or waiting is not None:
            return waiting
        record = self.case.track(clock.track)
        if record is None:
            return None
        declared = self.session.office.tracks[record.kind]
        kind = declared.clock_kinds[clock.name]
        trigger = trigger_of(declared, clock.name, self.page.reader.actor, record) if mine else ""
        main = next((one for one in self.of_track(record.no) if one.free and one.move.name == trigger), None)
        label = declared.by_name[trigger].label if trigger else kind.label
        others = [one for one in self._beside(record) if one.free and one is not main]
        return Next(
            title=self.page.caption(label),
            who=self._who(record, kind.owners(self.case, record)),
            due=clock.face.due,
            left=self.page.tongue.left(clock.face.due, clock.face.started),
            why=self.why(clock),
            main=self.button(main, main=True) if main is not None else None,
            others=tuple(self.button(one) for one in others if mine)[:4],
            mine=bool(mine),
        )

    def _beside(self, record: Record) -> list[Offer]:
        """What else can be done with a track. Of the case itself nearly everything can be, and it stands below."""
        return [] if record.no == CASE else self.of_track(record.no)

    def _waiting(self) -> Next | None:
        """What waits for this reader without a limit: feedback to accept, a case to close."""
        found = next((one for one in self.offered if one.free and one.move.name in _WAITED_FOR), None)
        if found is None:
            return None
        others = [one for one in self._beside(found.record) if one.free and one is not found]
        main = self.button(found, main=True)
        return Next(
            main.label, self.place(found.record), None, None, (), main,
            tuple(self.button(one) for one in others)[:4], mine=True,
        )  # fmt: skip

    def _running(self) -> list[Clock]:
        return [one for one in self.case.clocks.values() if not one.stopped and not one.held]

    def _near(self) -> list[Clock]:
        """What runs anywhere; a hospital needs to know only of what it has a part in."""
        running = self._running()
        if not self.page.roles <= {"liaison"}:
            return running
        own = {no for no, one in self.case.tracks.items() if one.organisation in self._places or one.kind == "check_in"}
        return [one for one in running if one.track in own]

    def _is_mine(self, clock: Clock) -> bool:
        record = self.case.track(clock.track)
        if record is None:
            return False
        kind = self.session.office.tracks[record.kind].clock_kinds[clock.name]
        owners = (*kind.owners(self.case, record), *stands_in(record.kind, clock.name, record))
        return owes(self.page.reader.actor, owners, self.case, record)

    def _who(self, record: Record, owners: Sequence[str]) -> str:
        place = self.place(record)
        roles = dict.fromkeys(one.partition("@")[0] for one in owners)
        said = [self.page.word(words.ROLES[one]) for one in roles if one in words.ROLES]
        return " ".join(part for part in (place, (", " if self.page.language == "en" else "、").join(said)) if part)

    # ----------------------------------------------------------------- stepper

    def steps(self) -> list[Step]:
        """From the whistle to the closing, along the lead's assignment; for a hospital along its referral."""
        referral = self._treated()
        if referral is not None:
            return self._visit(referral)
        tongue = self.page.tongue
        lead = self._lead()
        done = self._done(lead)
        signing = "signed_off" in done or self.case.state == "awaiting_signoff" or self._owes_sign_off()
        names = [one for one in _STEPS if one != "signed_off" or signing]
        # What came later stands for what was skipped: a report in acknowledges too.
        last = max((names.index(one) for one in names if one in done and one != "signed_off"), default=-1)
        found: list[Step] = []
        current = False
        for place, name in enumerate(names):
            label = self.page.say(_STEP_TEXTS[name])
            at = done.get(name)
            if at is not None or (place < last and name != "signed_off"):
                found.append(Step(label, tongue.moment(at) if at is not None else "", "done"))
            else:
                # A sign-off that is owed after the fact holds nothing up: the next step is another one.
                beside = name == "signed_off" and self.case.state != "awaiting_signoff"
                standing: Standing = "todo" if current or beside else "now"
                current = current or not beside
                due = self._due(lead, name)
                when = self.page.say("by %(time)s") % {"time": tongue.moment(due)} if due is not None else "—"
                found.append(Step(label, when, standing))
        return found

    def _treated(self) -> Record | None:
        """The newest referral of a reader who has nothing but a hospital's posts."""
        if not self.page.roles <= {"liaison"}:
            return None
        mine = [one for one in self.case.of_kind("referral") if one.organisation in self._places]
        return mine[-1] if mine and mine[-1].state in VISIT else None

    def _visit(self, referral: Record) -> list[Step]:
        tongue = self.page.tongue
        done = {one.name.partition(".")[2]: one for one in self.history if one.track == referral.no}
        behind = VISIT[referral.state]
        if behind == VISIT["in_treatment"] and "treatment_updated" in done:
            behind += 1
        found = []
        for place, name in enumerate(STEPS):
            told = done.get(name)
            when = tongue.moment(told.at) if told is not None and place < behind else "—"
            if name == "scheduled" and told is not None and place < behind:
                when = tongue.moment(datetime.fromisoformat(told.open["at"]))
            standing: Standing = "done" if place < behind else "now" if place == behind else "todo"
            found.append(Step(self.page.say(_VISIT_TEXTS[name]), when, standing))
        return found

    def _lead(self) -> Record | None:
        leads = [one for one in self.case.of_kind("assignment") if one.facts.get("part") == "lead"]
        return next((one for one in reversed(leads) if one.state not in {"reassigned", "cancelled"}), None)

    def _owes_sign_off(self) -> bool:
        return bool(self.case.record.facts.get("owes_sign_off"))

    def _done(self, lead: Record | None) -> dict[str, datetime]:
        done: dict[str, datetime] = {}
        if self.case.state != "draft":
            done["whistled"] = self.case.created
        for one in self.history:
            event = one.name.partition(".")[2]
            if event in _UNDONE:
                done.pop(_UNDONE[event], None)
            if event in _STEPS and (one.track == CASE or (lead is not None and one.track == lead.no)):
                done[event] = one.at
        return done

    def _due(self, lead: Record | None, name: str) -> datetime | None:
        clock_name = _STEP_CLOCKS.get(name)
        if clock_name is None:
            return None
        track = CASE if name in {"signed_off", "evaluated"} else lead.no if lead is not None else None
        clock = self.case.clock(track, clock_name) if track is not None else None
        return clock.face.due if clock is not None and not clock.stopped else None


_WAITED_FOR: Final = ("accept_feedback", "close", "record_return", "redirect")
_UNDONE: Final[Mapping[str, str]] = {
    "acknowledge_undone": "acknowledged", "reopened": "closed", "sent_back": "feedback_given",
    "returned_for_rework": "evaluated", "reworked": "feedback_given",
}  # fmt: skip
_STEP_CLOCKS: Final[Mapping[str, str]] = {
    "signed_off": "sign_off", "acknowledged": "acknowledge", "reported_in": "report_in",
    "feedback_given": "feedback", "evaluated": "evaluation",
}  # fmt: skip


def gettext_noop(text: str) -> str:
    """Mark a text for the catalogue; it is said where it is shown."""
    return text


_STEP_TEXTS: Final[Mapping[str, str]] = {
    "whistled": gettext_noop("Whistle"),
    "signed_off": gettext_noop("Sign-off"),
    "acknowledged": gettext_noop("Acknowledged"),
    "reported_in": gettext_noop("Reported in"),
    "feedback_given": gettext_noop("Feedback"),
    "evaluated": gettext_noop("Evaluation"),
    "closed": gettext_noop("Closed"),
}

_VISIT_TEXTS: Final[Mapping[str, str]] = {
    "accepted": gettext_noop("Accepted"),
    "scheduled": gettext_noop("Appointment"),
    "visit_recorded": gettext_noop("Seen"),
    "treatment_updated": gettext_noop("Treatment"),
    "completed": gettext_noop("Completed"),
}
