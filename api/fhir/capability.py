"""What this facade can do, as FHIR describes it: `/metadata`, open to everybody, since nothing of anybody is in it."""

from __future__ import annotations

from typing import Any, Final

from fastapi import APIRouter, Request, Response

from api.asked import TheHouse
from api.fhir import answers
from api.fhir.answers import Acceptable
from api.fhir.reading import JSON, PATCH
from api.tongue import language

router = APIRouter(dependencies=[Acceptable])

_DATE: Final = "2026-03-17"
_PARAMETERS: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "ServiceRequest": (("status", "token"), ("authored", "date"), ("priority", "token")),
    "Task": (
        ("status", "token"),
        ("business-status", "token"),
        ("authored-on", "date"),
        ("priority", "token"),
        ("focus", "reference"),
        ("based-on", "reference"),
    ),
    "Communication": (
        ("status", "token"),
        ("sent", "date"),
        ("based-on", "reference"),
        ("part-of", "reference"),
    ),
}
_COMMON: Final = (("_id", "token"), ("_lastUpdated", "date"), ("identifier", "token"))
_CAN: Final = {
    "ServiceRequest": ("read", "search-type"),
    "Task": ("read", "search-type", "update", "patch"),
    "Communication": ("read", "search-type", "create"),
}
_SAID: Final = {
    "ServiceRequest": (
        "学校的转诊申请；读取单个资源会打开学生身份和转诊理由，并记入调阅日志。检索结果不含这些内容。",
        "The school's request. Reading one opens who the student is and why, and is logged; a search holds neither.",
    ),
    "Task": (
        "医院对转诊的处理；更新状态即按规则办理，不符合规则的更新会被拒绝。",
        "What the hospital does. A new status pulls the referral's triggers; whatever they refuse is refused.",
    ),
    "Communication": (
        "给学校的建议；新建即记录治疗进展。带 Idempotency-Key 或 If-None-Exist 重发，24 小时内只新建一次。",
        "Advice for the school; creating one tells of the treatment, once for each Idempotency-Key or If-None-Exist.",
    ),
}


@router.get("/metadata")
def metadata(request: Request, house: TheHouse) -> Response:
    """The capability statement."""
    spoken = language(request, house.settings)
    return answers.told(statement(answers.base(house), spoken), spoken)


def statement(base: str, spoken: str) -> dict[str, Any]:
    """The capability statement of the facade at this address, in that language."""
    place = 0 if spoken == "zh_CN" else 1
    security = (
        "管理员为系统签发的令牌（Authorization: Bearer），权限为 fhir:read、fhir:write。",
        "A token that an administrator draws for the system (Authorization: Bearer), with fhir:read and fhir:write.",
    )
    return {
        "resourceType": "CapabilityStatement",
        "url": f"{base}/metadata",
        "name": "WhistleAndReportReferrals",
        "title": ("吹哨报到：绿色转诊", "Whistle and report: referrals")[place],
        "status": "active",
        "date": _DATE,
        "kind": "instance",
        "implementation": {"description": ("绿色转诊接口", "Referrals of this installation")[place], "url": base},
        "fhirVersion": "4.0.1",
        "format": [JSON],
        "patchFormat": [PATCH, JSON],
        "rest": [
            {
                "mode": "server",
                "security": {"description": security[place]},
                "resource": [_resource(kind, place) for kind in _CAN],
            }
        ],
    }


def _resource(kind: str, place: int) -> dict[str, Any]:
    parameters = (*_COMMON, *_PARAMETERS[kind])
    if kind == "Communication":
        parameters = tuple(one for one in parameters if one[0] != "identifier")
    return {
        "type": kind,
        "documentation": _SAID[kind][place],
        "interaction": [{"code": code} for code in _CAN[kind]],
        "versioning": "versioned",
        "readHistory": False,
        "updateCreate": False,
        "searchParam": [{"name": name, "type": type_} for name, type_ in parameters],
    }
