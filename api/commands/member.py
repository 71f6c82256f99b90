"""`whistle member …`: accounts from the command line: the first admin, one-time codes, unlocking, ending sessions."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from api.commands.options import AsJson, Language, Spoken

if TYPE_CHECKING:
    from api.signin.oversight import OneTime
    from cases.installation import Installation

app = typer.Typer(
    name="member", no_args_is_help=True, help="账号：首个管理员、一次性代码、解锁。 Accounts, the first admin's too."
)

Login = Annotated[str, typer.Argument(help="登录名。 The login.")]
SecondFactor = Annotated[
    bool, typer.Option("--second-factor", help="动态验证码也重设（手机丢失）。 The second factor too.")
]
MemberId = Annotated[int, typer.Argument(help="人员编号。 The member's id.")]


class MemberFault(Exception):
    """Nobody has that login; nothing was changed."""

    def __init__(self, login: str) -> None:
        self.login = login
        super().__init__(self.text("en"))

    def text(self, language: str) -> str:
        """One sentence in `zh_CN` or `en`."""
        return f"没有登录名“{self.login}”。" if language == "zh_CN" else f"There is no login {self.login}."


@app.command()
def admin(
    login: Login,
    name: Annotated[str, typer.Option(help="姓名。 The name.")],
    organisation: Annotated[str, typer.Option(help="单位代码，如市的代码。 The organisation's code, the city's say.")],
    as_json: AsJson = False,  # noqa: FBT002 - a switch of the command line
    language: Spoken = Language.ZH_CN,
) -> None:
    """登记一名管理员并开账号，打印首次登录用的一次性代码。

    Enter an administrator with an account; prints the one-time code for the first password.
    """
    from datetime import UTC, datetime

    from api.commands.database import installation
    from api.signin import oversight
    from cases.directory import Directory
    from cases.post_log import By
    from cases.posts import enlist

    now = datetime.now(UTC)
    with installation() as kept:
        office = kept.office()
        today = now.astimezone(office.book_of(office.current).tz).date()
        with kept.store.begin() as connection:
            # Within this transaction the directory changes: nobody else may be told from it.
            place = Directory(0).by_code(connection, organisation)
            member = enlist(connection, place, name, ["admin"], since=today, by=By(None, now))
            drawn = oversight.open_account(connection, member.id, login, now, None)
    _tell(drawn, as_json=as_json, language=language)


@app.command()
def account(
    member: MemberId,
    login: Login,
    as_json: AsJson = False,  # noqa: FBT002 - a switch of the command line
    language: Spoken = Language.ZH_CN,
) -> None:
    """为已登记的人员开账号，打印一次性代码。

    Give a member an account; prints the one-time code for the first password.
    """
    from datetime import UTC, datetime

    from api.commands.database import installation
    from api.signin import oversight
    from cases.directory import Directory

    now = datetime.now(UTC)
    with installation() as kept, kept.store.begin() as connection:
        Directory(0).member(connection, member, now)
        drawn = oversight.open_account(connection, member, login, now, None)
    _tell(drawn, as_json=as_json, language=language)


@app.command()
def reset(
    login: Login,
    second_factor: SecondFactor = False,  # noqa: FBT002 - a switch of the command line
    as_json: AsJson = False,  # noqa: FBT002 - a switch of the command line
    language: Spoken = Language.ZH_CN,
) -> None:
    """忘了口令，或手机丢失：打印一次性代码，24 小时内有效。

    A password or a telephone is lost: prints a one-time code, good for 24 hours. Nothing changes until it is used.
    """
    from datetime import UTC, datetime

    from api.commands.database import installation
    from api.signin import oversight

    with installation() as kept, kept.store.begin() as connection:
        number = _member_of(kept, login)
        drawn = oversight.reset(connection, kept.master, number, datetime.now(UTC), None, with_totp=second_factor)
    _tell(drawn, as_json=as_json, language=language)


@app.command()
def unlock(login: Login, language: Spoken = Language.ZH_CN) -> None:
    """失败太多被暂停的账号，可以立即再试。

    Let an account that failed too often be tried again at once.
    """
    from api.commands.database import installation
    from api.signin import oversight
    from cases import credentials

    with installation() as kept, kept.store.begin() as connection:
        oversight.unlock(connection, kept.master, credentials.spelled(login), _member_of(kept, login))
    typer.echo(language.says("可以再试了。", "It can be tried again."))


@app.command(name="sign-out")
def sign_out(login: Login, language: Spoken = Language.ZH_CN) -> None:
    """结束这个账号的全部登录和令牌。

    End all sessions and tokens of an account.
    """
    from datetime import UTC, datetime

    from api.commands.database import installation
    from api.signin import oversight

    with installation() as kept, kept.store.begin() as connection:
        ended = oversight.end_everything(connection, _member_of(kept, login), datetime.now(UTC), None)
    typer.echo(language.says(f"已结束 {ended} 个。", f"{ended} ended."))


def _member_of(kept: Installation, login: str) -> int:
    from cases import credentials

    with kept.store.read() as connection:
        found = credentials.by_login(connection, login)
    if found is None:
        raise MemberFault(login)
    return found.member_id


def _tell(drawn: OneTime, *, as_json: bool, language: Language) -> None:
    if as_json:
        typer.echo(json.dumps({"login": drawn.login, "code": drawn.code, "expires": drawn.expires_at.isoformat()}))
        return
    until = drawn.expires_at.astimezone()
    typer.echo(
        language.says(
            f"登录名 {drawn.login}，一次性代码 {drawn.code}，{until:%Y-%m-%d %H:%M} 前有效，只显示这一次。",
            f"Login {drawn.login}, one-time code {drawn.code}, good until {until:%Y-%m-%d %H:%M}, shown this once.",
        )
    )
    typer.echo(language.says("请当面交给本人，在登录页选“首次登录”。", "Hand it over in person, for the sign-in page."))
