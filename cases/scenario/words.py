"""What the timeline calls roles and messages, in both languages."""

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
