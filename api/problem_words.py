"""What a refusal, a faulty field or a status is called, in both languages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from api.imports.table_fault import TableFault
from cases import file_fault
from cases.scenario.words import ROLES
from policies.limits import unit_word

FIELDS: Final[Mapping[str, tuple[str, str]]] = {
    "missing": ("请填写", "this is needed"),
    "unknown": ("没有这一项", "there is no such field"),
    "not_a_choice": ("请从给出的选项中选择", "choose one of those offered"),
    "wrong_form": ("格式不对", "this isn't written as it should be"),
    "too_small": ("太小", "this is too small"),
    "too_large": ("太大", "this is too large"),
    "out_of_range": ("须在 {from} 到 {to} 之间", "this has to lie from {from} to {to}"),
    "id_number_form": (
        "身份证号应为 17 位数字加 1 位数字或 X，共 18 位",
        "an ID number has 18 places: 17 digits, then a digit or X",
    ),
    "id_number_check": (
        "身份证号的最后一位（校验码）对不上，请逐位核对",
        "the last place of the ID number (its check digit) doesn't fit: compare it digit by digit",
    ),
    "id_number_born": (
        "身份证号里的出生日期与所填的出生日期不同，请核对",
        "the birthday in the ID number isn't the date of birth given: look at both again",
    ),
    "not_a_students_age": (
        "学生年龄应在 {youngest} 到 {oldest} 岁之间，请核对出生日期",
        "a student is {youngest} to {oldest} years old: look at the date of birth again",
    ),
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
    "wrong_unit": ("单位须为{unit}", "it has to be in {unit}"),
    "called_already": ("已经通知过了", "this one has been called already"),
    "before_it_began": ("早于这一项开始的时间", "this is before it began"),
    "before_the_summons": ("早于派单时间", "this is before the summons"),
    "in_the_future": ("不能晚于现在", "this can't be in the future"),
    "in_the_past": ("不能早于今天", "this can't be in the past"),
    "no_such_case": ("没有可以并入的这个个案", "there is no such case that this one could go into"),
    "has_ended": ("这个个案已经结束，不能并入", "that case has ended: nothing can go into it"),
    "ended": ("这一项已经结束", "this one has ended"),
    "unknown_event": ("没有这种事件", "there is no such event"),
    "inside": ("不能发往内部网络地址", "this leads into an inner network"),
    "needs_https": ("须用 https 地址", "this has to be an https address"),
    "anothers": (
        "本校档案中，这个身份证号属于姓名或出生日期不同的学生，请核对",
        "in this school's records this ID number belongs to somebody of another name or birthday",
    ),
    "another_student": (
        "这份吹哨关联的是本校已有档案的另一名学生；换一名学生请另行吹哨",
        "this whistle is about another student of the school's records; begin a new one for somebody else",
    ),
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

_BOUNDS: Final[Mapping[str, tuple[str, str]]] = {
    "ge": ("不能小于 {}", "at least {}"),
    "gt": ("须大于 {}", "more than {}"),
    "le": ("不能大于 {}", "at most {}"),
    "lt": ("须小于 {}", "less than {}"),
}
_DAYS: Final[Mapping[str, tuple[str, str]]] = {
    "ge": ("最早 {}", "not before {}"),
    "gt": ("须晚于 {}", "after {}"),
    "le": ("最晚 {}", "not after {}"),
    "lt": ("须早于 {}", "before {}"),
}
_LENGTHS: Final[Mapping[str, tuple[str, str]]] = {
    "too_long": ("太长，最多 {} 字", "this is too long: at most {} characters"),
    "too_many": ("太多，最多 {} 项", "these are too many: at most {}"),
}
_WANTED: Final[Mapping[str, tuple[str, str]]] = {
    "number": ("请填数字", "write a number"),
    "whole": ("请填整数", "write a whole number"),
    "yesno": ("请选择是或否", "choose yes or no"),
    "limit": ("请写整数和单位，如 3wd（3 个工作日）、2d（2 天）", "write a number and a unit, such as 3wd or 2d"),
    "case": ("请填个案编号，如 WH-2026-000123", "give the number of a case, such as WH-2026-000123"),
}
"""What belongs into a field whose content has the wrong form."""
_ALSO: Final[Mapping[str, tuple[str, str]]] = {
    "expected": ("（可用：{}）", " (known: {})"),
    "since": ("（{}）", " ({})"),
}
"""Facts that are said after the words of any fault."""
_CHOOSE: Final = ("请选择", "please choose")
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")


def of_field(code: str, facts: Mapping[str, str], language: str) -> str:
    """The words for one faulty field, with what would be right where that is known.

    Where something is chosen instead of written, the facts say so (`wanted`: `choice`).
    """
    place = 0 if language == "zh_CN" else 1
    if code in file_fault.TEXTS:
        return file_fault.said(code, facts)[place]
    if code.startswith("table_"):
        return TableFault(code.removeprefix("table_"), **facts).text(language)
    if code == "missing" and facts.get("wanted") == "choice":
        return _CHOOSE[place]
    if code == "wrong_form" and facts.get("wanted") in _WANTED:
        return _WANTED[facts["wanted"]][place]
    if code in _LENGTHS and "max_length" in facts:
        return _LENGTHS[code][place].format(facts["max_length"])
    bounds = [
        (_DAYS if _DAY.fullmatch(value) else _BOUNDS)[name][place].format(value)
        for name, value in facts.items()
        if name in _BOUNDS
    ]
    if bounds:
        return ("，" if place == 0 else "; ").join(bounds)
    known = {**facts, "unit": unit_word(facts["unit"], language)} if "unit" in facts else facts
    said = FIELDS.get(code, FAULTY)[place].format_map(known)
    return said + "".join(_ALSO[name][place].format(value) for name, value in facts.items() if name in _ALSO)


def sentence(text: str, language: str) -> str:
    """A text that stands alone: in English it begins with a capital letter."""
    return text if language == "zh_CN" else text[:1].upper() + text[1:]


def of_status(status: int, language: str) -> str:
    words = STATUSES.get(status, STATUSES[500 if status >= 500 else 400])
    return words[0 if language == "zh_CN" else 1]


def of_roles(roles: Iterable[str], language: str) -> str:
    """Roles by their names, `coordinator@district` by that of the role."""
    names = dict.fromkeys(one.partition("@")[0] for one in roles)
    said = [ROLES[name].in_language(language) if name in ROLES else name for name in names]
    return ("、" if language == "zh_CN" else ", ").join(said)
