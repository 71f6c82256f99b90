"""The web service: a socket, uvicorn on it, and the same as a child of whoever started everything."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastapi import FastAPI

    from api.settings import Settings

TETHERED: Final = "--tethered"
_READY_SECONDS: Final = 120
_STOP_SECONDS: Final = 15
_SOON: Final = 1.0
_LONGEST: Final = 60.0


class WebFault(Exception):
    """The web service can't be started; nothing is served."""

    _TEXTS: Final = {
        "port_taken": (
            "端口 {port} 已被占用（{host}）。请结束占用它的程序，或另选一个：WHISTLE_PORT。",
            "Port {port} on {host} is taken. End what uses it, or choose another one: WHISTLE_PORT.",
        ),
        "no_address": (
            "不能监听 {host}：{port}：{why}。请检查 WHISTLE_HOST 和 WHISTLE_PORT。",
            "Can't listen on {host}:{port}: {why}. Check WHISTLE_HOST and WHISTLE_PORT.",
        ),
        "no_start": ("网页服务没有启动；原因见上面的日志。", "The web service didn't start; the log above says why."),
    }

    def __init__(self, code: str, **facts: str) -> None:
        self.code = code
        self.facts = facts
        super().__init__(self.text("en"))

    def text(self, language: str) -> str:
        """One sentence in `zh_CN` or `en`."""
        return self._TEXTS[self.code][0 if language == "zh_CN" else 1].format(**self.facts)


def listening(host: str, port: int) -> socket.socket:
    """A socket on that address. Raises WebFault port_taken, no_address."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # By name: only what says that it is TCP is told by asyncio to send at once, and each answer would wait 40 ms.
    made = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host, port))
        made.listen(2048)
    except OSError as error:
        made.close()
        facts = {"host": host, "port": str(port)}
        if error.errno in {98, 48, 10048}:
            raise WebFault("port_taken", **facts) from None
        raise WebFault("no_address", **facts, why=error.strerror or type(error).__name__) from None
    return made


def serve(app: FastAPI, on: socket.socket, settings: Settings, told: Callable[[], None]) -> None:
    """Answer until SIGTERM or SIGINT; requests at work end first. `told` is called once requests are answered."""
    import uvicorn

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                told()

    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="off",
        ws="none",
        proxy_headers=True,
        forwarded_allow_ips=settings.proxies,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=4,
    )
    Server(config).run(sockets=[on])


def end_with_parent() -> None:
    """End this process, kindly, once whoever holds the other end of standard input is gone, however that went."""

    def wait() -> None:
        while os.read(0, 64):
            pass
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(_STOP_SECONDS)
        os._exit(1)

    threading.Thread(target=wait, name="tether", daemon=True).start()


@contextmanager
def child(settings: Settings, environ: Mapping[str, str]) -> Iterator[Keeper]:
    """The web service as a process of its own: a sweep doesn't hold up a page, nor the other way about.

    Being started while other things are (`Keeper.wait_ready`), and again should it fall over; ends with its parent,
    kill -9 included. Raises WebFault.
    """
    # Asked here, where the answer can still be one clear message.
    listening(settings.host, settings.port).close()
    environ = {**environ, "WHISTLE_DEMO": "yes" if settings.demo else "no"}
    keeper = Keeper(environ, settings.host, settings.port)
    try:
        yield keeper
    finally:
        keeper.stop()


class Keeper:
    """Keeps one child running."""

    def __init__(self, environ: Mapping[str, str], host: str, port: int) -> None:
        self._environ = dict(environ)
        self._where = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - what we were told to listen on
        self._port = port
        self._leaving = threading.Event()
        self.process = self._start()
        self._thread = threading.Thread(target=self._keep, name="web", daemon=True)

    def wait_ready(self) -> None:
        """Come back when it answers. Raises WebFault no_start."""
        until = time.monotonic() + _READY_SECONDS
        while time.monotonic() < until and self.process.poll() is None:
            if _answers(self._where, self._port):
                self._thread.start()
                return
            time.sleep(0.1)
        raise WebFault("no_start")

    def stop(self) -> None:
        """Let requests at work end, then end it; a second call finds nothing to do."""
        self._leaving.set()
        self.process.terminate()
        try:
            self.process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.process.stdin is not None:
            self.process.stdin.close()

    def _start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", "from api.cli import main; main()", "serve", TETHERED]
        # A Ctrl-C at the terminal is the parent's to pass on, in its own order.
        return subprocess.Popen(  # noqa: S603 - our own command
            command, env=self._environ, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, start_new_session=True
        )

    def _keep(self) -> None:
        rest = _SOON
        while not self._leaving.wait(_SOON):
            if self.process.poll() is None:
                rest = _SOON
                continue
            if self._leaving.wait(rest):
                return
            rest = min(rest * 2, _LONGEST)
            self.process = self._start()


def _answers(host: str, port: int) -> bool:
    from http.client import HTTPConnection, HTTPException

    connection = HTTPConnection(host, port, timeout=2)
    try:
        connection.request("GET", "/health/live", headers={"Host": "localhost"})
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
