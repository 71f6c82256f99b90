"""The embedded server: found again, ended by the last, and gentle with the machine that it lives on."""

from __future__ import annotations

import os
import pwd
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from cases import embedded
from cases.postgres_user import ServerUser, programs, server_user
from cases.store import Store
from cases.store_fault import StoreFault

ROOT = Path(__file__).resolve().parents[2]
NOBODY = pwd.getpwnam("nobody")

USE_AND_WAIT = """
import sys, time
from pathlib import Path
from cases import embedded
print(embedded.start(Path(sys.argv[1]), durable=False), flush=True)
time.sleep(60)
"""


def modes(folder: Path) -> dict[Path, int]:
    return {each: each.stat().st_mode for each in folder.parents}


def postmaster(home: Path) -> int:
    return int((home / "pg" / "postmaster.pid").read_text().split()[0])


@pytest.fixture
def neighbour(home: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that uses the same server and doesn't leave by itself."""
    command = [sys.executable, "-c", USE_AND_WAIT, str(home)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("postgresql")
        yield process
        process.kill()


def test_starting_twice_finds_the_same_server(home: Path) -> None:
    assert embedded.start(home, durable=False) == embedded.start(home, durable=False)
    assert embedded.running(home)


def test_a_home_holds_the_cases_and_apart_from_them_the_keys(home: Path) -> None:
    with embedded.served(home, durable=False) as url, Store(url) as store, store.read():
        assert store.name == "whistle"
        with store.at("whistle_keys") as keys, keys.read():
            pass


def test_what_was_written_is_there_after_a_restart(home: Path) -> None:
    for expected in (False, True):
        with embedded.served(home) as url, Store(url).administered() as connection:
            row = connection.execute("SELECT to_regclass('kept') IS NOT NULL").fetchone()
            connection.execute("CREATE TABLE IF NOT EXISTS kept ()")
        assert row == (expected,)
    assert not embedded.running(home)


def test_no_folder_above_the_data_changes_its_mode(home: Path) -> None:
    home.parent.chmod(0o751)
    before = modes(home)
    embedded.start(home, durable=False)
    assert modes(home) == before


def test_nobody_else_can_reach_the_server(home: Path) -> None:
    embedded.start(home, durable=False)
    socket = home / "pg"
    assert socket.stat().st_mode & 0o077 == 0
    assert psycopg.conninfo.conninfo_to_dict(embedded.start(home).replace("+psycopg", ""))["host"] == str(socket)


def test_a_deep_home_still_has_a_socket(home: Path) -> None:
    deep = home.parent / ("d" * 60) / ("e" * 60)
    try:
        with embedded.served(deep, durable=False) as url, Store(url) as store, store.read():
            folder = Path(store.where).parent
        assert folder.stat().st_mode & 0o077 == 0
    finally:
        embedded.stop(deep)
    folder.rmdir()


def test_a_server_whose_owner_was_killed_is_found_and_can_be_stopped(
    home: Path, neighbour: subprocess.Popen[str]
) -> None:
    neighbour.kill()
    neighbour.wait()
    number = postmaster(home)
    embedded.start(home)
    assert postmaster(home) == number
    assert embedded.stop(home)
    assert not embedded.running(home)
    assert not embedded.stop(home)


def test_the_last_to_leave_ends_the_server(home: Path, neighbour: subprocess.Popen[str]) -> None:
    embedded.start(home)
    assert not embedded.leave(home)
    assert embedded.running(home)
    embedded.start(home)
    neighbour.kill()
    neighbour.wait()
    assert embedded.leave(home)
    assert not embedded.running(home)


def test_a_person_at_the_tables_keeps_the_server_up(home: Path) -> None:
    url = embedded.start(home, durable=False).replace("+psycopg", "")
    with psycopg.connect(url):
        assert not embedded.leave(home)
    embedded.start(home)
    assert embedded.leave(home)


def test_a_server_that_was_killed_itself_starts_again(home: Path) -> None:
    embedded.start(home, durable=False)
    number = postmaster(home)
    os.kill(number, signal.SIGKILL)
    deadline = time.monotonic() + 20
    while embedded.running(home) and time.monotonic() < deadline:
        time.sleep(0.05)
    embedded.start(home, durable=False)
    assert postmaster(home) != number


def test_a_pid_file_that_names_a_stranger_does_not_bar_the_start(home: Path) -> None:
    embedded.start(home, durable=False)
    pid_file = home / "pg" / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    embedded.stop(home)
    with subprocess.Popen(["/bin/sleep", "60"], user=server_user().uid) as stranger:
        pid_file.write_text("\n".join([str(stranger.pid), *lines[1:]]) + "\n")
        try:
            assert embedded.start(home, durable=False)
            assert stranger.poll() is None
        finally:
            stranger.kill()


def test_a_home_that_is_no_folder_is_told_plainly(home: Path) -> None:
    home.write_text("")
    with pytest.raises(StoreFault) as told:
        embedded.start(home)
    assert told.value.code == "no_folder"


def test_a_server_that_can_not_start_says_why_in_its_own_words(home: Path) -> None:
    embedded.start(home, durable=False)
    embedded.stop(home)
    (home / "pg" / "postgresql.auto.conf").write_text("max_wal_senders = 'many'\n")
    with pytest.raises(StoreFault) as told:
        embedded.start(home, durable=False)
    assert told.value.code == "no_server"
    assert "auto.conf" in told.value.text("en")


def test_a_folder_that_the_servers_user_can_not_enter_is_seen(tmp_path: Path) -> None:
    stranger = ServerUser("stranger", -1, -1, drop=True)
    tmp_path.chmod(0o700)
    assert not stranger.can_enter(tmp_path)


def test_programs_out_of_reach_are_copied_to_where_they_can_be_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = server_user()
    beyond_reach = ServerUser(user.name, -1, -1, drop=True)
    monkeypatch.setattr(ServerUser, "can_enter", lambda *_: False)
    folder = programs(beyond_reach, tmp_path)
    assert tmp_path in folder.parents
    assert folder == programs(beyond_reach, tmp_path)
    for program in ("initdb", "postgres"):
        said = subprocess.run([folder / program, "--version"], capture_output=True, text=True, check=True).stdout
        assert "PostgreSQL) 18" in said


if os.geteuid() == 0:

    def test_root_is_refused_a_private_home_instead_of_opening_it(home: Path) -> None:
        home.parent.chmod(0o700)
        with pytest.raises(StoreFault) as told:
            embedded.start(home)
        assert told.value.code == "closed_home"
        assert str(home) in told.value.text("zh_CN")
        assert home.parent.stat().st_mode & 0o777 == 0o700

    def test_root_and_then_an_ordinary_user_on_one_machine(home: Path) -> None:
        embedded.start(home, durable=False)
        assert user_starts_and_stops() == 0

    def test_an_ordinary_user_and_then_root_on_one_machine(home: Path) -> None:
        assert user_starts_and_stops() == 0
        embedded.start(home, durable=False)

    def test_an_ordinary_user_is_refused_a_home_of_root(home: Path) -> None:
        embedded.start(home, durable=False)
        assert user_starts_and_stops(home) == 2

    def user_starts_and_stops(place: Path | None = None) -> int:
        """Become nobody in a child and use a server there: 0 it worked, 2 a StoreFault, else a bug."""
        child = os.fork()
        if child:
            return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        code = 1
        try:
            os.setgroups([])
            os.setgid(NOBODY.pw_gid)
            os.setuid(NOBODY.pw_uid)
            with (
                tempfile.TemporaryDirectory(prefix="whistle-") as own,
                embedded.served(place or Path(own) / "home", durable=False) as url,
                Store(url) as store,
                store.read(),
            ):
                code = 0
        except StoreFault:
            code = 2
        finally:
            os._exit(code)
