"""`whistle run ROUND`: one of the regular rounds, once, now. Anybody may, as often as they like."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.commands.options import AsJson, Language, Spoken

if TYPE_CHECKING:
    from collections.abc import Mapping

app = typer.Typer(name="run", help="立即做一轮。 Make one of the regular rounds now.")


class Which(StrEnum):
    """The rounds, as `cases.rounds` names them."""

    SWEEP = "sweep"
    DELIVER = "deliver"
    WEBHOOKS = "webhooks"
    JOINT_TRACKING = "joint_tracking"
    DIGEST = "digest"
    BULLETIN = "bulletin"
    TALLY = "tally"
    SEAL = "seal"
    RETENTION = "retention"
    BACKUP = "backup"
    KEYS = "keys"


Asked = Annotated[Which, typer.Argument(metavar="ROUND", help=" | ".join(Which))]
District = Annotated[
    str | None, typer.Option(help="joint_tracking：只看这个区（代码）。 Only the district of this code.")
]
Month = Annotated[
    datetime | None,
    typer.Option(formats=["%Y-%m"], help="bulletin：哪个月，默认上个月。 Which month; the one before by default."),
]
Thorough = Annotated[
    bool,
    typer.Option("--thorough", help="seal：另核验每条历史链；tally：全部重看。 Follow every chain; look through all."),
]
Apply = Annotated[
    bool,
    typer.Option("--apply", help="retention：清除一周前清单上的学生。 Forget those on a list that stood for a week."),
]


@app.command()
def run(
    which: Asked,
    district: District = None,
    month: Month = None,
    thorough: Thorough = False,  # noqa: FBT002 - a switch of the command line
    apply: Apply = False,  # noqa: FBT002 - a switch of the command line
    as_json: AsJson = False,  # noqa: FBT002 - a switch of the command line
    language: Spoken = Language.ZH_CN,
) -> None:
    """立即做一轮定期的工作；重复运行不会重复处理。retention 不加 --apply 只列清单。

    Make one of the regular rounds; running it again repeats nothing. `retention` only lists, unless --apply is given.
    Exits with 1 when a seal doesn't fit the histories.
    """
    from api import logs
    from api.commands.database import installation, premises
    from cases import rounds

    given = {
        "district": district,
        "month": month.date() if month is not None else None,
        "thorough": thorough,
        "apply": apply,
    }
    logs.set_up(level=logging.WARNING)
    with installation() as kept:
        done = rounds.go(premises(kept), which.value, "person", datetime.now(UTC), **given)
    typer.echo(json.dumps(done, ensure_ascii=False) if as_json else _said(which, done, language))
    if done.get("broken"):
        raise typer.Exit(1)


_SAID: Mapping[Which, tuple[str, str]] = {
    Which.SWEEP: (
        "唤醒 {cases} 个个案，触发 {fired} 次，搁置 {aside} 个。",
        "Woke {cases} cases, fired {fired} rungs, set {aside} aside.",
    ),
    Which.WEBHOOKS: (
        "推送 {sent} 条，失败 {failed} 条，不再推送 {dead} 条。",
        "Sent {sent}, {failed} failed, gave up {dead}.",
    ),
    Which.TALLY: ("统计已更新：重算 {parts} 所学校月。", "Counted {parts} schools' months anew."),
    Which.DIGEST: ("新发出 {messages} 份晨报。", "Wrote {messages} new digests."),
    Which.BULLETIN: (
        "{month}：{entries} 条，新发出 {messages} 份通报。",
        "{month}: {entries} entries, {messages} new bulletins.",
    ),
    Which.KEYS: (
        "已写密钥副本 {file}，清除到期的 {ended} 份。",
        "Copied the keys to {file}; {ended} old copies ended.",
    ),
    Which.BACKUP: ("已备份：{file}，清除旧备份 {ended} 份。", "Backed up to {file}; {ended} old ones ended."),
    Which.SEAL: ("已封存 {cases} 个个案：{file}。", "Sealed {cases} cases: {file}."),
}


def _said(which: Which, done: Mapping[str, Any], language: Language) -> str:
    lines = []
    if which in _SAID:
        lines.append(language.says(*_SAID[which]).format(**done))
    elif which is Which.JOINT_TRACKING:
        shape = language.says(
            "{district}：跟踪 {tracked} 人，待填报 {open}，逾期 {missed}，一周内 {soon}，建议重新定级 {regrades}。",
            "{district}: {tracked} tracked, {open} open, {missed} missed, {soon} within a week, {regrades} to regrade.",
        )
        lines += [shape.format(**one) for one in done["districts"]]
        lines = lines or [language.says("没有联合跟踪中的学生。", "Nobody is under joint tracking.")]
    elif which is Which.RETENTION:
        forgotten = "forgotten" in done
        shape = language.says(
            "已清除 {forgotten} 名学生。" if forgotten else "{due} 名学生保存期限已满；什么都没有清除。",
            "Forgot {forgotten} students." if forgotten else "The term of {due} students is over; nothing was changed.",
        )
        lines += [shape.format(**done), *(f"  {number}" for number in done["cases"])]
    else:
        lines.append(json.dumps(done, ensure_ascii=False))
    shape = language.says("不符：{line}", "doesn't fit: {line}")
    lines += [shape.format(line=line) for line in done.get("broken", ())]
    return "\n".join(lines)
