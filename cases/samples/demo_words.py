"""What is written into the forms of the demonstration's cases: Chinese, invented, and about nobody."""

from __future__ import annotations

from typing import Any, Final

_SUMMARIES: Final[dict[str, tuple[str, ...]]] = {
    "harmful_home": ("早操时发现手臂有新旧伤痕，孩子说不敢回家。", "连续两天穿长袖，脱下后看到多处淤青。"),
    "mental_illness": ("近两周情绪低落、失眠，多次说活着没意思。", "课上突然哭泣，已有一周几乎不与同学说话。"),
    "internet_addiction": ("凌晨仍在玩游戏，已连续一周迟到、上课昏睡。", "为游戏充值与家人冲突，拒绝到校。"),
    "left_behind": ("父母在外务工，随祖父母生活，近来缺课增多。", "独自在家已三天，邻居反映晚上无人照看。"),
    "migrant": ("转学后无法融入，午餐常独自一人，近来多次请假。", "随父母务工迁入，居住不稳定，缺课较多。"),
    "bullying": ("放学路上多次被同学拦截索要钱物。", "同学将其照片发到群里取笑，孩子不愿到校。"),
    "family_failure": ("父母离异后无人监管，常在外逗留到深夜。", "家长多次联系不上，孩子生活缺少照料。"),
}
_SUMMARY: Final = ("班主任反映近期状态明显变化，需要多方一起了解。", "与家长沟通后仍未改善，请求属地协助。")

# By the field's name; a field that isn't here keeps what the story says.
_TEXTS: Final[dict[str, tuple[str, ...]]] = {
    "advice": ("假期参加社区活动，按时复诊。", "家长每日陪伴一小时，按医嘱服药。"),
    "advice_for_school": ("建议居家休息两周后复评。",),
    "answer": ("已于当日补办，并调整值班安排。", "工作人员当日外出，现已上门了解情况。"),
    "application": ("家长申请下周一返校。", "家长申请先半日到校。"),
    "assessment": ("班级与任课教师已做好准备，安排安静座位。", "考试顺延，安排同伴陪伴。"),
    "clinical_note": ("中度抑郁发作，已开始治疗。", "症状好转，继续随访。"),
    "conditions": ("先半日到校，一周后复诊。",),
    "danger": ("有具体想法，已安排专人陪护。",),
    "demand": ("请于规定时限内到场并书面说明原因。", "请说明未按时签收的原因并立即处置。"),
    "duties": ("每周与孩子和班主任各沟通一次，参加家庭教育指导。",),
    "facts": ("走访核实情况属实，已做记录。", "约定时间未到场，电话无人接听。", "班主任与校医共同查看并记录。"),
    "grounds": ("医生建议休息治疗。", "存在继续受到伤害的现实危险。", "住院治疗期间请假。"),
    "legal_basis": ("《精神卫生法》第二十八条",),
    "measures": (
        "入户走访，与家长面谈，安排社区每日探访。",
        "联系学校与家长共同谈话，签订监护责任书。",
        "安排心理辅导一次，落实专人陪伴。",
        "开展联合处置，孩子已得到妥善照看。",
    ),
    "minutes": ("会议明确由街道牵头，各单位分工落实，一周后复核。",),
    "next_steps": ("一个月后回访。",),
    "note": ("已电话联系家长，约定再次见面。", "已见面核实。", "情况稳定，继续关注。"),
    "plan": ("今晚由祖母陪护，社区工作人员七点上门，导师早晨接送。", "校内安排专人陪伴，直到专业人员评估完成。"),
    "purpose": ("核实情况，安排陪护。",),
    "reason": ("情况需要更多单位共同处置。", "当事人暂时外出，需要延长时间。", "与实际职责不符，请另行指派。"),
    "recovery": ("睡眠饮食恢复正常。", "情绪稳定，能主动交流。"),
    "result": ("面谈后孩子愿意接受帮助，家长同意配合。", "评估为中度风险，已约定每日联系。"),
    "screening": ("量表评分较高，需进一步评估。",),
    "signs": ("连续两日未到校，表示压力很大。",),
    "status": ("治疗进行中，依从性良好。", "门诊随访中。"),
    "study": ("每天阅读一小时，逐步补课。",),
    "topic": ("如何安排孩子近期的照护。", "研究返校准备工作。"),
    "watch_plan": ("家长陪同起居，门窗上锁，热线电话贴在门上。",),
    "where": ("学校心理辅导室", "家中", "社区服务站"),
    "term": ("三个月",),
}
_CLOSING: Final = ("孩子已恢复正常上学，家校保持联系。", "多方协作，问题已妥善解决。")


def said_of(name: str, value: Any, concern: str, turn: int) -> Any:  # noqa: ANN401 - a form's values
    """What stands in a field this time: another sentence where it is prose, else the value as it is."""
    if not isinstance(value, str):
        return value
    if name != "summary":
        pool = _TEXTS.get(name, ())
    elif turn > 1:
        # A whistle's summary says what was seen; any later one ends something.
        pool = _CLOSING
    else:
        pool = _SUMMARIES.get(concern, _SUMMARY)
    return pool[turn % len(pool)] if pool else value
