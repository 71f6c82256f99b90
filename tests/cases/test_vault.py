"""Sealed sections open where they were sealed, with the key they were sealed with, and nowhere else."""

from __future__ import annotations

import base64
import importlib
import os
import pickle
import pkgutil
from pathlib import Path
from string import Formatter

import pytest
from hypothesis import given
from hypothesis import strategies as st

import cases
from cases import vault
from cases.vault import (
    ALGORITHMS,
    SECTIONS,
    Algorithm,
    DataKey,
    MasterKey,
    MasterKeyExists,
    MasterKeyExposed,
    MasterKeyFaulty,
    MasterKeyMissing,
    Unreadable,
    VaultFault,
    index_of,
)

both = pytest.mark.parametrize("algorithm", ALGORITHMS)
PLACE = "event|12|3"
SAID = "她说不想活了".encode()


@both
@given(payload=st.binary(max_size=2000))
def test_what_is_sealed_opens_at_its_place(algorithm: Algorithm, payload: bytes) -> None:
    key = DataKey.generate(algorithm)
    for section in SECTIONS:
        sealed = vault.seal(key, PLACE, section, payload)
        assert vault.open(key, PLACE, section, sealed.blob, sealed.commitment) == payload


@both
def test_the_same_words_sealed_twice_show_nothing_in_common(algorithm: Algorithm) -> None:
    key = DataKey.generate(algorithm)
    one, other = (vault.seal(key, PLACE, "clinical", SAID) for _ in range(2))
    assert one.blob[10:] != other.blob[10:]
    assert one.commitment != other.commitment
    assert SAID not in one.blob


@both
def test_a_blob_copied_to_another_row_or_section_is_unreadable(algorithm: Algorithm) -> None:
    key = DataKey.generate(algorithm)
    blob = vault.seal(key, PLACE, "narrative", SAID).blob
    for place, section in (("event|12|4", "narrative"), ("event|1|23", "narrative"), (PLACE, "clinical")):
        with pytest.raises(Unreadable) as refused:
            vault.open(key, place, section, blob)  # type: ignore[arg-type]
        assert refused.value.facts == {"place": place, "section": section, "why": "altered_or_moved"}


@both
def test_every_single_changed_byte_makes_a_blob_unreadable(algorithm: Algorithm) -> None:
    key = DataKey.generate(algorithm)
    blob = vault.seal(key, PLACE, "identity", b"short").blob
    for at in range(len(blob)):
        with pytest.raises(Unreadable):
            vault.open(key, PLACE, "identity", blob[:at] + bytes((blob[at] ^ 1,)) + blob[at + 1 :])
    for length in range(len(blob)):
        with pytest.raises(Unreadable):
            vault.open(key, PLACE, "identity", blob[:length])


@both
def test_another_students_key_is_named_as_such(algorithm: Algorithm) -> None:
    blob = vault.seal(DataKey.generate(algorithm), PLACE, "identity", SAID).blob
    with pytest.raises(Unreadable) as refused:
        vault.open(DataKey.generate(algorithm), PLACE, "identity", blob)
    assert refused.value.facts["why"] == "wrong_key"


def test_a_section_that_was_erased_says_so() -> None:
    for nothing in (None, b""):
        with pytest.raises(Unreadable) as refused:
            vault.open(DataKey.generate(), PLACE, "identity", nothing)
        assert refused.value.facts["why"] == "erased"


@both
def test_a_payload_sealed_anew_behind_the_histories_back_is_refused(algorithm: Algorithm) -> None:
    key = DataKey.generate(algorithm)
    recorded = vault.seal(key, PLACE, "narrative", b"he was pushed").commitment
    forged = vault.seal(key, PLACE, "narrative", b"he fell").blob
    with pytest.raises(Unreadable) as refused:
        vault.open(key, PLACE, "narrative", forged, recorded)
    assert refused.value.facts["why"] == "not_the_one_recorded"


def test_sm4_commits_with_sm3_and_aes_with_sha256() -> None:
    # GB/T 32905-2016, appendix A, example 1; FIPS 180-2, appendix B.1.
    sm3 = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    sha = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert vault.commitment(b"a", b"bc", "sm4-gcm").hex() == sm3
    assert vault.commitment(b"a", b"bc", "aes-256-gcm").hex() == sha


def test_an_unknown_section_is_not_sealed() -> None:
    with pytest.raises(ValueError, match="no section"):
        vault.seal(DataKey.generate(), PLACE, "gossip", SAID)  # type: ignore[arg-type]


def test_keys_show_themselves_to_nobody(tmp_path: Path) -> None:
    secret = bytes(range(32))
    for key in (DataKey(secret), MasterKey(secret)):
        assert "00010203" not in repr(key)
        with pytest.raises(TypeError):
            pickle.dumps(key)


def test_the_master_key_is_written_once_for_its_owner_only(tmp_path: Path) -> None:
    made = MasterKey.create(tmp_path)
    file = tmp_path / "keys" / "master.key"
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    assert MasterKey.load(tmp_path).chain == made.chain
    before = file.read_bytes()
    with pytest.raises(MasterKeyExists):
        MasterKey.create(tmp_path)
    assert file.read_bytes() == before


def test_a_master_key_given_as_a_setting_needs_no_file(tmp_path: Path) -> None:
    text = base64.b64encode(bytes(32)).decode()
    assert MasterKey.load(tmp_path, text).index == MasterKey(bytes(32)).index
    assert list(tmp_path.iterdir()) == []


def test_a_missing_exposed_or_faulty_master_key_is_refused_plainly(tmp_path: Path) -> None:
    with pytest.raises(MasterKeyMissing):
        MasterKey.load(tmp_path)
    MasterKey.create(tmp_path)
    file = tmp_path / "keys" / "master.key"
    file.chmod(0o644)
    with pytest.raises(MasterKeyExposed, match="644"):
        MasterKey.load(tmp_path)
    file.chmod(0o600)
    for text in ("", "not base64 …", base64.b64encode(bytes(31)).decode()):
        file.write_text(text, "utf-8")
        with pytest.raises(MasterKeyFaulty) as refused:
            MasterKey.load(tmp_path)
        assert text not in str(refused.value) or not text


def test_every_key_derived_from_the_master_key_is_another() -> None:
    master = MasterKey(os.urandom(32))
    assert len({master.chain, master.index, master.seals, master.check}) == 4
    assert MasterKey(os.urandom(32)).check != master.check


def test_every_fault_speaks_both_languages() -> None:
    # Every room is entered first: a fault counts wherever it was declared, and in whatever order the tests run.
    for room in pkgutil.walk_packages(cases.__path__, "cases."):
        if "migrations" not in room.name:
            importlib.import_module(room.name)
    faults: list[type[VaultFault]] = [VaultFault]
    for fault in faults:
        faults.extend(fault.__subclasses__())
    assert len(faults) > 10
    for fault in faults[1:]:
        named = [{name for _, name, _, _ in Formatter().parse(text) if name} for text in fault.texts]
        assert named[0] == named[1], f"{fault.__name__}: one language tells a fact that the other doesn't"
        text = fault(**dict.fromkeys(named[0], "…")).text
        assert text["zh_CN"] != text["en"]
        assert "{" not in text["zh_CN"] + text["en"]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("王　小明", "王小明"),
        ("买买提•吐尔逊", "买买提·吐尔逊"),
        ("32010620120101001x", "32010620120101001X"),
    ],
)
def test_the_blind_index_forgives_how_a_name_is_typed(typed: str, meant: str) -> None:
    master = MasterKey(bytes(32))
    assert index_of(master, "name", typed) == index_of(master, "name", meant)
    assert index_of(master, "name", typed) != index_of(MasterKey(os.urandom(32)), "name", meant)
    assert index_of(master, "name", typed) != index_of(master, "id_number", meant)


def test_the_blind_index_knows_no_parts_and_no_nothing() -> None:
    master = MasterKey(bytes(32))
    assert index_of(master, "name", "王小明") != index_of(master, "name", "王小")
    with pytest.raises(ValueError, match="no name"):
        index_of(master, "name", " 　")
