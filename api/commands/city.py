"""`whistle city load | show`: the sample city, written into the database or only looked at."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from api.commands.options import AsJson, Language, Spoken

if TYPE_CHECKING:
    from cases.samples.city import SampleCity
    from cases.samples.load import Loaded

app = typer.Typer(
    name="city",
    no_args_is_help=True,
    help="样例城市：装入、查看。 The sample city: load it, look at it.",
)

FAULTY = 2
"""The exit code for faulty input."""
INTERRUPTED = 130


Schools = Annotated[
    int | None,
    typer.Option(help="学校数；默认全市 700 所，单个区 6 所。 Schools; 700, or 6 in chosen districts."),
]
Students = Annotated[
    int | None,
    typer.Option(help="学生数；默认全市 850000 人，单个区 240 人。 Students; 850000, or 240 in chosen districts."),
]
Districts = Annotated[
    list[str] | None,
    typer.Option("--district", help="只要这个区，可多次给出。 Only this district; may be repeated."),
]
Seed = Annotated[int, typer.Option(help="同一个数得到同一座城市。 The same number gives the same city.")]
Resume = Annotated[
    bool,
    typer.Option("--resume/--no-resume", help="接着上次没装完的装。 Go on with a load that was stopped."),
]


@app.command()
def load(
    schools: Schools = None,
    students: Students = None,
    district: Districts = None,
    seed: Seed = 2026,
    resume: Resume = True,  # noqa: FBT002 - a switch of the command line
    as_json: AsJson = False,  # noqa: FBT002 - a switch of the command line
    language: Spoken = Language.ZH_CN,
) -> None:
    """把样例城市装入数据库；可以随时停下，再运行一次就接着装。

    Load the sample city into the database; stop it whenever you like and run it again to go on. Exits with 2
    when real records, or another sample, are there.
    """
    from api.commands.database import installation
    from cases.samples.load import load as load_city

    with _faults_told(language):
        plan = _plan(schools, students, district, seed)
        with installation(fresh=True) as kept, _bar(plan, language, shown=not as_json) as advance:
            done = load_city(kept.store, kept.keystore, kept.master, plan, advance, resume=resume)
    counts = {"organisations": done.organisations, "members": done.members, "students": done.students}
    if as_json:
        typer.echo(json.dumps(counts))
    elif language is Language.ZH_CN:
        typer.echo(f"已装入：{done.organisations} 个单位，{done.members} 名人员，{done.students} 名学生。")
    else:
        typer.echo("Loaded: {organisations} organisations, {members} members, {students} students.".format(**counts))


@app.command()
def show(
    schools: Schools = None,
    students: Students = None,
    district: Districts = None,
    seed: Seed = 2026,
    as_json: AsJson = False,  # noqa: FBT002 - a switch of the command line
    language: Spoken = Language.ZH_CN,
) -> None:
    """按这些规模会有哪些区、街道、学校；不需要数据库。

    What a city of these sizes would have, district by district; needs no database.
    """
    with _faults_told(language):
        plan = _plan(schools, students, district, seed)
    rows: list[dict[str, str | int]] = [
        {
            "district": one.name,
            "streets": len(one.streets),
            "communities": one.communities,
            "schools": sum(1 for _ in plan.planned_schools(one)),
            "students": sum(school.students for school in plan.planned_schools(one)),
        }
        for one in plan.planned_districts()
    ]
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False))
    else:
        _print_table(rows, language)


def _plan(schools: int | None, students: int | None, districts: list[str] | None, seed: int) -> SampleCity:
    from cases.samples.city import SampleCity, small

    sizes = small() if districts else SampleCity()
    return SampleCity(
        schools=sizes.schools if schools is None else schools,
        students=sizes.students if students is None else students,
        seed=seed,
        districts=tuple(districts) if districts else None,
    )


@contextmanager
def _bar(plan: SampleCity, language: Language, *, shown: bool) -> Iterator[Callable[[Loaded], None]]:
    """A bar over schools and students on standard error, so that standard output holds the answer alone."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    unit = "名学生" if language is Language.ZH_CN else "students"
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), disable=not shown) as progress:
        task = progress.add_task("…", total=plan.students)

        def advance(state: Loaded) -> None:
            progress.update(task, completed=state.students, description=state.place or "…")

        yield advance


@contextmanager
def _faults_told(language: Language) -> Iterator[None]:
    """Say what is wrong in one message on standard error and leave with 2; nobody sees a traceback."""
    from api.settings import SettingsFault
    from cases.samples.city_fault import CityFault
    from cases.store_fault import StoreFault
    from cases.vault import VaultFault

    try:
        yield
    except (CityFault, SettingsFault, StoreFault) as fault:
        _leave(fault.text(language.value))
    except VaultFault as fault:
        _leave(fault.text[language.value])
    except KeyboardInterrupt:
        stopped = {
            Language.ZH_CN: "已停下。再运行同一条命令就接着装。",
            Language.EN: "Stopped. Run the same command again to go on.",
        }
        typer.echo(stopped[language], err=True)
        raise typer.Exit(INTERRUPTED) from None


def _leave(message: str) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(FAULTY)


def _print_table(rows: list[dict[str, str | int]], language: Language) -> None:
    from rich.console import Console
    from rich.table import Table

    heads = {
        "district": ("区", "district"),
        "streets": ("街道、镇", "streets and towns"),
        "communities": ("社区", "communities"),
        "schools": ("学校", "schools"),
        "students": ("学生", "students"),
    }
    table = Table(show_footer=len(rows) > 1)
    for name, (chinese, english) in heads.items():
        amounts = [row[name] for row in rows if isinstance(row[name], int)]
        table.add_column(
            chinese if language is Language.ZH_CN else english,
            footer=str(sum(int(one) for one in amounts)) if amounts else "",
            justify="right" if amounts else "left",
        )
    for row in rows:
        table.add_row(*(str(row[name]) for name in heads))
    Console().print(table)
