"""Whether the second layer holds, for the doctor: the database's roles, what they read, what they are kept from."""

from __future__ import annotations

from sqlalchemy import Connection

from cases.health import Check, Words
from cases.second_layer import look

_NAME = "second layer"
_ASK: Words = (
    "请数据库管理员按部署手册（databases.md）建立这两个角色并授予本用户；再运行 whistle migrate，重启网页服务。",
    (
        "Have the database's administrator make both roles and grant them to this user (databases.md of the production "
        "guide); then run `whistle migrate` and start the web service again."
    ),
)
_TAKE_BACK: Words = (
    "请数据库管理员收回多余的权限（NOSUPERUSER、NOBYPASSRLS、对 event 表和登录密钥的读取），再运行 whistle migrate。",
    (
        "Have it taken back (NOSUPERUSER, NOBYPASSRLS, reading the table `event` and what signing in keeps secret), "
        "then run `whistle migrate`."
    ),
)
_LAY: Words = ("运行 whistle migrate 补齐。", "Run `whistle migrate`: it lays what is missing.")


def of_second_layer(connection: Connection) -> Check:
    """Amber where the database does without: the first layer holds by itself. Red where it only seems to be there."""
    found = look(connection)
    if not found.usable:
        names = ", ".join((*found.missing, *found.refused))
        said = f"没有启用：角色 {names} 不存在，或本用户不能使用", f"none: {names} isn't there, or not for this user"
        return Check(_NAME, "warn", said, _ASK)
    if found.above or found.unsealed:
        names = ", ".join(found.above) or "whistle_reader"
        said = f"角色 {names} 的权限过大，挡不住任何人", f"{names} may more than it should, and holds nobody back"
        return Check(_NAME, "bad", said, _TAKE_BACK)
    if not found.whole:
        names = ", ".join(dict.fromkeys((*found.unguarded, *found.unread)))
        return Check(_NAME, "bad", (f"缺少策略或授权的表：{names}", f"no policy or grant: {names}"), _LAY)
    return Check(_NAME, "ok", ("数据库只让每人看到自己的个案", "the database shows each reader their cases alone"))
