"""What can be asked of an installation whose database, tables and keys are in order, a check after the other.

Nothing is changed by looking.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, Select, func, select

from cases import heartbeat, incidents
from cases.file_health import of_files
from cases.health import Check, State, Words, of_fault
from cases.keystore import KEPT
from cases.layer_health import of_second_layer
from cases.outbox import delivery, lane
from cases.records import case, incident, policy_version
from cases.vault import VaultFault
from policies.faults import PolicyFaults

if TYPE_CHECKING:
    from cases.heartbeat import Beat
    from cases.installation import Installation
    from policies.calendar import Calendars

MISSED: Final = 3
"""So many intervals without a finished sweep are too many (`cases.standby`)."""
SEALED_WITHIN: Final = timedelta(hours=3)
SEALED_AT_MOST: Final = timedelta(hours=12)
BACKED_UP_WITHIN: Final = timedelta(hours=26)
BACKED_UP_AT_MOST: Final = timedelta(days=7)
_MONTHS: Final = 12


def examine(kept: Installation, now: datetime, every: timedelta, backups: Path | None = None) -> list[Check]:
    """All of these checks. `every` is how often a sweep is due, `backups` the folder of the nightly back-ups if any."""
    checks = list(_of_policy(kept, now))
    with kept.store.read() as connection:
        # Everything that several checks ask of one table is asked once: a page looks at all of them.
        beats = heartbeat.newest(connection)
        closed, dead = connection.execute(_undelivered(now)).one()
        checks += [
            of_second_layer(connection),
            _of_sweep(connection, beats.get("sweep"), now, every),
            _of_round("seal", beats.get("seal"), now, SEALED_WITHIN, SEALED_AT_MOST, "whistle run seal"),
            _of_backup(beats.get("backup"), now, backups),
            _of_keys(kept, beats.get("keys"), now),
            _of_lanes(closed),
            _of_dead_letters(dead),
            _of_incidents(connection),
        ]
        if kept.shelf is not None:
            checks.append(of_files(connection, kept.shelf))
    return checks


def _of_policy(kept: Installation, now: datetime) -> Iterator[Check]:
    """Every stored version is what it was when it was stored, and the active one knows its working days."""
    from policies import book as books

    query = select(policy_version.c.name, policy_version.c.digest, policy_version.c.source).order_by("name")
    with kept.store.read() as connection:
        stored = connection.execute(query).all()
    wrong = []
    for row in stored:
        try:
            same = books.load_text(row.source, f"{row.name}.yaml").digest == row.digest
        except PolicyFaults:
            same = False
        if not same:
            wrong.append(row.name)
    active = kept.active()
    if wrong:
        names = ", ".join(wrong)
        yield Check(
            "policy",
            "bad",
            (f"存档的政策版本与其摘要不符：{names}", f"stored policy versions don't fit their digests: {names}"),
            (
                "有人改动了数据库。请保留现状，核验历史（whistle audit verify），再从备份取回这些版本。",
                (
                    "Somebody changed the database. Keep it as it is, verify the histories (`whistle audit verify`), "
                    "then take these versions from a back-up."
                ),
            ),
        )
        return
    yield Check("policy", "ok", (f"现行 {active}，存档 {len(stored)} 个", f"{active} is active, {len(stored)} stored"))
    try:
        book = kept.book(active)
    except PolicyFaults as fault:
        yield of_fault("policy", fault)
        return
    yield of_calendar(book.calendars, now.astimezone(book.tz).date())


def of_calendar(calendars: Calendars, today: date) -> Check:
    """Whether the State Council's table is there for every year that the next twelve months touch."""
    year, month = divmod(today.year * 12 + today.month - 1 + _MONTHS, 12)
    last = date(year, month + 1, 1)
    common = calendars.of(None)
    missing = [one for one in range(today.year, last.year + 1) if not common.published(date(one, 1, 1))]
    if not missing:
        return Check(
            "calendar", "ok", (f"工作日历已知到 {last.year} 年底", f"working days are known up to {last.year}")
        )
    years = ", ".join(map(str, missing))
    # The State Council publishes a year's table in November: before that nobody has it.
    late = missing[0] == today.year or today.month == 12
    return Check(
        "calendar",
        "bad" if late else "warn",
        (
            f"没有 {years} 年的放假安排，这些年份的时限是暂定的",
            f"no table for {years}: limits that reach there are provisional",
        ),
        (
            "国务院公布（通常在十一月）后，运行 whistle calendar load 装入。",
            "Load it with `whistle calendar load` once the State Council has published it, usually in November.",
        ),
    )


def _of_sweep(connection: Connection, beat: Beat | None, now: datetime, every: timedelta) -> Check:
    mend = (
        "请启动 whistle up，或检查编排服务；随时可以手动运行 whistle sweep。",
        "Start `whistle up`, or see to the orchestrator; `whistle sweep` may be run by hand at any time.",
    )
    if beat is None:
        return Check(
            "sweep", "bad", ("从未巡查过，到期的时限没有处理", "never run: nothing that falls due is fired"), mend
        )
    age = now - beat.finished_at
    waiting = connection.scalar(select(func.min(case.c.wake_at)))
    zh, en = _ago(age)
    said = (f"{zh}({beat.door})", f"{en} ({beat.door})")
    late = waiting is not None and now - waiting.astimezone(UTC) > MISSED * every
    if age > MISSED * every:
        return Check("sweep", "bad" if late else "warn", said, mend)
    if beat.door == "standby":
        return Check("sweep", "warn", said, mend)
    return Check("sweep", "ok", said)


def _of_round(
    name: str, beat: Beat | None, now: datetime, within: timedelta, at_most: timedelta, command: str
) -> Check:
    mend = (f"运行 {command}，并让它定时运行。", f"Run `{command}`, and see that it runs regularly.")
    if beat is None:
        return Check(name, "warn", ("从未做过", "never done"), mend)
    age = now - beat.finished_at
    if age <= within:
        return Check(name, "ok", _ago(age))
    return Check(name, "bad" if age > at_most else "warn", _ago(age), mend)


def _of_backup(beat: Beat | None, now: datetime, folder: Path | None) -> Check:
    check = _of_round("backup", beat, now, BACKED_UP_WITHIN, BACKED_UP_AT_MOST, "whistle backup DIR")
    if folder is not None or check.state == "ok":
        return check
    mend = (
        (
            "没有设置 WHISTLE_BACKUPS，不会自动备份。"
            "请把它设为一个目录，最好在另一台机器上；或定时运行 whistle backup DIR。"
        ),
        "WHISTLE_BACKUPS isn't set: nothing is backed up by itself. Set it to a folder, or time `whistle backup DIR`.",
    )
    return Check("backup", check.state, check.said, mend)


def _of_keys(kept: Installation, beat: Beat | None, now: datetime) -> Check:
    """Whether the key store was copied lately, to a folder that forgetting reaches from here."""
    check = _of_round("keys", beat, now, BACKED_UP_WITHIN, KEPT, "whistle run keys")
    try:
        kept.keystore.reach()
    except VaultFault as fault:
        return of_fault("key copies", fault)
    return Check("key copies", check.state, check.said, check.mend)


def _undelivered(now: datetime) -> Select[tuple[int, int]]:
    """How many channels are closed, and how many deliveries were given up these seven days."""
    closed = select(func.count()).select_from(lane).where(lane.c.closed_until > now)
    since = now - timedelta(days=7)
    dead = select(func.count()).select_from(delivery).where(delivery.c.state == "dead", delivery.c.ended_at > since)
    return select(closed.scalar_subquery(), dead.scalar_subquery())


def _of_lanes(closed: int) -> Check:
    if not closed:
        return Check("channels", "ok", ("没有中断的渠道", "no channel is closed"))
    return Check(
        "channels",
        "warn",
        (f"{closed} 个渠道因连续失败暂停", f"{closed} closed after failing again and again"),
        (
            "用 whistle channel test 试发，查明对方服务。",
            "Try them with `whistle channel test`, and see to that service.",
        ),
    )


def _of_dead_letters(dead: int) -> Check:
    if not dead:
        return Check("dead letters", "ok", ("近七日没有", "none these seven days"))
    return Check(
        "dead letters",
        "warn",
        (f"近七日有 {dead} 条没能送出（收件箱里都有）", f"{dead} given up these seven days (each is in its inbox)"),
        ("请核对这些人员登记的渠道地址。", "Look at the channels that these people gave."),
    )


def _of_incidents(connection: Connection) -> Check:
    rows = connection.execute(
        select(incident.c.kind, func.count())
        .where(incident.c.ended_at.is_(None))
        .group_by(incident.c.kind)
        .order_by(incident.c.kind)
    ).all()
    if not rows:
        return Check("incidents", "ok", ("没有未了结的", "none open"))
    listed = ", ".join(f"{kind} × {count}" for kind, count in rows)
    grave: State = "bad" if any(kind in incidents.GRAVE for kind, _ in rows) else "warn"
    return Check(
        "incidents",
        grave,
        (f"未了结：{listed}", f"open: {listed}"),
        (
            (
                "用 whistle incident list 查看并逐项查明（seal_broken 先运行 whistle audit verify），"
                "处理后用 whistle incident end 编号 --why … 了结。"
            ),
            (
                "Read them with `whistle incident list` and see to each (for seal_broken run `whistle audit verify`), "
                "then say what became of it: `whistle incident end N --why …`."
            ),
        ),
    )


def _ago(age: timedelta) -> Words:
    seconds = max(0, round(age.total_seconds()))
    for size, zh, en in ((86400, "天", "d"), (3600, "小时", "h"), (60, "分钟", "min")):
        if seconds >= 2 * size:
            return f"{seconds // size} {zh}前", f"{seconds // size} {en} ago"
    return f"{seconds} 秒前", f"{seconds} s ago"
