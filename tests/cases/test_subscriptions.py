"""Outgoing webhooks: what a subscriber is sent, what it never is, and what becomes of one that doesn't answer."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import select, text
from standardwebhooks.webhooks import WebhookVerificationError

from cases import measures, rounds, subscribers, webhook_secrets, webhooks
from cases.directory import Actor
from cases.installation import Installation
from cases.office import Session
from cases.posts import enlist
from cases.records import incident
from cases.refusal import Refusal
from cases.rounds import Premises
from cases.store import Store
from cases.subscribers import Subscription
from cases.subscriptions import subscription, webhook_delivery, webhook_outbox
from cases.vault import Unreadable
from cases.webhook_sender import WebhookSender
from cases.webhooks import Sent, Way, send_due
from notifiers.wire import Line
from tests.cases.receiver import LOOPBACK, Receiver, receiver
from tests.town import SINCE, START, Town, minutes, town

NOW = datetime.now(UTC)
"""The standard's library refuses a signature that isn't of these minutes: each test sets it anew."""
DAY = timedelta(days=1)
CONSENT = {"guardian": "王某", "signed_at": "2026-03-17T08:00:00+08:00", "form": "form-1"}
PROPOSE = {"reason": "canary-reason", "screening": "canary-screening"}


@pytest.fixture(autouse=True)
def now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "NOW", datetime.now(UTC))


@pytest.fixture
def city(store: Store) -> Iterator[Town]:
    with town(store) as built:
        with built.store.begin() as connection:
            for name in ("hospital", "hospital#2", "school", "street"):
                made = enlist(connection, built.places[name], f"admin@{name}", ["admin"], since=SINCE)
                built.members[f"admin@{name}"] = made.id
        yield built


@pytest.fixture
def end() -> Iterator[Receiver]:
    with receiver() as made:
        yield made


def way(within: float = 5) -> Way:
    line = Line(within=timedelta(seconds=within), inside=LOOPBACK)
    return Way(link="https://whistle.example", line=line, chance=Random(7))  # noqa: S311 - a jitter, no secret


def asked(city: Town, who: str, what: Any, *args: Any, **given: Any) -> Any:  # noqa: ANN401 - whatever is asked
    """One of the subscribers' doings, in a transaction of its own."""
    with city.store.begin() as connection:
        actor: Actor = city.office.directory.actor(connection, city.members[who], START)
        return what(Session(connection, city.office), actor, *args, **given)


def subscribe(city: Town, end: Receiver, who: str = "admin@hospital", *events: str) -> tuple[Subscription, str]:
    made: tuple[Subscription, str] = asked(
        city, who, subscribers.subscribe, end.url, events or ("*",), NOW, inside=LOOPBACK
    )
    return made


def send(city: Town, at: datetime | None = None, within: float = 5) -> Sent:
    return send_due(city.store, city.office, at or NOW, way(within))


def referred(city: Town) -> str:
    """A case whose student is referred to the hospital, with the guardian's consent."""
    form = {"concern": "mental_illness", "level": "yellow", "summary": "canary-summary"}
    case = city.fire("counselor@school", None, 0, "submit", {**form, "student": student()}, START).case
    city.fire("principal@school", case.id, 0, "sign_off", None, START)
    no = referral(city, case.id) or city.fire("counselor@school", case.id, "referral", "propose", PROPOSE).track.no
    city.fire("counselor@school", case.id, no, "give_consent", CONSENT)
    return case.number


def student() -> dict[str, Any]:
    return {"name": "金丝雀", "born": "2012-11-02", "grade": 7}


def referral(city: Town, case_id: int) -> int:
    with city.store.read() as connection:
        found = "SELECT coalesce(max(no), 0) FROM track WHERE case_id = :case AND kind = 'referral'"
        return int(connection.scalar(text(found), {"case": case_id}) or 0)


def rows(city: Town, table: Any = webhook_delivery) -> list[Any]:  # noqa: ANN401 - a table
    with city.store.read() as connection:
        return list(connection.execute(select(table).order_by(*table.primary_key.columns)))


def states(city: Town) -> list[str]:
    return [row.state for row in rows(city)]


def refused(city: Town, who: str, what: Any, *args: Any, **given: Any) -> str:  # noqa: ANN401
    """The refusal's code; of a faulty field the field's."""
    try:
        asked(city, who, what, *args, **given)
    except Refusal as refusal:
        return refusal.faults[0].code if refusal.faults else refusal.code
    raise AssertionError("nothing was refused")


# --------------------------------------------------------------------------------------------------- what is sent


def test_a_hospital_is_sent_what_happens_to_its_referral_and_can_verify_it(city: Town, end: Receiver) -> None:
    _, secret = subscribe(city, end, "admin@hospital", "referral.*")
    number = referred(city)
    send(city)
    came = end.verified(secret)
    assert [one["type"] for one in came] == ["referral.proposed", "referral.consent_given"]
    said = came[1]["data"]
    assert {name: said[name] for name in ("number", "event", "level", "organisation", "link")} == {
        "number": number,
        "event": "referral.consent_given",
        "level": "yellow",
        "organisation": "T-hospital",
        "link": f"https://whistle.example/cases/{number}",
    }
    assert said["track"]["kind"] == "referral"
    assert said["track"]["state"] == "requested"
    assert said["at"].startswith("2026-03-17T00:20:00")
    assert [said["id"] for said in (one["data"] for one in came)] == end.keys()


def test_nothing_of_a_person_is_sent(city: Town, end: Receiver) -> None:
    subscribe(city, end)
    subscribe(city, end, "admin@school")
    referred(city)
    assert send(city).sent > 4
    sent = b" ".join(body for _, body in end.came).decode() + str([headers for headers, _ in end.came])
    for canary in ("canary", "金丝雀", "王某", "form-1", "2012-11-02", "counselor", "示例"):
        assert canary not in sent


def test_only_what_was_subscribed_to_comes(city: Town, end: Receiver) -> None:
    subscribe(city, end, "admin@school", "case.signed_off", "conference.*")
    referred(city)
    send(city)
    assert [headers["webhook-id"] for headers, _ in end.came] == [str(row.key) for row in rows(city)]
    assert [one.event for one in asked(city, "admin@school", subscribers.log, 1)] == ["case.signed_off"]


def test_an_organisation_is_told_nothing_of_a_case_that_it_may_not_see(city: Town, end: Receiver) -> None:
    subscribe(city, end, "admin@hospital#2")
    referred(city)
    send(city)
    assert end.came == []
    assert rows(city) == []


def test_a_hospital_that_was_redirected_is_sent_nothing_any_more_not_even_what_waited(
    city: Town, end: Receiver
) -> None:
    subscribe(city, end, "admin@hospital", "referral.*")
    number = referred(city)
    end.answers = [503]
    send(city)
    track = referral(city, rows(city)[0].case_id)
    city.fire("liaison@hospital", number, track, "decline", {"reason": "full"})
    city.fire("counselor@school", number, track, "redirect", {"hospital": city.places["hospital#2"].id})
    end.came.clear()
    end.answers = [200]
    done = send(city, NOW + timedelta(hours=1))
    assert end.came == []
    assert done.withheld == 2
    assert set(states(city)) == {"withheld"}


def test_without_subscriptions_nothing_is_laid_out(city: Town, end: Receiver) -> None:
    made, _ = subscribe(city, end)
    asked(city, "admin@hospital", subscribers.change, made.id, NOW, active=False)
    referred(city)
    assert rows(city, webhook_outbox) == []


# ------------------------------------------------------------------------------------------ when it doesn't answer


def test_what_failed_is_sent_again_with_the_same_id_ever_later_and_given_up_after_eight_tries(
    city: Town, end: Receiver
) -> None:
    made, _ = subscribe(city, end)
    asked(city, "admin@hospital", subscribers.try_out, made.id, NOW)
    end.answers = [500]
    at, waits = NOW, []
    for _ in range(8):
        send(city, at)
        row = rows(city)[0]
        waits.append((row.due_at - row.tried_at).total_seconds())
        at = max(row.due_at, rows(city, subscription)[0].closed_until or at)
    assert len(set(end.keys())) == 1
    assert len(end.came) == 8
    assert all(24 * 2**n <= wait <= 37 * 2**n for n, wait in enumerate(waits[:7]))
    last = rows(city)[0]
    assert (last.state, last.fault) == ("dead", "answered_500")
    assert send(city, at + DAY).failed == 0


def test_figures_say_what_became_of_them_and_for_how_long_something_waits(city: Town, end: Receiver) -> None:
    made, _ = subscribe(city, end)

    def figures(after: timedelta) -> dict[str, float]:
        with city.store.read() as connection:
            found = measures.read(connection, NOW + after)
        return {
            one.name.removeprefix("whistle_webhook") + "".join(f" {said}" for _, said in labels): value
            for one in found
            if one.name.startswith("whistle_webhook")
            for labels, value in one.values
        }

    referred(city)
    assert figures(timedelta()) == {"_failures": 0, "_outbox": len(rows(city, webhook_outbox)), "_lag_seconds": 0}
    end.answers = [200, 500]
    send(city)
    found = figures(timedelta())
    failing = found["_deliveries failing"]
    assert failing >= 1
    assert (found["_deliveries sent"], found["_failures"], found["_outbox"]) == (1, failing, 0)
    assert sum(count for name, count in found.items() if "deliveries" in name) == len(rows(city))
    assert figures(DAY)["_lag_seconds"] > DAY.total_seconds() - 60
    asked(city, "admin@hospital", subscribers.change, made.id, NOW, active=False)
    assert figures(DAY)["s_ended paused"] == 1


def test_a_redirect_and_a_no_are_failures_and_nothing_is_followed(city: Town, end: Receiver) -> None:
    made, _ = subscribe(city, end)
    for count, status in enumerate((301, 302, 307, 404), 1):
        asked(city, "admin@hospital", subscribers.try_out, made.id, NOW + count * minutes(1))
        end.answers = [status]
        assert send(city, NOW + count * minutes(1)).failed == 1
        assert len(end.came) == count
        assert rows(city)[-1].fault in {f"answered_{status}", None}
        assert f"answered_{status}" in {row.fault for row in rows(city)}


def test_a_receiver_that_fails_is_left_alone_after_five_failures_and_probed_by_one(city: Town, end: Receiver) -> None:
    subscribe(city, end)
    referred(city)
    waiting = webhooks.AT_ONCE
    end.answers = [503]
    at = NOW
    for _ in range(5):
        send(city, at)
        at += timedelta(seconds=40)
    closed = rows(city, subscription)[0].closed_until
    assert closed is not None
    assert len(end.came) == 5 < waiting
    assert send(city, closed - timedelta(seconds=1)).failed == 0
    end.answers = [200]
    assert send(city, closed + timedelta(hours=2)).sent == len(rows(city))
    assert rows(city, subscription)[0].failures == 0


def test_a_receiver_that_hangs_holds_up_no_other_and_is_cut_off(city: Town, end: Receiver) -> None:
    end.hangs = True
    slow, _ = subscribe(city, end)
    with receiver() as other:
        quick, secret = subscribe(city, other, "admin@school")
        for who, number in (("admin@hospital", slow.id), ("admin@school", quick.id)):
            asked(city, who, subscribers.try_out, number, NOW)
        done = send(city, within=1)
        assert (done.sent, done.failed) == (1, 1)
        assert [one["type"] for one in other.verified(secret)] == ["webhook.test"]
    assert {row.fault for row in rows(city)} == {None, "timed_out"}


def test_days_without_success_end_a_subscription_and_that_is_an_incident(city: Town, end: Receiver) -> None:
    made, _ = subscribe(city, end)
    end.answers = [500]
    at = NOW
    for _ in range(9):
        asked(city, "admin@hospital", subscribers.try_out, made.id, at)
        send(city, at)
        at += timedelta(hours=10)
    kept = rows(city, subscription)[0]
    assert (kept.active, kept.why_not) == (False, "failing")
    assert {"waiting"}.isdisjoint(states(city))
    with city.store.read() as connection:
        assert list(connection.scalars(select(incident.c.kind))) == ["webhook_ended"]
    count = len(end.came)
    send(city, at + DAY)
    assert len(end.came) == count
    begun = asked(city, "admin@hospital", subscribers.change, made.id, NOW, active=True)
    assert (begun.active, begun.failures) == (True, 0)
    with city.store.read() as connection:
        assert connection.scalar(select(incident.c.ended_at)) is not None


def test_one_bad_answer_after_a_quiet_week_ends_nothing(city: Town, end: Receiver) -> None:
    made, _ = subscribe(city, end)
    end.answers = [500]
    for at in (NOW, NOW + 7 * DAY):
        asked(city, "admin@hospital", subscribers.try_out, made.id, at)
        send(city, at)
    assert rows(city, subscription)[0].active


def test_gone_ends_a_subscription_at_once(city: Town, end: Receiver) -> None:
    made, _ = subscribe(city, end)
    asked(city, "admin@hospital", subscribers.try_out, made.id, NOW)
    end.answers = [410]
    send(city)
    assert rows(city, subscription)[0].why_not == "gone"
    assert states(city) == ["dead"]


def test_what_the_receiver_will_not_have_doesnt_stop_what_comes_after_it(city: Town, end: Receiver) -> None:
    subscribe(city, end, "admin@hospital", "referral.*")
    referred(city)
    end.answers = [422, 200]
    done = send(city)
    assert (done.sent, done.failed) == (1, 1)
    assert rows(city, subscription)[0].failures == 0


def test_whoever_was_killed_while_sending_is_followed_by_another_with_the_same_id(city: Town, end: Receiver) -> None:
    made, _ = subscribe(city, end)
    asked(city, "admin@hospital", subscribers.try_out, made.id, NOW)
    with city.store.begin() as connection:
        assert webhooks._take(Session(connection, city.office), made.id, NOW, way()) is not None
    assert send(city, NOW + timedelta(seconds=1)).sent == 0
    assert send(city, NOW + timedelta(minutes=5)).sent == 1
    assert end.keys() == [str(rows(city)[0].key)]


def test_several_senders_at_once_send_everything_once(city: Town, end: Receiver) -> None:
    subscribe(city, end)
    subscribe(city, end, "admin@school")
    referred(city)
    threads = [threading.Thread(target=send, args=(city,)) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    send(city)
    assert len(end.came) == len(set(end.keys())) == len(rows(city))
    assert set(states(city)) == {"sent"}


# ------------------------------------------------------------------------------------------ where it may be sent to


MUST_NOT = (
    ("https://127.0.0.1/x", "inside"),
    ("https://169.254.169.254/latest/meta-data", "inside"),
    ("https://10.1.2.3/x", "inside"),
    ("https://[::1]/x", "inside"),
    ("https://[::ffff:127.0.0.1]/x", "inside"),
    ("https://localhost/x", "inside"),
    ("http://hospital.example/x", "needs_https"),
    ("http://198.51.100.1/x", "inside"),
    ("ftp://hospital.example/x", "wrong_form"),
    ("file:///etc/passwd", "wrong_form"),
    ("https://user:word@hospital.example/x", "wrong_form"),
    ("https://hospital.example/x#y", "wrong_form"),
    ("https://hospital.example:99999/x", "wrong_form"),
    ("https://hospital.example/\r\nX-Evil: 1", "wrong_form"),
    ("https://[::1", "wrong_form"),
    ("", "wrong_form"),
    ("https://hospital.example/" + "x" * 600, "too_long"),
)


def test_an_address_that_must_not_be_sent_to_is_refused(city: Town) -> None:
    found = [(url, refused(city, "admin@hospital", subscribers.subscribe, url, ["*"], NOW)) for url, _ in MUST_NOT]
    assert found == list(MUST_NOT)


def test_a_name_that_leads_inside_is_found_out_when_it_is_sent_to(city: Town, end: Receiver) -> None:
    with city.store.begin() as connection:
        session = Session(connection, city.office)
        actor = city.office.directory.actor(connection, city.members["admin@hospital"], START)
        made, _ = subscribers.subscribe(session, actor, "https://hospital.example/x", ["*"], NOW)
        # As if the name had come to lead inside since: a name that every resolver knows as loopback.
        connection.execute(subscription.update().values(url=f"http://localhost:{end.port}/events"))
    asked(city, "admin@hospital", subscribers.try_out, made.id, NOW)
    done = send_due(city.store, city.office, NOW, Way(link="https://whistle.example"))
    assert done.failed == 1
    assert rows(city)[0].fault == "inside"
    assert end.came == []


def test_events_that_nothing_will_ever_tell_are_refused(city: Town) -> None:
    faulty: list[list[str]] = [["nonsense.*"], ["referral"], ["referral.Accepted"], ["*.*"], ["a" * 300], []]
    url = "https://hospital.example/x"
    codes = [refused(city, "admin@hospital", subscribers.subscribe, url, events, NOW) for events in faulty]
    assert codes == ["unknown_event"] * 5 + ["missing"]


# ---------------------------------------------------------------------------------------------- whose subscription


def test_only_an_admin_subscribes(city: Town) -> None:
    url = "https://hospital.example/x"
    for who in ("liaison@hospital", "coordinator@district", "counselor@school", "auditor@city"):
        assert refused(city, who, subscribers.subscribe, url, ["*"], NOW) == "not_permitted"
        assert refused(city, who, subscribers.every) == "not_permitted"


def test_nobody_sees_or_touches_the_subscription_of_another_organisation(city: Town, end: Receiver) -> None:
    made, _ = subscribe(city, end)
    sent = asked(city, "admin@hospital", subscribers.try_out, made.id, NOW)
    other, number = "admin@hospital#2", made.id
    assert asked(city, other, subscribers.every) == []
    assert refused(city, other, subscribers.one, number) == "not_found"
    assert refused(city, other, subscribers.change, number, NOW, active=False) == "not_found"
    assert refused(city, other, subscribers.rotate, number, NOW) == "not_found"
    assert refused(city, other, subscribers.try_out, number, NOW) == "not_found"
    assert refused(city, other, subscribers.log, number) == "not_found"
    assert refused(city, other, subscribers.replay, number, sent.key, NOW) == "not_found"
    assert refused(city, other, subscribers.remove, number, NOW) == "not_found"
    url = "https://hospital.example/x"
    theirs = city.places["hospital"].id
    assert refused(city, other, subscribers.subscribe, url, ["*"], NOW, organisation=theirs) == "not_permitted"


def test_a_secret_is_kept_sealed_and_opens_only_in_its_own_place(city: Town, end: Receiver) -> None:
    made, secret = subscribe(city, end)
    kept = rows(city, subscription)[0].secret
    assert secret.removeprefix("whsec_").encode() not in kept
    opened = webhook_secrets.unsealed(city.office.master, made.id, kept)
    assert opened not in kept
    assert webhook_secrets.spoken(opened) == secret
    with pytest.raises(Unreadable):
        webhook_secrets.unsealed(city.office.master, made.id + 1, kept)


def test_after_a_rotation_both_secrets_verify_for_a_day_and_then_the_new_one_alone(city: Town, end: Receiver) -> None:
    made, old = subscribe(city, end)
    new = asked(city, "admin@hospital", subscribers.rotate, made.id, NOW)
    asked(city, "admin@hospital", subscribers.try_out, made.id, NOW)
    send(city)
    assert len(end.verified(old)) == len(end.verified(new)) == 1
    with city.store.begin() as connection:
        connection.execute(subscription.update().values(previous_until=NOW - timedelta(seconds=1)))
    end.came.clear()
    asked(city, "admin@hospital", subscribers.try_out, made.id, NOW)
    send(city)
    assert len(end.verified(new)) == 1
    with pytest.raises(WebhookVerificationError):
        end.verified(old)


def test_the_log_tells_how_it_went_and_one_can_be_sent_again(city: Town, end: Receiver) -> None:
    made, _ = subscribe(city, end, "admin@hospital", "referral.*")
    referred(city)
    send(city)
    newest = asked(city, "admin@hospital", subscribers.log, made.id)[0]
    assert (newest.event, newest.state) == ("referral.consent_given", "sent")
    assert asked(city, "admin@hospital", subscribers.log, made.id, before=newest.id, most=1)[0].id < newest.id
    again = asked(city, "admin@hospital", subscribers.replay, made.id, newest.key, NOW)
    assert again.state == "waiting"
    send(city)
    assert end.keys().count(str(newest.key)) == 2


def test_a_removed_subscription_is_sent_nothing_and_is_seen_no_more(city: Town, end: Receiver) -> None:
    made, _ = subscribe(city, end)
    asked(city, "admin@hospital", subscribers.try_out, made.id, NOW)
    asked(city, "admin@hospital", subscribers.remove, made.id, NOW)
    send(city)
    assert end.came == []
    assert asked(city, "admin@hospital", subscribers.every) == []
    assert refused(city, "admin@hospital", subscribers.one, made.id) == "not_found"


def test_the_log_is_kept_for_thirty_days(city: Town, end: Receiver) -> None:
    made, _ = subscribe(city, end)
    asked(city, "admin@hospital", subscribers.try_out, made.id, NOW)
    send(city)
    send(city, NOW + 29 * DAY)
    assert states(city) == ["sent"]
    send(city, NOW + 31 * DAY)
    assert states(city) == []


# ---------------------------------------------------------------------------------------------------- who sends it


def test_the_round_sends_and_the_long_lived_sender_sends_by_itself(city: Town, end: Receiver, tmp_path: Path) -> None:
    made, secret = subscribe(city, end)
    kept = Installation(city.store, city.office.keystore, city.office.master)
    there = way()
    premises = Premises(
        kept,
        tmp_path / "home",
        tmp_path / "elsewhere",
        webhooks=lambda at, now: {"sent": send_due(at.kept.store, at.office_now(), now, there).sent},
    )
    asked(city, "admin@hospital", subscribers.try_out, made.id, NOW)
    assert rounds.go(premises, "webhooks", "person", NOW)["sent"] == 1
    asked(city, "admin@hospital", subscribers.try_out, made.id, NOW)
    with WebhookSender(city.store, lambda: city.office, there, every=timedelta(seconds=0.05)) as sender:
        for _ in range(100):
            if sender.done.sent:
                break
            threading.Event().wait(0.05)
    assert len(end.verified(secret)) == 2
