"""The ladder: who is told how far along a clock. 催办, 督办, 约谈 and 通报 are its upper rungs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

#: The percentage at which a limit counts as missed. Exactly at the limit is still in time.
BREACH: Final = 100

#: Whom a rung can tell; whose clock it is decides who they are.
TELLABLE: Final = ("owner", "lead", "coordinator", "district_supervisor", "city_supervisor")


@dataclass(frozen=True, slots=True)
class Rung:
    """What happens at `percent` of a clock's own length.

    `supervises` opens a supervision order, for clocks of an assignment only and unless one is open;
    `bulletin` enters the item into the bulletin.
    """

    percent: int
    name: str
    tells: tuple[str, ...]
    supervises: bool = False
    bulletin: bool = False


#: The ladder of the default policy, used where a policy writes none.
DEFAULT_LADDER: Final = (
    Rung(50, "reminded", ("owner",)),
    Rung(80, "warned", ("owner", "lead")),
    Rung(BREACH, "breached", ("owner", "lead", "coordinator")),
    Rung(150, "escalated", ("owner", "lead", "coordinator", "district_supervisor"), supervises=True),
    Rung(
        200,
        "bulletined",
        ("owner", "lead", "coordinator", "district_supervisor", "city_supervisor"),
        bulletin=True,
    ),
)
