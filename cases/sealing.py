"""封存: the heads of all histories are written down somewhere else, and what was written before is held against them.

Every hour a seal; once a day every history's chain is followed besides, and the day's seals are held together. What
doesn't fit is an incident, told to the city's supervisors once; what doesn't fit besides, later, is another one.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

from sqlalchemy import Connection, insert, select, text

from cases import installation as installed
from cases import notices, queries, seals
from cases.chain import Head
from cases.incidents import SEAL_BROKEN
from cases.office import Session
from cases.records import case, event, incident
from cases.vault import VaultFault

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from cases.office import Office
    from cases.store import Store

SERIES: Final = timedelta(days=1)
"""How far back the daily verification holds the seals together."""
_TOLD: Final = {"city": ("supervisor",)}
_ALONE: Final = text("SELECT pg_advisory_xact_lock(hashtextextended('whistle sealing', 0))")


class SealUnwritten(VaultFault):
    """The seal couldn't be written; the ones before it stand as they were."""

    code: ClassVar[str] = "seal_unwritten"
    texts: ClassVar[tuple[str, str]] = (
        "封存文件写不进 {folder}：{why}。以前的封存没有改动；请腾出空间或换一个目录（WHISTLE_SEALS）。",
        "The seal can't be written to {folder}: {why}. Earlier ones are untouched; free some space (WHISTLE_SEALS).",
    )


@dataclass(frozen=True, slots=True)
class Sealing:
    """One sealing: the file, how many heads it holds, and what didn't fit, a line each."""

    path: Path
    cases: int
    broken: tuple[str, ...]


def seal(
    store: Store, office: Office, folder: Path, signer: Ed25519PrivateKey, now: datetime, *, thorough: bool = False
) -> Sealing:
    """Verify against the newest seal, then write the next one into `folder`, a file that is there whole or not at all.

    `thorough` also follows every chain and holds the last day's seals together. Run twice within a second it
    answers the seal that is there. Raises SealUnwritten; SealFaulty when the newest seal can't be read.
    """
    path = folder / seals.file_name(now)
    earlier = _earlier(folder, path)
    with store.read() as read:
        # One picture of everything: a move made meanwhile must not look like a history that was changed.
        connection = read.execution_options(isolation_level="REPEATABLE READ")
        heads = {number: Head(seq, digest) for number, seq, digest in queries.heads(connection)}
        broken = list(_against(connection, earlier[-1:], heads, office))
        if thorough:
            broken += _followed(connection, office)
    if thorough:
        since = now - SERIES
        series = [one for one in map(_read, earlier) if one.at >= since]
        broken += [_line(one) for one in seals.verify_series(series).broken]
    if not path.exists():
        previous = _read(earlier[-1]).digest if earlier else None
        _write(path, seals.export(heads, previous, now, office.master.seals, signer))
    if broken:
        _tell(store, broken, now)
    return Sealing(path, len(heads), tuple(dict.fromkeys(broken)))


def newest(folder: Path) -> Path | None:
    """The newest seal in the folder."""
    return max(folder.glob("seal-*.json"), default=None)


def _earlier(folder: Path, path: Path) -> list[Path]:
    """The seals before this one, oldest first: their names sort as their instants do."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return sorted(one for one in folder.glob("seal-*.json") if one.name < path.name)
    except OSError as error:
        raise _unwritten(folder, error) from error


def _against(connection: Connection, newest: list[Path], heads: dict[str, Head], office: Office) -> Iterator[str]:
    for path in newest:
        before = _read(path)
        verdicts = (
            seals.verify(before, key=office.master.seals),
            seals.verify_against(before, heads, lambda number, seq: _digest(connection, number, seq)),
        )
        for verdict in verdicts:
            yield from (_line(one) for one in verdict.broken)


def _followed(connection: Connection, office: Office) -> Iterator[str]:
    session = Session(connection, office)
    for case_id, number in connection.execute(select(case.c.id, case.c.number).order_by(case.c.number)).all():
        yield from installed.verified(session, office, number, case_id)


def _digest(connection: Connection, number: str, seq: int) -> bytes | None:
    found = select(event.c.digest).join(case, case.c.id == event.c.case_id)
    digest: bytes | None = connection.scalar(found.where(case.c.number == number, event.c.seq == seq))
    return None if digest is None else bytes(digest)


def _read(path: Path) -> seals.Seal:
    try:
        return seals.read(path.read_bytes(), str(path))
    except OSError:
        raise seals.SealFaulty(source=str(path), line="1") from None


def _write(path: Path, content: bytes) -> None:
    """Beside its place first: a seal that a full disk has cut short must never look like one."""
    draft = path.with_suffix(".part")
    try:
        with draft.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise _unwritten(path.parent, error) from error


def _unwritten(folder: Path, error: OSError) -> SealUnwritten:
    why = "no space left" if error.errno == errno.ENOSPC else (error.strerror or type(error).__name__)
    return SealUnwritten(folder=str(folder), why=why)


def _tell(store: Store, broken: list[str], now: datetime) -> None:
    """One incident for what wasn't told yet, and one message to each of the city's supervisors."""
    with store.begin() as connection:
        connection.execute(_ALONE)
        news = _news(connection, broken)
        if not news:
            return
        new = insert(incident).values(at=now, kind=SEAL_BROKEN, why="\n".join(news))
        number = connection.scalar(new.returning(incident.c.id))
        held = notices.holders(connection, _TOLD, now.date())
        letter = ("red", [{"incident": number, "found": len(news)}])
        to = {one: letter for members in held.values() for one in members}
        notices.post_once(connection, f"{SEAL_BROKEN}:{number}", SEAL_BROKEN, to, now)


def _news(connection: Connection, broken: list[str]) -> list[str]:
    """What nobody was told of. While an incident is open whoever sees to it sees to all of a case that it names.

    Of one that a person has ended the very same findings are known: a history that was cut stays so, and would
    else be told anew each night. Whatever is found besides is told.
    """
    known: set[str] = set()
    told = select(incident.c.why, incident.c.ended_at).where(incident.c.kind == SEAL_BROKEN)
    for why, ended_at in connection.execute(told):
        # Before there was a line for each finding they stood in a row.
        lines = re.split(r"\n|; ", why)
        # A finding about a seal as a whole doesn't say which: the next one may be another seal's.
        known.update(map(_about, lines) if ended_at is None else (line for line in lines if line != _about(line)))
    return [line for line in dict.fromkeys(broken) if line not in known and _about(line) not in known]


def _about(line: str) -> str:
    """The case that a finding is about; of one about a seal as a whole, the finding."""
    case_number, about, _ = line.partition(": ")
    return case_number if about else line


def _line(one: seals.Broken) -> str:
    return f"{one.case}: event {one.seq}: {one.why}" if one.case else one.why
