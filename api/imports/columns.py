"""The columns of each kind of list: what they are called in Chinese and English, and which of them a row needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from api.imports.table_fault import TableFault
from cases.people import KINDS, ROLES
from cases.scenario.words import ROLES as ROLE_WORDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from api.imports.reading import Cell
    from cases.import_rows import Kind


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its field, its heading in both languages, other headings that people use, and an example."""

    field: str
    zh: str
    en: str
    example: str
    required: bool = False
    also: tuple[str, ...] = ()

    @property
    def headings(self) -> frozenset[str]:
        names = (self.zh, self.en, self.field, f"{self.zh} {self.en}", *self.also)
        return frozenset(_plain(name) for name in names)


COLUMNS: Final[Mapping[Kind, tuple[Column, ...]]] = {
    "organisations": (
        Column("code", "单位代码", "code", "320102-yxj-01", required=True, also=("代码", "organisation code")),
        Column("kind", "单位类别", "kind", "街道", required=True, also=("类别", "类型", "organisation kind")),
        Column("name", "单位名称", "name", "示例街道", required=True, also=("名称", "全称", "organisation name")),
        Column("parent", "上级单位", "parent", "320102", also=("上级", "上级单位代码", "parent code")),
        Column("street", "所在街道", "street", "320102-jd-01", also=("街道代码", "street code")),
        Column("hospital", "定点医院", "hospital", "320102-yy-01", also=("定点合作医疗机构", "designated hospital")),
        Column("community", "所在社区", "community", "320102-sq-01", also=("默认社区", "社区代码", "community code")),
    ),
    "members": (
        Column("organisation", "单位", "organisation", "320102-jd-01", required=True, also=("单位代码", "所属单位")),
        Column("name", "姓名", "name", "王示例", required=True),
        Column("roles", "职务", "roles", "经办人、负责人", required=True, also=("角色", "岗位", "role", "posts")),
        Column("phone", "电话", "phone", "13800000000", also=("手机", "手机号", "联系电话", "telephone", "mobile")),
        Column("email", "邮箱", "email", "name@example.cn", also=("电子邮箱", "e-mail")),
        Column("school", "工作站学校", "school", "", also=("学校", "站点学校", "station school")),
        Column("since", "任职日期", "since", "2026-09-01", also=("起始日期", "from")),
        Column("language", "语言", "language", "zh_CN"),
    ),
    "students": (
        Column("roster_no", "学籍序号", "roster no", "2026030101", required=True, also=("学籍号", "学号")),
        Column("name", "姓名", "name", "李示例", required=True, also=("学生姓名", "student name")),
        Column("born", "出生日期", "born", "2016-11-02", required=True, also=("生日", "出生年月日", "birthday")),
        Column("grade", "年级", "grade", "3"),
        Column("class", "班级", "class", "3-1", also=("班",)),
        Column("id_number", "身份证号", "id number", "", also=("身份证号码", "身份证件号", "公民身份号码")),
        Column("guardian", "监护人", "guardian", "李家长", also=("家长", "家长姓名", "监护人1", "监护人姓名")),
        Column("guardian_phone", "监护人电话", "guardian phone", "13900000000", also=("家长电话", "监护人1电话")),
        Column("guardian_relation", "监护人关系", "guardian relation", "母亲", also=("关系", "监护人1关系")),
        Column("guardian2", "监护人2", "guardian 2", "", also=("第二监护人",)),
        Column("guardian2_phone", "监护人2电话", "guardian 2 phone", ""),
        Column("guardian2_relation", "监护人2关系", "guardian 2 relation", ""),
        Column("address", "家庭住址", "address", "示例路 1 号", also=("住址", "地址", "home address")),
        Column("community", "社区", "community", "320102-sq-01", also=("所在社区", "社区代码")),
        Column("mentor", "导师", "mentor", "周示例", also=("全员导师", "导师姓名")),
    ),
}  # fmt: skip

KIND_NAMES: Final[Mapping[str, str]] = {
    "市": "city", "区": "district", "区县": "district", "教育局": "education_bureau", "教育部门": "education_bureau",
    "街道": "street", "镇": "street", "街道、镇": "street", "社区": "community", "村": "community", "学校": "school",
    "医院": "hospital", "公安": "police", "派出所": "police", "检察院": "procuratorate", "法院": "court",
    "民政": "civil_affairs", "妇联": "womens_federation", "卫健委": "health_commission",
    "卫生健康": "health_commission", "团委": "youth_league", "共青团": "youth_league", "关工委": "care_committee",
    "残联": "disabled_federation",
    "网信": "cyberspace", "网信办": "cyberspace", "司法": "justice", "司法局": "justice", "社工": "social_work",
    "社会工作": "social_work", "指导中心": "guidance_center", "家庭教育指导中心": "guidance_center",
}  # fmt: skip
"""What offices call the kinds of organisation; besides them the contract's own words."""


ROLE_NAMES: Final[Mapping[str, str]] = {
    "导师": "mentor", "心理老师": "counselor", "心理辅导员": "counselor", "街道主任": "codirector",
    "联络员": "liaison", "联络人": "liaison", "工作人员": "officer", "主任": "lead", "督导": "supervisor",
}  # fmt: skip
"""What offices call the roles, besides the names that this program gives them."""


def kind_of(written: str) -> str:
    """The kind that a word names; the word itself where none does."""
    plain = written.strip()
    return KIND_NAMES.get(plain, plain.lower().replace(" ", "_") if plain.isascii() else plain)


def role_of(written: str) -> str:
    """The role that a word names; the word itself where none does."""
    plain = written.strip()
    named = {words.zh_CN: name for name, words in ROLE_WORDS.items()}
    return named.get(plain) or ROLE_NAMES.get(plain, plain.lower())


def example(kind: Kind, field: str) -> str:
    """How a field may be filled in."""
    return next(one.example for one in COLUMNS[kind] if one.field == field)


def known_kinds() -> str:
    """The kinds in both languages, for whoever wrote another."""
    first = {kind: name for name, kind in reversed(list(KIND_NAMES.items()))}
    return ", ".join(f"{first.get(kind, kind)} {kind}" for kind in KINDS)


def known_roles() -> str:
    """The roles in both languages."""
    return ", ".join(f"{ROLE_WORDS[role].zh_CN} {role}" for role in ROLES)


def places(kind: Kind, row: int, headings: list[Cell]) -> tuple[dict[str, int], list[str]]:
    """Which column holds which field, and the headings that nothing is read from.

    Raises TableFault no_headings naming what is missing, heading_twice.
    """
    found: dict[str, int] = {}
    ignored: list[str] = []
    for place, cell in enumerate(headings):
        if not isinstance(cell, str):
            continue
        column = next((one for one in COLUMNS[kind] if _plain(cell) in one.headings), None)
        if column is None:
            ignored.append(cell.strip()[:40])
        elif column.field in found:
            raise TableFault("heading_twice", heading=cell.strip()[:40])
        else:
            found[column.field] = place
    missing = [f"{one.zh} {one.en}" for one in COLUMNS[kind] if one.required and one.field not in found]
    if missing:
        raise TableFault("no_headings", row=str(row), missing="、".join(missing), kind=kind)
    return found, ignored


def template(kind: Kind) -> bytes:
    """An empty xlsx with the headings in both languages and a line that shows how it is filled in."""
    from api.tables import to_xlsx

    columns = COLUMNS[kind]
    headings = [f"{one.zh} {one.en}" for one in columns]
    return to_xlsx(headings, [], kind, [max(16, 2 * len(one.zh) + len(one.en)) for one in columns])


def _plain(heading: str) -> str:
    """A heading as it is compared: no spaces, stars, brackets or case."""
    kept = heading.strip().strip("*＊").replace("（", "(").split("(", 1)[0]
    return "".join(kept.casefold().replace("_", "").replace("-", "").split())
