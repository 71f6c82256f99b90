"""Who owes a clock: the declared owners (`role@relation`) as organisations, and held against a member's posts.

Beside `cases.telling`, which asks whom a relation means for messages.
"""

from __future__ import annotations

from cases import access
from cases.casefile import CaseFile, Record
from cases.directory import Actor, Post
from cases.telling import LEAD_OF, OFFICER_OF, places

_PLACED = frozenset({"assignee", "hospital", "school", "district", "city", "jurisdiction"})


def owes(actor: Actor, owners: tuple[str, ...], case: CaseFile, record: Record) -> bool:
    """Whether this member is one of them, by any post held now; duty rota doesn't matter."""
    return any(_is_one(actor, owner, case, record) for owner in owners)


def organisations(owners: tuple[str, ...], case: CaseFile, record: Record) -> list[int]:
    """The organisations that owe a clock, in the order in which its declaration names them, each once.

    Of a kind that nobody was called of nobody owes, and no hospital before it is called: it knows of no case yet.
    """
    found: dict[int, None] = {}
    for owner in owners:
        role, _, relation = owner.partition("@")
        if role.startswith("member:"):
            continue
        for number in places(case, relation, record):
            summons = case.called.get(number)
            if relation != "hospital" or (summons is not None and summons.until is None):
                found[number] = None
    return list(found)


def first(owners: tuple[str, ...], case: CaseFile, record: Record) -> int | None:
    """The organisation that answers for a clock where only one can be named; None where nobody owes it."""
    return next(iter(organisations(owners, case, record)), None)


def _is_one(actor: Actor, owner: str, case: CaseFile, record: Record) -> bool:
    role, _, relation = owner.partition("@")
    if role.startswith("member:"):
        return str(actor.member_id) == role.removeprefix("member:")
    return any(post.role in roles(role, post.kind) and holds(post, relation, case, record) for post in actor.posts)


def roles(role: str, kind: str) -> tuple[str, ...]:
    """The roles that a recipient's role means in an organisation of that kind: a school's lead is its principal."""
    if role == "lead":
        return LEAD_OF.get(kind, ("lead",))
    if role == "officer":
        return OFFICER_OF.get(kind, ("officer",))
    return (role,)


def holds(post: Post, relation: str, case: CaseFile, record: Record) -> bool:
    """Whether a post lies inside an owner's relation to this track."""
    number = post.organisation_id
    if relation == "district":
        return number == case.district
    if relation == "city":
        return number == case.city
    if relation.startswith("organisation:"):
        return str(number) == relation.removeprefix("organisation:")
    if relation in _PLACED:
        return access.within(post, relation, case, record)
    summons = case.called.get(number)
    if summons is not None:
        return summons.until is None and relation in {summons.kind, "assignee"}
    # Nobody of that kind was called: whoever is responsible for the school was told, and sees nothing of it yet.
    return False
