"""The students' keys that this process remembers for a short while."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable

from cases.vault import DataKey


class KeyCache:
    """Keys in memory: bounded in number and age (seconds), the least used leave first."""

    def __init__(self, max_age: float, max_size: int, elapsed: Callable[[], float]) -> None:
        self._max_age, self._max_size, self._elapsed = max_age, max_size, elapsed
        self._lock = threading.Lock()
        self._kept: OrderedDict[int, tuple[float, DataKey]] = OrderedDict()
        # Counts the forgettings: what was read before one isn't remembered after it.
        self.epoch = 0

    def take(self, student_ids: Iterable[int]) -> dict[int, DataKey]:
        oldest = self._elapsed() - self._max_age
        found: dict[int, DataKey] = {}
        with self._lock:
            for student_id in student_ids:
                kept = self._kept.get(student_id)
                if kept is None:
                    continue
                if kept[0] <= oldest:
                    del self._kept[student_id]
                    continue
                self._kept.move_to_end(student_id)
                found[student_id] = kept[1]
        return found

    def put(self, read: dict[int, DataKey], epoch: int) -> None:
        now = self._elapsed()
        with self._lock:
            if epoch != self.epoch:
                return
            for student_id, key in read.items():
                self._kept[student_id] = (now, key)
                self._kept.move_to_end(student_id)
            while len(self._kept) > self._max_size:
                self._kept.popitem(last=False)

    def drop(self, student_ids: Iterable[int]) -> None:
        with self._lock:
            self.epoch += 1
            for student_id in student_ids:
                self._kept.pop(student_id, None)
