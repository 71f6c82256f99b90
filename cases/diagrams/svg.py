"""A track as SVG: no script, no outside font, one white sheet that prints as it looks."""

from __future__ import annotations

from dataclasses import dataclass
from math import fsum

from cases.diagrams.brushes import INK, frame, lettered, line_style, sheet
from cases.diagrams.chart import Chart, Edge, Puller, puller
from cases.diagrams.layers import Layers, Link, layers
from cases.diagrams.lettering import Line, Sign, broken
from cases.diagrams.mermaid import said
from cases.diagrams.places import arrange, spread
from cases.track import Label

MARGIN, HEAD = 28.0, 44.0
PAD_X, PAD_Y = 16.0, 9.0
LABEL_PAD_X, LABEL_PAD_Y = 9.0, 4.0
BEND = 10.0
CORNER, PORTS_APART = 18.0, 22.0
RUN_IN = 9.0
OPENING = "opening"
SIGNS: dict[Puller, Sign] = {"people": "none", "time": "clock", "engine": "follows"}


@dataclass(frozen=True, slots=True)
class Box:
    """A state or a label: what is written in it, and where it stands."""

    lines: tuple[Line, ...]
    width: float
    height: float
    edge: Edge | None = None


def svg_of(chart: Chart, language: str, present: str | None = None, *, codes: bool = True) -> str:
    """The drawing as text, the same for the same declaration. `present` marks the state in which a track stands.

    `codes`: under each label its name in the declaration, for whoever programs; who works needs none.
    """
    drawing = _Drawing(chart, language, present, codes=codes)
    return drawing.text()


class _Drawing:
    """One drawing under way."""

    def __init__(self, chart: Chart, language: str, present: str | None, *, codes: bool) -> None:
        self.chart, self.language, self.present, self.codes = chart, language, present, codes
        edges = {f"label{number}": edge for number, edge in enumerate(chart.joined)}
        links = [Link(name, edge.sources, edge.target, _weight(chart, edge)) for name, edge in edges.items()]
        links.append(Link(OPENING, (), chart.track.initial))
        self.laid: Layers = layers(list(chart.track.states), links)
        self.boxes = {state: self._state_box(state) for state in chart.track.states}
        for row in self.laid.rows:
            for node in row:
                base = node.partition("#")[0]
                if node in self.laid.bends:
                    self.boxes[node] = Box((), BEND, 0)
                elif node not in self.boxes:
                    self.boxes[node] = self._label_box(edges.get(base, chart.opening))
        widths = {node: box.width for node, box in self.boxes.items()}
        self.middles = {node: middle + MARGIN for node, middle in arrange(self.laid, widths).items()}
        self.tops: list[float] = []
        self.heights = [max(self.boxes[node].height for node in row) for row in self.laid.rows]
        self._stack()

    def say(self, zh: str, en: str) -> str:
        return zh if self.language == "zh_CN" else en

    def _state_box(self, name: str) -> Box:
        chart, track = self.chart, self.chart.track
        title = said(track.states[name].label, self.language)
        lines = [Line(self.say("现在", "now"), "now")] if name == self.present else []
        lines.append(Line(title, "title"))
        if self.codes and title.replace(" ", "_") != name:
            lines.append(Line(name, "code"))
        running = [one for one in chart.clocks[name] if one not in chart.paused[name]]
        rows: tuple[tuple[Sign, list[Label]], ...] = (
            ("clock", [track.clock_kinds[one].label for one in running]),
            ("pause", [track.clock_kinds[one].label for one in chart.paused[name]]),
            ("stays", [move.label for move in chart.stays[name]]),
        )
        for sign, labels in rows:
            words = [said(label, self.language) for label in labels]
            lines += broken(words, "small", sign, language=self.language)
        width = max(84.0, *(line.width for line in lines)) + 2 * PAD_X
        return Box(tuple(lines), width, fsum(line.height for line in lines) + 2 * PAD_Y)

    def _label_box(self, edge: Edge) -> Box:
        lines = [Line(said(move.label, self.language), "move", SIGNS[puller(move)]) for move in edge.moves]
        if edge is not self.chart.opening and not edge.sources:
            lines.append(Line(self._from_everywhere(edge), "small"))
        if not lines:
            return Box((), 14.0, 14.0, edge)
        width = max(line.width for line in lines) + 2 * LABEL_PAD_X
        return Box(tuple(lines), width, fsum(line.height for line in lines) + 2 * LABEL_PAD_Y, edge)

    def _from_everywhere(self, edge: Edge) -> str:
        also = [said(self.chart.track.states[state].label, self.language) for state in edge.also]
        more = self.say("，以及" + "、".join(also), ", and from " + ", ".join(also)) if also else ""
        return self.say("从任何进行中的状态", "from every state at work") + more

    def _stack(self) -> None:
        """Rows from top to bottom; the wider a line swings between two rows, the more room it gets."""
        swings = [0.0] * len(self.laid.rows)
        for upper, lower in self.laid.lines:
            number = next(index for index, row in enumerate(self.laid.rows) if upper in row)
            swings[number] = max(swings[number], abs(self.middles[upper] - self.middles[lower]))
        at = HEAD + MARGIN
        for number, height in enumerate(self.heights):
            self.tops.append(at)
            at += height + min(56.0, 22.0 + 0.09 * swings[number])
        self.row_of = {node: number for number, row in enumerate(self.laid.rows) for node in row}

    def text(self) -> str:
        """The whole sheet."""
        track = self.chart.track
        right = max(self.middles[node] + box.width / 2 for node, box in self.boxes.items())
        bottom = self.tops[-1] + self.heights[-1]
        parts = [*self._lines(), *self._boxes()]
        name = said(track.label, self.language)
        code = track.kind if self.codes and name.replace(" ", "_") != track.kind else ""
        everywhere = [said(move.label, self.language) for move in self.chart.stays_everywhere]
        return sheet(self.language, name, code, self._described(), parts, everywhere, (right + MARGIN, bottom + MARGIN))

    def _described(self) -> str:
        """What the picture shows, in words, for whoever can't see it."""
        track = self.chart.track
        spoken = []
        for edge in self.chart.pairs:
            source, target = (said(track.states[one].label, self.language) for one in (edge.sources[0], edge.target))
            moves = self.say("、", ", ").join(said(move.label, self.language) for move in edge.moves)
            spoken.append(self.say(f"{source} → {target}：{moves}", f"{source} → {target}: {moves}"))
        now = ""
        if self.present is not None:
            label = said(track.states[self.present].label, self.language)
            now = self.say(f"现在：{label}。", f"Now: {label}. ")
        return now + self.say("；", "; ").join(spoken)

    def _lines(self) -> list[str]:
        drawn = []
        for (begin, end), chain in self.laid.chains.items():
            edge = self.boxes[begin].edge or self.boxes[end].edge
            kind: Puller = edge.puller if edge else "people"
            into_state = self.boxes[end].edge is None
            drawn.append(f'<path d="{self._route(chain)}" {line_style(kind, arrow=into_state)}/>')
        return drawn

    def _route(self, chain: list[str]) -> str:
        """Straight past every row and bent only between rows, so that a line meets neither box nor label."""
        down = self.row_of[chain[-1]] > self.row_of[chain[0]]
        path: list[str] = []
        for number, node in enumerate(chain):
            row, box = self.row_of[node], self.boxes[node]
            top, bottom = self.tops[row], self.tops[row] + self.heights[row]
            centre = (top + bottom) / 2
            entry, leave = (top, bottom) if down else (bottom, top)
            if number == 0:
                x = self._port(node, chain[1])
                path.append(f"M{x:.1f} {centre + (box.height if down else -box.height) / 2:.1f}V{leave:.1f}")
            else:
                x = self._port(node, chain[number - 1])
                before = self.row_of[chain[number - 1]]
                start = self.tops[before] + (self.heights[before] if down else 0)
                last = number == len(chain) - 1
                # An arrow points the way that its line came: let it come straight for the last few pixels.
                entry += (RUN_IN if not down else -RUN_IN) if last else 0
                middle = (start + entry) / 2
                from_x = self._port(chain[number - 1], node)
                path.append(f"C{from_x:.1f} {middle:.1f} {x:.1f} {middle:.1f} {x:.1f} {entry:.1f}")
                if last:
                    path.append(f"V{centre - (box.height if down else -box.height) / 2:.1f}")
                else:
                    path.append(f"V{leave:.1f}")
        return "".join(path)

    def _port(self, node: str, other: str) -> float:
        """Where on its edge a box is touched: side by side, in the order of what lies beyond."""
        box = self.boxes[node]
        if node in self.laid.bends or box.edge is not None:
            return self.middles[node]
        below = self.row_of[other] > self.row_of[node]
        beside = [
            two if one == node else one
            for one, two in self.laid.lines
            if node in {one, two} and (self.row_of[two if one == node else one] > self.row_of[node]) == below
        ]
        beside.sort(key=self.middles.__getitem__)
        half = box.width / 2 - CORNER
        wishes = [self.middles[one] for one in beside]
        places = spread(wishes, self.middles[node] - half, self.middles[node] + half, PORTS_APART)
        return places[beside.index(other)]

    def _boxes(self) -> list[str]:
        drawn = []
        for node, box in self.boxes.items():
            if node in self.laid.bends or node not in self.row_of:
                continue
            row = self.row_of[node]
            top = self.tops[row] + (self.heights[row] - box.height) / 2
            left = self.middles[node] - box.width / 2
            drawn.append(self._label(box, left, top) if box.edge else self._state(node, box, left, top))
        return drawn

    def _label(self, box: Box, left: float, top: float) -> str:
        if not box.lines:
            return f'<circle cx="{left + 7:.1f}" cy="{top + 7:.1f}" r="6" fill="{INK}"/>'
        kind = box.edge.puller if box.edge else "people"
        shape = frame(kind, left, top, box.width, box.height, 9)
        return shape + lettered(box.lines, left + box.width / 2, top + LABEL_PAD_Y)

    def _state(self, name: str, box: Box, left: float, top: float) -> str:
        ends = name in self.chart.track.ends
        look = "state" + (" end" if ends else "") + (" now" if name == self.present else "")
        shape = frame(look, left, top, box.width, box.height, 12)
        if ends:
            shape += frame("inner", left + 3.5, top + 3.5, box.width - 7, box.height - 7, 9)
        return shape + lettered(box.lines, left + box.width / 2, top + PAD_Y)


def _weight(chart: Chart, edge: Edge) -> int:
    """What only follows, or leaves an end again, may rather be drawn backwards than what people do."""
    return 1 if edge.puller == "engine" or set(edge.sources) & chart.track.ends else 2
