"""Lists for tests, as an office writes them."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from openpyxl import Workbook


def xlsx(*rows: Sequence[object], sheet: str = "名单") -> bytes:
    book = Workbook()
    page = book.active
    assert page is not None
    page.title = sheet
    for row in rows:
        page.append(list(row))
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


def text(*rows: Sequence[object], encoding: str = "utf-8-sig", delimiter: str = ",") -> bytes:
    written = io.StringIO(newline="")
    csv.writer(written, delimiter=delimiter).writerows(rows)
    return written.getvalue().encode(encoding)


def id_number(born: str, serial: int) -> str:
    """A number whose check digit fits, of a district that there isn't."""
    digits = f"990099{born.replace('-', '')}{serial:03d}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return digits + "10X98765432"[sum(int(one) * weight for one, weight in zip(digits, weights, strict=True)) % 11]


ORGANISATIONS = ("单位代码", "单位类别", "单位名称", "上级单位", "所在街道", "定点医院", "所在社区")
MEMBERS = ("单位", "姓名", "职务", "电话", "邮箱", "工作站学校")
STUDENTS = (
    "学籍号",
    "姓名",
    "出生日期",
    "年级",
    "班级",
    "身份证号",
    "监护人",
    "监护人电话",
    "住址",
    "社区",
    "导师",
    "性别",
)


def pupil(number: int, **changed: object) -> list[object]:
    """One line of a roster."""
    born = f"2015-{number % 12 + 1:02d}-{number % 27 + 1:02d}"
    line: dict[str, object] = {
        "roster_no": f"2026{number:06d}",
        "name": f"学生{number}",
        "born": born,
        "grade": 3,
        "class": "3-1",
        "id_number": id_number(born, number % 1000),
        "guardian": f"家长{number}",
        "phone": f"139{number:08d}",
        "address": "示例路 1 号",
        "community": "T-community",
        "mentor": "mentor@school",
        "sex": "女",
    }
    return list({**line, **changed}.values())
