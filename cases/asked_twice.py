"""What was asked twice is done once: `Idempotency-Key`, and the answer that was given the first time.

The key is claimed in the transaction that does the work, so that a second hand waits for the first one's commit and
then finds its answer; a refusal rolls the claim back, and what was refused is asked anew. An answer that is kept
names numbers, states and versions, never a person: identity lies in its vault alone. The key and the request are
kept as keyed digests, because either could hold what somebody typed.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Column,
    Connection,
    DateTime,
    ForeignKey,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    delete,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from cases.metadata import metadata
from cases.refusal import FieldFault, Refusal

if TYPE_CHECKING:
    from cases.office import Session

KEPT: Final = timedelta(hours=24)
"""How long an answer stands; afterwards the same key is a new one."""

asked_twice = Table(
    "asked_twice",
    metadata,
    Column("member_id", BigInteger, ForeignKey("member.id"), nullable=False),
    Column("key", LargeBinary, nullable=False),
    Column("request", LargeBinary, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    # Empty only inside the transaction that does the work.
    Column("status", SmallInteger),
    Column("answer", JSON(none_as_null=True)),
    Column("headers", JSON(none_as_null=True)),
    PrimaryKeyConstraint("member_id", "key"),
    CheckConstraint("(status IS NULL) = (answer IS NULL)", name="answered"),
    Index(None, "at"),
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered: HTTP status, body and the headers that belong to it."""

    status: int
    body: Any
    headers: dict[str, str]


@dataclass(frozen=True, slots=True)
class Claim:
    """A key that is this request's own until the transaction ends."""

    member: int
    key: bytes


def claim(session: Session, member_id: int, key: str, request: bytes, now: datetime) -> Claim | Answer:
    """Claim a key for this request, or answer what the same request was answered before.

    Waits for another transaction that holds the key. Refuses `invalid` where the key was used for another request.
    """
    kept_key, kept_request = _digests(session, key, request)
    fresh = {"request": kept_request, "at": now, "status": None, "answer": None, "headers": None}
    statement = insert(asked_twice).values(member_id=member_id, key=kept_key, **fresh)
    taken = statement.on_conflict_do_update(
        index_elements=["member_id", "key"], set_=fresh, where=asked_twice.c.at <= now - KEPT
    ).returning(asked_twice.c.member_id)
    if session.connection.scalar(taken) is not None:
        return Claim(member_id, kept_key)
    own = (asked_twice.c.member_id == member_id) & (asked_twice.c.key == kept_key)
    found = session.connection.execute(select(asked_twice).where(own)).one()
    if found.request != kept_request:
        raise Refusal("invalid", faults=(FieldFault("Idempotency-Key", "used_otherwise"),))
    return Answer(found.status, found.answer, found.headers)


def given(session: Session, member_id: int, key: str, request: bytes | None, now: datetime) -> Answer | None:
    """What this request (or any with this key) was answered before; None where it wasn't, and nothing is claimed."""
    kept_key, kept_request = _digests(session, key, request or b"")
    own = (asked_twice.c.member_id == member_id) & (asked_twice.c.key == kept_key)
    same = own & (asked_twice.c.at > now - KEPT)
    if request is not None:
        same &= asked_twice.c.request == kept_request
    found = session.connection.execute(select(asked_twice).where(same, asked_twice.c.status.is_not(None))).one_or_none()
    return Answer(found.status, found.answer, found.headers) if found is not None else None


def _digests(session: Session, key: str, request: bytes) -> tuple[bytes, bytes]:
    """Both keyed, because either could hold what somebody typed."""
    secret = session.office.master.index
    return (
        hmac.digest(secret, b"asked twice/key\0" + key.encode(), "sha256"),
        hmac.digest(secret, b"asked twice/request\0" + request, "sha256"),
    )


def keep(session: Session, held: Claim, answer: Answer) -> None:
    """Keep the answer beside the work, in the same transaction."""
    own = (asked_twice.c.member_id == held.member) & (asked_twice.c.key == held.key)
    session.connection.execute(
        update(asked_twice).where(own).values(status=answer.status, answer=answer.body, headers=answer.headers)
    )


def expire(connection: Connection, now: datetime) -> int:
    """Forget the answers whose time is over, and say how many they were."""
    return connection.execute(delete(asked_twice).where(asked_twice.c.at <= now - KEPT)).rowcount
