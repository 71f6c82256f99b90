"""A hospital's own system works through a referral by FHIR, and sees nothing that isn't its hospital's."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class
from sqlalchemy import select

from api.fhir import codes
from cases.records import access_log, event
from cases.store import Store
from cases.tracks.referral import TRACK
from tests.api.door import Client, Door, door_of

JSON = "application/fhir+json"
PATCH = "application/json-patch+json"
PROPOSE = {"reason": "canary-reason", "screening": "canary-screening", "purpose": "canary-purpose"}
CONSENT = {"guardian": "canary-guardian", "signed_at": "2026-03-17T08:00:00+08:00", "form": "canary-form"}
STUDENT = {
    "name": "金丝雀",
    "born": "2012-11-02",
    "grade": 7,
    "id_number": "32010620121102001X",
    "guardians": [{"name": "王某", "phone": "13900000000", "relation": "母亲"}],
    "address": "示例路 1 号",
}
CANARIES = ("canary", "金丝雀", "2012-11-02", "32010620121102", "王某", "13900000000", "示例路")


@pytest.fixture
def door(store: Store) -> Iterator[Door]:
    with door_of(store) as opened:
        yield opened


@pytest.fixture
def hospital(door: Door) -> Client:
    return door.token("liaison@hospital", "fhir:read", "fhir:write")


def referred(door: Door) -> str:
    """A case with a referral that its guardian has agreed to; the referral's logical id."""
    form = {"concern": "harmful_home", "level": "orange", "summary": "canary-summary"}
    town = door.town
    case = town.fire("counselor@school", None, 0, "whistle", {**form, "student": STUDENT}, door.now).case
    no = town.fire("counselor@school", case.id, "referral", "propose", PROPOSE, door.now).track.no
    town.fire("counselor@school", case.id, no, "give_consent", CONSENT, door.now)
    return f"{case.number}.{no}"


def state(door: Door, name: str) -> str:
    no = name.partition(".")[2]
    with door.town.store.read() as connection:
        found = select(event.c.target).where(event.c.track_no == int(no)).order_by(event.c.seq.desc())
        return str(connection.execute(found.limit(1)).scalar_one())


def valid(resource: dict[str, Any]) -> dict[str, Any]:
    """The resource, if the library of FHIR's own definitions takes it."""
    get_fhir_model_class(resource["resourceType"]).model_validate(resource)
    return resource


def got(client: Client, path: str, status: int = 200) -> dict[str, Any]:
    answer = client.get(f"/fhir/R4/{path}")
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith(JSON)
    return valid(answer.json())


def sent(client: Client, method: str, path: str, body: object, status: int = 200, **headers: str) -> dict[str, Any]:
    kind = headers.pop("content_type", JSON)
    raw = body if isinstance(body, (bytes, str)) else json.dumps(body)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = client.request(method, f"/fhir/R4/{path}", content=raw, headers={"content-type": kind, **named})
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith(JSON)
    return valid(answer.json())


def output(code: str, **value: object) -> dict[str, Any]:
    return {"type": {"coding": [{"system": "urn:x", "code": code}]}, **value}


def business(code: str) -> dict[str, Any]:
    return {"coding": [{"system": codes.BSER, "code": code}]}


def moved(
    client: Client, name: str, status: str, code: str | None = None, *outputs: object, answer: int = 200
) -> dict[str, Any]:
    """Update a task as a system does: read it, change it, send it back with its version."""
    read = client.get(f"/fhir/R4/Task/{name}")
    task = read.json()
    task["status"] = status
    if code is not None:
        task["businessStatus"] = business(code)
    task["output"] = [*task.get("output", []), *outputs]
    if not task["output"]:
        del task["output"]
    return sent(client, "PUT", f"Task/{name}", task, answer, if_match=read.headers["etag"])


def own(task: dict[str, Any]) -> str:
    return str(task["businessStatus"]["coding"][-1]["code"])


# ------------------------------------------------------------------------------------------------- the whole of it


def test_a_hospitals_system_takes_a_referral_from_the_request_to_its_end(door: Door, hospital: Client) -> None:
    name = referred(door)
    found = got(hospital, "Task?status=requested")
    task = found["entry"][0]["resource"]
    assert (found["total"], task["id"], task["status"], own(task)) == (1, name, "requested", "requested")
    assert task["restriction"]["period"]["end"] > "2026-03-17"

    request = got(hospital, task["focus"]["reference"])
    assert request["contained"][0]["name"] == [{"text": "金丝雀"}]
    assert request["reasonCode"][0]["text"] == "canary-reason\ncanary-purpose"
    assert request["note"] == [{"text": "canary-screening"}]

    task = moved(hospital, name, "accepted")
    assert (task["status"], own(task)) == ("accepted", "accepted")
    at, where = "2026-03-18T09:00:00+08:00", "canary-room"
    task = moved(
        hospital, name, "accepted", "5.1.1", output("scheduled-at", valueDateTime=at),
        output("scheduled-where", valueString=where),
    )  # fmt: skip
    assert (task["status"], own(task)) == ("accepted", "scheduled")
    assert task["output"][0]["valueDateTime"] == "2026-03-18T01:00:00Z"

    door.wait(days=1, hours=2)
    task = moved(hospital, name, "accepted", "5.1.2")
    assert (task["status"], own(task)) == ("accepted", "no-show")
    seen = [output("seen-at", valueDateTime="2026-03-18T10:00:00+08:00"), output("visit-mode", valueCode="outpatient")]
    task = moved(hospital, name, "in-progress", "5.1.4", *seen)
    assert (task["status"], own(task)) == ("in-progress", "in-treatment")

    advice = {
        "resourceType": "Communication",
        "status": "completed",
        "basedOn": [{"reference": f"ServiceRequest/{name}"}],
        "payload": [{"contentString": "少留作业"}, {"contentString": "午间可以休息"}],
    }
    made = sent(hospital, "POST", "Communication", advice, 201)
    assert made["payload"] == [{"contentString": "少留作业\n午间可以休息"}]
    assert got(hospital, f"Communication/{made['id']}")["payload"] == made["payload"]

    ended = [output("summary", valueString="好转"), output("opinion", valueCode="fit_with_conditions")]
    task = moved(hospital, name, "completed", None, *ended, output("conditions", valueString="定期复诊"))
    assert (task["status"], own(task)) == ("completed", "completed")
    assert got(hospital, f"ServiceRequest/{name}")["status"] == "completed"
    with door.town.store.read() as connection:
        names = list(connection.scalars(select(event.c.name).where(event.c.kind == "return_to_school")))
    assert names


@pytest.mark.parametrize("header", ["Idempotency-Key", "If-None-Exist"])
def test_advice_that_is_sent_again_is_given_once(door: Door, hospital: Client, header: str) -> None:
    name = treated(door, hospital)
    advice = {"resourceType": "Communication", "status": "completed", "payload": [{"contentString": "多陪伴"}],
              "basedOn": [{"reference": f"ServiceRequest/{name}"}]}  # fmt: skip

    def given(key: str, **more: object) -> tuple[int, str]:
        headers = {"content-type": "application/fhir+json", header: key}
        answer = hospital.post("/fhir/R4/Communication", json={**advice, **more}, headers=headers)
        return answer.status_code, answer.headers.get("location", "")

    created, where = given("identifier=1")
    assert created == 201
    assert given("identifier=1") == (201 if header == "Idempotency-Key" else 200, where)
    assert given("identifier=2")[1] not in {"", where}
    assert got(hospital, f"Communication?based-on=ServiceRequest/{name}")["total"] == 2
    if header == "Idempotency-Key":
        assert given("identifier=1", payload=[{"contentString": "else"}]) == (422, "")
    door.wait(hours=25)
    assert given("identifier=1")[1] not in {"", where}


def test_what_the_school_is_advised_is_what_it_reads_and_the_clinical_note_isnt_in_it(
    door: Door, hospital: Client
) -> None:
    name = treated(door, hospital)
    note = [output("treatment-status", valueString="稳定"), output("clinical-note", valueString="canary-note"),
            output("advice-for-school", valueString="多陪伴")]  # fmt: skip
    moved(hospital, name, "in-progress", None, *note)
    listed = got(hospital, f"Communication?based-on=ServiceRequest/{name}")
    assert listed["total"] == 1
    told = listed["entry"][0]["resource"]
    assert "payload" not in told
    read = got(hospital, f"Communication/{told['id']}")
    assert read["payload"] == [{"contentString": "多陪伴"}]
    assert "canary" not in json.dumps(read)


def treated(door: Door, hospital: Client) -> str:
    """A referral whose student has been seen."""
    name = referred(door)
    seen = [output("seen-at", valueDateTime="2026-03-17T08:20:00+08:00"), output("visit-mode", valueCode="inpatient")]
    moved(hospital, name, "in-progress", None, *seen)
    return name


def test_a_visit_to_a_request_that_wasnt_accepted_yet_accepts_it(door: Door, hospital: Client) -> None:
    treated(door, hospital)
    with door.town.store.read() as connection:
        pulled = list(connection.scalars(select(event.c.trigger).where(event.c.kind == "referral")))
    assert pulled[-2:] == ["accept", "record_visit"]


def test_a_hospital_declines_with_its_reason_and_proposes_another(door: Door, hospital: Client) -> None:
    name = referred(door)
    task = hospital.get(f"/fhir/R4/Task/{name}").json()
    task |= {"status": "rejected", "statusReason": {"text": "没有床位"}}

    def proposing(code: str, status: int) -> dict[str, Any]:
        task["output"] = [output("proposed-hospital", valueReference={"identifier": {"value": code}})]
        return sent(hospital, "PUT", f"Task/{name}", task, status)

    proposing("T-nowhere", 422)
    proposing("T-street", 422)
    assert own(proposing("T-hospital#2", 200)) == "declined"
    with door.town.store.read() as connection:
        said = connection.scalar(select(event.c.open).where(event.c.trigger == "decline"))
    assert said == {"proposed": door.town.places["hospital#2"].id}


def test_a_guardian_refuses_admission_and_treatment_is_taken_up_again(door: Door, hospital: Client) -> None:
    name = treated(door, hospital)
    signed = [output("signed-refusal", valueString="scan-1"), output("watch-plan", valueString="家长轮流看护")]
    task = moved(hospital, name, "on-hold", None, *signed)
    assert (task["status"], own(task)) == ("on-hold", "admission-refused")
    task = moved(hospital, name, "in-progress")
    assert own(task) == "in-treatment"


def test_a_cancellation_that_the_school_asked_for_is_confirmed(door: Door, hospital: Client) -> None:
    name = referred(door)
    moved(hospital, name, "accepted")
    number, _, no = name.partition(".")
    door.town.fire("counselor@school", number, int(no), "request_cancellation", {"reason": "moved away"}, door.now)
    task = got(hospital, f"Task/{name}")
    assert task["businessStatus"]["coding"][0]["code"] == "5.2"
    assert moved(hospital, name, "cancelled")["status"] == "cancelled"
    assert got(hospital, f"ServiceRequest/{name}")["status"] == "revoked"


# ---------------------------------------------------------------------------------------------- versions and patches


def test_whoever_comes_second_is_told_so_and_changes_nothing(door: Door, hospital: Client) -> None:
    name = referred(door)
    stale = hospital.get(f"/fhir/R4/Task/{name}")
    moved(hospital, name, "accepted")
    task = stale.json() | {"status": "rejected", "statusReason": {"text": "zu spät"}}
    refused = sent(hospital, "PUT", f"Task/{name}", task, 412, if_match=stale.headers["etag"])
    assert refused["issue"][0]["code"] == "conflict"
    refused = sent(hospital, "PATCH", f"Task/{name}", {"status": "rejected", "statusReason": {"text": "x"}}, 409)
    assert refused["issue"][0]["details"]["coding"][0]["code"] == "wrong_state"
    stale = hospital.get(f"/fhir/R4/Task/{name}")
    number, _, no = name.partition(".")
    door.town.fire("counselor@school", number, int(no), "request_cancellation", {"reason": "moved away"}, door.now)
    task = stale.json() | {"businessStatus": business("5.1.1")}
    task["output"] = [output("scheduled-at", valueDateTime="2026-03-18T09:00:00+08:00"),
                      output("scheduled-where", valueString="room 1")]  # fmt: skip
    refused = sent(hospital, "PUT", f"Task/{name}", task, 412, if_match=stale.headers["etag"])
    assert refused["issue"][0]["code"] == "conflict"
    assert state(door, name) == "accepted"
    for tag in ('W/"999999999"', "nonsense", '"-1"', '""'):
        sent(hospital, "PUT", f"Task/{name}", task, 412, if_match=tag)
        sent(hospital, "PUT", f"Task/{name}", got(hospital, f"Task/{name}"), 412, if_match=tag)


def test_of_two_systems_that_answer_at_once_one_is_heard(door: Door, hospital: Client) -> None:
    name = referred(door)
    read = hospital.get(f"/fhir/R4/Task/{name}")
    start = threading.Barrier(2)

    def answer(change: dict[str, Any]) -> int:
        system = door.token("liaison@hospital", "fhir:read", "fhir:write")
        headers = {"content-type": JSON, "if-match": read.headers["etag"]}
        start.wait()
        return int(system.put(f"/fhir/R4/Task/{name}", json=read.json() | change, headers=headers).status_code)

    with ThreadPoolExecutor(2) as pool:
        wishes = [{"status": "accepted"}, {"status": "rejected", "statusReason": {"text": "full"}}]
        first, second = sorted(pool.map(answer, wishes))
    assert first == 200
    assert second in {409, 412}
    with door.town.store.read() as connection:
        pulled = list(connection.scalars(select(event.c.trigger).where(event.c.kind == "referral")))
    assert len({"accept", "decline"} & set(pulled)) == 1


def test_sending_a_task_back_unchanged_changes_nothing(door: Door, hospital: Client) -> None:
    name = treated(door, hospital)
    before = hospital.get(f"/fhir/R4/Task/{name}")
    again = sent(hospital, "PUT", f"Task/{name}", before.json(), 200, if_match=before.headers["etag"])
    assert again == before.json()


def test_a_patch_moves_a_task_as_an_update_does(door: Door, hospital: Client) -> None:
    name = referred(door)
    path = f"Task/{name}"
    steps = [{"op": "test", "path": "/status", "value": "requested"},
             {"op": "replace", "path": "/status", "value": "accepted"}]  # fmt: skip
    assert sent(hospital, "PATCH", path, steps, content_type=PATCH)["status"] == "accepted"
    sent(hospital, "PATCH", path, steps, 422, content_type=PATCH)
    part = {
        "businessStatus": business("5.1.1"),
        "output": [output("scheduled-at", valueDateTime="2026-03-18T09:00:00+08:00"),
                   output("scheduled-where", valueString="一诊室")],
    }  # fmt: skip
    assert own(sent(hospital, "PATCH", path, part)) == "scheduled"
    later = [{"op": "replace", "path": "/output/0/valueDateTime", "value": "2026-03-19T09:00:00+08:00"},
             {"op": "add", "path": "/output/-", "value": output("scheduled-where", valueString="二诊室")}]  # fmt: skip
    task = sent(hospital, "PATCH", path, later, content_type=PATCH)
    assert task["output"][0]["valueDateTime"] == "2026-03-19T01:00:00Z"


def test_nothing_but_status_and_outputs_can_be_changed(door: Door, hospital: Client) -> None:
    name, other = referred(door), referred(door)
    before = got(hospital, f"Task/{name}")
    theirs = {
        "for": {"reference": "Patient/1"}, "owner": {"display": "me"}, "priority": "routine",
        "focus": {"reference": f"ServiceRequest/{other}"}, "authoredOn": "2020-01-01", "note": [{"text": "x"}],
    }  # fmt: skip
    assert sent(hospital, "PUT", f"Task/{name}", before | theirs) == before
    refused = sent(hospital, "PUT", f"Task/{name}", before | {"id": other}, 422)
    assert refused["issue"][1]["expression"] == ["Task.id"]


# -------------------------------------------------------------------------------------------------------- searching


def test_searches_narrow_by_status_identifier_and_time_and_page_on(door: Door, hospital: Client) -> None:
    names = []
    for _ in range(5):
        names.append(referred(door))
        door.wait(hours=1)
    moved(hospital, names[2], "accepted")
    number = names[1].partition(".")[0]

    def found(query: str, kind: str = "Task") -> list[str]:
        return [one["resource"]["id"] for one in got(hospital, f"{kind}?{query}").get("entry", [])]

    assert found("") == [names[2], names[4], names[3], names[1], names[0]]
    assert found("status=accepted") == found("business-status=accepted") == found("business-status=3.0") == [names[2]]
    assert found("status=accepted,rejected&status=rejected") == []
    assert found(f"identifier={number}") == found(f"_id={names[1]}") == [names[1]]
    assert found(f"identifier=http://x|{number},nonsense") == [names[1]]
    assert found("status=nonsense") == found("identifier=nonsense") == found("priority=stat") == []
    assert len(found("priority=asap", "ServiceRequest")) == 5
    assert found("status=active&authored=lt2026-03-17T09:00:00%2B08:00", "ServiceRequest") == [names[0]]
    assert found("authored-on=2026-03-17") == found("")
    assert found("authored-on=ge2027") == found("_lastUpdated=2025") == found("_lastUpdated=gt2026-04") == []
    assert found("_lastUpdated=ge2026-03-17T13:20:00%2B08:00") == [names[2]]
    assert found(f"focus=ServiceRequest/{names[3]}") == [names[3]]
    assert got(hospital, "Task?_summary=count")["total"] == got(hospital, "Task?_count=0")["total"] == 5

    pages, path = [], "Task?_count=2&status=requested,accepted"
    while path:
        bundle = got(hospital, path)
        assert bundle["total"] == 5
        pages.append([one["resource"]["id"] for one in bundle["entry"]])
        links = {one["relation"]: one["url"] for one in bundle["link"]}
        path = links.get("next", "").partition("/fhir/R4/")[2]
    assert [len(page) for page in pages] == [2, 2, 1]
    assert sum(pages, []) == found("")  # noqa: RUF017 - three lists


def test_a_token_that_may_only_read_may_search_by_form_and_change_nothing(door: Door) -> None:
    reader = door.token("liaison@hospital", "fhir:read")
    assert reader.post("/fhir/R4/Task/_search", data={"status": "requested"}).status_code == 200
    assert reader.put("/fhir/R4/Task/x", json={}).status_code == 403
    assert door.token("liaison@hospital", "fhir:write").post("/fhir/R4/Task/_search").status_code == 403


def test_a_search_can_be_sent_as_a_form(door: Door, hospital: Client) -> None:
    name = referred(door)
    answer = hospital.post("/fhir/R4/Task/_search", data={"status": "requested"})
    assert [one["resource"]["id"] for one in valid(answer.json())["entry"]] == [name]


def test_an_unknown_parameter_is_left_out_or_refused_as_the_client_prefers(door: Door, hospital: Client) -> None:
    referred(door)
    bundle = got(hospital, "Task?patient=1&status=requested")
    assert bundle["total"] == 1
    assert "patient" not in bundle["link"][0]["url"]
    answer = hospital.get("/fhir/R4/Task?patient=1", headers={"prefer": "handling=strict"})
    assert answer.status_code == 422
    assert valid(answer.json())["issue"][1]["expression"] == ["patient"]


# ------------------------------------------------------------------------------------------------------ who sees it


def test_nobody_but_a_liaison_of_that_hospital_finds_anything(door: Door, hospital: Client) -> None:
    name = treated(door, hospital)
    moved(hospital, name, "in-progress", None, output("treatment-status", valueString="ok"))
    told = got(hospital, "Communication")["entry"][0]["resource"]["id"]
    whole = hospital.get(f"/fhir/R4/Task/{name}").json()
    advice = {"resourceType": "Communication", "status": "completed", "payload": [{"contentString": "x"}],
              "partOf": [{"reference": f"Task/{name}"}]}  # fmt: skip
    for who in ("liaison@hospital#2", "officer@hospital", "lead@hospital", "counselor@school", "coordinator@district",
                "supervisor@city", "officer@street", "auditor@city", "admin@city"):  # fmt: skip
        other = door.client(who)
        for kind, there in (("Task", name), ("ServiceRequest", name), ("Communication", told)):
            assert got(other, kind)["total"] == 0
            assert "entry" not in got(other, kind)
            got(other, f"{kind}/{there}", 404)
        sent(other, "PUT", f"Task/{name}", whole, 404)
        sent(other, "PATCH", f"Task/{name}", {"status": "completed"}, 404)
        sent(other, "POST", "Communication", advice, 404)
    stranger = door.stranger()
    for path in ("Task", f"Task/{name}", "ServiceRequest", "Communication"):
        got(stranger, path, 401)


def test_a_token_needs_the_scope_of_this_interface(door: Door) -> None:
    name = referred(door)
    got(door.token("liaison@hospital", "cases:read"), f"Task/{name}", 403)
    reads = door.token("liaison@hospital", "fhir:read")
    task = got(reads, f"Task/{name}")
    sent(reads, "PUT", f"Task/{name}", task | {"status": "accepted"}, 403)


def test_before_the_guardian_agrees_the_hospital_knows_of_nothing(door: Door, hospital: Client) -> None:
    town = door.town
    form = {"concern": "harmful_home", "level": "orange", "summary": "x", "student": STUDENT}
    case = town.fire("counselor@school", None, 0, "whistle", form).case
    no = town.fire("counselor@school", case.id, "referral", "propose", PROPOSE).track.no
    assert got(hospital, "Task")["total"] == 0
    got(hospital, f"Task/{case.number}.{no}", 404)


def test_a_hospital_that_was_redirected_finds_nothing_and_the_next_one_does(door: Door, hospital: Client) -> None:
    name = referred(door)
    moved_to = door.town.places["hospital#2"].id
    task = got(hospital, f"Task/{name}")
    sent(hospital, "PUT", f"Task/{name}", task | {"status": "rejected", "statusReason": {"text": "voll"}})
    number, _, no = name.partition(".")
    door.town.fire("counselor@school", number, int(no), "redirect", {"hospital": moved_to}, door.now)
    got(hospital, f"Task/{name}", 404)
    assert got(hospital, "ServiceRequest")["total"] == 0
    other = door.token("liaison@hospital#2", "fhir:read")
    theirs = got(other, f"Task/{name}")
    assert theirs["status"] == "requested"
    assert theirs["for"]["identifier"]["value"] != task["for"]["identifier"]["value"]


def test_after_closing_sight_ends_with_its_window(door: Door, hospital: Client) -> None:
    name = referred(door)
    number, _, no = name.partition(".")
    door.town.fire("counselor@school", number, int(no), "request_cancellation", {"reason": "x"}, door.now)
    with door.town.store.begin() as connection:
        connection.exec_driver_sql("UPDATE cases SET state = 'closed', closed_at = last_at")
    got(hospital, f"Task/{name}")
    hospital = renewed(door, 31)
    got(hospital, f"Task/{name}", 404)
    assert got(hospital, "Task")["total"] == 0


def renewed(door: Door, days: int) -> Client:
    door.wait(days=days)
    return door.token("liaison@hospital", "fhir:read")


def test_searches_and_tasks_hold_nothing_that_is_sealed_and_are_not_logged(door: Door, hospital: Client) -> None:
    name = treated(door, hospital)
    moved(hospital, name, "in-progress", None, output("treatment-status", valueString="canary-status"),
          output("advice-for-school", valueString="canary-advice"))  # fmt: skip
    shown = [hospital.get(f"/fhir/R4/{path}").text
             for path in ("Task", "ServiceRequest", "Communication", f"Task/{name}", "metadata")]  # fmt: skip
    for canary in CANARIES:
        assert canary not in "".join(shown)
    with door.town.store.read() as connection:
        assert list(connection.execute(select(access_log))) == []


def test_reading_a_request_shows_what_is_needed_no_more_and_is_logged(door: Door, hospital: Client) -> None:
    name = referred(door)
    answer = hospital.get(f"/fhir/R4/ServiceRequest/{name}")
    text = answer.text
    for needed in ("金丝雀", "2012-11-02", "王某", "13900000000", "canary-reason", "canary-screening"):
        assert needed in text
    for more in ("32010620121102", "canary-summary", "canary-guardian", "canary-form"):
        assert more not in text
    with door.town.store.read() as connection:
        logged = {(row.section, row.role, row.what) for row in connection.execute(select(access_log))}
    what = f"fhir ServiceRequest/{name}"
    assert logged == {(one, "liaison", what) for one in ("identity", "narrative", "clinical")}


def test_a_forgotten_student_is_nobody(door: Door, hospital: Client) -> None:
    name = referred(door)
    with door.town.store.read() as connection:
        student = int(connection.exec_driver_sql("SELECT student_id FROM cases").scalar_one())
    door.town.office.keystore.forget([student], door.now)
    answer = hospital.get(f"/fhir/R4/ServiceRequest/{name}")
    assert answer.status_code == 200
    assert "contained" not in valid(answer.json())
    assert "金丝雀" not in answer.text


# ------------------------------------------------------------------------------------------------------- bad input


def test_whatever_is_wrong_is_told_as_an_outcome_and_never_a_fault_of_ours(door: Door, hospital: Client) -> None:
    name = referred(door)
    task = got(hospital, f"Task/{name}")
    visit = task | {"status": "in-progress"}
    deep: Any = {"valueString": "x", "url": "u"}
    for _ in range(200):
        deep = {"url": "u", "extension": [deep]}
    bad: list[tuple[str, str, Any, int, str]] = [
        ("PUT", f"Task/{name}", "{", 400, JSON),
        ("PUT", f"Task/{name}", b"\xff\xfe\x00", 400, JSON),
        ("PUT", f"Task/{name}", "[]", 422, JSON),
        ("PUT", f"Task/{name}", "null", 422, JSON),
        ("PUT", f"Task/{name}", {"resourceType": "Patient"}, 422, JSON),
        ("PUT", f"Task/{name}", {"resourceType": "Task"}, 422, JSON),
        ("PUT", f"Task/{name}", task | {"status": "nonsense"}, 422, JSON),
        ("PUT", f"Task/{name}", task | {"status": "failed"}, 422, JSON),
        ("PUT", f"Task/{name}", task | {"status": 7}, 422, JSON),
        ("PUT", f"Task/{name}", task | {"status": "rejected"}, 422, JSON),
        ("PUT", f"Task/{name}", task | {"businessStatus": business("99")}, 422, JSON),
        ("PUT", f"Task/{name}", task | {"businessStatus": {"coding": [{}]}}, 200, JSON),
        ("PUT", f"Task/{name}", task | {"status": "completed", "businessStatus": business("5.1.1")}, 422, JSON),
        ("PUT", f"Task/{name}", task | {"output": [output("summary")]}, 422, JSON),
        ("PUT", f"Task/{name}", task | {"output": [output("summary", valueString="x")]}, 422, JSON),
        ("PUT", f"Task/{name}", task | {"extension": [deep]}, 422, JSON),
        ("PATCH", f"Task/{name}", {"extension": [deep]}, 422, JSON),
        ("PUT", f"Task/{name}", visit, 422, JSON),
        ("PUT", f"Task/{name}", visit | {"output": [output("seen-at", valueDateTime="2026"),
                                                    output("visit-mode", valueCode="outpatient")]}, 422, JSON),
        ("PUT", f"Task/{name}", visit | {"output": [output("seen-at", valueDateTime="2026-03-19T09:00:00+08:00"),
                                                    output("visit-mode", valueCode="outpatient")]}, 422, JSON),
        ("PUT", f"Task/{name}", visit | {"output": [output("seen-at", valueBoolean=True),
                                                    output("visit-mode", valueCode="x" * 5000)]}, 422, JSON),
        ("PUT", f"Task/{name}", task, 415, "text/plain"),
        ("PUT", f"Task/{name}", "<Task/>", 415, "application/fhir+xml"),
        ("PUT", "Task/nonsense", task, 404, JSON),
        ("PUT", f"Task/{name}.1", task, 404, JSON),
        ("PUT", "Task/WH-2026-000001.99999", task, 404, JSON),
        ("PATCH", f"Task/{name}", {}, 422, PATCH),
        ("PATCH", f"Task/{name}", [{"op": "replace"}], 422, PATCH),
        ("PATCH", f"Task/{name}", [7, None], 422, PATCH),
        ("PATCH", f"Task/{name}", [{"op": "add", "path": "/a~2/b", "value": 1}], 422, PATCH),
        ("PATCH", f"Task/{name}", [{"op": "replace", "path": "", "value": 1}], 422, PATCH),
        ("PATCH", f"Task/{name}", [{"op": "copy", "from": "", "path": "/x"}] * 60, 422, PATCH),
        ("PATCH", f"Task/{name}", [{"op": "remove", "path": "/status"}], 422, PATCH),
        ("PATCH", f"Task/{name}", "7", 422, JSON),
        ("PATCH", f"Task/{name}", {"status": None}, 422, JSON),
        ("POST", "Communication", {"resourceType": "Communication", "status": "completed"}, 422, JSON),
        ("POST", "Communication", {"resourceType": "Communication", "status": "completed",
                                   "basedOn": [{"reference": f"Task/{name}"}]}, 422, JSON),
        ("POST", "Communication", {"resourceType": "Communication", "status": "preparation",
                                   "basedOn": [{"reference": f"Task/{name}"}],
                                   "payload": [{"contentString": "x"}]}, 422, JSON),
        ("POST", "Communication", {"resourceType": "Communication", "status": "completed",
                                   "basedOn": [{"reference": f"Task/{name}"}],
                                   "payload": [{"contentString": "x"}]}, 409, JSON),
        ("POST", "Communication", {"resourceType": "Communication", "status": "completed",
                                   "basedOn": [{"reference": "Task/x"}], "payload": [{"contentString": "x"}]}, 404,
         JSON),
        ("POST", "ServiceRequest", task, 405, JSON),
        ("DELETE", f"Task/{name}", "", 405, JSON),
    ]  # fmt: skip
    for method, path, body, status, kind in bad:
        answer = sent(hospital, method, path, body, status, content_type=kind)
        assert status == 200 or answer["resourceType"] == "OperationOutcome"
    assert state(door, name) == "requested"
    for query in ("_count=-1", "_count=x", "_count=9" + "9" * 30, "_lastUpdated=yesterday", "_lastUpdated=2026-13",
                  "authored-on=9999", "_lastUpdated=le9999-12-31T23:59:59-14:00", "_cursor=!!!", "_cursor=e30",
                  "_sort=name", "status=%00", "identifier=%F0%9F%98%80", "_id=" + "9" * 300):  # fmt: skip
        answer = hospital.get(f"/fhir/R4/Task?{query}")
        assert answer.status_code in {200, 422}, (query, answer.text)
        valid(answer.json())
    for path in ("Patient", "Patient/1", "nonsense", "Task/a/b", "Task/%00", "Task/WH-2026-٣.1"):
        got(hospital, path, 404)
    assert hospital.get("/fhir/R4/Task", headers={"accept": "application/fhir+xml"}).status_code == 406


def test_an_outcome_speaks_the_readers_language_and_points_at_the_element(door: Door) -> None:
    name = referred(door)
    for language, words in (("zh_CN", "请填写"), ("en", "this is needed")):
        client = door.client("liaison@hospital", language)
        refused = sent(client, "PATCH", f"Task/{name}", {"status": "in-progress"}, 422)
        about = {one["expression"][0]: one["diagnostics"] for one in refused["issue"] if "expression" in one}
        assert about["Task.output.where(type.coding.code='seen-at')"] == words
    number, _, _ = name.partition(".")
    worse = {"level": "red", "reason": "worse"}
    door.town.fire("coordinator@district", number, 0, "regrade", worse, door.now)
    turned_away = {"status": "rejected", "statusReason": {"text": "full"}}
    refused = sent(door.client("liaison@hospital"), "PATCH", f"Task/{name}", turned_away, 409)
    assert refused["issue"][0]["details"]["coding"][0]["code"] == "red_cannot_decline"


# ------------------------------------------------------------------------------------------- what it says of itself


def test_the_capability_statement_is_open_and_valid_in_both_languages(door: Door) -> None:
    for language in ("zh_CN", "en"):
        stated = got(door.stranger(language), "metadata")
        assert stated["fhirVersion"] == "4.0.1"
        assert [one["type"] for one in stated["rest"][0]["resource"]] == ["ServiceRequest", "Task", "Communication"]


def test_every_state_of_a_referral_has_its_words() -> None:
    assert set(TRACK.states) == set(codes.TASK) == set(codes.REQUEST)
    assert set(codes.BUSINESS) <= set(TRACK.states)
    assert {codes.state_of(codes.business(state)) for state in TRACK.states} == set(TRACK.states)
    assert {codes.state_of(code) for code, _ in codes.BUSINESS.values()} == set(codes.BUSINESS)
    moves = {move.name: move for move in TRACK.moves}
    for trigger, outputs in codes.OUTPUTS.items():
        assert set(outputs.values()) <= {one.name for one in moves[trigger].form.fields}
    assert {*codes.OF_STATE.values(), *codes.OF_STATUS.values()} <= set(moves)


def test_validators_are_read_only_when_the_first_resource_comes() -> None:
    import subprocess
    import sys

    script = "import sys, api.fhir, api.app; sys.exit('fhir.resources' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
