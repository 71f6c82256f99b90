"""Sealed sections: what may be read of a student is encrypted, bound to its place, and can be forgotten.

A blob is `version | algorithm | key id | nonce | ciphertext`. The first three, the place (`event|12|3`) and
the section are authenticated with it, so a blob copied to another row or section doesn't open. The plaintext
begins with a random salt: the history keeps only a commitment to salt and payload, and once the key is gone
nobody can try out payloads against it.

This module knows no database and asks nobody for permission: whoever calls `open` has asked `access.sees`
and writes the access log.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import struct
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final, Literal, get_args

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

Section = Literal["identity", "narrative", "clinical"]
Algorithm = Literal["aes-256-gcm", "sm4-gcm"]
SECTIONS: Final[tuple[Section, ...]] = get_args(Section)
ALGORITHMS: Final[tuple[Algorithm, ...]] = get_args(Algorithm)

_VERSION: Final = 1
_HEADER: Final = struct.Struct(">BB8s")
_NONCE: Final = 12
_SALT: Final = 16
_TAG: Final = 16
_SMALLEST: Final = _HEADER.size + _NONCE + _TAG
_NUMBER: Final[Mapping[Algorithm, int]] = {"aes-256-gcm": 1, "sm4-gcm": 2}
_ALGORITHM: Final[Mapping[int, Algorithm]] = {number: name for name, number in _NUMBER.items()}
_KEY_SIZE: Final[Mapping[Algorithm, int]] = {"aes-256-gcm": 32, "sm4-gcm": 16}
_MASTER_SIZE: Final = 32
_DOTS: Final = str.maketrans(dict.fromkeys("•・‧⋅∙●．.", "·"))  # As people type them.


class VaultFault(Exception):
    """A key or a sealed section can't be used. `facts` never hold a key, a payload or a name."""

    code: ClassVar[str]
    texts: ClassVar[tuple[str, str]]
    exit_code: ClassVar[int] = 2

    def __init__(self, **facts: str) -> None:
        self.facts = facts
        super().__init__(self.text["en"])

    @property
    def text(self) -> Mapping[str, str]:
        """The plain message by language, `zh_CN` and `en`."""
        chinese, english = self.texts
        return {"zh_CN": chinese.format_map(self.facts), "en": english.format_map(self.facts)}


class Unreadable(VaultFault):
    """A sealed section doesn't open.

    `facts["why"]` is `erased` (nothing is there), `malformed`, `wrong_key` (another student's),
    `altered_or_moved` (bytes changed, or copied from another row or section; the cipher can't tell which),
    or `not_the_one_recorded` (opens, but the history holds the commitment of another payload).
    """

    code = "unreadable"
    texts = (
        "这一部分内容无法打开（{place}，{section}：{why}）。请联系管理员，并保留现状以便核查。",
        "this section can't be opened ({place}, {section}: {why}). Tell an administrator; change nothing.",
    )


class WrongMasterKey(VaultFault):
    code = "wrong_master_key"
    texts = (
        "主密钥与密钥库不符。请放回建立密钥库时使用的主密钥；没有改动任何数据。",
        "this master key isn't the one the key store was set up with. Put it back; nothing was changed.",
    )


class MasterKeyMissing(VaultFault):
    code = "master_key_missing"
    texts = (
        "找不到主密钥文件 {path}。请放回该文件，或用 WHISTLE_MASTER_KEY_FILE 指明所在。",
        "there is no master key at {path}. Put the file back, or name it with WHISTLE_MASTER_KEY_FILE.",
    )


class MasterKeyExists(VaultFault):
    code = "master_key_exists"
    texts = (
        "{path} 已有主密钥，不会覆盖：覆盖后，已加密的内容将永远无法打开。",
        "a master key is at {path} already and isn't overwritten: everything sealed with it would be lost.",
    )


class MasterKeyFaulty(VaultFault):
    code = "master_key_faulty"
    texts = (
        "主密钥（{source}）应为 32 字节的 base64 文本，现在不是。",
        "the master key ({source}) should be 32 bytes written as base64, and it isn't.",
    )


class MasterKeyExposed(VaultFault):
    code = "master_key_exposed"
    texts = (
        "主密钥文件 {path} 的权限是 {mode}，他人可以读取。请改为 600（chmod 600）。",
        "the master key at {path} has mode {mode}: others can read it. Set it to 600 (chmod 600).",
    )


class DataKey:
    """One student's key, ready to use. Safe to share between threads; never shown, never logged."""

    __slots__ = ("_aead", "_secret", "_sm4", "algorithm", "header", "key_id")

    def __init__(self, secret: bytes, algorithm: Algorithm = "aes-256-gcm") -> None:
        if len(secret) != _KEY_SIZE[algorithm]:
            raise ValueError(f"a key for {algorithm} has {_KEY_SIZE[algorithm]} bytes, not {len(secret)}")
        self._secret = secret
        self.algorithm = algorithm
        self.key_id = hmac.digest(secret, b"whistle data key id", "sha256")[:8]
        self.header = _HEADER.pack(_VERSION, _NUMBER[algorithm], self.key_id)
        # Setting a key up costs as much as a seal: do it once for the life of the object.
        self._aead = AESGCM(secret) if algorithm == "aes-256-gcm" else None
        self._sm4 = algorithms.SM4(secret) if algorithm == "sm4-gcm" else None

    @classmethod
    def generate(cls, algorithm: Algorithm = "aes-256-gcm") -> DataKey:
        return cls(os.urandom(_KEY_SIZE[algorithm]), algorithm)

    def __repr__(self) -> str:
        return f"DataKey({self.algorithm}, {self.key_id.hex()})"

    def __reduce__(self) -> str:
        raise TypeError("a data key doesn't leave the process")

    def address(self, of: str, content: bytes) -> bytes:
        """Under what name a content lies on a shelf: 32 bytes that say nothing to whoever hasn't this key.

        HMAC by SHA-256, or by SM3 where the key is one of SM4: equal contents of one `of` have one address.
        """
        inner = hmac.digest(self._secret, b"whistle file address", "sha256")
        digest = HMAC(inner, hashes.SHA256() if self._sm4 is None else hashes.SM3())
        digest.update(f"{of}\0".encode())
        digest.update(content)
        return digest.finalize()

    def encrypt(self, nonce: bytes, plaintext: bytes, bound: bytes) -> bytes:
        if self._aead is not None:
            return self._aead.encrypt(nonce, plaintext, bound)
        encryptor = Cipher(self._block(), modes.GCM(nonce)).encryptor()
        encryptor.authenticate_additional_data(bound)
        return encryptor.update(plaintext) + encryptor.finalize() + encryptor.tag

    def decrypt(self, nonce: bytes, ciphertext: bytes, bound: bytes) -> bytes:
        """Raises cryptography's `InvalidTag` when key, nonce, ciphertext or `bound` is another."""
        if self._aead is not None:
            return self._aead.decrypt(nonce, ciphertext, bound)
        decryptor = Cipher(self._block(), modes.GCM(nonce, ciphertext[-_TAG:])).decryptor()
        decryptor.authenticate_additional_data(bound)
        return decryptor.update(ciphertext[:-_TAG]) + decryptor.finalize()

    def _block(self) -> algorithms.SM4:
        if self._sm4 is None:  # pragma: no cover - one of the two is always set
            raise TypeError(self.algorithm)
        return self._sm4


@dataclass(frozen=True, slots=True)
class Sealed:
    """A sealed section: `blob` goes into the row, `commitment` (32 bytes) into the chain."""

    blob: bytes
    commitment: bytes


def commitment(salt: bytes, payload: bytes, algorithm: Algorithm = "aes-256-gcm") -> bytes:
    """What the history keeps of a payload: SHA-256, or SM3 where the policy says SM4. 32 bytes either way."""
    if algorithm == "aes-256-gcm":
        return hashlib.sha256(salt + payload).digest()
    digest = hashes.Hash(hashes.SM3())
    digest.update(salt + payload)
    return digest.finalize()


def seal(key: DataKey, place: str, section: Section, payload: bytes) -> Sealed:
    """Encrypt a payload for one place (`event|<case>|<seq>`) and section. Sealing twice gives two blobs.

    Nonces are random, 96 bits: safe for some four thousand million seals under one student's key.
    """
    random = os.urandom(_SALT + _NONCE)
    salt, nonce = random[:_SALT], random[_SALT:]
    ciphertext = key.encrypt(nonce, salt + payload, _bound(place, section, key.header))
    return Sealed(key.header + nonce + ciphertext, commitment(salt, payload, key.algorithm))


def open(  # noqa: A001 - the vault's own word; callers write `vault.open`
    key: DataKey, place: str, section: Section, blob: bytes | None, recorded: bytes | None = None
) -> bytes:
    """Decrypt a blob found at this place and section. Raises `Unreadable` and never returns half a payload.

    `recorded` is the commitment in the history, if at hand: a blob that was sealed anew behind the history's
    back, with the right key, is then refused too.
    """
    if not blob:
        raise Unreadable(place=place, section=section, why="erased")
    if len(blob) < _SMALLEST or blob[0] != _VERSION or blob[1] not in _ALGORITHM:
        raise Unreadable(place=place, section=section, why="malformed")
    header = blob[: _HEADER.size]
    if header != key.header:
        raise Unreadable(place=place, section=section, why="wrong_key")
    body = _HEADER.size + _NONCE
    try:
        plaintext = key.decrypt(blob[_HEADER.size : body], blob[body:], _bound(place, section, header))
    except InvalidTag:
        raise Unreadable(place=place, section=section, why="altered_or_moved") from None
    salt, payload = plaintext[:_SALT], plaintext[_SALT:]
    if recorded is not None and commitment(salt, payload, key.algorithm) != recorded:
        raise Unreadable(place=place, section=section, why="not_the_one_recorded")
    return payload


def _bound(place: str, section: str, header: bytes) -> bytes:
    if section not in SECTIONS:
        raise ValueError(f"{section!r} is no section")
    return f"{place}|{section}".encode() + header


class MasterKey:
    """The one secret outside every database. It seals nothing itself: each use has a key derived from it.

    `chain`, `index` and `seals` are the keys of the history, of the blind index and of exported seals; `accounts`
    seal what signing in must be able to read again; `check` is what a key store remembers it by.
    """

    __slots__ = ("_wrap", "accounts", "chain", "check", "index", "seals")

    def __init__(self, secret: bytes) -> None:
        if len(secret) != _MASTER_SIZE:
            raise ValueError("a master key has 32 bytes")
        self._wrap = {name: DataKey(_derive(secret, f"wrap/{name}", _KEY_SIZE[name]), name) for name in ALGORITHMS}
        self.accounts = {
            name: DataKey(_derive(secret, f"accounts/{name}", _KEY_SIZE[name]), name) for name in ALGORITHMS
        }
        self.chain = _derive(secret, "chain")
        self.index = _derive(secret, "index")
        self.seals = _derive(secret, "seals")
        self.check = _derive(secret, "check", 16)

    def __repr__(self) -> str:
        return "MasterKey(…)"

    def __reduce__(self) -> str:
        raise TypeError("a master key doesn't leave the process")

    @classmethod
    def load(cls, home: Path, setting: str | None = None) -> MasterKey:
        """The key given as a setting (base64), else the one in `home/keys/master.key`.

        Raises MasterKeyMissing, MasterKeyFaulty, or MasterKeyExposed when others may read the file.
        """
        if setting is not None:
            return cls(_decoded(setting, "WHISTLE_MASTER_KEY_FILE"))
        path = key_file(home)
        try:
            mode = path.stat().st_mode & 0o777
            text = path.read_text("ascii", errors="replace")
        except FileNotFoundError:
            raise MasterKeyMissing(path=str(path)) from None
        if os.name == "posix" and mode & 0o077:
            raise MasterKeyExposed(path=str(path), mode=f"{mode:o}")
        return cls(_decoded(text, str(path)))

    @classmethod
    def create(cls, home: Path) -> MasterKey:
        """Draw a new key and write it to `home/keys/master.key`, readable by its owner only.

        Raises MasterKeyExists rather than overwrite one.
        """
        path = key_file(home)
        secret = os.urandom(_MASTER_SIZE)
        try:
            write_secret(path, [base64.b64encode(secret), b"\n"])
        except FileExistsError:
            raise MasterKeyExists(path=str(path)) from None
        return cls(secret)

    def wrap(self, key: DataKey, place: str) -> bytes:
        """A data key, encrypted for its row in the key store. Length depends on the algorithm only."""
        wrapping = self._wrap[key.algorithm]
        nonce = os.urandom(_NONCE)
        bound = f"{place}|key".encode() + wrapping.header
        return wrapping.header + nonce + wrapping.encrypt(nonce, key._secret, bound)  # noqa: SLF001 - same room

    def unwrap(self, wrapped: bytes, place: str) -> DataKey:
        """Raises Unreadable: zeroed, altered, another student's row, or another master key's."""
        if len(wrapped) < _SMALLEST or wrapped[0] != _VERSION or wrapped[1] not in _ALGORITHM:
            raise Unreadable(place=place, section="key", why="malformed" if any(wrapped) else "erased")
        wrapping = self._wrap[_ALGORITHM[wrapped[1]]]
        header, body = wrapped[: _HEADER.size], _HEADER.size + _NONCE
        try:
            bound = f"{place}|key".encode() + header
            secret = wrapping.decrypt(wrapped[_HEADER.size : body], wrapped[body:], bound)
        except InvalidTag:
            why = "altered_or_moved" if header == wrapping.header else "wrong_key"
            raise Unreadable(place=place, section="key", why=why) from None
        return DataKey(secret, wrapping.algorithm)


def key_file(home: Path) -> Path:
    return home / "keys" / "master.key"


def write_secret(path: Path, content: Iterable[bytes]) -> None:
    """Write a new file that only its owner reads, durably. Raises FileExistsError when the path is taken."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.writelines(content)
        file.flush()
        os.fsync(handle)


def index_of(master: MasterKey, kind: str, value: str) -> bytes:
    """The blind index of a name, an ID number or the like: equal values give equal bytes, parts give nothing.

    Full-width letters, case, white space anywhere and the spelling of the dot in a name don't matter. Raises
    ValueError when nothing is left to index.
    """
    plain = unicodedata.normalize("NFKC", value).translate(_DOTS).casefold()
    plain = unicodedata.normalize("NFKC", "".join(plain.split()))
    if not plain:
        raise ValueError(f"there is no {kind} to index")
    return hmac.digest(master.index, f"{kind}\0{plain}".encode(), "sha256")


def _derive(secret: bytes, use: str, length: int = 32) -> bytes:
    return HKDF(hashes.SHA256(), length, salt=None, info=f"whistle/1/{use}".encode()).derive(secret)


def _decoded(text: str, source: str) -> bytes:
    try:
        secret = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        secret = b""
    if len(secret) != _MASTER_SIZE:
        raise MasterKeyFaulty(source=source)
    return secret
