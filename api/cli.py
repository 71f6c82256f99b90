"""`whistle …`: the command line. Commands live in `api.commands`, a noun a file, and are loaded when they
are called.

Exit codes: 0 all well, 1 something asked about doesn't hold, 2 faulty input or surroundings (nothing was
changed).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from importlib import import_module
from importlib.util import find_spec
from typing import Final

COMMANDS: Final[Mapping[str, tuple[str, str]]] = {
    "up": ("启动一切并持续运行，直到 Ctrl-C", "start everything and stay until Ctrl-C"),
    "worker": ("多机部署中的一个工作进程", "one worker of several machines"),
    "serve": ("只启动网页和接口服务", "the web service alone: pages and APIs"),
    "member": ("账号：首个管理员、一次性代码、解锁", "accounts: the first admin, one-time codes, unlocking"),
    "play": ("播放剧本，逐步检验", "play scenarios and check every step"),
    "why": ("某个时限为什么是那个时刻", "why a clock is due when it is"),
    "policy": ("检查、查看、比较、试算、启用规则", "check, show, compare, try and activate policies"),
    "city": ("装入、查看样例城市", "load the sample city, look at it"),
    "demo": ("在样例城市里重演个案", "replay cases in the sample city"),
    "diagram": ("画出状态图", "draw the state machines"),
    "sweep": ("处理到期的时限", "fire what has come due"),
    "calendar": ("装入工作日历", "load a working calendar"),
    "channel": ("试发一条消息", "try out a channel"),
    "audit": ("核验历史链", "verify the histories"),
    "migrate": ("建立或升级数据表", "make or upgrade the tables"),
    "settings": ("查看设置", "show the settings"),
    "run": ("立即做一轮：随访、晨报、通报、封存……", "make a round now: tracking, digest, bulletin, seal …"),
    "doctor": ("逐项体检，并说明如何修好", "check everything, and say how to mend it"),
    "incident": ("事件：查看、了结", "incidents: read them, say what became of them"),
    "metrics": ("供监控系统读取的指标", "figures for a monitoring system"),
    "backup": ("备份个案（加密，不含密钥）", "back up the cases, encrypted, without the keys"),
    "keys": ("密钥库的副本：写一份、查看、恢复", "copies of the key store: write, list, restore"),
    "restore": ("把备份恢复到空数据库", "put a back-up into an empty database"),
    "import": ("导入单位、人员、学生名单", "bring in organisations, members, students"),
}
"""Each command with its line of help, in zh_CN and en; one whose file isn't there isn't offered."""

_OURS: Final = frozenset({"api", "cases", "notifiers", "policies", "workflows"})
_FAULTY: Final = 2


def main() -> None:
    """The entry point of `whistle`."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command and answer its exit code. No user's mistake ends in a traceback."""
    # Commands, and the settings, read the reader's language from here when no option gives it.
    if not os.environ.get("WHISTLE_LANGUAGE"):
        os.environ["WHISTLE_LANGUAGE"] = language_of(os.environ)
    language = _spoken(arguments)
    name, rest = (arguments[0], list(arguments[1:])) if arguments else ("--help", [])
    if name in {"--help", "-h", "help"}:
        print(_help(language))
        return 0
    if name == "--version":
        print(_version())
        return 0
    if name not in _offered():
        print(_unknown(name, language), file=sys.stderr)
        return _FAULTY
    return _call(name, rest, language)


def _call(name: str, arguments: list[str], language: str) -> int:
    from typer.main import get_command

    module = import_module(f"api.commands.{name}")
    try:
        get_command(module.app)(args=arguments, prog_name=f"whistle {name}")
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except Exception as error:
        said = _said(error, language)
        if said is None:
            raise
        print(said, file=sys.stderr)
        return _FAULTY
    return 0


def language_of(environ: Mapping[str, str]) -> str:
    """The reader's language by the locale: English where it is an English one, Chinese by default."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if environ.get(name):
            return "en" if environ[name].lower().startswith("en") else "zh_CN"
    return "zh_CN"


def _spoken(arguments: Sequence[str]) -> str:
    """The language for what is said before or outside of a command: the option's, else the environment's."""
    chosen = os.environ["WHISTLE_LANGUAGE"]
    for one, following in zip(arguments, [*arguments, ""][1:], strict=True):
        if one == "--language":
            chosen = following
        elif one.startswith("--language="):
            chosen = one.partition("=")[2]
    return "en" if chosen == "en" else "zh_CN"


def _said(error: Exception, language: str) -> str | None:
    """What one of our own faults says to a person; None for anything that is no user's mistake."""
    text = getattr(error, "text", None)
    if text is None or type(error).__module__.partition(".")[0] not in _OURS:
        return None
    return str(text(language)) if callable(text) else str(text[language])


def _offered() -> dict[str, tuple[str, str]]:
    return {name: said for name, said in COMMANDS.items() if find_spec(f"api.commands.{name}") is not None}


def _help(language: str) -> str:
    zh = language == "zh_CN"
    offered = _offered()
    wide = max(len(name) for name in offered)
    lines = [f"  {name:<{wide}}  {said[0] if zh else said[1]}" for name, said in offered.items()]
    if zh:
        head = [
            "吹哨报到：学校吹哨，各单位报到，谁也不会被忘记。",
            "",
            "用法：whistle 命令 [选项] …",
            "",
            "命令：",
        ]
        tail = ["", "whistle 命令 --help  说明一个命令    whistle --version  版本", "",
                "语言：--language、WHISTLE_LANGUAGE 或 LANG（zh_CN、en）。",
                "退出码：0 一切正常；1 有一项不成立；2 输入有误，什么都没有改动。"]  # fmt: skip
    else:
        head = ["A school whistles, everybody who can help reports in, and nothing is forgotten.", "",
                "Usage: whistle COMMAND [OPTIONS] …", "", "Commands:"]  # fmt: skip
        tail = ["", "whistle COMMAND --help  about one command    whistle --version  the version", "",
                "Language: --language, WHISTLE_LANGUAGE or LANG (zh_CN, en).",
                "Exit codes: 0 all well; 1 something doesn't hold; 2 faulty input."]  # fmt: skip
    return "\n".join([*head, *lines, *tail])


def _unknown(name: str, language: str) -> str:
    offered = _offered()
    meant = get_close_matches(name, offered, n=1)
    known = ", ".join(offered)
    if language == "zh_CN":
        return f"没有“{name}”这个命令。" + (f"是否想用 {meant[0]}？" if meant else f"可用的有：{known}")
    return f'There is no command "{name}". ' + (f"Did you mean {meant[0]}?" if meant else f"There are: {known}")


def _version() -> str:
    from importlib.metadata import version

    return f"whistle {version('whistle-and-report')}"
