"""Invented names. Telephone numbers begin with 100 and ID numbers with 99, which nobody in China is given."""

from __future__ import annotations

from datetime import date
from random import Random
from typing import Final

from cases.id_number import check_digit

_SURNAMES: Final = (
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎"
)
_GIVEN: Final = "安宁和禾苗雨晴朗月星辰云帆远航思源知行明哲文博子涵佳怡欣然若溪一诺嘉言书瑶梓萱浩宇俊熙语桐清扬念初"
_PLACES: Final = (
    "梧桐里",
    "银杏巷",
    "青果",
    "桂雨",
    "云锦坊",
    "石榴园",
    "雨花茶",
    "秋水",
    "春和",
    "望江亭",
    "听松",
    "采薇",
    "荷塘",
    "紫藤",
    "竹影",
    "松风",
    "晚樱",
    "早梅",
    "白鹭洲头",
    "鹿鸣",
    "扶摇",
    "青衿",
    "沐阳",
    "知春",
    "润泽",
    "拾光",
    "星河里",
    "棠梨",
    "橘洲",
    "芦花",
    "碧桃",
    "蒹葭",
    "稻香",
    "枫桥边",
    "云杉",
    "麦浪",
    "沧浪",
    "归雁",
    "听雨",
    "晨曦",
    "繁星",
    "南雁",
    "清溪畔",
    "长亭",
    "木兰舟",
    "海棠里",
    "雪松",
    "香樟",
    "杏坛",
    "泮池",
    "兰亭外",
    "半山",
    "松果",
    "蓝莓",
    "向阳坡",
    "小满",
    "谷雨",
    "芒种",
    "白露",
    "霜降",
)
_STAGES: Final = {
    "P": ("小学", 1, 6),
    "J": ("中学", 7, 9),
    "S": ("高级中学", 10, 12),
    "V": ("中等专业学校", 10, 12),
}
# Of twenty schools eleven are primary, five junior, two senior and two vocational.
_CYCLE: Final = "PJPPSPJPPVPJPPSPJPJV"


def school(number: int) -> tuple[str, int, int]:
    """The name of a district's nth school (from 0) without the district, and its first and last grade.

    No two numbers give the same name.
    """
    stage, first, last = _STAGES[_CYCLE[number % len(_CYCLE)]]
    # Once through the places, they are used again as the second of their name.
    place, again = _PLACES[number % len(_PLACES)], number // len(_PLACES)
    return f"{place}{f'第{again + 1}' if again else ''}{stage}", first, last


def hospital(number: int) -> str:
    """The name of a district's nth hospital (from 0), without the district."""
    return f"{_PLACES[(number * 7 + 34) % len(_PLACES)]}医院"


def person(draw: Random) -> str:
    """A name of two or three characters."""
    given = draw.choice(_GIVEN) + (draw.choice(_GIVEN) if draw.random() < 0.8 else "")
    return draw.choice(_SURNAMES) + given


def phone(draw: Random) -> str:
    """Eleven digits that begin with 100, as no mobile number does."""
    return f"100{draw.randrange(10**8):08d}"


def id_number(draw: Random, born: date) -> str:
    """Eighteen digits with a right check digit, of the region 990000, which doesn't exist."""
    digits = f"990000{born:%Y%m%d}{draw.randrange(1000):03d}"
    return digits + check_digit(digits)
