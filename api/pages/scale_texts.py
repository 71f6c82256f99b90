"""What the items of a screening scale ask, and what the numbers of an answer mean, as the published sheets say it.

PHQ-9 and GAD-7 are free to use. A scale of a policy that isn't here is shown by its items' numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from policies.vocabulary import Words


@dataclass(frozen=True, slots=True)
class Sheet:
    """A scale as it is printed: what is asked before all items, the items in their order, the words of the answers."""

    asks: Words
    items: tuple[Words, ...]
    answers: tuple[Words, ...]


_DAYS: Final = (
    Words("完全不会", "not at all"),
    Words("好几天", "several days"),
    Words("一半以上的天数", "more than half the days"),
    Words("几乎每天", "nearly every day"),
)
_TWO_WEEKS: Final = Words(
    "在过去两周里，有多少时间受到以下问题的困扰？",
    "Over the last two weeks, how often have you been bothered by any of the following problems?",
)

SHEETS: Final[Mapping[str, Sheet]] = {
    "phq_9": Sheet(
        _TWO_WEEKS,
        (
            Words("做事时提不起劲或没有兴趣", "Little interest or pleasure in doing things"),
            Words("感到心情低落、沮丧或绝望", "Feeling down, depressed, or hopeless"),
            Words("入睡困难、睡不安稳或睡眠过多", "Trouble falling or staying asleep, or sleeping too much"),
            Words("感觉疲倦或没有活力", "Feeling tired or having little energy"),
            Words("食欲不振或吃太多", "Poor appetite or overeating"),
            Words(
                "觉得自己很糟，或觉得自己很失败，或让自己、家人失望",
                "Feeling bad about yourself, or that you are a failure or have let yourself or your family down",
            ),
            Words(
                "对事物专注有困难，例如看书、看电视时",
                "Trouble concentrating on things, such as reading the newspaper or watching television",
            ),
            Words(
                "动作或说话慢到别人已经察觉；或正好相反，烦躁、坐立不安，比平常更爱动来动去",
                "Moving or speaking so slowly that other people could have noticed; or the opposite, being so fidgety "
                "or restless that you have been moving around a lot more than usual",
            ),
            Words(
                "有不如死掉或用某种方式伤害自己的念头",
                "Thoughts that you would be better off dead, or of hurting yourself in some way",
            ),
        ),
        _DAYS,
    ),
    "gad_7": Sheet(
        _TWO_WEEKS,
        (
            Words("感觉紧张、焦虑或急切", "Feeling nervous, anxious, or on edge"),
            Words("不能停止或控制担忧", "Not being able to stop or control worrying"),
            Words("对各种各样的事情担忧过多", "Worrying too much about different things"),
            Words("很难放松下来", "Trouble relaxing"),
            Words("由于不安而无法静坐", "Being so restless that it's hard to sit still"),
            Words("变得容易烦恼或急躁", "Becoming easily annoyed or irritable"),
            Words("感到似乎有可怕的事情将要发生而害怕", "Feeling afraid as if something awful might happen"),
        ),
        _DAYS,
    ),
    "c_ssrs": Sheet(
        Words(
            "由受过培训的人员当面询问。第 1 至 5 题问过去一个月，第 6 题问过去三个月。",
            "Asked in person by a trained interviewer. Questions 1 to 5 are about the past month, question 6 about "
            "the past three months.",
        ),
        (
            Words(
                "是否希望自己死去，或希望睡着后不再醒来？",
                "Have you wished you were dead or wished you could go to sleep and not wake up?",
            ),
            Words("是否真的有过自杀的念头？", "Have you actually had any thoughts about killing yourself?"),
            Words("是否想过用什么方式自杀？", "Have you been thinking about how you might do this?"),
            Words(
                "有这些念头时，是否有过付诸行动的打算？",
                "Have you had these thoughts and had some intention of acting on them?",
            ),
            Words(
                "是否已经开始或已经想好自杀的具体细节，并打算照此去做？",
                "Have you started to work out or worked out the details of how to kill yourself, and do you intend to "
                "carry out this plan?",
            ),
            Words(
                "过去三个月里，是否做过、开始做或准备做结束自己生命的事？",
                "In the past three months, have you done anything, started to do anything, or prepared to do anything "
                "to end your life?",
            ),
        ),
        (Words("否", "no"), Words("是", "yes")),
    ),
}
"""By the scale's code."""


def sheet_of(code: str, items: int, answers: int) -> Sheet | None:
    """The printed sheet of a scale that has so many items and answers; None for one that a policy made its own."""
    found = SHEETS.get(code)
    return found if found is not None and (len(found.items), len(found.answers)) == (items, answers) else None
