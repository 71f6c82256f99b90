"""Webhooks: where an organisation's own system is told what happens. Its admins' affair, and nobody else's.

A secret is answered once, when it is drawn, and kept nowhere in clear: so neither drawing is repeated by a key.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from api.asked import Asked, Reading, TheHouse, Writing
from api.given import Id
from api.rest.answers import Shown
from api.rest.asking import Body, Most, told, written
from api.rest.bodies import body_like, both, problems
from cases import subscribers

if TYPE_CHECKING:
    from api.house import House
    from notifiers.wire import Network

router = APIRouter(prefix="/webhooks", tags=["webhooks"])

Url = Annotated[str, Field(max_length=500, pattern=r"^https?://[!-~]+$", description="https；内部网段可用 http")]
Event = Annotated[str, Field(max_length=110, pattern=r"^(\*|[a-z_]{1,40}\.(\*|[a-z_]{1,60}))$")]
Events = Annotated[list[Event], Field(min_length=1, max_length=50)]
Key = Annotated[UUID, Path(description="webhook-id")]


class Given(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class NewWebhook(Given):
    """A subscription: where to, which events. Without `organisation` it is that of the admin."""

    url: Url
    events: Events
    organisation: Annotated[int, Field(gt=0, lt=2**53)] | None = None


class ChangedWebhook(Given):
    """What is to be different. `active` false pauses, true begins again and forgets earlier failures."""

    url: Url | None = None
    events: Events | None = None
    active: bool | None = None


class Webhook(Shown):
    """A subscription. `why_not`: why nothing is sent. `closed_until`: its receiver failed, and rests until then."""

    id: int
    organisation: int
    url: str
    events: list[str]
    active: bool
    why_not: Literal["removed", "paused", "failing", "gone"] | None
    created_at: datetime
    previous_until: datetime | None = Field(description="旧密钥仍同时签名至 · the former secret signs too until then")
    failures: int
    failing_since: datetime | None
    closed_until: datetime | None


class WebhookWithSecret(Webhook):
    """The same with its secret, which is shown this once."""

    secret: str


class Secret(Shown):
    """A secret, shown this once."""

    secret: str


class Sending(Shown):
    """One line of the delivery log. `fault` is a code: `timed_out`, `answered_503` …"""

    id: int
    key: UUID
    event: str | None
    state: Literal["waiting", "sent", "dead", "withheld"]
    tries: int
    created_at: datetime
    due_at: datetime
    tried_at: datetime | None
    ended_at: datetime | None
    fault: str | None


class Webhooks(Shown):
    items: list[Webhook]


class Log(Shown):
    """Newest first; `next` is the `before` of the following page, null on the last."""

    items: list[Sending]
    next: int | None


def _inside(house: House) -> tuple[Network, ...]:
    from notifiers.gates import networks

    return networks(house.settings.channels_inside)


def _shown(one: subscribers.Subscription) -> dict[str, Any]:
    return {name: getattr(one, name) for name in Webhook.model_fields}


@router.get(
    "",
    response_model=Webhooks,
    operation_id="list_webhooks",
    summary="推送订阅 · the webhooks of your organisation",
    responses=problems(),
)
def list_webhooks(reader: Asked, session: Reading) -> Response:
    found = subscribers.every(session, reader.actor)
    return told(Webhooks(items=[Webhook(**_shown(one)) for one in found]))


@router.post(
    "",
    status_code=201,
    response_model=WebhookWithSecret,
    operation_id="subscribe_webhook",
    summary="新建订阅 · subscribe",
    description=both(
        "密钥只显示这一次。推送按 Standard Webhooks 签名，不含个人信息，只涉及本单位此刻可见的个案。",
        "The secret is shown this once. What is sent is signed (Standard Webhooks), holds nothing personal, and tells "
        "only of cases that the organisation may see at that time.",
    ),
    responses=problems(413),
    openapi_extra=body_like(
        NewWebhook,
        {"url": "https://hospital.example/whistle", "events": ["referral.*"]},
        {"url": "https://hospital.example/whistle", "events": ["referral.*", "case.closed"]},
    ),
)
def subscribe_webhook(house: TheHouse, reader: Asked, session: Writing, body: Body) -> Response:
    given = written(NewWebhook, body)
    made, secret = subscribers.subscribe(
        session,
        reader.actor,
        given.url,
        given.events,
        reader.now,
        inside=_inside(house),
        organisation=given.organisation,
    )
    answer = WebhookWithSecret(**_shown(made), secret=secret)
    return told(answer, 201, {"Location": f"/api/v1/webhooks/{made.id}", "Cache-Control": "no-store"})


@router.get(
    "/{number}",
    response_model=Webhook,
    operation_id="read_webhook",
    summary="一个订阅 · one webhook",
    responses=problems(404),
)
def read_webhook(reader: Asked, session: Reading, number: Id) -> Response:
    return told(Webhook(**_shown(subscribers.one(session, reader.actor, number))))


@router.patch(
    "/{number}",
    response_model=Webhook,
    operation_id="change_webhook",
    summary="修改、暂停或恢复 · change, pause or resume one",
    responses=problems(404, 413),
    openapi_extra=body_like(ChangedWebhook, {"active": False}, {"events": ["referral.accepted"]}),
)
def change_webhook(house: TheHouse, reader: Asked, session: Writing, number: Id, body: Body) -> Response:
    given = written(ChangedWebhook, body)
    changed = subscribers.change(
        session,
        reader.actor,
        number,
        reader.now,
        url=given.url,
        events=given.events,
        active=given.active,
        inside=_inside(house),
    )
    return told(Webhook(**_shown(changed)))


@router.delete(
    "/{number}",
    status_code=204,
    operation_id="remove_webhook",
    summary="取消订阅 · remove one",
    responses=problems(404),
)
def remove_webhook(reader: Asked, session: Writing, number: Id) -> Response:
    subscribers.remove(session, reader.actor, number, reader.now)
    return Response(status_code=204)


@router.post(
    "/{number}/secret",
    response_model=Secret,
    operation_id="rotate_webhook_secret",
    summary="换密钥 · draw another secret",
    description=both(
        "新密钥只显示这一次；旧密钥在二十四小时内仍同时签名。",
        "The new secret is shown this once; for 24 hours the former one signs too.",
    ),
    responses=problems(404),
)
def rotate_webhook_secret(reader: Asked, session: Writing, number: Id) -> Response:
    secret = subscribers.rotate(session, reader.actor, number, reader.now)
    return told(Secret(secret=secret), headers={"Cache-Control": "no-store"})


@router.post(
    "/{number}/test",
    status_code=202,
    response_model=Sending,
    operation_id="test_webhook",
    summary="试推送 · send a test",
    description=both(
        "几秒内推送一个 webhook.test，结果见推送记录。",
        "Sends a webhook.test within seconds; how it went is in the log.",
    ),
    responses=problems(404, 409),
)
def test_webhook(reader: Asked, session: Writing, number: Id) -> Response:
    return told(Sending.model_validate(subscribers.try_out(session, reader.actor, number, reader.now)), 202)


@router.get(
    "/{number}/deliveries",
    response_model=Log,
    operation_id="list_webhook_deliveries",
    summary="推送记录 · the delivery log",
    responses=problems(404),
)
def list_webhook_deliveries(
    reader: Asked,
    session: Reading,
    number: Id,
    before: Annotated[int | None, Query(gt=0, lt=2**53)] = None,
    limit: Most = 50,
) -> Response:
    found = subscribers.log(session, reader.actor, number, before=before, most=limit + 1)
    items = [Sending.model_validate(one) for one in found[:limit]]
    return told(Log(items=items, next=items[-1].id if len(found) > limit else None))


@router.post(
    "/{number}/deliveries/{key}/replay",
    status_code=202,
    response_model=Sending,
    operation_id="replay_webhook_delivery",
    summary="重新推送 · send one again",
    description=both("webhook-id 不变。", "With the same webhook-id."),
    responses=problems(404, 409),
)
def replay_webhook_delivery(reader: Asked, session: Writing, number: Id, key: Key) -> Response:
    return told(Sending.model_validate(subscribers.replay(session, reader.actor, number, key, reader.now)), 202)
