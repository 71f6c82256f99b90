"""The file of a back-up: compressed, encrypted in chunks, and read back whole or not at all.

`magic | length | head | chunk …`. The head is JSON in clear: format, instant, revision of the tables, a salt, and
what the master key is known by. A chunk is `flag | length | AES-256-GCM`; the nonce counts the chunks and says which
is the last, and the head's digest is authenticated with each. So none can be changed, left out, swapped, repeated or
taken from another file, and one that was cut off is told from one that was changed. The key is drawn for this one
file from the master key and the salt.

Inside is one stream of records (`kind | length | bytes`), compressed by zlib.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from cases.vault import MasterKey

FORMAT: Final = "whistle-backup/1"
CHUNK: Final = 1 << 20

_MAGIC: Final = b"WHISTLE-BACKUP\n"
_LENGTH: Final = struct.Struct(">I")
_FRAME: Final = struct.Struct(">BI")
_NONCE: Final = struct.Struct(">IQ")
_TAG: Final = 16
_LONGEST_HEAD: Final = 1 << 16
# What is sealed doesn't shrink; harder compression costs time and gains next to nothing.
_LEVEL: Final = 3

_TEXTS: Final[dict[str, tuple[str, str]]] = {
    "unread": (
        "备份文件 {where} 读不了：{why}。没有改动任何数据。",
        "The back-up {where} can't be read: {why}. Nothing was changed.",
    ),
    "not_one": (
        "{where} 不是备份文件，或出自更新的版本。没有改动任何数据。",
        "{where} isn't a back-up, or is one of a newer version. Nothing was changed.",
    ),
    "other_key": (
        "备份 {where} 是用另一把主密钥加密的。请放回当时的主密钥（WHISTLE_MASTER_KEY_FILE）；没有改动任何数据。",
        (
            "The back-up {where} was encrypted under another master key. Put that one back (WHISTLE_MASTER_KEY_FILE); "
            "nothing was changed."
        ),
    ),
    "cut": (
        "备份 {where} 不完整，后面的部分不见了。请换一份；没有改动任何数据。",
        "The back-up {where} is cut short: its end is missing. Take another one; nothing was changed.",
    ),
    "changed": (
        "备份 {where} 被改动过或已损坏（第 {why} 块）。请换一份；没有改动任何数据。",
        "The back-up {where} was changed or damaged (chunk {why}). Take another one; nothing was changed.",
    ),
    "unwritten": (
        "备份写不进 {where}：{why}。没有留下半份文件；请腾出空间或换一个目录。",
        (
            "The back-up can't be written to {where}: {why}. No half of it was left; free some space or take another "
            "folder."
        ),
    ),
    "no_folder": (
        "没有说明备份写到哪里。请设置 WHISTLE_BACKUPS，最好是另一台机器上的目录，或运行 whistle backup 目录。",
        "Where to back up to isn't said. Set WHISTLE_BACKUPS, best to another machine, or run `whistle backup DIR`.",
    ),
    "exists": (
        "{where} 已经存在，不会覆盖。",
        "{where} is there already and isn't overwritten.",
    ),
    "unknown_revision": (
        "备份的数据表是版本 {why}，本程序不认识。请用更新的程序恢复；没有改动任何数据。",
        (
            "The back-up's tables are of revision {why}, which this program doesn't know. Restore it with a newer one; "
            "nothing was changed."
        ),
    ),
    "not_empty": (
        "数据库（{where}）里已经有表。只恢复到空数据库：请先新建一个，或换一个名字（--into）；没有改动任何数据。",
        (
            "There are tables in the database ({where}). A back-up is restored into an empty one only: create one, or "
            "name another (--into); nothing was changed."
        ),
    ),
    "does_not_fit": (
        "恢复后的内容与备份清单不符（{why}）。恢复已全部撤销；请换一份备份，并报告此事。",
        (
            "What was restored doesn't fit the back-up's own list ({why}). All of it was rolled back; take another "
            "back-up, and report this."
        ),
    ),
}


class BackupFault(Exception):
    """A back-up can't be made or restored; nothing was changed. `facts` name a file, a database or a code."""

    def __init__(self, code: str, *, where: str = "", why: str = "") -> None:
        self.code = code
        self.facts = {"where": where, "why": why}
        super().__init__(self.text("en"))

    def text(self, language: str) -> str:
        """One or two plain sentences in `zh_CN` or `en`."""
        return _TEXTS[self.code][0 if language == "zh_CN" else 1].format_map(self.facts)


@dataclass(frozen=True, slots=True)
class Head:
    """What a file says of itself in clear: nothing that the name of the installation's version wouldn't say too."""

    at: datetime
    revision: str
    salt: bytes
    check: bytes
    written: bytes

    @classmethod
    def drawn(cls, master: MasterKey, at: datetime, revision: str) -> Head:
        salt = os.urandom(32)
        check = _known_by(master, salt)
        says = {"format": FORMAT, "at": at.isoformat(), "revision": revision, "salt": salt.hex(), "check": check.hex()}
        return cls(at, revision, salt, check, json.dumps(says, sort_keys=True).encode())


class Writer:
    """Takes records, writes chunks. Not finished until `close` was called: without its last chunk a file is cut."""

    def __init__(self, file: IO[bytes], master: MasterKey, head: Head) -> None:
        self._file = file
        self._aead = AESGCM(_key(master, head.salt))
        self._bound = hashlib.sha256(head.written).digest()
        self._deflate = zlib.compressobj(_LEVEL)
        self._pending = bytearray()
        self._count = 0
        file.write(_MAGIC + _LENGTH.pack(len(head.written)) + head.written)

    def put(self, kind: bytes, content: bytes) -> None:
        """One record: a kind of one byte and what it holds."""
        self._take(self._deflate.compress(_FRAME.pack(kind[0], len(content))))
        self._take(self._deflate.compress(content))

    def close(self) -> None:
        self._take(self._deflate.flush())
        self._chunk(bytes(self._pending), last=True)

    def _take(self, compressed: bytes) -> None:
        self._pending += compressed
        while len(self._pending) > CHUNK:
            self._chunk(bytes(self._pending[:CHUNK]), last=False)
            del self._pending[:CHUNK]

    def _chunk(self, content: bytes, *, last: bool) -> None:
        sealed = self._aead.encrypt(_NONCE.pack(last, self._count), content, self._bound)
        self._file.write(_FRAME.pack(last, len(sealed)) + sealed)
        self._count += 1


def read_head(file: IO[bytes], master: MasterKey, where: str) -> Head:
    """The head of a file that was just opened. Raises BackupFault not_one, cut, other_key.

    What it says is only relied on once a chunk has opened: the chunks are bound to it.
    """
    if file.read(len(_MAGIC)) != _MAGIC:
        raise BackupFault("not_one", where=where)
    length = file.read(_LENGTH.size)
    if len(length) < _LENGTH.size:
        raise BackupFault("cut", where=where)
    (size,) = _LENGTH.unpack(length)
    if size > _LONGEST_HEAD:
        raise BackupFault("not_one", where=where)
    written = file.read(size)
    if len(written) < size:
        raise BackupFault("cut", where=where)
    head = _head(written, where)
    if not hmac.compare_digest(head.check, _known_by(master, head.salt)):
        raise BackupFault("other_key", where=where)
    return head


def records(file: IO[bytes], master: MasterKey, head: Head, where: str) -> Iterator[tuple[bytes, bytes]]:
    """The records behind the head, in order, each authenticated before it is handed out.

    Raises BackupFault cut or changed where that shows: what came before is genuine, but not yet the whole.
    """
    inflate = zlib.decompressobj()
    pending = bytearray()
    for content in _chunks(file, master, head, where):
        pending += inflate.decompress(content)
        start = 0
        while len(pending) - start >= _FRAME.size:
            kind, length = _FRAME.unpack_from(pending, start)
            end = start + _FRAME.size + length
            if len(pending) < end:
                break
            yield bytes((kind,)), bytes(pending[start + _FRAME.size : end])
            start = end
        del pending[:start]


def _chunks(file: IO[bytes], master: MasterKey, head: Head, where: str) -> Iterator[bytes]:
    aead = AESGCM(_key(master, head.salt))
    bound = hashlib.sha256(head.written).digest()
    count, last = 0, False
    while not last:
        frame = file.read(_FRAME.size)
        if len(frame) < _FRAME.size:
            raise BackupFault("cut", where=where)
        flag, length = _FRAME.unpack(frame)
        if flag > 1 or not _TAG <= length <= CHUNK + _TAG:
            raise BackupFault("changed", where=where, why=str(count + 1))
        sealed = file.read(length)
        if len(sealed) < length:
            raise BackupFault("cut", where=where)
        try:
            content = aead.decrypt(_NONCE.pack(flag, count), sealed, bound)
        except InvalidTag:
            raise BackupFault("changed", where=where, why=str(count + 1)) from None
        yield content
        count, last = count + 1, flag == 1
    if file.read(1):
        raise BackupFault("changed", where=where, why=str(count + 1))


def _head(written: bytes, where: str) -> Head:
    try:
        says: Mapping[str, Any] = json.loads(written)
        if says["format"] != FORMAT:
            raise BackupFault("not_one", where=where)
        at = datetime.fromisoformat(says["at"])
        salt, check = bytes.fromhex(says["salt"]), bytes.fromhex(says["check"])
        return Head(at, str(says["revision"]), salt, check, written)
    except (ValueError, KeyError, TypeError):
        raise BackupFault("not_one", where=where) from None


def opened(path: Path) -> IO[bytes]:
    """The file for reading. Raises BackupFault unread."""
    try:
        return path.open("rb")
    except OSError as error:
        raise BackupFault("unread", where=str(path), why=error.strerror or type(error).__name__) from None


def _key(master: MasterKey, salt: bytes) -> bytes:
    return _derived(master, salt, "key")


def _known_by(master: MasterKey, salt: bytes) -> bytes:
    return _derived(master, salt, "check")


def _derived(master: MasterKey, salt: bytes, use: str) -> bytes:
    # The master secret itself is out of reach by design; its three derived secrets together are as good as it.
    secrets = master.chain + master.index + master.seals
    return HKDF(hashes.SHA256(), 32, salt=salt, info=f"whistle/1/backup/{use}".encode()).derive(secrets)
