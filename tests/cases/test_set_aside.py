"""What a table keeps back stays so one click further: on the page of the month, the district, the organisation."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest
from sqlalchemy import insert

from cases import statistics
from cases.figures import ASIDE, FEW, Figure
from cases.office import Session
from cases.statistics import Told, Wanted
from cases.store import Store
from cases.tally_tables import TOGETHER, tally
from tests.api.door import door_at
from tests.told_town import NOW
from tests.town import Town

JAN, FEB, MARCH, DEC = date(2025, 1, 1), date(2025, 2, 1), date(2025, 3, 1), date(2025, 12, 1)
CODE = "acknowledge"


@pytest.fixture(scope="module")
def counted(server: Store) -> Iterator[Town]:
    """Two districts, two organisations, three months, in each of which the smallest is fewer than five."""
    with door_at(server) as door:
        town = door.town
        place = {name: one.id for name, one in town.places.items()}
        of_district = [(JAN, 3), (FEB, 6), (MARCH, 60)]
        rows = [(place["district"], TOGETHER, month, count) for month, count in of_district]
        rows += [(place["district#2"], TOGETHER, MARCH, 4), (place["city"], TOGETHER, MARCH, 64)]
        rows += [(place["district"], place[name], MARCH, count)
                 for name, count in (("street", 4), ("hospital", 8), ("police", 48))]  # fmt: skip
        with town.store.begin() as connection:
            for where, whose, month, count in rows:
                connection.execute(
                    insert(tally).values(
                        place_id=where, organisation_id=whose, month=month, measure=CODE, district_id=0, city_id=0,
                        counted=count, hits=count, spread=None,
                    )
                )  # fmt: skip
        yield town


def told(town: Town, who: str, first: date, last: date, place: str = "", about: str = "") -> Told:
    with town.store.read() as connection:
        wanted = Wanted(first, last, town.places[place].id if place else None,
                        town.places[about].id if about else None)  # fmt: skip
        return statistics.tell(Session(connection, town.office), town.actor(who, NOW), wanted)


def test_a_months_own_page_keeps_back_what_its_row_does(counted: Town) -> None:
    year = told(counted, "supervisor@district", JAN, DEC)
    row = dict(year.months)
    assert (row[JAN][CODE], row[FEB][CODE], row[MARCH][CODE]) == (FEW, ASIDE, Figure(100.0, 60))
    assert told(counted, "supervisor@district", FEB, FEB).whole[CODE] == ASIDE
    assert told(counted, "supervisor@district", MARCH, MARCH).whole[CODE] == Figure(100.0, 60)


def test_a_total_isnt_told_where_the_months_beside_it_would_give_the_one_away_that_is_kept_back(counted: Town) -> None:
    assert told(counted, "supervisor@district", JAN, DEC).whole[CODE] == Figure(100.0, 69)
    assert told(counted, "supervisor@district", FEB, MARCH).whole[CODE] == ASIDE
    assert told(counted, "supervisor@district", JAN, FEB).whole[CODE] == Figure(100.0, 9)


def test_an_organisations_own_page_keeps_back_what_its_line_does(counted: Town) -> None:
    below = {one.name: one.figures[CODE] for one in told(counted, "supervisor@district", MARCH, MARCH).below}
    assert below == {"示例street": FEW, "示例hospital": ASIDE, "示例police": Figure(100.0, 48)}
    own = {name: told(counted, "supervisor@district", MARCH, MARCH, about=name) for name in ("hospital", "police")}
    assert own["hospital"].whole[CODE] == dict(own["hospital"].months)[MARCH][CODE] == ASIDE
    assert own["police"].whole[CODE] == Figure(100.0, 48)
    year = told(counted, "supervisor@district", JAN, DEC, about="hospital")
    assert dict(year.months)[MARCH][CODE] == ASIDE, "nor in a longer period's row of that month"


def test_a_districts_page_keeps_back_what_its_line_does_before_whoever_sees_the_line(counted: Town) -> None:
    below = {one.name: one.figures[CODE] for one in told(counted, "supervisor@city", MARCH, MARCH).below}
    assert below == {"示例district": ASIDE, "示例district#2": FEW}
    assert told(counted, "supervisor@city", MARCH, MARCH, "district").whole[CODE] == ASIDE
    assert told(counted, "supervisor@district", MARCH, MARCH).whole[CODE] == Figure(100.0, 60), (
        "no city to compare with"
    )
