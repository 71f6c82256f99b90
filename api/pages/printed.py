"""A PDF of headings and tables. Its glyphs are embedded from the vendored font: a bare machine needs none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from api.pages.assets import FOLDER

if TYPE_CHECKING:
    from fpdf import FPDF

FONT: Final = FOLDER / "vendor" / "noto-sans-sc-5.3.0" / "noto-sans-sc-chinese-simplified-400-normal.woff"
_INK: Final = (28, 39, 51)
_HEAD: Final = (238, 241, 245)


class Sheet:
    """One document, landscape A4, page by page as it fills. `made` stands at the foot of every page."""

    def __init__(self, title: str, made: str) -> None:
        self._pdf = _document(made)
        self._pdf.set_title(title)
        self._pdf.add_page()
        self._pdf.set_font("sheet", size=18)
        self._pdf.cell(text=title, new_x="LMARGIN", new_y="NEXT")
        self.text(made)

    def heading(self, text: str) -> None:
        self._pdf.ln(4)
        self._pdf.set_font("sheet", size=13)
        self._pdf.cell(text=text, new_x="LMARGIN", new_y="NEXT")
        self._pdf.ln(1)

    def text(self, text: str) -> None:
        self._pdf.set_font("sheet", size=9.5)
        self._pdf.multi_cell(0, text=text, new_x="LMARGIN", new_y="NEXT")

    def table(self, headings: Sequence[str], rows: Sequence[Sequence[str]], widths: Sequence[int]) -> None:
        """Its head is repeated on every page that it goes on to."""
        from fpdf.fonts import FontFace

        if not rows:
            return
        self._pdf.set_font("sheet", size=9)
        # Without a bold cut of the font the head is told by its ground.
        head = FontFace(emphasis=None, fill_color=_HEAD)
        with self._pdf.table(
            col_widths=tuple(widths), width=sum(widths), align="LEFT", text_align="LEFT", headings_style=head,
            borders_layout="HORIZONTAL_LINES", line_height=5.5,
        ) as table:  # fmt: skip
            for row in (headings, *rows):
                table.row(row)

    def content(self) -> bytes:
        """The document; nothing can be added after it."""
        from fpdf.fonts import TTFFont

        written = bytes(self._pdf.output())
        for font in self._pdf.fonts.values():
            if isinstance(font, TTFFont):
                # It keeps its file open, to read more glyphs from it.
                font.ttfont.close()
        return written


def _document(made: str) -> FPDF:
    from fpdf import FPDF

    class Paper(FPDF):
        def footer(self) -> None:
            self.set_y(-12)
            self.set_font("sheet", size=8)
            self.cell(0, 6, f"{made} · {self.page_no()}/{{nb}}", align="C")

    paper = Paper(orientation="landscape", format="A4")
    paper.set_margin(14)
    paper.set_text_color(*_INK)
    paper.add_font("sheet", "", FONT)
    return paper
