"""Files of a case: what is kept of them, who opens them, what becomes of those that nobody needs any more."""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from obstore.store import MemoryStore
from PIL import Image
from sqlalchemy import func, select, update

from cases import clearing, file_copies, files, forgetting, vault
from cases import shelf as shelves
from cases.attached import file
from cases.cleansing import cleansed, name_of
from cases.file_fault import TEXTS
from cases.file_health import of_files
from cases.files import Attached, Opened
from cases.key_fault import Forgotten
from cases.office import Session
from cases.records import access_log, case
from cases.refusal import Refusal
from cases.shelf import FolderShelf, ObjectShelf, Shelf, ShelfFault
from cases.store import Store
from cases.vault import Section
from tests.cases import papers
from tests.town import START, Town, minutes, town

LATER = START + minutes(5)


@pytest.fixture
def city(store: Store, tmp_path: Path) -> Iterator[Town]:
    with town(store) as built:
        built.office.shelf = FolderShelf(tmp_path / "files")
        yield built


@pytest.fixture
def number(city: Town) -> str:
    return city.whistle().case.number


def keep(
    city: Town,
    number: str,
    content: bytes,
    who: str = "counselor@school",
    name: str = "伤情.jpg",
    section: Section = "narrative",
) -> Attached:
    with city.store.begin() as connection:
        actor = city.office.directory.actor(connection, city.members[who], LATER)
        return files.keep(Session(connection, city.office), number, actor, name, content, section, LATER)


def opened(city: Town, number: str, reference: str, who: str = "counselor@school") -> Opened:
    with city.store.begin() as connection:
        actor = city.office.directory.actor(connection, city.members[who], LATER)
        return files.open_file(Session(connection, city.office), number, actor, reference, LATER)


def names(city: Town, number: str, who: str) -> list[str]:
    with city.store.begin() as connection:
        actor = city.office.directory.actor(connection, city.members[who], LATER)
        return [one.name for one in files.listed(Session(connection, city.office), number, actor, LATER)]


def refused(city: Town, number: str, content: bytes, **given: str) -> str:
    with pytest.raises(Refusal) as caught:
        keep(city, number, content, **given)  # type: ignore[arg-type]
    fault = caught.value
    return fault.faults[0].code if fault.faults else fault.code


def on_the_shelf(city: Town) -> set[bytes]:
    assert city.office.shelf is not None
    return {address for address, _ in city.office.shelf.stock()}


def looks(city: Town, what: str) -> list[tuple[int, str]]:
    with city.store.read() as connection:
        query = select(access_log.c.member_id, access_log.c.section).where(access_log.c.what == what)
        return [(row.member_id, row.section) for row in connection.execute(query)]


# ------------------------------------------------------------------------------ what is kept


def test_a_photo_is_kept_upright_and_says_nothing_of_place_or_camera(city: Town, number: str) -> None:
    kept = keep(city, number, papers.photo(orientation=6, place=True))
    found = opened(city, number, kept.reference)
    assert found.name == "伤情.jpg"
    with Image.open(io.BytesIO(found.content)) as picture:
        assert picture.size == (240, 320)
        # The camera was held upright: what was its left half is the upper one now.
        assert picture.convert("RGB").getpixel((120, 20)) == pytest.approx((254, 0, 0), abs=4)
        assert not picture.getexif()
        assert "comment" not in picture.info
    assert b"Wang" not in found.content
    assert b"taken at home" not in found.content


@pytest.mark.parametrize(
    ("kind", "mode", "media"),
    [
        ("PNG", "RGBA", "image/png"),
        ("PNG", "P", "image/png"),
        ("PNG", "I;16", "image/png"),
        ("WEBP", "RGB", "image/webp"),
        ("JPEG", "CMYK", "image/jpeg"),
        ("JPEG", "L", "image/jpeg"),
        ("TIFF", "1", "image/tiff"),
        ("TIFF", "RGBA", "image/tiff"),
    ],
)
def test_every_picture_that_people_send_can_be_opened_again(kind: str, mode: str, media: str) -> None:
    clean = cleansed(papers.drawing(kind, mode))
    assert clean.media == media
    with Image.open(io.BytesIO(clean.content)) as picture:
        picture.load()
        assert picture.size == (64, 48)


def test_a_scan_keeps_all_its_pages_and_stays_small() -> None:
    clean = cleansed(papers.scan(5))
    with Image.open(io.BytesIO(clean.content)) as picture:
        assert getattr(picture, "n_frames", 1) == 5
        assert picture.mode == "1"


def test_a_large_photo_is_made_smaller() -> None:
    clean = cleansed(papers.photo(9000, 300))
    with Image.open(io.BytesIO(clean.content)) as picture:
        assert max(picture.size) <= 5000


def test_a_pdf_is_kept_byte_for_byte(city: Town, number: str) -> None:
    content = papers.pdf(packed=papers.packed(b"10 0 << /Type /Font >>"))
    kept = keep(city, number, content, name="知情同意书.pdf")
    assert opened(city, number, kept.reference).content == content
    assert kept.media == "application/pdf"


def test_the_same_photo_twice_is_one_file(city: Town, number: str) -> None:
    first = keep(city, number, papers.photo())
    assert keep(city, number, papers.photo(), name="another name.jpg") == first
    assert len(on_the_shelf(city)) == 1


def test_the_same_photo_of_two_students_has_two_addresses(city: Town, number: str) -> None:
    other = city.whistle(student={"name": "小明", "born": "2015-05-05"}).case.number
    assert keep(city, number, papers.photo()).address != keep(city, other, papers.photo()).address


def test_neither_name_nor_content_nor_digest_lies_anywhere_in_clear(city: Town, number: str, tmp_path: Path) -> None:
    import hashlib

    content = papers.pdf(b"/Note (SECRET-CANARY)")
    keep(city, number, content, name="CANARY-NAME.pdf")
    lying = b"".join(path.read_bytes() for path in (tmp_path / "files").glob("??/*"))
    with city.store.read() as connection:
        rows = b"".join(bytes(one) for row in connection.execute(select(file)) for one in row if isinstance(one, bytes))
    for where in (lying, rows):
        assert b"CANARY" not in where
        assert hashlib.sha256(content).digest() not in where
    assert {path.stat().st_mode & 0o077 for path in (tmp_path / "files").glob("??/*")} == {0}


def test_a_name_comes_without_folders_and_without_tricks() -> None:
    assert name_of("../../etc/passwd", ".jpg") == "passwd.jpg"
    assert name_of("C:\\照片\\小怡.JPG", ".jpg") == "小怡.jpg"
    assert name_of("safe\u202egpj.exe", ".pdf") == "safegpj.pdf"
    assert name_of("a\r\nSet-Cookie: x.png", ".png") == "aSet-Cookie x.png"
    assert name_of("nul.png", ".png") == "_nul.png"
    assert len(name_of("长" * 500, ".png")) < 120
    with pytest.raises(Refusal):
        name_of("../..", ".png")


# ------------------------------------------------------------------------------ who opens them


def test_a_file_is_seen_by_whoever_sees_its_section(city: Town, number: str) -> None:
    told = keep(city, number, papers.photo())
    clinical = keep(city, number, papers.pdf(), name="病历.pdf", section="clinical")
    assert sorted(names(city, number, "counselor@school")) == ["伤情.jpg", "病历.pdf"]
    assert names(city, number, "principal@school") == ["伤情.jpg"]
    assert opened(city, number, told.reference, "officer@street").name == "伤情.jpg"
    with pytest.raises(Refusal, match="not_permitted"):
        opened(city, number, clinical.reference, "principal@school")
    for stranger in ("officer@street#2", "auditor@district", "admin@district"):
        with pytest.raises(Refusal, match="not_found"):
            opened(city, number, told.reference, stranger)
        with pytest.raises(Refusal, match="not_found"):
            names(city, number, stranger)
        assert refused(city, number, papers.photo(), who=stranger) == "not_found"
    assert refused(city, number, papers.photo(), who="principal@school", section="clinical") == "not_permitted"


def test_every_look_is_in_the_access_log(city: Town, number: str) -> None:
    kept = keep(city, number, papers.photo())
    assert looks(city, kept.reference) == []
    opened(city, number, kept.reference, "officer@street")
    opened(city, number, kept.reference)
    names(city, number, "principal@school")
    officer, counselor = city.members["officer@street"], city.members["counselor@school"]
    assert looks(city, kept.reference) == [(officer, "narrative"), (counselor, "narrative")]
    assert looks(city, "files") == [(city.members["principal@school"], "narrative")]


def test_a_file_of_another_case_is_not_found(city: Town, number: str) -> None:
    other = city.whistle(student={"name": "小明", "born": "2015-05-05"}).case.number
    kept = keep(city, other, papers.photo())
    for reference in (kept.reference, "file:" + "0" * 64, "file:../../etc/passwd", "", "file:"):
        with pytest.raises(Refusal, match="not_found"):
            opened(city, number, reference)


def test_a_content_that_was_swapped_for_another_does_not_open(city: Town, number: str) -> None:
    first, second = keep(city, number, papers.photo()), keep(city, number, papers.photo(100, 100))
    shelf = files.shelf_of(city.office)
    other = shelf.take(bytes.fromhex(second.address))
    assert other is not None
    shelf.put(bytes.fromhex(first.address), other)
    with pytest.raises(vault.Unreadable, match="altered_or_moved"):
        opened(city, number, first.reference)


# ------------------------------------------------------------------- what evidence refers to


def test_evidence_refers_to_a_file_and_the_file_stays(city: Town, number: str) -> None:
    city.fire("officer@street", number, 1, "acknowledge", at=LATER)
    kept = keep(city, number, papers.photo(), who="officer@street")
    given = {"note": "seen at home", "evidence": [kept.reference, "minutes.pdf"]}
    fired = city.fire("officer@street", number, 1, "record_progress", given, LATER)
    with city.store.read() as connection:
        assert connection.scalar(select(file.c.event_seq)) == fired.events[0]


def test_a_draft_takes_the_evidence_of_the_whistle(city: Town) -> None:
    draft = city.fire("counselor@school", None, 0, "save_draft", {"student": {"name": "小怡", "born": "2016-11-02"}})
    kept = keep(city, draft.case.number, papers.photo())
    city.fire(
        "counselor@school",
        draft.case.number,
        0,
        "whistle",
        {
            "concern": "harmful_home",
            "level": "red",
            "summary": "bruises",
            "student": {"name": "小怡", "born": "2016-11-02"},
            "evidence": [kept.reference],
        },
        LATER,
    )
    with city.store.read() as connection:
        assert connection.scalar(select(file.c.event_seq)) is not None


def test_a_file_that_is_not_there_is_named_with_its_field(city: Town, number: str) -> None:
    other = city.whistle(student={"name": "小明", "born": "2015-05-05"}).case.number
    elsewhere = keep(city, other, papers.photo()).reference
    hidden = keep(city, number, papers.pdf(), section="clinical").reference
    city.fire("officer@street", number, 1, "acknowledge", at=LATER)
    for reference in (elsewhere, hidden, "file:" + "0" * 64, "file:", "file:nonsense"):
        with pytest.raises(Refusal) as caught:
            form = {"note": "n", "evidence": ["on paper.pdf", reference]}
            city.fire("officer@street", number, 1, "record_progress", form, LATER)
        assert [(one.name, one.code) for one in caught.value.faults] == [("evidence.1", "no_file")]
    assert city.refusal("counselor@school", None, 0, "whistle", _new(elsewhere)) == "invalid"


def _new(reference: str) -> dict[str, object]:
    student = {"name": "小强", "born": "2014-01-01"}
    return {
        "concern": "bullying",
        "level": "red",
        "summary": "s",
        "student": student,
        "evidence": [reference],
    }


# ---------------------------------------------------------------------------------- quotas


def test_a_case_and_a_day_hold_only_so_much(city: Town, number: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "CASE_COUNT", 2)
    keep(city, number, papers.photo(10, 10))
    keep(city, number, papers.photo(11, 10))
    assert refused(city, number, papers.photo(12, 10)) == "quota_of_case"
    # What is there already is no addition.
    keep(city, number, papers.photo(11, 10))
    monkeypatch.setattr(files, "CASE_COUNT", 300)
    monkeypatch.setattr(files, "DAY_BYTES", 100)
    assert refused(city, number, papers.photo(13, 10)) == "quota_of_day"
    monkeypatch.setattr(files, "DAY_BYTES", 10_000_000)
    keep(city, number, papers.photo(13, 10))


# ----------------------------------------------------------------------- forgetting, clearing


def test_forgetting_takes_the_files_along(city: Town, number: str) -> None:
    kept = keep(city, number, papers.photo())
    sealed = files.shelf_of(city.office).take(bytes.fromhex(kept.address))
    city.fire("principal@school", number, 0, "withdraw", {"reason": "by mistake"}, LATER)
    with city.store.read() as connection:
        student = connection.scalar(select(case.c.student_id).where(case.c.number == number))
    assert student is not None
    forgetting.forget(city.store, city.office, student, LATER, why="retention.case")
    assert on_the_shelf(city) == set()
    with pytest.raises(Refusal, match="not_found"):
        opened(city, number, kept.reference)
    # Whoever kept a copy of content and row has nothing to open them with.
    files.shelf_of(city.office).put(bytes.fromhex(kept.address), sealed or b"")
    with city.store.begin() as connection:
        connection.execute(update(file).values(about=b"as it was"))
    with pytest.raises(Forgotten):
        opened(city, number, kept.reference)


def test_what_nothing_refers_to_is_cleared_after_a_week(city: Town, number: str) -> None:
    city.fire("officer@street", number, 1, "acknowledge", at=LATER)
    used = keep(city, number, papers.photo(), who="officer@street")
    form = {"note": "n", "evidence": [used.reference]}
    city.fire("officer@street", number, 1, "record_progress", form, LATER)
    keep(city, number, papers.photo(50, 50))
    shelf = files.shelf_of(city.office)
    _age(city)
    assert clearing.clear(city.store, shelf, LATER + timedelta(days=6)) == clearing.Cleared(0, 0)
    assert clearing.clear(city.store, shelf, LATER + timedelta(days=8)) == clearing.Cleared(1, 1)
    assert on_the_shelf(city) == {bytes.fromhex(used.address)}
    assert clearing.clear(city.store, shelf, LATER + timedelta(days=8)) == clearing.Cleared(0, 0)


def test_a_content_whose_row_was_never_written_goes_after_a_day(city: Town, number: str, tmp_path: Path) -> None:
    shelf = files.shelf_of(city.office)
    shelf.put(os.urandom(32), b"of somebody who was killed before the row was written")
    half = tmp_path / "files" / "ab" / "x.part"
    half.parent.mkdir(exist_ok=True)
    half.write_bytes(b"half")
    assert clearing.clear(city.store, shelf, LATER).contents == 0
    _age(city)
    os.utime(half, (0, 0))
    assert clearing.clear(city.store, shelf, LATER + timedelta(days=2)).contents == 1
    assert not half.exists()


def _age(city: Town) -> None:
    shelf = city.office.shelf
    assert isinstance(shelf, FolderShelf)
    for path in Path(shelf.where).glob("??/*"):
        os.utime(path, (START.timestamp(), START.timestamp()))


def test_what_is_missing_is_counted(city: Town, number: str) -> None:
    first = keep(city, number, papers.photo())
    keep(city, number, papers.photo(50, 50))
    shelf = files.shelf_of(city.office)
    with city.store.read() as connection:
        assert clearing.missing(connection, shelf) == (2, 0)
    shelf.remove(bytes.fromhex(first.address))
    with city.store.read() as connection:
        assert clearing.missing(connection, shelf) == (2, 1)
    with pytest.raises(vault.Unreadable, match="erased"):
        opened(city, number, first.reference)
    # Whoever has it still puts it back by sending it again.
    keep(city, number, papers.photo())
    assert opened(city, number, first.reference).name == "伤情.jpg"


# --------------------------------------------------------------------------------- the shelf


@pytest.fixture(params=["folder", "objects"])
def shelf(request: pytest.FixtureRequest, tmp_path: Path) -> Shelf:
    return FolderShelf(tmp_path / "shelf") if request.param == "folder" else ObjectShelf(MemoryStore(), "memory")


def test_a_shelf_keeps_what_it_is_given(shelf: Shelf) -> None:
    one, other = os.urandom(32), os.urandom(32)
    assert list(shelf.stock()) == []
    assert shelf.take(one) is None
    shelf.put(one, b"first")
    shelf.put(one, b"second")
    shelf.put(other, b"x")
    assert shelf.take(one) == b"second"
    assert shelf.has(one)
    assert {address for address, _ in shelf.stock()} == {one, other}
    shelf.remove(one)
    shelf.remove(one)
    assert not shelf.has(one)


def test_a_full_disk_leaves_nothing_half_written(
    city: Town, number: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(ShelfFault) as caught:
            keep(city, number, papers.photo())
    assert caught.value.code == "full"
    assert caught.value.passing
    assert "空间" in caught.value.text("zh_CN")
    assert [path for path in (tmp_path / "files").rglob("*") if path.is_file()] == []
    with city.store.read() as connection:
        assert connection.scalar(select(func.count()).select_from(file)) == 0
    keep(city, number, papers.photo())


def test_the_setting_names_a_folder_or_a_bucket(tmp_path: Path) -> None:
    assert shelves.opened(None, tmp_path).where == str(tmp_path / "files")
    assert shelves.opened("/elsewhere", tmp_path).where == "/elsewhere"
    assert isinstance(shelves.opened("s3://bucket/of/files", tmp_path), ObjectShelf)
    with pytest.raises(ShelfFault, match=r"s3://bucket/prefix"):
        shelves.opened("ftp://somewhere", tmp_path)


def test_every_fault_of_a_file_is_said_in_both_languages() -> None:
    for chinese, english in TEXTS.values():
        assert chinese
        assert english.isascii() or "“" in english


# ---------------------------------------------------------------------------------- copies


def test_a_back_up_has_the_files_beside_it_each_copied_once(city: Town, number: str, tmp_path: Path) -> None:
    kept = keep(city, number, papers.photo())
    shelf = files.shelf_of(city.office)
    backups = tmp_path / "backups"
    first = file_copies.copy_out(city.store, shelf, backups, LATER)
    assert (first.files, first.copied, first.missing) == (1, 1, 0)
    assert file_copies.copy_out(city.store, shelf, backups, LATER).copied == 0
    shelf.remove(bytes.fromhex(kept.address))
    assert file_copies.copy_back(city.store, shelf, backups).copied == 1
    assert opened(city, number, kept.reference).name == "伤情.jpg"
    assert file_copies.copy_back(city.store, shelf, backups).copied == 0


def test_a_copy_that_no_back_up_needs_any_more_is_ended(city: Town, number: str, tmp_path: Path) -> None:
    city.fire("officer@street", number, 1, "acknowledge", at=LATER)
    used = keep(city, number, papers.photo(), who="officer@street")
    form = {"note": "n", "evidence": [used.reference]}
    city.fire("officer@street", number, 1, "record_progress", form, LATER)
    keep(city, number, papers.photo(50, 50))
    shelf = files.shelf_of(city.office)
    backups = tmp_path / "backups"
    file_copies.copy_out(city.store, shelf, backups, LATER)
    for path in (backups / "files").glob("??/*"):
        os.utime(path, (LATER.timestamp(), LATER.timestamp()))
    later = LATER + timedelta(days=50)
    clearing.clear(city.store, shelf, later)
    assert len(list((backups / "files").glob("??/*"))) == 2
    file_copies.copy_out(city.store, shelf, backups, LATER + timedelta(days=41))
    assert len(list((backups / "files").glob("??/*"))) == 2
    file_copies.copy_out(city.store, shelf, backups, later)
    (left,) = (backups / "files").glob("??/*")
    assert left.parent.name + left.name == used.address


def test_the_doctor_names_where_files_lie_and_what_is_missing(city: Town, number: str) -> None:
    kept = keep(city, number, papers.photo())
    shelf = files.shelf_of(city.office)
    with city.store.read() as connection:
        well = of_files(connection, shelf)
    assert (well.state, well.text("en").startswith(f"1 at {shelf.where}")) == ("ok", True)
    shelf.remove(bytes.fromhex(kept.address))
    with city.store.read() as connection:
        ill = of_files(connection, shelf)
    assert ill.state == "bad"
    assert "复制回去" in ill.advice("zh_CN")
