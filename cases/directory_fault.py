"""What can be wrong with an organisation, a member, a post or a rota, said in both languages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from cases.scenario.words import KINDS, ROLES
from cases.spoken import SpokenFault
from policies.vocabulary import Words

_TEXTS: Final[dict[str, tuple[str, str]]] = {
    "no_organisation": (
        "没有这个单位：{what}。请核对名称或代码。",
        "There is no organisation {what}. Check its name or code.",
    ),
    "no_member": ("没有这个人员：{what}。", "There is no member {what}."),
    "no_term": (
        "没有在这一天（{until}）或之前开始、尚未结束的“{role}”任期。最后一天不能早于任期的第一天。",
        "There is no open term as {role} that had begun by {until}. The last day can't be before the first.",
    ),
    "phone_form": ("电话应为 5 到 20 位数字，可有 + 和 -。", "A telephone number has 5 to 20 digits, with + and -."),
    "email_form": ("邮箱应如 name@example.cn。", "A mail address should look like name@example.cn."),
    "shift_over": (
        "这一班（{start} 至 {end}）已经过去。请填今后的时间。",
        "That shift ({start} to {end}) is over. Give a time to come.",
    ),
    "no_shift": ("{name}的值班表上没有这一班，可能已被撤下。", "The rota of {name} has no such shift, or no longer."),
    "no_student": ("没有这个学生：{what}。", "There is no student {what}."),
    "nobody_responsible": (
        "{school}所在的街道、区、市都没有登记“{kind}”类单位。请先登记。",
        "Nobody of the kind {kind} answers for {school}, in its street, district or city: register one.",
    ),
    "unknown_kind": (
        "没有“{what}”这种单位类别。可用：{known}。",
        "There is no kind {what}. Known are: {known}.",
    ),
    "unknown_role": ("没有“{what}”这种职务。可用：{known}。", "There is no role {what}. Known are: {known}."),
    "unknown_language": (
        "没有“{what}”这种语言。可用：{known}。",
        "There is no language {what}. Known are: {known}.",
    ),
    "nameless": ("{what}不能空着。", "{what} can't be empty."),
    "code_taken": ("代码 {code} 已经属于{name}。", "The code {code} belongs to {name} already."),
    "needs_parent": (
        "{name}要有上级单位；只有市可以没有。",
        "{name} needs a parent organisation; only a city has none.",
    ),
    "wrong_parent": (
        "“{kind}”类单位的上级应当是：{kinds}；{name}不是。",
        "The parent of a {kind} is one of: {kinds}; {name} is none.",
    ),
    "wrong_link": (
        "{name}的{link}应当是“{wanted}”类单位，{found}不是。",
        "The {link} of {name} has to be a {wanted}, and {found} isn't one.",
    ),
    "only_schools": (
        "只有学校有定点医院和默认社区，{name}不是学校。",
        "Only a school has a designated hospital and a community by default; {name} is no school.",
    ),
    "role_elsewhere": (
        "“{role}”这一职务只能设在这些单位：{kinds}；{name}不是。",
        "The post of {role} exists only at these kinds of organisation: {kinds}; {name} is none.",
    ),
    "needs_school": (
        "工作站街道主任要写明是哪所学校工作站的。",
        "A codirector has to name the school whose station it is.",
    ),
    "no_school_here": (
        "只有工作站街道主任的职务写明学校，{role}不写。",
        "Only a codirector's post names a school; {role} doesn't.",
    ),
    "post_taken": (
        "{name}的“{role}”已经有人担任。请先结束那一任。",
        "The post of {role} at {name} is taken. End that term first.",
    ),
    "post_held_already": (
        "{member}已经在{name}担任“{role}”。",
        "{member} is {role} at {name} already.",
    ),
    "term_backwards": (
        "任期的最后一天（{until}）早于第一天（{since}）。",
        "The term's last day ({until}) is before its first ({since}).",
    ),
    "not_a_director": (
        "{member}不是{school}工作站的{role}，不能担任双主任。",
        "{member} isn't the {role} of {school}'s station and can't be one of its two directors.",
    ),
    "not_an_officer": (
        "{member}不是{name}的经办人，不能排班。",
        "{member} is no officer of {name} and can't be on its rota.",
    ),
    "shift_backwards": (
        "值班的结束时间（{end}）不晚于开始时间（{start}）。",
        "The shift ends ({end}) no later than it starts ({start}).",
    ),
    "shift_overlaps": (
        "{member}在这段时间已经排了班（{start} 至 {end}）。",
        "{member} is on duty at that time already ({start} to {end}).",
    ),
    "still_above": ("{name}下面还有单位，请先停用它们。", "Organisations still stand under {name}: close them first."),
    "still_staffed": (
        "{name}还有人员或职务，请先调离或停用。",
        "Members still belong to {name} or hold posts there: end those first.",
    ),
    "still_named": (
        "还有学校把{name}登记为街道、定点医院或社区，请先改过来。",
        "Schools still name {name} as their street, hospital or community: change that first.",
    ),
    "still_at_work": ("{name}还有未办结的个案或事项。", "{name} still has cases or tracks that aren't finished."),
    "roster_no_taken": (
        "学籍序号 {number} 在{school}已经有学生。",
        "The roster number {number} belongs to another student of {school} already.",
    ),
    "loop": (
        "不能把{name}放到{parent}下面：{parent}本身就在{name}之下，会形成循环。",
        "{name} can't be put under {parent}: {parent} itself stands under {name}, which would make a loop.",
    ),
}


_PARTS: Final[Mapping[str, Words]] = {
    "name": Words("姓名或名称", "the name"),
    "code": Words("代码", "the code"),
}
_LINKS: Final[Mapping[str, Words]] = {one: KINDS[one] for one in ("street", "hospital", "community", "school")}
_WORDS: Final[Mapping[str, Mapping[str, Words]]] = {
    "role": ROLES, "kind": KINDS, "kinds": KINDS, "wanted": KINDS, "link": _LINKS, "what": _PARTS,
}  # fmt: skip
"""What the codes among the facts are called."""


class DirectoryFault(SpokenFault, ValueError):
    """The directory can't hold or answer what was asked; nothing was written by the refused call.

    `facts` are names and codes of organisations and of staff, never of students.
    """

    texts = _TEXTS

    def text(self, language: str) -> str:
        """The message; roles and kinds of organisation by their names, not by their codes."""
        said = {name: _named(name, value, language) for name, value in self.facts.items()}
        chinese, english = self.texts[self.code]
        return (chinese if language == "zh_CN" else english).format_map(said)


def _named(name: str, value: str, language: str) -> str:
    known = _WORDS.get(name)
    if known is None:
        return value
    said = [known[one].in_language(language) if one in known else one for one in value.split(", ")]
    return ("、" if language == "zh_CN" else ", ").join(said)


class OrganisationLoop(DirectoryFault):
    """An organisation would become its own ancestor."""

    def __init__(self, *, name: str, parent: str) -> None:
        super().__init__("loop", name=name, parent=parent)
