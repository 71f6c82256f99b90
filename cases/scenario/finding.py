"""From an address in the file to the track or clock of a case, and back."""

from __future__ import annotations

from cases.casefile import CASE, CaseFile, Record
from cases.clockwork import Clock
from cases.scenario.address import Address
from cases.scenario.cast import Cast


def track_at(cast: Cast, case: CaseFile, address: Address) -> Record | None:
    """The track of that address: the nth opened of its kind, or of those that belong to its organisation."""
    if address.kind in {None, "case"}:
        return case.record
    found = case.of_kind(address.kind or "")
    if address.place is not None:
        number = cast.places.get(address.place)
        found = [one for one in found if one.organisation == number]
    nth = (address.number or 1) - 1
    return found[nth] if nth < len(found) else None


def clock_at(cast: Cast, case: CaseFile, address: Address) -> Clock | None:
    """The newest clock of that name on that track."""
    record = track_at(cast, case, address)
    return None if record is None or address.part is None else case.clock(record.no, address.part)


def address_of(cast: Cast, case: CaseFile, record: Record) -> str:
    """The shortest address under which the file would find this track."""
    if record.no == CASE:
        return "case"
    same = case.of_kind(record.kind)
    place = None if record.organisation is None else cast.place_of.get(record.organisation)
    if place is not None:
        same = [one for one in same if one.organisation == record.organisation]
    nth = next((n for n, one in enumerate(same, 1) if one.no == record.no), 1)
    return str(Address(record.kind, place, None if nth == 1 else nth, None))


def clock_address(cast: Cast, case: CaseFile, clock: Clock) -> str:
    """The address of a clock; one of the case itself stands without a track."""
    record = case.track(clock.track)
    if record is None or record.no == CASE:
        return clock.name
    return f"{address_of(cast, case, record)}.{clock.name}"
