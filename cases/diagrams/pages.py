"""The pages of the documentation that follow from the declarations: every track, every trigger, every refusal."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from cases.diagrams.chart import Chart, chart, puller
from cases.diagrams.consequences import met, opened, started, words_of
from cases.diagrams.mermaid import FOLLOWS_SIGN, TIME_SIGN, mermaid
from cases.diagrams.svg import svg_of
from cases.refusal import CODES
from cases.scenario.words import ROLES
from cases.track import Label, Move, Track, discover
from policies.vocabulary import LANGUAGES

MADE: Final = "<!-- Made by `whistle diagram --docs docs` from the declarations: change those, not this page. -->"
ALWAYS: Final = ("not_found", "unlawful", "not_permitted", "wrong_state", "invalid", "conflict")
"""What may be answered to any trigger, in the order in which it is asked."""
TRIGGERS = "reference/triggers.md"


def pages() -> dict[str, str]:
    """Every generated page and picture by its path under `docs`."""
    tracks = discover()
    found = {
        TRIGGERS: _triggers(tracks),
        "reference/refusals.md": _refusals(tracks),
        "tracks/README.md": _index(tracks),
    }
    for kind, track in tracks.items():
        drawn = chart(track)
        found[f"tracks/{kind}.md"] = _track(drawn)
        for language in LANGUAGES:
            found[f"tracks/{kind}.{language}.svg"] = svg_of(drawn, language)
    return found


def _both(label: Label) -> str:
    return f"{label[0]} · {label[1]}"


def _codes(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    """A Markdown table, or nothing where there are no rows."""
    lines = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return [f"| {' | '.join(head)} |", "|" + "---|" * len(head), *lines, ""] if lines else []


def _page(*lines: str) -> str:
    return "\n".join([MADE, "", *lines]).rstrip() + "\n"


def _index(tracks: Mapping[str, Track]) -> str:
    rows = (
        (f"[`{kind}`]({kind}.md)", *track.label, str(len(track.states)), str(len(track.moves)))
        for kind, track in tracks.items()
    )
    return _page(
        "# The tracks 事项",
        "",
        "A case is one lock, one clock-face and one history; its work runs in tracks. Each kind is one state machine,",
        f"declared in one file of `cases/tracks`. [Every trigger in one table](../{TRIGGERS}).",
        "",
        *_table(("track", "中文", "English", "states", "triggers"), rows),
    )


def _track(drawn: Chart) -> str:
    track = drawn.track
    about = (sys.modules[f"cases.tracks.{track.kind}"].__doc__ or "").partition(": ")[2].partition("\n")[0]
    anchor = f"{track.label[0]}-{track.label[1]}-{track.kind}".replace(" ", "-")
    states = (
        (f"`{name}`", *state.label, _clock_names(drawn, name), "yes" if state.end else "")
        for name, state in track.states.items()
    )
    clocks = ((f"`{one.name}`", *one.label, _owed_by(one.owed_by)) for one in track.clocks)
    named = "".join(
        f"\n<details><summary>Mermaid · {title}</summary>\n\n```mermaid\n{mermaid(drawn, language)}```\n\n</details>\n"
        for language, title in (("zh_CN", "中文"), ("en", "English"))
    )
    return _page(
        f"# {_both(track.label)}",
        "",
        about[:1].upper() + about[1:],
        "",
        f"[All tracks](README.md) · [its triggers](../{TRIGGERS}#{anchor}) · `whistle diagram {track.kind}`",
        "",
        f"![{track.label[0]}：状态图]（{track.kind}.zh_CN.svg）",
        "",
        f"![{track.label[1]}: its states and moves]({track.kind}.en.svg)",
        "",
        *_table(("state", "中文", "English", "clocks that may run", "end"), states),
        *_table(("clock", "中文", "English", "owed by"), clocks),
        named,
    )


def _clock_names(drawn: Chart, state: str) -> str:
    names = (f"`{one}`" + (" (paused)" if one in drawn.paused[state] else "") for one in drawn.clocks[state])
    return ", ".join(names)


def _owed_by(owners: object) -> str:
    return _codes(owners) if isinstance(owners, tuple) else "whom the case makes it: see the declaration"


def _triggers(tracks: Mapping[str, Track]) -> str:
    lines = [
        "# Every trigger",
        "",
        "Read from the declarations. A field with `?` is optional. ▶ may start a clock, ■ ends it, ⏸ holds it, ⏵ lets",
        f"it go on; {TIME_SIGN} is pulled by time alone, {FOLLOWS_SIGN} follows from another move. `=`: the state",
        "stays; a state in brackets: the trigger may leave it as it is. 🔑 needs a key of each role named. What a case",
        "opens when it is first worked on, its concern says in the policy.",
        "",
        "By: " + " · ".join(f"`{name}` {role.zh_CN}" for name, role in ROLES.items()) + ".",
        "After the `@`: the case's `school`, its `hospital`, the `assignee` (the organisation that the track belongs",
        "to, else any that was called), the desk above the school (`jurisdiction`), or a kind of organisation.",
        "",
    ]
    head = ("trigger", "中文 · English", "from → to", "by", "fields", "clocks", "opens")
    for kind, track in tracks.items():
        lines += [f"## {_both(track.label).replace(' · ', ' ')} {kind}", ""]
        lines.append(f"[Picture](../tracks/{kind}.md)")
        lines.append("")
        lines += _table(head, (_trigger(track, move) for move in track.moves))
    return _page(*lines)


def _trigger(track: Track, move: Move) -> tuple[str, ...]:
    wanted = ", ".join(field.name.rstrip("_") + ("" if field.required else "?") for field in move.form.fields)
    marks = (
        ("▶", started(track, move) | (started(track, None) if move.opens else frozenset())),
        ("■", met(track, move)),
        ("⏸", move.pauses),
        ("⏵", move.resumes),
    )
    clocks = " ".join(
        f"{mark} {_codes(name for name in track.clock_kinds if name in names)}"
        for mark, names in marks
        if any(name in names for name in track.clock_kinds)
    )
    by = _by(move)
    kinds = _codes(kind for kind in opened(move) if kind in discover())
    return f"`{move.name}`", _both(move.label), _way(track, move), by, f"`{wanted}`" if wanted else "", clocks, kinds


def _way(track: Track, move: Move) -> str:
    if move.opens:
        return f"● → `{track.initial}`"
    sources = move.source or ()
    at_work = set(track.states) - track.ends
    shown = _codes(sources)
    if len(at_work) > 2 and at_work <= set(sources):
        shown = ", ".join(["every state at work", *(f"`{one}`" for one in sources if one in track.ends)])
    if not move.targets:
        return f"{shown} ="
    stays = set(move.targets) & set(sources) if len(move.targets) > 1 else set()
    return f"{shown} → " + ", ".join(f"(`{one}`)" if one in stays else f"`{one}`" for one in move.targets)


def _by(move: Move) -> str:
    sign = {"people": "", "time": TIME_SIGN, "engine": FOLLOWS_SIGN}[puller(move)]
    if sign:
        return sign
    groups: dict[str, list[str]] = {}
    for one in move.by:
        if one.relation != "none":
            groups.setdefault(one.relation, []).append(one.role)
    return ("🔑 " if move.keys else "") + "; ".join(f"{', '.join(roles)}@{where}" for where, roles in groups.items())


def _refusals(tracks: Mapping[str, Track]) -> str:
    given: dict[str, list[str]] = {code: [] for code in CODES}
    for kind, track in tracks.items():
        for move in track.moves:
            for code in _codes_of(move):
                given[code].append(f"[`{kind}.{move.name}`](../tracks/{kind}.md)")
    rows = (
        (f"`{code}`", *texts, "any trigger" if code in ALWAYS else ", ".join(given[code]) or "the engine")
        for code, texts in CODES.items()
    )
    return _page(
        "# Every refusal",
        "",
        "The answer to a trigger that may not be fired. Nothing has changed then; the text says what is missing and",
        "who could do it. They are asked in this order: can the actor know of it (`not_found`); does a law reserve it",
        "(`unlawful`, with the article); may the actor (`not_permitted`); does the state allow it (`wrong_state`, or",
        "the trigger's own code); is the form valid (`invalid`, field by field); the trigger's own conditions; has",
        "somebody moved it first (`conflict`).",
        "",
        *_table(("code", "中文", "English", "given by"), rows),
    )


def _codes_of(move: Move) -> Iterator[str]:
    """The codes of a trigger's own: those that its guards name, and its own for a state."""
    named = {*move.wrong_state.values()}
    for guard in move.guards:
        named |= words_of(guard)
    return (code for code in CODES if code in named and code not in ALWAYS)
