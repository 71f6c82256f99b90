"""What can be wrong with a sample city that was asked for, said in both languages."""

from __future__ import annotations

from typing import Final

from cases.spoken import SpokenFault

_TEXTS: Final[dict[str, tuple[str, str]]] = {
    "no_district": (
        "样例城市里没有“{what}”。可用：{known}。",
        "The sample city has no district {what}. It has: {known}.",
    ),
    "twice": ("“{what}”写了两次。", "{what} is named twice."),
    "no_schools": ("学校至少要有 1 所，不是 {found}。", "There has to be at least one school, not {found}."),
    "too_many_schools": (
        "学校最多 {most} 所，不是 {found}。",
        "There can be at most {most} schools, not {found}.",
    ),
    "students": (
        "学生数应在 0 到 {most} 之间，不是 {found}。",
        "The number of students has to lie between 0 and {most}, not {found}.",
    ),
    "another_city": (
        "这个数据库里已经装入另一个样例城市（{found}），与所要的（{wanted}）不同。请换一个数据库；什么都没有改动。",
        "Another sample city is here ({found}) than the one asked for ({wanted}): use another database.",
    ),
    "not_the_sample": (
        "这个数据库里已经有单位登记，不是样例城市。样例数据不会混进真实数据；什么都没有改动。",
        "Real organisations are registered here; samples aren't mixed with them. Nothing was changed.",
    ),
    "begun": (
        "样例城市已经开始装入。要接着装，请不要加 --no-resume。",
        "The sample city is here already, or half of it. To go on with it leave out --no-resume.",
    ),
    "no_sample": (
        "演示个案只放进样例城市，这里没有（或尚未装完）。请先运行 whistle city load；什么都没有改动。",
        "Cases to look at belong into the sample city, which isn't here, or not whole: run `whistle city load` first.",
    ),
    "loading": (
        "另一个进程正在装入样例城市。请等它完成。",
        "Another process is loading the sample city. Wait until it has finished.",
    ),
}


class CityFault(SpokenFault, ValueError):
    """The sample city can't be planned or loaded as asked."""

    texts = _TEXTS
