"""Forms as people might fill them in: right in every field, or spoilt in one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from random import Random
from typing import Any

from cases.casefile import CaseFile
from cases.forms import Field
from cases.track import Move
from tests.town import STUDENT, Town

ITEMS = {"phq_9": (9, 3), "gad_7": (7, 3), "c_ssrs": (6, 1)}
SCREENINGS = tuple(ITEMS)
SOON = {"until": 30, "review_on": 3}
PLAN = {"attendance": [50, 75, 100], "mentor": "周老师", "watch_points": "sleep"}


def filled(random: Random, move: Move, file: CaseFile, city: Town, now: datetime) -> dict[str, Any]:
    """A form that is right in every field; optional fields by chance."""
    form = {
        one.name.rstrip("_"): _value(random, one, file, city, now)
        for one in move.form.fields
        if one.required or random.random() < 0.3
    }
    if "scale" in form:
        number, highest = ITEMS[form["scale"]]
        form["items"] = {str(item): random.randint(0, highest) for item in range(1, number + 1)}
    return form


def spoilt(random: Random, form: Mapping[str, Any]) -> dict[str, Any]:
    """The same form with one field missing, unknown or of another kind."""
    broken = dict(form)
    name = random.choice([*form, "unknown"])
    if name in broken and random.random() < 0.5:
        del broken[name]
    else:
        broken[name] = random.choice([[], -1, "\0", {"a": {}}, None, "x" * 5000])
    return broken


def _value(random: Random, one: Field, file: CaseFile, city: Town, now: datetime) -> Any:  # noqa: ANN401 - a form's
    if one.choices:
        return random.choice(one.choices)
    local = now.astimezone(city.office.book_of(file.policy).tz)
    whole: dict[str, Any] = {
        "date": (local.date() + timedelta(days=SOON.get(one.name, 0))).isoformat(),
        "moment": now.isoformat(),
        "number": 1,
        "hours": 1.5,
        "percent": random.randint(0, 100),
        "five": random.randint(1, 5),
        "yesno": random.random() < 0.5,
        "statutory": ["injury"],
        "concern": random.choice(sorted(city.office.book_of(file.policy).concerns)),
        "student": dict(STUDENT),
        "plan": PLAN,
        "evidence": ["photo-1.jpg"],
        "lines": ["王警官"],
        "answers": {},
        "extra": 1,
        "case": f"WH-2026-{random.randint(1, 60):06d}",
    }
    if one.kind in whole:
        return whole[one.kind]
    if one.kind == "track":
        return random.choice([no for no, record in file.tracks.items() if record.kind == "assignment"] or [1])
    if one.kind == "organisation":
        return _place(random, one.name, city)
    if one.kind == "organisations":
        return [_place(random, one.name, city)]
    if one.kind == "items":
        place = random.choice([city.places["street"].id, city.places["hospital"].id, city.places["police"].id])
        return [{"organisation": place, "what": "visit", "limit": random.choice(["2d", "3wd"])}]
    if one.kind == "scores":
        worked = {one.organisation for one in file.tracks.values() if one.state in {"done", "completed"}}
        return {number: {"score": random.randint(1, 5)} for number in worked if number}
    return "21天双陪伴" if one.name == "programme" else "what was seen"


def _place(random: Random, name: str, city: Town) -> int:
    if name in {"hospital", "court"}:
        return city.places[random.choice([name, "hospital#2"]) if name == "hospital" else name].id
    kinds = ["police", "street#2", "womens_federation", "hospital#2", "community", "procuratorate"]
    return city.places["police" if name == "to" and random.random() < 0.6 else random.choice(kinds)].id
