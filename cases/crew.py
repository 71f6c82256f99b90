"""Threads at lanes: one of its own for each, and further ones that a lane may borrow while it answers.

A lane that hangs holds its own thread and nobody else's; one that is well isn't bound to one sending at a time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from threading import Condition
from typing import Final

LANES_AT_ONCE: Final = 32
LENT_AT_ONCE: Final = 32
"""Threads that lanes may borrow, all together."""
HANDS: Final = 8
"""Most sendings at once in one lane: what a mail server or a robot's maker bears from one client."""


@dataclass(frozen=True, slots=True)
class Hand:
    """One thread at a lane. `found_more` says that the lane is well and has more to send than this one can hold.

    A `lent` hand leaves at the first sign that the lane is ill; the lane's own stays, until the lane closes.
    """

    stopped: Callable[[], bool]
    found_more: Callable[[], None]
    lent: bool = False


Work = Callable[[str, Hand], None]


class Crew:
    """Sees to lanes by `work`, which drains one lane with one hand. Whatever `work` raises, `wait` raises again.

    Each success calls one more hand, so that a lane grows from one to `HANDS` only by answering.
    """

    def __init__(self, work: Work, lanes_at_once: int = LANES_AT_ONCE, hands: int = HANDS) -> None:
        self._work = work
        self._hands = hands
        self._own = ThreadPoolExecutor(lanes_at_once, thread_name_prefix="lane")
        self._lent = ThreadPoolExecutor(LENT_AT_ONCE, thread_name_prefix="lent")
        self._state = Condition()
        # Lanes with their own thread at them; True where something was found for them meanwhile.
        self._under_way: dict[str, bool] = {}
        self._borrowed: Counter[str] = Counter()
        self._at_work = 0
        self._closing = False
        self._faults: list[BaseException] = []

    def see_to(self, lanes: Iterable[str]) -> None:
        """Set a thread to every one of these lanes that has none."""
        with self._state:
            for name in lanes:
                if name in self._under_way:
                    self._under_way[name] = True
                else:
                    self._set_off(name)

    def wait(self) -> None:
        """Until nobody is at work. Raises what one of them raised."""
        with self._state:
            self._state.wait_for(lambda: not self._at_work)
            if self._faults:
                raise self._faults.pop()

    def close(self) -> None:
        """Take on nothing new, and wait until what is being sent has been written down."""
        with self._state:
            self._closing = True
        self._own.shutdown()
        self._lent.shutdown()

    def _set_off(self, name: str) -> None:
        if not self._closing:
            self._under_way[name] = False
            self._begin(self._own, self._drain, name)

    def _lend(self, name: str) -> None:
        with self._state:
            if not self._closing and self._borrowed[name] < self._hands - 1:
                self._borrowed[name] += 1
                self._begin(self._lent, self._help, name)

    def _begin(self, pool: ThreadPoolExecutor, what: Callable[[str], None], name: str) -> None:
        self._at_work += 1
        # In a copy of its own: what the lines of the log belong to goes along into the thread.
        pool.submit(copy_context().run, what, name).add_done_callback(self._ended)

    def _ended(self, one: Future[None]) -> None:
        with self._state:
            self._at_work -= 1
            fault = one.exception()
            if fault is not None:
                self._faults.append(fault)
            if not self._at_work:
                self._state.notify_all()

    def _drain(self, name: str) -> None:
        try:
            self._work(name, Hand(lambda: self._closing, lambda: self._lend(name)))
        finally:
            with self._state:
                # Its last claim may have come just too early for what was found since: that mustn't wait for a look.
                if self._under_way.pop(name):
                    self._set_off(name)

    def _help(self, name: str) -> None:
        try:
            self._work(name, Hand(lambda: self._closing, lambda: self._lend(name), lent=True))
        finally:
            with self._state:
                self._borrowed[name] -= 1
                self._borrowed += Counter()  # Lanes come and go: only those that borrow are kept.
