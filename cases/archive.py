"""The folder of daily back-ups: a new one each day, the old ones ended by one rule, a failure told once.

Kept are all of the last seven days, and of the four weeks before them the newest of each; whatever is older goes, since
a back-up holds personal data and is kept no longer than it is needed. The newest one is never ended, and nothing is
before the new one is there whole.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import insert, select, update

from cases import backup, notices
from cases.backup_file import BackupFault
from cases.records import incident

if TYPE_CHECKING:
    from cases.store import Store
    from cases.vault import MasterKey

FAILED: Final = "backup_failed"
ALL_OF: Final = timedelta(days=7)
WEEKLY_UNTIL: Final = timedelta(days=35)
_NAME: Final = re.compile(r"whistle-(\d{8}T\d{6}Z)\.(backup|part)")
_TOLD: Final = {"city": ("supervisor", "admin")}


def daily(store: Store, master: MasterKey, folder: Path | None, now: datetime) -> dict[str, Any]:
    """Back up into the folder and end the old ones. Safe to repeat: of one second there is one.

    Raises BackupFault no_folder without a folder; unwritten on a full disk and the like, which is an incident too, told
    to the city's supervisors and administrators once, until a back-up succeeds again.
    """
    if folder is None:
        raise BackupFault("no_folder")
    try:
        made = backup.make(store, master, folder, now)
    except BackupFault as fault:
        if fault.code == "exists":
            return {"file": backup.file_name(now), "ended": 0}
        _tell(store, fault, now)
        raise
    _mend(store, now)
    ended = prune(folder, now)
    return {"file": made.path.name, "bytes": made.size, "cases": made.manifest.cases, "ended": len(ended)}


def prune(folder: Path, now: datetime) -> list[Path]:
    """End the back-ups that the rule doesn't keep, and halves that somebody killed left more than a day ago."""
    found = sorted(_written(folder), reverse=True)
    kept: set[Path] = set()
    weeks: set[tuple[int, int]] = set()
    for at, path in found:
        if path.suffix != ".backup":
            if now - at <= timedelta(days=1):
                kept.add(path)
            continue
        year, week, _ = at.isocalendar()
        age = now - at
        if not kept or age <= ALL_OF or (age <= WEEKLY_UNTIL and (year, week) not in weeks):
            kept.add(path)
        weeks.add((year, week))
    over = [path for _, path in found if path not in kept]
    for path in over:
        path.unlink(missing_ok=True)
    return over


def _written(folder: Path) -> list[tuple[datetime, Path]]:
    """What lies there under a name of ours, with its instant; nothing else is ever touched."""
    named = [(_NAME.fullmatch(path.name), path) for path in folder.iterdir()]
    return [(datetime.strptime(name[1], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC), path) for name, path in named if name]


def _tell(store: Store, fault: BackupFault, now: datetime) -> None:
    with store.begin() as connection:
        standing = select(incident.c.id).where(incident.c.kind == FAILED, incident.c.ended_at.is_(None))
        if connection.execute(standing.with_for_update()).first() is not None:
            return
        new = insert(incident).values(at=now, kind=FAILED, why=fault.text("en")).returning(incident.c.id)
        number = connection.scalar(new)
        letter = ("orange", [{"incident": number}])
        held = notices.holders(connection, _TOLD, now.date())
        to = {one: letter for members in held.values() for one in members}
        notices.post_once(connection, f"{FAILED}:{number}", FAILED, to, now)


def _mend(store: Store, now: datetime) -> None:
    with store.begin() as connection:
        standing = (incident.c.kind == FAILED, incident.c.ended_at.is_(None))
        connection.execute(update(incident).where(*standing).values(ended_at=now))
