"""Copies of the key store: few, short-lived, and all in one folder, so that forgetting reaches every one.

A copy holds wrapped keys only; it opens nothing without the master key. It is text with one key a line, of
fixed length, so that a key is overwritten where it lies: a file written anew would leave the old one's blocks
on the disk. (A file system that never overwrites in place, such as btrfs or ZFS with snapshots, or an SSD,
may keep them all the same: such a folder belongs on an encrypted volume.) The folder is the registry: a copy
taken out of it is out of reach, and no promise holds for it.
"""

from __future__ import annotations

import json
import mmap
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar, Final

from cases.vault import MasterKey, VaultFault, WrongMasterKey, write_secret

_FORMAT: Final = "whistle-keys/1"


class CopyFaulty(VaultFault):
    code: ClassVar[str] = "key_copy_faulty"
    texts: ClassVar[tuple[str, str]] = (
        "{path} 不是完整的密钥副本。没有改动任何数据。",
        "{path} isn't a whole copy of a key store. Nothing was changed.",
    )


@dataclass(frozen=True, slots=True)
class KeyStoreCopies:
    """The folder of copies (`home/keys/copies`, mode 700; it may be a link to another disk)."""

    folder: Path

    @classmethod
    def of(cls, home: Path) -> KeyStoreCopies:
        return cls(home / "keys" / "copies")

    def write(self, keys: Iterable[tuple[int, bytes]], master: MasterKey, at: datetime, keep: timedelta) -> Path:
        """Write a copy named after its instant, to be removed by `expire` once `keep` is over."""
        path = self.folder / f"keys-{at.astimezone(UTC):%Y%m%dT%H%M%S%fZ}.json"
        write_secret(path, _lines(keys, master, at, at + keep))
        return path

    def overwrite(self, student_ids: Iterable[int]) -> int:
        """Zero these students' keys in every copy, durably. How many were overwritten; again gives none."""
        needles = [f'\n"{student_id}":"'.encode() for student_id in student_ids]
        return sum(_overwrite(path, needles) for path in self.paths())

    def expire(self, now: datetime) -> list[Path]:
        """Zero and remove the copies whose time is over, and those that were never finished."""
        over = [path for path in self.paths() if _until(path) <= now]
        for path in over:
            _zero(path)
            path.unlink()
        return over

    def paths(self) -> list[Path]:
        return sorted(self.folder.glob("*.json"))


def read_copy(path: Path, master: MasterKey) -> list[tuple[int, bytes]]:
    """Student ids with their wrapped keys, zeros for the forgotten. Raises CopyFaulty, WrongMasterKey."""
    try:
        read = json.loads(path.read_text("ascii"))
        if read["format"] != _FORMAT:
            raise CopyFaulty(path=str(path))
        keys = [(int(student_id), bytes.fromhex(wrapped)) for student_id, wrapped in read["keys"].items()]
        check = bytes.fromhex(read["check"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise CopyFaulty(path=str(path)) from None
    if check != master.check:
        raise WrongMasterKey
    return keys


def _lines(keys: Iterable[tuple[int, bytes]], master: MasterKey, at: datetime, until: datetime) -> Iterator[bytes]:
    head = {"format": _FORMAT, "at": at.isoformat(), "until": until.isoformat(), "check": master.check.hex()}
    yield json.dumps(head)[:-1].encode() + b', "keys": {'
    comma = b""
    for student_id, wrapped in keys:
        yield f'{comma.decode()}\n"{student_id}":"{wrapped.hex()}"'.encode()
        comma = b","
    yield b"\n}}\n"


def _overwrite(path: Path, needles: list[bytes]) -> int:
    if path.stat().st_size == 0:
        return 0
    done = 0
    with path.open("r+b") as file, mmap.mmap(file.fileno(), 0) as text:
        for needle in needles:
            found = text.find(needle)
            if found < 0:
                continue
            start = found + len(needle)
            end = text.find(b'"', start)
            # A copy that was cut off in the middle of this key ends without its quotation mark.
            end = len(text) if end < 0 else end
            done += text[start:end].strip(b"0") != b""
            text[start:end] = b"0" * (end - start)
        text.flush()
        os.fsync(file.fileno())
    return done


def _until(path: Path) -> datetime:
    try:
        return datetime.fromisoformat(json.loads(path.read_text("ascii"))["until"])
    except (ValueError, KeyError, TypeError):
        return datetime.min.replace(tzinfo=UTC)


def _zero(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(bytes(path.stat().st_size))
        file.flush()
        os.fsync(file.fileno())
