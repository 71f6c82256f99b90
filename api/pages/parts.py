"""What several pages show of a case: its place, its level, its student as far as the reader may know."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from api.given import number_of
from api.pages.frame import Page
from cases import access
from cases.casefile import CaseFile
from cases.office import Session
from cases.outlines import NOBODY, Outline, outlines
from policies.book import Book


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a case. `student` is masked, and empty for whoever doesn't see the identity."""

    number: str
    level: str
    level_word: str
    concern: str
    state: str
    school: str
    student: str
    class_: str

    @property
    def title(self) -> str:
        """Name, grade and school; without a name where the reader doesn't see one."""
        return " · ".join(part for part in (self.student, self.class_, self.school) if part)


def grade(page: Page, outline: Outline) -> str:
    """`初二（5）班`, `Grade 8, class 5`; empty where the school wrote neither."""
    said = grade_word(page.language, outline.grade)
    class_ = outline.class_
    bare = class_.removesuffix("班").strip("（）()")
    if page.language == "zh_CN":
        return said + (f"（{bare}）班" if bare.isdigit() else class_)
    return ", ".join(part for part in (said, f"class {bare}" if bare.isdigit() else class_) if part)


def grade_word(language: str, written: str) -> str:
    """`初二`, `Grade 8`; whatever else the school wrote as it is."""
    number = number_of(written)
    if number is None or number >= len(_GRADES):
        return written
    if language == "zh_CN":
        return _GRADES[number]
    return f"Grade {written}" if number else "Kindergarten"


GRADES = range(13)


_GRADES = (
    "幼儿园", "一年级", "二年级", "三年级", "四年级", "五年级", "六年级", "初一", "初二", "初三", "高一", "高二",
    "高三", "高三",
)  # fmt: skip


def head(page: Page, session: Session, file: CaseFile, sight: access.Sight, outline: Outline | None = None) -> Head:
    """The head of one case for a reader of that sight. One query where no outline is handed over."""
    book = session.office.book_of(file.policy)
    if outline is None:
        outline = outlines(session, [file.student]).get(file.student, NOBODY)
    return headed(page, session, book, file, sight.identity, outline)


def headed(page: Page, session: Session, book: Book, file: CaseFile, degree: str, outline: Outline) -> Head:
    """The head of a case whose student's outline is at hand."""
    place = session.office.directory.organisation(session.connection, file.school)
    return Head(
        number=file.number,
        level=file.level,
        level_word=level_word(page, book, file.level),
        concern=concern_word(page, book, file.concern),
        state=page.word(session.office.tracks["case"].states[file.state].label),
        school=place.name,
        student=outline.name if degree == "yes" else "",
        class_=_shown_grade(page, outline, degree),
    )


def _shown_grade(page: Page, outline: Outline, degree: str) -> str:
    """The grade; with the class only where the name is seen too, for the class of a small school names a child."""
    if degree == "yes":
        return grade(page, outline)
    return grade_word(page.language, outline.grade) if degree == "masked" else ""


def level_word(page: Page, book: Book, level: str) -> str:
    """`红色`, `Red`."""
    label = book.levels[level].label
    return f"{label.zh_CN}色" if page.language == "zh_CN" else label.en.capitalize()


def concern_word(page: Page, book: Book, concern: str) -> str:
    """What the case is about; a draft may not say yet."""
    found = book.concerns.get(concern)
    return page.word(found.label) if found is not None else page.say("not said yet")


def named(session: Session, files: Collection[CaseFile]) -> Mapping[int, Outline]:
    """The outlines of several cases' students, in one query."""
    return outlines(session, {one.student for one in files})
