"""Files over HTTP: uploaded, referred to, downloaded; refused with a problem that says what is wrong."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cases.shelf import FolderShelf
from cases.store import Store
from tests.api.door import Door, door_of
from tests.cases import papers


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shelf")


@pytest.fixture(scope="module")
def door(server: Store, shelf: Path) -> Iterator[Door]:
    """One door for all of them: each has a case of its own."""
    with server.scratch() as store, door_of(store) as made:
        made.house.office.shelf = FolderShelf(shelf)
        yield made


@pytest.fixture
def number(door: Door) -> str:
    student = {"name": f"学生{secrets.token_hex(4)}", "born": "2015-05-05"}
    return door.town.whistle(student=student).case.number


def upload(
    door: Door, number: str, content: bytes, name: str = "小怡 伤情.jpg", who: str = "counselor@school", **form: str
) -> Any:  # noqa: ANN401
    client = door.client(who)
    sent = {"file": (name, content, "image/svg+xml")}
    return client.post(f"/api/v1/cases/{number}/files", files=sent, data=form)


def fault(answer: Any) -> tuple[int, str]:  # noqa: ANN401
    said = answer.json()
    return answer.status_code, said["faults"][0]["code"] if said.get("faults") else said["code"]


def test_a_file_is_uploaded_listed_and_downloaded_as_an_attachment(door: Door, number: str) -> None:
    made = upload(door, number, papers.photo(place=True))
    assert made.status_code == 201
    shown = made.json()
    assert shown["name"] == "小怡 伤情.jpg"
    assert shown["media"] == "image/jpeg"
    assert shown["reference"] == f"file:{shown['address']}"
    client = door.client("officer@street")
    assert client.get(f"/api/v1/cases/{number}/files").json()["items"] == [shown]
    got = client.get(made.headers["location"])
    assert got.status_code == 200
    assert got.content.startswith(b"\xff\xd8\xff")
    assert got.headers["content-type"] == "image/jpeg"
    assert got.headers["x-content-type-options"] == "nosniff"
    assert got.headers["cache-control"] == "no-store"
    assert got.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert got.headers["content-disposition"] == (
        "attachment; filename=\"__ __.jpg\"; filename*=UTF-8''%E5%B0%8F%E6%80%A1%20%E4%BC%A4%E6%83%85.jpg"
    )


def test_what_was_uploaded_is_the_evidence_of_a_move(door: Door, number: str) -> None:
    reference = upload(door, number, papers.photo(), who="officer@street").json()["reference"]
    fired = door.town.fire("officer@street", number, 1, "acknowledge", at=door.now)
    form = {"note": "seen", "evidence": [reference]}
    door.town.fire("officer@street", number, 1, "record_progress", form, door.now)
    shown = door.client("officer@street").get(f"/api/v1/cases/{number}/files").json()["items"]
    assert [one["event"] for one in shown] == [fired.case.events + 1]


def test_to_strangers_there_is_neither_case_nor_file(door: Door, number: str) -> None:
    address = upload(door, number, papers.photo()).json()["address"]
    for who in ("officer@street#2", "admin@district", "auditor@city"):
        client = door.client(who)
        assert client.get(f"/api/v1/cases/{number}/files").status_code == 404
        assert client.get(f"/api/v1/cases/{number}/files/{address}").status_code == 404
        assert upload(door, number, papers.photo(), who=who).status_code == 404
    assert door.stranger().get(f"/api/v1/cases/{number}/files/{address}").status_code == 401


# The form of a forged request is never closed, only collected.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_another_site_uploads_nothing(door: Door, number: str) -> None:
    client = door.client("counselor@school")
    del client.headers["x-csrf-token"]
    answer = client.post(f"/api/v1/cases/{number}/files", files={"file": ("a.jpg", papers.photo())})
    assert answer.status_code == 403
    answer = client.post(
        f"/api/v1/cases/{number}/files", files={"file": ("a.jpg", papers.photo())}, data={"csrf": client.csrf}
    )
    assert answer.status_code == 201


def test_what_is_wrong_with_a_file_is_said_in_the_readers_language(door: Door, number: str) -> None:
    answer = upload(door, number, b"<svg onload=alert(1)>", name="photo.jpg")
    assert fault(answer) == (422, "file_kind")
    assert "JPEG" in answer.json()["faults"][0]["message"]
    english = door.client("counselor@school", language="en")
    sent = {"file": ("a.heic", b"\0\0\0\x18ftypheic" + bytes(50))}
    answer = english.post(f"/api/v1/cases/{number}/files", files=sent)
    assert "HEIC" in answer.json()["faults"][0]["message"]
    assert fault(upload(door, number, papers.photo(), section="secret")) == (422, "not_a_choice")
    assert fault(upload(door, number, papers.photo(), section="clinical", who="principal@school")) == (
        403,
        "not_permitted",
    )
    assert fault(upload(door, number, b"")) == (422, "file_empty")
    assert fault(upload(door, number, papers.photo() + bytes(20_000_001))) == (422, "file_too_large")
    assert fault(upload(door, number, bytes(26_000_000))) == (413, "too_large")


# Of a body that was cut off, Starlette leaves the part in memory to the collector, which grumbles.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b"{}"),
        ("image/jpeg", b"\xff\xd8\xff"),
        ("multipart/form-data", b""),
        ("multipart/form-data; boundary=x", b"--y\r\n"),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\nno file\r\n--x--\r\n',
        ),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\ncut',
        ),
        ("multipart/form-data; boundary=" + "x" * 400, b"--x"),
        ("", b""),
    ],
)
def test_a_body_that_is_no_form_with_a_file_is_refused(door: Door, number: str, kind: str, body: bytes) -> None:
    client = door.client("counselor@school")
    answer = client.post(f"/api/v1/cases/{number}/files", content=body, headers={"content-type": kind} if kind else {})
    assert answer.status_code == 422
    assert answer.json()["faults"][0]["field"] == "file"


@pytest.mark.parametrize("name", ["../../x.jpg", 'a"; filename="b.html', "a\r\nX: y.jpg", "😀.jpg", "%2e%2e%2f.jpg"])
def test_a_name_never_breaks_out_of_its_header(door: Door, number: str, name: str) -> None:
    made = upload(door, number, papers.photo(), name=name)
    assert made.status_code == 201
    got = door.client("counselor@school").get(made.headers["location"])
    said = got.headers["content-disposition"]
    assert said.startswith('attachment; filename="')
    assert said.count('"') == 2
    assert "x" not in got.headers
    assert "/" not in made.json()["name"]


def test_a_full_disk_is_a_passing_problem(
    door: Door, number: str, shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {one for one in shelf.rglob("*") if one.is_file()}
    client = door.client("counselor@school")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        answer = client.post(f"/api/v1/cases/{number}/files", files={"file": ("a.jpg", papers.photo())})
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    assert answer.json()["code"] == "store_full"
    assert {one for one in shelf.rglob("*") if one.is_file()} == before
    assert client.get(f"/api/v1/cases/{number}/files").json() == {"items": []}


@pytest.mark.parametrize("address", ["0" * 64, "x" * 64, "..%2f..%2fetc%2fpasswd", "0" * 63, "%00"])
def test_an_address_that_is_none_is_not_found(door: Door, number: str, address: str) -> None:
    answer = door.client("counselor@school").get(f"/api/v1/cases/{number}/files/{address}")
    assert answer.status_code in {404, 422}
