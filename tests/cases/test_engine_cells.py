"""Every state × trigger × member: the first four questions answer as the contract says, cell by cell."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from cases import access, engine
from cases.casefile import CASE, Called, CaseFile, Record
from cases.chain import START as FIRST_LINK
from cases.directory import Actor
from cases.office import Session
from cases.refusal import Refusal
from cases.sitting import Sitting
from cases.store import Store
from cases.track import Move, discover
from tests.cases import contract, oracle
from tests.cases.oracle import Situation
from tests.town import START, Town, book, town

ALL = frozenset(
    [
        "street",
        "community",
        "education_bureau",
        "hospital",
        "police",
        "procuratorate",
        "court",
        "civil_affairs",
        "womens_federation",
        "health_commission",
        "youth_league",
        "care_committee",
        "disabled_federation",
        "cyberspace",
        "justice",
        "social_work",
        "guidance_center",
    ]
)
CALLED = {"everybody": ALL, "street": frozenset({"street", "community"}), "nobody": frozenset[str]()}
OWNERS = {
    "assignment": "street",
    "extension": "street",
    "supervision": "street",
    "action_item": "street",
    "referral": "hospital",
    "return_to_school": "hospital",
    "protection": "court",
    "access": "street#2",
}
ASSIGNMENT, REFERRAL, RETURN, CONFERENCE, TRIED = 1, 2, 3, 4, 5
HOLIDAY = datetime(2026, 7, 20, 2, tzinfo=UTC)


def everyone_in(city: Town, *roles: str) -> frozenset[str]:
    return frozenset(name for name in city.members if oracle.split(name)[0] in roles)


def narrowed(city: Town) -> dict[tuple[str, str], frozenset[str]]:
    """What `only` leaves over of each row's `by`, with the facts that `a_case` writes."""
    coordinators = frozenset({"coordinator@district", "coordinator@city"})
    caller = frozenset({"coordinator@district"})
    return {
        ("case", "evaluate"): frozenset({"counselor@school"}),
        ("case", "save_draft"): frozenset({"counselor@school", "principal@school", "mentor@school"}),
        ("case", "close"): coordinators,
        ("assignment", "undo_acknowledge"): frozenset({"officer@street"}),
        ("check_in", "file_school"): frozenset({"counselor@school", "deputy@school", "mentor@school"}),
        **{("conference", name): caller for name in ("schedule", "hold", "minute", "cancel")},
        ("action_item", "drop"): caller,
        # Break-glass is for those of the city who can't see the case.
        ("access", "open"): everyone_in(city, "officer", "lead", "liaison", "coordinator", "supervisor"),
    }


@pytest.fixture(scope="module")
def city(server: Store) -> Iterator[Town]:
    with server.scratch() as fresh, town(fresh) as built:
        yield built


@pytest.fixture(scope="module")
def session(city: Town) -> Iterator[Session]:
    with city.store.read() as connection:
        yield Session(connection, city.office)


@pytest.fixture(scope="module")
def actors(city: Town) -> dict[str, Actor]:
    return {name: city.actor(name) for name in city.members}


def a_case(city: Town, kind: str, state: str, called: frozenset[str], case_state: str = "open") -> CaseFile:
    """A red case with one track of that kind in that state, and with what such a track leans on."""
    place = {name: one.id for name, one in city.places.items()}

    def record(no: int, kind: str, state: str, **more: object) -> Record:
        owner = OWNERS.get(kind)
        return Record(no, kind, state, None if owner is None else place[owner], START, **more)  # type: ignore[arg-type]

    coordinator = city.members["coordinator@district"]
    tracks = {
        ASSIGNMENT: record(ASSIGNMENT, "assignment", "summoned"),
        REFERRAL: record(REFERRAL, "referral", "completed"),
        RETURN: record(RETURN, "return_to_school", "tracking"),
        CONFERENCE: record(CONFERENCE, "conference", "minuted", facts={"called_by": coordinator}),
    }
    facts = {
        "assignment": {
            "acknowledged_by": city.members["officer@street"],
            "acknowledged_at": START.isoformat(),
        },
        "conference": {"called_by": coordinator},
        "check_in": {"needs": ["school", "hospital"], "filed": [], "round": 1},
        "access": {"opened_by": city.members["officer@street#2"]} if state == "open" else {},
    }
    parents = {"check_in": RETURN, "action_item": CONFERENCE}
    if kind != "case":
        more = {"facts": facts.get(kind, {}), "parent": parents.get(kind)}
        tracks[TRIED] = record(TRIED, kind, state, about=ASSIGNMENT, **more)
    return CaseFile(
        id=1,
        number="WH-2026-000001",
        student=1,
        school=place["school"],
        district=place["district"],
        city=place["city"],
        concern="harmful_home",
        level="red",
        policy=book().version,
        created=START,
        version=1,
        events=1,
        head=FIRST_LINK,
        last_at=START,
        wake=None,
        whistler=city.members["counselor@school"],
        whistler_role="counselor",
        record=Record(CASE, "case", state if kind == "case" else case_state, None, START),
        tracks=tracks,
        called={place[name]: Called(place[name], oracle.split(f"@{name}")[2], START) for name in called},
        mentor=city.members["mentor@school"],
        community=place["community"],
        hospital=place["hospital"],
    )


def answer(session: Session, case: CaseFile, kind: str, trigger: str, actor: Actor, at: datetime = START) -> str | None:
    """The code with which the engine's first four questions refuse; None where they don't."""
    opens = discover()[kind].by_name[trigger].opens
    track: int | str = kind if opens else CASE if kind == "case" else TRIED
    sitting = Sitting(session, case, book(), at, actor)
    try:
        engine.admit(sitting, track, trigger, actor, {"about": ASSIGNMENT} if kind == "extension" else None)
    except Refusal as refusal:
        return refusal.code
    return None


def situation(city: Town, kind: str, state: str, called: frozenset[str]) -> Situation:
    glass = frozenset({"officer@street#2"}) if (kind, state) == ("access", "open") else frozenset[str]()
    return Situation(
        called,
        owner=OWNERS.get(kind),
        minds=frozenset({"mentor@school"}),
        glass=glass,
        narrowed=narrowed(city),
    )


def expectation(member: str, kind: str, trigger: str, state: str, at: Situation) -> str | None:
    if (kind, trigger) == ("access", "open") and oracle.sees(member, at):
        return "not_permitted"
    return oracle.expected(member, kind, trigger, state, at)


def triggers(kind: str) -> list[str]:
    return [*contract.rows(kind), *contract.ADDED.get(kind, {})]


@pytest.mark.parametrize("kind", contract.STATES)
def test_every_cell_answers_as_the_contract_says(
    city: Town, session: Session, actors: dict[str, Actor], kind: str
) -> None:
    wrong, cells = [], 0
    for name, called in CALLED.items():
        for state in contract.states(kind):
            case = a_case(city, kind, state, called, case_state_for(kind))
            at = situation(city, kind, state, called)
            for trigger in triggers(kind):
                for member, actor in actors.items():
                    cells += 1
                    got = answer(session, case, kind, trigger, actor)
                    wanted = expectation(member, kind, trigger, state, at)
                    if got != wanted:
                        wrong.append(f"{name} called, {state}, {trigger} by {member}: {got}, not {wanted}")
    assert not wrong, "\n".join([f"{len(wrong)} of {cells}", *wrong[:20]])
    assert cells == len(CALLED) * len(contract.states(kind)) * len(triggers(kind)) * len(city.members)


def case_state_for(kind: str) -> str:
    return contract.CASE_STATES.get(kind, ("open",))[0]


@pytest.mark.parametrize("kind", contract.CASE_STATES)
def test_a_track_moves_only_while_its_case_is_in_a_state_of_the_contract(
    city: Town, session: Session, actors: dict[str, Actor], kind: str
) -> None:
    """Every move that somebody may make, tried by each of them in every state of the case."""
    tried = 0
    for trigger, row in contract.rows(kind).items():
        state = row.source[0] if row.source else "open"
        at = situation(city, kind, state, ALL)
        allowed = contract.MORE_CASE_STATES.get((kind, trigger), contract.CASE_STATES[kind])
        for member in (one for one in actors if expectation(one, kind, trigger, state, at) is None):
            for case_state in contract.states("case"):
                case = a_case(city, kind, state, ALL, case_state)
                wanted = None if case_state in allowed else "wrong_state"
                got = answer(session, case, kind, trigger, actors[member])
                assert got == wanted, (trigger, member, case_state)
                tried += 1
    assert tried >= len(contract.states("case")) * sum(row.by is not None for row in contract.rows(kind).values())


# ------------------------------------------------------------- what a row is narrowed to by what has happened


def who_may(
    session: Session, actors: dict[str, Actor], case: CaseFile, kind: str, trigger: str, at: datetime = START
) -> set[str]:
    return {name for name, actor in actors.items() if answer(session, case, kind, trigger, actor, at) is None}


def test_a_coordinator_evaluates_the_case_that_they_whistled_for(
    city: Town, session: Session, actors: dict[str, Actor]
) -> None:
    case = a_case(city, "case", "awaiting_evaluation", ALL)
    case.whistler = city.members["coordinator@district"]
    assert who_may(session, actors, case, "case", "evaluate") == {"counselor@school", "coordinator@district"}


@pytest.mark.parametrize("level", ["red", "orange", "yellow", "blue"])
def test_the_principal_closes_yellow_and_blue_and_the_coordinator_red_and_orange(
    city: Town, session: Session, actors: dict[str, Actor], level: str
) -> None:
    case = a_case(city, "case", "awaiting_evaluation", ALL)
    case.level = level
    grave = level in {"red", "orange"}
    expected = {"coordinator@district", "coordinator@city"} if grave else {"principal@school"}
    assert who_may(session, actors, case, "case", "close") == expected


def test_a_mentor_of_somebody_else_knows_nothing_of_the_case(
    city: Town, session: Session, actors: dict[str, Actor]
) -> None:
    case = a_case(city, "mandatory_report", "due", ALL)
    assert answer(session, case, "mandatory_report", "file", actors["mentor@school"]) is None
    case.mentor = None
    assert answer(session, case, "mandatory_report", "file", actors["mentor@school"]) == "not_found"
    case.whistler = city.members["mentor@school"]
    assert answer(session, case, "mandatory_report", "file", actors["mentor@school"]) is None


def test_in_the_school_holidays_the_community_files_for_the_school(
    city: Town, session: Session, actors: dict[str, Actor]
) -> None:
    case = a_case(city, "check_in", "open", ALL)
    in_term = who_may(session, actors, case, "check_in", "file_school")
    assert who_may(session, actors, case, "check_in", "file_school", HOLIDAY) == in_term | {"officer@community"}


def test_only_whoever_acknowledged_takes_it_back(city: Town, session: Session, actors: dict[str, Actor]) -> None:
    case = a_case(city, "assignment", "acknowledged", ALL)
    case.tracks[TRIED].facts["acknowledged_by"] = city.members["codirector@street"]
    assert who_may(session, actors, case, "assignment", "undo_acknowledge") == {"codirector@street"}


def test_a_codirector_of_another_school_neither_sees_nor_acts(
    city: Town, session: Session, actors: dict[str, Actor]
) -> None:
    case = a_case(city, "assignment", "summoned", ALL)
    codirector = actors["codirector@street"]
    elsewhere = replace(codirector, posts=tuple(replace(one, school_id=-1) for one in codirector.posts))
    assert answer(session, case, "assignment", "acknowledge", codirector) is None
    assert answer(session, case, "assignment", "acknowledge", elsewhere) == "not_found"


def test_nobody_rules_on_an_extension_that_their_own_organisation_asked_for(
    city: Town, session: Session, actors: dict[str, Actor]
) -> None:
    case = a_case(city, "extension", "requested", ALL)
    coordinator = actors["coordinator@district"]
    both = replace(coordinator, posts=(*coordinator.posts, *actors["officer@street"].posts))
    for trigger in ("grant", "refuse"):
        assert answer(session, case, "extension", trigger, coordinator) is None
        assert answer(session, case, "extension", trigger, both) == "not_permitted"


def test_break_glass_is_reviewed_by_another_organisation_than_the_one_that_opened_it(
    city: Town, session: Session, actors: dict[str, Actor]
) -> None:
    case = a_case(city, "access", "expired", ALL)
    assert who_may(session, actors, case, "access", "review") == {"supervisor@district", "supervisor@city"}
    case.tracks[TRIED].organisation = city.places["district"].id
    assert who_may(session, actors, case, "access", "review") == {"supervisor@city"}


def test_another_court_than_the_one_applied_to_issues_nothing(
    city: Town, session: Session, actors: dict[str, Actor]
) -> None:
    case = a_case(city, "protection", "applied", ALL)
    assert who_may(session, actors, case, "protection", "issue") == {"officer@court"}
    case.tracks[TRIED].organisation = -1
    assert who_may(session, actors, case, "protection", "issue") == set()


def test_only_whoever_called_the_conference_drops_an_item_of_it(
    city: Town, session: Session, actors: dict[str, Actor]
) -> None:
    case = a_case(city, "action_item", "assigned", ALL)
    case.tracks[CONFERENCE].facts["called_by"] = city.members["lead@police"]
    assert who_may(session, actors, case, "action_item", "drop") == {"lead@police"}


def test_a_redirected_hospital_knows_nothing_of_the_case_any_more(
    city: Town, session: Session, actors: dict[str, Actor]
) -> None:
    case = a_case(city, "referral", "requested", ALL)
    case.called[city.places["hospital"].id].until = START
    assert answer(session, case, "referral", "accept", actors["liaison@hospital"]) == "not_found"


# ------------------------------------------------------------------------------- planted bugs that must be caught


def _nothing(*_: object) -> None:
    """What a question comes to that is never asked."""


MUTANTS: dict[str, tuple[object, str, object, str]] = {
    "the law isn't asked": (engine, "_lawful", _nothing, "guidance"),
    "the state isn't asked": (engine, "_state", _nothing, "assignment"),
    "everybody sees": (access, "sees", lambda *_: access.Sight("yes"), "referral"),
    "an officer of any organisation may": (access, "within", lambda *_: True, "assignment"),
    "break-glass needs sight": (engine, "ALWAYS_OPEN", frozenset(), "access"),
    "only whoever called isn't asked": (Move, "only", None, "conference"),
}


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_planted_bug_is_caught(
    city: Town, session: Session, actors: dict[str, Actor], monkeypatch: pytest.MonkeyPatch, mutant: str
) -> None:
    place, name, wrong, kind = MUTANTS[mutant]
    monkeypatch.setattr(place, name, wrong)
    with pytest.raises(AssertionError):
        test_every_cell_answers_as_the_contract_says(city, session, actors, kind)
