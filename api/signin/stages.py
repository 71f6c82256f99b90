"""What is still missing before somebody is signed in all the way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from api.settings import Settings
    from cases.standing import Standing
    from cases.who import Actor

STRONG_ROLES: Final = frozenset({"supervisor", "coordinator", "liaison", "admin"})
"""Whoever oversees, rules or sees clinical notes shows a second factor."""


def needs_second_factor(actor: Actor) -> bool:
    """Whether one of the posts held now asks for it."""
    return any(post.role in STRONG_ROLES for post in actor.posts)


def missing(actor: Actor, standing: Standing, settings: Settings) -> str | None:
    """`code_needed`, `enrolment_needed`, `change_needed`, or None. Asked with every request: posts change."""
    return missing_for(
        actor,
        settings,
        strong=standing.strong,
        second_factor=standing.second_factor,
        must_change=standing.must_change,
    )


def missing_for(
    actor: Actor, settings: Settings, *, strong: bool, second_factor: bool, must_change: bool
) -> str | None:
    """The same, from what is known while a session is being opened."""
    if not strong:
        if second_factor:
            return "code_needed"
        # Visitors of the sample city have no authenticator at hand; elsewhere there is no demonstration.
        if needs_second_factor(actor) and not settings.demo:
            return "enrolment_needed"
    return "change_needed" if must_change else None
