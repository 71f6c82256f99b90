"""Seals: the newest link of every case's history, written down somewhere else.

A chain shows that nothing before its newest link was changed by someone without its key. A seal shows the
rest: once the export lies where the database's people can't reach it, a tail cut off or a history rewritten
with the key no longer fits. So the guarantee reaches up to the newest seal that was taken away, not beyond.

An export is JSON lines: a first line naming instant, number of cases, the hash over all heads and the digest
of the seal before it; a head a line; a last line with the marks. It carries two. The HMAC (a key derived from
the master key) says that this installation wrote it. The Ed25519 signature says so to whoever has only the
public key. Its private key is drawn by itself, not derived from the master key, so that other hands can keep
it than the master key's: with both in one hand, the copies taken away are what binds that hand.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from cases.chain import Head, canonical
from cases.vault import VaultFault, write_secret

_FORMAT: Final = "whistle-seal/1"


class SealFaulty(VaultFault):
    code: ClassVar[str] = "seal_faulty"
    texts: ClassVar[tuple[str, str]] = (
        "{source} 不是完整的封存文件（第 {line} 行）。",
        "{source} isn't a whole seal (line {line}).",
    )


@dataclass(frozen=True, slots=True)
class Seal:
    """One export, read. `heads` by case number; `previous` is the digest of the seal before, if any.

    `digest` stands for the whole: the next seal names it, and the marks are made over it.
    """

    at: datetime
    heads: Mapping[str, Head]
    previous: bytes | None
    root: bytes
    digest: bytes
    public: bytes | None
    mark: bytes
    signature: bytes | None


@dataclass(frozen=True, slots=True)
class Broken:
    """One thing that doesn't fit.

    Of a seal itself: `heads` (they aren't those that were sealed), `mark`, `signature`, `unsigned`. Of a
    series: `previous` (a seal is missing or put in), `time`. Of a case: `missing`, `cut` (its history is
    shorter than was sealed), `rewritten` (another event stands at that number).
    """

    why: str
    case: str | None = None
    seq: int | None = None


@dataclass(frozen=True, slots=True)
class SealVerdict:
    """`authentic` says that a key or a public key given from outside was asked, and agreed."""

    broken: tuple[Broken, ...]
    authentic: bool = False

    @property
    def ok(self) -> bool:
        return not self.broken


def export(
    heads: Mapping[str, Head],
    previous: bytes | None,
    at: datetime,
    key: bytes,
    signer: Ed25519PrivateKey | None = None,
) -> bytes:
    """The seal over all heads (by case number) as the bytes of its file. `key` is `MasterKey.seals`."""
    lines = _lines(heads)
    first = canonical(
        {
            "at": at,
            "cases": len(heads),
            "format": _FORMAT,
            "previous": None if previous is None else previous.hex(),
            "public": None if signer is None else _text(signer.public_key().public_bytes_raw()),
            "root": _root(lines).hex(),
        }
    )
    digest = hashlib.sha256(first).digest()
    marks = {
        "mark": hmac.digest(key, digest, "sha256").hex(),
        "signature": None if signer is None else _text(signer.sign(_signed(digest))),
    }
    return b"\n".join([first, *lines, canonical(marks), b""])


def read(content: bytes, source: str = "export") -> Seal:
    """Parse an export. Raises SealFaulty for what isn't one; whether it is genuine, `verify` says."""
    lines = content.split(b"\n")
    number = 1
    try:
        first = json.loads(lines[0])
        heads: dict[str, Head] = {}
        for number, line in enumerate(lines[1:-2], 2):  # noqa: B007 - the fault names the line
            case, seq, digest = json.loads(line)
            heads[case] = Head(seq, bytes.fromhex(digest))
        number = len(lines) - 1
        marks = json.loads(lines[-2])
        if first["format"] != _FORMAT or first["cases"] != len(lines) - 3 or lines[-1] != b"":
            raise SealFaulty(source=source, line="1")
        return Seal(
            at=datetime.fromisoformat(first["at"]),
            heads=heads,
            previous=None if first["previous"] is None else bytes.fromhex(first["previous"]),
            root=bytes.fromhex(first["root"]),
            digest=hashlib.sha256(lines[0]).digest(),
            public=_bytes(first["public"]),
            mark=bytes.fromhex(marks["mark"]),
            signature=_bytes(marks["signature"]),
        )
    except (ValueError, KeyError, TypeError, IndexError):
        raise SealFaulty(source=source, line=str(number)) from None


def verify(seal: Seal, *, key: bytes | None = None, public: bytes | None = None) -> SealVerdict:
    """Whether a seal is whole and genuine.

    `key` is the installation's, `public` the public key noted when it was set up; an outsider has the latter.
    Without either a seal can be whole, but anyone may have written it.
    """
    broken = []
    if not hmac.compare_digest(_root(_lines(seal.heads)), seal.root):
        broken.append(Broken("heads"))
    if key is not None and not hmac.compare_digest(hmac.digest(key, seal.digest, "sha256"), seal.mark):
        broken.append(Broken("mark"))
    signer = public if public is not None else seal.public
    if signer is not None:
        if seal.signature is None:
            broken.append(Broken("unsigned"))
        elif not _genuine(signer, seal):
            broken.append(Broken("signature"))
    return SealVerdict(tuple(broken), authentic=not broken and (key is not None or public is not None))


def verify_export(path: Path, *, key: bytes | None = None, public: bytes | None = None) -> SealVerdict:
    """`verify` for a file, without any database. Raises SealFaulty when it can't be read as a seal."""
    try:
        content = path.read_bytes()
    except OSError:
        raise SealFaulty(source=str(path), line="1") from None
    return verify(read(content, str(path)), key=key, public=public)


def verify_against(
    seal: Seal, heads_now: Mapping[str, Head], digest_at: Callable[[str, int], bytes | None]
) -> SealVerdict:
    """Whether every sealed head still stands in its case's history, at its number.

    `heads_now` are the newest links found, `digest_at(case, seq)` the digest that stands at a number, None if
    no event does. Verify the chains too (`chain.verify`): this trusts that digests belong to their events.
    """
    broken = []
    for case, sealed in seal.heads.items():
        now = heads_now.get(case)
        if now is None:
            broken.append(Broken("missing", case, sealed.seq))
            continue
        if now.seq < sealed.seq:
            broken.append(Broken("cut", case, sealed.seq))
            continue
        found = now.digest if now.seq == sealed.seq else digest_at(case, sealed.seq)
        if found is None or not hmac.compare_digest(found, sealed.digest):
            broken.append(Broken("rewritten", case, sealed.seq))
    return SealVerdict(tuple(broken))


def verify_series(seals: Sequence[Seal]) -> SealVerdict:
    """Whether seals follow one another, oldest first, with none missing, and no history went back meanwhile.

    Compares what stands in both: where a history grew, only the database can show that it grew from there.
    """
    broken = []
    for before, after in pairwise(seals):
        if after.previous != before.digest:
            broken.append(Broken("previous"))
        if after.at <= before.at:
            broken.append(Broken("time"))
        for case, sealed in before.heads.items():
            found = after.heads.get(case)
            if found is None:
                broken.append(Broken("missing", case, sealed.seq))
            elif found.seq < sealed.seq:
                broken.append(Broken("cut", case, sealed.seq))
            elif found.seq == sealed.seq and found.digest != sealed.digest:
                broken.append(Broken("rewritten", case, sealed.seq))
    return SealVerdict(tuple(broken))


def file_name(at: datetime) -> str:
    return f"seal-{at.astimezone(UTC):%Y%m%dT%H%M%SZ}.json"


def signer(home: Path) -> Ed25519PrivateKey:
    """The private key in `home/keys/seal.key`, drawn at the first call; the public one lies beside it."""
    path = home / "keys" / "seal.key"
    try:
        return Ed25519PrivateKey.from_private_bytes(base64.b64decode(path.read_bytes().strip(), validate=True))
    except ValueError:
        raise SealFaulty(source=str(path), line="1") from None
    except FileNotFoundError:
        drawn = Ed25519PrivateKey.generate()
        write_secret(path, [base64.b64encode(drawn.private_bytes_raw()), b"\n"])
        path.with_suffix(".pub").write_text(_text(drawn.public_key().public_bytes_raw()) + "\n", "ascii")
        return drawn


def _lines(heads: Mapping[str, Head]) -> list[bytes]:
    return [
        json.dumps([case, head.seq, head.digest.hex()], ensure_ascii=False).encode()
        for case, head in sorted(heads.items())
    ]


def _root(lines: Iterable[bytes]) -> bytes:
    hashed = hashlib.sha256()
    for line in lines:
        hashed.update(line + b"\n")
    return hashed.digest()


def _signed(digest: bytes) -> bytes:
    return _FORMAT.encode() + b"\n" + digest


def _genuine(public: bytes, seal: Seal) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(seal.signature or b"", _signed(seal.digest))
    except (InvalidSignature, ValueError):
        return False
    return True


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _bytes(value: Any) -> bytes | None:  # noqa: ANN401 - as JSON has it
    return None if value is None else base64.b64decode(value, validate=True)
