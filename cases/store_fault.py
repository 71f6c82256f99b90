"""What can be wrong with the database, said to a person in both languages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import psycopg
from psycopg import errors
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

_TEXTS: Final[dict[str, dict[str, str]]] = {
    "unreachable": {
        "zh_CN": "数据库连接不上（{where}）：{why}。请确认它在运行，再试一次；没有提交的内容都没有写入。",
        "en": "The database can't be reached ({where}): {why}. See that it runs and try again; "
        "nothing uncommitted was written.",
    },
    "signed_out": {
        "zh_CN": "数据库（{where}）不接受所给的用户名或口令。请检查 WHISTLE_DATABASE_URL。",
        "en": "The database ({where}) doesn't accept the user name or password. Check WHISTLE_DATABASE_URL.",
    },
    "no_database": {
        "zh_CN": "服务器上没有这个数据库（{where}）。请先建立它，或检查 WHISTLE_DATABASE_URL。",
        "en": "There is no such database on the server ({where}). Create it first, or check WHISTLE_DATABASE_URL.",
    },
    "bad_url": {
        "zh_CN": "数据库地址写法不对：{why}。应当像 postgresql://用户:口令@主机:5432/库名。",
        "en": "The database address is faulty: {why}. It should look like postgresql://user:password@host:5432/name.",
    },
    "not_migrated": {
        "zh_CN": "数据库（{where}）的结构还不是本版本的：库里是 {found}，本版本需要 {wanted}。"
        "请先运行 whistle migrate。",
        "en": "The database ({where}) hasn't the tables of this version: it has {found}, "
        "this version needs {wanted}. Run `whistle migrate` first.",
    },
    "no_tables": {
        "zh_CN": "数据库（{where}）里缺少本版本的表（{why}）。请先运行 whistle migrate。",
        "en": "The database ({where}) lacks a table or column of this version ({why}). Run `whistle migrate` first.",
    },
    "too_new": {
        "zh_CN": "数据库（{where}）属于更新的版本（结构 {found}），本程序不认识它。请升级程序；什么都没有改动。",
        "en": "The database ({where}) belongs to a newer version (tables {found}) that this program "
        "doesn't know. Upgrade the program; nothing was changed.",
    },
    "busy": {
        "zh_CN": "别人正在改同样的内容，等了一会儿仍轮不到。什么都没有改动，请再试一次。",
        "en": "Somebody else is changing the same thing and it didn't become free in time. "
        "Nothing was changed; please try again.",
    },
    "full": {
        "zh_CN": "数据库（{where}）没有空间了：{why}。什么都没有改动；请先腾出磁盘空间。",
        "en": "The database ({where}) has no room left: {why}. Nothing was changed; free some disk space first.",
    },
    "foreign_home": {
        "zh_CN": "目录 {where} 属于另一个用户。请换一个目录（WHISTLE_HOME），或以该用户运行。",
        "en": "The folder {where} belongs to another user. Choose another one (WHISTLE_HOME), or run as that user.",
    },
    "no_folder": {
        "zh_CN": "{where} 不是目录，数据放不进去。请换一个（WHISTLE_HOME）。",
        "en": "{where} is not a folder that data could lie in. Choose another one (WHISTLE_HOME).",
    },
    "closed_home": {
        "zh_CN": "以 root 运行时，数据库用另一个系统用户 {why}，它进不了目录 {where}；"
        "我们不会替您放开上级目录的权限。请换一个目录，例如 WHISTLE_HOME=/var/lib/whistle。",
        "en": "Run by root, the database works as a system user of its own, {why}, which can't "
        "enter {where}; we don't open folders for it. Choose another one, "
        "such as WHISTLE_HOME=/var/lib/whistle.",
    },
    "no_server": {
        "zh_CN": "内置的 PostgreSQL 起不来：{why}。也可以用 WHISTLE_DATABASE_URL 指向现成的服务器。",
        "en": "The embedded PostgreSQL doesn't start: {why}. WHISTLE_DATABASE_URL may name a server of your own.",
    },
}


class StoreFault(Exception):
    """The database can't do what was asked; nothing of it was written."""

    def __init__(self, code: str, *, where: str = "", why: str = "", found: str = "", wanted: str = "") -> None:
        self.code = code
        self.facts = {"where": where, "why": why, "found": found, "wanted": wanted}
        super().__init__(self.text("en"))

    @property
    def passing(self) -> bool:
        """Whether the same request may succeed if it is simply made again."""
        return self.code in {"busy", "unreachable", "full"}

    def text(self, language: str) -> str:
        """One sentence or two in `zh_CN` or `en`; any other language is answered in English."""
        texts = _TEXTS[self.code]
        return texts.get(language, texts["en"]).format(**self.facts)


def first_line(error: BaseException) -> str:
    """What a driver or program said, without the lines that only its authors need."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0].rstrip(".") if lines else type(error).__name__


def fault_of(error: BaseException, where: str) -> StoreFault | None:
    """The fault that a driver's error amounts to, or None if it says something about the rows themselves."""
    if isinstance(error, PoolTimeout):
        return StoreFault("busy")
    origin = error.orig if isinstance(error, DBAPIError) else error
    match origin:
        case errors.LockNotAvailable() | errors.DeadlockDetected() | errors.QueryCanceled():
            return StoreFault("busy")
        case errors.SerializationFailure() | errors.TooManyConnections():
            return StoreFault("busy")
        case errors.UndefinedTable() | errors.UndefinedColumn():
            return StoreFault("no_tables", where=where, why=first_line(origin))
        case errors.InvalidCatalogName():
            return StoreFault("no_database", where=where)
        case errors.InvalidPassword() | errors.InvalidAuthorizationSpecification():
            return StoreFault("signed_out", where=where)
        case errors.DiskFull():
            return StoreFault("full", where=where, why=first_line(origin))
        case psycopg.OperationalError() | psycopg.InterfaceError():
            return _connection_fault(origin, where)
    if isinstance(error, OperationalError | InterfaceError):
        return StoreFault("unreachable", where=where, why=first_line(error))
    return None


def _connection_fault(origin: Exception, where: str) -> StoreFault:
    # While a connection is being made libpq hands over no SQLSTATE, only the server's English sentence.
    said = str(origin)
    if 'database "' in said and "does not exist" in said:
        return StoreFault("no_database", where=where)
    if "authentication failed" in said or 'role "' in said:
        return StoreFault("signed_out", where=where)
    return StoreFault("unreachable", where=where, why=first_line(origin))


@contextmanager
def told_plainly(where: str) -> Iterator[None]:
    """Turn a driver's error into the fault that it amounts to; what concerns the rows passes unchanged."""
    try:
        yield
    except (DBAPIError, PoolTimeout, psycopg.Error) as error:
        fault = fault_of(error, where)
        if fault is None:
            raise
        raise fault from error
