"""What a refusal, a faulty field or a status is called, in both languages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from api.imports.table_fault import TableFault
from cases import file_fault
from cases.scenario.words import ROLES

FIELDS: Final[Mapping[str, tuple[str, str]]] = {
    "missing": ("请填写", "this is needed"),
    "unknown": ("没有这一项", "there is no such field"),
    "not_a_choice": ("请从给出的选项中选择", "choose one of those offered"),
    "wrong_form": ("格式不对", "this isn't written as it should be"),
    "too_small": ("太小或太早", "this is too small or too early"),
    "too_large": ("太大或太晚", "this is too large or too late"),
    "too_long": ("太长", "this is too long"),
    "too_many": ("太多", "these are too many"),
    "not_a_date": ("不是有效的日期或时间", "this is no date or time"),
    "no_organisation": ("没有这个单位", "there is no such organisation"),
    "not_a_school": ("这个单位不是学校", "this isn't a school"),
    "not_a_hospital": ("这个单位不是医院", "this isn't a hospital"),
    "not_an_assignment": ("这一项不是派单", "this isn't an assignment"),
    "nothing_to_extend": ("没有可以延期的时限", "there is no limit to be extended"),
    "not_scorable": ("不能评价这一项", "this can't be scored"),
    "wrong_kind": ("单位类别不对", "this is the wrong kind of organisation"),
    "wrong_unit": ("时长单位须与原时限相同", "the unit has to be that of the limit"),
    "called_already": ("已经通知过了", "this one has been called already"),
    "before_it_began": ("早于这一项开始的时间", "this is before it began"),
    "before_the_summons": ("早于派单时间", "this is before the summons"),
    "in_the_future": ("不能晚于现在", "this can't be in the future"),
    "in_the_past": ("不能早于今天", "this can't be in the past"),
    "ended": ("这一项已经结束", "this one has ended"),
    "unknown_event": ("没有这种事件", "there is no such event"),
    "inside": ("不能发往内部网络地址", "this leads into an inner network"),
    "needs_https": ("须用 https 地址", "this has to be an https address"),
    "contradicts": ("与其他内容矛盾", "this contradicts the rest"),
    "nothing_to_record": ("现在的状态不能登记这一项", "this can't be recorded in its present state"),
    "used_otherwise": ("这个键已用于另一个请求", "this key was used for another request"),
}
"""The faults of a field. One that has no words of its own is called faulty."""
FAULTY: Final = ("填写有误", "this is faulty")

STATUSES: Final[Mapping[int, tuple[str, str]]] = {
    400: ("请求有误", "the request is faulty"),
    401: ("请先登录", "please sign in first"),
    403: ("没有这项权限", "you have no right to do this"),
    404: ("没有这个页面或事项", "there is no such page or thing"),
    405: ("这里不能这样请求", "this can't be asked in this way"),
    406: ("没有这种格式", "it isn't to be had in this form"),
    409: ("与现状冲突", "it conflicts with what is"),
    412: ("刚刚有人先处理了", "somebody has just moved it first"),
    413: ("内容太大", "this is too large"),
    415: ("不支持这种内容类型", "this type of content isn't understood"),
    421: ("不是本系统的网址", "this isn't an address of ours"),
    422: ("填写的内容有误", "the form has faults"),
    429: ("请求太多，请稍后再试", "too many requests: try again later"),
    500: ("系统出错了，已经记下", "something went wrong here, and has been noted"),
    503: ("系统暂时不可用，请稍后再试", "out of service for the moment: try again later"),
}

_LIMITS: Final[Mapping[str, tuple[str, str]]] = {
    "ge": ("不小于 {}", "at least {}"),
    "gt": ("大于 {}", "more than {}"),
    "le": ("不大于 {}", "at most {}"),
    "lt": ("小于 {}", "less than {}"),
    "max_length": ("最多 {}", "at most {}"),
    "min_length": ("至少 {}", "at least {}"),
    "expected": ("可用：{}", "known: {}"),
    "unit": ("单位：{}", "unit: {}"),
}


def of_field(code: str, facts: Mapping[str, str], language: str) -> str:
    """The words for one faulty field, with what would be right where that is known."""
    place = 0 if language == "zh_CN" else 1
    if code in file_fault.TEXTS:
        return file_fault.TEXTS[code][place].format_map(facts)
    if code.startswith("table_"):
        return TableFault(code.removeprefix("table_"), **facts).text(language)
    said = FIELDS.get(code, FAULTY)[place]
    right = [_LIMITS[name][place].format(value) for name, value in facts.items() if name in _LIMITS]
    if not right:
        return said
    return f"{said}({';'.join(right)})" if place == 0 else f"{said} ({'; '.join(right)})"


def of_status(status: int, language: str) -> str:
    words = STATUSES.get(status, STATUSES[500 if status >= 500 else 400])
    return words[0 if language == "zh_CN" else 1]


def of_roles(roles: Iterable[str], language: str) -> str:
    """Roles by their names, `coordinator@district` by that of the role."""
    names = dict.fromkeys(one.partition("@")[0] for one in roles)
    said = [ROLES[name].in_language(language) if name in ROLES else name for name in names]
    return ("、" if language == "zh_CN" else ", ").join(said)
