"""Tables as offices send them: every usual spelling is read, and nothing in one is ever run or unpacked without end."""

from __future__ import annotations

import io
import zipfile
from datetime import date

import pytest
from openpyxl import Workbook, load_workbook

from api.imports import columns
from api.imports.lists import CellFault, letters, listed
from api.imports.reading import Formula, decoded, read
from api.imports.table_fault import TableFault
from api.tables import Cell, safe, to_csv, to_xlsx
from cases.import_rows import KINDS
from tests.api import lists

TODAY = date(2026, 3, 17)
HEADS = ("学籍号", "姓名", "出生日期")


def faults(kind: str, content: bytes) -> list[CellFault]:
    found = listed(kind, content, TODAY)  # type: ignore[arg-type]
    return found.found(found.faults)


def cells(content: bytes) -> list[tuple[str, str]]:
    return [(f"{one.column}{one.row}", one.code) for one in faults("students", content)]


def table_fault(content: bytes, kind: str = "students") -> str:
    with pytest.raises(TableFault) as caught:
        listed(kind, content, TODAY)  # type: ignore[arg-type]
    assert caught.value.text("zh_CN")
    return caught.value.code


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_csv_is_read_in_the_encodings_that_offices_use(encoding: str, delimiter: str) -> None:
    content = lists.text(HEADS, ["7", "李示例", "2016-11-02"], encoding=encoding, delimiter=delimiter)
    (row,) = listed("students", content, TODAY).rows
    assert (row.roster_no, row.name, row.born) == ("7", "李示例", date(2016, 11, 2))


@pytest.mark.parametrize(
    "written",
    [
        "2016-11-02",
        "2016/11/2",
        "2016.11.2",
        "2016年11月2日",
        "20161102",
        20161102,
        date(2016, 11, 2),
        "２０１６-11-02",
    ],
)
def test_a_date_is_read_in_the_ways_that_people_write_it(written: object) -> None:
    (row,) = listed("students", lists.xlsx(HEADS, ["7", "李示例", written]), TODAY).rows
    assert row.born == date(2016, 11, 2)


def test_headings_are_known_in_both_languages_with_stars_and_units() -> None:
    for heads in (
        ("学籍号", "姓名*", "出生日期(年-月-日)"),
        ("Roster No", "NAME", "Birthday"),
        ("roster_no", "name", "born"),
        ("学籍序号 roster no", "姓名 name", "出生日期 born"),
    ):
        for turned in (False, True):
            line = ["7", "李示例", "2016-11-02"]
            content = lists.xlsx(heads[::-1], line[::-1]) if turned else lists.xlsx(heads, line)
            (row,) = listed("students", content, TODAY).rows
            assert (row.roster_no, row.name) == ("7", "李示例")


def test_empty_rows_and_columns_that_nobody_needs_are_passed_over() -> None:
    content = lists.xlsx([], (*HEADS, "性别"), [None] * 4, ["7", "李示例", "2016-11-02", "女"], [], [])
    found = listed("students", content, TODAY)
    assert [row.row for row in found.rows] == [4]
    assert found.ignored == ["性别"]


def test_every_faulty_cell_is_named_with_what_would_be_right() -> None:
    heads = (*HEADS, "年级", "身份证号", "监护人", "监护人电话")
    good = lists.id_number("2016-11-02", 7)
    content = lists.xlsx(
        heads,
        ["1", "李示例", "2016-13-02", 3, good, "家长", "13900000000"],
        [None, "", "2016-11-02", 99, good[:-1] + ("0" if good[-1] != "0" else "1"), None, "call me"],
        ["3", "x" * 81, "2031-01-01", None, 110101199003070000, None, "139-0000-0000"],
        ["4", "李\u202e示例", "2016-11-03", None, good, "家长", None],
        ["5", "=1+1", "1889-01-01", None, "123", "=cmd|' /C calc'!A0", None],
    )
    assert cells(content) == [
        ("C2", "not_a_date"),
        ("A3", "missing"), ("B3", "missing"), ("D3", "grade_form"), ("E3", "id_number_check"), ("G3", "phone_form"),
        ("B4", "too_long"), ("C4", "date_out_of_range"), ("E4", "number_as_number"), ("F4", "missing"),
        ("B5", "control_characters"), ("E5", "id_number_born"),
        ("B6", "formula"), ("C6", "date_out_of_range"), ("E6", "id_number_form"), ("F6", "formula"),
    ]  # fmt: skip
    first = faults("students", content)[0]
    assert first.text("zh_CN") == "名单 第 2 行 C 列（出生日期）：不是日期，应如 2016-11-02"
    assert first.text("en") == "名单, row 2, column C (出生日期): no date: it should look like 2016-11-02"


def test_no_fault_repeats_what_stands_in_a_students_cell() -> None:
    content = lists.xlsx((*HEADS, "身份证号"), ["1", "CANARY\u202e", "CANARY", "CANARY"])
    said = "".join(one.text(language) for one in faults("students", content) for language in ("zh_CN", "en"))
    assert "CANARY" not in said


def test_a_list_of_organisations_takes_the_words_of_offices() -> None:
    content = lists.xlsx(
        lists.ORGANISATIONS, ["a", "派出所", "示例派出所", "x"], ["b", "Street", "y", "x"], ["c", "公园", "z", "x"]
    )
    found = listed("organisations", content, TODAY)
    assert [row.kind for row in found.rows] == ["police", "street"]
    (fault,) = found.found(found.faults)
    assert (fault.column, fault.row, fault.code) == ("B", 4, "not_one_of")
    assert "派出所" in fault.said[0] or "公安" in fault.said[0]


def test_a_list_of_members_takes_several_posts_in_a_cell() -> None:
    content = lists.xlsx(
        lists.MEMBERS, ["a", "王示例", "经办人、负责人"], ["a", "周示例", "counselor, mentor"], ["a", "吴", "园长"]
    )
    found = listed("members", content, TODAY)
    assert [row.roles for row in found.rows] == [("officer", "lead"), ("counselor", "mentor")]
    assert [one.code for one in found.faults] == ["not_one_of"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_template_has_headings_that_are_understood(kind: str) -> None:
    written = columns.template(kind)  # type: ignore[arg-type]
    page = load_workbook(io.BytesIO(written)).worksheets[0]
    headings = [cell.value for cell in page[1]]
    places, ignored = columns.places(kind, 1, headings)  # type: ignore[arg-type]
    assert len(places) == len(headings) == len(columns.COLUMNS[kind])  # type: ignore[index]
    assert ignored == []


# ------------------------------------------------------------------------------ files that pretend


def test_what_is_no_table_is_told_apart() -> None:
    assert table_fault(b"") == "empty"
    assert table_fault(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(100)) == "old_or_locked"
    assert table_fault(b"PK\x03\x04" + bytes(100)) == "damaged"
    assert table_fault(b"%PDF-1.5\n\0\0") == "not_a_table"
    assert table_fault(b"<html><script>") == "not_a_table"
    assert table_fault(bytes(range(128, 256)) * 10) == "wrong_encoding"
    assert table_fault("学籍号,姓名\n1,2".encode()) == "no_headings"
    assert table_fault('"学籍号,姓名'.encode()) == "damaged"
    assert table_fault("姓名,姓名,学籍号,出生日期\n".encode()) == "heading_twice"
    assert table_fault(lists.xlsx(HEADS)[:900]) == "damaged"
    other = io.BytesIO()
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("word/document.xml", "x")
    assert table_fault(other.getvalue()) == "not_a_table"


def _repacked(content: bytes, name: str, part: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        for one in old.infolist():
            new.writestr(one.filename, part if one.filename == name else old.read(one))
        if name not in old.namelist():
            new.writestr(name, part)
    return made.getvalue()


def test_a_zip_bomb_is_refused_before_it_is_unpacked() -> None:
    bomb = _repacked(lists.xlsx(HEADS), "xl/media/image1.bin", bytes(210_000_000))
    assert len(bomb) < 1_000_000
    assert table_fault(bomb) == "too_large"


def test_a_table_that_declares_entities_is_refused() -> None:
    laughs = b'<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol">]><worksheet>&lol;</worksheet>'
    assert table_fault(_repacked(lists.xlsx(HEADS), "xl/worksheets/sheet1.xml", laughs)) == "damaged"
    wide = "<?xml version='1.0' encoding='utf-16'?><!DOCTYPE a><worksheet/>".encode("utf-16")
    assert table_fault(_repacked(lists.xlsx(HEADS), "xl/worksheets/sheet1.xml", wide)) == "damaged"


def test_a_changed_table_never_breaks_the_reading() -> None:
    import random

    chance = random.Random(5)  # noqa: S311 - no secret is drawn
    whole = lists.xlsx(HEADS, *(["7", "李示例", "2016-11-02"] for _ in range(50)))
    for _ in range(150):
        content = bytearray(whole)
        for _ in range(chance.randint(1, 30)):
            content[chance.randrange(len(content))] = chance.randrange(256)
        try:
            listed("students", bytes(content), TODAY)
        except TableFault as fault:
            assert fault.text("en")  # noqa: PT017 - many of them may pass


def test_formulas_are_never_calculated() -> None:
    book = Workbook()
    page = book.active
    assert page is not None
    page.append(["=1+1", '=HYPERLINK("http://x","y")', "@x", "+1"])
    written = io.BytesIO()
    book.save(written)
    (_, row) = read(written.getvalue()).rows[0]
    assert row[:2] == [Formula(), Formula()]
    assert read(b'a,=1+1,="0012"\n').rows[0][1] == ["a", Formula(), "0012"]


def test_gb18030_is_told_from_bytes_that_make_no_sense() -> None:
    assert decoded("学籍号,姓名".encode("gb18030")) == "学籍号,姓名"
    with pytest.raises(TableFault):
        decoded(b"\x80\x81\xff\xfe\xfd")


def test_a_column_has_the_letters_of_the_spreadsheet() -> None:
    assert [letters(place) for place in (0, 25, 26, 51, 52, 701, 702)] == ["A", "Z", "AA", "AZ", "BA", "ZZ", "AAA"]


# ---------------------------------------------------------------------------- tables that go out

INJECTIONS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1+1", "  =1", "\u3000=1", "\u200b=1", "|calc", "\n=1"]


@pytest.mark.parametrize("text", INJECTIONS)
def test_no_text_that_goes_out_is_a_formula(text: str) -> None:
    assert safe(text).startswith("'")
    line = to_csv(["h"], [[text]]).decode("utf-8-sig").splitlines()[1]
    assert line.startswith("\"'")
    page = load_workbook(io.BytesIO(to_xlsx(["h"], [[text]]))).worksheets[0]
    assert page["A2"].data_type in {"s", "inlineStr"}
    assert page["A2"].quotePrefix


def test_honest_values_go_out_as_they_are() -> None:
    rows: list[list[Cell]] = [["小怡", 5, -1.5, date(2026, 3, 17), None, True, "a-b=c"]]
    written = to_csv(["名称", "b", "c", "d", "e", "f", "g"], rows).decode("utf-8-sig")
    assert written.splitlines()[1] == '"小怡",5,-1.5,"2026-03-17","","True","a-b=c"'
    page = load_workbook(io.BytesIO(to_xlsx(list("abcdefg"), rows))).worksheets[0]
    shown = [cell.value for cell in page[2]]
    assert shown[:3] == ["小怡", 5, -1.5]
    assert page["D2"].value.date() == date(2026, 3, 17)
    assert safe("a\x00b\x1fc") == "abc"
