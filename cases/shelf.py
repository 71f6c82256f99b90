"""The shelf: where the contents of files lie, sealed, each under its address. On a disk of one's own, or in S3.

What is put here is encrypted already, and an address says nothing of what lies under it. Nothing here knows a case.
"""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from cases.store_fault import StoreFault

if TYPE_CHECKING:
    from obstore.store import ObjectStore

_SIZE: Final = 32
_HALF: Final = ".part"
_LIST: Final = 1_000
_TEXTS: Final[dict[str, tuple[str, str]]] = {
    "full": (
        "附件没有地方放了（{where}）。什么都没有保存；请先腾出空间，再上传一次。",
        "There is no room left for files ({where}). Nothing was kept; free some space, then upload it again.",
    ),
    "unreachable": (
        "附件的存放处（{where}）现在用不了：{why}。什么都没有改动；请稍后再试。",
        "The place where files lie ({where}) can't be used now: {why}. Nothing was changed; please try again later.",
    ),
    "bad_url": (
        "附件的存放处写法不对：{why}。应当是一个目录，或 s3://存储桶/前缀。请检查 WHISTLE_FILES。",
        "The place for files is faulty: {why}. It should be a folder, or s3://bucket/prefix. Check WHISTLE_FILES.",
    ),
}


class ShelfFault(StoreFault):
    """Files can't be kept or read just now; nothing half-written was left."""

    def text(self, language: str) -> str:
        """One sentence or two in `zh_CN` or `en`; any other language is answered in English."""
        return _TEXTS[self.code][0 if language == "zh_CN" else 1].format(**self.facts)


class Shelf(Protocol):
    """Keeps sealed contents by address. Raises ShelfFault full, unreachable. Safe to share between threads."""

    @property
    def where(self) -> str:
        """The folder or bucket, for a person to read; never a password."""

    def put(self, address: bytes, content: bytes) -> None:
        """Keep a content durably: whole or not at all. One that lies there under the same address is replaced."""

    def take(self, address: bytes) -> bytes | None:
        """The content, or None where nothing lies."""

    def has(self, address: bytes) -> bool:
        """Whether something lies there."""

    def remove(self, address: bytes) -> None:
        """Let it go; nothing happens where nothing lies."""

    def stock(self) -> Iterator[tuple[bytes, datetime]]:
        """Every address with the instant (UTC) at which its content was put there, in no order."""


def opened(setting: str | None, home: Path) -> Shelf:
    """The shelf that a setting names (a folder or `s3://bucket/prefix`), by default `home/files`.

    Nothing is made or connected before the first use. An S3 finds its credentials as every AWS program does, in the
    environment. Raises ShelfFault bad_url.
    """
    if setting is None or "://" not in setting:
        return FolderShelf(home / "files" if setting is None else Path(setting).expanduser())
    if not setting.startswith("s3://"):
        raise ShelfFault("bad_url", why=setting.partition("://")[0] + "://")
    from obstore.exceptions import BaseError
    from obstore.store import S3Store

    try:
        return ObjectShelf(S3Store.from_url(setting), setting)
    except (BaseError, ValueError) as error:
        raise ShelfFault("bad_url", why=str(error).splitlines()[0][:200]) from None


class FolderShelf:
    """A folder: one file for each content, written beside its place, synchronised, then renamed into it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def where(self) -> str:
        return str(self._folder)

    def put(self, address: bytes, content: bytes) -> None:
        path = self._path(address)
        with self._told():
            for part in (self._folder, path.parent):
                part.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle, draft = tempfile.mkstemp(suffix=_HALF, dir=path.parent)
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(handle)
                Path(draft).replace(path)
            except BaseException:
                Path(draft).unlink(missing_ok=True)
                raise
            _settle(path.parent)

    def take(self, address: bytes) -> bytes | None:
        with self._told():
            try:
                return self._path(address).read_bytes()
            except FileNotFoundError:
                return None

    def has(self, address: bytes) -> bool:
        with self._told():
            return self._path(address).is_file()

    def remove(self, address: bytes) -> None:
        with self._told():
            self._path(address).unlink(missing_ok=True)

    def stock(self) -> Iterator[tuple[bytes, datetime]]:
        with self._told():
            for path in self._folder.glob("??/*"):
                address = _address(path.parent.name + path.name)
                if address is not None:
                    yield address, datetime.fromtimestamp(path.stat().st_mtime, UTC)

    def drop_halves(self, before: datetime) -> int:
        """Remove what somebody who was killed left half-written before that instant; how many."""
        halves = [one for one in self._folder.glob(f"??/*{_HALF}") if one.stat().st_mtime < before.timestamp()]
        for one in halves:
            one.unlink(missing_ok=True)
        return len(halves)

    def _path(self, address: bytes) -> Path:
        if len(address) != _SIZE:
            raise ValueError("an address has 32 bytes")
        name = address.hex()
        return self._folder / name[:2] / name[2:]

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise _fault(self.where, error) from error


class ObjectShelf:
    """An object store, such as S3: an upload is there whole or not at all by its own rules."""

    def __init__(self, store: ObjectStore, where: str) -> None:
        self._store = store
        self._where = where

    @property
    def where(self) -> str:
        return self._where

    def put(self, address: bytes, content: bytes) -> None:
        with self._told():
            self._store.put(_key(address), content)

    def take(self, address: bytes) -> bytes | None:
        with self._told():
            try:
                return bytes(self._store.get(_key(address)).bytes())
            except FileNotFoundError:
                return None

    def has(self, address: bytes) -> bool:
        with self._told():
            try:
                self._store.head(_key(address))
            except FileNotFoundError:
                return False
            return True

    def remove(self, address: bytes) -> None:
        with self._told():
            try:
                self._store.delete(_key(address))
            except FileNotFoundError:
                return

    def stock(self) -> Iterator[tuple[bytes, datetime]]:
        with self._told():
            for some in self._store.list(chunk_size=_LIST):
                for one in some:
                    address = _address(one["path"].replace("/", ""))
                    if address is not None:
                        yield address, one["last_modified"].astimezone(UTC)

    @contextmanager
    def _told(self) -> Iterator[None]:
        from obstore.exceptions import BaseError

        try:
            yield
        except (BaseError, OSError) as error:
            raise _fault(self.where, error) from error


def _key(address: bytes) -> str:
    if len(address) != _SIZE:
        raise ValueError("an address has 32 bytes")
    name = address.hex()
    return f"{name[:2]}/{name[2:]}"


def _address(name: str) -> bytes | None:
    """What lies there and isn't ours is left alone."""
    try:
        address = bytes.fromhex(name)
    except ValueError:
        return None
    return address if len(address) == _SIZE and name == address.hex() else None


def _fault(where: str, error: Exception) -> ShelfFault:
    number = getattr(error, "errno", None)
    if number in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        return ShelfFault("full", where=where, why="no space left")
    said = getattr(error, "strerror", None) or type(error).__name__
    return ShelfFault("unreachable", where=where, why=str(said))


def _settle(folder: Path) -> None:
    """Make the new name as durable as the content."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
