"""The published contract's three stories in Chinese, for whoever sees the demonstration.

The files themselves are a contract and stay as they are, to the byte; what they say is put into Chinese at telling.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

CHINESE: Final[Mapping[str, Mapping[str, str]]] = {
    "back-to-school-in-steps.yaml": {
        "Low mood for six weeks, sleeps in class, avoids her friends.": "情绪低落六周，上课睡觉，躲着好朋友。",
        "the parents say it is a mood and will pass": "家长认为只是闹情绪，过一阵就好。",
        "the family's home": "学生家中",
        "officer": "街道工作人员",
        "community worker": "社区工作者",
        "mother": "母亲",
        "consent.pdf": "转诊同意书.pdf",
        "outpatient clinic for adolescents": "儿童青少年心理门诊",
        "started": "已开始治疗。",
        "rest at home for three weeks": "建议居家休息三周。",
        "moderate depressive episode": "中度抑郁发作。",
        "two home visits; the father joined the parents' group": "入户走访两次；父亲已参加家长互助小组。",
        "stable on treatment": "经治疗病情稳定。",
        "half days at first": "先半日到校。",
        "teachers and classmates prepared": "任课教师和同学均已做好准备。",
        "form teacher": "班主任",
        "sleep, lunch, Friday afternoons": "睡眠、午餐、周五下午的状态",
        "mother to keep the tablets": "药品由母亲保管。",
        "did not come for three days, says that it is all too much": "连续三天未到校，说什么都扛不住了。",
    },
    "bruises-on-a-nine-year-old.yaml": {
        "Old and new bruises on both arms; says her father hits her with a belt.": (
            "双臂有新旧伤痕，孩子说是父亲用皮带打的。"
        ),
        "the school": "学校",
        "by phone": "电话联系",
        "two officers": "民警两名",
        "street officer": "街道工作人员",
        "community worker": "社区工作者",
        "rights officer": "妇联维权工作人员",
        (
            "She stays with her grandmother tonight; the community worker visits at seven; "
            "the mentor walks her to school."
        ): "今晚由奶奶接去同住；社区工作者七点上门；导师早上接她到校。",
        "repeated beatings": "多次遭父亲殴打。",
        "father questioned; written warning; case accepted": "已传唤父亲，出具告诫书，并已受案。",
        "grandmother's home inspected; nightly visits agreed": "已查看奶奶住处，约定每晚上门探访。",
        "protection order applied for; counsellor assigned to the mother": (
            "已代为申请人身安全保护令，并为母亲安排心理辅导。"
        ),
        "accepted as a public-security case": "已按治安案件受理。",
        "education_bureau": "区教育局",
    },
    "nobody-answers.yaml": {
        "Lives with a grandfather who is ill; homework stops, comes without breakfast.": (
            "随患病的爷爷生活；近来不交作业，早上常空着肚子到校。"
        ),
        "the grandfather is in hospital; the boy is alone at night": "爷爷住院，孩子夜里独自在家。",
        "the boy's home": "学生家中",
        "two officers": "街道工作人员两名",
        "community doctor": "社区医生",
        "The duty list missed the make-up workday; both names are now on it.": (
            "值班表漏排了调休上班日，现已补上两名责任人。"
        ),
    },
}
"""By the story's file and by what it says."""


def in_chinese(file: str, value: Any) -> Any:  # noqa: ANN401 - a form's values
    """What a story says, in Chinese where it was written in English; codes, days and numbers as they are."""
    words = CHINESE.get(file)
    if not words:
        return value
    if isinstance(value, str):
        return words.get(value, value)
    if isinstance(value, Mapping):
        return {key: in_chinese(file, one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [in_chinese(file, one) for one in value]
    return value
