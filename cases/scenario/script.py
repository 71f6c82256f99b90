"""A scenario as read from its file: a title, a policy, a start, and steps. Reads all of it before it
refuses any.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import MAXYEAR, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from cases.refusal import CODES
from cases.scenario.act import read_form
from cases.scenario.address import Address, Person, Place
from cases.scenario.expected import Expect, read_expect
from cases.scenario.fault import ScenarioFaults
from cases.scenario.pen import Pen, When
from cases.track import Move
from policies.faults import Fault, PolicyFaults, Where, one_of, shown
from policies.reading import MOST_BYTES, Plain, read
from policies.vocabulary import Words

MOST_STEPS: Final = 2_000
_FIELDS: Final = ("scenario", "source", "policy", "start", "steps", "finally", "one_person", "mentor")
_STEP: Final = ("at", "by", "do", "with", "expect", "refused", "case", "stale")
_SAMPLE: Final = Words("从 cases/samples/scenarios 里的一份开始", "start from one of cases/samples/scenarios")

_BY: Final = Words("by: counselor@school", "by: counselor@school")


@dataclass(frozen=True, slots=True)
class Step:
    """One step: when, who pulls which trigger with what, how it should be refused, and what should hold
    then. `stale`: what the actor has on the screen dates from before the previous step.
    """

    number: int
    line: int
    at: When
    by: Person | None = None
    do: Address | None = None
    form: Mapping[str, Any] | None = None
    refused: str | None = None
    expect: Expect | None = None
    case: int = 1
    stale: bool = False


@dataclass(frozen=True, slots=True)
class Script:
    """A scenario without faults. `start` is local time of the policy's zone; `places` and `people` are the
    cast.
    """

    file: str
    title: str
    source: str
    policy: str
    policy_line: int
    start: datetime
    steps: tuple[Step, ...]
    final: Expect | None
    one_person: tuple[tuple[Person, ...], ...]
    mentor: Person | None
    places: frozenset[Place]
    people: frozenset[Person]


def read_script(path: Path) -> Script:
    """Read a scenario file. Raises ScenarioFaults with every fault in it."""
    text = _text_of(path)
    if not text.strip():
        raise ScenarioFaults([Fault(path.name, 1, "", Words("文件是空的", "the file is empty"), _SAMPLE)])
    try:
        pen = Pen(read(text, path.name))
    except PolicyFaults as faults:
        # One reader reads policies and scenarios: what it finds are faults of the YAML.
        raise ScenarioFaults(faults.faults) from None
    script = _script(pen, path.name)
    if pen.reading.faults or script is None:
        raise ScenarioFaults(pen.reading.faults)
    return script


def _text_of(path: Path) -> str:
    right = Words("核对文件名", "check the file's name")
    try:
        if path.stat().st_size > MOST_BYTES:
            why = Words("文件太大，不像一个剧本", "the file is too large to be a scenario")
            raise ScenarioFaults([Fault(str(path), 1, "", why, Words("应小于 1 MB", "less than 1 MB"))])
        return path.read_text("utf-8")
    except FileNotFoundError:
        why = Words("没有这个文件", "there is no such file")
    except UnicodeDecodeError:
        why, right = (
            Words("不是 UTF-8 文字", "it isn't UTF-8 text"),
            Words("另存为 UTF-8", "save it as UTF-8"),
        )
    except OSError as error:
        reason = error.strerror or type(error).__name__
        why = Words(f"读不了：{reason}", f"it can't be read: {reason}")
    raise ScenarioFaults([Fault(str(path), 1, "", why, right)])


def _script(pen: Pen, file: str) -> Script | None:
    given = pen.mapping(pen.reading.tree, (), _FIELDS)
    if not given:
        pen.fault((), Words("这不是剧本", "this is no scenario"), _SAMPLE)
        return None
    title = pen.text(given.get("scenario"), ("scenario",), needed="scenario")
    source = pen.text(given["source"], ("source",)) if "source" in given else ""
    policy = pen.text(given.get("policy"), ("policy",), needed="policy")
    start = pen.moment(given.get("start"), ("start",))
    steps = _steps(pen, given.get("steps"), start)
    final = read_expect(pen, given["finally"], ("finally",)) if "finally" in given else None
    one_person = tuple(
        tuple(found for where, one in pen.items(group, here) if (found := pen.person(one, where)) is not None)
        for here, group in pen.items(given.get("one_person"), ("one_person",))
    )
    mentor = pen.person(given["mentor"], ("mentor",)) if "mentor" in given else None
    if start is None:
        return None
    return Script(
        file=file,
        title=title,
        source=source,
        policy=policy,
        policy_line=pen.line(("policy",)),
        start=start,
        steps=steps,
        final=final,
        one_person=one_person,
        mentor=mentor,
        places=frozenset(pen.places),
        people=frozenset(pen.people),
    )


def _steps(pen: Pen, value: Plain, start: datetime | None) -> tuple[Step, ...]:
    where: Where = ("steps",)
    if not isinstance(value, tuple) or not value:
        right = Words("每一步以“- at:”开头", 'each step begins with "- at:"')
        pen.fault(where, Words("缺少步骤", "the steps are missing"), right)
        return ()
    if len(value) > MOST_STEPS:
        pen.fault(where, Words(f"共 {len(value)} 步，太多", f"{len(value)} steps are too many"),
                  Words(f"最多 {MOST_STEPS} 步", f"{MOST_STEPS} at most"))  # fmt: skip
        return ()
    found: list[Step] = []
    latest = start
    for number, one in enumerate(value):
        step = _step(pen, number + 1, one, (*where, number))
        if step is None:
            continue
        found.append(step)
        at = _local(step.at, start)
        if at is None or latest is None:
            continue
        if step.at.offset is not None and not pen.within(at, (*where, number, "at")):
            continue
        if at < latest:
            why = Words("这一步早于上一步", "this step lies before the one above it")
            right = Words(f"不早于 {latest:%Y-%m-%dT%H:%M}", f"not before {latest:%Y-%m-%dT%H:%M}")
            pen.fault((*where, number, "at"), why, right)
        latest = max(latest, at)
    return tuple(found)


def _local(at: When, start: datetime | None) -> datetime | None:
    if at.offset is None:
        return at.local
    try:
        return None if start is None else start + at.offset
    except OverflowError:
        return start.replace(year=MAXYEAR) if start is not None else None


def _step(pen: Pen, number: int, value: Plain, where: Where) -> Step | None:
    given = pen.mapping(value, where, _STEP)
    if not given:
        return None
    at = pen.when(given.get("at"), (*where, "at")) or When(offset=timedelta(0))
    refused = None
    if "refused" in given:
        refused = pen.word(given["refused"], (*where, "refused"), tuple(CODES), "拒绝代码", "refusal code")
    expect = read_expect(pen, given["expect"], (*where, "expect")) if "expect" in given else None
    case = _case(pen, given, where)
    by = do = form = None
    if "do" in given:
        if "by" not in given:
            pen.fault(where, Words("缺少 by：由谁来做", "by is missing: who does it"), _BY)
        else:
            by = pen.person(given["by"], (*where, "by"))
        do, move = _trigger(pen, given["do"], (*where, "do"))
        if move is not None:
            form = read_form(pen, given.get("with"), (*where, "with"), move, lenient=refused is not None)
    else:
        _only_looks(pen, given, where)
    return Step(number, pen.line(where), at, by, do, form, refused, expect, case, _stale(pen, given, where))


def _only_looks(pen: Pen, given: Mapping[str, Plain], where: Where) -> None:
    for name in ("by", "with", "refused", "stale"):
        if name in given:
            right = Words("写上 do，或去掉它", "write do, or leave it out")
            pen.fault((*where, name), Words(f"有 {name} 而没有 do", f"{name} without do"), right)
    if "expect" not in given:
        right = Words("写上 do 或 expect", "write do or expect")
        pen.fault(where, Words("这一步什么也不做", "this step does nothing"), right)


def _case(pen: Pen, given: Mapping[str, Plain], where: Where) -> int:
    """Which of the story's cases the step is about, by the order in which they were opened; the first by
    default.
    """
    said = given.get("case", 1)
    if isinstance(said, int) and not isinstance(said, bool) and 1 <= said <= 9:
        return said
    why = Words("这里应是第几个个案", "the number of a case belongs here")
    pen.fault((*where, "case"), why, Words("1 到 9", "1 to 9"))
    return 1


def _stale(pen: Pen, given: Mapping[str, Plain], where: Where) -> bool:
    said = given.get("stale", False)
    if isinstance(said, bool):
        return said
    why = Words("这里应是 yes 或 no", "yes or no belongs here")
    pen.fault((*where, "stale"), why, Words("yes 或 no", "yes or no"))
    return False


def _trigger(pen: Pen, value: Plain, where: Where) -> tuple[Address | None, Move | None]:
    """The address of a trigger, and the move that it pulls."""
    found = pen.part(value, where)
    if found is None or found.part is None:
        return None, None
    kind = found.kind or "case"
    known = pen.tracks[kind].by_name
    move = known.get(found.part)
    if move is None:
        why = Words(f"{kind} 没有触发“{shown(found.part)}”", f'{kind} has no trigger "{shown(found.part)}"')
        pen.fault(where, why, one_of(tuple(known), found.part))
    elif move.opens and (found.place is not None or found.number is not None):
        right = Words(f"写成 {kind}.{move.name}", f"write {kind}.{move.name}")
        pen.fault(where, Words("这个触发开启新的事项", "this trigger opens a new track"), right)
    return found, move
