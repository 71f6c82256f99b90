"""Organisations that a form may name: those of some kinds in a case's district, with the city's own."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, or_, select

from cases.directory import Organisation
from cases.people import organisation

_COLUMNS = [organisation.c[name] for name in Organisation.__slots__]


def pickable(connection: Connection, kinds: Iterable[str], district: int, city: int) -> list[Organisation]:
    """By kind and name. Those of another district are left out; inactive ones too."""
    near = or_(
        organisation.c.district_id == district,
        (organisation.c.district_id.is_(None)) & (organisation.c.city_id == city),
    )
    query = (
        select(*_COLUMNS)
        .where(organisation.c.active, organisation.c.kind.in_(list(kinds)), near)
        .order_by(organisation.c.kind, organisation.c.name)
    )
    return [Organisation(*row) for row in connection.execute(query)]
