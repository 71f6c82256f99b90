"""A play as people read it: when, who, what, what followed, who was told, and what was expected."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from cases.scenario.words import KINDS_OF_MESSAGE, ROLES
from policies.vocabulary import Words

if TYPE_CHECKING:
    from cases.play import Outcome, Script
    from cases.scenario.report import Check, Happening, Moment, Refused, Started, Told

_INDENT: Final = 9
_WEEKDAYS: Final = {"zh_CN": "一二三四五六日", "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")}


class Timeline:
    """Prints plays to standard output, in colour where that is a terminal and NO_COLOR isn't set."""

    def __init__(self, language: str, *, quiet: bool = False) -> None:
        self._zh = language.startswith("zh")
        self._quiet = quiet
        self._console = Console(highlight=False, emoji=False, soft_wrap=False)
        # A pipe has no width: lines stay whole there, for grep and for logs.
        if not self._console.is_terminal:
            self._console = Console(highlight=False, emoji=False, width=10_000)

    def tell(self, outcome: Outcome, script: Script) -> None:
        """One whole play; with `quiet` only what didn't hold."""
        if self._quiet:
            for check in outcome.failed:
                self._console.print(Text(f"{outcome.file}:{check.line} ").append_text(self._check(check)))
            return
        self._console.print()
        self._console.print(
            Text().append(outcome.title, style="bold").append(f"  {outcome.file} · {outcome.policy}", style="dim")
        )
        if script.source:
            self._console.print(Padding(Text(script.source, style="dim italic"), (0, 0, 0, 2), expand=False))
        day = ""
        for moment in outcome.moments:
            if (today := self._day(moment.at)) != day:
                day = today
                self._console.print()
                self._console.print(Text(f"  {day}", style="bold underline"))
            self._moment(moment)

    def summary(self, outcomes: Iterable[Outcome]) -> None:
        """All files in one table."""
        table = Table(box=None, pad_edge=False, header_style="bold")
        heads = ("剧本", "步骤", "拒绝", "事件", "消息", "核对", "秒", "结果") if self._zh else (
            "scenario", "steps", "refused", "events", "messages", "checks", "seconds", "result"
        )  # fmt: skip
        for number, head in enumerate(heads):
            table.add_column(head, justify="left" if number in {0, len(heads) - 1} else "right")
        for one in outcomes:
            failed = len(one.failed)
            result = Text("✓ " + self._say("全部符合", "all held"), style="green")
            if failed:
                result = Text(f"✗ {failed} " + self._say("项不符", "failed"), style="bold red")
            counts = (one.steps, one.refusals, one.events, one.messages, one.checked)
            table.add_row(one.file, *map(str, counts), f"{one.seconds:.1f}", result)
        self._console.print()
        self._console.print(table)

    # ------------------------------------------------------------- one moment

    def _moment(self, moment: Moment) -> None:
        time = f"  {moment.at:%H:%M}"
        if moment.cause == "time":
            for number, one in enumerate(moment.happened):
                line = Text().append(time if not number else " " * len(time), style="yellow")
                self._console.print(line.append("  ⏰ ", style="yellow").append_text(self._event(one)))
        elif moment.cause == "step":
            self._console.print(Text().append(time, style="bold").append("  ").append_text(self._act(moment)))
            for one in moment.happened[1:]:
                self._under("⏰ " if one.rung else "", self._event(one), "yellow")
        elif moment.cause == "look":
            self._console.print(Text(time).append("  👁 " + self._say("看一看", "looking"), style="dim"))
        else:
            self._console.print(Text(time).append("  🏁 " + self._say("结束", "the end"), style="dim"))
        if moment.started:
            self._under("⏱ ", self._started(moment.started, moment.at), "cyan")
        if moment.told:
            self._under("✉ ", self._told(moment.told), "blue")
        held = [check for check in moment.checks if check.ok]
        if held:
            self._under(
                "✓ ",
                Text(self._say("；", "; ").join(map(self._held, held)), style="dim"),
                "green",
            )
        for check in moment.checks:
            if not check.ok:
                self._under("", self._check(check), "bold red")

    def _act(self, moment: Moment) -> Text:
        line = Text()
        if moment.by is not None:
            role = ROLES[moment.by.role].in_language(self._language)
            line.append(role, style="bold").append(f" · {moment.by.organisation}", style="none")
        line.append("  ")
        label = moment.label.in_language(self._language) if moment.label else ""
        if moment.refused is not None:
            return line.append(f"{label} ({moment.do})").append("  ").append_text(self._refused(moment.refused))
        line.append(label, style="bold green").append(f" ({moment.do})", style="dim")
        state = moment.happened[0].state if moment.happened else None
        return line if state is None else line.append(f" → {state.in_language(self._language)}")

    def _event(self, one: Happening) -> Text:
        line = Text(one.track.in_language(self._language))
        if one.organisation:
            line.append(f" · {one.organisation}")
        line.append(self._say("：", ": ")).append(
            one.text.in_language(self._language), style="bold" if one.rung else "none"
        )
        return line if one.state is None else line.append(f" → {one.state.in_language(self._language)}")

    def _refused(self, refused: Refused) -> Text:
        line = Text("✋ ", style="magenta").append(refused.code, style="bold magenta")
        line.append(self._say("：", ": ") + refused.text.in_language(self._language))
        if refused.article is not None:
            line.append(self._say("（", " (") + refused.article.in_language(self._language) + self._say("）", ")"))
        if refused.fields:
            line.append(" · " + ", ".join(refused.fields))
        if refused.who_can:
            line.append(self._say(" · 可由 ", " · can be done by ") + ", ".join(refused.who_can), style="dim")
        return line

    def _started(self, clocks: list[Started], at: datetime) -> Text:
        """Grouped by track: what is due when."""
        tracks: dict[str, list[str]] = defaultdict(list)
        for one in clocks:
            due = f"{one.due:%H:%M}"
            if one.due.date() != at.date():
                due = self._say(f"{one.due.month}月{one.due.day}日 {due}", f"{one.due.day} {one.due:%b} {due}")
            tracks[one.address.rpartition(".")[0]].append(f"{one.text.in_language(self._language)} ≤ {due}")
        parts = [f"{track} {self._say('、', ', ').join(dues)}".strip() for track, dues in tracks.items()]
        return Text(" · ".join(parts))

    def _told(self, told: list[Told]) -> Text:
        """Grouped by kind of message, then by organisation."""
        groups: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        for one in told:
            groups[one.kind][one.who.organisation].append(ROLES[one.who.role].in_language(self._language))
        parts = []
        for kind, places in groups.items():
            named = KINDS_OF_MESSAGE.get(kind, Words(kind, kind)).in_language(self._language)
            people = [f"{place} {self._say('、', ', ').join(roles)}" for place, roles in places.items()]
            parts.append(f"{named}{self._say('：', ': ')}{self._say('；', '; ').join(people)}")
        return Text(" · ".join(parts))

    def _held(self, check: Check) -> str:
        return f"{check.what} {check.found.in_language(self._language)}"

    def _check(self, check: Check) -> Text:
        expected, found = check.expected.in_language(self._language), check.found.in_language(self._language)
        where = self._say(f"第 {check.line} 行", f"line {check.line}")
        said = self._say(f"应为 {expected}，实为 {found}", f"expected {expected}, found {found}")
        return Text(f"✗ {where} {check.what}{self._say('：', ': ')}{said}", style="bold red")

    def _under(self, mark: str, text: Text, style: str = "none") -> None:
        """A line below a moment: the mark coloured, what it says as it is."""
        line = Text().append(mark, style=style).append_text(text)
        self._console.print(Padding(line, (0, 0, 0, _INDENT), expand=False))

    def _day(self, at: datetime) -> str:
        weekday = _WEEKDAYS[self._language][at.weekday()]
        if self._zh:
            return f"{at.year}年{at.month}月{at.day}日 周{weekday}"
        return f"{weekday} {at.day} {at:%B %Y}"

    def _say(self, zh: str, en: str) -> str:
        return zh if self._zh else en

    @property
    def _language(self) -> str:
        return "zh_CN" if self._zh else "en"
