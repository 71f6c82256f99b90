"""What an installation may decide, read from the environment by the doors and by nobody else."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import timedelta
from pathlib import Path
from typing import Final

from pydantic import SecretStr

PREFIX: Final = "WHISTLE_"
LANGUAGES: Final = ("zh_CN", "en")

_UNITS: Final = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
_TRUTHS: Final = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
_LENGTH: Final = re.compile(r"(\d+)(ms|s|m|h|d)")


class SettingsFault(Exception):
    """One or more settings are faulty; all of them are named at once, and nothing was started."""

    def __init__(self, faults: list[tuple[str, str, str]]) -> None:
        self.faults = faults
        super().__init__(self.text("en"))

    def text(self, language: str) -> str:
        """A line for each faulty setting, in `zh_CN` or `en`."""
        which = 1 if language == "zh_CN" else 2
        colon = ":" if language == "zh_CN" else ": "
        return "\n".join(f"{fault[0]}{colon}{fault[which]}" for fault in self.faults)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Every setting with its default; `Settings.read(os.environ)` makes one."""

    home: Path | None = field(
        default=None,
        metadata={
            "zh_CN": "数据目录；不填则 root 用 /var/lib/whistle，其他用户用 ~/.local/share/whistle",
            "en": "where the data lie; unset: /var/lib/whistle for root, ~/.local/share/whistle for others",
        },
    )
    database_url: SecretStr | None = field(
        default=None,
        metadata={
            "zh_CN": "PostgreSQL 地址；不填则用内置的数据库",
            "en": "a PostgreSQL server; unset: the embedded one",
        },
    )
    keystore_url: SecretStr | None = field(
        default=None,
        metadata={
            "zh_CN": "密钥库的地址；不填则用同一服务器上的 whistle_keys",
            "en": "the database of wrapped keys; unset: whistle_keys on the same server",
        },
    )
    master_key_file: Path | None = field(
        default=None,
        metadata={
            "zh_CN": "主密钥文件，须在数据库之外；不填则用数据目录下的 keys/master.key",
            "en": "the master key's file, outside every database; unset: keys/master.key in the home",
        },
    )
    language: str = field(
        default="zh_CN", metadata={"zh_CN": "界面语言：zh_CN 或 en", "en": "the language: zh_CN or en"}
    )
    policy: str = field(
        default="nanjing-2026.1",
        metadata={
            "zh_CN": "新个案采用的政策版本",
            "en": "the policy version that new cases are opened under",
        },
    )
    sweep_every: timedelta = field(
        default=timedelta(seconds=15),
        metadata={
            "zh_CN": "多久查看一次到期的时限",
            "en": "how often limits that have come due are looked for",
        },
    )
    prefect_port: int | None = field(
        default=None,
        metadata={
            "zh_CN": "编排服务（Prefect）的端口；不填则自动选择并记住",
            "en": "the orchestrator's (Prefect's) port; unset: a free one, the same next time",
        },
    )
    seals: Path | None = field(
        default=None,
        metadata={
            "zh_CN": "封存文件的目录，最好在另一台机器上；不填则为数据目录下的 seals",
            "en": "where the seals are written, best on another machine; unset: seals in the home",
        },
    )
    backups: Path | None = field(
        default=None,
        metadata={
            "zh_CN": "每天自动备份到这个目录，最好在另一台机器上；不填则不自动备份",
            "en": "where a back-up is written daily, best on another machine; unset: none by itself",
        },
    )
    key_copies: Path | None = field(
        default=None,
        metadata={
            "zh_CN": "密钥库副本的目录；多台机器须共用一个；不填则为数据目录下的 keys/copies",
            "en": "where the key store's copies lie, one folder for all machines; unset: keys/copies in the home",
        },
    )
    files: str | None = field(
        default=None,
        metadata={
            "zh_CN": "附件存放的目录，或 s3://存储桶/前缀；不填则为数据目录下的 files",
            "en": "where files lie: a folder, or s3://bucket/prefix; unset: files in the home",
        },
    )
    link: str = field(
        default="http://127.0.0.1:8000",
        metadata={"zh_CN": "消息里的链接指向的网址", "en": "the public address that messages link to"},
    )
    mail: SecretStr | None = field(
        default=None,
        metadata={
            "zh_CN": "发信服务器，如 mailtos://用户:口令@服务器?from=发信地址",
            "en": "the mail server, such as mailtos://user:password@server?from=ADDRESS",
        },
    )
    sms: SecretStr | None = field(
        default=None,
        metadata={
            "zh_CN": '短信网关的 JSON 模板：{"url": …, "body": …}，可用 {phone} {text} {key}',
            "en": 'the SMS gateway as JSON: {"url": …, "body": …} with {phone} {text} {key}',
        },
    )
    channels: str = field(
        default="wecomx,dingtalkx,feishux,mailtos,mailto,jsons,json",
        metadata={
            "zh_CN": "成员可以用的渠道种类，逗号分隔",
            "en": "the schemas that members may use, with commas",
        },
    )
    channels_inside: str = field(
        default="",
        metadata={
            "zh_CN": "成员的渠道可以通往的内部网段，如 10.20.0.0/16",
            "en": "inner networks that members' channels may lead to, such as 10.20.0.0/16",
        },
    )
    bots: str = field(
        default="",
        metadata={
            "zh_CN": "单位自建的群机器人地址，如 wecomx=https://wecom.example.cn",
            "en": "where bots of one's own live, such as wecomx=https://wecom.example.cn",
        },
    )
    templates: Path | None = field(
        default=None,
        metadata={
            "zh_CN": "自备消息模板的目录",
            "en": "a folder of message templates of one's own",
        },
    )
    host: str = field(
        default="127.0.0.1",
        metadata={"zh_CN": "网页服务监听的地址", "en": "the address that the web service listens on"},
    )
    port: int = field(default=8000, metadata={"zh_CN": "网页服务的端口", "en": "the web service's port"})
    hosts: str = field(
        default="",
        metadata={
            "zh_CN": "除 WHISTLE_LINK 外还可以用哪些主机名访问，逗号分隔",
            "en": "other host names to be reached by, besides that of WHISTLE_LINK, with commas",
        },
    )
    proxies: str = field(
        default="127.0.0.1",
        metadata={
            "zh_CN": "可信的反向代理地址，逗号分隔；只采信它们转来的来源地址",
            "en": "trusted reverse proxies, with commas; only they are believed about where a request is from",
        },
    )
    session_idle: timedelta = field(
        default=timedelta(hours=2),
        metadata={"zh_CN": "多久不用即须重新登录", "en": "how long unused until one has to sign in again"},
    )
    session_length: timedelta = field(
        default=timedelta(hours=12),
        metadata={"zh_CN": "登录一次最长有效多久", "en": "how long a sign-in is good for at most"},
    )
    metrics_token: SecretStr | None = field(
        default=None,
        metadata={
            "zh_CN": "从别的机器读取 /metrics 所需的令牌；不填则只许本机",
            "en": "the token for reading /metrics from another machine; unset: from this one only",
        },
    )
    demo: bool = field(
        default=False,
        metadata={
            "zh_CN": "演示模式：样例区的演示人员每次启动得到新口令；真实数据切勿使用",
            "en": "demonstration: sample members with new passwords at each start; never with real records",
        },
    )
    oidc_issuer: str = field(
        default="",
        metadata={
            "zh_CN": "市统一身份认证（OpenID Connect）的签发地址；不填则不用",
            "en": "the issuer of the city's identity provider (OpenID Connect); unset: none",
        },
    )
    oidc_client: str = field(
        default="", metadata={"zh_CN": "在统一身份认证登记的客户端标识", "en": "our client id there"}
    )
    oidc_secret: SecretStr | None = field(
        default=None, metadata={"zh_CN": "在统一身份认证登记的客户端密钥", "en": "our client secret there"}
    )
    oidc_claim: str = field(
        default="preferred_username",
        metadata={
            "zh_CN": "首次登录时，用哪个声明对应本系统的登录名",
            "en": "the claim that is a member's login, by which the first sign-in finds them",
        },
    )
    oidc_name: str = field(
        default="",
        metadata={"zh_CN": "登录页上统一身份认证按钮的名称", "en": "what the sign-in page calls the provider"},
    )
    lock_timeout: timedelta = field(
        default=timedelta(seconds=5),
        metadata={"zh_CN": "等别人改完同一个案的最长时间", "en": "how long to wait for another's change"},
    )
    statement_timeout: timedelta = field(
        default=timedelta(seconds=30),
        metadata={"zh_CN": "一条语句最长运行时间", "en": "how long one statement may run"},
    )

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Settings:
        """The settings of this environment; an empty value counts as unset.

        Raises SettingsFault with every value that can't be read and every WHISTLE_ name that isn't a setting.
        """
        known = {f"{PREFIX}{each.name.upper()}": each for each in fields(cls)}
        values: dict[str, object] = {}
        faults: list[tuple[str, str, str]] = []
        for name in sorted(name for name in environ if name.startswith(PREFIX)):
            if name.startswith(f"{PREFIX}TEST_"):
                continue
            if name not in known:
                faults.append((name, "没有这个设置", "there is no such setting"))
            elif environ[name]:
                try:
                    values[known[name].name] = _value(str(known[name].type), name, environ[name])
                except _Unreadable as fault:
                    faults.append((name, fault.zh, fault.en))
        if faults:
            raise SettingsFault(faults)
        return cls(**values)  # type: ignore[arg-type]  # each value was read by its own field's type

    def shown(self, language: str) -> Iterator[tuple[str, str, str]]:
        """Name, value and meaning of each setting for a person to read; secrets stay hidden."""
        for each in fields(self):
            value = getattr(self, each.name)
            yield (
                f"{PREFIX}{each.name.upper()}",
                "–" if value is None else str(value),
                each.metadata[language],
            )


class _Unreadable(Exception):
    def __init__(self, zh: str, en: str) -> None:
        self.zh, self.en = zh, en
        super().__init__(en)


def _value(kind: str, name: str, written: str) -> object:
    if kind.startswith("SecretStr"):
        return SecretStr(written)
    if kind.startswith("Path"):
        return Path(written).expanduser()
    if kind.startswith("int"):
        if not written.isascii() or not written.isdigit() or not 0 < int(written) < 65536:
            raise _Unreadable(f"“{written}”不是 1 到 65535 的端口", f"{written!r} isn't a port from 1 to 65535")
        return int(written)
    if kind == "bool":
        if written.lower() not in _TRUTHS:
            raise _Unreadable(f"“{written}”不是 yes 或 no", f"{written!r} is neither yes nor no")
        return _TRUTHS[written.lower()]
    if kind == "timedelta":
        length = _LENGTH.fullmatch(written.strip())
        if length is None:
            raise _Unreadable(
                f"“{written}”不是时长，应当像 15s、5m", f"{written!r} isn't a length of time such as 15s or 5m"
            )
        return timedelta(seconds=int(length[1]) * _UNITS[length[2]])
    if name == f"{PREFIX}LANGUAGE" and written not in LANGUAGES:
        raise _Unreadable(f"“{written}”不是 zh_CN 或 en", f"{written!r} is neither zh_CN nor en")
    return written
