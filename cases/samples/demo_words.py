"""What is written into the forms of the demonstration's cases: Chinese, invented, and about nobody.

A sentence is chosen by the trigger and the field that it stands in, and where it hangs on a choice of that form, by
this choice too. A field that isn't here keeps what the story says.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

_SUMMARIES: Final[Mapping[str, tuple[str, ...]]] = {
    "harmful_home": ("早操时发现手臂有新旧伤痕，孩子说不敢回家。", "连续两天穿长袖，脱下后看到多处淤青。"),
    "mental_illness": ("近两周情绪低落、失眠，多次说活着没意思。", "课上突然哭泣，已有一周几乎不与同学说话。"),
    "internet_addiction": ("凌晨仍在玩游戏，已连续一周迟到、上课昏睡。", "为游戏充值与家人冲突，拒绝到校。"),
    "left_behind": ("父母在外务工，随祖父母生活，近来缺课增多。", "独自在家已三天，邻居反映晚上无人照看。"),
    "migrant": ("转学后无法融入，午餐常独自一人，近来多次请假。", "随父母务工迁入，居住不稳定，缺课较多。"),
    "bullying": ("放学路上多次被同学拦截索要钱物。", "同学将其照片发到群里取笑，孩子不愿到校。"),
    "family_failure": ("父母离异后无人监管，常在外逗留到深夜。", "家长多次联系不上，孩子生活缺少照料。"),
}
_SUMMARY: Final = ("班主任反映近期状态明显变化，需要多方一起了解。", "与家长沟通后仍未改善，请求属地协助。")

_DECIDES: Final[Mapping[str, str]] = {
    "assignment.give_feedback": "outcome",
    "assignment.report_in": "mode",
    "case.close": "outcome",
    "case.regrade": "level",
    "check_in.file_school": "risk",
    "leave.record_contact": "how",
    "mandatory_report.record_answer": "accepted",
    "referral.record_visit": "mode",
    "referral.complete": "opinion",
    "return_to_school.hospital_sign": "opinion",
    "return_to_school.rule": "ruling",
    "access.review": "proper",
    "referral.review_override": "proper",
}
"""The choice of a form on which its sentences hang."""

_TEXTS: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "action_item.drop": {"reason": ("情况已有变化，此项不再需要。",)},
    "action_item.finish": {"result": ("已按会商要求完成，家长表示配合。", "已落实到人，情况良好。")},
    "assignment.decline": {"reason": ("孩子已搬离本辖区，请另行指派。", "事发地不在本辖区，请另行指派。")},
    "assignment.give_feedback solved": {
        "measures": (
            "入户走访，与家长面谈，社区已安排每日探访。",
            "联系学校与家长共同谈话，已签订监护责任书。",
            "开展联合处置，孩子已得到妥善照看。",
        ),
        "next_steps": ("一个月后回访。",),
    },
    "assignment.give_feedback partly": {
        "measures": ("已入户走访，家长答应配合，仍需持续跟进。", "安排心理辅导一次，落实专人陪伴，下周再访。"),
        "next_steps": ("下周再次上门。",),
    },
    "assignment.give_feedback unsolved": {
        "measures": ("上门两次，家中无人，已请社区留意。", "电话多次未接通，已托邻居转告。"),
    },
    "assignment.reassign": {"reason": ("孩子现居住地属该单位辖区。", "经核实，应由该单位办理。")},
    "assignment.record_progress": {"note": ("已电话联系家长，约定再次见面。", "已见面核实，正在协调资源。")},
    "assignment.remind": {"note": ("请尽快到场并反馈。", "时限将到，请抓紧办理。")},
    "assignment.report_in on_site": {"note": ("已见到孩子本人。", "已与家长当面沟通。")},
    "assignment.report_in phone": {"note": ("已与家长通话。", "电话中核实了孩子近况。")},
    "assignment.report_in video": {"note": ("已通过视频见到孩子。",)},
    "assignment.send_back": {"reason": ("请写明夜间由谁照看孩子。", "没有见到孩子本人，请补充后再报。")},
    "assignment.settle_dispute": {"reason": ("措施已经落实，予以认可。", "已向双方核实，以现有记录为准。")},
    "assignment.uphold": {"reason": ("孩子居住在你单位辖区，请继续办理。", "属你单位职责，请按时到场。")},
    "case.close resolved": {"summary": ("孩子已恢复正常上学，家校保持联系。", "多方协作，问题已妥善解决。")},
    "case.close transferred_to_long_term_care": {"summary": ("由亲属长期照看，社区定期走访。", "已纳入长期关爱服务。")},
    "case.close unfounded": {"summary": ("经核实，不存在所反映的情况。",)},
    "case.record_interview": {"result": ("面谈后孩子愿意接受帮助，家长同意配合。", "评估为中度风险，已约定每日联系。")},
    "case.record_safe_plan": {
        "plan": (
            "今晚由祖母陪护，社区工作人员七点上门，导师早晨接送。",
            "校内安排专人陪伴，直到专业人员评估完成。",
        )
    },
    "case.regrade red": {"reason": ("出现现实危险，须立即处置。", "孩子目前下落不明，情况紧急。")},
    "case.regrade orange": {"reason": ("夜间无人照看，风险上升。", "情况比先前了解的严重。")},
    "case.regrade yellow": {"reason": ("已有人照看，情况趋于平稳。", "经处置，紧急风险已解除。")},
    "case.reopen": {"reason": ("结案后同类情况再次出现。", "家长反映孩子又开始缺课。")},
    "case.send_back": {"reason": ("请补充家访情况后再报。", "请写明发生的时间和见到的人。")},
    "case.sign_off": {"note": ("情况属实，同意吹哨。", "已了解，请各单位协助。")},
    "case.summon": {"reason": ("孩子放学后需要有人照看。", "需要更多单位共同处置。")},
    "case.withdraw": {"reason": ("家长已带孩子就诊，不再需要协助。",)},
    "check_in.file_hospital": {
        "advice": ("按医嘱服药，按时复诊。", "家长每日陪伴一小时，药品由家长保管。"),
        "clinical_note": ("症状好转，继续随访。", "病情平稳，药量不变。"),
    },
    "check_in.file_school none": {"note": ("情况稳定，继续关注。", "能按时到校，与同学相处正常。")},
    "check_in.file_school some": {"note": ("近日话少，午休时常独处。", "作业完成困难，已与班主任商量减量。")},
    "check_in.file_school acute": {"note": ("流露轻生念头，已安排专人陪护并通知家长。",)},
    "check_in.record_interview": {
        "result": ("孩子愿意倾诉，已约定每晚通一次电话。", "评估后无现实危险，继续每日联系。")
    },
    "conference.call": {"topic": ("如何安排孩子近期的照护。", "研究返校准备工作。")},
    "conference.cancel": {"reason": ("与另一次会商合并召开。",)},
    "conference.minute": {"minutes": ("会议明确由街道牵头，各单位分工落实，一周后复核。",)},
    "conference.schedule": {"where": ("学校教联体工作站", "街道会议室")},
    "extension.grant": {"note": ("理由充分，同意延期。",)},
    "extension.refuse": {"note": ("情况不宜再等，请按原时限办理。",)},
    "extension.request": {"reason": ("家长在外地，需等其返回后面谈。", "孩子暂住亲戚家，需要时间核实住址。")},
    "guidance.criticise": {"facts": ("当面指出其未尽监护责任，家长表示会改正。", "与家长谈话，要求按时参加指导。")},
    "guidance.order": {
        "duties": ("每周与孩子和班主任各沟通一次，参加家庭教育指导。",),
        "term": ("三个月",),
    },
    "guidance.propose_custody_review": {"grounds": ("长期不履行监护职责，经多次教育仍不改正。",)},
    "guidance.record_check": {"note": ("家长在家，孩子作息正常。", "已上门查访，未见异常。")},
    "guidance.record_compliance": {"facts": ("已按要求参加指导，陪伴时间增加。",)},
    "guidance.record_defiance": {"facts": ("期限已过，仍未参加指导，也未与孩子见面。",)},
    "guidance.record_evasion": {"facts": ("两次约定时间均未到场，电话无人接听。", "家长当面表示不参加指导。")},
    "guidance.record_session": {"note": ("家长按时参加，交流了作息安排。",)},
    "guidance.refer_to_police": {"facts": ("经批评劝诫仍拒绝接受指导，孩子夜间无人照看。",)},
    "guidance.supervise_guardian": {"term": ("三个月",)},
    "leave.begin": {"grounds": ("住院治疗期间休学。", "医生建议居家休养。")},
    "leave.end": {"reason": ("治疗结束，准备返校。",)},
    "leave.record_contact": {
        "note": ("孩子盼着回学校。", "家长反映情况平稳。"),
        "recovery": ("睡眠饮食恢复正常。", "情绪稳定，能主动交流。"),
        "study": ("每天阅读一小时，逐步补课。",),
    },
    "mandatory_report.find_not_required": {"reason": ("经多方核实，不存在须强制报告的情形。",)},
    "mandatory_report.raise": {"facts": ("班主任与校医共同查看并记录，疑似遭受侵害。",)},
    "mandatory_report.record_answer administrative": {"note": ("已按治安案件受理。",)},
    "mandatory_report.record_answer criminal": {"note": ("已立为刑事案件侦查。",)},
    "mandatory_report.record_answer no_case": {"note": ("经调查不构成案件，已书面告知。",)},
    "protection.apply": {"grounds": ("孩子多次遭家庭成员殴打。", "存在继续受到伤害的现实危险。")},
    "protection.record_breach": {"facts": ("被申请人在校门口守候并纠缠孩子，民警已到场处置。",)},
    "protection.reject": {"reason": ("现有材料不足以证明存在现实危险。",)},
    "referral.complete": {"summary": ("经规范治疗，病情稳定，可转入随访。", "症状明显缓解，继续门诊随访。")},
    "referral.complete fit_with_conditions": {
        "conditions": ("先半日到校，一周后复诊。",),
        "summary": ("经规范治疗，病情稳定，可转入随访。", "症状明显缓解，继续门诊随访。"),
    },
    "referral.decline": {"reason": ("本院暂无儿童青少年心理床位。", "本院没有适合这个年龄的门诊。")},
    "referral.override_for_safety": {
        "danger": ("有具体想法，已安排专人陪护。", "已有具体计划，家长不同意就诊。"),
        "legal_basis": ("《精神卫生法》第二十八条第二款",),
    },
    "referral.propose": {
        "purpose": ("评估情绪与自伤风险。",),
        "reason": ("情绪持续低落，需专科评估。", "筛查提示风险较高，需专科评估。"),
        "screening": ("量表评分较高，需进一步评估。",),
    },
    "referral.refuse_admission": {"watch_plan": ("家长陪同起居，门窗上锁，热线电话贴在门上。",)},
    "referral.refuse_consent": {"reason": ("家长认为不必就医，想再观察。", "家长担心影响升学，暂不同意。")},
    "referral.remind": {"note": ("请尽快答复是否接诊。",)},
    "referral.request_cancellation": {"reason": ("家长已自行带孩子在外院就诊。",)},
    "referral.review_override True": {"note": ("危险已足够明确，处置得当。",)},
    "referral.review_override False": {"note": ("当时并无现实危险，应先征得监护人同意。",)},
    "referral.schedule": {"where": ("儿童青少年心理门诊", "门诊二楼心理科", "急诊心理会诊")},
    "referral.update_treatment": {
        "advice_for_school": ("建议居家休息两周后复评。", "可减少作业，避免当众提问。"),
        "clinical_note": ("中度抑郁发作，已开始治疗。", "症状好转，继续随访。"),
        "status": ("治疗进行中，依从性良好。", "门诊随访中。"),
    },
    "return_to_school.appeal": {"grounds": ("医院已认定可以返校，学校仍未同意。", "家长申请已满三周，仍未得到答复。")},
    "return_to_school.apply": {"application": ("家长申请下周一返校。", "家长申请先半日到校。")},
    "return_to_school.defer": {"reason": ("还需观察一周再评估。", "近期复诊结果尚未出来。")},
    "return_to_school.hospital_sign fit_with_conditions": {"conditions": ("先半日到校，一周后复诊。",)},
    "return_to_school.hospital_sign not_yet": {"conditions": ("一周后复诊再评估。",)},
    "return_to_school.relapse": {"signs": ("连续两日未到校，表示压力很大。", "早上不肯出门，夜里又睡不着。")},
    "return_to_school.remind": {"note": ("请双方尽快会签。",)},
    "return_to_school.rule assessing": {"reason": ("请学校和医院按程序完成评估。",)},
    "return_to_school.rule planned": {"reason": ("已规范治疗，具备返校条件，同意返校。",)},
    "return_to_school.school_sign": {
        "assessment": ("班级与任课教师已做好准备，安排安静座位。", "考试顺延，安排同伴陪伴。"),
    },
    "supervision.accept": {"note": ("责任人已落实，予以认可。",)},
    "supervision.answer": {"answer": ("已于当日补办，并调整值班安排。", "工作人员当日外出，现已上门了解情况。")},
    "supervision.interview": {"note": ("请主要负责人到区里说明情况。",)},
    "supervision.issue": {"demand": ("请于规定时限内到场并书面说明原因。", "请说明未按时办理的原因并立即处置。")},
    "supervision.reject": {"note": ("没有写明整改措施，请重新答复。",)},
}
"""By the trigger, with the choice that decides after it where there is one; then by the field."""


def said_of(trigger: str, name: str, value: Any, form: Mapping[str, Any], turn: int) -> Any:  # noqa: ANN401 - a form's values
    """What stands in a field this time: another sentence where it is prose, else the value as it is.

    `trigger` as in `case.close`; `form` is the whole of it, in which a choice may decide about the sentence.
    """
    if not isinstance(value, str):
        return value
    if name == "summary" and "concern" in form:
        pool = _SUMMARIES.get(str(form["concern"]), _SUMMARY)
    else:
        decided = _TEXTS.get(f"{trigger} {form.get(_DECIDES.get(trigger, ''))}", {})
        pool = decided.get(name) or _TEXTS.get(trigger, {}).get(name, ())
    return pool[turn % len(pool)] if pool else value
