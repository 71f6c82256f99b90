"""Copies of the key store: few, short-lived, and all in one folder, so that forgetting reaches every one.

A copy holds wrapped keys only; it opens nothing without the master key. It is text with one key a line, of
fixed length, so that a key is overwritten where it lies: a file written anew would leave the old one's blocks
on the disk. (A file system that never overwrites in place, such as btrfs or ZFS with snapshots, or an SSD,
may keep them all the same: such a folder belongs on an encrypted volume.) The folder is the registry: a copy
taken out of it is out of reach, and no promise holds for it.
"""

from __future__ import annotations

import errno
import json
import mmap
import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cases.key_fault import CopyFaulty, CopyUnwritten
from cases.vault import MasterKey, WrongMasterKey, write_secret

MOST: Final = 10
"""So many copies there are at most; another one ends the oldest."""
_FORMAT: Final = "whistle-keys/1"
_MARK: Final = "mark"


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy that lies in the folder. `until` is when it is removed; long ago where it was never finished."""

    path: Path
    until: datetime


@dataclass(frozen=True, slots=True)
class KeyStoreCopies:
    """The folder of copies (`home/keys/copies`, mode 700; it may be a link to another disk)."""

    folder: Path

    @classmethod
    def of(cls, home: Path) -> KeyStoreCopies:
        return cls(home / "keys" / "copies")

    def mark(self) -> str | None:
        """What tells this folder from any other; None where no copy was ever written."""
        try:
            return (self.folder / _MARK).read_text("ascii")
        except OSError:
            return None

    def marked(self) -> str:
        """Its mark, given to it now if it has none. Raises CopyUnwritten."""
        mark = self.mark()
        if mark is None:
            mark = secrets.token_hex(16)
            try:
                write_secret(self.folder / _MARK, [mark.encode()])
            except OSError as error:
                raise self._unwritten(error) from error
        return mark

    def write(self, keys: Iterable[tuple[int, bytes]], master: MasterKey, at: datetime, keep: timedelta) -> Path:
        """Write a copy named after its instant, to be removed by `expire` once `keep` is over.

        The oldest beyond ten are removed. Raises CopyUnwritten, and then leaves nothing of it behind.
        """
        path = self.folder / f"keys-{at.astimezone(UTC):%Y%m%dT%H%M%S%fZ}.json"
        try:
            write_secret(path, _lines(keys, master, at, at + keep))
        except FileExistsError as error:
            raise self._unwritten(error) from error
        except OSError as error:
            _end(path)
            raise self._unwritten(error) from error
        for one in self.paths()[:-MOST]:
            _end(one)
        return path

    def _unwritten(self, error: OSError) -> CopyUnwritten:
        why = "no space left" if error.errno == errno.ENOSPC else error.strerror or type(error).__name__
        return CopyUnwritten(folder=str(self.folder), why=why)

    def overwrite(self, student_ids: Iterable[int]) -> int:
        """Zero these students' keys in every copy, durably. How many were overwritten; again gives none."""
        needles = [f'\n"{student_id}":"'.encode() for student_id in student_ids]
        return sum(_overwrite(path, needles) for path in self.paths())

    def expire(self, now: datetime) -> list[Path]:
        """Zero and remove the copies whose time is over, and those that were never finished."""
        over = [one.path for one in self.listed() if one.until <= now]
        for path in over:
            _end(path)
        return over

    def listed(self) -> list[Copy]:
        """The copies there are, oldest first."""
        return [Copy(path, _until(path)) for path in self.paths()]

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


def _end(path: Path) -> None:
    """Zeros first, then gone."""
    if not path.exists():
        return
    with suppress(OSError), path.open("r+b") as file:
        file.write(bytes(path.stat().st_size))
        file.flush()
        os.fsync(file.fileno())
    path.unlink()
