"""What is still missing before somebody is signed in all the way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from api.house import House
    from cases.standing import Standing
    from cases.who import Actor
    from policies.book import Book

OVERSEEING: Final = frozenset({"coordinator", "supervisor", "auditor", "admin"})
"""Roles that oversee others' work, rule over it, read the access log or administer."""
_CLINICAL_PLACES: Final = frozenset({"hospital"})
"""Whoever works where the clinical notes are written."""


def clinical_roles(books: Iterable[Book]) -> frozenset[str]:
    """The roles to which a version of the policy opens clinical sections: cases keep the version they began under."""
    return frozenset(role for book in books for rule in book.sight if rule.clinical != "no" for role, _ in rule.who)


def needs_second_factor(actor: Actor, clinical: frozenset[str]) -> bool:
    """Whether one of the posts held now oversees, administers, or sees clinical content."""
    strong = OVERSEEING | clinical
    return any(post.role in strong or "anyone" in clinical or post.kind in _CLINICAL_PLACES for post in actor.posts)


def missing(actor: Actor, standing: Standing, house: House) -> str | None:
    """`code_needed`, `enrolment_needed`, `change_needed`, or None. Asked with every request: posts change."""
    return missing_for(
        actor,
        house,
        strong=standing.strong,
        second_factor=standing.second_factor,
        must_change=standing.must_change,
    )


def missing_for(actor: Actor, house: House, *, strong: bool, second_factor: bool, must_change: bool) -> str | None:
    """The same, from what is known while a session is being opened."""
    if not strong:
        if second_factor:
            return "code_needed"
        # Visitors of the sample city have no authenticator at hand; elsewhere there is no demonstration.
        if not house.settings.demo and needs_second_factor(actor, house.clinical_roles()):
            return "enrolment_needed"
    return "change_needed" if must_change else None
