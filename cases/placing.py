"""Who may put an organisation where: the one rule for the page, the REST API and lists that are brought in.

An organisation that can be called to cases sees them, and which one is called follows from where it stands. So such a
one is registered and changed by the desk of its district or city alone, and nobody links to what they don't administer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from cases.refusal import Refusal

if TYPE_CHECKING:
    from cases.who import Actor, Organisation

_DESKS: Final = ("admin@district", "admin@city")


@dataclass(frozen=True, slots=True)
class Reach:
    """What somebody administers: these organisations, and all of the districts and cities among them.

    None is everything: whoever has the machine itself. `school` is whose roster is brought in, `member` who it is.
    """

    organisations: frozenset[int] | None = None
    school: int | None = None
    member: int | None = None

    @classmethod
    def of(cls, actor: Actor) -> Self:
        """That of an actor's posts as admin."""
        own = frozenset(one.organisation_id for one in actor.posts if one.role == "admin")
        return cls(own, member=actor.member_id)

    def holds(self, place: Organisation) -> bool:
        """Whether this is one of them, or lies in a district or city among them."""
        return self.organisations is None or not self.organisations.isdisjoint(
            {place.id, place.district_id, place.city_id}
        )

    def from_above(self, kind: str, parent: Organisation | None) -> bool:
        """Whether this is the district or the city above an organisation of that kind under that parent."""
        if self.organisations is None:
            return True
        above = set() if parent is None else {parent.city_id} | ({parent.district_id} if kind != "district" else set())
        return not self.organisations.isdisjoint(above)


def needs_desk(reach: Reach, kind: str, parent: Organisation | None) -> bool:
    """Whether registering or changing it is the affair of the desk above, and this isn't the desk above."""
    return kind != "school" and not reach.from_above(kind, parent)


def out_of_reach(reach: Reach, links: Mapping[str, Organisation | None], city: int | None) -> Iterator[str]:
    """Which links of an organisation in that city, its parent among them, lie outside; by name.

    A city's own hospital is every district's: each of its schools may name it.
    """
    for name, other in links.items():
        if other is None or reach.holds(other):
            continue
        if name != "hospital" or other.district_id is not None or other.city_id != city:
            yield name


def require_place(actor: Actor, kind: str, parent: Organisation, links: Mapping[str, Organisation | None]) -> None:
    """Refuses `not_permitted` to whoever may not register such an organisation there."""
    reach = Reach.of(actor)
    if any(out_of_reach(reach, {"parent": parent, **links}, parent.city_id)):
        raise Refusal("not_permitted", who_can=("admin@organisation", *_DESKS))
    if needs_desk(reach, kind, parent):
        raise Refusal("not_permitted", who_can=_DESKS)
