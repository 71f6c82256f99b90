"""A refusal: the engine's answer to a trigger that may not be pulled. It carries facts, never HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class FieldFault:
    """One faulty field of a form: which, what kind of fault, and the facts that a text about it needs."""

    name: str
    code: str
    facts: Mapping[str, str] = field(default_factory=dict)


class Refusal(Exception):
    """A trigger was refused and nothing has changed.

    `code` is one of the contract's refusal codes; `who_can` names roles that could do it, `article` the law
    that reserves it, `faults` the faulty fields, `facts` whatever else the text about it needs (strings only,
    never personal data).
    """

    def __init__(
        self,
        code: str,
        *,
        who_can: tuple[str, ...] = (),
        article: tuple[str, str] | None = None,
        faults: tuple[FieldFault, ...] = (),
        **facts: str,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.who_can = who_can
        self.article = article
        self.faults = faults
        self.facts: dict[str, str] = facts

    def __repr__(self) -> str:
        return f"Refusal({self.code!r}, who_can={self.who_can!r}, faults={self.faults!r}, facts={self.facts!r})"


CODES: Mapping[str, tuple[str, str]] = {
    "not_found": ("没有这个个案或事项", "there is no such case or track"),
    "unlawful": ("法律把这件事交给别的机关", "the law reserves this for others"),
    "not_permitted": ("您在这个个案里没有这项权限", "you have no right to do this in this case"),
    "wrong_state": ("现在的状态不允许这样做", "its present state does not allow this"),
    "invalid": ("填写的内容有误", "the form has faults"),
    "conflict": ("刚刚有人先处理了", "somebody has just moved it first"),
    "needs_signoff": (
        "黄色、蓝色等级须先报校长签发，请用“提交”",
        "yellow and blue need the principal's sign-off: submit it",
    ),
    "needs_report_in": ("请先报到，再反馈", "report in before giving feedback"),
    "already_reported_in": (
        "已有单位报到，不能撤哨",
        "an organisation has reported in: it can't be withdrawn",
    ),
    "needs_evaluation": ("评价之后才能结案", "it can be closed only after the evaluation"),
    "needs_second_person": ("不能由唯一经手人自己结案", "whoever alone worked on a case can't close it"),
    "red_cannot_decline": ("红色等级的事项不得退回", "a red one can't be declined"),
    "already_declined": ("已裁定维持，不能再次退单", "it was upheld: it can't be declined again"),
    "too_early": ("还没到约定的时间", "the time that was agreed hasn't come"),
    "too_late": ("已过时限", "it is too late"),
    "sent_back_twice": ("已退回两次，请协调员裁定", "sent back twice already: the coordinator rules now"),
    "already_extended": ("只能延期一次", "there is one extension only"),
    "too_long": ("延期不能超过原时限", "an extension is at most the original length"),
    "not_red": ("只有红色等级可以这样做", "only a red case allows this"),
    "check_ins_missing": ("还有随访没有填报", "check-ins are still missing"),
    "already_open": ("已有一个正在进行", "one is open already"),
    "not_same_student": ("不是同一名学生，不能并案", "not the same student: the cases can't be merged"),
}
"""Every refusal code with its plain text, zh_CN and en. `api.errors` adds who could do it and what is missing."""
