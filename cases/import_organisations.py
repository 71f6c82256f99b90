"""Organisations from a list: by code, parents first, each written by `cases.registrar`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, select

from cases import placing, registrar
from cases.import_fault import RowFault
from cases.import_rows import OrganisationRow, Sorted, twice
from cases.people import KINDS, kinds_above, organisation
from cases.who import Organisation

if TYPE_CHECKING:
    from cases.office import Session
    from cases.placing import Reach

LINKS: Final = ("street", "hospital", "community")


class Places:
    """Every organisation by code and by name. A name that several have finds none of them."""

    def __init__(self, found: Iterable[Organisation]) -> None:
        self.by_code: dict[str, Organisation] = {}
        self.by_id: dict[int, Organisation] = {}
        self._by_name: dict[str, list[Organisation]] = {}
        for one in found:
            self.add(one)

    @classmethod
    def read(cls, connection: Connection) -> Places:
        # Some thousands even in a large city: one query, and every row of the list is answered from it.
        columns = [organisation.c[name] for name in Organisation.__dataclass_fields__]
        return cls(Organisation(*row) for row in connection.execute(select(*columns)))

    def add(self, one: Organisation) -> None:
        self.by_code[one.code] = one
        self.by_id[one.id] = one
        self._by_name.setdefault(one.name, []).append(one)

    def find(self, what: str) -> Organisation | str:
        """The organisation of that code or name; else the code of what is wrong with it."""
        one = self.by_code.get(what)
        if one is not None:
            return one
        named = self._by_name.get(what, [])
        if len(named) == 1:
            return named[0]
        return "several_places" if named else "no_such_place"


def across(rows: Sequence[OrganisationRow]) -> list[RowFault]:
    """What is wrong with the list as a whole."""
    found = twice([(one.row, one.code) for one in rows], "code")
    parents = {one.code: one.parent for one in rows}
    names = {one.name: one.code for one in rows}
    for one in rows:
        seen, above = {one.code}, one.parent
        while above is not None:
            above = names.get(above, above) if above not in parents else above
            if above in seen:
                found.append(RowFault(one.row, "parent", "loop"))
                break
            seen.add(above)
            above = parents.get(above)
    return found


def ordered(rows: Sequence[OrganisationRow]) -> list[OrganisationRow]:
    """Whatever others of the list refer to comes before them; otherwise as in the file."""
    by_key = {key: one for one in rows for key in (one.name, one.code)}
    order: TopologicalSorter[str] = TopologicalSorter()
    for one in rows:
        named = (one.parent, one.street, one.hospital, one.community)
        needs = [by_key[key].code for key in named if key is not None and key in by_key]
        order.add(one.code, *(code for code in needs if code != one.code))
    by_code = {one.code: one for one in rows}
    try:
        return [by_code[code] for code in order.static_order()]
    except CycleError:
        # It is refused for its loop anyway.
        return list(rows)


def sort_out(
    session: Session, rows: Sequence[OrganisationRow], reach: Reach, whole: Sequence[OrganisationRow] = ()
) -> Sorted[OrganisationRow]:
    """What is to be done with each row; `whole` is the list that they belong to, whose rows may refer to each other."""
    places = Places.read(session.connection)
    coming = {key: one for one in whole for key in (one.name, one.code)}
    sorted_out: Sorted[OrganisationRow] = Sorted(known={"places": places})
    for one in rows:
        here = places.by_code.get(one.code)
        faults = list(_faults(one, here, places, coming, reach))
        if faults:
            sorted_out.faults += faults
        elif here is None:
            sorted_out.added.append(one)
        elif _differs(one, here, places):
            sorted_out.changed.append((one, here))
        else:
            sorted_out.same += 1
    return sorted_out


def _faults(
    one: OrganisationRow,
    here: Organisation | None,
    places: Places,
    coming: Mapping[str, OrganisationRow],
    reach: Reach,
) -> Iterable[RowFault]:
    if one.kind not in KINDS:
        yield RowFault(one.row, "kind", "not_one_of", {"known": ", ".join(KINDS)})
        return
    if here is not None and here.kind != one.kind:
        yield RowFault(one.row, "kind", "kind_differs", {"found": here.kind})
    if here is not None and not reach.holds(here):
        yield RowFault(one.row, "code", "out_of_reach")
    else:
        yield from _unruled(one, here, places, reach)
    if one.parent is None and here is None and one.kind != "city":
        yield RowFault(one.row, "parent", "needs_parent")
    if one.parent is None and here is None and reach.organisations is not None:
        yield RowFault(one.row, "parent", "out_of_reach")
    if one.parent is not None:
        yield from _parent_faults(one, here, places, coming)
    for link in LINKS:
        what = getattr(one, link)
        if what is None:
            continue
        if link != "street" and one.kind != "school":
            yield RowFault(one.row, link, "only_schools")
            continue
        kind = _kind_of(what, places, coming)
        if kind in {"no_such_place", "several_places"}:
            yield RowFault(one.row, link, kind)
        elif kind != link:
            yield RowFault(one.row, link, "wrong_kind", {"wanted": link})


def _unruled(one: OrganisationRow, here: Organisation | None, places: Places, reach: Reach) -> Iterable[RowFault]:
    """What of a row isn't for whoever brings it in. What comes with the list itself is asked about at its own row."""
    if here is not None and not _differs(one, here, places):
        return
    stands = places.by_id.get(here.parent_id or 0) if here is not None else None
    named = {link: places.find(getattr(one, link) or "") for link in ("parent", *LINKS)}
    links = {
        link: other
        for link, other in named.items()
        if isinstance(other, Organisation) and (here is None or other.id != getattr(here, f"{link}_id"))
    }
    parent = links.get("parent", stands)
    outside = list(placing.out_of_reach(reach, links, parent.city_id if parent is not None else None))
    for name in outside:
        yield RowFault(one.row, name, "out_of_reach")
    # Whoever moves it answers for where it stood as well as for where it will stand.
    above = [place for place in (stands, parent) if place is not None]
    if not outside and any(placing.needs_desk(reach, one.kind, place) for place in above):
        yield RowFault(one.row, "kind", "needs_desk")


def _parent_faults(
    one: OrganisationRow,
    here: Organisation | None,
    places: Places,
    coming: Mapping[str, OrganisationRow],
) -> Iterable[RowFault]:
    what = one.parent or ""
    kind = _kind_of(what, places, coming)
    if kind in {"no_such_place", "several_places"}:
        yield RowFault(one.row, "parent", kind)
        return
    parent = places.find(what)
    # A parent that comes with the list itself is asked about there.
    above = parent if isinstance(parent, Organisation) else None
    seen: set[int] = set()
    # A loop among others is told at theirs.
    while here is not None and above is not None and above.id not in seen:
        if above.id == here.id:
            yield RowFault(one.row, "parent", "loop")
            return
        seen.add(above.id)
        moved = coming.get(above.code)
        moving = moved.parent if moved is not None else None
        target = places.find(moving) if moving else places.by_id.get(above.parent_id or 0)
        above = target if isinstance(target, Organisation) else None
    if kind not in kinds_above(one.kind):
        facts = {"kind": one.kind, "kinds": ", ".join(sorted(kinds_above(one.kind))) or "–", "name": what}
        yield RowFault(one.row, "parent", "wrong_parent", facts)


def _kind_of(what: str, places: Places, coming: Mapping[str, OrganisationRow]) -> str:
    found = places.find(what)
    if isinstance(found, Organisation):
        return found.kind
    return coming[what].kind if what in coming else found


def _differs(one: OrganisationRow, here: Organisation, places: Places) -> bool:
    if one.name != here.name:
        return True
    for name in ("parent", *LINKS):
        what = getattr(one, name)
        if what is None:
            continue
        found = places.find(what)
        if isinstance(found, str) or found.id != getattr(here, f"{name}_id"):
            return True
    return False


def hold(session: Session, rows: Sequence[OrganisationRow]) -> None:
    """Changes of the directory wait for each other in any case (`cases.registrar`)."""


def write(session: Session, found: Sorted[OrganisationRow], reach: Reach, today: date) -> None:
    """Register and change what was sorted out, in its order. Raises DirectoryFault."""
    del reach, today
    connection, places = session.connection, found.known["places"]

    def named(what: str | None) -> Organisation | None:
        one = None if what is None else places.find(what)
        return one if isinstance(one, Organisation) else None

    for one in found.added:
        links = {link: named(getattr(one, link)) for link in LINKS}
        places.add(registrar.found(connection, one.code, one.kind, one.name, named(one.parent), **links))
    for one, here in found.changed:
        parent = named(one.parent)
        if parent is not None and parent.id != here.parent_id:
            registrar.move(connection, here, parent)
        registrar.amend(connection, here, one.name, {link: named(getattr(one, link)) for link in LINKS})
