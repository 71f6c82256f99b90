"""What roles, organisations and messages are called, in both languages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from policies.vocabulary import Words

ROLES: Final[Mapping[str, Words]] = {
    "counselor": Words("心理教师", "counselor"),
    "principal": Words("校长", "principal"),
    "mentor": Words("全员导师", "mentor"),
    "deputy": Words("心理健康副校长", "mental-health deputy"),
    "codirector": Words("工作站街道主任", "co-director"),
    "officer": Words("经办人", "officer"),
    "lead": Words("负责人", "lead"),
    "liaison": Words("医院联络人", "liaison"),
    "coordinator": Words("协调员", "coordinator"),
    "supervisor": Words("督导员", "supervisor"),
    "auditor": Words("审计员", "auditor"),
    "admin": Words("管理员", "administrator"),
}
KINDS: Final[Mapping[str, Words]] = {
    "city": Words("市级", "city"),
    "district": Words("区级", "district"),
    "education_bureau": Words("教育局", "education bureau"),
    "street": Words("街道", "street"),
    "community": Words("社区", "community"),
    "school": Words("学校", "school"),
    "hospital": Words("医院", "hospital"),
    "police": Words("公安", "police"),
    "procuratorate": Words("检察院", "procuratorate"),
    "court": Words("法院", "court"),
    "civil_affairs": Words("民政", "civil affairs"),
    "womens_federation": Words("妇联", "women's federation"),
    "health_commission": Words("卫健委", "health commission"),
    "youth_league": Words("共青团", "youth league"),
    "care_committee": Words("关工委", "care committee"),
    "disabled_federation": Words("残联", "disabled federation"),
    "cyberspace": Words("网信", "cyberspace"),
    "justice": Words("司法", "justice"),
    "social_work": Words("社工", "social work"),
    "guidance_center": Words("陶老师工作站", "guidance centre"),
}
KINDS_OF_MESSAGE: Final[Mapping[str, Words]] = {
    "owes": Words("待办", "to do"),
    "told": Words("告知", "told"),
    "reminded": Words("提醒", "reminded"),
    "warned": Words("预警", "warned"),
    "breached": Words("逾期催办", "overdue"),
    "escalated": Words("督办", "escalated"),
    "bulletined": Words("通报", "bulletined"),
    "appointed": Words("有人获任", "appointed"),
}
