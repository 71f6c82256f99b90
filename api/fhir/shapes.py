"""Resources of FHIR R4 made from a referral. Only elements that R4 and R4B share are used.

A resource made without `said` has nothing that is sealed in it, and is marked SUBSETTED where something is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from api.fhir import codes

if TYPE_CHECKING:
    from cases.referrals import Referral, Told
    from cases.who import Organisation

Resource = dict[str, Any]
_SUBSETTED: Final = {"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "SUBSETTED"}
_PAST: Final = frozenset({"proposed", "consent_refused"})
LABELS: Final = ("zh_CN", "en")


@dataclass(frozen=True, slots=True)
class Words:
    """In which words a resource is written: the address of this facade, the reader's language, labels of states."""

    base: str
    language: str
    states: Mapping[str, tuple[str, str]]
    concern: str | None = None

    def state(self, name: str) -> str:
        return self.states[name][LABELS.index(self.language)]

    def system(self, name: str) -> str:
        """Where our own codes and numbers are from."""
        return f"{self.base}/{name}"


@dataclass(frozen=True, slots=True)
class Said:
    """What was opened for this reader: the student, why the school refers, its screening. Each may be missing."""

    identity: Mapping[str, Any] | None = None
    reason: str | None = None
    purpose: str | None = None
    screening: str | None = None


def instant(at: datetime) -> str:
    """An instant as FHIR writes it."""
    return at.isoformat(timespec="milliseconds" if at.microsecond else "seconds").replace("+00:00", "Z")


def reference(kind: str, name: str) -> Resource:
    return {"reference": f"{kind}/{name}", "type": kind}


def organisation(place: Organisation, words: Words) -> Resource:
    """An organisation by its code and name; this facade has no resource of it."""
    code = {"system": words.system("organisation"), "value": place.code}
    return {"type": "Organization", "identifier": code, "display": place.name}


def student(referral: Referral, words: Words) -> Resource:
    """The student by a pseudonym, which is another one at every hospital."""
    return {"type": "Patient", "identifier": {"system": words.system("student"), "value": referral.student}}


def service_request(
    referral: Referral, school: Organisation, hospital: Organisation, words: Words, said: Said | None = None
) -> Resource:
    """The school's request. With `said`, who the student is and why; without, neither."""
    subject = student(referral, words)
    made: Resource = {"resourceType": "ServiceRequest", **_head(referral, referral.version, referral.changed, words)}
    if said is None:
        made["meta"]["tag"] = [_SUBSETTED]
    elif said.identity is not None:
        made["contained"] = [patient(said.identity, subject["identifier"])]
        subject = {"reference": "#student", **subject}
    concern: Resource = {"coding": [{"system": words.system("concern"), "code": referral.concern}]}
    if words.concern:
        concern["coding"][0]["display"] = words.concern
    if said is not None and (said.reason or said.purpose):
        concern["text"] = "\n".join(filter(None, (said.reason, said.purpose)))
    made |= {
        "status": codes.REQUEST[referral.state],
        "intent": "proposal" if referral.state in _PAST else "order",
        "priority": codes.PRIORITY[referral.level],
        "code": {"text": "心理健康绿色转诊" if words.language == "zh_CN" else "referral for mental health"},
        "subject": subject,
        "authoredOn": instant(referral.opened),
        "requester": organisation(school, words),
        "performer": [organisation(hospital, words)],
        "reasonCode": [concern],
    }
    if said is not None and said.screening:
        made["note"] = [{"text": said.screening}]
    return made


def patient(identity: Mapping[str, Any], pseudonym: Resource) -> Resource:
    """Who the student is, as far as a reception desk needs it: the number of the identity card stays here."""
    made: Resource = {"resourceType": "Patient", "id": "student", "identifier": [pseudonym]}
    if identity.get("name"):
        made["name"] = [{"text": str(identity["name"])}]
    if identity.get("born"):
        made["birthDate"] = str(identity["born"])
    if identity.get("address"):
        made["address"] = [{"text": str(identity["address"])}]
    contacts = [_contact(one) for one in identity.get("guardians") or ()]
    if contacts:
        made["contact"] = contacts
    return made


def _contact(guardian: Any) -> Resource:  # noqa: ANN401 - a line, or lines by name
    if not isinstance(guardian, Mapping):
        return {"name": {"text": str(guardian)}}
    made: Resource = {}
    if guardian.get("name"):
        made["name"] = {"text": str(guardian["name"])}
    if guardian.get("phone"):
        made["telecom"] = [{"system": "phone", "value": str(guardian["phone"])}]
    rest = [str(value) for name, value in guardian.items() if name not in {"name", "phone"}]
    if rest:
        made["relationship"] = [{"text": ", ".join(rest)}]
    return made or {"name": {"text": "-"}}


def task(referral: Referral, school: Organisation, hospital: Organisation, words: Words) -> Resource:
    """What the hospital has to do, and how far it is. Nothing sealed is in it."""
    made: Resource = {
        "resourceType": "Task",
        **_head(referral, referral.version, referral.changed, words),
        "basedOn": [reference("ServiceRequest", referral.name)],
        "status": codes.TASK[referral.state],
        "businessStatus": business_status(referral, words),
        "intent": "order",
        "priority": codes.PRIORITY[referral.level],
        "code": {"coding": [{"system": codes.TASK_CODES, "code": "fulfill"}]},
        "focus": reference("ServiceRequest", referral.name),
        "for": student(referral, words),
        "authoredOn": instant(referral.opened),
        "lastModified": instant(referral.changed),
        "requester": organisation(school, words),
        "owner": organisation(hospital, words),
    }
    if referral.due is not None:
        made["restriction"] = {"period": {"end": instant(referral.due)}}
    outputs = list(_outputs(referral, words))
    if outputs:
        made["output"] = outputs
    return made


def business_status(referral: Referral, words: Words) -> Resource:
    """What has happened: BSeR's code where there is one, and our own."""
    coding: list[Resource] = []
    asked = referral.facts.get("cancellation_requested") and codes.TASK[referral.state] != "cancelled"
    known = codes.CANCELLATION if asked else codes.BUSINESS.get(referral.state)
    if known is not None:
        coding.append({"system": codes.BSER, "code": known[0], "display": known[1]})
    own = codes.business(referral.state)
    coding.append({"system": words.system("referral-state"), "code": own, "display": words.state(referral.state)})
    return {"coding": coding, "text": words.state(referral.state)}


def _outputs(referral: Referral, words: Words) -> Sequence[Resource]:
    """What the hospital has recorded so far, the newest of each kind: instants, days and codes alone."""
    newest: dict[str, Resource] = {}
    for step in referral.steps:
        for code, field in codes.OUTPUTS.get(step.trigger, {}).items():
            value = step.open.get(field)
            if value is None or code in codes.ORGANISATIONS:
                continue
            kind = "valueDateTime" if code in codes.MOMENTS else "valueDate" if code == "next-visit" else "valueCode"
            if code in codes.MOMENTS:
                value = instant(datetime.fromisoformat(value))
            newest[code] = {"type": {"coding": [{"system": words.system("task-output"), "code": code}]}, kind: value}
    return list(newest.values())


def communication(
    one: Told, words: Words, hospital: Organisation, school: Organisation, advice: str | None
) -> Resource:
    """One update of a treatment as the school was told of it. Without `advice` it says only that there was one."""
    made: Resource = {
        "resourceType": "Communication",
        "id": one.name,
        "meta": {"versionId": "1", "lastUpdated": instant(one.at)},
        "basedOn": [reference("ServiceRequest", one.referral.name)],
        "partOf": [reference("Task", one.referral.name)],
        "status": "completed",
        "subject": student(one.referral, words),
        "sent": instant(one.at),
        "recipient": [organisation(school, words)],
        "sender": organisation(hospital, words),
    }
    if advice is None:
        made["meta"]["tag"] = [_SUBSETTED]
    else:
        made["payload"] = [{"contentString": advice}]
    return made


def _head(referral: Referral, version: int, changed: datetime, words: Words) -> Resource:
    return {
        "id": referral.name,
        "meta": {"versionId": str(version), "lastUpdated": instant(changed)},
        "language": words.language.replace("_", "-"),
        "identifier": [
            {"system": words.system("referral"), "value": referral.name},
            {"system": words.system("case"), "value": referral.number},
        ],
    }
