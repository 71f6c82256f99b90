"""Nanjing's districts, streets and communities, read from `nanjing-streets.json`; the source lies by it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Street:
    """A street or town with its official code; `communities` are (code, name) in the order of their codes."""

    code: str
    name: str
    communities: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class District:
    """A district and its streets. `code` of Jiangbei New Area is ours: it has no official one."""

    code: str
    name: str
    streets: tuple[Street, ...]

    @property
    def communities(self) -> int:
        """How many communities it has: the measure of its size."""
        return sum(len(street.communities) for street in self.streets)


@dataclass(frozen=True, slots=True)
class Gazetteer:
    """The city's code and name, and its districts: eleven by code, then Jiangbei New Area."""

    code: str
    name: str
    districts: tuple[District, ...]


@cache
def gazetteer() -> Gazetteer:
    """Read the file once. Streets that Jiangbei administers stand there, not in Pukou and Luhe."""
    read = json.loads(files("cases.samples").joinpath("nanjing-streets.json").read_text("utf-8"))
    own = set(read["new_area"]["streets"])
    districts: list[District] = []
    directly: list[Street] = []
    for district in read["districts"]:
        streets = [
            Street(
                street["code"],
                street["name"],
                tuple((street["code"] + code, name) for code, name in street["communities"].items()),
            )
            for street in district["streets"]
        ]
        directly.extend(street for street in streets if street.code in own)
        kept = tuple(street for street in streets if street.code not in own)
        districts.append(District(district["code"], district["name"], kept))
    city = read["city"]
    districts.append(District(f"{city['code']}-jiangbei", read["new_area"]["name"], tuple(directly)))
    return Gazetteer(city["code"], city["name"], tuple(districts))
