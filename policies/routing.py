"""Concern → whom the policy calls and what it opens. Pure: the same book and concern give the same route."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from policies.faults import one_of, shown
from policies.vocabulary import Words

if TYPE_CHECKING:
    from policies.book import Book


class UnknownConcern(LookupError):
    """A concern that this policy doesn't have; `why` and `right` say so in both languages."""

    def __init__(self, concern: str, known: tuple[str, ...]) -> None:
        self.why = Words(f"规则中没有事由“{shown(concern)}”", f'the policy has no concern "{shown(concern)}"')
        self.right = one_of(known, concern)
        super().__init__(f"{self.why.en}; {self.right.en}")


@dataclass(frozen=True, slots=True)
class Route:
    """Exactly one lead, then support in the policy's order, and the tracks that open at once."""

    lead: str
    support: tuple[str, ...]
    opens: tuple[str, ...]

    def calls(self) -> Iterator[tuple[str, str]]:
        """Each kind of organisation that is summoned and its part, the lead first."""
        yield self.lead, "lead"
        for kind in self.support:
            yield kind, "support"


def route(book: Book, concern: str) -> Route:
    """Whom a concern calls. Raises UnknownConcern."""
    found = book.concerns.get(concern)
    if found is None:
        raise UnknownConcern(concern, tuple(book.concerns))
    return Route(found.lead, found.support, found.opens)


def graver(book: Book, one: str, other: str) -> str:
    """The graver of two levels: a relapse raises a case to orange at least. KeyError for an unknown level."""
    return max(one, other, key=lambda level: book.levels[level].rank)


def lawful(book: Book, trigger: str, kind: str) -> tuple[str, str] | None:
    """None when an organisation of that kind may pull `guidance.admonish`, else the article, zh_CN and en.

    A trigger that no law reserves is everybody's as far as this is asked; rights are another question.
    """
    reserved = book.reserved.get(trigger)
    if reserved is None or kind in reserved.kinds:
        return None
    return reserved.article
