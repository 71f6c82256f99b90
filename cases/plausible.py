"""Guards that several tracks share: what can't have happened yet, can't be planned any more, lies before its beginning.

Each is made for one field, and answers `invalid` for it; a field that was left out is not asked about.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from cases.refusal import FieldFault, Refusal

if TYPE_CHECKING:
    from cases.track import Desk


def by_now(name: str) -> Callable[[Desk], Refusal | None]:
    """An instant, or a day of the policy's time zone, that isn't in the future."""

    def happened(desk: Desk) -> Refusal | None:
        said = desk.form.get(name)
        now = desk.now if isinstance(said, datetime) else desk.today()
        return _fault(name, "in_the_future") if said is not None and said > now else None

    return happened


def from_today(name: str) -> Callable[[Desk], Refusal | None]:
    """A day that is to come, today included."""

    def to_come(desk: Desk) -> Refusal | None:
        said = desk.form.get(name)
        return _fault(name, "in_the_past") if said is not None and said < desk.today() else None

    return to_come


def since_opened(name: str, code: str = "before_it_began") -> Callable[[Desk], Refusal | None]:
    """An instant that doesn't lie before the track itself; to the minute, as people write it."""

    def later(desk: Desk) -> Refusal | None:
        said = desk.form[name].replace(second=59, microsecond=999_999)
        opened = desk.record.opened
        since = {"since": opened.astimezone(desk.book.tz).strftime("%Y-%m-%d %H:%M")}
        return _fault(name, code, since) if said < opened else None

    return later


def conditions_said(desk: Desk) -> Refusal | None:
    """Whoever finds a student fit with conditions says which: the school has to keep them."""
    if desk.form["opinion"] == "fit_with_conditions" and not desk.form.get("conditions"):
        return _fault("conditions", "missing")
    return None


def _fault(name: str, code: str, facts: Mapping[str, str] | None = None) -> Refusal:
    return Refusal("invalid", faults=(FieldFault(name, code, dict(facts or {})),))
