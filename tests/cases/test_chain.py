"""The programme "history": whatever is done to a history is found out, by its chain or by a seal."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases import seals, vault
from cases.chain import START, ChainRow, Head, canonical, commitments_of, link, verify
from cases.seals import Broken, SealFaulty
from cases.vault import DataKey, MasterKey, Unreadable

MASTER = MasterKey(bytes(range(32)))
MONDAY = datetime(2026, 3, 2, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
TRIALS = range(100)

History = list[ChainRow]


def header(case: str, seq: int, **columns: int) -> bytes:
    row = {"case": case, "seq": seq, "at": MONDAY + seq * HOUR, "trigger": "record", "open": {"level": "red"}}
    return canonical(row | columns)


def append(history: History, content: bytes, commitments: bytes, key: bytes = MASTER.chain) -> None:
    previous = history[-1].digest if history else START
    history.append(ChainRow(len(history) + 1, content, commitments, link(key, previous, content, commitments)))


def a_history(case: str, length: int, random: Random) -> History:
    history: History = []
    for seq in range(1, length + 1):
        said = {"narrative": random.randbytes(32)} if random.random() < 0.7 else {}
        append(history, header(case, seq, actor_id=random.randrange(50)), commitments_of(said))
    return history


def head_of(history: History) -> Head:
    return Head(history[-1].seq, history[-1].digest)


def changed(history: History, random: Random) -> History:
    at = random.randrange(len(history))
    row = history[at]
    spoilt = random.choice(
        [
            replace(row, header=row.header.replace(b'"red"', b'"blue"')),
            replace(row, header=row.header.replace(b'"actor_id":', b'"actor_id":1')),
            replace(row, commitments=random.randbytes(33)),
            replace(row, digest=random.randbytes(32)),
        ]
    )
    return [*history[:at], spoilt, *history[at + 1 :]]


def deleted(history: History, random: Random) -> History:
    at = random.randrange(len(history) - 1)
    rest = history[:at] + history[at + 1 :]
    # Half of those who delete also close the gap in the numbers.
    return rest if random.random() < 0.5 else [replace(row, seq=n) for n, row in enumerate(rest, 1)]


def inserted(history: History, random: Random) -> History:
    at = random.randrange(len(history))
    content = header("N-1", at + 1, actor_id=99)
    put_in = ChainRow(at + 1, content, b"", link(os.urandom(32), history[at].digest, content, b""))
    return [*history[:at], put_in, *(replace(row, seq=row.seq + 1) for row in history[at:])]


def swapped(history: History, random: Random) -> History:
    one, other = sorted(random.sample(range(len(history)), 2))
    copy = list(history)
    copy[one], copy[other] = history[other], history[one]
    return copy if random.random() < 0.5 else [replace(row, seq=n) for n, row in enumerate(copy, 1)]


def renumbered(history: History, random: Random) -> History:
    shift, at = random.choice([-1, 1, 10]), random.randrange(len(history))
    row = history[at]
    numbered = row.header.replace(b'"seq":%d' % row.seq, b'"seq":%d' % (row.seq + shift))
    copies = [replace(row, seq=row.seq + shift), replace(row, header=numbered)]
    copies.append(replace(row, seq=row.seq + shift, header=numbered))
    return [*history[:at], random.choice(copies), *history[at + 1 :]]


@pytest.mark.parametrize("trial", TRIALS)
@pytest.mark.parametrize("harm", [changed, deleted, inserted, swapped, renumbered])
def test_a_history_that_was_touched_does_not_verify(harm: Callable[[History, Random], History], trial: int) -> None:
    random = Random(trial)  # noqa: S311 - a trial that can be repeated
    history = a_history("N-1", random.randint(3, 30), random)
    assert verify(MASTER.chain, history).ok
    touched = harm(history, random)
    assert touched != history
    verdict = verify(MASTER.chain, touched)
    assert not verdict.ok
    assert verdict.why in {"order", "changed"}
    good = (verdict.broken_at or 0) - 1
    assert touched[:good] == history[:good]


@pytest.mark.parametrize("trial", TRIALS)
def test_a_tail_that_was_cut_off_is_found_by_the_seal(trial: int) -> None:
    random = Random(trial)  # noqa: S311 - a trial that can be repeated
    whole = {f"N-{n}": a_history(f"N-{n}", random.randint(3, 20), random) for n in range(5)}
    sealed = sealed_over(whole)
    victim = random.choice(sorted(whole))
    cut = whole | {victim: whole[victim][: random.randint(1, len(whole[victim]) - 1)]}
    assert verify(MASTER.chain, cut[victim]).ok
    assert verify(MASTER.chain, cut[victim], head_of(whole[victim])).why == "cut"
    assert against(sealed, cut) == (Broken("cut", victim, len(whole[victim])),)
    assert against(sealed, whole) == ()


@pytest.mark.parametrize("trial", TRIALS)
def test_a_history_rewritten_with_the_key_is_found_by_the_seal(trial: int) -> None:
    random = Random(trial)  # noqa: S311 - a trial that can be repeated
    whole = {f"N-{n}": a_history(f"N-{n}", random.randint(3, 20), random) for n in range(5)}
    sealed = sealed_over(whole)
    victim = random.choice(sorted(whole))
    at = random.randrange(len(whole[victim]))
    rewritten = whole[victim][:at]
    for row in whole[victim][at:]:
        append(rewritten, row.header.replace(b'"red"', b'"blue"'), row.commitments)
    # Whoever rewrites may also go on writing, so that the newest link is a later one.
    for _ in range(random.randrange(3)):
        append(rewritten, header(victim, len(rewritten) + 1), b"")
    assert verify(MASTER.chain, rewritten).ok
    assert against(sealed, whole | {victim: rewritten}) == (Broken("rewritten", victim, len(whole[victim])),)


def test_a_history_that_went_on_still_fits_its_seal_and_a_lost_case_does_not() -> None:
    random = Random(7)  # noqa: S311 - a trial that can be repeated
    whole = {f"N-{n}": a_history(f"N-{n}", 5, random) for n in range(3)}
    sealed = sealed_over(whole)
    append(whole["N-1"], header("N-1", 6), b"")
    whole["N-9"] = a_history("N-9", 2, random)
    assert against(sealed, whole) == ()
    del whole["N-0"]
    assert against(sealed, whole) == (Broken("missing", "N-0", 5),)


def test_an_event_of_another_case_does_not_fit() -> None:
    random = Random(1)  # noqa: S311 - a trial that can be repeated
    mine, theirs = a_history("N-1", 4, random), a_history("N-2", 4, random)
    assert verify(MASTER.chain, [*mine[:2], *theirs[2:]]).why == "case"
    assert not verify(os.urandom(32), mine).ok
    assert verify(MASTER.chain, mine).head == head_of(mine)


@pytest.mark.parametrize("trial", TRIALS)
def test_an_event_from_another_branch_of_the_same_case_does_not_fit(trial: int) -> None:
    # After a back-up was restored the same numbers were written twice, both with the key.
    random = Random(trial)  # noqa: S311 - a trial that can be repeated
    common = a_history("N-1", random.randint(1, 5), random)
    one, other = list(common), list(common)
    for branch in (one, other):
        for _ in range(random.randint(3, 9)):
            append(branch, header("N-1", len(branch) + 1, actor_id=random.randrange(1000)), b"")
    assert verify(MASTER.chain, one).ok
    assert verify(MASTER.chain, other).ok
    at = random.randrange(len(common) + 1, min(len(one), len(other)))
    verdict = verify(MASTER.chain, [*one[:at], *other[at:]])
    assert (verdict.why, verdict.broken_at) == ("changed", at + 1)


def test_an_event_that_names_another_number_does_not_fit_even_when_linked_with_the_key() -> None:
    history: History = []
    append(history, header("N-1", 1), b"")
    append(history, header("N-1", 3), b"")
    assert verify(MASTER.chain, history).why == "order"


@pytest.mark.parametrize("algorithm", vault.ALGORITHMS)
def test_after_forgetting_the_history_verifies_and_nothing_opens(algorithm: vault.Algorithm) -> None:
    key = DataKey.generate(algorithm)
    history: History = []
    blobs: list[bytes | None] = []
    for seq in range(1, 6):
        sealed = vault.seal(key, f"event|1|{seq}", "clinical", b"PHQ-9: 17")
        append(history, header("N-1", seq), commitments_of({"clinical": sealed.commitment}))
        blobs.append(sealed.blob)
    # The blobs in an old back-up stay; the key is gone, and any other is no use.
    for seq, blob in enumerate(blobs, 1):
        with pytest.raises(Unreadable):
            vault.open(DataKey.generate(algorithm), f"event|1|{seq}", "clinical", blob)
    assert verify(MASTER.chain, history).ok
    # Nobody can try out a guess against the commitment either: it is salted.
    guess = vault.commitment(b"", b"PHQ-9: 17", algorithm)
    assert guess not in history[0].commitments


def sealed_over(histories: dict[str, History], previous: bytes | None = None) -> seals.Seal:
    heads = {case: head_of(history) for case, history in histories.items()}
    return seals.read(seals.export(heads, previous, MONDAY, MASTER.seals))


def against(seal: seals.Seal, histories: dict[str, History]) -> tuple[Broken, ...]:
    heads = {case: head_of(history) for case, history in histories.items()}
    digests = {(case, row.seq): row.digest for case, history in histories.items() for row in history}
    return seals.verify_against(seal, heads, lambda case, seq: digests.get((case, seq))).broken


def test_an_exported_seal_verifies_offline_with_the_public_key_alone(tmp_path: Path) -> None:
    signer = seals.signer(tmp_path)
    public = seals.signer(tmp_path).public_key().public_bytes_raw()
    heads = {"N-1": Head(3, bytes(32)), "N-2": Head(1, bytes(range(32)))}
    file = tmp_path / seals.file_name(MONDAY)
    file.write_bytes(seals.export(heads, None, MONDAY, MASTER.seals, signer))
    assert file.name == "seal-20260302T010000Z.json"
    assert seals.verify_export(file, public=public).authentic
    assert seals.verify_export(file, key=MASTER.seals).authentic
    # Whole, but anyone could have written it.
    alone = seals.verify_export(file)
    assert alone.ok
    assert not alone.authentic
    assert seals.read(file.read_bytes()).heads == heads
    assert (tmp_path / "keys" / "seal.key").stat().st_mode & 0o777 == 0o600


def test_a_seal_forged_by_the_holder_of_the_master_key_fails_the_pinned_signature(tmp_path: Path) -> None:
    public = seals.signer(tmp_path).public_key().public_bytes_raw()
    heads = {"N-1": Head(2, bytes(32))}
    stranger = seals.signer(tmp_path / "elsewhere")
    for forger, why in ((None, "unsigned"), (stranger, "signature")):
        forged = seals.read(seals.export(heads, None, MONDAY, MASTER.seals, forger))
        assert seals.verify(forged, key=MASTER.seals).ok
        assert seals.verify(forged, public=public).broken == (Broken(why),)


def test_every_altered_line_of_an_export_is_found(tmp_path: Path) -> None:
    heads = {f"N-{n}": Head(n + 1, os.urandom(32)) for n in range(6)}
    whole = seals.export(heads, os.urandom(32), MONDAY, MASTER.seals, seals.signer(tmp_path))
    lines = whole.split(b"\n")
    for n, line in enumerate(lines):
        other = b"1" if line[-3:-2] == b"0" else b"0"
        for altered in ([], [line[:-3] + other + line[-2:]]):
            export = b"\n".join([*lines[:n], *altered, *lines[n + 1 :]])
            assert not is_whole(export)
    assert is_whole(whole)


def is_whole(export: bytes) -> bool:
    try:
        return seals.verify(seals.read(export), key=MASTER.seals).ok
    except SealFaulty:
        return False


def test_a_series_of_seals_shows_a_missing_one_and_a_history_that_went_back() -> None:
    def sealed(hour: int, previous: seals.Seal | None, **heads: Head) -> seals.Seal:
        before = None if previous is None else previous.digest
        return seals.read(seals.export(heads, before, MONDAY + hour * HOUR, MASTER.seals))

    one = sealed(0, None, a=Head(1, bytes(32)), b=Head(4, bytes(32)))
    two = sealed(1, one, a=Head(2, bytes(32)), b=Head(4, bytes(32)))
    three = sealed(2, two, a=Head(1, bytes(32)), b=Head(4, b"1" * 32))
    assert seals.verify_series([one, two]).ok
    assert seals.verify_series([one, three]).broken[0] == Broken("previous")
    assert seals.verify_series([two, three]).broken == (Broken("cut", "a", 2), Broken("rewritten", "b", 4))
    assert Broken("time") in seals.verify_series([two, one]).broken
    assert seals.verify_series([two, sealed(2, two)]).broken[0] == Broken("missing", "a", 2)


facts = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(min_value=-(2**63), max_value=2**63 - 1)
    | st.floats(-1e14, 1e14).filter(lambda x: str(x) != "-0.0")
    | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), inner)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(["open", "signals", "role", "数"]), facts))
def test_a_header_read_back_from_storage_gives_the_same_bytes(row: dict[str, Any]) -> None:
    written = canonical(row)
    assert canonical(json.loads(written)) == written
    assert canonical(dict(reversed(row.items()))) == written


def test_an_instant_is_the_same_in_every_time_zone() -> None:
    shanghai = timezone(8 * HOUR)
    assert canonical({"at": MONDAY.astimezone(shanghai)}) == canonical({"at": MONDAY})
    assert canonical({"at": MONDAY}) == b'{"at":"2026-03-02T01:00:00.000000+00:00"}'


@pytest.mark.parametrize(
    "faulty",
    [float("nan"), float("inf"), -0.0, 1e15, "\0", "\\\0", "\ud800", {1: 2}, [{None: 1}], {"\0": 1},
     datetime(2026, 3, 2, 1), object()],  # noqa: DTZ001 - what it refuses
)  # fmt: skip
def test_what_would_not_survive_storage_is_refused(faulty: object) -> None:
    with pytest.raises(ValueError, match=r"stor|history|key|JSON"):
        canonical({"open": faulty})


def test_text_about_a_nul_is_no_nul() -> None:
    assert json.loads(canonical({"open": "\\u0000"})) == {"open": "\\u0000"}


def test_a_commitment_cannot_pass_from_one_section_to_another() -> None:
    one = bytes(32)
    assert commitments_of({"narrative": one}) != commitments_of({"clinical": one})
    with pytest.raises(ValueError, match="gossip"):
        commitments_of({"gossip": one})
