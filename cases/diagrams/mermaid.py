"""A track as a Mermaid `stateDiagram-v2`: text that many readers of Markdown draw by themselves."""

from __future__ import annotations

from cases.diagrams.chart import Chart, Edge, puller
from cases.track import Label, Move

TIME_SIGN, FOLLOWS_SIGN = "⏰", "↳"
_SIGNS = {"people": "", "time": f"{TIME_SIGN} ", "engine": f"{FOLLOWS_SIGN} "}
_NOW = "fill:#fde68a,stroke:#b45309,stroke-width:3px"


def said(label: Label, language: str) -> str:
    """The label in that language."""
    return label[0] if language == "zh_CN" else label[1]


def mermaid(chart: Chart, language: str, present: str | None = None) -> str:
    """The diagram as text, ending in a newline. `present` marks the state in which a track stands now."""
    track = chart.track
    lines = ["stateDiagram-v2", "    direction TB"]
    lines += [f'    state "{said(state.label, language)}" as {name}' for name, state in track.states.items()]
    lines.append(_arrow("[*]", track.initial, _names(chart.opening, language)))
    for edge in chart.pairs:
        lines.append(_arrow(edge.sources[0], edge.target, _names(edge, language)))
    lines += [f"    {name} --> [*]" for name in track.states if name in track.ends]
    for name in track.states:
        lines += _note(chart, name, language)
    if present is not None:
        lines += [f"    classDef now {_NOW}", f"    class {present} now"]
    return "\n".join(lines) + "\n"


def named(move: Move, language: str) -> str:
    """A move's label, marked where no person pulls it."""
    return _SIGNS[puller(move)] + said(move.label, language)


def _names(edge: Edge, language: str) -> str:
    return "<br/>".join(named(move, language) for move in edge.moves)


def _arrow(source: str, target: str, label: str) -> str:
    return f"    {source} --> {target}" + (f": {label}" if label else "")


def _note(chart: Chart, state: str, language: str) -> list[str]:
    comma = "、" if language == "zh_CN" else ", "
    running = [one for one in chart.clocks[state] if one not in chart.paused[state]]
    rows = [
        ("🕒", [said(chart.track.clock_kinds[one].label, language) for one in running]),
        ("⏸", [said(chart.track.clock_kinds[one].label, language) for one in chart.paused[state]]),
        ("⟳", [said(move.label, language) for move in _staying(chart, state)]),
    ]
    told = [f"        {sign} {comma.join(names)}" for sign, names in rows if names]
    return [f"    note right of {state}", *told, "    end note"] if told else []


def _staying(chart: Chart, state: str) -> list[Move]:
    everywhere = [move for move in chart.stays_everywhere if state in (move.source or ())]
    return [*chart.stays[state], *everywhere]
