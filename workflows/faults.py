"""What can be wrong with the orchestrator, said to a person in both languages."""

from __future__ import annotations

from typing import Final

_TEXTS: Final[dict[str, tuple[str, str]]] = {
    "unfit": (
        "{what} 的版本是 {found}，本程序需要 {wanted}。请用 make setup 重新安装；什么都没有启动。",
        "{what} is at version {found}, this program needs {wanted}. Run `make setup` again; nothing was started.",
    ),
    "port_taken": (
        "端口 {port} 已被别的程序占用。请换一个（WHISTLE_PREFECT_PORT），或不填以自动选择。",
        "Port {port} is taken by another program. Choose another one (WHISTLE_PREFECT_PORT), or none at all.",
    ),
    "no_room": (
        "目录 {where} 所在的磁盘快满了（{free} MB），什么都没有启动。请先腾出空间。",
        "The disk of {where} is nearly full ({free} MB left): nothing was started. Free some space first.",
    ),
    "no_start": (
        "编排服务（Prefect）起不来：{why}。日志在 {log}。",
        "The orchestrator (Prefect) doesn't start: {why}. Its log is {log}.",
    ),
    "no_folder": (
        "目录 {where} 不能使用：{why}。请换一个数据目录（WHISTLE_HOME）。",
        "The folder {where} can't be used: {why}. Choose another home (WHISTLE_HOME).",
    ),
    "already_up": (
        "这个数据目录（{where}）已经在运行，进程号 {pid}。请先停下它，或换一个 WHISTLE_HOME。",
        "This home ({where}) is up already, as process {pid}. Stop that one first, or choose another WHISTLE_HOME.",
    ),
    "stuck": (
        "上次留下的编排服务（进程 {pid}）停不下来。请手工结束它，再试一次。",
        "An orchestrator left from before (process {pid}) doesn't end. End it by hand and try again.",
    ),
    "bad_url": (
        "{url} 不是编排服务（Prefect）的地址。请把 PREFECT_API_URL 写成 http://主机:端口/api。",
        "{url} is no address of an orchestrator (Prefect). Write PREFECT_API_URL as http://host:port/api.",
    ),
    "not_prefect": (
        "{url} 有程序应答，但不是编排服务（Prefect）。请检查 PREFECT_API_URL。",
        "Something answers at {url}, but it is no orchestrator (Prefect). Look at PREFECT_API_URL.",
    ),
    "server_unfit": (
        "{url} 的 Prefect 版本是 {found}，本程序需要 {wanted}。请先升级其中一方；什么都没有启动。",
        "Prefect at {url} is version {found}, this program needs {wanted}. Bring them together; nothing was started.",
    ),
    "nobody_there": (
        "{url} 没有应答。请检查 PREFECT_API_URL，以及编排服务（Prefect）是否已启动。",
        "Nobody answers at {url}. Look at PREFECT_API_URL, and whether the orchestrator (Prefect) is up.",
    ),
    "no_pool": (
        "编排服务里没有工作池 {pool} 的部署。请先运行 python -m workflows.production --pool {pool}。",
        "The orchestrator has no work for a pool {pool}. First run `python -m workflows.production --pool {pool}`.",
    ),
    "not_told": (
        "缺少设置 {name}。工作进程要知道数据库、密钥库和主密钥在哪里。",
        "The setting {name} is missing. A worker has to know where the database, the key store and the key are.",
    ),
}


class OrchestratorFault(Exception):
    """The orchestrator can't work as it is; no case was touched."""

    def __init__(self, code: str, **facts: object) -> None:
        self.code = code
        self.facts = facts
        super().__init__(self.text("en"))

    def text(self, language: str) -> str:
        """One sentence or two in `zh_CN` or `en`; any other language is answered in English."""
        chinese, english = _TEXTS[self.code]
        return (chinese if language == "zh_CN" else english).format(**self.facts)
