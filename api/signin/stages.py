"""What is still missing before somebody is signed in all the way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from cases.standing import Standing
    from cases.who import Actor

STRONG_ROLES: Final = frozenset({"supervisor", "coordinator", "liaison", "admin"})
"""Whoever oversees, rules or sees clinical notes shows a second factor."""


def needs_second_factor(actor: Actor) -> bool:
    """Whether one of the posts held now asks for it."""
    return any(post.role in STRONG_ROLES for post in actor.posts)


def missing(actor: Actor, standing: Standing) -> str | None:
    """`code_needed`, `enrolment_needed`, `change_needed`, or None. Asked with every request: posts change."""
    if not standing.strong:
        if standing.second_factor:
            return "code_needed"
        if needs_second_factor(actor):
            return "enrolment_needed"
    return "change_needed" if standing.must_change else None
