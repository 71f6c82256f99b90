"""What declared things are called: fields, their hints and choices, roles, kinds, sections. zh_CN and en.

Labels of tracks, states, moves and clocks stand in their declarations, those of concerns, levels and scales in the
policy; here is what a declaration has no room for. A test finds any declared field or choice without a word.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from cases.scenario.words import KINDS, KINDS_OF_MESSAGE, ROLES
from policies.vocabulary import Words

__all__ = ["CHOICES", "FIELDS", "HINTS", "KINDS", "KINDS_OF_MESSAGE", "ROLES", "SECTIONS", "field_label", "hint"]

FIELDS: Final[Mapping[str, Words]] = {
    "about": Words("针对哪项派单", "Which assignment"),
    "accepted": Words("公安的处理", "What the police did"),
    "address": Words("家庭住址", "Address"),
    "adherence": Words("用药情况", "Adherence to treatment"),
    "advice": Words("给学校的建议", "Advice for the school"),
    "advice_for_school": Words("给学校的建议", "Advice for the school"),
    "answer": Words("答复", "Answer"),
    "application": Words("复学申请", "Application to return"),
    "assessment": Words("复学评估", "Assessment"),
    "at": Words("时间", "When"),
    "attendance": Words("出勤率（%）", "Attendance (%)"),
    "attended_review": Words("是否按时复诊", "Came to the review?"),
    "authority": Words("报送的主管部门", "Authority reported to"),
    "born": Words("出生日期", "Date of birth"),
    "certificate": Words("休学证明材料", "Certificate"),
    "channel": Words("报警方式", "How it was reported"),
    "class": Words("班级", "Class"),
    "clinical_note": Words("诊疗记录（仅心理教师与医院可见）", "Clinical note (counselor and hospital only)"),
    "concern": Words("事由", "Concern"),
    "conditions": Words("附带条件", "Conditions"),
    "court": Words("受理法院", "Court"),
    "danger": Words("面临的危险", "The danger"),
    "day": Words("日期", "Day"),
    "demand": Words("督办要求", "What is demanded"),
    "duties": Words("义务内容", "Duties"),
    "evidence": Words("材料", "Evidence"),
    "extra": Words("延长多少", "How much longer"),
    "facts": Words("事实经过", "The facts"),
    "family_satisfied": Words("家庭是否满意", "Is the family satisfied?"),
    "form": Words("知情同意书", "Consent form"),
    "from_day": Words("休学起始日", "First day of leave"),
    "grade": Words("年级", "Grade"),
    "grounds": Words("理由", "Grounds"),
    "guardian": Words("监护人", "Guardian"),
    "guardians": Words("监护人及联系方式", "Guardians and how to reach them"),
    "hospital": Words("医院", "Hospital"),
    "hours": Words("时长（小时）", "Hours"),
    "how": Words("方式", "How"),
    "id_number": Words("身份证号", "ID number"),
    "into": Words("并入哪个个案", "Into which case"),
    "invited": Words("邀请单位", "Invited"),
    "items": Words("条目", "Items"),
    "legal_basis": Words("法律依据", "Legal basis"),
    "level": Words("等级", "Level"),
    "limit": Words("时限", "Limit"),
    "measures": Words("已采取的措施", "Measures taken"),
    "mentor": Words("负责老师", "Who minds it"),
    "minutes": Words("会商纪要", "Minutes"),
    "mode": Words("方式", "How"),
    "mood": Words("情绪", "Mood"),
    "name": Words("学生姓名", "Student's name"),
    "new_date": Words("新的完成日期", "New date"),
    "next_steps": Words("下一步", "Next steps"),
    "next_visit": Words("下次复诊", "Next visit"),
    "note": Words("说明", "Note"),
    "number": Words("文书编号", "Number of the document"),
    "opinion": Words("复学意见", "Opinion on the return"),
    "organisation": Words("单位", "Organisation"),
    "outcome": Words("结果", "Outcome"),
    "part": Words("承担", "Part"),
    "peers": Words("同伴关系", "Peers"),
    "people": Words("到场人员", "Who came"),
    "plan": Words("安全计划", "Safe plan"),
    "present": Words("到会人员", "Present"),
    "programme": Words("指导项目", "Programme"),
    "proper": Words("是否恰当", "Was it proper?"),
    "proposed": Words("建议由谁办理", "Who should do it instead"),
    "purpose": Words("目的", "Purpose"),
    "reason": Words("原因", "Reason"),
    "receipt": Words("回执编号", "Receipt"),
    "recovery": Words("康复情况", "Recovery"),
    "result": Words("结果", "Result"),
    "review_on": Words("复核日期", "Review on"),
    "risk": Words("风险", "Risk"),
    "ruling": Words("裁定", "Ruling"),
    "scale": Words("量表", "Scale"),
    "school": Words("学校", "School"),
    "score": Words("评分", "Score"),
    "scores": Words("评分", "Scores"),
    "screening": Words("筛查情况", "Screening"),
    "seat": Words("座位安排", "Seat"),
    "seen_at": Words("就诊时间", "Seen at"),
    "signed_at": Words("签署时间", "Signed at"),
    "signed_refusal": Words("签字的拒绝书", "Signed refusal"),
    "signs": Words("复发表现", "Signs"),
    "sleep": Words("睡眠", "Sleep"),
    "status": Words("治疗状况", "Status of treatment"),
    "statutory": Words("强制报告情形", "Situations that must be reported"),
    "student": Words("学生", "Student"),
    "study": Words("学习情况", "Study"),
    "summary": Words("情况说明", "What happened"),
    "term": Words("期限", "Term"),
    "to": Words("交给哪个单位", "To which organisation"),
    "topic": Words("会商议题", "Topic"),
    "until": Words("有效期至", "Until"),
    "urgent": Words("情况紧急", "Urgent"),
    "version": Words("量表版本", "Version of the scale"),
    "watch_plan": Words("看护方案", "How the student is watched over"),
    "watch_points": Words("观察要点", "What to watch for"),
    "what": Words("事项", "What"),
    "where": Words("地点", "Where"),
    "comment": Words("评语", "Comment"),
    "return_to_school.school_sign.plan": Words("复学方案", "Plan for the return"),
    "mandatory_report.file.to": Words("向哪个公安机关报告", "To which police"),
    "mandatory_report.file.at": Words("报案时间", "Reported at"),
    "assignment.report_in.at": Words("到场时间", "Arrived at"),
    "assignment.report_in.mode": Words("报到方式", "How you reported in"),
    "assignment.reassign.to": Words("改派给", "Reassign to"),
    "case.record_screening.items": Words("各题得分", "Answers"),
    "conference.minute.items": Words("行动事项", "Action items"),
    "case.close.outcome": Words("结案结果", "Outcome"),
    "case.close.summary": Words("结案小结", "Summary"),
    "referral.complete.summary": Words("诊疗小结", "Summary of treatment"),
    "leave.record_contact.how": Words("联系方式", "How"),
    "assignment.report_in.evidence": Words("现场照片", "Photos of the place"),
    "assignment.give_feedback.evidence": Words("照片和材料", "Photos and papers"),
    "referral.complete.evidence": Words("诊疗文书", "Medical papers"),
    "return_to_school.hospital_sign.evidence": Words("诊疗文书", "Medical papers"),
    "return_to_school.school_sign.evidence": Words("方案原件", "The plan on paper"),
    "extension.request.about": Words("为哪项派单申请", "For which assignment"),
}
"""By the field's name, or by `kind.trigger.name` where a name means something else there."""

HINTS: Final[Mapping[str, Words]] = {
    "evidence": Words(
        "拍照或扫描上传；原件存放在别处的，写明名称和存放处，每行一项。",
        "A photo or a scan; of what is kept elsewhere its name and place, one a line.",
    ),
    "form": Words(
        "拍照或扫描上传签好字的同意书；只有纸质的，写明存放处。",
        "A photo or scan of the signed form; where there is only paper, say where it is kept.",
    ),
    "signed_refusal": Words(
        "拍照或扫描上传签好字的文书；只有纸质的，写明存放处。",
        "A photo or scan of the signed document; where there is only paper, say where it is kept.",
    ),
    "certificate": Words("诊断证明等，拍照或扫描上传。", "Medical certificates and the like, as a photo or scan."),
    "referral.complete.evidence": Words(
        "出院小结、诊断证明等；只有医院和心理教师能看到。",
        "Discharge letter, certificate; only hospital and counselor see them.",
    ),
    "return_to_school.hospital_sign.evidence": Words(
        "书面意见、诊断证明等；只有医院和心理教师能看到。",
        "Written opinion, certificate; only hospital and counselor see them.",
    ),
    "people": Words("每行一人：姓名、单位。", "One person a line: name, organisation."),
    "present": Words("每行一人：姓名、单位。", "One person a line: name, organisation."),
    "guardians": Words("每行一人：姓名、关系、电话。", "One a line: name, relation, telephone."),
    "id_number": Words("18 位；不清楚可以不填。", "18 digits; leave it empty if you don't know."),
    "version": Words("量表封面上的版本，如“中文版 2015”。", "As printed on the sheet."),
    "attendance": Words("0 到 100。", "From 0 to 100."),
    "into": Words("个案编号，如 WH-2026-000123。", "The number, such as WH-2026-000123."),
    "extra": Words(
        "填数字，单位与原时限相同；不能超过原时限。", "A number in the limit's own unit; at most the original length."
    ),
    "term": Words("如“六个月”。", "Such as “six months”."),
    "limit": Words("如 3wd（3 个工作日）、2d（2 天）。", "Such as 3wd (3 working days) or 2d (2 days)."),
    "number": Words("公文上的编号。", "As printed on the document."),
    "summary": Words(
        "写看到、听到的事实：何时、何地、谁说了什么。不写推测。",
        "What you saw and heard: when, where, who said what. No guesses.",
    ),
    "referral.complete.summary": Words(
        "诊断、治疗经过和出院（结束治疗）时的状况；学校据此安排返校。",
        "Diagnosis, course of treatment and condition at its end; the school plans the return by it.",
    ),
    "case.close.summary": Words(
        "办了什么、现在怎样、今后谁来关注。", "What was done, how it is now, who keeps an eye on it."
    ),
    "clinical_note": Words("街道、校长等看不到这一栏。", "Street and principal can't see this."),
}

CHOICES: Final[Mapping[str, Words]] = {
    "outcome.resolved": Words("已解决", "resolved"),
    "outcome.transferred_to_long_term_care": Words("转入长期帮扶", "transferred to long-term care"),
    "outcome.moved_away": Words("已迁离", "moved away"),
    "outcome.unfounded": Words("情况不属实", "unfounded"),
    "outcome.solved": Words("已解决", "solved"),
    "outcome.partly": Words("部分解决", "partly"),
    "outcome.unsolved": Words("未解决", "unsolved"),
    "part.support": Words("协办", "support"),
    "scale.phq_9": Words("PHQ-9 抑郁筛查", "PHQ-9, depression"),
    "scale.gad_7": Words("GAD-7 焦虑筛查", "GAD-7, anxiety"),
    "scale.c_ssrs": Words("C-SSRS 自杀风险筛查", "C-SSRS, suicide risk"),
    "mode.on_site": Words("到场", "on site"),
    "mode.phone": Words("电话", "by telephone"),
    "mode.video": Words("视频", "by video"),
    "mode.outpatient": Words("门诊", "outpatient"),
    "mode.inpatient": Words("住院", "inpatient"),
    "ruling.done": Words("认可，办结", "accepted, done"),
    "ruling.on_scene": Words("退回补办", "back to work"),
    "ruling.assessing": Words("重新评估", "assess again"),
    "ruling.planned": Words("准予复学", "let the student return"),
    "risk.none": Words("无", "none"),
    "risk.some": Words("有一些", "some"),
    "risk.acute": Words("高危", "acute"),
    "adherence.full": Words("按医嘱", "full"),
    "adherence.partial": Words("部分", "partial"),
    "adherence.none": Words("没有", "none"),
    "how.visit": Words("上门", "visit"),
    "how.phone": Words("电话", "by telephone"),
    "how.video": Words("视频", "by video"),
    "channel.110": Words("拨打 110", "called 110"),
    "channel.in_person": Words("当面报案", "in person"),
    "accepted.administrative": Words("行政立案", "administrative case"),
    "accepted.criminal": Words("刑事立案", "criminal case"),
    "accepted.no_case": Words("不予立案", "no case"),
    "opinion.fit": Words("适合复学", "fit to return"),
    "opinion.fit_with_conditions": Words("附条件复学", "fit with conditions"),
    "opinion.not_yet": Words("暂不适合", "not yet"),
    "opinion.no_leave_taken": Words("未休学", "no leave was taken"),
    "level.red": Words("红色：危及生命安全", "red: life or safety"),
    "level.orange": Words("橙色：严重且正在发生", "orange: serious and active"),
    "level.yellow": Words("黄色：中等程度", "yellow: moderate"),
    "level.blue": Words("蓝色：需要关注", "blue: watch"),
    "mood.1": Words("很差", "very bad"),
    "mood.5": Words("很好", "very good"),
    "sleep.1": Words("很差", "very bad"),
    "sleep.5": Words("很好", "very good"),
    "peers.1": Words("很差", "very bad"),
    "peers.5": Words("很好", "very good"),
    "score.1": Words("很不满意", "very poor"),
    "score.5": Words("很满意", "very good"),
}
"""By `field.code`; concerns and levels take the policy's own labels where one is at hand."""

SECTIONS: Final[Mapping[str, Words]] = {
    "identity": Words("身份信息", "identity"),
    "narrative": Words("情况记录", "narrative"),
    "clinical": Words("诊疗信息", "clinical"),
    "open": Words("个案概况", "the case itself"),
}

CHANGES: Final[Mapping[str, Words]] = {
    "appointed": Words("任命", "appointed"),
    "ended": Words("免职", "post ended"),
    "retired": Words("停用", "out of service"),
}

ROOMS: Final[Mapping[str, Words]] = {
    "case page": Words("个案页", "case page"),
    "own draft": Words("自己的草稿", "own draft"),
    "form": Words("办理页面", "form of a step"),
    "open": Words("个案、进展和时限", "case, timeline, tracks and limits"),
    "files": Words("附件目录", "list of files"),
    "pictures": Words("图片缩略图", "pictures, small"),
    "supervision orders": Words("督办页面", "supervision orders"),
    "search by name": Words("按姓名查找", "search by name"),
}
"""Where something was opened, as the access log keeps it; other words there are a reason that somebody wrote."""

RUNGS: Final[Mapping[str, Words]] = {
    "reminded": Words("提醒", "reminder"),
    "warned": Words("预警", "warning"),
    "breached": Words("逾期", "overdue"),
    "escalated": Words("督办", "escalated"),
    "bulletined": Words("通报", "bulletin"),
}


def room(what: str) -> Words:
    """Where or why something was opened."""
    if what.startswith("file:"):
        return Words("一个附件", "a file")
    return ROOMS.get(what, Words(what, what))


def field_label(kind: str, trigger: str, name: str) -> Words:
    """What a field of a trigger is called. Raises KeyError for a field that nobody has named."""
    own = FIELDS.get(f"{kind}.{trigger}.{name.rstrip('_')}")
    return own or FIELDS[name.rstrip("_")]


def hint(kind: str, trigger: str, name: str) -> Words:
    """What helps to fill a field in; empty where the label says it all."""
    none = Words("", "")
    own = HINTS.get(f"{kind}.{trigger}.{name.rstrip('_')}")
    return own if own is not None else HINTS.get(name.rstrip("_"), none)
