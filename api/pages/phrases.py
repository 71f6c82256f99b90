"""What is often written in a field, at one tap: for a telephone in a stairwell. Each can be changed afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from policies.vocabulary import Words

_PLACES: Final = (Words("{school}", "{school}"), Words("学生家中", "the student's home"))
_AT_THE_CLINIC: Final = (
    Words("儿少精神科门诊", "outpatient clinic for children and adolescents"),
    Words("心理门诊", "psychological outpatient clinic"),
)

PHRASES: Final[Mapping[str, tuple[Words, ...]]] = {
    "assignment.report_in.where": _PLACES,
    "assignment.report_in.note": (
        Words("学生现在安全，有成年人陪同。", "The student is safe now, an adult is with them."),
        Words("家中无人，已在门上留条并联系家长。", "Nobody at home; left a note and telephoned the parents."),
        Words("家长已到场。", "The parents are here."),
    ),
    "assignment.record_progress.note": (
        Words("已电话联系家长，约定上门时间。", "Telephoned the parents, a visit is agreed."),
        Words("社区网格员每日探访。", "The community worker looks in every day."),
        Words("正在联系其他单位配合。", "Asking other organisations to join in."),
    ),
    "assignment.give_feedback.measures": (
        Words("已入户走访，与家长面谈。", "Visited the home and talked with the parents."),
        Words("已见到学生本人，情况稳定。", "Saw the student in person, who is stable."),
        Words("已协调社区网格员定期探访。", "The community worker visits regularly from now on."),
        Words("已落实临时照护和生活救助。", "Temporary care and living support are arranged."),
        Words("已协助学校做好安全看护。", "Helped the school to watch over the student."),
    ),
    "assignment.give_feedback.next_steps": (
        Words("一周内再次入户。", "Another visit within a week."),
        Words("每日电话联系家长。", "Telephones the parents every day."),
        Words("请学校联系医院评估。", "The school should ask the hospital for an assessment."),
    ),
    "assignment.decline.reason": (
        Words("学生家庭不在本辖区。", "The family doesn't live in our area."),
        Words("事项不属于本单位职责。", "This isn't within our duties."),
        Words("已由其他单位办理。", "Another organisation is dealing with it."),
    ),
    "assignment.send_back.reason": (
        Words("反馈中没有写明采取的措施。", "It doesn't say what was done."),
        Words("尚未见到学生本人。", "The student hasn't been seen in person."),
        Words("缺少下一步安排。", "It doesn't say what comes next."),
    ),
    "extension.request.reason": (
        Words("家长在外地，约定的上门时间在期限之后。", "The parents are away; the visit agreed is after the limit."),
        Words("需要其他单位配合，正在联系。", "Other organisations have to join in and are being asked."),
        Words("等待医院或公安的结果。", "Waiting for the hospital or the police."),
    ),
    "extension.grant.note": (Words("情况属实，同意。", "As stated; granted."),),
    "extension.refuse.note": (
        Words("情况紧急，不能等。", "This can't wait."),
        Words("请先报告已做的工作。", "Please report first what has been done."),
    ),
    "supervision.issue.demand": (
        Words("请立即签收并到场处置。", "Acknowledge it at once and go there."),
        Words("请书面说明逾期原因和补救措施。", "Say in writing why it is late and what is done about it."),
        Words("请今日内反馈处置情况。", "Give your feedback within today."),
    ),
    "action_item.finish.result": (
        Words("已按会商要求完成。", "Done as the conference asked."),
        Words("已完成，相关材料交学校。", "Done; the papers are with the school."),
    ),
    "case.sign_off.note": (
        Words("情况属实，同意吹哨。", "As stated; go ahead."),
        Words("已与家长沟通。", "The parents have been spoken to."),
    ),
    "case.send_back.reason": (
        Words("情况写得不够清楚，请补充时间、地点。", "Please add when and where."),
        Words("请先与家长联系。", "Please speak to the parents first."),
        Words("等级偏低或偏高，请再斟酌。", "Please reconsider the level."),
    ),
    "case.close.summary": (
        Words("各单位措施已落实，学生情况稳定。", "All measures are in place, the student is stable."),
        Words("转入学校日常关注。", "Goes over to the school's everyday care."),
    ),
    "referral.propose.reason": (
        Words("筛查提示有风险，请专科评估。", "The screening shows a risk: please assess."),
        Words("情绪低落两周以上，影响上课。", "Low mood for more than two weeks, lessons suffer."),
    ),
    "referral.override_for_safety.legal_basis": (
        Words(
            "《精神卫生法》第二十八条第二款：有伤害自身的危险，所在单位应当立即制止并送诊。",
            "Mental Health Law art. 28: danger of self-harm; the unit stops it at once and sends for diagnosis.",
        ),
        Words(
            "《精神卫生法》第二十八条第二款：有危害他人安全的危险，所在单位应当立即制止并送诊。",
            "Mental Health Law art. 28: danger to others; the unit stops it at once and sends for diagnosis.",
        ),
    ),
    "referral.override_for_safety.danger": (
        Words("已流露轻生念头，有具体计划。", "Has spoken of suicide and has a plan."),
        Words("已有自伤行为，仍有再次自伤的危险。", "Has hurt themselves and may do so again."),
    ),
    "referral.refuse_consent.reason": (
        Words("家长认为不需要就医。", "The parents see no need for a doctor."),
        Words("家长要自行选择医院。", "The parents want to choose a hospital themselves."),
    ),
    "referral.schedule.where": _AT_THE_CLINIC,
    "referral.decline.reason": (
        Words("本院没有儿少精神科。", "This hospital has no child psychiatry."),
        Words("号源已满，建议改转。", "No appointment is free; another hospital is quicker."),
    ),
    "referral.update_treatment.status": (
        Words("已开始治疗，按时复诊。", "Treatment has begun, comes to every appointment."),
        Words("病情稳定，继续治疗。", "Stable, treatment goes on."),
        Words("未按时复诊，已电话联系家长。", "Missed an appointment; the parents were telephoned."),
    ),
    "referral.update_treatment.advice_for_school": (
        Words("在家休息，暂不到校。", "Rest at home, no school for now."),
        Words("可以上课，减少作业和考试。", "May attend; less homework, no tests."),
        Words("请班主任每天留意睡眠和情绪。", "The form teacher should watch sleep and mood every day."),
    ),
    "return_to_school.defer.reason": (Words("症状尚未稳定。", "The symptoms aren't stable yet."),),
    "check_in.file_school.note": (
        Words("到校正常，与同学相处平稳。", "At school as planned, gets along with the others."),
        Words("课间独处，午休睡不着。", "Alone at break, doesn't sleep at noon."),
        Words("有请假，已联系家长。", "Was absent; the parents were telephoned."),
    ),
    "check_in.file_hospital.advice": (
        Words("按计划继续复学。", "Go on with the plan."),
        Words("请家长保管药物。", "The parents should keep the tablets."),
        Words("暂缓增加在校时间。", "No more hours at school for now."),
    ),
    "leave.record_contact.study": (
        Words("在家自学，每周送一次作业。", "Studies at home; work is brought once a week."),
    ),
    "leave.record_contact.recovery": (Words("按时服药，情绪平稳。", "Takes the medicine, in even spirits."),),
}
"""By `kind.trigger.field`. `{school}` is the case's school."""


def of(kind: str, trigger: str, name: str, language: str, school: str) -> tuple[str, ...]:
    """The phrases of a field in a language; none where nothing is written often."""
    place = 0 if language == "zh_CN" else 1
    said = (one[place].replace("{school}", school) for one in PHRASES.get(f"{kind}.{trigger}.{name}", ()))
    return tuple(one for one in said if one)
