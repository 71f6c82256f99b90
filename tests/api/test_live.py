"""Whoever has a list open hears of what is new, also after a moment in which the database couldn't be asked."""

from __future__ import annotations

import asyncio
import threading

import pytest

from api.pages import live
from cases.store_fault import StoreFault
from tests.api.door import Door


def test_a_look_that_fails_silences_nobody(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "EVERY", 0.05)
    pulse = live.Pulse(door.app.state.house)
    listener = live.Listener(door.town.members["officer@street"], None)
    looked, failed, look = 0, threading.Event(), pulse._look

    def gone_at_the_second(members: list[int], cases: list[int]) -> tuple[set[int], set[int]]:
        nonlocal looked
        looked += 1
        if looked == 2:
            failed.set()
            raise StoreFault("unreachable", where="here", why="gone")
        return look(members, cases)

    monkeypatch.setattr(pulse, "_look", gone_at_the_second)

    async def hear() -> None:
        pulse.join(listener)
        await asyncio.to_thread(failed.wait, 10)
        await asyncio.to_thread(door.town.whistle)
        await asyncio.wait_for(listener.rung.wait(), 10)
        pulse.leave(listener)

    asyncio.run(hear())
    assert looked > 2
