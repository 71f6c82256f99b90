"""Is the installation well? Each check says how it stands and, where it isn't well, how to mend it.

Nothing is changed by looking. A check that can't be made because another one failed isn't made.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from cases import schema
from cases.store_fault import StoreFault
from cases.vault import VaultFault
from notifiers.faults import ChannelFault
from policies.faults import PolicyFaults

if TYPE_CHECKING:
    from cases.store import Store

State = Literal["ok", "warn", "bad"]
Words = tuple[str, str]

EXIT: Final[Mapping[State, int]] = {"ok": 0, "warn": 1, "bad": 2}
NAMES: Final[Mapping[str, Words]] = {
    "disk": ("磁盘", "disk"),
    "master key": ("主密钥", "master key"),
    "orchestrator": ("编排服务", "orchestrator"),
    "scheduler": ("排程", "scheduler"),
    "database": ("数据库", "database"),
    "migrations": ("数据表", "migrations"),
    "second layer": ("行级防护", "second layer"),
    "key store": ("密钥库", "key store"),
    "files": ("附件", "files"),
    "policy": ("政策", "policy"),
    "calendar": ("工作日历", "calendar"),
    "sweep": ("巡查", "sweep"),
    "seal": ("封存", "seal"),
    "backup": ("备份", "backup"),
    "key copies": ("密钥副本", "key copies"),
    "gates": ("发信与短信", "mail and SMS"),
    "channels": ("渠道", "channels"),
    "dead letters": ("未送达", "dead letters"),
    "incidents": ("事件", "incidents"),
}
"""Every check there is, with what it is called in zh_CN and en. Those of the orchestrator are `workflows.health`'s."""
ROOM: Final = 2 * 1024**3
ROOM_AT_LEAST: Final = 256 * 1024**2


@dataclass(frozen=True, slots=True)
class Check:
    """One finding: `said` and `mend` in zh_CN and en; nothing to mend where all is well."""

    name: str
    state: State
    said: Words
    mend: Words | None = None

    def text(self, language: str) -> str:
        return self.said[0 if language == "zh_CN" else 1]

    def advice(self, language: str) -> str:
        return "" if self.mend is None else self.mend[0 if language == "zh_CN" else 1]


def worst(checks: Iterable[Check]) -> State:
    return max((one.state for one in checks), key=EXIT.__getitem__, default="ok")


def of_fault(name: str, fault: StoreFault | VaultFault | PolicyFaults | ChannelFault) -> Check:
    """A fault as a finding; its own sentence says how to mend it."""
    if isinstance(fault, VaultFault):
        return Check(name, "bad", (fault.text["zh_CN"], fault.text["en"]))
    return Check(name, "bad", (fault.text("zh_CN"), fault.text("en")))


def of_tables(store: Store) -> Check:
    """Whether the database can be reached and has the tables of this version."""
    try:
        found, wanted = schema.found(store), schema.wanted()
    except StoreFault as fault:
        return of_fault("database", fault)
    if found != wanted:
        return of_fault(
            "migrations", StoreFault("not_migrated", where=store.where, found=found or "–", wanted=wanted or "–")
        )
    return Check("database", "ok", (f"{store.where}，数据表是版本 {found}", f"{store.where}, tables at {found}"))


def of_key_file(path: Path) -> Check:
    """Whether the master key is there and nobody but its owner reads it. Its content isn't looked at."""
    from cases.vault import MasterKeyExposed, MasterKeyMissing

    try:
        mode = path.stat().st_mode & 0o777
    except OSError:
        return of_fault("master key", MasterKeyMissing(path=str(path)))
    if os.name == "posix" and mode & 0o077:
        return of_fault("master key", MasterKeyExposed(path=str(path), mode=f"{mode:o}"))
    return Check("master key", "ok", (f"{path}({mode:o})", f"{path} ({mode:o})"))


def of_room(path: Path) -> Check:
    """How much room is left on the disk that holds `path`, or will hold it."""
    there = next(one for one in (path, *path.parents) if one.exists())
    free = shutil.disk_usage(there).free
    said = (f"{there} 尚余 {free / 1e9:.1f} GB", f"{free / 1e9:.1f} GB free at {there}")
    mend = ("请腾出空间：写满后什么都不能再记录。", "Free some: on a full disk nothing can be recorded any more.")
    state: State = "bad" if free < ROOM_AT_LEAST else "warn" if free < ROOM else "ok"
    return Check("disk", state, said, None if state == "ok" else mend)
