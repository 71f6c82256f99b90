"""The next step of a case: what this reader owes first, else what it waits for, from whom and until when."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final

from api.pages import words
from api.pages.sheet import Button, Sheet
from api.pages.spoken import Left
from cases import access, dossier, waiting
from cases.agenda import trigger_of
from cases.casefile import CASE, Record
from cases.offers import Offer
from cases.owing import owes, roles
from cases.track import Clock
from cases.waiting import Waiting, stands_in

_OVERSEE: Final = frozenset({"coordinator", "supervisor"})
_SETTLED_BY_ITSELF: Final = frozenset({"settle"})
_ENDED: Final = frozenset({"closed", "withdrawn", "merged"})


@dataclass(frozen=True, slots=True)
class Next:
    """The next step: what, who, by when, why then, and the button that does it. `note` says what else is so."""

    title: str
    who: str
    due: datetime | None
    left: Left | None
    why: tuple[tuple[str, str], ...]
    main: Button | None
    others: tuple[Button, ...]
    mine: bool
    note: str = ""


def next_step(sheet: Sheet) -> Next | None:
    """What this reader owes first; else what anybody owes first or is waited for; None where nothing is to come.

    That the case is to be settled by a day is said last: its tracks settle it, nobody does it by hand.
    """
    running = [one for one in sheet.case.clocks.values() if not one.stopped and not one.held]
    mine = [one for one in running if _is_mine(sheet, one)]
    waited = list(_waiting(sheet))
    own = next((found for found in waited if _free(sheet, *found) is not None), None)
    near = _near(sheet, running)
    if (clock := _first(mine, _SETTLED_BY_ITSELF)) is not None:
        return _of_clock(sheet, clock, mine=True)
    if own is not None:
        return _of_waiting(sheet, *own)
    if (clock := _first(near, _SETTLED_BY_ITSELF)) is not None:
        return _of_clock(sheet, clock, mine=False)
    ahead = _of_waiting(sheet, *waited[0]) if waited else _ahead(sheet)
    clock = _first(mine or near)
    return _of_clock(sheet, clock, mine=bool(mine)) if ahead is None and clock is not None else ahead


def _first(clocks: Sequence[Clock], but: Container[str] = ()) -> Clock | None:
    return min((one for one in clocks if one.name not in but), key=lambda one: one.face.due, default=None)


# ------------------------------------------------------------------- with a limit


def _is_mine(sheet: Sheet, clock: Clock) -> bool:
    record = sheet.case.track(clock.track)
    return record is not None and owes(sheet.page.reader.actor, _owners(sheet, clock, record), sheet.case, record)


def _owners(sheet: Sheet, clock: Clock, record: Record) -> tuple[str, ...]:
    kind = sheet.session.office.tracks[record.kind].clock_kinds[clock.name]
    return (*waiting.outstanding(clock.name, kind.owners(sheet.case, record), record),
            *stands_in(record.kind, clock.name, record))  # fmt: skip


def _near(sheet: Sheet, running: Sequence[Clock]) -> list[Clock]:
    """What runs for others and concerns the reader: no order to somebody else, and of a case that ended nothing.

    A hospital needs to know only of what it has a part in.
    """
    if sheet.case.state in _ENDED:
        return []
    found = [one for one in running if sheet.page.roles & _OVERSEE or _kind_of(sheet, one) != "supervision"]
    return [one for one in found if (record := sheet.case.track(one.track)) is not None and _has_a_part(sheet, record)]


def _has_a_part(sheet: Sheet, record: Record) -> bool:
    return not sheet.page.roles <= {"liaison"} or record.organisation in sheet.places or record.kind == "check_in"


def _kind_of(sheet: Sheet, clock: Clock) -> str:
    record = sheet.case.track(clock.track)
    return record.kind if record is not None else ""


def _of_clock(sheet: Sheet, clock: Clock, *, mine: bool) -> Next | None:
    record = sheet.case.track(clock.track)
    if record is None:
        return None
    declared = sheet.session.office.tracks[record.kind]
    kind = declared.clock_kinds[clock.name]
    trigger = trigger_of(declared, clock.name, sheet.page.reader.actor, record) if mine else ""
    main = next((one for one in sheet.of_track(record.no) if one.free and one.move.name == trigger), None)
    owners = waiting.outstanding(clock.name, kind.owners(sheet.case, record), record)
    return Next(
        title=sheet.page.caption(declared.by_name[trigger].label if trigger else kind.label),
        who=named(sheet, record, owners),
        due=clock.face.due,
        left=sheet.page.tongue.left(clock.face.due, clock.face.started),
        why=sheet.why(clock),
        main=sheet.button(main, main=True) if main is not None else None,
        others=_beside(sheet, record, main) if mine else (),
        mine=mine,
        note="" if mine else _signed(sheet, record),
    )


def _beside(sheet: Sheet, record: Record, main: Offer | None) -> tuple[Button, ...]:
    """What else can be done with a track. Of the case itself nearly everything can be, and it stands below."""
    offers = [] if record.no == CASE else sheet.of_track(record.no)
    return tuple(sheet.button(one) for one in offers if one.free and one is not main)[:4]


# ---------------------------------------------------------------- without a limit


def _waiting(sheet: Sheet) -> Iterator[tuple[Record, Waiting]]:
    """The tracks that wait for somebody without a limit, by the rule of the work list."""
    for record in sheet.case.all_records():
        found = waiting.in_case(sheet.case, record)
        if found is not None and _has_a_part(sheet, record):
            yield record, found


def _free(sheet: Sheet, record: Record, wanted: Waiting) -> Offer | None:
    """The offer by which this reader, if it waits for them, ends the waiting."""
    if not waiting.is_for(sheet.page.reader.actor, sheet.case, record, wanted):
        return None
    offers = (one for one in sheet.of_track(record.no) if one.free and one.move.name == wanted.trigger)
    return next(offers, None)


def _of_waiting(sheet: Sheet, record: Record, wanted: Waiting) -> Next:
    declared = sheet.session.office.tracks[record.kind]
    main = _free(sheet, record, wanted)
    made = Next(
        title=_title(sheet, record, wanted, declared.by_name[wanted.trigger].label),
        who=named(sheet, record, [str(one) for one in wanted.by]),
        due=None,
        left=None,
        why=(),
        main=sheet.button(main, main=True) if main is not None else None,
        others=_beside(sheet, record, main) if main is not None else (),
        mine=main is not None,
        note=_signed(sheet, record),
    )
    if main is not None and record.kind == "case" and record.state == "draft":
        address = f"/whistle/{sheet.case.number}"
        button = replace(sheet.button(main, main=True), label=made.title, address=address, quick=False)
        return replace(made, main=button)
    return made


def _title(sheet: Sheet, record: Record, wanted: Waiting, label: tuple[str, str]) -> str:
    if record.kind == "case" and record.state == "draft":
        return sheet.page.say("Go on with the draft")
    place = sheet.place(record)
    caption = sheet.page.caption(label)
    several = sum(one.kind == record.kind and one.state == wanted.state for one in sheet.case.tracks.values()) > 1
    return f"{caption} · {place}" if place and (several or record.kind == "assignment") else caption


def _ahead(sheet: Sheet) -> Next | None:
    """Of a return that is being tracked, when the next round opens and who files it."""
    case = sheet.case
    tracking = {one.no for one in case.of_kind("return_to_school") if one.state == "tracking"}
    rounds = [one for one in case.of_kind("check_in") if one.parent in tracking and one.state == "planned"]
    first = min(rounds, key=lambda one: str(one.facts["opens_on"]), default=None)
    if first is None or case.state in _ENDED:
        return None
    day = sheet.page.tongue.day(date.fromisoformat(first.facts["opens_on"]))
    title = sheet.page.say("Check-in of week %(week)s opens on %(day)s") % {"week": first.facts["week"], "day": day}
    by_side = {"school": "counselor@school", "hospital": "liaison@hospital"}
    who = named(sheet, first, [by_side[one] for one in first.facts["needs"]])
    return Next(title, who, None, None, (), None, (), mine=False)


def _signed(sheet: Sheet, record: Record) -> str:
    """That the reader's own key is turned and the other side's is awaited."""
    if record.kind != "return_to_school":
        return ""
    turned = waiting.signed(record)
    page = sheet.page
    if page.roles & turned & {"liaison"} and record.organisation in sheet.places:
        return page.say("Signed for the hospital; it waits for the school.")
    if page.roles & turned & {"principal", "counselor"} and sheet.case.school in sheet.places:
        return page.say("Signed for the school; it waits for the hospital.")
    return ""


# ------------------------------------------------------------------------ by whom


def named(sheet: Sheet, record: Record, owners: Sequence[str]) -> str:
    """Who they are, each role with its own organisation: `某中学 校长；某医院 医院联络员`."""
    by_place: dict[str, list[str]] = {}
    people = dossier.names(sheet.session, set(_members(sheet, record, owners).values()))
    for owner in dict.fromkeys(owners):
        role, _, relation = owner.partition("@")
        member = _members(sheet, record, [owner]).get(owner)
        if member is not None:
            by_place.setdefault(people.get(member, ""), [])
            continue
        for place, kind in _places(sheet, record, relation):
            said = by_place.setdefault(place, [])
            for one in roles(role, kind)[:1]:
                word = sheet.page.word(words.ROLES[one]) if one in words.ROLES else ""
                if word and word not in said:
                    said.append(word)
    english = sheet.page.language == "en"
    comma, stop = (", ", "; ") if english else ("、", "；")
    told = [f"{place} {comma.join(said)}".strip() for place, said in by_place.items()]
    return stop.join(one for one in told if one)


def _members(sheet: Sheet, record: Record, owners: Sequence[str]) -> Mapping[str, int]:
    """The members among them by name. Whoever raised a mandatory report is named where they whistled, no further."""
    known: dict[str, int | None] = {
        "caller@member": record.facts.get("called_by"),
        "whistler@member": sheet.case.whistler,
    }
    if sheet.case.whistler is not None:
        known[f"member:{sheet.case.whistler}"] = sheet.case.whistler
    return {one: number for one in owners if (number := known.get(one)) is not None}


def _places(sheet: Sheet, record: Record, relation: str) -> Iterator[tuple[str, str]]:
    """The organisations of a relation, by name and kind; the kind alone where none was called yet."""
    case = sheet.case
    by_relation: Mapping[str, int | None] = {
        "school": case.school, "district": case.district, "jurisdiction": case.district, "city": case.city,
        "assignee": record.organisation, "hospital": access.treating(case, record),
    }  # fmt: skip
    numbers: list[int | None]
    if relation in by_relation:
        numbers = [by_relation[relation]]
    elif relation.startswith("organisation:"):
        numbers = [int(relation.removeprefix("organisation:"))]
    else:
        numbers = [one.organisation for one in case.called.values() if one.kind == relation and one.until is None]
        if not numbers and relation in words.KINDS:
            yield sheet.page.word(words.KINDS[relation]), relation
    for number in numbers:
        if number is not None:
            place = sheet.session.office.directory.organisation(sheet.session.connection, number)
            yield place.name, place.kind
