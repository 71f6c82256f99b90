"""What an update of a Task asks for: which triggers, with which forms. Pure; `cases.engine` decides.

A change of the business status says it; without one a change of the status does; without either, new outputs do. What
else an update changes is left as it was: a hospital can't give itself another student.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from api.fhir import codes
from cases.refusal import FieldFault, Refusal

if TYPE_CHECKING:
    from cases.referrals import Referral

_WAITS: Final = frozenset({"schedule", "record_visit"})
"""What a hospital may say at once of a request that it hasn't accepted yet: it accepts with it."""
REASON: Final = "statusReason"


@dataclass(frozen=True, slots=True)
class Pull:
    """A trigger to be pulled with a form; `elements` says which element of the Task each field came from."""

    trigger: str
    form: Mapping[str, Any] = field(default_factory=dict)
    elements: Mapping[str, str] = field(default_factory=dict)


def asked_for(
    referral: Referral, present: Mapping[str, Any], wanted: Mapping[str, Any], organisation: Callable[[str], int | None]
) -> list[Pull]:
    """The triggers that lead from the present Task to the wanted one, in their order; none where nothing changes.

    `organisation` finds one by its code. Refuses `invalid` for a status that no trigger leads to.
    """
    trigger = _trigger(referral, present, wanted)
    if trigger is None:
        return []
    pull = Pull(trigger, *_form(trigger, wanted, organisation))
    return [Pull("accept"), pull] if referral.state == "requested" and trigger in _WAITS else [pull]


def _trigger(referral: Referral, present: Mapping[str, Any], wanted: Mapping[str, Any]) -> str | None:
    status = wanted.get("status")
    if status not in codes.TASK_STATUSES:
        raise _fault("status", "not_a_choice")
    new = _new_state(present, wanted)
    if new is not None:
        fitting = {codes.TASK[new], present["status"], *(("in-progress",) if new in {"scheduled", "no_show"} else ())}
        if status not in fitting:
            raise _fault("status", "contradicts")
        return _back_again(referral, codes.OF_STATE.get(new), "businessStatus")
    if status != present["status"]:
        return _back_again(referral, codes.OF_STATUS.get(str(status)), "status")
    said = _new_outputs(present, wanted)
    if referral.state == "in_treatment" and said & set(codes.OUTPUTS["update_treatment"]):
        return "update_treatment"
    if referral.state == "scheduled" and said & set(codes.OUTPUTS["schedule"]):
        return "schedule"
    if said:
        raise _fault("output", "nothing_to_record")
    return None


def _back_again(referral: Referral, trigger: str | None, element: str) -> str:
    """After a refused admission treatment isn't begun but taken up again."""
    if trigger is None:
        raise _fault(element, "not_a_choice")
    return "resume" if trigger == "record_visit" and referral.state == "admission_refused" else trigger


def _new_state(present: Mapping[str, Any], wanted: Mapping[str, Any]) -> str | None:
    """The state that the business status names, if it is another one than before."""
    before = {(one.get("system"), one["code"]) for one in present["businessStatus"]["coding"]}
    after = [one for one in (wanted.get("businessStatus") or {}).get("coding") or () if one.get("code")]
    changed = [one for one in after if (one.get("system"), one["code"]) not in before and _ours(one, present)]
    if not changed:
        if after and not any((one.get("system"), one["code"]) in before for one in after):
            raise _fault("businessStatus", "not_a_choice")
        return None
    found = {codes.state_of(str(one["code"])) for one in changed}
    if len(found) != 1 or None in found:
        raise _fault("businessStatus", "not_a_choice")
    return found.pop()


def _ours(coding: Mapping[str, Any], present: Mapping[str, Any]) -> bool:
    own = present["businessStatus"]["coding"][-1]["system"]
    return coding.get("system") in {None, own, codes.BSER}


def _new_outputs(present: Mapping[str, Any], wanted: Mapping[str, Any]) -> set[str]:
    before = dict(_outputs(present))
    return {code for code, value in _outputs(wanted) if before.get(code) != value}


def _form(
    trigger: str, wanted: Mapping[str, Any], organisation: Callable[[str], int | None]
) -> tuple[dict[str, Any], dict[str, str]]:
    """The form of a trigger from the outputs that belong to it; the newest of a kind counts."""
    form: dict[str, Any] = {}
    elements: dict[str, str] = {}
    known = codes.OUTPUTS.get(trigger, {})
    for code, name in known.items():
        elements[name] = f"Task.output.where(type.coding.code='{code}')"
    for code, value in _outputs(wanted):
        if code not in known:
            continue
        name = known[code]
        if code in codes.MOMENTS and not (isinstance(value, str) and "T" in value):
            # A year or a day alone is a dateTime for FHIR; an appointment it is not.
            raise _fault(elements[name], "not_a_date")
        if code in codes.ORGANISATIONS:
            value = organisation(str(value)) or 0  # noqa: PLW2901 - the same hospital by its number
        if code in codes.SEVERAL:
            form.setdefault(name, []).append(value)
        else:
            form[name] = value
    if trigger == "decline":
        elements["reason"] = f"Task.{REASON}"
        reason = wanted.get(REASON) or {}
        text = reason.get("text") or next((one.get("display") for one in reason.get("coding") or ()), None)
        if text:
            form["reason"] = text
    return form, elements


def _outputs(task: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Every output that has a code of ours, with its value whatever its type."""
    for one in task.get("output") or ():
        value = next((value for name, value in one.items() if name.startswith("value")), None)
        if isinstance(value, Mapping):
            value = _code_of(value)
        for coding in (one.get("type") or {}).get("coding") or ():
            if value is not None and any(coding.get("code") in known for known in codes.OUTPUTS.values()):
                yield coding["code"], value


def _code_of(value: Mapping[str, Any]) -> Any:  # noqa: ANN401 - JSON
    """What a Coding, a CodeableConcept or a Reference comes down to."""
    if isinstance(value.get("identifier"), Mapping):
        return value["identifier"].get("value")
    coding = value.get("coding")
    if coding:
        return coding[0].get("code")
    return value.get("code") or value.get("text")


def _fault(element: str, code: str) -> Refusal:
    path = element if element.startswith("Task.") else f"Task.{element}"
    return Refusal("invalid", faults=(FieldFault(path, code),))
