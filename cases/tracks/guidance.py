"""家庭教育指导: help for the family and, when it refuses, the lawful ladder (Family Education Promotion Law).

Schools, streets and hospitals only offer, urge and refer. Which rungs the law reserves, and by which article,
is the policy's (`reserved`); the relations here say the same once more.
"""

from __future__ import annotations

from cases.track import FOLLOWS, Desk, FieldFault, Move, Refusal, State, Track, by_now, fields, who

ACTIVE = (
    "offered",
    "engaged",
    "evading",
    "criticised",
    "referred_to_police",
    "admonished",
    "ordered",
    "defied",
)
COMPANIONS = "officer, lead@assignee; officer@community; counselor@school"
# Civil Code art. 36, as far as its applicants are among our kinds of organisation.
MAY_SEEK_CUSTODY_REVIEW = (
    "principal, counselor@school; liaison@hospital; officer, lead@community; "
    "officer, lead@womens_federation; officer, lead@civil_affairs; officer, lead@disabled_federation"
)


def _in_catalogue(desk: Desk) -> Refusal | None:
    wanted = desk.form["programme"]
    for code, programme in desk.book.programmes.items():
        if wanted in {code, *programme.label}:
            return None
    return Refusal("invalid", faults=(FieldFault("programme", "not_a_choice"),))


def _referred(desk: Desk) -> None:
    desk.call(desk.nearest("police").id)


TRACK = Track(
    kind="guidance",
    label=("家庭教育指导", "family-education guidance"),
    initial="offered",
    opened_event="offered",
    states={
        "offered": State(("已告知", "offered")),
        "engaged": State(("接受指导", "engaged")),
        "completed": State(("已完成", "completed"), end=True),
        "evading": State(("拒绝或怠于履行", "evading")),
        "criticised": State(("批评劝诫", "criticised")),
        "referred_to_police": State(("移送公安", "referred to the police")),
        "admonished": State(("训诫", "admonished")),
        "ordered": State(("指导令", "ordered")),
        "complied": State(("已履行", "complied"), end=True),
        "defied": State(("未履行", "defied")),
        "custody_review": State(("提请监护权审查", "custody review"), end=True),
        "cancelled": State(("已取消", "cancelled"), end=True),
    },
    moves=(
        Move(
            name="offer",
            event="offered",
            label=("告知家庭教育指导", "offer guidance"),
            source=None,
            target="offered",
            by=who("counselor@school; officer@community"),
            form=fields("programme", programme="line:open"),
            guards=(_in_catalogue,),
        ),
        Move(
            name="engage",
            event="engaged",
            label=("接受指导", "engage"),
            source=("offered", "evading", "criticised", "referred_to_police", "admonished"),
            target="engaged",
            by=who(COMPANIONS),
        ),
        Move(
            name="record_session",
            event="session_recorded",
            label=("记录指导", "record a session"),
            source=("engaged",),
            by=who(COMPANIONS),
            form=fields("day, hours, note?"),
            guards=(by_now("day"),),
        ),
        Move(
            name="complete",
            event="completed",
            label=("完成指导", "complete"),
            source=("engaged",),
            target="completed",
            by=who(COMPANIONS),
        ),
        Move(
            name="record_evasion",
            event="evasion_recorded",
            label=("记录拒绝或怠于履行", "record the evasion"),
            source=("offered", "engaged"),
            target="evading",
            by=who("counselor@school; officer@community; officer@assignee"),
            form=fields("facts"),
        ),
        Move(
            name="criticise",
            event="criticised",
            label=("批评劝诫", "criticise"),
            source=("evading",),
            target="criticised",
            by=who("officer@community; officer@womens_federation; principal@school"),
            form=fields("facts"),
        ),
        Move(
            name="refer_to_police",
            event="referred_to_police",
            label=("移送公安", "refer to the police"),
            source=("criticised", "evading"),
            target="referred_to_police",
            by=who("officer@community; principal@school"),
            form=fields("facts"),
            tells=("officer@police", "lead@police"),
            then=_referred,
        ),
        Move(
            name="admonish",
            event="admonished",
            label=("训诫", "admonish"),
            source=("referred_to_police",),
            target="admonished",
            by=who("officer@police; officer@procuratorate; officer@court"),
            form=fields("number"),
        ),
        Move(
            name="order",
            event="ordered",
            label=("发出家庭教育指导令", "issue a guidance order"),
            source=("referred_to_police", "admonished"),
            target="ordered",
            by=who("officer@court"),
            form=fields("number, term, duties"),
        ),
        Move(
            name="supervise_guardian",
            event="guardian_supervised",
            label=("发出督促监护令", "issue a guardian-supervision order"),
            source=("criticised", "referred_to_police", "admonished", "ordered"),
            by=who("officer@procuratorate"),
            form=fields("number, term"),
        ),
        Move(
            name="warn_of_violence",
            event="warned_of_violence",
            label=("发出家庭暴力告诫书", "issue a domestic-violence warning"),
            source=ACTIVE,
            by=who("officer@police"),
            form=fields("number"),
            # Both visit afterwards and record it as checks (Anti-Domestic-Violence Law art. 17).
            tells=("officer@community", "officer@police"),
        ),
        Move(
            name="record_check",
            event="check_recorded",
            label=("记录查访", "record a check"),
            source=ACTIVE,
            by=who("officer@community; officer@police"),
            form=fields("day, note"),
        ),
        Move(
            name="record_compliance",
            event="compliance_recorded",
            label=("记录履行", "record the compliance"),
            source=("ordered",),
            target="complied",
            by=who("officer@court; officer@community; officer@womens_federation"),
            form=fields("facts?"),
        ),
        Move(
            name="record_defiance",
            event="defiance_recorded",
            label=("记录拒不履行", "record the defiance"),
            source=("ordered",),
            target="defied",
            by=who("officer@court; officer@community; officer@womens_federation"),
            form=fields("facts?"),
        ),
        Move(
            name="propose_custody_review",
            event="custody_review_proposed",
            label=("提请监护权审查", "propose a custody review"),
            source=("defied",),
            target="custody_review",
            by=who(MAY_SEEK_CUSTODY_REVIEW),
            form=fields("grounds"),
        ),
        Move(
            name="cancel",
            event="cancelled",
            label=("取消", "cancel"),
            source=ACTIVE,
            target="cancelled",
            by=FOLLOWS,
        ),
    ),
)
