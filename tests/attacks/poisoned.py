"""A town in which every text that anybody can write is an attack: names of places and people, and every field."""

from __future__ import annotations

import re
from random import Random
from typing import Any

from sqlalchemy import select, update

from cases import possible, registrar
from cases.casefile import CaseFile
from cases.forms import Field
from cases.office import Session
from cases.people import member, organisation
from cases.refusal import Refusal
from cases.track import FOLLOWS, TIME, Move, discover
from tests.api.door import Door
from tests.cases import forms_by_chance, invariants
from tests.town import START

MARK = "<img src=x onerror="
_ENDS = {"withdraw", "merge", "close", "retract", "cancel", "settle_dispute"}
WRITTEN = frozenset({"text", "line", "lines", "student", "plan", "scores", "items"})
"""The kinds of field that hold what somebody wrote."""


class Poison:
    """Draws words of attack, each of which tells where it was put."""

    def __init__(self) -> None:
        self.put: dict[str, str] = {}

    def word(self, where: str) -> str:
        name = f"q{len(self.put)}q"
        self.put[name] = where
        return f"{MARK}{name}>\"'"

    def seen(self, page: str) -> set[str]:
        """Which of the places show in a page, escaped or not."""
        return {self.put[name] for name in re.findall(r"onerror=(q\d+q)", page)}

    def into(self, form: dict[str, Any], move: Move, kind: str) -> dict[str, Any]:
        """The same form with every written field poisoned."""
        for one in move.form.fields:
            name = one.name.rstrip("_")
            if one.kind in WRITTEN and (name in form or not one.required) and not one.choices and name != "programme":
                form[name] = self._value(one, f"{kind}.{move.name}.{name}", form.get(name))
        return form

    def _value(self, one: Field, where: str, given: Any) -> Any:  # noqa: ANN401 - a form's
        word = self.word(where)
        if one.kind == "lines":
            return [word]
        if one.kind == "student":
            return {"name": word, "born": "2013-05-01", "class": word, "guardians": [word], "address": word}
        if one.kind == "plan":
            return {"attendance": [50, 100], "mentor": word, "seat": word, "watch_points": word}
        if one.kind == "scores":
            return {number: {"score": 4, "comment": word} for number in given or {}}
        if one.kind == "items":
            return [{**item, "what": word} for item in given or []]
        return word


def written_fields() -> set[str]:
    """Every field of every trigger of people's that holds what somebody wrote."""
    return {
        f"{kind}.{move.name}.{one.name.rstrip('_')}"
        for kind, declared in discover().items()
        for move in declared.moves
        if move.by not in (TIME, FOLLOWS)
        for one in move.form.fields
        if one.kind in WRITTEN and not one.choices and one.name != "programme"
    }


def poison(door: Door, steps: int = 500) -> tuple[Poison, list[str]]:
    """Let everybody do what they may, by chance, and write nothing but attacks; the numbers of the cases."""
    made, chance = Poison(), Random(3)  # noqa: S311 - chance for a test
    _names(door, made)
    cases = [_begun(door, made, concern, level) for concern, level in
             (("harmful_home", "red"), ("mental_illness", "orange"), ("left_behind", "orange"))]  # fmt: skip
    members = list(door.town.members)
    for turn in range(steps):
        number = cases[turn % len(cases)]
        _one(door, made, chance, chance.choice(members), number, ending=turn > steps * 0.9)
    with door.town.store.read() as connection:
        session = Session(connection, door.town.office)
        return made, [invariants.file_of(session, one).number for one in cases]


def _begun(door: Door, made: Poison, concern: str, level: str) -> int:
    move = discover()["case"].by_name["whistle"]
    form = made.into({"concern": concern, "level": level, "summary": "", "student": {}}, move, "case")
    form["statutory"] = ["self_harm"]
    return door.town.fire("counselor@school", None, 0, "whistle", form, door.now).case.id


def _names(door: Door, made: Poison) -> None:
    with door.town.store.begin() as connection:
        for table, what in ((organisation, "organisation"), (member, "member")):
            for number in connection.scalars(select(table.c.id)).all():
                row = update(table).where(table.c.id == number)
                connection.execute(row.values(name=made.word(f"{what}.name")))
        registrar.touch(connection)


def _one(door: Door, made: Poison, chance: Random, who: str, case: int, *, ending: bool) -> None:
    town, now = door.town, door.now
    with town.store.read() as connection:
        session = Session(connection, town.office)
        file = invariants.file_of(session, case)
        actor = town.office.directory.actor(connection, town.members[who], START)
        ways = _ways(session, file, actor, now)
    fresh = {one.split(".")[0] + "." + one.split(".")[1] for one in written_fields() - set(made.put.values())}
    ways = [one for one in ways if ending or one[1].name not in _ENDS]
    wanted = [one for one in ways if f"{one[2]}.{one[1].name}" in fresh] or ways
    if not wanted:
        return
    place, move, kind = chance.choice(wanted)
    form = made.into(forms_by_chance.filled(chance, move, file, town, now), move, kind)
    try:
        town.fire(who, case, place, move.name, form, now)
    except Refusal:
        return


def _ways(session: Session, file: CaseFile, actor: Any, now: Any) -> list[tuple[int | str, Move, str]]:  # noqa: ANN401
    found: list[tuple[int | str, Move, str]] = [
        (record.no, one.move, record.kind)
        for record in file.all_records()
        for one in possible.moves(session, file, record, actor, now)
        if one.refusal is None
    ]
    opened = (one for one in possible.openings(session, file, actor, now) if one.refusal is None)
    return [*found, *((one.kind, one.move, one.kind) for one in opened)]
