"""`whistle diagram [TRACK]`: the state machines as Mermaid and SVG, drawn from their declarations."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from api.commands.options import Language, Spoken

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cases.track import Track

app = typer.Typer(name="diagram", help="画出状态图。 Draw the state machines.")

FAULTY = 2
"""The exit code for faulty input."""


Kind = Annotated[
    str | None,
    typer.Argument(metavar="[TRACK]", help="事项，如 assignment；不写则全部。 A track; all of them without one."),
]
State = Annotated[
    str | None,
    typer.Option(metavar="STATE", help="标出现在所处的状态。 Mark the state in which it stands now."),
]
Folder = Annotated[
    Path | None,
    typer.Option("--svg", metavar="DIR", help="另把 SVG 写入这个目录。 Also write SVG into this folder."),
]
Docs = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="改为重写文档中由声明生成的各页。 Write the generated pages of the docs instead."),
]


@app.command()
def diagram(
    track: Kind = None,
    state: State = None,
    svg: Folder = None,
    docs: Docs = None,
    language: Spoken = Language.ZH_CN,
) -> None:
    """打印状态图（Mermaid），也可以写成 SVG。

    Print state diagrams (Mermaid) and write them as SVG. Exits with 2 for an unknown track or state, or a folder
    that can't be written.
    """
    from cases.diagrams import chart, mermaid, pages, svg_of
    from cases.track import discover

    tracks = discover()
    chosen = _chosen(tracks, track, state, language)
    if docs is not None:
        _write(docs, pages(), language)
        return
    for number, one in enumerate(chosen):
        if track is None:
            typer.echo(f"{'' if number == 0 else chr(10)}%% {one.kind}")
        typer.echo(mermaid(chart(one), language, state), nl=False)
    if svg is not None:
        drawn = {f"{one.kind}.{language}.svg": svg_of(chart(one), language, state) for one in chosen}
        _write(svg, drawn, language)


def _chosen(tracks: Mapping[str, Track], kind: str | None, state: str | None, language: Language) -> tuple[Track, ...]:
    if kind is None:
        if state is not None:
            _refuse(
                "--state 要和一种事项一起用，如：whistle diagram assignment --state on_scene",
                "--state goes with one track, such as: whistle diagram assignment --state on_scene",
                language,
            )
        return tuple(tracks.values())
    if kind not in tracks:
        _refuse(
            f"没有“{kind}”这种事项。{_meant(kind, tracks, Language.ZH_CN)}",
            f'There is no track "{kind}". {_meant(kind, tracks, Language.EN)}',
            language,
        )
    states = tracks[kind].states
    if state is not None and state not in states:
        _refuse(
            f"{kind} 没有“{state}”这个状态。{_meant(state, states, Language.ZH_CN)}",
            f'{kind} has no state "{state}". {_meant(state, states, Language.EN)}',
            language,
        )
    return (tracks[kind],)


def _meant(given: str, known: Iterable[str], language: Language) -> str:
    from difflib import get_close_matches

    names = list(known)
    near = get_close_matches(given, names, n=1)
    if language is Language.ZH_CN:
        return f"是否想用 {near[0]}？" if near else f"可用的有：{'、'.join(names)}"
    return f"Did you mean {near[0]}?" if near else f"There are: {', '.join(names)}"


def _write(folder: Path, files: Mapping[str, str], language: Language) -> None:
    """Write the files below the folder, which is made if need be, and say where each one is."""
    for name, text in files.items():
        path = folder / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
        except OSError as fault:
            reason = fault.strerror or type(fault).__name__
            _refuse(f"写不了 {path}：{reason}", f"{path} can't be written: {reason}", language)
        typer.echo(str(path), err=True)


def _refuse(zh: str, en: str, language: Language) -> NoReturn:
    typer.echo(zh if language is Language.ZH_CN else en, err=True)
    raise typer.Exit(FAULTY)
