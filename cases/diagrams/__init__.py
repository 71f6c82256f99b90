"""The state machines as pictures and pages, drawn from the declarations alone: Mermaid, SVG, Markdown."""

from __future__ import annotations

from cases.diagrams.chart import Chart, chart
from cases.diagrams.mermaid import mermaid
from cases.diagrams.pages import pages
from cases.diagrams.svg import svg_of

__all__ = ["Chart", "chart", "mermaid", "pages", "svg_of"]
