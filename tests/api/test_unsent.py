"""What was typed and not sent yet: kept while one writes, and where a session ends before it is sent."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from cases.key_tables import unsent
from cases.records import event
from cases.unsent import KEPT
from tests.api.door import Client, Door
from tests.api.pages_forms import follow, form_on, headings, send
from tests.api.test_pages import WHAT, WHO, called, number_of, street_track

TYPED = "写了一半的经过"


def begun(door: Door) -> tuple[Client, str]:
    """A counselor before the second step of a draft, and the case's number."""
    client = door.client("counselor")
    return client, number_of(follow(client, send(client, client.get("/whistle"), WHO)))


def written(door: Door, client: Client, address: str, **texts: str) -> str:
    """The page writes by itself to the server; what it is told."""
    contents = form_on(client.get(address))[1]
    told = client.post(f"/unsent?of={address}", data={**contents, **texts})
    assert told.status_code == 200
    return str(told.text)


def test_what_is_being_written_is_kept_without_an_event_and_shown_again(door: Door) -> None:
    client, number = begun(door)
    with door.town.store.read() as connection:
        before = len(connection.execute(select(event.c.seq)).all())
    assert "自动保存" in written(door, client, f"/whistle/{number}/what", summary=TYPED)
    again = door.client("counselor").get(f"/whistle/{number}/what")
    assert form_on(again, "/what")[1]["summary"] == [TYPED]
    assert "尚未提交" in again.text
    with door.town.store.read() as connection:
        assert len(connection.execute(select(event.c.seq)).all()) == before
    with door.town.office.keystore._store.read() as connection:
        assert TYPED.encode() not in connection.execute(select(unsent.c.sealed)).scalars().one()


def test_what_was_kept_is_nobody_elses_and_goes_when_it_is_sent(door: Door) -> None:
    client, number = begun(door)
    address = f"/whistle/{number}/what"
    written(door, client, address, summary=TYPED)
    assert TYPED not in door.client("principal@school").get(address).text
    page = client.get(address)
    send(client, page, {**WHAT, "summary": "写完了"}, "/what")
    assert form_on(client.get(address), "/what")[1]["summary"] == ["写完了"]
    late = client.post(f"/unsent?of={address}", data={**form_on(page, "/what")[1], "summary": TYPED})
    assert late.text == ""
    assert TYPED not in client.get(address).text


def test_what_was_kept_can_be_given_up_and_is_gone_after_three_days(door: Door) -> None:
    client, number = begun(door)
    address = f"/whistle/{number}/what"
    written(door, client, address, summary=TYPED)
    assert TYPED not in follow(client, send(client, client.get(address), action="/unsent/drop")).text
    written(door, client, address, summary=TYPED)
    door.wait(seconds=KEPT.total_seconds() + 1)
    assert TYPED not in door.client("counselor").get(address).text
    assert door.town.office.keystore.unsent.clear(door.now) == 1


def test_a_draft_that_another_tab_has_saved_since_is_a_conflict_for_what_was_kept(door: Door) -> None:
    client, number = begun(door)
    address = f"/whistle/{number}/what"
    written(door, client, address, summary=TYPED)
    door.town.fire("counselor@school", number, 0, "save_draft", {"summary": "别处所写"})
    told = send(client, client.get(address), WHAT | {"summary": TYPED}, "/what")
    assert told.status_code == 409
    assert TYPED in told.text


def test_a_form_that_comes_after_the_session_has_ended_is_filled_in_again_for_whoever_wrote_it(door: Door) -> None:
    number = called(door)
    client = door.client("officer@street")
    address = f"/cases/{number}/tracks/{street_track(door, number)}/report_in"
    page = client.get(address)
    door.wait(seconds=door.house.settings.session_idle.total_seconds() + 60)
    told = send(client, page, {"where": TYPED, "mode": "on_site", "people": "王建国"})
    assert told.status_code == 303
    assert told.headers["location"].startswith("/sign-in?next=%2Funsent")
    stranger = door.client("lead@street")
    assert TYPED not in follow(stranger, stranger.get(f"/unsent?of={address}")).text
    again = door.client("officer@street")
    shown = follow(again, again.get(f"/unsent?of={address}"))
    contents = form_on(shown, "/attachments")[1]
    assert contents["where"] == [TYPED]
    assert "尚未提交" in shown.text
    assert send(again, shown, action="/attachments").status_code == 303, headings(shown)


def test_a_form_of_ones_own_earlier_session_is_asked_for_again_not_lost(door: Door) -> None:
    client, number = begun(door)
    page = client.get(f"/whistle/{number}/what")
    newer = door.client("counselor")
    del newer.headers["x-csrf-token"]
    told = send(newer, page, {**WHAT, "summary": TYPED})
    assert told.status_code == 303
    assert TYPED in follow(newer, newer.get(told.headers["location"])).text


def test_a_form_of_whoever_sat_here_before_is_kept_for_nobody(door: Door) -> None:
    client, number = begun(door)
    page = client.get(f"/whistle/{number}/what")
    other = door.client("principal@school")
    del other.headers["x-csrf-token"]
    assert send(other, page, {**WHAT, "summary": TYPED}).status_code == 403
    with door.town.office.keystore._store.read() as connection:
        assert connection.execute(select(unsent)).all() == []


def test_a_page_whose_form_is_not_filled_in_again_shows_what_was_typed(door: Door) -> None:
    client = door.client("counselor")
    page = client.get("/settings")
    door.wait(seconds=door.house.settings.session_idle.total_seconds() + 60)
    told = send(client, page, {"from": "22:00", "until": "07:00"}, "/settings")
    assert told.headers["location"].startswith("/sign-in?next=")
    again = door.client("counselor")
    shown = again.get("/unsent?of=/settings")
    assert "22:00" in shown.text
    assert "已保存" in follow(again, send(again, shown, action="/settings")).text


def test_passwords_are_never_kept(door: Door) -> None:
    client = door.client("counselor")
    csrf = client.csrf
    door.wait(seconds=door.house.settings.session_idle.total_seconds() + timedelta(minutes=1).total_seconds())
    told = client.post("/me/security/password", data={"csrf": csrf, "new": "geheim"})
    assert told.status_code in {303, 404, 405}
    with door.town.office.keystore._store.read() as connection:
        assert connection.execute(select(unsent)).all() == []
