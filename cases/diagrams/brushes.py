"""The strokes, colours and the sheet of an SVG diagram. Every colour has at least 4.5:1 on its ground."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from cases.diagrams.chart import Puller
from cases.diagrams.lettering import CODE_FONTS, FONTS, SIGN_WIDTH, SIZES, Line, Sign

INK = "#1e293b"
STROKES: dict[Puller, str] = {"people": "#334155", "time": "#b45309", "engine": "#64748b"}
DASHES: dict[Puller, str] = {"people": "", "time": "6 4", "engine": "1.5 4"}

_STYLE = f"""
text {{ font-family: {FONTS}; fill: {INK}; text-anchor: middle; }}
.name {{ font-size: {SIZES["name"]}px; font-weight: 700; text-anchor: start; }}
.title {{ font-size: {SIZES["title"]}px; font-weight: 600; }}
.code {{ font-size: {SIZES["code"]}px; font-family: {CODE_FONTS}; fill: #64748b; }}
.small {{ font-size: {SIZES["small"]}px; fill: #475569; }}
.move {{ font-size: {SIZES["move"]}px; }}
.left {{ text-anchor: start; }}
.state {{ fill: #ffffff; stroke: #475569; stroke-width: 1.5; }}
.end {{ fill: #f1f5f9; }}
.inner {{ fill: none; stroke: #94a3b8; stroke-width: 1; }}
rect.now {{ fill: #fef3c7; stroke: #b45309; stroke-width: 3; }}
text.now {{ font-size: {SIZES["now"]}px; font-weight: 700; fill: #9a3412; }}
.people {{ fill: #eff6ff; }}
.time {{ fill: #fff7ed; }}
.engine {{ fill: #f8fafc; stroke: #cbd5e1; stroke-dasharray: 1.5 3; }}
.sign {{ fill: none; stroke: #64748b; stroke-width: 1.2; stroke-linecap: round; stroke-linejoin: round; }}
.sign.clock {{ stroke: #b45309; }}
""".strip()

_SIGNS: dict[Sign, str] = {
    "clock": '<circle cx="5" cy="0" r="4.6"/><path d="M5 -2.6V0.2L6.9 1.5"/>',
    "pause": '<path d="M3 -3.6V3.6M7 -3.6V3.6"/>',
    "follows": '<path d="M1 -4.5V1.5H9M6.4 -1.1L9 1.5L6.4 4.1"/>',
    "stays": '<path d="M8.6 -2.2A4.4 4.4 0 1 0 9.4 1.2M9 -4.6L8.7 -2L6.1 -2.2"/>',
}


def line_style(kind: Puller, *, arrow: bool) -> str:
    """The attributes of a line: solid for people, dashed for time, dotted for what follows."""
    dashes = f' stroke-dasharray="{DASHES[kind]}"' if DASHES[kind] else ""
    head = f' marker-end="url(#to-{kind})"' if arrow else ""
    return f'fill="none" stroke="{STROKES[kind]}" stroke-width="1.4"{dashes}{head}'


def arrowheads() -> str:
    """One head for each kind of line."""
    return "".join(
        f'<marker id="to-{kind}" viewBox="0 0 10 10" refX="9.2" refY="5" markerWidth="8" markerHeight="8" '
        f'orient="auto-start-reverse"><path d="M0 0.8L9.6 5L0 9.2L2.2 5Z" fill="{colour}"/></marker>'
        for kind, colour in STROKES.items()
    )


def frame(look: str, left: float, top: float, width: float, height: float, radius: float) -> str:
    """A rounded frame of that look."""
    place = f'x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{height:.1f}"'
    return f'<rect class="{look}" {place} rx="{radius:g}"/>'


def lettered(lines: Sequence[Line], middle: float, top: float) -> str:
    """Lines of text one under the other, centred, each behind its sign."""
    drawn = []
    for line in lines:
        base = top + line.height * 0.5
        x = middle
        if line.sign != "none":
            drawn.append(sign(line.sign, middle - line.width / 2, base))
            x += SIGN_WIDTH / 2
        foot = base + SIZES[line.style] * 0.36
        drawn.append(f'<text class="{line.style}" x="{x:.1f}" y="{foot:.1f}">{escape(line.text)}</text>')
        top += line.height
    return "".join(drawn)


def sign(which: Sign, left: float, middle: float) -> str:
    """One of the little signs, drawn: an emoji looks different in every font, and in some like nothing."""
    return f'<g class="sign {which}" transform="translate({left:.1f} {middle:.1f})">{_SIGNS[which]}</g>'


def sheet(
    language: str,
    name: str,
    code: str,
    described: str,
    parts: Sequence[str],
    everywhere: Sequence[str],
    size: tuple[float, float],
) -> str:
    """The white sheet with its heading, the drawing and the key to the signs."""
    zh = language == "zh_CN"
    width, height = max(size[0], 470.0), size[1]
    title = f"{name}：状态图" if zh else f"{name}: its states and moves"
    foot, height = _foot(zh, everywhere, height)
    heading = f'<text class="name" x="28" y="42">{escape(name)}</text>'
    if code:
        at = 28 + Line(name, "name").width + 12
        heading += f'<text class="code left" x="{at:.1f}" y="42" style="font-size:13px">{escape(code)}</text>'
    return "\n".join(
        [
            _opened("zh-CN" if zh else "en", width, height),
            f'<title id="title">{escape(title)}</title>',
            f'<desc id="desc">{escape(described)}</desc>',
            f"<style>{_STYLE}</style>",
            f"<defs>{arrowheads()}</defs>",
            f'<rect width="{width:.0f}" height="{height:.0f}" rx="14" fill="#ffffff"/>',
            heading,
            *parts,
            foot,
            "</svg>\n",
        ]
    )


def _opened(lang: str, width: float, height: float) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" lang="{lang}" aria-labelledby="title desc" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" height="{height:.0f}">'
    )


def _foot(zh: bool, everywhere: Sequence[str], top: float) -> tuple[str, float]:  # noqa: FBT001 - one of two languages
    """What may be done in every state, then the key; and how far down the sheet now reaches."""
    drawn = []
    y = top + 6
    if everywhere:
        names = "、".join(everywhere) if zh else ", ".join(everywhere)
        text = f"任何进行中的状态都可以：{names}" if zh else f"In every state at work: {names}"
        drawn.append(sign("stays", 28, y) + f'<text class="small left" x="44" y="{y + 4:.1f}">{escape(text)}</text>')
        y += 24
    drawn.append(f'<path d="M28 {y - 8:.1f}H442" stroke="#e2e8f0"/>')
    y += 10
    kinds: tuple[tuple[Puller, str], ...] = (
        ("people", "由人操作" if zh else "by people"),
        ("time", "由时间触发" if zh else "by time"),
        ("engine", "随别的步骤发生" if zh else "follows another move"),
    )
    x = 28.0
    for kind, text in kinds:
        drawn.append(f'<path d="M{x:.1f} {y:.1f}H{x + 26:.1f}" {line_style(kind, arrow=True)}/>')
        drawn.append(f'<text class="small left" x="{x + 33:.1f}" y="{y + 4:.1f}">{escape(text)}</text>')
        x += 33 + Line(text, "small").width + 20
    y += 22
    x = 28.0
    signs: tuple[tuple[Sign, str], ...] = (
        ("clock", "时限在走" if zh else "clock running"),
        ("pause", "时限暂停" if zh else "clock paused"),
        ("stays", "状态不变" if zh else "state stays"),
    )
    for which, text in signs:
        drawn.append(sign(which, x, y))
        drawn.append(f'<text class="small left" x="{x + 16:.1f}" y="{y + 4:.1f}">{escape(text)}</text>')
        x += 16 + Line(text, "small").width + 20
    ends = "结束" if zh else "an end"
    drawn.append(f'<rect class="state end" x="{x:.1f}" y="{y - 8:.1f}" width="26" height="16" rx="5"/>')
    drawn.append(f'<rect class="inner" x="{x + 2.5:.1f}" y="{y - 5.5:.1f}" width="21" height="11" rx="3"/>')
    drawn.append(f'<text class="small left" x="{x + 33:.1f}" y="{y + 4:.1f}">{ends}</text>')
    return "".join(drawn), y + 26
