"""What can be wrong with a row of a list that is brought in, said in both languages, with what would be right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Final

from cases.directory_fault import DirectoryFault

TEXTS: Final[Mapping[str, tuple[str, str]]] = {
    "missing": ("这一格要填：{wanted}", "this cell is needed: {wanted}"),
    "formula": (
        "这一格是公式，不会计算；请粘贴为数值",
        "this cell is a formula and isn't calculated: paste its value instead",
    ),
    "error_value": ("这一格是表格软件的错误值", "this cell holds an error of the spreadsheet"),
    "too_long": ("太长，最多 {limit} 个字", "too long: {limit} characters at most"),
    "control_characters": ("含有看不见的控制字符", "it holds control characters that nobody sees"),
    "not_a_date": ("不是日期，应如 2016-11-02", "no date: it should look like 2016-11-02"),
    "date_out_of_range": ("日期应在 {earliest} 到 {latest} 之间", "the date should lie from {earliest} to {latest}"),
    "number_as_number": (
        "长号码存成了数字，末几位已丢失；请把这一列设为“文本”后重填",
        "a long number was kept as a number and lost its last digits: make the column text and type it again",
    ),
    "id_number_form": (
        "身份证号应为 17 位数字加 1 位数字或 X",
        "an ID number has 17 digits and then a digit or X",
    ),
    "id_number_check": ("身份证号的校验位不对，请核对", "the ID number's check digit doesn't fit: look at it again"),
    "id_number_born": (
        "身份证号里的出生日期与出生日期一栏不同",
        "the birthday in the ID number isn't the one in the column of birthdays",
    ),
    "phone_form": ("电话应为 5 到 20 位数字，可有 + 和 -", "a telephone number has 5 to 20 digits, with + and -"),
    "email_form": ("邮箱应如 name@example.cn", "an address should look like name@example.cn"),
    "not_one_of": ("应为其中之一：{known}", "it should be one of: {known}"),
    "no_such_place": (
        "没有这个单位；请填单位代码，或唯一的全称",
        "there is no such organisation: give its code, or its full name",
    ),
    "several_places": ("同名的单位不止一个，请填单位代码", "several organisations have this name: give the code"),
    "wrong_kind": ("应当是“{wanted}”类单位", "it should be a {wanted}"),
    "kind_differs": (
        "这个代码已经属于“{found}”类单位，类别不能改",
        "this code belongs to a {found} already, and a kind never changes",
    ),
    "needs_parent": ("要填上级单位；只有市可以不填", "the parent is needed; only a city has none"),
    "loop": ("上级单位在它自己之下，会形成循环", "the parent stands below it: that would be a loop"),
    "only_schools": ("只有学校填这一格", "only a school has this"),
    "out_of_reach": (
        "这个单位不在您管理的范围内",
        "this organisation isn't among those that you administer",
    ),
    "needs_desk": (
        "这类单位由区或市的管理员登记和修改",
        "organisations of this kind are registered and changed by the admin of their district or city",
    ),
    "twice": ("与第 {other} 行重复", "the same as in row {other}"),
    "several_members": (
        "这个单位同名的人员不止一个，请填电话来区分",
        "several members there have this name: give the telephone number to tell them apart",
    ),
    "post_taken": (
        "“{role}”已经有人担任（{holder}）；请先结束那一任",
        "the post of {role} is taken ({holder}): end that term first",
    ),
    "own_post": (
        "不能给自己任命职务，请由另一名管理员办理",
        "nobody gives themselves a post: have another admin do it",
    ),
    "no_such_mentor": (
        "这所学校没有叫这个名字的导师；请先导入人员",
        "this school has no mentor of that name: bring in its members first",
    ),
    "several_mentors": ("这所学校同名的导师不止一个", "several mentors of this school have that name"),
    "someone_else": (
        "这个学籍序号已经属于另一名学生（姓名、出生日期都不同），请核对",
        "this roster number belongs to another student (another name and another birthday): look at it again",
    ),
    "roster_no_elsewhere": (
        "这名学生已经用另一个学籍序号登记，请核对",
        "this student is on the books under another roster number: look at it again",
    ),
    "grade_form": ("年级应为 0 到 13，或一个名称", "a grade is 0 to 13, or a name"),
}
"""Each fault of a cell in zh_CN and en. Besides them whatever `DirectoryFault` says may be wrong with a cell."""


@dataclass(frozen=True, slots=True)
class RowFault:
    """One faulty cell: its row in the file, the field (`born`), the code and what its text needs.

    `facts` are names and codes of organisations and staff, never anything of a student.
    """

    row: int
    name: str
    code: str
    facts: Mapping[str, str] = field(default_factory=dict)

    def text(self, language: str) -> str:
        """What is wrong and what would be right, in `zh_CN` or `en`."""
        texts = TEXTS.get(self.code)
        if texts is None:
            said: str = DirectoryFault(self.code, **self.facts).text(language)
            return said
        return texts[0 if language == "zh_CN" else 1].format_map(self.facts)


class ImportFault(Exception):
    """A list can't be brought in as a whole; what had been committed before stays."""

    exit_code: ClassVar[int] = 2
    _TEXTS: ClassVar[Mapping[str, tuple[str, str]]] = {
        "importing": (
            "这份名单正在由另一个进程导入，请稍候。",
            "Another process is bringing this list in just now; please wait.",
        ),
        "faulty": (
            "名单里有 {count} 处错误，什么都没有导入。",
            "The list has {count} faults; nothing was brought in.",
        ),
        "changed": (
            "导入期间登记内容被改动，第 {row} 行不再成立。已导入的保留；请再运行一次。",
            "Row {row} doesn't hold any more: records were changed meanwhile. What was brought in stays; run it again.",
        ),
        "gone": (
            "上传的文件已经清除，请重新上传。",
            "The file that was uploaded has been cleared away; upload it again.",
        ),
    }

    def __init__(self, code: str, /, **facts: str) -> None:
        self.code = code
        self.facts = facts
        super().__init__(self.text("en"))

    def text(self, language: str) -> str:
        return self._TEXTS[self.code][0 if language == "zh_CN" else 1].format_map(self.facts)
